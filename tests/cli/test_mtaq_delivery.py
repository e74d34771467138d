# SPDX-License-Identifier: MIT
"""What mtaq receive does with mail: LMTP, a program, passing on, notices, and messages that come twice."""

import json
import os
import socket
import stat
import subprocess
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.mail import PATIENCE, Peer, Root, lan  # noqa: E402


def session(*lines):
    return b"".join(line if isinstance(line, bytes) else line.encode() + b"\r\n" for line in lines)


def mail(body=b"Subject: s\r\nMessage-ID: <1@x>\r\n\r\ntext\r\n", recipients=("bob@example.com",), sender="a@b.example", wishes="", envelope=""):
    return session(f"MAIL FROM:<{sender}>{envelope}", *[f"RCPT TO:<{r}>{wishes}" for r in recipients], f"BDAT {len(body)} LAST", body)


class LmtpStore:
    """An LMTP server: `verdicts` by recipient (RCPT and after the message), bodies that it took."""

    def __init__(self, path=None, at_rcpt=None, at_end=None, cut_after=None):
        self.at_rcpt, self.at_end, self.cut_after = at_rcpt or {}, at_end or {}, cut_after
        self.stored, self.commands, self.bodies = [], [], []
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(path))
            self.address = str(path)
        else:
            self.listener = socket.socket()
            self.listener.bind(("127.0.0.1", 0))
            self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.listener.listen()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def close(self):
        # A thread that is about to accept would take the next listener with this descriptor's number for its own, and its mail.
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join(1)
        self.listener.close()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE)
            try:
                with connection, connection.makefile("rwb") as line:
                    self.talk(line)
            except OSError:
                pass   # who has his answer need not wait for the end

    def talk(self, line):
        def say(text):
            line.write(text.encode() + b"\r\n")
            line.flush()

        say("220 store LMTP")
        recipients = []
        while command := line.readline().decode().strip():
            self.commands.append(command)
            if command.startswith("LHLO"):
                say("250-store\r\n250 8BITMIME")
            elif command.startswith("RCPT"):
                address = command[9:-1]
                verdict = self.at_rcpt.get(address, "250 ok")
                if verdict.startswith("250"):
                    recipients.append(address)
                say(verdict)
            elif command == "DATA":
                say("354 go")
                body = b""
                while (one := line.readline()) != b".\r\n":
                    if not one:
                        return
                    body += one[1:] if one.startswith(b".") else one
                self.bodies.append(body)
                for n, address in enumerate(recipients):
                    if n == self.cut_after:
                        return
                    verdict = self.at_end.get(address, "250 2.0.0 stored")
                    if verdict.startswith("250"):
                        self.stored.append(address)
                    say(verdict)
            elif command == "QUIT":
                say("221 bye")
                return
            else:
                say("250 ok")


class Case(unittest.TestCase):
    config = 'local-domains = ["example.com"]\n'

    def setUp(self):
        self.root = Root(self.config)
        self.addCleanup(self.root.close)
        self.maildir = self.root.folder / "Maildir"

    def receive(self, *script, arguments=(), **options):
        done = self.root.run("receive", "--stdio", *arguments, stdin=session("EHLO x", *script, "QUIT"), **options)
        return done.stdout

    def delivered(self):
        return [path.read_bytes() for path in sorted(self.maildir.joinpath("new").glob("*"))]

    def notices(self, *arguments):
        return [self.root.run("show", "--raw", m["id"]).stdout.decode() for m in self.root.list(*arguments) if m["sender"] == ""]


