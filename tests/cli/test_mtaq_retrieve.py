# SPDX-License-Identifier: MIT
"""mtaq retrieve: ETRN, ATRN (RFC 2645), TURN and a command, against a provider that follows the RFCs or does not."""

import base64
import json
import re
import socket
import sqlite3
import stat
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.mail import PATIENCE, Peer, Root, wait_until  # noqa: E402
from support.secure_peer import NAME, Certificates  # noqa: E402
from support.stopwatch import Stopwatch  # noqa: E402

USER, PASSWORD = "site7", "open sesame"


class Provider:
    """RFC 2645's provider on TCP or on a Unix socket: EHLO, AUTH, then ATRN/ETRN/TURN; after a 250 it is the client and delivers
    `mail`, [(recipient, body)], each taken off the list when the customer has answered 250."""

    def __init__(self, path=None, mail=(), replies=None, auth="PLAIN CRAM-MD5", behind_reply=b"", cut_after=None, ends_with="QUIT", tls=None,
                 name="mail.provider.example", stalls_in=None, once=False):
        self.once, self.taken, self.sessions = once, [], 0
        self.tls, self.name, self.stalls_in = tls, name, stalls_in
        self.mail, self.replies, self.auth = list(mail), replies or {}, auth
        self.behind_reply, self.cut_after, self.ends_with = behind_reply, cut_after, ends_with
        self.commands, self.customer = [], []
        self.logged_in = False
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(path))
        else:
            self.listener = socket.socket()
            self.listener.bind(("127.0.0.1", 0))
            self.port = self.listener.getsockname()[1]
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def close(self):
        self.listener.close()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE)
            self.sessions += 1
            if self.once:
                self.listener.close()
            try:
                with connection:
                    self.talk(connection)
            except OSError:
                pass

    def say(self, line, text, more=b""):
        line.write(text.encode() + b"\r\n" + more)
        line.flush()

    def talk(self, connection):
        line, secure = connection.makefile("rwb"), False
        self.say(line, f"220 {self.name} on-demand mail relay service ready")
        self.logged_in = False
        while raw := line.readline():
            command = raw.decode().rstrip("\r\n")
            self.commands.append(command)
            verb = command.split(" ")[0].upper()
            if verb == "EHLO":
                offers = [self.name, "ETRN", "ATRN", "TURN", "ENHANCEDSTATUSCODES"] + ([f"AUTH {self.auth}"] if self.auth else [])
                offers += ["STARTTLS"] if self.tls and not secure else []
                self.say(line, "\r\n".join(f"250{'-' if o != offers[-1] else ' '}{o}" for o in offers))
            elif verb == "STARTTLS":
                self.say(line, "220 go ahead")
                connection = self.tls.wrap_socket(connection, server_side=True)
                line, secure = connection.makefile("rwb"), True
            elif verb == "AUTH":
                self.login(line, command)
            elif verb in ("MAIL", "RCPT", "RSET"):
                self.say(line, next((r for p, r in self.replies.items() if re.match(p, command)), "250 ok"))
            elif verb == "DATA":
                self.say(line, "354 go")
                body = b"".join(iter(line.readline, b".\r\n"))
                self.taken.append(re.search(rb"Subject: (.*)\r\n", body).group(1).decode())
                self.say(line, "250 taken")
            elif verb == "QUIT":
                self.say(line, "221 bye")
                return
            elif verb in ("ATRN", "ETRN", "TURN"):
                reply = next((r for p, r in self.replies.items() if re.match(p, command)), None)
                if reply is None and verb != "ETRN" and not self.logged_in:
                    reply = "530 Authentication required"
                if reply is None and verb == "ATRN" and not self.mail:
                    reply = "453 You have no mail"
                if reply is None:
                    reply = "250 OK now reversing the connection" if verb != "ETRN" else "250 OK, queuing started"
                self.say(line, reply, self.behind_reply)
                if reply.startswith("250") and verb != "ETRN":
                    return self.deliver(line)
            else:
                self.say(line, "500 what?")

    def login(self, line, command):
        words = command.split(" ")
        if words[1] == "PLAIN":
            token = words[2] if len(words) > 2 else None
            if token is None:
                self.say(line, "334 ")
                token = line.readline().decode().strip()
            self.logged_in = base64.b64decode(token) == f"\0{USER}\0{PASSWORD}".encode()
        else:
            import hmac
            challenge = b"<1.2@provider.example>"
            self.say(line, "334 " + base64.b64encode(challenge).decode())
            answer = base64.b64decode(line.readline().strip()).decode()
            self.logged_in = answer == f"{USER} {hmac.new(PASSWORD.encode(), challenge, 'md5').hexdigest()}"
        self.say(line, "235 now authenticated" if self.logged_in else "535 no")

    def stall(self, line):
        """Says no more, and takes what comes until the customer has gone."""
        self.customer += [reply.decode().rstrip("\r\n") for reply in line]

    def expect(self, line, code):
        while True:
            reply = line.readline().decode().rstrip("\r\n")
            self.customer.append(reply)
            if not reply.startswith(code):
                raise OSError(reply)
            if reply[3:4] != "-":
                return reply

    def deliver(self, line):
        self.expect(line, "220")
        if self.stalls_in == "EHLO":
            return self.stall(line)
        self.say(line, f"EHLO {self.name}")
        self.expect(line, "250")
        done = 0
        while self.mail:
            recipient, body = self.mail[0]
            self.say(line, "MAIL FROM:<mrose@dbc.example>")
            self.expect(line, "250")
            self.say(line, f"RCPT TO:<{recipient}>")
            try:
                self.expect(line, "250")
            except OSError:
                self.mail.pop(0)
                self.say(line, "RSET")
                self.expect(line, "250")
                continue
            self.say(line, "DATA")
            self.expect(line, "354")
            line.write(body)
            if self.stalls_in == "DATA" or (self.stalls_in == "second" and done == 1):
                line.flush()
                return self.stall(line)
            self.say(line, ".")
            if self.cut_after is not None and done >= self.cut_after:
                self.cut_after = None
                return
            self.expect(line, "250")
            self.mail.pop(0)
            done += 1
        if self.ends_with:
            self.say(line, self.ends_with)
            self.expect(line, "221")


