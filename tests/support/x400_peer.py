# SPDX-License-Identifier: MIT
"""An X.400 peer in normal mode that says what a test wants, right or wrong, over TCP: either end of an association, written by the Recommendations
alone. What it reads it takes apart only as far as tests need. Every wait has a deadline."""

import socket
import struct
import threading

from support.mail import PATIENCE
from support.x400_capture import BER, CONTEXTS, data_value, integer, oid, parameter, tlv, tpkt, transport

# SPDUs by number (X.225, 8.3).
ER, GT, PT, FN, DN, RF, CN, AC, AB, GTC, GTA = 0, 1, 2, 9, 10, 12, 13, 14, 25, 21, 22
AR, AE, AEA, AS, ED, MIP, MIA, AD, ADA, AI, AIA, DT = 29, 41, 42, 45, 48, 49, 50, 57, 58, 25, 26, 1
DR = 0x80                                       # not of the session: a TPDU's code
CR = bytes.fromhex("06e00000000100")
CC = bytes.fromhex("06d00001000200")


def printable(text):
    return tlv(0x13, text.encode())


def domain():
    return tlv(0x63, tlv(0x61, printable("DE")), tlv(0x62, printable(" ")))


def or_name(mailbox):
    """With the mailbox as RFC 2156 has it."""
    value = mailbox.replace("@", "(a)").replace("_", "(u)")
    return tlv(0x60, tlv(0x30, tlv(0x61, printable("DE")), tlv(0x62, printable(" "))), tlv(0x30, tlv(0x30, printable("RFC-822"), printable(value))))


def message(subject, recipient="bob@b.example", sender="alice@a.example", size=200, identifier=None):
    """The APDU of a message: EXTERNAL around it, as RTSE transfers it."""
    content = f"Subject: {subject}\r\n\r\n".encode()
    content += b"x" * max(0, size - len(content) - 2) + b"\r\n"
    trace = tlv(0x69, tlv(0x30, domain(), tlv(0x31, tlv(0x80, b"261126041900Z"), integer(0, 0x82))))
    wanted = [recipient] if isinstance(recipient, str) else recipient
    recipients = tlv(0xA2, *(tlv(0x31, or_name(one), tlv(0x80, n.to_bytes(2, "big")), tlv(0x81, b"\x00\xa8")) for n, one in enumerate(wanted, 1)))
    envelope = tlv(0x31, tlv(0x64, domain(), tlv(0x16, (identifier or subject).encode())), or_name(sender), b"\x46\x01\x00", trace, recipients)
    return tlv(0x28, integer(5), tlv(0xA0, tlv(0xA0, envelope, tlv(4, content))))


def credentials(name, password):
    return tlv(0xA1, tlv(0x80, name.encode()), tlv(0xA1, tlv(0x16, password.encode())) if password else b"") if name else b"\x05\x00"


def opening(tag, bind_tag, name, password, checkpoint, window, two_way, recover):
    """RTORQ or RTOAC (X.228, 9)."""
    data = tlv(0xA1, *recover) if recover else tlv(0xA0, tlv(bind_tag, credentials(name, password)))
    mode = integer(1 if two_way else 0, 0x82)
    if tag == 0xB1:
        return tlv(tag, integer(checkpoint, 0x80), integer(window, 0x81), tlv(0xA2, data))
    return tlv(tag, integer(checkpoint, 0x80), integer(window, 0x81), mode, tlv(0xA3, data))


def external(value):
    return tlv(0x28, oid(BER), integer(3), tlv(0xA0, value))


def reference(text):
    """The values that name a session: calling reference, common reference."""
    return tlv(4, text.encode()), tlv(0x17, b"261126041900Z")


def session_opening(kind, refs, user_data, version, code):
    return parameter(kind, parameter(1, parameter(code, refs[0]), parameter(11, refs[1])),
                     parameter(5, parameter(19, b"\0"), parameter(22, version), parameter(26, b"\0")), parameter(20, b"\x02\x49"), parameter(0xC1, user_data))


