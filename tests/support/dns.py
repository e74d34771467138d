# SPDX-License-Identifier: MIT
"""A name server for tests: UDP and TCP on 127.0.0.1, answers from a table, and what went wrong on demand."""

import socket
import struct
import threading

A, MX, AAAA = 1, 15, 28
NO_DOMAIN, SERVER_FAILURE = 3, 2


def name(text):
    labels = [label.encode() for label in text.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


class NameServer:
    """`zone`: {name: {"mx": [(preference, host)], "a": [address]}}; a name that is not there does not exist. `additional`: hosts' addresses
    come with the MX answer. `failing`: names that get SERVFAIL. `silent`: nothing is answered. `queries`: (name, type) as asked."""

    def __init__(self, zone, additional=False, failing=(), silent=False, truncate=False):
        self.zone, self.additional, self.failing, self.silent, self.truncate = zone, additional, set(failing), silent, truncate
        self.queries = []
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.port = self.udp.getsockname()[1]
        self.tcp = socket.socket()
        self.tcp.bind(("127.0.0.1", self.port))
        self.tcp.listen()
        self._threads = [threading.Thread(target=self._serve_udp, daemon=True), threading.Thread(target=self._serve_tcp, daemon=True)]
        for thread in self._threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for one in (self.udp, self.tcp):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def _serve_udp(self):
        while True:
            try:
                query, client = self.udp.recvfrom(4096)
            except OSError:
                return
            if len(query) < 12:   # shut down
                return
            answer = self._answer(query, self.truncate)
            if answer:
                self.udp.sendto(answer, client)

    def _serve_tcp(self):
        while True:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                size = connection.recv(2)
                if len(size) == 2:
                    answer = self._answer(connection.recv(struct.unpack("!H", size)[0]), False)
                    connection.sendall(struct.pack("!H", len(answer)) + answer)

    def _answer(self, query, truncate):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        domain = ".".join(labels).lower()
        kind = struct.unpack("!H", query[at + 1:at + 3])[0]
        question = query[12:at + 5]
        self.queries.append((domain, kind))
        if self.silent:
            return None
        records, more, code = [], [], 0
        entry = self.zone.get(domain)
        if domain in self.failing:
            code = SERVER_FAILURE
        elif entry is None:
            code = NO_DOMAIN
        elif kind == MX:
            for preference, host in entry.get("mx", []):
                records.append((domain, MX, struct.pack("!H", preference) + name(host)))
                if self.additional:
                    more += [(host, A, socket.inet_aton(a)) for a in self.zone.get(host, {}).get("a", [])]
        elif kind == A:
            records += [(domain, A, socket.inet_aton(a)) for a in entry.get("a", [])]
        if truncate:
            records, more = [], []
        body = b"".join(name(owner) + struct.pack("!HHIH", its, 1, 60, len(data)) + data for owner, its, data in records + more)
        flags = 0x8180 | code | (0x0200 if truncate else 0)
        return query[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, len(more)) + question + body
