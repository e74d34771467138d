# SPDX-License-Identifier: MIT
"""mtaq in a root of its own, and SMTP peers that misbehave on demand. Every wait has a deadline."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))
from event_log import read_events  # noqa: E402

BUILD = Path(os.environ.get("LONGLINE_BUILD", Path(__file__).resolve().parents[2] / "build")).resolve()
MTAQ = BUILD / "tools" / "mtaq"
PATIENCE = float(os.environ.get("LONGLINE_TEST_PATIENCE", "30"))

LINK = """
[link.isp]
port = "tcp:127.0.0.1:9"
network = "stream"
numbers = ["0298765432"]
[connector.hub]
domains = ["example.com", "*.example.com"]
link = "isp"
host = "line"
"""


def lan(port, name="lan", domains=("lan.example",), more=""):
    names = ", ".join(f'"{d}"' for d in domains)
    return f'\n[connector.{name}]\ndomains = [{names}]\nhost = "127.0.0.1"\nport = {port}\n{more}\n'


def wait_until(question, what="condition", patience=None):
    deadline = time.monotonic() + (patience or PATIENCE)
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"timed out waiting for {what}")
        time.sleep(0.01)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def fill_disk(path):
    """Takes every byte that the file system has left."""
    try:
        with open(path, "wb", buffering=0) as out:
            while True:
                out.write(b"z" * 4096)
    except OSError:
        pass


class Root:
    """A --root folder with a configuration; runs mtaq in it."""

    def __init__(self, config=LINK, folder=None):
        self._temporary = None
        if folder is None:
            # Short: a Unix socket's path ends at 107 bytes.
            self._temporary = tempfile.TemporaryDirectory(prefix="lq-", dir="/tmp")
            folder = self._temporary.name
        self.folder = Path(folder)
        self.configure(config)
        (self.folder / "run").mkdir(exist_ok=True)
        self.spool = self.folder / "spool.db"

    def configure(self, config):
        (self.folder / "longline.toml").write_text(config)

    def close(self):
        if self._temporary:
            self._temporary.cleanup()

    def command(self, *arguments):
        return [str(MTAQ), "--root", str(self.folder), *map(str, arguments)]

    def run(self, *arguments, stdin=b"", status=0, env=None, patience=None):
        """Runs mtaq; checks the status (None: any); returns CompletedProcess with bytes."""
        done = subprocess.run(self.command(*arguments), input=stdin, capture_output=True, env=env,
                              timeout=patience or PATIENCE)
        if status is not None and done.returncode != status:
            raise AssertionError(f"mtaq {arguments} ended {done.returncode}, not {status}\n"
                                 f"stdout: {done.stdout[-2000:]!r}\nstderr: {done.stderr[-2000:]!r}")
        return done

    def start(self, *arguments, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.Popen(self.command(*arguments), **options)

    def add(self, message=b"Subject: test\n\nhello\n", *recipients, sender="alice@site7.example", more=()):
        recipients = recipients or ("bob@example.com",)
        return self.run("add", "-f", sender, *more, *recipients, stdin=message).stdout.decode().strip()

    def list(self, *arguments):
        return [json.loads(line) for line in self.run("list", "--json", *arguments).stdout.splitlines()]

    def ids(self, *arguments):
        return [m["id"] for m in self.list(*arguments)]

    def flush(self, *arguments, status=0, patience=None):
        """The receipts, by id."""
        done = self.run("flush", "--json", *arguments, status=status, patience=patience)
        receipts = [json.loads(line) for line in done.stdout.splitlines()]
        ids = [r["id"] for r in receipts]
        assert len(ids) == len(set(ids)), f"a message has two receipts: {ids}"
        return {r["id"]: r for r in receipts}

    def events(self, name=None):
        return read_events(self.folder / "events.jsonl", name)

    @property
    def line(self):
        return self.folder / "run" / "isp.line"


class Peer:
    """An SMTP server on TCP (port) or on a Unix socket (path). Behaviour by arguments; `messages` is what it took
    responsibility for: (sender, [recipients], body bytes as sent), once for each 250 that it decided to give."""

    def __init__(self, path=None, pipelining=True, chunking=True, replies=None, greeting=b"220 peer ESMTP\r\n",
                 split=None, drop_in=None, drop_out=None, on_message=None, delay=0, extensions=(), before_reply=None):
        self.path = str(path) if path else None
        self.pipelining, self.chunking = pipelining, chunking
        self.replies = replies or {}          # regular expression of a command line -> reply (str)
        self.greeting = greeting
        self.split = split                    # send replies in pieces of so many bytes
        self.drop_in = drop_in                # close after so many bytes were received (over all connections once)
        self.drop_out = drop_out              # close after so many bytes were sent
        self.on_message = on_message          # called with the number of the message before its reply
        self.before_reply = before_reply      # called with the command before its reply
        self.delay = delay
        self.extensions = list(extensions)
        self.messages = []
        self.commands = []
        self.connections = 0
        self.received = 0
        self._sent = 0
        self._dropped = False
        self._stop = False
        family = socket.AF_UNIX if self.path else socket.AF_INET
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        if self.path:
            if os.path.exists(self.path):
                os.unlink(self.path)
            self.listener.bind(self.path)
        else:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind(("127.0.0.1", 0))
            self.port = self.listener.getsockname()[1]
        self.listener.listen(16)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._stop = True
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.thread.join(PATIENCE)
        if self.path and os.path.exists(self.path):
            os.unlink(self.path)

    def _serve(self):
        while not self._stop:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.settimeout(PATIENCE)
            try:
                self._session(connection)
            except (OSError, EOFError):
                pass
            finally:
                connection.close()

    # -- bytes

    def _read(self, connection):
        if self.drop_in is not None and not self._dropped and self.received >= self.drop_in:
            self._dropped = True
            raise EOFError
        most = 65536
        if self.drop_in is not None and not self._dropped:
            most = min(most, self.drop_in - self.received)
        data = connection.recv(most)
        if not data:
            raise EOFError
        self.received += len(data)
        self._buffer += data

    def _line(self, connection):
        while b"\n" not in self._buffer:
            self._read(connection)
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line.rstrip(b"\r")

    def _bytes(self, connection, count):
        while len(self._buffer) < count:
            self._read(connection)
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def _send(self, connection, data):
        if self.delay:
            time.sleep(self.delay)
        data = data if isinstance(data, bytes) else data.encode() + b"\r\n"
        if self.drop_out is not None and not self._dropped and self._sent + len(data) > self.drop_out:
            connection.sendall(data[: self.drop_out - self._sent])
            self._dropped = True
            raise EOFError
        self._sent += len(data)
        if self.split:
            for i in range(0, len(data), self.split):
                connection.sendall(data[i:i + self.split])
        else:
            connection.sendall(data)

    # -- dialogue

    def _reply_to(self, line):
        for pattern, reply in self.replies.items():
            if re.match(pattern, line, re.IGNORECASE):
                if callable(reply):
                    return reply(line)
                return reply
        return None

    def _session(self, connection):
        self._buffer = b""
        self._send(connection, self.greeting)
        sender, recipients, body, broken = None, [], b"", False
        while True:
            line = self._line(connection).decode(errors="replace")
            self.commands.append(line)
            if self.before_reply:
                self.before_reply(line)
            verb = line.split(" ")[0].upper()
            special = self._reply_to(line)
            if verb == "BDAT":
                _, size, *last = line.split(" ")
                body += self._bytes(connection, int(size))
                if not recipients or broken:
                    broken = True
                    self._send(connection, special or "503 no recipients")
                    continue
                if not last:
                    self._send(connection, special or "250 chunk")
                    continue
                self._done(connection, special, sender, recipients, body)
                sender, recipients, body = None, [], b""
            elif verb == "DATA" and not special:
                if not recipients:
                    self._send(connection, "554 no valid recipients")
                    continue
                self._send(connection, "354 go ahead")
                while True:
                    text = self._line(connection)
                    if text == b".":
                        break
                    body += (text[1:] if text.startswith(b".") else text) + b"\r\n"
                self._done(connection, self._reply_to("END"), sender, recipients, body)
                sender, recipients, body = None, [], b""
            elif special is not None:
                self._send(connection, special)
                if special[:3] == "421":
                    return
            elif verb in ("EHLO", "HELO"):
                names = ["peer"] + ["PIPELINING"] * self.pipelining + ["CHUNKING"] * self.chunking
                names += ["8BITMIME", "SIZE 100000000", "ENHANCEDSTATUSCODES"] + self.extensions
                self._send(connection, "".join(f"250{'-' if n != names[-1] else ' '}{n}\r\n" for n in names).encode())
            elif verb == "MAIL":
                sender = re.search(r"<(.*?)>", line).group(1)
                recipients, body, broken = [], b"", False
                self._send(connection, "250 2.1.0 ok")
            elif verb == "RCPT":
                recipients.append(re.search(r"<(.*?)>", line).group(1))
                self._send(connection, "250 2.1.5 ok")
            elif verb == "RSET":
                sender, recipients, body, broken = None, [], b"", False
                self._send(connection, "250 2.0.0 ok")
            elif verb == "QUIT":
                self._send(connection, "221 bye")
                return
            else:
                self._send(connection, "500 what?")

    def _done(self, connection, special, sender, recipients, body):
        if special and special[:1] != "2":
            self._send(connection, special)
            return
        self.messages.append((sender, list(recipients), body))
        if self.on_message:
            self.on_message(len(self.messages))
        self._send(connection, special or "250 2.0.0 taken")
