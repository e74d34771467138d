# SPDX-License-Identifier: MIT
"""Behind the emulated modem: the login dialogue, the far end, the pace of the line, and everything that can go wrong."""

import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from modemsim import MODEMSIM, Modemsim  # noqa: E402
from stopwatch import Stopwatch  # noqa: E402

LOGIN = """
[login]
user = "alice"
password = "sesame"
steps = [
  { send = "Welcome\\r\\nService? ", expect = "p" },
  { send = "Username: ", expect = "$user" },
  { send = "Password: ", expect = "$password" },
  { send = "Go ahead\\r\\n" },
]
[far-end]
command = ["cat"]
"""


class Case(unittest.TestCase):
    def start(self, scenario=LOGIN, dial=True, **options):
        sim = Modemsim(scenario, **options)
        self.addCleanup(sim.stop)
        dte = sim.dte()
        self.addCleanup(dte.close)
        if dial:
            dte.command("ATE0S12=5")
            dte.dial()
        return sim, dte


class Login(Case):
    def test_the_dialogue(self):
        sim, dte = self.start()
        self.assertEqual(dte.expect("ervice? "), b"Welcome\r\nService? ")
        dte.send("p\r")
        self.assertEqual(dte.expect("sername: "), b"p\r\nUsername: ")
        dte.send("alice\r")
        self.assertEqual(dte.expect("assword: "), b"alice\r\nPassword: ")
        dte.send("sesame\r")
        self.assertEqual(dte.expect("ahead\r\n"), b"\r\nGo ahead\r\n")
        self.assertEqual(sim.wait_event("login"), sim.wait_event("login", result="ok", user="alice"))
        dte.send("over the line\n")
        dte.expect("over the line\n")
        self.assertEqual([e["step"] for e in sim.events("prompt")], [1, 2, 3, 4])

    def test_line_feeds_after_answers_are_nobodys(self):
        _, dte = self.start()
        dte.send("p\r\nalice\r\nsesame\r\nfirst\n")
        dte.expect("ahead\r\n")
        self.assertEqual(dte.expect("first\n"), b"first\n")

    def test_erasing(self):
        _, dte = self.start()
        dte.log_in("alicX\b\x7fce")
        dte.expect("ahead\r\n")

    def test_wrong_password_asks_again_and_then_hangs_up(self):
        sim, dte = self.start()
        dte.log_in(password="wrong")
        for _ in range(2):
            dte.expect("Login incorrect\r\nUsername: ")
            dte.send("alice\r")
            dte.expect("assword:")
            dte.send("wrong\r")
        dte.expect("Login incorrect\r\n")
        dte.expect("\r\nNO CARRIER\r\n")
        sim.wait_event("login", result="refused", user="alice")
        self.assertEqual(sim.wait_event("hangup")["cause"], "login")

    def test_wrong_user(self):
        _, dte = self.start()
        dte.log_in(user="bob")
        dte.expect("Login incorrect\r\nUsername: ")
        dte.send("alice\r")
        dte.expect("assword:")
        dte.send("sesame\r")
        dte.expect("ahead")

    def test_wrong_service_repeats_the_question(self):
        _, dte = self.start()
        dte.expect("ervice?")
        dte.send("quux\r")
        dte.expect("Login incorrect\r\nWelcome\r\nService? ")

    def test_an_empty_answer_brings_the_prompt_again(self):
        _, dte = self.start()
        dte.expect("ervice? ")
        dte.send("\r\r\r\r")
        for _ in range(4):
            self.assertEqual(dte.expect("ervice? "), b"\r\nWelcome\r\nService? ")
        dte.send("p\r\r")
        self.assertEqual(dte.expect("sername: \r\n"), b"p\r\nUsername: \r\n")
        dte.expect("sername: ")
        dte.send("alice\r")
        dte.expect("assword: ")
        dte.send("\r")
        dte.expect("Login incorrect")

    def test_the_host_loses_patience(self):
        sim, dte = self.start(LOGIN.replace("[login]", '[login]\ntimeout = "300ms"'))
        dte.expect("ervice?")
        dte.expect("NO CARRIER")
        sim.wait_event("login", result="timed-out")

    def test_delays_and_steps_without_answers(self):
        begin = Stopwatch()
        _, dte = self.start('[login]\necho = false\nsteps = [{ send = "a" }, { send = "b", delay = "300ms" },'
                            ' { send = "any? ", expect = "" }, { send = "done" }]')
        dte.expect("abany? ")
        self.assertGreater(begin.seconds(), 0.3)
        dte.send("thing\r")
        self.assertEqual(dte.expect("done"), b"done")

    def test_without_a_login_the_far_end_is_there_at_once(self):
        _, dte = self.start('[far-end]\ncommand = ["cat"]\n')
        dte.send("x")
        dte.expect("x")

    def test_without_a_far_end_the_carrier_stays(self):
        sim, dte = self.start("")
        dte.send("x" * 10000)
        dte.expect_silence(0.3)
        self.assertEqual(sim.events("carrier-lost"), [])


