# SPDX-License-Identifier: MIT
"""Thin lines: two network namespaces with a slow, far line between them, on which real TCP runs (IpLine), and a slow stream in front of a
TCP server, as a modem in data mode is one (StreamLine). Rates are those of a serial line: ten bits a byte. Both count what passes, and can be cut.
IpLine needs root and /dev/net/tun."""

import contextlib
import ctypes
import fcntl
import heapq
import os
import selectors
import socket
import struct
import subprocess
import threading
import time
import uuid

BITS_PER_BYTE = 10
NEAR, FAR = "10.77.0.1", "10.77.0.2"

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 1, 0x1000
_SYN, _ACK = 0x02, 0x10


class _Direction:
    """One way of the line. `rate` in bit/s (0: no limit), `delay` in seconds."""

    def __init__(self, rate, delay):
        self.rate, self.delay = rate, delay
        self.free_at = 0.0
        self.count_from_here()

    def count_from_here(self):
        self.bytes = 0
        self._opened = set()

    def opened(self, connection):
        """Noted once, however often its SYN comes."""
        self._opened.add(connection)

    @property
    def connections(self):
        return len(self._opened)

    def due(self, size, now):
        """When so many bytes that came now are through; they wait for those before them."""
        begin = max(now, self.free_at)
        self.free_at = begin + (size * BITS_PER_BYTE / self.rate if self.rate else 0)
        return self.free_at + self.delay


