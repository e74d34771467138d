#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""PPP links in a virtual machine (tests/support/vm.py): a real 16550 under libserialport, modemsim at the other end of its cable, and
pppd at both ends; the provider's is in a network namespace, which has a LAN behind it."""
import json
import re
import signal
import sys
import time
import unittest

from event_log import events_of
from modemsim import BUILD
from stopwatch import Stopwatch
from vm import Machine, require_vm

DIALCTL, ROUTEADD, MTAQ = (str(BUILD / "tools" / tool) for tool in ("dialctl", "routeadd", "mtaq"))
SCENARIO = """
[line]
rate = 115200
[modem]
answer-delay = "50ms"
{modem}
[far-end]
command = ["sh", "-c", "exec ip netns exec isp pppd nodetach local nocrtscts logfile /run/isp.log {options}"]
pty = true
"""
CONFIG = """[link.branch]
port = "/dev/ttyS1"
numbers = ["0298765432"]
attempts = 1
dial-timeout = "20s"
{keys}
"""
CHAP = "auth require-chap name isp 10.9.0.1:10.9.0.2 ms-dns 10.9.0.53 ms-dns 10.9.0.54"
PAP = CHAP.replace("require-chap", "require-pap")
CREDENTIALS = 'user = "alice"\npassword-file = "branch.secret"'
machine = None


def setUpModule():
    global machine
    require_vm()
    machine = Machine()
    # The host has a LAN with a default route; the provider has a host behind it.
    machine.shell("""ip link set lo up
        ip link add lan type dummy && ip addr add 192.0.2.7/24 dev lan && ip link set lan up
        ip route add default via 192.0.2.1
        ip netns add isp && ip -n isp link set lo up
        ip -n isp link add far type dummy && ip -n isp addr add 198.51.100.1/24 dev far && ip -n isp link set far up""")
    machine.do("write", path="/etc/ppp/chap-secrets", text='alice * sesame *\n', mode=0o600)
    machine.do("write", path="/etc/ppp/pap-secrets", text='alice * sesame *\n', mode=0o600)
    machine.do("write", path="/etc/resolv.conf", text="search example.com\nnameserver 192.0.2.53\n")


def tearDownModule():
    if machine:
        machine.close()


def snapshot():
    """What a call must leave as it was: interfaces, addresses, routes, name servers, /etc/ppp, the port and its lock."""
    text = machine.shell("""ip -br link; ip -br addr; ip route show table all; ip -6 route; cat /etc/resolv.conf; ls -l /etc/ppp
        cat /etc/ppp/*-secrets; ls /run/lock; ls /run/t*/run 2>/dev/null || true; cat /proc/mounts; stty -F /dev/ttyS1 -a""")
    # Locks and records of how the last call ended stay.
    return re.sub(r"(?m)^(branch\.(last|lock|interface|sock)|routes\.lock|/run/t\d+/run:|)\n", "", text)


