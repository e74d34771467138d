# SPDX-License-Identifier: MIT
"""X.400 between two sites: mail both ways in one call, refusals, cuts, kills. Every wait has a deadline."""

import datetime
import json
import os
import random
import re
import socket
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import side_by_side  # noqa: E402
from support.mail import wait_until  # noqa: E402
from support.x400 import Line, Sites  # noqa: E402
from support.x400_peer import Caller, reference  # noqa: E402


def message(subject, size=100, seed=None):
    """With lines of any bytes but NUL, CR and LF, some of them dots."""
    rng = random.Random(seed if seed is not None else subject)
    lines, total = [], 0
    while total < size:
        line = bytes(rng.choice(b"abc.\t \xe4\xff=") for _ in range(rng.randrange(0, 70)))
        lines.append(line)
        total += len(line) + 1
    return b"Subject: " + subject.encode() + b"\n\n" + b"\n".join(lines) + b"\n"


class Case(unittest.TestCase):
    def sites(self, **options):
        sites = Sites(**options)
        self.addCleanup(sites.close)
        return sites

    def queue(self, site, count, domain, size=100, first=0):
        """Raw forms of queued messages, by subject."""
        out = {}
        for n in range(first, first + count):
            subject = f"{site.name}{n}"
            id = site.root.add(message(subject, size), f"bob@{domain}", sender=f"alice@{site.name.lower()}.example")
            out[subject] = site.root.run("show", "--raw", id).stdout
        return out

    def by_subject(self, raw):
        out = {}
        for one in raw:
            subject = next(line for line in one.split(b"\r\n") if line.startswith(b"Subject: "))[9:].decode()
            self.assertNotIn(subject, out, "delivered twice")
            out[subject] = one
        return out


