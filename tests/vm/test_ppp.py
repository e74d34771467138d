#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""PPP links that do as they should (tests/support/ppp_link.py)."""
import re
import time
import unittest

from ppp_link import CHAP, CREDENTIALS, DIALCTL, PAP, ROUTEADD, PppCase


class Ppp(PppCase):
    def test_up_and_down_with_chap_and_with_pap(self):
        for options in (CHAP, PAP):
            with self.subTest(options):
                before = self.snapshot()
                self.configure()
                sim = self.provider(options)
                self.up()
                status = self.status()
                self.assertEqual((status["state"], status["network"]), ("up", "ppp"))
                self.assertEqual((status["local"], status["remote"]), ("10.9.0.2", "10.9.0.1"))
                self.assertEqual((status["call"]["connect"], status["call"]["rate"]), ("CONNECT 115200", 115200))
                self.assertGreater(status["call"]["bytes_in"], 100)
                self.assertIn("default via 192.0.2.1", self.machine.shell("ip route show default"))
                self.assertEqual(len(self.machine.shell("ip route show default").splitlines()), 1)
                self.machine.shell(f"ping -c 2 -W 5 -I {status['interface']} 10.9.0.1")
                self.assertNotIn("sesame", self.machine.shell("cat /proc/[0-9]*/cmdline | tr '\\0' ' '"))
                self.secrets_are_nowhere()
                self.down()
                self.assertEqual(self.status()["state"], "down")
                self.assertEqual(self.snapshot(), before)
                sim.stop()
                self.doCleanups()

    def test_a_called_router_that_must_prove_itself(self):
        self.configure(CREDENTIALS + '\nauthenticate-peer = true\ncaller-password-file = "branch.secret"')
        self.machine.do("write", path="/etc/ppp/chap-secrets", text='alice * sesame *\nbranch * sesame\n', mode=0o600)
        self.addCleanup(self.machine.do, "write", path="/etc/ppp/chap-secrets", text='alice * sesame *\n', mode=0o600)
        self.provider(CHAP + " user branch")
        self.up()
        self.down()

    def test_connect_dials_for_a_pppd_that_somebody_else_starts(self):
        self.configure()
        self.provider()
        self.machine.do("write", path="/etc/ppp/options", text="")
        pppd = self.machine.start("pppd", "/dev/ttyS1", "115200", "nodetach", "noauth", "local", "user", "alice", "noipdefault",
                             "connect", f"{DIALCTL} --root {self.root} connect branch")
        self.machine.until(lambda: "10.9.0.2" in self.machine.shell("ip -br addr"), "pppd's link to be up")
        self.assertEqual(self.status()["state"], "down")
        self.assertEqual([e["event"] for e in self.events("call.connected")], ["call.connected"])
        self.machine.run("pkill", "pppd")
        self.machine.wait(pppd)

    def test_a_transfer_goes_over_the_link_and_its_bytes_are_counted(self):
        self.configure()
        self.provider()
        self.machine.do("write", path=f"{self.root}/routes", text="198.51.100.0/24 link branch\n")
        serve = self.machine.start("ip", "netns", "exec", "isp", "python3", "-c", "import socket; s = socket.create_server(('198.51.100.1', 25)); "
                              "c = s.accept()[0]; n = 0\nwhile (d := c.recv(4096)): n += len(d)\nprint(n)")
        done = self.dialctl("run", "branch", "--", "python3", "-c", "import socket,time\nfor i in range(50):\n try:\n"
                            "  s = socket.create_connection(('198.51.100.1', 25), 10); break\n except ConnectionRefusedError: time.sleep(0.1)\n"
                            "s.sendall(b'x' * 20000); s.close()")
        self.assertEqual((done.status, done.stderr), (0, ""), done)
        self.assertEqual(self.machine.wait(serve).stdout.strip(), "20000")
        down = self.events("link.down")[-1]
        self.assertGreater(down["bytes_out"], 20000)
        self.assertEqual(self.machine.shell("ip route show 198.51.100.0/24"), "")

    def test_the_default_route_is_taken_only_when_the_entry_says_so_and_given_back(self):
        before = self.snapshot()
        for keys, expected in (("default-route = true\ndefault-route-metric = 5", [r"default via 192\.0\.2\.1 dev lan", r"default dev ppp\d.* metric 5"]),
                               ('default-route = "replace"', [r"default dev ppp\d"])):
            with self.subTest(keys):
                self.configure(CREDENTIALS + "\n" + keys)
                sim = self.provider()
                self.up()
                routes = self.machine.shell("ip route show default").splitlines()
                self.assertEqual(len(routes), len(expected), routes)
                for route, pattern in zip(routes, expected):
                    self.assertRegex(route, pattern)
                check = self.machine.run(ROUTEADD, "--root", self.root, "check", "--json")
                self.assertNotIn("stolen-default", check.stdout)
                self.down()
                self.assertEqual(self.snapshot(), before)
                sim.stop()

    def test_name_servers_are_taken_only_when_the_entry_says_so_and_given_back(self):
        before = self.snapshot()
        self.configure(CREDENTIALS + "\ndns = true")
        self.provider()
        self.up()
        text = self.machine.do("read", path="/etc/resolv.conf")
        self.assertRegex(text, r"^# Written by longline for link branch")
        self.assertEqual(re.findall(r"(?m)^nameserver (.*)", text), ["10.9.0.53", "10.9.0.54"])
        self.assertIn("search example.com", text)
        self.down()
        self.assertEqual(self.snapshot(), before)

    def test_idle_counts_real_traffic_only(self):
        self.configure(CREDENTIALS + '\nidle = "6s"')
        self.provider()
        self.up()
        talk = self.machine.start("python3", "-c", "import socket,time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                             "for i in range(100): s.sendto(b'tick' * 12, ('10.9.0.1', 123)); time.sleep(0.3)", patience=40)
        self.machine.until(lambda: self.status()["state"] == "down", "a link with nothing but clocks on it to hang up", 20)
        self.machine.run("pkill", "-f", "tick")
        self.machine.wait(talk)
        self.assertEqual(len(self.events("link.down")), 1)

    def test_an_idle_supervisor_is_small_and_sleeps(self):
        self.configure()
        self.provider()
        self.up()
        self.machine.run("sleep", "3")
        pid = self.supervisor()
        resident = int(re.search(r"VmRSS:\s+(\d+)", self.machine.do("read", path=f"/proc/{pid}/status")).group(1))
        self.assertLess(resident, 8192)

        def switches():
            return int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", self.machine.do("read", path=f"/proc/{pid}/status")).group(1))

        def often():
            before, began = switches(), time.monotonic()
            self.machine.run("sleep", "6")
            return switches() - before - (time.monotonic() - began)
        # The best of ten: a busy host adds wakings of its own.
        self.assertTrue(any(often() <= 2 for _ in range(10)), "more than one waking a second")
        self.down()


if __name__ == "__main__":
    unittest.main(verbosity=2)
