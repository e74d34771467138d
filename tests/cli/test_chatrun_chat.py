# SPDX-License-Identifier: MIT
"""`chatrun chat` against chat(8) of Debian's ppp 2.4.9: the same bytes on the line, the same status, the same stderr where it is asked for.

LONGLINE_CHAT_UNDER_TEST=/usr/sbin/chat puts chat itself to the test: the dialogues must be deterministic."""

import concurrent.futures
import itertools
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from chat_dialogues import (ECHO_EXAMPLE, HANG_UP, HANGUP_EXAMPLE, MET, READ, SAY_EXAMPLE, SENT, Case, generated,  # noqa: E402
                            play)
from modemsim import BUILD, PATIENCE  # noqa: E402

CHAT = [shutil.which("chat", path="/usr/sbin:/usr/bin")]
CHATRUN = BUILD / "tools" / "chatrun"
ITSELF = os.environ.get("LONGLINE_CHAT_UNDER_TEST")
UNDER_TEST = shlex.split(ITSELF) if ITSELF else [CHATRUN, "chat"]
# They do nothing but wait.
pool = concurrent.futures.ThreadPoolExecutor(int(os.environ.get("LONGLINE_CHAT_THREADS", "40")))
cases, results = [], {}


def setUpModule():
    for case in cases if CHAT[0] else ():
        results[id(case)] = [pool.submit(play, command, case) for command in (CHAT, UNDER_TEST)]


def tearDownModule():
    pool.shutdown(cancel_futures=True)


def result(future, command, case):
    """What the pool has or will have; at once when no thread has come to it yet."""
    return play(command, case) if future.cancel() else future.result()


@unittest.skipUnless(CHAT[0], "chat is not installed")
class Differential(unittest.TestCase):
    """A subclass has `cases`; each becomes a test."""

    def __init_subclass__(cls):
        for case in cls.cases:
            cases.append(case)
            name = "test_" + case.name.replace(" ", "_")
            assert not hasattr(cls, name), name
            setattr(cls, name, lambda self, case=case: self.same(case))

    def same(self, case, command=UNDER_TEST):
        futures = results.get(id(case)) or [pool.submit(play, CHAT, case), pool.submit(play, command, case)]
        theirs, ours = result(futures[0], CHAT, case), result(futures[1], command, case)
        story = f"\n{case}\n  chat:  {theirs}\n  under test: {ours}"
        if case.status is not None:
            self.assertEqual(theirs.status, case.status, "chat itself ends otherwise" + story)
        self.assertIsInstance(theirs.status, int, story)
        self.assertEqual((ours.sent, ours.status), (theirs.sent, theirs.status), story)
        self.assertEqual(ours.report, theirs.report, "the report file" + story)
        if case.compares_stderr() and not theirs.stderr.startswith(b"Usage: "):
            self.assertEqual(ours.stderr, theirs.stderr, "stderr" + story)
        if case.rest:
            self.assertEqual(ours.rest, theirs.rest, "what is left unread" + story)
        self.assertTrue(ours.restored or not theirs.restored, "the terminal's settings" + story)


DIAL = ["ABORT", "BUSY", "ABORT", "NO CARRIER", "", "ATZ", "OK", "ATDT5551212", "CONNECT"]
LOGIN = ["ATZ\r", b"ATZ\r\r\nOK\r\n", "ATDT5551212\r"]
CALLBACK = ["ATZ\r", b"OK\r\n", "ATD1234567\r", b"\r\nCONNECT 9600\r\nCallback login:", "call_back_ID\r"]
TIMED = r"ATZ OK ATDT5551212 CONNECT TIMEOUT 10 ogin:--ogin: TIMEOUT 5 assword: hello2u2"