class Lmtp(Case):
    def store(self, **options):
        store = LmtpStore(**options)
        self.addCleanup(store.close)
        return store

    def test_over_a_socket_and_over_tcp(self):
        body = b"Subject: s\r\n\r\n.dot\r\n..\r\nend\r\n"
        for path in (self.root.folder / "lmtp", None):
            store = self.store(path=path)
            self.assertIn(b"250 2.0.0 Ok\r\n221", self.receive(mail(body), arguments=("--lmtp", store.address)))
            self.assertEqual(store.stored, ["bob@example.com"])
            self.assertTrue(store.bodies[0].endswith(body))
            self.assertTrue(store.commands[0].startswith("LHLO "))
        self.assertEqual(self.root.list("--inbox"), [])

    def test_from_the_configuration(self):
        store = self.store(path=self.root.folder / "lmtp")
        self.root.configure(self.config + f'[receive]\nlmtp = "{store.address}"\n')
        self.receive(mail())
        self.assertEqual(store.stored, ["bob@example.com"])

    def test_one_refused_for_good_is_reported_and_the_others_have_it(self):
        store = self.store(at_end={"eve@example.com": "552 5.2.2 over quota"}, at_rcpt={"no@example.com": "550 5.1.1 nobody"})
        out = self.receive(mail(recipients=("bob@example.com", "eve@example.com", "no@example.com")), arguments=("--lmtp", store.address))
        self.assertIn(b"250 2.0.0 Ok", out)
        self.assertEqual(store.stored, ["bob@example.com"])
        (notice,) = self.notices()
        self.assertIn("To: <a@b.example>", notice)
        self.assertIn("Final-Recipient: rfc822; eve@example.com\r\nAction: failed\r\nStatus: 5.2.2", notice)
        self.assertIn("Final-Recipient: rfc822; no@example.com\r\nAction: failed\r\nStatus: 5.1.1", notice)

    def test_all_refused_is_said_to_the_peer(self):
        store = self.store(at_rcpt={"bob@example.com": "550 5.1.1 nobody"})
        self.assertIn(b"554 5.6.0 nobody", self.receive(mail(), arguments=("--lmtp", store.address)))
        self.assertEqual(self.notices(), [])

    def test_one_that_must_wait_makes_the_peer_send_again_and_nobody_gets_it_twice(self):
        for body in (b"Subject: s\r\nMessage-ID: <1@x>\r\n\r\na\r\n", b"Subject: no id\r\n\r\nb\r\n"):
            store = self.store(at_end={"eve@example.com": "452 4.2.2 later"})
            script = mail(body, recipients=("bob@example.com", "eve@example.com"))
            self.assertIn(b"\r\n451 ", self.receive(script, arguments=("--lmtp", store.address)))
            store.at_end = {}
            self.assertIn(b"250 2.0.0 Ok", self.receive(script, arguments=("--lmtp", store.address)))
            self.assertEqual(store.stored, ["bob@example.com", "eve@example.com"])

    def test_a_store_that_is_not_there_or_hangs_up(self):
        self.assertIn(b"\r\n451 ", self.receive(mail(), arguments=("--lmtp", self.root.folder / "none")))
        store = self.store(cut_after=1)
        script = mail(recipients=("bob@example.com", "eve@example.com"))
        self.assertIn(b"\r\n451 ", self.receive(script, arguments=("--lmtp", store.address)))
        store.cut_after = None
        self.receive(script, arguments=("--lmtp", store.address))
        self.assertEqual(store.stored, ["bob@example.com", "eve@example.com"])


class Command(Case):
    def program(self, text):
        path = self.root.folder / "deliver"
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def test_recipients_are_arguments_and_no_shell_sees_them(self):
        self.program(f'printf "%s\\n" "$@" > {self.root.folder}/args; echo "$SENDER" >> {self.root.folder}/args; cat > {self.root.folder}/mail')
        recipients = ("bob@example.com", '"a; touch /tmp/x $(id)"@example.com')
        self.receive(mail(recipients=recipients), arguments=("--command", f"{self.root.folder}/deliver -f {{sender}}"))
        self.assertEqual((self.root.folder / "args").read_text().splitlines(), ["-f", "a@b.example", *recipients, "a@b.example"])
        delivered = (self.root.folder / "mail").read_bytes()
        self.assertTrue(delivered.startswith(b"Return-Path: <a@b.example>\nReceived: "), delivered)
        self.assertTrue(delivered.endswith(b"\nMessage-ID: <1@x>\n\ntext\n"))

    def test_what_its_status_means(self):
        for status, reply in ((0, b"250"), (75, b"451"), (67, b"554"), (77, b"554"), (1, b"451"), (127, b"451")):
            with self.subTest(status=status):
                self.program(f"cat > /dev/null; exit {status}")
                out = self.receive(mail(b"Subject: %d\r\n\r\nx\r\n" % status), arguments=("--command", f"{self.root.folder}/deliver"))
                self.assertEqual(out.splitlines()[-2][:3], reply, out)
        self.assertIn(b"\r\n451 ", self.receive(mail(), arguments=("--command", "/nonexistent/program")))

    def test_what_it_says_counts_and_not_what_it_has_read(self):
        """As with Postfix's pipe and Exim's: the message would come again and again otherwise."""
        for status, reply in ((0, b"250"), (75, b"451"), (67, b"554")):
            for size in (100, 500_000):
                with self.subTest(status=status, size=size):
                    self.program(f"head -c 10 > /dev/null; exit {status}")
                    out = self.receive(mail(b"Subject: %d\r\n\r\n" % status + b"x" * size + b"\r\n"), arguments=("--command", f"{self.root.folder}/deliver"))
                    self.assertEqual(out.splitlines()[-2][:3], reply, out)

    def test_an_address_cannot_be_an_option(self):
        self.program(f"touch {self.root.folder}/ran")
        self.assertIn(b"554 ", self.receive(mail(recipients=("-oQ/tmp@example.com",)), arguments=("--command", f"{self.root.folder}/deliver")))
        self.assertFalse((self.root.folder / "ran").exists())

    def test_it_writes_nothing_into_the_session(self):
        self.program("cat; echo 250 fake; echo noise >&2")
        out = self.receive(mail(), arguments=("--command", f"{self.root.folder}/deliver"))
        self.assertNotIn(b"fake", out)


