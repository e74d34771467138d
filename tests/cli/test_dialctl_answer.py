#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""dialctl answer on a stream link, with the emulated modem: calls that come in, calls that go out meanwhile, a modem that is silent.
Calls with PPP are in tests/vm."""
import fcntl
import json
import os
import signal
import socket
import subprocess
import time
import unittest
from pathlib import Path

import side_by_side
from longline import Site
from modemsim import PATIENCE, wait_until

MODEM = 'answer-delay = "50ms"\n'
INCOMING = '[incoming]\nrings = 20\ninterval = "300ms"\n'


class Answer(unittest.TestCase):
    def site(self, **options):
        site = Site(modem=MODEM, faults=INCOMING, **options)
        self.addCleanup(site.close)
        return site

    def answer(self, site, *options, ready=True):
        process = site.start("dialctl", *options, "answer", "isp")

        def end():
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=PATIENCE)

        self.addCleanup(end)
        if ready:
            wait_until(lambda: site.events("answer.ready"), what="the modem's readiness")
            # The wait holds no lock.
            wait_until(lambda: not self.locked(site), what="the port's lock to go")
        return process

    @staticmethod
    def locked(site):
        if site.sim.port.startswith("tcp:"):
            lock = site.root / "run" / (site.sim.port + ".lock")
            # Not by opening it: that is how somebody asks for the port.
            return f":{lock.stat().st_ino} " in Path("/proc/locks").read_text()
        return Path("/var/lock/LCK.." + os.path.realpath(site.sim.port)[5:].replace("/", "_")).exists()

    @staticmethod
    def line(site):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(PATIENCE)
        client.connect(str(site.root / "run" / "isp.line"))
        return client

    def test_a_call_comes_in_and_its_line_is_the_links_line(self):
        site = self.site()
        process = self.answer(site)
        for call in (1, 2):
            site.sim.ring()
            status = site.wait_state("up")
            self.assertEqual(status["line"], str(site.root / "run" / "isp.line"))
            self.assertTrue(self.locked(site))
            with self.line(site) as client:
                # The far end is `mtaq receive`.
                self.assertEqual(client.makefile("rb").read(3), b"220")
            site.run("dialctl", "down", "isp", "--force", check=False)
            site.wait_state("down")
            site.sim.wait_event("hangup", count=call)
            wait_until(lambda: not self.locked(site) and len(site.sim.events("open")) > call, what="the wait for the next call")
        self.assertEqual([fate for _, _, fate in site.sim.calls()], ["incoming", "incoming"])
        self.assertEqual(len(site.events("call.ringing")), 2)
        self.assertEqual(len(site.events("call.answered")), 2)
        process.terminate()
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_a_command_joins_a_call_that_came_in(self):
        site = self.site()
        self.answer(site)
        site.sim.ring()
        site.wait_state("up")
        done = site.run("dialctl", "run", "isp", "--", "sh", "-c", 'test -S "$LONGLINE_LINE"')
        self.assertEqual(done.status, 0)
        # The caller holds the link: it does not go down with the command.
        self.assertEqual(site.status()["state"], "up")
        self.assertEqual(len(site.sim.calls()), 1)

    def test_a_call_of_ours_at_the_same_moment_gives_the_link_up(self):
        """It has the link's lock until it finds that the modem is taken: two routers that call each other must not refuse each other for it."""
        site = self.site()
        self.answer(site)
        with open(site.root / "run" / "isp.lock", "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            site.sim.ring()
            site.sim.wait_event("connect")
        site.wait_state("up")
        self.assertEqual(site.events("call.refused"), [])

    def test_the_same_modem_calls_out_meanwhile(self):
        for tcp in (False, True):
            with self.subTest(tcp=tcp):
                self.call_out_and_in(self.site(tcp=tcp))

    def call_out_and_in(self, site):
        self.answer(site)
        for call in (1, 2, 3):
            done = site.run("dialctl", "run", "isp", "--", "true")
            self.assertEqual((done.status, done.errors), (0, ""))
            site.sim.wait_event("dial", count=call)
        site.sim.wait_event("hangup", count=3)
        opened = len(site.sim.events("open"))
        wait_until(lambda: len(site.sim.events("open")) > opened or not self.locked(site), what="answer to take the modem again")
        wait_until(lambda: self.initialised_again(site), what="the modem to wait for calls again")
        site.sim.ring()
        site.wait_state("up")
        site.run("dialctl", "down", "isp", "--force")
        site.sim.wait_event("hangup", count=4)

    @staticmethod
    def initialised_again(site):
        return not site.supervisor() and not Answer.locked(site) and site.sim.events("open")[-1]["t"] > site.sim.events("hangup")[-1]["t"]

    def test_rings_are_counted(self):
        site = self.site(link="rings = 3")
        self.answer(site)
        started = time.monotonic()
        site.sim.ring()
        site.wait_state("up")
        self.assertGreater(time.monotonic() - started, 0.55)

    def test_a_silent_modem_is_survived_and_said(self):
        site = Site(modem=MODEM, faults="[[fault]]\nopen = 1\nmodem-silent = true\n" + INCOMING)
        self.addCleanup(site.close)
        process = self.answer(site, ready=False)
        trouble = wait_until(lambda: site.events("modem.trouble"), 40, "the trouble")[0]
        self.assertEqual((trouble["stage"], trouble["ras"], trouble["again_seconds"]), ("modem", 666, 15))
        self.assertIsNone(process.poll())
        self.assertFalse(self.locked(site))
        # The port was closed meanwhile, and the modem speaks when it is opened again.
        wait_until(lambda: site.events("answer.ready"), 40, "the modem to be back")
        site.sim.ring()
        site.wait_state("up")

    def test_a_port_in_use_is_waited_for(self):
        site = self.site()
        holder = subprocess.Popen(["flock", os.path.realpath(site.sim.port), "sleep", "60"], start_new_session=True)
        self.addCleanup(holder.wait)
        self.addCleanup(lambda: os.killpg(holder.pid, signal.SIGKILL))
        process = self.answer(site, ready=False)
        time.sleep(2)
        self.assertEqual(site.events("answer.ready"), [])
        self.assertIsNone(process.poll())
        os.killpg(holder.pid, signal.SIGKILL)
        wait_until(lambda: site.events("answer.ready"), what="the modem")

    def test_one_waits_on_a_port(self):
        site = self.site()
        self.answer(site)
        done = site.run("dialctl", "--json", "answer", "isp", check=False)
        self.assertEqual((done.status, done.error()["code"], done.error()["ras"]), (75, "port-in-use", 633))

    def test_kill_9_frees_the_port_and_the_next_one_takes_calls(self):
        site = self.site()
        process = self.answer(site)
        site.sim.ring()
        site.wait_state("up")
        process.kill()
        process.wait(PATIENCE)
        site.wait_state("down")
        self.answer(site)
        wait_until(lambda: len(site.events("answer.ready")) > 1, what="the second wait")
        site.sim.ring()
        site.wait_state("up")

    def test_what_only_a_person_can_mend_ends_it(self):
        site = self.site()
        for arguments, status in ((["answer"], 64), (["answer", "isq"], 66), (["demand", "isp"], 78), (["demand", "isq"], 66)):
            done = site.run("dialctl", "--json", *arguments, check=False)
            self.assertEqual(done.status, status, done)
        site.configure(network='"ppp"', script=None)
        error = site.run("dialctl", "--json", "answer", "isp", check=False)
        self.assertIn(error.status, (71, 78), error)

    def test_an_idle_wait_hardly_wakes_up(self):
        site = self.site()
        process = self.answer(site)
        time.sleep(1)

        def switches():
            text = Path(f"/proc/{process.pid}/status").read_text()
            return int(next(line.split()[1] for line in text.splitlines() if line.startswith("voluntary_ctxt_switches")))

        before = switches()
        time.sleep(2)
        self.assertLessEqual(switches() - before, 2)


if __name__ == "__main__":
    side_by_side.main()
