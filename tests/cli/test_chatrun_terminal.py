# SPDX-License-Identifier: MIT
"""chatrun with somebody at the keyboard: record, run --terminal; and convert. The user's terminal and the line are ptys."""

import fcntl
import json
import os
import re
import select
import signal
import subprocess
import sys
import termios
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import chat_dialogues  # noqa: E402
from modemsim import PATIENCE, wait_until  # noqa: E402
from test_chatrun import PASSWORD, ChatrunTest, Host  # noqa: E402


class TerminalTest(ChatrunTest):
    def setUp(self):
        super().setUp()
        self.user = Host()   # master: keyboard and screen
        self.addCleanup(self.user.close)
        cooked = termios.tcgetattr(self.user.slave)
        cooked[3] |= termios.ICANON | termios.ECHO | termios.ISIG
        termios.tcsetattr(self.user.slave, termios.TCSANOW, cooked)
        self.settings = termios.tcgetattr(self.user.slave)
        self.own_session = {"start_new_session": True, "preexec_fn": lambda: fcntl.ioctl(self.user.slave, termios.TIOCSCTTY, 0)}
        self.output, self.written = self.folder / "session.scp", self.folder / "session.transcript"

    def join(self, *arguments, ready=True, **more):
        process = self.start(*arguments, "--port", self.host.name, stdin=self.user.slave, stdout=self.user.slave, **self.own_session, **more)
        self.ready() if ready else wait_until(lambda: termios.tcgetattr(self.user.slave) != self.settings, what="the terminal to be raw")
        return process

    def ready(self):
        self.user.expect("chatrun: ")
        self.user.expect("\r\n")

    def record(self, *arguments, **more):
        return self.join("record", "--output", self.output, *arguments, **more)

    def prompt(self, text):
        """The host says it; returns when the user can see it."""
        self.host.say(text)
        self.user.expect(text)

    def type(self, text, echo=True):
        """Key by key; a host that echoes does so before the next key. `echo` may be a character, shown for each."""
        for key in text:
            self.user.say(key)
            self.host.expect(key)
            shown = {"\r": "\r\n", BACKSPACE: "\b \b"}.get(key, echo if isinstance(echo, str) else key)
            if echo or key == "\r":
                self.prompt(shown)

    def play(self, *steps):
        """A step is a prompt, what is typed at it, and whether it is echoed."""
        for prompt, text, echo in steps:
            self.prompt(prompt)
            self.type(text, echo)

    def leave(self, process, status=0, keys="~."):
        self.user.say(keys)
        self.ended(process, status)

    def ended(self, process, status):
        out, err = self.finish(process, status)
        self.assertEqual(termios.tcgetattr(self.user.slave), self.settings)
        self.assert_no_secret(out + err)
        return err

    def assert_no_secret(self, text=""):
        places = [text.encode(), *(path.read_bytes() for path in self.folder.rglob("*") if path.is_file() and path != self.secret)]
        for n in range(len(PASSWORD) - 5):
            self.assertFalse([data for data in places if PASSWORD[n:n + 6].encode() in data])

    def answers(self):
        return [line.split(None, 1)[1] for line in self.output.read_text().splitlines() if line.split()[:1] == ["transmit"]]

    def assert_recorded(self, answers):
        """The script answers so, passes check, and replays against its transcript."""
        self.assertEqual(self.answers(), list(answers or self.answers()))
        self.assertEqual(self.run_tool("check", "--strict", self.output), ("", ""))
        self.run_tool("replay", self.output, self.written, "--fuzz", "20")
        self.assertEqual((self.output.stat().st_mode | self.written.stat().st_mode) & 0o077, 0)
        self.assertEqual({path.name for path in self.folder.iterdir()}, {self.secret.name, self.output.name, self.written.name})

    def flood(self):
        """The host talks until nobody takes any more: the screen is full."""
        os.set_blocking(self.host.fd, False)
        while select.select([], [self.host.fd], [], 0.3)[1]:
            self.host.say("x" * 1000)


