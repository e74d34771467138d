# SPDX-License-Identifier: MIT
"""mtaq's queue: add, list, show, due, hold, release, remove, requeue; damage, full disks, concurrency."""

import concurrent.futures
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.mail import LINK, MTAQ, PATIENCE, Peer, Root, fill_disk, lan  # noqa: E402

HOST = os.uname().nodename


class Case(unittest.TestCase):
    config = LINK + lan(2525)

    def setUp(self):
        self.root = Root(self.config)
        self.addCleanup(self.root.close)

    def raw(self, id):
        return self.root.run("show", "--raw", id).stdout


class Add(Case):
    def test_prints_a_short_id_that_sorts_by_age(self):
        ids = [self.root.add() for _ in range(5)]
        self.assertEqual(sorted(ids), ids)
        self.assertEqual(len(set(ids)), 5)
        self.assertTrue(all(len(i) == 7 and i.isalnum() for i in ids))
        self.assertEqual(self.root.ids(), ids)

    def test_json_prints_an_object_and_quiet_nothing(self):
        done = self.root.run("add", "--json", "bob@example.com", stdin=b"x\n")
        self.assertEqual(list(json.loads(done.stdout)), ["id"])
        done = self.root.run("add", "--quiet", "bob@example.com", stdin=b"x\n")
        self.assertEqual((done.stdout, done.stderr), (b"", b""))

    def test_ids_are_not_used_again(self):
        first = self.root.add()
        self.root.run("remove", first)
        self.assertGreater(self.root.add(), first)

    def test_stored_bytes(self):
        header = b"From: a@b.example\nDate: Mon, 23 Nov 2026 00:00:00 +0000\nMessage-ID: <1@x>\nSubject: s\n\n"
        self.assertEqual(self.raw(self.root.add(header + b"10%\r20%\r\r\n.\r")), (header + b"10% 20% \n.\n").replace(b"\n", b"\r\n"))
        for body in (b"caf\xe9 \xff\n.\n..\nend\n", b"x" * 5000 + b"\n", b"nul \0 here\n", b"no end", b""):
            with self.subTest(body=body[:20]):
                id = self.root.add(header + body)
                wanted = (header + body).replace(b"\n", b"\r\n")
                self.assertEqual(self.raw(id), wanted + (b"" if wanted.endswith(b"\r\n") else b"\r\n"))
        self.assertEqual(self.raw(self.root.add((header + b"crlf\n").replace(b"\n", b"\r\n"))),
                         (header + b"crlf\n").replace(b"\n", b"\r\n"))

    def test_missing_fields_are_added(self):
        for message in (b"", b"\n", b"Subject: only\n\nx\n", b"just a body\nof two lines\n"):
            with self.subTest(message=message):
                header = self.raw(self.root.add(message)).split(b"\r\n\r\n")[0]
                for field in (b"Date: ", b"Message-ID: <", b"From: "):
                    self.assertIn(field, header)

    def test_fifty_megabytes(self):
        line = b"0123456789abcdef" * 4 + b"\r\n"
        body = b"Subject: big\r\nDate: x\r\nFrom: a@b.c\r\nMessage-ID: <1@2>\r\n\r\n" + line * (50_000_000 // len(line))
        id = self.root.add(body)
        self.assertEqual(self.raw(id), body)
        self.assertEqual(self.root.list()[0]["size"], len(body))
        self.root.run("remove", id)

    def test_bad_recipients_are_named(self):
        for bad in ("a@b@c", "x" * 400 + "@example.com", "@example.com", "a b@example.com", "a@" + "y" * 300):
            with self.subTest(bad=bad[:20]):
                done = self.root.run("add", "good@example.com", bad, stdin=b"x\n", status=65)
                self.assertIn(bad[:20].encode(), done.stderr)
                self.assertLess(len(done.stderr), 600)
        self.assertEqual(self.root.list(), [])

    def test_unqualified_names_get_the_host(self):
        self.root.add(b"x\n", "root")
        self.assertEqual(self.root.list()[0]["recipients"][0]["address"].split("@")[0], "root")
        self.assertIn(HOST.split(".")[0], self.root.list()[0]["recipients"][0]["address"])

    def test_recipients_from_the_header(self):
        message = b"To: A <a@example.com>, (c) b@example.com\nCc: c@example.com\nBcc: d@example.com\nSubject: t\n\nx\n"
        id = self.root.run("add", "-t", "a@example.com", stdin=message).stdout.decode().strip()
        entry = self.root.list()[0]
        self.assertEqual([r["address"] for r in entry["recipients"]],
                         ["a@example.com", "b@example.com", "c@example.com", "d@example.com"])
        self.assertNotIn(b"Bcc", self.raw(id))
        done = self.root.run("add", "-t", stdin=b"Subject: nobody\n\nx\n", status=65)
        self.assertIn(b"no recipient", done.stderr)

    def test_no_recipient_is_a_wrong_command_line(self):
        self.root.run("add", stdin=b"x\n", status=64)

    def test_priority(self):
        self.root.add(more=("--priority", "urgent"))
        self.root.add(more=("--priority", "-9"))
        self.assertEqual([m["priority"] for m in self.root.list()], ["urgent", "low"])
        self.root.run("add", "--priority", "soon", "a@example.com", status=64)

    def test_null_sender(self):
        self.root.add(sender="<>")
        self.root.add(sender="")
        self.assertEqual([m["sender"] for m in self.root.list()], ["", ""])

    def test_without_home_and_environment(self):
        done = self.root.run("add", "bob@example.com", stdin=b"x\n", env={})
        self.assertEqual(self.root.ids(), [done.stdout.decode().strip()])

    def test_a_hundred_at_once_into_a_new_spool(self):
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            ids = list(pool.map(lambda n: self.root.add(b"Subject: %d\n\nx\n" % n), range(100)))
        self.assertEqual(len(set(ids)), 100)
        entries = self.root.list()
        self.assertEqual(sorted(m["id"] for m in entries), sorted(ids))
        self.assertEqual({m["subject"] for m in entries}, {str(n) for n in range(100)})
        self.assertEqual([p.name for p in self.root.folder.glob("spool.db.new*")], [])

    def test_local_recipients_go_to_the_inbox(self):
        self.root.configure('local-domains = ["site7.example"]\n' + LINK + lan(2525, domains=("*",)))
        self.root.add(b"x\n", "me@site7.example", "you@world.example")
        self.assertEqual([r["address"] for r in self.root.list()[0]["recipients"]], ["you@world.example"])
        self.assertEqual([m["queue"] for m in self.root.list("--inbox")], ["inbox"])


class Files(Case):
    def test_modes(self):
        shutil.rmtree(self.root.folder / "run")
        with tempfile.TemporaryDirectory() as parent:
            root = Root("", folder=parent)
            nested = Path(parent) / "new" / "root"
            subprocess.run([MTAQ, "--root", nested, "add", "a@b.example"], input=b"x\n", check=True, capture_output=True,
                           timeout=PATIENCE)
            self.assertEqual(stat.S_IMODE(nested.stat().st_mode), 0o700)
            for path in nested.glob("spool.db*"):
                self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)
            del root

    def test_reading_creates_nothing(self):
        self.assertEqual(self.root.list(), [])
        self.root.run("due", status=1)
        self.assertFalse(self.root.spool.exists())
        self.assertEqual(self.root.run("show", "0000001", status=66).stdout, b"")

    def test_another_version_is_not_touched(self):
        self.root.add()
        db = sqlite3.connect(self.root.spool)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("PRAGMA user_version=7")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        before = self.root.spool.read_bytes()
        for verb in (["list"], ["due"], ["add", "a@example.com"], ["flush"], ["receive", "--stdio"]):
            done = self.root.run(*verb, stdin=b"x\n", status=78)
            self.assertIn(b"version 7", done.stderr)
        self.assertEqual(self.root.spool.read_bytes(), before)

    def test_another_programs_database_is_not_touched(self):
        db = sqlite3.connect(self.root.spool)
        db.execute("CREATE TABLE t(x)")
        db.commit()
        db.close()
        before = self.root.spool.read_bytes()
        self.root.run("add", "a@example.com", stdin=b"x\n", status=78)
        self.assertEqual(self.root.spool.read_bytes(), before)

    def test_damaged_files(self):
        for content in (b"", b"garbage" * 1000, b"SQLite format 3\0" + b"\xff" * 50):
            self.root.spool.write_bytes(content)
            for verb in (["list"], ["add", "a@example.com"], ["due"]):
                done = self.root.run(*verb, stdin=b"x\n", status=74)
                self.assertIn(b"damaged", done.stderr)
            self.assertEqual(self.root.spool.read_bytes(), content)

    def test_damage_inside(self):
        for _ in range(5):
            self.root.add(b"x" * 20000 + b"\n")
        db = sqlite3.connect(self.root.spool)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        content = bytearray(self.root.spool.read_bytes())
        content[4096:len(content)] = b"\xa5" * (len(content) - 4096)
        self.root.spool.write_bytes(content)
        for verb in (["list"], ["add", "a@example.com"], ["due"], ["flush"]):
            self.root.run(*verb, stdin=b"x\n", status=74)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_full_disk(self):
        with tempfile.TemporaryDirectory() as mount:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount], check=True)
            try:
                root = Root(LINK, folder=mount)
                kept = []
                while True:
                    done = root.run("add", "bob@example.com", stdin=b"y" * 60_000 + b"\n", status=None)
                    if done.returncode != 0:
                        break
                    kept.append(done.stdout.decode().strip())
                    self.assertLess(len(kept), 100)
                self.assertEqual(done.returncode, 74)
                self.assertIn(b"disk full", done.stderr)
                self.assertGreater(len(kept), 2)
                self.assertEqual(root.ids(), kept)
                filler = Path(mount) / "filler"
                fill_disk(filler)
                self.assertEqual(root.run("add", "b@example.com", stdin=b"z" * 60_000, status=74).stdout, b"")
                self.assertEqual(root.ids(), kept)
                self.assertEqual(len(root.run("show", "--raw", kept[0]).stdout.split(b"\r\n\r\n")[1]), 60_002)
                filler.unlink(missing_ok=True)
                for id in kept[1:]:
                    root.run("remove", id)
                self.assertEqual(root.ids(), kept[:1])
                root.add(b"again\n")
            finally:
                subprocess.run(["umount", mount], check=True)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_full_disk_before_the_first_message(self):
        with tempfile.TemporaryDirectory() as mount:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", mount], check=True)
            try:
                root = Root(LINK, folder=mount)
                fill_disk(Path(mount) / "filler")
                self.assertIn(b"disk full", root.run("add", "b@example.com", stdin=b"z", status=74).stderr)
                self.assertEqual(sorted(p.name for p in Path(mount).glob("spool*")), [])
            finally:
                subprocess.run(["umount", mount], check=True)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_reading_on_a_read_only_file_system(self):
        for checkpointed in (False, True):
            with self.subTest(checkpointed=checkpointed), tempfile.TemporaryDirectory() as mount:
                subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", mount], check=True)
                try:
                    root = Root(LINK, folder=mount)
                    id = root.add()
                    if checkpointed:
                        db = sqlite3.connect(root.spool)
                        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                        db.close()
                        for suffix in ("-wal", "-shm"):
                            Path(str(root.spool) + suffix).unlink(missing_ok=True)
                    subprocess.run(["mount", "-o", "remount,ro", mount], check=True)
                    self.assertEqual(root.ids(), [id])
                    self.assertEqual(root.run("due").stdout, b"isp\n")
                    root.run("show", id)
                    self.assertEqual(root.run("add", "b@example.com", stdin=b"x", status=74).stdout, b"")
                finally:
                    subprocess.run(["umount", mount], check=True)


