"""What counts as an archive's address, and what is never repeated."""

import pytest

from privgan.archive.destination import Peer, WebService, parse_destination
from privgan.errors import UsageError


@pytest.mark.parametrize(
    ("text", "title", "host", "port"),
    [
        ("ORTHANC@pacs.example:4242", "ORTHANC", "pacs.example", 4242),
        ("OUR PACS 1@10.0.0.7:104", "OUR PACS 1", "10.0.0.7", 104),
        ("A@B@localhost:1", "A@B", "localhost", 1),
        ("X@[::1]:65535", "X", "::1", 65535),
        ("X@[fe80::2:1]:11112", "X", "fe80::2:1", 11112),
    ],
)
def test_peers(text: str, title: str, host: str, port: int) -> None:
    peer = parse_destination(text)
    assert isinstance(peer, Peer)
    assert (peer.title, peer.host, peer.port) == (title, host, port)
    assert str(peer) == text


@pytest.mark.parametrize(
    ("text", "url", "port", "sheltered"),
    [
        ("https://pacs.example/dicom-web/", "https://pacs.example/dicom-web", 443, True),
        ("http://pacs.example:8042/dicom-web", "http://pacs.example:8042/dicom-web", 8042, False),
        ("http://localhost/", "http://localhost", 80, True),
        ("http://[::1]:8042/x", "http://[::1]:8042/x", 8042, True),
        ("http://127.9.9.9/x", "http://127.9.9.9/x", 80, True),
        ("http://127.0.0.1.example/x", "http://127.0.0.1.example/x", 80, False),
        ("http://localhost.example", "http://localhost.example", 80, False),
    ],
)
def test_services(text: str, url: str, port: int, sheltered: bool) -> None:
    service = parse_destination(text)
    assert isinstance(service, WebService)
    assert (service.url, service.port, service.sheltered) == (url, port, sheltered)


INVENTED = "hunter2"


@pytest.mark.parametrize(
    "text",
    [
        f"https://jane:{INVENTED}@pacs.example/dicom-web",
        f"https://{INVENTED}@pacs.example/",
        f"https://pacs.example/?token={INVENTED}",
        f"https://pacs.example/#{INVENTED}",
        f"ftp://pacs.example/{INVENTED}",
        f"https:///{INVENTED}",
        f"https://[::1/{INVENTED}",
        f"https://pacs.example:99999/{INVENTED}",
        f"https://pacs.example:0/{INVENTED}",
        f"https://pacs.example/a b{INVENTED}",
        f"https://pacs.example/\r\nX: {INVENTED}",
        f"https://pa cs/{INVENTED}",
        INVENTED,
        f"{INVENTED}@host",
        f"{INVENTED}@host:0",
        f"{INVENTED}@host:65536",
        f"{INVENTED}@host:12x",
        f"{INVENTED}@::1:104",
        f"{INVENTED}@[::z]:104",
        f"{INVENTED}@-host:104",
        f"{INVENTED}\\@host:104",
        f"{INVENTED}\n@host:104",
        f"{INVENTED}-{INVENTED}-{INVENTED}@host:104",
        "@host:104",
        "   @host:104",
    ],
)
def test_anything_else_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_destination(text)
    assert INVENTED not in str(refusal.value)