BACKSPACE = "\x7f"
HIDDEN = PASSWORD + "\r"
LOG_IN = [("\r\nWelcome\r\nlogin: ", "alice\r", True), ("Password: ", HIDDEN, False)]
SECRET = ("$PASSWORD, raw", '"^M"')
NAME = ("$USERID, raw", '"^M"')
ALICE = ('"alice^M"',)
SILENT = ("login: ", "alice\r", False)
MENU = ("menu> ", "2\r", False)
MISTYPED = PASSWORD[:7] + "xx" + BACKSPACE * 2 + PASSWORD[7:] + "\r"


class Record(TerminalTest):
    # A sentence: the steps, the answers of the script, whether name and password are given.
    DIALOGUES = {
        "what was not echoed becomes the password": (LOG_IN, [*ALICE, *SECRET], False),
        "the given name and password are variables": (LOG_IN, [*NAME, *SECRET], True),
        "the given password is a variable where it is echoed": ([LOG_IN[0], ("Secret: ", HIDDEN, True)], [*NAME, *SECRET], True),
        "a host never echoes and they are given": ([SILENT, ("Kennwort: ", HIDDEN, False), MENU], [*NAME, *SECRET, '"2^M"'], True),
        "a host never echoes": ([SILENT, ("Password: ", HIDDEN, False), MENU], [*ALICE, *SECRET, '"2^M"'], False),
        "a host never echoes and asks in its own words": ([SILENT, ("Kennwort: ", HIDDEN, False), MENU], None, False),
        "typing errors in the name": ([("login: ", f"alx{BACKSPACE}ice\r", True)], NAME, True),
        "typing errors in the password": ([LOG_IN[0], ("Password: ", MISTYPED, False)], [*ALICE, *SECRET], False),
        "typing errors in a password that is echoed": ([("Secret: ", MISTYPED, True)], SECRET, True),
        "stars for the password": ([LOG_IN[0], ("Password: ", HIDDEN, "*")], [*ALICE, *SECRET], False),
        "menus of single keys": ([("1) PPP 2) shell\r\nChoice: ", "1", True), ("\r\nSure (y/n)? ", "y", False), LOG_IN[0]],
                                 ['"1"', '"y"', *ALICE], False),
        "a password that is shown before and after": ([(f"Your ticket is {PASSWORD}\r\n", "", True), *LOG_IN, (f"You typed {PASSWORD[:4]}", "", True),
                                                       (PASSWORD[4:] + "\r\n", "", True)], [*ALICE, *SECRET], False),
        "a password that is typed again and echoed": ([("Password: ", HIDDEN, False), ("Again: ", HIDDEN, True)], [*SECRET, *SECRET], False),
        "a password that equals the name": ([LOG_IN[0], ("Password: ", "alice\r", False)], None, False),
        "a hidden answer of one letter": ([LOG_IN[0], ("Continue? ", "n\r", False), ("Internet menu: ", "nine\r", True)], None, False),
        "bytes that mean something in a script": ([('a"b^c<cr>\\x;%: ', 'q"^M<lf>\\;\r', True), ("xéy> ", "\x01\x03\t\x1b\r", False)],
                                                  None, False),
    }

    def recorded(self, steps, answers, given, *arguments):
        process = self.record(*arguments, *(self.credentials() if given else []))
        self.play(*steps)
        self.leave(process)
        self.assert_recorded(answers)

    def test_files_may_be_named_relative_to_the_working_folder(self):
        self.written = self.folder / "elsewhere"
        process = self.join("record", "--output", self.output.name, "--transcript", "elsewhere", cwd=self.folder)
        self.play(*LOG_IN)
        self.leave(process)
        self.assert_recorded([*ALICE, *SECRET])

    def type_ahead(self, pause, *arguments):
        process = self.record(*arguments)
        self.user.say(f"alice\r{HIDDEN}")
        self.host.expect(f"alice\r{HIDDEN}")
        time.sleep(pause)   # of a slow host
        self.play(("login: alice\r\nPassword: \r\n", "", True), ("menu> ", "2\r", True))
        self.leave(process)

    def test_type_ahead_sends_each_where_it_belongs(self):
        for pause in (0, 0.3):
            self.type_ahead(pause, *self.credentials())
            self.assert_recorded([*NAME, *SECRET, '"2^M"'])
        self.type_ahead(0)
        self.assertNotEqual(self.answers(), [*SECRET, *SECRET, '"2^M"'])   # two lines are not both the password

    def test_the_recorded_script_logs_in_and_does_not_answer_the_banner(self):
        banner = "Type your name at the login: prompt\r\nA login: takes a minute\r\n"
        self.recorded([(banner + "login: ", "alice\r", True), LOG_IN[1]], [*NAME, *SECRET], True)
        process = self.start_on_port(self.output, *self.credentials())
        self.host.say(banner)
        self.assertEqual(select.select([self.host.fd], [], [], 0.3)[0], [], "answered the banner")
        self.host.say("login: ")
        self.host.expect("alice\r")
        self.host.say("alice\r\nPassword: ")
        self.host.expect(HIDDEN)
        self.finish(process, 0)

    def test_a_prompt_with_escape_sequences_is_waited_for_by_its_words(self):
        self.recorded([("\x1b[1mWelcome\x1b[0m\r\n\x1b[1mlogin:\x1b[0m ", "alice\r", True), ("\x1b[7mPassword\x1b[0m:\x1b[K ", HIDDEN, False)],
                      [*ALICE, *SECRET], False)
        self.assertRegex(self.output.read_text(), r'(?s)waitfor "[^"]*login:.*waitfor "[^"]*assword')

    def test_the_escape_works_at_the_start_of_a_line_only(self):
        process = self.record()
        self.type("a~.\r")
        self.user.say("~~x\r")
        self.host.expect("~x\r")
        self.prompt("~x\r\n")
        self.user.say("~?")
        self.user.expect("~#")
        self.user.say("~#q\r")
        self.host.expect("q\r")
        self.prompt("q\r\n")
        self.leave(process)
        self.assert_recorded(['"a~.^M"', '"~x^M"', '"q^M"'])

    def test_a_keyboard_that_is_a_pipe(self):
        screen = Host()
        self.addCleanup(screen.close)
        process = self.start("record", "--output", self.output, "--port", self.host.name, stdin=subprocess.PIPE, stdout=screen.slave)
        for prompt, text in (("login: ", "alice\r"), ("alice\r\nPassword: ", HIDDEN)):
            self.host.say(prompt)
            screen.expect(prompt)
            process.stdin.write(text.encode())
            process.stdin.flush()
            self.host.expect(text)
        self.assert_no_secret("".join(self.finish(process, 0)))
        self.assert_recorded([*ALICE, *SECRET])

    def test_the_line_may_be_stdin_and_the_keyboard_the_terminal(self):
        process = self.start("record", "--output", self.output, stdin=self.host.slave, stdout=self.host.slave, **self.own_session)
        self.ready()
        self.play(*LOG_IN)
        self.leave(process)
        self.assert_recorded([*ALICE, *SECRET])


