#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""When a link may call, and how long: hours, budget, tariff, backoff, and the ledger of calls they are judged by."""

import datetime
import json
import os
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from longline import DialctlHost
from modemsim import BUILD, Modemsim, open_port, wait_until
from stopwatch import Stopwatch

DIALCTL = BUILD / "tools" / "dialctl"
SCENARIO = '[modem]\nanswer-delay = "20ms"\n[far-end]\ncommand = ["cat"]\n'
BUSY = '[modem]\nanswer-delay = "20ms"\n[[number]]\nnumber = "*"\nfate = "busy"\n'
TWO_NUMBERS = SCENARIO + '[[number]]\nnumber = "5551"\n[[number]]\nnumber = "*"\nfate = "busy"\n'
DAYS = ["Su", "Mo", "Tu", "We", "Th", "Fr", "Sa"]


def another_day():
    """Hours that are neither now nor within a day."""
    return f"{DAYS[(datetime.datetime.now().isoweekday() + 3) % 7]} 10:00-11:00"


class Host(DialctlHost):
    """A root folder with one link without a login script; `keys` is TOML."""

    def __init__(self, port, keys=""):
        super().__init__()
        self.port = port
        self.configure(keys)

    def configure(self, keys, number="5551"):
        (self.root / "longline.toml").write_text(
            f'[link.isp]\nport = "{self.port}"\nnumbers = ["{number}"]\nattempts = 1\ndial-timeout = "5s"\nnetwork = "stream"\n{keys}\n')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.dialctl("down", "isp", "--force")
        wait_until(lambda: self.supervisor() is None)
        self.temporary.cleanup()

    def run(self, *options):
        """dialctl run isp -- true: its status, and the error's code."""
        done = self.dialctl("--json", "run", "isp", *options, "--", "true")
        error = json.loads(done.stderr.splitlines()[-1])["error"] if done.stderr else None
        return done.returncode, error and error["code"]

    def history(self, *arguments):
        return [json.loads(line) for line in self.dialctl("--json", "history", *arguments).stdout.splitlines()]

    def ledger(self):
        return sqlite3.connect(self.root / "calls.db", timeout=5)


