# SPDX-License-Identifier: MIT
"""chatrun on real descriptors: ptys, pipes, TCP; statuses, secrets, deadlines, what it leaves on the line."""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
import tty
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.modemsim import BUILD, PATIENCE, wait_until  # noqa: E402
from support.stopwatch import Stopwatch  # noqa: E402

CHATRUN = BUILD / "tools" / "chatrun"
SCRIPTS = Path(__file__).resolve().parents[1] / "data" / "scripts"
PASSWORD = "s3same-Open"
for number in (signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_DFL)   # under nohup they are ignored, and stay so for our children


class Host:
    """The far end of a pty: what the modem line leads to."""

    def __init__(self):
        self.fd, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.name = os.ttyname(self.slave)
        self.seen = b""

    def close(self):
        for fd in (self.fd, self.slave):
            if fd is not None:
                os.close(fd)
        self.fd = self.slave = None

    def hang_up(self):
        os.close(self.fd)
        self.fd = None

    def say(self, text):
        os.write(self.fd, text if isinstance(text, bytes) else text.encode())

    def expect(self, text):
        wanted = text if isinstance(text, bytes) else text.encode()
        deadline = time.monotonic() + PATIENCE
        while wanted not in self.seen:
            if not select.select([self.fd], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"waited for {wanted!r}, heard {self.seen!r}")
            self.seen += os.read(self.fd, 4096)
        head, self.seen = self.seen.split(wanted, 1)
        return head + wanted

    def serve_ozemail(self):
        self.say("\r\nWelcome\r\nService? ")
        self.expect("p\r")
        self.say("p\r\nUsername: ")
        self.expect("alice\r")
        self.say("alice\r\nPassword: ")
        self.expect(PASSWORD + "\r")


class ChatrunTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="chatrun-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.secret = self.folder / "isp.secret"
        self.secret.write_text(PASSWORD + "\n")
        self.secret.chmod(0o600)
        self.host = Host()
        self.addCleanup(self.host.close)

    def script(self, body, name="test.scp"):
        path = self.folder / name
        path.write_text(body if "proc" in body else f"proc main\n{body}\nendproc\n")
        return path

    def chat(self, text, name="test.chat"):
        path = self.folder / name
        path.write_text(text + "\n")
        return path

    def credentials(self):
        return ["--user", "alice", "--password-file", self.secret]

    def start(self, *arguments, **more):
        more = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
        process = subprocess.Popen([CHATRUN, *map(str, arguments)], **more)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()

    def start_on_port(self, script, *arguments, **more):
        return self.start("run", script, "--port", self.host.name, *arguments, **more)

    def start_on_stdio(self, script, *arguments, **more):
        return self.start("run", script, *arguments, stdin=self.host.slave, stdout=self.host.slave, **more)

    def finish(self, process, status):
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, status, err)
        return (out or b"").decode(), (err or b"").decode()

    def run_tool(self, *arguments, status=0, **more):
        return self.finish(self.start(*arguments, **more), status)