for sentence, row in Record.DIALOGUES.items():
    setattr(Record, "test_" + re.sub(r"\W+", "_", sentence), lambda self, row=row: self.recorded(*row))


class RecordEnds(TerminalTest):
    def test_a_lost_line_ends_2_and_the_files_are_there(self):
        process = self.record()
        self.play(*LOG_IN, ("Again: ", PASSWORD[:-1], False))
        self.host.hang_up()
        self.assertIn("lost", self.ended(process, 2))
        self.assert_recorded([*ALICE, *SECRET, SECRET[0]])
        self.assertIn("! carrier-lost", self.written.read_text())

    def test_signals_end_2_and_silence_3_and_kill_9_leaves_nothing_secret(self):
        self.ended(self.record("--idle", "300ms"), 3)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL):
            process = self.record()
            self.play(*LOG_IN)
            process.send_signal(number)
            if number == signal.SIGKILL:
                process.wait(PATIENCE)
                return self.assert_no_secret()
            self.assertIn(number.name, self.ended(process, 2))
            self.assert_recorded([*ALICE, *SECRET])

    def test_a_terminal_that_goes_away_ends_2(self):
        process = self.record()
        self.play(*LOG_IN)
        self.user.hang_up()
        self.finish(process, 2)
        self.assert_recorded([*ALICE, *SECRET])

    def test_a_signal_ends_a_session_whose_screen_is_not_read(self):
        process = self.record()
        self.flood()
        process.terminate()
        self.finish(process, 2)

    def test_output_that_cannot_be_written_is_found_before_the_session(self):
        for arguments in (["--output", self.folder / "nosuch/x.scp"], ["--output", self.folder],
                          ["--output", self.output, "--transcript", self.folder / "nosuch/t"],
                          ["--output", self.output, "--transcript", self.output]):
            self.run_tool("record", "--port", self.host.name, *arguments, status=1)
            self.assertFalse(self.output.exists())
        self.run_tool("record", "--port", self.folder / "nosuch", "--output", self.output, status=2)
        self.assertFalse(self.output.exists())

    def test_a_device_or_pipe_is_not_replaced_by_the_script(self):
        os.mkfifo(self.output)
        self.start("record", "--port", self.host.name, "--output", self.output).wait(PATIENCE)
        self.assertTrue(self.output.is_fifo())

    def test_an_older_recording_stays_until_there_is_a_newer_one(self):
        for path in (self.output, self.written):
            path.write_text("precious")
        self.run_tool("record", "--port", self.folder / "nosuch", "--output", self.output, status=2)
        process = self.record()
        process.kill()
        process.wait(PATIENCE)
        self.assertEqual((self.output.read_text(), self.written.read_text()), ("precious", "precious"))


