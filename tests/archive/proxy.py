"""What lies between us and an archive: a wire that stalls, is cut, or is wrapped in TLS."""

import datetime
import ipaddress
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(kw_only=True)
class Wire:
    """A running proxy. most_bytes: how many it takes from clients before it stalls or is cut; None for all.

    stalled: set once that happened.
    """

    port: int = 0
    most_bytes: int | None = None
    cuts: bool = False
    taken: int = 0
    stalled: threading.Event = field(default_factory=threading.Event)
    ends: list[socket.socket] = field(default_factory=list)

    def mend(self) -> None:
        """Let everything through from now on."""
        self.most_bytes = None
        self.stalled.clear()


@contextmanager
def wire_to(port: int, context: ssl.SSLContext | None = None) -> Iterator[Wire]:
    """A proxy on loopback to a port of this machine; with a context it speaks TLS to clients."""
    wire = Wire()
    with socket.create_server(("127.0.0.1", 0)) as server:
        wire.port = server.getsockname()[1]
        threading.Thread(target=_accept, args=(server, port, wire, context), daemon=True).start()
        try:
            yield wire
        finally:
            for end in (server, *wire.ends):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)


def _accept(server: socket.socket, port: int, wire: Wire, context: ssl.SSLContext | None) -> None:
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_connect, args=(client, port, wire, context), daemon=True).start()


def _connect(client: socket.socket, port: int, wire: Wire, context: ssl.SSLContext | None) -> None:
    with suppress(OSError):
        client.settimeout(10)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = context.wrap_socket(client, server_side=True) if context else client
        archive = socket.create_connection(("127.0.0.1", port))
        archive.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.ends += [client, archive]
        _carry(client, archive, wire)


def _carry(client: socket.socket, archive: socket.socket, wire: Wire) -> None:
    """Both ways, in one thread, because two must not use one TLS connection."""
    with suppress(OSError, ValueError):
        while True:
            waiting = isinstance(client, ssl.SSLSocket) and client.pending()
            for end in [client] if waiting else select.select([client, archive], [], [])[0]:
                data = end.recv(1024)
                if end is client:
                    wire.taken += len(data)
                if wire.most_bytes is not None and wire.taken > wire.most_bytes:
                    wire.stalled.set()
                    if not wire.cuts:
                        return  # both ends stay open and hear nothing
                    data = b""
                if not data:
                    raise ConnectionError
                (archive if end is client else client).sendall(data)
    for end in (client, archive):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@dataclass(frozen=True, kw_only=True)
class Authority:
    """An invented certificate authority with certificates for 127.0.0.1 and for a client, as PEM files."""

    ca: Path
    server: Path
    client: Path
    client_key: Path

    def context(self, *, asks_clients: bool = False) -> ssl.SSLContext:
        """What a server uses; with `asks_clients` it talks only to those that this authority knows."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server)
        if asks_clients:
            context.load_verify_locations(self.ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def make_authority(folder: Path) -> Authority:
    """Invent one in an existing folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Invented authority")])
    root = _certificate(name, name, key.public_key(), key, is_authority=True)
    paths = {part: folder / f"{part}.pem" for part in ("ca", "server", "client")}
    paths["ca"].write_bytes(root)
    for part in ("server", "client"):
        own = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, part)])
        certificate = _certificate(subject, name, own.public_key(), key, is_authority=False)
        secret = own.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        paths[part].write_bytes(certificate + secret)
        paths[part].chmod(0o600)
    return Authority(**paths, client_key=paths["client"])


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool,
) -> bytes:
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(signer, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