class Run(ChatrunTest):
    def test_the_script_of_kb175410_logs_in_on_a_port(self):
        process = self.start_on_port(SCRIPTS / "ozemail.scp", *self.credentials())
        self.host.serve_ozemail()
        self.assertEqual(self.finish(process, 0), ("", ""))

    def test_and_on_stdin_and_stdout(self):
        process = self.start_on_stdio(SCRIPTS / "ozemail.scp", *self.credentials())
        self.host.serve_ozemail()
        self.assertEqual(self.finish(process, 0), ("", ""))

    def test_and_over_tcp(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            process = self.start("run", self.script('waitfor "login:" until 10\ntransmit $USERID, raw\ntransmit "^M"'), "--port",
                                 f"tcp:127.0.0.1:{server.getsockname()[1]}", "--user", "alice", "--root", self.folder)
            server.settimeout(PATIENCE)
            connection = server.accept()[0]
            with connection:
                connection.sendall(b"log")
                connection.sendall(b"in:")
                got = b""
                while not got.endswith(b"\r"):
                    got += connection.recv(100)
                self.assertEqual(got, b"alice\r")
        self.finish(process, 0)

    def test_the_password_comes_through_a_descriptor(self):
        reader, writer = os.pipe()
        os.write(writer, PASSWORD.encode() + b"\n")
        process = self.start_on_port(SCRIPTS / "ozemail.scp", "--user", "alice", "--password-fd", reader, pass_fds=[reader])
        self.host.serve_ozemail()
        self.finish(process, 0)
        os.close(reader)
        os.close(writer)

    def test_a_password_never_comes_is_no_hang(self):
        reader, writer = os.pipe()
        process = self.start_on_port(SCRIPTS / "ozemail.scp", "--user", "a", "--password-fd", reader, "--deadline", "500ms", pass_fds=[reader])
        _, err = self.finish(process, 1)
        self.assertIn("password", err)
        os.close(reader)
        os.close(writer)

    def test_a_silent_prompt_ends_3_with_place_and_what_was_heard(self):
        script = self.script('waitfor "login:" until 1\nif $SUCCESS then\ntransmit "x"\nendif')
        process = self.start_on_port(script)
        self.host.say("\x1b[31mhello\r\n")
        _, err = self.finish(process, 3)
        self.assertEqual(err, f'chatrun: {script}:2:1: waitfor "login:" had no answer within 1s; last heard "\\x1B[31mhello\\r\\n"\n')

    def test_the_error_object(self):
        process = self.start_on_port(self.script('waitfor "login:" until 1'), "--json")
        _, err = self.finish(process, 3)
        error = json.loads(err)["error"]
        self.assertEqual((error["tool"], error["stage"], error["code"], error["ras"], error["temporary"], error["status"]),
                         ("chatrun", "login", "login-timeout", 638, True, 3))

    def test_a_wait_without_until_ends_by_the_deadline(self):
        began = Stopwatch()
        process = self.start_on_port(self.script('waitfor "login:"'), "--deadline", "1s")
        _, err = self.finish(process, 3)
        self.assertLess(began.ours(), 5)
        self.assertIn('the deadline of 1s passed in waitfor "login:"', err)

    def test_ignore_success(self):
        self.finish(self.start_on_port(self.script('waitfor "login:" until 0'), "--ignore-success"), 0)

    def test_halt_ends_4(self):
        self.finish(self.start_on_port(self.script("halt")), 4)

    def test_a_run_time_error_and_a_loop_without_end_end_1(self):
        _, err = self.finish(self.start_on_port(self.script("integer n = 0\nn = 1 / n")), 1)
        self.assertIn(":3:5: division by zero", err)
        self.finish(self.start_on_port(self.script("while TRUE do endwhile")), 1)

    def test_carrier_lost_ends_2_at_once(self):
        began = Stopwatch()
        process = self.start_on_port(self.script('waitfor "login:" until 200'))
        self.host.say("lo")
        wait_until(lambda: self.open_by(process), what="the port to be opened")
        self.host.hang_up()
        _, err = self.finish(process, 2)
        self.assertIn("carrier lost", err)
        self.assertLess(began.ours(), 10)

    def open_by(self, process):
        try:
            return any(os.readlink(f"/proc/{process.pid}/fd/{fd}") == self.host.name for fd in os.listdir(f"/proc/{process.pid}/fd"))
        except OSError:
            return False

    def test_the_words_no_carrier_and_a_second_of_silence_are_carrier_lost(self):
        process = self.start_on_port(self.script('waitfor "login:" until 200'))
        self.host.say("welcome\r\nNO CARRIER\r\n")
        self.finish(process, 2)

    def test_the_same_words_with_more_behind_them_are_text(self):
        process = self.start_on_port(self.script('waitfor "login:" until 200\ntransmit "ok"'))
        self.host.say("welcome\r\nNO CARRIER\r\nwas what he said\r\nlogin:")
        self.host.expect("ok")
        self.finish(process, 0)

    def test_a_script_may_wait_for_these_words_itself(self):
        process = self.start_on_port(self.script('waitfor "NO CARRIER" then Gone until 200\nhalt\nGone:\ntransmit "ATZ^M"'))
        self.host.say("\r\nNO CARRIER\r\n")
        self.host.expect("ATZ\r")
        self.finish(process, 0)

    def test_end_of_input_ends_2(self):
        script = self.script('waitfor "a:" until 9\ntransmit "x"\nwaitfor "b:" until 200')
        out, _ = self.run_tool("run", script, status=2, stdin=self.pipe_with(b"a:"))
        self.assertEqual(out, "x")
        self.run_tool("run", script, status=2)

    def pipe_with(self, data):
        reader, writer = os.pipe()
        os.write(writer, data)
        os.close(writer)
        self.addCleanup(os.close, reader)
        return reader

    def test_nothing_that_follows_the_login_is_read(self):
        script = self.script('waitfor "name:" until 9\ntransmit "x"\nwaitfor "PPP" until 9\ndelay 1')
        process = self.start_on_stdio(script)
        self.host.say("name:")
        self.host.expect("x")
        self.host.say(b"PPP\r\n~\xff}#\xc0!")
        self.finish(process, 0)
        self.assertEqual(os.read(self.host.slave, 100), b"\r\n~\xff}#\xc0!")

    def test_the_terminal_has_its_settings_back_after_every_end(self):
        attributes = termios.tcgetattr(self.host.slave)
        attributes[3] |= termios.ICANON | termios.ECHO
        termios.tcsetattr(self.host.slave, termios.TCSANOW, attributes)
        before = termios.tcgetattr(self.host.slave)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, None):
            process = self.start_on_stdio(self.script('transmit "r"\nwaitfor "go" until 100'))
            self.host.expect("r")
            self.assertNotEqual(termios.tcgetattr(self.host.slave), before)
            if number is None:
                self.host.say("go")
                self.finish(process, 0)
            else:
                process.send_signal(number)
                _, err = self.finish(process, 2)
                self.assertIn("interrupted by SIG" + number.name[3:], err)
            self.assertEqual(termios.tcgetattr(self.host.slave), before)
            self.assertTrue(os.get_blocking(self.host.slave))

    def test_a_line_that_takes_no_bytes_does_not_hold_us(self):
        script = self.script('integer n = 200\nstring s = "0123456789012345678901234567890123456789"\ns = s + s + s + s + s + s\ns = s + s + s + s\n'
                             "while n > 0 do\ntransmit s\nn = n - 1\nendwhile")
        _, err = self.finish(self.start_on_port(script, "--deadline", "1s"), 3)
        self.assertIn("while the line took no more bytes", err)

    def test_framing_reaches_the_line(self):
        process = self.start_on_stdio(self.script('set port databits 7 set port parity odd set port stopbits 2\ntransmit "x"\nwaitfor "go" until 9'))
        self.host.expect("x")
        flags = termios.tcgetattr(self.host.slave)[2]
        # A pty has no parity bits to send; the kernel keeps 8N there but takes the stop bits.
        self.assertTrue(flags & termios.CSTOPB)
        self.host.say("go")
        self.finish(process, 0)

    def test_the_address_is_reported(self):
        script = self.script("set ipaddr getip")
        process = self.start_on_port(script)
        self.host.say("Your address is 10.1.2.3\r\n")
        self.assertEqual(self.finish(process, 0)[0], "address 10.1.2.3\n")
        process = self.start_on_port(script, "--json")
        self.host.say("Your address is 10.1.2.3\r\n")
        self.assertEqual(json.loads(self.finish(process, 0)[0]), {"outcome": "ok", "address": "10.1.2.3"})

    def test_a_script_with_errors_sends_nothing(self):
        _, err = self.finish(self.start_on_port(SCRIPTS / "ozemail-truncated.scp", *self.credentials()), 1)
        self.assertEqual(len(re.findall(r"\[missing-endif\]", err)), 3)
        self.assertIn("nothing was sent", err)

    def test_what_is_missing_is_found_before_the_call(self):
        for arguments, words in (([], "--user"), (["--user", "a"], "--password-file")):
            _, err = self.finish(self.start_on_port(SCRIPTS / "ozemail.scp", *arguments), 1)
            self.assertIn(words, err)
        self.assertIn("nosuch.scp", self.finish(self.start_on_port(self.folder / "nosuch.scp"), 1)[1])
        self.assertIn("--password-file", self.finish(self.start_on_port(self.chat("ssword: \\q$PASSWORD")), 1)[1])
        self.assertIn("stdin is the line", self.run_tool("run", "-", status=1)[1])

    def test_a_secret_file_that_others_can_read_is_refused(self):
        self.secret.chmod(0o644)
        _, err = self.finish(self.start_on_port(SCRIPTS / "ozemail.scp", *self.credentials()), 1)
        self.assertIn("can be read by others", err)
        self.assertNotIn(PASSWORD, err)

    def test_a_port_that_is_not_there_or_not_a_terminal_ends_2(self):
        script = self.script('transmit "x"')
        for port in (self.folder / "nosuch", "/dev/null", self.folder, "tcp:127.0.0.1:1"):
            self.run_tool("run", script, "--port", port, "--root", self.folder, status=2)

    def test_a_port_in_use_names_its_holder(self):
        first = self.start_on_port(self.script('transmit "x"\nwaitfor "go" until 100'))
        self.host.expect("x")
        _, err = self.finish(self.start_on_port(self.script('transmit "y"'), "--json"), 2)
        error = json.loads(err)["error"]
        self.assertEqual((error["code"], error["ras"]), ("port-in-use", 633))
        self.assertIn(str(first.pid), error["message"])
        first.kill()
        first.wait(PATIENCE)
        self.finish(self.start_on_port(self.script('transmit "y"')), 0)

    def test_bad_usage_ends_1(self):
        script = self.script("halt")
        for arguments in ([], ["run"], ["run", script, "--nosuch"], ["run", script, "--deadline", "x"], ["run", script, "--deadline", "0"],
                          ["run", script, "--speed", "9600"], ["nosuch"], ["run", script, "--port", "/dev/null", "--framing", "9X9"]):
            out, err = self.run_tool(*arguments, status=1)
            self.assertEqual(out, "")
            self.assertTrue(err.startswith("chatrun: "), err)


