# SPDX-License-Identifier: MIT
"""A disk that is full, of many sizes: what was acknowledged is there, and goes; what is received is delivered once."""

import os
import re
import subprocess
import sys
import tempfile
import unittest
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import side_by_side  # noqa: E402
from support.mail import PATIENCE, Peer, Root, fill_disk, lan  # noqa: E402


@contextmanager
def disk(size):
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="lf-") as mount:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", mount], check=True)
        try:
            yield Path(mount)
        finally:
            subprocess.run(["umount", mount], check=True)


def message(tag, size):
    return f"Message-ID: <{tag}@test>\nSubject: tag {tag}.\n\n".encode() + (b"x" * 70 + b"\n") * (size // 71)


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class Queue(unittest.TestCase):
    def fill(self, root, size, most=400):
        kept, refused = {}, 0
        while refused < 3 and len(kept) < most:
            tag = f"m{len(kept)}"
            done = root.run("add", "-f", "alice@far.example", "bob@far.example", stdin=message(tag, size), status=None)
            if done.returncode == 0:
                kept[done.stdout.decode().strip()] = tag
                continue
            self.assertEqual((done.returncode, done.stdout), (74, b""), done)
            self.assertIn(b"disk full", done.stderr)
            refused += 1
        self.assertEqual(root.ids(), list(kept))
        return kept

    def empty(self, size, message_size):
        peer = Peer()
        self.addCleanup(peer.close)
        with self.subTest(size=size, message_size=message_size), disk(size) as mount:
            root = Root(lan(peer.port, domains=("*",)), folder=mount)
            kept = self.fill(root, message_size)
            self.assertGreaterEqual(len(kept), 3)
            self.assertIn(b"disk-full", root.run("check", status=1).stdout)
            fill_disk(mount / "others")   # as any other program would
            ids = list(kept)
            for verb in ("hold", "release", "hold", "release", "requeue"):
                root.run(verb, ids[0])
            root.run("remove", ids[-1])
            root.run("bounce", ids[1])
            root.run("hold", ids[2])
            root.run("flush", "--wait")
            self.assertEqual(root.ids(), [ids[2]])
            root.run("release", ids[2])
            root.run("flush", "--wait")
            self.assertEqual(root.list(), [])
            arrived = Counter(re.search(rb"Subject: tag (m\d+)\.", body).group(1).decode() for sender, _, body in peer.messages if sender)
            del kept[ids[-1]], kept[ids[1]]
            self.assertEqual(arrived, Counter(kept.values()))
            self.assertEqual([sender for sender, _, _ in peer.messages].count(""), 1)   # the bounce
            self.assertNotIn(b"no-reserve", root.run("check", status=None).stdout)
            root.add(message("again", message_size), "bob@far.example")

    def test_small_messages(self):
        for size in (1000, 1200):
            self.empty(size, 1000)

    def test_middling_messages(self):
        for size, message_size in ((1000, 20_000), (1500, 20_000), (1200, 60_000), (1500, 4000)):
            self.empty(size, message_size)

    def test_more_of_them(self):
        self.empty(3000, 20_000)

    def test_large_messages(self):
        for size, message_size in ((3000, 200_000), (12_000, 2_000_000)):
            self.empty(size, message_size)


HERE = 'local-domains = ["here.example"]\nrelay-domains = ["lan.example"]\n'


def dialogue(tags, recipients=("bob@here.example",), headers="Message-ID: <{0}@test>\r\n"):
    lines = ["EHLO peer"]
    for tag in tags:
        lines += ["MAIL FROM:<a@b.example>", *(f"RCPT TO:<{r}>" for r in recipients), "DATA", f"{headers.format(tag)}Subject: tag {tag}.\r\n\r\nhi\r\n."]
    return "".join(f"{line}\r\n" for line in [*lines, "QUIT"]).encode()


class Receiving(unittest.TestCase):
    TAGS = ("r0", "r1", "r2")

    def receive(self, root, script, *options, inject=()):
        """The replies to the messages."""
        command = root.command("receive", "--stdio", *options)
        if inject:
            command = ["strace", "-f", "-qq", "-o", "/dev/null", *inject, *command]
        done = subprocess.run(command, input=script, capture_output=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done)
        replies = done.stdout.decode().split("\r\n")
        return [after[:3] for before, after in zip(replies, replies[1:]) if before.startswith("354")]

    def found(self, box):
        return Counter(re.search(r"Subject: tag (\w+)\.", path.read_text()).group(1) for path in box.glob("new/*"))

    def box(self):
        folder = tempfile.TemporaryDirectory(dir="/tmp", prefix="lb-")
        self.addCleanup(folder.cleanup)
        return Path(folder.name) / "box"

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_a_full_disk_delivers_nothing_twice(self):
        for size in (200, 500, 1200):
            box = self.box()
            with self.subTest(size=size), disk(size) as mount:
                root = Root(HERE + lan(1), folder=mount)
                root.run("add", "bob@lan.example", stdin=message("x", 20_000), status=None)
                fill_disk(mount / "others")
                acknowledged = set()
                for _ in range(4):
                    replies = self.receive(root, dialogue(self.TAGS), "--maildir", box)
                    self.assertLessEqual(set(replies), {"250", "452"})
                    acknowledged |= {tag for tag, reply in zip(self.TAGS, replies) if reply == "250"}
                    self.assertEqual(set(self.found(box)), acknowledged)
                    self.assertLessEqual(max(self.found(box).values(), default=0), 1)
                (mount / "others").unlink()
                if size == 1200:   # the smaller ones never hold a spool and its reserve
                    self.assertEqual(self.receive(root, dialogue(self.TAGS), "--maildir", box), ["250"] * 3)
                    self.assertEqual(self.found(box), Counter(self.TAGS))

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_a_disk_that_fills_during_the_delivery(self):
        box = self.box()
        box.mkdir()
        with disk(3000) as mount:
            root = Root(HERE, folder=mount)
            program = box / "deliver"
            program.write_text(f"#!/bin/sh\ncat >/dev/null\necho >> {box}/runs\nrm -f {root.spool}.reserve\ncat /dev/zero > {mount}/others 2>/dev/null\nexit 0\n")
            program.chmod(0o755)
            replies = [self.receive(root, dialogue(("r0",)), "--command", program) for _ in range(3)]
            self.assertEqual(replies[0], ["250"])
            self.assertEqual((box / "runs").read_text(), "\n")

    def test_single_failures(self):
        for call, most in (("pwrite64", 40), ("fdatasync", 10), ("fallocate", 4)):
            for error in ("ENOSPC", "EIO"):
                for count in range(1, most, 1 if most < 20 else 3):
                    with self.subTest(call=call, error=error, count=count):
                        box, root = self.box(), Root(HERE)
                        self.addCleanup(root.close)
                        self.receive(root, dialogue(("first",)), "--maildir", box)   # makes the spool
                        paths = [word for suffix in ("", "-wal", "-shm") for word in ("-P", f"{root.spool}{suffix}")]
                        inject = [*paths, "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={count}"]
                        replies = self.receive(root, dialogue(self.TAGS), "--maildir", box, inject=inject)
                        found = self.found(box)
                        self.assertEqual({tag for tag, reply in zip(self.TAGS, replies) if reply == "250"}, set(found) - {"first"})
                        self.assertEqual(self.receive(root, dialogue(self.TAGS), "--maildir", box), ["250"] * 3)
                        self.assertEqual(self.found(box), Counter(["first", *self.TAGS]))

    def test_a_copy_for_elsewhere_is_queued_once(self):
        both = ("bob@here.example", "eve@lan.example")
        takes = self.box()
        takes.write_text("#!/bin/sh\nexec cat >/dev/null\n")
        takes.chmod(0o755)
        for headers in ("Message-ID: <{0}@test>\r\n", ""):
            with self.subTest(headers=headers):
                root = Root(HERE + lan(1))
                self.addCleanup(root.close)
                # Not now: it comes again, and the copy is there already.
                for _ in range(2):
                    self.assertEqual(self.receive(root, dialogue(("r0",), both, headers), "--command", "false"), ["451"])
                self.assertEqual(len(root.list()), 1)
                self.assertEqual(self.receive(root, dialogue(("r0",), both, headers), "--command", takes), ["250"])
                self.assertEqual(len(root.list()), 1)
                # One that could not be told from it before may be another.
                for _ in range(2):
                    self.assertEqual(self.receive(root, dialogue(("r1",), both, headers), "--command", takes), ["250"])
                self.assertEqual(len(root.list()), 2 if headers else 3)


if __name__ == "__main__":
    side_by_side.main()
