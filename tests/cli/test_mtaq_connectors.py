# SPDX-License-Identifier: MIT
"""Connectors of mtaq: which one mail takes, failover, delivery by DNS, triggers, limits of a flush, and what a call would cost."""

import datetime
import json
import os
import pty
import socket
import sqlite3
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.dns import MX, NameServer  # noqa: E402
from support.mail import LINK, PATIENCE, Peer, Root, lan  # noqa: E402
from support.stopwatch import Stopwatch  # noqa: E402

ISP = '[link.isp]\nport = "tcp:127.0.0.1:9"\nnetwork = "stream"\nnumbers = ["1"]\n'


def message(n, size=0):
    return f"From: a@b.example\nMessage-ID: <{n}@test>\nSubject: {n}\n\n{'x' * 70}\n".encode() + (b"z" * 78 + b"\n") * (size // 80)


def subjects(peer):
    return [body.split(b"Subject: ")[1].split(b"\r\n")[0].decode() for _, _, body in peer.messages]


def closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Case(unittest.TestCase):
    def setUp(self):
        self.root = Root(LINK)
        self.addCleanup(self.root.close)

    def peer(self, **behaviour):
        peer = Peer(**behaviour)
        self.addCleanup(peer.close)
        return peer

    def name_server(self, zone, **behaviour):
        server = NameServer(zone, **behaviour)
        self.addCleanup(server.close)
        return server

    def due(self, *arguments, status=0):
        return self.root.run("due", *arguments, status=status).stdout.decode().split()

    def state(self, name):
        db = sqlite3.connect(self.root.spool)
        row = db.execute("SELECT open_failures, transfer_failures, next_open, reason FROM connectors WHERE name=?", (name,)).fetchone()
        db.close()
        return row


class Q230051(Case):
    """One dial-up smart host for everything, one more entry for a single domain: by DNS (a), to a LAN host (b). In Exchange the second
    entry kept the first from ever dialling."""

    def check(self, entry, partner):
        line = self.peer(path=self.root.line)
        for order in (0, 1):
            with self.subTest(order=order):
                smarthost = '[connector.smarthost]\ndomains = ["*"]\nlink = "isp"\nhost = "line"\n'
                self.root.configure(ISP + (smarthost + entry if order == 0 else entry + smarthost))
                self.root.add(message(1), "a@partner.example")
                self.due(status=1)
                self.due("--link", "isp", status=1)
                self.root.add(message(2), "b@world.example")
                self.root.add(message(3), "a@partner.example", "c@world.example")
                self.assertEqual(self.due("--link", "isp"), ["isp"])
                # What the LAN peer takes does not end the dial-up one's work.
                self.root.flush("--connector", "partner")
                self.assertEqual(self.due("--link", "isp"), ["isp"])
                self.root.flush("--link", "isp", "--wait")
                self.due("--link", "isp", status=1)
                self.assertEqual(self.root.list(), [])
                self.assertEqual(sorted(r for _, rs, _ in line.messages for r in rs), ["b@world.example", "c@world.example"])
                self.assertEqual([r for _, rs, _ in partner.messages for r in rs], ["a@partner.example"] * 2)
                line.messages.clear()
                partner.messages.clear()

    def test_a_by_dns(self):
        partner = self.peer()
        dns = self.name_server({"partner.example": {"mx": [(10, "mail.partner.example")]}, "mail.partner.example": {"a": ["127.0.0.1"]}})
        self.check(f'[connector.partner]\ndomains = ["partner.example"]\nhost = "mx"\nport = {partner.port}\n'
                   f'nameserver = "127.0.0.1:{dns.port}"\n', partner)

    def test_b_on_the_lan(self):
        partner = self.peer()
        self.check(lan(partner.port, "partner", ("partner.example",)), partner)

    def test_one_receipt_for_a_message_that_takes_both_ways(self):
        line, partner = self.peer(path=self.root.line), self.peer()
        self.root.configure(ISP + '[connector.smarthost]\ndomains = ["*"]\nlink = "isp"\nhost = "line"\n' +
                            lan(partner.port, "partner", ("partner.example",)))
        id = self.root.add(message(1), "a@partner.example", "b@world.example")
        receipts = self.root.flush("--wait")   # asserts that each message is named once
        self.assertEqual(list(receipts), [id])
        self.assertEqual(sorted(r["address"] for r in receipts[id]["recipients"]), ["a@partner.example", "b@world.example"])
        self.assertEqual((len(line.messages), len(partner.messages)), (1, 1))

    def test_what_one_way_leaves_is_left(self):
        partner = self.peer()
        self.root.configure(ISP + '[connector.smarthost]\ndomains = ["world.example"]\nlink = "isp"\nhost = "line"\n' +
                            lan(partner.port, "partner", ("partner.example",)))
        id = self.root.add(message(1), "a@partner.example", "b@world.example")
        (receipt,) = self.root.flush("--wait", status=75).values()
        self.assertEqual({r["address"]: r["result"] for r in receipt["recipients"]},
                         {"a@partner.example": "sent", "b@world.example": "not-tried"})
        other = self.root.add(message(2), "a@partner.example", "x@nowhere.example")
        receipts = self.root.flush("--wait", status=75)
        self.assertEqual({r["result"] for r in receipts.values()}, {"not-tried"})
        self.assertEqual(sorted(receipts), sorted([id, other]))
        self.assertEqual(len(partner.messages), 2)


class Failover(Case):
    def test_the_next_cost_takes_over_in_the_same_flush(self):
        backup = self.peer()
        self.root.configure(LINK + lan(closed_port(), "cheap", more="cost = 1\nmax-open-retries = 1") + lan(backup.port, "dear", more="cost = 9"))
        first = self.root.add(message(1), "bob@lan.example")
        self.assertEqual(self.root.flush("--wait", status=69)[first]["cause"], "next-hop-unreachable")
        self.assertEqual(backup.messages, [])
        self.assertEqual(self.state("cheap")[0], 1)
        # The retry is the last: its failure hands the mail on.
        receipts = self.root.flush("--wait")
        self.assertEqual(receipts[first]["connector"], "dear")
        self.assertEqual(len(backup.messages), 1)
        (event,) = self.root.events("connector.failover")
        self.assertEqual((event["connector"], event["next"]), ("cheap", "dear"))
        self.assertEqual(self.root.events("mail.unreachable")[0]["connector"], "cheap")
        # While it rests nobody asks it.
        self.root.add(message(2), "bob@lan.example")
        self.assertEqual(self.root.list()[0]["connector"], "dear")
        self.root.flush()
        self.assertEqual(len(self.root.events("mail.unreachable")), 2)
        # By name it is tried at once.
        third = self.root.add(message(3), "bob@lan.example")
        self.assertEqual(self.root.flush("--connector", "cheap", status=69)[third]["result"], "not-tried")
        self.assertEqual(self.root.list()[0]["attempts"], 0)

    def test_it_is_used_again_once_it_works(self):
        port = closed_port()
        backup = self.peer()
        self.root.configure(LINK + lan(port, "cheap", more='cost = 1\nmax-open-retries = 0\nopen-interval = "1s"') + lan(backup.port, "dear"))
        self.root.add(message(1), "bob@lan.example")
        self.root.flush()
        self.assertEqual(len(backup.messages), 1)
        back = self.peer()
        self.root.configure(LINK + lan(back.port, "cheap", more='cost = 1\nmax-open-retries = 0\nopen-interval = "1s"') + lan(backup.port, "dear"))
        time.sleep(1.1)   # the interval is what is tested
        self.root.add(message(2), "bob@lan.example")
        self.root.flush()
        self.assertEqual((len(backup.messages), len(back.messages)), (1, 1))
        self.assertEqual(self.state("cheap")[:3], (0, 0, None))

    def test_a_dead_peer_costs_its_mail_nothing_and_the_others_nothing(self):
        good = self.peer()
        self.root.configure(LINK + lan(closed_port(), "dead", ("dead.example",)) + lan(good.port, "good", ("good.example",)))
        for n in range(3):
            self.root.add(message(n), f"bob@{'good' if n == 1 else 'dead'}.example")
        self.root.flush(status=69)
        self.assertEqual(len(good.messages), 1)
        self.assertEqual([m["attempts"] for m in self.root.list()], [0, 0])
        self.assertEqual(len(self.root.events("mail.unreachable")), 1)

    def test_spent_retries_bounce_nothing(self):
        self.root.configure(LINK + lan(closed_port(), "dead", more="max-open-retries = 1"))
        id = self.root.add(message(1), "bob@lan.example")
        for _ in range(4):
            self.root.flush(status=69)
        self.assertEqual(self.root.ids(), [id])
        self.assertEqual(self.state("dead")[0], 4)

    def test_sessions_that_break_off_count_when_nothing_moved(self):
        backup = self.peer()

        def hang_up(line):
            if line.startswith("MAIL"):
                raise EOFError

        broken = self.peer(before_reply=hang_up)
        self.root.configure(LINK + lan(broken.port, "cheap", more="cost = 1\nmax-transfer-retries = 0") + lan(backup.port, "dear"))
        self.root.add(message(1), "bob@lan.example")
        self.root.flush()
        self.assertEqual(len(backup.messages), 1)
        self.assertEqual(self.state("cheap")[:2], (0, 1))

    def test_due_waits_for_the_interval_and_names_the_next_link(self):
        self.root.configure(ISP.replace("stream", "ppp") + ISP.replace("isp", "gsm") +
                            '[connector.hub]\ndomains = "*"\nlink = "isp"\nhost = "192.0.2.1"\nmax-open-retries = 1\n'
                            '[connector.backup]\ndomains = "*"\nlink = "gsm"\nhost = "line"\ncost = 99\n')
        self.root.add(message(1), "bob@far.example")
        self.assertEqual(self.due(), ["isp"])
        db = sqlite3.connect(self.root.spool)
        db.execute("INSERT INTO connectors(name, open_failures, next_open) VALUES('hub', 1, ?)", (int(time.time() * 1000) + 60_000,))
        db.commit()
        self.due(status=1)
        db.execute("UPDATE connectors SET open_failures=2")
        db.commit()
        self.assertEqual(self.due(), ["gsm"])
        self.assertEqual(self.root.list()[0]["link"], "gsm")
        db.execute("UPDATE connectors SET next_open=?", (int(time.time() * 1000) + 400 * 86_400_000,))   # the clock was wrong
        db.commit()
        db.close()
        self.assertEqual(self.due(), ["isp"])

    def test_outside_its_hours_mail_waits(self):
        peer = self.peer()
        never = time.strftime("%a", time.localtime(time.time() + 3 * 86_400))[:2]
        self.root.configure(LINK + lan(peer.port, more=f'hours = "{never} 00:00-24:00"'))
        self.root.add(message(1), "bob@lan.example")
        (receipt,) = self.root.flush(status=75).values()
        self.assertEqual((receipt["result"], receipt["cause"]), ("not-tried", "outside-hours"))
        self.assertEqual(peer.connections, 0)


class ByDns(Case):
    def world(self, dns, port, more=""):
        self.root.configure(f'[connector.world]\ndomains = "*"\nhost = "mx"\nport = {port}\nnameserver = "127.0.0.1:{dns.port}"\n{more}\n')

    def test_in_the_order_of_preference(self):
        peer = self.peer()
        dns = self.name_server({"far.example": {"mx": [(20, "b.far.example"), (10, "a.far.example")]},
                                "a.far.example": {"a": ["127.0.0.2"]}, "b.far.example": {"a": ["127.0.0.1"]}})
        self.world(dns, peer.port)
        self.root.add(message(1), "bob@Far.Example", "carol@far.example")
        self.root.flush("--wait")   # 127.0.0.2 refuses: the peer listens on 127.0.0.1 alone
        self.assertEqual([r for _, r, _ in peer.messages], [["bob@far.example", "carol@far.example"]])
        self.assertEqual([q for q in dns.queries if q[1] == MX], [("far.example", MX)])

    def test_addresses_that_came_along_are_not_asked_for(self):
        peer = self.peer()
        dns = self.name_server({"far.example": {"mx": [(10, "a.far.example")]}, "a.far.example": {"a": ["127.0.0.1"]}}, additional=True)
        self.world(dns, peer.port)
        self.root.add(message(1), "bob@far.example")
        self.root.flush("--wait")
        self.assertEqual(dns.queries, [("far.example", MX)])

    def test_without_mx_its_own_address(self):
        peer = self.peer()
        dns = self.name_server({"host.example": {"a": ["127.0.0.1"]}}, truncate=True)   # over TCP, then
        self.world(dns, peer.port)
        self.root.add(message(1), "bob@host.example")
        self.root.flush("--wait")
        self.assertEqual(len(peer.messages), 1)

    def test_an_address_literal_needs_no_dns(self):
        peer = self.peer()
        dns = self.name_server({})
        self.world(dns, peer.port)
        self.root.add(message(1), "bob@[127.0.0.1]")
        self.root.flush("--wait")
        self.assertEqual((len(peer.messages), dns.queries), (1, []))

    def test_refused_for_good(self):
        peer = self.peer()
        dns = self.name_server({"null.example": {"mx": [(0, "")]}, "empty.example": {}, "good.example": {"a": ["127.0.0.1"]}})
        self.world(dns, peer.port)
        for domain in ("null", "gone", "empty", "good"):
            self.root.add(message(domain), f"bob@{domain}.example")
        receipts = self.root.flush("--wait", status=65)
        told = {r["recipients"][0]["address"]: r["recipients"][0]["reason"] for r in receipts.values() if r["result"] == "refused"}
        self.assertEqual(sorted(told), ["bob@empty.example", "bob@gone.example", "bob@null.example"])
        self.assertIn("null MX", told["bob@null.example"])
        self.assertIn("not found", told["bob@gone.example"])
        self.assertEqual(len(peer.messages), 1)
        self.assertEqual([m["sender"] for m in self.root.list()], [""] * 3)

    def test_a_name_server_in_trouble_is_waited_for(self):
        peer = self.peer()
        dns = self.name_server({"good.example": {"a": ["127.0.0.1"]}}, failing=["bad.example"])
        self.world(dns, peer.port)
        self.root.add(message(1), "bob@bad.example")
        self.root.add(message(2), "bob@good.example")
        receipts = self.root.flush("--wait", status=69)
        self.assertEqual(sorted(r["result"] for r in receipts.values()), ["not-tried", "sent"])
        (left,) = self.root.list()
        self.assertEqual((left["state"], left["attempts"], left["reason_class"]), ("ready", 0, "dns"))

    def test_a_silent_name_server_is_asked_about_one_domain(self):
        dns = self.name_server({}, silent=True)
        self.world(dns, 25)
        for domain in ("a", "b", "c"):
            self.root.add(message(domain), f"bob@{domain}.example")
        started = Stopwatch()
        self.root.flush("--wait", "--deadline", "6s", status=69)
        self.assertLess(started.ours(), 6)
        self.assertEqual({q[0] for q in dns.queries}, {"a.example"})

    def test_one_dead_exchanger_does_not_stop_the_other_domains(self):
        peer = self.peer()
        dns = self.name_server({"dead.example": {"a": ["127.0.0.3"]}, "good.example": {"a": ["127.0.0.1"]}})
        self.world(dns, peer.port, "max-open-retries = 0")
        self.root.add(message(1), "bob@dead.example")
        self.root.add(message(2), "bob@good.example")
        self.root.flush("--wait", status=69)
        self.assertEqual(len(peer.messages), 1)
        self.assertIsNone(self.state("world"))
        self.assertEqual(self.state("world\tdead.example")[0], 1)

    def test_mail_that_is_ours_by_dns_does_not_go_in_circles(self):
        dns = self.name_server({"far.example": {"mx": [(10, "us.example")]}, "us.example": {"a": ["127.0.0.1"]}})
        self.world(dns, 25, 'helo = "us.example"')
        self.root.add(message(1), "bob@far.example")
        (receipt,) = self.root.flush("--wait", status=65).values()
        self.assertIn("come back to us", receipt["recipients"][0]["reason"])


class Limits(Case):
    def test_max_bytes(self):
        peer = self.peer()
        self.root.configure(LINK + lan(peer.port))
        ids = [self.root.add(message(n, 2000), "bob@lan.example") for n in range(5)]
        size = self.root.list()[0]["size"]
        receipts = self.root.flush("--wait", "--max-bytes", 3 * size + 5, status=75)
        self.assertEqual(len(peer.messages), 3)
        self.assertEqual(sorted(receipts), sorted(ids))
        left = [r for r in receipts.values() if r["result"] != "sent"]
        self.assertEqual({(r["result"], r["cause"]) for r in left}, {("not-tried", "messages-left")})
        self.assertEqual({m["state"] for m in self.root.list()}, {"ready"})
        self.root.flush("--max-bytes", 2 * size)
        self.assertEqual(self.root.list(), [])
        self.root.run("flush", "--max-bytes", "-1", status=64)

    def test_a_large_message_does_not_keep_small_ones_from_the_bytes(self):
        peer = self.peer()
        self.root.configure(LINK + lan(peer.port))
        large = self.root.add(message("large", 50_000), "bob@lan.example", more=("--priority", "urgent"))
        self.root.add(message("small"), "bob@lan.example")
        self.root.flush("--max-bytes", "10k", status=75)
        self.assertEqual(subjects(peer), ["small"])
        self.assertEqual(self.root.ids(), [large])

    def test_what_cannot_be_through_before_the_deadline_is_not_begun(self):
        peer = self.peer()
        self.root.configure(LINK + lan(peer.port))
        self.root.add(message("first"), "bob@lan.example")
        self.root.flush()
        db = sqlite3.connect(self.root.spool)   # a slow line, as an earlier call found it
        db.execute("UPDATE peer_memory SET rate=1000, round_trip=500, learned=?", (int(time.time() * 1000),))
        db.commit()
        db.close()
        large = self.root.add(message("large", 60_000), "bob@lan.example")
        self.root.add(message("small"), "bob@lan.example")
        started = Stopwatch()
        receipts = self.root.flush("--wait", "--deadline", "20s", status=124)
        self.assertLess(started.ours(), 15)
        self.assertEqual(subjects(peer), ["first", "small"])
        self.assertEqual(receipts[large]["cause"], "deadline")
        self.assertIn("more than is left", receipts[large]["recipients"][0]["reason"])
        self.assertEqual(len([c for c in peer.commands if c.startswith("MAIL")]), 2)
        self.root.flush("--wait", "--deadline", "10m")
        self.assertEqual(self.root.list(), [])

    def test_an_aged_large_message_goes_before_small_ones_that_just_came(self):
        peer = self.peer()
        self.root.configure(LINK + lan(peer.port))
        large = self.root.add(message("large", 50_000), "bob@lan.example")
        db = sqlite3.connect(self.root.spool)
        db.execute("UPDATE messages SET arrived=arrived-36*3600*1000")
        db.commit()
        db.close()
        self.root.add(message("small"), "bob@lan.example")
        self.root.add(message("urgent", 9000), "bob@lan.example", more=("--priority", "urgent"))
        self.assertIn(large, self.root.flush())
        self.assertEqual(subjects(peer), ["urgent", "large", "small"])

    def on_terminal(self, *arguments):
        """stderr is a terminal, stdout is not: what comes to stderr."""
        master, slave = pty.openpty()
        process = subprocess.Popen(self.root.command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=slave)
        os.close(slave)
        shown = b""
        try:
            while chunk := os.read(master, 4096):
                shown += chunk
        except OSError:
            pass
        os.close(master)
        self.assertEqual(process.wait(PATIENCE), 0)
        return shown.decode()

    def test_the_bar_on_a_terminal(self):
        peer = self.peer(delay=0.02)
        self.root.configure(LINK + lan(peer.port))
        for quiet in (False, True):
            for n in range(4):
                self.root.add(message(n, 4000), "bob@lan.example")
            shown = self.on_terminal("flush", "--wait", *["--quiet"] * quiet)
            if quiet:
                self.assertEqual(shown, "")
            else:
                self.assertRegex(shown, r"\[=*>? *\] \d/4 messages, [\d.]+ k?B of [\d.]+ kB")
                self.assertIn("/s", shown)


class Delays(Case):
    def late(self, hours, more="", name="lan.example"):
        """A message that came so long ago, and a peer that defers it."""
        peer = self.peer(replies={"RCPT": "451 4.2.1 mailbox busy"})
        self.root.configure('local-domains = ["site7.example"]\n' + LINK + lan(peer.port, more=more))
        id = self.root.add(message(1), f"bob@{name}")
        db = sqlite3.connect(self.root.spool)
        db.execute("UPDATE messages SET arrived=arrived-?*3600*1000", (hours,))
        db.commit()
        db.close()
        return id, peer

    def test_a_sender_is_told_once_that_it_is_late(self):
        id, peer = self.late(4)
        self.root.flush(status=75)
        self.root.flush(status=75)
        (notice,) = self.root.list("--inbox")
        text = self.root.run("show", "--raw", notice["id"]).stdout.decode()
        for wanted in ("Action: delayed", "Status: 4.2.1", "bob@lan.example", "Will-Retry-Until:", "mailbox busy"):
            self.assertIn(wanted, text)
        self.assertEqual(self.root.ids(), [id])
        peer.replies.clear()
        self.root.flush()
        self.assertEqual(len(self.root.list("--inbox")), 1)

    def test_not_before_its_time_and_not_when_it_goes(self):
        self.late(3)
        self.root.flush(status=75)
        self.assertEqual(self.root.list("--inbox"), [])
        _, peer = self.late(50)
        peer.replies.clear()
        self.root.flush()
        self.assertEqual(self.root.list("--inbox"), [])

    def test_never_with_zero(self):
        self.late(50, "delay-warning = 0")
        self.root.flush(status=75)
        self.assertEqual(self.root.list("--inbox"), [])

    def test_time_in_which_the_connector_could_not_be_used_does_not_count(self):
        today, yesterday = (time.strftime("%a", time.localtime(time.time() - d * 86_400))[:2] for d in (0, 1))
        if time.localtime().tm_hour >= 3:
            # 30 hours ago: but of today less than that, of yesterday nothing.
            hour = time.localtime().tm_hour
            more = f'hours = "{today} {hour - 1:02}:00-24:00"\nexpire = "5h"\ndelay-warning = "4h"'
            self.late(30, more)
            self.root.flush(status=75)
            self.assertEqual(self.root.list("--inbox"), [])
            self.assertEqual(len(self.root.list()), 1)
        self.late(30, f'hours = ["{today} 00:00-24:00", "{yesterday} 00:00-24:00"]\nexpire = "5h"')
        self.root.run("flush", status=None)
        self.assertIn("given up", self.root.run("show", "--raw", self.root.ids("--inbox")[0]).stdout.decode())


class Listing(Case):
    def test_expires_counts_the_hours(self):
        self.root.configure('[connector.lan]\ndomains = "*"\nhost = "h"\nexpire = "1h"\nhours = "Mo-Su 00:00-24:00"\n'
                            '[connector.never]\ndomains = "*.never.example"\nhost = "h"\nexpire = "30h"\nhours = "Mo-Su 10:00-11:00"\n')
        self.root.add(message(1), "a@x.example")
        self.root.add(message(2), "a@b.never.example")
        soon, late = self.root.list()

        def parse(text):
            return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))

        self.assertEqual(parse(soon["expires"]) - parse(soon["arrived"]), datetime.timedelta(hours=1))
        # An hour a day: thirty days.
        self.assertIn((parse(late["expires"]) - parse(late["arrived"])).days, (29, 30, 31))