class ManPage(Differential):
    cases = [
        Case("a login", 0, ["ogin:", "ppp", "ssword:", "hello2u2"], [b"\r\nlogin:", "ppp\r", b"ppp\r\nPassword:"]),
        Case("a login with a break in reserve", 0, "ogin:-BREAK-ogin: ppp ssword: hello2u2\n", [b"login:", "ppp\r", b"Password:"]),
        Case("a break does not help", 3, ["ogin:-BREAK-ogin:", "ppp"], [b"login"], "-vs -t1"),
        Case("a login that needs no return", 0, ["ogin:--ogin:", "ppp", "ssword:", "hello2u2"], [b"login:", "ppp\r", b"Password:"]),
        Case("a login that needs a return", 0, ["ogin:--ogin:", "ppp", "ssword:", "hello2u2"],
             ["\r", b"login:", "ppp\r", b"Password:"], "-t 2"),
        Case("the abort strings are not met", 0, DIAL, [*LOGIN, b"CONNECT 9600\r\n"], rest=True),
        Case("the line is busy", 4, DIAL, [*LOGIN, b"\r\nBUSY\r\n"], rest=True),
        Case("there is no carrier", 5, DIAL, [*LOGIN, b"\r\nNO CARRIER\r\n"], rest=True),
        Case("a comment ends at the end of its line", 0, "# Now wait for the prompt and send logout string\n'# ' logout", [b"host# "]),
        Case("the example of SAY", 0, SAY_EXAMPLE, ["ATDT5551212\r", b"CONNECT 9600\r\n", "\r", b"login:", "account\r", b"Password:", "pass\r", b"$ "]),
        Case("the example of SAY meets BUSY", 4, SAY_EXAMPLE, ["ATDT5551212\r", b"BUSY\r\n"]),
        Case("the example of REPORT", 0, "REPORT CONNECT ABORT BUSY '' ATDT5551212 CONNECT '' ogin: account",
             ["ATDT5551212\r", b"CONNECT 9600/V42\r\n", "\r", b"login:"]),
        Case("the example of REPORT with a file", 0, "REPORT CONNECT ABORT BUSY '' ATDT5551212 CONNECT '' ogin: account",
             ["ATDT5551212\r", b"CONNECT 9600/V42\r\n", "\r", b"login:"], "-r report"),
        Case("the example of ECHO", 0, ECHO_EXAMPLE, ["ATZ\r", b"ATZ\r\r\nOK\r\n", "ATD1234567\r", b"\r\nCONNECT 9600\r\nlogin:"]),
        Case("the example of ECHO meets BUSY", 4, ECHO_EXAMPLE, ["ATZ\r", b"OK\r\n", "ATD1234567\r", b"\r\nBUSY\r\n"]),
        Case("the example of HANGUP", 0, HANGUP_EXAMPLE, [*CALLBACK, b"Callback Password:", "Call_back_password\r", signal.SIGHUP,
                                                          b"RING\r\nCONNECT\r\nlogin:"]),
        Case("a hangup before HANGUP OFF", 2, HANGUP_EXAMPLE, ["ATZ\r", b".", READ, signal.SIGHUP], "-s"),
        Case("a hangup after HANGUP ON", 2, HANGUP_EXAMPLE + "word: x", [*CALLBACK, b"Callback Password:", "Call_back_password\r",
                                                                        b"CONNECT\r\nlogin:", "real_account\r", b".", READ, signal.SIGHUP]),
        Case("a bad login of a callback", 5, HANGUP_EXAMPLE, [*CALLBACK, b"Bad Login"]),
        Case("BREAK after two dashes is an expect string", 0, "ogin:--BREAK--ogin: real_account", ["\r", b"BREAK login:"], "-t 2"),
        Case("the example of TIMEOUT as it is printed", 0, TIMED, [b"ATZ", "OK\r", b"ATDT5551212", "CONNECT\r", b"login:", "TIMEOUT\r",
                                                                 b"5", "assword:\r", b"hello2u2"]),
        Case("the example of TIMEOUT as it is meant", 0, r"'' ATZ OK ATDT5551212 CONNECT \c TIMEOUT 10 ogin:--ogin: ppp TIMEOUT 5 assword: hello2u2",
             [*LOGIN, b"CONNECT\r\nlogin:", "ppp\r", b"Password:"], "-vs"),
        Case("EOT", 0, ["", "EOT", "OK-EOT-OK", "x"], ["\4", b"OK"], "-vs"),
        Case("BREAK", 0, ["", "BREAK", "", r"a\Kb", "", r"\K"], options="-vs"),
    ]


class Escapes(Differential):
    cases = [
        *[Case(f"{escape!r} within a send", 0, ["", f"a{escape}z"], options="-T 12 -U 34") for escape in SENT],
        *[Case(f"{escape!r} at the end of a send", 0, ["", "a" + escape], options="-T 12 -U 34") for escape in SENT],
        *[Case(f"{escape!r} within an expect", 0, [f"a{escape}z", "x"], [b"a" + met + b"z"], "-T 12 -U 34 -t 5") for escape, met in MET],
        *[Case(f"{escape!r} in an abort string", 4, ["ABORT", f"a{escape}z", "OK"], [b"a" + met + b"z"], "-T 12 -U 34 -t 5") for escape, met in MET],
        Case("a caret at the end of an expect", 0, ["a^", "x"], [b"a^"]),
        Case("a backslash at the end of an expect", 0, ["a\\", "x"], [b"a"]),
        Case("an expect of a backslash", 0, ["\\", "x"]),
        Case("an expect of nothing but a NUL", 0, [r"\0", "x", r"^@\000", "y"]),
        Case("every single escape at once", 0, ["", r"\b\n\r\t\s\\\101^A\N\0\p\K\T\U\q\c"], options="-T 12 -U 34"),
        Case(r"\c twice", 0, ["", r"a\c\c"]),
        Case(r"nothing but \c", 0, ["", r"\c", "", ""]),
        Case("numbers that are not given", 0, ["", r"a\Tb\U"]),
        Case("numbers with escapes in them", 0, ["", r"\T", "", r"\U\c"], options=r"-T 1\p2\N3^M\\4\K -U \T$A"),
        Case("a number of an empty string is a number", 0, ["-T", "", "", r"a\Tb"]),
        Case("a send that the log does not show", 0, ["", r"sec\qret", "OK", "x"], ["secret\r", b"OK"], "-vs"),
        Case("a parity bit is no part of a byte", 0, ["OK", "x"], [b"\xcf\x4b"]),
        Case("the log of a send", 0, ["", r"a\\b\s\r\t^A\x\T\177\351", "", "", "", r"\c"], options="-vs -T 1\\d"),
    ]


ENVIRONMENT = {"CHAT_A": "alice", "CHAT_B": r"1\p2\\3^M$CHAT_A\N", "CHAT_EMPTY": "", "CHAT_9_x": "nine", "CHAT_T": "6"}


