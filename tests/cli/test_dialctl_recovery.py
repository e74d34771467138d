#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Modems that were left in data mode, quiet, or hung: each rung of the ladder brings one back, and each is recorded."""

import json
import os
import unittest

import side_by_side
from modemsim import Modemsim, wait_until
from stopwatch import Stopwatch
from test_dialctl import PlainHost as Host, error_of

FAR = '\n[far-end]\ncommand = ["cat"]\n'


class Recovery(unittest.TestCase):
    def call(self, scenario, **keys):
        sim = self.enterContext(Modemsim(scenario))
        return sim, self.enterContext(Host(sim.port, **keys))

    @staticmethod
    def rungs(host):
        return [(e["rung"], e["helped"]) for e in host.events() if e["event"] == "modem.recovery"]

    def leave_in_data_mode(self, host):
        self.assertEqual(host.run("up", "isp").returncode, 0)
        os.kill(host.supervisor(), 9)
        wait_until(lambda: host.supervisor() is None)

    def test_a_modem_left_in_data_mode_is_brought_back_with_the_escape_sequence(self):
        sim, host = self.call("[[fault]]\nignore-dtr = true\n" + FAR)
        self.leave_in_data_mode(host)
        result = host.run("run", "isp", "--", "true")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.rungs(host), [("dtr", False), ("escape", True)])
        self.assertEqual(sim.wait_event("hangup", call=1)["cause"], "ATH")

    def test_a_peer_that_is_still_in_ppp_is_told_to_end_it(self):
        # It ends at a well-formed Terminate-Request, FCS included, and at nothing else.
        frame = "7eff7d23c0217d257d217d207d243dc77e"
        peer = ("import sys; seen = b''\n"
                f"while bytes.fromhex('{frame}') not in seen: seen += sys.stdin.buffer.read1(100) or sys.exit(1)\n")
        far = f'\n[far-end]\ncommand = {json.dumps(["python3", "-c", peer])}\n'
        sim, host = self.call("[[fault]]\nignore-dtr = true\nignore-escape = true\n" + far)
        self.leave_in_data_mode(host)
        result = host.run("run", "isp", "--", "true")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.rungs(host)[-1], ("lcp", True))
        self.assertEqual(sim.wait_event("hangup", call=1)["cause"], "far-end")

    def test_a_quiet_modem_is_made_to_speak(self):
        _, host = self.call('[modem]\nprofile = "Q1"\n' + FAR)
        self.assertEqual(host.run("run", "isp", "--", "true").returncode, 0)
        self.assertEqual(self.rungs(host)[-1], ("atq0", True))

    def test_a_cellular_modem_that_hangs_is_restarted(self):
        sim, host = self.call('[gsm]\nrestart = "2s"\n[[fault]]\nmodem-hung = true\n' + FAR, modem="gsm", numbers=None)
        result = host.run("run", "isp", "--", "true", timeout=60)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.rungs(host)[-1], ("cfun", True))
        self.assertEqual(len(sim.events("restart")), 1)

    def test_the_reset_command_is_the_last_means(self):
        # The modem speaks once its port has been closed and opened again, as one that was switched off and on.
        sim, host = self.call("[[fault]]\nopen = 1\nmodem-silent = true\n" + FAR,
                              reset_command=["sh", "-c", 'echo "$LONGLINE_LINK $LONGLINE_PORT" > "$0"', "RESET"])
        path = host.root / "longline.toml"
        path.write_text(path.read_text().replace('"RESET"', json.dumps(str(host.root / "reset"))))
        result = host.run("run", "isp", "--", "true", timeout=60)
        self.assertEqual((host.root / "reset").read_text(), f"isp {sim.port}\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.rungs(host)[-1], ("reset-command", True))

    def test_a_port_that_comes_back_under_the_same_name_is_opened_again(self):
        # As a USB modem that is reset: the old device goes, a new one gets the name.
        with Modemsim("[[fault]]\nmodem-silent = true\n") as dead, Modemsim(FAR) as live:
            with Host(str(dead.port), reset_command=["sh", "-c", f"rm {dead.port}; (sleep 1; ln -s {os.path.realpath(live.port)} {dead.port}) &"]) as host:
                result = host.run("run", "isp", "--", "true", timeout=60)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual(self.rungs(host)[-1], ("reset-command", True))
                self.assertEqual(len(live.calls()), 1)

    def test_a_reset_command_that_fails_is_recorded_and_the_modem_is_silent(self):
        _, host = self.call("[[fault]]\nmodem-silent = true\n", reset_command=["sh", "-c", "exit 3"])
        started = Stopwatch()
        run = host.start("run", "isp", "--json", "--", "true")
        wait_until(lambda: len(self.rungs(host)) >= 4, 30)
        # Meanwhile somebody hangs up: nothing is left of it.
        self.assertEqual(host.run("down", "isp", "--force").returncode, 0)
        run.communicate()
        self.assertEqual(run.returncode, 75)
        self.assertLess(started.ours(), 30)
        self.assertEqual(host.run("status", "isp").returncode, 1)

    def test_a_silent_modem_is_known_after_twelve_seconds(self):
        _, host = self.call("[[fault]]\nmodem-silent = true\n")
        started = Stopwatch()
        result = host.run("run", "isp", "--json", "--", "true")
        self.assertEqual(error_of(result)["code"], "modem-silent")
        self.assertLess(started.ours(), 14)
        self.assertEqual(self.rungs(host), [(rung, False) for rung in ("dtr", "escape", "atq0", "lcp")])


if __name__ == "__main__":
    side_by_side.main()
