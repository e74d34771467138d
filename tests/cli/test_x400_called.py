# SPDX-License-Identifier: MIT
"""Hostile X.400 peers that a flush calls, over TCP: it ends, and the message stays for a better one."""

import json
import socket
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import side_by_side  # noqa: E402
from support.mail import PATIENCE  # noqa: E402
from support.x400 import Sites  # noqa: E402
from support.x400_capture import parameter, tpkt  # noqa: E402
from support.x400_peer import AB, CC, MIA, Server, accept_bind, sync, take_all  # noqa: E402

USER_ABORT = parameter(AB, parameter(17, b"\x03"))


class Called(unittest.TestCase):
    def setUp(self):
        sizes = "checkpoint-size = 1\nwindow = 3"
        self.sites = Sites(caller=sizes, called=sizes)
        self.addCleanup(self.sites.close)
        self.id = self.sites.a.root.add(b"Subject: kept\n\n" + b"line\n" * 2000, "bob@b.example", sender="alice@a.example")

    def flush(self, conduct):
        """The receipt of the one message, and the server."""
        server = Server(conduct)
        self.addCleanup(server.close)
        root = self.sites.a.root
        root.configure(self.sites.caller_config(server.port))
        with root.start("flush", "--json", "--wait") as flush:
            try:
                out, error = flush.communicate(timeout=PATIENCE)
            finally:
                flush.kill()
        self.assertEqual(flush.returncode, 75, error)
        (receipt,) = [json.loads(line) for line in out.splitlines()]
        return receipt, server

    def still_there(self):
        """The message, for a peer that takes it: once."""
        self.sites.listen()
        root = self.sites.a.root
        root.configure(self.sites.caller_config(self.sites.b_port))
        self.assertEqual({r["result"] for r in root.flush("--wait", "--connector", "b").values()}, {"sent"})
        self.assertEqual([e["subject"] for e in self.sites.b.root.list("--inbox")], ["kept"])

    def test_who_forgets_each_time_is_not_called_for_ever(self):
        calls = []

        def acknowledge_one(wire, _, serial):
            wire.say(sync(MIA, serial, mine=False))
            wire.connection.shutdown(socket.SHUT_RDWR)
            return False

        def conduct(wire):
            calls.append(wire)
            if len(calls) % 2 == 1:
                accept_bind(wire)
                take_all(wire, acknowledge_one)
                return
            wire.packet()
            wire.raw(tpkt(CC))
            wire.hear()
            wire.say(USER_ABORT)
            wire.until_end()

        receipt, server = self.flush(conduct)
        self.assertEqual(receipt["result"], "not-tried")
        # A checkpoint, a refusal, all of it anew, a checkpoint, a refusal: enough.
        self.assertEqual(server.connections, 4)
        self.still_there()


if __name__ == "__main__":
    side_by_side.main()
