# SPDX-License-Identifier: MIT
"""PPP links in a virtual machine (tests/support/vm.py): a real 16550 under libserialport, modemsim at the other end of its cable, and
pppd at both ends; the provider's is in a network namespace, which has a LAN behind it."""
import json
import re
import unittest

from event_log import events_of
from modemsim import BUILD
from vm import Machine, require_vm

DIALCTL, ROUTEADD = (str(BUILD / "tools" / tool) for tool in ("dialctl", "routeadd"))
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


class PppCase(unittest.TestCase):
    """`self.machine` serves the tests of a class, each with a root of its own."""
    roots = 0

    @classmethod
    def setUpClass(cls):
        require_vm()
        machine = Machine()
        cls.addClassCleanup(machine.close)
        cls.machine = machine
        # The host has a LAN with a default route; the provider has a host behind it.
        machine.shell("""ip link set lo up
            ip link add lan type dummy && ip addr add 192.0.2.7/24 dev lan && ip link set lan up
            ip route add default via 192.0.2.1
            ip netns add isp && ip -n isp link set lo up
            ip -n isp link add far type dummy && ip -n isp addr add 198.51.100.1/24 dev far && ip -n isp link set far up""")
        machine.do("write", path="/etc/ppp/chap-secrets", text='alice * sesame *\n', mode=0o600)
        machine.do("write", path="/etc/ppp/pap-secrets", text='alice * sesame *\n', mode=0o600)
        machine.do("write", path="/etc/resolv.conf", text="search example.com\nnameserver 192.0.2.53\n")

    def setUp(self):
        self.machine.run("pkill", "-9", "-f", "root /run/t")
        self.machine.run("pkill", "-9", "pppd")
        PppCase.roots += 1
        self.root = f"/run/t{PppCase.roots}"

    def snapshot(self, port=True):
        """What a call must leave as it was: interfaces, addresses, routes, name servers, /etc/ppp, the port and its lock. A port that its holder could not
        leave keeps his settings: port=False."""
        text = self.machine.shell("""ip -br link; ip -br addr; ip route show table all; ip -6 route; cat /etc/resolv.conf; ls -l /etc/ppp
            cat /etc/ppp/*-secrets; ls /run/lock; ls /run/t*/run 2>/dev/null || true; cat /proc/mounts; """ + ("stty -F /dev/ttyS1 -a" if port else ""))
        # Locks and records of how the last call ended stay.
        return re.sub(r"(?m)^(branch\.(last|lock|interface|sock)|routes\.lock|/run/t\d+/run:|)\n", "", text)

    def configure(self, keys=CREDENTIALS):
        self.machine.do("write", path=f"{self.root}/longline.toml", text=CONFIG.format(keys=keys))
        self.machine.do("write", path=f"{self.root}/branch.secret", text="sesame\n", mode=0o600)

    def provider(self, options=CHAP, modem=""):
        self.machine.do("write", path="/run/isp.log", text="")
        sim = self.machine.modem_inside(SCENARIO.format(options=options, modem=modem), self.root)
        self.addCleanup(sim.stop)
        self.addCleanup(self.dialctl, "down", "branch", "--force")
        return sim

    def dialctl(self, *arguments, **options):
        return self.machine.run(DIALCTL, "--root", self.root, *arguments, **options)

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
        text = self.machine.do("read", path=f"{self.root}/events.jsonl") or ""
        return events_of(text, name)

    def supervisor(self):
        return int(self.machine.shell(f"pgrep -f 'root {self.root} .*supervise'").split()[0])

    def our_pppd(self):
        return int(self.machine.shell(f"pgrep -P {self.supervisor()} pppd").split()[0])

    def secrets_are_nowhere(self):
        found = self.machine.shell(f"grep -rls sesame {self.root}/run {self.root}/events.jsonl /run/lock /var/log /etc/ppp/options || true")
        self.assertEqual(found, "")
