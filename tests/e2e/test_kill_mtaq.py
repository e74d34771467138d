# SPDX-License-Identifier: MIT
"""kill -9 at every system call of mtaq add, flush and receive: nothing acknowledged is lost, what was in flight arrives twice at most, the spool
opens clean.

A clean run is traced first; then the n-th call of it is the last of a run, for each n. Each test takes as many n as LONGLINE_KILL_MTAQ_SECONDS (8)
allows, in steps, from a start that changes every day and is printed; LONGLINE_KILL_MTAQ_SECONDS=all takes every one."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import side_by_side  # noqa: E402
from mail import LINK, PATIENCE, Peer, Root  # noqa: E402

SECONDS = os.environ.get("LONGLINE_KILL_MTAQ_SECONDS", "8")
START = int(os.environ.get("LONGLINE_KILL_MTAQ_START", time.time() // 86400))
CALL = re.compile(rb"^\d+ +(\w+)\(")


def message(tag):
    return f"From: a@b.example\nDate: x\nMessage-ID: <{tag}@test>\nSubject: {tag}\n\nline\n.\n..dots\n{'long ' * 300}\n".encode()


def stored(tag):
    return message(tag).replace(b"\n", b"\r\n")


class Case(unittest.TestCase):
    def setUp(self):
        self.root = self.new_root()
        self.number = 0
        self.acknowledged_kills = 0

    def new_root(self):
        root = Root(LINK)
        self.addCleanup(root.close)
        return root

    def fresh(self):
        self.number += 1
        return f"k{self.number}"

    def trace(self, command, stdin=b""):
        """The calls of a run from the first one that is about us: (name, how many of that name came until then)."""
        with tempfile.NamedTemporaryFile() as log:
            subprocess.run(["strace", "-f", "-qq", "-o", log.name, *command], input=stdin, capture_output=True, timeout=PATIENCE, check=True)
            lines = log.read().splitlines()
        counts, calls, begun = Counter(), [], False
        for line in lines:
            found = CALL.match(line)
            if not found:
                continue
            name = found.group(1).decode()
            counts[name] += 1
            begun = begun or b"longline.toml" in line
            if begun and name not in ("exit_group", "exit"):
                calls.append((name, counts[name]))
        self.assertGreater(len(calls), 50)
        return calls

    def each_call(self, calls):
        """Those that are to be the last."""
        if SECONDS == "all":
            yield from calls
            return
        begin, spent = time.monotonic(), 0.0
        step, at, taken = max(1, len(calls) // 12), START % len(calls), 0
        while spent < float(SECONDS) and taken < len(calls):
            yield calls[at % len(calls)]
            taken += 1
            spent = time.monotonic() - begin
            at += step if taken % 12 else step + 1
        print(f"{self.id().rsplit('.', 1)[1]}: killed at {taken} of {len(calls)} calls from {START % len(calls)}, {spent / taken:.2f} s each", file=sys.stderr)

    def killed_at(self, call, command, stdin=b""):
        name, count = call
        done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={count}", *command],
                              input=stdin, capture_output=True, timeout=PATIENCE)
        # A call that comes less often this time kills nobody; then the run must have gone well.
        self.assertIn(done.returncode, (0, 137, -9), (call, done))
        return done

    def check_spool(self, root):
        if not root.spool.exists():
            return
        with tempfile.TemporaryDirectory() as copy:
            for path in root.folder.glob("spool.db*"):
                shutil.copy(path, copy)
            db = sqlite3.connect(f"{copy}/spool.db")
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchone()[0], "ok")
            db.close()


class Add(Case):
    def check(self, root, tag, done, call):
        listed = [m for m in root.list() if m["message_id"].strip("<>") == f"{tag}@test"]
        self.assertLessEqual(len(listed), 1, call)
        if done.stdout.endswith(b"\n"):
            self.assertEqual([m["id"] for m in listed], [done.stdout.decode().strip()], call)
        if done.returncode == 0:
            self.assertEqual(len(listed), 1, call)
        for one in listed:
            self.assertEqual(one["state"], "ready")
            self.assertEqual(root.run("show", "--raw", one["id"]).stdout, stored(tag), call)

    def test_add(self):
        self.root.add(message("first"))
        acknowledged = set()
        calls = self.trace(self.root.command("add", "bob@example.com"), message(self.fresh()))
        for call in self.each_call(calls):
            tag = self.fresh()
            done = self.killed_at(call, self.root.command("add", "bob@example.com"), message(tag))
            self.check(self.root, tag, done, call)
            acknowledged |= {done.stdout.decode().strip()} - {""}
        self.assertLessEqual(acknowledged, set(self.root.ids()))
        self.check_spool(self.root)

    def test_add_into_a_new_spool(self):
        root = self.new_root()
        calls = self.trace(root.command("add", "bob@example.com"), message("x"))
        for call in self.each_call(calls):
            root = Root(LINK)
            try:
                tag = self.fresh()
                done = self.killed_at(call, root.command("add", "bob@example.com"), message(tag))
                self.check(root, tag, done, call)
                root.add(message("next"))
                self.assertIn("<next@test>", [m["message_id"] for m in root.list()], call)
                self.assertEqual(list(root.folder.glob("spool.db.new.*")), [], call)
                self.check_spool(root)
            finally:
                root.close()


class Flush(Case):
    COUNT = 3

    def fill(self):
        tags = [self.fresh() for _ in range(self.COUNT)]
        for tag in tags:
            self.root.add(message(tag), sender=f"{tag}@site7.example")
        return tags

    def go(self, **behaviour):
        command = self.root.command("flush", "--link", "isp", "--wait")
        peer = Peer(path=self.root.line, **behaviour)
        self.addCleanup(peer.close)
        self.fill()
        calls = self.trace(command)
        twice = 0
        for call in self.each_call(calls):
            tags = self.fill()
            before = len(peer.messages)
            self.killed_at(call, command)
            left = self.root.list()
            self.assertLessEqual({m["state"] for m in left}, {"ready", "in-doubt"}, call)
            self.assertGreaterEqual(len({body for _, _, body in peer.messages[before:]}) + len(left), self.COUNT, call)
            receipts = self.root.flush("--link", "isp", "--wait")
            self.assertEqual(set(receipts), {m["id"] for m in left}, call)
            self.assertEqual(self.root.list(), [], call)
            arrived = Counter(body for _, _, body in peer.messages[before:])
            self.assertEqual(set(arrived), {stored(tag) for tag in tags}, call)
            self.assertLessEqual(max(arrived.values()), 2, call)
            for sender, recipients, body in peer.messages[before:]:
                self.assertEqual((f"{sender.split('@')[0]}@test" in body.decode(), recipients), (True, ["bob@example.com"]), call)
            twice += sum(count == 2 for count in arrived.values())
        print(f"{twice} messages arrived twice", file=sys.stderr)
        self.check_spool(self.root)

    def test_flush(self):
        self.go()

    def test_flush_without_chunking(self):
        self.go(chunking=False)


class Receive(Case):
    COUNT = 2

    def dialogue(self, tags):
        out = b"EHLO peer.example\r\n"
        for tag in tags:
            body = stored(tag)
            out += b"MAIL FROM:<a@b.example>\r\nRCPT TO:<bob@far.example>\r\nBDAT %d LAST\r\n" % len(body) + body
        return out + b"QUIT\r\n"

    def acknowledged(self, done):
        """How many messages it took: the replies after greeting and EHLO are three a message, the third for the message."""
        replies = [line for line in done.stdout.split(b"\r\n")[:-1] if line[3:4] == b" "]
        return max(0, len(replies) - 2) // 3

    def go(self, options, contents):
        command = [*self.root.command("receive", "--stdio", "--domain", "far.example"), *options]
        calls = self.trace(command, self.dialogue([self.fresh() for _ in range(self.COUNT)]))
        contents()
        for call in self.each_call(calls):
            tags = [self.fresh() for _ in range(self.COUNT)]
            done = self.killed_at(call, command, self.dialogue(tags))
            found = contents()
            whole = [sum(body.endswith(stored(tag)) or body.replace(b"\r\n", b"\n").endswith(message(tag)) for body in found) for tag in tags]
            self.assertEqual(len(found), sum(whole), (call, "half a message"))
            self.assertLessEqual(max(whole), 1, call)
            self.assertTrue(all(whole[:self.acknowledged(done)]), (call, done.stdout))
            # What the peer has no reply for it sends again.
            again = subprocess.run(command, input=self.dialogue(tags[self.acknowledged(done):]), capture_output=True, timeout=PATIENCE)
            self.assertEqual(again.returncode, 0, (call, again))
            found += contents()
            for tag in tags:
                self.assertIn(sum(body.replace(b"\r\n", b"\n").endswith(message(tag)) for body in found), (1, 2), call)
        self.check_spool(self.root)

    def test_receive_into_a_maildir(self):
        box = self.root.folder / "box"

        def contents():
            paths = [*box.glob("new/*"), *box.glob("cur/*")]
            found = [path.read_bytes() for path in paths]
            for path in paths:
                path.unlink()
            return found

        self.go(["--maildir", str(box)], contents)

    def test_receive_into_the_inbox(self):
        def contents():
            ids = self.root.ids("--inbox")
            found = [self.root.run("show", "--raw", id).stdout for id in ids]
            if ids:
                self.root.run("remove", *ids)
            return found

        self.go([], contents)


if __name__ == "__main__":
    side_by_side.main()
