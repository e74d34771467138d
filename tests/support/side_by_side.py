# SPDX-License-Identifier: MIT
"""unittest.main() for files whose cases wait for lines and deadlines most of the time: several at once, the order as in the file.

A class with a setUpClass of its own runs as one. With arguments it is unittest.main() itself, one after the other.
LONGLINE_TEST_SIDE_BY_SIDE (4): how many."""

import concurrent.futures
import os
import sys
import time
import unittest


def _pieces(module):
    """Cases, and classes that cannot be taken apart, as suites."""
    for group in unittest.defaultTestLoader.loadTestsFromModule(module):
        tests = list(group)
        if tests and type(tests[0]).setUpClass.__func__ is not unittest.TestCase.setUpClass.__func__:
            yield group, len(tests)
        else:
            yield from ((unittest.TestSuite([test]), 1) for test in tests)


def _run(suite):
    result = unittest.TestResult()
    begin = time.monotonic()
    name = next(iter(suite)).id().removeprefix("__main__.")
    suite.run(result)
    bad = result.errors + result.failures + [(case, "it was to fail") for case in result.unexpectedSuccesses]
    print(f"{'FAILED' if bad else 'ok':6} {time.monotonic() - begin:6.1f} s  {name}", file=sys.stderr, flush=True)
    return result, bad


def main():
    if len(sys.argv) > 1:
        unittest.main()
    many = int(os.environ.get("LONGLINE_TEST_SIDE_BY_SIDE", "4"))
    pieces = list(_pieces(sys.modules["__main__"]))
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(many) as pool:
        results = list(pool.map(_run, [suite for suite, _ in pieces]))
    bad = [one for _, found in results for one in found]
    for case, text in bad:
        print(f"\n{'=' * 70}\n{case}\n{text}", file=sys.stderr)
    for case, reason in [one for result, _ in results for one in result.skipped]:
        print(f"skipped: {case}: {reason}", file=sys.stderr)
    count = sum(result.testsRun for result, _ in results)
    print(f"\nRan {count} tests in {time.monotonic() - begin:.1f} s, {len(bad)} bad", file=sys.stderr)
    sys.exit(1 if bad or not count else 0)
