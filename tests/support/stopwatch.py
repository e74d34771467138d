# SPDX-License-Identifier: MIT
"""Measures what is ours of the time that passes, so that a limit says the same on a busy machine as on an idle one."""

import time


def _stalled():
    """Seconds, since boot, in which something that could run waited for a processor or a disk; 0 where the kernel does not count them."""
    total = 0
    for resource in ("cpu", "io"):
        try:
            with open(f"/proc/pressure/{resource}", encoding="ascii") as file:
                some = file.readline()
        except OSError:
            return 0
        total += int(some.rsplit("total=", 1)[1])
    return total / 1e6


class Stopwatch:
    """Runs from where it is made."""

    def __init__(self):
        self._began = time.monotonic()
        self._stalled = _stalled()

    def seconds(self):
        return time.monotonic() - self._began

    def ours(self):
        """Without the time in which anything on this machine waited for a processor or a disk: never too much."""
        return max(0.0, self.seconds() - (_stalled() - self._stalled))