def letter(n):
    return b"Subject: %d\r\nMessage-ID: <%d@dbc.example>\r\n\r\ntext %d\r\n" % (n, n, n)


class Case(unittest.TestCase):
    def provider(self, **options):
        provider = Provider(**options)
        self.addCleanup(provider.close)
        return provider

    def root_for(self, provider, retrieve, more="", domains='["example.org", "example.com"]', login=True, local=True):
        root = Root("")
        self.addCleanup(root.close)
        (root.folder / "pw").write_text(PASSWORD + "\n")
        (root.folder / "pw").chmod(0o600)
        where = f'host = "127.0.0.1"\nport = {provider.port}\n' if provider else 'host = "127.0.0.1"\nport = 1\n'
        user = f'user = "{USER}"\npassword-file = "pw"\nallow-plain-auth = true\n' if login else ""
        root.configure(('local-domains = ["example.org", "example.com"]\n' if local else "") + more + "[connector.provider]\ndomains = [\"*\"]\n" + where + user +
                       f"retrieve = {{ {retrieve}, domains = {domains} }}\n")
        return root

    def retrieve(self, root, *arguments, status=0):
        done = root.run("retrieve", "--json", *arguments, status=status)
        return [json.loads(line) for line in done.stdout.splitlines()]


class Atrn(Case):
    def by(self, provider):
        return f'by = "atrn", port = {provider.port}'

    def test_the_dialogue_of_rfc_2645(self):
        provider = self.provider(mail=[("user@example.org", letter(1)), ("other@example.com", letter(2))])
        root = self.root_for(provider, self.by(provider))
        (result,) = self.retrieve(root)
        self.assertEqual((result["connector"], result["by"], result["result"], result["messages"]), ("provider", "atrn", "fetched", 2))
        self.assertEqual(provider.commands[2:], ["ATRN example.org,example.com"])
        self.assertEqual(sorted(m["subject"] for m in root.list("--inbox")), ["1", "2"])
        self.assertTrue(provider.customer[0].startswith("220 "))
        self.assertTrue(provider.customer[-1].startswith("221 "))
        self.assertIn("250 SIZE 100000000", provider.customer)
        # Nothing more: no mail is no failure.
        (result,) = self.retrieve(root)
        self.assertEqual((result["result"], result["answers"][0]["code"]), ("nothing", 453))
        wait_until(lambda: provider.commands[-1] == "QUIT", "QUIT, whose reply nobody waits for")
        self.assertEqual(root.run("retrieve").stdout, b"provider: no mail waits there\n")
        self.assertEqual(root.run("retrieve", "--quiet").stdout, b"")

    def test_what_is_not_ours_is_refused(self):
        provider = self.provider(mail=[("user@elsewhere.example", letter(1)), ("user@example.org", letter(2))])
        root = self.root_for(provider, self.by(provider))
        (result,) = self.retrieve(root)
        self.assertEqual(result["messages"], 1)
        self.assertTrue(any(r.startswith("550 5.7.1") for r in provider.customer))

    def test_into_a_maildir_and_over_cram_md5(self):
        provider = self.provider(mail=[("user@example.org", letter(1))], auth="CRAM-MD5")
        root = self.root_for(provider, self.by(provider), more='[receive]\nmaildir = "Maildir"\n')
        self.retrieve(root)
        self.assertEqual(len(list((root.folder / "Maildir" / "new").iterdir())), 1)
        self.assertNotIn(PASSWORD, " ".join(provider.commands))

    def test_cut_behind_the_last_byte_and_fetched_again_it_is_there_once(self):
        provider = self.provider(mail=[("user@example.org", letter(n)) for n in range(3)], cut_after=1)
        root = self.root_for(provider, self.by(provider))
        self.assertEqual(self.retrieve(root, status=75)[0]["result"], "failed")
        self.assertEqual(self.retrieve(root)[0]["result"], "fetched")
        self.assertEqual(sorted(m["subject"] for m in root.list("--inbox")), ["0", "1", "2"])
        self.assertEqual(len(root.events("mail.duplicate")), 1)

    def test_refusals_and_their_statuses(self):
        mail = [("user@example.org", letter(1))]
        for reply, status in (("450 ATRN request refused", 75), ("451 Unable to process", 75), ("530 Authentication required", 77), ("502 not implemented", 65),
                              ("421 closing", 75)):
            with self.subTest(reply=reply):
                provider = self.provider(mail=mail, replies={"ATRN": reply})
                root = self.root_for(provider, self.by(provider))
                (result,) = self.retrieve(root, status=status)
                self.assertEqual(result["result"], "failed")
                self.assertEqual(len(root.events("mail.retrieve-failed")), 1)
        provider = self.provider(mail=mail)
        root = self.root_for(provider, self.by(provider))
        (root.folder / "pw").write_text("wrong\n")
        done = root.run("retrieve", status=77)
        self.assertNotIn(b"wrong", done.stdout + done.stderr)
        self.retrieve(self.root_for(provider, self.by(provider), login=False), status=77)
        provider.close()
        self.retrieve(self.root_for(self.provider(), 'by = "atrn", port = 1'), status=69)

    def test_a_peer_that_talks_on_behind_its_reply_is_not_believed(self):
        provider = self.provider(mail=[("user@example.org", letter(1))], behind_reply=b"MAIL FROM:<evil@x.example>\r\n")
        root = self.root_for(provider, self.by(provider))
        self.retrieve(root, status=76)
        self.assertEqual(root.list("--inbox"), [])

    def test_the_deadline_is_the_end_whatever_the_peer_is_at(self):
        for at, last in (("EHLO", "421 4.3.2 closing down"), ("DATA", "354 Go ahead")):
            with self.subTest(at=at):
                provider = self.provider(mail=[("user@example.org", letter(1))], stalls_in=at)
                root = self.root_for(provider, self.by(provider))
                watch = Stopwatch()
                (result,) = self.retrieve(root, "--deadline", "2s", status=124)
                self.assertLess(watch.ours(), 4)
                self.assertEqual((result["result"], result["code"], result["messages"]), ("failed", "deadline", 0))
                self.assertEqual(provider.customer[-1], last)
                self.assertEqual(root.list("--inbox"), [])

    def test_the_deadline_ends_a_delivery_too(self):
        provider = self.provider(mail=[("user@example.org", letter(1))])
        root = self.root_for(provider, self.by(provider), more='[receive]\ncommand = ["sh", "-c", "cat > /dev/null; exec sleep 1000"]\n')
        watch = Stopwatch()
        self.retrieve(root, "--deadline", "2s", status=124)
        self.assertLess(watch.ours(), 4)

    def test_due_and_flush(self):
        provider = self.provider(mail=[("user@example.org", letter(1))])
        root = self.root_for(provider, self.by(provider) + ', every = "1h"')
        root.run("flush")
        self.assertEqual([m["subject"] for m in root.list("--inbox")], ["1"])
        before = len(provider.commands)
        root.run("flush")
        self.assertEqual(len(provider.commands), before)   # not due again


