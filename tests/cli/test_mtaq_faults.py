# SPDX-License-Identifier: MIT
"""mtaq where something is wrong: a disk that fills at any write, addresses that nobody expects, mail that goes in circles, a queue that is
changed while it is flushed."""

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import side_by_side  # noqa: E402
from support.mail import LINK, PATIENCE, Peer, Root, wait_until  # noqa: E402
from support.stopwatch import Stopwatch  # noqa: E402

# What changes a file.
CALLS = ("pwrite64", "fdatasync,fsync", "ftruncate,fallocate")


def message(tag):
    return f"From: a@b.example\nDate: x\nMessage-ID: <{tag}@test>\nSubject: {tag}\n\n{'line of text' * 400}\n".encode()


def stored(tag):
    return message(tag).replace(b"\n", b"\r\n")


class Case(unittest.TestCase):
    def setUp(self):
        self.root = Root(LINK)
        self.addCleanup(self.root.close)

    def peer(self, **behaviour):
        peer = Peer(path=self.root.line, **behaviour)
        self.addCleanup(peer.close)
        return peer


class NewSpool(Case):
    """spool.db.new.PID: a spool that is being made, or whose maker was killed."""

    def draft(self, pid, content=b"half"):
        path = self.root.folder / f"spool.db.new.{pid}"
        path.write_bytes(content)
        return path

    def dead_pid(self):
        process = subprocess.Popen(["true"])
        process.wait()
        return process.pid

    def test_what_a_killed_maker_left_goes(self):
        path = self.draft(self.dead_pid())
        self.root.run("list")
        self.assertTrue(path.exists(), "only who writes takes it away")
        self.root.add()
        self.assertFalse(path.exists())
        path = self.draft(self.dead_pid())
        self.root.add()
        self.assertFalse(path.exists())
        self.assertEqual(len(self.root.list()), 2)

    def test_a_process_number_that_is_used_again_keeps_nothing(self):
        path = self.draft(os.getpid())
        self.root.add()
        self.assertTrue(path.exists(), "whoever is older than the file may be making it")
        os.utime(path, (1, 1))
        self.root.add()
        self.assertFalse(path.exists())

    def test_what_is_locked_is_being_made(self):
        path = self.draft(self.dead_pid())
        with open(path, "rb") as maker:
            fcntl.flock(maker, fcntl.LOCK_EX)
            self.root.add()
            self.assertTrue(path.exists())
            self.assertNotIn(b"leftover", self.root.run("check", "--json", status=None).stdout)
        self.assertIn(b"leftover", self.root.run("check", "--json", status=None).stdout)
        self.root.add()
        self.assertFalse(path.exists())

    def test_killed_between_its_two_names(self):
        id = self.root.add(message("first"))
        path = self.root.folder / f"spool.db.new.{self.dead_pid()}"
        os.link(self.root.spool, path)
        self.root.add()
        self.assertFalse(path.exists())
        self.assertEqual(self.root.run("show", "--raw", id).stdout, stored("first"))

    def test_no_file_of_ours_and_nothing_that_is_none(self):
        folder, link = self.root.folder / f"spool.db.new.{self.dead_pid()}", self.root.folder / "spool.db.new.999999999"
        folder.mkdir()
        target = self.root.folder / "elsewhere"
        target.write_bytes(b"x")
        link.symlink_to(target)
        others = [self.root.folder / name for name in ("spool.db.new.", "spool.db.new.x", "spool.db.new.-1", "spool.db.new.1.2")]
        for other in others:
            other.write_bytes(b"x")
        self.root.add()
        self.assertTrue(all(path.exists() for path in (folder, link, target, *others)))

    def test_two_first_ones_at_once(self):
        """The slower one has written its spool, and not yet named it, when the other comes."""
        slow = subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=link", "-e", "inject=link:delay_enter=1000000",
                                 *self.root.command("add", "bob@example.com")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        slow.stdin.write(message("slow"))
        slow.stdin.close()
        wait_until(lambda: any(path.stat().st_size > 0 for path in self.root.folder.glob("spool.db.new.*")), "the draft")
        self.root.add(message("fast"))
        self.assertEqual(slow.wait(PATIENCE), 0, slow.stderr.read())
        slow.stdout.close()
        slow.stderr.close()
        self.assertEqual(sorted(m["subject"] for m in self.root.list()), ["fast", "slow"])
        self.assertEqual(list(self.root.folder.glob("spool.db.new.*")), [])


