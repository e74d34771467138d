# SPDX-License-Identifier: MIT
"""The emulated modem does what a modem does: commands, results, timing, the line, the host behind it."""

import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from modemsim import Modemsim  # noqa: E402
from stopwatch import Stopwatch  # noqa: E402

SCENARIOS = Path(__file__).resolve().parents[1] / "fakes" / "scenarios"
QUICK = "S12=5"  # guard time 100 ms


class Commands(unittest.TestCase):
    def setUp(self):
        self.sim = Modemsim()
        self.addCleanup(self.sim.stop)
        self.dte = self.sim.dte()
        self.addCleanup(self.dte.close)

    def test_echoes_and_answers(self):
        self.assertEqual(self.dte.command("AT"), b"AT\r\r\nOK\r\n")

    def test_echo_off(self):
        self.dte.command("ATE0")
        self.assertEqual(self.dte.command("AT"), b"\r\nOK\r\n")

    def test_lower_case_and_spaces(self):
        self.dte.command("at e0 v1 q0")
        self.assertEqual(self.dte.command("At"), b"\r\nOK\r\n")

    def test_digits(self):
        self.dte.command("ATE0")
        self.dte.send("ATV0\r")
        self.assertEqual(self.dte.expect("\r"), b"0\r")
        self.dte.send("ATJ\r")
        self.assertEqual(self.dte.expect("\r"), b"4\r")

    def test_quiet(self):
        self.dte.command("ATE0")
        self.dte.send("ATQ1\rAT\rATJ\r")
        self.dte.send("ATQ0\r")
        self.assertEqual(self.dte.expect("OK\r\n"), b"\r\nOK\r\n")

    def test_several_commands_in_a_line(self):
        self.dte.command("ATE0 S7=33 S7? S0=2", "033")
        self.dte.expect("\r\nOK\r\n")
        self.dte.command("ATS7?S0?", "033")
        self.dte.expect("\r\n002\r\n\r\nOK\r\n")

    def test_the_last_register_answers_to_a_bare_question_mark(self):
        self.dte.command("ATE0S12=7")
        self.dte.command("AT?", "007")
        self.dte.expect("OK\r\n")
        self.dte.command("AT=9")
        self.dte.command("ATS12?", "009")

    def test_an_error_ends_the_line(self):
        self.dte.command("ATE0S7=44")
        self.dte.command("ATJS7=55", "ERROR")
        self.dte.command("ATS7?", "044")

    def test_register_out_of_range(self):
        self.dte.command("ATS7=256", "ERROR")
        self.dte.command("ATS300=1", "ERROR")

    def test_repeat(self):
        self.dte.command("ATE0S7=20S7?", "020")
        self.dte.expect("OK\r\n")
        self.dte.send("A/")
        self.assertEqual(self.dte.expect("OK\r\n"), b"\r\n020\r\n\r\nOK\r\n")

    def test_backspace(self):
        self.dte.command("ATE0J\b")

    def test_own_line_end_character(self):
        self.dte.command("ATE0")
        self.dte.send("ATS3=33\r")
        self.dte.expect("!\nOK!\n")
        self.dte.send("AT!")
        self.dte.expect("!\nOK!\n")

    def test_255_characters_are_a_line_and_256_are_not(self):
        self.dte.command("ATE0" + "L1" * 125 + " ")
        self.dte.command("AT" + "L1" * 127 + "  ", "ERROR")
        self.dte.command("AT")

    def test_junk_before_the_prefix(self):
        self.dte.command("ATE0")
        self.dte.send(b"\x00\xff~AAAT\r")
        self.dte.expect("OK")

    def test_unknown_commands(self):
        for good in ("AT&K3", "AT&Q5", "AT\\N3", "AT%C1", "ATL2M1", "AT&G0", "AT+MS=V34", "AT+IFC=2,2", "ATB1", "ATY0"):
            self.dte.command(good)
        for bad in ("ATG", "ATR", "AT+NOSUCH", "AT+CPIN?", "AT#X", "AT&", "AT&D9", "ATE7", "ATX9", "ATH5", "ATV2"):
            self.dte.command(bad, "ERROR")

    def test_information(self):
        self.dte.command("ATI", "modemsim")
        self.dte.expect("OK")
        self.dte.command("AT&V", "E1 Q0 V1 X4 &C1 &D2 S0:000 S2:043 S7:050 S12:050")

    def test_reset_and_profiles(self):
        self.dte.command("ATE0V1X2S7=30")
        self.dte.command("ATZ")
        self.dte.command("AT&V", "E1 Q0 V1 X4 &C1 &D2 S0:000 S2:043 S7:050 S12:050")
        self.dte.command("ATX3S7=31&W")
        self.dte.command("ATX1S7=99Z")
        self.dte.command("AT&V", "E1 Q0 V1 X3 &C1 &D2 S0:000 S2:043 S7:031 S12:050")
        self.dte.command("AT&F")
        self.dte.command("AT&V", "E1 Q0 V1 X4 &C1 &D2 S0:000 S2:043 S7:050 S12:050")

    def test_settings_outlive_a_close(self):
        self.dte.command("ATE0S7=61")
        self.dte.close()
        self.sim.wait_event("close")
        with self.sim.dte() as dte:
            dte.command("ATS7?", "061")

    def test_nothing_to_hang_up(self):
        self.dte.command("ATH")
        self.dte.command("ATH0")
        self.dte.command("ATO", "NO CARRIER")

    def test_unread_output_does_not_reach_the_next_dte(self):
        self.dte.send("ATI\rATI\r")
        self.sim.wait_event("open")
        while not self.dte.unread():
            pass
        self.dte.close()
        self.sim.wait_event("close")
        with self.sim.dte() as dte:
            self.assertEqual(dte.command("AT"), b"AT\r\r\nOK\r\n")

    def test_a_line_written_just_before_the_close_counts(self):
        self.dte.command("ATE0")
        self.dte.send("ATS7=77\r")
        self.dte.close()
        self.sim.wait_event("close")
        with self.sim.dte() as dte:
            dte.command("ATS7?", "077")