class Variables(Differential):
    cases = [Case(name, status, script, peer, options, env=ENVIRONMENT) for name, status, script, peer, options in [
        ("a variable in a send", 0, ["", "$CHAT_A", "", "x$CHAT_A.y$CHAT_9_x-$CHAT_A"], [], "-E"),
        ("a variable in an expect", 0, ["<$CHAT_A>", "x"], [b"<alice>"], "-E"),
        ("a variable in an abort string", 4, ["ABORT", "<<$CHAT_A", "", "x", "OK", "y"], ["x\r", b"<<alice"], "-vsE"),
        ("a variable in a timeout", 0, ["TIMEOUT", "$CHAT_T", "", "x"], [], "-vsE"),
        ("a variable in a text to say", 0, ["SAY", r"$CHAT_A\n\c"], [], "-E"),
        ("a variable in a sub-send", 0, ["OK-$CHAT_A-OK", "x"], ["alice\r", b"OK"], "-E -t 2"),
        ("a variable is not looked at for escapes but for pauses", 0, ["", "$CHAT_B", "", r"$CHAT_B\c"], [], "-E"),
        ("a variable with a dash does not part an expect", 0, ["$CHAT_EMPTY", "x", "<$CHAT_EMPTY>", "y"], ["x\r", b"<>"], "-E"),
        ("variables that are not set", 0, ["", "a$CHAT_NONE.b", "$CHAT_NONE", "c$CHAT_NONE"], [], "-E"),
        ("a dollar with no name", 0, ["", "a$", "", "a$.b", "", "a$$b", "a$z", "x"], ["a.b\r", b"az"], "-E"),
        ("a dollar that is escaped", 0, ["", r"\$CHAT_A\$", r"\$a", "x"], ["$CHAT_A$\r", b"$a"], "-E"),
        ("a dollar that is octal", 0, ["", r"\44CHAT_A", "", "^$CHAT_A"], [], "-E"),
        ("braces are no part of a name", 0, ["", "${CHAT_A}"], [], "-E"),
        ("without -E a dollar is a dollar", 0, ["$CHAT_A", r"$CHAT_A\$"], [b"$CHAT_A"], ""),
        ("variables in a file", 0, "'' $CHAT_A\nOK '$CHAT_A \"$CHAT_EMPTY\"'\n", ["alice\r", b"OK"], "-E"),
        ("no variable in the name of a file", 1, ["", "@$CHAT_A"], [], "-sE"),
    ]]


class Files(Differential):
    cases = [Case(name, status, script, peer, options, files) for name, status, script, peer, options, files in [
        ("a send from a file", 0, ["", "@data", "", "@ data", "", "@\t data"], [], "-vs", {"data": "hello\n"}),
        ("a file without a newline", 0, ["", "@data"], [], "", {"data": "hello"}),
        ("a file with two newlines", 0, ["", "@data"], [], "", {"data": "hello\n\n"}),
        ("a file of two lines", 0, ["", "@data"], [], "", {"data": "hello\nyou\n"}),
        ("a file of CRLF lines", 0, ["", "@data"], [], "", {"data": "hello\r\n"}),
        ("an empty file", 0, ["", "@data", "", "x"], [], "", {"data": ""}),
        ("a file of one newline", 0, ["", "@data", "", "x"], [], "", {"data": "\n"}),
        ("a file is looked at for escapes", 0, ["", "@data"], [], "-T 12", {"data": "p^ss\\T\\n'$x\\"}),
        ("a file with no return", 0, ["", "@data"], [], "", {"data": "p^ss\\c\n"}),
        ("a file that says EOT or BREAK", 0, ["", "@eot", "", "@break"], [], "-vs", {"eot": "EOT\n", "break": "BREAK"}),
        ("a file that says ABORT", 0, ["", "@data", "OK", "x"], ["ABORT\r", b"OK"], "", {"data": "ABORT\n"}),
        ("a file that names a file", 0, ["", "@data"], [], "", {"data": "@data\n"}),
        ("a file with a NUL", 0, ["", "@data"], [], "", {"data": "abc\0def\n"}),
        ("a file in a sub-send", 0, ["OK-@data-OK", "x"], ["hello\r", b"OK"], "-t 2", {"data": "hello\n"}),
        ("a file that is not there", 1, ["", "x", "OK", "@data", "", "y"], ["x\r", b"OK"], "-s", {}),
        ("an at sign alone", 0, ["", "@", "", "@ ", "", r"\@data", "", r"^@data"], [], "", {}),
        ("an at sign in an expect", 0, ["@data", "x"], [b"@data"], "", {}),
        ("the argument of a keyword is no file", 0, ["SAY", r"@data\c", "ABORT", "@data", "", "x"], [], "", {}),
    ]]


