#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""KB Q255991 in a virtual machine (tests/support/vm.py): two demand-dial routers, each with its one modem, its LAN, a static route with
the article's gateway, and the same link name, user name and password at both ends. Routers and LANs are network namespaces; the telephone
network is tests/fakes/telephone.py."""
import json
import re
import sys
import unittest
from pathlib import Path

from event_log import events_of
from modemsim import BUILD
from vm import Machine, require_vm

DIALCTL = str(BUILD / "tools" / "dialctl")
TELEPHONE = str(Path(__file__).resolve().parents[1] / "fakes" / "telephone.py")
CONFIG = """[link.branch]
port = "{root}/modem"
flow = "none"
numbers = ["{number}"]
attempts = 3
interval = "4s"
dial-timeout = "20s"
user = "branch"
password-file = "branch.secret"
network = "ppp"
idle = "{idle}"
pool = "192.168.{pool}.0/29"
caller-password-file = "branch.in"
authenticate-peer = true
forward = true
"""
machine = None


def setUpModule():
    global machine
    require_vm()
    machine = Machine()


def tearDownModule():
    if machine:
        machine.close()


class Router:
    """One end: the router's namespace, a host on its LAN, and the tools."""

    def __init__(self, name, lan, far, pool, idle):
        self.name, self.lan, self.root = name, lan, f"/run/{name}"
        self.running = {}
        machine.shell(f"""ip netns add {name} && ip -n {name} link set lo up
            ip netns add {name}-host && ip -n {name}-host link set lo up
            ip -n {name} link add lan type veth peer name eth0 netns {name}-host
            ip -n {name} addr add 192.168.{lan}.1/24 dev lan && ip -n {name} link set lan up
            ip -n {name}-host addr add 192.168.{lan}.15/24 dev eth0 && ip -n {name}-host link set eth0 up
            ip -n {name}-host route add default via 192.168.{lan}.1
            mkdir -p {self.root}""")
        machine.do("write", path=f"{self.root}/longline.toml", text=CONFIG.format(root=self.root, number="555", pool=pool, idle=idle))
        for name in ("branch.secret", "branch.in"):
            machine.do("write", path=f"{self.root}/{name}", text="sesame\n", mode=0o600)
        machine.do("write", path=f"{self.root}/routes", text=f"192.168.{far}.0/24 via 1.1.1.1 link branch\n")

    def dialctl(self, *arguments):
        return machine.run("ip", "netns", "exec", self.name, DIALCTL, "--root", self.root, *arguments)

    def start(self, verb):
        """A daemon, as systemd would start it."""
        log = f"{self.root}/{verb}.log"
        machine.shell(f"ip netns exec {self.name} {DIALCTL} --root {self.root} --verbose {verb} branch > {log} 2>&1 < /dev/null & echo $! > {self.root}/{verb}.pid")
        self.running[verb] = int(machine.do("read", path=f"{self.root}/{verb}.pid"))

    def stop(self):
        for pid in self.running.values():
            machine.run("kill", str(pid))
        self.running = {}

    def status(self):
        return json.loads(self.dialctl("status", "branch", "--json").stdout)

    def state(self):
        return self.status()["state"]

    def events(self, name):
        text = machine.do("read", path=f"{self.root}/events.jsonl") or ""
        return events_of(text, name)

    def routes(self):
        lines = machine.shell(f"ip -n {self.name} route show proto 77").splitlines()
        return [re.sub(r" +", " ", line).strip() for line in lines]

    def ping(self, address, count=1, wait=40):
        return machine.run("ip", "netns", "exec", f"{self.name}-host", "ping", "-c", str(count), "-w", str(wait), "-i", "1", address, patience=60)

    def remove(self):
        machine.shell(f"ip netns del {self.name}; ip netns del {self.name}-host; rm -rf {self.root}")


