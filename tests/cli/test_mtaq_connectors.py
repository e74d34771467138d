# SPDX-License-Identifier: MIT
"""Connectors of mtaq: which one mail takes, failover, delivery by DNS."""

import json
import signal
import sqlite3
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.connectors import ISP, ConnectorCase, closed_port, message, subjects  # noqa: E402
from support.dns import MX  # noqa: E402
from support.mail import LINK, PATIENCE, lan, wait_until  # noqa: E402
from support.stopwatch import Stopwatch  # noqa: E402


class Q230051(ConnectorCase):
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


class TwoWays(ConnectorCase):
    """One message over two connectors."""

    def ways(self, **behaviour):
        one, two = self.peer(**behaviour), self.peer(**{k: v for k, v in behaviour.items() if k != "on_message"})
        self.root.configure(LINK + lan(one.port, "one", ("one.example",)) + lan(two.port, "two", ("two.example",)))
        return one, two, self.root.add(message(1), "a@one.example", "b@two.example")

    def test_later_on_both_is_one_attempt(self):
        one, two, _ = self.ways(replies={"RCPT": "451 later"})
        for attempts, rest in ((1, 300), (2, 600)):
            before = time.time()
            self.root.flush(status=75)
            self.assertEqual(self.root.list()[0]["attempts"], attempts)
            db = sqlite3.connect(self.root.spool)
            due = [at / 1000 for at, in db.execute("SELECT next_attempt FROM recipients")]
            db.close()
            self.assertEqual(len(due), 2)
            for at in due:
                self.assertAlmostEqual(at - before, rest, delta=PATIENCE)

    def test_who_is_put_off_for_the_first_time_rests_for_five_minutes(self):
        one, two, _ = self.ways(replies={"RCPT": "451 later"})
        self.root.flush("--connector", "one", status=75)
        before = time.time()
        self.root.flush("--connector", "two", status=75)
        db = sqlite3.connect(self.root.spool)
        ((due,),) = db.execute("SELECT next_attempt FROM recipients WHERE address='b@two.example'").fetchall()
        db.close()
        self.assertAlmostEqual(due / 1000 - before, 300, delta=PATIENCE)

    def test_what_another_flush_sends_elsewhere_is_waited_for(self):
        gate = threading.Event()
        one, two, id = self.ways(on_message=lambda n: gate.wait(PATIENCE))
        self.addCleanup(gate.set)   # before the peers end
        first = self.root.start("flush", "--connector", "one", "--wait", "--json")
        wait_until(lambda: one.messages, "the message at the first peer")
        self.assertIn(b"another flush is sending it", self.root.run("flush", "--connector", "two", status=75).stderr)
        late = self.root.run("flush", "--connector", "two", "--wait", "--deadline", "1s", status=124)
        self.assertEqual((late.stdout.count(b"\n"), two.messages), (0, []))
        self.assertEqual(two.connections, 0)   # nothing to say there yet
        other = self.root.add(message(2), "c@two.example")
        second = self.root.start("flush", "--connector", "two", "--wait", "--json")
        wait_until(lambda: two.messages, "what can be sent meanwhile")
        gate.set()
        for process in (first, second):
            out, err = process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode, 0, err)
            (receipt,) = [r for r in map(json.loads, out.splitlines()) if r["id"] == id]
            self.assertEqual([r["result"] for r in receipt["recipients"]], ["sent"])
        self.assertEqual([r for _, r, _ in one.messages], [["a@one.example"]])
        self.assertEqual([r for _, r, _ in two.messages], [["c@two.example"], ["b@two.example"]])
        self.assertEqual((self.root.list(), other in out.decode()), ([], True))

    def test_the_other_flush_is_killed(self):
        gate = threading.Event()
        one, two, id = self.ways(on_message=lambda n: gate.wait(PATIENCE))
        self.addCleanup(gate.set)   # before the peers end
        first = self.root.start("flush", "--connector", "one", "--wait")
        wait_until(lambda: one.messages, "the message at the first peer")
        self.root.add(message(2), "c@two.example")
        second = self.root.start("flush", "--connector", "two", "--wait", "--json")
        wait_until(lambda: two.messages, "the second flush at work")
        first.send_signal(signal.SIGKILL)
        first.communicate(timeout=PATIENCE)
        out, err = second.communicate(timeout=PATIENCE)
        self.assertEqual((second.returncode, len(two.messages)), (0, 2), err)
        self.assertEqual(self.root.list()[0]["state"], "in-doubt")


    def test_who_was_served_while_an_export_looked_is_not_in_it(self):
        """Between the look and the hold: a flush has the line, and the export comes at every moment of it."""
        one, two = self.peer(), self.peer()
        self.root.configure(LINK + lan(one.port, "one", ("one.example",)) + lan(two.port, "two", ("two.example",)))
        exported = []
        for n in range(25):
            self.root.add(message(n), "a@one.example", "b@two.example")
            flush = self.root.start("flush", "--connector", "one", "--wait")
            time.sleep(n * 0.0015)   # any moment will do
            exported.append(self.root.run("export", "--domain", "one.example", "--remove", status=None).stdout)
            flush.communicate(timeout=PATIENCE)
        sent = [body.split(b"Subject: ")[1].split(b"\r\n")[0] for _, _, body in one.messages]
        batch = b"".join(exported)
        gone = [part.split(b"\r\n")[0] for part in batch.split(b"Subject: ")[1:]]
        self.assertEqual(sorted(map(int, sent + gone)), list(range(25)))

    def test_the_limits_of_another_flush_are_its_own(self):
        gate = threading.Event()
        peer = self.peer(on_message=lambda n: gate.wait(PATIENCE) if n == 1 else None)
        self.addCleanup(gate.set)
        self.root.configure(LINK + lan(peer.port))
        ids = [self.root.add(message(n), "bob@lan.example") for n in range(4)]
        first = self.root.start("flush", "--max-bytes", self.root.list()[0]["size"] + 5)
        wait_until(lambda: peer.messages, "the first message")
        second = self.root.start("flush", "--wait", "--json")
        wait_until(lambda: len(self.root.list()) == 4 and second.poll() is None)
        gate.set()
        first.communicate(timeout=PATIENCE)
        out, err = second.communicate(timeout=PATIENCE)
        self.assertEqual((first.returncode, second.returncode), (75, 0), err)
        self.assertEqual(sorted(json.loads(line)["id"] for line in out.splitlines()), sorted(ids))
        self.assertEqual((len(peer.messages), self.root.list()), (4, []))


