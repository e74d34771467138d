# SPDX-License-Identifier: MIT
"""A root with a link that is down, peers and a name server: what tests of connectors begin with."""
import socket
import sqlite3
import unittest

from support.dns import NameServer
from support.mail import LINK, Peer, Root

ISP = '[link.isp]\nport = "tcp:127.0.0.1:9"\nnetwork = "stream"\nnumbers = ["1"]\n'


def message(n, size=0):
    return f"From: a@b.example\nMessage-ID: <{n}@test>\nSubject: {n}\n\n{'x' * 70}\n".encode() + (b"z" * 78 + b"\n") * (size // 80)


def subjects(peer):
    return [body.split(b"Subject: ")[1].split(b"\r\n")[0].decode() for _, _, body in peer.messages]


def closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class ConnectorCase(unittest.TestCase):
    def setUp(self):
        self.root = Root(LINK)
        self.addCleanup(self.root.close)

    def peer(self, **behaviour):
        peer = Peer(**behaviour)
        self.addCleanup(peer.close)
        return peer

    def name_server(self, zone, **behaviour):
        server = NameServer(zone, **behaviour)
        self.addCleanup(server.close)
        return server

    def due(self, *arguments, status=0):
        return self.root.run("due", *arguments, status=status).stdout.decode().split()

    def state(self, name):
        db = sqlite3.connect(self.root.spool)
        row = db.execute("SELECT open_failures, transfer_failures, next_open, reason FROM connectors WHERE name=?", (name,)).fetchone()
        db.close()
        return row
