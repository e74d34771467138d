#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""routeadd against the kernel, each test in a network namespace of its own."""
import json
import os
import re
import select
import signal
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from netns import Namespace, require_root  # noqa: E402

ROUTEADD = os.path.abspath(os.path.join(os.environ.get("LONGLINE_BUILD", "build"), "tools", "routeadd"))


def mixed_routes(count):
    """Routes of every kind, with the line that `ip route show proto 77` has for each."""
    pairs = []
    for i in range(count):
        a, b = i // 200, i % 200
        kind = i % 8
        if kind == 0:
            pairs.append((f"10.{100 + a}.{b}.0/24 via 10.0.0.2", f"10.{100 + a}.{b}.0/24 via 10.0.0.2 dev veth0"))
        elif kind == 1:
            pairs.append((f"10.{100 + a}.{b}.0 mask 255.255.255.0 dev veth0", f"10.{100 + a}.{b}.0/24 dev veth0 scope link"))
        elif kind == 2:
            pairs.append((f"10.{100 + a}.{b}.0/25 dev veth0 src 10.0.0.1 metric {i} mtu 1400",
                          f"10.{100 + a}.{b}.0/25 dev veth0 scope link src 10.0.0.1 metric {i} mtu 1400"))
        elif kind == 3:
            pairs.append((f"blackhole 10.{100 + a}.{b}.0/24", f"blackhole 10.{100 + a}.{b}.0/24"))
        elif kind == 4:
            pairs.append((f"fd01:{a:x}:{b + 1:x}::/48 via fd00::2",
                          f"fd01:{a:x}:{b + 1:x}::/48 via fd00::2 dev veth0 metric 1024 pref medium"))
        elif kind == 5:
            pairs.append((f"unreachable fd02:{a:x}:{b + 1:x}::/48 metric 7",
                          f"unreachable fd02:{a:x}:{b + 1:x}::/48 dev lo metric 7 pref medium"))
        elif kind == 6:
            pairs.append((f"10.{100 + a}.{b}.7 via 10.250.0.1 dev veth0 onlink metric 3",
                          f"10.{100 + a}.{b}.7 via 10.250.0.1 dev veth0 metric 3 onlink"))
        else:
            pairs.append((f"prohibit 10.{100 + a}.{b}.0/26 table 100", f"prohibit 10.{100 + a}.{b}.0/26 table 100"))
    return pairs


