#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""routeadd when links come and go: up, down, watch; and what it writes for others: export, import."""
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from netns import Namespace, require_root  # noqa: E402
from stopwatch import Stopwatch  # noqa: E402

ROUTEADD = os.path.abspath(os.path.join(os.environ.get("LONGLINE_BUILD", "build"), "tools", "routeadd"))
PATIENCE = 20  # seconds; for events that come at once


class Watch:
    """`routeadd watch`; its lines tell when it has done something."""

    def __init__(self, net):
        self.process = subprocess.Popen(net.argv(ROUTEADD, "--root", net.root, "watch"), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.pending = b""

    def line(self):
        deadline = time.monotonic() + PATIENCE
        while b"\n" not in self.pending:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError("watch says nothing")
            self.pending += os.read(self.process.stdout.fileno(), 65536)
        line, self.pending = self.pending.split(b"\n", 1)
        return line.decode()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, errors.decode()

    def kill(self):
        self.process.kill()
        self.process.communicate()


class LinksTest(unittest.TestCase):
    def setUp(self):
        self.net = Namespace()
        self.addCleanup(self.net.close)

    def ok(self, *words, status=0, **options):
        done = self.net.run(ROUTEADD, *words, **options)
        self.assertEqual(done.returncode, status, f"{words}: {done.stdout}{done.stderr}")
        return done

    def state(self, route):
        rows = [json.loads(line) for line in self.ok("list", "--json").stdout.splitlines()]
        return next(row["state"] for row in rows if row["route"] == route)

    def tun(self, name):
        self.net.ip(f"tuntap add {name} mode tun")
        self.net.ip(f"addr add 10.8.0.1 peer 10.8.0.2/32 dev {name}")
        self.net.ip(f"link set {name} up")

    def own(self):
        return [line.replace(" linkdown", "") for line in self.net.routes()]

    def test_up_and_down_bring_and_take_the_routes_of_one_link(self):
        self.net.write("routes", "172.16.0.0/12 via 1.1.1.1 link isp fail-fast\n10.5.0.0/16 dev veth0\n172.20.0.0/16 link other\n")
        self.ok("apply")
        self.assertEqual(self.own(), ["10.5.0.0/16 dev veth0 scope link", "unreachable 172.16.0.0/12 metric 1"])
        self.ok("up", "isp", status=69)
        self.tun("tun0")
        self.assertEqual(self.ok("up", "isp", "tun0").stdout, "+ 172.16.0.0/12 via 1.1.1.1 link isp fail-fast\n")
        self.assertEqual(self.own(), ["10.5.0.0/16 dev veth0 scope link", "172.16.0.0/12 dev tun0 scope link",
                                      "unreachable 172.16.0.0/12 metric 1"])
        self.assertEqual(self.state("172.16.0.0/12 via 1.1.1.1 link isp fail-fast"), "installed")
        self.assertEqual(self.ok("apply").stdout, "nothing to do; 1 waiting for its interface\n")
        self.ok("down", "isp", "--quiet")
        self.assertEqual(self.state("172.16.0.0/12 via 1.1.1.1 link isp fail-fast"), "waiting")
        self.assertEqual(self.own(), ["10.5.0.0/16 dev veth0 scope link", "unreachable 172.16.0.0/12 metric 1"])
        with open(os.path.join(self.net.root, "events.jsonl"), encoding="utf-8") as file:
            events = [json.loads(line) for line in file]
        self.assertIn(("route.installed", "isp"), [(e["event"], e.get("link")) for e in events])

    def test_an_interface_that_another_link_got_is_not_ours(self):
        self.net.write("routes", "172.16.0.0/12 link isp\n")
        self.tun("ppp0")
        self.ok("up", "isp", "ppp0")
        self.assertEqual(self.own(), ["172.16.0.0/12 dev ppp0 scope link"])
        self.net.ip("link del ppp0")
        self.tun("ppp0")
        self.ok("apply")
        self.assertEqual(self.own(), [])

    def test_a_conflict_does_not_keep_the_others_back(self):
        self.net.write("routes", "172.16.0.0/12 link isp\n172.31.0.0/16 link isp\n")
        self.net.ip("route add 172.16.0.0/12 via 10.0.0.9 proto static")
        self.tun("isp")
        self.assertIn("172.16.0.0/12", self.ok("up", "isp", status=65).stderr)
        self.assertEqual(self.own(), ["172.31.0.0/16 dev isp scope link"])

    def test_watch_brings_routes_back_within_a_tenth_of_a_second(self):
        self.net.write("routes", "10.1.0.0/16 via 10.0.0.2\n10.2.0.0/16 dev veth0\nfd07::/64 dev veth0\n10.3.0.0/16 dev later\n")
        self.ok("apply", status=0)
        watch = Watch(self.net)
        self.addCleanup(watch.kill)
        times = []
        for _ in range(5):
            self.net.ip("link set veth0 down")
            deadline = time.monotonic() + PATIENCE
            while self.own() and time.monotonic() < deadline:
                pass
            self.assertEqual(self.own(), [])
            for route in ("10.1.0.0/16 via 10.0.0.2", "10.2.0.0/16 dev veth0", "fd07::/64 dev veth0", "10.3.0.0/16 dev later"):
                self.assertEqual(self.state(route), "waiting", route)
            begin = Stopwatch()
            self.net.ip("link set veth0 up")
            lines = {watch.line() for _ in range(3)}
            times.append(begin.ours())
            self.assertEqual(lines, {"+ 10.1.0.0/16 via 10.0.0.2", "+ 10.2.0.0/16 dev veth0", "+ fd07::/64 dev veth0"})
            self.assertEqual(len(self.own()), 3)
        # The test's own processes, and whatever else the machine does, are in these times: the best one says what watch does.
        self.assertLess(min(times), 0.1)
        self.net.ip("tuntap add later mode tun")
        self.net.ip("link set later up")
        self.assertEqual(watch.line(), "+ 10.3.0.0/16 dev later")
        self.net.ip("route del 10.2.0.0/16 dev veth0")  # somebody's mistake
        self.assertEqual(watch.line(), "+ 10.2.0.0/16 dev veth0")
        self.net.ip("route add 10.9.0.0/16 dev veth0 proto 77")
        self.assertEqual(watch.line(), "- 10.9.0.0/16 dev veth0")
        self.ok("add", *"10.4.0.0/16 dev veth0".split())
        self.assertIn("10.4.0.0/16 dev veth0 scope link", self.own())
        status, errors = watch.stop()
        self.assertEqual(status, 0)
        self.assertEqual(errors, "")

    def test_events_that_overran_the_buffer_are_not_missed(self):
        self.net.write("routes", "10.1.0.0/16 via 10.0.0.2\n")
        self.ok("apply")
        watch = Watch(self.net)
        self.addCleanup(watch.kill)
        self.net.ip("route del 10.1.0.0/16")
        self.assertEqual(watch.line(), "+ 10.1.0.0/16 via 10.0.0.2")
        watch.process.send_signal(signal.SIGSTOP)
        self.net.ip("route del 10.1.0.0/16")
        flood = self.net.write("flood", "".join(f"route add 10.{200 + i // 62500}.{i // 250 % 250}.{i % 250}/32 dev veth0 proto 78\n" for i in range(30000)))
        self.net.ip(f"-batch {flood}")
        columns, *rows = [line.split() for line in self.net.run("cat", "/proc/net/netlink").stdout.splitlines()]
        groups, drops = columns.index("Groups"), columns.index("Drops")
        self.assertTrue([row for row in rows if int(row[groups], 16) != 0 and int(row[drops]) > 0], "nothing was dropped")
        watch.process.send_signal(signal.SIGCONT)
        self.assertEqual(watch.line(), "+ 10.1.0.0/16 via 10.0.0.2")
        self.net.ip("route del 10.1.0.0/16")
        self.assertEqual(watch.line(), "+ 10.1.0.0/16 via 10.0.0.2")
        self.assertEqual(watch.stop(), (0, ""))

    def test_a_foreign_route_in_the_way_is_waited_for(self):
        self.net.write("routes", "10.1.0.0/16 via 10.0.0.2\n")
        self.net.ip("route add 10.1.0.0/16 via 10.0.0.9 proto static")
        watch = Watch(self.net)
        self.addCleanup(watch.kill)
        self.assertEqual(self.state("10.1.0.0/16 via 10.0.0.2"), "conflict")
        self.assertEqual(self.own(), [])
        self.net.ip("route del 10.1.0.0/16 proto static")
        self.assertEqual(watch.line(), "+ 10.1.0.0/16 via 10.0.0.2")

    def test_export_is_what_apply_takes(self):
        text = ("10.1.0.0/16 via 10.0.0.2 dev veth0\n172.16.0.0/12 link isp\n10.2.0.0/16 dev veth0 metric 9 src 10.0.0.1 mtu 1400\n"
                "blackhole 10.3.0.0/16\nfd07::/64 via fd00::2 dev veth0 metric 77\nunreachable fd08::/64\n")
        self.net.write("routes", text)
        self.tun("isp")
        self.net.ip("route add 10.66.0.0/16 via 10.0.0.9 proto static")
        self.ok("apply")
        exported = self.ok("export").stdout
        self.assertEqual(sorted(exported.splitlines()), sorted(text.splitlines()))
        self.assertEqual(self.ok("plan", "-", stdin=exported).stdout, "")
        everything = self.ok("export", "--all").stdout
        self.assertIn("\n10.66.0.0/16 via 10.0.0.9 dev veth0\n", "\n" + everything)
        self.assertIn("# the kernel makes it itself: 10.0.0.0/24 dev veth0 src 10.0.0.1", everything)

    def test_import_reads_what_ip_prints(self):
        self.net.ip("route add default via 10.0.0.254 metric 100")
        self.net.ip("route add 10.1.0.0/16 via 10.0.0.2 mtu 1400 proto static")
        self.net.ip("route add unreachable 10.2.0.0/16")
        self.net.ip("route add 10.3.0.0/16 nexthop via 10.0.0.2 nexthop via 10.0.0.3")
        self.net.ip("-6 route add unreachable fd09::/64 metric 5")
        expected = ["10.1.0.0/16 via 10.0.0.2 dev veth0 mtu 1400", "default via 10.0.0.254 dev veth0 metric 100", "unreachable 10.2.0.0/16"]
        for words, also in (("route show", []), ("-j route show", []), ("-6 route show", None), ("-6 -j route show", None)):
            shown = "\n".join(self.net.ip(words)) + "\n"
            lines = self.ok("import", "-", stdin=shown).stdout.splitlines()
            routes = sorted(line for line in lines if not line.startswith("#"))
            self.assertEqual(routes, expected if also is not None else ["unreachable fd09::/64 metric 5"], words)
        self.ok("import", "-", stdin="this is no route\n", status=65)
        self.ok("import", "-", stdin="[{]", status=65)
        self.ok("import", os.path.join(self.net.root, "absent"), status=66)


    def configure(self, text):
        self.net.write("longline.toml", text)

    def test_a_link_that_cannot_be_reached_hides_its_routes(self):
        self.configure('[link.isp]\nport = "/dev/ttyS0"\nnumbers = ["1"]\n')
        self.net.write("routes", "172.16.0.0/12 link isp fail-fast\n")
        self.ok("apply")
        self.assertEqual(self.state("172.16.0.0/12 link isp fail-fast"), "waiting")
        supervisor = socket.socket(socket.AF_UNIX)  # all that list asks of one
        self.addCleanup(supervisor.close)
        supervisor.bind(os.path.join(self.net.root, "run", "isp.sock"))
        supervisor.listen()

        def answer():
            connection, _ = supervisor.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b'{"msg":"status","status":{"state":"unreachable","interface":null}}\n')
                connection.recv(4096)

        thread = threading.Thread(target=answer)
        thread.start()
        rows = {row["route"]: row for row in map(json.loads, self.ok("list", "--json").stdout.splitlines())}
        thread.join(PATIENCE)
        hidden = rows["172.16.0.0/12 link isp fail-fast"]
        self.assertEqual((hidden["state"], hidden["waits_for"]), ("hidden", "link isp"))
        self.assertEqual((rows["unreachable 172.16.0.0/12 metric 1"]["state"], rows["unreachable 172.16.0.0/12 metric 1"]["stand_in"]),
                         ("installed", True))

    def test_check_finds_the_default_route_that_a_link_took(self):
        self.assertEqual(self.ok("check").stdout, "")
        self.configure('[link.isp]\nport = "/dev/ttyS0"\nnumbers = ["1"]\n'
                       '[connector.x]\ndomains = ["*"]\nlink = "isp"\nhost = "h"\nprotocol = "x400"\n')
        self.net.write("routes", "172.16.0.0/12 link isp\n")
        self.tun("tun0")
        self.ok("apply")
        self.ok("up", "isp", "tun0")
        self.net.ip("route add default dev tun0")
        found = [json.loads(line) for line in self.ok("check", "--json", status=1).stdout.splitlines()]
        self.assertEqual([(f["code"], f["link"]) for f in found if f["code"] != "source-address"], [("stolen-default", "isp")])
        self.assertIn("10.8.0.1", next(f for f in found if f["code"] == "source-address")["message"])
        self.assertIn("ip route del default dev tun0", self.ok("check", status=1).stdout)
        self.assertEqual(self.ok("check", "--quiet", status=1).stdout, "")

    def test_get_says_which_way_a_packet_takes_and_would_take(self):
        self.net.write("routes", "172.16.0.0/12 link isp\n10.5.0.0/16 via 10.0.0.2\nblackhole 10.6.0.0/16\n")
        self.ok("apply")
        self.assertEqual(self.ok("get", "10.5.1.1").stdout, "10.5.1.1 via 10.0.0.2 dev veth0 src 10.0.0.1\n"
                                                           "  by 10.5.0.0/16 via 10.0.0.2 dev veth0 (ours)\n")
        self.assertEqual(self.ok("get", "172.16.1.1", status=1).stdout,
                         "172.16.1.1: Network is unreachable\n  if link isp were up: 172.16.0.0/12 link isp\n")
        self.assertIn("dropped in silence", self.ok("get", "10.6.1.1", status=1).stdout)
        self.tun("tun0")
        self.ok("up", "isp", "tun0")
        answer = json.loads(self.ok("get", "172.16.1.1", "--json").stdout)
        self.assertEqual((answer["dev"], answer["link"], answer["src"], answer["if_up"]), ("tun0", "isp", "10.8.0.1", None))
        self.assertIn("src 10.0.0.1", self.ok("get", "172.16.1.1", "--from", "10.0.0.1").stdout)
        self.assertIn("dev veth0", self.ok("get", "fd00::77").stdout)
        self.ok("get", "nonsense", status=64)
        self.ok("get", "10.0.0.1", "--from", "::1", status=64)


if __name__ == "__main__":
    require_root()
    unittest.main(verbosity=1)