class InTheFlush(Case):
    """What is due is asked for in the session that has sent the mail."""

    def line_root(self, provider, retrieve, connector=""):
        root = Root('local-domains = ["example.org"]\n[link.isp]\nport = "tcp:127.0.0.1:9"\nnetwork = "stream"\nnumbers = ["1"]\n[connector.hub]\n'
                    f'domains = ["*"]\nlink = "isp"\nhost = "line"\nuser = "{USER}"\npassword-command = ["echo", "{PASSWORD}"]\nallow-plain-auth = true\n'
                    f'{connector}retrieve = {{ {retrieve}, domains = ["example.org"] }}\n')
        self.addCleanup(root.close)
        return root, self.provider(path=root.line, once=True, **provider)

    def test_a_far_end_that_serves_one_session(self):
        for by, retrieved in (("atrn", ["1"]), ("etrn", [])):
            with self.subTest(by):
                root, provider = self.line_root({"mail": [("user@example.org", letter(1))]}, f'by = "{by}"')
                root.add(b"Subject: out\n\ntext\n", "bob@far.example")
                done = root.run("flush", "--json", "--link", "isp")
                self.assertEqual([json.loads(line)["result"] for line in done.stdout.splitlines()], ["sent"])
                self.assertEqual((provider.taken, [m["subject"] for m in root.list("--inbox")]), (["out"], retrieved))
                self.assertEqual(provider.sessions, 1)
                self.assertEqual([c.split()[0] for c in provider.commands].count("EHLO"), 1)
                root.run("due", status=1)
                events = [e["event"] for e in root.events() if e["event"] in ("queue.flushed", "mail.retrieved")]
                self.assertEqual(events, ["queue.flushed", "mail.retrieved"])

    def test_a_refusal_is_the_status_and_costs_no_second_session(self):
        root, provider = self.line_root({"replies": {"ETRN": "459 Node not allowed"}}, 'by = "etrn"')
        root.add(b"Subject: out\n\ntext\n", "bob@far.example")
        self.assertIn(b"459", root.run("flush", status=77).stderr)
        self.assertEqual((provider.taken, provider.sessions, root.list()), (["out"], 1, []))
        root.run("due", status=1)

    def test_mail_that_was_refused_leaves_the_session_to_the_retrieval(self):
        root, provider = self.line_root({"replies": {"RCPT": "450 later"}}, 'by = "etrn"')
        root.add(b"Subject: out\n\ntext\n", "bob@far.example")
        root.run("flush", status=75)
        self.assertEqual([c for c in provider.commands if c.startswith("ETRN")], ["ETRN example.org"])
        wait_until(lambda: (provider.commands[-1], provider.sessions) == ("QUIT", 1), "QUIT, in one session")

    def test_over_tcp_where_the_port_is_the_same_and_else_not(self):
        for port, sessions in (("", 1), ("own", 2)):
            with self.subTest(port):
                provider = self.provider()
                other = self.provider()
                retrieve = 'by = "etrn"' + (f", port = {other.port}" if port else "")
                root = self.root_for(provider, retrieve, local=False, domains='["example.org"]')
                root.add(b"Subject: out\n\ntext\n", "bob@far.example")
                root.run("flush")
                self.assertEqual(provider.sessions + other.sessions, sessions)
                self.assertEqual([c for c in provider.commands + other.commands if c.startswith("ETRN")], ["ETRN example.org"])

    def test_what_is_not_due_is_not_asked_for(self):
        root, provider = self.line_root({}, 'by = "etrn", every = "1h"')
        root.add(b"Subject: out\n\ntext\n", "bob@far.example")
        root.run("flush", "--link", "isp")
        other = Provider(path=self.fresh(root))
        self.addCleanup(other.close)
        root.add(b"Subject: more\n\ntext\n", "bob@far.example")
        root.run("flush", "--link", "isp")
        self.assertEqual((other.taken, [c for c in other.commands if c.startswith("ETRN")]), (["more"], []))
        wait_until(lambda: other.commands[-1] == "QUIT", "QUIT, whose reply nobody waits for")

    def fresh(self, root):
        Path(root.line).unlink()
        return root.line

    def test_one_at_a_time_uses_the_line(self):
        root, provider = self.line_root({"mail": [("user@example.org", letter(1))], "stalls_in": "EHLO"}, 'by = "atrn"')
        provider.once = False
        first = root.start("retrieve")
        self.addCleanup(first.kill)
        wait_until(lambda: any(c.startswith("ATRN") for c in provider.commands))
        self.assertIn(b"has the line", root.run("retrieve", status=75).stderr)
        self.assertIn(b"has the line", root.run("flush", "--link", "isp", status=75).stderr)
        self.assertEqual(root.run("flush", "--wait", "--deadline", "1s", "--link", "isp", status=124).stdout, b"")
        provider.stalls_in = None
        second = root.start("flush", "--wait", "--link", "isp")
        self.addCleanup(second.kill)
        started = Stopwatch()
        first.terminate()
        self.assertEqual(first.wait(PATIENCE), 75)
        self.assertLess(started.ours(), 9)
        self.assertEqual(second.wait(PATIENCE), 0)
        self.assertEqual(([m["subject"] for m in root.list("--inbox")], provider.sessions), (["1"], 2))

    def test_two_connectors_of_one_session_ask_in_it_and_what_turns_the_line_comes_last(self):
        other = ('[connector.zone]\ndomains = ["zone.example"]\nlink = "isp"\nhost = "line"\n' f'user = "{USER}"\n'
                 f'password-command = ["echo", "{PASSWORD}"]\nallow-plain-auth = true\nretrieve = {{ by = "etrn", domains = ["zone.example"] }}\n')
        root, provider = self.line_root({"mail": [("user@example.org", letter(1))]}, 'by = "atrn"')
        root.configure((root.folder / "longline.toml").read_text() + other)
        root.add(b"Subject: out\n\ntext\n", "bob@far.example")
        root.run("flush", "--link", "isp")
        self.assertEqual([c for c in provider.commands if "TRN" in c], ["ETRN zone.example", "ATRN example.org"])
        self.assertEqual((provider.sessions, [m["subject"] for m in root.list("--inbox")]), (1, ["1"]))
        root.run("due", status=1)

    def test_a_signal_ends_it_in_the_middle_of_a_message_and_what_came_is_counted(self):
        root, provider = self.line_root({"mail": [("user@example.org", letter(1)), ("user@example.org", letter(2))], "stalls_in": "second"}, 'by = "atrn"')
        run = root.start("retrieve", "--json")
        wait_until(lambda: len(provider.mail) == 1)
        started = Stopwatch()
        run.terminate()
        out, _ = run.communicate(timeout=PATIENCE)
        self.assertLess(started.ours(), 9)
        self.assertEqual((run.returncode, json.loads(out)["messages"]), (75, 1))

    def test_a_session_that_broke_off_is_not_followed_by_another_on_the_line(self):
        root, provider = self.line_root({"replies": {"MAIL": "421 going down"}}, 'by = "etrn"')
        root.add(b"Subject: out\n\ntext\n", "bob@far.example")
        done = root.run("flush", "--link", "isp", status=75)
        self.assertEqual((done.stderr.count(b"\n"), provider.sessions), (1, 1), done.stderr)

    def test_the_deadline_of_the_flush_ends_the_retrieval(self):
        root, provider = self.line_root({"mail": [("user@example.org", letter(1))], "stalls_in": "EHLO"}, 'by = "atrn"')
        root.add(b"Subject: out\n\ntext\n", "bob@far.example")
        watch = Stopwatch()
        root.run("flush", "--deadline", "3s", status=124)
        self.assertLess(watch.seconds(), PATIENCE)
        self.assertEqual((provider.taken, root.list()), (["out"], []))


