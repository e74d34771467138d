# SPDX-License-Identifier: MIT
"""mtaq receive: sessions on stdio and on a socket, Maildir and inbox, what is accepted, clients that misbehave."""

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.mail import LINK, PATIENCE, Root, lan, wait_until  # noqa: E402
from support.stopwatch import Stopwatch  # noqa: E402

HOST = os.uname().nodename


def session(*lines):
    return b"".join(line if isinstance(line, bytes) else line.encode() + b"\r\n" for line in lines)


def mail(body=b"Subject: s\r\n\r\ntext\r\n", recipients=("bob@example.com",), sender="a@b.example"):
    return session(f"MAIL FROM:<{sender}>", *[f"RCPT TO:<{r}>" for r in recipients], f"BDAT {len(body)} LAST", body)


class Case(unittest.TestCase):
    def setUp(self):
        self.root = Root("")
        self.addCleanup(self.root.close)
        self.maildir = self.root.folder / "Maildir"

    def delivered(self, folder=None):
        return [path.read_bytes() for path in sorted((folder or self.maildir).joinpath("new").glob("*"))]

    def stdio(self, script, *arguments, status=0):
        return self.root.run("receive", "--stdio", *arguments, stdin=script, status=status).stdout

    def listen(self, *arguments):
        process = self.root.start("receive", "--listen", "127.0.0.1:0", *arguments)

        def stop():
            if process.poll() is None:
                process.kill()
            process.communicate()

        self.addCleanup(stop)
        line = process.stderr.readline().decode()
        self.assertTrue(line.startswith("listening on 127.0.0.1:"), line)
        return process, int(line.rsplit(":", 1)[1])


class Stdio(Case):
    def test_into_a_maildir(self):
        out = self.stdio(session("EHLO x", mail(), mail(b"Subject: t\r\n\r\n\xff\0.\r\n.\r\n"), "QUIT"), "--maildir", self.maildir)
        self.assertTrue(out.startswith(b"220 "))
        self.assertTrue(out.endswith(b"221 2.0.0 Bye\r\n"), out)
        first, second = self.delivered()
        self.assertRegex(first, rb"\AReturn-Path: <a@b\.example>\nReceived: from x [^\0]*?\nSubject: s\n\ntext\n\Z")
        self.assertTrue(second.endswith(b"\nSubject: t\n\n\xff\0.\n.\n"))
        self.assertEqual(list(self.maildir.joinpath("tmp").iterdir()), [])
        self.assertEqual(stat.S_IMODE(self.maildir.stat().st_mode), 0o700)
        for path in self.maildir.joinpath("new").iterdir():
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)

    def test_one_return_path_and_it_is_the_envelopes(self):
        body = b"Return-Path: <evil@x.example>\r\nSubject: s\r\nReturn-Path:\r\n <evil@y.example>\r\n\r\nReturn-Path: <body@x.example>\r\n"
        self.stdio(session("EHLO x", mail(body), "QUIT"), "--maildir", self.maildir)
        (message,) = self.delivered()
        self.assertRegex(message, rb"\AReturn-Path: <a@b\.example>\nReceived: [^\0]*?\nSubject: s\n\nReturn-Path: <body@x\.example>\n\Z")
        # The inbox is no final delivery: who fetches from it sees the sender anyway.
        self.stdio(session("EHLO x", mail(body), "QUIT"), "--domain", "example.com")
        (entry,) = self.root.list("--inbox")
        raw = self.root.run("show", "--raw", entry["id"]).stdout
        self.assertTrue(raw.startswith(b"Received: "), raw)
        self.assertTrue(raw.endswith(b"\r\n" + body), raw)

    def test_cut_anywhere_leaves_nothing_half(self):
        script = session("EHLO x", "MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>", "DATA", "Subject: cut", "", "text", ".", "QUIT")
        end = script.index(b"\r\n.\r\n") + 5
        for k in range(0, len(script) + 1, 7):
            shutil.rmtree(self.maildir, ignore_errors=True)
            self.stdio(script[:k], "--maildir", self.maildir)
            self.assertEqual(len(self.delivered()), 1 if k >= end else 0, k)
            self.assertEqual(list(self.maildir.joinpath("tmp").iterdir()), [])

    def test_into_the_inbox(self):
        self.stdio(session("EHLO x", mail(), "QUIT"), "--domain", "example.com")
        self.assertEqual(self.root.list(), [])
        (entry,) = self.root.list("--inbox")
        self.assertEqual((entry["queue"], entry["sender"], entry["subject"]), ("inbox", "a@b.example", "s"))
        self.assertIn(b"text", self.root.run("show", "--raw", entry["id"]).stdout)
        self.root.run("due", status=1)
        self.root.run("remove", entry["id"])
        self.assertEqual(self.root.list("--inbox"), [])

    def test_no_relay(self):
        two = session("EHLO x", mail(recipients=["in@example.com"]), mail(recipients=["out@other.example"]), "QUIT")
        out = self.stdio(two, "--domain", "example.com", "--maildir", self.maildir)
        self.assertIn(b"550 5.7.1", out)
        self.assertEqual(len(self.delivered()), 1)
        self.root.configure('local-domains = ["*.example.com"]\n')
        out = self.stdio(session("EHLO x", mail(recipients=["a@x.example.com"]), mail(recipients=["a@example.org"]), "QUIT"))
        self.assertEqual(out.count(b"550 5.7.1"), 1)
        self.assertEqual(len(self.root.list("--inbox")), 1)
        # Nothing configured and no Maildir: this host's own name, nothing else.
        self.root.configure("")
        out = self.stdio(session("EHLO x", mail(recipients=["a@example.org"]), "QUIT"))
        self.assertIn(b"550 5.7.1", out)

    def test_max_size(self):
        big = session("EHLO x", mail(b"x" * 2000 + b"\r\n"), "RSET", mail(), "QUIT")
        out = self.stdio(big, "--max-size", "1k", "--maildir", self.maildir)
        self.assertIn(b"SIZE 1000", out)
        self.assertIn(b"552", out)
        self.assertEqual(len(self.delivered()), 1)

    def test_garbage(self):
        for junk in (b"\0" * 10000, b"x" * 200_000, b"\r\n" * 5000, os.urandom(20000), b"BDAT 999999999999999999999\r\n",
                     b"DATA\r\n" * 200, b"MAIL FROM:<" + b"a" * 5000 + b">\r\n"):
            with self.subTest(junk=junk[:16]):
                self.stdio(junk, "--maildir", self.maildir)
        self.assertEqual(self.delivered(), [])

    def test_idle_client(self):
        process = self.root.start("receive", "--stdio", "--maildir", self.maildir, "--idle", "1s", stdin=subprocess.PIPE)
        out, _ = b"", process.wait(PATIENCE)
        out = process.stdout.read()
        self.assertEqual(process.returncode, 0)
        self.assertIn(b"421", out)
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_full_disk_is_said_to_the_client(self):
        with tempfile.TemporaryDirectory() as mount:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", mount], check=True)
            try:
                folder = Path(mount) / "md"
                out = self.stdio(session("EHLO x", mail(b"x" * 200_000 + b"\r\n"), mail(), "QUIT"), "--maildir", folder)
                self.assertRegex(out, rb"\r\n452 ")
                self.assertEqual(len(self.delivered(folder)), 1)
                self.assertEqual(list(folder.joinpath("tmp").iterdir()), [])
            finally:
                subprocess.run(["umount", mount], check=True)

    def test_wrong_command_lines(self):
        self.root.run("receive", status=64)
        self.root.run("receive", "--stdio", "--listen", "127.0.0.1:0", status=64)
        self.root.run("receive", "--listen", "nonsense", status=64)
        self.root.run("receive", "--stdio", "--maildir", "/proc/nope", status=None)


