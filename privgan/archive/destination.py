"""Where an archive is: the address of a DICOMweb service, or the title, host and port of a DICOM application entity.

Whatever the user typed is checked here before a single packet leaves. Messages repeat no address, because people
type passwords into addresses.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from privgan.errors import UsageError

# PS3.5 6.2, VR AE: up to 16 characters of ISO 646 without backslash and control characters, not only spaces.
_TITLE = re.compile(r"[ -\[\]-~]{1,16}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?")
_PRINTED = re.compile(r"[!-~]{1,2048}")
_FORMS = "https://host/path of a DICOMweb service, or TITLE@host:port of a DICOM archive (IPv6 in brackets)"


@dataclass(frozen=True, kw_only=True)
class WebService:
    """A DICOMweb service. url: without credentials, query or a final slash. host: its name or number."""

    url: str
    host: str
    port: int

    def __str__(self) -> str:
        return self.url

    @property
    def encrypted(self) -> bool:
        """Whether TLS protects what goes over the wire."""
        return self.url.startswith("https://")

    @property
    def sheltered(self) -> bool:
        """Whether nobody on the way can read along: TLS, or it never leaves this machine."""
        return self.encrypted or is_loopback(self.host)


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A DICOM application entity that accepts associations. title: its AE title."""

    title: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.title}@{host}:{self.port}"


def parse_destination(text: str) -> WebService | Peer:
    """What a user means by a destination.

    >>> str(parse_destination("ORTHANC@[::1]:4242"))
    'ORTHANC@[::1]:4242'
    >>> parse_destination("https://pacs.example/dicom-web/").url
    'https://pacs.example/dicom-web'

    Raises:
        UsageError: it is neither form.
    """
    return parse_service(text) if "://" in text else _parse_peer(text)


def parse_service(text: str) -> WebService:
    """The DICOMweb service at an address.

    Raises:
        UsageError: not http or https, without a host, with credentials, a query or a fragment, or not an address.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
        host = parts.hostname or ""
    except ValueError:
        raise UsageError(f"Expected {_FORMS}; this address cannot be read.") from None
    if "@" in parts.netloc:
        raise UsageError(
            "Expected an address without a user name or password: a command line is seen by others. Use --token-file."
        )
    if parts.scheme not in ("http", "https") or not _PRINTED.fullmatch(text) or not _is_host(host) or port == 0:
        raise UsageError(f"Expected {_FORMS}; this is neither.")
    if parts.query or parts.fragment:
        raise UsageError("Expected the address of the service alone, without a query. Use --query.")
    url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    return WebService(url=url, host=host, port=port or (443 if parts.scheme == "https" else 80))


def _parse_peer(text: str) -> Peer:
    title, _, place = text.rpartition("@")
    host, _, port = place.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        host = ""  # an IPv6 number without brackets has no certain port
    number = int(port) if re.fullmatch("[0-9]{1,5}", port) else 0
    if not _is_host(host) or not 1 <= number <= 65535:
        raise UsageError(f"Expected {_FORMS}; this is neither.")
    return Peer(title=checked_title(title), host=host, port=number)


def checked_title(text: str) -> str:
    """An AE title as it may be sent.

    Raises:
        UsageError: empty, too long, or with characters that an AE title cannot have.
    """
    if not _TITLE.fullmatch(text) or not text.strip():
        raise UsageError("Expected an AE title of 1 to 16 printable ASCII characters without backslash.")
    return text.strip()


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its number or the name that is reserved for that (RFC 6761).

    >>> is_loopback("127.0.0.2"), is_loopback("localhost"), is_loopback("localhost.example")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_host(text: str) -> bool:
    if ":" not in text:
        return bool(_HOST.fullmatch(text))
    try:
        return bool(ipaddress.IPv6Address(text))
    except ValueError:
        return False
