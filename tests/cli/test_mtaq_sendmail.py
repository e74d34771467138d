# SPDX-License-Identifier: MIT
"""mtaq under its other names: sendmail, as cron, mail and pppd's scripts call it, mailq, newaliases."""

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.mail import LINK, MTAQ, PATIENCE, Peer, Root, lan  # noqa: E402


class Case(unittest.TestCase):
    config = LINK + lan(2525)

    def setUp(self):
        self.root = Root(self.config)
        self.addCleanup(self.root.close)
        self.sendmail = self.root.folder / "sendmail"
        self.sendmail.symlink_to(MTAQ)

    def run_sendmail(self, *arguments, stdin=b"", status=0):
        done = subprocess.run([self.sendmail, *arguments], input=stdin, capture_output=True, timeout=PATIENCE,
                              env={**os.environ, "LONGLINE_ROOT": str(self.root.folder)})
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def raw(self, id):
        return self.root.run("show", "--raw", id).stdout


class Sendmail(Case):
    def test_as_cron_calls_it(self):
        message = b"From: root (Cron Daemon)\nTo: bob@example.com\nSubject: Cron\n\nout\n.\nmore\n"
        done = self.run_sendmail("-i", "-FCronDaemon", "-B8BITMIME", "-oem", "bob@example.com", stdin=message)
        self.assertEqual((done.stdout, done.stderr), (b"", b""))
        self.assertIn(b"\r\n.\r\nmore", self.raw(self.root.ids()[0]))

    def test_header_recipients_and_sender(self):
        self.run_sendmail("-t", "-oi", "-f", "me@site7.example", stdin=b"To: a@example.com\n\nx\n")
        self.run_sendmail("-fme@site7.example", "--", "b@example.com, c@example.com", stdin=b"x\n")
        first, second = self.root.list()
        self.assertEqual((first["sender"], second["sender"]), ("me@site7.example", "me@site7.example"))
        self.assertEqual([r["address"] for r in second["recipients"]], ["b@example.com", "c@example.com"])

    def test_a_dot_ends_the_message(self):
        self.run_sendmail("a@example.com", stdin=b"Subject: d\n\none\n.\ntwo\n")
        self.assertNotIn(b"two", self.raw(self.root.ids()[0]))

    def test_smtp_on_stdio_queues(self):
        script = b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\nSubject: q\r\n\r\nx\r\n.\r\nQUIT\r\n"
        self.assertIn(b"\r\n221 ", self.run_sendmail("-bs", stdin=script).stdout)
        self.assertEqual(self.root.list()[0]["recipients"][0]["address"], "bob@example.com")
        self.assertEqual(self.root.list("--inbox"), [])

    def test_what_programs_submit_is_made_complete(self):
        """As an ordinary user's is, by way of the drop folder (test_mtaq_drop); what is there stays."""
        def submit(header):
            script = f"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\n{header}\r\nx\r\n..\r\n.\r\nQUIT\r\n"
            self.assertIn(b"\r\n221 ", self.run_sendmail("-bs", stdin=script.encode()).stdout)
            message = self.root.list()[-1]
            return message, self.raw(message["id"]).split(b"\r\n\r\n", 1)

        message, (header, body) = submit("Subject: q\r\n")
        self.assertRegex(header, rb"\AReceived: [^\0]*\r\nSubject: q\r\nDate: [^\r]+\r\nFrom: a@b\.example\r\nMessage-ID: <[A-Za-z0-9]+@[^>]+>\Z")
        self.assertRegex(message["message_id"], r"^<[A-Za-z0-9]+@[^>]+>$")
        self.assertEqual(body, b"x\r\n.\r\n")
        another, _ = submit("Subject: q\r\n")
        self.assertNotEqual(message["message_id"], another["message_id"])
        fields = "Message-Id: <1@b.example>\r\nDATE: Sun, 22 Nov 2026 23:10:51 +0000\r\nFrom: A <a@b.example>\r\n"
        message, (header, _) = submit(fields)
        self.assertTrue(header.endswith(b"\r\n" + fields.encode().rstrip()), header)
        self.assertEqual(message["message_id"], "<1@b.example>")
        # A message without any header.
        message, (header, body) = submit("")
        self.assertIn(b"\r\nMessage-ID: <", header)
        self.assertEqual(body, b"x\r\n.\r\n")

    def test_mail_of_other_mtas_stays_as_it_is(self):
        script = b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<bob@site7.example>\r\nDATA\r\nSubject: q\r\n\r\nx\r\n.\r\nQUIT\r\n"
        self.root.run("receive", "--stdio", "--domain", "site7.example", stdin=script)
        (message,) = self.root.list("--inbox")
        header = self.raw(message["id"]).split(b"\r\n\r\n")[0]
        self.assertTrue(header.endswith(b"\r\nSubject: q"), header)
        self.assertNotIn(b"Message-ID", header)

    def test_errors_begin_with_the_name_that_was_called(self):
        environment = {**os.environ, "LONGLINE_ROOT": str(self.root.folder)}
        for name, arguments, status in (("sendmail", ["-Q"], 64), ("mailq", ["-Q"], 64), ("newaliases", ["-Q"], 64), ("sendmail", ["bad address@"], 65)):
            program = self.root.folder / name
            if not program.is_symlink():
                program.symlink_to(MTAQ)
            done = subprocess.run([program, *arguments], input=b"", capture_output=True, timeout=PATIENCE, env=environment)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertTrue(done.stderr.startswith(name.encode() + b": "), done.stderr)
        # Also what is wrong with the configuration.
        (self.root.folder / "longline.toml").write_text("nonsense = 1\n")
        done = subprocess.run([self.root.folder / "mailq"], capture_output=True, timeout=PATIENCE, env=environment)
        self.assertEqual(done.returncode, 78)
        self.assertTrue(done.stderr.startswith(b"mailq: "), done.stderr)

    def test_listing(self):
        id = self.root.add()
        self.assertIn(id.encode(), self.run_sendmail("-bp").stdout)
        self.run_sendmail("-Q", "x@example.com", status=64)


