# SPDX-License-Identifier: MIT
"""The drop folder: mail of users who may not write the spool, taken in exactly once, whatever lies there; aliases; sendmail for everybody."""

import concurrent.futures
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.mail import LINK, MTAQ, PATIENCE, Peer, Root, lan  # noqa: E402
from support.stopwatch import Stopwatch  # noqa: E402

HOST = socket.getfqdn() if "." in socket.getfqdn() else os.uname().nodename
USER = 65534
OTHER = 65533


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class Case(unittest.TestCase):
    config = LINK + lan(2525)

    def setUp(self):
        self.root = Root(self.config)
        self.addCleanup(self.root.close)
        self.root.folder.chmod(0o711)
        self.drop = self.root.folder / "drop"
        self.drop.mkdir()
        self.drop.chmod(0o1733)
        # The build may lie where nobody else gets to.
        self.tools = Path(tempfile.mkdtemp(prefix="lt-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.tools)
        self.tools.chmod(0o755)
        shutil.copy(MTAQ, self.tools / "mtaq")
        (self.tools / "sendmail").symlink_to("mtaq")
        self.root.run("list")

    def as_user(self, *arguments, stdin=b"", status=0, user=USER, program="sendmail", env=None):
        environment = {"PATH": os.environ["PATH"], "LONGLINE_ROOT": str(self.root.folder), **(env or {})}
        done = subprocess.run([self.tools / program, *map(str, arguments)], input=stdin, capture_output=True, timeout=PATIENCE, env=environment, user=user,
                              group=user, extra_groups=[])
        if status is not None:
            self.assertEqual(done.returncode, status, done.stderr)
        return done

    def files(self):
        return sorted(p.name for p in self.drop.iterdir())

    def raw(self, id):
        return self.root.run("show", "--raw", id).stdout


class Submit(Case):
    def test_a_users_mail_and_roots_flush_meet_in_one_spool(self):
        with Peer() as peer:
            self.root.configure(LINK + lan(peer.port))
            self.root.run("add", "-f", "root@site7.example", "eve@lan.example", stdin=b"Subject: root\n\nx\n")
            done = self.as_user("-oi", "-t", stdin=b"To: eve@lan.example\nSubject: user\n\n.\nend\n")
            self.assertEqual((done.stdout, done.stderr), (b"", b""))
            self.root.run("flush", "--wait", "--quiet")
            self.assertEqual(len(peer.messages), 2)
            sender, recipients, body = peer.messages[1]
            self.assertEqual(recipients, ["eve@lan.example"])
            self.assertTrue(sender.startswith("nobody@"), sender)
            self.assertIn(b"\r\n.\r\nend\r\n", body.replace(b"\r\n..\r\n", b"\r\n.\r\n"))
        self.assertEqual(self.files(), [])

    def test_who_it_was(self):
        self.as_user("-f", "boss@site7.example", "bob@example.com", stdin=b"Subject: s\n\nx\n")
        self.as_user("bob@example.com", stdin=b"Subject: s\n\nx\n", user=OTHER)
        first, second = self.root.list()
        header = self.raw(first["id"]).split(b"\r\n\r\n")[0].decode()
        self.assertRegex(header, r"\AReceived: by \S+ \(longline, from userid 65534\); ")
        self.assertRegex(header, r"\r\nX-Authentication-Warning: \S+: nobody set sender to <boss@site7\.example> using -f\r\n")
        header = self.raw(second["id"]).split(b"\r\n\r\n")[0].decode()
        self.assertIn("from userid 65533", header)
        self.assertNotIn("X-Authentication-Warning", header)
        events = self.root.events("mail.dropped")
        self.assertEqual([(e["uid"], e["message"]) for e in events], [(USER, first["id"]), (OTHER, second["id"])])

    def test_files_are_private_and_nobody_lists_them(self):
        self.as_user("bob@example.com", stdin=b"secret\n")
        (name,) = self.files()
        info = (self.drop / name).stat()
        self.assertEqual((stat.S_IMODE(info.st_mode), info.st_uid), (0o600, USER))
        # Neither may a user look into the spool.
        self.as_user("list", program="mtaq", status=77)
        self.as_user("-bp", status=77)
        self.as_user("-q", status=77)

    def test_mtaq_add_by_a_user_has_no_id_yet(self):
        self.assertEqual(self.as_user("add", "bob@example.com", program="mtaq", stdin=b"x\n").stdout, b"")
        done = self.as_user("add", "--json", "--priority", "urgent", "bob@example.com", program="mtaq", stdin=b"x\n")
        self.assertEqual(done.stdout, b'{"id":null}\n')
        self.assertEqual(sorted(m["priority"] for m in self.root.list()), ["normal", "urgent"])

    def test_smtp_on_stdio(self):
        script = b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\nSubject: q\r\n\r\nx\r\n.\r\nQUIT\r\n"
        self.assertIn(b"\r\n250 2.0.0 Ok\r\n221 ", self.as_user("-bs", stdin=script).stdout)
        (message,) = self.root.list()
        self.assertEqual((message["sender"], message["subject"]), ("a@b.example", "q"))

    def test_what_the_sender_wants_to_be_told_reaches_the_peer(self):
        script = (b"EHLO x\r\nMAIL FROM:<a@b.example> RET=FULL ENVID=E1\r\nRCPT TO:<bob@lan.example> NOTIFY=NEVER\r\n"
                  b"RCPT TO:<eve@lan.example> NOTIFY=SUCCESS ORCPT=rfc822;Eve@lan.example\r\nDATA\r\nSubject: q\r\n\r\nx\r\n.\r\nQUIT\r\n")
        with Peer(extensions=("DSN",)) as peer:
            self.root.configure(lan(peer.port))
            self.as_user("-N", "delay,failure", "-R", "hdrs", "-V", "7", "bob@lan.example", stdin=b"Subject: s\n\nx\n")
            self.as_user("-bs", stdin=script)
            self.root.flush()
        self.assertEqual([" ".join(command.split()[2:]) for command in peer.commands if command.startswith("RCPT")],
                         ["NOTIFY=FAILURE,DELAY", "NOTIFY=NEVER", "NOTIFY=SUCCESS ORCPT=rfc822;Eve@lan.example"])
        self.assertEqual([" ".join(command.split()[3:]) for command in peer.commands if command.startswith("MAIL")], ["ENVID=7 RET=HDRS", "ENVID=E1 RET=FULL"])

    def test_the_configuration_is_not_the_users_business(self):
        secret = self.root.folder / "hub.secret"
        secret.write_text("pw\n")
        secret.chmod(0o600)
        self.root.configure(LINK + lan(2525, more='user = "me"\npassword-file = "hub.secret"'))
        (self.root.folder / "longline.toml").chmod(0o600)
        self.as_user("bob@example.com", stdin=b"x\n")
        self.assertEqual(len(self.root.list()), 1)

    def test_wrong_mail_is_refused_to_its_sender(self):
        self.as_user("not an address", stdin=b"x\n", status=65)
        self.as_user("-t", stdin=b"Subject: nobody\n\nx\n", status=65)
        loop = b"".join(b"Received: by host%d; now\n" % n for n in range(101))
        self.as_user("bob@example.com", stdin=loop + b"\nx\n", status=65)
        self.assertEqual(self.files(), [])

    def test_a_full_disk_is_said(self):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=1733", "tmpfs", self.drop], check=True)
        try:
            self.as_user("bob@example.com", stdin=b"z" * 100_000 + b"\n", status=74)
            self.assertEqual(self.files(), [])
            self.as_user("bob@example.com", stdin=b"z\n")
            self.assertEqual(len(self.root.list()), 1)
        finally:
            subprocess.run(["umount", self.drop], check=True)

    def test_without_a_drop_folder_the_spool_stays_closed(self):
        self.drop.rmdir()
        self.assertIn(b"spool.db", self.as_user("bob@example.com", stdin=b"x\n", status=77).stderr)


class TakeIn(Case):
    def leave(self, count=1, **options):
        for n in range(count):
            self.as_user("bob@example.com", stdin=b"Subject: %d\n\nx\n" % n, **options)

    def plant(self, content, name="000000000000.x", user=USER, mode=0o600):
        path = self.drop / name
        path.write_bytes(content)
        os.chown(path, user, user)
        path.chmod(mode)
        return path

    def test_many_takers_at_once(self):
        self.leave(30)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: self.root.run("list"), range(16)))
        self.assertEqual(sorted(m["subject"] for m in self.root.list()), sorted(str(n) for n in range(30)))

    def test_a_file_that_comes_back_after_its_commit_is_not_taken_twice(self):
        self.leave()
        (name,) = self.files()
        content = (self.drop / name).read_bytes()
        self.root.run("list")
        # As if the taker had been killed before the file was gone.
        subprocess.run(["sqlite3", self.root.spool, f"INSERT INTO dropped VALUES('{name}')"], check=True)
        self.plant(content, name)
        self.assertEqual(len(self.root.list()), 1)
        self.assertEqual(self.files(), [])
        # Forgotten when it is gone for good, so the spool does not grow.
        self.root.run("list")
        self.leave()
        self.root.run("list")
        rows = subprocess.run(["sqlite3", self.root.spool, "SELECT count(*) FROM dropped"], check=True, capture_output=True).stdout
        self.assertEqual(rows, b"0\n")

    def test_killed_at_each_system_call_that_matters(self):
        for call in ("unlinkat", "fsync", "fdatasync", "pwrite64", "openat", "newfstatat", "fcntl"):
            for when in (1, 2, 3, 5, 8):
                with self.subTest(call=call, when=when):
                    self.leave(2)
                    subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={when}",
                                    *self.root.command("list")], capture_output=True, timeout=PATIENCE)
                    ids = self.root.ids()
                    self.assertEqual(len(ids), 2)
                    self.assertEqual(self.files(), [])
                    self.root.run("remove", *ids)

    def test_a_user_killed_while_dropping_leaves_nothing_that_counts(self):
        for call in ("openat", "write", "fsync", "renameat2", "close"):
            for when in (1, 2, 4):
                with self.subTest(call=call, when=when):
                    done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={when}",
                                           self.tools / "sendmail", "bob@example.com"], input=b"whole\n", capture_output=True, timeout=PATIENCE, user=USER,
                                          group=USER, extra_groups=[], env={"PATH": os.environ["PATH"], "LONGLINE_ROOT": str(self.root.folder)})
                    ids = self.root.ids()
                    self.assertLessEqual(len(ids), 1)
                    if done.returncode == 0:
                        self.assertEqual(len(ids), 1)
                    for id in ids:
                        self.assertTrue(self.raw(id).endswith(b"whole\r\n"))
                        self.root.run("remove", id)
                    self.assertTrue(all(name.startswith(".") for name in self.files()))

    def test_what_is_no_message_is_taken_away_and_said(self):
        good = b"longline drop 1\nsender a@b.example\npriority 0\nrecipient bob@example.com\ncontent 2\nx\n"
        bad = [b"", b"x", good[:-1], good + b"more", good.replace(b"drop 1", b"drop 2"), good.replace(b"bob@example.com", b"bob\x07@example.com"),
               good.replace(b"recipient bob@example.com\n", b""), good.replace(b"priority 0", b"priority 99"), b"\0" * 5000,
               good.replace(b"content 2", b"content -2"), good.replace(b"content 2", b"content 99999999999999999999"), b"longline drop 1\n" + b"a" * 3000]
        for n, content in enumerate(bad):
            self.plant(content, f"bad{n:02}")
        self.plant(good, "good")
        self.assertEqual(len(self.root.list()), 1)
        self.assertEqual(self.files(), [])
        events = self.root.events("mail.drop-refused")
        self.assertEqual(len(events), len(bad))
        self.assertEqual({e["uid"] for e in events}, {USER})

    def test_links_pipes_and_folders(self):
        victim = self.root.folder / "victim"
        victim.write_bytes(b"longline drop 1\nsender \npriority 0\nrecipient thief@example.com\ncontent 7\nsecret\n")
        victim.chmod(0o600)
        os.symlink(victim, self.drop / "symlink")
        os.link(victim, self.drop / "hardlink")
        os.mkfifo(self.drop / "pipe")
        (self.drop / "folder").mkdir()
        (self.drop / "folder" / "inside").write_bytes(b"x")
        started = Stopwatch()
        self.assertEqual(self.root.list(), [])
        self.assertLess(started.ours(), PATIENCE / 2)
        self.assertTrue(victim.exists())
        self.assertEqual(self.files(), ["folder", "hardlink"])

    def test_unfinished_and_oversized_files(self):
        self.plant(b"half", ".unfinished")
        big = self.plant(b"longline drop 1\n", "big")
        os.truncate(big, 101_000_000)
        self.root.run("list")
        self.assertEqual(self.files(), [".unfinished"])
        self.assertEqual(len(self.root.events("mail.drop-refused")), 1)

    def test_a_full_disk_keeps_mail_in_the_drop_folder(self):
        with tempfile.TemporaryDirectory(dir="/tmp", prefix="lf-") as mount:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1200k,mode=711", "tmpfs", mount], check=True)
            try:
                root = Root(self.config, folder=mount)
                root.run("list")
                root.add()
                drop = Path(mount) / "drop"
                drop.mkdir()
                drop.chmod(0o1733)
                self.root.folder, saved = Path(mount), self.root.folder
                self.as_user("bob@example.com", stdin=b"z" * 160_000 + b"\n")   # more than the log gives back
                self.root.folder = saved
                with open(Path(mount) / "fill", "wb", buffering=0) as fill:
                    try:
                        while True:
                            fill.write(b"z" * 4096)
                    except OSError:
                        pass
                done = root.run("list", "--json")
                self.assertIn(b"drop folder", done.stderr)
                self.assertEqual(len(list(drop.iterdir())), 1)
                os.unlink(Path(mount) / "fill")
                self.assertEqual(len(root.list()), 2)
                self.assertEqual(list(drop.iterdir()), [])
            finally:
                subprocess.run(["umount", mount], check=True)


