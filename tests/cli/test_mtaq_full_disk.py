# SPDX-License-Identifier: MIT
"""A disk that is full, of many sizes: what was acknowledged is there, and goes."""

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
from support.mail import Peer, Root, lan  # noqa: E402


@contextmanager
def disk(size):
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="lf-") as mount:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", mount], check=True)
        try:
            yield Path(mount)
        finally:
            subprocess.run(["umount", mount], check=True)


def take_all(path):
    """Takes every byte that the file system has left."""
    try:
        with open(path, "wb", buffering=0) as out:
            while True:
                out.write(b"z" * 4096)
    except OSError:
        pass


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
            take_all(mount / "others")   # as any other program would
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


if __name__ == "__main__":
    side_by_side.main()
