# SPDX-License-Identifier: MIT
"""Inside the virtual machine (vm.py): does what the test asks for on /dev/ttyS2, JSON Lines both ways."""
import base64
import fcntl
import json
import os
import select
import socket
import subprocess
import sys
import termios
import threading
import tty

TIOCVHANGUP = 0x5437
LINES = {"DTR": 0x002, "RTS": 0x004, "CTS": 0x020, "DCD": 0x040, "RI": 0x080, "DSR": 0x100, "OUT1": 0x2000, "OUT2": 0x4000,
         "LOOP": 0x8000}
held = {}
out = os.open("/dev/ttyS2", os.O_RDWR | os.O_NOCTTY)
writing = threading.Lock()


def say(answer):
    data = json.dumps(answer).encode() + b"\n"
    with writing:
        while data:
            data = data[os.write(out, data):]


def open_port(path):
    return os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)


def with_port(path, action):
    fd = open_port(path)
    try:
        return action(fd)
    finally:
        os.close(fd)


def bits(names):
    return sum(LINES[name] for name in names).to_bytes(4, "little")


def run(ask):
    environment = {**os.environ, **ask["env"]}
    process = subprocess.Popen(ask["argv"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=environment)
    try:
        stdout, stderr = process.communicate(ask["stdin"].encode(), ask["patience"])
        status = process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        stdout, stderr = process.communicate()
        status = "timed out"
    return {"status": status, "stdout": base64.b64encode(stdout).decode(), "stderr": base64.b64encode(stderr).decode()}


def lines(ask):
    """Which modem lines are on, after those of `set` were switched on and those of `clear` off."""

    def switch(fd):
        if ask.get("set"):
            fcntl.ioctl(fd, termios.TIOCMBIS, bits(ask["set"]))
        if ask.get("clear"):
            fcntl.ioctl(fd, termios.TIOCMBIC, bits(ask["clear"]))
        now = int.from_bytes(fcntl.ioctl(fd, termios.TIOCMGET, b"\0\0\0\0"), "little")
        return [name for name, bit in LINES.items() if now & bit]

    return with_port(ask["path"], switch)


def hold(ask):
    fd = open_port(ask["path"])
    held[ask["name"]] = fd
    if ask["how"] == "flock":
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    elif ask["how"] == "TIOCEXCL":
        fcntl.ioctl(fd, termios.TIOCEXCL)
    return os.getpid()


def write_file(ask):
    os.makedirs(os.path.dirname(ask["path"]), exist_ok=True)
    with open(os.open(ask["path"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, ask.get("mode", 0o644)), "w") as file:
        file.write(ask["text"])


def read_file(ask):
    try:
        with open(ask["path"], errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return None


class Modem:
    """modemsim on a TCP port, and a UART whose bytes go to it and come from it."""

    def __init__(self, ask):
        self.process = subprocess.Popen(ask["argv"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        name = self.process.stdout.readline().decode().split()[-1]
        host, port = name.removeprefix("tcp:").rsplit(":", 1)
        self.line = socket.create_connection((host, int(port)), 10)
        self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.uart = open_port(ask["tty"])
        tty.setraw(self.uart)
        settings = termios.tcgetattr(self.uart)
        settings[2] = settings[2] & ~termios.CRTSCTS | termios.CLOCAL
        settings[4] = settings[5] = termios.B115200
        termios.tcsetattr(self.uart, termios.TCSANOW, settings)
        termios.tcflush(self.uart, termios.TCIOFLUSH)
        os.set_blocking(self.uart, True)
        self.stop_in, self.stop_out = os.pipe()
        self.thread = threading.Thread(target=self.relay, daemon=True)
        self.thread.start()

    def relay(self):
        while True:
            ready = select.select([self.uart, self.line, self.stop_in], [], [])[0]
            if self.stop_in in ready:
                return
            if self.uart in ready:
                self.line.sendall(os.read(self.uart, 4096))
            if self.line in ready:
                data = self.line.recv(4096)
                if not data:
                    return
                while data:
                    data = data[os.write(self.uart, data):]

    def end(self):
        os.write(self.stop_out, b"x")
        self.thread.join(5)
        self.line.close()
        os.close(self.uart)
        self.process.terminate()
        self.process.wait(10)


modems = {}


def start_modem(ask):
    modems[ask["name"]] = Modem(ask)


OPERATIONS = {
    "modem": start_modem,
    "modem-pid": lambda ask: modems[ask["name"]].process.pid,
    "modem-end": lambda ask: modems.pop(ask["name"]).end(),
    "lines": lines,
    "hold": hold,
    "release": lambda ask: os.close(held.pop(ask["name"])),
    "hang-up-tty": lambda ask: with_port(ask["path"], lambda fd: fcntl.ioctl(fd, TIOCVHANGUP) and None),
    "write": write_file,
    "read": read_file,
    "list": lambda ask: sorted(os.listdir(ask["path"])),
    "kill": lambda ask: os.kill(ask["pid"], ask["signal"]),
}


def serve(ask):
    try:
        if ask["op"] == "run":
            say({"id": ask["id"], **run(ask)})
        else:
            say({"id": ask["id"], "value": OPERATIONS[ask["op"]](ask)})
    except Exception as error:  # the test shall see it
        say({"id": ask["id"], "error": f"{ask['op']}: {error!r}"})


def main():
    tty.setraw(out)
    say({"id": "ready"})
    with os.fdopen(os.dup(out), "rb") as asks:
        for line in asks:
            threading.Thread(target=serve, args=(json.loads(line),), daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
