# SPDX-License-Identifier: MIT
"""Hostile X.400 callers over TCP. Whatever they do: memory stays bounded, the association ends with an event that says why, the spool is
sound, no message is lost or comes twice, nothing secret or unescaped is said, and a good peer is served, also in the middle of it."""

import contextlib
import json
import random
import re
import socket
import struct
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import side_by_side  # noqa: E402
from support.mail import PATIENCE, wait_until  # noqa: E402
from support.x400 import Sites  # noqa: E402
from support.x400_peer import (AC, AD, ADA, AE, AEA, AI, AR, AS, CC, CN, CR, DN, DT, ED, FN, GTA, GTC, MIA, MIP, PT, RF, Caller,  # noqa: E402
                               activity, connect_request, data, finish, give_turn, message, pieces, please, reference, resume, start, sync)
from support.x400_capture import data_value, integer, parameter, tlv, tpkt, transport  # noqa: E402

MOST_MEMORY = 64 << 20
A_SAYS, B_SAYS = "lorem-of-A", "ipsum-of-B"
ESCAPE = "\x1b[31mred\r\n\x07"
DEPTH = 10_000

LONG = {                     # lengths of four gigabytes and more, of things that are not that long
    "four octets": b"\x84\xff\xff\xff\xff", "eight octets": b"\x88" + b"\xff" * 8, "126 octets": b"\xfe" + b"\xff" * 126, "reserved": b"\xff",
    "half of memory": b"\x84\x7f\xff\xff\xff",
}
DEEP = {
    "definite": lambda tag: deep(tag), "indefinite": lambda tag: bytes([tag, 0x80]) * DEPTH, "indefinite and ended": lambda tag: bytes([tag, 0x80]) * DEPTH + bytes(2 * DEPTH),
}


def deep(tag):
    out = b""
    for _ in range(DEPTH):
        out = tlv(tag, out)
    return out


def data_packets(connection):
    """With bytes in them, that came: tcpi_data_segs_in of linux/tcp.h."""
    return struct.unpack_from("<I", connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192), 152)[0]


def peak_memory(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE).group(1)) << 10


class Case(unittest.TestCase):
    CALLER = CALLED = "checkpoint-size = 1\nwindow = 3"
    ARGUMENTS = ()

    def setUp(self):
        keys = '\nmta-password-file = "out"\npeer-password-file = "in"'
        self.sites = Sites(caller=self.CALLER + keys, called=self.CALLED + keys)
        self.addCleanup(self.sites.close)
        self.a, self.b = self.sites.a, self.sites.b
        for site, out, into in ((self.a, A_SAYS, B_SAYS), (self.b, B_SAYS, A_SAYS)):
            for name, secret in (("out", out), ("in", into)):
                path = site.root.folder / name
                path.write_text(secret + "\n")
                path.chmod(0o600)
        self.good = []           # subjects of what the good peer sent
        self.number = 0

    def listen(self):
        self.sites.listen("-v", *self.ARGUMENTS)

    def bind(self, **options):
        caller = Caller(self.sites.b_port)
        self.addCleanup(caller.close)
        self.number += 1
        options = {"password": A_SAYS, "refs": reference(f"{self.id()}{self.number}"[-40:]), **options}
        self.assertTrue(caller.bind(**options), "a caller with the right name and password is let in")
        return caller

    def discard(self, caller):
        caller.say(b"\x01\x00" + parameter(AD, parameter(50, b"\x00")))
        self.assertIsNotNone(caller.until(ADA))

    def send_good(self):
        """A good peer's message."""
        subject = f"good{len(self.good)}"
        self.good.append(subject)
        self.a.root.add(f"Subject: {subject}\n\n".encode() + b"line\n" * 700, "bob@b.example", sender="alice@a.example")
        receipts = self.a.root.flush("--wait", "--connector", "b")
        self.assertEqual({r["result"] for r in receipts.values()}, {"sent"})

    def subjects(self):
        return [e["subject"] for e in self.b.root.list("--inbox")]

    def said_nothing_bad(self, *texts):
        for text in texts:
            text = text.decode() if isinstance(text, bytes) else text
            for secret in (A_SAYS, B_SAYS):
                self.assertNotIn(secret, text)
            self.assertRegex(text, r"\A[\n\x20-\x7e\u00a0-\uffff]*\Z")

    def sound(self, *others):
        """After an attack: `others` are subjects of what an attacker transferred in order."""
        self.send_good()
        self.assertEqual(sorted(self.subjects()), sorted([*self.good, *others]))
        memory = peak_memory(self.b.process.pid)
        self.assertLess(memory, MOST_MEMORY)
        said = self.b.close()
        for root in (self.a.root, self.b.root):
            found = [json.loads(line)["code"] for line in root.run("check", "--json").stdout.splitlines()]
            self.assertEqual([code for code in found if code != "short-host-name"], [])
            self.said_nothing_bad((root.folder / "events.jsonl").read_text())
        self.said_nothing_bad(said)

    def endings(self, site, before=0):
        """Of associations that ended badly: the texts of their events."""
        events = [e for e in site.root.events() if e["event"] in ("mail.caller-refused", "queue.flushed", "mail.unreachable") and "stage" in e]
        return events[before:]