class Etrn(Case):
    def test_each_domain_is_asked_for(self):
        provider = self.provider(replies={"ETRN example.com": "251 OK, no messages waiting for node example.com", "ETRN b": "253 OK, 14 pending messages for node b started"})
        root = self.root_for(provider, 'by = "etrn"', domains='["example.org", "example.com", "b.example"]', login=False)
        (result,) = self.retrieve(root)
        self.assertEqual((result["result"], result["messages"]), ("asked", None))
        self.assertEqual([(a["domain"], a["code"]) for a in result["answers"]], [("example.org", 250), ("example.com", 251), ("b.example", 253)])
        wait_until(lambda: provider.commands[-4:] == ["ETRN example.org", "ETRN example.com", "ETRN b.example", "QUIT"], "three questions and QUIT")
        self.assertEqual(root.run("retrieve").stdout, b"provider: the peer sends what it has\n")

    def test_refusals(self):
        for reply, status in (("458 Unable to queue messages for node", 75), ("459 Node not allowed", 77), ("500 Syntax error", 65)):
            with self.subTest(reply=reply):
                provider = self.provider(replies={"ETRN example.org": reply})
                (result,) = self.retrieve(self.root_for(provider, 'by = "etrn"', login=False), status=status)
                self.assertEqual([a["code"] for a in result["answers"]], [int(reply[:3]), 250])