class Triggers(Case):
    def test_on_the_command_line(self):
        ids = [self.root.add(message(n, 2000)) for n in range(3)]
        self.assertEqual(self.due("--messages", "3"), ["isp"])
        self.due("--messages", "4", status=1)
        self.assertEqual(self.due("--bytes", "6k"), ["isp"])
        self.due("--bytes", "7k", status=1)
        self.due("--oldest", "1h", status=1)
        self.due("--urgent", status=1)
        self.root.add(message(9), more=("--priority", "urgent"))
        self.assertEqual(self.due("--urgent"), ["isp"])
        self.assertEqual(self.due("--messages", "99", "--urgent"), ["isp"])
        db = sqlite3.connect(self.root.spool)
        db.execute("UPDATE messages SET arrived=arrived-7200*1000")
        db.commit()
        db.close()
        self.assertEqual(self.due("--oldest", "1h", "--link", "isp"), ["isp"])
        done = self.root.run("due", "--json", "--oldest", "1h")
        (due,) = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual((due["link"], due["messages"], due["urgent"], due["retrieve"]), ("isp", 4, 1, False))
        self.assertEqual(due["reasons"], ["oldest 2h"])
        self.assertEqual(due["oldest"], self.root.list()[0]["arrived"])
        self.assertEqual(len(ids), 3)
        self.assertEqual(self.root.run("due", "--quiet").stdout, b"")
        self.root.run("due", "--messages", "0", status=64)

    def test_of_the_configuration(self):
        self.root.configure(LINK + 'due-messages = 3\ndue-urgent = true\n')
        self.root.add(message(1))
        self.due(status=1)
        self.assertEqual(self.due("--messages", "1"), ["isp"])
        self.root.add(message(2), more=("--priority", "urgent"))
        self.assertEqual(self.due(), ["isp"])

    def test_a_retrieval(self):
        self.root.configure(LINK + 'retrieve = { by = "etrn", domains = ["example.com"], every = "1h" }\n')
        self.assertEqual(self.due(), ["isp"])
        self.root.add(message(1))   # makes the spool
        db = sqlite3.connect(self.root.spool)
        db.execute("DELETE FROM messages")
        db.execute("INSERT INTO connectors(name, retrieved) VALUES('hub', ?)", (int(time.time() * 1000),))
        db.commit()
        self.due(status=1)
        db.execute("UPDATE connectors SET retrieved=retrieved-3600*1000")
        db.commit()
        db.close()
        self.assertEqual(self.due(), ["isp"])
        self.assertTrue(json.loads(self.root.run("due", "--json").stdout)["retrieve"])