class FarEnd(Case):
    def test_environment_directory_and_stderr(self):
        with tempfile.TemporaryDirectory() as folder:
            _, dte = self.start(f"""
[login]
user = "alice"
password = "x"
steps = [{{ send = "? ", expect = "$user" }}, {{ send = "? ", expect = "$password" }}]
[far-end]
command = ["sh", "-c", "pwd; echo $WHERE $MODEMSIM_CALL $MODEMSIM_NUMBER $MODEMSIM_USER; echo oops >&2"]
directory = "{folder}"
environment = {{ WHERE = "there" }}
stderr = "{folder}/errors"
""")
            dte.expect("? ")
            dte.send("alice\r")
            dte.expect("? ")
            dte.send("x\r")
            dte.expect(f"\r\n{folder}\nthere 1 0298765432 alice\n\r\nNO CARRIER\r\n")
            self.assertEqual(Path(folder, "errors").read_text(), "oops\n")

    def test_a_command_that_is_not_there(self):
        sim, dte = self.start('[far-end]\ncommand = ["/no/such/command"]\n')
        dte.expect("NO CARRIER")
        self.assertEqual(sim.wait_event("far-end-exit")["status"], 127)

    def test_on_a_terminal(self):
        sim, dte = self.start('[far-end]\ncommand = ["sh", "-c", "tty; read x; echo got $x; sleep 100"]\npty = true\n')
        dte.expect("/dev/pts/")
        dte.expect("\r\n")
        dte.send("hello\r")
        dte.expect("hello\r\ngot hello\r\n")
        dte.close()
        self.assertEqual(sim.wait_event("far-end-gone")["status"], 128 + 1)

    def test_bytes_of_all_values_pass(self):
        _, dte = self.start('[far-end]\ncommand = ["cat"]\n')
        data = bytes(range(256)) * 300
        received = b""
        for at in range(0, len(data), 1000):
            dte.send(data[at: at + 1000])
            received += dte.expect_bytes(len(data[at: at + 1000]))
        self.assertEqual(received, data)

    def test_a_slow_reader_loses_nothing(self):
        _, dte = self.start('[far-end]\ncommand = ["seq", "1", "50000"]\n')
        time.sleep(0.5)
        text = dte.expect("NO CARRIER\r\n")
        self.assertEqual(text, "".join(f"{i}\n" for i in range(1, 50001)).encode() + b"\r\nNO CARRIER\r\n")


