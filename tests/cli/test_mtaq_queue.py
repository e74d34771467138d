# SPDX-License-Identifier: MIT
"""mtaq's safe changes of the queue, its summary and its watch. Other mail systems' queues: tests/e2e/test_queues.py."""

import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.mail import LINK, PATIENCE, Root, lan, wait_until  # noqa: E402


class Case(unittest.TestCase):
    def setUp(self):
        self.root = Root(LINK + lan(2525))
        self.addCleanup(self.root.close)


class OtherQueues(Case):
    """What concerns a queue that is not ours, and needs no mail system."""

    def test_add_puts_nothing_into_the_spool_when_another_queue_is_meant(self):
        self.root.configure(f'queue = "postfix:{self.root.folder}"\n' + LINK)
        for arguments in (["add"], ["--queue", "exim", "add"]):
            done = self.root.run(*arguments, "bob@example.com", stdin=b"Subject: x\n\n", status=64)
            self.assertIn(b"their own sendmail", done.stderr)
        self.assertEqual(self.root.ids("--queue", "spool"), [])
        self.root.run("--queue", "spool", "add", "bob@example.com", stdin=b"Subject: x\n\n")
        # As sendmail it is this host's mail system.
        sendmail = self.root.folder / "sendmail"
        sendmail.symlink_to(self.root.command("list")[0])
        done = subprocess.run([sendmail, "-i", "carol@example.com"], input=b"Subject: y\n\n", capture_output=True, timeout=PATIENCE,
                              env=dict(os.environ, LONGLINE_ROOT=str(self.root.folder)))
        self.assertEqual((done.returncode, done.stdout), (0, b""), done.stderr)
        self.assertEqual(len(self.root.ids("--queue", "spool")), 2)
        # ... and looks for it where it put it.
        for arguments, status, words in ((["-bp"], 0, b"carol@example.com"), (["-q"], 75, b"2 of 2 messages left")):
            done = subprocess.run([sendmail, *arguments], capture_output=True, timeout=PATIENCE, env=dict(os.environ, LONGLINE_ROOT=str(self.root.folder)))
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn(words, done.stdout + done.stderr)

    def test_mail_for_a_host_whose_configuration_is_broken(self):
        sendmail = self.root.folder / "sendmail"
        sendmail.symlink_to(self.root.command("list")[0])
        self.root.configure("[connector.\n")
        done = subprocess.run([sendmail, "-it"], input=b"To: bob@example.com\nSubject: y\n\nfirst\n.\nlast\n", capture_output=True, timeout=PATIENCE,
                              env=dict(os.environ, LONGLINE_ROOT=str(self.root.folder)))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"longline.toml:1", done.stderr)
        self.root.run("add", "bob@example.com", stdin=b"Subject: x\n\n", status=78)
        self.root.configure(LINK + lan(2525))
        [message] = self.root.list()
        self.assertEqual([r["address"] for r in message["recipients"]], ["bob@example.com"])
        self.assertTrue(self.root.run("show", "--raw", message["id"]).stdout.endswith(b"first\r\n.\r\nlast\r\n"))


    def test_plan_of_a_queue_that_cannot_be_read(self):
        self.root.configure('queue = "postfix:/nonexistent"\n' + LINK)
        self.root.run("list", status=66)
        self.root.run("plan", status=66)
        self.root.run("--json", "plan", "--link", "isp", status=66)


