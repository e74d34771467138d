# SPDX-License-Identifier: MIT
"""mtaq flush against peers that behave, misbehave and go away; nothing is lost, statuses are exact."""

import json
import os
import signal
import socket
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import side_by_side  # noqa: E402
from support.mail import LINK, PATIENCE, Peer, Root, lan, wait_until  # noqa: E402
from support.stopwatch import Stopwatch  # noqa: E402

STEP = int(os.environ.get("LONGLINE_DROP_STEP", "0"))   # 0: chosen so that the test takes seconds


def message(n, body="line\n.\n..dots\ncaf\u00e9\n"):
    return f"From: a@b.example\nDate: x\nMessage-ID: <{n}@test>\nSubject: {n}\n\n{body}".encode()


def stored(n, body="line\n.\n..dots\ncaf\u00e9\n"):
    return message(n, body).replace(b"\n", b"\r\n")


class Case(unittest.TestCase):
    def setUp(self):
        self.root = Root(LINK)
        self.addCleanup(self.root.close)

    def peer(self, **behaviour):
        """On the link's line, unless a path or port is given."""
        peer = Peer(path=self.root.line, **behaviour)
        self.addCleanup(peer.close)
        return peer

    def tcp_peer(self, more="", **behaviour):
        peer = Peer(**behaviour)
        self.addCleanup(peer.close)
        self.root.configure(LINK + lan(peer.port, more=more))
        return peer

    def delivered(self, peer, count):
        """Every message of 0…count-1 came at least once and whole."""
        for n in range(count):
            self.assertIn(stored(n), [body for _, _, body in peer.messages])


class Delivery(Case):
    def test_over_the_line_of_a_link(self):
        peer = self.peer(greeting=b"Welcome to the net\r\nprotocol: 220 is not it\r\n220 peer\r\n")
        ids = [self.root.add(message(n), "bob@example.com", "c@x.example.com") for n in range(5)]
        receipts = self.root.flush("--link", "isp", "--wait")
        self.assertEqual({r["result"] for r in receipts.values()}, {"sent"})
        self.assertEqual(sorted(receipts), sorted(ids))
        self.assertEqual(self.root.list(), [])
        self.assertEqual(len(peer.messages), 5)
        self.delivered(peer, 5)
        self.assertEqual({(s, tuple(r)) for s, r, _ in peer.messages},
                         {("alice@site7.example", ("bob@example.com", "c@x.example.com"))})
        self.assertEqual(peer.connections, 1)
        wait_until(lambda: peer.commands[-1] == "QUIT", "QUIT, whose reply nobody waits for")
        self.assertEqual([e["event"] for e in self.root.events("mail.sent")], ["mail.sent"] * 10)

    def test_every_kind_of_peer(self):
        for pipelining in (True, False):
            for chunking in (True, False):
                with self.subTest(pipelining=pipelining, chunking=chunking):
                    peer = self.tcp_peer(pipelining=pipelining, chunking=chunking)
                    for n in range(4):
                        self.root.add(message(n), "bob@lan.example")
                    self.root.flush()
                    self.delivered(peer, 4)
                    self.assertEqual(len(peer.messages), 4)

    def test_replies_split_at_every_byte(self):
        peer = self.tcp_peer(split=1)
        for n in range(3):
            self.root.add(message(n), "bob@lan.example")
        self.root.flush()
        self.delivered(peer, 3)

    def test_nothing_to_do_is_done(self):
        self.root.run("flush")
        self.root.run("flush", "--link", "isp", "--wait")
        self.root.run("flush", "-", stdin=b"")

    def test_a_good_quiet_run_prints_nothing(self):
        self.peer()
        self.root.add()
        done = self.root.run("flush", "--link", "isp", "--wait", "--quiet")
        self.assertEqual((done.stdout, done.stderr), (b"", b""))

    def test_by_connector_and_by_id(self):
        peer = self.tcp_peer()
        first, second = (self.root.add(message(n), "bob@lan.example") for n in range(2))
        waits = self.root.add(message(9), "bob@example.com")
        self.assertEqual(list(self.root.flush(second)), [second])
        self.assertEqual(list(self.root.flush("--connector", "lan")), [first])
        self.assertEqual(self.root.ids(), [waits])
        self.assertEqual(len(peer.messages), 2)
        self.root.run("flush", "--connector", "nix", status=66)
        self.root.run("flush", "--link", "nix", status=66)
        self.root.run("flush", "zzzzzzz", status=66)
        self.root.run("flush", "--link", "isp", "--connector", "lan", status=64)

    def test_an_id_that_went_meanwhile_has_its_receipt(self):
        self.tcp_peer()
        id = self.root.add(message(0), "bob@lan.example")
        first = self.root.flush()
        self.assertEqual(self.root.flush(id), first)

    def test_urgent_goes_first_then_small(self):
        peer = self.tcp_peer()
        big = message(0, "x" * 70 * 500 + "\n")
        self.root.add(big, "bob@lan.example")
        self.root.add(message(1), "bob@lan.example")
        self.root.add(message(2), "bob@lan.example", more=("--priority", "urgent"))
        self.root.flush()
        self.assertEqual([body.split(b"Subject: ")[1][:1] for _, _, body in peer.messages], [b"2", b"1", b"0"])

    def test_mail_that_comes_meanwhile_goes_along(self):
        added = []
        peer = self.peer(on_message=lambda n: added.append(self.root.add(message(50 + n))) if n <= 2 else None)
        first = self.root.add(message(0))
        receipts = self.root.flush("--link", "isp")
        self.assertEqual(len(peer.messages), 3)
        self.assertIn(first, receipts)
        self.assertEqual(peer.connections, 1)
        self.assertEqual(self.root.list(), [])

    def test_q230051_both_deliver(self):
        line, partner = self.peer(), Peer()
        self.addCleanup(partner.close)
        self.root.configure('[link.isp]\nport = "tcp:127.0.0.1:9"\nnetwork = "stream"\nnumbers = ["1"]\n'
                            '[connector.smarthost]\ndomains = ["*"]\nlink = "isp"\nhost = "line"\n' +
                            lan(partner.port, "partner", ("partner.example",)))
        self.root.add(message(0), "a@partner.example", "b@world.example")
        self.root.add(message(1), "a@partner.example")
        self.assertEqual(self.root.run("due", "--link", "isp").stdout, b"isp\n")
        self.root.flush("--link", "isp", "--wait")
        self.assertEqual([r for _, r, _ in line.messages], [["b@world.example"]])
        self.root.run("due", status=1)
        self.root.flush()
        self.assertEqual([r for _, r, _ in partner.messages], [["a@partner.example"]] * 2)
        self.assertEqual(self.root.list(), [])

    def test_window_is_learned(self):
        peer = self.tcp_peer()
        for n in range(12):
            self.root.add(message(n), "bob@lan.example")
        self.root.flush()
        self.delivered(peer, 12)
        import sqlite3
        db = sqlite3.connect(self.root.spool)
        self.assertGreater(db.execute("SELECT window FROM peers WHERE name='lan'").fetchone()[0], 1)
        db.close()