class Pace(Case):
    def test_down_at_the_rate_of_the_line(self):
        _, dte = self.start('[line]\nrate = 19200\n[far-end]\ncommand = ["head", "-c", "3840", "/dev/zero"]\n')
        begin = Stopwatch()
        dte.expect_bytes(3840)
        self.assertGreater(begin.seconds(), 1.9)
        self.assertLess(begin.ours(), 3.5)

    def test_up_at_the_rate_of_the_line_with_backpressure(self):
        sim, dte = self.start('[line]\nrate = 57600\nbuffer = 1000\n'
                              '[far-end]\ncommand = ["sh", "-c", "head -c 11520 | wc -c"]\n')
        begin = Stopwatch()
        dte.send(b"x" * 11520)
        dte.expect("11520\n")
        self.assertGreater(begin.seconds(), 1.9)
        self.assertLess(begin.ours(), 3.5)
        self.assertEqual(sim.wait_event("carrier-lost")["up"], 11520)

    def test_the_round_trip(self):
        _, dte = self.start('[line]\nrtt = "400ms"\n[far-end]\ncommand = ["cat"]\n')
        begin = Stopwatch()
        dte.send("x")
        dte.expect("x")
        self.assertGreater(begin.seconds(), 0.38)
        self.assertLess(begin.ours(), 1.2)

    def test_both_ways_at_once(self):
        _, dte = self.start('[line]\nrate = 38400\nrtt = "100ms"\n[far-end]\ncommand = ["cat"]\n')
        begin = Stopwatch()
        dte.send(b"x" * 5760)
        dte.expect_bytes(5760)
        self.assertGreater(begin.seconds(), 1.6)
        self.assertLess(begin.ours(), 2.9)

    def test_an_idle_line_costs_nothing_and_a_busy_one_little(self):
        sim, dte = self.start('[line]\nrate = 57600\n[far-end]\ncommand = ["cat"]\n')
        before = sim.cpu_seconds()
        dte.send(b"x" * 8000)
        dte.expect_bytes(8000)
        self.assertLess(sim.cpu_seconds() - before, 0.5)


class LineFaults(Case):
    CAT = '[far-end]\ncommand = ["cat"]\n'

    def test_carrier_dropped_after_bytes_down(self):
        for count in (0, 1, 100):
            sim, dte = self.start(f'[[fault]]\ndrop-after-down = {count}\n[far-end]\ncommand = ["yes"]\n')
            self.assertEqual(dte.expect("\r\nNO CARRIER\r\n"), (b"y\n" * 100)[:count] + b"\r\nNO CARRIER\r\n")
            lost = sim.wait_event("carrier-lost")
            self.assertEqual((lost["cause"], lost["down"]), ("fault", count))
            self.assertEqual(sim.wait_event("hangup")["cause"], "fault")

    def test_carrier_dropped_after_bytes_up(self):
        with tempfile.TemporaryDirectory() as folder:
            sim, dte = self.start(f'[[fault]]\ndrop-after-up = 77\n[far-end]\ncommand = ["tee", "{folder}/got"]\n')
            dte.send(b"x" * 1000)
            dte.expect("NO CARRIER")
            sim.wait_event("far-end-gone")
            self.assertEqual(Path(folder, "got").read_bytes(), b"x" * 77)

    def test_counted_from_the_far_end_on(self):
        sim, dte = self.start(LOGIN + '[[fault]]\ncount-from = "far-end"\ndrop-after-down = 4\n')
        dte.log_in()
        dte.expect("ahead\r\n")
        dte.send("123456")
        self.assertEqual(dte.expect("NO CARRIER\r\n"), b"1234\r\nNO CARRIER\r\n")
        sim, dte = self.start(LOGIN + '[[fault]]\ncount-from = "far-end"\ndrop-after-up = 0\n')
        dte.log_in()
        dte.expect("NO CARRIER")

    def test_only_in_one_call(self):
        sim, dte = self.start('[[fault]]\ncall = 2\ndrop-after-up = 3\n' + self.CAT)
        dte.send("123456")
        dte.expect("123456")
        dte.close()
        sim.wait_event("hangup")
        dte = sim.dte()
        dte.dial()
        dte.send("123456")
        dte.expect("NO CARRIER")
        dte.dial()
        dte.send("123456")
        dte.expect("123456")
        dte.close()

    def test_silence_after_bytes(self):
        for direction in ("up", "down"):
            sim, dte = self.start(f'[[fault]]\nsilent-after-{direction} = 3\n' + self.CAT)
            dte.send("123456")
            dte.expect("123" if direction == "down" else "")
            sim.wait_event("silent")
            dte.received = b""
            dte.send(b"x" * 100000)
            time.sleep(0.2)
            dte.received = b""
            dte.expect_silence(0.2)
            self.assertEqual(sim.events("carrier-lost"), [])
            dte.close()
            self.assertEqual(sim.wait_event("hangup")["cause"], "dtr")

    def test_carrier_dropped_after_a_time(self):
        begin = Stopwatch()
        _, dte = self.start('[[fault]]\ndrop-after = "500ms"\n' + self.CAT)
        dte.expect("NO CARRIER")
        self.assertGreaterEqual(begin.seconds(), 0.5)

    def test_noise_on_the_line_is_the_same_each_time(self):
        seen = []
        for _ in range(2):
            _, dte = self.start('[[fault]]\nnoise-every = 10\nnoise-seed = 5\n' + self.CAT)
            dte.send(b"-" * 100)
            seen.append(dte.expect_bytes(110))
        self.assertEqual(seen[0], seen[1])
        self.assertEqual(bytes(c for i, c in enumerate(seen[0]) if i % 11 != 10), b"-" * 100)

    def test_vanishing(self):
        sim, dte = self.start('[[fault]]\nvanish-after-up = 5\n' + self.CAT)
        dte.send("123456")
        with self.assertRaises(EOFError):
            dte.expect("never")
        sim.process.wait(5)
        self.assertFalse(sim.link.is_symlink())

    def test_vanishing_while_dialling(self):
        sim, dte = self.start("[[fault]]\nvanish-on-dial = true\n", dial=False)
        dte.send("ATD1\r")
        with self.assertRaises(EOFError):
            dte.expect("never")


