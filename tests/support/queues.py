# SPDX-License-Identifier: MIT
"""The queues of a real Postfix and a real Exim, each with a next hop of its kind, as the tests of mtaq want them. Need root."""

import json
import os
import shutil
import socket
import subprocess

import exim
import mail
import postfix
from postfix import wait_until

PATIENCE = float(os.environ.get("LONGLINE_TEST_PATIENCE", "60"))
MESSAGE = b"From: alice@here.example\nMessage-ID: <%d@here.example>\nSubject: number %d\n\n.body\n"


class PostfixSite:
    """The queue under test, and a Postfix that takes what it sends: all but later@ (450) and nobody@ (550)."""

    later = 450
    # As on a host that dials: nothing is sent before somebody asks.
    MORE = "relayhost = [127.0.0.1]:{port}\ndefer_transports = {defers}\nminimal_backoff_time = 300s\nmaximal_backoff_time = 600s\n"
    REFUSE = "smtpd_recipient_restrictions = check_recipient_access inline:{{later@far.example=450 4.7.1 come back later}}\n"

    def __init__(self, hop=None):
        self.far = None if hop else postfix.Postfix(self.REFUSE)
        self.near = postfix.Postfix(self.MORE.format(port=hop or self.far.port, defers="smtp"), host="mail.here.example", domain="here.example")
        self.queue = f"postfix:{self.near.folder}"
        self.environment = dict(os.environ)
        self.contract = self.queue

    def clear(self):
        postfix.run("/usr/sbin/postsuper", "-c", str(self.near.folder), "-d", "ALL")
        for one in (self.near, self.far):
            if one:
                shutil.rmtree(one.folder / "boxes" / "bob", ignore_errors=True)
                shutil.rmtree(one.folder / "boxes" / "carol", ignore_errors=True)

    def rest(self, count):
        """Waits until everything was put off."""
        wait_until(lambda: [m["queue_name"] for m in self.near.queue()] == ["deferred"] * count, f"{count} deferred messages")

    def ids(self):
        return [m["queue_id"] for m in self.near.queue()]

    def delete(self, *ids):
        postfix.run("/usr/sbin/postsuper", "-c", str(self.near.folder), *(part for id in ids for part in ("-d", id)))

    def log_time(self):
        return (self.near.folder / "log" / "mail.log").stat().st_mtime

    def stop(self):
        for one in (self.near, self.far):
            if one:
                one.stop()


class EximSite:
    """The same with two Exims."""

    later = 451

    def __init__(self, hop=None):
        self.far = None if hop else exim.Exim(refuse=("nobody@far.example",), defer=("later@far.example",))
        self.near = exim.Exim(next_hop=("127.0.0.1", hop or self.far.port), domains=("here.example",), host="mail.here.example", daemon=False)
        self.queue = "exim"
        self.environment = self.near.environment()
        self.contract = f"exim:{self.near.command}"

    def clear(self):
        if self.near.queue():
            self.near.run("-Mrm", *self.near.queue(), check=None)
        # What the last test found out about its next hop is forgotten.
        shutil.rmtree(self.near.folder / "spool" / "db", ignore_errors=True)
        for one in (self.near, self.far):
            if one:
                shutil.rmtree(one.folder / "boxes" / "bob", ignore_errors=True)
                shutil.rmtree(one.folder / "boxes" / "carol", ignore_errors=True)

    def rest(self, count):
        wait_until(lambda: len(self.near.queue()) == count, f"{count} messages")

    def ids(self):
        return self.near.queue()

    def delete(self, *ids):
        # All but the one that is under delivery.
        self.near.run("-Mrm", *ids, check=None)

    def log_time(self):
        return (self.near.folder / "log" / "mainlog").stat().st_mtime

    def stop(self):
        for one in (self.near, self.far):
            if one:
                one.stop()


class Listener:
    """Takes connections and says nothing."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]


DEAD = 1  # tcpmux: nobody listens


class Queues:
    """For each kind of mail system; `site` makes one. Those with a next hop that works and with one that is dead are made once."""

    def make(self, hop=None):
        key = "alive" if hop is None else "dead" if hop == DEAD else None
        site = self.sites.get(key)
        if site is None:
            site = self.site(hop)
            (self.addClassCleanup if key else self.addCleanup)(site.stop)
            if key:
                self.sites[key] = site
        else:
            site.clear()
        self.root = mail.Root("")
        self.addCleanup(self.root.close)
        self.number = 0
        return site

    def send(self, site, *recipients, sender="alice@here.example"):
        self.number += 1
        site.near.send(MESSAGE % (self.number, self.number), *recipients, sender=sender)

    def begin_flush(self, site):
        child = subprocess.Popen(self.root.command("--queue", site.queue, "--json", "flush", "--wait"), env=site.environment, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        self.addCleanup(child.kill)
        return child

    def end_flush(self, child, *statuses):
        out, err = child.communicate(timeout=PATIENCE)
        self.assertIn(child.returncode, statuses, (out, err))
        return [json.loads(line) for line in out.splitlines()]

    def mtaq(self, site, *arguments, status=0, stdin=b""):
        return self.root.run("--queue", site.queue, *arguments, status=status, stdin=stdin, env=site.environment, patience=PATIENCE)

    def listing(self, site, *arguments):
        return [json.loads(line) for line in self.mtaq(site, "list", "--json", *arguments).stdout.splitlines()]

    def receipts(self, done):
        receipts = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(len({r["id"] for r in receipts}), len(receipts), "a message is named once")
        return receipts
