#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""dialctl ports: what is there, who holds it, which link uses it, and which modem answers."""

import json
import os
import pty
import subprocess
import tempfile
import unittest
from pathlib import Path

from modemsim import Modemsim, open_port, wait_until
from stopwatch import Stopwatch
from test_dialctl import DIALCTL, PlainHost as Host

FAR = '\n[far-end]\ncommand = ["cat"]\n'


def elsewhere(folder, command, **places):
    """A command that sees these folders in place of the host's own: no test asks a real port for a modem."""
    mounts = "".join(f"mount --bind {source} {place} && " for source, place in places.values())
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    return subprocess.run([*unshare, "sh", "-c", mounts + 'exec "$@"', "sh", *command], capture_output=True, text=True, timeout=40,
                          cwd=folder)


def ports(host, *options):
    with tempfile.TemporaryDirectory() as nothing:
        return elsewhere("/", host.command("ports", *options), tty=(nothing, "/sys/class/tty"))


def row_of(host, *options):
    """The port of the one link."""
    result = ports(host, "--json", *options)
    assert result.returncode == 0, result.stderr
    return next(row for row in map(json.loads, result.stdout.splitlines()) if row["links"] == ["isp"])


class Ports(unittest.TestCase):
    def test_a_free_port_of_a_link_and_its_modem(self):
        with Modemsim('[modem]\nidentity = "Acme 56k\\u001b[2J"\n' + FAR) as sim, Host(sim.port) as host:
            row = row_of(host)
            self.assertEqual((row["port"], row["present"], row["holder"], row["probed"], row["modem"]),
                             (os.path.realpath(sim.port), True, None, False, None))
            self.assertEqual(sim.events("open"), [], "without --probe nothing is opened")
            row = row_of(host, "--probe")
            self.assertEqual((row["probed"], row["problem"]), (True, None))
            self.assertEqual(row["modem"], {"speed": None, "identity": "Acme 56k\\x1B[2J", "model": None})
            text = ports(host, "--probe").stdout
            self.assertIn("link isp  free", text)
            self.assertIn("a modem answers: Acme 56k", text)
            self.assertNotIn("\x1b", text)
            # The port was locked as for a call, and is free again.
            self.assertEqual(host.run("run", "isp", "--", "true").returncode, 0)

    def test_a_cellular_modem_names_its_model(self):
        with Modemsim('[modem]\nidentity = "modemsim GSM"\n[gsm]\n' + FAR) as sim, Host(sim.port) as host:
            self.assertEqual(row_of(host, "--probe")["modem"]["model"], "modemsim GSM")

    def test_a_port_that_is_held_is_not_probed(self):
        with Modemsim(FAR) as sim, Host(sim.port) as host:
            self.assertEqual(host.run("up", "isp").returncode, 0)
            row = row_of(host, "--probe")
            self.assertEqual(row["holder"], {"pid": host.supervisor(), "command": "dialctl", "method": "flock"})
            self.assertEqual((row["probed"], row["modem"]), (False, None))
            self.assertEqual(host.status()["state"], "up")
            host.run("down", "isp")
            self.assertIsNone(row_of(host)["holder"])

    def test_a_program_that_only_has_it_open_is_seen_too(self):
        with Modemsim(FAR) as sim, Host(sim.port) as host:
            with open_port(sim.port) as port:
                opened = subprocess.Popen(["sleep", "60"], stdin=port)
            try:
                self.assertEqual(row_of(host, "--probe")["holder"], {"pid": opened.pid, "command": "sleep", "method": "open"})
            finally:
                opened.kill()
                opened.wait()

    def test_nobody_answers(self):
        controller, terminal = pty.openpty()
        path = os.ttyname(terminal)
        os.close(terminal)
        try:
            with Host(path) as host:
                started = Stopwatch()
                row = row_of(host, "--probe")
                self.assertLess(started.ours(), 5)
                self.assertEqual((row["probed"], row["modem"]), (True, None))
                self.assertIn("no modem answers", ports(host, "--probe").stdout)
        finally:
            os.close(controller)

    def test_a_modem_that_floods_the_line_is_bounded(self):
        with Modemsim("[[fault]]\nmodem-babble = true\n") as sim, Host(sim.port) as host:
            started = Stopwatch()
            row_of(host, "--probe")
            self.assertLess(started.ours(), 10)

    def test_a_port_that_is_not_there_and_one_on_the_network(self):
        with Host("/dev/ttyNONE7") as host:
            row = row_of(host, "--probe")
            self.assertEqual((row["present"], row["probed"], row["problem"]), (False, False, None))
            self.assertIn("not there", ports(host).stdout)
        with Modemsim(FAR, tcp=True) as sim, Host(sim.port) as host:
            self.assertEqual(row_of(host, "--probe")["modem"]["identity"], "modemsim")
            self.assertEqual(host.run("up", "isp").returncode, 0)
            self.assertEqual(row_of(host, "--probe")["holder"]["method"], "flock")
        with Host("tcp:127.0.0.1:1") as host:
            self.assertIsNotNone(row_of(host, "--probe")["problem"])

    def test_a_host_without_ports(self):
        with tempfile.TemporaryDirectory() as root, tempfile.TemporaryDirectory() as nothing:
            result = elsewhere(root, [str(DIALCTL), "--root", root, "ports", "--probe"], tty=(nothing, "/sys/class/tty"))
            self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))

    def test_usb_identity_driver_and_lasting_name_come_from_sysfs(self):
        with tempfile.TemporaryDirectory() as folder:
            sys_class, devices = Path(folder) / "class", Path(folder) / "devices"
            by_id = Path(folder) / "serial" / "by-id"
            for number in (10, 2):
                interface = devices / "usb1" / f"1-{number}" / f"1-{number}:1.0"
                tty = interface / f"ttyLL{number}"
                tty.mkdir(parents=True)
                for name, text in (("idVendor", "0403"), ("idProduct", "6001"), ("manufacturer", "F\x1bTDI"), ("product", "FT232R USB UART"),
                                   ("serial", f"A{number}")):
                    (interface.parent / name).write_text(text + "\n")
                (tty / "driver").symlink_to("/sys/bus/usb-serial/drivers/ftdi_sio")
                (sys_class / f"ttyLL{number}").mkdir(parents=True)
                (sys_class / f"ttyLL{number}" / "device").symlink_to(tty)
            # Not a port: a virtual console, and an 8250 without a UART.
            (sys_class / "tty1").mkdir()
            (sys_class / "ttyS3" / "device").mkdir(parents=True)
            (sys_class / "ttyS3" / "type").write_text("0\n")
            by_id.mkdir(parents=True)
            (by_id / "usb-FTDI_A2-if00-port0").symlink_to("/dev/ttyLL2")
            root = Path(folder) / "root"
            root.mkdir()
            (Path(folder) / "ttyLL2").touch()
            result = elsewhere(folder, [str(DIALCTL), "--root", str(root), "ports", "--json"], tty=(sys_class, "/sys/class/tty"),
                               dev=(folder, "/dev"))
            self.assertEqual(result.returncode, 0, result.stderr)
            rows = [json.loads(line) for line in result.stdout.splitlines()]
            self.assertEqual([row["port"] for row in rows], ["/dev/ttyLL2", "/dev/ttyLL10"])
            self.assertEqual(rows[0]["by_id"], "/dev/serial/by-id/usb-FTDI_A2-if00-port0")
            self.assertEqual(rows[0]["driver"], "ftdi_sio")
            self.assertEqual(rows[0]["usb"], {"vendor": "0403", "product": "6001", "manufacturer": "F\x1bTDI",
                                              "description": "FT232R USB UART", "serial": "A2"})
            self.assertIsNone(rows[1]["by_id"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
