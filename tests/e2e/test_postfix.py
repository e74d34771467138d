#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mtaq against real programs: a Postfix of our own takes what flush sends, swaks hands mail to receive. Needs root for Postfix."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import postfix  # noqa: E402
from postfix import Postfix, wait_until  # noqa: E402

BUILD = Path(os.environ.get("LONGLINE_BUILD", Path(__file__).resolve().parents[2] / "build")).resolve()
MTAQ = str(BUILD / "tools" / "mtaq")
PATIENCE = float(os.environ.get("LONGLINE_TEST_PATIENCE", "60"))
SWAKS = shutil.which("swaks")

HEAD = b"From: alice@here.example\nTo: bob@far.example\nDate: Sun, 22 Nov 2026 23:10:51 +0000\nMessage-ID: <%d@here.example>\nSubject: %d\n\n"


def run(*command, root=None, data=b"", check=0):
    env = dict(os.environ, LONGLINE_ROOT=str(root)) if root else None
    done = subprocess.run(command, input=data, capture_output=True, timeout=PATIENCE, env=env)
    if check is not None and done.returncode != check:
        raise AssertionError(f"{command} ended {done.returncode}, not {check}: {done.stderr.decode(errors='replace')}")
    return done


class Root:
    """An empty --root whose only connector is a LAN one to 127.0.0.1:port."""

    def __init__(self, port, more=""):
        self.folder = Path(tempfile.mkdtemp(prefix="longline-root-"))
        (self.folder / "longline.toml").write_text(
            f'[connector.far]\ndomains = ["far.example"]\nhost = "127.0.0.1"\nport = {port}\nhelo = "here.example"\ntls = "none"\n{more}\n')

    def add(self, message, *recipients, sender="alice@here.example"):
        run(MTAQ, "add", "-f", sender, *(recipients or ("bob@far.example",)), root=self.folder, data=message)

    def flush(self, *options, check=0):
        return run(MTAQ, "flush", "--wait", *options, root=self.folder, check=check)

    def list(self):
        return [json.loads(line) for line in run(MTAQ, "list", "--json", root=self.folder).stdout.splitlines()]

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def messages():
    bodies = [
        b"plain\n", b"", b".\n..\n.dot\n\n.\n", "grüße, 8-bit\n".encode() + bytes(range(128, 256)) + b"\n",
        b"long " + b"x" * 5000 + b"\n", b"big\n" + b"".join(b"line %d of a big message\n" % i for i in range(8000)),
    ]
    return [HEAD % (n, n) + body for n, body in enumerate(bodies)]


