#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The twelve faults of tests/fakes/README.md: each ends with its stage, code, RAS number and status, and the next good call works."""

import fcntl
import os
import re
import unittest
from pathlib import Path

from modemsim import Modemsim, open_port
from stopwatch import Stopwatch
from test_dialctl import Host, error_of

README = Path(__file__).resolve().parents[1] / "fakes" / "README.md"
SCRIPT = "ABORT incorrect TIMEOUT 2\nervice? p\nsername: $USERID\nssword: \\q$PASSWORD\nwelcome \\c\n"
LOGIN = """
[modem]
answer-delay = "50ms"
[login]
user = "alice"
password = "sesame"
tries = 1
steps = [
  { send = "Service? ", expect = "p" },
  { send = "Username: ", expect = "$user" },
  { send = "Password: ", expect = "$password" },
  { send = "welcome\\r\\n" },
]
[far-end]
command = ["sh", "-c", "printf greeting; exec cat"]
"""


def number(fate):
    return f'[[number]]\nnumber = "*"\nfates = ["{fate}", "connect"]\ndelay = "50ms"\n'


def fault(keys):
    return f"[[fault]]\n{keys}\n"


# In the README's order: the scenario beside the login, and what the configuration has otherwise.
SCENARIOS = {
    "busy": number("busy"),
    "no answer": number("no-answer"),
    "no carrier": number("no-carrier"),
    "no dial tone": number("no-dialtone"),
    "a person answers": number("voice"),
    "number blacklisted": number("blacklisted"),
    "dial command refused": number("error"),
    "modem silent": fault("open = 1\nmodem-silent = true"),
    "host silent": fault("call = 1\nsilent-after-step = 2"),
    "login refused": "",
    "dropped in the login": fault("call = 1\ndrop-after-step = 2"),
    "dropped in the session": fault('call = 1\ncount-from = "far-end"\ndrop-after-down = 4'),
}


def table():
    """Name, stage, code, RAS number and status of each fault, as the README has them."""
    rows = re.findall(r"^\| \d+ \| ([a-z ]+) \| .* \| (\w+) \| ([a-z-]+) \| (\d+) \| (\d+) \|$", README.read_text(), re.M)
    return {name: (stage, code, int(ras), int(status)) for name, stage, code, ras, status in rows}


class Faults(unittest.TestCase):
    def test_the_readme_lists_twelve(self):
        self.assertEqual(list(table()), list(SCENARIOS))
        self.assertEqual(len(SCENARIOS), 12)

    def test_each_fault_ends_as_it_should_and_the_next_call_works(self):
        for name, (stage, code, ras, status) in table().items():
            with self.subTest(name), Modemsim(LOGIN + SCENARIOS[name]) as sim:
                with Host(sim.port, script=SCRIPT, script_file="isp.chat") as host:
                    if name == "login refused":
                        (host.root / "isp.secret").write_text("wrong\n")
                    result = host.run("run", "isp", "--json", "--", "sleep", "20")
                    error = error_of(result)
                    self.assertEqual((error["stage"], error["code"], error["ras"], error["status"], result.returncode),
                                     (stage, code, ras, status, status), error)
                    self.assertEqual(error["temporary"], status == 75)
                    self.assertEqual(host.status()["last_error"]["code"], code)
                    self.check_free(sim)
                    (host.root / "isp.secret").write_text("sesame\n")
                    again = host.run("run", "isp", "--", "true")
                    self.assertEqual(again.returncode, 0, again.stderr)
                    self.assertIsNone(host.status()["last_error"])
                    self.check_free(sim)

    def check_free(self, sim):
        """As another program finds the port: no lock file, no flock, on hook."""
        device = os.path.realpath(sim.port)
        self.assertFalse((Path("/var/lock") / f"LCK..{device[5:].replace('/', '_')}").exists())
        with open_port(device) as port:
            fcntl.flock(port, fcntl.LOCK_EX | fcntl.LOCK_NB)
        connected, over = (len(sim.events(event)) for event in ("connect", "hangup"))
        self.assertGreaterEqual(over, connected)

    def test_a_port_that_vanishes_and_a_host_that_babbles(self):
        with Modemsim(LOGIN + fault("vanish-on-dial = true")) as sim, Host(sim.port) as host:
            error = error_of(host.run("run", "isp", "--json", "--", "true"))
            self.assertEqual((error["code"], error["ras"], error["status"]), ("no-device", 608, 69))
        with Modemsim("[line]\nrate = 115200\n" + LOGIN + fault('call = 1\nbanner-forever = "All work and no play. "')) as sim:
            with Host(sim.port, script=SCRIPT, script_file="isp.chat") as host:
                started = Stopwatch()
                error = error_of(host.run("run", "isp", "--json", "--", "true"))
                self.assertEqual((error["stage"], error["code"], error["ras"]), ("login", "login-timeout", 638))
                self.assertLess(started.ours(), 12)
                self.assertEqual(host.run("run", "isp", "--", "true").returncode, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