class AliasesCase(Case):
    def aliases(self, text, mode=0o644):
        path = self.root.folder / "aliases"
        path.write_text(text)
        path.chmod(mode)

    def recipients(self, *arguments, inbox=False):
        (message,) = self.root.list(*(["--inbox"] if inbox else []))
        self.root.run("remove", message["id"])
        return [r["address"] for r in message["recipients"]]

    def test_mail_for_root_goes_where_the_aliases_say(self):
        self.aliases("# comment\nroot: admin,\n  eve@lan.example\nadmin:\tbob@example.com\n")
        self.as_user("root", stdin=b"x\n")
        self.assertEqual(self.recipients(), ["bob@example.com", "eve@lan.example"])
        self.root.run("add", "root", "bob@example.com", stdin=b"x\n")
        self.assertEqual(self.recipients(), ["bob@example.com", "eve@lan.example"])

    def test_loops_programs_and_files_of_others(self):
        self.aliases('a: b\nb: a\nroot: "|/bin/sh", /etc/passwd, :include:/x, \\root, c@example.com\n')
        self.root.run("add", "root", stdin=b"x\n")
        self.assertEqual([r.split("@")[0] for r in self.recipients()], ["root", "c"])
        self.root.run("add", "a", stdin=b"x\n")
        self.assertEqual([r.split("@")[0] for r in self.recipients()], ["a"])
        newaliases = self.tools / "newaliases"
        newaliases.symlink_to("mtaq")
        done = subprocess.run([newaliases], capture_output=True, env={**os.environ, "LONGLINE_ROOT": str(self.root.folder)}, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stderr.count(b"is not followed")), (0, 3))
        self.aliases("root: c@example.com\n", mode=0o666)
        self.root.run("add", "root", stdin=b"x\n")
        self.assertEqual([r.split("@")[0] for r in self.recipients()], ["root"])
        # Which is said where somebody asks.
        done = subprocess.run([newaliases], capture_output=True, env={**os.environ, "LONGLINE_ROOT": str(self.root.folder)}, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (0, f"{self.root.folder}/aliases: not read: others may write it (mode 0666)\n".encode()))
        self.assertIn(b"not read: others may write it (mode 0666) [alias]", self.root.run("check").stdout)

    def test_local_names_go_to_the_inbox(self):
        self.root.configure(f'local-domains = ["{HOST.lower()}", "site7.example"]\n' + self.config)
        self.aliases("root: me@site7.example\n")
        self.root.run("add", "root", stdin=b"x\n")
        self.assertEqual(self.recipients(inbox=True), ["me@site7.example"])


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class HostWide(unittest.TestCase):
    """The host's own folders, in a mount namespace where they are empty."""

    SCRIPT = r"""
set -eu
mount -t tmpfs tmpfs /var/spool
mount -t tmpfs tmpfs /var/log
mount -t tmpfs tmpfs /var/lib/longline 2>/dev/null || mount -t tmpfs tmpfs /var/lib
mount -t tmpfs tmpfs /run
mkdir "$WORK/etc" "$WORK/upper" "$WORK/worker"
cp -a /etc/passwd /etc/group /etc/hosts /etc/nsswitch.conf /etc/hostname /etc/ld.so.cache "$WORK/etc/" 2>/dev/null || true
mount --bind "$WORK/etc" /etc
mkdir /etc/longline
printf 'root: admin@example.com\n' > /etc/aliases
printf '[connector.lan]\ndomains = ["*"]\nhost = "127.0.0.1"\nport = 9\n' > /etc/longline/longline.toml
M="$TOOLS/mtaq"
"$M" list
stat -c '%a %U %n' /var/spool/longline /var/spool/longline/drop
printf 'Subject: from cron\n\nx\n' | setpriv --reuid=65534 --regid=65534 --clear-groups "$TOOLS/sendmail" -i -FCronDaemon root
printf 'x\n' | setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent "$M" add bob@example.com
setpriv --reuid=65534 --regid=65534 --clear-groups "$M" list && exit 9 || test $? = 77
"$M" list --json
test -z "$(ls /var/spool/longline/drop)"
"$M" due || test $? = 1
"""

    def test_one_spool_for_all(self):
        with tempfile.TemporaryDirectory(prefix="lh-", dir="/tmp") as work:
            os.chmod(work, 0o755)
            tools = Path(work) / "tools"
            tools.mkdir()
            shutil.copy(MTAQ, tools / "mtaq")
            (tools / "sendmail").symlink_to("mtaq")
            environment = {k: v for k, v in os.environ.items() if not k.startswith("LONGLINE")}
            done = subprocess.run(["unshare", "-m", "sh", "-c", self.SCRIPT], capture_output=True, timeout=PATIENCE * 2,
                                  env={**environment, "WORK": work, "TOOLS": str(tools)})
            self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
            self.assertIn(b"711 root /var/spool/longline\n1733 root /var/spool/longline/drop\n", done.stdout)
            self.assertIn(b'"subject":"from cron"', done.stdout)
            self.assertIn(b'"address":"admin@example.com"', done.stdout)
            self.assertIn(b'"address":"bob@example.com"', done.stdout)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    unittest.main()
