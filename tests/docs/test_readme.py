#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the README prints exists and works as printed."""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import manual  # noqa: E402

CONFIG = '[link.isp]\nport = "/dev/ttyS0"\nnumbers = ["1"]\nnetwork = "stream"\n'
EVENT = '{"time":"2026-11-22T23:10:51Z","event":"call.failed","link":"isp","text":"busy"}\n'


def code_lines():
    """Indented code, without the comments behind it."""
    for line in manual.read("README.md").splitlines():
        if line.startswith("    ") and line[4:5] not in ("", " "):
            yield line.split("     #")[0].strip()


def pipelines():
    return [line for line in code_lines() if line.split()[0] in (*manual.TOOLS, "jq")]


class ReadmeTest(unittest.TestCase):
    def test_scripts_and_files_exist(self):
        text = manual.read("README.md")
        for path in re.findall(r"`((?:man|scripts|common)/[\w.@/-]+)`", text) + re.findall(r"\./(scripts/\w+)", text):
            self.assertTrue(os.path.exists(os.path.join(manual.SOURCE, path)), path)

    def test_commands_and_options_are_known(self):
        found = 0
        for line in pipelines():
            for part in re.split(r"&&|\||;|--(?= )", re.sub(r"xargs -\S+", "|", line)):
                words = shlex.split(part) if part.count("'") % 2 == 0 else part.split()
                if not words or words[0] not in manual.TOOLS or not os.path.exists(manual.binary(words[0])):
                    continue
                text = manual.help_of(words[0]).stdout
                self.assertIn(words[1], manual.verbs_in(text), line)
                known = manual.options_in(text) | manual.options_in(manual.help_of(words[0], words[1]).stdout)
                self.assertLessEqual({w for w in words if re.match(r"--\w", w)}, known, line)
                found += 1
        self.assertGreaterEqual(found, 5)

    @unittest.skipUnless(all(os.path.exists(manual.binary(t)) for t in ("dialctl", "mtaq")) and shutil.which("jq"),
                         "needs dialctl, mtaq and jq")
    def test_five_pipelines_work_as_printed(self):
        lines = pipelines()
        self.assertEqual(len(lines), 5)
        with tempfile.TemporaryDirectory() as root:
            for name, text in (("longline.toml", CONFIG), ("events.jsonl", EVENT)):
                with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                    file.write(text)
            environment = {"PATH": os.path.join(manual.BUILD, "tools") + ":" + os.environ["PATH"], "LONGLINE_ROOT": root}
            for line in lines:
                line = line.replace("/var/log/longline", root)
                with self.subTest(line):
                    done = subprocess.run(["bash", "-c", "set -o pipefail; " + line], capture_output=True, text=True, env=environment,
                                          stdin=subprocess.DEVNULL, timeout=30, check=False)
                    self.assertEqual(done.stderr, "")
                    # With an empty queue and no link up: nothing is due (1), and nothing else has anything to say.
                    self.assertEqual(done.returncode, 1 if line.startswith("mtaq due") else 0)
                    self.assertEqual(done.stdout, "2026-11-22T23:10:51Z\tisp\tbusy\n" if "call.failed" in line else "")


if __name__ == "__main__":
    unittest.main()
