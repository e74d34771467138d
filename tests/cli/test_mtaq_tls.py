# SPDX-License-Identifier: MIT
"""mtaq flush over TLS and with AUTH: good and bad certificates, tickets from one run to the next, attacks, refusals, and no secret anywhere."""

import json
import os
import ssl
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.mail import LINK, Root, lan  # noqa: E402
from support.secure_peer import NAME, Certificates, OldPeer, SecurePeer, closed_port  # noqa: E402
from support.stopwatch import Stopwatch  # noqa: E402

PASSWORD = "sesame-Open-7"


def message(n, body="line\n"):
    return f"From: a@b.example\nDate: x\nMessage-ID: <{n}@test>\nSubject: {n}\n\n{body}".encode()


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = Certificates()
        cls.addClassCleanup(cls.made.close)

    def setUp(self):
        self.root = Root(LINK)
        self.addCleanup(self.root.close)

    def peer(self, certificate="good", kind=SecurePeer, **behaviour):
        if kind is SecurePeer:
            behaviour.setdefault("tls", self.made.server(certificate) if certificate else None)
        peer = kind(**behaviour)
        self.addCleanup(peer.close)
        return peer

    def configure(self, peer, mode, more="", name=NAME, ca=True):
        (self.root.folder / "hub.secret").write_text(PASSWORD + "\n")
        (self.root.folder / "hub.secret").chmod(0o600)
        names = f'peer-name = "{name}"\n' if name else ""
        self.root.configure(LINK + lan(peer.port, more=f'tls = "{mode}"\n{names}' + (f'tls-ca-file = "{self.made.ca}"\n' if ca else "") + more))

    def add(self, *numbers):
        return [self.root.add(message(n), "bob@lan.example") for n in numbers]

    def tickets(self):
        return [p for p in (self.root.folder / "tls-tickets").glob("*") if p.is_file()]

    def nothing_moved(self, peer, words, status=75):
        """Returns the receipt of the one message, which waits, unharmed."""
        (receipt,) = self.root.flush("--wait", status=status).values()
        (entry,) = self.root.list()
        self.assertEqual((peer.messages, entry["attempts"], entry["state"]), ([], 0, "ready"))
        for word in words:
            self.assertIn(word, entry["reason"])
        self.assertFalse([c for c in peer.commands if c.startswith("MAIL")])
        return receipt, entry