class Ppp(unittest.TestCase):
    roots = 0

    def setUp(self):
        machine.run("pkill", "-9", "-f", "root /run/t")
        machine.run("pkill", "-9", "pppd")
        Ppp.roots += 1
        self.root = f"/run/t{Ppp.roots}"

    def configure(self, keys=CREDENTIALS):
        machine.do("write", path=f"{self.root}/longline.toml", text=CONFIG.format(keys=keys))
        machine.do("write", path=f"{self.root}/branch.secret", text="sesame\n", mode=0o600)

    def provider(self, options=CHAP, modem=""):
        machine.do("write", path="/run/isp.log", text="")
        sim = machine.modem_inside(SCENARIO.format(options=options, modem=modem), self.root)
        self.addCleanup(sim.stop)
        self.addCleanup(self.dialctl, "down", "branch", "--force")
        return sim

    def dialctl(self, *arguments, **options):
        return machine.run(DIALCTL, "--root", self.root, *arguments, **options)

    def up(self, *arguments):
        done = self.dialctl("up", "branch", *arguments)
        self.assertEqual((done.status, done.stdout, done.stderr), (0, "", ""), done)

    def down(self):
        done = self.dialctl("down", "branch", "--force")
        self.assertEqual((done.status, done.stderr), (0, ""), done)

    def status(self):
        return json.loads(self.dialctl("status", "branch", "--json").stdout)

    def error(self, *arguments):
        done = self.dialctl("--json", *arguments)
        self.assertNotEqual(done.status, 0, done)
        error = json.loads(done.stderr.splitlines()[-1])["error"]
        self.assertEqual(error["status"], done.status)
        return error

    def events(self, name):
        text = machine.do("read", path=f"{self.root}/events.jsonl") or ""
        return events_of(text, name)

    def supervisor(self):
        return int(machine.shell(f"pgrep -f 'root {self.root} .*supervise'").split()[0])

    def our_pppd(self):
        return int(machine.shell(f"pgrep -P {self.supervisor()} pppd").split()[0])

    def secrets_are_nowhere(self):
        found = machine.shell(f"grep -rls sesame {self.root}/run {self.root}/events.jsonl /run/lock /var/log /etc/ppp/options || true")
        self.assertEqual(found, "")

    def test_up_and_down_with_chap_and_with_pap(self):
        for options in (CHAP, PAP):
            with self.subTest(options):
                before = snapshot()
                self.configure()
                sim = self.provider(options)
                self.up()
                status = self.status()
                self.assertEqual((status["state"], status["network"]), ("up", "ppp"))
                self.assertEqual((status["local"], status["remote"]), ("10.9.0.2", "10.9.0.1"))
                self.assertEqual((status["call"]["connect"], status["call"]["rate"]), ("CONNECT 115200", 115200))
                self.assertGreater(status["call"]["bytes_in"], 100)
                self.assertIn("default via 192.0.2.1", machine.shell("ip route show default"))
                self.assertEqual(len(machine.shell("ip route show default").splitlines()), 1)
                machine.shell(f"ping -c 2 -W 5 -I {status['interface']} 10.9.0.1")
                self.assertNotIn("sesame", machine.shell("cat /proc/[0-9]*/cmdline | tr '\\0' ' '"))
                self.secrets_are_nowhere()
                self.down()
                self.assertEqual(self.status()["state"], "down")
                self.assertEqual(snapshot(), before)
                sim.stop()
                self.doCleanups()

    def test_a_called_router_that_must_prove_itself(self):
        self.configure(CREDENTIALS + '\nauthenticate-peer = true\ncaller-password-file = "branch.secret"')
        machine.do("write", path="/etc/ppp/chap-secrets", text='alice * sesame *\nbranch * sesame\n', mode=0o600)
        self.addCleanup(machine.do, "write", path="/etc/ppp/chap-secrets", text='alice * sesame *\n', mode=0o600)
        self.provider(CHAP + " user branch")
        self.up()
        self.down()

    def test_connect_dials_for_a_pppd_that_somebody_else_starts(self):
        self.configure()
        self.provider()
        machine.do("write", path="/etc/ppp/options", text="")
        pppd = machine.start("pppd", "/dev/ttyS1", "115200", "nodetach", "noauth", "local", "user", "alice", "noipdefault",
                             "connect", f"{DIALCTL} --root {self.root} connect branch")
        machine.until(lambda: "10.9.0.2" in machine.shell("ip -br addr"), "pppd's link to be up")
        self.assertEqual(self.status()["state"], "down")
        self.assertEqual([e["event"] for e in self.events("call.connected")], ["call.connected"])
        machine.run("pkill", "pppd")
        machine.wait(pppd)

    def test_check_names_the_link_that_holds_a_stolen_default_route(self):
        self.configure()
        self.provider()
        self.up()
        self.assertEqual(self.dialctl("check").status, 0)
        interface = self.status()["interface"]
        machine.shell(f"ip route add default dev {interface} metric 1")
        for tool, found in ((DIALCTL, self.dialctl("check", "--json")), (ROUTEADD, machine.run(ROUTEADD, "--root", self.root, "check", "--json"))):
            with self.subTest(tool):
                self.assertEqual(found.status, 1, found)
                self.assertTrue(any(json.loads(line).get("link") == "branch" for line in found.stdout.splitlines()), found)
        self.down()
        self.assertEqual(machine.shell("ip route show default").split()[:3], ["default", "via", "192.0.2.1"])

    def test_a_transfer_goes_over_the_link_and_its_bytes_are_counted(self):
        self.configure()
        self.provider()
        machine.do("write", path=f"{self.root}/routes", text="198.51.100.0/24 link branch\n")
        serve = machine.start("ip", "netns", "exec", "isp", "python3", "-c", "import socket; s = socket.create_server(('198.51.100.1', 25)); "
                              "c = s.accept()[0]; n = 0\nwhile (d := c.recv(4096)): n += len(d)\nprint(n)")
        done = self.dialctl("run", "branch", "--", "python3", "-c", "import socket,time\nfor i in range(50):\n try:\n"
                            "  s = socket.create_connection(('198.51.100.1', 25), 10); break\n except ConnectionRefusedError: time.sleep(0.1)\n"
                            "s.sendall(b'x' * 20000); s.close()")
        self.assertEqual((done.status, done.stderr), (0, ""), done)
        self.assertEqual(machine.wait(serve).stdout.strip(), "20000")
        down = self.events("link.down")[-1]
        self.assertGreater(down["bytes_out"], 20000)
        self.assertEqual(machine.shell("ip route show 198.51.100.0/24"), "")

    def test_the_default_route_is_taken_only_when_the_entry_says_so_and_given_back(self):
        before = snapshot()
        for keys, expected in (("default-route = true\ndefault-route-metric = 5", [r"default via 192\.0\.2\.1 dev lan", r"default dev ppp\d.* metric 5"]),
                               ('default-route = "replace"', [r"default dev ppp\d"])):
            with self.subTest(keys):
                self.configure(CREDENTIALS + "\n" + keys)
                sim = self.provider()
                self.up()
                routes = machine.shell("ip route show default").splitlines()
                self.assertEqual(len(routes), len(expected), routes)
                for route, pattern in zip(routes, expected):
                    self.assertRegex(route, pattern)
                check = machine.run(ROUTEADD, "--root", self.root, "check", "--json")
                self.assertNotIn("stolen-default", check.stdout)
                self.down()
                self.assertEqual(snapshot(), before)
                sim.stop()

    def test_name_servers_are_taken_only_when_the_entry_says_so_and_given_back(self):
        before = snapshot()
        self.configure(CREDENTIALS + "\ndns = true")
        self.provider()
        self.up()
        text = machine.do("read", path="/etc/resolv.conf")
        self.assertRegex(text, r"^# Written by longline for link branch")
        self.assertEqual(re.findall(r"(?m)^nameserver (.*)", text), ["10.9.0.53", "10.9.0.54"])
        self.assertIn("search example.com", text)
        self.down()
        self.assertEqual(snapshot(), before)

    def test_kill_9_of_supervisor_pppd_or_both_leaves_nothing(self):
        before = snapshot()
        self.configure(CREDENTIALS + '\ndefault-route = "replace"\ndns = true')
        sim = self.provider()
        for who in ("supervisor", "pppd", "both"):
            with self.subTest(who):
                self.up()
                self.assertNotIn("192.0.2.1", machine.shell("ip route show default"))
                # A pppd that is hung up with its terminal, too, kills the ip-down that has just begun: seen once in ten on a busy host.
                self.assertEqual(machine.shell(f"ps -o tty= -p {self.our_pppd()}").strip(), "?")
                victims = {"supervisor": [self.supervisor()], "pppd": [self.our_pppd()], "both": [self.supervisor(), self.our_pppd()]}[who]
                machine.shell("kill -STOP " + " ".join(map(str, victims)) + "; kill -9 " + " ".join(map(str, victims)))
                if who == "both":
                    # Nobody is left to put anything back: the next command does.
                    machine.until(lambda: "ppp" not in machine.shell("ip -br link"), "the interface to go")
                    self.dialctl("list")
                machine.until(lambda: "192.0.2.1" in machine.shell("ip route show default"), "the default route to come back")
                machine.until(lambda: machine.run("pgrep", "-f", f"root {self.root} .*supervise").status == 1, "the supervisor to end")
                machine.until(lambda: machine.run("pgrep", "-f", "logfd 2").status == 1, "pppd to end")
                self.dialctl("down", "branch")
                machine.run("rm", "-f", "/run/lock/LCK..ttyS1")
                self.assertEqual(snapshot(), before)
        # The modem, which has seen no DTR, is still connected or not: the next call works.
        self.up()
        self.down()
        self.assertGreaterEqual(len(sim.calls()), 4)

    def test_what_a_peer_may_do_wrong(self):
        cases = {
            "wrong password": (CHAP, 'user = "alice"\npassword-file = "wrong.secret"', 77, "auth", "auth-refused", 691),
            "no password at all": (PAP, 'user = "alice"', 77, "auth", "auth-refused", 691),
            "no address": ("noauth ipcp-no-addresses ipcp-no-address", CREDENTIALS, 76, "address", "no-address", 738),
            "will not prove itself": ("noauth 10.9.0.1:10.9.0.2", CREDENTIALS + '\nauthenticate-peer = true\ncaller-password-file = "branch.secret"',
                                      77, "auth", "caller-refused", 649),
        }
        for name, (options, keys, status, stage, code, ras) in cases.items():
            with self.subTest(name):
                self.configure(keys)
                machine.do("write", path=f"{self.root}/wrong.secret", text="open\n", mode=0o600)
                sim = self.provider(options)
                error = self.error("up", "branch")
                self.assertEqual((error["status"], error["stage"], error["code"], error["ras"]), (status, stage, code, ras), error)
                self.assertEqual(self.status()["state"], "down")
                sim.stop()

    def test_a_host_that_speaks_no_ppp_ends_in_its_time(self):
        self.configure(CREDENTIALS + '\nnetwork-timeout = "5s"')
        scenario = SCENARIO.format(options="", modem="").split("[far-end]")[0]
        for far_end, code in (("", "ppp-timeout"), ('[far-end]\ncommand = ["cat"]\n', "line-looped"), ('[far-end]\ncommand = ["sleep", "1"]\n', "line-dropped")):
            with self.subTest(code):
                sim = machine.modem_inside(scenario + far_end, self.root)
                started = Stopwatch()
                error = self.error("up", "branch")
                self.assertEqual((error["code"], error["stage"] in ("ppp", "transfer")), (code, True), error)
                self.assertLess(started.ours(), 30)
                sim.stop()

    def test_the_carrier_is_lost_under_the_link(self):
        self.configure()
        sim = self.provider()
        run = machine.start(DIALCTL, "--root", self.root, "run", "branch", "--", "sleep", "60")
        machine.until(lambda: self.status()["state"] == "up", "the link to be up", 30)
        sim.signal(signal.SIGUSR1)
        self.assertEqual(machine.wait(run).status, 75)
        self.assertEqual(self.status()["state"], "down")
        self.assertNotIn("ppp", machine.shell("ip -br link"))

    def test_idle_counts_real_traffic_only(self):
        self.configure(CREDENTIALS + '\nidle = "6s"')
        self.provider()
        self.up()
        talk = machine.start("python3", "-c", "import socket,time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                             "for i in range(100): s.sendto(b'tick' * 12, ('10.9.0.1', 123)); time.sleep(0.3)", patience=40)
        machine.until(lambda: self.status()["state"] == "down", "a link with nothing but clocks on it to hang up", 20)
        machine.run("pkill", "-f", "tick")
        machine.wait(talk)
        self.assertEqual(len(self.events("link.down")), 1)

    def test_an_idle_supervisor_is_small_and_sleeps(self):
        self.configure()
        self.provider()
        self.up()
        machine.run("sleep", "3")
        pid = self.supervisor()
        resident = int(re.search(r"VmRSS:\s+(\d+)", machine.do("read", path=f"/proc/{pid}/status")).group(1))
        self.assertLess(resident, 8192)

        def switches():
            return int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", machine.do("read", path=f"/proc/{pid}/status")).group(1))

        def often():
            before, began = switches(), time.monotonic()
            machine.run("sleep", "6")
            return switches() - before - (time.monotonic() - began)
        # The best of ten: a busy host adds wakings of its own.
        self.assertTrue(any(often() <= 2 for _ in range(10)), "more than one waking a second")
        self.down()


if __name__ == "__main__":
    unittest.main(verbosity=2)
