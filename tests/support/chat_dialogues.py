# SPDX-License-Identifier: MIT
"""Plays one dialogue with a chat(8) on a pty and says all that can be seen of it; makes dialogues at random; the manual's examples and escapes.

Every wait has a deadline."""

import contextlib
import os
import pty
import random
import re
import select
import signal
import subprocess
import tempfile
import termios
import time
import tty
from collections import namedtuple
from dataclasses import dataclass, field
from pathlib import Path

from modemsim import PATIENCE

READ = object()
HANG_UP = object()
STAMP = re.compile(rb"(?<=chat:  )[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ")


@dataclass
class Case:
    """One script and who answers it. In `peer`, a str is what to wait for on the line, bytes are said, READ waits until
    the program has read them, a signal is sent to the program, HANG_UP hangs up. What is said first is there before
    the program starts. A script that is a str is a file for -f."""

    name: str
    status: int | None
    script: list | str
    peer: list = field(default_factory=list)
    options: str = ""
    files: dict = field(default_factory=dict)
    env: dict = field(default_factory=dict)
    rest: bool = False  # compare what the program left unread, too

    def argv(self):
        return self.options.split() + (["-f", "script.chat"] if isinstance(self.script, str) else self.script)

    def all_files(self):
        return self.files | ({"script.chat": self.script} if isinstance(self.script, str) else {})

    def compares_stderr(self):
        """Whether the dialogue asks for something on stderr, and no log of what may be a password: chat shows it, chatrun need not."""
        words = self.script.split() if isinstance(self.script, str) else self.script
        letters = {letter for word in self.options.split() if word.startswith("-") for letter in word}
        plain = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), " ".join(words))
        secret = "ssword" in plain or any(word.strip("'\"").startswith("@") for word in words)
        return bool(letters & set("svVer") or set(words) & {"SAY", "ECHO", "REPORT"}) and not ("v" in letters and secret)

    def __str__(self):
        peer = [f"waits for {s!r}" if isinstance(s, str) else f"says {s!r}" if isinstance(s, bytes) else "hangs up" if s is HANG_UP
                else "is read" if s is READ else f"sends {s.name}" for s in self.peer]
        lines = [f"{self.name}", f"  chat {self.argv()!r}"] + [f"  {name}: {text!r}" for name, text in self.all_files().items()]
        return "\n".join(lines + [f"  env {self.env!r}"] * bool(self.env) + [f"  the peer {step}" for step in peer])


Result = namedtuple("Result", "sent status stderr report rest restored")


def play(command, case):
    """Runs command + the case's arguments with the slave of a pty as its line; the peer sits at the master."""
    with tempfile.TemporaryDirectory(prefix="chat-") as folder:
        for name, text in case.all_files().items():
            Path(folder, name).write_bytes(text if isinstance(text, bytes) else text.encode("latin-1"))
        environment = {key: value for key, value in os.environ.items() if not key.startswith("CHAT_")} | case.env
        return Play(case.peer).run([*command, *case.argv()], folder, environment)