class Mail(Case):
    def test_mail_goes_both_ways_in_one_call_byte_for_byte(self):
        sites = self.sites()
        out, back = self.queue(sites.a, 12, "b.example"), self.queue(sites.b, 7, "a.example")
        sites.listen()
        receipts = sites.a.root.flush("--wait")
        self.assertEqual({r["result"] for r in receipts.values()}, {"sent"})
        self.assertEqual(self.by_subject(sites.b.inbox()), out)
        self.assertEqual(self.by_subject(sites.a.inbox()), back)
        self.assertEqual((sites.a.root.ids(), sites.b.root.ids()), ([], []))
        (event,) = sites.a.root.events("queue.flushed")
        self.assertEqual((event["sent"], event["received"]), (12, 7))
        (event,) = wait_until(lambda: sites.b.root.events("queue.flushed"))
        self.assertEqual((event["sent"], event["received"], event["connector"]), (7, 12, "a"))

    def test_a_caller_with_nothing_to_send_needs_no_call(self):
        sites = self.sites()
        self.queue(sites.b, 2, "a.example")
        self.assertEqual(sites.a.root.flush(), {})
        self.assertEqual(sites.a.inbox(), [])

    def test_sizes_around_a_checkpoint(self):
        sites = self.sites(caller="checkpoint-size = 1", called="checkpoint-size = 1")
        out = {}
        for size in [*range(300, 420, 7), 1023, 1024, 1025, 2048, 5000]:
            subject = f"size{size}"
            id = sites.a.root.add(message(subject, size), "bob@b.example", sender="alice@a.example")
            out[subject] = sites.a.root.run("show", "--raw", id).stdout
        sites.listen()
        sites.a.root.flush("--wait")
        self.assertEqual(self.by_subject(sites.b.inbox()), out)

    def test_without_checkpoints(self):
        sites = self.sites(caller="checkpoint-size = 0")
        out = self.queue(sites.a, 2, "b.example", size=200_000)
        sites.listen()
        sites.a.root.flush("--wait")
        self.assertEqual(self.by_subject(sites.b.inbox()), out)

    def test_priorities_and_several_recipients(self):
        sites = self.sites()
        sites.a.root.run("add", "-f", "alice@a.example", "--priority", "low", "x@b.example", "y@sub.b.example", "z@b.example", stdin=b"Subject: low\n\nx\n")
        sites.a.root.run("add", "-f", "alice@a.example", "--priority", "urgent", "x@b.example", stdin=b"Subject: urgent\n\nx\n")
        sites.listen("--domain", "b.example", "--domain", "*.b.example")
        sites.a.root.flush("--wait")
        entries = sites.b.root.list("--inbox")
        self.assertEqual([e["subject"] for e in entries], ["urgent", "low"])
        self.assertEqual([r["address"] for r in entries[1]["recipients"]], ["x@b.example", "y@sub.b.example", "z@b.example"])
        self.assertEqual([e["priority"] for e in entries], ["urgent", "low"])
        self.assertEqual({e["sender"] for e in entries}, {"alice@a.example"})

    def test_what_cannot_be_delivered_comes_back_as_a_report(self):
        sites = self.sites()
        sites.a.root.add(b"Subject: lost\n\nx\n", "bob@sub.b.example", sender="alice@a.example")
        sites.listen()
        sites.a.root.flush("--wait")
        self.assertEqual(sites.b.inbox(), [])
        (notice,) = sites.a.inbox()
        self.assertIn(b"multipart/report", notice)
        self.assertIn(b"bob@sub.b.example", notice)
        (refused,) = sites.b.root.events("mail.refused")
        self.assertEqual(refused["recipient"], "bob@sub.b.example")
        self.assertEqual(sites.b.root.ids(), [])

    def test_mail_is_relayed_where_that_is_allowed(self):
        sites = self.sites(called_root='relay-domains = ["c.example"]')
        sites.a.root.add(b"Subject: on\n\nx\n", "carol@c.example", sender="alice@a.example")
        sites.a.root.configure(sites.caller_config(sites.b_port).replace('"b.example"', '"b.example", "c.example"'))
        sites.listen()
        sites.a.root.flush("--wait")
        (entry,) = sites.b.root.list()
        self.assertEqual(entry["recipients"][0]["address"], "carol@c.example")
        self.assertIn(b"with X400;", sites.b.root.run("show", "--raw", entry["id"]).stdout)

    def test_maildir(self):
        sites = self.sites()
        out = self.queue(sites.a, 3, "b.example")
        sites.listen("--maildir", str(sites.b.root.folder / "mail"))
        sites.a.root.flush("--wait")
        # Byte for byte but for line ends: no Received, no Return-Path.
        delivered = sorted(path.read_bytes().replace(b"\n", b"\r\n") for path in (sites.b.root.folder / "mail" / "new").iterdir())
        self.assertEqual(delivered, sorted(out.values()))

    def test_over_stdin_and_stdout(self):
        sites = self.sites()
        out = self.queue(sites.a, 3, "b.example")
        listener = socket.create_server(("127.0.0.1", sites.b_port))
        flush = sites.a.root.start("flush", "--wait", "--json")
        client, _ = listener.accept()
        done = subprocess.run(sites.b.root.command("receive", "--x400", "--stdio"), stdin=client, stdout=client, stderr=subprocess.PIPE, timeout=30)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        client.close()
        listener.close()
        self.assertEqual(flush.wait(30), 0, flush.stderr.read())
        self.assertEqual(self.by_subject(sites.b.inbox()), out)


