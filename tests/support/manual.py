# SPDX-License-Identifier: MIT
"""What the manual pages (mdoc) and the tools' --help say, as sets that can be compared."""
import os
import re
import subprocess

SOURCE = os.environ.get("LONGLINE_SOURCE", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BUILD = os.environ.get("LONGLINE_BUILD", os.path.join(SOURCE, "build"))
TOOLS = {"chatrun": "chatrun.1", "dialctl": "dialctl.1", "mtaq": "mtaq.1", "routeadd": "routeadd.8"}
MACROS = {"Ar", "Cm", "Fl", "Op", "Oo", "Oc", "Ns", "Pq", "Po", "Pc", "Ql", "Dq", "Sq", "Nm", "Ic", "Li", "Pa", "Ev", "Xr", "No", "Sm",
          "Dv", "Em", "Sy", "Ap", "Bo", "Bc", "Brq", "It", "Va", "Vt", "Fn", "Aq"}


def binary(tool):
    return os.path.join(BUILD, "tools", tool)


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        return file.read()


class Page:
    """A page by sections: {"SYNOPSIS": [lines], …}."""

    def __init__(self, path):
        self.sections = {}
        lines = self.sections.setdefault("", [])
        for line in read(path).splitlines():
            if line.startswith(".Sh "):
                lines = self.sections.setdefault(line[4:].strip(), [])
            else:
                lines.append(line)

    def arguments(self, macro, *sections, items_only=False):
        """The words that a macro stands in front of, in these sections or all."""
        found = []
        for name, lines in self.sections.items():
            if sections and name not in sections:
                continue
            for line in lines:
                if not line.startswith(".") or line.startswith('.\\"') or (items_only and not line.startswith(".It ")):
                    continue
                taking = False
                for word in line[1:].split():
                    if word in MACROS:
                        taking = word == macro
                    elif taking and not re.fullmatch(r"[\W]", word.replace("\\&", "")):
                        found.append(word.replace("\\-", "-").replace("\\&", "").strip('"'))
        return found

    def options(self, *sections, items_only=False):
        """{"-q", "--quiet"} of `.Fl q , Fl -quiet`."""
        return {"-" + word for word in self.arguments("Fl", *sections, items_only=items_only)}

    def synopsis_verbs(self):
        """The first Cm behind each Nm."""
        verbs, armed = [], False
        for line in self.sections.get("SYNOPSIS", []):
            words = line[1:].split()
            if words[:1] == ["Nm"]:
                armed = True
            if armed and "Cm" in words:
                for word in words[words.index("Cm") + 1:]:
                    if word in MACROS:
                        break
                    if re.fullmatch(r"[a-z][a-z0-9-]*", word):
                        verbs.append(word)
                armed = False
        return set(verbs)

    def statuses(self):
        numbers = set()
        for line in self.sections.get("EXIT STATUS", []):
            if line.startswith(".It "):
                numbers.update(int(n) for n in re.findall(r"\b\d+\b", line))
        return numbers

    def configuration_keys(self):
        """{"Links": {keys}, …} by the first word of the subsection."""
        keys, current = {}, None
        for line in self.sections["DESCRIPTION"]:
            if line.startswith(".Ss "):
                current = keys.setdefault(line[4:].split(":")[0].split()[0], set())
            elif line.startswith(".It ") and current is not None:
                taking = False
                for word in line.split()[1:]:
                    if word in MACROS:
                        taking = word == "Ic"
                    elif taking and re.fullmatch(r"[a-z0-9-]+", word):
                        current.add(word)
        return keys


def run(tool, *arguments):
    return subprocess.run([binary(tool), *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20, check=False)


def help_of(tool, *verb):
    return run(tool, *verb, "--help")


def options_in(text):
    """Options in the left column of a help text."""
    options = set()
    for line in text.splitlines():
        match = re.match(r"  (-\S*)", line)
        if match:
            options.update(o for o in match.group(1).split(",") if re.fullmatch(r"-\w|--[a-z][\w-]*", o))
    return options


def verbs_in(text):
    verbs, inside = [], False
    for line in text.splitlines():
        if re.match(r"(Subcommands|Verbs|Commands):", line):
            inside = True
        elif inside and re.match(r"  [a-z]", line):
            verbs.append(line.split()[0])
        elif inside and not line.strip():
            inside = False
    return verbs