class RouteaddTest(unittest.TestCase):
    def setUp(self):
        self.net = Namespace()
        self.addCleanup(self.net.close)

    def routeadd(self, *words, **options):
        return self.net.run(ROUTEADD, *words, **options)

    def ok(self, *words, status=0, **options):
        done = self.routeadd(*words, **options)
        self.assertEqual(done.returncode, status, f"{words}: {done.stdout}{done.stderr}")
        return done

    def monitor(self):
        """`ip monitor`, listening: it does not say when it begins to, so a route comes and goes until it tells of it."""
        monitor = subprocess.Popen(self.net.argv("ip", "monitor", "route"), stdout=subprocess.PIPE, text=True)
        self.addCleanup(monitor.communicate)
        self.addCleanup(monitor.kill)
        limit = threading.Timer(120, monitor.kill)   # ends events_until, too
        limit.daemon = True
        limit.start()
        self.addCleanup(limit.cancel)
        while not select.select([monitor.stdout], [], [], 0.05)[0]:
            self.net.ip("route add 10.99.98.0/24 dev veth0")
            self.net.ip("route del 10.99.98.0/24 dev veth0")
        return monitor

    def events_until(self, monitor, mark):
        """What the kernel told of our routes before it told of the mark; it tells of much that is its own."""
        ours = []
        for line in monitor.stdout:
            if mark in line:
                return ours
            if "proto 77" in line:
                ours.append(line)
        raise AssertionError("ip monitor ended")

    def states(self):
        rows = [json.loads(line) for line in self.ok("list", "--json").stdout.splitlines()]
        return {row["route"]: row["state"] for row in rows}

    def test_a_thousand_mixed_routes_agree_line_by_line_and_again_nothing_is_sent(self):
        pairs = mixed_routes(1000)
        file = self.net.write("wanted", "".join(route + "\n" for route, _ in pairs))
        self.assertEqual(self.ok("plan", file, status=1).stdout.count("\n"), 1000)
        self.assertEqual(self.net.routes(), [])
        self.assertEqual(self.ok("apply", file).stdout, "1000 added, 0 changed, 0 removed\n")
        self.assertEqual(self.net.routes(), sorted(line for _, line in pairs))
        self.assertEqual(self.ok("plan", file).stdout, "")
        self.assertEqual(self.ok("apply", file).stdout, "nothing to do\n")
        self.assertEqual(self.ok("apply", file, "--quiet").stdout, "")
        monitor = self.monitor()
        self.ok("apply", file)
        self.net.ip("route add 10.99.99.0/24 dev veth0")
        self.assertEqual(self.events_until(monitor, "10.99.99.0/24"), [])

    def test_one_of_a_thousand_is_refused_and_the_table_is_as_before(self):
        before = "10.10.0.0/16 via 10.0.0.3 mtu 1300\n10.20.0.0/16 dev veth0\nblackhole 10.30.0.0/16\nfd09::/64 via fd00::9\n"
        self.ok("apply", self.net.write("before", before))
        table = self.net.routes()
        lines = [route for route, _ in mixed_routes(999)]
        lines.insert(700, "")
        lines += ["10.10.0.0/16 via 10.0.0.4", "blackhole 10.20.0.0/16"]
        # The first two are seen before anything is sent; the source address only the kernel judges, in the midst of it.
        for route, words in (("10.40.0.0/16 via 10.77.0.1", "Nexthop has invalid gateway"), ("fd40::/64 via fd77::1", "unreachable|No route to host"),
                             ("10.40.0.0/16 via 10.0.0.2 src 10.77.0.1", "Invalid prefsrc address|Invalid argument")):
            lines[700] = route
            refused = self.ok("apply", self.net.write("wanted", "\n".join(lines)), status=65)
            self.assertIn("wanted:701:", refused.stderr)
            self.assertRegex(refused.stderr, words)
            self.assertIn(route, refused.stderr)
            self.assertEqual(self.net.routes(), table)
        failure = json.loads(self.ok("apply", os.path.join(self.net.root, "wanted"), "--json", status=65).stderr)["error"]
        self.assertEqual((failure["code"], failure["stage"], failure["status"]), ("route-refused", "route", 65))
        self.assertIn("wanted:701:", failure["message"])
        self.assertEqual(self.net.routes(), table)
        self.assertEqual(self.ok("apply", os.path.join(self.net.root, "before")).stdout, "nothing to do\n")

    def test_foreign_routes_are_never_touched(self):
        self.net.ip("route add 10.1.0.0/16 via 10.0.0.9 proto static")
        self.net.ip("-6 route add fd05::/64 via fd00::9 proto static")
        self.net.ip("route add default via 10.0.0.254")
        foreign = self.net.ip("route show") + self.net.ip("-6 route show")
        for line in ("10.1.0.0/16 dev veth0", "fd05::/64 dev veth0", "default dev veth0", "blackhole 10.1.0.0/16"):
            wanted = self.net.write("wanted", f"10.2.0.0/16 dev veth0\n{line}\n")
            self.assertIn("! ", self.ok("plan", wanted, status=1).stdout)
            done = self.ok("apply", wanted, status=65)
            self.assertIn("wanted:2:", done.stderr)
            self.assertIn("not ours", done.stderr)
            self.ok("add", *line.split(), status=65)
            self.ok("del", *line.split()[-3 if line[0] == "b" else 0:], status=66)
        self.assertEqual(self.net.ip("route show") + self.net.ip("-6 route show"), foreign)
        self.ok("apply", self.net.write("wanted", "10.1.0.0/16 dev veth0 metric 7\n"))
        self.ok("apply", self.net.write("wanted", ""))
        self.assertEqual(self.net.ip("route show") + self.net.ip("-6 route show"), foreign)

    def test_gateways_are_looked_at_before_anything_is_sent(self):
        monitor = self.monitor()
        for prefix, gateway in (("10.91.0.0/16", "10.0.0.9"), ("fd91::/64", "fd00::9")):
            self.net.ip(f"route add {prefix} via {gateway} metric 7 proto static")
        self.net.ip("route add 10.90.0.0/24 dev veth0")
        self.events_until(monitor, "10.90.0.0/24")
        wanted = self.net.write("wanted", "10.1.0.0/16 dev veth0\n10.2.0.0/16 via 10.77.0.1\nfd11::/64 via fd77::1\n"
                                          "10.91.0.0/16 via 10.77.0.1 metric 9\nfd91::/64 via fd77::1 metric 9\n")
        refused = self.ok("apply", wanted, status=65)
        self.assertIn("wanted:2:", refused.stderr)
        self.assertIn("3 more: lines 3, 4, 5", refused.stderr)
        warned = self.ok("plan", wanted, status=1)
        self.assertEqual(warned.stdout.count("+ "), 5)
        self.assertIn("wanted:2:", warned.stderr)
        # A gateway that a route of the same file leads to is one, and one on another of our networks, and onlink.
        self.ok("apply", self.net.write("wanted", "10.50.0.0/24 dev veth0\n10.2.0.0/16 via 10.50.0.1\n10.3.0.0/16 via 10.90.0.1\n"
                                                  "10.4.0.0/16 via 10.77.0.1 dev veth0 onlink\nfd50::/64 dev veth0\nfd51::/64 via fd50::1\n"))
        self.net.ip("route add 10.99.99.0/24 dev veth0")
        told = self.events_until(monitor, "10.99.99.0/24")
        self.assertEqual(len(told), 6, told)
        self.assertTrue(all(re.match(r"10\.(2|3|4|50)\.|fd5[01]:", line) for line in told), told)
        self.assertEqual(len(self.net.ip("route show proto static")) + len(self.net.ip("-6 route show proto static")), 2)

    def test_a_part_of_our_own_network_is_not_sent_elsewhere(self):
        self.net.ip("tuntap add tun0 mode tun")
        self.net.ip("link set tun0 up")
        wanted = self.net.write("wanted", "10.0.0.77 dev tun0\n10.0.0.128/25 dev tun0\n")
        refused = self.ok("apply", wanted, status=65)
        self.assertIn("wanted:2:", refused.stderr)
        self.assertIn("10.0.0.0/24, the network of our own interface veth0", refused.stderr)
        self.assertEqual(self.net.routes(), [])
        self.ok("apply", wanted, "--force")
        self.assertEqual(len(self.net.routes()), 2)

    def test_changes_keep_what_is_right(self):
        self.ok("apply", self.net.write("one", "10.1.0.0/16 dev veth0\n10.2.0.0/16 dev veth0\n10.3.0.0/16 dev veth0\n"))
        two = self.net.write("two", "10.1.0.0/16 dev veth0\n10.2.0.0/16 via 10.0.0.2\n10.4.0.0/16 dev veth0\n")
        self.assertEqual(self.ok("plan", two, status=1).stdout.splitlines(),
                         ["+ 10.4.0.0/16 dev veth0",
                          "~ 10.2.0.0/16 via 10.0.0.2 (was 10.2.0.0/16 dev veth0)", "- 10.3.0.0/16 dev veth0"])
        changes = [json.loads(line) for line in self.ok("plan", two, "--json", status=1).stdout.splitlines()]
        self.assertEqual([c["change"] for c in changes], ["add", "replace", "remove"])
        self.assertEqual(self.ok("apply", two).stdout, "1 added, 1 changed, 1 removed\n")
        self.assertEqual(self.net.routes(), ["10.1.0.0/16 dev veth0 scope link", "10.2.0.0/16 via 10.0.0.2 dev veth0",
                                             "10.4.0.0/16 dev veth0 scope link"])

    def test_a_route_waits_for_its_interface(self):
        self.assertEqual(self.ok("add", "192.168.100.0", "mask", "255.255.255.0", "via", "1.1.1.1", "link", "branch").stdout,
                         "waiting    192.168.100.0/24 via 1.1.1.1 link branch\n")
        self.ok("add", *"192.168.101.0/24 dev tun7 fail-fast".split())
        self.assertEqual(self.net.routes(), ["unreachable 192.168.101.0/24 metric 1"])
        self.assertEqual(self.states()["192.168.100.0/24 via 1.1.1.1 link branch"], "waiting")
        self.net.ip("tuntap add branch mode tun")
        self.ok("apply")
        self.assertEqual(self.states()["192.168.100.0/24 via 1.1.1.1 link branch"], "waiting")
        self.net.ip("link set branch up")
        self.assertIn("1.1.1.1 is left out", self.ok("apply").stderr)
        self.assertEqual(self.net.routes(), ["192.168.100.0/24 dev branch scope link linkdown",
                                             "unreachable 192.168.101.0/24 metric 1"])
        self.assertEqual(self.states()["192.168.100.0/24 via 1.1.1.1 link branch"], "installed")

    def test_a_route_without_a_device_waits_for_its_gateway(self):
        routes = self.net.write("routes", "10.1.0.0/16 via 10.0.0.2\nfd31::/64 via fd00::2\n")
        self.net.ip("link set veth0 down")
        # The interface keeps its IPv4 address; of the other gateway nothing is known.
        self.assertIn("routes:2:", self.ok("apply", status=65).stderr)
        self.net.write("routes", "10.1.0.0/16 via 10.0.0.2\n")
        self.assertEqual(self.ok("apply").stdout, "nothing to do; 1 waiting for its interface\n")
        self.assertIn("waiting", self.ok("add", *"10.2.0.0/16 via 10.0.0.9".split()).stdout)
        self.ok("add", *"10.3.0.0/16 via 10.77.0.9".split(), status=65)
        self.net.ip("link set veth0 up")
        self.net.ip("-6 addr add fd00::1/64 dev veth0 nodad")
        with open(routes, "a", encoding="utf-8") as file:
            file.write("fd31::/64 via fd00::2\n")
        self.ok("apply")
        self.assertEqual(len(self.net.routes()), 3)
        self.net.ip("link set veth0 down")
        rows = [json.loads(line) for line in self.ok("list", "--json").stdout.splitlines()]
        self.assertEqual({(row["state"], row["waits_for"]) for row in rows if row["protocol"] == "77"},
                         {("waiting", "gateway 10.0.0.2"), ("waiting", "gateway 10.0.0.9"), ("waiting", "gateway fd00::2")})
        # What was accepted once does not keep the rest of the file from being applied.
        with open(routes, "a", encoding="utf-8") as file:
            file.write("blackhole 10.9.0.0/16\n")
        self.ok("apply")
        self.assertEqual(self.net.routes(), ["blackhole 10.9.0.0/16"])

    def test_add_and_del_keep_the_file_and_the_kernel_in_step(self):
        routes = self.net.write("routes", "# ours\n10.9.0.0/16 dev veth0   # keep\n")
        self.ok("add", *"10.1.0.0/16 via 10.0.0.2".split())
        self.ok("add", *"10.1.0.0/16 via 10.0.0.2".split())
        self.assertEqual(self.net.routes(), ["10.1.0.0/16 via 10.0.0.2 dev veth0"])
        with open(routes, encoding="utf-8") as file:
            self.assertEqual(file.read(), "# ours\n10.9.0.0/16 dev veth0   # keep\n10.1.0.0/16 via 10.0.0.2\n")
        self.assertIn("routes:3:", self.ok("add", *"10.1.0.0/16 via 10.0.0.3".split(), status=65).stderr)
        refused = self.ok("add", *"10.2.0.0/16 via 10.77.0.1".split(), status=65)
        self.assertIn("invalid gateway", refused.stderr)
        self.ok("add", *"10.1.0.0/16 dev veth0 metric 8".split())
        self.assertIn("metric", self.ok("del", "10.1.0.0/16", status=64).stderr)
        self.ok("del", *"10.1.0.0/16 metric 8".split())
        self.assertEqual(self.ok("del", "10.1.0.0/16", "--json").stdout.count('"state":"removed"'), 1)
        self.ok("del", "10.1.0.0/16", status=66)
        self.assertEqual(self.net.routes(), [])
        with open(routes, encoding="utf-8") as file:
            self.assertEqual(file.read(), "# ours\n10.9.0.0/16 dev veth0   # keep\n")

    def test_where_the_routes_come_from(self):
        wanted = self.net.write("wanted", "10.1.0.0/16 dev veth0\n")
        with open(wanted, encoding="utf-8") as file:
            self.ok("plan", stdin=file, status=1)
        with open(wanted, encoding="utf-8") as file:
            self.ok("apply", stdin=file)
        self.ok("apply", "-", stdin="10.1.0.0/16 dev veth0\n")
        self.assertEqual(self.net.routes(), ["10.1.0.0/16 dev veth0 scope link"])
        self.ok("apply", os.path.join(self.net.root, "absent"), status=66)
        self.net.write("routes", "include more\n10.2.0.0/16 dev veth0\n")
        self.net.write("more", "10.3.0.0/16 dev veth0\n")
        self.ok("apply", stdin="10.66.0.0/16 dev veth0\n")  # a pipe that nobody named is not read
        self.assertEqual(self.net.routes(), ["10.2.0.0/16 dev veth0 scope link", "10.3.0.0/16 dev veth0 scope link"])

    def test_mistakes_in_the_file_change_nothing(self):
        done = self.ok("apply", self.net.write("wanted", "10.1.0.0/16 dev veth0\n192.168.100.15/24 dev veth0\n"), status=65)
        self.assertIn("wanted:2:1: error:", done.stderr)
        self.assertIn("192.168.100.0/24", done.stderr)
        self.assertEqual(self.net.routes(), [])
        self.ok("apply", self.net.write("wanted", "10.1.0.0/16 dev veth0\n10.1.0.0/16 via 10.0.0.2\n"), status=65)
        self.ok("nonsense", status=64)
        self.ok("add", status=64)

    def test_the_operator_is_not_cut_off(self):
        ssh = {"SSH_CONNECTION": "10.50.1.1 40000 10.0.0.1 22"}
        self.net.ip("route add default via 10.0.0.254")
        wanted = self.net.write("wanted", "10.60.0.0/16 dev veth0\nblackhole 10.50.0.0/16\n")
        for env in (ssh, {"SSH_CLIENT": "10.50.1.1 40000 22"}):
            refused = self.ok("apply", wanted, status=65, env=env).stderr
            self.assertIn("wanted:2:", refused)
            self.assertIn("10.50.1.1", refused)
        self.assertEqual(self.net.routes(), [])
        # sudo takes the variable away; the login shell above still has it.
        inner = f"env -u SSH_CONNECTION {ROUTEADD} apply {wanted}; exit $?"
        self.assertEqual(self.net.run("sh", "-c", inner, env=ssh).returncode, 65)
        self.assertEqual(self.net.routes(), [])
        self.ok("apply", wanted, "--force", env=ssh)
        self.ok("apply", self.net.write("wanted", "10.60.0.0/16 dev veth0\n"), env=ssh)
        self.assertEqual(self.net.routes(), ["10.60.0.0/16 dev veth0 scope link"])

    def test_without_privilege(self):
        wanted = self.net.write("wanted", "10.1.0.0/16 dev veth0\n")
        os.chmod(self.net.root, 0o777)
        done = self.net.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", ROUTEADD, "apply", wanted)
        self.assertEqual(done.returncode, 77, done.stderr)
        self.assertIn("CAP_NET_ADMIN", done.stderr)
        done = self.net.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", ROUTEADD, "plan", wanted)
        self.assertEqual(done.returncode, 1, done.stderr)

    def test_killed_at_any_moment_the_next_apply_completes_it(self):
        pairs = [(f"10.{100 + i // 250}.{i % 250}.0/24 via 10.0.0.2", f"10.{100 + i // 250}.{i % 250}.0/24 via 10.0.0.2 dev veth0")
                 for i in range(20000)]
        full = self.net.write("full", "".join(f"{r}\n" for r, _ in pairs))
        empty = self.net.write("empty", "")
        self.net.ip("route add 10.66.0.0/16 via 10.0.0.9 proto static")
        self.net.ip("-6 route add fd66::/64 via fd00::9 proto static")
        foreign = self.net.routes("static")
        for delay in range(0, 60, 6):
            process = subprocess.Popen(self.net.argv(ROUTEADD, "--root", self.net.root, "apply", full), stdout=subprocess.DEVNULL)
            try:
                process.wait(delay / 1000)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
            self.ok("apply", full)
            self.assertEqual(len(self.net.routes()), len(pairs))
            self.ok("apply", empty)
            self.assertEqual(self.net.routes(), [])
            self.assertEqual(self.net.routes("static"), foreign)

    def test_hostile_files_end_with_an_error_that_a_terminal_can_bear(self):
        deep = [self.net.write(f"deep{i}", f"include deep{i + 1}\n") for i in range(12)]
        loop = self.net.write("loop", "include loop2\n")
        self.net.write("loop2", "include loop\n")
        many = self.net.write("many", "include lines\n" * 1000)
        self.net.write("lines", "\n" * 300_000)
        esc = self.net.write("esc", "10.0.0.0/8 dev \x1b[2J\n\x9b31m\u202e\n10.1.0.0/16 via \x07\ninclude \x1b]0;x\x07\n")
        for path, code in ((deep[0], "include-depth"), (loop, "include-cycle"), (many, "too-large"), (esc, "bad-name"), ("/dev/urandom", None)):
            done = self.net.run("sh", "-c", f"ulimit -v 1500000; exec {ROUTEADD} apply {path}")
            self.assertEqual(done.returncode, 65, (path, done.stderr[:300]))
            self.assertIn(f"[{code}]" if code else "larger than", done.stderr)
            self.assertNotRegex(done.stderr, "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")
        bad = os.path.join(self.net.root, "bad")
        with open(bad, "wb") as file:
            file.write(bytes(range(256)) * 40)
        self.assertNotRegex(self.ok("apply", bad, status=65).stderr, "[\x00-\x08\x0b-\x1f\x7f-\x9f]")
        self.assertEqual(self.net.routes(), [])

    def test_the_examples_of_the_manual_run(self):
        with open(os.path.join(os.environ.get("LONGLINE_SOURCE", "."), "man", "routeadd.8"), encoding="utf-8") as file:
            examples = file.read().split(".Sh EXAMPLES")[1].split(".Sh SEE ALSO")[0]
        blocks = [block.split(".Ed")[0].split("\n", 1)[1] for block in examples.split(".Bd")[1:]]
        self.assertGreaterEqual(len(blocks), 8)
        self.net.write("routes.txt", "10.1.0.0/16 via 10.0.0.2\n")
        path = os.path.dirname(ROUTEADD) + ":" + os.environ["PATH"]
        for block in blocks:
            lines = block.strip().splitlines()
            self.assertTrue(all(line.startswith(("routeadd ", "ip ")) for line in lines), block)
            for line in lines:
                with self.subTest(line):
                    if "--confirm" in line:
                        self.ok("apply", "/dev/null")  # so that there is something to confirm
                    run = subprocess.Popen(self.net.argv("sh", "-c", line), cwd=self.net.root, text=True, stdin=subprocess.DEVNULL,
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                           env={"PATH": path, "LONGLINE_ROOT": self.net.root})
                    if "--confirm" in line:
                        self.assertIn("routeadd confirm", run.stderr.readline())
                        self.assertEqual(self.routeadd("confirm").returncode, 0)
                    out, errors = run.communicate(timeout=60)
                    expected = {1} if line.startswith("routeadd plan") else {0, 66} if line == "routeadd confirm" else {0}
                    self.assertIn(run.returncode, expected, out + errors)

    def test_two_at_once_take_turns(self):
        files = [self.net.write(f"f{i}", "".join(f"10.{100 + i}.{b}.0/24 dev veth0\n" for b in range(250))) for i in range(4)]
        runs = [subprocess.Popen(self.net.argv(ROUTEADD, "--root", self.net.root, "apply", file), stdout=subprocess.PIPE, text=True)
                for file in files * 3]
        for run in runs:
            run.communicate(timeout=60)
            self.assertEqual(run.returncode, 0)
        routes = self.net.routes()
        self.assertEqual(len(routes), 250)
        self.assertEqual(len({line.split(".")[1] for line in routes}), 1)


if __name__ == "__main__":
    require_root()
    unittest.main(verbosity=1)
