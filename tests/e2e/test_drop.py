# SPDX-License-Identifier: MIT
"""The carrier is lost after every k-th byte of the transfer, in either direction: the next call succeeds, every message
arrives, none is lost, none is bounced, only those in flight may arrive twice.

LONGLINE_DROP_SECONDS (60) is how long each direction may take: k follows from it and from how long one round takes."""

import os
import sys
import time
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import side_by_side  # noqa: E402
from longline import Site, message  # noqa: E402

SECONDS = float(os.environ.get("LONGLINE_DROP_SECONDS", "60"))
MESSAGES = 3


class Drop(unittest.TestCase):
    LINE = 'rate = 0\nrtt = "4ms"\n'

    def setUp(self):
        self.site = Site(line=self.LINE)
        self.addCleanup(self.site.close)
        self.number = 0

    def add(self):
        sent = []
        for _ in range(MESSAGES):
            self.number += 1
            sent.append(message(f"drop {self.number:05}", "z" * 60 + "\nNO CARRIER\n.\n" + "line\n" * 100))
            self.site.add(sent[-1])
        return sent

    def check_delivered(self, sent, moment):
        self.assertEqual(self.site.list(), [], moment)
        arrived = Counter(self.site.delivered())
        self.assertEqual(set(arrived), set(sent), moment)
        self.assertLessEqual(max(arrived.values()), 2, moment)
        for path in [*self.site.maildir.glob("new/*"), *self.site.maildir.glob("cur/*")]:
            path.unlink()
        return sum(1 for count in arrived.values() if count > 1)

    def length(self, direction):
        """How many bytes a whole session takes in this direction, and how long a round takes."""
        sent = self.add()
        begin = time.monotonic()
        self.assertEqual(self.site.flush().status, 0)
        taken = time.monotonic() - begin
        self.check_delivered(sent, "clean run")
        whole = self.site.sim.wait_event("hangup")[direction]
        return whole, taken  # the login's bytes included: the last cuts may come too late to strike

    def go(self, direction):
        whole, taken = self.length(direction)
        rounds = max(4, int(SECONDS / (2 * taken + 2.5)))
        step = max(1, whole // rounds)
        faults = "".join(f'[[fault]]\ncall = {2 * i + 1}\ncount-from = "far-end"\ndrop-after-{direction} = {i * step}\n'
                         for i in range(whole // step + 1))
        self.site.restart_modem(line=self.LINE, faults=faults)
        struck, twice = 0, 0
        end = time.monotonic() + 3 * SECONDS
        for i in range(whole // step + 1):
            moment = f"carrier lost after {i * step} of {whole} bytes {direction}"
            sent = self.add()
            calls = len(self.site.sim.calls())
            first = self.site.flush()
            lost = any(e["call"] == calls + 1 and e["cause"] == "fault" for e in self.site.sim.events("carrier-lost"))
            struck += lost
            waiting = self.site.list()
            if first.status == 0:
                self.assertEqual(waiting, [], moment)
                if not lost:
                    break  # the session is shorter than that
            else:
                self.assertEqual(first.status, 75, f"{moment}: {first!r}")
                self.assertNotEqual(waiting, [], moment)
                self.assertLessEqual({one["state"] for one in waiting}, {"ready", "deferred", "in-doubt"}, moment)
            again = self.site.flush()
            if waiting:
                self.assertEqual(again.status, 0, f"{moment}: {again!r}")
            if len(self.site.sim.calls()) == calls + 1:
                self.fail(f"{moment}: the second run made no call: {again!r}")
            twice += self.check_delivered(sent, moment)
            self.assertLess(time.monotonic(), end, moment)
        print(f"{direction}: {struck} cuts, every {step} bytes of {whole}; {twice} messages arrived twice", file=sys.stderr)
        self.assertGreater(struck, 3)

    def test_of_what_we_send(self):
        self.go("up")

    def test_of_what_we_receive(self):
        self.go("down")


if __name__ == "__main__":
    side_by_side.main()