class RunTerminal(TerminalTest):
    LOGIN = 'waitfor "login:" until 20\ntransmit "bob^M"\nwaitfor "assword:" until 20\ntransmit $PASSWORD, raw\ntransmit "^M"\n'

    def run_joined(self, script, *arguments, ready=False):
        script = [self.script(script), *self.credentials()] if script else []
        return self.join("run", *script, "--transcript", self.written, *(arguments or ["--terminal"]), ready=ready)

    def serve(self):
        self.host.say("login: ")
        self.host.expect("bob\r")
        self.host.say("bob\r\nPassword: ")
        self.host.expect(HIDDEN)

    def test_the_dialogue_is_shown_and_keys_pass(self):
        process = self.run_joined(self.LOGIN + 'waitfor "PPP" until 20')
        self.serve()
        self.user.expect("login: bob\r\nPassword: ")
        self.type("k~.\x03\x1c\x1a\x13\x11\x04", echo=False)
        self.host.say("PPP")
        self.ended(process, 0)

    def test_the_keyboard_is_off_and_on(self):
        process = self.run_joined('set screen keyboard off transmit "off" waitfor "go" until 9 set screen keyboard on transmit "on" waitfor "PPP" until 9')
        self.host.expect("off")
        self.user.say("lost")
        wait_until(lambda: not any(fcntl.ioctl(self.user.slave, termios.FIONREAD, b"\0\0\0\0")), what="the keys to be taken")
        self.host.say("go")
        self.assertEqual(self.host.expect("on"), b"on")
        self.user.say("kept")
        self.assertEqual(self.host.expect("kept"), b"kept")
        self.host.say("PPP")
        self.ended(process, 0)

    def test_halt_leaves_the_terminal_open_and_no_key_is_lost(self):
        process = self.run_joined('transmit "x"\nhalt', ready=True)
        self.play(("menu: ", "0123456789\r", True), ("Password: ", HIDDEN, False))
        self.leave(process)
        self.assertNotIn("carrier-lost", self.written.read_text())

    def test_a_line_lost_after_halt_ends_2(self):
        process = self.run_joined("halt", ready=True)
        self.user.say("x")
        self.host.hang_up()
        self.ended(process, 2)

    def test_before_hands_over_to_the_script(self):
        process = self.run_joined('transmit "begun"\n' + self.LOGIN, "--terminal=before", ready=True)
        self.play(("modem> ", "ATDT1\r", True))
        self.user.say("~.")
        self.host.expect("begun")
        self.serve()
        self.ended(process, 0)

    def test_after_stays_when_the_script_has_ended(self):
        process = self.run_joined(self.LOGIN, "--terminal=after")
        self.serve()
        self.ready()
        self.play(("$ ", "ls -l\r", True))
        self.leave(process)
        self.assertNotIn("carrier-lost", self.written.read_text())

    def test_a_terminal_without_a_script_keeps_a_password_that_is_shown_later_out_of_the_transcript(self):
        process = self.run_joined(None, ready=True)
        self.play(*LOG_IN)
        self.prompt(f"You typed {PASSWORD}\r\n")
        self.leave(process)
        self.assertIn('"Password: "', self.written.read_text())

    def test_every_other_end_gives_the_terminal_back(self):
        self.leave(self.run_joined('waitfor "never" until 100'), 2, "\r~.")
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            process = self.run_joined(None, ready=True)
            process.send_signal(number)
            self.assertIn(number.name, self.ended(process, 2))
        self.ended(self.run_joined(None, "--terminal", "--idle", "300ms", ready=True), 3)
        self.ended(self.run_joined('transmit "a"\nwaitfor "never" until 1'), 3)
        process = self.run_joined('transmit "b"\nwaitfor "never" until 100')
        self.host.expect("b")
        self.host.hang_up()
        self.ended(process, 2)

    def test_a_screen_that_is_not_read_does_not_outlive_the_deadline(self):
        process = self.run_joined('waitfor "never" until 100', "--terminal", "--deadline", "1s")
        self.flood()
        self.finish(process, 3)

    def test_dangerous_sequences_do_not_reach_the_screen(self):
        process = self.run_joined(None, ready=True)
        for text in (b"\x1b]0;title\x07", b"\x1b]52;c;AAAA\x1b\\", b"\x1bP$qm\x1b\\", b"\x1b[6n", b"\x1b[5n", b"\x1b[c", b"\x1b[>c", b"\x1b[=c",
                     b"\x1bZ", b"\x1b[?6n", b"\x1b[21t", b"\x1b[0x", b"\x1b[?1$p", b"\x1b_apc\x1b\\", b"\x1b^pm\x1b\\", b"\x1bXsos\x1b\\", b"\x1b[>q",
                     b"\x05", b"\xc2\x9b6n", b"\x9b6n", b"\x1b[\x186n", b"\x1b[6\nn", b"\x1b\x1b[6n"):
            for piece in (text[:2], text[2:], b"<end>"):
                self.host.say(piece)
            seen = self.user.expect(b"<end>")
            self.assertIsNone(re.search(rb"[\x05\x1b\x80-\x9f]", seen), (text, seen))
        self.prompt("\x1b[31;1mred\x1b[0m\x1b[2J\x1b[10;20Hhere\x1b[K\x1b[A\t\b caf\xe9\r\n")
        self.leave(process)