class Changes(Case):
    def test_a_filter_is_shown_first(self):
        ids = [self.root.add(), self.root.add(b"Subject: x\n\n", "carol@lan.example")]
        done = self.root.run("remove", "--all", "--domain", "lan.example")
        self.assertIn(ids[1].encode(), done.stdout)
        self.assertNotIn(ids[0].encode(), done.stdout)
        self.assertEqual(done.stderr, b"1 message would be removed; nothing was changed: --yes does it\n")
        self.assertEqual(self.root.ids(), ids)
        done = self.root.run("--json", "remove", "--all", "--domain", "lan.example")
        self.assertEqual([json.loads(line)["id"] for line in done.stdout.splitlines()], [ids[1]])
        self.assertEqual(self.root.ids(), ids)
        self.root.run("remove", "--all", "--domain", "lan.example", "--yes")
        self.assertEqual(self.root.ids(), ids[:1])

    def test_a_filter_needs_all(self):
        self.root.add()
        for arguments in (["remove", "--older", "0s"], ["remove"], ["hold", "--yes"], ["remove", "--domain", "x", self.root.ids()[0]]):
            self.root.run(*arguments, status=64)
        self.assertEqual(len(self.root.ids()), 1)

    def test_all_of_an_empty_queue(self):
        done = self.root.run("remove", "--all", "--yes")
        self.assertEqual(done.stdout + done.stderr, b"")

    def test_ids_from_a_pipe_and_a_filter(self):
        ids = [self.root.add(), self.root.add(b"Subject: x\n\n", "carol@lan.example")]
        self.root.run("hold", "-", "--all", "--domain", "lan.example", stdin="\n".join(ids).encode())
        self.assertEqual(self.root.ids("--state", "held"), ids[1:])
        # Nothing on stdin is nothing, not everything.
        self.root.run("remove", "-", "--all", stdin=b"")
        self.root.run("remove", "-", "--all", "--yes", stdin=b"")
        self.assertEqual(self.root.ids(), ids)

    def test_dry_run(self):
        id = self.root.add()
        done = self.root.run("remove", "--dry-run", id)
        self.assertIn(b"nothing was changed\n", done.stderr)
        self.root.run("remove", "--dry-run", "--all", "--yes")
        self.assertEqual(self.root.ids(), [id])
        self.root.run("remove", "--dry-run", "0000001", status=66)

    def test_lines_of_the_listing_are_ids(self):
        ids = [self.root.add() for _ in range(2)]
        self.root.run("hold", "-", stdin=self.root.run("list", "--json").stdout)
        self.assertEqual(self.root.ids("--state", "held"), ids)
        self.root.run("hold", "-", stdin=b'{"subject":"x"}\n', status=65)

    def test_lines_that_tell_of_another_message_leave_this_one_alone(self):
        id = self.root.add()
        (line,) = self.root.list()
        for change in ({"sender": "else@where.example"}, {"arrived": "2020-01-01T00:00:00.000Z"}):
            with self.subTest(change):
                done = self.root.run("--json", "remove", "-", stdin=json.dumps(line | change).encode() + b"\n", status=66)
                self.assertEqual(done.stdout, b"")
                self.assertIn("changed meanwhile", json.loads(done.stderr)["error"]["message"])
        self.assertEqual(self.root.ids(), [id])
        self.root.run("remove", "-", stdin=json.dumps(line).encode() + b"\n")
        self.assertEqual(self.root.ids(), [])

    def test_an_id_given_twice_is_one_message(self):
        id, other = self.root.add(), self.root.add()
        done = self.root.run("--json", "hold", id, other, id.upper())
        self.assertEqual([json.loads(line)["id"] for line in done.stdout.splitlines()], [id, other])
        self.root.run("remove", id, id)
        self.assertEqual(len(self.root.events("queue.removed")), 1)

    def test_people_write_ids_in_capitals(self):
        id = self.root.add()
        self.root.run("hold", id.upper())
        self.assertEqual(self.root.ids("--state", "held"), [id])

    def test_json_names_what_was_done(self):
        ids = [self.root.add() for _ in range(2)]
        done = self.root.run("--json", "remove", "0000001", *ids, status=66)
        self.assertEqual([json.loads(line) for line in done.stdout.splitlines()], [{"id": i, "result": "removed"} for i in ids])
        self.assertIn("0000001", json.loads(done.stderr)["error"]["message"])

    def test_bounce_tells_the_sender_and_nobody_else(self):
        id = self.root.add(b"Subject: lost\nMessage-ID: <lost@x>\n\nbody\n", "bob@example.com", "carol@lan.example", sender="alice@lan.example")
        self.root.run("bounce", id)
        [notice] = self.root.list()
        self.assertNotEqual(notice["id"], id)
        self.assertEqual((notice["sender"], [r["address"] for r in notice["recipients"]]), ("", ["alice@lan.example"]))
        text = self.root.run("show", "--raw", notice["id"]).stdout
        self.assertIn(b"Final-Recipient: rfc822; bob@example.com\r\nAction: failed", text)
        self.assertIn(b"Final-Recipient: rfc822; carol@lan.example", text)
        self.assertIn(b"<lost@x>", text)
        self.assertEqual([e["message"] for e in self.root.events("queue.bounced")], [id])
        # A notification begets none.
        self.root.run("bounce", notice["id"])
        self.assertEqual(self.root.list(), [])

    def test_busy_messages_are_named_and_the_others_changed(self):
        ids = [self.root.add() for _ in range(3)]
        # As a flush that lives has it: this process.
        with open(f"/proc/{os.getpid()}/stat", encoding="ascii") as file:
            start = int(file.read().rsplit(")", 1)[1].split()[19])
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        db = sqlite3.connect(self.root.spool)
        with db:
            db.execute("INSERT INTO leases(id, name, pid, start, boot) VALUES(1, 'link:isp', ?, ?, ?)", (os.getpid(), start, boot))
            db.execute("UPDATE messages SET lease=1 WHERE seq=(SELECT seq FROM messages ORDER BY seq LIMIT 1 OFFSET 1)")
        db.close()
        self.assertEqual([m["state"] for m in self.root.list()], ["ready", "sending", "ready"])
        for verb in ("hold", "bounce", "remove"):
            done = self.root.run(verb, ids[1], status=75)
            self.assertIn(ids[1].encode(), done.stderr)
        self.root.run("remove", *ids, status=75)
        self.assertEqual(self.root.ids(), [ids[1]])


