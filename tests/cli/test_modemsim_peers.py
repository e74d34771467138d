# SPDX-License-Identifier: MIT
"""The emulated modem is honest: dialers that know nothing of longline log in through it. Needs Debian's ppp, wvdial, minicom."""

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
import tty
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from modemsim import PATIENCE, Modemsim  # noqa: E402

OZEMAIL = Path(__file__).resolve().parents[1] / "fakes" / "scenarios" / "ozemail.toml"
CHAT = shutil.which("chat", path="/usr/sbin:/usr/bin")
UNIX_HOST = """
[line]
rate = 33600
rtt = "100ms"
[modem]
connect-text = "CONNECT 33600/V34"
[login]
user = "alice"
password = "sesame"
steps = [
  { send = "\\r\\nlogin: ", expect = "$user" },
  { send = "Password: ", expect = "$password" },
  { send = "~\\u007f}#@!}!}!} }4}\\"}&} } } } }%}&" },
]
"""


@unittest.skipUnless(CHAT, "chat is not installed")
class Chat(unittest.TestCase):
    LOGIN = ["ABORT", "BUSY", "ABORT", "NO CARRIER", "TIMEOUT", "10", "", "ATZ", "OK", "ATDT0298765432", "CONNECT", r"\c",
             "ervice?", "p", "sername:", "alice", "assword:", "sesame", "session.", r"\c"]

    def chat(self, sim, script):
        with sim.dte() as dte:
            os.set_blocking(dte.fd, True)
            return subprocess.run([CHAT, "-v", "-S", "-s", *script], stdin=dte.fd, stdout=dte.fd, timeout=60,
                                  stderr=subprocess.PIPE)

    def test_logs_in(self):
        with Modemsim(OZEMAIL) as sim:
            done = self.chat(sim, self.LOGIN)
            self.assertEqual(done.returncode, 0, done.stderr)
            sim.wait_event("login", result="ok", user="alice")
            self.assertEqual(sim.wait_event("hangup")["cause"], "dtr")

    def test_meets_a_busy_line_then_gets_through(self):
        with Modemsim('[[number]]\nnumber = "*"\nfates = ["busy", "connect"]\n' + UNIX_HOST) as sim:
            script = self.LOGIN[:12] + ["ogin:", "alice", "word:", "sesame", "}#", r"\c"]
            self.assertEqual(self.chat(sim, script).returncode, 4)
            self.assertEqual(self.chat(sim, script).returncode, 0)

    def test_times_out_on_a_silent_host(self):
        with Modemsim(UNIX_HOST + "[[fault]]\nsilent-before-step = 2\n") as sim:
            script = self.LOGIN[:12] + ["TIMEOUT", "1", "ogin:", "alice", "word:", "sesame"]
            self.assertEqual(self.chat(sim, script).returncode, 3)

    def test_hears_that_the_carrier_is_lost(self):
        with Modemsim(UNIX_HOST + "[[fault]]\ndrop-before-step = 2\n") as sim:
            self.assertEqual(self.chat(sim, self.LOGIN[:12] + ["ogin:", "alice", "word:", "sesame"]).returncode, 5)


@unittest.skipUnless(shutil.which("wvdial"), "wvdial is not installed")
class Wvdial(unittest.TestCase):
    def dial(self, sim):
        pppd = sim.folder / "pppd"
        pppd.write_text(f'#!/bin/sh\necho "$@" > {sim.folder}/pppd.arguments\n')
        pppd.chmod(0o755)
        configuration = sim.folder / "wvdial.conf"
        configuration.write_text(f"""[Dialer Defaults]
Modem = {sim.link}
Baud = 38400
Init1 = ATZ
Init2 = ATQ0 V1 E1 S0=0 &C1 &D2
Phone = 0298765432
Username = alice
Password = sesame
Carrier Check = no
Auto Reconnect = off
Dial Attempts = 1
PPPD Path = {pppd}
""")
        return subprocess.run(["wvdial", "-C", configuration], capture_output=True, text=True, timeout=90,
                              stdin=subprocess.DEVNULL)

    def test_recognises_the_modem_and_logs_in(self):
        with Modemsim(UNIX_HOST) as sim:
            for _ in range(6):
                done = self.dial(sim)
                # Debian 12's wvdial now and then fails an assertion about its own stack, before it has seen the carrier.
                if "Assertion `*current_task->stack_magic" not in done.stderr:
                    break
            self.assertTrue((sim.folder / "pppd.arguments").exists(), done.stderr)
            sim.wait_event("login", result="ok", user="alice")
            sim.wait_event("hangup", sim.calls()[-1][0], cause="dtr")
            self.assertIn("PPP negotiation detected", done.stderr)


@unittest.skipUnless(shutil.which("minicom") and shutil.which("runscript"), "minicom is not installed")
class Minicom(unittest.TestCase):
    """minicom sends its own initialisation to the modem, then runs a script that dials and logs in."""

    SCRIPT = """
print dialling
send "ATDT0298765432"
timeout 20
expect {
  "CONNECT" goto connected
  timeout 10 goto failed
}
connected:
expect {
  "ervice?"
  timeout 10 goto failed
}
send "p"
expect {
  "sername:"
  timeout 10 goto failed
}
send "alice"
expect {
  "assword:"
  timeout 10 goto failed
}
send "sesame"
expect {
  "session."
  timeout 10 goto failed
}
exit 0
failed:
exit 1
"""

    def test_logs_in_by_script(self):
        with Modemsim(OZEMAIL) as sim:
            script = sim.folder / "script"
            script.write_text(self.SCRIPT)
            pid, terminal = pty.fork()
            if pid == 0:
                os.environ.update(TERM="vt100", HOME=str(sim.folder), LC_ALL="C", LINES="24", COLUMNS="80")
                os.execvp("minicom", ["minicom", "-D", str(sim.link), "-b", "38400", "-S", str(script)])
            try:
                tty.setwinsize(terminal, (24, 80)) if hasattr(tty, "setwinsize") else None
                self.watch(terminal, lambda: sim.events("login"))
                sim.wait_event("login", result="ok", user="alice")
            finally:
                os.kill(pid, signal.SIGTERM)
                self.watch(terminal, lambda: os.waitpid(pid, os.WNOHANG)[0])
                os.close(terminal)
            self.assertEqual(sim.wait_event("hangup")["cause"], "dtr")

    def watch(self, terminal, done):
        """Reads what minicom draws until done() is true."""
        deadline = time.monotonic() + PATIENCE + 20
        seen = b""
        while not done():
            self.assertLess(time.monotonic(), deadline, seen[-2000:])
            if select.select([terminal], [], [], 0.05)[0]:
                try:
                    seen += os.read(terminal, 4096)
                except OSError:
                    time.sleep(0.05)


if __name__ == "__main__":
    unittest.main()