class Play:
    def __init__(self, peer):
        self.steps = list(peer)
        self.sent = b""
        self.heard = 0  # how much of it earlier waits have used up
        self.status = None

    def run(self, command, folder, environment):
        self.master, slave = pty.openpty()
        try:
            tty.setraw(slave)
            before = termios.tcgetattr(slave)
            self.name = os.ttyname(slave)
            if self.steps and isinstance(self.steps[0], bytes):
                self.say(self.steps.pop(0))
            self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=subprocess.PIPE, cwd=folder, env=environment)
            os.close(slave)
            slave = None
            with self.process.stderr:
                self.talk()
                stderr = self.process.stderr.read()
            self.finish()
            rest, restored = b"", True
            if self.master is not None:
                restored = termios.tcgetattr(self.master) == before
                rest = self.left()
        finally:
            for fd in (self.master, slave):
                if fd is not None:
                    os.close(fd)
        report = Path(folder, "report")
        report = report.read_bytes() if report.exists() else None
        return Result(self.sent, self.status, STAMP.sub(b"", stderr), report and STAMP.sub(b"", report), rest, restored)

    def talk(self):
        """Plays the peer and reads until the program has closed the line."""
        deadline = time.monotonic() + PATIENCE
        while self.master is not None:
            if self.react():
                deadline = time.monotonic() + PATIENCE
                continue
            polls = self.steps and self.steps[0] is READ
            if select.select([self.master], [], [], 0.005 if polls else max(0, deadline - time.monotonic()))[0]:
                try:
                    self.sent += os.read(self.master, 4096)
                except OSError:  # nobody has the slave open any more
                    return
                deadline = time.monotonic() + PATIENCE
            elif time.monotonic() >= deadline:
                self.kill()
                return

    def react(self):
        """Takes the next step if its time has come; says whether it has."""
        if not self.steps:
            return False
        step = self.steps[0]
        if isinstance(step, str):
            place = self.sent.find(step.encode("latin-1"), self.heard)
            if place < 0:
                return False
            self.heard = place + len(step)
        elif isinstance(step, bytes):
            self.say(step)
        elif step is READ:
            if self.is_unread():
                return False
        elif step is HANG_UP:
            self.hang_up()
        else:
            self.process.send_signal(step)
        del self.steps[0]
        return True

    def say(self, text):
        while text:
            text = text[os.write(self.master, text):]

    def hang_up(self):
        """The program stands still meanwhile: the kernel wakes a reader before it has taken the line away."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        os.close(self.master)
        self.master = None
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.status = f"killed: silent for {PATIENCE} s"

    def finish(self):
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            status = self.process.wait()
        self.status = status if self.status is None else self.status

    @contextlib.contextmanager
    def slave_again(self):
        fd = os.open(self.name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            yield fd
        finally:
            os.close(fd)

    def is_unread(self):
        with self.slave_again() as fd:
            return bool(select.select([fd], [], [], 0)[0])

    def left(self):
        with self.slave_again() as fd, contextlib.suppress(BlockingIOError):
            return os.read(fd, 4096)
        return b""


# Random dialogues. Every send has a tag like [3] by which the peer knows it; the peer speaks only before the start and after a
# tag, and then at once: nothing that is said can meet the end of a timeout.
WORDS = ["OK", "CONNECT", "ogin:", "assword:", "$ ", "> ", "# ", "OK\r\n", "aab", "CONNECT 9600", "name-", "a-b", "\x1b[0m", "100%",
         "it's", "\\o/", "user^", "READY", "abcabd", "x" * 40, "ABORT", "TIMEOUT", "@home"]
ABORTS = ["BUSY", "USY", "NO CARRIER", "NO DIALTONE", "NO", "ERROR", "VOICE", "K", "RROR\r", "a-a", "~~", "incorrect", "y" * 49]
REPORTS = ["CONNECT", "RING", "OK", "9600", "ogin:", "CARRIER ", "Welcome to "]
NOISE = ["\r\n", "RING\r\n", "garbage ", "O", "CON", "ogi", "\x00\x01\x7f", "aa", "Welcome to x\r\n", "CARRIER 14400\r\n", "\t", "~",
         "n" * 90, "NO", "BUS", "abcab", "\r\n\r\n", "%s%n", "\\", "^"]
PIECES = ["A", "AT", "DT 5", "a'b", "#", "$", "%d", "~", r"\s", r"\t", r"\\", r"\r", r"\n", r"\b", r"\101", r"\7", r"\351", r"\1234", "^C",
          "^M", "^@", r"\^", r"\$", r"\p", r"\K", r"\q", r"\T", r"\U", r"\c", r"\-", r"\055", r"\x", r"\8", "$CHAT_A", "$CHAT_A.",
          "$CHAT_NONE", r"\N", r"\0", r"\000", "\x7f"]
ESCAPES = {" ": [r"\s", r"\40"], "\r": [r"\r", "^M", r"\15"], "\n": [r"\n", "^J", r"\012"], "\x1b": ["^[", r"\033"], "-": [r"\-", r"\055"],
           "\\": [r"\\", r"\134"], "^": [r"\^", r"\136"]}
MUST = "-\\^\r\n\x1b"


class Generator:
    def __init__(self, number):
        self.random = random.Random(f"chat dialogue {number}")
        self.as_file = number % 2 == 1
        self.options = []
        self.files = {}
        self.env = {"CHAT_A": self.pick(["", "a b", r"x\py", "^M$", r"\\"])}
        self.peer = []
        self.tag = None  # of the last send, when the peer has not answered it yet
        self.tags = 0
        self.tokens = []
        self.status = 0

    def pick(self, choices):
        return self.random.choice(choices)

    def chance(self, share):
        return self.random.random() < share

    def case(self, name):
        for option, share in (("-E", 0.4), ("-T 5551212", 0.3), ("-U 0\\p1", 0.2), ("-r report", 0.2), ("-e", 0.1), ("-V", 0.1)):
            if self.chance(share):
                self.options.append(option)
        if self.chance(0.25):
            self.options.append(self.pick(["-s", "-vs", "-sv"]))
        self.options.append(self.pick(["-t 5", "-t5"]))
        for _ in range(self.random.randint(1, 4)):
            while self.chance(0.5):
                self.keyword()
            if not self.stage():
                break
        if self.tokens and self.chance(0.1):
            self.tokens.append(self.pick(["ABORT", "SAY", "TIMEOUT"]) if len(self.tokens) % 2 == 0 else "\\c")
        return Case(name, None, self.file() if self.as_file else self.tokens, self.peer, " ".join(self.options), self.files, self.env)

    def keyword(self):
        word = self.pick(["ABORT"] * 5 + ["CLR_ABORT", "TIMEOUT", "ECHO", "SAY", "REPORT", "REPORT", "CLR_REPORT", "HANGUP"])
        if word == "CLR_REPORT" and self.peer:
            return  # chat crashes when one of them has been seen
        strings = {"ABORT": ABORTS, "CLR_ABORT": ABORTS, "REPORT": REPORTS, "CLR_REPORT": REPORTS}.get(word)
        if strings:
            argument = self.escaped(self.pick(strings))
        elif word == "SAY":
            argument = "".join(self.pick(["hello", " ", r"\n", r"\s", r"\T", r"\d", "-", "$CHAT_A.", "^A"]) for _ in range(3)) + self.pick([r"\c", ""])
        else:
            argument = self.pick({"TIMEOUT": ["5", "5s", "06", "500m"], "ECHO": ["ON", "OFF", "on"], "HANGUP": ["ON", "OFF"]}[word])
        self.tokens += [word, argument]

    def escaped(self, text):
        return "".join(self.pick(ESCAPES[c]) if c in MUST else self.pick(ESCAPES.get(c, []) + [f"\\{ord(c):03o}"]) if self.chance(0.1) else c
                       for c in text)

    def send(self, short=False):
        """A send with a tag in it, or one that cannot be seen."""
        if self.chance(0.1):
            return self.pick(["\\c", "EOT", "BREAK", "", "ABORT", "\\K\\c", "\\p"])
        self.tags += 1
        self.tag = f"[{self.tags}]"
        # The log of a send ends at its first NUL; in a sub-send a dash ends it.
        pieces = [piece for piece in PIECES if not (any("v" in option for option in self.options) and piece in (r"\N", r"\0", r"\000"))]
        before = [self.pick(pieces) for _ in range(self.random.randint(0, 1 if short else 3))]
        after = [self.pick(pieces) for _ in range(self.random.randint(0, 1 if short else 3))]
        text = "".join(before) + self.tag + "".join(after) + (r"\c" if self.chance(0.2) else "")
        if not short and self.chance(0.1):
            self.files[f"data{self.tags}"] = text + self.pick(["", "\n", "\n\n"])
            return f"@{self.pick(['', ' '])}data{self.tags}"
        return text

    def say(self, *parts):
        """Answers the last tag, or prolongs what the peer is saying."""
        if self.tag:
            self.peer.append(self.tag)
            self.tag = None
        elif self.peer and isinstance(self.peer[-1], bytes):
            parts = (self.peer.pop() + parts[0], *parts[1:])
        for n, part in enumerate(parts):
            self.peer += [READ] * (n > 0) + [part]

    def text(self, word, noise=True):
        before = "".join(self.pick(NOISE) for _ in range(self.random.randint(0, 3 * noise)))
        after = "".join(self.pick(NOISE + WORDS[:4]) for _ in range(self.random.randint(0, 2 * noise)))
        echo = self.tag + "\r\r\n" if self.tag and self.chance(0.3) else ""
        return (echo + before + word + after).encode("latin-1")

    def answer(self, word):
        text = self.text(word)
        if len(text) > 1 and self.chance(0.3):
            cut = self.random.randrange(1, len(text))
            self.say(text[:cut], text[cut:])
        else:
            self.say(text)

    def stage(self):
        """One expect with its send; false when nothing can follow."""
        word = self.pick(WORDS)
        expect = self.escaped(word)
        if expect in ("ABORT", "TIMEOUT"):
            expect = f"\\{ord(expect[0]):o}{expect[1:]}"
        kind = self.random.choices(["answer", "abort", "chain", "late", "give up", "skip", "dead"], [72, 10, 4, 4, 4, 8, 3])[0]
        if kind == "skip":
            self.tokens += [self.pick(["", "\\0", "^@"]), self.send()]
            return True
        if kind == "abort":
            abort = self.pick(ABORTS)
            if declared := self.chance(0.85):
                self.tokens += ["ABORT", self.escaped(abort)]
            self.answer(abort)
            self.tokens += [expect + ("-never-" + expect) * (declared and self.chance(0.5)), self.send()]
            return True
        if kind == "answer":
            self.answer(word)
            self.tokens += [expect + self.pick(["", "", "--" + expect, "-never-x"]), self.send()]
            return True
        # The rest let a timeout pass.
        if kind == "late":
            self.tokens += ["TIMEOUT", "3", expect + "-" + self.send(short=True) + "-" + expect]
            self.answer(word)
        elif kind == "chain":
            self.tokens += ["TIMEOUT", "2", "nothing-\\r-never-" + self.send(short=True) + "-" + expect]
            self.answer(word)
        elif kind == "give up":
            self.tokens += ["TIMEOUT", "1", "nothing" + self.pick(["--", "-gone"])]
        else:
            self.tokens += ["TIMEOUT", "1", "nothing" + self.pick(["", "-", "-x-nothing"]), "x"]
            return False
        self.tokens += [self.send(), "TIMEOUT", "5"]
        return True

    def file(self):
        text = self.pick(["", "# a comment\n", "\n \t\n"])
        for token in self.tokens:
            quotes = [quote for quote in "'\"" if quote not in token]
            if not token or re.search(r"[ \t]|^['\"#]", token) or (quotes and not re.search(r"\\$", token) and self.chance(0.3)):
                quote = self.pick(quotes)
                token = quote + token + quote
            text += token + self.pick([" ", " ", "\t", " \t ", "\n", "\n", "\n  ", "\n\n", "\n# it's a comment\n", " \n"])
        return text if self.chance(0.8) else text.rstrip()


def generated(number):
    return Generator(number).case(f"the generated dialogue {number}")


# The longer examples of chat(8).
SAY_EXAMPLE = r"""ABORT BUSY
ECHO OFF
SAY "Dialling your ISP...\n"
'' ATDT5551212
TIMEOUT 120
SAY "Waiting up to 2 minutes for connection ... "
CONNECT ''
SAY "Connected, now logging in ...\n"
ogin: account
ssword: pass
$ \c
SAY "Logged in OK ...\n"
"""
ECHO_EXAMPLE = r"""ABORT   'BUSY'
ABORT   'NO CARRIER'
''      ATZ
OK\r\n  ATD1234567
\r\n    \c
ECHO    ON
CONNECT \c
ogin:   account
"""
HANGUP_EXAMPLE = r"""ABORT   'BUSY'
''      ATZ
OK\r\n  ATD1234567
\r\n    \c
CONNECT \c
'Callback login:' call_back_ID
HANGUP OFF
ABORT "Bad Login"
'Callback Password:' Call_back_password
TIMEOUT 120
CONNECT \c
HANGUP ON
ABORT "NO CARRIER"
ogin:--BREAK--ogin: real_account
"""

# In the place of what a send says; with -T 12 -U 34.
SENT = [r"\b", r"\n", r"\r", r"\t", r"\s", r"\\", r"\101", r"\7", r"\12", r"\1234", r"\0", r"\00", r"\000", r"\08", r"\351", r"\777", r"\N", r"\c",
        r"\d", r"\p", r"\K", r"\q", r"\T", r"\U", r"\x", r"\-", r"\055", r"\$", r"\^", r"\'", r"\@", r"\8", r"\134", r"\134d", r"\136A", "^A", "^a",
        "^[", "^?", "^@", "^ ", "^^", "^-", "^\\", "^1", "^", "\\", "-", "$", "'", "@", "\xe9"]
# What an expect says and what meets it.
MET = [(r"\b", b"\b"), (r"\n", b"\n"), (r"\r", b"\r"), (r"\t", b"\t"), (r"\s", b" "), (r"\\", b"\\"), (r"\101", b"A"), (r"\7", b"\a"),
       (r"\12", b"\n"), (r"\1234", b"S4"), (r"\0", b""), (r"\000", b""), (r"\08", b"8"), (r"\N", b"N"), (r"\c", b"c"), (r"\d", b"d"), (r"\p", b"p"),
       (r"\K", b"K"), (r"\q", b""), (r"\T", rb"\T"), (r"\U", rb"\U"), (r"\x", b"x"), (r"\-", b"-"), (r"\055", b"-"), (r"\$", b"$"), (r"\^", b"^"),
       (r"\'", b"'"), (r"\8", b"8"), (r"\134", b"\\"), (r"\134d", b"\\d"), ("^A", b"\1"), ("^a", b"\1"), ("^[", b"\x1b"), ("^?", b"\x1f"), ("^@", b""),
       ("^ ", b""), ("^^", b"\x1e"), ("^1", b"\x11"), ("$", b"$"), ("'", b"'"), ("@", b"@"), ("^\\", b"\x1c")]
