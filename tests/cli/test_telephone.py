#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tests/fakes/telephone.py: two modems that call each other."""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from modemsim import PtyDte, wait_until

TELEPHONE = Path(__file__).resolve().parents[1] / "fakes" / "telephone.py"


class Telephone(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="longline-")
        self.addCleanup(self.folder.cleanup)
        paths = [str(Path(self.folder.name) / name) for name in ("log", "a", "b")]
        self.log = Path(paths[0])
        process = subprocess.Popen([sys.executable, str(TELEPHONE), *paths], stdout=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.terminate)
        self.assertEqual(process.stdout.readline(), b"telephone: ready\n")
        self.a, self.b = (PtyDte(path) for path in paths[1:])
        for dte in (self.a, self.b):
            self.addCleanup(dte.close)
            dte.command("ATZ")

    def events(self, name):
        return [e["modem"] for e in map(json.loads, self.log.read_text().splitlines()) if e["event"] == name]

    def connect(self):
        self.a.send("ATDT555\r")
        self.b.expect("\r\nRING\r\n")
        self.b.send("ATA\r")
        for dte in (self.a, self.b):
            dte.expect("\r\nCONNECT 33600\r\n")

    def test_one_rings_the_other_answers_and_bytes_pass(self):
        self.connect()
        self.a.send(b"hello\x00\xff")
        self.assertEqual(self.b.expect_bytes(7), b"hello\x00\xff")
        self.b.send("and back")
        self.a.expect("and back")
        self.assertEqual(sorted(self.events("connect")), ["a", "b"])

    def test_closing_the_port_and_dtr_hang_up_and_the_other_end_hears_it(self):
        self.connect()
        self.a.close()
        self.b.expect("\r\nNO CARRIER\r\n")
        self.b.command("AT")
        wait_until(lambda: "a" in self.events("close"), what="close")

    def test_the_escape_sequence_gives_the_modem_back(self):
        self.connect()
        self.a.expect_silence(1.1)
        self.a.send("+++")
        self.a.expect("\r\nOK\r\n")
        self.a.command("ATH")
        self.b.expect("+++\r\nNO CARRIER\r\n")

    def test_both_at_once_are_busy(self):
        self.a.send("ATDT555\r")
        self.b.send("ATDT555\r")
        self.a.expect("\r\nBUSY\r\n")

    def test_a_modem_that_rings_stays_ringing_while_it_is_initialised(self):
        self.a.send("ATDT555\r")
        self.b.expect("\r\nRING\r\n")
        self.b.command("ATZ")
        self.b.expect("\r\nRING\r\n")
        self.a.send("\r")
        self.a.expect("\r\nNO CARRIER\r\n")


if __name__ == "__main__":
    unittest.main()