class HostFaults(Case):
    def test_silence_before_each_step(self):
        prompts = ["ervice?", "sername:", "assword:", "ahead"]
        answers = ["p", "alice", "sesame"]
        for step in range(1, 5):
            _, dte = self.start(LOGIN + f"[[fault]]\nsilent-before-step = {step}\n")
            for prompt, answer in list(zip(prompts, answers))[: step - 1]:
                dte.expect(prompt)
                dte.send(answer + "\r")
                dte.expect("\r\n")
            dte.received = b""
            dte.expect_silence(0.3)

    def test_silence_after_a_step(self):
        sim, dte = self.start(LOGIN + "[[fault]]\nsilent-after-step = 3\n")
        dte.log_in()
        dte.received = dte.received.lstrip(b" ")
        self.assertLessEqual(len(dte.received), 1)
        time.sleep(0.1)
        dte.received = b""
        dte.expect_silence(0.3)
        self.assertEqual(sim.events("carrier-lost"), [])

    def test_carrier_lost_at_a_step(self):
        _, dte = self.start(LOGIN + "[[fault]]\ndrop-before-step = 2\n")
        dte.expect("ervice?")
        dte.send("p\r")
        self.assertNotIn(b"sername", dte.expect("NO CARRIER"))
        sim, dte = self.start(LOGIN + "[[fault]]\ndrop-after-step = 3\n")
        dte.log_in()
        self.assertNotIn(b"ahead", dte.expect("NO CARRIER"))
        sim.wait_event("login", result="dropped")

    def test_noise_before_a_prompt(self):
        _, dte = self.start(LOGIN + "[[fault]]\nnoise-before-step = 1\nnoise-bytes = 300\n")
        self.assertEqual(len(dte.expect("Welcome\r\nService? ")), 300 + len("Welcome\r\nService? "))

    def test_a_banner_without_end(self):
        sim, dte = self.start(LOGIN + '[line]\nrate = 115200\n[[fault]]\nbanner-forever = "buy more lines\\r\\n"\n')
        text = dte.expect_bytes(16 * 1000)
        self.assertEqual(text, b"buy more lines\r\n" * 1000)
        dte.close()
        sim.wait_event("hangup")

    def test_an_unlimited_banner_leaves_room_for_signals(self):
        sim, dte = self.start(LOGIN + '[[fault]]\nbanner-forever = "x"\n')
        dte.expect_bytes(100000)
        sim.drop_carrier()
        dte.expect("NO CARRIER")