class RunChat(ChatrunTest):
    """chat(8)'s language, under chatrun's own rules."""

    LOGIN = "ABORT incorrect\nervice? p\nsername: $USERID\nssword: \\q$PASSWORD\n"

    def test_logs_in_with_the_credentials_as_they_are(self):
        self.secret.write_text("p^ss\\d$HOME\n")
        process = self.start_on_port(self.chat(self.LOGIN), *self.credentials(), "--transcript", self.folder / "t", "-v")
        self.host.say("Service? ")
        self.host.expect("p\r")
        self.host.say("Username: ")
        self.host.expect("alice\r")
        self.host.say("Password: ")
        self.host.expect("p^ss\\d$HOME\r")
        _, err = self.finish(process, 0)
        self.assertNotIn("p^ss", err + (self.folder / "t").read_text())
        self.run_tool("replay", self.chat(self.LOGIN), self.folder / "t", "--fuzz", "20")

    def test_an_abort_string_is_a_status_and_says_itself(self):
        process = self.start_on_port(self.chat("ABORT BUSY ABORT 'NO CARRIER' CONNECT x"), "--json")
        self.host.say("\r\nNO CARRIER\r\n")
        error = json.loads(self.finish(process, 5)[1])["error"]
        self.assertEqual((error["code"], error["status"]), ("login-failed", 5))
        self.assertIn("NO CARRIER", error["message"])

    def test_a_mistake_is_found_before_a_byte_is_sent(self):
        _, err = self.finish(self.start_on_port(self.chat("'' x\nOK 'y")), 1)
        self.assertIn("[unterminated-quote]", err)

    def test_a_literal_password_is_masked_in_what_is_left_behind(self):
        process = self.start_on_port(self.chat("ssword: s3cret-word OK \\c"), "--transcript", self.folder / "t", "-v")
        self.host.say("password:")
        self.host.expect("s3cret-word\r")
        self.host.say("s3cret-wo")
        time.sleep(0.2)
        self.host.say("rd\r\nOK")
        _, err = self.finish(process, 0)
        for text in (err, (self.folder / "t").read_text()):
            self.assertNotIn("s3cret", text)

    def test_a_reply_comes_from_a_file_or_a_pipe(self):
        os.mkfifo(self.folder / "pipe")
        (self.folder / "file").write_text("one\n")
        process = self.start_on_port(self.chat(f"a: @{self.folder}/file b: @{self.folder}/pipe"))
        self.host.say("a:")
        self.host.expect("one\r")
        self.host.say("b:")
        (self.folder / "pipe").write_text("t^o")
        self.host.expect("t^o\r")
        self.finish(process, 0)