class Turn(Case):
    def test_never_without_tls(self):
        provider = self.provider(mail=[("user@example.org", letter(1))])
        root = self.root_for(provider, 'by = "turn"', domains="[]")
        self.retrieve(root, status=77)
        self.assertNotIn("TURN", provider.commands)

    def test_over_tls(self):
        made = Certificates()
        self.addCleanup(made.close)
        for by, verb in (('by = "turn"', "TURN"), ('by = "atrn", port = %d', "ATRN example.org")):
            provider = self.provider(mail=[("user@example.org", letter(1))], tls=made.server("good"), name=NAME)
            root = self.root_for(provider, by % provider.port if "%" in by else by, domains='["example.org"]')
            text = (root.folder / "longline.toml").read_text()
            root.configure(text.replace("allow-plain-auth = true", f'tls = "required"\ntls-ca-file = "{made.ca}"\npeer-name = "{NAME}"'))
            (result,) = self.retrieve(root)
            self.assertEqual((result["result"], result["messages"]), ("fetched", 1))
            self.assertEqual(provider.commands[-1], verb)
            self.assertEqual([m["subject"] for m in root.list("--inbox")], ["1"])


class Command(Case):
    def root_with(self, text):
        root = self.root_for(None, 'by = "command", command = ["./fetch"]', login=False)
        path = root.folder / "fetch"
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        root.configure((root.folder / "longline.toml").read_text().replace("./fetch", str(path)))
        return root

    def test_its_status_is_the_result(self):
        same = (0, 64, 65, 66, 69, 70, 71, 73, 74, 75, 76, 77, 78, 124)
        for status, ours in [(n, n) for n in same] + [(1, 75), (3, 75), (67, 75), (125, 75)]:
            with self.subTest(status=status):
                (result,) = self.retrieve(self.root_with(f"exit {status}"), status=ours)
                if status:
                    self.assertIn(f"ended with status {status}", result["reason"])
        (result,) = self.retrieve(self.root_with("kill -9 $$"), status=75)
        self.assertIn("ended with status 137 (signal 9)", result["reason"])

    def test_what_it_prints_is_no_json(self):
        root = self.root_with("echo hello")
        for arguments in (("--json",), ("--quiet",)):
            done = root.run("retrieve", *arguments)
            self.assertEqual(done.stderr, b"hello\n")
            self.assertNotIn(b"hello", done.stdout)

    def test_one_that_hangs_is_ended(self):
        root = self.root_for(None, 'by = "command", deadline = "1s", command = ["sleep", "1000"]', login=False)
        self.retrieve(root, status=124)