class ModemFaults(Case):
    def test_deaf_to_the_escape(self):
        _, dte = self.start('[[fault]]\nignore-escape = true\n[far-end]\ncommand = ["cat"]\n')
        time.sleep(0.12)
        dte.send("+++")
        dte.expect("+++")
        dte.expect_silence(0.3)

    def test_deaf_to_dtr(self):
        sim, dte = self.start('[[fault]]\nignore-dtr = true\n[far-end]\ncommand = ["cat"]\n')
        dte.close()
        sim.wait_event("close")
        dte = sim.dte()
        dte.send("hello")
        dte.expect("hello")
        time.sleep(0.12)
        dte.send("+++")
        dte.expect("OK")
        dte.command("ATH")
        dte.close()

    def test_silent_until_opened_anew(self):
        sim, dte = self.start("[[fault]]\nopen = 1\nmodem-silent = true\n", dial=False)
        dte.send("AT\r")
        dte.expect_silence(0.3)
        dte.close()
        sim.wait_event("close")
        with sim.dte() as dte:
            dte.command("AT")

    def test_babbling(self):
        _, dte = self.start("[[fault]]\nmodem-babble = true\n", dial=False)
        dte.expect_bytes(64)
        dte.send("AT\r")
        dte.expect("\r\nOK\r\n")

    def test_does_not_tell_that_the_carrier_is_lost(self):
        sim, dte = self.start("[[fault]]\nlose-no-carrier = true\n")
        sim.drop_carrier()
        sim.wait_event("hangup")
        dte.expect_silence(0.2)
        dte.command("AT")

    def test_slow_to_answer(self):
        _, dte = self.start('[modem]\ncommand-delay = "200ms"\n', dial=False)
        begin = Stopwatch()
        dte.send("AT\rATI\r")
        dte.expect("\r\nOK\r\n")
        dte.expect("\r\nmodemsim\r\n\r\nOK\r\n")
        self.assertGreaterEqual(begin.seconds(), 0.4)

    def test_carrier_loss_is_noticed_late(self):
        sim, dte = self.start('[modem]\ncarrier-loss-delay = "300ms"\n')
        begin = Stopwatch()
        sim.drop_carrier()
        dte.expect("NO CARRIER")
        self.assertGreaterEqual(begin.seconds(), 0.3)

    def test_own_replies(self):
        _, dte = self.start('[modem.replies]\n"+CPIN?" = "+CPIN: READY"\n"+CGDCONT=*" = ""\n"+CREG?" = "+CME ERROR: 30"\n'
                            '"^SCFG*" = "OK"\n', dial=False)
        dte.command("ATE0+CPIN?", "+CPIN: READY")
        dte.expect("OK")
        dte.command('AT+CGDCONT=1,"IP","internet;x";+CPIN?', "+CPIN: READY")
        dte.command("AT+CREG?", "+CME ERROR: 30")
        dte.command("AT^SCFG=1")

    def test_factory_profile(self):
        _, dte = self.start('[modem]\nprofile = "E0V0X1&D0S7=20"\n', dial=False)
        dte.send("AT\r")
        self.assertEqual(dte.expect("0\r"), b"0\r")
        dte.send("ATS7?\r")
        self.assertEqual(dte.expect("0\r"), b"020\r")


