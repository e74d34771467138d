# SPDX-License-Identifier: MIT
"""Postfix instances of a test's own, beside whatever the machine has. Need root and Debian's postfix package."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import mail
from mail import free_port

PATIENCE = float(os.environ.get("LONGLINE_TEST_PATIENCE", "60"))
POSTFIX = shutil.which("postfix", path="/usr/sbin:/usr/bin:/sbin")


def available():
    return bool(POSTFIX) and os.geteuid() == 0


def wait_until(question, what):
    return mail.wait_until(question, what, PATIENCE)


def run(*command):
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended {done.returncode}: {done.stderr.decode(errors='replace')}")
    return done


class Postfix:
    """An instance with its own configuration, queue and data. Takes mail for bob and carol at `domain` into Maildirs. `more`: further lines
    of main.cf."""

    MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""
    MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}/log
myhostname = {host}
mydestination =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}/boxes
virtual_mailbox_maps = texthash:{folder}/mailboxes
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_mailbox_limit = 0
smtpd_client_restrictions =
smtpd_relay_restrictions = permit_auth_destination, reject
smtpd_peername_lookup = no
message_size_limit = 60000000
{more}
"""

    def __init__(self, more="", host="mail.far.example", domain="far.example"):
        self.folder = Path(tempfile.mkdtemp(prefix="longline-postfix-"))
        self.folder.chmod(0o755)
        for name in ("queue", "data", "log", "boxes"):
            (self.folder / name).mkdir()
        shutil.chown(self.folder / "data", "postfix", "postfix")
        os.chown(self.folder / "boxes", 65534, 65534)
        (self.folder / "mailboxes").write_text("".join(f"{name}@{domain} {name}/\n" for name in ("bob", "carol")))
        self.host = host
        self.port = free_port()
        (self.folder / "main.cf").write_text(self.MAIN.format(folder=self.folder, more=more, host=host, domain=domain))
        (self.folder / "master.cf").write_text(self.MASTER.format(port=self.port))
        run(POSTFIX, "-c", str(self.folder), "start")
        wait_until(self.answers, "Postfix")

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as s:
                return s.recv(100).startswith(b"220 " + self.host.encode())
        except OSError:
            return False

    def send(self, message, *recipients, sender="alice@here.example"):
        """As a local program does: into the queue, tried at once."""
        done = subprocess.run(["/usr/sbin/sendmail", "-C", str(self.folder), "-i", "-f", sender, *recipients], input=message, capture_output=True, timeout=PATIENCE)
        if done.returncode != 0:
            raise AssertionError(f"sendmail ended {done.returncode}: {done.stderr!r}")

    def queue(self):
        """What postqueue -j says, as objects."""
        done = run("/usr/sbin/postqueue", "-c", str(self.folder), "-j")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def box(self, name):
        return sorted(p.read_bytes() for p in (self.folder / "boxes" / name / "new").glob("*"))

    def log(self):
        return (self.folder / "log" / "mail.log").read_text(errors="replace")

    def stop(self):
        subprocess.run([POSTFIX, "-c", str(self.folder), "stop"], capture_output=True, timeout=PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)