class Listing(Case):
    def test_members(self):
        self.root.add(b"Subject: =?x?= caf\xc3\xa9\n\nx\n", "bob@example.com", "c@nowhere.example")
        (entry,) = self.root.list()
        self.assertEqual(list(entry), ["id", "queue", "state", "arrived", "size", "sender", "recipients", "connector", "link",
                                       "next_hop", "priority", "attempts", "next_attempt", "expires", "reason",
                                       "reason_class", "message_id", "subject"])
        self.assertEqual(entry["recipients"], [
            {"address": "bob@example.com", "state": "ready", "reason": None},
            {"address": "c@nowhere.example", "state": "ready", "reason": "no connector serves nowhere.example"}])
        self.assertEqual((entry["connector"], entry["link"], entry["next_hop"]), ("hub", "isp", "line"))
        self.assertEqual((entry["state"], entry["attempts"], entry["next_attempt"]), ("ready", 0, None))

    def test_filters(self):
        small = self.root.add(b"x\n", "bob@example.com")
        big = self.root.add(b"x" * 5000 + b"\n", "eve@lan.example", sender="<>")
        for arguments, wanted in (
                (["--larger", "4k"], [big]), (["--smaller", "4k"], [small]), (["--older", "1h"], []),
                (["--younger", "1h"], [small, big]), (["--sender", "alice@*"], [small]), (["--sender", "<>"], [big]),
                (["--recipient", "eve@*"], [big]), (["--domain", "example.com"], [small]), (["--connector", "lan"], [big]),
                (["--link", "isp"], [small]), (["--state", "ready"], [small, big]), (["--state", "held"], []),
                (["--reason", "link"], [])):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.root.ids(*arguments), wanted)

    def test_wrong_filters(self):
        self.root.run("list", "--state", "lost", status=64)
        self.root.run("list", "--older", "soon", status=64)
        self.assertIn(b"isp", self.root.run("list", "--link", "ispp", status=66).stderr)
        self.root.run("list", "--connector", "nix", status=66)

    def test_a_filter_of_an_unset_variable_is_not_everything(self):
        id = self.root.add()
        for option in ("--sender", "--recipient", "--domain", "--connector", "--link", "--reason"):
            with self.subTest(option=option):
                self.assertIn(b"it is empty", self.root.run("remove", "--all", "--yes", option, "", status=64).stderr)
        for verb, option in (("flush", "--link"), ("flush", "--connector"), ("due", "--link"), ("plan", "--link"), ("retrieve", "--link")):
            with self.subTest(verb=verb, option=option):
                self.root.run(verb, option, "", status=64)
        self.assertEqual(self.root.ids(), [id])

    def test_people_see_a_table(self):
        id = self.root.add(b"x\n", "c@nowhere.example")
        text = self.root.run("list").stdout.decode()
        self.assertRegex(text, rf"(?m)^{id}  ready .* c@nowhere\.example$")
        self.assertIn("no connector serves nowhere.example", text)

    def test_show(self):
        id = self.root.add(b"Subject: look\n\nbody\n")
        text = self.root.run("show", id).stdout.decode()
        for wanted in (id, "look", "bob@example.com", "hub over link isp", "\r\nbody\r\n"):
            self.assertIn(wanted, text)
        self.assertEqual(json.loads(self.root.run("show", "--json", id).stdout)["id"], id)
        self.assertEqual(self.root.run("show", id.upper()).stdout.decode(), text)
        self.assertEqual(self.root.run("show", "--json", "--raw", id, status=64).stdout, b"")
        self.root.run("show", "zzzzzzz", status=66)
        self.root.run("show", "../x", status=66)

    def test_a_closed_pipe_is_no_crash(self):
        for _ in range(3):
            self.root.add()
        listing = self.root.start("list")
        listing.stdout.close()
        self.assertIn(listing.wait(PATIENCE), (0, 74))
        listing.stderr.close()


