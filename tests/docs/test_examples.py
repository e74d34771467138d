#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The examples for cron, systemd and udev: their command lines are ones that the tools know."""
import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import manual  # noqa: E402


def command_lines(text):
    """The commands of a shell line: split at && and at the -- of dialctl run."""
    for part in re.split(r"&&|\|\||;|\|", text):
        words = shlex.split(part)
        while words:
            end = words.index("--") if "--" in words else len(words)
            yield words[:end]
            words = words[end + 1:]


class ExamplesTest(unittest.TestCase):
    def check(self, line):
        for words in command_lines(line):
            tool = words[0]
            self.assertIn(tool, manual.TOOLS, line)
            if not os.path.exists(manual.binary(tool)):
                continue
            text = manual.help_of(tool).stdout
            verb = next(w for w in words[1:] if not w.startswith("-"))
            self.assertIn(verb, manual.verbs_in(text), line)
            known = manual.options_in(text) | manual.options_in(manual.help_of(tool, verb).stdout)
            self.assertLessEqual({w for w in words if w.startswith("-")}, known, line)

    def test_cron(self):
        text = manual.read("scripts/cron.d/longline")
        self.assertTrue(text.endswith("\n"), "cron ignores a last line without its end")
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        settings = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z]+=", line))
        self.assertEqual(set(settings), {"SHELL", "PATH", "MAILTO"})
        self.assertIn("/usr/local/bin", settings["PATH"].split(":"))
        jobs = [line for line in lines if not re.match(r"[A-Z]+=", line)]
        self.assertEqual(len(jobs), 1)
        when, user, command = jobs[0].split(None, 6)[:5], jobs[0].split()[5], jobs[0].split(None, 6)[6]
        self.assertTrue(all(re.fullmatch(r"[*0-9/,-]+", field) for field in when))
        self.assertEqual(user, "root")
        self.assertNotIn("%", command, "cron makes a line end of it")
        for words in command_lines(command):
            self.assertIn("--quiet", words)
        self.check(command)

    def test_systemd(self):
        units = sorted(glob.glob(os.path.join(manual.SOURCE, "scripts", "systemd", "*")))
        self.assertEqual([os.path.basename(u) for u in units], ["longline-answer@.service", "longline-demand@.service",
                                                                "longline-restore.service", "longline-routes-watch.service", "longline-routes.service",
                                                                "longline@.service", "longline@.timer"])
        for unit in units:
            text = manual.read(unit)
            for command in re.findall(r"^Exec\w+=(.*)$", text, re.MULTILINE):
                self.check(command.replace("%i", "isp"))
        if shutil.which("systemd-analyze"):
            for unit in units:
                done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit.replace("@.", "@isp.")], capture_output=True,
                                      text=True, check=False)
                problems = [line for line in done.stderr.splitlines() if "is not executable" not in line and "longline" in line]
                self.assertEqual(problems, [])

    def test_udev(self):
        for path in glob.glob(os.path.join(manual.SOURCE, "scripts", "udev", "*.rules")):
            rules = [line for line in manual.read(path).splitlines() if line and not line.startswith("#")]
            for rule in rules:
                for part in rule.split(", "):
                    self.assertRegex(part, r'^[A-Z]+(\{[A-Za-z_]+\})?(==|!=|=|\+=|:=)"[^"]*"$')


if __name__ == "__main__":
    unittest.main()