def connect_request(name="A", password="", checkpoint=1, window=3, two_way=True, refs=None, recover=None, contexts=CONTEXTS):
    offered = tlv(0xA4, *(tlv(0x30, integer(number), oid(syntax), tlv(0x30, oid(BER))) for number, syntax in contexts))
    rtorq = opening(0xB0, 0xB0, name, password, checkpoint, window, two_way, recover)
    aarq = tlv(0x60, tlv(0xA1, oid("2.6.0.1.6")), tlv(0xBE, external(rtorq)))
    user_data = tlv(0x31, b"\xa0\x03\x80\x01\x01", tlv(0xA2, offered, data_value(1, aarq)))
    return session_opening(CN, refs or reference("test"), user_data, b"\x03", 10)


def connect_answer(name="B", password="", checkpoint=1, window=3, refs=None):
    results = tlv(0xA5, *(tlv(0x30, integer(0, 0x80), oid(BER, 0x81)) for _ in CONTEXTS))
    rtoac = opening(0xB1, 0xB1, name, password, checkpoint, window, True, None)
    aare = tlv(0x61, tlv(0xA1, oid("2.6.0.1.6")), tlv(0xA2, integer(0)), tlv(0xA3, tlv(0xA1, integer(0))), tlv(0xBE, external(rtoac)))
    return session_opening(AC, refs or reference("test"), tlv(0x31, b"\xa0\x03\x80\x01\x01", tlv(0xA2, results, data_value(1, aare))), b"\x02", 9)


# SPDUs as whole TSDUs.

def start(number):
    return b"\x01\x00" + parameter(AS, parameter(41, integer(number)))


def resume(number, old, serial, refs=None):
    """`refs`: of another session than this one."""
    linking = b""
    if refs:
        linking = parameter(10, refs[0]) + parameter(11, refs[1])
    return b"\x01\x00" + parameter(AR, parameter(33, linking, parameter(41, integer(old)), parameter(42, str(serial).encode())), parameter(41, integer(number)))


def data(segment, context=3):
    return b"\x01\x00\x01\x00" + data_value(context, tlv(4, segment))


def sync(kind, serial, mine=True):
    """MIP, AE of who has the turn; MIA, AEA of the other."""
    return (b"\x01\x00" if mine else b"\x02\x00") + parameter(kind, parameter(42, serial if isinstance(serial, bytes) else str(serial).encode()))


def give_turn():
    return parameter(GTC)


def please(priority=1):
    return parameter(PT, parameter(16, b"\x01"), parameter(0xC1, data_value(3, integer(priority))))


def finish():
    return parameter(FN, parameter(17, b"\x01"), parameter(0xC1, data_value(1, bytes.fromhex("6203800100"))))


def finished():
    return parameter(DN, parameter(0xC1, data_value(1, bytes.fromhex("6303800100"))))


def pieces(apdu, checkpoint=1):
    step = checkpoint * 1024 or len(apdu)
    return [apdu[at:at + step] for at in range(0, len(apdu), step)]


def activity(number, apdu, checkpoint=1):
    """The TSDUs of a whole transfer."""
    out = [start(number)]
    parts = pieces(apdu, checkpoint)
    for serial, part in enumerate(parts, 1):
        out += [data(part), sync(AE if serial == len(parts) else MIP, serial)]
    return out


def kinds(tsdu):
    """The numbers of the SPDUs in a TSDU, and the parameters of the last."""
    found, values = [], {}
    while tsdu:
        kind, length, at = tsdu[0], tsdu[1], 2
        if length == 255:
            length, at = struct.unpack(">H", tsdu[2:4])[0], 4
        found.append(kind)
        values = parameters(tsdu[at:at + length])
        tsdu = tsdu[at + length:]
        if kind == DT and len(found) > 1:
            values["data"] = tsdu
            break
    return found, values


def parameters(octets):
    out = {}
    while len(octets) >= 2:
        code, length, at = octets[0], octets[1], 2
        if length == 255:
            length, at = struct.unpack(">H", octets[2:4])[0], 4
        out[code] = octets[at:at + length]
        if code in (1, 5, 33):
            out.update({(code, inner): value for inner, value in parameters(out[code]).items()})
        octets = octets[at + length:]
    return out