class BeforeTheBind(Case):
    """Callers who need to know nothing."""

    def attacks(self):
        user_data = {f"a length of {name}": b"\x31" + length + b"\xa0\x03\x80\x01\x01" for name, length in LONG.items()}
        for tag in (0x31, 0xA2, 0x24, 0x30):
            user_data.update({f"depth of {tag:x}, {name}": make(tag) for name, make in DEEP.items()})
        user_data["a thousand contexts"] = tlv(0x31, b"\xa0\x03\x80\x01\x01", tlv(0xA2, tlv(0xA4, *(tlv(0x30, integer(1)) for _ in range(1000)))))
        for name, value in user_data.items():
            yield name, [tpkt(CR), *transport(parameter(CN, parameter(0xC1, value)))]
        for length in (0, 1, 3, 4, 5, 6):
            yield f"a packet of {length}", [b"\x03\x00" + length.to_bytes(2, "big") + b"\x02\xf0\x80"]
        for version in (0, 2, 4, 255):
            yield f"version {version}", [bytes([version]) + tpkt(CR)[1:]]
        for indicator in (0, 1, 7, 200, 255):
            yield f"length indicator {indicator}", [tpkt(bytes([indicator]) + CR[1:])]
        yield "another transport class", [tpkt(CR[:-1] + b"\x40")]
        yield "a confirmation of nothing", [tpkt(CC)]
        yield "data first", list(transport(connect_request(password=A_SAYS)))
        yield "two requests", [tpkt(CR), tpkt(CR)]
        for kind in (ED, FN, AS, DT, MIP, AE, AC, RF, DN, AR, GTC, PT, 0xF7):
            yield f"SPDU {kind} first", [tpkt(CR), *transport(b"\x01\x00" + parameter(kind))]
        for value in (b"\xff\xff\xff", b"\xff\xff", b"\xff", b"\x7f\x00"):
            yield f"an SPDU of {value.hex()}", [tpkt(CR), *transport(bytes([CN]) + value)]
            yield f"a parameter of {value.hex()}", [tpkt(CR), *transport(parameter(CN, b"\x01" + value))]
            yield f"an inner parameter of {value.hex()}", [tpkt(CR), *transport(parameter(CN, parameter(1, b"\x0a" + value)))]
        yield "ten thousand parameters", [tpkt(CR), *transport(parameter(CN, b"\x0a\x00" * DEPTH))]
        yield "a unit that does not end", [tpkt(CR), *[tpkt(b"\x02\xf0\x00" + bytes(60_000))] * 50]
        yield "a unit of nothing that does not end", [tpkt(CR), *[tpkt(b"\x02\xf0\x00")] * DEPTH, *transport(b"\x00\x00")]
        yield "nobody's name", [tpkt(CR), *transport(connect_request(name=ESCAPE))]
        yield "a name of 60,000 bytes", [tpkt(CR), *transport(connect_request(name="A" * 60_000))]
        yield "a wrong password", [tpkt(CR), *transport(connect_request(password=ESCAPE))]
        yield "no password", [tpkt(CR), *transport(connect_request())]
        yield "a password of 60,000 bytes", [tpkt(CR), *transport(connect_request(password="x" * 60_000))]
        yield "a session that is not known", [tpkt(CR), *transport(connect_request(recover=reference(ESCAPE)))]
        for size in (-1, 1 << 31, 1 << 62):
            value = size.to_bytes(9, "big", signed=True)
            request = connect_request(password=A_SAYS).replace(integer(1, 0x80) + integer(3, 0x81), tlv(0x80, value) + integer(3, 0x81))
            yield f"checkpoints of {size}", [tpkt(CR), *transport(request)]

    def test_each_is_ended_with_an_event(self):
        self.listen()
        for name, packets in self.attacks():
            with self.subTest(name):
                before = len(self.endings(self.b))
                caller = Caller(self.sites.b_port)
                for packet in packets:
                    if not caller.raw(packet):
                        break
                caller.until_end()
                caller.close()
                events = wait_until(lambda: self.endings(self.b, before), "an event")
                self.assertEqual(len(events), 1, events)
                self.assertTrue(events[0]["text"])
        self.sound()

    def test_random_bytes(self):
        self.listen()
        rng = random.Random(400)
        for n in range(150):
            caller = Caller(self.sites.b_port)
            octets = rng.randbytes(rng.randrange(1, 3000))
            if n % 3 == 1:
                octets = b"".join(tpkt(rng.randbytes(rng.randrange(1, 200))) for _ in range(10))
            elif n % 3 == 2:
                octets = tpkt(CR) + b"".join(transport(rng.randbytes(rng.randrange(1, 2000))))
            caller.raw(octets)
            caller.connection.shutdown(socket.SHUT_WR)
            caller.until_end()
            caller.close()
        self.sound()

    def test_any_octet_of_the_bind_may_be_another(self):
        self.listen()
        rng = random.Random(401)
        request = b"".join(transport(connect_request(password=A_SAYS)))
        for _ in range(150):
            octets = bytearray(request)
            octets[rng.randrange(len(octets))] = rng.randrange(256)
            caller = Caller(self.sites.b_port)
            caller.raw(tpkt(CR) + bytes(octets))
            caller.connection.shutdown(socket.SHUT_WR)
            caller.until_end()
            caller.close()
        self.sound()


