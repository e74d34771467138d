# SPDX-License-Identifier: MIT
"""The main job: dial, log in, move the mail, hang up; and the faults of KB175410, which must leave nothing behind."""

import json
import os
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import side_by_side  # noqa: E402
from longline import PASSWORD, SCRIPT, SCRIPT_WAITS, SOURCE, TOOLS, Site, message  # noqa: E402
from modemsim import wait_until  # noqa: E402
from stopwatch import Stopwatch  # noqa: E402

JOB = "mtaq due --link isp && dialctl run isp -- mtaq flush --link isp --wait"
# Dialling, and a hang-up that waits for the modem, come on top of what a script may take.
DIAL_AND_HANG_UP = 8

EIGHT_BIT = message("eight bit", "Grüße aus Höhr-Grenzhausen\n", "m-8bit").replace(
    b"\n\n", b"\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n", 1)
LARGE = message("large", "".join(f"{i:6} " + "x" * 60 + "\n" for i in range(3000)), "m-large")
DOTS = message("dots", ".\n..\n.QUIT\n\n.\nNO CARRIER\n+++\n", "m-dots")


class Case(unittest.TestCase):
    def site(self, **options):
        site = Site(**options)
        self.addCleanup(site.close)
        return site

    def assert_idle(self, site):
        """Nothing is left: the modem on hook, the port closed, no supervisor, no ghost in the queue."""
        self.assertEqual(site.status()["state"], "down")
        # It says that it is done before it ends.
        wait_until(lambda: site.supervisor() is None, 5, "the supervisor's end")
        wait_until(lambda: len(site.sim.events("close")) == len(site.sim.events("open")), 5, "the port to be closed")
        self.assertEqual(len(site.sim.events("hangup")), len(site.sim.events("dial")))

    def assert_failed(self, result, stage, code=None, ras=None, status=75):
        self.assertEqual(result.status, status, result)
        error = result.error()
        self.assertEqual(error["stage"], stage, result)
        self.assertEqual(error["status"], status)
        if code:
            self.assertEqual(error["code"], code)
        if ras:
            self.assertEqual(error["ras"], ras)
        return error


