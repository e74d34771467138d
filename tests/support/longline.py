# SPDX-License-Identifier: MIT
"""A site with longline: a root folder, a provider behind the emulated modem, the tools. Every wait has a deadline."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from event_log import read_events
from modemsim import BUILD, PATIENCE, Modemsim, wait_until

SOURCE = Path(os.environ.get("LONGLINE_SOURCE", Path(__file__).resolve().parents[2]))
TOOLS = BUILD / "tools"
PASSWORD = "sesame-Open-7"

# The script of KB175410, in full.
SCRIPT = """; OzEmail Script for PPP Access
proc main
   waitfor "ervice?" until 5
   if $SUCCESS then
   transmit "p^M"
   waitfor "sername:" until 4
   if $SUCCESS then
   transmit $USERID, raw
   transmit "^M"
   waitfor "assword:" until 3
   if $SUCCESS then
   transmit $PASSWORD, raw
   transmit "^M"
   endif
   endif
   endif
endproc
"""
# The waits above: the longest that the login can take when the host goes silent.
SCRIPT_WAITS = {1: 5, 2: 4, 3: 3}

LOGIN = f"""
[login]
user = "alice"
password = "{PASSWORD}"
steps = [
  {{ send = "\\r\\nOzEmail - Sydney\\r\\nService? ", expect = "p" }},
  {{ send = "Username: ", expect = "$user" }},
  {{ send = "Password: ", expect = "$password" }},
]
"""


def descendants(pid):
    """The pids below a process, and its own."""
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        try:
            for task in Path(f"/proc/{one}/task").iterdir():
                todo += [int(child) for child in (task / "children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def without_received(message):
    """The message as it was handed over: without the trace that receiving adds before it."""
    lines = message.split(b"\n")
    out, at = [], 0
    while at < len(lines) and (lines[at].startswith((b"Received:", b"Return-Path:", b"Delivered-To:"))):
        at += 1
        while at < len(lines) and lines[at].startswith((b" ", b"\t")):
            at += 1
    out = lines[at:]
    return b"\n".join(out)


class Tool:
    """What a tool did."""

    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout.decode(errors="replace")
        self.errors = done.stderr.decode(errors="replace")

    def objects(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def error(self):
        """The error object of --json."""
        for line in self.errors.splitlines():
            if line.startswith("{"):
                found = json.loads(line)
                if "error" in found:
                    return found["error"]
        raise AssertionError(f"no error object in {self.errors!r}")

    def __repr__(self):
        return f"status {self.status}, stdout {self.out[-1500:]!r}, stderr {self.errors[-3000:]!r}"


def supervisor_of(root):
    """The pid of the supervisor of a link under this root; None without one."""
    for path in Path("/proc").iterdir():
        if not path.name.isdigit():
            continue
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"supervise" in words and str(root).encode() in words:
            return int(path.name)
    return None


class DialctlHost:
    """A root folder for dialctl; who derives from it writes the configuration."""

    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="dialctl-")
        self.root = Path(self.temporary.name)

    def command(self, *arguments):
        return [str(TOOLS / "dialctl"), "--root", str(self.root), *arguments]

    def start(self, *arguments):
        return subprocess.Popen(self.command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def dialctl(self, *arguments, timeout=40):
        return subprocess.run(self.command(*arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)

    def status(self):
        return json.loads(self.dialctl("status", "--json").stdout)

    def events(self, name=None):
        return read_events(self.root / "events.jsonl", name)

    def supervisor(self):
        return supervisor_of(self.root)


class Site:
    """A host with a modem. `line`, `modem`, `faults`: TOML for modemsim; `link`: more keys of [link.isp]."""

    def __init__(self, line='rate = 115200\nrtt = "20ms"\n', modem="", numbers="", faults="", link="", script=SCRIPT, tcp=False,
                 login=LOGIN):
        self.folder = Path(tempfile.mkdtemp(prefix="longline-"))
        self.root = self.folder / "site"
        self.far = self.folder / "far"
        for folder in (self.root, self.far):
            folder.mkdir()
        self.maildir = self.far / "Maildir"
        self.login = login
        self.sim = Modemsim(self.scenario(line, modem, numbers, faults), folder=self.make("modem"), tcp=tcp)
        self.write("ozemail.scp", script)
        self.write("isp.secret", PASSWORD + "\n", 0o600)
        self.link = link
        self.configure()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        # A supervisor that a test left behind must not outlive its folder.
        self.run("dialctl", "down", "isp", "--force", check=False)
        self.sim.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def make(self, name):
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder

    def write(self, name, text, mode=0o644):
        path = self.root / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def scenario(self, line, modem, numbers, faults):
        far = [str(TOOLS / "mtaq"), "--root", str(self.far), "receive", "--stdio", "--maildir", str(self.maildir), "--domain",
               "example.com"]
        return (f"[line]\n{line}\n[modem]\n{modem}\n{numbers}\n{self.login}\n"
                f'[far-end]\ncommand = {json.dumps(far)}\nstderr = "{self.far}/errors"\n{faults}\n')

    def restart_modem(self, line='rate = 115200\nrtt = "20ms"\n', modem="", numbers="", faults=""):
        """Another modem at the same place, its calls counted from 1."""
        self.sim.stop()
        for file in (self.sim.log, self.sim.calls_file):
            file.unlink(missing_ok=True)
        self.sim = Modemsim(self.scenario(line, modem, numbers, faults), folder=self.sim.folder)

    def configure(self, **changes):
        keys = {
            "port": json.dumps(self.sim.port), "speed": "115200", "modem": '"hayes"', "numbers": '["0298765432"]',
            "attempts": "1", "interval": '"1s"', "dial-timeout": '"10s"', "script": '"ozemail.scp"', "user": '"alice"',
            "password-file": '"isp.secret"', "network": '"stream"', "flow": '"none"',
        }
        keys.update({name.replace("_", "-"): value for name, value in changes.items() if value is not None})
        for name, value in changes.items():
            if value is None:
                keys.pop(name.replace("_", "-"), None)
        text = "[link.isp]\n" + "".join(f"{name} = {value}\n" for name, value in keys.items()) + self.link + "\n"
        text += '[connector.hub]\ndomains = ["example.com"]\nlink = "isp"\nprotocol = "smtp"\nhost = "line"\n'
        self.write("longline.toml", text)

    # The tools.

    def command(self, tool, *arguments):
        return [str(TOOLS / tool), "--root", str(self.root), *arguments]

    def environment(self):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LONGLINE_")}
        environment["PATH"] = f"{TOOLS}:{environment.get('PATH', '/usr/bin:/bin')}"
        environment["LONGLINE_ROOT"] = str(self.root)
        return environment

    def run(self, tool, *arguments, stdin=b"", patience=60, check=True):
        done = subprocess.run(self.command(tool, *arguments), input=stdin, capture_output=True, timeout=patience,
                              env=self.environment())
        result = Tool(done)
        if check and result.status != 0:
            raise AssertionError(f"{tool} {' '.join(arguments)}: {result!r}")
        return result

    def start(self, tool, *arguments):
        """The tool as a process of its own session, for tests that kill it."""
        return subprocess.Popen(self.command(tool, *arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=self.environment(), start_new_session=True)

    FLUSH = ("--", "mtaq", "flush", "--link", "isp", "--wait")

    def flush(self, *options, patience=90):
        """dialctl run isp -- mtaq flush --link isp --wait."""
        return self.run("dialctl", *options, "run", "isp", *self.FLUSH, check=False, patience=patience)

    def shell(self, line, patience=90):
        done = subprocess.run(["sh", "-c", line], stdin=subprocess.DEVNULL, capture_output=True, timeout=patience,
                              env=self.environment(), cwd=self.root)
        return Tool(done)

    def add(self, message, *recipients, sender="alice@site7.example"):
        return self.run("mtaq", "add", "-f", sender, *(recipients or ("bob@example.com",)), stdin=message).out.split()[0]

    def list(self):
        return self.run("mtaq", "list", "--json").objects()

    def status(self):
        return next(one for one in self.run("dialctl", "status", "--json", check=False).objects() if one["link"] == "isp")

    def wait_state(self, state, patience=None):
        return wait_until(lambda: (s := self.status())["state"] == state and s, patience, f"link state {state}")

    def events(self, name=None):
        return read_events(self.root / "events.jsonl", name)

    def delivered(self):
        """The far Maildir's messages, without what receiving added."""
        found = [*self.maildir.glob("new/*"), *self.maildir.glob("cur/*")]
        return [without_received(path.read_bytes()) for path in found]

    def supervisor(self):
        return supervisor_of(self.root)


def message(subject, body="Hello.\n", message_id=None):
    """A complete message with LF line ends."""
    message_id = message_id or subject.replace(" ", "-")
    text = (f"From: Alice <alice@site7.example>\nTo: Bob <bob@example.com>\nSubject: {subject}\n"
            f"Date: Mon, 27 Oct 1997 08:00:00 +1000\nMessage-ID: <{message_id}@site7.example>\n\n{body}")
    return text.encode()


def kill_and_reap(process):
    """kill -9 of one process only."""
    process.kill()
    out, errors = process.communicate(timeout=PATIENCE)
    return out, errors