class Endings(ConnectorCase):
    def test_held_mail_is_said_and_costs_no_connection(self):
        peer = self.peer()
        self.root.configure(LINK + lan(peer.port))
        held, other = self.root.add(message(1), "bob@lan.example"), self.root.add(message(2), "bob@lan.example")
        self.root.run("hold", held)
        done = self.root.run("flush", "--wait", held, status=75)
        self.assertEqual(done.stderr, b"mtaq: 1 of 1 message left: held; mtaq release lets it go\n")
        self.assertEqual(peer.connections, 0)
        self.assertIn(b"1 held message left out\n", self.root.run("flush", "--wait").stderr)
        self.assertEqual(self.root.run("flush", "--wait", "--quiet").stderr, b"")
        self.assertEqual(self.root.ids(), [held])
        self.assertNotIn(other, self.root.ids())

    def test_a_peer_that_hangs_up_at_one_message_loses_its_mail_to_the_next_connector(self):
        for step in ("RCPT TO:<bad@", "DATA"):
            with self.subTest(step):
                first, second = self.peer(pipelining=False, chunking=False, replies={step: "421 4.3.2 not this one"}), self.peer()
                self.root.configure(LINK + lan(first.port, "first", ("*",), "cost = 1\nmax-transfer-retries = 2") +
                                    lan(second.port, "second", ("*",), "cost = 20"))
                self.root.add(b"Subject: bad\n\n", "bad@x.example")
                for n in range(3):
                    self.root.add(message(n, 1000), "good@x.example")
                # One call in which others moved; two for each failure in a row.
                for _ in range(6):
                    self.root.run("flush", status=None)
                self.assertEqual((self.root.list(), len(first.messages) + len(second.messages)), ([], 4))
                self.assertIn("bad", subjects(second))

    def test_what_was_put_off_lets_the_others_go_first(self):
        peer = self.peer(replies={"RCPT TO:<bad@": "421 4.3.2 not this one"})
        self.root.configure(LINK + lan(peer.port))
        self.root.add(b"Subject: bad\n\n", "bad@lan.example")
        for n in range(3):
            self.root.add(message(n, 1000), "good@lan.example")
        self.root.run("flush", status=75)
        self.root.run("flush", status=75)
        self.assertEqual(len(peer.messages), 3)
        self.assertEqual([m["subject"] for m in self.root.list()], ["bad"])

    def test_the_notification_of_the_last_message_goes_in_the_same_session(self):
        peer = self.peer(replies={"RCPT.*never": "550 5.1.1 no such user"})
        self.root.configure(LINK + lan(peer.port, "smart", ("*",)))
        self.root.add(message(1), "never@far.example")
        self.root.flush(status=65)
        self.assertEqual([(sender, recipients) for sender, recipients, _ in peer.messages], [("", ["alice@site7.example"])])
        self.assertEqual((peer.connections, self.root.list()), (1, []))

    def test_421_where_a_message_begins_costs_it_no_attempt(self):
        peer = self.peer(replies={"MAIL": "421 4.3.2 going down"})
        self.root.configure(LINK + lan(peer.port))
        self.root.add(message(1), "bob@lan.example")
        self.assertIn(b"421 going down", self.root.run("flush", status=75).stderr)
        (entry,) = self.root.list()
        self.assertEqual((entry["state"], entry["attempts"], entry["next_attempt"]), ("ready", 0, None))
        self.assertEqual(self.state("lan")[1], 1)


class Failover(ConnectorCase):
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


class ByDns(ConnectorCase):
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


if __name__ == "__main__":
    unittest.main()
