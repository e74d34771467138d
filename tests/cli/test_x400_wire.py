# SPDX-License-Identifier: MIT
"""What our X.400 sessions put on the wire, as Wireshark's decoders read it."""

import socket
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import tshark  # noqa: E402
from support.longline import BUILD  # noqa: E402

# SPDUs by number (X.225, 8.3), as ses.type has them: GT and PT stand before what they announce.
CN, AC, RF, FN, DN, AB, GTC, GTA = 13, 14, 12, 9, 10, 25, 21, 22
GT, PT = 1, 2
AS, AR, DT, MIP, AE, AI, AD = (GT, 45), (GT, 29), (GT, 1), (GT, 49), (GT, 41), (GT, 25), (GT, 57)
MIA, AEA, AIA, ADA, ED = (PT, 50), (PT, 42), (PT, 26), (PT, 58), (PT, 48)
THREE_SEGMENTS = (DT, MIP, DT, MIP, DT, AE)


def flat(*spdus):
    return [code for spdu in spdus for code in (flat(*spdu) if isinstance(spdu, tuple) else [spdu])]


def conversation(what):
    """(whether the caller said it, bytes) in turn."""
    program = BUILD / "tests" / "contract" / "x400-streams"
    lines = subprocess.run([program, what], check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()
    return [(line[0] == ">", bytes.fromhex(line[2:])) for line in lines]


@unittest.skipUnless(tshark.available(), "tshark is not installed")
class Wire(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "session.pcap"

    def capture(self, said):
        capture = tshark.Capture()
        connection = capture.connect()
        for by_caller, data in said:
            capture.said(connection, by_caller, data)
        capture.close(connection)
        capture.write(self.path)

    def sound(self, what):
        self.capture(conversation(what))
        self.assertEqual(tshark.malformed(self.path), [])
        return [int(value) for value in tshark.values(self.path, "ses.type")]

    def test_transfers_in_both_directions(self):
        once = (AS, *THREE_SEGMENTS, MIA, MIA, AEA)
        self.assertEqual(self.sound("transfers"), flat(CN, AC, once, PT, GTC, GTA, once, GTC, GTA, FN, DN))
        self.assertEqual(tshark.values(self.path, "ses.serial_number"), ["1", "2", "3"] * 4)
        self.assertEqual(tshark.values(self.path, "ses.activity_identifier"), ["020101", "020102"])
        self.assertEqual(tshark.values(self.path, "rtse.checkpointSize"), ["1", "1"])
        self.assertEqual(tshark.values(self.path, "rtse.windowSize"), ["3", "3"])
        self.assertEqual(tshark.values(self.path, "cotp.type"), ["0x0e", "0x0d"] + ["0x0f"] * (len(flat(CN, AC, PT, GTC, GTA, GTC, GTA, FN, DN)) + 2 * 10))
        # Whole messages, put together from three segments each.
        self.assertEqual(tshark.values(self.path, "p1.MTS_APDU"), ["0", "0"])
        self.assertEqual(tshark.values(self.path, "p1.surname"), ["bob"] * 4)

    def test_exception_interrupt_resumption_and_discard(self):
        self.assertEqual(self.sound("stopped"), flat(CN, AC, AS, DT, MIP, MIA, ED, AI, AIA, AR, DT, MIP, DT, AE, MIA, AEA, AS, AD, ADA, FN, DN))
        self.assertEqual(tshark.values(self.path, "ses.serial_number"), ["1", "1", "1", "2", "3", "2", "3"])
        self.assertEqual(tshark.values(self.path, "ses.activity_identifier"), ["020101", "020101", "020102", "020103"])

    def test_refusal_and_abort(self):
        self.assertEqual(self.sound("refused"), [CN, RF])
        self.assertEqual(self.sound("aborted"), [CN, AC, AB])

    def test_what_is_broken_is_told(self):
        said = conversation("transfers")
        # In the presentation's first octets.
        by_caller, connect = said[2]
        at = connect.index(bytes.fromhex("a003800101"))
        said[2] = by_caller, connect[:at] + b"\xa0\x7f" + connect[at + 2:]
        self.capture(said)
        self.assertTrue(tshark.malformed(self.path))

    def test_a_tap_captures_what_passes(self):
        said = conversation("transfers")
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)

        def answer():
            end, _ = server.accept()
            with end:
                speak(end, False)

        def speak(end, caller):
            for by_caller, data in said:
                if by_caller == caller:
                    end.sendall(data)
                else:
                    self.assertEqual(end.recv(len(data), socket.MSG_WAITALL), data)

        answering = threading.Thread(target=answer)
        answering.start()
        tap = tshark.Tap(server.getsockname())
        self.addCleanup(tap.close)
        with socket.create_connection(("127.0.0.1", tap.port), timeout=30) as near:
            speak(near, True)
            near.shutdown(socket.SHUT_WR)
            self.assertEqual(near.recv(1), b"")
        answering.join(30)
        tap.capture.write(self.path)
        self.assertEqual(tshark.malformed(self.path), [])
        through_tap = tshark.values(self.path, "ses.type")
        self.capture(said)
        self.assertEqual(tshark.values(self.path, "ses.type"), through_tap)


if __name__ == "__main__":
    unittest.main()