class Verb(Case):
    def test_nothing_to_retrieve(self):
        root = Root("")
        self.addCleanup(root.close)
        root.run("retrieve", status=1)
        root.configure('[connector.x]\ndomains = ["*"]\nhost = "127.0.0.1"\n')
        root.run("retrieve", "--connector", "x", status=78)
        root.run("retrieve", "--connector", "y", status=66)

    def test_a_link_that_is_down(self):
        root = Root('[link.isp]\nport = "tcp:127.0.0.1:9"\nnetwork = "stream"\nnumbers = ["1"]\n[connector.hub]\ndomains = ["*"]\nlink = "isp"\nhost = "line"\n'
                    'user = "x"\npassword-command = ["echo", "x"]\nretrieve = { by = "atrn" }\n')
        self.addCleanup(root.close)
        root.run("retrieve", status=75)
        # What is due is worth a call.
        self.assertEqual(root.run("due").stdout, b"isp\n")

    def test_a_retrieval_that_failed_is_not_due_at_once(self):
        for reply, status, rest in (("500 5.5.1 what?", 65, 4 * 3600), ("458 later", 75, 120)):
            with self.subTest(reply):
                root = Root('[link.isp]\nport = "tcp:127.0.0.1:9"\nnetwork = "stream"\nnumbers = ["1"]\n[connector.hub]\ndomains = ["*"]\nlink = "isp"\n'
                            'host = "line"\nretrieve = { by = "etrn", domains = ["example.org"] }\n')
                self.addCleanup(root.close)
                self.addCleanup(Peer(path=root.line, replies={"ETRN": reply}, extensions=["ETRN"]).close)
                root.run("retrieve", status=status)
                root.run("due", status=1)
                db = sqlite3.connect(root.spool)
                with db:
                    db.execute("UPDATE connectors SET retrieved=retrieved-?", (rest * 1000,))
                db.close()
                self.assertEqual(root.run("due").stdout, b"isp\n")

    def test_over_a_stream_link(self):
        root = Root('local-domains = ["example.org"]\n[link.isp]\nport = "tcp:127.0.0.1:9"\nnetwork = "stream"\nnumbers = ["1"]\n[connector.hub]\n'
                    'domains = ["*"]\nlink = "isp"\nhost = "line"\n' f'user = "{USER}"\npassword-command = ["echo", "{PASSWORD}"]\n'
                    'retrieve = { by = "atrn", domains = ["example.org"] }\n')
        self.addCleanup(root.close)
        provider = self.provider(path=root.line, mail=[("user@example.org", letter(1))])
        self.assertEqual(self.retrieve(root)[0]["messages"], 1)
        self.assertEqual(provider.mail, [])
        root.run("due", status=1)


if __name__ == "__main__":
    unittest.main()
