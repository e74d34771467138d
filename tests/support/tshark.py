# SPDX-License-Identifier: MIT
"""What Wireshark's decoders say about a conversation: a Capture takes what both sides of TCP connections say and writes a pcap file; a Tap stands
between two of them and captures what passes. tshark decodes it from TPKT upwards: fields(), malformed(). Wireshark's names: ses.type, ses.serial_number,
rtse.checkpointSize, p1.MTS_APDU … It calls AI and AIA abort, AE and AEA major sync."""

import shutil
import socket
import struct
import subprocess
import threading

PORT = 102
_CALLER, _CALLED = b"\x0a\x00\x00\x01", b"\x0a\x00\x00\x02"
_FIN, _SYN, _PSH, _ACK = 0x01, 0x02, 0x08, 0x10
_RAW_IP = 101            # the pcap file's link type: packets begin with their IP header
_SEGMENT = 1400          # octets of a TCP segment
# Content of type unidentified(0) is nobody's business but the two users', and so tshark says:
_OPAQUE = "P1 Unknown Content (unknown built-in content-type)"
_WARNING = 0x600000      # the least of Wireshark's severities that counts


def available():
    return shutil.which("tshark") is not None


class _Connection:
    def __init__(self, number):
        self.ports = (40000 + number, PORT)
        self.next = [1, 1]       # sequence numbers of caller and called
        self.closed = False


class Capture:
    """Connections and what was said in them, in order. Safe to use from several threads."""

    def __init__(self):
        self._lock = threading.Lock()
        self._packets = []
        self._connections = []

    def connect(self):
        """A connection of its own; what it returns names it in the calls below."""
        with self._lock:
            connection = _Connection(len(self._connections))
            self._connections.append(connection)
            connection.next = [0, 0]
            self._add(connection, 0, _SYN, b"")
            self._add(connection, 1, _SYN | _ACK, b"")
            connection.next = [1, 1]
            self._add(connection, 0, _ACK, b"")
            return connection

    def said(self, connection, by_caller, data):
        with self._lock:
            for i in range(0, len(data), _SEGMENT):
                self._add(connection, 0 if by_caller else 1, _PSH | _ACK, data[i:i + _SEGMENT])

    def close(self, connection, by_caller=True):
        with self._lock:
            if not connection.closed:
                connection.closed = True
                self._add(connection, 0 if by_caller else 1, _FIN | _ACK, b"")

    def _add(self, connection, side, flags, payload):
        source, target = (_CALLER, _CALLED) if side == 0 else (_CALLED, _CALLER)
        acknowledged = connection.next[1 - side] if flags & _ACK else 0
        if flags == _SYN | _ACK:
            acknowledged = 1
        tcp = struct.pack("!HHIIBBHHH", connection.ports[side], connection.ports[1 - side], connection.next[side], acknowledged, 5 << 4, flags, 65535, 0, 0)
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp) + len(payload), len(self._packets) & 0xFFFF, 0, 64, 6, 0, source, target)
        connection.next[side] += len(payload)
        self._packets.append(ip + tcp + payload)

    def write(self, path):
        with self._lock, open(path, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, _RAW_IP))
            for number, packet in enumerate(self._packets):
                seconds, thousandths = divmod(number, 1000)
                file.write(struct.pack("<IIII", seconds, thousandths * 1000, len(packet), len(packet)) + packet)


class Tap:
    """Listens on a port of its own (`port`) of 127.0.0.1, hands on to `target` (host, port), and captures both directions."""

    def __init__(self, target, capture=None):
        self.capture = capture or Capture()
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open = set()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._target)
            except OSError:
                near.close()
                continue
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open |= {near, far}
            connection = self.capture.connect()
            for source, sink, by_caller in ((near, far, True), (far, near, False)):
                threading.Thread(target=self._carry, args=(connection, source, sink, by_caller), daemon=True).start()

    def _carry(self, connection, source, sink, by_caller):
        try:
            while data := source.recv(65536):
                self.capture.said(connection, by_caller, data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            # One end is gone: the other must not wait for it.
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.capture.close(connection, by_caller)

    def close(self):
        self._listener.close()
        for end in self._open:
            end.close()


def _tshark(path, *arguments):
    command = ["tshark", "-r", str(path), "-d", f"tcp.port=={PORT},tpkt", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout


def fields(path, *names, where=""):
    """A tuple for each packet that has one of the fields: for each name a list of its values in the packet, as tshark prints them."""
    arguments = ["-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=|"]
    for name in names:
        arguments += ["-e", name]
    if where:
        arguments += ["-Y", where]
    rows = [line.split("\t") for line in _tshark(path, *arguments).splitlines()]
    return [tuple(value.split("|") if value else [] for value in row) for row in rows if any(row)]   # a packet without a field has an empty list


def values(path, name, where=""):
    """All values of one field, in order."""
    return [value for row in fields(path, name, where=where) for value in row[0]]


def malformed(path):
    """What the decoders complain about: malformed packets, warnings and errors, a line each. Empty for a sound conversation."""
    rows = fields(path, "frame.number", "_ws.malformed", "_ws.expert.message", where=f"_ws.malformed || _ws.expert.severity >= {_WARNING:#x}")
    found = []
    for number, broken, messages in rows:
        messages = [message for message in messages if message != _OPAQUE]
        if broken or messages:
            found.append(f"packet {number[0]}: {'; '.join(messages) or 'malformed'}")
    return found
