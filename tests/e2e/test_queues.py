#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mtaq on the queues of a real Postfix and a real Exim: one contract, safe changes, and flush --wait that ends with the truth. Needs root."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import exim  # noqa: E402
import mail  # noqa: E402
import postfix  # noqa: E402
import queues  # noqa: E402
from postfix import wait_until  # noqa: E402
from queues import DEAD, MESSAGE, PATIENCE, EximSite, Listener, PostfixSite  # noqa: E402
from stopwatch import Stopwatch  # noqa: E402

CONTRACT = mail.BUILD / "tests" / "contract" / "queue-contract"


class Queue(queues.Queues):
    """For each kind of mail system; `site` makes one."""

    # ---- the contract

    def test_contract(self):
        site = self.make(DEAD)
        done = subprocess.run([CONTRACT], env=dict(site.environment, LONGLINE_CONTRACT=site.contract), capture_output=True, timeout=4 * PATIENCE)
        self.assertEqual(done.returncode, 0, done.stdout.decode(errors="replace")[-4000:])

    # ---- flush --wait

    def test_flush_ends_0_when_all_are_gone(self):
        site = self.make()
        for _ in range(5):
            self.send(site, "bob@far.example", "carol@far.example")
        site.rest(5)
        ids = site.ids()
        done = self.mtaq(site, "--json", "flush", "--wait")
        self.assertEqual(site.ids(), [])
        receipts = self.receipts(done)
        self.assertEqual(sorted(r["id"] for r in receipts), sorted(ids))
        self.assertEqual({r["result"] for r in receipts}, {"sent"})
        wait_until(lambda: len(site.far.box("bob")) == 5 and len(site.far.box("carol")) == 5, "the mail")
        # Nothing is left to do, and that is fine.
        self.mtaq(site, "flush", "--wait")

    def test_flush_ends_75_when_one_recipient_of_one_message_stays(self):
        site = self.make()
        self.send(site, "bob@far.example")
        self.send(site, "bob@far.example", "later@far.example")
        self.send(site, "carol@far.example")
        site.rest(3)
        done = self.mtaq(site, "--json", "flush", "--wait", status=75)
        receipts = self.receipts(done)
        self.assertEqual(sorted(r["result"] for r in receipts), ["deferred", "sent", "sent"])
        [left] = [r for r in receipts if r["result"] == "deferred"]
        self.assertEqual(site.ids(), [left["id"]])
        results = {r["address"]: r["result"] for r in left["recipients"]}
        # The peers' replies, each with its code once.
        codes = {r["address"]: r["code"] for receipt in receipts for r in receipt["recipients"]}
        self.assertEqual(codes, {"bob@far.example": 250, "carol@far.example": 250, "later@far.example": site.later})
        for receipt in receipts:
            for one in receipt["recipients"]:
                self.assertNotRegex(one["reason"], rf"^{one['code']}|said:|SMTP error")
        self.assertEqual(results, {"bob@far.example": "sent", "later@far.example": "deferred"})
        self.assertIn("come back later", json.dumps(left))
        [message] = self.listing(site)
        self.assertEqual([r["address"] for r in message["recipients"] if r["state"] != "delivered"], ["later@far.example"])
        self.assertEqual(message["reason_class"], "greylist")

    def test_who_is_refused_in_a_message_that_stays_is_refused(self):
        site = self.make()
        self.send(site, "bob@far.example", "nobody@far.example", "later@far.example", sender="bob@here.example")
        site.rest(1)
        [id] = site.ids()
        done = self.mtaq(site, "--json", "flush", "--wait", id, status=75)
        [receipt] = self.receipts(done)
        self.assertEqual((receipt["id"], receipt["result"]), (id, "deferred"))
        self.assertEqual({r["address"].split("@")[0]: (r["result"], r["code"]) for r in receipt["recipients"]},
                         {"bob": ("sent", 250), "nobody": ("refused", 550), "later": ("deferred", site.later)})
        self.assertIn(b"left: %d " % site.later, done.stderr)
        for one in receipt["recipients"]:
            self.assertNotIn("\\", one["reason"])

    def test_flush_ends_69_when_the_next_hop_is_dead(self):
        site = self.make(DEAD)
        for _ in range(3):
            self.send(site, "bob@far.example")
        site.rest(3)
        begin = Stopwatch()
        done = self.mtaq(site, "--json", "flush", "--wait", status=69)
        # The last line of the log is the verdict.
        busy = begin.seconds() - begin.ours()
        self.assertLess(time.time() - site.log_time() - busy, 5)
        receipts = self.receipts(done)
        self.assertEqual(len(receipts), 3)
        self.assertEqual({r["cause"] for r in receipts}, {"next-hop-unreachable"})
        self.assertEqual(len(site.ids()), 3)
        self.assertEqual({m["reason_class"] for m in self.listing(site)}, {"link"})
        # Asked again, with the reason as it was before, it is found again.
        self.mtaq(site, "flush", "--wait", status=69)

    def test_flush_ends_65_when_a_recipient_is_refused_for_good(self):
        site = self.make()
        self.send(site, "nobody@far.example", sender="bob@here.example")
        self.send(site, "bob@far.example")
        site.rest(2)
        done = self.mtaq(site, "--json", "flush", "--wait", status=65)
        receipts = self.receipts(done)
        self.assertEqual(sorted(r["result"] for r in receipts), ["refused", "sent"])
        [refused] = [r for r in receipts if r["result"] == "refused"]
        self.assertEqual(refused["recipients"][0]["code"], 550)
        wait_until(lambda: site.near.box("bob"), "the notification")

    def test_flush_ends_124_when_time_runs_out(self):
        listener = Listener()
        self.addCleanup(listener.socket.close)
        site = self.make(listener.port)
        self.send(site, "bob@far.example")
        site.rest(1)
        done = self.mtaq(site, "--json", "flush", "--wait", "--deadline", "1500ms", status=124)
        [receipt] = self.receipts(done)
        self.assertEqual(receipt["cause"], "deadline")
        self.assertEqual(len(site.ids()), 1)

    def test_flush_of_some_messages_leaves_the_others(self):
        site = self.make()
        for _ in range(3):
            self.send(site, "bob@far.example")
        site.rest(3)
        first, second, third = site.ids()
        self.mtaq(site, "hold", second)
        self.mtaq(site, "flush", "--wait", first)
        self.assertEqual(sorted(site.ids()), sorted([second, third]))
        self.mtaq(site, "flush", "--wait")
        self.assertEqual(site.ids(), [second], "what is held stays")
        done = self.mtaq(site, "flush", "--wait", first, status=66)
        self.assertIn(first.encode(), done.stderr)

    def test_a_held_message_that_is_named_stays_held(self):
        site = self.make()
        for _ in range(2):
            self.send(site, "bob@far.example")
        site.rest(2)
        held, other = site.ids()
        self.mtaq(site, "hold", held)
        for more in ([], ["--wait"]):
            done = self.mtaq(site, "--json", "flush", held, *more, status=75)
            [receipt] = self.receipts(done)
            self.assertEqual((receipt["id"], receipt["result"], receipt["recipients"][0]["reason"]), (held, "deferred", "held"))
        done = self.mtaq(site, "--json", "flush", "--wait", held, other, status=75)
        self.assertEqual({r["id"]: r["result"] for r in self.receipts(done)}, {held: "deferred", other: "sent"})
        self.assertEqual([(m["id"], m["state"]) for m in self.listing(site)], [(held, "held")])
        wait_until(lambda: site.far.box("bob"), "the mail")
        self.assertEqual(len(site.far.box("bob")), 1)

    def test_a_limit_of_bytes(self):
        site = self.make()
        for lines in (400, 0, 800, 0):
            self.number += 1
            site.near.send(MESSAGE % (self.number, self.number) + (b"x" * 61 + b"\n") * lines, "bob@far.example")
        site.rest(4)
        sizes = {m["id"]: m["size"] for m in self.listing(site)}
        small, large = [[id for id, size in sizes.items() if (size > 30000) == is_large] for is_large in (False, True)]
        # What fits goes, small before large; what is left says why.
        done = self.mtaq(site, "--json", "flush", "--wait", "--max-bytes", "30k", status=75)
        receipts = {r["id"]: r for r in self.receipts(done)}
        self.assertEqual({id: r["result"] for id, r in receipts.items()}, {**dict.fromkeys(small, "sent"), large[0]: "not-tried"})
        self.assertEqual(receipts[large[0]]["cause"], "messages-left")
        self.assertRegex(receipts[large[0]]["recipients"][0]["reason"], r"^with its [\d.]+ kB the limit of 30.0 kB would be passed$")
        self.assertIn(b"the limit of 30.0 kB", done.stderr)
        self.assertEqual(site.ids(), large)
        wait_until(lambda: len(site.far.box("bob")) == 3, "the mail")
        # Nothing fits: nobody is asked for anything. Nor is it without --wait.
        for more in (["--wait"], []):
            done = self.mtaq(site, "--json", "flush", *more, "--max-bytes", "30k", status=75)
            self.assertEqual([r["result"] for r in self.receipts(done)], ["not-tried"])
        self.assertEqual(site.ids(), large)
        # Named ones too.
        self.mtaq(site, "flush", "--wait", "--max-bytes", "30k", large[0], status=75)
        self.mtaq(site, "flush", "--wait", "--max-bytes", "60k", large[0])
        self.assertEqual(site.ids(), [])

    def test_flush_without_wait_only_asks(self):
        site = self.make()
        self.send(site, "bob@far.example")
        site.rest(1)
        done = self.mtaq(site, "flush")
        self.assertIn(b"was asked to send 1 message", done.stderr)
        self.assertEqual(done.stdout, b"")
        wait_until(lambda: site.far.box("bob"), "the mail")

    def test_a_signal_ends_the_wait(self):
        listener = Listener()
        self.addCleanup(listener.socket.close)
        site = self.make(listener.port)
        self.send(site, "bob@far.example")
        site.rest(1)
        child = subprocess.Popen(self.root.command("--queue", site.queue, "--json", "flush", "--wait"), env=site.environment, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        listener.socket.settimeout(PATIENCE)
        connection, _ = listener.socket.accept()
        self.addCleanup(connection.close)
        # That may have been the MTA's own attempt, before the flush was ready for a signal.
        wait_until(lambda: int(re.search(r"SigBlk:\s+(\w+)", Path(f"/proc/{child.pid}/status").read_text()).group(1), 16) >> (signal.SIGTERM - 1) & 1,
                   "the flush to look at signals")
        child.send_signal(signal.SIGTERM)
        out, err = child.communicate(timeout=PATIENCE)
        self.assertEqual(json.loads(out)["cause"], "interrupted", err)
        self.assertNotIn(child.returncode, (0, -signal.SIGTERM))

    # ---- listing and changes

    def test_listing_filters_and_nulls(self):
        site = self.make(DEAD)
        self.send(site, "bob@far.example")
        self.send(site, "carol@other.example", sender="dan@here.example")
        site.rest(2)
        messages = self.listing(site)
        self.assertEqual({m["queue"] for m in messages}, {site.queue.split(":")[0]})
        self.assertEqual(set(messages[0]), {"id", "queue", "state", "arrived", "size", "sender", "recipients", "connector", "link", "next_hop", "priority",
                                            "attempts", "next_attempt", "expires", "reason", "reason_class", "message_id", "subject"})
        self.assertEqual({(m["attempts"], m["priority"], m["expires"]) for m in messages}, {(None, None, None)})
        self.assertEqual([m["sender"] for m in self.listing(site, "--domain", "other.example")], ["dan@here.example"])
        self.assertEqual([m["sender"] for m in self.listing(site, "--sender", "alice*")], ["alice@here.example"])
        self.assertEqual(self.listing(site, "--older", "1h"), [])
        self.assertEqual(len(self.listing(site, "--younger", "1h")), 2)
        self.assertEqual(self.listing(site, "--larger", "1M"), [])
        shown = self.mtaq(site, "show", messages[0]["id"]).stdout
        self.assertIn(b"Subject: number", shown)
        self.assertIn(b"\r\n\r\n.body\r\n", self.mtaq(site, "show", "--raw", messages[0]["id"]).stdout)
        summary = [json.loads(line) for line in self.mtaq(site, "--json", "summary").stdout.splitlines()]
        self.assertEqual({(g["domain"], g["count"]) for g in summary}, {("far.example", 1), ("other.example", 1)})

    def test_links_that_its_mail_makes_due(self):
        site = self.make(DEAD)
        self.root.configure(f'queue = "{site.queue}"\n' + mail.LINK.replace("example.com", "far.example"))
        self.root.run("due", status=1, env=site.environment)
        self.send(site, "bob@far.example")
        self.assertEqual(self.root.run("due", env=site.environment).stdout, b"isp\n")
        self.assertEqual(self.root.run("due", "--queue", "spool", status=1, env=site.environment).stdout, b"")

    def test_plan_counts_its_mail(self):
        site = self.make(DEAD)
        self.root.configure(f'queue = "{site.queue}"\n' + mail.LINK.replace("example.com", "far.example"))
        for _ in range(3):
            self.send(site, "bob@far.example")
        self.send(site, "dan@other.example")
        site.rest(4)
        messages = [m for m in self.listing(site) if m["link"] == "isp"]
        done = self.root.run("--json", "plan", env=site.environment)
        [lane] = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual((lane["link"], lane["messages"], lane["bytes"]), ("isp", 3, sum(m["size"] for m in messages)))
        self.assertGreater(lane["wire_bytes"], lane["bytes"])
        self.mtaq(site, "hold", messages[0]["id"])
        [lane] = [json.loads(line) for line in self.root.run("--json", "plan", "--link", "isp", env=site.environment).stdout.splitlines()]
        self.assertEqual(lane["messages"], 2)
        # The spool's own, when that is asked about.
        self.assertEqual(self.root.run("--json", "plan", "--queue", "spool", env=site.environment).stdout, b"")

    def test_changes_are_checked(self):
        site = self.make(DEAD)
        for _ in range(3):
            self.send(site, "bob@far.example")
        site.rest(3)
        listed = self.mtaq(site, "list", "--json").stdout.splitlines()
        # A line of the listing carries what was seen; another message has the id now.
        stale = json.loads(listed[0])
        stale["sender"] = "somebody@else.example"
        done = self.mtaq(site, "remove", "-", stdin=json.dumps(stale).encode() + b"\n", status=66)
        self.assertIn(b"changed meanwhile", done.stderr)
        self.assertEqual(len(site.ids()), 3)
        self.mtaq(site, "hold", "-", stdin=listed[0] + b"\n" + listed[1] + b"\n")
        self.assertEqual(sorted(m["state"] == "held" for m in self.listing(site)), [False, True, True])
        # By filter: shown first.
        done = self.mtaq(site, "remove", "--all", "--state", "held")
        self.assertIn(b"2 messages would be removed; nothing was changed: --yes does it", done.stderr)
        self.assertEqual(len(site.ids()), 3)
        self.mtaq(site, "remove", "--all", "--state", "held", "--yes")
        self.assertEqual(len(site.ids()), 1)
        done = self.mtaq(site, "remove", "AAAAAAAAAA", site.ids()[0], status=66)
        self.assertIn(b"AAAAAAAAAA", done.stderr)
        self.assertEqual(site.ids(), [])
        self.assertEqual(len(self.root.events("queue.removed")), 3)

    def test_export_moves_mail_into_the_spool(self):
        site = self.make(DEAD)
        self.send(site, "bob@far.example", "carol@far.example")
        site.rest(1)
        batch = self.mtaq(site, "export", "--remove").stdout
        self.assertEqual(site.ids(), [])
        self.root.run("import", stdin=batch)
        [message] = self.root.list()
        self.assertEqual(message["sender"], "alice@here.example")
        self.assertEqual([r["address"] for r in message["recipients"]], ["bob@far.example", "carol@far.example"])
        self.assertEqual(message["message_id"], "<1@here.example>")

    def test_export_leaves_out_what_others_wait_for(self):
        site = self.make(DEAD)
        self.send(site, "bob@far.example", "carol@other.example")
        self.send(site, "dan@far.example")
        site.rest(2)
        done = self.mtaq(site, "export", "--domain", "far.example", "--remove", status=65)
        self.assertIn(b"others wait for it", done.stderr)
        self.assertEqual([line for line in done.stdout.split(b"\r\n") if line.startswith(b"RCPT")], [b"RCPT TO:<dan@far.example>"])
        [left] = self.listing(site)
        self.assertEqual([r["address"] for r in left["recipients"]], ["bob@far.example", "carol@other.example"])
        self.assertNotEqual(left["state"], "held")
        # Without a change it is a copy, for those who are meant.
        batch = self.mtaq(site, "export", "--domain", "far.example").stdout
        self.assertEqual([line for line in batch.split(b"\r\n") if line.startswith(b"RCPT")], [b"RCPT TO:<bob@far.example>"])
        self.mtaq(site, "export", left["id"], "--remove")
        self.assertEqual(site.ids(), [])

    def test_other_users_are_told(self):
        site = self.make(DEAD)
        self.send(site, "bob@far.example")
        site.rest(1)
        os.chmod(self.root.folder, 0o777)
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *self.root.command("--queue", site.queue, "remove", site.ids()[0])],
                              env=site.environment, capture_output=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 77, done.stderr)
        self.assertEqual(len(site.ids()), 1)


