# SPDX-License-Identifier: MIT
"""SMTP peers with TLS and AUTH, and the certificates they show; made with openssl(1), used by Python's ssl."""

import base64
import hashlib
import hmac
import socket
import ssl
import subprocess
import tempfile
from pathlib import Path

from support.mail import PATIENCE, Peer

NAME = "mail.far.example"

CA = """
[ca]
default_ca = us
[us]
database = {folder}/index
serial = {folder}/serial
new_certs_dir = {folder}
private_key = {folder}/{issuer}.key
certificate = {folder}/{issuer}.pem
default_md = sha256
policy = any
copy_extensions = copy
email_in_dn = no
unique_subject = no
[any]
commonName = supplied
[ca_extensions]
basicConstraints = critical,CA:TRUE
"""


class Certificates:
    """An authority, another one that nobody trusts, and what they signed: good, expired, early, other (for another name); and self (self-signed)."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="longline-tls-")
        self.folder = Path(self._folder.name)
        (self.folder / "index").write_text("")
        (self.folder / "serial").write_text("01\n")
        for authority in ("ca", "stranger"):
            self._self_signed(authority, f"Longline test {authority}", "basicConstraints=critical,CA:TRUE")
        self._self_signed("self", NAME, f"subjectAltName=DNS:{NAME}")
        self._signed("good", "ca", NAME)
        self._signed("expired", "ca", NAME, "20200101000000Z", "20210101000000Z")
        self._signed("early", "ca", NAME, "20990101000000Z", "20991231000000Z")
        self._signed("other", "ca", "mail.other.example")
        self._signed("untrusted", "stranger", NAME)
        self._signed("client", "ca", "site7.example")
        self.ca = self.folder / "ca.pem"

    def close(self):
        self._folder.cleanup()

    def _openssl(self, *arguments):
        done = subprocess.run(["openssl", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
        if done.returncode != 0:
            raise AssertionError(f"openssl {arguments}: {done.stderr.decode()}")

    def _self_signed(self, name, subject, extension):
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650", "-subj", f"/CN={subject}",
                      "-addext", extension, "-keyout", self.key(name), "-out", self.certificate(name))

    def _signed(self, name, issuer, host, start="20200101000000Z", end="20980101000000Z"):
        configuration = self.folder / f"{issuer}.cnf"
        configuration.write_text(CA.format(folder=self.folder, issuer=issuer))
        request = self.folder / f"{name}.csr"
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={host}", "-addext",
                      f"subjectAltName=DNS:{host}", "-keyout", self.key(name), "-out", request)
        self._openssl("ca", "-batch", "-notext", "-config", configuration, "-startdate", start, "-enddate", end, "-in", request, "-out",
                      self.certificate(name))

    def key(self, name):
        return self.folder / f"{name}.key"

    def certificate(self, name):
        return self.folder / f"{name}.pem"

    def server(self, name, oldest=ssl.TLSVersion.TLSv1_2, newest=ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate(name), self.key(name))
        context.minimum_version, context.maximum_version = oldest, newest
        return context


class Channel:
    """A connection under which TLS can be put."""

    def __init__(self, connection):
        self.socket = connection

    def __getattr__(self, name):
        return getattr(self.socket, name)


class SecurePeer(Peer):
    """`tls`: an SSLContext. `implicit`: TLS from the first byte. `users`: name -> password, for the `mechanisms`, which need TLS unless
    `clear_auth`. `instead_of_handshake`: sent behind the 220 to STARTTLS, then it hangs up (None: a handshake). `behind_starttls`: sent with the 220."""

    def __init__(self, tls, implicit=False, users=None, mechanisms=("PLAIN",), clear_auth=False, instead_of_handshake=None, behind_starttls=b"",
                 name="peer", **behaviour):
        self.context, self.implicit = tls, implicit
        self.users, self.mechanisms, self.clear_auth = users or {}, mechanisms, clear_auth
        self.instead_of_handshake, self.behind_starttls = instead_of_handshake, behind_starttls
        self.name = name
        self.handshakes = []      # (version, resumed) of each
        self.client_names = []    # of the certificates that clients showed
        self.logins = []          # (mechanism, user) that were good
        self.failures = []
        super().__init__(**behaviour)

    def _session(self, connection):
        channel = Channel(connection)
        self._channel, self._secure, self._user = channel, False, None
        try:
            if self.implicit:
                self._handshake()
            super()._session(channel)
        except ssl.SSLError as error:
            self.failures.append(str(error))
        finally:
            channel.socket.close()

    def _handshake(self):
        wrapped = self.context.wrap_socket(self._channel.socket, server_side=True)
        self._channel.socket = wrapped
        self._secure = True
        self.handshakes.append((wrapped.version(), wrapped.session_reused))
        shown = wrapped.getpeercert()
        if shown:
            self.client_names.append(dict(x[0] for x in shown["subject"])["commonName"])

    def _reply_to(self, line):
        special = super()._reply_to(line)
        if special is not None:
            return special
        verb = line.split(" ")[0].upper()
        if verb == "EHLO":
            names = [self.name] + ["PIPELINING"] * self.pipelining + ["CHUNKING"] * self.chunking + ["8BITMIME", "ENHANCEDSTATUSCODES"]
            names += self.extensions + ["STARTTLS"] * (self.context is not None and not self._secure)
            names += ["AUTH " + " ".join(self.mechanisms)] * bool(self.users and (self._secure or self.clear_auth))
            return "\r\n".join(f"250{'-' if n != names[-1] else ' '}{n}" for n in names)
        if verb == "STARTTLS":
            self._send(self._channel, b"220 2.0.0 ready\r\n" + self.behind_starttls)
            if self.behind_starttls:
                self._channel.recv(1000)   # until the client hangs up
                raise EOFError
            if self.instead_of_handshake is not None:
                self._channel.recv(1000)   # the client's greeting; before it, this would be an injection
                self._channel.sendall(self.instead_of_handshake)
                raise EOFError
            self._handshake()
            return self._line_after_handshake()
        if verb == "AUTH":
            return self._authenticate(*line.split(" ")[1:])
        if verb == "MAIL" and self.users and self._user is None:
            return "530 5.7.0 authentication required"
        return None

    def _line_after_handshake(self):
        line = self._line(self._channel).decode()
        self.commands.append(line)
        return self._reply_to(line)

    def _ask(self, challenge):
        self._send(self._channel, f"334 {challenge}")
        return base64.b64decode(self._line(self._channel))

    def _authenticate(self, mechanism, initial=None):
        if mechanism not in self.mechanisms:
            return "504 5.5.4 unknown mechanism"
        if mechanism == "PLAIN":
            answer = base64.b64decode(initial) if initial else self._ask("")
            _, user, password = answer.decode().split("\0")
            good = self.users.get(user) == password
        elif mechanism == "LOGIN":
            user = self._ask(base64.b64encode(b"Username:").decode()).decode()
            good = self.users.get(user) == self._ask(base64.b64encode(b"Password:").decode()).decode()
        else:
            challenge = b"<17.4711@far.example>"
            user, digest = self._ask(base64.b64encode(challenge).decode()).decode().rsplit(" ", 1)
            good = hmac.new(self.users.get(user, "").encode(), challenge, hashlib.md5).hexdigest() == digest
        if not good:
            return f"535 5.7.8 not you: {self.commands[-1]}"
        self._user = user
        self.logins.append((mechanism, user))
        return "235 2.7.0 welcome"


class OldPeer(Peer):
    """Announces PIPELINING, and hangs up on whoever believes it (OpenSMTPD does so, but does not announce it)."""

    def _line(self, connection):
        line = super()._line(connection)
        if self._buffer and line[:4].upper() in (b"MAIL", b"RSET"):
            self._send(connection, "500 5.5.1 Invalid command: Pipelining not supported")
            raise EOFError
        return line


def closed_port():
    """A port of this host that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
