#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real Postfix as the provider: ETRN for a domain that it keeps mail for, and the notices that its users ask for. Needs root."""
import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import postfix  # noqa: E402
from postfix import Postfix, free_port, wait_until  # noqa: E402
from support.mail import PATIENCE, Root  # noqa: E402

MESSAGE = b"From: alice@far.example\nTo: bob@site7.example\nMessage-ID: <%d@far.example>\nSubject: %d\n\ntext\n"


@unittest.skipUnless(postfix.available(), "needs root and Postfix")
class Etrn(unittest.TestCase):
    def setUp(self):
        self.ours = free_port()
        self.provider = Postfix(more=f"""
fast_flush_domains = site7.example
relay_domains = site7.example
transport_maps = inline:{{site7.example=smtp:[127.0.0.1]:{self.ours}}}
minimal_backoff_time = 4000s
maximal_backoff_time = 4000s
queue_run_delay = 4000s
""")
        self.addCleanup(self.provider.stop)
        self.root = Root(f"""
local-domains = ["site7.example"]
[connector.provider]
domains = ["*"]
host = "127.0.0.1"
port = {self.provider.port}
retrieve = {{ by = "etrn", domains = ["site7.example"] }}
""")
        self.addCleanup(self.root.close)

    def receiver(self):
        process = self.root.start("receive", "--listen", f"127.0.0.1:{self.ours}")
        process.stderr.readline()

        def stop():
            process.terminate()
            process.communicate(timeout=PATIENCE)

        self.addCleanup(stop)

    def test_mail_that_waited_comes(self):
        for n in range(3):
            self.provider.send(MESSAGE % (n, n), "bob@site7.example")
        wait_until(lambda: [m["queue_name"] for m in self.provider.queue()] == ["deferred"] * 3, "three deferred messages")
        # The provider's flush service notes them when they are deferred.
        self.receiver()
        done = self.root.run("retrieve", "--json")
        (result,) = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual((result["result"], result["answers"][0]["code"]), ("asked", 250))
        wait_until(lambda: len(self.root.list("--inbox")) == 3, "the mail")
        self.assertEqual(sorted(m["subject"] for m in self.root.list("--inbox")), ["0", "1", "2"])
        wait_until(lambda: self.provider.queue() == [], "an empty queue")

    def test_a_domain_that_it_does_not_serve(self):
        self.root.configure((self.root.folder / "longline.toml").read_text().replace('domains = ["site7.example"] }', 'domains = ["other.example"] }'))
        (result,) = [json.loads(line) for line in self.root.run("retrieve", "--json", status=77).stdout.splitlines()]
        self.assertEqual((result["result"], result["answers"][0]["code"]), ("failed", 459))

    def test_success_is_reported_to_a_user_of_the_peer(self):
        self.receiver()
        done = subprocess.run(["/usr/sbin/sendmail", "-C", str(self.provider.folder), "-i", "-f", "bob@far.example", "-N", "success", "-V", "env1",
                               "carol@site7.example"], input=MESSAGE % (7, 7), capture_output=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        wait_until(lambda: self.root.list("--inbox"), "the mail")
        (notice,) = wait_until(lambda: [m for m in self.root.list() if m["sender"] == ""], "the notice")
        text = self.root.run("show", "--raw", notice["id"]).stdout.decode()
        self.assertIn("Original-Envelope-Id: env1\r\n", text)
        self.assertIn("Action: delivered\r\n", text)
        # And it goes where it belongs.
        self.root.run("flush", "--wait", "--quiet")
        wait_until(lambda: any(b"Action: delivered" in m for m in self.provider.box("bob")), "the notice in bob's box")


if __name__ == "__main__":
    os.environ.pop("LONGLINE_ROOT", None)
    unittest.main()
