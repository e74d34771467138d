#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""PPP links on a host that cannot have them: said before anything is dialled. What works is in tests/vm/test_ppp.py."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

from modemsim import BUILD, Modemsim

DIALCTL = BUILD / "tools" / "dialctl"
SCENARIO = '[modem]\nanswer-delay = "20ms"\n'


class Ppp(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ppp-")
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.root.chmod(0o777)
        self.sim = Modemsim(SCENARIO)
        self.addCleanup(self.sim.stop)
        self.configure("")

    def configure(self, keys):
        (self.root / "longline.toml").write_text(f'[link.branch]\nport = "{self.sim.port}"\nnumbers = ["123"]\nuser = "alice"\n{keys}\n')

    def dialctl(self, *arguments, prefix=()):
        return subprocess.run([*map(str, prefix), str(DIALCTL), "--root", str(self.root), *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=40)

    def assert_refused(self, status, code, words, prefix=()):
        done = self.dialctl("--json", "up", "branch", prefix=prefix)
        error = json.loads(done.stderr.splitlines()[-1])["error"]
        self.assertEqual((done.returncode, error["code"], error["stage"]), (status, code, "ppp"), error)
        self.assertIn(words, error["message"])
        self.assertNotEqual(error["hint"], "")
        self.assertEqual((self.sim.calls(), self.sim.events("open")), ([], []))

    def in_private(self, *mounts):
        """A command line in front of ours: these files, each under another name, for it alone."""
        binds = " && ".join(f"mount --bind {source} {target}" for source, target in mounts)
        return ["unshare", "--mount", "sh", "-c", f'{binds} && exec "$@"', "sh"]

    def test_a_kernel_without_ppp(self):
        prefix = ()
        if os.path.exists("/dev/ppp"):
            path = self.root / "no-device"
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(path))
            prefix = self.in_private((path, "/dev/ppp"))
        self.assert_refused(71, "no-ppp", "the kernel has no PPP", prefix)

    def test_no_pppd(self):
        self.assert_refused(71, "no-ppp", "there is no pppd", self.in_private(("/dev/null", shutil.which("pppd", path="/usr/sbin"))))

    def test_an_old_pppd(self):
        old = self.root / "pppd"
        old.write_text("#!/bin/sh\necho pppd version 2.4.5\n")
        old.chmod(0o755)
        self.assert_refused(71, "no-ppp", "too old: pppd version 2.4.5", self.in_private((old, "/usr/sbin/pppd")))

    def test_not_root(self):
        self.assert_refused(71, "no-ppp", "needs root", ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"])

    def test_plan_says_what_pppd_would_be_told_and_which_routes_come(self):
        (self.root / "routes").write_text("192.168.100.0/24 via 1.1.1.1 link branch\n10.0.0.0/8 dev eth9\n")
        self.configure('dns = true\ndefault-route = "replace"\nppp-options = ["noccp", "mtu", "576"]')
        text = self.dialctl("plan", "branch")
        self.assertEqual((text.returncode, text.stderr), (0, ""))
        self.assertRegex(text.stdout, r"(?m)^  pppd +pppd nodetach .* user alice noccp mtu 576; up within 1m")
        self.assertIn("192.168.100.0/24 via 1.1.1.1 link branch", text.stdout)
        self.assertNotIn("eth9", text.stdout)
        plan = json.loads(self.dialctl("--json", "plan", "branch").stdout)
        self.assertEqual(plan["pppd"][-3:], ["noccp", "mtu", "576"])
        self.assertEqual((plan["default_route"], plan["dns"], plan["routes"]), ("replace", True, ["192.168.100.0/24 via 1.1.1.1 link branch"]))
        self.configure("")
        plan = json.loads(self.dialctl("--json", "plan", "branch").stdout)
        self.assertEqual((plan["default_route"], plan["dns"]), (None, False))

    def test_options_that_would_take_pppd_out_of_our_hands_are_refused(self):
        for option, why in (("persist", "backoff"), ("defaultroute", "default-route"), ("connect", "script")):
            with self.subTest(option):
                self.configure(f'ppp-options = ["{option}"]')
                done = self.dialctl("up", "branch")
                self.assertEqual(done.returncode, 78, done)
                self.assertIn(why, done.stderr)

    def test_restore_has_nothing_to_do_and_says_nothing(self):
        done = self.dialctl("restore")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_status_watch_says_each_change_once(self):
        self.configure('network = "stream"')
        watch = subprocess.Popen([str(DIALCTL), "--root", str(self.root), "--json", "status", "branch", "--watch"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(watch.stdout.close)
        self.assertEqual(json.loads(watch.stdout.readline())["state"], "down")
        self.assertEqual(self.dialctl("up", "branch").returncode, 0)
        states = []
        while not states or states[-1] != "up":
            states.append(json.loads(watch.stdout.readline())["state"])
        self.assertEqual(self.dialctl("down", "branch").returncode, 0)
        while states[-1] != "down":
            states.append(json.loads(watch.stdout.readline())["state"])
        watch.terminate()
        self.assertEqual(watch.wait(20), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
