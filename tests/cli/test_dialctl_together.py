#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Many cron jobs and one line: the first calls, the others join, the last one to leave hangs up, whoever is killed meanwhile."""

import json
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from modemsim import BUILD, PATIENCE, Modemsim, wait_until

DIALCTL = BUILD / "tools" / "dialctl"
SCENARIO = '[modem]\nanswer-delay = "{delay}"\n[far-end]\ncommand = ["cat"]\n'
MANY = 20


class Together(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="together-")
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        # Where nothing else holds them back, all twenty are there before the far end answers.
        over_at_once = self._testMethodName == "test_twenty_that_are_over_at_once"
        self.sim = Modemsim(SCENARIO.format(delay="8s" if over_at_once else "300ms"))
        self.addCleanup(self.sim.stop)
        (self.root / "longline.toml").write_text(f'[link.isp]\nport = "{self.sim.port}"\nnumbers = ["123"]\nnetwork = "stream"\n')

    def run_link(self, *command):
        process = subprocess.Popen([str(DIALCTL), "--root", str(self.root), "run", "isp", "--", *command], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.addCleanup(process.stderr.close)
        return process

    def status(self):
        done = subprocess.run([str(DIALCTL), "--root", str(self.root), "--json", "status", "isp"], capture_output=True, text=True, timeout=PATIENCE)
        return json.loads(done.stdout)

    def test_twenty_at_once_are_one_call(self):
        # Each stays until all are there: it is one call because they share it, not because they are quick.
        gate = self.root / "gate"
        runs = [self.run_link("sh", "-c", f"while [ ! -e {gate} ]; do sleep 0.1; done") for _ in range(MANY)]
        wait_until(lambda: len(self.status()["holders"]) == MANY, what="all to hold the link")
        gate.touch()
        self.assertEqual([(run.wait(PATIENCE), run.stderr.read()) for run in runs], [(0, "")] * MANY)
        wait_until(lambda: self.status()["state"] == "down", what="the last one to hang up")
        self.assertEqual(len(self.sim.calls()), 1)

    def test_twenty_that_are_over_at_once(self):
        runs = [self.run_link("true") for _ in range(MANY)]
        self.assertEqual([(run.wait(3 * PATIENCE), run.stderr.read()) for run in runs], [(0, "")] * MANY)
        wait_until(lambda: self.status()["state"] == "down", what="the last one to hang up")
        self.assertEqual(len(self.sim.calls()), 1)

    def test_five_that_are_killed_take_nobody_with_them(self):
        gate = self.root / "gate"
        runs = [self.run_link("sh", "-c", f"while [ ! -e {gate} ]; do sleep 0.1; done") for _ in range(MANY)]
        wait_until(lambda: len(self.status()["holders"]) == MANY and self.status()["state"] == "up", what="all to hold the link")
        # The one that started the supervisor is among them.
        victims, others = runs[::4], [run for i, run in enumerate(runs) if i % 4 != 0]
        self.assertEqual(len(victims), 5)
        for run in victims:
            run.send_signal(signal.SIGKILL)
            run.wait(PATIENCE)
        wait_until(lambda: len(self.status()["holders"]) == MANY - 5, what="the dead to be noticed")
        self.assertEqual(self.status()["state"], "up")
        gate.touch()
        self.assertEqual([(run.wait(PATIENCE), run.stderr.read()) for run in others], [(0, "")] * (MANY - 5))
        wait_until(lambda: self.status()["state"] == "down", what="the last one to hang up")
        self.assertEqual(len(self.sim.calls()), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
