# SPDX-License-Identifier: MIT
"""Two sites that exchange mail over X.400 on one host, and a line between them that can be cut."""

import re
import select
import socket
import subprocess
import threading
import time

from support.mail import PATIENCE, Root, free_port


def connector(name, domain, port, mta, peer, more=""):
    return f"""
[connector.{name}]
domains = ["{domain}", "*.{domain}"]
protocol = "x400"
host = "127.0.0.1"
port = {port}
mta-name = "{mta}"
peer-mta-name = "{peer}"
{more}
"""


class Site:
    """A root whose MTA can be called."""

    def __init__(self, name, root):
        self.name, self.root = name, root
        self.process = None
        self.port = None

    def listen(self, *arguments, port=0):
        self.process = subprocess.Popen(self.root.command("receive", "--x400", "--listen", f"127.0.0.1:{port}", *arguments),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.said = self.process.stderr.readline().decode()
        match = re.match(r"listening on 127\.0\.0\.1:(\d+)", self.said)
        assert match, self.said + self.process.stderr.read().decode()
        self.port = int(match.group(1))
        return self.port

    def kill(self):
        if self.process:
            self.process.kill()
            self.close()

    def close(self):
        """Its messages on stderr."""
        if not self.process:
            return b""
        self.process.terminate()
        try:
            said = self.process.communicate(timeout=PATIENCE)[1]
        except subprocess.TimeoutExpired:
            self.process.kill()
            said = self.process.communicate()[1]
        self.process = None
        return said

    def inbox(self):
        """The raw messages, oldest first."""
        return [self.root.run("show", "--raw", id).stdout for id in self.root.ids("--inbox")]


class Sites:
    """a.example calls b.example. `caller`, `called`: further lines of their connectors."""

    def __init__(self, caller="", called="", caller_root="", called_root=""):
        self.b_port = free_port()
        self.line = None
        self._caller, self._called = caller, called
        self._caller_root, self._called_root = caller_root, called_root
        self.a = Site("A", Root(self.caller_config(self.b_port)))
        self.b = Site("B", Root(f'local-domains = ["b.example"]\n{called_root}\n' + connector("a", "a.example", 1, "B", "A", called)))

    def caller_config(self, port):
        return f'local-domains = ["a.example"]\n{self._caller_root}\n' + connector("b", "b.example", port, "A", "B", self._caller)

    def listen(self, *arguments):
        self.b.listen(*arguments, port=self.b_port)

    def through(self, line):
        """The caller's connection goes through a line that can be cut."""
        self.line = line
        self.a.root.configure(self.caller_config(line.port))

    def close(self):
        self.b.close()
        if self.line:
            self.line.close()
        self.a.root.close()
        self.b.root.close()


class Line:
    """Passes TCP connections on to a port. Each entry of `cuts` ends one of them: after so many bytes from the caller (positive) or to it
    (negative). None: that connection lives. When the list is over, all live. `delay`: seconds before each piece is passed on, on each connection."""

    def __init__(self, port, cuts=(), delay=0):
        self.delay = delay
        self.target = port
        self.cuts = list(cuts)
        self.connections = 0
        self.bytes_out = 0            # from the caller, over all connections, as far as they went through
        self.streams = []             # of each connection: [bytes from the caller, bytes to it]
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self._stop = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stop:
            try:
                caller, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(caller,), daemon=True).start()

    def _carry(self, caller):
        cut = self.cuts.pop(0) if self.cuts else None
        self.connections += 1
        stream = [bytearray(), bytearray()]
        self.streams.append(stream)
        try:
            called = socket.create_connection(("127.0.0.1", self.target), timeout=PATIENCE)
        except OSError:
            caller.close()
            return
        pairs = {caller: (called, 0), called: (caller, 1)}
        try:
            while True:
                for ready in select.select(list(pairs), [], [])[0]:
                    to, way = pairs[ready]
                    data = ready.recv(4096)
                    if not data:
                        return
                    time.sleep(self.delay)
                    if cut is not None and (cut > 0) == (way == 0):
                        left = abs(cut) - len(stream[way])
                        data = data[:left]
                    to.sendall(data)
                    stream[way] += data
                    if way == 0:
                        self.bytes_out += len(data)
                    if cut is not None and (cut > 0) == (way == 0) and len(stream[way]) >= abs(cut):
                        return
        except OSError:
            pass
        finally:
            caller.close()
            called.close()

    def close(self):
        self._stop = True
        self.listener.close()
