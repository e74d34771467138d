#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""dialctl demand in a network namespace: its interface, what calls and what does not, what waits and goes on. The supervisor is played here; with
PPP and modems the whole is in tests/vm/test_demand.py."""
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from event_log import read_events  # noqa: E402
from netns import Namespace, require_root  # noqa: E402

TOOLS = os.path.abspath(os.path.join(os.environ.get("LONGLINE_BUILD", "build"), "tools"))
PATIENCE = 20
CONFIG = '[link.{name}]\nport = "/nonexistent/modem"\nnumbers = ["1"]\n{keys}\n'
# A TUN device of its own, and every packet that comes out of it as a line of hexadecimal digits.
INTERFACE = """
import fcntl, os, struct, subprocess, sys
fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", sys.argv[1].encode(), 0x1001))
subprocess.run(["ip", "addr", "add", "10.8.0.1", "peer", "10.8.0.2/32", "dev", sys.argv[1]], check=True)
subprocess.run(["ip", "link", "set", sys.argv[1], "up"], check=True)
print("ready", flush=True)
while True:
    print(os.read(fd, 65536).hex(), flush=True)
"""


def wait_until(question, what, patience=PATIENCE):
    deadline = time.monotonic() + patience
    while not (answer := question()):
        if time.monotonic() > deadline:
            raise AssertionError(f"timed out waiting for {what}")
        time.sleep(0.02)
    return answer


class Interface:
    """What pppd would make."""

    def __init__(self, net, name):
        self.process = subprocess.Popen(net.argv(sys.executable, "-c", INTERFACE, name), stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"ready\n"

    def packet(self, to, patience=PATIENCE):
        """Waits for an IPv4 packet to that address; what the kernel says by itself passes by."""
        deadline = time.monotonic() + patience
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self.process.stdout], [], [], left)[0]:
                packet = bytes.fromhex(self.process.stdout.readline().decode())
                if packet[0] >> 4 == 4 and socket.inet_ntoa(packet[16:20]) == to:
                    return packet
        return None

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


class Supervisor:
    """The control socket of a link, with us behind it."""

    def __init__(self, net, link):
        self.path = os.path.join(net.root, "run", link + ".sock")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(4)
        self.listener.settimeout(PATIENCE)
        self.status = None
        self.accept()

    def accept(self):
        self.client = self.listener.accept()[0]
        self.client.settimeout(PATIENCE)
        self.lines = self.client.makefile("r", encoding="utf-8")

    def asked(self):
        line = self.lines.readline()
        if not line and self.status:
            # Between our bind and our listen it found the link down, and asked once only; it is back within a second, to stay.
            self.lines.close()
            self.client.close()
            self.accept()
            assert json.loads(self.lines.readline()) == {"op": "status"}
            self.say(**self.status)
            line = self.lines.readline()
        return json.loads(line)

    def say(self, **message):
        if message["msg"] == "status":
            self.status = message
        self.client.sendall(json.dumps(message).encode() + b"\n")

    def end(self, **message):
        os.unlink(self.path)
        self.listener.close()
        self.say(msg="end", **message)
        self.lines.close()
        self.client.close()


class DemandTest(unittest.TestCase):
    def setUp(self):
        self.net = Namespace()
        self.addCleanup(self.net.close)
        self.process = None

    def start(self, name="branch", *options, keys=""):
        self.net.write("longline.toml", CONFIG.format(name=f'"{name}"', keys=keys))
        self.net.write("routes", f"192.168.100.0/24 via 1.1.1.1 link {name} fail-fast\n" if " " not in name else "")
        self.net.run(os.path.join(TOOLS, "routeadd"), "apply", "--quiet")
        self.process = subprocess.Popen(self.net.argv(os.path.join(TOOLS, "dialctl"), "--root", self.net.root, "demand", *options, name),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.finish)
        wait_until(lambda: self.events("demand.ready") or self.process.poll() is not None, "the interface")

    def finish(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        out, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, errors.decode()

    def events(self, name):
        return read_events(os.path.join(self.net.root, "events.jsonl"), name)

    def routes(self):
        return [line.replace(" linkdown", "") for line in self.net.routes()]

    def ping(self, address="192.168.100.15"):
        self.net.run("ping", "-c1", "-W0.1", address)

    def send(self, address, port):
        self.net.run(sys.executable, "-c", f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('{address}', {port}))")

    STAND_IN = "unreachable 192.168.100.0/24 metric 1"
    HERE = ["192.168.100.0/24 dev branch scope link", STAND_IN]

    def test_the_interface_takes_the_routes_and_leaves_nothing(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number):
                self.start()
                self.assertEqual(self.routes(), self.HERE)
                status, errors = self.finish(number)
                self.assertEqual((status, errors), (0 if number == signal.SIGTERM else -9, ""))
                wait_until(lambda: "branch" not in " ".join(self.net.ip("link show")), "the interface to go")
                self.assertEqual(self.routes(), [self.STAND_IN])
                os.unlink(os.path.join(self.net.root, "events.jsonl"))
        self.assertEqual(self.net.run(os.path.join(TOOLS, "routeadd"), "check").returncode, 0)

    def test_only_real_traffic_calls_and_a_link_that_cannot_be_reached_hides_its_routes(self):
        self.start()
        self.send("192.168.100.15", 123)
        self.send("192.168.100.15", 5353)
        self.send("192.168.100.15", 137)
        self.assertEqual(self.events("demand.call"), [])
        self.ping()
        call = wait_until(lambda: self.events("demand.call"), "the call")
        self.assertEqual([event["text"] for event in call], ["icmp 10.0.0.1 -> 192.168.100.15"])
        # No modem there: only a person can mend that.
        wait_until(lambda: self.routes() == [self.STAND_IN], "the routes to be hidden")
        self.assertEqual(len(self.events("demand.hidden")), 1)
        done = self.net.run("ping", "-c1", "-W5", "192.168.100.15")
        self.assertRegex(done.stdout + done.stderr, "nreachable|No route to host")
        self.assertEqual(self.finish()[0], 0)

    def test_packets_wait_for_the_link_and_go_on_and_the_routes_come_back(self):
        self.start()
        supervisor = Supervisor(self.net, "branch")
        self.assertEqual(supervisor.asked(), {"op": "status"})
        supervisor.say(msg="status", status={"state": "dialing"})
        self.ping("192.168.100.15")
        asked = supervisor.asked()
        self.assertEqual((asked["op"], asked["kind"], asked["pid"]), ("join", "demand", self.process.pid))
        self.ping("192.168.100.16")
        self.send("192.168.100.17", 123)
        self.send("192.168.100.18", 7777)
        time.sleep(0.2)
        interface = Interface(self.net, "ppp7")
        self.addCleanup(interface.close)
        self.net.run(os.path.join(TOOLS, "routeadd"), "up", "branch", "ppp7")
        self.assertEqual(self.routes(), ["192.168.100.0/24 dev ppp7 scope link", self.STAND_IN])
        supervisor.say(msg="up", interface="ppp7", local="10.8.0.1", remote="10.8.0.2")
        for address in ("192.168.100.15", "192.168.100.16", "192.168.100.18"):
            packet = interface.packet(address)
            self.assertIsNotNone(packet, address)
            self.assertEqual(socket.inet_ntoa(packet[12:16]), "10.0.0.1")
        # What is sent now goes its own way, and comes once.
        self.ping("192.168.100.19")
        self.assertIsNotNone(interface.packet("192.168.100.19"))
        self.assertIsNone(interface.packet("192.168.100.17", 0.3))
        self.assertEqual(len(self.events("demand.call")), 1)
        interface.close()
        self.net.run(os.path.join(TOOLS, "routeadd"), "down", "branch")
        supervisor.end()
        wait_until(lambda: self.routes() == self.HERE, "the routes to come back")

    def test_a_busy_line_is_called_again_by_itself_and_somebody_elses_routeadd_is_mended(self):
        self.start(keys='interval = "1s"\nattempts = 2')
        supervisor = Supervisor(self.net, "branch")
        supervisor.asked()
        self.ping()
        self.assertEqual(supervisor.asked()["op"], "join")
        supervisor.end(error={"tool": "dialctl", "stage": "dial", "code": "line-busy", "temporary": True, "status": 75, "message": "busy"})
        self.assertEqual(self.routes(), self.HERE)
        # The next round is its own call, which finds no modem.
        wait_until(lambda: self.events("demand.hidden"), "the second round")
        self.finish()
        os.unlink(os.path.join(self.net.root, "events.jsonl"))
        self.start()
        self.net.run(os.path.join(TOOLS, "routeadd"), "down", "branch")
        wait_until(lambda: self.routes() == self.HERE, "the routes to come back")

    def test_names_of_interfaces(self):
        self.start("a link/of many-words.7")
        self.assertIn("a-link-of-many-", " ".join(self.net.ip("link show")))
        self.finish()
        self.net.ip("link add branch type veth peer name other")
        os.unlink(os.path.join(self.net.root, "events.jsonl"))
        self.start()
        status, errors = self.finish()
        self.assertEqual(status, 73)
        self.assertIn("--interface", errors)
        self.start("branch", "--interface", "dial0")
        self.assertEqual(self.routes()[0], "192.168.100.0/24 dev dial0 scope link")
        self.finish()
        done = self.net.run(os.path.join(TOOLS, "dialctl"), "demand", "branch", "--interface", "a/b")
        self.assertEqual(done.returncode, 64)

    def test_forwarding_is_on_while_it_runs(self):
        def forwards(interface):
            return self.net.run("cat", f"/proc/sys/net/ipv4/conf/{interface}/forwarding").stdout.strip()

        self.assertEqual(forwards("veth0"), "0")
        self.net.ip("link add wan type veth peer name wan1")
        self.net.ip("addr add 10.99.0.1/24 dev wan")
        self.net.ip("link set wan up")
        self.net.ip("link set wan1 up")
        self.net.ip("route add default via 10.99.0.2")
        self.start(keys="forward = true")
        self.assertEqual([forwards(name) for name in ("veth0", "branch", "wan")], ["1", "1", "0"])
        self.finish()
        self.assertEqual([forwards(name) for name in ("veth0", "wan")], ["0", "0"])

    def test_an_idle_wait_hardly_wakes_up(self):
        self.start()
        time.sleep(1)

        def switches():
            with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
                return int(next(line.split()[1] for line in file if line.startswith("voluntary_ctxt_switches")))

        before = switches()
        time.sleep(3)
        self.assertLessEqual(switches() - before, 4)


if __name__ == "__main__":
    require_root()
    unittest.main()