class FullDisk(Case):
    """From the n-th write on, nothing goes into the spool's files any more."""

    def run_on_full_disk(self, calls, count, error, *arguments, stdin=b""):
        paths = [word for suffix in ("", "-wal", "-shm", "-journal") for word in ("-P", f"{self.root.spool}{suffix}")]
        return subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", *paths, "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}:when={count}+",
                               *self.root.command(*arguments)], input=stdin, capture_output=True, timeout=PATIENCE)

    def test_at_each_write_of_add(self):
        kept = [self.root.add(message("first"))]
        for error in ("ENOSPC", "EIO"):
            for calls in CALLS:
                for count in range(1, 30):
                    with self.subTest(error=error, calls=calls, count=count):
                        done = self.run_on_full_disk(calls, count, error, "add", "bob@example.com", stdin=message(f"{error}{calls}{count}"))
                        if done.returncode == 0:
                            kept.append(done.stdout.decode().strip())
                        else:
                            self.assertEqual((done.returncode, done.stdout), (74, b""), done)
                            self.assertIn(b"disk full" if error == "ENOSPC" else b"spool.db", done.stderr)
                        self.assertEqual(self.root.ids(), kept)
                    if done.returncode == 0:
                        break  # it makes no more of them
                else:
                    self.fail(f"add makes endless {calls}")
        self.assertEqual(self.root.run("show", "--raw", kept[0]).stdout, stored("first"))

    def test_at_each_write_of_flush(self):
        peer = self.peer()
        for calls in CALLS:
            for count in (*range(1, 12), *range(12, 60, 5)):
                with self.subTest(calls=calls, count=count):
                    tags = [f"{calls}{count}.{n}" for n in range(3)]
                    for tag in tags:
                        self.root.add(message(tag))
                    before = len(peer.messages)
                    done = self.run_on_full_disk(calls, count, "ENOSPC", "flush", "--link", "isp", "--wait")
                    self.assertIn(done.returncode, (0, 74, 75), done)
                    left = self.root.list()
                    if done.returncode == 0:
                        self.assertEqual(left, [])
                    self.assertLessEqual({one["state"] for one in left}, {"ready", "in-doubt"})
                    self.root.flush("--link", "isp", "--wait")
                    self.assertEqual(self.root.list(), [])
                    arrived = [body for _, _, body in peer.messages[before:]]
                    for tag in tags:
                        self.assertIn(arrived.count(stored(tag)), (1, 2))
                if done.returncode == 0 and count > 1:
                    break


class Remembered(Case):
    """What a peer on a line answers to is remembered for the next call: a line has no second connection."""

    def calls(self, replies, **behaviour):
        peer = self.peer(replies=replies, **behaviour)
        for n in range(3):
            self.root.add(message(n))
        statuses = [self.root.run("flush", "--link", "isp", "--wait", status=None).returncode for _ in range(3)]
        bodies = [body for _, _, body in peer.messages]
        return statuses, [bodies.count(stored(n)) for n in range(3)], peer

    def test_a_peer_that_refuses_rset(self):
        for chunking in (True, False):
            with self.subTest(chunking=chunking):
                statuses, copies, peer = self.calls({"RSET": "502 5.5.1 not implemented"}, chunking=chunking)
                self.assertEqual((statuses, copies[1:]), ([75, 0, 0], [1, 1]))
                self.assertEqual(copies[0], 2)   # in doubt once, and no more
                peer.close()
                self.setUp()

    def test_a_peer_that_announces_chunking_and_does_not_know_it(self):
        statuses, copies, peer = self.calls({"BDAT": "502 5.5.1 not implemented"})
        self.assertEqual((statuses, copies), ([75, 0, 0], [1, 1, 1]))
        self.assertIn("DATA", peer.commands)


class Addresses(Case):
    def test_quoted_ones_arrive_as_they_are(self):
        peer = self.peer()
        for address in ('"a b"@example.com', '"a>b"@example.com', '"quo\\"te"@example.com', '"semi;colon, comma"@example.com', "o'brien+tag@example.com"):
            with self.subTest(address=address):
                self.root.add(message("x"), address, sender='"the sender"@site7.example')
                self.assertEqual(self.root.list()[0]["recipients"][0]["address"], address)
                self.root.flush("--link", "isp", "--wait")
                commands = [c for c in peer.commands if c.startswith(("MAIL", "RCPT"))][-2:]
                self.assertTrue(commands[0].startswith('MAIL FROM:<"the sender"@site7.example>'), commands)
                self.assertTrue(commands[1].startswith(f"RCPT TO:<{address}>"), commands)

    def test_utf8_goes_where_it_is_understood(self):
        peer = self.peer(extensions=["SMTPUTF8"])
        self.root.add(message("x"), "grüße@example.com")
        self.root.flush("--link", "isp", "--wait")
        # The peer took the bytes for UTF-8.
        self.assertIn("RCPT TO:<grüße@example.com>", peer.commands)
        self.assertTrue(any(re.match(r"MAIL FROM:<.*> .*SMTPUTF8", c) for c in peer.commands), peer.commands)
        self.assertEqual(len(peer.messages), 1)

    def test_utf8_is_refused_at_once_where_it_is_not(self):
        peer = self.peer()
        self.root.add(message("x"), "grüße@example.com", "bob@example.com")
        receipts = self.root.flush("--link", "isp", "--wait", status=65)
        self.assertEqual(len(receipts), 1)
        self.assertEqual([recipients for _, recipients, _ in peer.messages][0], ["bob@example.com"])
        self.assertFalse(any("grüße" in c for c in peer.commands if c.startswith("RCPT")))

    def test_the_null_sender_stays_null_and_makes_no_notification(self):
        self.peer(replies={"RCPT": "550 5.1.1 nobody"})
        self.root.add(message("x"), sender="<>")
        self.assertEqual(self.root.list()[0]["sender"], "")
        self.root.flush("--link", "isp", "--wait", status=65)
        self.assertEqual(self.root.list(), [])

    def test_no_address_at_all(self):
        for address in ("", "@", "@example.com", "bob@", "a@b@c", "bob@exa mple.com", "bob@example.com\r\nRCPT TO:<eve@example.com>", "x" * 400 + "@example.com"):
            with self.subTest(address=address):
                done = self.root.run("add", address, stdin=message("x"), status=None)
                self.assertIn(done.returncode, (64, 65), done)
                self.assertEqual(done.stdout, b"")
                self.assertNotIn(b"\r", done.stderr)
        self.assertEqual(self.root.list(), [])