@unittest.skipUnless(postfix.available(), "needs Postfix and root")
class FlushToPostfix(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postfix = Postfix()
        cls.addClassCleanup(cls.postfix.stop)

    def setUp(self):
        shutil.rmtree(self.postfix.folder / "boxes" / "bob", ignore_errors=True)
        shutil.rmtree(self.postfix.folder / "boxes" / "carol", ignore_errors=True)

    def root(self, more=""):
        root = Root(self.postfix.port, more)
        self.addCleanup(root.remove)
        return root

    def arrives(self, sent, box="bob"):
        wait_until(lambda: len(self.postfix.box(box)) >= len(sent), f"{len(sent)} messages in {box}'s Maildir")
        got = self.postfix.box(box)
        self.assertEqual(len(got), len(sent))
        for message in sent:
            self.assertEqual(sum(copy.endswith(b"\n" + message) for copy in got), 1, message[:200])

    def all_arrive(self, more, expected, unexpected):
        root = self.root(more)
        for message in messages():
            root.add(message)
        log = len(self.postfix.log())
        done = root.flush("--verbose")
        trace = done.stderr.decode(errors="replace")
        for word in expected:
            self.assertIn(word, trace)
        for word in unexpected:
            self.assertNotIn(word, trace)
        self.assertNotIn("peer: 5", trace)
        self.assertEqual(root.list(), [])
        self.arrives(messages())
        self.assertEqual(self.postfix.log()[log:].count(" connect from"), 1)

    def test_every_message_arrives_by_pipelined_chunks(self):
        self.all_arrive("", ["peer: 250-PIPELINING", "us: BDAT ", "BODY=8BITMIME", " SIZE="], ["us: DATA"])

    def test_every_message_arrives_by_pipelined_data(self):
        self.all_arrive("chunking = false", ["us: DATA"], ["us: BDAT"])

    def test_every_message_arrives_in_lock_step(self):
        self.all_arrive("chunking = false\npipelining = false", ["us: DATA"], ["us: BDAT"])

    def test_the_expected_name_is_checked(self):
        root = self.root('peer-name = "mail.far.example"')
        root.add(messages()[0])
        root.flush()
        self.arrives(messages()[:1])
        wrong = self.root('peer-name = "other.example"')
        wrong.add(messages()[0])
        done = wrong.flush(check=None)
        self.assertIn(done.returncode, (69, 75, 77))
        self.assertIn(b"mail.far.example", done.stderr + done.stdout)
        self.assertIn(b"other.example", done.stderr + done.stdout)
        self.assertEqual(len(wrong.list()), 1)

    def test_a_refused_recipient_is_bounced_and_the_others_get_the_mail(self):
        root = self.root()
        root.add(messages()[0], "bob@far.example", "nobody@far.example", sender="carol@far.example")
        root.add(messages()[1], "nobody@far.example", sender="carol@far.example")
        root.add(messages()[2])
        root.flush(check=65)
        self.arrives([messages()[0], messages()[2]])
        root.flush()  # the notifications, unless they went with the first call
        self.assertEqual(root.list(), [])
        wait_until(lambda: len(self.postfix.box("carol")) >= 2, "two notifications")
        for notification in self.postfix.box("carol"):
            self.assertIn(b"multipart/report", notification)
            self.assertIn(b"Final-Recipient: rfc822; nobody@far.example\nAction: failed\nStatus: 5.1.1\n", notification)
            self.assertIn(b"Return-Path: <>", notification)

    def test_many_recipients_and_many_messages_go_in_one_connection(self):
        root = self.root()
        for n in range(60):
            root.add(HEAD % (n, n) + b"x\n", "bob@far.example", "carol@far.example")
        log = len(self.postfix.log())
        root.flush()
        self.arrives([HEAD % (n, n) + b"x\n" for n in range(60)])
        self.arrives([HEAD % (n, n) + b"x\n" for n in range(60)], "carol")
        fresh = self.postfix.log()[log:]
        self.assertEqual(fresh.count(" connect from"), 1, fresh)
        # Postfix counts the commands of a session when it ends.
        end = wait_until(lambda: [line for line in self.postfix.log()[log:].splitlines() if "disconnect from" in line], "the end")
        self.assertIn("mail=60", end[0])
        self.assertIn("quit=1", end[0])

    def test_fifty_megabytes(self):
        root = self.root()
        message = HEAD % (1, 1) + b"".join(b"%063d\n" % i for i in range(780_000))
        root.add(message)
        root.flush()
        self.arrives([message])


@unittest.skipUnless(SWAKS, "needs swaks")
class SwaksToReceive(unittest.TestCase):
    def setUp(self):
        self.root = Root(1)
        self.addCleanup(self.root.remove)
        self.box = self.root.folder / "box"
        self.server = subprocess.Popen(
            [MTAQ, "receive", "--listen", "127.0.0.1:0", "--domain", "far.example", "--maildir", str(self.box)],
            stderr=subprocess.PIPE, env=dict(os.environ, LONGLINE_ROOT=str(self.root.folder)))
        self.addCleanup(self.stop)
        self.port = self.server.stderr.readline().decode().strip().rsplit(":", 1)[1]

    def stop(self):
        self.server.send_signal(signal.SIGTERM)
        self.server.communicate(timeout=PATIENCE)

    def swaks(self, *options, check=0):
        return run(SWAKS, "--server", "127.0.0.1", "--port", self.port, "--helo", "here.example", "--from", "alice@here.example", *options, check=check)

    def received(self):
        return sorted(p.read_bytes() for p in (self.box / "new").glob("*"))

    def test_a_message_is_taken(self):
        self.swaks("--to", "bob@far.example", "--header", "Subject: by swaks", "--body", ".dots\n..\n.\ngrüße")
        self.assertEqual(len(self.received()), 1)
        message = self.received()[0]
        self.assertTrue(message.startswith(b"Return-Path: <alice@here.example>\nReceived: from here.example ("), message[:200])
        self.assertIn(b"\nSubject: by swaks\n", message)
        self.assertIn(b"\n.dots\n..\n.\n", message)

    def test_pipelining(self):
        self.swaks("--to", "bob@far.example,carol@far.example", "--pipeline")
        self.assertEqual(len(self.received()), 1)

    def test_a_recipient_elsewhere_is_refused(self):
        done = self.swaks("--to", "bob@elsewhere.example", check=None)
        self.assertEqual(done.returncode, 24)  # swaks: no recipient accepted
        self.assertIn(b"550 5.7.1", done.stdout)
        self.assertEqual(self.received(), [])


if __name__ == "__main__":
    unittest.main()