class StreamLink(Case):
    """The line of a stream link: no TCP, no addresses."""

    LINK = """
[link.isp]
port = "tcp:127.0.0.1:9"
network = "stream"
numbers = ["1"]
"""

    def answer(self, sites):
        """The far end of the line."""
        path = str(sites.a.root.line)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        self.addCleanup(listener.close)
        self.addCleanup(os.unlink, path)
        return listener

    def line_sites(self):
        sites = self.sites()
        for root in (sites.a.root, sites.b.root):
            path = root.folder / "longline.toml"
            config = re.sub(r"\nport = \d+\n", "\n", path.read_text()).replace('host = "127.0.0.1"', 'host = "line"\nlink = "isp"')
            path.write_text(config + self.LINK)
        return sites

    def one_call(self, sites, listener, status):
        with sites.a.root.start("flush", "--link", "isp", "--wait", "--json") as flush:
            line, _ = listener.accept()
            done = subprocess.run(sites.b.root.command("receive", "--x400", "--stdio"), stdin=line, stdout=line, stderr=subprocess.PIPE, timeout=30)
            line.close()
            self.assertEqual(flush.wait(30), status, flush.stderr.read())
        return done

    def test_both_ways_over_a_line(self):
        sites = self.line_sites()
        out, back = self.queue(sites.a, 3, "b.example"), self.queue(sites.b, 2, "a.example")
        self.assertEqual(sites.a.root.run("due").stdout, b"isp\n")
        self.assertEqual(self.one_call(sites, self.answer(sites), 0).returncode, 0)
        self.assertEqual((self.by_subject(sites.b.inbox()), self.by_subject(sites.a.inbox())), (out, back))
        self.assertEqual(sites.a.root.run("due", status=1).stdout, b"")

    def test_a_stranger_on_the_line_is_refused_by_name(self):
        sites = self.line_sites()
        config = sites.a.root.folder / "longline.toml"
        config.write_text(config.read_text().replace('\nmta-name = "A"', '\nmta-name = "X"'))
        self.queue(sites.a, 1, "b.example")
        done = self.one_call(sites, self.answer(sites), 75)
        self.assertEqual(done.returncode, 77)
        self.assertIn(b"MTA X calls from the line, where A is expected", done.stderr)

    def test_plan_knows_the_link(self):
        sites = self.line_sites()
        self.queue(sites.a, 3, "b.example")
        (lane,) = [json.loads(line) for line in sites.a.root.run("plan", "--json").stdout.splitlines()]
        self.assertEqual((lane["link"], lane["messages"]), ("isp", 3))


class ManualExample(Case):
    def test_the_example_of_the_page(self):
        """longline-x400(7): the two configurations, as they stand there but for addresses, ports and the link."""
        page = (Path(__file__).resolve().parents[2] / "man" / "longline-x400.7").read_text()
        blocks = re.findall(r"^\.Bd -literal -offset indent\n(.*?)^\.Ed", page, re.MULTILINE | re.DOTALL)
        caller, called = (b.replace("192.0.2.1", "127.0.0.1").replace("192.0.2.7", "127.0.0.1").replace('link = "isp"\n', "") for b in blocks[:2])
        sites = self.sites()
        sites.a.root.configure(caller + f"port = {sites.b_port}\n")
        sites.b.root.configure(called)
        for root in (sites.a.root, sites.b.root):
            for name in ("to-hub.secret", "from-hub.secret"):
                (root.folder / name).write_text(name + "\n")
                (root.folder / name).chmod(0o600)
        for root in (sites.a.root, sites.b.root):
            found = [json.loads(line)["code"] for line in root.run("check", "--json").stdout.splitlines()]
            self.assertEqual([code for code in found if code != "short-host-name"], [])
        sites.listen()
        said = json.loads(sites.a.root.run("x400", "ping", "hub", "--json").stdout)
        self.assertEqual((said["peer"], said["checkpoint_size"]), ("HUB", 15))
        sites.a.root.add(b"Subject: up\n\nx\n", "bob@hub.example", sender="alice@site7.example")
        sites.b.root.add(b"Subject: down\n\nx\n", "alice@site7.example", sender="bob@hub.example")
        sites.a.root.flush("--wait")
        self.assertEqual([e["subject"] for e in sites.a.root.list("--inbox") + sites.b.root.list("--inbox")], ["down", "up"])


class Ipm(Case):
    def test_interpersonal_messages_come_back_byte_for_byte(self):
        sites = self.sites(caller='content = "ipm"', called='content = "ipm"')
        out, back = self.queue(sites.a, 5, "b.example", size=3000), self.queue(sites.b, 3, "a.example")
        plain = sites.a.root.add(b"From: Alice <alice@a.example>\nTo: bob@b.example\nSubject: plain\nMessage-ID: <p@a.example>\n\nplain text\n",
                                 "bob@b.example", sender="alice@a.example")
        out["plain"] = sites.a.root.run("show", "--raw", plain).stdout
        sites.listen()
        sites.a.root.flush("--wait")
        self.assertEqual((self.by_subject(sites.b.inbox()), self.by_subject(sites.a.inbox())), (out, back))


