# SPDX-License-Identifier: MIT
"""mtaq export and import: mail by stick, ssh or UUCP, and nothing twice."""

import json
import os
import signal
import subprocess
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.mail import LINK, PATIENCE, Peer, Root, lan, wait_until  # noqa: E402

MESSAGES = [b"Subject: plain\n\nbody\n", b"Subject: dots\n\n.\n..\n.dot\n", "Subject: 8 bit\n\ngrüße\n".encode() + bytes(range(128, 256)) + b"\n",
            b"Subject: commands\n\nMAIL FROM:<evil@x.example>\nRCPT TO:<evil@x.example>\nDATA\n.\nQUIT\n", b"Subject: none\n\n",
            b"Subject: long\n\n" + b"x" * 200_000 + b"\n"]


class Batch(unittest.TestCase):
    def setUp(self):
        self.here, self.there = Root(LINK + lan(2525)), Root(LINK + lan(2525))
        self.addCleanup(self.here.close)
        self.addCleanup(self.there.close)

    def raw(self, root, id):
        return root.run("show", "--raw", id).stdout

    def test_every_message_comes_over_whole_and_once(self):
        for message in MESSAGES:
            self.here.add(message, "bob@example.com", "carol@lan.example")
        batch = self.here.run("export").stdout
        self.assertTrue(batch.startswith(b"EHLO ") and batch.endswith(b"\r\nQUIT\r\n"))
        self.assertNotIn(b"\n", batch.replace(b"\r\n", b""))
        done = self.there.run("import", stdin=batch)
        ids = done.stdout.decode().split()
        self.assertEqual(len(ids), len(MESSAGES))
        sent, got = self.here.list(), self.there.list()
        for a, b in zip(sent, got):
            self.assertEqual(self.raw(self.here, a["id"]), self.raw(self.there, b["id"]))
            for member in ("sender", "message_id", "subject", "size"):
                self.assertEqual(a[member], b[member])
            self.assertEqual([r["address"] for r in a["recipients"]], [r["address"] for r in b["recipients"]])
        # The stick is read again.
        done = self.there.run("import", stdin=batch)
        self.assertEqual(done.stdout, b"")
        self.assertEqual(done.stderr.count(b"is here already: skipped"), len(MESSAGES))
        self.assertEqual(self.there.list(), got)
        # And where it comes from nothing is new.
        self.here.run("import", stdin=batch)
        self.assertEqual(self.here.list(), sent)

    def test_what_the_sender_wants_to_be_told_comes_over(self):
        self.here.add(MESSAGES[0], "bob@lan.example", more=("--notify", "never"))
        script = (b"EHLO x\r\nMAIL FROM:<a@b.example> RET=FULL ENVID=E1\r\nRCPT TO:<bob@lan.example> NOTIFY=SUCCESS ORCPT=rfc822;B@lan.example\r\n"
                  b"RCPT TO:<eve@lan.example>\r\nDATA\r\nSubject: q\r\n\r\nx\r\n.\r\nQUIT\r\n")
        sendmail = self.here.folder / "sendmail"
        sendmail.symlink_to(self.here.command("list")[0])
        subprocess.run([sendmail, "-bs"], input=script, check=True, capture_output=True, timeout=PATIENCE,
                       env=dict(os.environ, LONGLINE_ROOT=str(self.here.folder)))
        batch = self.here.run("export").stdout
        self.assertIn(b" RET=FULL ENVID=E1\r\nRCPT TO:<bob@lan.example> NOTIFY=SUCCESS ORCPT=rfc822;B@lan.example\r\nRCPT TO:<eve@lan.example>\r\n", batch)
        with Peer(extensions=("DSN",)) as peer:
            self.there.configure(lan(peer.port))
            self.there.run("import", stdin=batch)
            self.there.flush()
        self.assertEqual([command.split(" ", 2)[2:] for command in peer.commands if command.startswith("RCPT")],
                         [["NOTIFY=NEVER"], ["NOTIFY=SUCCESS ORCPT=rfc822;B@lan.example"], []])
        self.assertTrue(any("ENVID=E1 RET=FULL" in command for command in peer.commands), peer.commands)

    def test_an_id_that_is_another_message_now_and_one_that_is_gone_are_named_and_the_others_go(self):
        good, bad = self.here.add(MESSAGES[0], "bob@example.com"), self.here.add(MESSAGES[1], "bob@example.com")
        lines = self.here.run("list", "--json").stdout.splitlines()
        stale = json.dumps({**json.loads(lines[1]), "sender": "mallory@x.example"}).encode()
        for arguments in ([], ["--hold"], ["--remove"]):
            with self.subTest(arguments=arguments):
                done = self.here.run("export", *arguments, "-", "0000000", stdin=lines[0] + b"\n" + stale + b"\n", status=66)
                self.assertEqual(done.stdout.count(b"DATA\r\n"), 1)
                self.assertIn(f"message {bad}: changed meanwhile".encode(), done.stderr)
                self.assertIn(b"message 0000000: not in the queue", done.stderr)
                self.here.run("release", good, status=None)
        self.assertEqual(self.here.ids(), [bad])

    def test_what_was_sent_since_is_not_queued_again(self):
        self.here.add(MESSAGES[0], "carol@lan.example")
        batch = self.here.run("export").stdout
        with Peer() as peer:
            self.there.configure(lan(peer.port))
            self.there.run("import", stdin=batch)
            self.there.flush()
            self.assertEqual(len(peer.messages), 1)
            done = self.there.run("--json", "import", stdin=batch)
            self.assertEqual(json.loads(done.stdout)["result"], "skipped")
            self.there.flush()
            self.assertEqual(len(peer.messages), 1)

    def test_a_recipient_who_lacks_it_gets_it(self):
        id = self.here.add(MESSAGES[0], "bob@example.com")
        one = self.here.run("export").stdout
        both = one.replace(b"RCPT TO:<bob@example.com>\r\n", b"RCPT TO:<bob@example.com>\r\nRCPT TO:<carol@lan.example>\r\n")
        self.here.run("import", stdin=both)
        self.assertEqual([[r["address"] for r in m["recipients"]] for m in self.here.list()], [["bob@example.com"], ["carol@lan.example"]])
        # The same Message-ID with other bytes is another message.
        self.here.run("import", stdin=one.replace(b"body", b"b0dy"))
        self.assertEqual(len(self.here.list()), 3)
        self.assertEqual(self.here.ids()[0], id)

    def test_a_selection(self):
        ids = [self.here.add(MESSAGES[0], "bob@example.com"), self.here.add(MESSAGES[1], "carol@lan.example"), self.here.add(MESSAGES[4], "dan@lan.example")]
        count = lambda *a, **k: self.here.run("export", *a, **k).stdout.count(b"MAIL FROM:")  # noqa: E731
        self.assertEqual(count(ids[0]), 1)
        self.assertEqual(count("--domain", "lan.example"), 2)
        self.assertEqual(count(ids[0], ids[1], "--domain", "lan.example"), 1)
        self.assertEqual(count("-", stdin=ids[2].encode()), 1)
        self.assertEqual(self.here.run("export", "-", stdin=b"").stdout, b"")
        self.assertEqual(self.here.run("export", "--older", "1h").stdout, b"")
        self.here.run("export", "0000001", status=66)
        self.assertEqual(self.here.ids(), ids)

    def test_remove_and_hold_when_it_is_written(self):
        ids = [self.here.add(MESSAGES[0]), self.here.add(MESSAGES[1])]
        self.here.run("export", ids[0], "--hold")
        self.assertEqual([m["state"] for m in self.here.list()], ["held", "ready"])
        batch = self.here.run("export", "--remove").stdout
        self.assertEqual(self.here.list(), [])
        self.assertEqual(batch.count(b"MAIL FROM:"), 2)
        self.here.run("import", stdin=batch)
        self.assertEqual(len(self.here.list()), 2)

    def recipients(self, batch):
        return [line[9:-1].decode() for line in batch.split(b"\r\n") if line.startswith(b"RCPT")]

    def test_those_who_are_meant_and_nobody_else(self):
        self.here.add(MESSAGES[0], "bob@example.com", "carol@lan.example", "dan@lan.example")
        for words, expected in ((["--domain", "lan.example"], ["carol@lan.example", "dan@lan.example"]), (["--connector", "hub"], ["bob@example.com"]),
                                (["--link", "isp"], ["bob@example.com"]), (["--recipient", "dan@*"], ["dan@lan.example"]),
                                (["--domain", "lan.example", "--link", "isp"], []),
                                (["--sender", "alice@*"], ["bob@example.com", "carol@lan.example", "dan@lan.example"])):
            self.assertEqual(self.recipients(self.here.run("export", *words).stdout), expected, words)
        [message] = self.here.list()
        self.assertEqual((message["state"], len(message["recipients"])), ("ready", 3))

    def test_remove_leaves_a_message_to_the_others(self):
        """What goes by stick to one site must not take the mail of another along."""
        id = self.here.add(MESSAGES[0], "bob@example.com", "carol@lan.example", "dan@lan.example")
        whole = self.here.add(MESSAGES[1], "carol@lan.example")
        other = self.here.add(MESSAGES[4], "bob@example.com")
        batch = self.here.run("export", "--domain", "lan.example", "--remove").stdout
        self.assertEqual(self.recipients(batch), ["carol@lan.example", "dan@lan.example", "carol@lan.example"])
        messages = self.here.list()
        self.assertEqual([(m["id"], m["state"], [r["address"] for r in m["recipients"]]) for m in messages],
                         [(id, "ready", ["bob@example.com"]), (other, "ready", ["bob@example.com"])])
        removed = [(e["message"], e.get("recipient"), e["text"]) for e in self.here.events("queue.removed")]
        self.assertCountEqual(removed, [(id, "carol@lan.example", "exported"), (id, "dan@lan.example", "exported"), (whole, None, "exported")])
        # The others have it from here, once.
        with Peer(path=self.here.line) as peer:
            self.here.flush("--wait")
            self.assertEqual([m[1] for m in peer.messages], [["bob@example.com"]] * 2)
        self.assertEqual(self.here.list(), [])
        self.assertEqual(self.here.list("--inbox"), [])
        self.there.run("import", stdin=batch)
        came = [[r["address"] for r in m["recipients"]] for m in self.there.list()]
        self.assertEqual(came, [["carol@lan.example", "dan@lan.example"], ["carol@lan.example"]])

    def test_who_was_taken_out_while_a_flush_runs_gets_it_by_one_way_only(self):
        gate = threading.Event()
        with Peer(path=self.here.line, on_message=lambda n: gate.wait(PATIENCE)) as peer:
            for _ in range(20):   # more than a flush claims ahead
                self.here.add(MESSAGES[0], "bob@example.com")
            self.here.add(MESSAGES[0] + b"x" * 2000, "bob@example.com", "carol@example.com")
            flush = self.here.start("flush", "--wait", "--json")
            wait_until(lambda: peer.messages, "the first message")
            batch = self.here.run("export", "--recipient", "carol@*", "--remove").stdout
            gate.set()
            out, err = flush.communicate(timeout=PATIENCE)
            self.assertEqual((flush.returncode, len(out.splitlines())), (0, 21), err)
            self.assertEqual(self.recipients(batch), ["carol@example.com"])
            self.assertEqual({tuple(m[1]) for m in peer.messages}, {("bob@example.com",)})
            self.assertEqual((len(peer.messages), self.here.list()), (21, []))

    def test_two_imports_of_one_batch_at_once(self):
        for n in range(40):
            self.here.add(b"Subject: %d\n\nbody\n" % n, "bob@example.com", "carol@lan.example")
        batch = self.here.folder / "batch"
        batch.write_bytes(self.here.run("export").stdout)
        for process in [self.there.start("import", batch) for _ in range(4)]:
            process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode, 0)
        self.assertEqual(sorted(m["subject"] for m in self.there.list()), sorted(str(n) for n in range(40)))

    def test_a_signal_gives_back_what_was_held(self):
        ids = [self.here.add(MESSAGES[5], "bob@example.com", "carol@lan.example") for _ in range(3)]
        self.here.run("hold", ids[0])
        for number in (signal.SIGINT, signal.SIGTERM):
            export = self.here.start("export", "--remove")   # nobody reads what it writes
            wait_until(lambda: {m["state"] for m in self.here.list()} == {"held"})
            export.send_signal(number)
            _, err = export.communicate(timeout=PATIENCE)
            self.assertEqual((export.returncode, err), (75, b"mtaq: interrupted\n"))
            self.assertEqual([m["state"] for m in self.here.list()], ["held", "ready", "ready"])

    def test_what_was_held_before_stays_held(self):
        id = self.here.add(MESSAGES[0], "bob@example.com", "carol@lan.example")
        self.here.run("hold", id)
        self.here.run("export", "--domain", "lan.example", "--remove")
        self.assertEqual([(m["state"], len(m["recipients"])) for m in self.here.list()], [("held", 1)])
        self.here.run("export", "--domain", "example.com", "--remove")
        self.assertEqual(self.here.list(), [])

    def test_hold_is_of_the_whole_message(self):
        id = self.here.add(MESSAGES[0], "bob@example.com", "carol@lan.example")
        batch = self.here.run("export", "--domain", "lan.example", "--hold").stdout
        self.assertEqual(self.recipients(batch), ["carol@lan.example"])
        self.assertEqual([(m["id"], m["state"], len(m["recipients"])) for m in self.here.list()], [(id, "held", 2)])

    def test_a_message_goes_with_the_last_who_waits(self):
        with Peer(replies={r"RCPT TO:<later@": "451 later"}) as peer:
            self.here.configure(LINK + lan(peer.port))
            self.here.add(MESSAGES[0], "bob@lan.example", "later@lan.example", "bob@example.com")
            self.here.flush("--connector", "lan", status=75)
        self.here.run("export", "--link", "isp", "--remove")
        [message] = self.here.list()
        self.assertEqual([(r["address"], r["state"]) for r in message["recipients"]], [("bob@lan.example", "delivered"), ("later@lan.example", "deferred")])
        self.here.run("export", "--domain", "lan.example", "--remove")
        self.assertEqual(self.here.list(), [])

    def test_a_full_stick_removes_nothing(self):
        for message in MESSAGES:
            self.here.add(message, "bob@example.com", "carol@lan.example")
        with open("/dev/full", "wb") as full:
            done = subprocess.run(self.here.command("export", "--remove", "--domain", "lan.example"), stdout=full, stderr=subprocess.PIPE, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (74, b"mtaq: stdout could not be written\n"))
        self.assertEqual([(m["state"], len(m["recipients"])) for m in self.here.list()], [("ready", 2)] * len(MESSAGES))

    def test_finished_recipients_stay_behind(self):
        with Peer(replies={r"RCPT TO:<later@": "451 later"}) as peer:
            self.here.configure(lan(peer.port))
            self.here.add(MESSAGES[0], "bob@lan.example", "later@lan.example")
            self.here.flush(status=75)
        batch = self.here.run("export").stdout
        self.assertEqual([line for line in batch.split(b"\r\n") if line.startswith(b"RCPT")], [b"RCPT TO:<later@lan.example>"])

    def test_files_and_statuses(self):
        self.here.add(MESSAGES[0])
        batch = self.here.folder / "batch"
        batch.write_bytes(self.here.run("export").stdout)
        self.there.run("import", batch)
        self.assertEqual(len(self.there.list()), 1)
        self.there.run("import", "/nonexistent", status=66)
        self.there.run("import", stdin=b"", status=65)
        self.there.run("import", stdin=b"From: a@b\n\nno batch\n", status=65)
        self.there.run("import", stdin=batch.read_bytes()[:-12], status=65)
        self.assertEqual(len(self.there.list()), 1)

    def test_a_refused_message_is_named_and_its_lines_are_no_commands(self):
        batch = (b"EHLO x\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<not an address>\r\nDATA\r\nRSET\r\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<evil@x.example>\r\n"
                 b"DATA\r\n.\r\nRSET\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\nSubject: y\r\n\r\n.\r\nQUIT\r\n")
        done = self.there.run("import", stdin=batch, status=65)
        self.assertIn(b"line 3", done.stderr)
        self.assertEqual([m["sender"] for m in self.there.list()], ["a@x.example"])

    def test_json(self):
        self.here.add(MESSAGES[0])
        batch = self.here.run("export").stdout
        [line] = self.there.run("--json", "import", stdin=batch).stdout.splitlines()
        self.assertEqual({**json.loads(line), "message_id": 0}, {"id": self.there.ids()[0], "result": "queued", "message_id": 0, "recipients": ["bob@example.com"]})
        self.assertEqual(self.there.run("--quiet", "import", stdin=batch).stdout, b"")
        bare = b"EHLO x\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\nSubject: y\r\n\r\n.\r\nQUIT\r\n"
        self.assertIsNone(json.loads(self.there.run("--json", "import", stdin=bare).stdout)["message_id"])

    def test_local_recipients_go_to_the_inbox(self):
        self.here.add(MESSAGES[0], "bob@example.com")
        self.there.configure('local-domains = ["example.com"]\n')
        self.there.run("import", stdin=self.here.run("export").stdout)
        self.assertEqual(self.there.list(), [])
        self.assertEqual(len(self.there.run("list", "--inbox", "--json").stdout.splitlines()), 1)
        self.there.run("import", stdin=self.here.run("export").stdout)
        self.assertEqual(len(self.there.run("list", "--inbox", "--json").stdout.splitlines()), 1)


if __name__ == "__main__":
    unittest.main()
