# SPDX-License-Identifier: MIT
"""What all four tools say to a wrong command line, and how they end when nobody takes what they print."""

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from longline import TOOLS  # noqa: E402
from modemsim import PATIENCE  # noqa: E402

USAGE = {"chatrun": 1, "dialctl": 64, "mtaq": 64, "routeadd": 64}


def run(tool, *arguments, **options):
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": PATIENCE, **options}
    return subprocess.run([TOOLS / tool, *arguments], check=False, **options)


class Wrong(unittest.TestCase):
    def refused(self, tool, *arguments):
        """The first line of what is said."""
        done = run(tool, *arguments)
        self.assertEqual((done.returncode, done.stdout), (USAGE[tool], b""), done.stderr)
        line = done.stderr.decode().splitlines()[0]
        self.assertLess(len(line), 200)
        return line

    def test_an_unknown_verb(self):
        for tool in USAGE:
            self.assertEqual(self.refused(tool, "bogus"), f"{tool}: unknown verb 'bogus'")
            self.assertEqual(self.refused(tool, "bogus", "more", "--json").count('"message":"unknown verb \'bogus\'"'), 1)
            self.assertEqual(self.refused(tool), f"{tool}: a verb is required")
            self.assertEqual(self.refused(tool, "--bogus"), f"{tool}: unknown option '--bogus'")

    def test_the_nearest_verb(self):
        for tool, slip, meant in (("mtaq", "lst", "list"), ("mtaq", "sumary", "summary"), ("dialctl", "statsu", "status"), ("dialctl", "hsitory", "history"),
                                  ("chatrun", "chek", "check"), ("routeadd", "aply", "apply")):
            self.assertEqual(self.refused(tool, slip), f"{tool}: unknown verb '{slip}'; did you mean '{meant}'?")
        self.assertEqual(self.refused("mtaq", "x400", "pimg"), "mtaq: unknown verb 'pimg'; did you mean 'ping'?")
        self.assertEqual(self.refused("mtaq", "x400"), "mtaq: x400: a verb is required")
        # Verbs that are not for people are not proposed to them.
        self.assertEqual(self.refused("dialctl", "supervis"), "dialctl: unknown verb 'supervis'")

    def test_a_terminal_is_safe(self):
        for tool in USAGE:
            for words in (["\x1b[31m\nbogus"], ["--\x1b[31m"], ["list", "--\x1b[31m"]):
                said = self.refused(tool, *words)
                self.assertNotIn("\x1b", said)

    def test_numbers_are_refused_in_readable_words(self):
        for text in ("0", "-1", "x", "", "1.5", "1e3", "0x10", "+1", "99999999999999999999"):
            self.assertEqual(self.refused("mtaq", "due", "--messages", text), f"mtaq: --messages: '{text}' is not a whole number of at least 1")
            self.assertEqual(self.refused("mtaq", "watch", "--times", text), f"mtaq: --times: '{text}' is not a whole number from 1 to 1000000000")
            said = self.refused("chatrun", "replay", "a.scp", "a.log", "--fuzz", text)
            self.assertEqual(said, f"chatrun: --fuzz: '{text}' is not a whole number from 1 to 1000000")
        self.assertEqual(self.refused("chatrun", "run", "--port", "p", "--speed", "49"), "chatrun: --speed: '49' is not a whole number from 50 to 4000000")
        self.assertEqual(self.refused("chatrun", "run", "--password-fd", "x"), "chatrun: --password-fd: 'x' is not a whole number from 0 to 1000000")

    def test_words_are_refused_with_those_that_there_are(self):
        self.assertEqual(self.refused("chatrun", "run", "--port", "p", "--flow", "0"), "chatrun: --flow: '0' is not one of rtscts, xonxoff, none")
        self.assertEqual(self.refused("chatrun", "convert", "a.chat", "--to", "x"), "chatrun: --to: 'x' is not scp")

    def test_a_root_without_a_name(self):
        for tool, verb in (("chatrun", "check"), ("dialctl", "list"), ("mtaq", "list"), ("routeadd", "list")):
            for option in ("--root", "--config"):
                self.assertEqual(self.refused(tool, option, "", verb), f"{tool}: {option}: must not be empty")
                self.assertEqual(self.refused(tool, verb, option, ""), f"{tool}: {option}: must not be empty")


class Output(unittest.TestCase):
    def test_help_and_version_that_nobody_could_read(self):
        for tool in USAGE:
            for words in (["--help"], ["--version"], ["check", "--help"] if tool != "routeadd" else ["plan", "--help"]):
                with self.subTest(tool=tool, words=words):
                    with open("/dev/full", "wb") as full:
                        done = run(tool, *words, stdout=full)
                    self.assertEqual((done.returncode, done.stderr.decode()), (74, f"{tool}: stdout could not be written\n"))
                    done = subprocess.run(["sh", "-c", 'exec "$0" "$@" >&-', TOOLS / tool, *words], stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
                    self.assertEqual(done.returncode, 74, done.stderr)
                    self.assertEqual(run(tool, *words).returncode, 0)

    def test_failures_are_json_where_it_is_asked_for(self):
        with open("/dev/full", "wb") as full:
            done = run("mtaq", "--json", "--help", stdout=full)
        error = json.loads(done.stderr)["error"]
        self.assertEqual((error["tool"], error["code"], error["status"]), ("mtaq", "io", 74))

    def test_a_reader_who_has_left_had_enough(self):
        for tool in USAGE:
            reader, writer = os.pipe()
            os.close(reader)
            done = run(tool, "--help", stdout=writer)
            os.close(writer)
            self.assertEqual((done.returncode, done.stderr), (0, b""))


if __name__ == "__main__":
    unittest.main()
