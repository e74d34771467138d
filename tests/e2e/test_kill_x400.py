# SPDX-License-Identifier: MIT
"""kill -9 of either end of an X.400 association at each system call of it that writes: every message is delivered once, byte for byte, in both directions.

A clean run is traced first; then the n-th call is the last of a run, for each n. Each test takes as many n as LONGLINE_KILL_MTAQ_SECONDS (8) allows, in
steps, from a start that changes every day and is printed; LONGLINE_KILL_MTAQ_SECONDS=all takes every one."""

import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import side_by_side  # noqa: E402
from support.mail import PATIENCE  # noqa: E402
from support.x400 import Sites  # noqa: E402

SECONDS = os.environ.get("LONGLINE_KILL_MTAQ_SECONDS", "8")
START = int(os.environ.get("LONGLINE_KILL_MTAQ_START", time.time() // 86400))
WRITES = ("write", "writev", "pwrite64", "pwritev", "sendto", "sendmsg", "fsync", "fdatasync", "ftruncate", "fallocate", "unlink", "rename", "link")
CALL = re.compile(rb"^\d+ +(\w+)\(")
SIZES = "checkpoint-size = 1\nwindow = 2"
SIZE = 4000


def message(tag):
    return f"From: a@b.example\nDate: x\nMessage-ID: <{tag}@test>\nSubject: {tag}\n\n".encode() + (tag.encode() + b" ..dots\n.\n") * (SIZE // 12)


class Case(unittest.TestCase):
    def setUp(self):
        self.sites = Sites(caller=SIZES, called=SIZES)
        self.addCleanup(self.sites.close)
        self.number = 0

    def fill(self):
        """One message each way: {tag: content as it is stored}."""
        self.number += 1
        out = {}
        for site, domain in ((self.sites.a, "b.example"), (self.sites.b, "a.example")):
            tag = f"{site.name}{self.number}"
            site.root.add(message(tag), f"bob@{domain}", sender=f"alice@{site.name.lower()}.example")
            out[tag] = message(tag).replace(b"\n", b"\r\n")
        return out

    def inbox(self, site):
        db = sqlite3.connect(f"file:{site.root.spool}?mode=ro", uri=True)
        rows = [bytes(content) for (content,) in db.execute("SELECT b.content FROM messages m JOIN bodies b USING(seq) WHERE m.box=1")]
        db.close()
        return rows

    def calls_in(self, log):
        counts, calls = Counter(), []
        for line in Path(log).read_bytes().splitlines():
            found = CALL.match(line)
            if found and found.group(1).decode() in WRITES:
                name = found.group(1).decode()
                counts[name] += 1
                calls.append((name, counts[name]))
        self.assertGreater(len(calls), 20)
        return calls

    def chosen(self, calls):
        if SECONDS == "all":
            yield from calls
            return
        begin = time.monotonic()
        step, at, taken = max(1, len(calls) // 12), START % len(calls), 0
        while time.monotonic() - begin < float(SECONDS) and taken < len(calls):
            yield calls[at % len(calls)]
            taken += 1
            at += step if taken % 12 else step + 1
        print(f"{self.id().rsplit('.', 1)[1]}: killed at {taken} of {len(calls)} calls from {START % len(calls)}", file=sys.stderr)

    def finish(self, expected, call):
        """Flushes until nothing is left, and looks at what came."""
        end = time.monotonic() + PATIENCE
        while True:
            self.sites.a.root.run("flush", "--wait", status=None)
            if not self.sites.a.root.ids() and not self.sites.b.root.ids():
                break
            self.assertLess(time.monotonic(), end, call)
            if not self.sites.a.root.ids():
                self.sites.a.root.add(b"Subject: call\n\nx\n", "nobody@b.example", sender="alice@a.example")
        came = Counter(content for site in (self.sites.a, self.sites.b) for content in self.inbox(site) if b"Subject: call\r\n" not in content)
        self.assertEqual(max(came.values()), 1, call)
        self.assertEqual(set(came), set(expected.values()), call)

    def check(self):
        for site in (self.sites.a, self.sites.b):
            self.assertNotIn(b"transfer", site.root.run("check", "--json").stdout)


class Kills(Case):
    def test_the_caller(self):
        self.sites.listen()
        expected = self.fill()
        command = self.sites.a.root.command("flush", "--wait")
        with tempfile.NamedTemporaryFile() as log:
            subprocess.run(["strace", "-f", "-qq", "-o", log.name, *command], check=True, capture_output=True, timeout=PATIENCE)
            calls = self.calls_in(log.name)
        for call in self.chosen(calls):
            expected |= self.fill()
            name, count = call
            subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={count}", *command],
                           capture_output=True, timeout=PATIENCE)
            self.finish(expected, call)
        self.check()

    def test_the_called_one(self):
        expected = self.fill()
        site, port = self.sites.b, self.sites.b_port
        plain = site.root.command
        with tempfile.NamedTemporaryFile() as log:
            site.root.command = lambda *a: ["strace", "-f", "-qq", "-o", log.name, *plain(*a)] if a[0] == "receive" else plain(*a)
            site.listen(port=port)
            self.sites.a.root.flush("--wait")
            subprocess.run(["pkill", "-TERM", "-P", str(site.process.pid)], check=False)
            site.close()
            calls = self.calls_in(log.name)
        for call in self.chosen(calls):
            expected |= self.fill()
            name, count = call
            trap = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={count}"]
            site.root.command = lambda *a, t=trap: [*t, *plain(*a)] if a[0] == "receive" else plain(*a)
            try:
                site.listen(port=port)
            except AssertionError:
                pass   # killed before it could say so
            self.sites.a.root.run("flush", "--wait", status=None)
            if site.process:
                subprocess.run(["pkill", "-TERM", "-P", str(site.process.pid)], check=False)
                site.close()
            site.root.command = plain
            site.listen(port=port)
            self.finish(expected, call)
            site.close()
        self.check()


if __name__ == "__main__":
    side_by_side.main()
