#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The manual pages say what the tools do: options, verbs, statuses, keys and events agree both ways."""
import glob
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import manual  # noqa: E402
from manual import Page  # noqa: E402


def tools():
    """The tools that are built; each must have its page."""
    return [tool for tool in manual.TOOLS if os.path.exists(manual.binary(tool))]


def helps(tool):
    """{(): text of --help, ("verb",): …}"""
    texts = {(): manual.help_of(tool).stdout}
    for verb in manual.verbs_in(texts[()]):
        texts[(verb,)] = manual.help_of(tool, verb).stdout
    return texts


class PagesTest(unittest.TestCase):
    def test_every_page_is_clean(self):
        pages = sorted(glob.glob(os.path.join(manual.SOURCE, "man", "*.[1-8]")))
        self.assertTrue(pages)
        for page in pages:
            with self.subTest(os.path.basename(page)):
                done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True, check=False)
                self.assertEqual(done.stdout + done.stderr, "")

    def test_each_quotation_ends_where_it_should(self):
        """`.Dq a , Dq b` is a quotation in a quotation."""
        for page in sorted(glob.glob(os.path.join(manual.SOURCE, "man", "*.[1-8]"))):
            with self.subTest(os.path.basename(page)):
                done = subprocess.run(["mandoc", "-T", "utf8", "-O", "width=200", page], capture_output=True, text=True, check=True)
                text = re.sub(r".\x08", "", done.stdout)
                self.assertIn("NAME", text)
                self.assertEqual([line.strip() for line in text.splitlines() if re.search("’’|””|‘‘|““|“[^”]*“", line)], [])

    def test_pages_that_refer_to_each_other_exist(self):
        ours = {os.path.basename(path) for path in glob.glob(os.path.join(manual.SOURCE, "man", "*.[1-8]"))}
        for name in sorted(ours):
            text = manual.read(os.path.join("man", name))
            for other, section in re.findall(r"^\.(?:It )?Xr (\S+) (\d)", text, re.MULTILINE):
                if other in manual.TOOLS or other.startswith("longline") or other == "scp":
                    self.assertIn(f"{other}.{section}", ours, f"{name} refers to it")


class ToolsTest(unittest.TestCase):
    def test_help_is_on_stdout_and_eighty_columns_wide(self):
        for tool in tools():
            for verb in [(), *[(v,) for v in manual.verbs_in(manual.help_of(tool).stdout)]]:
                with self.subTest(tool=tool, verb=verb):
                    done = manual.help_of(tool, *verb)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    self.assertIn(tool, done.stdout)
                    self.assertEqual([line for line in done.stdout.splitlines() if len(line) > 80], [])

    def test_version(self):
        for tool in tools():
            with self.subTest(tool):
                done = manual.run(tool, "--version")
                self.assertEqual(done.returncode, 0)
                self.assertRegex(done.stdout, rf"^{tool} \(longline\) \d+\.\d+\.\d+\n$")

    def test_a_wrong_command_line_is_said_on_stderr(self):
        for tool in tools():
            with self.subTest(tool):
                done = manual.run(tool, "--no-such-option")
                self.assertEqual((done.returncode, done.stdout), (1 if tool == "chatrun" else 64, ""))
                self.assertIn(tool, done.stderr)

    def test_options_of_page_and_help_match_both_ways(self):
        for tool in tools():
            with self.subTest(tool):
                page = Page(os.path.join("man", manual.TOOLS[tool]))
                in_help = set().union(*(manual.options_in(text) for text in helps(tool).values()))
                described = page.options(*[s for s in page.sections if s != "SYNOPSIS"], items_only=True)
                self.assertEqual(sorted(in_help - described), [], "in --help, but described nowhere in the page")
                self.assertEqual(sorted(page.options() - in_help - {"-"}), [], "in the page, but not in --help")

    def test_verbs_of_synopsis_and_help_match_both_ways(self):
        for tool in tools():
            with self.subTest(tool):
                page = Page(os.path.join("man", manual.TOOLS[tool]))
                self.assertEqual(sorted(page.synopsis_verbs()), sorted(manual.verbs_in(manual.help_of(tool).stdout)))

    def test_exit_statuses_exist(self):
        declared = {int(n) for n in re.findall(r"^  \w+ = (\d+),", manual.read("common/base/exit_status.hpp"), re.MULTILINE)}
        self.assertIn(124, declared)
        for tool in tools():
            with self.subTest(tool):
                statuses = Page(os.path.join("man", manual.TOOLS[tool])).statuses()
                if tool == "chatrun":  # those of chat(8), and 65 of check and replay
                    self.assertLessEqual({0, 1, 2, 3, 4}, statuses)
                else:
                    self.assertLessEqual({0, 64, 70}, statuses)
                    self.assertLessEqual(statuses, declared)


class FormatsTest(unittest.TestCase):
    def test_configuration_keys_of_page_and_parser_match_both_ways(self):
        general = manual.read("common/config/parse_config.cpp")
        connector = manual.read("common/config/parse_connector.cpp")
        bodies = {
            "General": general[general.index("\nvoid read_file("):general.index("\nvoid check_references(")],
            "Links": manual.read("common/config/parse_link.cpp") + manual.read("common/config/parse_gsm.cpp"),
            "Connectors": connector[connector.index("\nvoid read_policy("):],
            "Received": manual.read("common/config/parse_receive.cpp"),
            "X.400": manual.read("common/config/parse_x400.cpp"),
        }
        page = Page("man/longline.toml.5").configuration_keys()
        for section, body in bodies.items():
            known = set(re.findall(r'\breader\.read\w*(?:<[\w:]+>)?\("([a-z0-9-]+)"', body))
            known |= set(re.findall(r'\bread_\w+\(reader, "([a-z0-9-]+)"', body))
            known -= {"link", "connector", "receive"} if section == "General" else set()  # the tables themselves
            for prefix in re.findall(r'read_secret_keys\(reader, file, "([a-z-]*)"', body):
                known |= {prefix + "password-file", prefix + "password-command"}
            for keys in re.findall(r'read_secret\(reader, file, "([a-z-]+)", "([a-z-]+)"', body):
                known |= set(keys)
            self.assertGreater(len(known), 2, section)
            self.assertEqual(sorted(known ^ page.get(section, set())), [], f"{section}: in one of page and parser only")

    def test_events_of_page_and_code_match_both_ways(self):
        described = {word for word in Page("man/longline-events.7").arguments("Li", items_only=True) if "." in word}
        emitted = set()
        for path in glob.glob(os.path.join(manual.SOURCE, "common", "**", "*.cpp"), recursive=True) + \
                glob.glob(os.path.join(manual.SOURCE, "tools", "**", "*.cpp"), recursive=True):
            if path.endswith("/event_meaning.cpp"):
                continue  # what explain knows, below
            with open(path, encoding="utf-8") as file:
                emitted.update(re.findall(r'"((?:answer|call|connector|demand|ledger|line|link|login|mail|modem|network|queue|route)\.[a-z][a-z-]+)"', file.read()))
        self.assertEqual(sorted(described ^ emitted), [], "in one of page and code only")
        explained = set(re.findall(r'^      \{"([a-z]+\.[a-z-]+)",', manual.read("common/link/event_meaning.cpp"), re.MULTILINE))
        self.assertEqual(sorted(described - explained), [], "in the page, and not known to dialctl explain")


if __name__ == "__main__":
    unittest.main()
