// SPDX-License-Identifier: MIT
#include "link/explanation.hpp"

namespace longline::link {

CodeMeaning code_meaning(Errc code) {
  switch (code) {
    case Errc::usage: return {"The command line is wrong.", "the tool's --help and its manual page"};
    case Errc::malformed: return {"A message, route, transcript or phonebook is not in its form.", "file and line in the message"};
    case Errc::script_error:
      return {"The login script is wrong; nothing was dialled.",
              "chatrun check SCRIPT shows each place, and chatrun check --fix repairs the common ones"};
    case Errc::refused: return {"The peer refused a message for good.", "the reply in the message: an address that does not exist, a size, a policy"};
    case Errc::route_refused:
      return {"The kernel refused a route.",
              "routeadd plan: the gateway must be reachable, the interface up|ip route get ADDRESS shows the way that packets take now"};
    case Errc::not_found: return {"Something that was named is not there: a link, a file, a message.", "the spelling; dialctl list, mtaq list"};
    case Errc::no_device:
      return {"The port's device is not there.",
              "dialctl ports: is the modem plugged in, has it got another name?|name it by /dev/serial/by-id/…, which does not change|"
              "dmesg: USB power, a hub that was reset"};
    case Errc::not_a_tty:
      return {"The port is there, but it is no serial line.",
              "'port' in the configuration: it must be a serial device, a pty or tcp:HOST:PORT"};
    case Errc::modem_silent:
      return {"The modem answered nothing, neither to AT nor after DTR was lowered nor to the escape sequence.",
              "power and cable; another speed or flow control ('speed', 'flow')|dialctl --verbose up LINK shows what was sent|a USB "
              "modem may need to be plugged in again"};
    case Errc::modem_error:
      return {"The modem answered ERROR to an initialisation or dial command.",
              "dialctl --verbose up LINK: the command before ERROR|'init' and 'dial' in the configuration against the modem's manual"};
    case Errc::sim_missing: return {"The mobile modem has no SIM, or cannot read it.", "the card's seat; a card that was not unlocked with its PUK"};
    case Errc::no_dial_tone:
      return {"The modem heard no dial tone.",
              "the telephone cable; a PBX that wants X3 in 'init' or a prefix|another telephone on the same line is off hook"};
    case Errc::next_hop_unreachable:
      return {"The host that takes the mail cannot be reached.",
              "dialctl status: is the link up?|routeadd get ADDRESS; name resolution; a firewall"};
    case Errc::software: return {"A bug in longline.", "report it, with what --verbose says"};
    case Errc::os: return {"The system refused: memory, descriptors, a facility that the kernel lacks.", "free memory, ulimit -n, dmesg"};
    case Errc::no_ppp:
      return {"This system cannot do PPP: pppd is missing or too old, the kernel has no PPP, or we are not root.",
              "pppd --version; modprobe ppp_async; ls -l /dev/ppp|run it as root"};
    case Errc::cannot_create: return {"A file, lock or socket could not be created.", "rights and free space of the folder in the message"};
    case Errc::io: return {"Reading or writing failed.", "the file in the message; dmesg for a failing disk"};
    case Errc::disk_full: return {"The disk is full.", "df; old logs; mail in the spool (mtaq summary)"};
    case Errc::line_busy:
      return {"The number is busy.",
              "nothing, if it is rare: it is dialled again|another number in 'numbers'; a line that did not hang up at the other end"};
    case Errc::no_answer:
      return {"Nobody answered.",
              "is the number right, is the other modem on and set to answer (S0)?|'dial-timeout', and S7 in 'init', may be too short for "
              "a long-distance call"};
    case Errc::no_carrier:
      return {"The call ended before the modems agreed, or a mobile network refused it.",
              "the number: is it a modem's?|a noisy line: a lower rate (AT+MS, AT&N)|with gsm: signal, APN, the cause in the message"};
    case Errc::voice_answer:
      return {"The modem heard a voice instead of a carrier: probably somebody was disturbed.",
              "the number, before it is dialled again: it is a person's|it is not dialled again in the same run"};
    case Errc::call_refused:
      return {"The modem refused to dial: the number was called too often in vain (DELAYED, BLACKLISTED), or is barred.",
              "the modem's manual on blacklisting: wait, or switch the modem off and on|'attempts' and 'interval' in the configuration: "
              "leave more time between calls"};
    case Errc::dial_timeout:
      return {"No result of the modem within dial-timeout.",
              "'dial-timeout' must be longer than S7 of the modem|a modem that is quiet (Q1)"};
    case Errc::login_timeout:
      return {"The login script waited for something that did not come, or login-timeout was over.",
              "the transcript that the event login.failed names: chatrun replay SCRIPT FILE|the host did not answer, or asks for "
              "something else now; chatrun record makes a new script"};
    case Errc::login_failed:
      return {"The login script ended without success: the host asked or said something else than the script expects.",
              "the transcript that the event login.failed names: chatrun replay SCRIPT FILE|user and password; chatrun check SCRIPT"};
    case Errc::line_dropped:
      return {"The carrier was lost, or the far end hung up.",
              "how long the call lasted (dialctl history): always the same time is a limit at the other end|noise on the line; call "
              "waiting (dial *43# or its like off)"};
    case Errc::idle_timeout:
      return {"The link was hung up because nobody sent anything for 'idle'.",
              "nothing, if the work was done|'idle' in the configuration; a command that waits without sending"};
    case Errc::call_limit:
      return {"The call was ended by a limit of the configuration: max-call, the end of the hours, or the budget.",
              "the message says which; 'max-call', 'hours', 'budget'"};
    case Errc::unreachable:
      return {"The link is left alone after failed calls (backoff).",
              "dialctl status LINK: until when, and the last failure|dialctl up --now LINK calls in spite of it and ends the wait if it "
              "succeeds"};
    case Errc::not_registered:
      return {"The mobile modem did not register with a network in time.",
              "antenna and signal; AT+CSQ (99 is none)|'registration-timeout'; a SIM that was blocked"};
    case Errc::ppp_timeout:
      return {"The peer did not answer the PPP negotiation in time.",
              "is the login over when PPP begins? A host that still prompts does not speak PPP: run the script with chatrun|8 data bits, "
              "no parity ('framing')"};
    case Errc::peer_ended_ppp: return {"The peer ended PPP.", "its reason in the event; often user or password, or a limit at the provider"};
    case Errc::line_looped:
      return {"Our own PPP packets came back: there is no peer, but an echo.",
              "the host is still at its login prompt, and echoes: the login script ended too early|a modem that fell back into command "
              "state"};
    case Errc::pool_exhausted:
      return {"No address of the pool is left for the caller.",
              "'pool': a /29 serves five callers, a /24 two hundred and fifty-three|callers that were not hung up: dialctl status"};
    case Errc::port_in_use:
      return {"Another process holds the port.",
              "dialctl unlock PORT says who, since when and how, and takes over what is dead|ModemManager: "
              "ENV{ID_MM_DEVICE_IGNORE}=\"1\" in a udev rule"};
    case Errc::link_down: return {"The link is not up, or went down.", "dialctl up LINK; dialctl status LINK says how the last call ended"};
    case Errc::busy: return {"Somebody else is using it: another run, another flush.", "the process in the message; dialctl status"};
    case Errc::messages_left: return {"Messages are left in the queue.", "mtaq list; the next flush takes them"};
    case Errc::protocol: return {"The peer broke the protocol.", "the message says where; a middle box that changes what passes"};
    case Errc::ppp_failed:
      return {"PPP could not be negotiated: no protocol or option in common.",
              "dialctl --verbose up LINK: what the peer refused|ppp-options: noccp, novj, refuse-eap"};
    case Errc::no_address:
      return {"PPP came up without an address for one of the ends.",
              "the provider assigns none: put OURS:THEIRS into ppp-options|IP switched off at the peer"};
    case Errc::auth_refused:
      return {"The peer refused user name or password.",
              "'user' and the file of 'password-file': a line end or blank too much, capitals|an account that is locked, expired, or in "
              "use by another call"};
    case Errc::caller_refused:
      return {"A caller could not say who he is, or may not call in.",
              "the event call.refused: which name came|the link of that name needs caller-password-file"};
    case Errc::outside_hours:
      return {"The link may not call at this hour.",
              "'hours'; the message says when it may|--grade urgent, where the entry allows it (urgent-any-hour)"};
    case Errc::over_budget:
      return {"The budget is spent: calls, minutes or cost.",
              "dialctl history LINK; dialctl plan LINK|'budget' in the configuration"};
    case Errc::roaming_refused:
      return {"The modem is registered with a foreign network, and roaming is not allowed.",
              "'roaming' in the configuration; the antenna, if the own network should be there"};
    case Errc::registration_denied:
      return {"The mobile network refuses this SIM.",
              "the contract; a blocked card; the wrong network is selected (AT+COPS?)"};
    case Errc::sim_pin_refused:
      return {"The SIM refused its PIN; it is not tried again, since three tries lead to the PUK.",
              "the file of pin-file, before anything else|AT+CPIN? by hand; then dialctl up --now"};
    case Errc::permission:
      return {"The system denies access.",
              "who owns the file or device in the message; the group dialout for serial ports|run it as root"};
    case Errc::config: return {"The configuration is wrong.", "dialctl check shows every place"};
    case Errc::deadline: return {"The time that was given ran out.", "--wait or --deadline; dialctl plan LINK shows how long a call may take"};
    case Errc::interrupted: return {"Somebody ended it: a signal, or dialctl down.", "nothing"};
  }
  return {"", ""};
}

}  // namespace longline::link