class Scripts(Differential):
    cases = [Case(name, status, script, peer, options) for name, status, script, peer, options in [
        ("the turn goes on over the lines", 0, "''\nATZ\nOK\nATD\n", ["ATZ\r", b"OK"], ""),
        ("tabs, blanks and empty lines", 0, "\t''  \t ATZ\t\n   \n\n\t\n  OK\tATD \t", ["ATZ\r", b"OK"], ""),
        ("comments between expect and send", 0, "# 'one\n''\n# \"two\n#\nATZ\n", [], ""),
        ("a hash that is not in column 1", 0, " # x y # 'z z' #\n", [b"#", "x\r", b"y", "#\r", b"z z"], ""),
        ("a hash within a word", 0, "'' a#b # c\n", ["a#b\r", b"#"], ""),
        ("a line that begins with a quoted hash", 0, "'' x\n'#' y\n", ["x\r", b"#"], ""),
        ("quotes of both kinds", 0, "\"\" 'a \"b\" c'\n'' \"a 'b' c\" '' '' \"\" \"\"", [], ""),
        ("quotes that are escaped in quotes", 0, "'' 'it\\'s' \"\" \"a\\\"b\" 'a\\'b' x", ["a\"b\r", b"a'b"], ""),
        ("quotes within a word", 0, "'' it's \"\" a\"b a'b x", ["a\"b\r", b"a'b"], ""),
        ("what touches a closing quote is the next word", 0, "'''a'b'c' d\n", ["a\r", b"b'c'"], ""),
        ("a word that touches another after quotes", 0, "''ATZ 'OK'x", ["ATZ\r", b"OK"], ""),
        ("a backslash before a blank does not join", 0, "'' a\\ '' b", [], ""),
        ("a quote that is not closed is found when it is reached", 1, "'' ATZ\nOK 'ATD\nCONNECT x", ["ATZ\r", b"OK"], "-s"),
        ("a quote that a backslash keeps open", 1, "'' ATZ\n# it's\n'' 'x\\'\n", [], "-s"),
        ("a quote does not go over the end of a line", 1, "'' ATZ '' 'a\nb'", [], "-s"),
        ("a quote that is not closed is not reached", 4, "ABORT BUSY '' ATZ\nOK 'ATD", ["ATZ\r", b"BUSY"], "-s"),
        ("CRLF lines have a CR in their last word", 0, "'' ATZ\r\nOK x\r\n", ["ATZ\r\r", b"OK"], ""),
        ("a CR after a quote is a word", 0, "'' 'ATZ'\r\nx\r\n", ["ATZ\r", b"\r", "x\r\r"], ""),
        ("a CRLF line with nothing in it is an expect", 3, "'' ATZ\r\n\r\n", ["ATZ\r\r", b"OK"], "-t 1"),
        ("a form feed is part of a word", 0, "a\fb x\n a\vb y\n", [b"a\fb", "x\r", b"a\vb"], ""),
        ("an empty file", 0, "", [], "-vs"),
        ("a file of blanks and comments", 0, "#\n \n# x\n\t", [], "-vs"),
        ("a file that ends after an expect", 0, "OK", [b"OK"], "-vs"),
        ("a file that ends after a keyword", 0, "'' x\nABORT\n", [], "-vs"),
        ("a keyword and its argument on two lines", 4, "ABORT\n# here\nBUSY '' x OK", ["x\r", b"BUSY"], ""),
        ("keywords in quotes are keywords", 4, "'ABORT' 'BUSY' '' \"x\" OK", ["x\r", b"BUSY"], ""),
        ("bytes above 127 in a file", 0, "'' caf\xe9\n", [], "-vs"),
        ("a long line", 0, "'' x " + "OK x " * 150 + "\n", [b"OK" * 150], ""),
    ]]


class Options(Differential):
    cases = [Case(name, status, script, peer, options, {"one": "'' 1\nOK x", "two": "'' 2"}) for name, status, script, peer, options in [
        ("no script at all", 0, [], [], ""),
        ("no script at all, verbosely", 0, [], [], "-v -s -V -e -E -S"),
        ("-t 5", 0, ["", "x"], [], "-vs -t 5"),
        ("-t5", 3, ["", "x", "OK"], [], "-vs -t1"),
        ("-t twice", 3, ["", "x", "OK"], [], "-t50 -t 1"),
        ("-t 0", 0, ["", "x", "OK", "y"], ["x\r", b"OK"], "-t 0"),
        ("-t of a word", 0, ["", "x", "OK", "y"], ["x\r", b"OK"], "-t word"),
        ("-t below 0", 0, ["", "x", "OK", "y"], ["x\r", b"OK"], "-t -5"),
        ("-t with a unit", 3, ["", "x", "OK", "y"], ["x\r"], "-t 1s"),
        ("clustered options", 0, ["", "$CHAT_NONE", "OK", "y"], ["\r", b"o\nOK\r\n"], "-vsE"),
        ("a cluster that ends with an argument", 3, ["", "x", "OK"], ["x\r"], "-vst1"),
        ("a cluster whose argument is the next word", 3, ["", "x", "OK"], ["x\r"], "-svt 1"),
        ("-f in a cluster", 0, [], ["1\r", b"OK"], "-vsf one"),
        ("-f and its name in one word", 0, [], ["1\r", b"OK"], "-fone"),
        ("-f twice", 0, [], ["2\r"], "-f one -f two"),
        ("options after -f", 0, [], ["1\r", b"OK"], "-f one -v -s -t 7"),
        ("-f with more arguments", 1, ["", "x"], [], "-f one"),
        ("-f of a file that is not there", 1, [], [], "-s -f three"),
        ("-f without its name", 1, ["-f"], [], ""),
        ("-t without its number", 1, ["-v", "-t"], [], ""),
        ("-T without its number", 1, ["-T"], [], ""),
        ("-U without its number", 1, ["-sU"], [], ""),
        ("-r without its name", 0, ["-r"], [], ""),
        ("an unknown option", 1, ["-x", "", "a"], [], ""),
        ("an unknown option in a cluster", 1, ["-vx", "", "a"], [], ""),
        ("a long option", 1, ["--verbose", "", "a"], [], ""),
        ("options end at two dashes", 0, ["--", "", "-v"], [], ""),
        ("options end at the script", 0, ["", "-x", "-", "-t", "", "--"], [], ""),
        ("a dash alone begins the script", 0, ["-", "x"], [], "-vs"),
        ("-S", 4, ["ABORT", "BUSY", "OK", "x"], [b"BUSY"], "-S -v"),
        ("-v alone says nothing here", 4, ["ABORT", "BUSY", "OK", "x"], [b"BUSY"], "-v"),
        ("-s alone says why", 4, ["ABORT", "BUSY", "OK", "x"], [b"xBUSY"], "-s"),
        ("-s of a timeout", 3, ["OK", "x"], [b"hello"], "-s -t 1"),
        ("-vs of a dialogue", 5, ["ABORT", r"a\sb", "ABORT", "BUSY", "TIMEOUT", "1x", "OK--OK", "x", "CLR_ABORT", "a b", "ABORT", "VOICE", "ECHO",
                                  "OFF", "HANGUP", "ON", "TIMEOUT", "9", "end", "y"],
         ["\r", b"\r\n\r\nATZ\1\x7f\tOK", "x\r", b"\r\nVOICE\r\n"], "-vs"),
        ("-vs of long lines", 0, ["OK", "x"], [b"a" * 79 + b"\n" + b"b" * 80 + b"\n" + b"c" * 200 + b"OK\r\n"], "-vs"),
        ("-V", 0, ["OK", "x", "OK", "y"], [b"a\1\x7f\r\n\tOK\r\nb\0OK"], "-V"),
        ("-V and -vs", 0, ["OK", "x"], [b"a\1\r\nb\r\nOK\r\n"], "-V -vs"),
        ("-e", 0, ["OK", "x", "ECHO", "OFF", "OK", "y", "ECHO", "ON", "OK", "z"], [b"a\1\x7f\r\n\tOKbOKc\0OK"], "-e"),
        ("-e ends with a newline of its own once", 0, ["OK", "x", r"\n", "y"], [b"aOK\r\n"], "-e"),
        ("-e of an abort", 4, ["ABORT", "BUSY", "OK", "x"], [b"\r\nBUSY\r\n"], "-es"),
        ("-T and -U", 0, ["", r"ATDT\T;\U"], [], "-T 555-1212 -U099"),
    ]]