class Bound(Case):
    """A peer who knows the password, and turns."""

    def attacks(self):
        apdu = message("never", size=5000)
        parts = pieces(apdu)
        begun = [start(1), data(parts[0])]
        for serial in (0, 2, 3, 999_999, b"", b"-1", b"abc", b"1000000", b"01 "):
            yield f"checkpoint {serial} first", [*begun, sync(MIP, serial)]
            yield f"an end at {serial}", [*begun, sync(AE, serial)]
        yield "a checkpoint twice", [*begun, sync(MIP, 1), sync(MIP, 1)]
        for kind in (MIA, AEA):
            yield f"an acknowledgement {kind} of nothing", [sync(kind, 1, mine=False)]
            yield f"an acknowledgement {kind} in its own transfer", [*begun, sync(kind, 1, mine=False)]
        for name, tsdu in (("data", data(b"x")), ("a checkpoint", sync(MIP, 1)), ("an end", sync(AE, 1)), ("an interrupt", b"\x01\x00" + parameter(AI))):
            yield f"{name} without a transfer", [tsdu]
        yield "a transfer in a transfer", [*begun, start(2)]
        yield "a resumption in a transfer", [*begun, resume(2, 1, 0)]
        yield "the turn in a transfer", [*begun, give_turn()]
        yield "a release in a transfer", [*begun, finish()]
        for kind in (CN, AC, RF, DN, GTA, 0xF7, 99):
            yield f"SPDU {kind} in an association", [parameter(kind)]
        yield "a session in a session", [connect_request(password=A_SAYS)]
        yield "a segment in another context", [start(1), data(parts[0], context=5)]
        yield "a segment that is no octets", [start(1), b"\x01\x00\x01\x00" + data_value(3, integer(1))]
        yield "a segment of 4 K", [start(1), data(apdu[:4096])]
        yield "a segment without an end", [start(1), *[data(parts[0])] * 60]
        yield "an identifier of 7 octets", [b"\x01\x00" + parameter(AS, parameter(41, bytes(7)))]
        for name, length in LONG.items():
            yield f"a segment with a length of {name}", [start(1), b"\x01\x00\x01\x00\x61" + length + b"\x30\x80"]
            yield f"octets with a length of {name}", [start(1), b"\x01\x00\x01\x00" + data_value(3, b"\x04" + length + b"x")]
        for name, make in DEEP.items():
            yield f"a segment of depth, {name}", [start(1), b"\x01\x00\x01\x00" + make(0x61)]
            yield f"octets of depth, {name}", [start(1), b"\x01\x00\x01\x00" + data_value(3, make(0x24))]
            yield f"a message of depth, {name}", activity(1, tlv(0x28, integer(5), tlv(0xA0, make(0xA0))))
            yield f"an envelope of depth, {name}", activity(1, tlv(0x28, integer(5), tlv(0xA0, tlv(0xA0, make(0x31)))))
        for name, length in LONG.items():
            yield f"a message with a length of {name}", activity(1, tlv(0x28, integer(5), b"\xa0" + length + apdu[10:]))
        yield "a message that ends early", activity(1, apdu[:700])
        yield "a message of zeros", activity(1, bytes(3000))
        yield "a unit in many packets of nothing", []

    def test_each_ends_the_association_with_an_event(self):
        self.listen()
        for name, tsdus in self.attacks():
            with self.subTest(name):
                before = len(self.endings(self.b))
                caller = self.bind()
                caller.say(*tsdus)
                if not tsdus:
                    caller.raw(b"".join([tpkt(b"\x02\xf0\x00")] * 3000 + [tpkt(b"\x02\xf0\x00" + bytes(30_000))] * 10))
                caller.until_end()
                caller.close()
                events = wait_until(lambda: self.endings(self.b, before), "an event")
                self.assertEqual([(e["event"], e["connector"]) for e in events], [("queue.flushed", "a")])
                self.assertTrue(events[0]["text"])
        self.sound()

    def test_refused_transfers_leave_the_association(self):
        self.listen()
        caller = self.bind()
        for number, old, serial in ((1, 77, 1), (2, 2, 999_999), (3, 3, 5)):
            caller.say(resume(number, old, serial))
            self.assertIsNotNone(caller.until(ED), "an exception")
            self.discard(caller)
        self.assertTrue(caller.transfer(4, message("after")))
        self.assertTrue(caller.release())
        self.sound("after")

    def test_answers_to_what_came_together_are_one_packet(self):
        """On a thin line each packet costs its header, and an acknowledgement."""
        self.listen()
        caller = self.bind()
        packets = []
        for number in range(1, 6):   # the kernel holds a packet back for 200 ms, which a busy machine may take
            before = data_packets(caller.connection)
            caller.raw(b"".join(b"".join(transport(tsdu)) for tsdu in activity(number, message(f"m{number}", size=3000))))
            self.assertIsNotNone(caller.until(AEA))
            packets.append(data_packets(caller.connection) - before)
        self.assertEqual(min(packets), 1, packets)
        self.assertTrue(caller.release())
        self.sound(*(f"m{n}" for n in range(1, 6)))

    def test_words_of_a_message_are_escaped(self):
        self.listen()
        caller = self.bind()
        for number, options in enumerate(({"recipient": "bob@nowhere.example"}, {"sender": "a@" + "x" * 200}, {"identifier": ESCAPE}), 1):
            self.assertTrue(caller.transfer(number, message(f"m{number}", **options)))
        self.assertTrue(caller.transfer(9, message("m9").replace(b"bob(a)b.example", b"b\x1b[1m\r\n.example")))
        self.assertTrue(caller.release())
        self.sound("m3")
        self.assertEqual(len(self.b.root.events("mail.refused")), 3)

    def test_a_message_for_thousands_who_are_refused(self):
        self.listen()
        caller = self.bind(checkpoint=0)
        recipients = [f"nobody{n}@nowhere.example" for n in range(3000)]
        self.assertTrue(caller.transfer(1, message("many", recipient=recipients), checkpoint=0))
        self.assertTrue(caller.release())
        self.sound()


