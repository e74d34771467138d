# SPDX-License-Identifier: MIT
"""Exim instances of a test's own. Debian has one MTA a host, so Exim is not installed: scripts/setup --test downloads its packages, and they are
unpacked here. Debian's build wants a user Debian-exim and its configuration in /etc/exim4: each command runs in a mount namespace whose /etc and
/usr/sbin have them, in layers over the machine's. Needs root."""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from mail import free_port, wait_until

PATIENCE = float(os.environ.get("LONGLINE_TEST_PATIENCE", "30"))
CACHE = Path(os.environ.get("LONGLINE_PEERS_CACHE", Path.home() / ".cache" / "longline-peers"))
USER = 64987  # Debian-exim; any number that nobody has


def available():
    return os.geteuid() == 0 and shutil.which("unshare") and next(CACHE.glob("exim4-daemon-light_*.deb"), None) is not None


def unpacked():
    """The folder with the packages' files, made once; two tests may come at the same time."""
    packages = [next(CACHE.glob(f"{name}_*.deb")) for name in ("exim4-base", "exim4-daemon-light")]
    folder = CACHE / f"unpacked-{packages[1].stem}"
    if not folder.is_dir():
        part = Path(tempfile.mkdtemp(prefix="part-", dir=CACHE))
        for package in packages:
            subprocess.run(["dpkg", "-x", package, part], check=True, timeout=PATIENCE)
        part.chmod(0o755)
        try:
            part.rename(folder)
        except OSError:
            shutil.rmtree(part)
    return folder


CONFIG = """
primary_hostname = {host}
exim_path = /usr/sbin/exim4
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
tls_advertise_hosts =
disable_ipv6
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max = 100
smtp_accept_max_per_connection = 100000
smtp_accept_queue_per_connection = 100000
message_size_limit = 60M
accept_8bitmime
keep_environment =
add_environment = PATH=/usr/bin:/bin
never_users =
trusted_users = root
dsn_advertise_hosts = {dsn}
smtputf8_advertise_hosts = {utf8}
acl_smtp_mail = acl_mail
acl_smtp_rcpt = acl_rcpt
{main}

begin acl
acl_mail:
  accept
acl_rcpt:
{acl}  accept

begin routers
{routers}
here:
  driver = accept
  domains = {domains}
  local_parts = {mailboxes}
  transport = box
{route}

begin transports
box:
  driver = appendfile
  directory = {folder}/boxes/$local_part_data
  create_directory
  maildir_format
  user = nobody
  group = nogroup
next_hop:
  driver = smtp
  port = {next_port}
  allow_localhost
  hosts_try_fastopen =
  connect_timeout = 5s
{transport}

begin retry
* * {retry}

begin rewrite
begin authenticators
{authenticators}
"""

ROUTE = """
away:
  driver = manualroute
  domains = ! {domains}
  route_list = * {next_host}
  self = send
  transport = next_hop
"""