class Demand(unittest.TestCase):
    def setUp(self):
        self.sydney = Router("sydney", 10, 20, 1, "8s")
        self.perth = Router("perth", 20, 10, 2, "8s")
        machine.shell(f"""nohup python3 {TELEPHONE} /run/telephone.jsonl {self.sydney.root}/modem {self.perth.root}/modem > /run/telephone.out 2>&1 &
            echo $! > /run/telephone.pid""")
        machine.until(lambda: "ready" in (machine.do("read", path="/run/telephone.out") or ""), "the telephone network")

    def tearDown(self):
        for router in (self.sydney, self.perth):
            router.dialctl("down", "branch", "--force")
            router.stop()
        machine.shell("kill $(cat /run/telephone.pid); rm -f /run/telephone.*")
        for router in (self.sydney, self.perth):
            router.remove()

    def tell(self):
        """For whoever reads a failure."""
        for router in (self.sydney, self.perth):
            for name in ("demand.log", "answer.log", "events.jsonl"):
                print(f"--- {router.name} {name}\n{machine.do('read', path=f'{router.root}/{name}')}", file=sys.stderr)
        print(f"--- telephone\n{machine.do('read', path='/run/telephone.jsonl')}", file=sys.stderr)

    def begin(self):
        for router in (self.sydney, self.perth):
            router.start("answer")
            router.start("demand")
        for router in (self.sydney, self.perth):
            machine.until(lambda r=router: r.events("demand.ready") and r.events("answer.ready"), f"{router.name}'s readiness")

    def calls(self, event="connect"):
        lines = (machine.do("read", path="/run/telephone.jsonl") or "").splitlines()
        return [e["modem"] for e in map(json.loads, lines) if e["event"] == event]

    def test_a_packet_dials_is_answered_through_the_same_link_and_idle_hangs_up(self):
        self.begin()
        self.assertEqual(self.sydney.routes(), ["192.168.20.0/24 dev branch scope link"])
        self.assertEqual(self.perth.routes(), ["192.168.10.0/24 dev branch scope link"])
        try:
            # As many answers as may overtake the first: perth keeps what comes before its link is up, while its routes lead there already.
            done = self.sydney.ping("192.168.20.15", count=8)
            self.assertEqual(done.status, 0, done)
            here, there = self.sydney.status(), self.perth.status()
            self.assertEqual((here["state"], there["state"]), ("up", "up"))
            self.assertEqual((here["local"], here["remote"]), ("192.168.2.2", "192.168.2.1"))
            self.assertEqual((there["local"], there["remote"]), ("192.168.2.1", "192.168.2.2"))
            self.assertEqual(self.sydney.routes(), [f"192.168.20.0/24 dev {here['interface']} scope link"])
            self.assertEqual(self.perth.routes(), [f"192.168.10.0/24 dev {there['interface']} scope link"])
            # The first packet waited, and went on.
            self.assertIn("icmp_seq=1 ttl=62", done.stdout)
            # The other way it needs no call.
            self.assertEqual(self.perth.ping("192.168.10.15").status, 0)
            self.assertEqual(self.calls("dial"), ["a"])
            for router in (self.sydney, self.perth):
                machine.until(lambda r=router: r.state() == "down", f"the end of {router.name}'s idle link", 60)
                machine.until(lambda r=router: r.routes() and "dev branch" in r.routes()[0], f"{router.name}'s routes on the interface", 20)
                self.assertIsNone(router.status()["last_error"])
            # And from the other end.
            self.assertEqual(self.perth.ping("192.168.10.15").status, 0)
            self.assertEqual(self.calls("dial"), ["a", "b"])
        except BaseException:
            self.tell()
            raise

    def test_both_at_once_find_each_other_in_the_end(self):
        self.begin()
        try:
            pings = [machine.start("ip", "netns", "exec", f"{router.name}-host", "ping", "-c", "2", "-w", "60", address, patience=90)
                     for router, address in ((self.sydney, "192.168.20.15"), (self.perth, "192.168.10.15"))]
            for ping in pings:
                done = machine.wait(ping, 100)
                self.assertEqual(done.status, 0, done)
            self.assertGreaterEqual(len(self.calls("dial")), 1)
            self.assertEqual(sorted(self.calls("connect")), ["a", "b"])
        except BaseException:
            self.tell()
            raise

    def test_a_caller_who_does_not_know_the_password_is_refused(self):
        machine.do("write", path=f"{self.sydney.root}/branch.secret", text="guess\n", mode=0o600)
        self.perth.start("answer")
        machine.until(lambda: self.perth.events("answer.ready"), "the modem")
        try:
            done = self.sydney.dialctl("--json", "up", "branch")
            self.assertEqual(done.status, 77, done)
            error = json.loads(done.stderr.splitlines()[-1])["error"]
            self.assertEqual((error["code"], error["ras"]), ("auth-refused", 691))
            refused = machine.until(lambda: self.perth.events("call.refused"), "the event")[0]
            self.assertEqual((refused["ras"], refused["stage"]), (649, "auth"))
            self.assertEqual(self.perth.state(), "down")
            # One who would be welcome, if there were an address left.
            machine.do("write", path=f"{self.sydney.root}/branch.secret", text="sesame\n", mode=0o600)
            machine.shell("".join(f"flock {self.perth.root}/run/192.168.2.{n}.lease sleep 30 > /dev/null 2>&1 < /dev/null & " for n in range(2, 7)))
            call = machine.start("ip", "netns", "exec", "sydney", DIALCTL, "--root", self.sydney.root, "up", "branch")
            refused = machine.until(lambda: [e for e in self.perth.events("call.refused") if e["ras"] != 649], "the event")[0]
            self.assertEqual((refused["ras"], refused["stage"]), (717, "address"))
            self.sydney.dialctl("down", "branch", "--force")
            self.assertEqual(machine.wait(call).status, 75)
        except BaseException:
            self.tell()
            raise


if __name__ == "__main__":
    unittest.main()
