#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two modems on one telephone network: each dials the other, rings, answers, is busy.

    telephone.py LOG PATH_A PATH_B

Each modem is a pty with a symlink to it. Prints "telephone: ready" when they can be used; ends with SIGTERM. The log has one JSON object
a line: {"t","event","modem"}, event one of open, close, dial, busy, ring, answer, connect, hangup. What modemsim does for one modem
and a host this does for two modems, with less: AT commands are OK, results are words, there is no echo and no rate."""
import json
import os
import select
import signal
import sys
import termios
import time
import tty

BUSY_AFTER = 0.3      # the network needs a moment to find out
CONNECT_AFTER = 0.2
RING_EVERY = 2.0
NO_ANSWER_AFTER = 30.0
GUARD = 1.0


class Modem:
    def __init__(self, name, path, log):
        self.name, self.path, self.log = name, path, log
        self.master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self.master, False)
        if os.path.islink(path):
            os.unlink(path)
        os.symlink(os.ttyname(slave), path)
        os.close(slave)
        self.other = None
        self.state = "idle"          # idle, dialling, ringing, answering, online, escaped
        self.open = False
        self.line = b""
        self.due = None              # when the state goes on
        self.ring_at = None
        self.plus = (0, 0.0)         # of the escape sequence; when the last byte came
        self.out = b""

    def say(self, text):
        self.out += b"\r\n" + text.encode() + b"\r\n"

    def flush(self):
        while self.out and self.open:
            try:
                self.out = self.out[os.write(self.master, self.out):]
            except (BlockingIOError, OSError):
                return
        if not self.open:
            self.out = b""

    def dtr(self):
        try:
            return termios.tcgetattr(self.master)[5] != termios.B0
        except termios.error:
            return False

    def on_hook(self):
        return self.state == "idle"

    def hang_up(self, tell=False):
        state, other = self.state, self.other
        if state == "idle":
            return
        self.state, self.due, self.ring_at = "idle", None, None
        if state != "ringing":
            self.log(self.name, "hangup")
        if tell:
            self.say("NO CARRIER")
        # The other end of the same call.
        if state in ("online", "escaped", "answering") and other.state in ("online", "escaped", "dialling", "answering"):
            other.hang_up(tell=True)
        elif state == "dialling" and other.state == "ringing":
            other.hang_up()

    def command(self, text, now):
        upper = text.upper()
        if not upper.startswith("AT"):
            return
        body = upper[2:]
        if body.startswith("D"):
            self.dial(now)
        elif body.startswith("A"):
            if self.state == "ringing":
                self.log(self.name, "answer")
                self.state, self.due = "answering", now + CONNECT_AFTER
                self.ring_at = None
            else:
                self.say("NO CARRIER")
        else:
            # What rings goes on ringing.
            if body[:1] in ("H", "Z") and self.state != "ringing":
                self.hang_up()
            self.say("OK")

    def dial(self, now):
        self.log(self.name, "dial")
        if self.state == "ringing":
            # Off hook while it rings: nobody gets through.
            self.other.state, self.other.due = "idle", None
            self.other.say("BUSY")
            self.state, self.ring_at = "idle", None
            self.say("BUSY")
            return
        self.state, self.due = "dialling", now + BUSY_AFTER

    def on_bytes(self, data, now):
        if self.state in ("online", "answering"):
            count, last = self.plus
            for byte in data:
                if byte == ord("+") and (count or now - last >= GUARD):
                    count += 1
                else:
                    count = 0
            self.plus = (count, now)
            if self.state == "online" and self.other.state in ("online", "escaped"):
                self.other.out += data
            return
        for byte in data:
            if self.state == "dialling":
                self.hang_up(tell=True)
            elif byte in b"\r\n":
                text, self.line = self.line.decode("latin-1"), b""
                self.command(text, now)
            else:
                self.line = (self.line + bytes([byte]))[-255:]

    def tick(self, now):
        if self.state == "online" and self.plus[0] == 3 and now - self.plus[1] >= GUARD:
            self.plus = (0, now)
            self.state = "escaped"
            self.say("OK")
        if self.state not in ("idle", "ringing") and (not self.open or not self.dtr()):
            self.hang_up()
        if self.state == "ringing" and now >= self.ring_at:
            self.ring_at = now + RING_EVERY
            self.log(self.name, "ring")
            self.say("RING")
        if self.due is None or now < self.due:
            return
        self.due = None
        if self.state == "answering":
            for modem in (self, self.other):
                modem.state, modem.due, modem.plus = "online", None, (0, now)
                modem.log(modem.name, "connect")
                modem.say("CONNECT 33600")
        elif self.state == "dialling":
            if self.other.state == "ringing":
                self.state = "idle"
                self.other.hang_up()
                self.say("NO ANSWER")
            elif self.other.on_hook():
                self.other.state, self.other.ring_at = "ringing", now
                self.due = now + NO_ANSWER_AFTER
            else:
                self.state = "idle"
                self.log(self.name, "busy")
                self.say("BUSY")


def main():
    log_file = open(sys.argv[1], "a", buffering=1, encoding="utf-8")
    start = time.monotonic()

    def log(name, event):
        log_file.write(json.dumps({"t": round(time.monotonic() - start, 3), "event": event, "modem": name}) + "\n")

    modems = [Modem(name, path, log) for name, path in zip("ab", sys.argv[2:4])]
    modems[0].other, modems[1].other = modems[1], modems[0]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("telephone: ready", flush=True)
    poll = select.poll()
    while True:
        for modem in modems:
            room = len(modem.other.out) < 65536
            events = (select.POLLIN if modem.state != "online" or room else 0) | (select.POLLOUT if modem.out and modem.open else 0)
            poll.register(modem.master, events)
        ready = dict(poll.poll(20))
        now = time.monotonic()
        for modem in modems:
            events = ready.get(modem.master, 0)
            opened = not events & select.POLLHUP
            if opened != modem.open:
                modem.open = opened
                modem.log(modem.name, "open" if opened else "close")
                modem.line = b""
            if events & select.POLLIN:
                try:
                    modem.on_bytes(os.read(modem.master, 4096), now)
                except (BlockingIOError, OSError):
                    pass
            modem.tick(now)
        for modem in modems:
            modem.flush()
        if not any(modem.open for modem in modems):
            # A hung-up pty is always ready.
            time.sleep(0.02)


if __name__ == "__main__":
    main()