class Summary(Case):
    def test_by_connector_next_hop_and_domain(self):
        self.root.add(b"x\n", "bob@example.com", "carol@lan.example")
        self.root.add(b"x\n", "bob@sub.example.com")
        self.root.add(b"x\n", "dan@nowhere.test")
        groups = [json.loads(line) for line in self.root.run("--json", "summary").stdout.splitlines()]
        self.assertEqual([(g["connector"], g["link"], g["next_hop"], g["count"]) for g in groups],
                         [("hub", "isp", "line", 2), (None, None, None, 1), ("lan", None, "127.0.0.1:2525", 1)])
        self.assertGreater(groups[0]["bytes"], 0)
        self.assertEqual(groups[0]["ages"][0], {"minutes": 5, "count": 2})
        self.assertEqual(sum(a["count"] for a in groups[0]["ages"]), 2)
        self.assertEqual(groups[0]["reason_classes"], {"none": 2})
        self.assertRegex(groups[0]["oldest"], r"^\d{4}-\d\d-\d\dT")
        hops = [json.loads(line) for line in self.root.run("--json", "summary", "--by", "next-hop").stdout.splitlines()]
        self.assertEqual({g["next_hop"]: g["count"] for g in hops}, {"line": 2, None: 1, "127.0.0.1:2525": 1})
        domains = [json.loads(line) for line in self.root.run("summary", "--by", "domain", "--json", "--recipient", "bob@*").stdout.splitlines()]
        self.assertEqual({g["domain"]: g["count"] for g in domains}, {"example.com": 1, "sub.example.com": 1, "lan.example": 1})
        self.root.run("summary", "--by", "colour", status=64)
        self.root.run("summary", "--link", "nosuch", status=66)

    def test_for_people(self):
        self.assertEqual(self.root.run("summary").stdout, b"")
        self.root.add()
        text = self.root.run("summary").stdout.decode()
        self.assertRegex(text, r"^CONNECTOR +COUNT +SIZE +OLDEST")
        self.assertRegex(text, r"\nhub +1 ")

    def test_nothing_is_created(self):
        self.root.run("summary")
        self.assertFalse(self.root.spool.exists())


class Watch(Case):
    def test_lines_follow_the_queue(self):
        child = subprocess.Popen(self.root.command("--json", "watch", "--interval", "100ms"), stdout=subprocess.PIPE)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait, PATIENCE)
        self.addCleanup(child.terminate)
        first = json.loads(child.stdout.readline())
        self.assertEqual((first["count"], first["groups"]), (0, []))
        self.root.add()
        deadline = time.monotonic() + PATIENCE
        while (now := json.loads(child.stdout.readline()))["count"] == 0:
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual(now["groups"][0]["connector"], "hub")
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(PATIENCE), 0)

    def test_a_number_of_looks(self):
        self.root.add()
        done = self.root.run("watch", "--times", "2", "--interval", "100ms")
        self.assertEqual(done.stdout.decode().count("CONNECTOR"), 2)
        self.assertNotIn(b"\033", done.stdout)
        self.root.run("watch", "--interval", "1ms", status=64)
        self.root.run("watch", "--times", "0", status=64)

    def test_a_terminal_is_drawn_on_and_left_as_it_was(self):
        self.root.add()
        primary, secondary = pty.openpty()
        child = subprocess.Popen(self.root.command("watch", "--interval", "100ms"), stdin=secondary, stdout=secondary, stderr=secondary)
        os.close(secondary)
        self.addCleanup(child.wait, PATIENCE)
        self.addCleanup(child.kill)
        shown = b""

        def read():
            nonlocal shown
            try:
                shown += os.read(primary, 65536)
            except OSError:
                return True
            return shown.count(b"\033[H") >= 2
        wait_until(read, "two frames")
        child.send_signal(signal.SIGTERM)
        while True:
            try:
                data = os.read(primary, 65536)
            except OSError:
                break
            if not data:
                break
            shown += data
        self.assertEqual(child.wait(PATIENCE), 0)
        os.close(primary)
        self.assertIn(b"hub", shown)
        self.assertEqual(shown.count(b"\033[2J"), 1, "cleared once, then drawn over")
        self.assertTrue(shown.endswith(b"\033[?25h\033[?1049l"), shown[-40:])


if __name__ == "__main__":
    unittest.main()