class Dialling(unittest.TestCase):
    FATES = """
[modem]
unknown-number = "voice"
[[number]]
number = "1"
fates = ["busy", "connect", "no-answer"]
delay = "0s"
[[number]]
number = "2*"
fate = "no-dialtone"
[[number]]
number = "3"
fate = "delayed"
[[number]]
number = "4"
fate = "blacklisted"
[[number]]
number = "5"
fate = "error"
[[number]]
number = "6"
fate = "no-carrier"
[[number]]
number = "7"
text = "CONNECT 33600/ARQ/V34/LAPM"
[[number]]
number = "8"
fate = "connect"
delay = "3s"
[[number]]
number = "9"
fate = "no-answer"
"""

    def setUp(self):
        self.sim = Modemsim(self.FATES)
        self.addCleanup(self.sim.stop)
        self.dte = self.sim.dte()
        self.addCleanup(self.dte.close)
        self.dte.command("ATE0" + QUICK)

    def hang_up(self):
        time.sleep(0.12)  # the guard time is what is tested
        self.dte.send("+++")
        self.dte.expect("OK\r\n")
        self.dte.command("ATH")

    def test_a_number_has_a_fate_for_each_call(self):
        self.dte.command("ATDT1", "BUSY")
        self.dte.command("ATDT1", "CONNECT 115200")
        self.hang_up()
        self.dte.command("ATDT1", "NO ANSWER")
        self.dte.command("ATDT1", "NO ANSWER")
        self.assertEqual(self.sim.calls(),
                         [(1, "1", "busy"), (2, "1", "connect"), (3, "1", "no-answer"), (4, "1", "no-answer")])

    def test_every_fate(self):
        for number, answer in (("2345", "NO DIALTONE"), ("3", "DELAYED"), ("4", "BLACKLISTED"), ("5", "ERROR"),
                               ("6", "NO CARRIER"), ("0", "VOICE")):
            self.dte.command("ATD" + number, answer)

    def test_what_each_x_lets_through(self):
        for x, dial_tone, busy in ((0, "NO CARRIER", "NO CARRIER"), (1, "NO CARRIER", "NO CARRIER"),
                                   (2, "NO DIALTONE", "NO CARRIER"), (3, "NO CARRIER", "VOICE"),
                                   (4, "NO DIALTONE", "VOICE")):
            self.dte.command(f"ATX{x}")
            self.dte.command("ATD2", dial_tone)
            self.dte.command("ATD0", busy)
        self.dte.command("ATX0")
        self.dte.command("ATD7", "CONNECT")

    def test_digits_of_results(self):
        self.dte.send("ATV0\r")
        self.dte.expect("0\r")
        for number, digits in (("1", "7"), ("2", "6"), ("6", "3"), ("5", "4")):
            self.dte.send(f"ATD{number}\r")
            self.assertEqual(self.dte.expect("\r").decode(), digits + "\r")
        self.dte.send("ATX1D8\r")
        self.assertEqual(self.dte.expect("\r"), b"19\r")

    def test_own_connect_text(self):
        self.dte.command("ATD7", "CONNECT 33600/ARQ/V34/LAPM")

    def test_modifiers_are_not_dialled(self):
        self.dte.command("ATS8=0")
        self.dte.command("ATD T (2), 3-4 W@5!/", "NO DIALTONE")
        self.assertEqual(self.sim.calls()[0][1], "2345")

    def test_a_comma_pauses(self):
        self.dte.command("ATS8=1")
        begin = Stopwatch()
        self.dte.command("ATD,6", "NO CARRIER")
        self.assertGreaterEqual(begin.seconds(), 1.0)

    def test_a_malformed_number(self):
        self.dte.command("ATD12%3", "ERROR")
        self.assertEqual(self.sim.calls(), [])

    def test_semicolon_stays_in_command_state(self):
        self.dte.command("ATD555;")
        self.assertEqual(self.sim.calls(), [])

    def test_redial_the_last_number(self):
        self.dte.command("ATDT6", "NO CARRIER")
        self.dte.command("ATDL", "NO CARRIER")
        self.assertEqual([digits for _, digits, _ in self.sim.calls()], ["6", "6"])

    def test_s7_limits_the_wait_for_the_carrier(self):
        self.dte.command("ATS7=1")
        begin = Stopwatch()
        self.dte.command("ATD8", "NO CARRIER")
        self.assertGreaterEqual(begin.seconds(), 1.0)
        self.dte.command("ATD9", "NO ANSWER")

    def test_a_key_aborts_the_dialling(self):
        self.dte.send("ATD8\r")
        self.sim.wait_event("dial")
        time.sleep(0.2)  # within 125 ms of the command line it would not count
        begin = Stopwatch()
        self.dte.send("x")
        self.dte.expect("NO CARRIER")
        self.assertLess(begin.ours(), 2)
        self.assertEqual(self.sim.wait_event("hangup")["cause"], "aborted")
        self.dte.command("AT")

    def test_a_line_feed_after_the_command_aborts_nothing(self):
        self.dte.send("ATD7\r\n")
        self.dte.expect("CONNECT")

    def test_a_close_aborts_the_dialling(self):
        self.dte.send("ATD8\r")
        self.sim.wait_event("dial")
        self.dte.close()
        self.assertEqual(self.sim.wait_event("hangup")["cause"], "dtr")
        with self.sim.dte() as dte:
            self.assertEqual(dte.command("AT"), b"\r\nOK\r\n")