class Duplicates(Case):
    def test_the_same_message_in_doubt_is_delivered_once(self):
        for arguments in (("--maildir", self.maildir), ()):
            for _ in range(3):
                self.assertIn(b"\r\n250 2.0.0 Ok", self.receive(mail(), arguments=arguments))
            count = len(self.delivered()) if arguments else len(self.root.list("--inbox"))
            self.assertEqual(count, 1 if arguments else 0)   # the second way knows what the first took
        self.assertEqual(len(self.root.events("mail.duplicate")), 5)
        self.assertEqual(self.root.events("mail.duplicate")[0]["message_id"], "<1@x>")

    def test_what_only_looks_the_same(self):
        different = [mail(), mail(b"Subject: s\r\nMessage-ID: <1@x>\r\n\r\nother\r\n"), mail(recipients=("eve@example.com",)), mail(sender="c@d.example"),
                     mail(b"Subject: no id\r\n\r\nx\r\n"), mail(b"Subject: no id\r\n\r\nx\r\n")]
        self.receive(*different)
        self.assertEqual(len(self.root.list("--inbox")), 6)
        self.assertEqual(self.root.events("mail.duplicate"), [])
        # One recipient more: only that one gets it.
        self.receive(mail(recipients=("bob@example.com", "new@example.com")))
        self.assertEqual([r["address"] for r in self.root.list("--inbox")[-1]["recipients"]], ["new@example.com"])

    def test_it_is_forgotten_after_a_week_and_the_list_is_bounded(self):
        self.receive(mail())
        subprocess.run(["sqlite3", self.root.spool, "UPDATE received SET at=at-8*86400000"], check=True)
        self.receive(mail())
        self.assertEqual(len(self.root.list("--inbox")), 2)
        subprocess.run(["sqlite3", self.root.spool, "UPDATE sqlite_sequence SET seq=seq+60000 WHERE name='received'"], check=True)
        self.receive(mail(b"Subject: s\r\nMessage-ID: <2@x>\r\n\r\ntext\r\n"))
        rows = subprocess.run(["sqlite3", self.root.spool, "SELECT count(*) FROM received"], capture_output=True, check=True).stdout
        self.assertEqual(rows, b"1\n")

    def test_a_sender_that_was_cut_at_every_byte_of_the_end_delivers_once(self):
        script = session("EHLO x", mail(), "QUIT")
        for k in range(len(script) - 12, len(script) + 1):
            self.root.run("receive", "--stdio", "--maildir", self.maildir, stdin=script[:k])
        self.assertEqual(len(self.delivered()), 1)

    def test_killed_at_each_system_call(self):
        script = session("EHLO x", mail(), "QUIT")
        for call in ("write", "fsync", "fdatasync", "pwrite64", "link", "linkat", "unlink", "openat"):
            for when in (1, 2, 3, 5, 9, 14):
                with self.subTest(call=call, when=when):
                    root = Root(self.config)
                    try:
                        command = root.command("receive", "--stdio", "--maildir", root.folder / "md")
                        done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={when}",
                                               *command], input=script, capture_output=True, timeout=PATIENCE)
                        acknowledged = b"250 2.0.0 Ok" in done.stdout
                        before = len(list(root.folder.glob("md/new/*")))
                        self.assertLessEqual(before, 1)
                        if acknowledged:
                            self.assertEqual(before, 1)
                        self.assertIn(b"250 2.0.0 Ok", root.run("receive", "--stdio", "--maildir", root.folder / "md", stdin=script).stdout)
                        after = len(list(root.folder.glob("md/new/*")))
                        self.assertIn(after, (1, 2))
                        if acknowledged:
                            self.assertEqual(after, 1)
                    finally:
                        root.close()


