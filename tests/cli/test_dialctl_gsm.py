#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""dialctl and a cellular modem: SIM, PIN, network, signal, causes."""

import json
import os
import unittest
from pathlib import Path

from modemsim import Modemsim
from test_dialctl import PlainHost as Host, error_of

FAR = '\n[far-end]\ncommand = ["cat"]\n'


def gsm(more="", number=""):
    return f"[gsm]\n{more}\n{number}{FAR}"


class Gsm(unittest.TestCase):
    def call(self, scenario, pin=None, **keys):
        sim = self.enterContext(Modemsim(scenario))
        keys = {"modem": "gsm", "numbers": None, **keys}
        if pin is not None:
            keys["pin_file"] = "sim.pin"
        host = Host(sim.port, **keys)
        if pin is not None:
            self.set_pin(host, pin)
        return sim, self.enterContext(host)

    @staticmethod
    def set_pin(host, pin):
        (host.root / "sim.pin").write_text(pin + "\n")
        (host.root / "sim.pin").chmod(0o600)

    def check(self, host, *options, code, status, words=""):
        result = host.run("run", "isp", *options, "--json", "--", "true")
        error = error_of(result)
        self.assertEqual((error["code"], result.returncode, error["status"]), (code, status, status), error)
        self.assertIn(words, error["message"])
        return error

    def test_a_call_with_everything_by_default(self):
        sim, host = self.call(gsm('registration = [0, 2, 1]\nsignal = 17'), apn="internet.example", init=["ATZ"])
        self.assertEqual(host.run("up", "isp").returncode, 0)
        call = host.status()["call"]
        self.assertEqual((call["number"], call["signal_dbm"]), ("*99***1#", -79))
        self.assertEqual(sim.wait_event("context")["value"], '1,"IP","internet.example"')
        self.assertEqual(sim.calls(), [(1, "*99***1#", "connect")])
        host.run("down", "isp")
        connected = [e for e in host.events() if e["event"] == "call.connected"]
        self.assertEqual(connected[0]["signal_dbm"], -79)
        history = [json.loads(line) for line in host.run("history", "isp", "--json").stdout.splitlines()]
        self.assertEqual([call["signal_dbm"] for call in history if "signal_dbm" in call], [-79])

    def test_the_scenario_that_stands_beside_the_fakes(self):
        _, host = self.call(Path(__file__).resolve().parents[1] / "fakes" / "scenarios" / "gsm.toml", pin="1234")
        result = host.run("run", "isp", "--", "true")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_the_context_is_that_of_the_number_and_an_unknown_signal_is_null(self):
        sim, host = self.call(gsm("signal = 99"), apn="internet.example", numbers=["*99***3#"])
        self.assertEqual(host.run("up", "isp").returncode, 0)
        self.assertIsNone(host.status()["call"]["signal_dbm"])
        self.assertEqual(sim.wait_event("context")["value"], '3,"IP","internet.example"')

    def test_the_pin_is_entered_once_and_shown_nowhere(self):
        sim, host = self.call(gsm('sim = "pin"\npin = "4711"\npin-delay = "1s"'), pin="4711", init=["ATE1"])
        result = host.run("run", "isp", "--verbose", "--", "true")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(host.run("run", "isp", "--", "true").returncode, 0)
        self.assertEqual([e["right"] for e in sim.events("pin")], [True])
        self.assertIn('> "********"', result.stderr)
        self.assertFalse((host.root / "isp.simpin").exists())
        everything = result.stderr + result.stdout + "".join(
            path.read_text(errors="replace") for path in host.root.rglob("*") if path.is_file() and path.name != "sim.pin")
        self.assertNotIn("4711", everything)

    def test_a_refused_pin_is_never_tried_again_until_it_is_another(self):
        sim, host = self.call(gsm('sim = "pin"\npin = "4711"'), pin="1111")
        self.check(host, code="sim-pin-refused", status=77, words="incorrect password")
        # Neither by another process nor after an edit of the file that leaves the PIN.
        self.set_pin(host, "1111")
        for _ in range(2):
            self.check(host, code="sim-pin-refused", status=77, words="not tried again")
        self.assertEqual([e["right"] for e in sim.events("pin")], [False])
        record = (host.root / "isp.simpin").read_text()
        self.assertNotIn("1111", record.replace(json.loads(record)["pin"], ""))
        self.assertEqual(os.stat(host.root / "isp.simpin").st_mode & 0o777, 0o600)
        self.set_pin(host, "4711")
        self.assertEqual(host.run("run", "isp", "--", "true").returncode, 0)
        self.assertEqual([e["right"] for e in sim.events("pin")], [False, True])

    def test_now_tries_a_refused_pin_once_more_and_the_puk_is_said(self):
        sim, host = self.call(gsm('sim = "pin"\npin = "4711"\npin-tries = 2'), pin="1111")
        self.check(host, code="sim-pin-refused", status=77)
        self.check(host, "--now", code="sim-pin-refused", status=77, words="SIM PUK required")
        error = self.check(host, code="sim-pin-refused", status=77, words="PUK")
        self.assertIn("by hand", error["hint"])
        self.assertEqual(len(sim.events("pin")), 2)

    def test_a_pin_that_nobody_answered_is_tried_once_more_not_for_ever(self):
        # What a supervisor leaves that was killed between the PIN and its answer: the record of a refusal, but for its state.
        sim, host = self.call(gsm('sim = "pin"\npin = "4711"'), pin="1111")
        self.check(host, code="sim-pin-refused", status=77)
        sim.stop()
        path = host.root / "isp.simpin"
        record = json.loads(path.read_text())
        for unanswered, taken in ((1, True), (2, False)):
            path.write_text(json.dumps({**record, "state": "tried", "unanswered": unanswered}) + "\n")
            with Modemsim(gsm('sim = "pin"\npin = "1111"')) as modem:
                self.configure_port(host, modem.port)
                if taken:
                    self.assertEqual(host.run("run", "isp", "--", "true").returncode, 0)
                    self.assertFalse(path.exists())
                else:
                    self.check(host, code="sim-pin-refused", status=77, words="tried twice")
                self.assertEqual([e["right"] for e in modem.events("pin")], [True] * taken)

    @staticmethod
    def configure_port(host, port):
        path = host.root / "longline.toml"
        lines = [f"port = {json.dumps(port)}" if line.startswith("port =") else line for line in path.read_text().splitlines()]
        path.write_text("\n".join(lines) + "\n")

    def test_a_pin_that_cannot_be_remembered_is_not_entered(self):
        sim, host = self.call(gsm('sim = "pin"\npin = "4711"'), pin="4711")
        (host.root / "isp.simpin").mkdir()
        self.check(host, code="sim-pin-refused", status=77)
        self.assertEqual(sim.events("pin"), [])

    def test_what_is_wrong_with_the_sim_is_said(self):
        for scenario, keys, code, status, words in [
                ('sim = "missing"', {}, "sim-missing", 69, "SIM not inserted"),
                ('sim = "failure"', {}, "sim-missing", 69, "SIM failure"),
                ('sim = "puk"', {}, "sim-pin-refused", 77, "PUK"),
                ('sim = "pin"', {}, "config", 78, "none is configured")]:
            with self.subTest(scenario):
                _, host = self.call(gsm(scenario), **keys)
                error = self.check(host, code=code, status=status, words=words)
                self.assertEqual(error["stage"], "modem")

    def test_a_pin_is_four_to_eight_digits(self):
        sim, host = self.call(gsm('sim = "pin"'), pin='12"\rATD0')
        self.check(host, code="config", status=78, words="4 to 8 digits")
        self.assertEqual(sim.events("pin"), [])

    def test_a_busy_sim_is_waited_for(self):
        _, host = self.call(gsm('sim-busy = "2s"'))
        self.assertEqual(host.run("run", "isp", "--", "true").returncode, 0)

    def test_the_network_decides(self):
        for scenario, keys, code, status in [
                ("registration = [2, 3]", {}, "registration-denied", 77),
                ("registration = 5", {}, "roaming-refused", 77),
                ("registration = [0, 2]", {"registration_timeout": "2s"}, "not-registered", 75),
                # A packet call asks the packet networks first.
                ("registration = 1\npacket-registration = 3\neps-registration = -1", {}, "registration-denied", 77)]:
            with self.subTest(scenario):
                sim, host = self.call(gsm(scenario + "\nsignal = 3"), **keys)
                error = self.check(host, code=code, status=status)
                self.assertEqual((error["stage"], error["temporary"]), ("modem", status == 75))
                failed = [e for e in host.events() if e["event"] == "call.failed"]
                self.assertEqual((failed[0]["signal_dbm"], failed[0]["stage"]), (-107, "modem"))
                self.assertEqual(sim.calls(), [], "the number is not dialled")

    def test_who_may_roam_roams(self):
        _, host = self.call(gsm("registration = 5"), roaming=True)
        self.assertEqual(host.run("run", "isp", "--", "true").returncode, 0)

    def test_a_modem_without_lte_and_one_that_attaches_when_it_dials(self):
        for scenario in ("registration = 1\npacket-registration = 0\neps-registration = -1",
                         "registration = -1\npacket-registration = -1\neps-registration = -1"):
            with self.subTest(scenario):
                _, host = self.call(gsm(scenario))
                self.assertEqual(host.run("run", "isp", "--", "true").returncode, 0)

    def test_a_failed_call_has_the_networks_cause(self):
        number = '[[number]]\nnumber = "*"\nfate = "no-carrier"\n'
        _, host = self.call(gsm('cause = "SM failed,\\u001b requested service option not subscribed"', number))
        error = self.check(host, code="no-carrier", status=75, words="requested service option not subscribed")
        self.assertNotIn("\x1b", error["message"])
        self.assertEqual(error["stage"], "dial")

    def test_a_cme_error_to_the_dial_command_has_a_meaning(self):
        number = '[[number]]\nnumber = "*"\nfate = "error"\ntext = "+CME ERROR: 149"\n'
        _, host = self.call(gsm("", number))
        self.check(host, code="auth-refused", status=77, words="PDP authentication failure")

    def test_a_refused_access_point(self):
        _, host = self.call(gsm("refuse-apn = true"), apn="nonsense.example")
        self.check(host, code="modem-error", status=69, words="nonsense.example")

    def test_show_and_plan(self):
        with Host("/dev/ttyNONE7", modem="gsm", numbers=None, apn="internet.example", roaming=True,
                  reset_command=["/sbin/reset", "1"]) as host:
            shown = host.run("show", "isp").stdout
            self.assertIn('dial = "ATD"\n', shown)
            (host.root / "longline.toml").write_text(shown)
            self.assertEqual(host.run("show", "isp").stdout, shown)
            plan = json.loads(host.run("plan", "isp", "--json").stdout)["commands"]
            self.assertEqual(plan[-1], "ATD*99***1#")
            self.assertIn('AT+CGDCONT=1,"IP","internet.example"', plan)
            self.assertLess(plan.index("AT+CPIN?"), plan.index("AT+CREG?"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