class Due(Case):
    def test_names_links_one_a_line(self):
        self.assertEqual(self.root.run("due", status=1).stdout, b"")
        self.root.add(b"x\n", "a@lan.example")
        self.assertEqual(self.root.run("due", status=1).stdout, b"")
        self.root.add()
        self.root.add()
        self.assertEqual(self.root.run("due").stdout, b"isp\n")
        self.assertEqual(self.root.run("due", "--link", "isp").stdout, b"isp\n")
        self.assertEqual(self.root.run("due", "--quiet").stdout, b"")
        self.root.run("due", "--link", "none", status=66)

    def test_q230051(self):
        for more in ("", "cost = 1"):
            with self.subTest(more=more):
                root = Root('[link.isp]\nport = "tcp:127.0.0.1:9"\nnetwork = "stream"\nnumbers = ["1"]\n'
                            '[connector.smarthost]\ndomains = ["*"]\nlink = "isp"\nhost = "line"\n' +
                            lan(2525, "partner", ("partner.example",), more))
                self.addCleanup(root.close)
                root.add(b"x\n", "a@partner.example")
                root.run("due", status=1)
                root.add(b"x\n", "a@world.example")
                self.assertEqual(root.run("due", "--link", "isp").stdout, b"isp\n")

    def test_held_mail_is_not_due(self):
        id = self.root.add()
        self.root.run("hold", id)
        self.root.run("due", status=1)
        self.root.run("release", id)
        self.root.run("due")


