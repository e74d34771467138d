# SPDX-License-Identifier: MIT
"""X.400 between two sites, watched by Wireshark's decoders: a thousand messages both ways in one association, byte for byte; checkpoints and serials as
configured; a transfer that goes on after a cut."""

import os
import random
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import tshark  # noqa: E402
from support.x400 import Line, Sites  # noqa: E402

COUNT = int(os.environ.get("LONGLINE_X400_MESSAGES", "1000"))


def body(tag, size):
    rng = random.Random(tag)
    lines = [bytes(rng.choice(b"abc. \xe4\xff=\t") for _ in range(rng.randrange(70))) for _ in range(size // 35)]
    return b"From: a@a.example\r\nMessage-ID: <" + tag.encode() + b"@test>\r\nSubject: " + tag.encode() + b"\r\n\r\n" + b"\r\n".join(lines) + b"\r\n"


def batch(messages):
    """Batch SMTP (RFC 2442) of {tag: (sender, recipient, content)}."""
    out = b"EHLO test\r\n"
    for sender, recipient, content in messages.values():
        stuffed = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in content.split(b"\r\n"))
        out += f"MAIL FROM:<{sender}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode() + stuffed + b".\r\n"
    return out + b"QUIT\r\n"


class Case(unittest.TestCase):
    def sites(self, **options):
        sites = Sites(**options)
        self.addCleanup(sites.close)
        return sites

    def pcap(self, capture):
        file = tempfile.NamedTemporaryFile(suffix=".pcap")
        self.addCleanup(file.close)
        capture.write(file.name)
        return file.name

    def fill(self, site, count, sender, recipient, size=400):
        messages = {f"{site.name}{n}": (sender, recipient, body(f"{site.name}{n}", size)) for n in range(count)}
        site.root.run("import", "-", stdin=batch(messages), patience=120)
        return {tag: content for tag, (_, _, content) in messages.items()}

    def received(self, site):
        """{tag: content} of the inbox; every message once."""
        import sqlite3
        db = sqlite3.connect(f"file:{site.root.spool}?mode=ro", uri=True)
        found = {}
        for (content,) in db.execute("SELECT b.content FROM messages m JOIN bodies b USING(seq) WHERE m.box=1"):
            tag = bytes(content).split(b"Subject: ")[1].split(b"\r\n")[0].decode()
            self.assertNotIn(tag, found, "delivered twice")
            found[tag] = bytes(content)
        db.close()
        return found


@unittest.skipUnless(tshark.available(), "tshark is not installed")
class Watched(Case):
    def test_a_thousand_messages_both_ways(self):
        # On a slow disk others would be called to help.
        sites = self.sites(caller=f"checkpoint-size = 15\nwindow = 3\nthreshold = {COUNT}", called="checkpoint-size = 15\nwindow = 3")
        out = self.fill(sites.a, COUNT, "alice@a.example", "bob@b.example")
        back = self.fill(sites.b, COUNT, "bob@b.example", "alice@a.example")
        sites.listen()
        tap = tshark.Tap(("127.0.0.1", sites.b_port))
        self.addCleanup(tap.close)
        sites.through(tap)
        sites.a.root.run("flush", "--wait", patience=300)
        self.assertEqual(self.received(sites.b), out)
        self.assertEqual(self.received(sites.a), back)
        self.assertEqual((sites.a.root.ids(), sites.b.root.ids()), ([], []))
        path = self.pcap(tap.capture)
        self.assertEqual(tshark.malformed(path), [])
        # One association, which was released.
        types = tshark.values(path, "ses.type")
        self.assertEqual([types.count(t) for t in ("13", "14", "9", "10")], [1, 1, 1, 1])
        self.assertEqual(types.count("45"), 2 * COUNT)
        self.assertEqual(set(tshark.values(path, "rtse.checkpointSize")), {"15"})
        self.assertEqual(set(tshark.values(path, "rtse.windowSize")), {"3"})
        self.assertEqual(len(tshark.values(path, "p1.MTS_APDU")), 2 * COUNT)

    def test_checkpoints_and_serials(self):
        sites = self.sites(caller="checkpoint-size = 4\nwindow = 2", called="checkpoint-size = 4\nwindow = 2")
        out = self.fill(sites.a, 1, "alice@a.example", "bob@b.example", size=50_000)
        sites.listen()
        tap = tshark.Tap(("127.0.0.1", sites.b_port))
        self.addCleanup(tap.close)
        line = Line(tap.port, [25_000])
        sites.through(line)
        sites.a.root.flush("--wait")
        self.assertEqual(self.received(sites.b), out)
        line.close()
        # What goes on in a second connection tshark takes for a beginning: it looks at no more than the points there.
        path = self.pcap(tap.capture)
        types = tshark.values(path, "ses.type")
        self.assertEqual((types.count("45"), types.count("29"), types.count("13")), (1, 1, 2))   # AS, AR, CN
        points = [int(n) for n in tshark.values(path, "ses.serial_number", where="ses.type == 49")]
        segments = -(-len(out["A0"]) // 4096)
        resumed = next(i for i in range(1, len(points)) if points[i] != points[i - 1] + 1)
        self.assertEqual(points[:resumed], list(range(1, resumed + 1)))
        self.assertIn(points[resumed], range(resumed - 2, resumed + 1))
        self.assertIn(points[-1], (segments - 1, segments))


class Helpers(Case):
    def test_a_backlog_on_a_lan_gets_more_associations(self):
        """First one association, which is slow; then others share the work."""
        sites = self.sites(caller='threshold = 10\ntransfer-interval = "10s"')
        out = self.fill(sites.a, 50, "alice@a.example", "bob@b.example")
        sites.listen()
        line = Line(sites.b_port, delay=0.4)
        sites.through(line)
        sites.a.root.run("flush", "--wait", patience=200)
        self.assertEqual(self.received(sites.b), out)
        self.assertGreater(line.connections, 2)
        self.assertLessEqual(line.connections, 10)
        (event,) = sites.a.root.events("queue.flushed")
        self.assertEqual((event["sent"], event["connections"]), (50, line.connections))


if __name__ == "__main__":
    unittest.main()
