# SPDX-License-Identifier: MIT
"""A capture of an association in normal mode that transfers given values, each around an MTS-APDU: everything below is made here, so that a decoder
judges the values alone."""
import struct

from tshark import Capture

CONTEXTS = ((1, "2.2.1.0.1"), (3, "2.6.0.2.12"), (5, "2.6.0.2.7"))   # ACSE, RTSE with the bind, message transfer
BER = "2.1.1"
SEGMENT = 600


def tlv(tag, *contents):
    content = b"".join(contents)
    if len(content) < 128:
        length = bytes([len(content)])
    else:
        digits = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
        length = bytes([0x80 | len(digits)]) + digits
    return bytes([tag]) + length + content


def oid(dotted, tag=6):
    arcs = [int(arc) for arc in dotted.split(".")]
    out = b""
    for arc in [arcs[0] * 40 + arcs[1], *arcs[2:]]:
        digits = [arc & 127]
        while arc := arc >> 7:
            digits.insert(0, 0x80 | (arc & 127))
        out += bytes(digits)
    return tlv(tag, out)


def integer(value, tag=2):
    return tlv(tag, bytes([value]))


def parameter(code, *values):
    """A session parameter, or an SPDU (X.225, 8.2)."""
    value = b"".join(values)
    length = bytes([len(value)]) if len(value) < 255 else b"\xff" + struct.pack(">H", len(value))
    return bytes([code]) + length + value


def data_value(context, value):
    return tlv(0x61, tlv(0x30, integer(context), tlv(0xA0, value)))


def association(apdu, bind):
    return tlv(0x28, oid(BER), integer(3), tlv(0xA0, tlv(apdu, integer(30, 0x80), integer(5, 0x81), bind)))


def connect():
    contexts = tlv(0xA4, *(tlv(0x30, integer(number), oid(name), tlv(0x30, oid(BER))) for number, name in CONTEXTS))
    request = tlv(0x60, tlv(0xA1, oid("2.6.0.1.6")), tlv(0xBE, association(0xB0, integer(1, 0x82) + tlv(0xA3, tlv(0xA0, tlv(0xB0, b"\x05\x00"))))))
    return session_connect(0x0D, 10, tlv(0x31, b"\xa0\x03\x80\x01\x01", tlv(0xA2, contexts, data_value(1, request))), b"\x03")


def accept():
    results = tlv(0xA5, *(tlv(0x30, integer(0, 0x80), oid(BER, 0x81)) for _ in CONTEXTS))
    response = tlv(0x61, tlv(0xA1, oid("2.6.0.1.6")), tlv(0xA2, integer(0)), tlv(0xA3, tlv(0xA1, integer(0))),
                   tlv(0xBE, association(0xB1, tlv(0xA2, tlv(0xA0, tlv(0xB1, b"\x05\x00"))))))
    return session_connect(0x0E, 9, tlv(0x31, b"\xa0\x03\x80\x01\x01", tlv(0xA2, results, data_value(1, response))), b"\x02")


def session_connect(kind, reference, user_data, version):
    return parameter(kind, parameter(1, parameter(reference, b"\x04\x01a"), parameter(11, tlv(0x17, b"261122231051Z"))),
                     parameter(5, parameter(19, b"\0"), parameter(22, version), parameter(26, b"\0")), parameter(20, b"\x02\x49"), parameter(0xC1, user_data))


def transfer(number, value):
    """The activity of one value: (direction, TSDU) each; 0 is from the caller."""
    give, please = b"\x01\x00", b"\x02\x00"
    yield 0, give + parameter(0x2D, parameter(41, integer(number)))
    serial = 0
    for at in range(0, len(value), SEGMENT):
        serial += 1
        point = parameter(42, str(serial).encode())
        last = at + SEGMENT >= len(value)
        yield 0, give + b"\x01\x00" + data_value(3, tlv(4, value[at:at + SEGMENT]))
        yield 0, give + parameter(0x29 if last else 0x31, point)
        yield 1, please + parameter(0x2A if last else 0x32, point)


def transport(tsdu):
    for at in range(0, len(tsdu), 2000):
        part = tsdu[at:at + 2000]
        yield tpkt(b"\x02\xf0" + (b"\x80" if at + 2000 >= len(tsdu) else b"\0") + part)


def tpkt(tpdu):
    return b"\x03\x00" + struct.pack(">H", len(tpdu) + 4) + tpdu


def capture(values, path):
    """Writes the pcap file."""
    out = Capture()
    connection = out.connect()
    out.said(connection, True, tpkt(bytes.fromhex("09e00000000100c0010b")))
    out.said(connection, False, tpkt(bytes.fromhex("09d00001000200c0010b")))
    exchanges = [(0, connect()), (1, accept())]
    for number, value in enumerate(values, 1):
        exchanges += transfer(number, value)
    for direction, tsdu in exchanges:
        for one in transport(tsdu):
            out.said(connection, direction == 0, one)
    out.write(path)