class Relay(Case):
    def test_named_domains_and_named_clients_only(self):
        with Peer() as peer:
            self.root.configure(self.config + 'relay-domains = ["*.branch.example"]\n' + lan(peer.port, domains=("*",)))
            out = self.receive(mail(recipients=("bob@example.com", "x@a.branch.example", "y@far.example")))
            self.assertIn(b"550 5.7.1 far.example", out)
            self.assertEqual([r["address"] for m in self.root.list() for r in m["recipients"]], ["x@a.branch.example"])
            self.assertEqual([r["address"] for m in self.root.list("--inbox") for r in m["recipients"]], ["bob@example.com"])
            receipts = self.root.flush("--wait")
            self.assertEqual([recipients for _, recipients, _ in peer.messages], [["x@a.branch.example"]],
                             (receipts, self.root.list(), self.root.events(), peer.commands))

    def test_by_the_clients_network(self):
        for networks, reply in (('"127.0.0.0/8"', b"250 2.1.5"), ('"192.0.2.0/24", "::1"', b"550 5.7.1")):
            self.root.configure(self.config + f"relay-from = [{networks}]\n")
            process = self.root.start("receive", "--listen", "127.0.0.1:0", "--maildir", self.maildir)
            try:
                port = int(process.stderr.readline().decode().rsplit(":", 1)[1])
                with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
                    client.sendall(session("EHLO x", "MAIL FROM:<a@b.example>", "RCPT TO:<y@far.example>", "QUIT"))
                    out = b""
                    while piece := client.recv(65536):
                        out += piece
                self.assertIn(b"\r\n" + reply, out)
            finally:
                process.terminate()
                process.communicate(timeout=PATIENCE)

    def test_loops_end(self):
        self.root.configure(self.config + 'relay-domains = ["far.example"]\n')
        body = b"".join(b"Received: by host%d; now\r\n" % n for n in range(101)) + b"\r\nx\r\n"
        self.assertIn(b"554 5.4.6", self.receive(mail(body, recipients=("x@far.example",))))
        self.assertEqual(self.root.list(), [])


class Notices(Case):
    def test_success_where_it_was_asked_for(self):
        self.assertIn(b"250-DSN\r\n", self.receive(mail(wishes=" NOTIFY=SUCCESS ORCPT=rfc822;Bob@example.com", envelope=" ENVID=E1 RET=HDRS"),
                                                   arguments=("--maildir", self.maildir)))
        (notice,) = self.notices()
        self.assertIn("Subject: Successful Mail Delivery Report", notice)
        self.assertIn("Original-Envelope-Id: E1\r\n", notice)
        self.assertIn("Original-Recipient: rfc822;Bob@example.com\r\nFinal-Recipient: rfc822; bob@example.com\r\nAction: delivered\r\n", notice)
        self.assertNotIn("text\r\n--", notice)
        # Twice the message, once the notice.
        self.receive(mail(wishes=" NOTIFY=SUCCESS"), arguments=("--maildir", self.maildir))
        self.assertEqual(len(self.notices()), 1)

    def test_in_the_inbox_too_but_not_unasked_and_not_to_nobody(self):
        self.receive(mail(wishes=" NOTIFY=SUCCESS"))
        self.assertEqual(len(self.notices()), 1)
        self.receive(mail(b"Message-ID: <2@x>\r\n\r\n", wishes=" NOTIFY=FAILURE,DELAY"), mail(b"Message-ID: <3@x>\r\n\r\n"),
                     mail(b"Message-ID: <4@x>\r\n\r\n", sender="", wishes=" NOTIFY=SUCCESS"))
        self.assertEqual(len(self.notices()), 1)

    def test_never_means_never(self):
        store = LmtpStore(at_end={"eve@example.com": "552 5.2.2 over quota"})
        self.addCleanup(store.close)
        self.receive(mail(recipients=("bob@example.com", "eve@example.com"), wishes=" NOTIFY=NEVER"), arguments=("--lmtp", store.address))
        self.assertEqual((store.stored, self.notices()), (["bob@example.com"], []))