class Escape(unittest.TestCase):
    def setUp(self):
        self.sim = Modemsim('[far-end]\ncommand = ["cat"]\n')
        self.addCleanup(self.sim.stop)
        self.dte = self.sim.dte()
        self.addCleanup(self.dte.close)
        self.dte.command("ATE0" + QUICK)
        self.dte.dial()

    def escape(self):
        time.sleep(0.12)
        self.dte.send("+++")
        self.dte.expect("+++\r\nOK\r\n")  # the far end sends it back before the modem obeys
        self.assertEqual(self.dte.received, b"")

    def test_with_guard_times(self):
        self.escape()
        self.dte.command("AT")
        self.dte.command("ATD5", "ERROR")
        self.dte.command("ATH")
        self.assertEqual(self.sim.wait_event("hangup")["cause"], "ATH")
        self.dte.command("ATO", "NO CARRIER")

    def test_and_back_on_line(self):
        self.escape()
        self.dte.command("ATO", "CONNECT 115200")
        self.dte.send("hello\n")
        self.dte.expect("hello\n")

    def test_not_without_the_guard_time_before(self):
        self.dte.send("x")
        self.dte.send("+++")
        self.dte.expect("x+++")
        self.dte.expect_silence(0.3)

    def test_not_without_the_guard_time_after(self):
        time.sleep(0.12)
        self.dte.send("+++x")
        self.dte.expect("+++x")
        self.dte.expect_silence(0.3)

    def test_not_with_gaps_between(self):
        for _ in range(3):
            time.sleep(0.12)
            self.dte.send("+")
        self.dte.expect("+++")
        self.dte.expect_silence(0.3)

    def test_not_with_four(self):
        time.sleep(0.12)
        self.dte.send("++++")
        self.dte.expect("++++")
        self.dte.expect_silence(0.3)

    def test_own_character_and_none(self):
        self.escape()
        self.dte.command("ATS2=35")
        self.dte.command("ATO", "CONNECT 115200")
        time.sleep(0.12)
        self.dte.send("+++")
        self.dte.expect("+++")
        self.dte.expect_silence(0.2)
        self.dte.send("###")
        self.dte.expect("###\r\nOK\r\n")
        self.dte.command("ATS2=200")
        self.dte.command("ATO", "CONNECT 115200")
        time.sleep(0.12)
        self.dte.send(b"\xc8\xc8\xc8")
        self.dte.expect(b"\xc8\xc8\xc8")
        self.dte.expect_silence(0.2)