class Refusals(Case):
    def ping(self, sites, status):
        done = sites.a.root.run("x400", "ping", "b", "--json", status=status)
        return json.loads(done.stdout) if status == 0 else json.loads(done.stderr)["error"]

    def test_ping(self):
        sites = self.sites(caller="checkpoint-size = 15\nwindow = 3", called="checkpoint-size = 20")
        sites.listen()
        said = self.ping(sites, 0)
        self.assertEqual({k: said[k] for k in ("connector", "mode", "peer", "two_way", "checkpoint_size", "window")},
                         {"connector": "b", "mode": "normal", "peer": "B", "two_way": True, "checkpoint_size": 15, "window": 3})
        text = sites.a.root.run("x400", "ping", "b").stdout.decode()
        self.assertRegex(text, r"^B at 127\.0\.0\.1:\d+: bound and released in .*; 1988 normal mode, mail both ways, checkpoints of 15 K, window 3\n$")
        self.assertEqual(sites.a.root.run("x400", "ping", "b", "--quiet").stdout, b"")

    def test_nobody_there(self):
        sites = self.sites()
        self.assertEqual(self.ping(sites, 69)["code"], "next-hop-unreachable")

    def test_no_such_connector_and_none_for_x400(self):
        sites = self.sites(caller_root='[connector.s]\ndomains = "s.example"\nhost = "127.0.0.1"\n')
        sites.a.root.run("x400", "ping", "c", status=66)
        sites.a.root.run("x400", "ping", "s", status=78)

    def test_a_wrong_name_is_named_by_both(self):
        sites = self.sites()
        sites.a.root.configure(sites.caller_config(sites.b_port).replace('mta-name = "A"', 'mta-name = "SITE7"'))
        sites.listen()
        error = self.ping(sites, 77)
        self.assertEqual(error["code"], "auth-refused")
        self.queue(sites.a, 1, "b.example")
        sites.a.root.flush("--wait", status=75)
        events = sites.b.root.events("mail.caller-refused")
        self.assertEqual({e["id"] for e in events}, {51})
        self.assertIn("SITE7", events[0]["text"])
        self.assertIn("A is expected", events[0]["text"])
        self.assertEqual(sites.b.inbox(), [])

    def test_the_called_one_is_checked_too(self):
        sites = self.sites()
        sites.a.root.configure(sites.caller_config(sites.b_port).replace('peer-mta-name = "B"', 'peer-mta-name = "HUB"'))
        sites.listen()
        error = self.ping(sites, 77)
        self.assertIn("HUB", error["message"])
        self.assertIn("B", error["message"])

    def secrets(self, sites, a_out, a_in, b_out, b_in):
        for root, out, into in ((sites.a.root, a_out, a_in), (sites.b.root, b_out, b_in)):
            for name, secret in (("out", out), ("in", into)):
                path = root.folder / name
                path.write_text(secret + "\n")
                path.chmod(0o600)

    def test_passwords_both_ways(self):
        keys = 'mta-password-file = "out"\npeer-password-file = "in"'
        sites = self.sites(caller=keys, called=keys)
        self.secrets(sites, "lorem", "ipsum", "ipsum", "lorem")
        sites.listen()
        self.ping(sites, 0)
        self.secrets(sites, "wrong-word", "ipsum", "ipsum", "lorem")
        error = self.ping(sites, 77)
        (event,) = wait_until(lambda: sites.b.root.events("mail.caller-refused"))
        self.assertEqual(event["id"], 48)
        self.secrets(sites, "lorem", "wrong-word", "ipsum", "lorem")
        other = self.ping(sites, 77)
        for said in (json.dumps(error), json.dumps(other), json.dumps(sites.a.root.events() + sites.b.root.events())):
            for secret in ("lorem", "ipsum", "wrong-word"):
                self.assertNotIn(secret, said)

    def test_a_wrong_source_address(self):
        sites = self.sites(caller='source-address = "127.0.0.2"')
        sites.listen()
        self.assertEqual(self.ping(sites, 77)["code"], "auth-refused")
        (event,) = sites.b.root.events("mail.caller-refused")
        self.assertEqual(event["id"], 9301)
        self.assertIn("127.0.0.2", event["text"])
        self.assertIn("127.0.0.1", event["text"])

    def test_busy(self):
        sites = self.sites()
        sites.listen()
        for n in range(10):
            held = Caller(sites.b_port)
            self.addCleanup(held.close)
            self.assertTrue(held.bind(refs=reference(f"held{n}")))
        error = self.ping(sites, 75)
        self.assertEqual(error["code"], "busy")
        (event,) = sites.b.root.events("mail.caller-refused")
        self.assertEqual((event["id"], event["connector"]), (1293, "a"))

    def test_outside_hours(self):
        today = datetime.datetime.now().strftime("%a")[:2]
        day = "Tu" if today != "Tu" and (datetime.datetime.now() + datetime.timedelta(hours=1)).strftime("%a")[:2] != "Tu" else "Th"
        sites = self.sites(called=f'hours = ["{day} 00:00-24:00"]')
        sites.listen()
        self.assertEqual(self.ping(sites, 75)["code"], "busy")
        (event,) = sites.b.root.events("mail.caller-refused")
        self.assertIn("outside its hours", event["text"])

    def test_no_x400_connector_to_answer_for(self):
        sites = self.sites()
        sites.b.root.configure('local-domains = ["b.example"]\n')
        sites.b.root.run("receive", "--x400", "--listen", "127.0.0.1:0", status=78)