def seconds_until(text):
    at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (at - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


class Case(unittest.TestCase):
    def host(self, keys="", scenario=SCENARIO):
        self.sim = self.enterContext(Modemsim(scenario))
        return self.enterContext(Host(self.sim.port, keys))

    def calls(self):
        return self.sim.calls_file.read_text().count("\n")


class HoursTest(Case):
    def test_a_run_outside_the_hours_is_refused_at_once(self):
        # The port does not exist: whoever touched it would say so.
        host = self.enterContext(Host("/dev/ttyNONE7", f'hours = ["{another_day()}"]'))
        fastest = 10
        for verb in (["run", "isp", "--", "true"], ["up", "isp"]):
            for _ in range(3):
                started = Stopwatch()
                done = host.dialctl("--json", *verb)
                fastest = min(fastest, started.ours())
                error = json.loads(done.stderr)["error"]
                self.assertEqual((done.returncode, error["code"], error["stage"], error["status"]), (77, "outside-hours", "policy", 77))
                self.assertIn(another_day(), error["message"])
                self.assertRegex(error["message"], r"the next call is allowed on \w{3} \d{4}-\d\d-\d\d 10:00$")
        self.assertLess(fastest, 0.1)
        self.assertEqual(list(host.root.iterdir()), [host.root / "longline.toml"], "nothing was begun")
        status = host.status()
        self.assertEqual((status["state"], status["reason"], status["unreachable_until"]), ("down", "dial-out-hours", None))
        plan = json.loads(host.dialctl("--json", "plan", "isp").stdout)
        self.assertEqual((plan["allowed"], plan["reason"], plan["calls_today"]), (False, "dial-out-hours", 0))
        self.assertGreater(seconds_until(plan["next_allowed"]), 86400)
        self.assertIn("next call is allowed on", host.dialctl("plan", "isp").stdout)
        self.assertIn("outside its hours", host.dialctl("list").stdout)

    def test_urgent_calls_break_them_where_the_entry_allows(self):
        host = self.host(f'hours = ["{another_day()}"]')
        self.assertEqual(host.run("--grade", "urgent"), (77, "outside-hours"))
        host.configure(f'hours = ["{another_day()}"]\nurgent-any-hour = true')
        self.assertEqual(host.run("--grade", "normal"), (77, "outside-hours"))
        self.assertEqual(host.run("--now"), (77, "outside-hours"))
        self.assertEqual(self.calls(), 0)
        self.assertEqual(host.run("--grade", "urgent"), (0, None))
        self.assertEqual(host.dialctl("up", "isp", "--grade", "urgent").returncode, 0)
        self.assertEqual(host.run(), (0, None), "who joins a call makes none")
        self.assertEqual(host.dialctl("down", "isp").returncode, 0)
        self.assertEqual(host.dialctl("run", "isp", "--grade", "high", "--", "true").returncode, 64)

    def test_a_call_ends_when_the_last_urgent_user_of_it_is_gone(self):
        host = self.host(f'hours = ["{another_day()}"]\nurgent-any-hour = true')
        urgent = host.start("run", "isp", "--grade", "urgent", "--", "sleep", "1")
        wait_until(lambda: host.status()["state"] == "up")
        other = host.start("--json", "run", "isp", "--", "sleep", "60")
        self.assertEqual(urgent.wait(20), 0)
        self.assertEqual(other.wait(20), 75)
        urgent.communicate()
        self.assertEqual(json.loads(other.communicate()[1])["error"]["code"], "call-limit")

    def test_within_the_hours_nothing_is_in_the_way(self):
        host = self.host('hours = ["Mo-Su 00:00-24:00"]')
        self.assertEqual(host.run(), (0, None))
        self.assertIsNone(host.status()["reason"])


class BudgetTest(Case):
    def test_calls_per_day(self):
        host = self.host("budget = { calls-per-day = 2 }")
        self.assertEqual([host.run() for _ in range(2)], [(0, None)] * 2)
        started = Stopwatch()
        done = host.dialctl("--json", "run", "isp", "--", "true")
        self.assertLess(started.ours(), 1)
        error = json.loads(done.stderr)["error"]
        self.assertEqual((done.returncode, error["code"], error["stage"]), (77, "over-budget", "policy"))
        self.assertIn("2 of 2 calls-per-day", error["message"])
        self.assertRegex(error["message"], r"allowed on \w{3} \d{4}-\d\d-\d\d 00:00$")
        self.assertEqual(host.run("--now", "--grade", "urgent"), (77, "over-budget"))
        self.assertEqual(self.calls(), 2)
        self.assertEqual((host.status()["state"], host.status()["reason"]), ("down", "budget"))
        plan = json.loads(host.dialctl("--json", "plan", "isp").stdout)
        self.assertEqual((plan["calls_today"], plan["allowed"]), (2, False))
        self.assertIn("today 2 of 2 calls", host.dialctl("plan", "isp").stdout)

    def test_a_call_that_never_came_to_be_is_none(self):
        host = self.host("budget = { calls-per-day = 1 }", BUSY)
        self.assertEqual([host.run() for _ in range(2)], [(75, "line-busy")] * 2)

    def test_a_call_is_ended_before_the_budget_is_overdrawn(self):
        # Two seconds an increment; three of them fit.
        host = self.host('tariff = { setup = 0.10, per-minute = 3.0, increment = "2s" }\nbudget = { cost-per-month = 0.40 }')
        run = host.start("--json", "run", "isp", "--", "sleep", "60")
        wait_until(lambda: host.status()["state"] == "up")
        up = Stopwatch()
        wait_until(lambda: host.status()["state"] != "up")
        self.assertLess(up.ours(), 6.8)
        self.assertEqual(run.wait(20), 75)
        self.assertEqual(json.loads(run.communicate()[1])["error"]["code"], "call-limit")
        call = host.history()[0]
        self.assertEqual((call["result"], call["stage"]), ("call-limit", "policy"))
        self.assertGreater(call["seconds"], 4.8)
        self.assertEqual(host.run(), (77, "over-budget"))
        plan = json.loads(host.dialctl("--json", "plan", "isp").stdout)
        self.assertGreaterEqual(plan["cost_month"], 0.40)
        self.assertEqual(host.dialctl("show", "isp").stdout.count("per-minute = 3"), 1)

    def test_max_call(self):
        host = self.host('max-call = "2s"')
        run = host.start("--json", "run", "isp", "--", "sleep", "60")
        wait_until(lambda: host.status()["state"] == "up")
        up = Stopwatch()
        wait_until(lambda: host.status()["state"] != "up")
        self.assertLess(up.ours(), 4)
        self.assertEqual(run.wait(20), 75)
        error = json.loads(run.communicate()[1])["error"]
        self.assertEqual((error["code"], error["stage"], error["ras"]), ("call-limit", "policy", None))

    def test_idle_uses_what_is_paid_for_and_no_more(self):
        host = self.host('idle = "1s"\ntariff = { per-minute = 1.0, increment = "4s" }')
        self.assertEqual(host.dialctl("up", "isp").returncode, 0)
        up = Stopwatch()
        wait_until(lambda: host.status()["state"] != "up")
        self.assertLess(up.ours(), 4.3)
        wait_until(lambda: host.status()["state"] == "down")
        self.assertGreater(host.history()[0]["seconds"], 2.9)
        self.assertEqual((host.status()["last_error"]["code"], host.status()["last_error"]["ras"]), ("idle-timeout", 828))


class BackoffTest(Case):
    def test_a_link_that_failed_is_left_alone(self):
        host = self.host('backoff = "10m..6h"', BUSY)
        self.assertEqual(host.run(), (75, "line-busy"))
        done = host.dialctl("--json", "run", "isp", "--", "true")
        error = json.loads(done.stderr)["error"]
        self.assertEqual((done.returncode, error["code"], error["stage"], error["temporary"]), (75, "unreachable", "policy", True))
        self.assertRegex(error["message"], r"unreachable until \w{3} \d{4}-\d\d-\d\d \d\d:\d\d, after 1 failed call")
        self.assertEqual(host.dialctl("up", "isp").returncode, 75)
        self.assertEqual(self.calls(), 1)
        status = host.status()
        self.assertEqual((status["state"], status["reason"], status["last_error"]["code"]), ("unreachable", "connection-failure", "line-busy"))
        self.assertTrue(595 < seconds_until(status["unreachable_until"]) <= 661, status)
        self.assertEqual(host.dialctl("status", "isp").returncode, 1)
        listed = json.loads(host.dialctl("--json", "list").stdout)
        self.assertEqual((listed["state"], listed["unreachable_until"]), ("unreachable", status["unreachable_until"]))
        event, = host.events("link.unreachable")
        self.assertEqual((event["failures"], event["ras"]), (1, 676))
        # A reboot takes the run folder away.
        subprocess.run(["rm", "-r", host.root / "run"], check=True)
        self.assertEqual(host.run(), (75, "unreachable"))

    def test_the_wait_grows_and_is_ended_by_hand(self):
        host = self.host('backoff = "10m..6h"', BUSY)
        host.run()
        with host.ledger() as db:
            db.execute("UPDATE backoff SET since = since - 3600000, since_boot = since_boot - 3600000")
        self.assertEqual(host.status()["state"], "down")
        self.assertEqual(host.run(), (75, "line-busy"))
        self.assertTrue(1190 < seconds_until(host.status()["unreachable_until"]) <= 1321)
        self.assertEqual(host.run("--now"), (75, "line-busy"))
        self.assertTrue(595 < seconds_until(host.status()["unreachable_until"]) <= 661, "by hand it starts anew")
        self.assertEqual(self.calls(), 3)

    def test_success_resets_it(self):
        host = self.host('backoff = "10m..6h"', TWO_NUMBERS)
        host.configure('backoff = "10m..6h"', number="1")
        self.assertEqual(host.run(), (75, "line-busy"))
        host.configure('backoff = "10m..6h"')
        self.assertEqual(host.run("--now"), (0, None))
        self.assertEqual((host.status()["state"], host.run()), ("down", (0, None)))

    def test_what_a_person_should_look_at_waits_for_longest(self):
        host = self.host('backoff = "10m..6h"', BUSY.replace("busy", "no-dialtone"))
        self.assertEqual(host.run(), (69, "no-dial-tone"))
        self.assertTrue(5.3 * 3600 < seconds_until(host.status()["unreachable_until"]) <= 6 * 3600)
        self.assertEqual(host.run(), (75, "unreachable"))

    def test_a_line_that_comes_up_and_drops_has_failed(self):
        host = self.host('backoff = "10m..6h"')
        run = host.start("run", "isp", "--", "sleep", "60")
        wait_until(lambda: host.status()["state"] == "up")
        self.sim.drop_carrier()
        self.assertEqual(run.wait(20), 75)
        run.communicate()
        self.assertEqual(host.run(), (75, "unreachable"))
        self.assertEqual(self.calls(), 1)

    def test_a_call_that_moved_nothing_has_failed(self):
        host = self.host('backoff = "10m..6h"')
        for moved, state, result in ((2, "down", ("ok", None, None)), (0, "unreachable", ("nothing-moved", "transfer", "3 messages were due, none moved"))):
            self.assertEqual(host.dialctl("up", "isp").returncode, 0)
            with socket.socket(socket.AF_UNIX) as control:
                control.connect(str(host.root / "run" / "isp.sock"))
                report = {"op": "report", "due": 3, "moved": moved, "connector": "hub"}
                control.sendall((json.dumps(report) + '\n{"op":"status"}\n').encode())
                self.assertIn(b'"status"', control.recv(4096), "the report was read")
            self.assertEqual(host.dialctl("down", "isp").returncode, 0)
            wait_until(lambda: host.status()["state"] == state)
            call = host.history()[-1]
            self.assertEqual((call["due"], call["moved"]), (3, moved))
            self.assertEqual((call["result"], call["stage"], call["cause"]), result)
        self.assertEqual([e["id"] for e in host.events("link.nothing-moved")], [9316])
        self.assertIn("none moved", host.events("link.unreachable")[0]["text"])
        text = host.dialctl("history").stdout
        self.assertEqual([line.split()[-1] for line in text.splitlines()[1:3]], ["ok", "nothing-moved"])
        self.assertRegex(text, r"(?m)^failures by cause\n  nothing-moved +1 #")
        self.assertRegex(text, r"(?m)^\d{4}-\d\d-\d\d +2 +1 ")

    def test_ten_at_once_make_one_failed_call(self):
        host = self.host('backoff = "10m..6h"', BUSY)
        runs = [host.start("--json", "run", "isp", "--", "true") for _ in range(10)]
        ends = [(run.wait(40), json.loads(run.communicate()[1])["error"]["code"]) for run in runs]
        self.assertLessEqual(set(ends), {(75, "line-busy"), (75, "unreachable")})
        self.assertEqual(self.calls(), 1)

    def test_without_a_backoff_every_run_may_dial(self):
        host = self.host("", BUSY)
        self.assertEqual([host.run() for _ in range(3)], [(75, "line-busy")] * 3)
        self.assertEqual(self.calls(), 3)

    def test_a_port_in_use_says_nothing_about_the_link(self):
        host = self.host('backoff = "10m..6h"')
        with open_port(self.sim.port) as port:
            subprocess.run(["flock", "--nonblock", str(port.fileno())], pass_fds=[port.fileno()], check=True)
            self.assertEqual(host.run(), (75, "port-in-use"))
        self.assertEqual(host.run(), (0, None))

    def test_a_calendar_that_jumps_by_a_year(self):
        host = self.host('backoff = "10m..6h"', BUSY)
        host.run()
        year = 365 * 86_400_000
        with host.ledger() as db:
            db.execute("UPDATE backoff SET since = since + ?, boot = 'another'", (year,))
        self.assertLess(seconds_until(host.status()["unreachable_until"]), 661, "at most what the configuration allows")
        self.assertEqual(host.run(), (75, "unreachable"))
        with host.ledger() as db:
            since, = db.execute("SELECT since FROM backoff").fetchone()
        self.assertLess(abs(since / 1000 - time.time()), 60, "and it will be over in time")
        with host.ledger() as db:
            db.execute("UPDATE backoff SET since = since - ?", (year,))
        self.assertEqual(host.run(), (75, "line-busy"))


class LedgerTest(Case):
    def test_history(self):
        host = self.host("tariff = { setup = 0.10, per-minute = 0.05 }", TWO_NUMBERS)
        self.assertEqual(host.run(), (0, None))
        host.configure("tariff = { setup = 0.10, per-minute = 0.05 }", number="1")
        self.assertEqual(host.run(), (75, "line-busy"))
        good, bad = host.history()
        self.assertEqual((good["link"], good["number"], good["attempts"], good["result"], good["cost"], good["ras"], good["cause"]),
                         ("isp", "5551", 1, "ok", 0.15, None, None))
        self.assertLessEqual(good["started"][:19], good["connected"][:19])
        self.assertLessEqual(good["connected"][:19], good["ended"][:19])
        self.assertTrue(0 <= good["seconds"] < 20)
        self.assertEqual((bad["result"], bad["ras"], bad["stage"], bad["connected"], bad["cost"]), ("line-busy", 676, "dial", None, 0))
        text = host.dialctl("history").stdout
        self.assertIn("failures by cause\n  line-busy (676)", text)
        self.assertRegex(text, r"(?m)^\d{4}-\d\d-\d\d +1 +1 .*#")
        self.assertEqual(host.history("isp"), [good, bad])
        self.assertEqual(host.history("--since", "1h"), [good, bad])
        self.assertEqual(host.history("--since", (datetime.date.today() + datetime.timedelta(1)).isoformat()), [])
        self.assertEqual(host.dialctl("history", "--since", "soon").returncode, 64)
        self.assertEqual(host.dialctl("history", "isq").returncode, 66)

    def test_no_call_no_history(self):
        with Host("/dev/ttyNONE7") as host:
            done = host.dialctl("history")
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_a_call_under_way_counts_and_so_does_one_that_was_killed(self):
        host = self.host("budget = { calls-per-day = 1 }")
        self.assertEqual(host.dialctl("up", "isp").returncode, 0)
        self.assertEqual([(c["result"], c["ended"]) for c in host.history()], [("under-way", None)])
        os.kill(host.supervisor(), signal.SIGKILL)
        wait_until(lambda: host.supervisor() is None)
        self.assertEqual(host.run(), (77, "over-budget"))
        host.configure("")
        self.assertEqual(host.run(), (0, None))
        self.assertEqual([c["result"] for c in host.history()], ["interrupted", "ok"])

    def check_trouble(self, prepare, works_later=False):
        host = self.host('budget = { calls-per-day = 10 }\nbackoff = "10m..6h"')
        prepare(host.root / "calls.db")
        self.assertEqual(host.run(), (0, None))
        event, = host.events("ledger.failed")
        self.assertIn(str(host.root / "calls.db"), event["text"])
        self.assertEqual((event["link"], event["stage"]), ("isp", "policy"))
        self.assertEqual(host.status()["state"], "down")
        self.assertEqual(host.dialctl("plan", "isp").returncode, 0)
        self.assertEqual(host.run(), (0, None))
        self.assertEqual(len(host.history()), 2 if works_later else 0)

    def test_a_damaged_ledger_is_set_aside(self):
        self.check_trouble(lambda path: path.write_bytes(b"no database at all\n" * 300), works_later=True)

    def test_a_ledger_that_cannot_be_written_is_done_without(self):
        for prepare in (lambda path: path.symlink_to("/dev/full"), lambda path: path.mkdir()):
            self.check_trouble(prepare)

    def test_on_a_full_disk_what_can_be_read_still_holds(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", folder], capture_output=True)
        if made.returncode != 0:
            self.skipTest("no mount here")
        self.addCleanup(subprocess.run, ["umount", folder], check=True)
        host = self.host("budget = { calls-per-day = 2 }")
        (host.root / "calls.db").symlink_to(Path(folder) / "calls.db")
        self.assertEqual(host.run(), (0, None))
        with open(Path(folder) / "ballast", "wb", buffering=0) as ballast, self.assertRaises(OSError):
            while True:
                ballast.write(b"x" * 4096)
        self.assertEqual(host.run(), (0, None))
        self.assertIn("disk full", host.events("ledger.failed")[0]["text"])
        self.assertEqual(json.loads(host.dialctl("--json", "plan", "isp").stdout)["calls_today"], 1)
        host.configure("budget = { calls-per-day = 1 }")
        self.assertEqual(host.run(), (77, "over-budget"))


class FailureHookTest(Case):
    def test_it_knows_what_failed_and_keeps_nobody_waiting(self):
        host = self.host("", BUSY)
        note = host.root / "note"
        script = f'echo "$LONGLINE_LINK $LONGLINE_CODE $LONGLINE_ERROR" >> {note}; sleep 300'
        host.configure(f"on-failure = {json.dumps(['sh', '-c', script])}")
        self.assertEqual([host.run() for _ in range(2)], [(75, "line-busy")] * 2)
        wait_until(lambda: note.exists() and note.read_text().count("isp line-busy ") == 2)
        self.assertEqual(host.status()["state"], "down")
        # A signal ends the supervisor, and what it waits for with it.
        while (pid := host.supervisor()) is not None:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            self.assertTrue(children)
            os.kill(pid, signal.SIGTERM)
            wait_until(lambda: not Path(f"/proc/{pid}").exists() and not any(Path(f"/proc/{child}").exists() for child in children))


if __name__ == "__main__":
    unittest.main(verbosity=2)