class Keywords(Differential):
    cases = [Case(name, status, script, peer, options) for name, status, script, peer, options in [
        ("keywords are plain text in a send", 0, ["", "ABORT", "", "TIMEOUT", "", "SAY", "", "HANGUP", "", "ECHO", "", "REPORT", "", "CLR_ABORT"],
         [], ""),
        ("a mistyped keyword is an expect", 0, ["Abort", "BUSY", "TIMEOUTS", "5", "HANG-UP", "z"], [b"Abort", "BUSY\r", b"TIMEOUTS", "5\r", b"HANG"], ""),
        ("a keyword is no sub-expect", 0, ["ABORT-x-ABORT", "y"], [b"ABORT"], ""),
        ("a keyword that is escaped is an expect", 0, [r"\ABORT", "x", r"TIMEOU\T", "y"], [b"ABORT", "x\r", b"TIMEOU\\T"], ""),
        ("the keywords at the end without an argument", 0, ["", "x", "TIMEOUT"], [], "-vs"),
        ("EOT and BREAK are expects in an expect", 0, ["EOT", "x", "BREAK", "y"], [b"EOT BREAK"], ""),
        ("EOT with more is text", 0, ["", "EOT ", "", r"EOT\c", "", "BREAKS"], [], ""),
        ("SAY has no return with a c", 0, ["SAY", r"hello\c", "SAY", "you", "", "x"], [], ""),
        ("SAY with escapes", 0, ["SAY", r"a\nb\tc\sd\d\p\K\q\T\U\x\\^A\101^\c"], [], "-T 12"),
        ("SAY in a verbose log", 0, ["SAY", r"hello\n\c", "", "x", "SAY", "", "OK", "y"], ["x\r", b"OK"], "-vs"),
        ("SAY of a NUL ends there", 0, ["SAY", r"a\Nb\c"], [], ""),
        ("ECHO of another word is off", 0, ["ECHO", "ON", "a", "1", "ECHO", "on", "b", "2"], [b"a\r\nb"], ""),
        ("ECHO echoes what follows only", 0, ["a", "1", "ECHO", "ON", "b", "2", "ECHO", "OFF", "c", "3"], [b"abc"], ""),
        ("HANGUP of another word is on", 2, ["HANGUP", "OFF", "HANGUP", "off", "", "x", "OK"], ["x\r", b".", READ, signal.SIGHUP], "-s"),
        ("a hangup that is ignored", 0, ["HANGUP", "OFF", "", "x", "OK", "y"], ["x\r", signal.SIGHUP, b"OK"], "-s"),
        ("an interrupt", 2, ["HANGUP", "OFF", "", "x", "OK"], ["x\r", b".", READ, signal.SIGINT], "-s"),
        ("a termination", 2, ["", "x", "OK-y-OK"], ["x\r", b".", READ, signal.SIGTERM], "-s"),
        ("a termination while it pauses", 2, ["", r"x\d\d\d\d\dy"], ["x", signal.SIGTERM], "-s"),
        ("TIMEOUT 0 is the default", 0, ["TIMEOUT", "1", "TIMEOUT", "0", "", "x", "OK", "y"], ["x\r", b"OK"], "-vs"),
        ("TIMEOUT below 0 is the default", 0, ["TIMEOUT", "-1", "", "x", "OK", "y"], ["x\r", b"OK"], "-vs"),
        ("TIMEOUT of a word is the default", 0, ["TIMEOUT", "soon", "TIMEOUT", "", "", "x", "OK", "y"], ["x\r", b"OK"], "-vs"),
        ("TIMEOUT with a unit is in seconds", 0, ["TIMEOUT", "500ms", "TIMEOUT", " +7.9", "TIMEOUT", r"\061^@2", "", "x"], [], "-vs"),
        ("TIMEOUT stays", 3, ["TIMEOUT", "1", "", "x", "a", "y", "b", "z", "c"], ["x\r", b"a", "y\r", b"b"], "-t 30"),
        ("TIMEOUT is for each step", 0, ["TIMEOUT", "2", "", r"a\db", "", r"c\dd", "", r"e\df", "OK", "x"], ["f\r", b"OK"], ""),
        ("TIMEOUT is for a send too", 1, ["TIMEOUT", "1", "", r"a\d\d\db", "OK"], [], "-s"),
        ("TIMEOUT in a pause that is the end of a send", 0, ["TIMEOUT", "1", "", r"a\d\d\c", "OK", "x"], ["a", b"OK"], ""),
        ("TIMEOUT in a pause with a return to follow", 1, ["TIMEOUT", "1", "", r"a\d\d", "OK", "x"], ["a", b"OK"], ""),
        ("TIMEOUT in a sub-send", 1, ["TIMEOUT", "1", r"OK-a\d\d\d-OK", "x"], ["a", b"OK"], ""),
    ]]


