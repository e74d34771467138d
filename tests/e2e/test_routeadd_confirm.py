#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""routeadd apply --confirm: the old table comes back unless it is confirmed, whatever becomes of routeadd meanwhile."""
import json
import os
import pty
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from netns import Namespace, require_root  # noqa: E402

ROUTEADD = os.path.abspath(os.path.join(os.environ.get("LONGLINE_BUILD", "build"), "tools", "routeadd"))
PATIENCE = 20  # seconds; for what happens at once
LONG = "10m"   # longer than any test: it does not end by itself

OLD = "10.1.0.0/16 via 10.0.0.2\n10.2.0.0/16 dev veth0 mtu 1400\nfd07::/64 via fd00::9\n172.16.0.0/12 link isp fail-fast\n10.9.0.0/16 dev later\n"
NEW = "10.1.0.0/16 via 10.0.0.3\nblackhole 10.3.0.0/16\n10.9.0.0/16 dev later metric 5\n"


class ConfirmTest(unittest.TestCase):
    def setUp(self):
        self.net = Namespace()
        self.addCleanup(self.net.close)
        self.old = self.net.write("old", OLD)
        self.new = self.net.write("new", NEW)

    def ok(self, *words, status=0, **options):
        done = self.net.run(ROUTEADD, *words, **options)
        self.assertEqual(done.returncode, status, f"{words}: {done.stdout}{done.stderr}")
        return done

    def start(self, *words, **options):
        """A routeadd in the background, ended with the test."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        process = subprocess.Popen(self.net.argv(ROUTEADD, "--root", self.net.root, *words), text=True, **options)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        process.kill()
        process.communicate()

    def apply(self, limit, file=None, **options):
        """`apply --confirm`, once the new routes are there."""
        process = self.start("apply", "--confirm", limit, file or self.new, **options)
        self.assertIn("added", process.stdout.readline())
        return process

    def record(self, name):
        return os.path.join(self.net.root, "run", name)

    def let_the_time_be_over(self):
        with open(self.record("routes.pending"), encoding="ascii") as file:
            words = file.read().split()
        self.assertEqual(len(words), 4)
        with open(self.record("draft"), "w", encoding="ascii") as file:
            file.write(" ".join([*words[:2], "1", words[3]]) + "\n")
        os.replace(self.record("draft"), self.record("routes.pending"))

    def wait_until(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.01)

    def rows(self):
        return self.ok("list", "--json").stdout

    def test_without_confirmation_everything_is_as_before_when_the_time_is_over(self):
        self.net.ip("route add 10.66.0.0/16 via 10.0.0.9 proto static")
        self.ok("apply", self.old)
        self.net.ip("route add 10.4.0.0/16 via 10.0.0.4 proto 77")  # ours, and in no file
        table, foreign = self.net.routes(), self.net.ip("route show proto static")
        begin = time.monotonic()
        done = self.ok("apply", self.new, "--confirm", "1s", status=124)
        self.assertGreaterEqual(time.monotonic() - begin, 1)
        self.assertIn("not confirmed within 1s; the old table is back", done.stderr)
        self.assertIn("routeadd confirm", done.stderr)
        self.assertEqual(self.net.routes(), table)
        self.assertEqual(self.net.ip("route show proto static"), foreign)
        states = {row["route"]: row["state"] for row in map(json.loads, self.rows().splitlines())}
        self.assertEqual(states["10.9.0.0/16 dev later"], "waiting")
        self.assertEqual(states["172.16.0.0/12 link isp fail-fast"], "waiting")
        self.assertIn("too late", self.ok("confirm", status=124).stderr)
        with open(os.path.join(self.net.root, "events.jsonl"), encoding="utf-8") as file:
            self.assertIn('"event":"route.restored"', file.read())

    def test_the_first_apply_of_all_goes_back_to_what_was_there(self):
        self.net.ip("route add 10.4.0.0/16 via 10.0.0.4 proto 77")
        table = self.net.routes()
        self.net.write("routes", NEW)
        error = json.loads(self.ok("apply", "--confirm", "200ms", "--json", status=124).stderr)["error"]
        self.assertEqual((error["code"], error["status"], error["stage"]), ("deadline", 124, "route"))
        self.assertEqual(self.net.routes(), table)
        self.assertNotIn("10.3.0.0", self.rows())  # the file is not in force, though it says so

    def test_confirmed_it_stays(self):
        self.ok("apply", self.old)
        process = self.apply(LONG)
        table = self.net.routes()
        self.assertEqual(self.ok("confirm").stdout, "confirmed\n")
        self.assertEqual(process.wait(PATIENCE), 0)
        self.assertEqual(self.net.routes(), table)
        self.assertEqual(self.ok("apply", self.new).stdout.split(";")[0], "nothing to do")
        self.ok("confirm", status=66)
        # Killed, and confirmed in time all the same.
        process = self.apply(LONG, self.old)
        self.end(process)
        self.ok("confirm")
        self.assertEqual(self.ok("apply", self.old).stdout.split(";")[0], "nothing to do")

    def test_enter_on_the_terminal_confirms_and_no_undoes(self):
        self.ok("apply", self.old)
        before = self.net.routes()
        for answer, status in ((b"no\n", 75), (b"\n", 0)):
            ours, theirs = pty.openpty()
            process = self.start("apply", "--confirm", LONG, self.new, stdin=theirs, start_new_session=True,
                                 preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0))
            os.close(theirs)
            self.assertIn("Enter", process.stderr.readline())
            os.write(ours, answer)
            self.assertEqual(process.wait(PATIENCE), status, answer)
            os.close(ours)
            self.assertEqual(self.net.routes() == before, status != 0)

    def test_killed_meanwhile_the_next_command_puts_it_back(self):
        self.ok("apply", self.old)
        table = self.net.routes()
        for words, status in ((["list"], 0), (["plan", self.old], 0), (["check"], 0), (["get", "10.0.0.2"], 0), (["export"], 0),
                              (["apply", self.old], 0), (["confirm"], 124), (["up", "nothing"], 69)):
            self.end(self.apply(LONG))
            self.assertNotEqual(self.net.routes(), table)
            self.let_the_time_be_over()
            done = self.ok(*words, status=status)
            self.assertIn("the old table is back", done.stderr, words)
            self.assertEqual(self.net.routes(), table, words)
            self.assertEqual(self.ok("list").stderr, "")

    def test_killed_meanwhile_watch_puts_it_back(self):
        self.ok("apply", self.old)
        table = self.net.routes()
        for early in (True, False):
            watch = self.start("watch") if early else None
            self.end(self.apply("2s" if early else LONG))
            if not early:
                self.let_the_time_be_over()
                watch = self.start("watch")
            self.wait_until(lambda: self.net.routes() == table, "watch puts nothing back")
            watch.send_signal(signal.SIGTERM)
            out, errors = watch.communicate(timeout=PATIENCE)
            self.assertEqual((watch.returncode, errors.count("the old table is back")), (0, 1), out + errors)
            self.assertFalse(os.path.exists(self.record("routes.pending")))

    def test_a_cut_line_does_not_end_the_wait_and_a_signal_undoes_at_once(self):
        self.ok("apply", self.old)
        table = self.net.routes()
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.apply(LONG)
            for harmless in (signal.SIGHUP, signal.SIGTSTP):
                process.send_signal(harmless)
            process.send_signal(number)
            self.assertEqual(process.wait(PATIENCE), 75)
            self.assertEqual(self.net.routes(), table)
        process = self.apply("1s")
        process.send_signal(signal.SIGHUP)
        self.assertEqual(process.wait(PATIENCE), 124)
        self.assertEqual(self.net.routes(), table)

    def test_what_cannot_be_put_back_is_said(self):
        self.ok("apply", self.old)
        process = self.apply(LONG)
        self.net.ip("route del blackhole 10.3.0.0/16")
        self.net.ip("route add 10.2.0.0/16 via 10.0.0.9 proto static")  # foreign, in the way of one of the old routes
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 75)
        self.assertIn("'10.2.0.0/16 dev veth0 mtu 1400 (taken by 10.2.0.0/16 via 10.0.0.9 dev veth0 proto static)' is in conflict", errors)
        self.assertIn("10.1.0.0/16 via 10.0.0.2 dev veth0", self.net.routes())
        self.assertEqual(self.net.ip("route show proto static"), ["10.2.0.0/16 via 10.0.0.9 dev veth0 "])

    def test_while_it_waits_nothing_else_is_changed(self):
        self.ok("apply", self.old)
        before = self.net.routes()
        process = self.apply(LONG)
        table = self.net.routes()
        for words in (["apply", self.old], ["apply", "--confirm", "1s", self.old], ["add", *"10.8.0.0/16 dev veth0".split()], ["del", "10.3.0.0/16"]):
            done = self.ok(*words, status=75)
            self.assertIn("'routeadd confirm' keeps its routes", done.stderr)
        self.assertEqual(self.net.routes(), table)
        self.assertIn("come back in", self.ok("list").stderr)
        # Links go on: what comes up while it waits has the routes of the table that comes back.
        self.net.ip("tuntap add tun0 mode tun")
        self.net.ip("link set tun0 up")
        self.ok("up", "isp", "tun0")
        self.assertEqual(self.ok("confirm", "--undo").stdout, "the old table is back\n")
        self.assertEqual(process.wait(PATIENCE), 75)
        routes = [line.replace(" linkdown", "") for line in self.net.routes()]
        self.assertEqual(routes, sorted(before + ["172.16.0.0/12 dev tun0 scope link"]))

    def test_killed_at_any_moment_nothing_is_lost(self):
        many = "".join(f"10.{100 + i // 250}.{i % 250}.0/24 via 10.0.0.2\n" for i in range(10000))
        old, new = self.net.write("many", many), self.net.write("others", many.replace("10.0.0.2", "10.0.0.3"))
        self.ok("apply", old)
        table = self.net.routes()
        for delay in range(0, 100, 14):
            process = self.start("apply", "--confirm", "200ms", new)
            try:
                process.wait(delay / 1000)
            except subprocess.TimeoutExpired:
                pass
            self.end(process)
            self.wait_until(lambda: not os.path.exists(self.record("routes.pending")) or (self.ok("list", "--quiet") and False),
                            "it waits for ever")
            self.assertEqual(self.net.routes(), table)
            self.assertEqual(self.ok("apply", old).stdout, "nothing to do\n")

    def test_nothing_to_wait_for(self):
        self.ok("apply", self.old)
        self.assertEqual(self.ok("apply", self.old, "--confirm", LONG).stdout, "nothing to do; 2 waiting for their interfaces\n")
        table = self.net.routes()
        self.ok("apply", self.net.write("refused", NEW + "10.5.0.0/16 dev veth0 src 10.77.0.1\n"), "--confirm", LONG, status=65)
        self.assertEqual(self.net.routes(), table)
        self.ok("confirm", status=66)
        for limit in ("", "0", "-1s", "25h", "soon"):
            self.ok("apply", "--confirm", limit, self.new, status=64)
        self.ok("apply", "--confirm", status=64)
        self.assertEqual(self.net.routes(), table)

    def test_a_record_of_another_boot_and_nonsense_are_left_alone(self):
        self.ok("apply", self.old)
        table = self.net.routes()
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
        for text in (f"1-1 {boot[::-1]} 1 1\n", "\x1b[2J\0\n", f"1-1 {boot} 99999999999999999999 1\n", ""):
            with open(self.record("routes.pending"), "w", encoding="utf-8") as file:
                file.write(text)
            self.assertEqual(self.ok("list").stderr, "")
            self.assertEqual(self.net.routes(), table)
            self.ok("confirm", status=66)
            self.ok("apply", self.new)
            self.ok("apply", self.old)
        # Somebody has been at the files: that is said once, and keeps nothing from going on.
        for before in ("\x1b[2J", None):
            with open(self.record("routes.pending"), "w", encoding="utf-8") as file:
                file.write(f"1-1 {boot} 1 1\n")
            if before:
                with open(self.record("routes.before"), "w", encoding="utf-8") as file:
                    file.write(before)
            else:
                os.rename(self.record("routes"), self.record("elsewhere"))
            done = self.ok("list")
            self.assertIn("there is no way back", done.stderr)
            self.assertNotIn("\x1b", done.stderr)
            self.assertEqual(self.ok("list").stderr, "")
            self.assertEqual(self.net.routes(), table)
        os.rename(self.record("elsewhere"), self.record("routes"))
        # A deadline that lies further away than the time that was given was written by another clock.
        with open(self.record("routes.pending"), "w", encoding="utf-8") as file:
            file.write(f"1-1 {boot} 999999999999 1000\n")
        self.assertIn("the old table is back", self.ok("list").stderr)

    def test_on_a_full_disk_it_is_refused_or_put_back(self):
        run = os.path.join(self.net.root, "run")
        self.ok("apply", self.old)
        os.rename(run, run + ".old")
        os.mkdir(run)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", run], check=True)
        self.addCleanup(subprocess.run, ["umount", run], check=False)
        self.ok("apply", self.old)
        table = self.net.routes()

        def fill():
            with open(os.path.join(run, "filler"), "wb", buffering=0) as file:
                try:
                    while file.write(b"x" * 4096):
                        pass
                except OSError:
                    pass

        fill()
        self.assertIn("No space left", self.ok("apply", "--confirm", LONG, self.new, status=74).stderr)
        self.assertEqual(self.net.routes(), table)
        os.unlink(os.path.join(run, "filler"))
        process = self.apply("1s")
        fill()
        self.assertEqual(process.wait(PATIENCE), 124)
        self.assertEqual(self.net.routes(), table)
        self.assertEqual(self.ok("apply", self.old).stdout.split(";")[0], "nothing to do")


if __name__ == "__main__":
    require_root()
    unittest.main(verbosity=1)
