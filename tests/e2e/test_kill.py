# SPDX-License-Identifier: MIT
"""kill -9 of any process, at any moment of the call: the next run succeeds, every message arrives, none is lost.

LONGLINE_KILL_SECONDS (30) bounds each test: the moments are taken in an order that spreads them over the call."""

import itertools
import os
import signal
import sys
import time
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import side_by_side  # noqa: E402
from longline import Site, descendants, message  # noqa: E402
from modemsim import PATIENCE, wait_until  # noqa: E402

SECONDS = float(os.environ.get("LONGLINE_KILL_SECONDS", "30"))
LEAST = 6  # moments, however slow the machine
MESSAGES = 4
# A message in flight when the line is cut may arrive twice; with pipelining so may those behind it.
WINDOW = MESSAGES
EVENTS = [("open", {}), ("dial", {}), ("connect", {}), ("prompt", {"step": 1}), ("prompt", {"step": 2}),
          ("prompt", {"step": 3}), ("far-end", {}), ("carrier-lost", {})]
OFFSETS = [0.3, 0.6, 0.1, 0.45, 0.8, 0.2, 0.95, 0.02, 0.7, 0.5, 0.15, 0.4, 0.9, 0.25, 0.75, 0.05, 0.65, 0.35, 0.85, 0.55]


def find(root, *words):
    """Pids of processes below this site whose command line has these words."""
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                line = (path / "cmdline").read_bytes().split(b"\0")
                environment = (path / "environ").read_bytes()
            except OSError:
                continue
            mine = root in line or b"LONGLINE_ROOT=" + root in environment.split(b"\0")
            if mine and all(word in line for word in words):
                found.append(int(path.name))
    return found


class Kill(unittest.TestCase):
    # About 0.3 s of transfer at this rate, beside the login.
    LINE = 'rate = 115200\nrtt = "60ms"\n'

    def setUp(self):
        self.site = Site(line=self.LINE)
        self.addCleanup(self.site.close)
        self.sent = Counter()
        self.number = 0

    def add(self):
        for _ in range(MESSAGES):
            self.number += 1
            one = message(f"kill {self.number}", "z" * 60 + "\n" + "line\n" * 200)
            self.site.add(one)
            self.sent[one] = 1

    def victims(self, kind, process):
        root = str(self.site.root).encode()
        if kind == "run":
            return [process.pid]
        if kind == "supervisor":
            supervisor = self.site.supervisor()
            return [supervisor] if supervisor else []
        if kind == "flush":
            return find(root, b"flush") and [pid for pid in find(root, b"flush") if pid != process.pid]
        supervisor = self.site.supervisor()
        return ([supervisor] if supervisor else []) + [p for p in descendants(process.pid)]

    def kill(self, kind, process):
        """False when there is nothing left to kill."""
        struck = False
        for pid in self.victims(kind, process):
            try:
                os.kill(pid, signal.SIGKILL)
                struck = True
            except ProcessLookupError:
                pass
        return struck

    def wait_for(self, process, event, fields, offset, seen):
        """The moment: the event of this call, and so long after it. False if the run ended before."""
        def come():
            if process.poll() is not None:
                return "ended"
            return sum(1 for e in self.site.sim.events(event) if all(e.get(k) == v for k, v in fields.items())) > seen

        if wait_until(come, PATIENCE, f"{event} {fields}") == "ended":
            return False
        time.sleep(offset)  # the moment within the call is what is tested
        return True

    def check_after(self, moment):
        again = self.site.flush()
        self.assertEqual(again.status, 0, f"{moment}: {again!r}\n{self.site.sim.events()[-12:]}")
        self.assertEqual(self.site.list(), [], moment)
        arrived = Counter(self.site.delivered())
        self.assertEqual([one for one in self.sent if arrived[one] == 0], [], moment)
        self.assertEqual(set(arrived), set(self.sent), moment)
        self.assertLessEqual(max(arrived.values()), 2, moment)
        for path in [*self.site.maildir.glob("new/*"), *self.site.maildir.glob("cur/*")]:
            path.unlink()
        self.sent.clear()
        return arrived

    def go(self, kind):
        transfer = [("far-end", {}, 0.6 * o) for o in OFFSETS]
        # mtaq flush lives only while the far end does.
        before = [] if kind == "flush" else [(event, fields, 0) for event, fields in EVENTS]
        pairs = itertools.zip_longest(transfer, before)
        moments = [moment for pair in pairs for moment in pair if moment] + [("open", {}, 0.6 * o) for o in OFFSETS]
        end = time.monotonic() + SECONDS
        struck = 0
        for done, (event, fields, offset) in enumerate(moments):
            if done >= LEAST and time.monotonic() > end:
                break
            moment = f"kill -9 of {kind} {offset:.2f} s after {event} {fields}"
            self.add()
            begin = time.monotonic()
            before = sum(1 for e in self.site.sim.events(event) if all(e.get(k) == v for k, v in fields.items()))
            process = self.site.start("dialctl", "run", "isp", *self.site.FLUSH)
            if self.wait_for(process, event, fields, offset, before):
                struck += self.kill(kind, process)
            if kind == "flush" or kind == "supervisor":
                process.communicate(timeout=30)
            arrived = self.check_after(moment)
            twice = sum(1 for count in arrived.values() if count > 1)
            self.assertLessEqual(twice, WINDOW, moment)
            process.communicate(timeout=30)
            print(f"{time.monotonic() - begin:6.2f} s: {moment}, {twice} twice", file=sys.stderr)
        self.assertGreaterEqual(struck, LEAST // 2)  # a run may end before its moment comes
        wait_until(lambda: self.site.supervisor() is None, 10, "the supervisor's end")
        self.assertEqual(self.site.status()["state"], "down")

    def test_of_the_supervisor(self):
        self.go("supervisor")

    def test_of_dialctl_run(self):
        self.go("run")

    def test_of_mtaq_flush(self):
        self.go("flush")

    def test_of_all_at_once(self):
        self.go("all")

    def test_the_port_is_free_and_the_modem_on_hook_within_five_seconds(self):
        for kind in ("supervisor", "run", "all"):
            with self.subTest(kind=kind):
                self.add()
                before = len(self.site.sim.events("far-end"))
                hung_up = len(self.site.sim.events("hangup"))
                process = self.site.start("dialctl", "run", "isp", *self.site.FLUSH)
                self.assertTrue(self.wait_for(process, "far-end", {}, 0.1, before))
                self.assertTrue(self.kill(kind, process))
                wait_until(lambda: len(self.site.sim.events("hangup")) > hung_up, 5, "the modem to be on hook")
                wait_until(lambda: len(self.site.sim.events("close")) == len(self.site.sim.events("open")), 5, "the port to be free")
                self.check_after(kind)
                process.communicate(timeout=30)


if __name__ == "__main__":
    side_by_side.main()