class IpLine:
    """`near` and `far` are namespaces, 10.77.0.1 and 10.77.0.2; enter one with inside(). What waits for the line waits in one long queue."""

    def __init__(self, rate, rtt, mtu=1500):
        number = uuid.uuid4().hex[:8]
        self.near, self.far = f"ll-near-{number}", f"ll-far-{number}"
        self.up, self.down = _Direction(rate, rtt / 2), _Direction(rate, rtt / 2)
        self._cut = False
        self._tuns = []
        for name, address in ((self.near, NEAR), (self.far, FAR)):
            subprocess.run(["ip", "netns", "add", name], check=True)
            with self.inside(name):
                self._tuns.append(self._tun())
            # Debian's default, whatever this host has.
            for words in ("link set lo up", f"addr add {address}/24 dev line0 noprefixroute", f"link set line0 mtu {mtu} up",
                          f"route add 10.77.0.0/24 dev line0 src {address} congctl cubic"):
                subprocess.run(["ip", "-n", name, *words.split()], check=True)
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._relay, daemon=True)
        self._thread.start()

    @staticmethod
    def _tun():
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH22x", b"line0", _IFF_TUN | _IFF_NO_PI))
        return fd

    @contextlib.contextmanager
    def inside(self, name):
        """What this thread starts meanwhile runs in the namespace."""
        outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{name}", os.O_RDONLY)
        try:
            self._enter(there)
            yield
        finally:
            self._enter(outside)
            os.close(there)
            os.close(outside)

    @staticmethod
    def _enter(fd):
        if _libc.setns(fd, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    def count_from_here(self):
        for way in (self.up, self.down):
            way.count_from_here()

    def settle(self):
        """Returns when nothing is under way any more: what one connection said last is not to be paid by the next."""
        quiet = max(3 * (self.up.delay + self.down.delay), 0.2)
        while time.monotonic() < max(self.up.free_at, self.down.free_at) + quiet:
            time.sleep(0.05)

    def cut(self):
        """Nothing passes any more, and both ends' connections are reset, as when an interface goes."""
        self._cut = True
        for name in (self.near, self.far):
            subprocess.run(["ip", "netns", "exec", name, "ss", "-K", "-t", "dst", "10.77.0.0/24"], check=True, stdout=subprocess.DEVNULL)

    def mend(self):
        self._cut = False

    def _relay(self):
        waiting, number = [], 0
        ways = {self._tuns[0]: (self.up, self._tuns[1]), self._tuns[1]: (self.down, self._tuns[0])}
        with selectors.DefaultSelector() as selector:
            for fd in (*self._tuns, self._stop_read):
                selector.register(fd, selectors.EVENT_READ)
            while True:
                now = time.monotonic()
                while waiting and waiting[0][0] <= now:
                    _, _, out, packet = heapq.heappop(waiting)
                    with contextlib.suppress(OSError):
                        if not self._cut:
                            os.write(out, packet)
                timeout = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
                for key, _ in selector.select(timeout):
                    if key.fd == self._stop_read:
                        return
                    way, out = ways[key.fd]
                    with contextlib.suppress(BlockingIOError):
                        while True:
                            packet = os.read(key.fd, 65536)
                            if packet[0] >> 4 != 4 or self._cut:
                                continue
                            way.bytes += len(packet)
                            tcp = packet[(packet[0] & 15) * 4:] if packet[9] == socket.IPPROTO_TCP else b""
                            if tcp and tcp[13] & (_SYN | _ACK) == _SYN:
                                way.opened(tcp[:8])  # ports and sequence number
                            number += 1
                            heapq.heappush(waiting, (way.due(len(packet), time.monotonic()), number, out, packet))

    def close(self):
        os.write(self._stop_write, b"x")
        self._thread.join()
        for fd in (*self._tuns, self._stop_read, self._stop_write):
            os.close(fd)
        for name in (self.near, self.far):
            subprocess.run(["ip", "netns", "del", name], check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class StreamLine:
    """A Unix socket at `path`; what comes there goes to host:port as over a modem: slowly, and no faster than it leaves. One connection at a time."""

    PIECE = 0.02  # seconds of the line that are taken at a time

    def __init__(self, path, host, port, rate, rtt, drop_up=None, drop_down=None):
        self.path, self.target = str(path), (host, port)
        self.up, self.down = _Direction(rate, rtt / 2), _Direction(rate, rtt / 2)
        self.drop = {"up": drop_up, "down": drop_down}   # bytes of a connection after which it is cut, once
        self._current = ()
        self._closing = False
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.path)
        self._listener.listen(1)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self.target)
            except OSError:
                near.close()
                continue
            far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # As little as a modem and its driver hold.
            near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            self.up.opened(object())
            self._current = (near, far)
            ways = [threading.Thread(target=self._carry, args=one) for one in ((near, far, self.up, "up"), (far, near, self.down, "down"))]
            for way in ways:
                way.start()
            for way in ways:
                way.join()
            self._current = ()
            near.close()
            far.close()

    def _carry(self, source, sink, way, name):
        queue, total, ready = [], 0, threading.Condition()

        def deliver():
            while True:
                with ready:
                    ready.wait_for(lambda: queue)
                    due, data = queue.pop(0)
                time.sleep(max(0.0, due - time.monotonic()))
                try:
                    if not data:
                        return sink.shutdown(socket.SHUT_WR)
                    sink.sendall(data)
                except OSError:
                    return None

        deliverer = threading.Thread(target=deliver, daemon=True)
        deliverer.start()
        most = max(1, int(way.rate / BITS_PER_BYTE * self.PIECE)) if way.rate else 65536
        data = b"x"
        while data:
            limit = self.drop[name]
            try:
                data = source.recv(most if limit is None else max(1, min(most, limit - total)))
            except OSError:
                data = b""
            total += len(data)
            way.bytes += len(data)
            due = way.due(len(data), time.monotonic())
            with ready:
                queue.append((due, data))
                ready.notify()
            if limit is not None and total >= limit:
                self.drop[name] = None
                time.sleep(max(0.0, due - time.monotonic()))
                self.cut()
                break
            time.sleep(max(0.0, way.free_at - time.monotonic()))
        deliverer.join()

    def cut(self):
        for end in self._current:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def settle(self):
        """As IpLine's; here each connection begins on an idle line."""

    def count_from_here(self):
        for way in (self.up, self.down):
            way.count_from_here()

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self._thread.join()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
