# SPDX-License-Identifier: MIT
"""mtaq check: what is wrong with spool, disk, clock, drop folder and configuration, before mail suffers."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.mail import LINK, Root, lan  # noqa: E402

HOST = os.uname().nodename


class Case(unittest.TestCase):
    def setUp(self):
        self.root = Root(lan(2525))
        self.addCleanup(self.root.close)

    def sql(self, statement):
        subprocess.run(["sqlite3", self.root.spool, statement], check=True)

    def codes(self, status=0, root=None):
        done = (root or self.root).run("check", "--json", status=status)
        return sorted(json.loads(line)["code"] for line in done.stdout.splitlines() if json.loads(line)["code"] != "short-host-name")


class Spool(Case):
    def test_all_is_well(self):
        self.assertEqual(self.codes(), [])
        self.root.add()
        self.assertEqual(self.codes(), [])
        self.assertEqual(self.root.run("check", "--quiet").stdout, b"")

    def test_messages_without_a_part(self):
        ids = [self.root.add() for _ in range(4)]
        self.sql("DELETE FROM bodies WHERE seq=(SELECT min(seq) FROM messages)")
        self.sql("DELETE FROM recipients WHERE seq=(SELECT max(seq) FROM messages)")
        self.sql("UPDATE messages SET size=5 WHERE seq=(SELECT min(seq)+1 FROM messages)")
        self.sql("INSERT INTO bodies VALUES(5, 'x')")
        self.assertEqual(self.codes(status=1), ["no-body", "no-recipient", "orphan", "wrong-size"])
        text = self.root.run("check", status=1).stdout.decode()
        self.assertIn(f"spool: error: 1 message ({ids[0]}) without a body", text)

    def test_damage(self):
        for _ in range(20):
            self.root.add(b"x" * 20_000 + b"\n")
        self.sql("PRAGMA wal_checkpoint(TRUNCATE)")
        with open(self.root.spool, "r+b") as file:
            file.seek(4096 * 3)
            file.write(os.urandom(4096 * 8))
        self.assertIn("damaged", self.codes(status=1))
        self.root.spool.write_bytes(b"not a database" * 100)
        self.assertEqual(self.codes(status=1), ["damaged"])

    def test_a_spool_of_another_version(self):
        self.root.add()
        self.sql("PRAGMA user_version=9999; PRAGMA wal_checkpoint(TRUNCATE)")
        self.assertEqual(self.codes(status=1), ["not-ours"])
        self.assertIn(b"a spool of version 9999", self.root.run("check", status=1).stdout)

    def test_clocks(self):
        self.root.add()
        self.sql("UPDATE messages SET arrived=arrived+3600000*24*365")
        self.sql("UPDATE recipients SET state=1, next_attempt=(SELECT arrived FROM messages)")
        self.assertEqual(self.codes(), ["clock-jumped", "clock-jumped"])
        self.sql("UPDATE messages SET arrived=86400000")
        self.sql("UPDATE recipients SET state=0, next_attempt=NULL")
        self.assertEqual(self.codes(), ["clock-jumped"])
        self.assertIn(b"arrived before 2020", self.root.run("check").stdout)
        self.assertIsNone(json.loads(self.root.run("list", "--json").stdout)["expires"])

    def test_a_message_without_its_body_is_in_the_queue_and_cannot_be_shown(self):
        message = self.root.add()
        self.sql("DELETE FROM bodies")
        for command in (["show", "--raw", message], ["export"]):
            self.assertIn(b"its body is not in the spool", self.root.run(*command, status=66).stderr, command)

    def test_what_dead_processes_left(self):
        self.root.add()
        self.sql("INSERT INTO leases(name, pid, start, boot) VALUES('link:isp', 1, 1, 'another boot')")
        (self.root.folder / "spool.db.new.999999999").write_bytes(b"x")
        (self.root.folder / f"spool.db.new.{os.getpid()}").write_bytes(b"x")
        self.assertEqual(self.codes(), ["dead-flush", "leftover"])

    def test_rights(self):
        self.root.add()
        self.root.spool.chmod(0o644)
        self.assertEqual(self.codes(status=1), ["readable"])

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_a_full_disk_ahead(self):
        with tempfile.TemporaryDirectory() as mount:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", mount], check=True)
            try:
                root = Root(lan(2525), folder=mount)
                (Path(mount) / "fill").write_bytes(b"z" * 10_000_000)
                self.assertEqual(self.codes(root=root, status=1), ["disk-full"])
                (Path(mount) / "fill").unlink()
                root.add(b"x" * 1_500_000 + b"\n")
                self.assertEqual(self.codes(root=root), [])
                (Path(mount) / "half").write_bytes(b"z" * 2_500_000)
                self.assertEqual(self.codes(root=root), ["disk-ahead"])
                (Path(mount) / "fill").write_bytes(b"z" * 5_000_000)
                self.assertEqual(self.codes(root=root, status=1), ["disk-full"])
                (Path(mount) / "spool.db.reserve").unlink()
                self.assertIn("no-reserve", self.codes(root=root, status=1))
            finally:
                subprocess.run(["umount", mount], check=True)

    def test_the_drop_folder(self):
        drop = self.root.folder / "drop"
        drop.mkdir()
        drop.chmod(0o777)
        (drop / "junk").mkdir()
        (drop / "one").write_bytes(b"x")
        self.assertEqual(self.codes(status=1), ["drop-folder", "drop-junk", "drop-waiting"])


class Configuration(Case):
    def findings(self, config, status=0):
        self.root.configure(config)
        return self.codes(status)

    def test_names(self):
        self.assertEqual(self.findings(lan(25, more='helo = "mail.other.example"')), ["helo-not-host"])
        self.assertEqual(self.findings(lan(25, more=f'helo = "{HOST}"')), [])
        self.root.configure(lan(25, more='helo = "mail.other.example"'))
        self.assertIn(f"helo is 'mail.other.example', this host is '{HOST}'".encode(), self.root.run("check").stdout)

    def test_connectors_that_reach_nothing(self):
        self.assertEqual(self.findings(LINK + '[connector.x]\ndomains = ["x.example"]\nlink = "isp"\nhost = "mail.x.example"\n', 78), ["no-network"])
        self.assertEqual(self.findings(lan(25) + lan(26, name="other")), ["same-cost"])
        self.assertEqual(self.findings('[connector.x]\ndomains = ["x"]\nhost = "line"\n', 78), ["conflict"])

    def test_secrets_that_others_can_read(self):
        secret = self.root.folder / "pw"
        secret.write_text("x\n")
        secret.chmod(0o644)
        self.assertIn("secret-file", self.findings(lan(25, more='user = "me"\npassword-file = "pw"'), 78))

    def test_retrievals(self):
        one = lan(25, more='retrieve = { by = "%s", domains = ["a.example"] }')
        self.assertIn("no-local-domains", self.findings(one % "etrn"))
        local = 'local-domains = ["a.example"]\n'
        self.assertEqual(self.findings(local + one % "etrn"), [])
        self.assertEqual(self.findings(local + one % "atrn", 78), ["no-login"])
        self.assertEqual(self.findings(local + one % "turn", 78), ["unsafe-turn"])

    def test_open_relays(self):
        self.assertEqual(self.findings('relay-from = ["0.0.0.0/0"]\n', 78), ["open-relay"])
        self.assertEqual(self.findings('relay-domains = ["*"]\n', 78), ["open-relay"])

    def test_a_configuration_that_cannot_be_read_is_shown_and_the_spool_looked_at(self):
        self.root.add()
        self.root.spool.chmod(0o640)
        self.root.configure("local-domain = []\n")
        done = self.root.run("check", status=78)
        self.assertIn(b"local-domains", done.stdout)
        self.assertIn(b"readable", done.stdout)

    def test_aliases(self):
        (self.root.folder / "aliases").write_text("root: |/bin/sh\n")
        self.assertEqual(self.codes(), ["alias", "alias"])


if __name__ == "__main__":
    unittest.main()