class Exim:
    """An instance with its own configuration, spool and logs. Mail for the `mailboxes` of `domains` goes into Maildirs by local part; mail for others to
    `next_hop` (host, port), if there is one. `refuse`, `defer`: recipients that get 550, 451. `main`, `acl`, `routers`, `transport`: further lines
    of the configuration. `daemon`: listens on `port`; without it, messages come by send()."""

    def __init__(self, next_hop=None, domains=("far.example",), mailboxes=("alice", "bob", "carol"), host="mail.far.example", refuse=(), defer=(),
                 daemon=True, dsn="", utf8="*", main="", acl="", routers="", transport="", authenticators="", retry="F,2d,1h"):
        self.files = unpacked()
        self.folder = Path(tempfile.mkdtemp(prefix="longline-exim-"))
        self.folder.chmod(0o755)
        for name in ("spool", "log", "boxes", "etc", "etc/exim4", "bin"):
            (self.folder / name).mkdir()
        os.chown(self.folder / "boxes", 65534, 65534)
        for name in ("spool", "log"):
            os.chown(self.folder / name, USER, USER)
        shutil.chown(self.folder, USER, USER)
        for name, line in (("passwd", f"Debian-exim:x:{USER}:{USER}::/nonexistent:/usr/sbin/nologin\n"), ("group", f"Debian-exim:x:{USER}:\n")):
            (self.folder / "etc" / name).write_text(Path("/etc", name).read_text() + line)
        self.port = free_port()
        names = " : ".join(domains)
        route = ROUTE.format(domains=names, next_host=next_hop[0]) if next_hop else ""
        verdicts = [("deny message = no such mailbox", r) for r in refuse] + [("defer message = 451 4.7.1 come back later", r) for r in defer]
        acl = "".join("  {}\n  local_parts = {}\n  domains = {}\n".format(verdict, *r.split("@")) for verdict, r in verdicts) + acl
        self.config = self.folder / "etc" / "exim4" / "exim4.conf"
        self.config.write_text(CONFIG.format(
            folder=self.folder, host=host, port=self.port, domains=names, mailboxes=" : ".join(mailboxes), route=route, dsn=dsn, utf8=utf8, main=main,
            acl=acl, routers=routers, transport=transport, authenticators=authenticators, next_port=next_hop[1] if next_hop else 25, retry=retry))
        self.command = str(self.folder / "bin" / "exim")
        self._write_command()
        self._daemon = None
        if daemon:
            self.start()

    def _write_command(self):
        # The cache is root's alone, which the mounted layer is not.
        mounts = "".join(f"mount -t overlay overlay -o lowerdir={layer}:{place} {place} && "
                         for layer, place in ((self.folder / "etc", "/etc"), (self.files / "usr" / "sbin", "/usr/sbin")))
        enter = mounts + 'exec /usr/sbin/exim4 "$@"'
        Path(self.command).write_text(f"#!/bin/sh\nexec unshare --mount sh -c {shlex.quote(enter)} exim4 \"$@\"\n")
        Path(self.command).chmod(0o755)

    def start(self):
        with (self.folder / "log" / "stderr").open("ab") as errors:
            self._daemon = subprocess.Popen([self.command, "-bdf"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
                                            start_new_session=True)
        wait_until(self.answers, f"Exim; {(self.folder / 'log' / 'stderr').read_text(errors='replace')}")

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as s:
                return s.recv(100).startswith(b"220")
        except OSError:
            return False

    def run(self, *arguments, data=b"", check=0):
        done = subprocess.run([self.command, *arguments], input=data, capture_output=True, timeout=PATIENCE)
        if check is not None and done.returncode != check:
            raise AssertionError(f"exim {arguments} ended {done.returncode}: {done.stdout!r} {done.stderr!r}")
        return done

    def send(self, message, *recipients, sender="alice@here.example", queue=True):
        """Into the queue, to be delivered by a queue run; with queue=False at once, in the background."""
        self.run("-odq" if queue else "-odb", "-i", "-f", sender, *recipients, data=message)

    def queue(self):
        """The ids of what is in the queue."""
        return [line.split()[2].decode() for line in self.run("-bpr").stdout.splitlines() if b" <" in line]

    def box(self, name):
        return sorted(p.read_bytes() for p in (self.folder / "boxes" / name / "new").glob("*"))

    def log(self):
        path = self.folder / "log" / "mainlog"
        return path.read_text(errors="replace") if path.exists() else ""

    def environment(self):
        """For a program that is to find this Exim as `exim`."""
        return dict(os.environ, PATH=f"{self.folder / 'bin'}:{os.environ.get('PATH', '/usr/bin:/bin')}")

    def stop_daemon(self):
        if self._daemon:
            try:
                os.killpg(self._daemon.pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
            self._daemon.wait(PATIENCE)
            self._daemon = None

    def stop(self):
        self.stop_daemon()
        shutil.rmtree(self.folder, ignore_errors=True)
