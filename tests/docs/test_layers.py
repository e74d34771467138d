#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""scripts/check-layers finds nothing in the source, and finds each thing that it is there to find."""
import os
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.environ.get("LONGLINE_SOURCE", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
CHECK = os.path.join(SOURCE, "scripts", "check-layers")
SPDX = "// SPDX-License-Identifier: MIT\n"
HEADER = SPDX + "#pragma once\n\nnamespace longline::{0} {{}}\n"


def check(*arguments):
    return subprocess.run([sys.executable, CHECK, *arguments], capture_output=True, text=True, check=False)


class LayersTest(unittest.TestCase):
    def findings(self, files):
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            done = check(root)
            self.assertEqual(done.returncode, 1 if done.stdout else 0, done.stderr)
            return done.stdout.splitlines()

    def test_the_source_is_clean(self):
        done = check()
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.returncode, 0)

    def test_the_table_is_the_one_in_hacking(self):
        with open(os.path.join(SOURCE, "HACKING.md"), encoding="utf-8") as file:
            self.assertIn("\n" + check("--table").stdout + "\n", file.read())

    def test_what_is_right_is_left_alone(self):
        self.assertEqual(self.findings({
            "common/mail/message.hpp": HEADER.format("mail"),
            "common/mail/message.cpp": SPDX + '#include "mail/message.hpp"\n\n#include <fmt/format.h>\n\n#include <string>\n\n'
                                              '#include "base/text.hpp"\n// steady_clock::now() is elsewhere\n',
            "common/sys/system_clock.cpp": SPDX + "#include <time.h>\nauto a = steady_clock::now();\n",
            "tools/x.d/options.cpp": SPDX + '#include "x.d/options.hpp"\n#include <CLI/CLI.hpp>\n#include "sys/loop.hpp"\n',
        }), [])

    def test_each_breach_is_found_where_it_is(self):
        cases = {
            'a feature that reaches out': ("common/mail/a.cpp", SPDX + '\n#include "sys/loop.hpp"\n', ":3: mail must not include sys"),
            'a feature beside it': ("common/route/a.cpp", SPDX + '#include "mail/queue.hpp"\n', ":2: route must not include mail"),
            'base that looks up': ("common/base/a.cpp", SPDX + '#include "config/config.hpp"\n', ":2: base must not include config"),
            'POSIX in a feature': ("common/modem/a.cpp", SPDX + "#include <unistd.h>\n", ":2: modem must not include POSIX"),
            'stdio in a feature': ("common/script/a.cpp", SPDX + "#include <cstdio>\n", ":2: script must not include POSIX"),
            'toml++ elsewhere': ("common/link/a.cpp", SPDX + "#include <toml++/toml.h>\n", ":2: link must not include toml++"),
            'json elsewhere': ("common/base/a.cpp", SPDX + "#include <nlohmann/json.hpp>\n", ":2: <nlohmann/json.hpp> belongs in"),
            'CLI11 in a verb': ("tools/x.d/verb.cpp", SPDX + "#include <CLI/CLI.hpp>\n", ":2: <CLI/CLI.hpp> belongs in"),
            'another tool': ("tools/x.d/verb.cpp", SPDX + '#include "y.d/verbs.hpp"\n', ":2: x.d must not include y.d/verbs.hpp"),
            'the clock': ("common/sys/a.cpp", SPDX + "auto t = std::chrono::steady_clock::now();\n", ":2: only common/sys/system_clock.cpp"),
            'the other clock': ("tools/x.d/a.cpp", SPDX + "auto t = time(nullptr);\n", ":2: only common/sys/system_clock.cpp"),
            'the disk': ("common/config/a.cpp", SPDX + "if (std::filesystem::exists(p)) {}\n", ":2: only sys and tools ask the disk"),
            'no licence': ("common/base/a.cpp", "int a;\n", ":1: the SPDX line is missing"),
            'no pragma': ("common/base/a.hpp", SPDX + "#ifndef A\n", ":1: #pragma once is missing"),
            'namespace': ("common/mail/a.hpp", HEADER.format("route"), ":1: the folder is the namespace: longline::mail"),
            'length': ("common/base/a.cpp", SPDX + "int a;\n" * 400, ":401: 401 lines"),
            'width': ("common/base/a.cpp", SPDX + "//" + "x" * 200 + "\n", ":2: a line of 202 columns"),
            'trailing space': ("common/base/a.cpp", SPDX + "int a; \n", ":2: spaces at the end"),
            'a drawer': ("common/base/string_utils.cpp", SPDX, ":1: 'string_utils.cpp' says nothing"),
            'a folder of sys below its own': ("common/sys/spool/a.cpp", SPDX + '#include "sys/flush/queue_flush.hpp"\n', ":2: sys/spool must not include sys/flush"),
            'a folder below all of sys': ("common/sys/a.cpp", SPDX + '#include "sys/port/port.hpp"\n', ":2: sys itself must not include sys/port"),
            'an unknown folder of sys': ("common/sys/other/a.cpp", SPDX + '#include "sys/loop.hpp"\n', ":2: no folder of sys is called other"),
            'an unknown layer': ("common/other/a.cpp", SPDX, ":1: no layer is called other"),
        }
        for name, (path, text, expected) in cases.items():
            with self.subTest(name):
                findings = self.findings({path: text})
                self.assertEqual(len(findings), 1, findings)
                self.assertTrue(findings[0].startswith(path + expected), findings)

    def test_the_own_header_comes_first(self):
        files = {"common/base/a.hpp": SPDX + "#pragma once\n", "common/base/a.cpp": SPDX + '#include <string>\n#include "base/a.hpp"\n'}
        self.assertEqual(self.findings(files), ['common/base/a.cpp:2: its own header comes first: "base/a.hpp"'])


if __name__ == "__main__":
    unittest.main()