class Wire:
    """One end of a TCP connection. `bound()` first, to say anything of a session."""

    def __init__(self, connection):
        self.connection = connection
        connection.settimeout(PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._input = b""
        self.heard = []       # kinds of each TSDU
        self.open = True

    def close(self):
        self.connection.close()

    def reset(self):
        """Closes it with RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def raw(self, octets):
        """Whether the peer still takes it."""
        try:
            self.connection.sendall(octets)
        except OSError:
            self.open = False
        return self.open

    def say(self, *tsdus):
        for tsdu in tsdus:
            self.raw(b"".join(transport(tsdu)))

    def _fill(self):
        try:
            more = self.connection.recv(65536)
        except ConnectionError:
            more = b""
        self._input += more
        return bool(more)

    def packet(self):
        """The next TPDU; None: the connection ended."""
        while True:
            if len(self._input) >= 4:
                length = struct.unpack(">H", self._input[2:4])[0]
                if len(self._input) >= length:
                    out, self._input = self._input[4:length], self._input[length:]
                    return out
            if not self._fill():
                self.open = False
                return None

    def hear(self):
        """(kinds, parameters) of the next TSDU; None: the connection ended."""
        tsdu = b""
        while True:
            packet = self.packet()
            if packet is None:
                return None
            if packet[1] != 0xF0:
                self.heard.append([packet[1]])
                return [packet[1]], {}
            tsdu += packet[3:]
            if packet[2] & 0x80:
                said = kinds(tsdu)
                self.heard.append(said[0])
                return said

    def until(self, kind):
        """Hears until an SPDU of this kind; its parameters. None: the connection ended before."""
        while True:
            said = self.hear()
            if said is None or said[0][-1] == kind:
                return said and said[1]

    def until_end(self):
        """Hears until the peer ends the association, or the connection; the last kinds."""
        while self.heard[-1:] not in ([[AB]], [[RF]], [[DR]]) and self.hear() is not None:
            pass
        return self.heard[-1] if self.heard else []


class Caller(Wire):
    def __init__(self, port):
        super().__init__(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))

    def bind(self, **options):
        """Whether the association stands."""
        self.raw(tpkt(CR))
        if self.packet() is None:
            return False
        self.say(connect_request(**options))
        said = self.hear()
        return said is not None and said[0] == [AC]

    def transfer(self, number, apdu, checkpoint=1):
        """Sends a message; whether it was taken."""
        self.say(*activity(number, apdu, checkpoint))
        return self.until(AEA) is not None

    def release(self):
        self.say(finish())
        done = self.until(DN) is not None
        self.close()
        return done


class Server:
    """Hands each connection to `conduct(wire)`, one after the other, each in a thread of its own."""

    def __init__(self, conduct, port=0):
        self.conduct = conduct
        self.connections = 0
        self.wires = []
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            wire = Wire(connection)
            self.wires.append(wire)
            threading.Thread(target=self._carry, args=(wire,), daemon=True).start()

    def _carry(self, wire):
        try:
            self.conduct(wire)
        except OSError:
            pass

    def close(self):
        self.listener.close()
        for wire in self.wires:
            wire.close()


def accept_bind(wire, **options):
    """The called one's part of the opening; the parameters of the caller's CN."""
    if wire.packet() is None:
        return None
    wire.raw(tpkt(CC))
    said = wire.hear()
    if said is None:
        return None
    refs = said[1].get((1, 10), b""), said[1].get((1, 11), b"")
    wire.say(connect_answer(refs=refs, **options))
    return said[1]


def take_all(wire, answer=lambda wire, kind, serial: True):
    """The called one's part of an association that only takes. `answer`: called before each acknowledgement; false: it is not said. The contents of
    the transfers that were ended."""
    taken, now = [], b""
    while (said := wire.hear()) is not None:
        found, values = said
        kind = found[-1]
        if kind == DT:
            now += values["data"]
        elif found == [GT, MIP] and answer(wire, MIP, values[42]):
            wire.say(sync(MIA, values[42], mine=False))
        elif found == [GT, AE]:
            taken.append(now)
            now = b""
            if answer(wire, AE, values[42]):
                wire.say(sync(AEA, values[42], mine=False))
        elif kind == GTC:
            wire.say(parameter(GTA), parameter(GTC))
        elif kind == FN:
            wire.say(finished())
    return taken