class Listen(Case):
    def connect(self, port):
        connection = socket.create_connection(("127.0.0.1", port), PATIENCE)
        connection.settimeout(PATIENCE)
        self.addCleanup(connection.close)
        return connection

    def test_many_sessions_at_once(self):
        process, port = self.listen("--maildir", self.maildir)
        connections = [self.connect(port) for _ in range(30)]
        for connection in connections:
            connection.sendall(session("EHLO x", mail()))
        for connection in connections:
            connection.sendall(session("QUIT"))
        for connection in connections:
            data = b""
            while piece := connection.recv(65536):
                data += piece
            self.assertTrue(data.endswith(b"221 2.0.0 Bye\r\n"))
        self.assertEqual(len(self.delivered()), 30)
        process.terminate()
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_a_silent_client_does_not_stop_others_nor_the_end(self):
        process, port = self.listen("--maildir", self.maildir)
        silent = self.connect(port)
        silent.recv(100)
        other = self.connect(port)
        other.sendall(session("EHLO x", mail(), "QUIT"))
        wait_until(self.delivered, "the other's mail")
        started = Stopwatch()
        process.terminate()
        self.assertEqual(process.wait(PATIENCE), 0)
        self.assertLess(started.ours(), 15)

    def test_swaks(self):
        swaks = shutil.which("swaks")
        if not swaks:
            self.skipTest("swaks is not installed")
        _, port = self.listen("--maildir", self.maildir, "--domain", "example.com")
        base = [swaks, "--server", f"127.0.0.1:{port}", "--from", "a@b.example", "--silent", "2"]
        subprocess.run([*base, "--to", "bob@example.com", "--body", "from swaks"], check=True, timeout=PATIENCE)
        self.assertIn(b"from swaks", self.delivered()[0])
        done = subprocess.run([*base, "--to", "bob@other.example"], capture_output=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 24, done)

    def test_taken_port(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            done = self.root.run("receive", "--listen", f"127.0.0.1:{taken.getsockname()[1]}", status=75)
        self.assertIn(b"in use", done.stderr.lower())

    def test_our_own_sender_from_spool_to_maildir(self):
        _, port = self.listen("--maildir", self.maildir)
        sender = Root(lan(port, domains=("*",)))
        self.addCleanup(sender.close)
        bodies = [b"Subject: %d\nDate: d\nFrom: a@b\nMessage-ID: <%d@x>\n\n" % (n, n) + os.urandom(3000).replace(b"\r", b"").replace(b"\n", b"\n.") + b"\n"
                  for n in range(20)]
        for body in bodies:
            sender.add(body, "bob@far.example")
        sender.flush("--wait")
        stripped = [re.sub(rb"\AReturn-Path: <[^>\n]*>\nReceived: (?:[^\n]*\n[ \t])*[^\n]*\n", b"", m) for m in self.delivered()]
        self.assertEqual(sorted(stripped), sorted(bodies))


if __name__ == "__main__":
    unittest.main()