class Loops(Case):
    def test_mail_that_goes_in_circles_is_refused(self):
        for count, code in ((3, b"250"), (200, b"554 5.4.6")):
            body = b"Received: from a by b; Sun, 22 Nov 2026 23:10:51 +0000\r\n" * count + stored("loop")
            dialogue = (b"EHLO peer.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<bob@far.example>\r\nBDAT %d LAST\r\n" % len(body)) + body + b"QUIT\r\n"
            done = self.root.run("receive", "--stdio", "--domain", "far.example", stdin=dialogue, status=None)
            replies = done.stdout.split(b"\r\n")
            self.assertTrue(replies[-3].startswith(code), replies)
        self.assertEqual(len(self.root.ids("--inbox")), 1)


class ChangedMeanwhile(Case):
    def test_hold_and_remove_while_it_is_flushed(self):
        ids = [self.root.add(message(f"m{n:02}")) for n in range(20)]
        gate = threading.Event()
        self.addCleanup(gate.set)
        peer = self.peer(on_message=lambda n: gate.wait(PATIENCE) if n == 1 else None)
        flush = self.root.start("flush", "--link", "isp", "--wait", "--json")
        wait_until(lambda: peer.messages, "the first message")
        sending = [one["id"] for one in self.root.list("--state", "sending")]
        self.assertIn(ids[0], sending)
        for verb in ("hold", "remove"):
            done = self.root.run(verb, ids[0], status=75)
            self.assertIn(b"being sent", done.stderr)
        waiting = [id for id in ids if id not in sending]
        self.assertGreaterEqual(len(waiting), 2, "a flush takes few at a time")
        held, removed = waiting[0], waiting[1]
        self.root.run("hold", held)
        self.root.run("remove", removed)
        gate.set()
        out, errors = flush.communicate(timeout=PATIENCE)
        self.assertEqual(flush.returncode, 75, errors)
        self.assertEqual([(one["id"], one["state"]) for one in self.root.list()], [(held, "held")])
        arrived = [body for _, _, body in peer.messages]
        self.assertEqual(len(arrived), 18)
        self.assertNotIn(stored(f"m{ids.index(removed):02}"), arrived)
        self.root.run("release", held)
        self.root.flush("--link", "isp", "--wait")
        self.assertEqual(len(peer.messages), 19)



class Connecting(unittest.TestCase):
    """Nobody answers: SYNs are dropped where a listener's queue is full."""

    def setUp(self):
        self.root = Root()
        self.addCleanup(self.root.close)
        listener = socket.socket()
        self.addCleanup(listener.close)
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        self.port = listener.getsockname()[1]
        for _ in range(4):
            waiting = socket.socket()
            self.addCleanup(waiting.close)
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", self.port))

    def is_connecting(self, process):
        """It sleeps with a socket that has sent its SYN."""
        sockets = subprocess.run(["ss", "-Htnp", "state", "syn-sent", f"( dport = :{self.port} )"], capture_output=True, text=True, check=True).stdout
        return f"pid={process.pid}," in sockets

    def test_a_flush_that_is_told_to_end_ends(self):
        for protocol in ('protocol = "smtp"', 'protocol = "x400"\nmta-name = "A"\npeer-mta-name = "B"'):
            with self.subTest(protocol):
                self.root.configure(f'[connector.far]\ndomains = ["example.com"]\nhost = "127.0.0.1"\nport = {self.port}\n{protocol}\n')
                id = self.root.add(message("kept"))
                flush = self.root.start("flush", "--json", "--wait")
                self.addCleanup(flush.kill)
                wait_until(lambda: self.is_connecting(flush), "the flush to connect")
                clock = Stopwatch()
                flush.send_signal(signal.SIGTERM)
                out, error = flush.communicate(timeout=PATIENCE)
                self.assertLess(clock.ours(), 5)   # of the minute that it would wait
                self.assertEqual(flush.returncode, 75, error)
                (receipt,) = [json.loads(line) for line in out.splitlines()]
                self.assertEqual((receipt["id"], receipt["recipients"][0]["result"]), (id, "not-tried"))
                (entry,) = self.root.list()
                self.assertEqual(entry["attempts"], 0)
                self.assertEqual([e["event"] for e in self.root.events() if e["event"] == "mail.unreachable"], [])
                self.root.run("remove", id)


if __name__ == "__main__":
    side_by_side.main()