class Transcript(ChatrunTest):
    def transcript_of(self, script, dialogue, status=0):
        path = self.folder / "transcript"
        process = self.start_on_port(script, *self.credentials(), "--transcript", path, "--verbose")
        dialogue()
        _, err = self.finish(process, status)
        text = path.read_text()
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        return text, err

    def test_says_what_passed_and_masks_the_password(self):
        text, err = self.transcript_of(SCRIPTS / "ozemail.scp", self.host.serve_ozemail)
        lines = [line for line in text.splitlines() if not line.startswith("+")]
        self.assertEqual(lines, ['< "\\r\\n"', '< "Welcome\\r\\n"', '< "Service? "', '> "p\\r"', '< "p\\r\\n"', '< "Username: "',
                                 '> "alice\\r"', '< "alice\\r\\n"', '< "Password: "', '> "********\\r"', "# ok"])
        self.assertNotIn(PASSWORD, err)
        self.assertIn('> "********\\r"', err)

    def test_masks_an_echo_in_pieces(self):
        def dialogue():
            self.host.serve_ozemail()
            for c in PASSWORD:
                self.host.say(c)
                time.sleep(0.02)
            self.host.say("\r\n")

        body = (SCRIPTS / "ozemail.scp").read_text().replace("endproc", 'waitfor "nothing" until 1\nendproc')
        text, err = self.transcript_of(self.script(body), dialogue, status=3)
        for n in range(4, len(PASSWORD)):
            self.assertNotIn(PASSWORD[:n], text + err)
            self.assertNotIn(PASSWORD[-n:], text + err)

    def test_nothing_that_a_run_leaves_behind_holds_the_password(self):
        self.transcript_of(SCRIPTS / "ozemail.scp", self.host.serve_ozemail)
        self.secret.unlink()
        for path in self.folder.rglob("*"):
            if path.is_file():
                self.assertNotIn(PASSWORD.encode(), path.read_bytes(), path)