class Changes(Case):
    def test_hold_and_release(self):
        id, other = self.root.add(), self.root.add()
        self.root.run("hold", id)
        self.assertEqual([m["state"] for m in self.root.list()], ["held", "ready"])
        self.assertEqual(self.root.ids("--state", "held"), [id])
        self.root.run("release", id)
        self.assertEqual([m["state"] for m in self.root.list()], ["ready", "ready"])
        del other

    def test_ids_from_stdin(self):
        ids = [self.root.add() for _ in range(3)]
        self.root.run("hold", "-", stdin="\n".join(ids[:2]).encode())
        self.assertEqual(self.root.ids("--state", "held"), ids[:2])
        self.root.run("remove", "-", stdin=b"")
        self.root.run("remove", "-", stdin=b" ".join(i.encode() for i in ids))
        self.assertEqual(self.root.list(), [])

    def test_a_broken_line_is_named(self):
        id = self.root.add()
        whole = json.dumps({"id": id}).encode()
        for broken, what in ((whole[:-3], b"not a JSON object"), (b'{"queue":"spool"}', b"without an id"), (b'{"id":"a","arrived":"noon"}', b"is not a time")):
            for stdin, line in ((broken, 1), (b"\n" + whole + b"\r\n  " + broken + b"\n" + whole + b"\n", 3)):
                with self.subTest(stdin=stdin):
                    done = self.root.run("hold", "-", stdin=stdin, status=65)
                    self.assertIn(b"mtaq: stdin:%d: " % line, done.stderr)
                    self.assertIn(what, done.stderr)
                    error = json.loads(self.root.run("flush", "--json", "-", stdin=stdin, status=65).stderr)["error"]
                    self.assertIn(f"stdin:{line}: ", error["message"])
        # Nothing is done by halves.
        self.assertEqual([m["state"] for m in self.root.list()], ["ready"])

    def test_one_that_is_gone_does_not_stop_the_others(self):
        id = self.root.add()
        self.root.run("remove", "0000001", id, status=66)
        self.assertEqual(self.root.list(), [])

    def test_events(self):
        id = self.root.add()
        self.root.run("hold", id)
        self.assertEqual([(e["event"], e["message"]) for e in self.root.events()], [("queue.held", id)])


if __name__ == "__main__":
    unittest.main()
