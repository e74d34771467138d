#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""dialctl beside the calls: import, explain, check, events, unlock, terminal, and the transcripts of failed logins."""

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import manual  # noqa: E402
from longline import LOGIN, PASSWORD, SOURCE, TOOLS, Site, Tool  # noqa: E402
from modemsim import PATIENCE, open_port, wait_until  # noqa: E402
from stopwatch import Stopwatch  # noqa: E402

DIALCTL = TOOLS / "dialctl"
BOOKS = SOURCE / "tests" / "data" / "phonebooks"


class Root(unittest.TestCase):
    """A root folder, without a modem."""

    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix="dialctl-verbs-"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)

    def command(self, *arguments):
        return [str(DIALCTL), "--root", str(self.root), *map(str, arguments)]

    def run_tool(self, *arguments, stdin=b"", before=()):
        done = subprocess.run([*before, *self.command(*arguments)], input=stdin, capture_output=True, timeout=PATIENCE, check=False,
                              env={**os.environ, "NO_COLOR": "1"})
        return Tool(done)

    def configure(self, text):
        (self.root / "longline.toml").write_text(text, encoding="utf-8")


class Import(Root):
    def accepted(self, book, *options, links):
        done = self.run_tool("import", *options, book)
        self.assertEqual(done.status, 0, done)
        self.configure(done.out)
        self.assertEqual(sorted(tomllib.loads(done.out)["link"]), sorted(links))
        checked = self.run_tool("check")
        self.assertEqual(checked.status, 0, checked)
        listed = [one["link"] for one in self.run_tool("list", "--json").objects()]
        self.assertEqual(sorted(listed), sorted(links))
        return done

    def test_a_phonebook_of_windows(self):
        done = self.accepted(BOOKS / "rasphone.pbk", links=["Oz Email / Sydney", "Büro Köln", "Direct to the other machine"])
        link = tomllib.loads(done.out)["link"]["Oz Email / Sydney"]
        self.assertEqual((link["numbers"], link["attempts"], link["interval"], link["default-route"]),
                         (["98765432", "98765433"], 4, "45s", True))
        for key in ("FrobnicateMode (line 32)", "AreaCode", "RedialOnLinkFailure", "an entry of type VPN", "a login script", "a terminal"):
            self.assertIn(key, done.errors)

    def test_a_configuration_of_wvdial(self):
        done = self.accepted(BOOKS / "wvdial.conf", links=["Defaults", "pulse", "gprs/3"])
        for secret in ("Hush-hush", "4711"):
            self.assertNotIn(secret, done.out + done.errors)
        self.assertRegex(done.errors, r"Password \(line 12\): .*chmod 600")
        self.assertIn("unknown: Frobnicate Level (line 19)", done.errors)

    def test_stdin_json_and_quiet(self):
        data = (BOOKS / "wvdial.conf").read_bytes()
        done = self.run_tool("import", "-", "--json", stdin=data)
        notes = [json.loads(line)["not_carried"] for line in done.errors.splitlines()]
        self.assertIn({"entry": "Dialer Defaults", "key": "Frobnicate Level", "line": 19, "kind": "unknown", "reason": "is not known"}, notes)
        self.assertEqual(self.run_tool("import", "-", "--quiet", stdin=data).errors, "")

    def test_what_is_no_phonebook_is_refused(self):
        self.assertEqual(self.run_tool("import", "-", stdin=b"hello\n").status, 65)
        self.assertEqual(self.run_tool("import", "-", "--format", "wvdial", stdin=b"hello\n").status, 65)
        self.assertEqual(self.run_tool("import", "-", "--format", "rasphone", stdin=b"[v]\r\nType=2\r\n").status, 65)
        self.assertEqual(self.run_tool("import", "/nonexistent").status, 66)
        self.assertEqual(self.run_tool("import", "-", "--format", "kppp").status, 64)

    def test_nothing_in_it_reaches_the_terminal_raw(self):
        done = self.run_tool("import", "-", stdin=b"[a\x1b[2J]\r\nK\x1b]0;x\x07=1\r\nDEVICE=modem\r\nPhoneNumber=1\r\nDevice=\x1b[5m\r\n")
        self.assertEqual(done.status, 0)
        self.assertNotRegex(done.out + done.errors, r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


class Explain(Root):
    def test_every_number_that_can_appear_is_known(self):
        numbers = list(range(600, 871))
        found = self.run_tool("explain", "--json", *numbers)
        self.assertEqual((found.status, [one["ras"] for one in found.objects()]), (0, numbers))
        for one in found.objects():
            self.assertTrue(one["name"].startswith(("ERROR_", "WARNING_", "PENDING")) and one["meaning"], one)

    def test_codes_statuses_events_and_event_numbers(self):
        found = self.run_tool("explain", "--json", "line-busy", "status", "75", "status 0", "link.nothing-moved", "289", "1294", "4106", "9301",
                              "9311", "9316")
        self.assertEqual(found.status, 0, found)
        self.assertEqual([one["kind"] for one in found.objects()], ["code", "status", "status", "event"] + ["event-id"] * 6)
        first = found.objects()[0]
        self.assertEqual((first["ras"], first["status"]), (676, 75))
        self.assertTrue(first["look_at"])

    def test_every_event_of_the_manual_is_known(self):
        names = sorted(w for w in manual.Page("man/longline-events.7").arguments("Li", items_only=True) if "." in w)
        self.assertGreater(len(names), 20)
        found = self.run_tool("explain", "--json", *names)
        self.assertEqual(found.status, 0, found.errors)
        self.assertEqual([one["code"] for one in found.objects()], names)

    def test_text_is_eighty_columns_wide(self):
        found = self.run_tool("explain", "RAS", "718", "75", "auth-refused", "9316")
        self.assertEqual([line for line in found.out.splitlines() if len(line) > 80], [])
        self.assertIn("RAS 718 (ERROR_PPP_TIMEOUT)", found.out)

    def test_what_is_not_known_ends_66_with_the_nearest(self):
        found = self.run_tool("explain", "--json", "line-bussy", "676")
        self.assertEqual((found.status, [one["code"] for one in found.objects()]), (66, ["676"]))
        self.assertIn("line-busy", found.error()["message"])
        self.assertEqual(self.run_tool("explain", "599").status, 66)
        self.assertEqual(self.run_tool("explain", "\x1b[2J").errors.count("\x1b"), 0)

    def test_a_broken_configuration_is_no_hindrance(self):
        self.configure("[link\n")
        self.assertEqual(self.run_tool("explain", "676").status, 0)


LINK = '[link.isp]\nport = "/dev/null"\nnumbers = ["1"]\nnetwork = "stream"\n'
SCRIPT = 'proc main\n  waitfor "name:" until 5\n  if !$SUCCESS then\n    halt\n  endif\n  transmit "x^M"\nendproc\n'


class Check(Root):
    def codes(self, *arguments, before=()):
        done = self.run_tool("check", "--json", *arguments, before=before)
        return done.status, [one["code"] for one in done.objects()]

    def test_a_good_configuration_is_fine(self):
        (self.root / "a.scp").write_text(SCRIPT)
        self.configure(LINK + 'script = "a.scp"\n')
        self.assertEqual(self.codes(), (0, []))
        self.assertEqual(self.codes("isp"), (0, []))

    def test_no_configuration_is_fine_too_but_a_named_one_must_be_there(self):
        self.assertEqual(self.codes(), (0, []))
        self.assertEqual(self.run_tool("--config", "/nonexistent.toml", "check").status, 66)

    def test_errors_of_the_configuration_are_findings(self):
        self.configure(LINK + 'flow = "rtcts"\nspede = 1\n')
        done = self.run_tool("check", "--json")
        self.assertEqual((done.status, [(one["code"], one["line"]) for one in done.objects()]), (78, [("bad-value", 5), ("unknown-key", 6)]))
        self.assertIn("did you mean 'speed'?", self.run_tool("check").out)

    def test_scripts_are_checked_with_the_links_deadline(self):
        (self.root / "a.scp").write_text('proc main\n  waitfor "a" until 8\n  waitfor "b" until 9\n  transmit $PASSWORD, raw\nendproc\n')
        self.configure(LINK + 'script = "a.scp"\nlogin-timeout = "10s"\n')
        status, codes = self.codes()
        self.assertEqual(status, 78)
        self.assertIn("beyond-deadline", codes)
        self.assertIn("password-missing", codes)
        (self.root / "a.scp").write_text("proc main\n  waitfor\nendproc\n")
        self.assertEqual(self.codes()[0], 78)
        (self.root / "a.scp").unlink()
        self.assertEqual(self.codes(), (78, ["script-file"]))

    def test_password_files_programs_and_devices(self):
        (self.root / "isp.secret").write_text("x\n")
        (self.root / "isp.secret").chmod(0o644)
        self.configure(LINK + 'password-file = "isp.secret"\n')
        self.assertEqual(self.codes(), (78, ["secret-file"]))
        (self.root / "isp.secret").chmod(0o600)
        self.assertEqual(self.codes(), (0, []))
        self.configure(LINK.replace("/dev/null", "/dev/nothing-here") + 'on-failure = ["/nonexistent/lamp"]\n')
        self.assertEqual(self.codes(), (0, ["no-device", "no-program"]))
        self.configure(LINK.replace("/dev/null", "/etc/passwd"))
        self.assertEqual(self.codes(), (78, ["not-a-tty"]))

    def test_one_link_of_several(self):
        self.configure(LINK + LINK.replace("isp", "other").replace("/dev/null", "/etc/passwd"))
        self.assertEqual(self.codes("isp"), (0, []))
        self.assertEqual(self.codes("other")[0], 78)
        self.assertEqual(self.run_tool("check", "ips").status, 66)

    def test_two_hundred_links(self):
        self.configure("".join(LINK.replace("link.isp", f'link."site {n}"') for n in range(200)))
        started = Stopwatch()
        self.assertEqual(self.codes(), (0, []))
        self.assertLess(started.ours(), 10)

    def in_namespace(self, *commands):
        if os.geteuid() != 0 or not shutil.which("unshare"):
            self.skipTest("network namespaces need root")
        script = " && ".join([*commands, 'exec "$@"'])
        return ("unshare", "-n", "sh", "-c", script, "sh")

    def test_a_stolen_default_route_names_the_link(self):
        stolen = self.in_namespace("ip link add isp type veth peer name far", "ip addr add 10.9.9.1/24 dev isp", "ip link set isp up",
                                   "ip route add default via 10.9.9.2 dev isp")
        self.configure(LINK)
        done = self.run_tool("check", "--json", before=stolen)
        self.assertEqual(done.status, 1, done)
        self.assertEqual([(one["code"], one["link"]) for one in done.objects()], [("stolen-default", "isp")])
        self.assertIn("link 'isp'", self.run_tool("check", before=stolen).out)
        self.configure(LINK + "default-route = true\n")
        self.assertEqual(self.codes(before=stolen), (0, []))
        self.configure(LINK + LINK.replace("isp", "other"))
        self.assertEqual(self.codes("other", before=stolen), (0, []))
        self.configure(LINK)
        (self.root / "routes").write_text("default link isp\n")
        self.assertEqual(self.codes(before=stolen), (0, []))

    def test_a_pool_on_a_lan(self):
        lan = self.in_namespace("ip link add lan type veth peer name far", "ip addr add 192.168.1.77/24 dev lan", "ip link set lan up")
        for pool, found in (("192.168.1.0/29", True), ("192.168.0.0/16", True), ("192.168.2.0/29", False)):
            self.configure(LINK + f'pool = "{pool}"\n')
            status, codes = self.codes(before=lan)
            self.assertEqual((status, "pool-on-lan" in codes), (78 if found else 0, found), pool)


class Events(Root):
    def put(self, *lines, name="events.jsonl"):
        with open(self.root / name, "a", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))

    @staticmethod
    def event(n, link="isp", time="2026-11-22T23:10:51Z", **more):
        return json.dumps({"time": time, "event": "call.failed", "link": link, "text": f"failure {n}", **more})

    def texts(self, *arguments):
        done = self.run_tool("events", "--json", *arguments)
        self.assertEqual(done.status, 0, done)
        return [one["text"] for one in done.objects()]

    def test_old_files_come_first_and_what_is_damaged_is_left_out(self):
        self.assertEqual(self.texts(), [])
        self.put(self.event(1), name="events.jsonl.2")
        self.put(self.event(2), "{half a li", name="events.jsonl.1")
        self.put("x" * 100_000, self.event(3), '{"no":"event"}', "[1]", "", self.event(4))
        with open(self.root / "events.jsonl", "a", encoding="utf-8") as file:
            file.write('{"time":"2026')
        self.assertEqual(self.texts(), [f"failure {n}" for n in (1, 2, 3, 4)])
        self.assertIn("4 lines", self.run_tool("events", "--verbose").errors)

    def test_since_and_link(self):
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.put(self.event(1, time="2026-01-01T00:00:00Z"), self.event(2, time="2026-02-02T00:00:00.500Z"), self.event(3, "other", now))
        self.assertEqual(self.texts("--since", "2026-02-02"), ["failure 2", "failure 3"])
        self.assertEqual(self.texts("--since", "2026-02-02T00:00:01Z"), ["failure 3"])
        self.assertEqual(self.texts("--since", "1h"), ["failure 3"])
        self.assertEqual(self.texts("other"), ["failure 3"])
        self.assertEqual(self.run_tool("events", "--since", "yesterday").status, 64)
        self.assertEqual(self.run_tool("events", "nobody").status, 66)

    def test_control_characters_are_escaped(self):
        self.put(self.event("\x1b[2J\x9b5m", ras=676))
        done = self.run_tool("events")
        self.assertNotRegex(done.out, r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
        self.assertIn("(RAS 676)", done.out)

    def test_follow_goes_on_across_a_rotation(self):
        self.put(self.event(1))
        follower = subprocess.Popen(self.command("events", "--follow", "--json"), stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (follower.kill(), follower.wait(), follower.stdout.close()))

        def next_text():
            self.assertTrue(select.select([follower.stdout], [], [], PATIENCE)[0], "no event came")
            return json.loads(follower.stdout.readline())["text"]
        self.assertEqual(next_text(), "failure 1")
        self.put(self.event(2))
        self.assertEqual(next_text(), "failure 2")
        (self.root / "events.jsonl").rename(self.root / "events.jsonl.1")
        self.put(self.event(3))
        self.assertEqual(next_text(), "failure 3")
        self.put(self.event(4))
        self.assertEqual(next_text(), "failure 4")
        self.assertIsNone(follower.poll())

    def test_follow_ends_when_nobody_reads(self):
        self.put(self.event(1))
        follower = subprocess.Popen(self.command("events", "--follow"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: follower.poll() is None and follower.kill())
        follower.stdout.readline()
        follower.stdout.close()
        follower.wait(PATIENCE)

    def test_a_broken_configuration_is_no_hindrance(self):
        self.configure("[link\n")
        self.put(self.event(1))
        self.assertEqual(self.texts(), ["failure 1"])


class Calls(unittest.TestCase):
    """With an emulated modem."""

    def site(self, **more):
        return self.enterContext(Site(**more))

    # The log

    def test_the_log_is_bounded_and_ends_a_line_that_was_cut(self):
        site = self.site(numbers='[[number]]\nnumber = "*"\nfate = "busy"\n')
        log = site.root / "events.jsonl"
        filler = json.dumps({"time": "2026-11-22T23:10:51Z", "event": "call.failed", "text": "x" * 1000}) + "\n"
        log.write_text(filler * (4 * 1024 * 1024 // len(filler) + 2))
        (site.root / "events.jsonl.1").write_text(filler)
        site.run("dialctl", "run", "isp", "--", "true", check=False)
        self.assertEqual((site.root / "events.jsonl.2").read_text(), filler)
        self.assertGreater((site.root / "events.jsonl.1").stat().st_size, 4 * 1024 * 1024)
        self.assertEqual([one["event"] for one in site.events()], ["call.failed"])
        with open(log, "a", encoding="utf-8") as file:
            file.write('{"time":"20')
        site.run("dialctl", "run", "isp", "--", "true", check=False)
        self.assertEqual(len(site.run("dialctl", "events", "isp", "--json").objects()), 2)

    def test_a_log_that_is_half_a_year_old_is_put_aside(self):
        site = self.site(numbers='[[number]]\nnumber = "*"\nfate = "busy"\n')
        (site.root / "events.jsonl").write_text('{"time":"2020-11-22T23:10:51Z","event":"link.up","link":"isp"}\n')
        site.run("dialctl", "run", "isp", "--", "true", check=False)
        self.assertEqual([one["event"] for one in site.events()], ["call.failed"])
        self.assertEqual(len(site.run("dialctl", "events", "--json").objects()), 2)

    # Locks

    def test_unlock_names_the_supervisor_and_its_link(self):
        site = self.site()
        self.assertEqual(site.run("dialctl", "unlock", site.sim.port).out, f"{site.sim.port}: free\n")
        site.run("dialctl", "up", "isp")
        done = site.run("dialctl", "unlock", site.sim.port, "--json", check=False)
        holder = done.objects()[0]
        self.assertEqual((done.status, done.error()["code"], done.error()["ras"]), (75, "port-in-use", 633))
        self.assertEqual((holder["pid"], holder["link"], holder["name"]), (site.supervisor(), "isp", "dialctl"))
        self.assertIn("flock", holder["methods"])
        self.assertTrue(any(m.startswith("lock file") for m in holder["methods"]), holder)
        self.assertTrue(holder["since"])
        self.assertIn("dialctl down isp", done.error()["hint"])
        site.run("dialctl", "down", "isp")
        self.assertEqual(site.run("dialctl", "unlock", site.sim.port, "--json").objects()[-1]["state"], "free")

    def lock_file(self, site):
        device = os.path.realpath(site.sim.port)
        path = Path("/var/lock/LCK.." + device.removeprefix("/dev/").replace("/", "_"))
        self.addCleanup(lambda: path.unlink(missing_ok=True))
        return path

    def test_unlock_takes_over_what_is_dead_only(self):
        site = self.site()
        path = self.lock_file(site)
        dead = subprocess.Popen(["true"])
        dead.wait()
        alive = subprocess.Popen(["sleep", "60"])
        self.addCleanup(lambda: (alive.kill(), alive.wait()))
        for content, age, held in ((f"{dead.pid:10}\n", 0, False), (f"{alive.pid:10}\n", 0, True), (f"{alive.pid:10}\n", 3600, False), ("", 0, False),
                                   ("rubbish\x1b[2J", 0, False)):
            with self.subTest(content=content, age=age):
                path.write_text(content)
                os.utime(path, (time.time() - age,) * 2)
                done = site.run("dialctl", "unlock", site.sim.port, check=False)
                self.assertEqual((done.status, path.exists()), (75, True) if held else (0, False), done)
                self.assertNotIn("\x1b", done.out + done.errors)
                if held:
                    self.assertIn("(sleep)", done.out)

    def test_unlock_finds_who_has_it_open(self):
        site = self.site()
        with open_port(site.sim.port) as port:
            reader = subprocess.Popen(["sleep", "60"], stdin=port)
        self.addCleanup(lambda: (reader.kill(), reader.wait()))
        done = site.run("dialctl", "unlock", site.sim.port, "--json", check=False)
        self.assertEqual(done.status, 75)
        self.assertIn((reader.pid, ["open"]), [(one["pid"], one["methods"]) for one in done.objects()])

    def test_modem_manager_is_named_with_what_keeps_it_away(self):
        site = self.site()
        program = shutil.copy(shutil.which("sleep"), site.folder / "ModemManager")
        with open_port(site.sim.port) as port:
            manager = subprocess.Popen([program, "60"], stdin=port)
        self.addCleanup(lambda: (manager.kill(), manager.wait()))
        wait_until(lambda: Path(f"/proc/{manager.pid}/comm").read_text() == "ModemManager\n")
        done = site.run("dialctl", "unlock", site.sim.port, "--json", check=False)
        self.assertEqual(done.status, 75)
        self.assertIn("ModemManager", done.error()["message"])
        self.assertIn('ENV{ID_MM_DEVICE_IGNORE}="1"', done.error()["hint"])
        self.assertIn("mmcli --inhibit-device", done.error()["hint"])

    def test_a_port_that_is_not_there(self):
        site = self.site()
        self.assertEqual(site.run("dialctl", "unlock", "/dev/nothing-here", check=False).status, 69)

    # Transcripts

    def failed_login(self, **more):
        site = self.site(faults="[[fault]]\nsilent-before-step = 3\n", **more)
        done = site.run("dialctl", "run", "isp", "--", "true", check=False)
        self.assertEqual(done.status, 75)
        event = site.events("login.failed")[-1]
        self.assertIn(f"chatrun replay {site.root}/ozemail.scp {event['transcript']}", done.errors)
        return site, Path(event["transcript"])

    def test_a_failed_login_leaves_a_transcript_that_can_be_replayed(self):
        site, path = self.failed_login()
        self.assertEqual((path.parent, path.stat().st_mode & 0o777), (site.root / "transcripts", 0o600))
        self.assertRegex(path.name, r"^isp-\d{8}T\d{6}\.\d{3}Z\.transcript$")
        text = path.read_text()
        self.assertIn('> "alice\\r"', text)
        self.assertIn('# ' + site.events("login.failed")[-1]["text"], text)
        self.assertNotIn(PASSWORD, text)
        done = subprocess.run([str(TOOLS / "chatrun"), "replay", str(site.root / "ozemail.scp"), str(path), "--user", "alice", "--password-file",
                               str(site.root / "isp.secret"), "--json"], capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertEqual(json.loads(done.stdout)["outcome"], "unsuccessful")

    def test_the_password_is_masked_where_it_was_sent_and_echoed(self):
        login = LOGIN.replace('expect = "$password"', 'expect = "never", echo = true')
        script = ('proc main\n waitfor "ervice?" until 5\n transmit "p^M"\n waitfor "sername:" until 5\n transmit $USERID, raw\n transmit "^M"\n'
                  ' waitfor "assword:" until 5\n transmit $PASSWORD, raw\n transmit "^M"\n waitfor "welcome" until 3\n if !$SUCCESS then\n halt\n endif\nendproc\n')
        site = self.site(login=login, script=script)
        site.run("dialctl", "run", "isp", "--", "true", check=False)
        text = Path(site.events("login.failed")[-1]["transcript"]).read_text()
        self.assertIn("********", text)
        self.assertIn("Login incorrect", text)
        self.assertNotIn(PASSWORD, text)

    def test_ten_of_a_link_are_kept_and_others_left_alone(self):
        site = self.site(faults="[[fault]]\nsilent-before-step = 3\n")
        folder = site.root / "transcripts"
        folder.mkdir()
        old = [folder / f"isp-20260101T0000{n:02}.000Z.transcript" for n in range(12)]
        others = [folder / f"isp-2-20260101T0000{n:02}.000Z.transcript" for n in range(12)] + [folder / "isp-notes.transcript"]
        for path in old + others:
            path.touch()
        site.run("dialctl", "run", "isp", "--", "true", check=False)
        kept = [path for path in old if path.exists()]
        self.assertEqual(kept, old[-9:])
        self.assertTrue(Path(site.events("login.failed")[-1]["transcript"]).exists())
        self.assertTrue(all(path.exists() for path in others))

    def test_a_good_login_leaves_none(self):
        site = self.site()
        site.run("dialctl", "run", "isp", "--", "true")
        self.assertFalse((site.root / "transcripts").exists())

    def test_a_folder_that_cannot_be_written_does_not_keep_the_event_away(self):
        site = self.site(faults="[[fault]]\nsilent-before-step = 3\n")
        (site.root / "transcripts").write_text("a file")
        self.assertEqual(site.run("dialctl", "run", "isp", "--", "true", check=False).status, 75)
        self.assertNotIn("transcript", site.events("login.failed")[-1])

    # Terminal

    def terminal(self, site):
        """dialctl terminal on a pty of its own: the process and the master side."""
        master, slave = pty.openpty()
        process = subprocess.Popen(site.command("dialctl", "terminal", "isp"), stdin=slave, stdout=slave, stderr=subprocess.PIPE, env=site.environment(),
                                   start_new_session=True)
        os.close(slave)

        def end():
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stderr.close()
            os.close(master)
        self.addCleanup(end)
        return process, master

    def see(self, master, text):
        seen, ends = b"", time.monotonic() + PATIENCE
        while text.encode() not in seen:
            self.assertTrue(select.select([master], [], [], max(0, ends - time.monotonic()))[0], f"{text!r} not in {seen!r}")
            seen += os.read(master, 4096)
        return seen

    def test_terminal_dials_without_the_script_and_hangs_up_behind_the_user(self):
        site = self.site()
        process, master = self.terminal(site)
        self.see(master, "Service?")
        self.assertEqual(site.status()["state"], "up")
        for verb in (("run", "isp", "--", "true"), ("up", "isp"), ("terminal", "isp")):
            done = site.run("dialctl", *verb, "--json", check=False) if verb[0] != "run" else site.run("dialctl", "--json", *verb, check=False)
            self.assertEqual(done.status, 64 if verb[0] == "terminal" else 75, done)
        os.write(master, b"p\r")
        self.see(master, "Username:")
        os.write(master, b"\r~.")
        self.assertEqual(process.wait(PATIENCE), 0, process.stderr.read())
        self.assertEqual(site.status()["state"], "down")
        self.assertIsNone(site.supervisor())
        self.assertEqual(site.run("dialctl", "unlock", site.sim.port).status, 0)
        site.run("dialctl", "run", "isp", "--", "true")

    def test_terminal_of_a_link_that_is_up_is_busy(self):
        site = self.site()
        site.run("dialctl", "up", "isp")
        process, _ = self.terminal(site)
        self.assertEqual(process.wait(PATIENCE), 75)
        self.assertIn(b"up, or coming up", process.stderr.read())
        self.assertEqual(site.status()["state"], "up")

    def test_a_line_that_drops_and_a_user_who_is_killed(self):
        site = self.site()
        process, master = self.terminal(site)
        self.see(master, "Service?")
        site.sim.signal(signal.SIGUSR1)
        self.assertEqual(process.wait(PATIENCE), 75)
        self.assertIn(b"dropped", process.stderr.read())
        process, master = self.terminal(site)
        self.see(master, "Service?")
        process.kill()
        site.wait_state("down")
        wait_until(lambda: site.run("dialctl", "unlock", site.sim.port, check=False).status == 0, what="the port to be free")

    def test_terminal_needs_a_terminal(self):
        site = self.site()
        done = site.run("dialctl", "terminal", "isp", check=False)
        self.assertEqual(done.status, 64)
        self.assertFalse(site.sim.calls_file.read_text())


if __name__ == "__main__":
    unittest.main()