class Check(ChatrunTest):
    def test_the_full_script_has_no_finding(self):
        self.assertEqual(self.run_tool("check", "--strict", SCRIPTS / "ozemail.scp"), ("", ""))

    def test_the_truncated_one_says_what_is_missing_where(self):
        path = SCRIPTS / "ozemail-truncated.scp"
        out, _ = self.run_tool("check", path, status=65)
        self.assertEqual(re.findall(rf"^{re.escape(str(path))}:(\d+):\d+: error: .*\[(.*)\]$", out, re.M),
                         [("6", "missing-endproc"), ("9", "missing-endif"), ("13", "missing-endif"), ("18", "missing-endif")])

    def test_json_has_one_object_a_finding(self):
        out, err = self.run_tool("check", "--json", SCRIPTS / "ozemail-truncated.scp", status=65)
        findings = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(len(findings), 4)
        for finding in findings:
            self.assertEqual(list(finding), ["file", "line", "column", "severity", "code", "message", "fix"])
        self.assertEqual(err, "")

    def test_stdin_and_several_files(self):
        out, _ = self.run_tool("check", "-", status=65, stdin=self.open(SCRIPTS / "ozemail-truncated.scp"))
        self.assertIn("stdin:6:1: error", out)
        out, err = self.run_tool("check", SCRIPTS / "ozemail-truncated.scp", self.folder / "nosuch", status=66)
        self.assertIn("missing-endproc", out)
        self.assertIn("nosuch", err)

    def open(self, path):
        file = open(path, "rb")
        self.addCleanup(file.close)
        return file

    def test_bad_input_is_a_clear_error_in_under_a_second(self):
        texts = {"large": b"; x" * 400_000, "utf-16": "proc main\nendproc\n".encode("utf-16"), "nul": b"proc\0main", "empty": b"",
                 "latin-1": b"proc main\nwaitfor \"caf\xe9\"\n\xe9\nendproc\n", "literal": b'proc main\ntransmit "' + b"x" * 1_000_000,
                 "nested": b"proc main\n" + b"if TRUE then\n" * 10_000, "bytes": bytes(range(1, 256)) * 100,
                 "labels": b"proc main\n" + b"".join(b"l%d:goto x\n" % i for i in range(60_000)) + b"endproc\n"}
        for name, text in texts.items():
            path = self.folder / name
            path.write_bytes(text)
            began = Stopwatch()
            out, _ = self.run_tool("check", path, status=65)
            self.assertLess(began.ours(), 1, name)
            self.assertIn("error", out, name)
            self.assertIsNone(re.search(r"[\x00-\x08\x0b-\x1f\x7f]", out), name)

    def test_so_it_is_in_the_language_of_chat(self):
        texts = {"large": (b"x" * 1_100_000, 65), "utf-16": ("OK x\n".encode("utf-16"), 65), "nul": (b"OK\0x", 65), "empty": (b"", 0),
                 "quote": (b"OK '" + b"x" * 1_000_000, 65), "bytes": (bytes(range(1, 256)) * 100, 0), "aborts": (b"ABORT q a b " * 80_000, 0),
                 "chain": (b"a-b-" * 250_000, 0), "words": (b"a " * 500_000, 0), "long": (b"ABORT " + b"q" * 500_000 + b" a b" * 100_000, 0)}
        for name, (text, status) in texts.items():
            path = self.folder / f"{name}.chat"
            path.write_bytes(text)
            for verb in ("check", "convert"):
                began = Stopwatch()
                process = self.start(verb, path)
                out, err = process.communicate(timeout=PATIENCE)
                self.assertLess(began.ours(), 1, (name, verb))
                self.assertIn(process.returncode, (status, 65), (name, verb))
                shown = out if verb == "check" else err
                self.assertTrue(status == 0 or b"error" in shown, (name, verb, shown[:200]))
                self.assertIsNone(re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", shown), (name, verb))

    def test_warnings_fail_under_strict_only(self):
        script = self.script('waitfor "login:"\nif $SUCCESS then\ntransmit $USERID\nendif')
        for arguments, status in ((["--strict"], 65), ([], 0)):
            out, _ = self.run_tool("check", *arguments, script, status=status)
            self.assertEqual(re.findall(r":(\d+):\d+: warning: .*\[(.*)\]", out), [("2", "no-until"), ("4", "not-raw")])

    def test_each_until_and_each_test_of_success_is_missed(self):
        lines = (SCRIPTS / "ozemail.scp").read_text().splitlines(keepends=True)
        for number, line in enumerate(lines):
            if "until" in line:
                changed = [*lines[:number], re.sub(r" until \d+", "", line), *lines[number + 1:]]
                expected = ("no-until", number + 1)
            elif "if $SUCCESS" in line:
                changed = [*lines[:number], "\n", *lines[number + 1:]]
                changed.pop(max(n for n, text in enumerate(changed) if "endif" in text))
                expected = ("unchecked-success", number)   # the waitfor is the line before
            else:
                continue
            path = self.script("".join(changed))
            out, _ = self.run_tool("check", "--strict", "--json", path, status=65)
            self.assertEqual([(f["code"], f["line"]) for f in map(json.loads, out.splitlines())], [expected])

    def test_fix_makes_the_truncated_script_whole(self):
        path = self.script((SCRIPTS / "ozemail-truncated.scp").read_text())
        path.chmod(0o640)
        out, err = self.run_tool("check", "--fix", "--strict", path)
        self.assertEqual(out, "")
        self.assertEqual(err.count("repaired"), 4)
        self.assertEqual(path.stat().st_mode & 0o777, 0o640)
        self.assertEqual(path.read_text().split(), (SCRIPTS / "ozemail.scp").read_text().split())
        self.assertTrue(path.read_text().startswith((SCRIPTS / "ozemail-truncated.scp").read_text()))
        process = self.start_on_port(path, *self.credentials())
        self.host.serve_ozemail()
        self.finish(process, 0)
        self.assertEqual([p.name for p in self.folder.iterdir() if "new" in p.name], [])

    def test_fix_from_stdin_to_stdout(self):
        out, err = self.run_tool("check", "--fix", "-", stdin=self.open(SCRIPTS / "ozemail-truncated.scp"))
        self.assertEqual(out.split()[-4:], ["endif", "endif", "endif", "endproc"])
        self.assertIn("repaired", err)


class Replay(ChatrunTest):
    GOOD = '< "Service? "\n+1s\n> "p\\r"\n< "Username: "\n> "alice\\r"\n+2s\n< "Password: "\n> "********\\r"\n< "PPP"\n'

    def replay(self, transcript, *arguments, status=0):
        path = self.folder / "session"
        path.write_text(transcript)
        return self.run_tool("replay", SCRIPTS / "ozemail.scp", path, *arguments, status=status)

    def test_a_good_login(self):
        out, err = self.replay(self.GOOD, "--fuzz", "100")
        self.assertIn('> "********"', out)
        self.assertTrue(out.endswith("= ok\n"), out)
        self.assertEqual(err, "")
        self.replay(self.GOOD, *self.credentials())

    def test_ninety_seconds_of_silence_take_no_time(self):
        began = Stopwatch()
        out, err = self.replay("", status=3)
        self.assertLess(began.ours(), 0.5)
        self.assertIn("+90s  = unsuccessful", out)
        self.assertIn('waitfor "ervice?"', err)

    def test_a_lost_carrier(self):
        self.replay('< "Service? "\n+3s\n! carrier-lost\n', status=2)

    def test_a_difference(self):
        _, err = self.replay(self.GOOD, "--user", "bob", status=65)
        self.assertIn("session:5: the script sends", err)
        out, _ = self.replay(self.GOOD.replace("alice\\r", "alice\\n"), "--user", "alice", "--json", status=65)
        self.assertEqual(json.loads(out)["difference"]["line"], 5)

    def test_what_run_has_written_replays(self):
        path = self.folder / "transcript"
        process = self.start_on_port(SCRIPTS / "ozemail.scp", *self.credentials(), "--transcript", path)
        self.host.serve_ozemail()
        self.finish(process, 0)
        self.run_tool("replay", SCRIPTS / "ozemail.scp", path, "--fuzz", "100")

    def test_what_is_no_transcript(self):
        _, err = self.replay("hello\n", status=65)
        self.assertIn("session:1:1: a line starts with", err)
        self.run_tool("replay", SCRIPTS / "ozemail.scp", self.folder / "nosuch", status=1)


if __name__ == "__main__":
    unittest.main()