class Smuggling(Case):
    def test_line_ends_that_are_none_are_refused(self):
        for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n", b"\r.\r", b"\r\n.\r"):
            with self.subTest(end=end):
                inner = b"Subject: outer\r\n\r\nfirst" + end + b"MAIL FROM:<evil@b.example>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\nsecond\r\n.\r\n"
                out = self.receive("MAIL FROM:<a@b.example>", "RCPT TO:<bob@example.com>", "DATA", inner)
                self.assertRegex(out, rb"\r\n550 5\.5\.2 bare (LF|CR)")
        self.assertEqual(self.root.list("--inbox"), [])


class Traffic(Case):
    """summary --bytes: whose bytes went over which connector."""

    def rows(self, *arguments):
        return [json.loads(line) for line in self.root.run("summary", "--bytes", "--json", *arguments).stdout.splitlines()]

    def test_by_connector_and_sender(self):
        self.assertEqual(self.rows(), [])
        with Peer() as peer:
            self.root.configure(self.config + lan(peer.port, domains=("*",)))
            sizes = {}
            for sender, count in (("alice@site7.example", 3), ("<>", 1), ("carol@site7.example", 1)):
                for _ in range(count):
                    id = self.root.run("add", "-f", sender, "eve@lan.example", "max@lan.example", stdin=b"Subject: s\n\n" + b"x" * 500 + b"\n").stdout.decode().strip()
                    sizes[sender] = sizes.get(sender, 0) + self.root.list()[-1]["size"]
                    self.assertTrue(id)
            self.root.run("flush", "--wait", "--quiet")
            self.receive(mail(sender="peer@far.example"), arguments=("--maildir", self.maildir))
        rows = {(r["connector"], r["sender"]): r for r in self.rows()}
        self.assertEqual(set(rows), {("lan", None), ("lan", "alice@site7.example"), ("lan", ""), ("lan", "carol@site7.example"), (None, "peer@far.example")})
        alice = rows["lan", "alice@site7.example"]
        self.assertEqual((alice["messages_out"], alice["bytes_out"], alice["messages_in"]), (3, sizes["alice@site7.example"], 0))
        line = rows["lan", None]
        self.assertEqual(line["messages_out"], None)
        self.assertGreater(line["bytes_out"], sum(sizes.values()))
        self.assertGreater(line["bytes_in"], 0)
        self.assertEqual((rows[None, "peer@far.example"]["messages_in"], rows[None, "peer@far.example"]["bytes_out"]), (1, 0))
        text = self.root.run("summary", "--bytes").stdout.decode()
        self.assertIn("(the line)", text)
        self.assertIn("alice@site7.example", text)

    def test_since_and_how_long_it_is_kept(self):
        self.receive(mail(sender="a@far.example"))
        subprocess.run(["sqlite3", self.root.spool, "UPDATE traffic SET day=day-10"], check=True)
        self.receive(mail(sender="b@far.example"))
        self.assertEqual([r["sender"] for r in self.rows("--since", "5d")], ["b@far.example"])
        self.assertEqual(len(self.rows("--since", "30d")), 2)
        subprocess.run(["sqlite3", self.root.spool, "UPDATE traffic SET day=day-500 WHERE sender='<a@far.example'"], check=True)
        self.receive(mail(sender="c@far.example"))
        self.assertEqual(sorted(r["sender"] for r in self.rows("--since", "3000d")), ["b@far.example", "c@far.example"])

    def test_endless_senders_are_bounded(self):
        script = [mail(b"Subject: s\r\n\r\nx\r\n", sender=f"s{n}@far.example") for n in range(1010)]
        self.receive(*script, patience=PATIENCE * 4)
        rows = self.rows()
        self.assertLessEqual(len(rows), 1001)
        self.assertEqual(sum(r["messages_in"] for r in rows), 1010)
        self.assertIn("*", [r["sender"] for r in rows])


if __name__ == "__main__":
    os.environ.pop("LONGLINE_ROOT", None)
    unittest.main()