class Again(Case):
    """Names of transfers that come again."""

    def test_an_identifier_used_twice_in_an_association(self):
        self.listen()
        caller = self.bind()
        for subject in ("one", "two", "three"):
            self.assertTrue(caller.transfer(1, message(subject, size=2500 if subject == "three" else 200)))
        self.assertTrue(caller.release())
        self.sound("one", "two", "three")

    def test_a_reference_used_twice(self):
        """As of an MTA that names its sessions by the second."""
        self.listen()
        for subject, size in (("one", 200), ("two", 200), ("three", 2500), ("four", 2500)):
            caller = self.bind(refs=reference("same"))
            self.assertTrue(caller.transfer(1, message(subject, size=size)))
            self.assertTrue(caller.release())
        self.sound("one", "two", "three", "four")

    def test_an_end_whose_acknowledgement_was_lost(self):
        """The sender calls again to hear it; without a Message-ID nothing else tells that the message is here."""
        self.listen()
        refs, tsdus = reference("cut"), activity(1, message("lost", size=2500))
        caller = self.bind(refs=refs)
        caller.say(*tsdus)
        wait_until(lambda: self.subjects() == ["lost"], "the message to be taken in")
        caller.reset()
        again = self.bind(recover=refs)
        again.say(resume(1, 1, 2, refs), *tsdus[-2:])
        self.assertIsNotNone(again.until(AEA))
        self.assertTrue(again.release())
        self.sound("lost")

    def test_the_same_message_under_a_new_name_comes_once_where_it_has_an_id(self):
        self.listen()
        apdu = message("one\r\nMessage-ID: <one@a.example>")
        for _ in range(2):
            caller = self.bind()
            self.assertTrue(caller.transfer(1, apdu))
            self.assertTrue(caller.release())
        self.sound("one")

    def test_two_associations_with_one_name_at_once(self):
        """Their segments alternate: no message has parts of another, and none that was confirmed is lost."""
        self.listen()
        first, second = self.bind(refs=reference("same")), self.bind(refs=reference("same"))
        transfers = [(caller, activity(1, message(subject, size=5000))) for caller, subject in ((first, "first"), (second, "second"))]
        confirmed = []
        for n in range(max(len(tsdus) for _, tsdus in transfers)):
            for caller, tsdus in transfers:
                if not caller.open or n >= len(tsdus):
                    continue
                caller.say(tsdus[n])
                if n >= 2 and n % 2 == 0 and caller.hear() is not None and caller.heard[-1][-1] == AEA:
                    confirmed.append("first" if caller is first else "second")
        self.assertEqual(sorted(self.subjects()), sorted(confirmed))
        for id in self.b.root.ids("--inbox"):
            raw = self.b.root.run("show", "--raw", id).stdout
            self.assertEqual(len(raw), 5000)
        self.assertEqual(sorted(confirmed), ["first", "second"])
        self.assertTrue(self.bind().transfer(1, message("after")))
        self.sound("after", *confirmed)

    def test_two_associations_with_one_name_that_are_both_cut(self):
        """Neither goes on in what the other has sent."""
        self.listen()
        refs = reference("same")
        callers = [self.bind(refs=refs) for _ in range(2)]
        for caller, subject in zip(callers, ("first", "second")):
            caller.say(*activity(1, message(subject, size=3000))[:3])
            self.assertIsNotNone(caller.until(MIA))
        for caller in callers:
            caller.reset()
        for subject in ("first", "second"):
            caller = self.bind()
            caller.say(resume(1, 1, 1, refs))
            self.assertIsNotNone(caller.until(ED), "an exception")
            self.discard(caller)
            self.assertTrue(caller.transfer(2, message(subject, size=3000)))
            self.assertTrue(caller.release())
        self.sound("first", "second")

    def test_two_associations_that_resume_one_transfer(self):
        self.listen()
        refs, apdu = reference("cut"), message("cut", size=6000)
        tsdus = activity(1, apdu)
        caller = self.bind(refs=refs)
        caller.say(*tsdus[:5])
        for _ in range(2):
            caller.until(MIA)
        second, third = self.bind(), self.bind()
        second.say(resume(1, 1, 1, refs), *tsdus[3:5])
        self.assertIsNotNone(second.until(MIA))
        third.say(resume(1, 1, 1, refs), *tsdus[3:5])
        self.assertIsNotNone(third.until(MIA))
        for one in (caller, second):
            one.say(*tsdus[5:])
            one.until_end()
        third.say(*tsdus[5:])
        self.assertIsNotNone(third.until(AEA))
        self.assertTrue(third.release())
        self.assertEqual(len(self.b.root.run("show", "--raw", self.b.root.ids("--inbox")[0]).stdout), 6000)
        self.sound("cut")

    def test_cut_after_every_unit(self):
        """Then it goes on in another association, from the last point that was confirmed: the message is there once."""
        self.listen()
        subjects = []
        for n, cut in enumerate(2 * list(range(1, 2 * len(pieces(message("cut00", size=3000))) + 2))):
            subject = f"cut{n:02}"
            subjects.append(subject)
            refs, tsdus = reference(subject), activity(1, message(subject, size=3000))
            caller = self.bind(refs=refs)
            caller.say(*tsdus[:cut])
            confirmed = 0
            for _ in range((cut - 1) // 2):
                found, values = caller.hear()
                confirmed = int(values[42])
            caller.reset() if n % 2 else caller.close()
            caller = self.bind(refs=reference("again" + subject))
            ended = cut == len(tsdus)
            caller.say(*([resume(1, 1, confirmed, refs)] if cut > 2 else [start(1)]))
            rest = tsdus[-2:] if ended else tsdus[1 + 2 * confirmed:]
            if ended:
                rest = [tsdus[-2].replace(b"x", b"y"), sync(AE, confirmed + 1)]
            caller.say(*rest)
            self.assertIsNotNone(caller.until(AEA), subject)
            self.assertTrue(caller.release())
        self.sound(*subjects)


class Patience(Case):
    """Peers that say little, or nothing."""
    ARGUMENTS = ("--idle", "1s")

    def test_silence_after_each_unit(self):
        self.listen()
        silent = [Caller(self.sites.b_port)]
        opening = tpkt(CR) + b"".join(transport(connect_request(password=A_SAYS)))
        for cut in (1, 3, 5, len(tpkt(CR)), len(tpkt(CR)) + 9, len(opening) - 1):
            caller = Caller(self.sites.b_port)
            caller.raw(opening[:cut])
            silent.append(caller)
        tsdus = activity(1, message("never", size=3000))
        for cut in range(len(tsdus)):
            for part in (0, 11):
                if len(silent) % 9 == 8:
                    self.send_good()
                caller = self.bind()
                caller.say(*tsdus[:cut])
                caller.raw(b"".join(transport(tsdus[cut]))[:part])
                silent.append(caller)
                self.until_some_end(silent)
        for caller in silent:
            caller.until_end()
            caller.close()
        self.sound()

    def until_some_end(self, callers):
        """One connector has ten associations."""
        bound = [c for c in callers if c.heard and c.open]
        while len(bound) > 8:
            caller = bound.pop(0)
            caller.until_end()
            caller.close()
            caller.open = False

    def test_a_byte_now_and_then(self):
        self.listen()
        callers = [Caller(self.sites.b_port) for _ in range(3)]
        callers += [self.bind(), self.bind()]
        opening = tpkt(CR) + b"".join(transport(connect_request(password=A_SAYS)))
        segment = b"".join(b"".join(transport(t)) for t in activity(1, message("never", size=3000)))
        said = [opening] * 3 + [segment] * 2
        n = 0
        deadline = time.monotonic() + PATIENCE
        while any(c.open for c in callers) and time.monotonic() < deadline:
            for caller, octets in zip(callers, said):
                if caller.open:
                    caller.connection.settimeout(0.02)
                    caller.raw(octets[n:n + 1])
                    with contextlib.suppress(TimeoutError):
                        caller.until_end()
            n += 1
            time.sleep(0.2)
            if n == 3:
                self.send_good()
        self.assertFalse(any(c.open for c in callers), "they are still there")
        self.assertLess(n, len(opening))
        self.sound()


class Floods(Case):
    def test_more_connections_than_are_taken(self):
        self.listen()
        held = []
        for n in range(300):
            held.append(Caller(self.sites.b_port))
            if n % 2:
                held[-1].raw(tpkt(CR))
            if n % 100 == 99:
                self.send_good()
        self.send_good()
        used = cpu_seconds(self.b.process.pid)
        time.sleep(0.3)
        self.assertLess(cpu_seconds(self.b.process.pid) - used, 0.1, "it waits, and does not spin")
        for caller in held:
            caller.close()
        self.sound()

    def test_connections_that_come_and_go(self):
        self.listen()
        over = threading.Event()

        def come_and_go(octets):
            while not over.is_set():
                with contextlib.suppress(OSError):
                    caller = Caller(self.sites.b_port)
                    caller.raw(octets)
                    caller.reset()

        threads = [threading.Thread(target=come_and_go, args=(octets,)) for octets in (b"", tpkt(CR), tpkt(CR) + b"".join(transport(connect_request())))]
        for thread in threads:
            thread.start()
        try:
            for _ in range(5):
                self.send_good()
        finally:
            over.set()
            for thread in threads:
                thread.join()
        self.sound()

    def test_associations_of_one_peer_are_ten(self):
        self.listen()
        held = [self.bind() for _ in range(10)]
        caller = Caller(self.sites.b_port)
        self.assertFalse(caller.bind(password=A_SAYS))
        caller.close()
        (event,) = wait_until(lambda: self.b.root.events("mail.caller-refused"))
        self.assertEqual((event["text"], event["connector"]), ("connector a has its 10 associations", "a"))
        for n, caller in enumerate(held):
            caller.say(*activity(1, message(f"held{n}")))
            self.assertIsNotNone(caller.until(AEA))
            caller.reset()
        wait_until(lambda: len(self.endings(self.b)) == 11)
        self.sound(*(f"held{n}" for n in range(10)))

    def test_many_words_that_mean_nothing(self):
        self.listen()
        caller = self.bind()
        caller.raw(b"".join(transport(b"\x02\x00" + parameter(PT, parameter(16, b"\x01")))))
        caller.until_end()
        caller = self.bind()
        caller.say(give_turn())
        caller.raw(b"".join(transport(please())) * 20_000)
        caller.reset()
        self.sound()


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


if __name__ == "__main__":
    side_by_side.main()
