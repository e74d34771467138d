# SPDX-License-Identifier: MIT
"""Runs the emulated modem (tests/fakes/modemsim) and talks to it as a DTE. Every wait has a deadline."""

import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import tempfile
import termios
import time
import tty
from pathlib import Path

BUILD = Path(os.environ.get("LONGLINE_BUILD", Path(__file__).resolve().parents[2] / "build")).resolve()
MODEMSIM = BUILD / "tests" / "fakes" / "modemsim"
PATIENCE = float(os.environ.get("LONGLINE_TEST_PATIENCE", "20"))


def wait_until(question, patience=None, what="condition"):
    """Asks every 10 ms until the answer is true; returns it."""
    deadline = time.monotonic() + (patience or PATIENCE)
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"timed out waiting for {what}")
        time.sleep(0.01)


class Modemsim:
    """A running modemsim. `scenario` is TOML text or a Path. Use it as a context manager."""

    def __init__(self, scenario="", tcp=False, max_calls=0, folder=None):
        self._temporary = None
        if folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="modemsim-")
            folder = self._temporary.name
        self.folder = Path(folder)
        self.scenario = scenario if isinstance(scenario, Path) else self.folder / "scenario.toml"
        if not isinstance(scenario, Path):
            self.scenario.write_text(scenario)
        self.link = self.folder / "modem"
        self.log = self.folder / "modemsim.jsonl"
        self.calls_file = self.folder / "calls"
        self.calls_file.touch()
        command = [str(MODEMSIM), str(self.scenario), "--log", str(self.log), "--calls", str(self.calls_file)]
        command += ["--listen", "127.0.0.1:0"] if tcp else ["--link", str(self.link)]
        if max_calls:
            command += ["--max-calls", str(max_calls)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        line = self.process.stdout.readline().decode()
        if not line.startswith("modemsim: ready "):
            self.stop()
            raise AssertionError(f"modemsim did not start: {line!r}")
        self.name = line.split(None, 2)[2].strip()
        # What a configuration's `port` says.
        self.port = self.name if tcp else str(self.link)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(PATIENCE)
        self.process.stdout.close()
        if self._temporary:
            self._temporary.cleanup()
            self._temporary = None
        return self.process.returncode

    def signal(self, number):
        self.process.send_signal(number)

    def drop_carrier(self):
        self.signal(signal.SIGUSR1)

    def ring(self):
        self.signal(signal.SIGUSR2)

    def events(self, name=None):
        if not self.log.exists():
            return []
        text = self.log.read_text()
        events = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
        return [event for event in events if name is None or event["event"] == name]

    def wait_event(self, name, count=1, patience=None, **fields):
        """Waits for the count-th event of that name with those fields; returns it."""

        def found():
            matching = [e for e in self.events(name) if all(e.get(k) == v for k, v in fields.items())]
            return matching[count - 1] if len(matching) >= count else None

        return wait_until(found, patience, f"modemsim event {name} {fields}")

    def calls(self):
        """[(number, digits, fate)] of every call that was dialled or came in."""
        return [(int(n), digits, fate) for n, digits, fate in
                (line.split() for line in self.calls_file.read_text().splitlines())]

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def dte(self):
        return TcpDte(self.name) if self.name.startswith("tcp:") else PtyDte(self.port)


class Dte:
    """The computer's end of the modem cable."""

    def __init__(self, fd):
        self.fd = fd
        self.received = b""  # not yet consumed by expect()
        os.set_blocking(fd, False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data, patience=None):
        data = data if isinstance(data, bytes) else data.encode()
        deadline = time.monotonic() + (patience or PATIENCE)
        while data:
            if not select.select([], [self.fd], [], max(0, deadline - time.monotonic()))[1]:
                raise AssertionError(f"could not send {data[:40]!r}")
            try:
                data = data[os.write(self.fd, data):]
            except BlockingIOError:
                pass

    def read_some(self, patience):
        """What comes within that time, b"" for nothing; raises EOFError when the modem has gone."""
        if not select.select([self.fd], [], [], max(0, patience))[0]:
            return b""
        try:
            data = os.read(self.fd, 65536)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise EOFError from error
        if not data:
            raise EOFError
        return data

    def expect(self, text, patience=None):
        """Waits for the text; returns everything up to its end and consumes it."""
        text = text if isinstance(text, bytes) else text.encode()
        deadline = time.monotonic() + (patience or PATIENCE)
        while text not in self.received:
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"expected {text!r}, got {self.received[-300:]!r}")
            self.received += self.read_some(left)
        end = self.received.index(text) + len(text)
        seen, self.received = self.received[:end], self.received[end:]
        return seen

    def expect_bytes(self, count, patience=None):
        deadline = time.monotonic() + (patience or PATIENCE)
        while len(self.received) < count:
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"expected {count} bytes, got {len(self.received)}: {self.received[-300:]!r}")
            self.received += self.read_some(left)
        seen, self.received = self.received[:count], self.received[count:]
        return seen

    def expect_silence(self, seconds):
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.received += self.read_some(left)
        if self.received:
            raise AssertionError(f"expected silence, got {self.received[:300]!r}")

    def command(self, text, answer="OK", patience=None):
        """Sends a command line and waits for the answer on a line of its own; returns everything that came."""
        self.send(text + "\r")
        return self.expect(f"\r\n{answer}\r\n", patience)

    def dial(self, number="0298765432", connect="CONNECT"):
        self.send(f"ATDT{number}\r")
        self.expect(f"\r\n{connect}")
        return self.expect("\r\n")

    def log_in(self, user="alice", password="sesame"):
        """The dialogue of scenarios/ozemail.toml."""
        self.expect("ervice?")
        self.send("p\r")
        self.expect("sername:")
        self.send(user + "\r")
        self.expect("assword:")
        self.send(password + "\r")

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def open_port(path):
    """The port, as a file. A test is a session leader: it must not make the port its controlling terminal, which hangs up on it."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0)


class PtyDte(Dte):
    def __init__(self, path):
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        tty.setraw(fd)
        super().__init__(fd)

    def set_speed(self, speed):
        attributes = termios.tcgetattr(self.fd)
        attributes[4] = attributes[5] = speed
        termios.tcsetattr(self.fd, termios.TCSANOW, attributes)

    def unread(self):
        """How many bytes the kernel holds for us."""
        return int.from_bytes(fcntl.ioctl(self.fd, termios.FIONREAD, b"\0\0\0\0"), "little")


class TcpDte(Dte):
    def __init__(self, name):
        host, port = name.removeprefix("tcp:").rsplit(":", 1)
        self.socket = socket.create_connection((host.strip("[]"), int(port)), PATIENCE)
        super().__init__(self.socket.detach())