class QueueRun(Case):
    """sendmail -q, as cron's and pppd's scripts call it."""

    def test_it_is_a_quiet_flush_of_everything(self):
        for arguments in (["-q"], ["-qf"], ["-qq"], ["-q15m"], ["-q1h30m"], ["-q", "-oem"], ["-bm", "-q"]):
            with self.subTest(arguments=arguments):
                first = Peer(path=self.root.line)
                second = Peer()
                self.addCleanup(first.close)
                self.addCleanup(second.close)
                self.root.configure(LINK + lan(second.port))
                self.root.add(b"Subject: a\n\nx\n", "a@example.com")
                self.root.add(b"Subject: b\n\nx\n", "b@lan.example")
                done = self.run_sendmail(*arguments)
                self.assertEqual((done.stdout, done.stderr), (b"", b""))
                self.assertEqual([(len(p.messages), p.messages[0][1]) for p in (first, second)], [(1, ["a@example.com"]), (1, ["b@lan.example"])])
                self.assertEqual(self.root.list(), [])
                first.close()

    def test_nothing_waits(self):
        done = self.run_sendmail("-q")
        self.assertEqual((done.stdout, done.stderr), (b"", b""))

    def test_it_never_dials(self):
        id = self.root.add()
        done = self.run_sendmail("-q", status=75)
        self.assertRegex(done.stderr, rb"\Asendmail: [^\n]*isp[^\n]*\n\Z")
        self.assertEqual(self.root.ids(), [id])

    def test_what_is_not_served(self):
        id = self.root.add()
        for part in ("-qRexample.com", "-qSalice", "-qIabc", "-q!Rexample.com", "-qGlocal", "-q?"):
            self.assertIn(b"mtaq flush", self.run_sendmail(part, status=64).stderr)
        for daemon in (["-bd"], ["-bd", "-q15m"], ["-q15m", "-bd"]):
            self.assertIn(b"mtaq receive", self.run_sendmail(*daemon, status=64).stderr)
        self.run_sendmail("-q", "x@example.com", status=64)
        self.run_sendmail("-q", "-t", stdin=b"To: x@example.com\n\nx\n", status=64)
        self.assertEqual(self.root.ids(), [id])


class Wishes(Case):
    """What the sender of a message wants to be told (RFC 3461), from the command line to the peer."""

    def commands(self, *arguments, program=None, status=0, extensions=("DSN",)):
        with Peer(extensions=extensions) as peer:
            self.root.configure(lan(peer.port))
            message = b"Subject: s\n\nx\n"
            done = self.run_sendmail(*arguments, stdin=message, status=status) if program is None else self.root.run(program, *arguments, stdin=message)
            if status == 0:
                self.root.flush()
        self.error = done.stderr
        return [re.sub(r"SIZE=\d+", "SIZE=SIZE", command) for command in peer.commands if command.startswith(("MAIL", "RCPT"))]

    def test_they_reach_the_peer(self):
        self.assertEqual(self.commands("-i", "-f", "a@here.example", "-N", "success,delay", "-R", "hdrs", "-V", "call 7+1=8", "b@lan.example", "c@lan.example"),
                         [self.mail(" ENVID=call+207+2B1+3D8 RET=HDRS"), "RCPT TO:<b@lan.example> NOTIFY=SUCCESS,DELAY",
                          "RCPT TO:<c@lan.example> NOTIFY=SUCCESS,DELAY"])
        self.assertEqual(self.commands("-f", "a@here.example", "-Nnever", "-Rfull", "b@lan.example"), [self.mail(" RET=FULL"), "RCPT TO:<b@lan.example> NOTIFY=NEVER"])
        self.assertEqual(self.commands("-f", "a@here.example", "--notify", "failure", "b@lan.example", program="add"),
                         [self.mail(""), "RCPT TO:<b@lan.example> NOTIFY=FAILURE"])

    @staticmethod
    def mail(parameters):
        return f"MAIL FROM:<a@here.example> SIZE=SIZE{parameters}"

    def test_what_is_none_is_refused(self):
        for wrong in (["-N", "sometimes"], ["-N", "never,delay"], ["-N", ""], ["-R", "some"], ["-V", ""], ["-V", "x" * 101]):
            with self.subTest(wrong=wrong):
                self.assertEqual(self.commands(*wrong, "b@lan.example", status=64), [])
                self.assertTrue(self.error.startswith(b"sendmail: option " + wrong[0].encode()), self.error)
        self.assertEqual(self.root.list(), [])


if __name__ == "__main__":
    unittest.main()