class Plan(Case):
    PAID = ISP.replace('numbers = ["1"]', 'numbers = ["1"]\nspeed = 9600\nmax-call = "2m"\ntariff = { setup = 0.10, per-minute = 0.60, increment = "60s" }')
    HUB = '[connector.hub]\ndomains = ["*"]\nlink = "isp"\nhost = "line"\n'

    def plans(self, *arguments):
        return [json.loads(line) for line in self.root.run("plan", "--json", *arguments).stdout.splitlines()]

    def test_what_a_call_would_cost(self):
        self.root.configure(self.PAID + self.HUB)
        self.assertEqual(self.plans(), [])
        (empty,) = self.plans("--link", "isp")
        self.assertEqual((empty["messages"], empty["cost"]), (0, 0))
        for n in range(10):
            self.root.add(message(n, 2000), "bob@far.example")
        size = sum(m["size"] for m in self.root.list())
        (plan,) = self.plans()
        self.assertEqual((plan["link"], plan["messages"], plan["bytes"], plan["learned"], plan["rate"]), ("isp", 10, size, False, 960))
        self.assertGreater(plan["wire_bytes"], size)
        self.assertLess(plan["wire_bytes"], size * 1.1)
        self.assertGreaterEqual(plan["seconds"], size / 960)
        self.assertGreater(plan["round_trips"], 0)
        self.assertEqual(plan["cost"], 0.70)
        self.assertTrue(plan["fits"]["all"])
        self.assertEqual(plan["fits"]["limit"], "max-call")
        # More than two minutes at 960 bytes a second.
        self.root.add(message(99, 200_000), "bob@far.example")
        (plan,) = self.plans()
        self.assertEqual((plan["messages"], plan["fits"]["messages"], plan["fits"]["all"]), (11, 10, False))
        (plan,) = self.plans("--deadline", "10s")
        self.assertEqual(plan["fits"]["limit"], "deadline")
        self.assertLess(plan["fits"]["messages"], 10)
        self.assertLessEqual(plan["fits"]["seconds"], 10)
        text = self.root.run("plan").stdout.decode()
        self.assertIn("isp", text)
        self.assertIn("10 of 11 messages", text)
        self.root.run("plan", "--link", "nix", status=66)
        self.assertEqual(self.root.run("plan", "--quiet").stdout, b"")

    def test_the_budget_is_a_limit(self):
        self.root.configure(self.PAID.replace('speed = 9600', 'speed = 9600\nbudget = { minutes-per-day = 1 }') + self.HUB)
        for n in range(60):
            self.root.add(message(n, 2000), "bob@far.example")
        (plan,) = self.plans()
        self.assertEqual((plan["fits"]["limit"], plan["fits"]["limit_seconds"]), ("budget", 60))
        self.assertLess(plan["fits"]["messages"], 60)

    def test_at_the_learned_rate(self):
        self.root.configure(self.PAID + self.HUB)
        peer = self.peer(path=self.root.line)
        for n in range(30):
            self.root.add(message(n, 4000), "bob@far.example")
        self.root.flush("--link", "isp")
        self.assertEqual(len(peer.messages), 30)
        self.root.add(message(1), "bob@far.example")
        (plan,) = self.plans("--link", "isp")
        self.assertTrue(plan["learned"])
        self.assertGreater(plan["rate"], 960)   # it was a Unix socket

    def test_a_connector_of_the_lan_costs_nothing(self):
        self.root.configure(lan(25))
        self.root.add(message(1), "bob@lan.example")
        (plan,) = self.plans()
        self.assertEqual((plan["link"], plan["connector"], plan["cost"], plan["seconds"], plan["fits"]["all"]), (None, "lan", None, None, True))


if __name__ == "__main__":
    unittest.main()