class Tls(Case):
    # The peer's certificate is for NAME, which is not what Python's peer calls itself in its greeting unless told so.
    def secure(self, certificate="good", **behaviour):
        behaviour.setdefault("greeting", f"220 {NAME} ESMTP\r\n".encode())
        return self.peer(certificate, name=NAME, **behaviour)

    def test_opportunistic_takes_any_certificate_and_says_what_is_wrong_with_it(self):
        for certificate, doubt in (("good", None), ("self", "is self-signed"), ("expired", "expired on 2021-01-01")):
            with self.subTest(certificate=certificate):
                peer = self.secure(certificate)
                self.configure(peer, "opportunistic")
                self.add(1, 2)
                self.root.flush("--wait")
                self.assertEqual(len(peer.messages), 2)
                self.assertEqual([v for v, _ in peer.handshakes], ["TLSv1.3"])
                event = self.root.events("queue.flushed")[-1]
                self.assertEqual((event["tls"], event["tls_resumed"]), ("TLSv1.3", False))
                if doubt:
                    self.assertIn(doubt, event["tls_doubt"])
                else:
                    self.assertNotIn("tls_doubt", event)

    def test_required_and_implicit_with_a_good_certificate_and_the_second_call_resumes(self):
        for newest in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
            for mode in ("required", "implicit"):
                with self.subTest(mode=mode, newest=newest):
                    peer = self.secure(tls=self.made.server("good", newest=newest), implicit=mode == "implicit")
                    self.configure(peer, mode)
                    for round in range(3):
                        self.add(round)
                        self.root.flush("--wait")
                        self.assertEqual(self.root.events("queue.flushed")[-1]["tls_resumed"], round > 0)
                    self.assertEqual([resumed for _, resumed in peer.handshakes], [False, True, True])
                    self.assertEqual(len(peer.messages), 3)
                    self.assertEqual([e for e in self.root.events() if e["event"] == "mail.tls-failed"], [])
                    for ticket in self.tickets():
                        self.assertEqual(ticket.stat().st_mode & 0o777, 0o600)
                    self.assertEqual((self.root.folder / "tls-tickets").stat().st_mode & 0o777, 0o700)
                    wire = [e["bytes_in"] for e in self.root.events("queue.flushed")][-3:]
                    self.assertLess(wire[1] + 400, wire[0], "a resumed handshake brings no certificate")

    def test_a_ticket_that_is_damaged_or_open_to_others_costs_a_full_handshake_and_nothing_else(self):
        peer = self.secure()
        self.configure(peer, "required")
        self.add(0)
        self.root.flush()
        (ticket,) = self.tickets()
        kept = ticket.read_bytes()
        for content, mode in ((kept[:-40] + b"\xff" * 40, 0o600), (b"", 0o600), (kept.split(b"\n")[0] + b"\n", 0o600), (kept[1:], 0o600), (kept, 0o644),
                              (b"x" * 100_000, 0o600)):
            with self.subTest(size=len(content), mode=mode):
                ticket.write_bytes(content)
                ticket.chmod(mode)
                self.add(1)
                self.root.flush("--wait")
                self.assertFalse(peer.handshakes[-1][1])
        self.add(2)
        self.root.flush("--wait")
        self.assertTrue(peer.handshakes[-1][1])

    def test_the_folder_of_tickets_stays_small(self):
        peer = self.secure()
        self.configure(peer, "required")
        folder = self.root.folder / "tls-tickets"
        folder.mkdir(mode=0o700)
        for n in range(100):
            (folder / f"old-{n:016x}").write_bytes(b"x")
            os.utime(folder / f"old-{n:016x}", (time.time() - (8 * 86400 if n < 10 else n),) * 2)
        self.add(0)
        self.root.flush("--wait")
        names = {p.name for p in folder.iterdir()}
        self.assertLessEqual(len(names), 64)
        self.assertFalse([n for n in range(10) if f"old-{n:016x}" in names], "older than a ticket may be")
        self.assertTrue([name for name in names if name.startswith("lan-")])

    def test_a_session_that_was_begun_unchecked_is_not_resumed_where_checks_are_due(self):
        peer = self.secure("self")
        self.configure(peer, "opportunistic")
        self.add(1)
        self.root.flush("--wait")
        self.assertEqual(len(self.tickets()), 1)
        self.configure(peer, "required")
        self.add(2)
        peer.messages.clear()
        peer.commands.clear()
        self.nothing_moved(peer, ["TLS", "self-signed"])

    def test_each_bad_certificate_has_its_own_words_and_the_mail_stays(self):
        for mode in ("required", "implicit"):
            for certificate, words in (("expired", ["expired on 2021-01-01"]), ("early", ["not valid before 2099-01-01", "clock"]),
                                       ("other", ["'mail.other.example'", f"not for {NAME}"]), ("self", ["self-signed"]),
                                       ("untrusted", ["signed by 'Longline test stranger'", "not trusted"])):
                with self.subTest(mode=mode, certificate=certificate):
                    peer = self.secure(certificate, implicit=mode == "implicit")
                    self.configure(peer, mode)
                    (id,) = self.add(1)
                    receipt, entry = self.nothing_moved(peer, ["TLS: ", *words])
                    self.assertEqual((receipt["cause"], entry["reason_class"]), ("auth-refused", "tls"))
                    (event,) = [e for e in self.root.events("queue.flushed") if e["connector"] == "lan"][-1:]
                    self.assertEqual(event["stage"], "auth")
                    self.root.run("remove", id)

    def test_verification_can_be_turned_off(self):
        peer = self.secure("self")
        self.configure(peer, "required", "tls-verify = false\n")
        self.add(1)
        self.root.flush("--wait")
        self.assertEqual(len(peer.messages), 1)

    def test_the_systems_authorities_do_not_know_ours(self):
        peer = self.secure()
        self.configure(peer, "required", ca=False)
        self.add(1)
        self.nothing_moved(peer, ["TLS", "not trusted"])

    def test_the_host_is_the_name_where_no_other_is_given(self):
        peer = self.secure()
        self.configure(peer, "required", name=None)
        self.add(1)
        self.nothing_moved(peer, ["TLS", "not for 127.0.0.1"])

    def test_required_and_not_offered(self):
        peer = self.peer(None, greeting=f"220 {NAME}\r\n".encode(), name=NAME)
        self.configure(peer, "required")
        self.add(1)
        receipt, entry = self.nothing_moved(peer, ["offers no TLS"])
        self.assertEqual((receipt["cause"], entry["reason_class"]), ("protocol", "tls"))

    def test_required_and_the_handshake_fails(self):
        peer = self.secure(instead_of_handshake=b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.configure(peer, "required")
        self.add(1)
        self.nothing_moved(peer, ["TLS: the handshake failed"])
        self.assertEqual(peer.connections, 1)

    def test_opportunistic_falls_back_to_clear_text_over_a_new_connection(self):
        for rubbish in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b""):
            with self.subTest(rubbish=rubbish):
                peer = self.secure(instead_of_handshake=rubbish)
                self.configure(peer, "opportunistic")
                self.add(1, 2)
                self.root.flush("--wait")
                self.assertEqual((len(peer.messages), peer.connections), (2, 2))
                event = self.root.events("mail.tls-failed")[-1]
                self.assertEqual(event["connector"], "lan")
                self.assertIn("clear text", event["text"])
                self.assertNotIn("tls", self.root.events("queue.flushed")[-1])
                # Remembered: the next call does not pay for it again.
                self.add(3)
                self.root.flush("--wait")
                self.assertEqual((len(peer.messages), peer.connections), (3, 3))

    def test_what_stands_behind_the_220_is_an_injection(self):
        for mode in ("opportunistic", "required"):
            with self.subTest(mode=mode):
                peer = self.secure(behind_starttls=b"250-injected\r\n250 PIPELINING\r\n")
                self.configure(peer, mode)
                (id,) = self.add(1)
                self.nothing_moved(peer, ["behind its reply to STARTTLS"])
                self.assertEqual(peer.connections, 1)
                self.root.run("remove", id)

    def test_a_handshake_that_hangs_ends_with_the_given_time(self):
        peer = self.secure(before_reply=lambda line: time.sleep(3) if line == "STARTTLS" else None)
        self.configure(peer, "required")
        self.add(1)
        started = Stopwatch()
        self.root.run("flush", "--deadline", "1s", status=124)
        self.assertLess(started.ours(), 10)

    def test_a_certificate_of_ours(self):
        context = self.made.server("good")
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(self.made.ca)
        peer = self.secure(tls=context)
        self.configure(peer, "required", f'tls-certificate = "{self.made.certificate("client")}"\ntls-key = "{self.made.key("client")}"\n')
        self.add(1)
        self.root.flush("--wait")
        self.assertEqual(peer.client_names, ["site7.example"])
        self.made.key("client").chmod(0o644)
        self.addCleanup(self.made.key("client").chmod, 0o600)
        self.add(2)
        self.assertIn(b"can be read by others", self.root.run("flush", status=75).stderr)

    def test_names_of_files_that_are_none(self):
        peer = self.secure()
        self.configure(peer, "required", ca=False, more='tls-ca-file = "/nonexistent.pem"\n')
        self.add(1)
        self.nothing_moved(peer, ["tls-ca-file /nonexistent.pem cannot be used"])

    def test_cuts_in_the_middle_of_tls_lose_nothing(self):
        body = "0123456789" * 6 + "\n"
        for after in (20, 60, 500, 2000, 5000, 9000):
            for direction in ("drop_in", "drop_out"):
                with self.subTest(after=after, direction=direction):
                    peer = self.secure(**{direction: after if direction == "drop_in" else after // 10})
                    self.configure(peer, "required")
                    ids = [self.root.add(message(n, body * 50), "bob@lan.example") for n in range(3)]
                    self.root.run("flush", "--wait", status=None)
                    self.root.run("flush", "--wait", status=None)
                    self.assertEqual(self.root.list(), [], ids)
                    self.assertEqual({m[2].split(b"Subject: ")[1][:1] for m in peer.messages}, {b"0", b"1", b"2"})


class Login(Case):
    def test_mechanisms(self):
        for mechanisms, used in ((("LOGIN", "PLAIN"), "PLAIN"), (("LOGIN",), "LOGIN"), (("PLAIN", "CRAM-MD5", "LOGIN"), "CRAM-MD5")):
            with self.subTest(mechanisms=mechanisms):
                peer = self.peer(users={"site7": PASSWORD}, mechanisms=mechanisms, name=NAME, greeting=f"220 {NAME}\r\n".encode())
                self.configure(peer, "required", 'user = "site7"\npassword-file = "hub.secret"\n')
                self.add(1, 2)
                self.root.flush("--wait")
                self.assertEqual((peer.logins, len(peer.messages)), ([(used, "site7")], 2))

    def test_clear_text_only_where_it_is_allowed(self):
        peer = self.peer(None, users={"site7": PASSWORD}, mechanisms=("PLAIN", "LOGIN"), clear_auth=True)
        login = 'user = "site7"\npassword-file = "hub.secret"\n'
        self.configure(peer, "none", login, name=None)
        self.add(1)
        receipt, entry = self.nothing_moved(peer, ["clear text", "site7"])
        self.assertEqual((receipt["cause"], entry["reason_class"]), ("auth-refused", "auth"))
        self.assertFalse([c for c in peer.commands if c.startswith("AUTH")])
        self.configure(peer, "none", login + "allow-plain-auth = true\n", name=None)
        self.root.flush("--wait")
        self.assertEqual(peer.logins, [("PLAIN", "site7")])

    def test_cram_md5_needs_no_tls(self):
        peer = self.peer(None, users={"site7": PASSWORD}, mechanisms=("PLAIN", "CRAM-MD5"), clear_auth=True)
        self.configure(peer, "none", 'user = "site7"\npassword-file = "hub.secret"\n', name=None)
        self.add(1)
        self.root.flush("--wait")
        self.assertEqual(peer.logins, [("CRAM-MD5", "site7")])

    def test_on_the_line_of_a_link_nobody_listens(self):
        peer = self.peer(None, users={"site7": PASSWORD}, clear_auth=True, path=self.root.line)
        (self.root.folder / "hub.secret").write_text(PASSWORD)
        (self.root.folder / "hub.secret").chmod(0o600)
        self.root.configure(LINK + 'user = "site7"\npassword-file = "hub.secret"\n')
        self.root.add()
        self.root.flush("--link", "isp", "--wait")
        self.assertEqual((peer.logins, len(peer.messages)), ([("PLAIN", "site7")], 1))

    def test_a_refusal_names_user_and_peer_and_no_secret_is_shown_anywhere(self):
        for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
            with self.subTest(mechanism=mechanism):
                peer = self.peer(users={"site7": "another"}, mechanisms=(mechanism,), name=NAME, greeting=f"220 {NAME}\r\n".encode())
                self.configure(peer, "required", 'user = "site7"\npassword-file = "hub.secret"\n')
                (id,) = self.add(1)
                done = self.root.run("--verbose", "flush", "--wait", status=75)
                (entry,) = self.root.list()
                self.assertEqual((entry["state"], entry["attempts"], entry["reason_class"]), ("ready", 0, "auth"))
                self.assertIn(f"{NAME} refuses user 'site7': 535 5.7.8 not you", entry["reason"])
                (event,) = self.root.events("queue.flushed")[-1:]
                self.assertEqual(event["stage"], "auth")
                self.assertIn("AUTH " + mechanism if mechanism != "PLAIN" else "us: ********", done.stderr.decode())
                seen = done.stdout + done.stderr + json.dumps([entry, self.root.events()]).encode()
                seen += b"".join(p.read_bytes() for p in self.root.folder.glob("spool.db*"))
                for secret in (PASSWORD.encode(), b"c2VzYW1lLU9wZW4tNw", b"AHNpdGU3AHNlc2FtZS1PcGVuLTc"):
                    self.assertNotIn(secret, seen)
                self.root.run("remove", id)

    def test_a_password_that_cannot_be_had(self):
        peer = self.peer(users={"site7": PASSWORD})
        self.configure(peer, "none", 'user = "site7"\npassword-command = ["false"]\n', name=None)
        self.add(1)
        self.nothing_moved(peer, ["password-command"])
        self.assertEqual(peer.connections, 0)


class WhatPeersCannotTake(Case):
    def plain(self, peer, more=""):
        self.root.configure(LINK + lan(peer.port, more=more))

    def test_a_peer_that_hangs_up_on_a_group_gets_one_command_at_a_time_in_the_same_flush_and_later(self):
        for chunking in (False, True):
            with self.subTest(chunking=chunking):
                peer = self.peer(kind=OldPeer, chunking=chunking)
                self.plain(peer)
                self.add(1, 2, 3)
                self.root.flush("--wait")
                self.assertEqual((len(peer.messages), peer.connections), (3, 2))
                self.assertEqual(self.root.events("queue.flushed")[-1]["connections"], 2)
                self.assertEqual(self.root.list(), [])
                self.add(4)
                self.root.flush("--wait")
                self.assertEqual((len(peer.messages), peer.connections), (4, 3))
                self.assertEqual(len({body for _, _, body in peer.messages}), 4)

    def test_a_peer_that_announces_chunking_and_does_not_know_bdat(self):
        peer = self.peer(None, replies={"BDAT": "502 5.5.1 what is BDAT"})
        self.plain(peer)
        self.add(1, 2, 3)
        self.root.flush("--wait")
        self.assertEqual((len(peer.messages), peer.connections), (3, 2))
        self.add(4)
        self.root.flush("--wait")
        self.assertEqual((len(peer.messages), peer.connections), (4, 3))

    def test_a_peer_that_is_gone_after_the_first_group_is_not_blamed(self):
        peer = self.peer(None, drop_in=60)
        self.plain(peer)
        self.add(1)
        peer.listener.settimeout(0.5)
        self.root.run("flush", "--wait", status=None)
        self.root.run("flush", "--wait", status=None)
        self.assertEqual(self.root.list(), [])

    def test_a_size_limit_is_remembered_and_spares_the_call(self):
        peer = self.peer(None, extensions=["SIZE 2000"])
        self.plain(peer)
        self.add(1)
        self.root.flush()
        self.root.add(message(2, "x" * 60 * 100 + "\n"), "bob@lan.example")
        (receipt,) = self.root.flush(status=65).values()
        self.assertEqual(receipt["result"], "refused")
        self.assertIn("the peer takes 2.0 kB", receipt["recipients"][0]["reason"])
        self.assertEqual((len(peer.messages), peer.connections), (1, 1))
        # Another host behind the same connector has its own limit.
        other = self.peer(None)
        self.plain(other)
        self.root.add(message(3, "x" * 60 * 100 + "\n"), "bob@lan.example")
        self.root.flush("--connector", "lan")
        self.assertEqual(len(other.messages), 1)

    def test_nobody_there(self):
        self.root.configure(LINK + lan(closed_port(), more='tls = "required"\n'))
        self.add(1)
        self.root.flush("--wait", status=69)


if __name__ == "__main__":
    unittest.main()
