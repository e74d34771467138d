# SPDX-License-Identifier: MIT
# Completion of chatrun, dialctl, mtaq and routeadd for bash. Source it, or put it into /etc/bash_completion.d.
# Verbs and options come from the tools' own --help, so that they are always those of the tool that is installed.

# The first column of a help text: options, or the verbs under "Subcommands:".
_longline_options() { "$@" --help 2>/dev/null | sed -n 's/^  \(-[^ ]*\).*/\1/p' | tr , '\n'; }
_longline_verbs() { "$1" --help 2>/dev/null | sed -n '/^Subcommands:/,/^$/s/^  \([a-z][a-z0-9-]*\) .*/\1/p'; }

# Links of the configuration that the command line names.
_longline_links() { dialctl "${_longline_where[@]}" list --json 2>/dev/null | sed -n 's/.*"link":"\([^"]*\)".*/\1/p'; }
_longline_messages() { mtaq "${_longline_where[@]}" list --json 2>/dev/null | sed -n 's/.*"id":"\([^"]*\)".*/\1/p'; }

_longline_words() {
  local IFS=$'\n'
  COMPREPLY=($(compgen -W "$1" -- "$_longline_current"))
}
_longline_files() {
  local IFS=$'\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "$_longline_current"))
}

_longline() {
  local tool=${COMP_WORDS[0]} name=${COMP_WORDS[0]##*/}
  local _longline_current=${COMP_WORDS[COMP_CWORD]} previous='' verb='' behind_dashes=''
  local -a _longline_where=()
  local i word arguments=0
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${COMP_WORDS[i]}
    previous=$word
    case $word in
      --) behind_dashes=$((i + 1)); break ;;
      --config|--root|--queue)
        _longline_where+=("$word" "${COMP_WORDS[i + 1]}")
        ((i + 1 < COMP_CWORD)) && { i=$((i + 1)); previous=${COMP_WORDS[i]}; }
        ;;
      -*) ;;
      *) if [[ -z $verb ]]; then verb=$word; else arguments=$((arguments + 1)); fi ;;
    esac
  done
  # `dialctl run LINK -- COMMAND …`: what follows is another command line.
  if [[ -n $behind_dashes ]]; then
    if ((behind_dashes == COMP_CWORD)); then
      COMPREPLY=($(compgen -c -- "$_longline_current"))
    elif complete -p "${COMP_WORDS[behind_dashes]##*/}" 2>/dev/null | grep -q _longline; then
      COMP_WORDS=("${COMP_WORDS[@]:behind_dashes}")
      COMP_CWORD=$((COMP_CWORD - behind_dashes))
      _longline
    else
      _longline_files
    fi
    return
  fi
  # Of dialctl events: --follow.
  [[ $name:$previous == dialctl:-f ]] && previous=''
  case $previous in
    --config|--root|--transcript|--password-file|--maildir|--output|--port|-o|-f|-r) _longline_files; return ;;
    --confirm|--from|--since|--interface|--wait) return ;;
    --queue) _longline_words $'spool\npostfix\nexim'; return ;;
    --by) _longline_words $'connector\nnext-hop\ndomain'; return ;;
    --state) _longline_words $'ready\ndeferred\nheld\nsending\nin-doubt'; return ;;
    --grade) _longline_words $'normal\nurgent'; return ;;
    --link) _longline_words "$(_longline_links)"; return ;;
  esac
  if [[ $_longline_current == -* ]]; then
    _longline_words "$(_longline_options "$tool"; [[ -n $verb ]] && _longline_options "$tool" "$verb")"
    return
  fi
  if [[ -z $verb ]]; then
    _longline_words "$(_longline_verbs "$tool")"
    return
  fi
  case $previous in
    --format) _longline_words $'rasphone\nwvdial'; return ;;
    --terminal) _longline_words $'with\nbefore\nafter'; return ;;
    --to) _longline_words scp; return ;;
  esac
  case $name:$verb in
    routeadd:add|routeadd:del)
      case $previous in
        dev) _longline_words "$(command ls /sys/class/net 2>/dev/null)" ;;
        link) _longline_words "$(_longline_links)" ;;
        via|src|metric|table|mtu|mask) ;;
        *) _longline_words $'via\ndev\nlink\nmetric\ntable\nsrc\nmtu\nmask\nonlink\nfail-fast\ndefault\nblackhole\nunreachable\nprohibit' ;;
      esac
      ;;
    dialctl:list|dialctl:show|dialctl:plan|dialctl:up|dialctl:down|dialctl:status|dialctl:history|dialctl:check|dialctl:connect|dialctl:demand|dialctl:answer|dialctl:events|dialctl:terminal)
      _longline_words "$(_longline_links)"
      ;;
    dialctl:import|mtaq:import) _longline_files ;;
    mtaq:x400) if ((arguments == 0)); then _longline_words ping; fi ;;
    dialctl:unlock) _longline_words "$(command ls -d /dev/tty[A-Z]* /dev/serial/by-id/* 2>/dev/null)" ;;
    dialctl:run) if ((arguments == 0)); then _longline_words "$(_longline_links)"; else _longline_words '--'; fi ;;
    mtaq:show|mtaq:hold|mtaq:release|mtaq:remove|mtaq:requeue|mtaq:bounce|mtaq:export) _longline_words "$(_longline_messages)" ;;
    routeadd:up|routeadd:down)
      if ((arguments == 0)); then _longline_words "$(_longline_links)"; else _longline_words "$(command ls /sys/class/net 2>/dev/null)"; fi
      ;;
    chatrun:*|routeadd:plan|routeadd:apply|routeadd:import) _longline_files ;;
  esac
}

complete -F _longline chatrun dialctl mtaq routeadd
