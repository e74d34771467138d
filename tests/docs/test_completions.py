#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The bash completion completes what the tools that are built know."""
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import manual  # noqa: E402

FILE = os.path.join(manual.SOURCE, "scripts", "completions", "longline.bash")
CONFIG = """
[link.isp]
port = "/dev/ttyS0"
numbers = ["1"]
[link.branch]
port = "/dev/ttyS1"
numbers = ["2"]
"""


def complete(*words, cwd=None):
    """What bash offers for the last of these words."""
    script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _longline; printf "%s\\n" "${COMPREPLY[@]}"'
    environment = {**os.environ, "PATH": os.path.join(manual.BUILD, "tools") + ":" + os.environ["PATH"]}
    done = subprocess.run(["bash", "--norc", "-c", script, "bash", FILE, *words], capture_output=True, text=True, cwd=cwd,
                          env=environment, timeout=20, check=True)
    assert done.stderr == "", done.stderr
    return sorted(filter(None, done.stdout.splitlines()))


def built(tool):
    return os.path.exists(manual.binary(tool))


class CompletionTest(unittest.TestCase):
    def test_it_parses(self):
        subprocess.run(["bash", "-n", FILE], check=True)
        done = subprocess.run(["bash", "--norc", "-c", f"source {FILE}; complete -p {' '.join(manual.TOOLS)}"], capture_output=True,
                              text=True, check=True)
        self.assertEqual(done.stdout.count("-F _longline"), len(manual.TOOLS))

    def test_verbs_and_options_are_those_of_help(self):
        for tool in filter(built, manual.TOOLS):
            text = manual.help_of(tool).stdout
            verbs = manual.verbs_in(text)
            self.assertEqual(complete(tool, ""), sorted(verbs), tool)
            self.assertEqual(complete(tool, "--json", ""), sorted(verbs), tool)
            self.assertEqual(complete(tool, verbs[0][:2]), sorted(v for v in verbs if v.startswith(verbs[0][:2])), tool)
            for verb in verbs:
                options = manual.options_in(text) | manual.options_in(manual.help_of(tool, verb).stdout)
                self.assertLessEqual(options, set(complete(tool, verb, "-")), f"{tool} {verb}")

    @unittest.skipUnless(built("routeadd"), "routeadd is not built")
    def test_routes_are_completed_by_their_words(self):
        self.assertIn("fail-fast", complete("routeadd", "add", "10.0.0.0/8", ""))
        self.assertEqual(complete("routeadd", "add", "10.0.0.0/8", "v"), ["via"])
        self.assertIn("lo", complete("routeadd", "add", "10.0.0.0/8", "dev", ""))
        with tempfile.TemporaryDirectory() as folder:
            open(os.path.join(folder, "wanted.routes"), "w", encoding="utf-8").close()
            self.assertEqual(complete("routeadd", "plan", "", cwd=folder), ["wanted.routes"])

    @unittest.skipUnless(built("dialctl"), "dialctl is not built")
    def test_links_are_completed_from_the_configuration(self):
        with tempfile.TemporaryDirectory() as root:
            with open(os.path.join(root, "longline.toml"), "w", encoding="utf-8") as file:
                file.write(CONFIG)
            self.assertEqual(complete("dialctl", "--root", root, "up", ""), ["branch", "isp"])
            self.assertEqual(complete("dialctl", "--root", root, "run", "i"), ["isp"])
            self.assertEqual(complete("dialctl", "run", "isp", "--", "routeadd", "ap"), ["apply"])
            if built("mtaq"):
                self.assertEqual(complete("mtaq", "--root", root, "due", "--link", "b"), ["branch"])
                self.assertEqual(complete("dialctl", "run", "isp", "--", "mtaq", "flu"), ["flush"])


if __name__ == "__main__":
    unittest.main()
