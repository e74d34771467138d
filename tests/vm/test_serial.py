#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A real UART: the serial port under dialctl and chatrun, in a virtual machine (tests/support/vm.py).

The emulated modem and the provider are outside. DCD, DSR and CTS are always on, as on a cable with its wires tied, and
the modem never sees DTR: only the escape sequence hangs up, and only its words tell of a lost carrier."""
import json
import os
import re
import signal
import sys
import tempfile
import unittest
from pathlib import Path

from event_log import events_of
from modemsim import BUILD, Modemsim, wait_until
from stopwatch import Stopwatch
from vm import Machine, require_vm

DIALCTL, MTAQ, CHATRUN = (str(BUILD / "tools" / tool) for tool in ("dialctl", "mtaq", "chatrun"))
PORT = "/dev/ttyS1"
LOCK_FILE = "/run/lock/LCK..ttyS1"
SCENARIO = """
[modem]
answer-delay = "50ms"
[login]
user = "alice"
password = "sesame"
steps = [
  {{ send = "Username: ", expect = "$user" }},
  {{ send = "Password: ", expect = "$password" }},
]
[far-end]
command = {command}
"""
SCRIPT = """proc main
  {first}
  waitfor "sername:" until 20
  if $SUCCESS then
    transmit $USERID, raw
    transmit "^M"
    waitfor "assword:" until 20
    if $SUCCESS then
      transmit $PASSWORD, raw
      transmit "^M"
    endif
  endif
endproc
"""
DIALS = 'proc main\n transmit "ATDT0298765432^M"\n waitfor "CONNECT" until 20\n' + SCRIPT.format(first="").split("\n", 1)[1]
CHAT = "ABORT BUSY TIMEOUT 20 '' ATDT0298765432 CONNECT '' sername:--sername: alice ssword: \\qsesame\n"
CONFIG = """[link.isp]
port = "{port}"
speed = {speed}
flow = "{flow}"
framing = "{framing}"
init = ["ATZ", "ATE0V1Q0X4&C1&D2"]
numbers = ["0298765432"]
attempts = 1
dial-timeout = "20s"
script = "isp.scp"
user = "alice"
password-file = "isp.secret"
network = "stream"

