# SPDX-License-Identifier: MIT
"""What a call of mtaq takes, when one is worth it, and what it would cost: limits of a flush, delays, triggers, plan."""

import datetime
import json
import os
import pty
import sqlite3
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.connectors import ISP, ConnectorCase, message, subjects  # noqa: E402
from support.mail import LINK, PATIENCE, lan  # noqa: E402
from support.stopwatch import Stopwatch  # noqa: E402


class Limits(ConnectorCase):
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
        # Nothing fits: no session is opened for that.
        receipts = self.root.flush("--max-bytes", "10k", status=75)
        self.assertIn("the limit of 10.0 kB would be passed", receipts[large]["recipients"][0]["reason"])
        self.assertEqual(peer.connections, 1)

    def test_what_cannot_be_through_before_the_deadline_is_not_begun(self):
        peer = self.peer()
        self.root.configure(LINK + lan(peer.port))
        self.root.add(message("first"), "bob@lan.example")
        self.root.flush()
        db = sqlite3.connect(self.root.spool)   # a slow line, as an earlier call found it
        db.execute("UPDATE peer_memory SET rate=1000, round_trip=500, blame=0, learned=?", (int(time.time() * 1000),))
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


class Delays(ConnectorCase):
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


class Listing(ConnectorCase):
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


class Triggers(ConnectorCase):
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


class Plan(ConnectorCase):
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