class Cuts(Case):
    SIZE = 60_000

    def test_a_cut_line_goes_on_behind_the_last_checkpoint(self):
        sites = self.sites(caller="checkpoint-size = 4\nwindow = 2", called="checkpoint-size = 4\nwindow = 2")
        out = self.queue(sites.a, 1, "b.example", self.SIZE)
        sites.listen()
        line = Line(sites.b_port, [30_000, 30_000])
        sites.through(line)
        sites.a.root.flush("--wait")
        self.assertEqual(line.connections, 3)
        self.assertEqual(self.by_subject(sites.b.inbox()), out)
        self.assertLess(line.bytes_out, self.SIZE + 2 * (2 + 1) * 4096 + 6000)
        self.assertEqual(len(sites.a.root.events("mail.resumed")), 2)

    def test_bytes_done_are_listed_and_survive(self):
        sites = self.sites(caller="checkpoint-size = 4\nwindow = 2", called="checkpoint-size = 4\nwindow = 2")
        out = self.queue(sites.a, 1, "b.example", self.SIZE)
        sites.listen()
        # The second connection, after which the flush gives up, moves nothing.
        line = Line(sites.b_port, [30_000, 1])
        sites.through(line)
        self.assertNotIn("bytes_done", sites.a.root.list()[0])
        receipt = sites.a.root.flush("--wait", status=75).popitem()[1]
        self.assertEqual(receipt["result"], "not-tried")
        (entry,) = sites.a.root.list()
        self.assertGreater(entry["bytes_done"], 8000)
        self.assertEqual(entry["bytes_done"] % 4096, 0)
        self.assertIn(b"have arrived there", sites.a.root.run("list").stdout)
        self.assertIn(f"done         {entry['bytes_done']} bytes".encode(), sites.a.root.run("show", entry["id"]).stdout)
        sites.a.root.flush("--wait")
        self.assertEqual(self.by_subject(sites.b.inbox()), out)

    def test_cut_while_mail_comes_back(self):
        sites = self.sites(caller="checkpoint-size = 4\nwindow = 2", called="checkpoint-size = 4\nwindow = 2")
        out, back = self.queue(sites.a, 1, "b.example", 10_000), self.queue(sites.b, 1, "a.example", self.SIZE)
        sites.listen()
        line = Line(sites.b_port, [-20_000, -20_000])
        sites.through(line)
        sites.a.root.flush("--wait")
        self.assertEqual(line.connections, 3)
        self.assertEqual(self.by_subject(sites.a.inbox()), back)
        self.assertEqual(self.by_subject(sites.b.inbox()), out)
        self.assertLess(sum(len(s[1]) for s in line.streams), self.SIZE + 2 * 3 * 4096 + 6000)

    def test_a_peer_that_forgot_gets_it_whole(self):
        sites = self.sites(caller="checkpoint-size = 4\nwindow = 2", called="checkpoint-size = 4\nwindow = 2")
        out = self.queue(sites.a, 1, "b.example", self.SIZE)
        sites.listen()
        line = Line(sites.b_port, [30_000, 1])
        sites.through(line)
        sites.a.root.flush("--wait", status=75)
        subprocess.run(["sqlite3", sites.b.root.spool, "DELETE FROM transfers_in; DELETE FROM transfer_names; DELETE FROM transfer_segments"], check=True)
        sites.a.root.flush("--wait")
        self.assertEqual(self.by_subject(sites.b.inbox()), out)

    def test_another_checkpoint_size_on_recovery(self):
        sites = self.sites(caller="checkpoint-size = 4\nwindow = 2", called="checkpoint-size = 8")
        out = self.queue(sites.a, 1, "b.example", self.SIZE)
        sites.listen()
        line = Line(sites.b_port, [30_000, 1])
        sites.through(line)
        sites.a.root.flush("--wait", status=75)
        sites.a.root.configure(sites.caller_config(line.port).replace("checkpoint-size = 4", "checkpoint-size = 2"))
        sites.a.root.flush("--wait")
        self.assertEqual(self.by_subject(sites.b.inbox()), out)

    def test_cuts_everywhere(self):
        sites = self.sites(caller="checkpoint-size = 1\nwindow = 2", called="checkpoint-size = 1\nwindow = 2")
        sites.listen()
        expected_b, expected_a = {}, {}
        for n, at in enumerate(list(range(1, 1200, 97)) + [-k for k in range(1, 900, 97)] + list(range(1200, 6000, 631)) + [-k for k in range(900, 5000, 631)]):
            for site, domain, into in ((sites.a, "b.example", expected_b), (sites.b, "a.example", expected_a)):
                subject = f"{site.name}{n}"
                id = site.root.add(message(subject, 2500), f"bob@{domain}", sender=f"alice@{site.name.lower()}.example")
                into[subject] = site.root.run("show", "--raw", id).stdout
            if sites.line:
                sites.line.close()
            sites.through(Line(sites.b_port, [at]))
            sites.a.root.run("flush", "--wait", status=None)
            sites.a.root.run("flush", "--wait", status=0)
        self.assertEqual(self.by_subject(sites.b.inbox()).keys(), expected_b.keys())
        self.assertEqual(self.by_subject(sites.b.inbox()), expected_b)
        self.assertEqual(self.by_subject(sites.a.inbox()), expected_a)
        self.assertEqual(sites.b.root.run("check", "--json").stdout.count(b"transfer"), 0)