def numbered(count, length=3):
    return [f"<{n:0{length - 2}}>" for n in range(count)]


def aborts(strings):
    return list(itertools.chain.from_iterable(("ABORT", s) for s in strings))


class Aborts(Differential):
    cases = [Case(name, status, script, peer, options, rest=True) for name, status, script, peer, options in [
        ("the first one declared wins", 5, [*aborts(["XX", "SY", "USY", "BUSY"]), "", "x", "OK"], ["x\r", b"BUSY\r\n"], ""),
        ("the one that is complete first wins", 5, [*aborts(["BUSY", "BU"]), "", "x", "OK"], ["x\r", b"BUSY\r\n"], ""),
        ("an expect wins over an equal abort", 0, ["ABORT", "BUSY", "BUSY", "y", "OK", "z"], [b"BUSY OK..", "z\r"], ""),
        ("an expect wins over an abort that ends with it", 0, [*aborts(["K", "OK"]), "OK", "y"], [b"BUSY OK.."], ""),
        ("an abort wins that is complete before", 4, ["ABORT", "O", "OK", "y"], [b"OK"], ""),
        ("in the middle of other text", 4, ["ABORT", "BUSY", "OK", "y"], [b"\r\nxxBUBUSYyy OK\r\n"], ""),
        ("in the echo of a command", 4, ["ABORT", "ATZ", "", "ATZ", "OK", "y"], ["ATZ\r", b"ATZ\r\r\nOK\r\n"], ""),
        ("not while it sends", 0, ["ABORT", "BUSY", "", r"x\d", "BUSY", "y"], ["x", b"BUSY"], ""),
        ("but then", 4, ["ABORT", "BUSY", "", r"x\d", "OK", "y"], ["x", b"BUSY OK"], ""),
        ("not over two expects", 3, ["ABORT", "NO OK", "NO", "x", "BUSY"], [b"NO OK"], "-t 1"),
        ("not before it is declared", 0, ["a", "1", "ABORT", "BUSY", "b", "2"], [b"BUSYaBUSb"], ""),
        ("an empty one aborts on the first byte", 4, ["ABORT", "", "OK", "x"], [b"OK"], "-s"),
        ("an empty one does not abort on silence", 3, ["ABORT", "", "OK", "x"], [], "-t 1"),
        ("an empty one loses against an expect of one byte", 0, ["ABORT", "", "O", "x"], [b"OK"], ""),
        ("CLR_ABORT numbers anew", 4, [*aborts(["A", "B"]), "CLR_ABORT", "A", "", "x", "OK"], ["x\r", b"B"], "-vs"),
        ("CLR_ABORT numbers the last of three anew", 5, [*aborts(["A", "B", "C"]), "CLR_ABORT", "B", "", "x", "OK"], ["x\r", b"C"], ""),
        ("CLR_ABORT leaves the earlier ones", 4, [*aborts(["A", "B", "C"]), "CLR_ABORT", "B", "", "x", "OK"], ["x\r", b"BA"], ""),
        ("a cleared one that is declared again is the last", 6, [*aborts(["A", "B", "C"]), "CLR_ABORT", "A", "ABORT", "A", "", "x", "OK"],
         ["x\r", b"A"], ""),
        ("CLR_ABORT of all", 0, [*aborts(["A", "B"]), "CLR_ABORT", "B", "CLR_ABORT", "A", "", "x", "OK", "y"], ["x\r", b"ABOK"], ""),
        ("CLR_ABORT of an unknown one", 4, ["ABORT", "AB", "CLR_ABORT", "A", "CLR_ABORT", "", "CLR_ABORT", "ABC", "", "x", "OK"], ["x\r", b"AB"], ""),
        ("CLR_ABORT compares what the escapes mean", 0, [*aborts([r"a\sb", "c^M"]), "CLR_ABORT", "a b", "CLR_ABORT", r"c\r", "", "x", "OK", "y"],
         ["x\r", b"a bc\rOK"], "-vs"),
        ("CLR_ABORT in the middle of a dialogue", 0, ["ABORT", "BUSY", "", "x", "OK", "y", "CLR_ABORT", "BUSY", "OK", "z"],
         ["x\r", b"OK", "y\r", b"BUSYOK"], ""),
        ("CLR_ABORT of one declared twice takes the first", 5, [*aborts(["A", "B", "A"]), "CLR_ABORT", "A", "", "x", "OK"], ["x\r", b"A"], ""),
        ("CLR_ABORT of one declared twice on end takes one", 4, [*aborts(["A", "A"]), "CLR_ABORT", "A", "", "x", "OK"], ["x\r", b"A"], ""),
        ("CLR_ABORT twice of one declared twice", 0, [*aborts(["A", "A"]), "CLR_ABORT", "A", "CLR_ABORT", "A", "", "x", "OK", "y"],
         ["x\r", b"AOK"], ""),
        ("fifty of them", 53, [*aborts(numbered(50, 4)), "", "x", "OK"], ["x\r", b"RING <49> OK"], ""),
        ("one of 49 characters", 4, ["ABORT", "q" * 49, "", "x", "OK"], ["x\r", b"q" * 48 + b"p" + b"q" * 49], ""),
        ("after a long text", 4, ["ABORT", "BUSY", "OK"], [b"n" * 2047 + b"BUSY"], ""),
        ("anywhere about the 1024th byte", 4, ["ABORT", "q" * 49, "OK"], [b"n" * 1000 + b"q" * 49], ""),
    ]]


