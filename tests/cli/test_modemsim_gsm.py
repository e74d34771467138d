#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""modemsim as a cellular modem, as a DTE sees it."""

import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from modemsim import MODEMSIM, Modemsim


class Gsm(unittest.TestCase):
    def modem(self, scenario):
        sim = self.enterContext(Modemsim(scenario))
        return sim, self.enterContext(sim.dte())

    def test_a_modem_without_the_table_knows_none_of_it(self):
        _, dte = self.modem("")
        for command in ("AT+CPIN?", "AT+CSQ", "AT+CFUN=1,1", "AT+CGMM"):
            dte.command(command, "ERROR")

    def test_the_pin_its_tries_and_the_puk(self):
        sim, dte = self.modem('[gsm]\nsim = "pin"\npin = "4711"\n')
        self.assertIn(b"+CPIN: SIM PIN", dte.command("AT+CPIN?"))
        dte.command('AT+CPIN="0000"', "ERROR")              # +CMEE=0
        dte.command("AT+CMEE=1")
        dte.command('AT+CPIN="0000"', "+CME ERROR: 16")
        dte.command("AT+CMEE=2")
        dte.command('AT+CPIN="0000"', "+CME ERROR: SIM PUK required")
        self.assertIn(b"+CPIN: SIM PUK", dte.command("AT+CPIN?"))
        dte.command("AT+CFUN=1,1")
        self.assertIn(b"+CPIN: SIM PUK", dte.command("AT+CPIN?"))
        self.assertEqual([e["right"] for e in sim.events("pin")], [False, False, False])

    def test_a_right_pin_holds_until_the_restart(self):
        _, dte = self.modem('[gsm]\nsim = "pin"\npin = "4711"\npin-delay = "300ms"\n')
        dte.command("AT+CMEE=1")
        dte.command('AT+CPIN="4711"')
        dte.command("AT+CPIN?", "+CME ERROR: 14")
        time.sleep(0.35)
        self.assertIn(b"+CPIN: READY", dte.command("AT+CPIN?"))
        dte.command("AT+CFUN=1,1")
        self.assertIn(b"+CPIN: SIM PIN", dte.command("AT+CPIN?"))

    def test_registration_is_a_sequence_and_calls_need_it(self):
        _, dte = self.modem("[gsm]\nregistration = [2, 3, 1]\neps-registration = -1\nsignal = [7, 99]\ncause = \"5,33\"\n")
        self.assertIn(b"+CREG: 0,2", dte.command("AT+CREG?"))
        dte.command("ATD*99#", "NO CARRIER")
        self.assertIn(b"+CEER: 5,33", dte.command("AT+CEER"))
        self.assertIn(b"+CREG: 0,3", dte.command("AT+CREG?"))
        self.assertIn(b"+CREG: 0,1", dte.command("AT+CREG?"))
        self.assertIn(b"+CREG: 0,1", dte.command("AT+CREG?"))
        dte.command("AT+CEREG?", "ERROR")
        self.assertIn(b"+CSQ: 7,99", dte.command("AT+CSQ"))
        self.assertIn(b"+CSQ: 99,99", dte.command("AT+CSQ"))
        dte.dial("*99#")

    def test_a_modem_that_hangs_hears_only_its_restart(self):
        sim, dte = self.modem('[gsm]\nrestart = "300ms"\n[[fault]]\nmodem-hung = true\n')
        dte.send("AT\rAT+CSQ\r")
        dte.expect_silence(0.2)
        dte.send("AT+CFUN=1,1\r")
        sim.wait_event("restart")
        dte.send("AT\r")
        dte.expect_silence(0.2)
        time.sleep(0.2)
        dte.command("AT")

    def test_wrong_values_are_found(self):
        for text in ('sim = "lost"', "registration = []", "registration = [99]", 'signal = "loud"', "pin = 1234", "bogus = 1"):
            with self.subTest(text), tempfile.TemporaryDirectory() as folder:
                scenario = Path(folder) / "s.toml"
                scenario.write_text(f"[gsm]\n{text}\n")
                done = subprocess.run([MODEMSIM, scenario, "--link", f"{folder}/modem"], capture_output=True, text=True, timeout=10)
                self.assertEqual(done.returncode, 78)
                self.assertRegex(done.stderr, r"s\.toml:2:\d+: ")


if __name__ == "__main__":
    unittest.main(verbosity=2)