class Incoming(Case):
    def test_ring_and_answer(self):
        sim, dte = self.start('[incoming]\ninterval = "100ms"\n[far-end]\ncommand = ["cat"]\n', dial=False)
        dte.command("AT")
        sim.ring()
        dte.expect("\r\nRING\r\n")
        dte.expect("\r\nRING\r\n")
        dte.send("ATA\r")
        dte.expect("CONNECT 115200\r\n")
        dte.send("hello")
        dte.expect("hello")
        self.assertEqual(sim.calls(), [(1, "-", "incoming")])

    def test_the_modem_answers_by_itself(self):
        _, dte = self.start('[incoming]\nafter-open = "200ms"\ninterval = "100ms"\n', dial=False)
        dte.command("ATS0=2")
        dte.expect("RING\r\n\r\nRING\r\n\r\nCONNECT")

    def test_nobody_answers(self):
        sim, dte = self.start('[incoming]\ninterval = "50ms"\nrings = 3\n', dial=False)
        dte.command("AT")
        sim.ring()
        self.assertEqual(sim.wait_event("hangup")["cause"], "unanswered")
        dte.command("ATS1?", "003")

    def test_nobody_calls(self):
        _, dte = self.start("", dial=False)
        dte.command("ATS7=1")
        dte.command("ATA", "NO CARRIER")


class Tcp(Case):
    def test_a_modem_on_a_device_server(self):
        sim, dte = self.start(tcp=True)
        dte.log_in()
        dte.expect("ahead\r\n")
        dte.send("over the line\n")
        dte.expect("over the line\n")

    def test_a_close_hangs_up(self):
        sim, dte = self.start(tcp=True)
        dte.close()
        self.assertEqual(sim.wait_event("hangup")["cause"], "dtr")
        with sim.dte() as dte:
            dte.command("AT")
            dte.dial()

    def test_one_at_a_time(self):
        sim, dte = self.start(tcp=True)
        with sim.dte() as other:
            with self.assertRaises(EOFError):
                other.expect("never")
        dte.log_in()

    def test_a_peer_that_goes_while_the_line_is_full(self):
        sim, dte = self.start('[line]\nrate = 300\n', tcp=True)
        dte.send(b"x" * 100000)
        dte.close()
        self.assertEqual(sim.wait_event("hangup")["cause"], "dtr")


class CommandLine(unittest.TestCase):
    def run_with(self, text, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "s.toml")
            path.write_text(text)
            done = subprocess.run([MODEMSIM, path, *arguments], capture_output=True, text=True, timeout=10)
            return done.returncode, done.stderr.replace(folder + "/", "")

    def test_errors_have_their_place(self):
        for text, message in (
            ("[line]\nrat = 3\n", "s.toml:2:7: unknown key: rat"),
            ("[line]\nrate = 'x'\n", "s.toml:2:8: rate: a whole number is wanted"),
            ("[[number]]\nnumber = '1'\nfate = 'lost'\n", "s.toml:3:8: fate: not a fate: lost"),
            ("[[fault]]\ndrop-after = '3 weeks'\n", "s.toml:2:14: drop-after: a duration is wanted"),
            ("[login\n", "s.toml:1:"),
        ):
            status, errors = self.run_with(text)
            self.assertEqual(status, 78)
            self.assertIn(message, errors)

    def test_usage(self):
        self.assertEqual(self.run_with("", "--nonsense")[0], 64)
        self.assertEqual(self.run_with("", "--link", "a", "--listen", "b")[0], 64)

    def test_the_link_must_not_replace_a_file(self):
        with tempfile.NamedTemporaryFile() as file:
            self.assertEqual(self.run_with("", "--link", file.name)[0], 71)
            self.assertTrue(Path(file.name).exists())

    def test_scenarios_that_are_shipped_are_valid(self):
        folder = Path(__file__).resolve().parents[1] / "fakes" / "scenarios"
        scenarios = sorted(folder.glob("*.toml"))
        self.assertTrue(scenarios)
        for scenario in scenarios:
            with Modemsim(scenario) as sim, sim.dte() as dte:
                if "silent" not in scenario.name:
                    dte.command("AT")


if __name__ == "__main__":
    unittest.main()