@unittest.skipUnless(postfix.available(), "needs Postfix and root")
class PostfixTest(Queue, unittest.TestCase):
    site = PostfixSite
    sites = {}

    def test_next_attempt_is_known_to_root(self):
        site = self.make(DEAD)
        self.send(site, "bob@far.example")
        site.rest(1)
        [message] = self.listing(site)
        self.assertIsNotNone(message["next_attempt"])

    def test_long_ids(self):
        self.site = type("Long", (PostfixSite,), {"MORE": PostfixSite.MORE + "enable_long_queue_ids = yes\n"})
        self.sites = {}
        site = self.make(DEAD)
        self.send(site, "bob@far.example")
        site.rest(1)
        [message] = self.listing(site)
        self.assertIn("z", message["id"])
        self.assertIsNotNone(message["next_attempt"])
        self.mtaq(site, "remove", message["id"])
        self.assertEqual(site.ids(), [])

    def test_a_stopped_postfix(self):
        self.sites = {}
        site = self.make(DEAD)
        self.send(site, "bob@far.example")
        site.rest(1)
        subprocess.run([postfix.POSTFIX, "-c", str(site.near.folder), "stop"], capture_output=True, timeout=PATIENCE)
        self.assertEqual(len(self.listing(site)), 1)
        done = self.mtaq(site, "flush", "--wait", status=69)
        self.assertIn(b"mail system is down", done.stderr)


@unittest.skipUnless(exim.available(), "needs Exim's packages (scripts/setup --test) and root")
class EximTest(Queue, unittest.TestCase):
    site = EximSite
    sites = {}

    def test_requeue_is_refused(self):
        site = self.make(DEAD)
        self.send(site, "bob@far.example")
        done = self.mtaq(site, "requeue", site.ids()[0], status=64)
        self.assertIn(b"Exim cannot requeue", done.stderr)


class NoMailSystem(unittest.TestCase):
    def test_what_is_not_there(self):
        root = mail.Root("")
        self.addCleanup(root.close)
        root.run("--queue", "qmail", "list", status=64)
        root.run("--queue", "postfix:", "list", status=64)
        root.run("--queue", "postfix:/nonexistent", "list", status=66)
        root.run("--queue", "exim:/nonexistent", "list", status=66)
        root.configure('queue = "sendmail"\n')
        done = root.run("list", status=78)
        self.assertIn(b"longline.toml:1:9", done.stderr)


if __name__ == "__main__":
    unittest.main()