class Expects(Differential):
    cases = [Case(name, status, script, peer, options, rest=True) for name, status, script, peer, options in [
        ("what follows is left on the line", 0, ["ogin:", "ppp", "PPP", r"\c"], [b"login:PPP\r\n~\x7f}#!"], ""),
        ("two expects that are answered at once", 0, ["a", "1", "b", "2"], [b"a b c", "1\r2\r"], ""),
        ("an OK from before satisfies the next expect", 0, ["", "ATZ", "OK", "ATD", "OK", "x"], ["ATZ\r", b"OK\r\nOK\r\n"], ""),
        ("what came before the first send is not thrown away", 0, ["", "ATZ", "OK", "x"], [b"OK\r\n"], ""),
        ("each expect begins anew", 3, ["AB", "x", "BC", "y"], [b"ABC"], "-t 1"),
        ("text in pieces", 0, ["CONNECT", "x"], [b"CON", READ, b"NE", READ, b"CT"], ""),
        ("text that begins twice", 0, ["aab", "x", "abcabd", "y"], [b"aaab", "x\r", b"abcabcabd"], ""),
        ("text after NULs", 0, ["OK", "x"], [b"\0\0O\0K\0OK"], ""),
        ("case matters", 3, ["Ok", "x"], [b"OKok"], "-t 1"),
        ("text of 500 characters", 0, ["q" * 500, "x"], [b"q" * 499 + b"p" + b"q" * 501], ""),
        ("text about the 1024th byte", 0, ["CONNECT", "x"], [b"n" * 1020 + b"CONNECT 9600"], ""),
        ("text after 3000 bytes", 0, ["<" + "q" * 98 + ">", "x"], [b"n" * 2900 + b"<" + b"q" * 98 + b">."], ""),
        ("an empty one reads nothing", 0, ["", "x", "", r"\c", "ab", "y"], [b"abc"], ""),
        ("a dash has two sides", 0, ["-", "x", "", "y"], [b"abc"], "-vs"),
        ("two dashes", 0, ["", "x", "--", "y", "---", "z"], [], "-vs"),
        ("nothing before a sub-send", 0, ["", "w", "-x-OK", "y"], [], ""),
        ("a dash at the end", 3, ["OK-", "y"], [], "-t 1 -s"),
        ("two dashes at the end go on after a return", 0, ["OK--", "y"], [], "-t 1 -vs"),
        ("a sub-send at the end goes on", 0, ["OK-x", "y", "", "z"], [], "-t 1"),
        ("three dashes", 0, ["OK---", "y"], ["\r"], "-t 1"),
        ("a dash that is escaped", 0, [r"a\-b", r"x\-y", r"a\055b", "z-z"], [b"a-b", "x-y\r", b"a-b"], ""),
        ("a backslash before a dash", 0, [r"a\\-never-b", "y"], [b"a\\"], ""),
        ("a caret before a dash does not hold it", 0, ["a^-never-b", "y"], [b"a^"], ""),
        ("a chain whose first is met", 0, ["a-b-c-d-e", "y"], [b"ac"], ""),
        ("a chain whose second is met", 0, ["a-b-c-d-e", "y"], ["b\r", b"ce"], "-t 2"),
        ("a chain whose last is met", 0, ["a-b-c-d-e", "y"], ["b\r", "d\r", b"e"], "-t 2"),
        ("a chain of which nothing is met", 3, ["a-b-c-d-e", "y"], ["b\r", "d\r"], "-t 1 -s"),
        ("a chain with a send too many", 0, ["a-b-c-d", "y"], ["b\r", "d\r"], "-t 1"),
        ("each part of a chain begins anew", 3, ["ab-x-bc", "y"], [b"a", "x\r", b"c"], "-t 1"),
        ("escapes in a chain", 0, [r"a-x\-\101^A\c-\142", "y"], ["x-A\1", b"b"], "-t 2"),
        ("words of a send in a chain", 0, ["a-EOT-b-BREAK-c-ABORT-d", "y"], ["\4", "ABORT\r", b"d"], "-t 1 -vs"),
        ("no sub-send after an abort", 4, ["ABORT", "BUSY", "", "w", "OK-x-OK", "y"], ["w\r", b"BUSY"], ""),
        ("no second sub-send after an abort", 4, ["ABORT", "BUSY", "OK-x-OK-y-OK", "z"], ["x\r", b"BUSY"], "-t 2"),
        ("an abort that has been declared last in a chain", 5, [*aborts(["A", "B"]), "-x-C", "1", "C-y-D", "2"], ["1\r", "y\r", b"B"], "-t 2"),
        ("a silent line", 3, ["OK", "x"], [], "-t 1"),
        ("a silent line after all", 3, ["", "x", "OK", "y", "OK", "z"], ["x\r", b"OK", "y\r"], "-t 1"),
        ("more is said than asked for", 0, ["", "x", "OK", "y"], ["x\r", b"OK"], ""),
        ("the line hangs up", 2, ["", "x", "OK", "y"], ["x\r", HANG_UP], ""),
        ("the line hangs up on a chain", 2, ["", "x", "OK-y-OK-z-OK", "y"], ["x\r", "y\r", HANG_UP], "-t 1"),
        ("the line hangs up on a script that does not mind", 2, ["HANGUP", "OFF", "", "x", "OK", "y"], ["x\r", HANG_UP], ""),
        ("the line hangs up in a file", 2, "'' x\nOK y\n", ["x\r", HANG_UP], ""),
    ]]


