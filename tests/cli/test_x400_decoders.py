#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What our X.400 encoders make, read by decoders that are not ours: dumpasn1 for BER, tshark for P1 (X.411) and P22 (X.420)."""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "support"))
import x400_capture  # noqa: E402

BUILD = Path(os.environ.get("LONGLINE_BUILD", SOURCE / "build"))
SAMPLES = BUILD / "tests" / "contract" / "x400-samples"
TREES = 60
MESSAGES = ("message", "message-indefinite", "ipm-plain", "ipm-whole", "report")


def sample(name):
    return subprocess.run([SAMPLES, name], stdout=subprocess.PIPE, check=True, timeout=20).stdout


def complaints(value):
    """What dumpasn1 finds wrong, but for its guess that octets are a text. None: it did not come to the end."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(value)
        file.flush()
        said = subprocess.run(["dumpasn1", "-a", file.name], capture_output=True, text=True, errors="replace", check=False, timeout=20)
    lines = (said.stdout + said.stderr).splitlines()
    if not any(re.fullmatch(r"\d+ warnings?, \d+ errors?\.", line) for line in lines):
        return None
    return [line.strip(" :") for line in lines if "Error:" in line and "contains illegal character" not in line]


class BerTest(unittest.TestCase):
    def test_trees(self):
        for seed in range(TREES):
            with self.subTest(seed=seed):
                self.assertEqual(complaints(sample(f"tree-{seed}")), [])

    def test_messages(self):
        for name in MESSAGES:
            with self.subTest(name):
                self.assertEqual(complaints(sample(name)), [])

    def test_a_broken_one_is_noticed(self):
        self.assertNotEqual(complaints(sample("report")[:-1]), [])


class TsharkTest(unittest.TestCase):
    """tshark gets each value in an association of its own making."""

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "transfers.pcap")
            x400_capture.capture([sample(name) for name in MESSAGES], path)
            cls.text = cls.tshark(path, "-V")
            cls.summary = cls.tshark(path, "-T", "fields", "-e", "_ws.col.Protocol", "-e", "_ws.col.Info", "-e", "_ws.malformed")

    @staticmethod
    def tshark(path, *arguments):
        done = subprocess.run(["tshark", "-r", path, *arguments], capture_output=True, text=True, check=True, timeout=60,
                              env={**os.environ, "LC_ALL": "C.UTF-8"})
        return done.stdout

    def count(self, line):
        return sum(1 for one in self.text.splitlines() if one.strip() == line)

    def test_nothing_is_malformed(self):
        self.assertNotIn("_ws.malformed", self.summary)
        self.assertNotIn("Malformed", self.text)
        self.assertNotIn("BER Error", self.text)

    def test_each_value_is_what_it_is(self):
        last = [line.split("\t")[:2] for line in self.summary.splitlines() if line.startswith(("P1\tTransfer", "P22\t"))]
        self.assertEqual(last, [["P1", "Transfer"], ["P1", "Transfer"], ["P22", "InterPersonal Message (Gr\u00fc\u00dfe)"],
                                ["P22", "InterPersonal Message (Gr\u00fc\u00dfe)"], ["P1", "Transfer delivery non-delivery report"]])

    def test_the_envelope(self):
        self.assertEqual(self.count("priority: urgent (2)"), 4)
        self.assertEqual(self.count("deferred-delivery-time: 26-11-23 08:00:00 (UTC)"), 4)
        self.assertEqual(self.count("standard-extension: internal-trace-information (38)"), 5)
        self.assertEqual(self.count("mta-name: HUB2"), 4)
        self.assertEqual(self.count("value: (q)b c(q)(a)hub.example"), 5)
        self.assertEqual(self.count("built-in: unidentified (0)"), 3)

    def test_the_heading(self):
        self.assertEqual(self.count("subject: Gr\u00fc\u00dfe"), 2)
        self.assertEqual(self.count("importance: high (2)"), 2)
        self.assertEqual(self.count("sensitivity: private (2)"), 2)
        self.assertEqual(self.count("primary-recipients: 2 items"), 2)
        self.assertEqual(self.count("related-IPMs: 2 items"), 2)
        self.assertEqual(self.count("basic: ia5-text (0)"), 2)
        self.assertEqual(self.count("basic: bilaterally-defined (14)"), 2)

    def test_the_report(self):
        self.assertEqual(self.count("message-delivery-time: 26-11-22 23:16:00 (UTC)"), 1)
        self.assertEqual(self.count("non-delivery-reason-code: unable-to-transfer (1)"), 1)
        self.assertEqual(self.count("non-delivery-diagnostic-code: unrecognised-OR-name (0)"), 1)
        self.assertEqual(self.count("supplementary-information: no such user here"), 1)


if __name__ == "__main__":
    unittest.main()
