"""How an archive is approached: who we say we are, whom we trust, how long we wait.

A token comes from a file that only its owner can read, never from the command line, and appears in no message. No
proxy, no `.netrc` and no certificate store named by the environment is used: what is sent where is what was typed.
"""

import importlib
import logging
import os
import re
import socket
import ssl
import stat
from dataclasses import dataclass, field
from pathlib import Path

from privgan.archive.destination import Peer, WebService, checked_title
from privgan.archive.stopping import UnfinishedError
from privgan.errors import IntegrityError, UsageError
from privgan.files import open_regular

_OTHERS = 0o077
_SECRET_BYTES = 1 << 16
_TOKEN = re.compile(r"(?:(?:Bearer|Basic) )?[A-Za-z0-9._~+/=-]+")
_LONGEST_WAIT_S = 3600.0
_TALKATIVE = ("dicomweb_client", "pydicom", "pynetdicom", "requests", "urllib3")


@dataclass(frozen=True, kw_only=True)
class Access:
    """Everything but the destination.

    token: the value of the HTTP header Authorization, empty for none. ca: PEM certificates to trust instead of the
    usual ones. certificate, key: the client's own, PEM. tls: TLS for a `Peer`. calling: our AE title; empty where
    the user chose none. timeout_s: how long the archive may be silent.
    """

    token: str = field(default="", repr=False)
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    tls: bool = False
    calling: str = ""
    timeout_s: float = 30.0

    def __post_init__(self) -> None:
        if not 0 < self.timeout_s <= _LONGEST_WAIT_S:
            raise UsageError(f"Expected --timeout above 0 and at most {_LONGEST_WAIT_S:g} seconds.")
        if (self.certificate is None) != (self.key is None):
            raise UsageError("Expected --client-cert and --client-key together.")
        if self.calling:
            checked_title(self.calling)

    def require_fitting(self, destination: WebService | Peer) -> None:
        """Refuse what has no meaning, or no protection, with this destination.

        Raises:
            UsageError: an option of the other protocol; TLS material without TLS; a token that others could read.
        """
        if isinstance(destination, WebService):
            encrypted = destination.encrypted
            if self.tls or self.calling:
                raise UsageError("Expected --tls and --calling with TITLE@host:port only; DICOMweb says https://.")
            if self.token and not destination.sheltered:
                raise UsageError("Expected https:// with a token: over plain http everybody on the way could use it.")
        else:
            encrypted = self.tls
            if self.token:
                raise UsageError("Expected --token-file with a DICOMweb address only; DICOM knows AE titles and TLS.")
        if (self.ca or self.certificate) and not encrypted:
            raise UsageError("Expected --ca and --client-cert with https:// or --tls only.")

    def tls_context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer, the archive's certificate and name checked.

        Raises:
            UsageError: a certificate or key is missing, unreadable or not PEM, or others can read the key.
        """
        for path in filter(None, (self.ca, self.certificate)):
            if not path.is_file():
                raise UsageError(f"Expected a certificate file, {path} is missing.")
        if self.key:
            read_secret(self.key)
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate:
                context.load_cert_chain(self.certificate, self.key, password="")  # never ask on a terminal
        except (ssl.SSLError, ValueError):
            raise UsageError(
                "Expected certificates and an unencrypted key in PEM form, they cannot be read."
            ) from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def read_token(path: Path) -> str:
    """The value of the header Authorization from a file: a token, or `Basic ...` or `Bearer ...` as it stands.

    Raises:
        UsageError: missing, a link, readable by others, or not one line of a token.
    """
    text = read_secret(path).decode("ascii", "replace").strip()
    if not _TOKEN.fullmatch(text):
        raise UsageError(f"Expected one line with a token in {path.name}, or `Basic ...` or `Bearer ...`.")
    return text if " " in text else f"Bearer {text}"


def read_secret(path: Path) -> bytes:
    """The content of a small file that only its owner can read.

    Raises:
        UsageError: missing, a link, too large, or readable by others.
    """
    try:
        with open_regular(path) as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
            content: bytes = stream.read(_SECRET_BYTES + 1)
    except IntegrityError as error:
        raise UsageError(str(error)) from None
    if mode & _OTHERS:
        raise UsageError(
            f"Expected a file that only you can read, {path} has mode {mode:04o}. "
            "Run 'chmod 600' on it, and replace the secret if others may have read it."
        )
    if len(content) > _SECRET_BYTES:
        raise UsageError(f"Expected at most {_SECRET_BYTES} bytes in {path.name}.")
    return content


def require_library(name: str) -> None:
    """Load a library of the extra `archive` and silence it: at its usual level it logs addresses and data sets.

    Raises:
        UsageError: it is not installed.
    """
    try:
        importlib.import_module(name)
    except ImportError:
        raise UsageError(
            f"Talking to an archive needs {name.replace('_', '-')}. Run: pip install 'privgan[archive]'"
        ) from None
    for talkative in _TALKATIVE:
        logger = logging.getLogger(talkative)
        logger.setLevel(logging.CRITICAL + 1)
        logger.propagate = False


def require_known(destination: WebService | Peer) -> str:
    """The first number of the destination's host.

    Raises:
        UsageError: nobody knows the name.
        UnfinishedError: the name service does not answer.
    """
    try:
        found = socket.getaddrinfo(destination.host, destination.port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise UnfinishedError("The name service does not answer, so the archive's host is unknown.") from None
        raise UsageError("Nobody knows the archive's host. Check its name.") from None
    except UnicodeError:
        raise UsageError("Nobody knows the archive's host. Check its name.") from None
    return str(found[0][4][0])
