# SPDX-License-Identifier: MIT
"""Network namespaces for tests: real kernel tables that belong to one test alone. Needs root and iproute2."""
import os
import shutil
import subprocess
import sys
import tempfile
import uuid


def require_root():
    """Ends the test file with meson's status for a skip unless namespaces can be made here; in CI a skip is a failure."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        print("skipped: network namespaces need root and iproute2")
        sys.exit(77)


class Namespace:
    """A namespace with a veth pair (veth0: 10.0.0.1/24 and fd00::1/64, its peer in the same namespace), removed at the end."""

    def __init__(self):
        self.name = "ll-" + uuid.uuid4().hex[:10]
        self.root = tempfile.mkdtemp(prefix="longline-")
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.ip("link set lo up")
        self.ip("link add veth0 type veth peer name veth1")
        self.ip("addr add 10.0.0.1/24 dev veth0")
        self.ip("-6 addr add fd00::1/64 dev veth0 nodad")
        self.ip("link set veth0 up")
        self.ip("link set veth1 up")

    def close(self):
        subprocess.run(["ip", "netns", "del", self.name], check=False)
        shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def argv(self, *argv):
        return ["ip", "netns", "exec", self.name, *map(str, argv)]

    def ip(self, words):
        """ip-route2's own view, as lines."""
        done = subprocess.run(["ip", "-n", self.name, *words.split()], check=True, capture_output=True, text=True)
        return done.stdout.splitlines()

    def routes(self, protocol=77):
        """Both families, sorted, without what the kernel adds to what it was told."""
        lines = self.ip(f"-4 route show table all proto {protocol}") + self.ip(f"-6 route show table all proto {protocol}")
        return sorted(" ".join(line.split()) for line in lines)

    def run(self, *argv, stdin=None, env=None, timeout=60):
        """stdin: text, or a file; by default /dev/null, as under cron."""
        environment = {"PATH": os.environ["PATH"], "LONGLINE_ROOT": self.root, **(env or {})}
        options = {"input": stdin} if isinstance(stdin, str) else {"stdin": stdin or subprocess.DEVNULL}
        return subprocess.run(self.argv(*argv), capture_output=True, text=True, env=environment, timeout=timeout, **options)

    def write(self, name, text):
        path = os.path.join(self.root, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path
