# SPDX-License-Identifier: MIT
"""KB Q158279: the link comes up and nothing moves, because a name is not the one that the other side expects. The event says which name was
expected and which came, the call counts as one that moved nothing."""

import json
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from longline import Site, message  # noqa: E402
from modemsim import BUILD, wait_until  # noqa: E402
from support.mail import PATIENCE, Peer, Root  # noqa: E402

# argv: its name in the banner, its name in the EHLO reply, the name that it expects ("*": any).
PEER = r"""
import sys
banner, name, wanted = sys.argv[1:4]
def say(text):
    sys.stdout.write(text + "\r\n")
    sys.stdout.flush()
say(f"220 {banner} ESMTP")
for line in sys.stdin:
    verb, _, given = line.strip().partition(" ")
    verb = verb.upper()
    if verb in ("EHLO", "HELO") and wanted not in ("*", given):
        say(f"550 5.7.1 I expected {wanted}")
    elif verb == "DATA":
        say("354 go")
        while sys.stdin.readline().strip() != ".":
            pass
        say("250 taken")
    elif verb == "QUIT":
        say("221 bye")
        break
    else:
        say(f"250 {name}")
"""


class NamedSite(Site):
    def __init__(self, banner, name, wanted, keys, link=""):
        self.far_names = (banner, name, wanted)
        self.keys = keys
        super().__init__(link=link)

    def scenario(self, line, modem, numbers, faults):
        program = self.folder / "peer.py"
        program.write_text(PEER)
        far = [sys.executable, str(program), *self.far_names]
        return f"[line]\n{line}\n[modem]\n{modem}\n{numbers}\n{self.login}\n[far-end]\ncommand = {json.dumps(far)}\nstderr = \"{self.far}/errors\"\n"

    def configure(self, **changes):
        super().configure(**changes)
        self.write("longline.toml", (self.root / "longline.toml").read_text() + self.keys + "\n")


class WrongNames(unittest.TestCase):
    def call(self, banner, name, wanted, keys):
        site = NamedSite(banner, name, wanted, keys, link='backoff = "10m..6h"')
        self.addCleanup(site.close)
        site.add(message("names"))
        done = site.flush("--json")
        wait_until(lambda: site.status()["state"] != "up", 10, "the end of the call")
        return site, done

    def check_nothing_moved(self, site, done, *names):
        self.assertNotEqual(done.status, 0, done)
        self.assertEqual(len(site.events("link.up")), 1)
        flushed = site.events("queue.flushed")[-1]
        self.assertEqual((flushed["due"], flushed["sent"], flushed["id"]), (1, 0, 1294))
        for name in names:
            self.assertIn(name, flushed["text"])
            self.assertIn(name, done.errors)
        (nothing,) = site.events("link.nothing-moved")
        self.assertEqual((nothing["link"], nothing["id"]), ("isp", 9316))
        # Mail stays, blameless; the call counts against the retries and the backoff.
        (left,) = site.list()
        self.assertEqual((left["state"], left["attempts"]), ("ready", 0))
        self.assertEqual(site.status()["state"], "unreachable")
        self.assertEqual(site.run("mtaq", "due", check=False).status, 1)
        self.assertEqual(len(site.sim.calls()), 1)

    def test_the_peer_has_another_name_in_its_banner(self):
        site, done = self.call("other.example.net", "other.example.net", "*", 'peer-name = "mail.example.com"')
        self.check_nothing_moved(site, done, "other.example.net", "mail.example.com")

    def test_the_peer_has_another_name_in_its_ehlo_reply(self):
        site, done = self.call("mail.example.com", "other.example.net", "*", 'peer-name = "mail.example.com"')
        self.check_nothing_moved(site, done, "other.example.net", "mail.example.com", "EHLO")

    def test_the_peer_expects_another_name_of_us(self):
        site, done = self.call("mail.example.com", "mail.example.com", "site7.example.com", 'helo = "site8.example.com"')
        self.check_nothing_moved(site, done, "site7.example.com", "site8.example.com")

    def test_the_right_names_move_the_mail(self):
        site, done = self.call("mail.example.com", "mail.example.com", "site7.example.com",
                               'helo = "site7.example.com"\npeer-name = "Mail.Example.com"')
        self.assertEqual(done.status, 0, done)
        self.assertEqual(site.list(), [])
        self.assertEqual(site.events("link.nothing-moved"), [])


class LineThatEndsWithTheSession(unittest.TestCase):
    """What the session did is told to the link though the line has gone before mtaq can."""
    LINK = '[link.isp]\nport = "tcp:127.0.0.1:{port}"\nmodem = "none"\nnetwork = "stream"\nbackoff = "10m..6h"\n'
    CONNECTOR = '[connector.hub]\ndomains = ["*"]\nlink = "isp"\nhost = "line"\n{keys}\n'

    def call(self, keys="", **behaviour):
        peer = Peer(**behaviour)
        self.addCleanup(peer.close)
        root = Root((self.LINK + self.CONNECTOR).format(port=peer.port, keys=keys))
        self.addCleanup(root.close)
        root.add()
        tools = [[str(BUILD / "tools" / tool), "--root", str(root.folder)] for tool in ("dialctl", "mtaq")]
        done = subprocess.run([*tools[0], "run", "isp", "--", *tools[1], "flush", "--link", "isp", "--wait"], capture_output=True, timeout=PATIENCE)
        wait_until(lambda: root.events("link.down"), PATIENCE, "the end of the call")
        wait_until(lambda: subprocess.run([*tools[0], "status", "isp", "--json"], capture_output=True, timeout=PATIENCE).stdout.find(b'"up"') < 0,
                   PATIENCE, "the supervisor to end")
        return root, done

    def test_nothing_moved(self):
        refused = {"RCPT": "451 4.3.2 later"}
        for keys, behaviour in (('peer-name = "expected.example"', {}), ("", {"replies": refused}), ("", {"greeting": b"554 5.7.1 not you\r\n"})):
            with self.subTest(keys=keys, **behaviour):
                root, done = self.call(keys, **behaviour)
                self.assertNotEqual(done.returncode, 0, done)
                self.assertEqual(len(root.events("link.nothing-moved")), 1)
                self.assertEqual(len(root.events("link.unreachable")), 1)
                self.assertEqual(root.run("due", status=1).stdout, b"")

    def test_moved(self):
        root, done = self.call()
        self.assertEqual((done.returncode, root.ids()), (0, []), done)
        self.assertEqual((root.events("link.nothing-moved"), root.events("link.unreachable")), ([], []))


if __name__ == "__main__":
    unittest.main()