class Judgement(Case):
    def test_link_down(self):
        id = self.root.add()
        done = self.root.run("flush", "--link", "isp", "--wait", "--json", status=75)
        error = json.loads(done.stderr)["error"]
        self.assertEqual((error["code"], error["stage"], error["temporary"]), ("link-down", "connect", True))
        self.assertEqual(json.loads(done.stdout)["cause"], "link-down")
        (entry,) = self.root.list()
        self.assertEqual((entry["id"], entry["state"], entry["attempts"]), (id, "ready", 0))
        self.assertEqual(self.root.run("due").stdout, b"isp\n")

    def test_a_failed_quiet_run_prints_one_line(self):
        self.root.add()
        done = self.root.run("flush", "--quiet", status=75)
        self.assertEqual(done.stdout, b"")
        self.assertEqual(done.stderr.count(b"\n"), 1)
        self.assertIn(b"tried again", done.stderr)

    def test_next_hop_unreachable(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.root.configure(LINK + lan(taken.getsockname()[1]))
            self.root.add(message(0), "bob@lan.example")
            (receipt,) = self.root.flush("--wait", status=69).values()
        self.assertEqual(receipt["cause"], "next-hop-unreachable")
        self.assertIn("refused", self.root.list()[0]["reason"])
        self.assertEqual(self.root.list()[0]["attempts"], 0)

    def test_some_left_beats_unreachable_and_refused(self):
        self.tcp_peer(replies={r"RCPT.*later": "451 4.2.0 later", r"RCPT.*never": "550 5.1.1 never"})
        for who in ("later", "never", "good"):
            self.root.add(message(0), f"{who}@lan.example")
        receipts = self.root.flush("--wait", status=75)
        self.assertEqual(sorted(r["result"] for r in receipts.values()), ["deferred", "refused", "sent"])

    def test_refused_makes_a_notification(self):
        self.tcp_peer(replies={r"RCPT.*never": "550 5.1.1 <x> no such user\x1b[31m"})
        id = self.root.add(message(7), "never@lan.example", "good@lan.example")
        done = self.root.run("flush", "--wait", "--json", status=65)
        (receipt,) = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(receipt["result"], "refused")
        self.assertEqual(sorted(r["result"] for r in receipt["recipients"]), ["refused", "sent"])
        (notice,) = self.root.list()
        self.assertEqual((notice["sender"], notice["recipients"][0]["address"]), ("", "alice@site7.example"))
        text = self.root.run("show", "--raw", notice["id"]).stdout
        for wanted in (b"multipart/report", b"never@lan.example", b"5.1.1", b"<7@test>"):
            self.assertIn(wanted, text)
        self.assertNotIn(b"\x1b", text)
        (event,) = self.root.events("mail.bounced")
        self.assertEqual(event["message"], id)

    def test_a_refused_notification_begets_none(self):
        self.tcp_peer(replies={r"RCPT.*never": "550 no"})
        self.root.add(message(7), "never@lan.example", sender="<>")
        self.root.flush(status=65)
        self.assertEqual(self.root.list(), [])
        self.assertEqual(len(self.root.events("mail.bounced")), 1)

    def test_a_local_sender_is_told_in_the_inbox(self):
        peer = self.tcp_peer(replies={r"RCPT": "550 no"})
        self.root.configure('local-domains = ["site7.example"]\n' + LINK + lan(peer.port))
        self.root.add(message(7), "never@lan.example")
        self.root.flush(status=65)
        self.assertEqual(self.root.list(), [])
        self.assertEqual(self.root.list("--inbox")[0]["recipients"][0]["address"], "alice@site7.example")

    def test_deferred_waits_for_its_time_but_flush_does_not(self):
        peer = self.peer(replies={"RCPT": "451 4.7.1 greylisted, come back"})
        self.root.add()
        self.root.flush("--link", "isp", status=75)
        (entry,) = self.root.list()
        self.assertEqual((entry["state"], entry["attempts"], entry["reason_class"]), ("deferred", 1, "greylist"))
        self.assertIsNotNone(entry["next_attempt"])
        self.assertIn("451 4.7.1 greylisted", entry["reason"])
        self.root.run("due", status=1)
        done = self.root.run("flush", "--quiet", status=75)
        self.assertRegex(done.stderr.decode(), r"^mtaq: 1 of 1 message left: 451 .*due again at 20\d\d-.*\n$")
        self.assertEqual(self.root.list()[0]["attempts"], 2)
        peer.replies.clear()
        self.root.flush("--link", "isp")
        self.assertEqual(self.root.list(), [])

    def test_per_recipient(self):
        peer = self.tcp_peer(replies={r"RCPT.*later": "450 4.2.1 busy", r"RCPT.*never": "553 no"})
        self.root.add(message(1), "good@lan.example", "later@lan.example", "never@lan.example")
        self.root.flush(status=75)
        entry = [m for m in self.root.list() if m["sender"]][0]
        self.assertEqual([r["state"] for r in entry["recipients"]], ["delivered", "deferred", "refused"])
        peer.replies.clear()
        self.root.flush(status=75)   # the notification has no connector
        self.assertEqual([r for _, r, _ in peer.messages], [["good@lan.example"], ["later@lan.example"]])

    def test_expired(self):
        self.tcp_peer(replies={"RCPT": "451 later"}, more='expire = "1s"')
        self.root.add(message(1), "bob@lan.example")
        time.sleep(1.1)   # the age of the message is what is tested
        (receipt,) = self.root.flush(status=65).values()
        self.assertEqual(receipt["result"], "refused")
        self.assertIn(b"given up", self.root.run("show", "--raw", self.root.ids()[0]).stdout)

    def test_too_large_for_the_peer(self):
        peer = self.tcp_peer(replies={"EHLO": "250-peer\r\n250-SIZE 1000\r\n250 8BITMIME"})
        self.root.add(message(1, "x" * 60 * 100 + "\n"), "bob@lan.example")
        (receipt,) = self.root.flush(status=65).values()
        self.assertEqual(receipt["result"], "refused")
        self.assertEqual(peer.messages, [])

    def test_too_large_for_the_connector(self):
        peer = self.tcp_peer()
        self.root.add(message(1, "x" * 60 * 100 + "\n"), "bob@lan.example")
        self.root.configure(LINK + lan(peer.port, more='max-size = "4k"'))
        done = self.root.run("add", "bob@lan.example", stdin=b"x" * 5000, status=65)
        self.assertIn(b"at most 4.0 kB", done.stderr)
        (receipt,) = self.root.flush(status=65).values()
        self.assertEqual(receipt["result"], "refused")
        self.assertEqual((peer.messages, peer.connections), ([], 0))

    def test_a_long_queue_has_a_receipt_a_message(self):
        count = 2100   # results are recorded a thousand messages at a time
        batch = "EHLO site7.example\r\n" + "".join(
            f"MAIL FROM:<>\r\nRCPT TO:<bob@lan.example>\r\nDATA\r\nMessage-ID: <{n}@long>\r\n\r\n{'x' * 80}\r\n.\r\n" for n in range(count)) + "QUIT\r\n"
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.root.configure(LINK + lan(taken.getsockname()[1]))
            self.root.run("import", stdin=batch.encode(), patience=4 * PATIENCE)
            ids = self.root.ids()
            self.assertEqual(len(ids), count)
            receipts = self.root.flush("--wait", status=69, patience=4 * PATIENCE)
            self.assertEqual((sorted(receipts), {r["cause"] for r in receipts.values()}), (ids, {"next-hop-unreachable"}))
            receipts = self.root.flush("--link", "isp", status=0)
            self.assertEqual((receipts, self.root.ids()), ({}, ids))
            self.root.configure(LINK + lan(taken.getsockname()[1], more='max-size = "50"'))
            receipts = self.root.flush("--wait", status=65, patience=4 * PATIENCE)
            self.assertEqual((sorted(receipts), {r["result"] for r in receipts.values()}), (ids, {"refused"}))
        self.assertEqual(self.root.ids(), [])

    def test_no_connector(self):
        id = self.root.add(message(1), "bob@nowhere.example")
        (receipt,) = self.root.flush(status=75).values()
        self.assertEqual(receipt["id"], id)
        self.assertIn("no connector", receipt["recipients"][0]["reason"])
        self.root.flush("--link", "isp")

    def test_held_mail_stays(self):
        peer = self.peer()
        held = self.root.add(message(0))
        self.root.add(message(1))
        self.root.run("hold", held)
        self.root.flush("--link", "isp")
        self.assertEqual(self.root.ids(), [held])
        self.assertEqual(len(peer.messages), 1)

    def test_deadline(self):
        self.peer(greeting=b"")
        self.root.add()
        started = Stopwatch()
        done = self.root.run("flush", "--link", "isp", "--deadline", "1s", "--json", status=124)
        self.assertLess(started.ours(), 5)
        self.assertEqual(json.loads(done.stderr)["error"]["code"], "deadline")
        self.assertEqual(self.root.list()[0]["state"], "ready")


    def test_deadline_while_connecting(self):
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            waiting = []
            for _ in range(8):   # a full backlog drops SYNs: connecting hangs
                waiting.append(socket.socket())
                waiting[-1].setblocking(False)
                waiting[-1].connect_ex(full.getsockname())
            self.root.configure(LINK + lan(full.getsockname()[1]))
            self.root.add(message(0), "bob@lan.example")
            started = Stopwatch()
            self.root.run("flush", "--deadline", "1s", status=124)
            self.assertLess(started.ours(), 5)
            for one in waiting:
                one.close()


class Faults(Case):
    def test_what_a_peer_says_is_escaped_once(self):
        self.peer(replies={"MAIL": "ev\x1b[31mil"}, pipelining=False, chunking=False)
        self.root.add(b"Subject: x\n\nx\n")
        done = self.root.run("flush", status=75)
        said = 'the peer sent "ev\\x1B[31mil" where a reply was due'
        self.assertIn(said, done.stderr.decode())
        self.assertIn(said, self.root.list()[0]["reason"])

    def test_endless_greeting(self):
        stop = threading.Event()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.root.line))
        listener.listen()

        def flood():
            connection, _ = listener.accept()
            try:
                while not stop.is_set():
                    connection.sendall(b"\x00\x1b[2Jx" * 4096)
            except OSError:
                pass
            connection.close()

        thread = threading.Thread(target=flood, daemon=True)
        thread.start()
        self.root.add()
        done = self.root.run("flush", "--link", "isp", status=75)
        stop.set()
        thread.join(PATIENCE)
        listener.close()
        self.assertNotIn(b"\x1b", done.stderr)
        self.assertEqual(self.root.list()[0]["state"], "ready")

    def test_replies_that_are_none(self):
        for replies in ({"EHLO": "nonsense"}, {"MAIL": "999 what"}, {"RCPT": "250-a\r\n251 b"}, {"MAIL": "x" * 100_000},
                        {"BDAT": "354 why"}, {"MAIL": "\0\0\0"}):
            with self.subTest(replies=str(replies)[:40]):
                peer = self.tcp_peer(replies=replies)
                id = self.root.add(message(0), "bob@lan.example")
                self.root.run("flush", status=None)
                self.assertIn(self.root.ids() or [id], ([id],))
                peer.close()
                self.tcp_peer()
                self.root.run("flush", status=None)
                for left in self.root.ids():
                    self.root.run("remove", left)

    def test_421_at_each_step(self):
        for step in ("EHLO", "MAIL", "RCPT", "BDAT", "QUIT"):
            with self.subTest(step=step):
                peer = self.peer(replies={step: "421 4.3.2 going down"})
                self.root.add(message(0))
                self.root.run("flush", "--link", "isp", status=0 if step == "QUIT" else 75)
                peer.close()
                self.peer()
                self.root.flush("--link", "isp")
                self.assertEqual(self.root.list(), [])

    def test_hang_after_the_last_byte_is_in_doubt(self):
        hanging = threading.Event()
        self.addCleanup(hanging.set)
        peer = self.peer(on_message=lambda n: hanging.wait(PATIENCE))
        id = self.root.add(message(0))
        flush = self.root.start("flush", "--link", "isp", "--wait")
        wait_until(lambda: peer.messages, "the message at the peer")
        self.assertEqual(self.root.list()[0]["state"], "sending")
        self.root.run("remove", id, status=75)
        flush.send_signal(signal.SIGKILL)
        flush.communicate(timeout=PATIENCE)
        entry = self.root.list()[0]
        self.assertEqual((entry["id"], entry["state"], entry["attempts"]), (id, "in-doubt", 0))
        self.assertIn("last byte", entry["reason"])
        hanging.set()
        self.assertEqual(self.root.run("due").stdout, b"isp\n")
        self.root.flush("--link", "isp")
        self.assertEqual([body for _, _, body in peer.messages], [stored(0)] * 2)
        self.assertEqual(self.root.list(), [])

    def test_signals_end_it_within_seconds(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number):
                hanging = threading.Event()
                peer = self.peer(before_reply=lambda line: hanging.wait(PATIENCE) if line.startswith("MAIL") else None)
                self.root.add(message(0))
                flush = self.root.start("flush", "--link", "isp", "--wait")
                wait_until(lambda: any(c.startswith("MAIL") for c in peer.commands), "MAIL")
                started = Stopwatch()
                flush.send_signal(number)
                flush.communicate(timeout=PATIENCE)
                self.assertEqual(flush.returncode, 75)
                self.assertLess(started.ours(), 9)
                hanging.set()
                peer.close()
                self.assertIn(self.root.list()[0]["state"], ("ready", "in-doubt"))
                for id in self.root.ids():
                    self.root.run("remove", id)

    def drop_everywhere(self, direction, chunking):
        """One root; the line is cut after every k-th byte, then a good line takes what is left. Returns the duplicates."""
        count = 3
        probe = Peer(path=self.root.line, chunking=chunking)
        for n in range(count):
            self.root.add(message(n))
        self.root.flush("--link", "isp")
        total = probe.received if direction == "drop_in" else probe._sent
        probe.close()
        step = STEP or max(1, total // 40)
        worst = 0
        for k in range(1, total + 1, step):
            ids = [self.root.add(message(n)) for n in range(count)]
            peer = Peer(path=self.root.line, chunking=chunking, **{direction: k})
            done = self.root.run("flush", "--link", "isp", "--wait", status=None)
            self.assertIn(done.returncode, (0, 75), (k, done.stderr))
            left = self.root.list()
            self.assertTrue(all(m["state"] in ("ready", "in-doubt") and m["attempts"] == 0 for m in left), (k, left))
            taken = len(peer.messages)
            self.assertGreaterEqual(taken + len(left), count, k)
            self.assertTrue(set(m["id"] for m in left) <= set(ids))
            self.assertEqual(done.returncode == 0, not left)
            if left:
                self.root.flush("--link", "isp", "--wait")
            self.assertEqual(self.root.list(), [], k)
            self.delivered(peer, count)
            worst = max(worst, len(peer.messages) - count)
            peer.close()
        return worst

    def test_drop_after_every_byte_received(self):
        self.assertLessEqual(self.drop_everywhere("drop_in", True), 3)

    def test_drop_after_every_byte_received_without_chunking(self):
        self.assertLessEqual(self.drop_everywhere("drop_in", False), 2)

    def test_drop_after_every_byte_sent(self):
        self.assertLessEqual(self.drop_everywhere("drop_out", True), 3)


class Together(Case):
    def test_two_at_once_send_once_and_report_the_same(self):
        for n in range(6):
            self.root.add(message(n))
        gate = threading.Event()
        peer = self.peer(on_message=lambda n: gate.wait(PATIENCE) if n == 1 else None)
        first = self.root.start("flush", "--link", "isp", "--wait", "--json")
        wait_until(lambda: peer.messages, "the first message")
        others = [self.root.start("flush", "--link", "isp", "--wait", "--json") for _ in range(3)]
        # Each has its snapshot when it sleeps in its loop: what is recorded before that is none of its business.
        for other in others:
            wait_until(lambda other=other: "poll" in Path(f"/proc/{other.pid}/wchan").read_text(), "a follower")
        busy = self.root.run("flush", "--link", "isp", status=75)
        self.assertIn(b"another flush", busy.stderr)
        gate.set()
        outputs = [process.communicate(timeout=PATIENCE) for process in [first, *others]]
        self.assertEqual([p.returncode for p in [first, *others]], [0] * 4, outputs)
        receipts = [sorted(out.splitlines()) for out, _ in outputs]
        self.assertEqual(len(receipts[0]), 6)
        for other in receipts[1:]:
            self.assertEqual(other, receipts[0])
        self.assertEqual(len(peer.messages), 6)
        self.assertEqual(peer.connections, 1)

    def test_the_follower_takes_over_from_a_killed_holder(self):
        for n in range(3):
            self.root.add(message(n))
        gate = threading.Event()
        self.addCleanup(gate.set)
        peer = self.peer(on_message=lambda n: gate.wait(PATIENCE) if n == 1 else None)
        first = self.root.start("flush", "--link", "isp", "--wait")
        wait_until(lambda: peer.messages, "the first message")
        second = self.root.start("flush", "--link", "isp", "--wait", "--json")
        first.send_signal(signal.SIGKILL)
        first.communicate(timeout=PATIENCE)
        gate.set()
        out, err = second.communicate(timeout=PATIENCE)
        self.assertEqual(second.returncode, 0, err)
        self.assertEqual(len(out.splitlines()), 3)
        self.delivered(peer, 3)
        self.assertLessEqual(len(peer.messages), 4)

    def test_ten_adders_a_listing_and_two_flushes_at_once(self):
        peer = self.peer()
        adding = threading.Event()
        adding.set()
        failures = []

        def repeat(work):
            while adding.is_set():
                attempt(work)

        def attempt(work):
            try:
                work()
            except AssertionError as error:
                failures.append(error)

        def add(k):
            for n in range(5):
                attempt(lambda n=n: self.root.add(message(k * 100 + n)))

        def flush():
            done = self.root.run("flush", "--link", "isp", "--wait", status=None)
            self.assertIn(done.returncode, (0, 75), done)

        adders = [threading.Thread(target=add, args=(k,)) for k in range(10)]
        others = [threading.Thread(target=repeat, args=(work,)) for work in (self.root.list, flush, flush)]
        for thread in [*adders, *others]:
            thread.start()
        for thread in adders:
            thread.join(PATIENCE)
        adding.clear()
        for thread in others:
            thread.join(PATIENCE)
        self.root.run("flush", "--link", "isp", "--wait")
        self.assertEqual(failures, [])
        self.assertEqual(self.root.list(), [])
        self.assertEqual(len(peer.messages), 50)
        self.assertEqual(len({body for _, _, body in peer.messages}), 50)


if __name__ == "__main__":
    side_by_side.main()