class CarrierAndDtr(unittest.TestCase):
    def start(self, scenario='[far-end]\ncommand = ["cat"]\n', **options):
        sim = Modemsim(scenario, **options)
        self.addCleanup(sim.stop)
        dte = sim.dte()
        self.addCleanup(dte.close)
        dte.command("ATE0" + QUICK)
        return sim, dte

    def test_a_close_hangs_up(self):
        sim, dte = self.start()
        dte.dial()
        pid = sim.wait_event("far-end")["pid"]
        dte.close()
        self.assertEqual(sim.wait_event("hangup")["cause"], "dtr")
        sim.wait_event("far-end-gone", pid=pid)
        with sim.dte() as again:
            again.command("AT")
            again.dial()

    def test_a_close_and_open_at_once_hangs_up(self):
        sim, dte = self.start()
        for count in range(1, 21):
            dte.dial()
            dte.close()
            dte = sim.dte()
            self.assertEqual(sim.wait_event("hangup", count)["cause"], "dtr")
            dte.command("AT")
        dte.close()

    def test_a_second_opener_coming_and_going_does_not(self):
        sim, dte = self.start()
        dte.dial()
        for _ in range(20):
            sim.dte().close()
        dte.send("still here\n")
        dte.expect("still here\n")
        self.assertEqual(sim.events("hangup"), [])

    def test_b0_hangs_up(self):
        import termios
        sim, dte = self.start()
        dte.set_speed(termios.B38400)
        dte.dial()
        dte.set_speed(termios.B0)
        self.assertEqual(sim.wait_event("hangup")["cause"], "dtr")
        dte.set_speed(termios.B38400)
        dte.expect("OK")
        dte.dial()

    def test_d0_ignores_dtr(self):
        sim, dte = self.start()
        dte.command("AT&D0")
        dte.dial()
        dte.close()
        sim.wait_event("close")
        with sim.dte() as again:
            again.send("hello\n")
            again.expect("hello\n")
        self.assertEqual(sim.events("hangup"), [])

    def test_d1_goes_to_command_state(self):
        sim, dte = self.start()
        dte.command("AT&D1")
        dte.dial()
        dte.close()
        sim.wait_event("close")
        with sim.dte() as again:
            again.command("AT")
            again.command("ATO", "CONNECT 115200")
            again.send("hello\n")
            again.expect("hello\n")

    def test_d3_resets(self):
        sim, dte = self.start()
        dte.command("AT&D3S7=99")
        dte.dial()
        dte.close()
        sim.wait_event("hangup")
        with sim.dte() as again:
            again.command("ATE0")
            again.command("ATS7?", "050")

    def test_far_end_that_ends_drops_the_carrier_after_its_last_byte(self):
        sim, dte = self.start('[line]\nrate = 19200\nrtt = "200ms"\n'
                              '[far-end]\ncommand = ["sh", "-c", "seq 1 500; exit 3"]\n')
        dte.dial()
        text = dte.expect("\r\nNO CARRIER\r\n")
        self.assertEqual(text, "".join(f"{i}\n" for i in range(1, 501)).encode() + b"\r\nNO CARRIER\r\n")
        self.assertEqual(sim.wait_event("far-end-exit")["status"], 3)
        self.assertEqual(sim.wait_event("hangup")["cause"], "far-end")
        dte.command("AT")

    def test_sigusr1_drops_the_carrier(self):
        sim, dte = self.start()
        dte.dial()
        sim.drop_carrier()
        dte.expect("\r\nNO CARRIER\r\n")
        self.assertEqual(sim.wait_event("hangup")["cause"], "signal")

    def test_far_end_gets_end_of_input_then_signals(self):
        script = 'trap "echo hup >> out" HUP; trap "echo term >> out" TERM; cat; echo eof >> out; while :; do sleep 0.05; done'
        sim, dte = self.start(f"[far-end]\ncommand = [\"sh\", \"-c\", '{script}']\nstderr = \"/dev/null\"\ngrace = \"300ms\"\ndirectory = \".\"\n",
                              folder=None)
        self.addCleanup(lambda: Path("out").unlink(missing_ok=True))
        dte.dial()
        sim.wait_event("far-end")
        dte.send("hi\n")
        dte.expect("hi\n")
        dte.close()
        self.assertEqual(sim.wait_event("far-end-gone")["status"], 128 + 9)
        self.assertEqual(Path("out").read_text().split(), ["eof", "hup", "term"])

    def test_the_end_takes_the_far_end_and_the_link_with_it(self):
        sim, dte = self.start('[far-end]\ncommand = ["sleep", "1000"]\n')
        dte.dial()
        pid = sim.wait_event("far-end")["pid"]
        sim.process.terminate()
        self.assertEqual(sim.process.wait(5), 0)
        self.assertFalse(sim.link.is_symlink())
        self.assertFalse(Path(f"/proc/{pid}").exists())
        with self.assertRaises(EOFError):
            dte.expect("never")

    def test_max_calls(self):
        sim, dte = self.start("", max_calls=2)
        for _ in range(2):
            dte.dial()
            time.sleep(0.12)
            dte.send("+++")
            dte.expect("OK")
            dte.command("ATH")
        dte.close()
        self.assertEqual(sim.process.wait(5), 0)

    def test_idle_it_does_not_spin(self):
        sim, dte = self.start('[[fault]]\nignore-dtr = true\n[far-end]\ncommand = ["cat"]\n')
        dte.dial()
        dte.close()
        sim.wait_event("close")
        before = sim.cpu_seconds()
        time.sleep(1)
        self.assertLess(sim.cpu_seconds() - before, 0.1)
        with sim.dte() as dte:
            # The line is full and nobody reads.
            dte.send(b"x" * 4000)
            before = sim.cpu_seconds()
            time.sleep(1)
            self.assertLess(sim.cpu_seconds() - before, 0.2)


if __name__ == "__main__":
    unittest.main()