[connector.hub]
domains = ["example.com"]
link = "isp"
host = "line"
tls = "none"
"""
machine = None


def setUpModule():
    global machine
    require_vm()
    machine = Machine()


def tearDownModule():
    if machine:
        machine.close()


class Serial(unittest.TestCase):
    roots = 0

    def setUp(self):
        # A failed test must not take the next one with it.
        machine.run("pkill", "-9", "-f", "root /run/t")
        machine.cable.send(b"\x11")
        Serial.roots += 1
        self.root = f"/run/t{Serial.roots}"

    def configure(self, first="", port=PORT, speed=115200, flow="rtscts", framing="8N1"):
        machine.do("write", path=f"{self.root}/longline.toml",
                   text=CONFIG.format(port=port, speed=speed, flow=flow, framing=framing))
        machine.do("write", path=f"{self.root}/isp.scp", text=SCRIPT.format(first=first))
        machine.do("write", path=f"{self.root}/isp.secret", text="sesame\n", mode=0o600)

    def modem(self, *command):
        sim = Modemsim(SCENARIO.format(command=json.dumps([str(word) for word in command or ("cat",)])), tcp=True)
        self.addCleanup(sim.stop)
        machine.cable.plug(sim.name)
        self.addCleanup(machine.cable.unplug)
        return sim

    def call(self, *command, **settings):
        self.configure(**settings)
        return self.modem(*command)

    def dialctl(self, *arguments, **options):
        return machine.run(DIALCTL, "--root", self.root, *arguments, **options)

    def start(self, *arguments, **options):
        return machine.start(DIALCTL, "--root", self.root, *arguments, **options)

    def up(self, sim, *command):
        """Starts `dialctl run isp -- COMMAND`; returns when the far end is there and the link is up."""
        run = self.start("run", "isp", "--", *(command or ("sleep", "60")))
        sim.wait_event("far-end", patience=30)
        machine.until(lambda: '"up"' in self.dialctl("status", "--json").stdout, "the link to be up", 30)
        return run

    def wires(self):
        """What the kernel drives and sees on the port, without opening it."""
        table = machine.do("read", path="/proc/tty/driver/serial")
        return re.search(r"^1: .*", table, re.MULTILINE).group().split()[-1].split("|")

    def events(self):
        text = machine.do("read", path=f"{self.root}/events.jsonl") or ""
        return [event["event"] for event in events_of(text)]

    def supervisor(self):
        done = machine.run("pgrep", "-f", f"root {self.root} .*supervise")
        return int(done.stdout.split()[0])

    def assert_port_is_free(self):
        self.assertIsNone(machine.do("read", path=LOCK_FILE))
        self.assertNotIn("DTR", self.wires())
        done = machine.run("flock", "--nonblock", PORT, "true")
        self.assertEqual(done.status, 0, done)

    def assert_works(self):
        """The next call goes through, whatever the last one left behind."""
        self.modem()
        done = self.dialctl("run", "isp", "--", "true")
        self.assertEqual((done.status, done.stderr), (0, ""), done)
        self.assert_port_is_free()

    def test_the_main_job_delivers_and_leaves_the_port_free(self):
        with tempfile.TemporaryDirectory(prefix="far-") as far:
            sim = self.call(MTAQ, "--root", far, "receive", "--stdio", "--maildir", f"{far}/mail")
            body = "Subject: cargo\n\n" + "sealed, 40 ft, to Hamburg\n.\n" * 800
            for text in ("Subject: noon\n\n54 10 N\n", body):
                done = machine.run(MTAQ, "--root", self.root, "add", "-f", "op@ship.example", "office@example.com", stdin=text)
                self.assertEqual(done.status, 0, done)
            done = self.dialctl("run", "isp", "--", MTAQ, "--root", self.root, "flush", "--link", "isp", "--wait")
            self.assertEqual(done.status, 0, done)
            self.assertIn("2 of 2 messages sent", done.stderr)
            arrived = sorted(Path(far, "mail", "new").iterdir(), key=lambda path: path.stat().st_size)
            self.assertEqual(len(arrived), 2)
            self.assertTrue(arrived[1].read_text().replace("\r\n", "\n").endswith(body.split("\n\n", 1)[1]))
        self.assertEqual(machine.run(MTAQ, "--root", self.root, "due", "--link", "isp").status, 1)
        self.assertEqual(self.events()[:2], ["call.connected", "link.up"])
        self.assertEqual(sim.wait_event("hangup")["call"], 1)
        self.assert_port_is_free()

    def test_the_escape_sequence_hangs_up_where_dtr_is_not_seen(self):
        sim = self.call()
        run = self.start("run", "isp", "--", "true")
        sim.wait_event("far-end", patience=30)
        machine.until(lambda: "DTR" not in self.wires(), "DTR to go low")
        self.assertEqual(sim.events("escape"), [])
        machine.until(lambda: "DTR" in self.wires(), "DTR to come back")
        done = machine.wait(run)
        self.assertEqual((done.status, done.stderr), (0, ""), done)
        sim.wait_event("escape")
        self.assertEqual(sim.wait_event("hangup")["cause"], "ATH")
        self.assert_port_is_free()

    def test_speed_flow_control_and_framing_are_those_asked_for(self):
        for first, settings, wanted in (
                ("", {"speed": 57600, "flow": "rtscts"}, "speed 57600 cs8 -parenb -cstopb crtscts -ixon -ixoff hupcl clocal"),
                ("", {"speed": 19200, "flow": "xonxoff"}, "speed 19200 cs8 -parenb -crtscts ixon ixoff -icanon -echo -opost"),
                ("", {"speed": 38400, "flow": "none", "framing": "8N2"}, "speed 38400 cs8 cstopb -crtscts -ixon -ixoff"),
                ("transmit \"x^M\"\n set port databits 7\n set port parity even\n", {"speed": 115200},
                 "speed 115200 cs7 parenb -parodd -cstopb crtscts")):
            with self.subTest(wanted):
                # What another program left behind must not matter.
                machine.run("stty", "-F", PORT, "sane", "300", "cs5", "parenb", "icanon", "echo", "start", "^A", "stop", "^B", "istrip")
                self.call(first=first, **settings)
                done = self.dialctl("run", "isp", "--", "stty", "-F", PORT, "-a")
                self.assertEqual((done.status, done.stderr), (0, ""), done)
                words = done.stdout.replace(";", " ").split()
                wanted = wanted.split()
                self.assertEqual(words[words.index("speed") + 1], wanted[1])
                self.assertEqual([word for word in wanted[2:] if word not in words], [], done.stdout)
                self.assertEqual([word for word in ("istrip", "inpck", "icrnl", "opost", "echo", "icanon") if word in words], [])
                self.assertIn("start = ^Q", done.stdout)
                machine.cable.unplug()

    def test_a_supervisor_killed_outright_frees_the_port_and_the_next_call_recovers_the_modem(self):
        sim = self.call()
        run = self.up(sim)
        self.assertLessEqual({"RTS", "DTR"}, set(self.wires()))
        machine.do("kill", pid=self.supervisor(), signal=signal.SIGKILL)
        self.assertEqual(machine.wait(run).status, 75)
        machine.until(lambda: "DTR" not in self.wires(), "DTR to fall", 5)
        # The lock file names the dead; the modem, which saw no DTR, is still in data state.
        self.assertIsNotNone(machine.do("read", path=LOCK_FILE))
        self.assertEqual(sim.events("hangup"), [])
        done = self.dialctl("run", "isp", "--", "true")
        self.assertEqual((done.status, done.stderr), (0, ""), done)
        self.assertEqual(len(sim.calls()), 2)
        self.assert_port_is_free()

    def test_a_foreign_holder_is_named_and_nothing_is_dialled(self):
        self.configure()
        for how in ("TIOCEXCL", "flock", "lock file"):
            with self.subTest(how):
                if how == "lock file":
                    pid = machine.do("hold", path="/dev/null", name=how, how=how)
                    machine.do("write", path=LOCK_FILE, text=f"{pid:10}\n")
                else:
                    pid = machine.do("hold", path=PORT, name=how, how=how)
                done = self.dialctl("--json", "run", "isp", "--", "true")
                machine.do("release", name=how)
                error = json.loads(done.stderr.splitlines()[-1])["error"]
                self.assertEqual((done.status, error["ras"], error["stage"]), (75, 633, "lock"), error)
                self.assertIn(f"process {pid} (", error["message"])
                self.assertIn(how, error["message"])
                if how == "lock file":
                    machine.run("rm", LOCK_FILE)
        self.assert_works()

    def test_a_port_without_a_uart_is_unavailable(self):
        for port in ("/dev/ttyS3", "/dev/ttyS77"):
            with self.subTest(port):
                self.configure(port=port)
                done = self.dialctl("--json", "run", "isp", "--", "true")
                error = json.loads(done.stderr.splitlines()[-1])["error"]
                self.assertEqual((done.status, error["stage"], error["code"]), (69, "port", "no-device"), error)

    def test_ports_are_listed_without_touching_them_and_probed_when_asked(self):
        self.call(speed=38400)
        before = self.wires()
        rows = {row["port"]: row for row in map(json.loads, self.dialctl("ports", "--json").stdout.splitlines())}
        self.assertEqual(self.wires(), before, "DTR stays as it is")
        self.assertEqual((rows[PORT]["links"], rows[PORT]["holder"], rows[PORT]["usb"]), (["isp"], None, None))
        self.assertIn("serial", rows[PORT]["driver"])
        self.assertNotIn("/dev/ttyS3", rows, "no UART, no port")
        pid = machine.do("hold", path=PORT, name="other", how="flock")
        held = next(row for row in map(json.loads, self.dialctl("ports", "--probe", "--json").stdout.splitlines()) if row["port"] == PORT)
        machine.do("release", name="other")
        self.assertEqual((held["holder"]["pid"], held["holder"]["method"], held["probed"]), (pid, "flock", False))
        free = next(row for row in map(json.loads, self.dialctl("ports", "--probe", "--json").stdout.splitlines()) if row["port"] == PORT)
        self.assertEqual(free["modem"], {"speed": 38400, "identity": "modemsim", "model": None})
        self.assert_port_is_free()

    def test_the_reset_command_has_the_port_for_itself_and_the_call_goes_on(self):
        # Nothing is plugged in: the command plugs the modem in, as one that switches its power on.
        self.configure()
        path = f"{self.root}/longline.toml"
        reset = ["sh", "-c", f"flock --nonblock $LONGLINE_PORT true && test ! -e {LOCK_FILE} && touch {self.root}/free; "
                 f"for i in $(seq 300); do test -e {self.root}/plugged && exit 0; sleep 0.1; done; exit 1"]
        machine.do("write", path=path, text=machine.do("read", path=path).replace('network =', f"reset-command = {json.dumps(reset)}\nnetwork ="))
        run = self.start("run", "isp", "--", "true")
        machine.until(lambda: machine.do("read", path=f"{self.root}/free") is not None, "the port to be free for the command", 60)
        self.modem()
        machine.do("write", path=f"{self.root}/plugged", text="")
        done = machine.wait(run)
        self.assertEqual((done.status, done.stderr), (0, ""), done)
        self.assertIn("modem.recovery", self.events())
        self.assert_port_is_free()

    def test_no_carrier_in_words_ends_the_call_where_dcd_is_tied(self):
        sim = self.call()
        run = self.up(sim)
        started = Stopwatch()
        sim.drop_carrier()
        done = machine.wait(run)
        self.assertEqual(done.status, 75, done)
        self.assertLess(started.ours(), 20)
        self.assertIn("link.down", self.events())
        self.assert_port_is_free()
        self.assert_works()

    def test_dcd_that_falls_ends_the_call(self):
        sim = self.call()
        run = self.up(sim)
        # In its loop the UART shows OUT2 as DCD.
        machine.do("lines", path=PORT, set=["LOOP"], clear=["OUT2"])
        done = machine.wait(run)
        machine.do("lines", path=PORT, set=["OUT2"], clear=["LOOP"])
        self.assertEqual(done.status, 75, done)
        self.assert_port_is_free()
        sim.stop()
        self.assert_works()

    def test_a_port_that_is_pulled_out_ends_the_call_at_once(self):
        sim = self.call()
        run = self.up(sim)
        started = Stopwatch()
        machine.do("hang-up-tty", path=PORT)
        done = machine.wait(run)
        self.assertEqual(done.status, 75, done)
        self.assertLess(started.ours(), 10)
        sim.stop()
        self.assert_works()

    def test_a_line_that_takes_nothing_holds_nobody(self):
        sim = self.call(flow="xonxoff")
        run = self.up(sim, "python3", "-c", "import os,socket; s = socket.socket(socket.AF_UNIX); "
                      "s.connect(os.environ['LONGLINE_LINE']); s.sendall(b'x' * 1000000)")
        machine.cable.send(b"\x13")
        before = len(machine.cable.sent)
        self.assertGreater(before, 0)
        started = Stopwatch()
        self.dialctl("down", "isp", "--force")
        machine.wait(run)
        machine.until(lambda: "DTR" not in self.wires(), "the port to be closed", 25)
        self.assertLess(started.ours(), 20)
        self.assert_port_is_free()
        sim.stop()
        self.assert_works()

    def test_chatrun_sends_its_last_byte(self):
        self.modem()
        machine.do("write", path=f"{self.root}/last.scp", text='proc main\n transmit "AT^M"\n waitfor "OK" until 10\n'
                   ' if $SUCCESS then\n  transmit "' + "x" * 200 + 'END"\n endif\nendproc\n')
        done = machine.run(CHATRUN, "run", f"{self.root}/last.scp", "--port", PORT, "--speed", "2400")
        self.assertEqual((done.status, done.stderr), (0, ""), done)
        wait_until(lambda: machine.cable.sent.endswith(b"xEND"), 5, "the last bytes")
        self.assertNotIn("DTR", self.wires())

    def test_pppd_logs_in_with_chatrun_as_its_connect_program(self):
        machine.do("write", path=f"{self.root}/isp.scp", text=DIALS)
        machine.do("write", path=f"{self.root}/isp.chat", text=CHAT)
        machine.do("write", path=f"{self.root}/isp.secret", text="sesame\n", mode=0o600)
        for connect in (f"{CHATRUN} run {self.root}/isp.scp --user alice --password-file {self.root}/isp.secret",
                        f"{CHATRUN} chat -f {self.root}/isp.chat", f"{CHATRUN} chat --safe -f {self.root}/isp.chat"):
            with self.subTest(connect), tempfile.TemporaryDirectory(prefix="far-") as far:
                frame = Path(far, "frame")
                sim = self.modem("sh", "-c", f"head -c 5 > {frame}; sleep 60")
                pppd = machine.start("pppd", PORT, "115200", "nodetach", "noauth", "local", "connect", connect)
                sim.wait_event("far-end", patience=30)
                # Flag, all stations, unnumbered information (escaped): the first LCP frame, whole.
                wait_until(lambda: frame.exists() and frame.stat().st_size == 5, patience=30, what="an LCP frame")
                self.assertEqual(frame.read_bytes(), b"\x7e\xff\x7d\x23\xc0")
                machine.run("pkill", "pppd")
                done = machine.wait(pppd)
                self.assertNotIn("sesame", done.stdout + done.stderr)
                machine.cable.unplug()


if __name__ == "__main__":
    unittest.main(verbosity=2)