class GoodRun(Case):
    def test_one_command_line_moves_the_mail(self):
        site = self.site()
        messages = [EIGHT_BIT, LARGE, DOTS]
        for one in messages:
            site.add(one)
        self.assertEqual(len(site.list()), 3)
        done = site.shell(JOB)
        self.assertEqual(done.status, 0, done)
        self.assertEqual(site.list(), [])
        self.assertEqual(sorted(site.delivered()), sorted(messages))
        self.assert_idle(site)
        self.assertEqual(len(site.sim.calls()), 1)
        self.assertEqual(site.sim.events("login")[0]["result"], "ok")

    def test_nothing_due_does_not_dial(self):
        site = self.site()
        done = site.shell(JOB)
        self.assertEqual(done.status, 1, done)
        self.assertEqual(site.sim.calls(), [])

    def test_over_tcp_to_a_modem_on_a_device_server(self):
        site = self.site(tcp=True)
        site.add(DOTS)
        done = site.shell(JOB)
        self.assertEqual(done.status, 0, done)
        self.assertEqual(site.delivered(), [DOTS])
        self.assert_idle(site)

    def test_to_several_recipients(self):
        site = self.site()
        site.add(DOTS, "bob@example.com", "carol@example.com")
        self.assertEqual(site.flush().status, 0)
        self.assertEqual(site.list(), [])
        self.assertGreaterEqual(len(site.delivered()), 1)

    def test_a_refused_recipient_bounces_and_the_rest_goes(self):
        site = self.site()
        site.configure()
        site.write("longline.toml", (site.root / "longline.toml").read_text().replace(
            'domains = ["example.com"]', 'domains = ["example.com", "elsewhere.example"]'))
        site.add(DOTS, "bob@example.com", "nobody@elsewhere.example")
        done = site.flush()
        self.assertEqual(done.status, 65, done)
        self.assertEqual(site.delivered(), [DOTS])
        self.assertEqual([one for one in site.list() if one["sender"] not in ("", "<>")], [])
        self.assert_idle(site)

    def test_the_dialogue_is_shown_without_its_secrets(self):
        site = self.site()
        site.add(DOTS)
        done = site.flush("--verbose")
        self.assertEqual(done.status, 0, done)
        self.assertIn("ATDT0298765432", done.errors)
        self.assertIn("assword:", done.errors)
        for text in (done.errors, done.out, json.dumps(site.events())):
            self.assertNotIn(PASSWORD, text)

    def test_a_quiet_run_says_nothing(self):
        site = self.site()
        site.add(DOTS)
        done = site.shell("mtaq --quiet due --link isp && dialctl --quiet run isp -- mtaq --quiet flush --link isp --wait")
        self.assertEqual((done.status, done.out, done.errors), (0, "", ""))

    def test_two_runs_at_once_make_one_call(self):
        site = self.site(line='rate = 57600\nrtt = "100ms"\n')
        for i in range(5):
            site.add(message(f"together {i}", ("y" * 70 + "\n") * 120))
        results = []
        threads = [threading.Thread(target=lambda: results.append(site.flush())) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([one.status for one in results], [0, 0], results)
        self.assertEqual(len(site.sim.calls()), 1)
        self.assertEqual(len(site.delivered()), 5)
        self.assertEqual(site.list(), [])
        self.assert_idle(site)


class SilentHost(Case):
    """KB175410: the provider does not answer the login script."""

    def check(self, fault, limit, link="", script=SCRIPT):
        site = self.site(faults=f"[[fault]]\ncall = 1\n{fault}\n", link=link, script=script)
        site.add(DOTS)
        begin = Stopwatch()
        done = site.flush("--json")
        taken = begin.ours()
        self.assert_failed(done, "login")
        self.assertLess(taken, limit + DIAL_AND_HANG_UP)
        self.assertEqual(len(site.list()), 1)
        time.sleep(1)  # "the next run a second later"
        again = site.flush("--json")
        self.assertEqual(again.status, 0, again)
        self.assertEqual(site.delivered(), [DOTS])
        self.assertEqual(len(site.sim.calls()), 2)
        self.assert_idle(site)

    def test_before_each_prompt(self):
        for step, seconds in SCRIPT_WAITS.items():
            with self.subTest(step=step):
                self.check(f"silent-before-step = {step}", seconds)

    def test_at_the_password_prompt(self):
        # The prompt comes and the answer is never taken: the script ends well, and no server speaks.
        site = self.site(faults="[[fault]]\ncall = 1\nsilent-after-step = 3\n", link='idle = "3s"\n')
        site.add(DOTS)
        begin = Stopwatch()
        done = site.flush("--json")
        self.assertEqual(done.status, 75, done)
        self.assertLess(begin.ours(), 3 + 2 + DIAL_AND_HANG_UP)
        self.assertEqual([one["state"] for one in site.list()], ["ready"])
        again = site.flush("--json")
        self.assertEqual(again.status, 0, again)
        self.assertEqual(site.delivered(), [DOTS])
        self.assert_idle(site)

    def test_with_a_script_that_waits_for_ever(self):
        forever = "\n".join(line.split(" until ")[0] for line in SCRIPT.splitlines()) + "\n"
        self.assertNotIn("until", forever)
        self.check("silent-before-step = 3", 3, link='login-timeout = "3s"\n', script=forever)

    def test_babble_instead_of_a_login(self):
        self.check('banner-forever = "All our operators are busy.\\r\\n"', 5)

    def test_carrier_lost_at_each_prompt(self):
        for step in (1, 2, 3):
            with self.subTest(step=step):
                self.check(f"drop-before-step = {step}", 3)

    def test_noise_before_a_prompt_does_no_harm(self):
        site = self.site(faults="[[fault]]\nnoise-before-step = 1\nnoise-bytes = 2000\n")
        site.add(DOTS)
        self.assertEqual(site.flush().status, 0)
        self.assertEqual(site.delivered(), [DOTS])

    def test_a_wrong_password_leads_nowhere_and_ends(self):
        site = self.site(link='idle = "3s"\n')
        site.write("isp.secret", "wrong\n", 0o600)
        site.add(DOTS)
        done = site.flush("--json")
        self.assertEqual(done.status, 75, done)
        self.assertNotIn(PASSWORD, done.errors)
        site.write("isp.secret", PASSWORD + "\n", 0o600)
        self.assertEqual(site.flush().status, 0)
        self.assertEqual(site.delivered(), [DOTS])


class Dialling(Case):
    def number(self, fate, delay="200ms", number="0298765432"):
        return f'[[number]]\nnumber = "{number}"\nfate = "{fate}"\ndelay = "{delay}"\n'

    def test_every_result_has_its_meaning(self):
        for fate, code, ras, status in (("busy", "line-busy", 676, 75), ("no-answer", "no-answer", 678, 75),
                                        ("no-carrier", "no-carrier", 679, 75), ("no-dialtone", "no-dial-tone", 680, 69),
                                        ("voice", None, 677, None)):
            with self.subTest(fate=fate):
                site = self.site(numbers=self.number(fate))
                site.add(DOTS)
                done = site.flush("--json")
                error = done.error()
                self.assertEqual((error["stage"], error["ras"]), ("dial", ras), done)
                if code:
                    self.assertEqual(error["code"], code)
                if status:
                    self.assertEqual(done.status, status)
                self.assertEqual(len(site.list()), 1)
                self.assert_idle(site)

    def test_the_next_number_gets_through(self):
        site = self.site(numbers=self.number("busy") + self.number("connect", number="0298765433"))
        site.configure(numbers='["0298765432", "0298765433"]', attempts="2", interval='"200ms"')
        site.add(DOTS)
        done = site.flush()
        self.assertEqual(done.status, 0, done)
        self.assertEqual([fate for _, _, fate in site.sim.calls()], ["busy", "connect"])

    def test_attempts_and_interval(self):
        site = self.site(numbers='[[number]]\nnumber = "*"\nfates = ["busy", "busy", "connect"]\ndelay = "100ms"\n')
        site.configure(attempts="3", interval='"1s"')
        site.add(DOTS)
        done = site.flush()
        self.assertEqual(done.status, 0, done)
        times = [event["t"] for event in site.sim.events("dial")]
        self.assertEqual(len(times), 3)
        self.assertGreater(times[1] - times[0], 1)

    def test_a_modem_that_never_answers_the_call(self):
        site = self.site(numbers=self.number("no-answer", "40s"))
        site.configure(**{"dial-timeout": '"2s"'})
        site.add(DOTS)
        begin = Stopwatch()
        done = site.flush("--json")
        self.assertLess(begin.ours(), 2 + DIAL_AND_HANG_UP)
        self.assert_failed(done, "dial")
        self.assert_idle(site)

    def test_a_silent_modem(self):
        site = self.site(faults="[[fault]]\nmodem-silent = true\n")
        site.add(DOTS)
        begin = Stopwatch()
        done = site.flush("--json")
        self.assertLess(begin.ours(), 30)
        self.assert_failed(done, "modem", status=69)
        self.assertEqual(site.sim.calls(), [])
        site.restart_modem()
        self.assertEqual(site.flush().status, 0)

    def test_a_babbling_modem(self):
        site = self.site(faults="[[fault]]\nmodem-babble = true\n")
        site.add(DOTS)
        begin = Stopwatch()
        done = site.flush("--json")
        self.assertLess(begin.ours(), 60)
        self.assertIn(done.status, (0, 69, 75), done)

    def test_without_echo_with_digits_and_quiet(self):
        for profile in ("E0Q0V1X4&C1&D2", "E1Q0V0X4&C1&D2", "E1Q1V1X4&C1&D2"):
            with self.subTest(profile=profile):
                site = self.site(modem=f'profile = "{profile}"\n')
                site.add(DOTS)
                done = site.flush()
                self.assertEqual(done.status, 0, done)

    def test_a_modem_deaf_to_dtr_and_to_the_escape(self):
        for fault in ("ignore-dtr", "ignore-escape"):
            with self.subTest(fault=fault):
                site = self.site(faults=f"[[fault]]\ncall = 1\n{fault} = true\nsilent-before-step = 2\n")
                site.add(DOTS)
                self.assert_failed(site.flush("--json"), "login")
                again = site.flush("--json")
                self.assertEqual(again.status, 0, again)
                self.assert_idle(site)

    def test_a_port_that_vanishes(self):
        for when in ("vanish-on-dial = true", "vanish-after-down = 40", "count-from = 'far-end'\nvanish-after-up = 100"):
            with self.subTest(when=when):
                site = self.site(faults=f"[[fault]]\n{when}\n")
                site.add(DOTS)
                done = site.flush("--json")
                self.assertIn(done.status, (69, 74, 75), done)
                self.assertEqual(site.status()["state"], "down")
                gone = site.flush("--json")
                self.assert_failed(gone, "port", status=69)
                site.restart_modem()
                again = site.flush()
                self.assertEqual(again.status, 0, again)
                self.assertIn(DOTS, site.delivered())

    def test_a_port_that_is_not_a_terminal(self):
        site = self.site()
        (site.folder / "plain").touch()
        site.configure(port=json.dumps(str(site.folder / "plain")))
        done = site.flush("--json")
        self.assertEqual(done.error()["stage"], "port")
        self.assertEqual(done.status, 69, done)


class ForeignHolder(Case):
    def check(self, site, holder, name):
        site.add(DOTS)
        done = site.flush("--json")
        error = self.assert_failed(done, "lock", ras=633)
        self.assertIn(str(holder.pid), error["message"])
        self.assertIn(name, error["message"])
        holder.terminate()
        holder.wait(10)
        again = site.flush()
        self.assertEqual(again.status, 0, again)
        self.assertEqual(site.delivered(), [DOTS])
        self.assert_idle(site)

    def test_that_locks_the_device(self):
        site = self.site()
        holder = subprocess.Popen([sys.executable, "-c",
                                   "import fcntl, os, sys, time; fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY);"
                                   "fcntl.flock(fd, fcntl.LOCK_EX); print('held', flush=True); time.sleep(600)",
                                   str(site.sim.link)], stdout=subprocess.PIPE)
        self.addCleanup(holder.kill)
        self.addCleanup(holder.stdout.close)
        holder.stdout.readline()
        self.check(site, holder, "python3")

    def test_that_left_a_lock_file(self):
        site = self.site()
        holder = subprocess.Popen(["sleep", "600"])
        self.addCleanup(holder.kill)
        lock = Path("/var/lock/LCK.." + os.path.realpath(site.sim.link).removeprefix("/dev/").replace("/", "_"))
        lock.write_text(f"{holder.pid:10}\n")
        self.addCleanup(lambda: lock.unlink(missing_ok=True))
        # The dead holder's lock file stays behind: it is taken over.
        self.check(site, holder, "sleep")


class Cron(Case):
    def cron(self, site, line):
        """As cron runs it: nearly no environment, no terminal, /bin/sh."""
        return subprocess.run(["/usr/bin/env", "-i", f"HOME={site.folder}", "LOGNAME=root", "SHELL=/bin/sh",
                               f"PATH={TOOLS}:/usr/bin:/bin", "/bin/sh", "-c", line],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60, start_new_session=True, cwd="/")

    def job(self, site):
        root = f"--root {site.root} --quiet"
        return (f"mtaq {root} due --link isp && dialctl {root} run isp -- mtaq {root} flush --link isp --wait")

    def test_a_good_run_prints_nothing_and_queues_nothing(self):
        site = self.site()
        site.add(DOTS)
        done = self.cron(site, self.job(site))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        self.assertEqual(site.list(), [])
        self.assertEqual(site.delivered(), [DOTS])
        again = self.cron(site, self.job(site))
        self.assertEqual((again.returncode, again.stdout, again.stderr), (1, b"", b""))

    def test_a_failed_run_prints_one_line(self):
        for faults, numbers in (("", '[[number]]\nnumber = "*"\nfate = "busy"\n'),
                                ("[[fault]]\nsilent-before-step = 1\n", ""),
                                ("[[fault]]\ncount-from = 'far-end'\ndrop-after-up = 60\n", "")):
            with self.subTest(faults=faults, numbers=numbers):
                site = self.site(numbers=numbers, faults=faults)
                site.add(DOTS)
                done = self.cron(site, self.job(site))
                self.assertEqual(done.returncode, 75, done)
                self.assertEqual(done.stdout, b"")
                lines = done.stderr.decode().splitlines()
                self.assertEqual(len(lines), 1, lines)
                self.assertIn("again", lines[0])
                self.assertEqual(len(site.list()), 1)

    def test_without_home(self):
        site = self.site()
        site.add(DOTS)
        done = subprocess.run(["/usr/bin/env", "-i", f"PATH={TOOLS}:/usr/bin:/bin", "/bin/sh", "-c", self.job(site)],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))


if __name__ == "__main__":
    side_by_side.main()
