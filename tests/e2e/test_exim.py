#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mtaq against a real Exim, unpacked from Debian's packages: it takes what flush sends, and sends what receive takes. Needs root."""
import re
import signal
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import exim  # noqa: E402
import mail  # noqa: E402
from exim import Exim, wait_until  # noqa: E402

HEAD = b"From: alice@here.example\nTo: bob@far.example\nDate: Sun, 22 Nov 2026 23:10:51 +0000\nMessage-ID: <%d@here.example>\nSubject: %d\n\n"


@unittest.skipUnless(exim.available(), "needs Exim's packages (scripts/setup --test) and root")
class FlushToExim(unittest.TestCase):
    def setUp(self):
        self.exim = Exim(refuse=("nobody@far.example",), defer=("later@far.example",))
        self.addCleanup(self.exim.stop)
        self.root = mail.Root(mail.lan(self.exim.port, "far", ("far.example",), 'helo = "here.example"\ntls = "none"'))
        self.addCleanup(self.root.close)

    def add(self, message, *recipients, sender="alice@here.example"):
        self.root.run("add", "-f", sender, *recipients, stdin=message)

    def test_every_message_arrives_in_one_connection(self):
        bodies = [b"plain\n", b"", b".\n..\n.dot\n\n.\n", b"8-bit " + bytes(range(128, 256)) + b"\n", b"line\n" * 20000]
        for n, body in enumerate(bodies):
            self.add(HEAD % (n, n) + body, "bob@far.example", "carol@far.example")
        done = self.root.run("flush", "--wait", "--verbose")
        self.assertIn(b"us: BDAT ", done.stderr)
        for box in ("bob", "carol"):
            wait_until(lambda: len(self.exim.box(box)) >= len(bodies), f"mail for {box}")
            got = self.exim.box(box)
            for n, body in enumerate(bodies):
                self.assertEqual(sum(copy.endswith(HEAD % (n, n) + body) for copy in got), 1, (n, box))
        self.assertEqual(done.stderr.count(b"us: EHLO"), 1)
        self.assertIn(b"us: QUIT", done.stderr)

    def test_a_refused_and_a_deferred_recipient_leave_the_others_alone(self):
        self.add(HEAD % (1, 1) + b"x\n", "bob@far.example", "nobody@far.example", "later@far.example")
        self.root.run("flush", "--wait", status=75)
        wait_until(lambda: self.exim.box("bob"), "mail for bob")
        [left] = [m for m in self.root.list() if m["sender"]]
        states = {r["address"]: r["state"] for r in left["recipients"]}
        self.assertEqual(states["nobody@far.example"], "refused")
        self.assertEqual(states["later@far.example"], "deferred")
        self.assertEqual(len(self.exim.box("bob")), 1)

    def senders(self):
        """Who Exim says each message is from, by Message-ID."""
        return {id: sender for sender, id in re.findall(r"<= (\S+) .* id=(\d+)@here\.example", self.exim.log())}

    def test_a_refused_recipient_in_the_middle_of_a_batch_gives_nobody_the_wrong_sender(self):
        """Behind a message whose only recipient was refused, Exim 4.96 answers the next MAIL with 503 and takes its RCPT and BDAT for the sender before,
        unless RSET comes first."""
        for n in range(8):   # the window grows
            self.add(HEAD % (n, n) + b"x\n", "bob@far.example")
        self.root.run("flush", "--wait")
        for where in range(6):
            with self.subTest(refused=where):
                for n in range(6):
                    id = 100 * where + 100 + n
                    self.add(HEAD % (id, id) + b"x\n", "nobody@far.example" if n == where else "bob@far.example", sender=f"sender{id}@here.example")
                done = self.root.run("flush", "--wait", "--verbose", status=None)
                lines = done.stderr.decode(errors="replace").splitlines()
                mails = [i for i, line in enumerate(lines) if line.startswith("us: MAIL FROM:<sender")]
                self.assertEqual(len(mails), 6)
                self.assertFalse([line for line in lines[mails[0]:mails[2]] if line.startswith("peer: ")], "the batch is not in one flight")
                self.assertFalse([line for line in lines if line.startswith("peer: 503 sender already given")])
                for notice in self.root.ids():
                    self.root.run("remove", notice)
        wait_until(lambda: len(self.senders()) >= 8 + 30, "all messages")
        senders = self.senders()
        for id in range(100, 700):
            if str(id) in senders:
                self.assertEqual(senders[str(id)], f"sender{id}@here.example")
        self.assertEqual(len([id for id in senders if int(id) >= 100]), 30)


@unittest.skipUnless(exim.available(), "needs Exim's packages (scripts/setup --test) and root")
class EximToReceive(unittest.TestCase):
    def test_its_queue_arrives(self):
        root = mail.Root()
        self.addCleanup(root.close)
        server = subprocess.Popen(root.command("receive", "--listen", "127.0.0.1:0", "--domain", "far.example", "--maildir", root.folder / "box"),
                                  stderr=subprocess.PIPE)
        self.addCleanup(server.communicate, timeout=mail.PATIENCE)
        self.addCleanup(server.send_signal, signal.SIGTERM)
        port = int(server.stderr.readline().rsplit(b":", 1)[1])
        near = Exim(next_hop=("127.0.0.1", port), domains=("here.example",), host="mail.here.example", daemon=False)
        self.addCleanup(near.stop)
        for n in range(3):
            near.send(HEAD % (n, n) + b".dots\n", "bob@far.example")
        self.assertEqual(len(near.queue()), 3)
        near.run("-qff")
        self.assertEqual(near.queue(), [], near.log())
        got = sorted(p.read_bytes() for p in (root.folder / "box" / "new").glob("*"))
        self.assertEqual(len(got), 3)
        for n in range(3):
            self.assertEqual(sum(b"Message-ID: <%d@here.example>" % n in copy for copy in got), 1)


if __name__ == "__main__":
    unittest.main()
