#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mtaq flush --wait on the queues of a real Postfix and a real Exim, with which somebody does something meanwhile. Needs root."""
import json
import socket
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import exim  # noqa: E402
import postfix  # noqa: E402
import queues  # noqa: E402
from postfix import wait_until  # noqa: E402
from queues import PATIENCE, Listener, PostfixSite  # noqa: E402
from stopwatch import Stopwatch  # noqa: E402


class Meanwhile(queues.Queues):
    def test_what_somebody_removes_meanwhile_has_no_receipt(self):
        listener = silent_listener(self)
        site = self.make(listener.port)
        for _ in range(3):
            self.send(site, "bob@far.example")
        site.rest(3)
        child = self.begin_flush(site)
        connection, _ = listener.socket.accept()
        site.delete(*site.ids())
        self.assertLess(len(site.ids()), 2)
        listener.socket.close()
        connection.close()
        receipts = self.end_flush(child, 75 if site.ids() else 0, 69)
        self.assertEqual([r["id"] for r in receipts], site.ids())
        self.assertLessEqual({r["result"] for r in receipts}, {"deferred"})


@unittest.skipUnless(postfix.available(), "needs Postfix and root")
class PostfixTest(Meanwhile, unittest.TestCase):
    site = queues.PostfixSite
    sites = {}

    def test_a_reload_leaves_nobody_waiting(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        listener.settimeout(PATIENCE)
        # Its own look at the queue comes after minutes.
        self.site = type("Slow", (PostfixSite,), {"MORE": PostfixSite.MORE.replace("{defers}", "") + "queue_run_delay = 1000s\nsmtp_connect_timeout = 5s\n"})
        self.sites = {}
        site = self.make(listener.getsockname()[1])
        self.send(site, "bob@far.example")
        # Under delivery, to a peer who says nothing.
        peer, _ = listener.accept()
        wait_until(lambda: [m["queue_name"] for m in site.near.queue()] == ["active"], "the delivery")
        postfix.run(postfix.POSTFIX, "-c", str(site.near.folder), "reload")
        skips = "skipped, still being delivered"
        wait_until(lambda: skips in site.near.log() and [m["queue_name"] for m in site.near.queue()] == ["incoming"], "the new queue manager")
        child = subprocess.Popen(self.root.command("--queue", site.queue, "--json", "flush", "--wait"), env=site.environment, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        self.addCleanup(child.kill)
        wait_until(lambda: site.near.log().count(skips) > 1, "the queue manager to skip it again")
        begin = Stopwatch()
        # That is the verdict.
        listener.close()
        peer.close()
        out, err = child.communicate(timeout=PATIENCE)
        self.assertLess(begin.ours(), 8)
        self.assertEqual([json.loads(line)["result"] for line in out.splitlines()], ["deferred"], err)
        self.assertIn(child.returncode, (69, 75))

    def requeued(self, more=""):
        """A message that gets another id while it is flushed."""
        listener = silent_listener(self)
        self.site = type("Silent", (PostfixSite,), {"MORE": PostfixSite.MORE + more})
        self.sites = {}
        site = self.make(listener.port)
        self.send(site, "bob@far.example")
        site.rest(1)
        [id] = site.ids()
        child = self.begin_flush(site)
        peer, _ = listener.socket.accept()
        self.addCleanup(peer.close)
        self.mtaq(site, "requeue", id)
        # Under its new id it would rest until somebody asks, and is asked for.
        second, _ = listener.socket.accept()
        listener.socket.close()
        second.close()
        [receipt] = self.end_flush(child, 69, 75)
        self.assertNotIn("transport", receipt["recipients"][0]["reason"])
        self.assertEqual((receipt["id"], receipt["result"]), (id, "deferred"))
        self.assertNotIn(id, site.ids())
        self.assertEqual(len(site.ids()), 1)

    def test_a_requeued_message_is_followed(self):
        self.requeued()

    def test_a_requeued_message_is_found_where_no_log_says_so(self):
        self.requeued("maillog_file =\n")

    def test_what_somebody_requeues_is_not_waited_for_a_minute(self):
        listener = silent_listener(self)
        site = self.make(listener.port)
        self.send(site, "bob@far.example")
        site.rest(1)
        child = self.begin_flush(site)
        peer, _ = listener.socket.accept()
        self.addCleanup(peer.close)
        begin = Stopwatch()
        # It lies in maildrop, where nobody looks before a minute is over.
        postfix.run("/usr/sbin/postsuper", "-c", str(site.near.folder), "-r", site.ids()[0])
        second, _ = listener.socket.accept()
        listener.socket.close()
        second.close()
        self.end_flush(child, 69, 75)
        self.assertLess(begin.ours(), 30)

    def test_a_postfix_that_is_stopped_meanwhile(self):
        listener = silent_listener(self)
        self.sites = {}
        site = self.make(listener.port)
        self.send(site, "bob@far.example")
        site.rest(1)
        child = self.begin_flush(site)
        peer, _ = listener.socket.accept()
        self.addCleanup(peer.close)
        begin = Stopwatch()
        subprocess.run([postfix.POSTFIX, "-c", str(site.near.folder), "stop"], capture_output=True, timeout=PATIENCE)
        [receipt] = self.end_flush(child, 69)
        self.assertLess(begin.ours(), 30)
        self.assertEqual((receipt["result"], receipt["cause"]), ("deferred", "next-hop-unreachable"))
        self.assertIn("does not run", receipt["recipients"][0]["reason"])


@unittest.skipUnless(exim.available(), "needs Exim's packages (scripts/setup --test) and root")
def silent_listener(test):
    """A next hop that takes connections and says nothing, for this test."""
    listener = Listener()
    test.addCleanup(listener.socket.close)
    listener.socket.settimeout(PATIENCE)
    return listener


class EximTest(Meanwhile, unittest.TestCase):
    site = queues.EximSite
    sites = {}


if __name__ == "__main__":
    unittest.main()