class Kills(Case):
    def test_the_called_site_is_killed_in_a_transfer(self):
        sites = self.sites(caller="checkpoint-size = 4\nwindow = 2", called="checkpoint-size = 4\nwindow = 2")
        out = self.queue(sites.a, 2, "b.example", 300_000)
        sites.listen()
        for _ in range(3):
            flush = sites.a.root.start("flush", "--wait")
            wait_until(lambda: (sites.b.root.folder / "spool.db-wal").exists() and sites.b.root.folder.stat() and self.segments(sites) > 3, "some segments")
            sites.b.kill()
            flush.wait(30)
            flush.communicate()
            sites.listen()
            if not sites.a.root.ids():
                break
        sites.a.root.flush("--wait")
        self.assertEqual(self.by_subject(sites.b.inbox()), out)

    def segments(self, sites):
        done = subprocess.run(["sqlite3", f"file:{sites.b.root.spool}?mode=ro", "SELECT ifnull(sum(serial),0)+1000*count(completed) FROM transfers_in"],
                              capture_output=True, text=True)
        return int(done.stdout or 0) if done.returncode == 0 else 0

    def test_the_caller_is_killed_in_a_transfer(self):
        sites = self.sites(caller="checkpoint-size = 4\nwindow = 2", called="checkpoint-size = 4\nwindow = 2")
        out, back = self.queue(sites.a, 2, "b.example", 300_000), self.queue(sites.b, 1, "a.example", 300_000)
        sites.listen()
        for delay in (0.05, 0.1, 0.2):
            flush = sites.a.root.start("flush", "--wait")
            try:
                flush.wait(delay)
            except subprocess.TimeoutExpired:
                flush.kill()
            flush.communicate()

        def is_all_through():
            if sites.b.root.ids() and not sites.a.root.ids():   # only who has mail calls, and a kill may come when all of that is through
                out.update(self.queue(sites.a, 1, "b.example", first=len(out)))
            return sites.a.root.run("flush", "--wait", status=None).returncode == 0 and not sites.a.root.ids() and not sites.b.root.ids()
        wait_until(is_all_through)
        self.assertEqual(self.by_subject(sites.b.inbox()), out)
        self.assertEqual(self.by_subject(sites.a.inbox()), back)


if __name__ == "__main__":
    side_by_side.main()