class Convert(ChatrunTest):
    EXAMPLES = [(chat_dialogues.SAY_EXAMPLE, r"CONNECT|ogin:|ssword:|\r\n$ "), (chat_dialogues.ECHO_EXAMPLE, r"OK\r\n|\r\n|CONNECT|ogin:"),
                (chat_dialogues.HANGUP_EXAMPLE, r"OK\r\n|\r\n|CONNECT|Callback login:|Callback Password:|CONNECT|ogin:")]

    def finish(self, process, status):
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, status, err)
        return out.decode("latin-1"), err.decode("latin-1")

    def convert(self, text, *arguments, status=0):
        """The two scripts, and what was reported."""
        chat, scp = self.folder / "isp.chat", self.folder / "isp.scp"
        chat.write_text(text + "\n", "latin-1")
        out, err = self.run_tool("convert", chat, *arguments, status=status)
        scp.write_text(out, "latin-1")
        return chat, scp, err

    def dialogue(self, script, peer, status=0):
        """What the script says to a peer that says these texts, two seconds apart."""
        transcript = self.folder / "peer"
        transcript.write_text("".join(f'+2s\n< "{text}"\n' for text in peer.split("|")))
        out, _ = self.run_tool("replay", script, transcript, *self.credentials(), status=status)
        return "".join(re.findall(r'^ *\S+ +> "(.*)"$', out, re.M))

    def assert_same(self, chat, scp, peer, status=0):
        said = self.dialogue(scp, peer, status)
        masked = re.escape(self.dialogue(chat, peer, status)).replace(re.escape("*" * 8), ".+")   # what chat(8) sends to a password prompt
        self.assertRegex(said, f"^{masked}$", (chat.read_text("latin-1"), scp.read_text("latin-1")))

    def test_the_dialogue_is_the_same(self):
        sub_expects = "ABORT BUSY ABORT 'NO CARRIER'\nTIMEOUT 3\nogin:-\\r-ogin:-again-ogin: ppp\nCLR_ABORT BUSY\n$ hello OK \\c"
        peers = [("login:|$ |BUSY OK", 0), ("x|y|login:|$ |OK", 0), ("x|y|z|login:|$ |OK", 0), ("BUSY", 4), ("x", 3)]
        for text, peer, status in [*((*example, 0) for example in self.EXAMPLES), *((sub_expects, *peer) for peer in peers)]:
            chat, scp, err = self.convert(text)
            self.assertEqual("[not-carried]" in err, text != sub_expects, err)
            self.assert_same(chat, scp, peer, status)

    def test_every_escape_is_carried_or_reported(self):
        cases = [(f"X{sent}Y", None) for sent in chat_dialogues.SENT] + chat_dialogues.MET
        for escape, met in cases:
            quote = '"' if "'" in escape else "'"
            text, peer = f"a: {quote}{escape}{quote}", "a:"
            if met is not None:
                text, peer = f"a: 1 {quote}X{escape}Y{quote} 2", "a:|X" + "".join(f"\\x{byte:02X}" for byte in met) + "Y"
            chat, scp, err = self.convert(text)
            if "[not-carried]" not in err:
                self.assert_same(chat, scp, peer)

    def test_credentials_are_variables_and_the_report_does_not_show_them(self):
        for arguments in (["--credentials"], self.credentials()):
            _, scp, err = self.convert(f"ervice? p\nsername: alice\nssword: \\q{PASSWORD}", *arguments)
            self.run_tool("check", "--strict", scp)
            self.assertNotIn(PASSWORD, scp.read_text())
            self.assertEqual(self.dialogue(scp, "Service?|Username:|Password:"), "p\\ralice\\r********\\r")
            self.assertNotIn(PASSWORD, err)

    def test_the_report_has_an_object_a_finding_and_strict_fails_with_one(self):
        self.convert("ogin: ppp", "--strict")
        err = self.convert(chat_dialogues.HANGUP_EXAMPLE, "--json", "--strict", status=65)[2]
        findings = [json.loads(line) for line in err.splitlines() if '"error"' not in line[:9]]
        self.assertEqual([f["line"] for f in findings if f["code"] == "not-carried"], [7, 12])

    def test_a_malformed_script_ends_65_and_writes_nothing(self):
        output = self.script("precious proc", "out.scp")
        self.assertIn("[unterminated-quote]", self.convert("'' x OK 'y", "--output", output, status=65)[2])
        self.assertEqual(output.read_text(), "precious proc")

    def test_stdin_an_output_file_and_a_telephone_number(self):
        with open(self.chat("OK ATDT\\T"), "rb") as file:
            self.assertEqual(self.run_tool("convert", "-", "--to", "scp", "-o", self.folder / "x", "--phone", "123", stdin=file), ("", ""))
        self.assertIn('"ATDT123^M"', (self.folder / "x").read_text())


if __name__ == "__main__":
    unittest.main()