class Reports(Differential):
    cases = [Case(name, status, script, peer, options) for name, status, script, peer, options in [
        ("up to a control character", 0, ["REPORT", "CONNECT", "CONNECT", "x", "ogin:", "y"], [b"CONNECT 9600\tV42\r\nlogin:"], "-r report"),
        ("up to the end of the script", 0, ["REPORT", "CONNECT", "CONNECT", "x"], [b"CONNECT 9600"], "-r report"),
        ("up to the end of the script on stderr", 0, ["REPORT", "CONNECT", "CONNECT", "x"], [b"CONNECT 9600\r\n"], ""),
        ("what the report takes is read", 0, ["REPORT", "CONNECT", "CONNECT", r"\c"], [b"CONNECT 9600\r\nmore"], "-r report"),
        ("of the first that is seen", 0, ["REPORT", "9600", "REPORT", "CONNECT", "OK", "x"], [b"CONNECT 9600\r\n9600 bd\nOK\r\n"], "-r report"),
        ("once for each string", 0, ["REPORT", "RING", "OK", "x"], [b"RING 1\r\nRING 2\r\nOK"], "-r report"),
        ("of the one declared first of two", 0, ["REPORT", "NG", "REPORT", "RING", "OK", "x"], [b"RING 1\r\nRING 2\r\nRING 3\r\nOK"], "-r report"),
        ("of nothing", 0, ["REPORT", "CONNECT", "OK", "x"], [b"OK"], "-r report"),
        ("of an abort string", 4, ["REPORT", "BUSY", "ABORT", "BUSY", "OK", "x"], [b"BUSY tone\r\n"], "-r report -s"),
        ("of an expect that fails", 3, ["REPORT", "RING", "OK", "x"], [b"RING 1"], "-r report -s -t 1"),
        ("over several expects", 0, ["REPORT", "a", "a", "1", "b", "2", "c", "3"], [b"xa", "1\r", b"xb", "2\r", b"xc\r"], "-r report"),
        ("with escapes", 0, ["REPORT", r"a\sb^A", "OK", "x"], [b"a b\1cOK\n"], "-r report -vs"),
        ("of an empty string", 0, ["REPORT", "", "OK", "x"], [b"abcOK\n"], "-r report"),
        ("verbosely", 0, ["REPORT", "CONNECT", "CONNECT", "x"], [b"CONNECT 9600\r\n"], "-v -r report -s"),
        ("verbosely after it is open", 0, ["REPORT", "CONNECT", "CONNECT", "x"], [b"CONNECT 9600\r\n"], "-r report -vs"),
        ("twice to the same file", 0, ["REPORT", "CONNECT", "CONNECT", "x"], [b"CONNECT 9600\r\n"], "-v -r report -r report"),
        ("to a file that cannot be opened", 0, ["REPORT", "CONNECT", "CONNECT", "x"], [b"CONNECT 9600\r\n"], "-v -r nowhere/report"),
        ("a file that nothing is reported to", 0, ["", "x"], [], "-r report"),
        ("CLR_REPORT", 0, ["REPORT", "RING", "REPORT", "OK", "CLR_REPORT", "RING", "CLR_REPORT", "x", "OK", "x"], [b"RING 1\r\nOK 2\r\n"], "-r report -vs"),
        ("CLR_REPORT and REPORT again", 0, ["REPORT", "NG", "CLR_REPORT", r"\116G", "REPORT", "RING", "OK", "x"], [b"RING 1\r\nOK 2\r\n"], "-r report"),
        ("fifty strings", 0, [*["REPORT" if s is None else s for n in numbered(50, 4) for s in (None, n)], "OK", "x"], [b"<49> last\r\nOK"], "-r report"),
    ]]


class Generated(Differential):
    cases = [generated(number) for number in range(int(os.environ.get("LONGLINE_CHAT_GENERATED", "300")))]


if not ITSELF:
    class ByItsName(Differential):
        cases = []

        def test_a_link_named_chat_is_chat(self):
            with tempfile.TemporaryDirectory(prefix="chat-") as folder:
                link = Path(folder, "chat")
                link.symlink_to(CHATRUN)
                self.same(Case("a link named chat", 4, [*DIAL, "x"], [*LOGIN, b"BUSY\r\n"], "-vs -t 7"), [link])


@unittest.skipIf(ITSELF, "chat cannot do this")
class Better(unittest.TestCase):
    """What chatrun does otherwise, on purpose."""

    def ends(self, status, script, peer, sent):
        case = Case("", status, script, peer, "-t 5")
        ours = play(UNDER_TEST, case)
        self.assertEqual((ours.status, ours.sent), (status, sent), f"{case}\n{ours}")

    def test_sixty_abort_strings_of_a_hundred_characters(self):
        strings = numbered(60, 100)
        self.ends(63, [*aborts(strings), "", "x", "OK", "y"], ["x\r", strings[59].encode()], b"x\r")

    def test_bytes_above_127_match(self):
        self.ends(0, [r"caf\351", "x"], [b"caf\xe9"], b"x\r")
        self.ends(4, ["ABORT", r"\351", "OK", "x"], [b"caf\xe9"], b"")

    def test_and_a_parity_bit_is_still_no_part_of_a_byte(self):
        self.ends(0, ["OK", "x"], [b"\xcf\x4b"], b"x\r")

    def test_a_long_expect_and_a_long_line(self):
        self.ends(0, ["q" * 2000, "x"], [b"q" * 2000], b"x\r")
        self.ends(0, "'' x\n'" + "q" * 1500 + "' y", ["x\r", b"q" * 1500], b"x\ry\r")

    def test_on_pipes(self):
        done = subprocess.run([*UNDER_TEST, "login:", "alice"], input=b"login:", stdout=subprocess.PIPE, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stdout), (0, b"alice\r"))


if __name__ == "__main__":
    unittest.main()
