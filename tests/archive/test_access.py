"""Tokens, keys and certificates: read from files that only their owner can read, and shown to nobody."""

import socket
import sys
from pathlib import Path

import pytest

from privgan.archive.access import Access, read_token, require_known, require_library
from privgan.archive.destination import parse_destination
from privgan.archive.stopping import UnfinishedError
from privgan.errors import UsageError
from tests.archive.proxy import make_authority

INVENTED = "invented.token-1234"
REMOTE, LOCAL, SAFE = "http://pacs.example/", "http://127.0.0.1/", "https://pacs.example/"
PEER = "ARCHIVE@pacs.example:104"


def secret(path: Path, content: str = INVENTED, mode: int = 0o600) -> Path:
    path.write_text(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("content", "header"),
    [
        (f"{INVENTED}\n", f"Bearer {INVENTED}"),
        (f"Bearer {INVENTED}", f"Bearer {INVENTED}"),
        ("Basic YTpi", "Basic YTpi"),
    ],
)
def test_a_token_is_one_line_of_its_file(tmp_path: Path, content: str, header: str) -> None:
    assert read_token(secret(tmp_path / "token", content)) == header
    assert INVENTED not in repr(Access(token=header))


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o666, 0o644, 0o601])
def test_a_token_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(UsageError, match="chmod 600"):
        read_token(secret(tmp_path / "token", mode=mode))


@pytest.mark.parametrize("content", ["", "\n", "two\nlines", "Digest abc", "a b c", "tök", "x\0y", "a" * (1 << 17)])
def test_what_is_no_token_is_refused_and_not_repeated(tmp_path: Path, content: str) -> None:
    with pytest.raises(UsageError) as refusal:
        read_token(secret(tmp_path / "token", content))
    assert not content.strip() or content not in str(refusal.value)


def test_a_token_behind_a_link_or_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(secret(tmp_path / "token"))
    for name in ("link", "missing"):
        with pytest.raises(UsageError):
            read_token(tmp_path / name)


def test_what_does_not_fit_the_destination_is_refused(tmp_path: Path) -> None:
    """Every combination that would do nothing, or less than it seems to."""
    token, ca = Access(token=f"Bearer {INVENTED}"), Access(ca=tmp_path)
    tls, calling = Access(tls=True), Access(calling="US")
    refused = [(token, REMOTE), (token, PEER), (ca, LOCAL), (ca, PEER), (tls, SAFE), (calling, LOCAL)]
    for access, text in refused:
        with pytest.raises(UsageError):
            access.require_fitting(parse_destination(text))
    fitting = [(token, LOCAL), (token, SAFE), (ca, SAFE), (tls, PEER), (calling, PEER), (Access(), REMOTE)]
    for access, text in [*fitting, (Access(ca=tmp_path, tls=True), PEER)]:
        access.require_fitting(parse_destination(text))


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_timeout_is_a_time(seconds: float) -> None:
    with pytest.raises(UsageError):
        Access(timeout_s=seconds)


def test_certificates_and_keys_are_read_before_anything_is_sent(tmp_path: Path) -> None:
    own = make_authority(tmp_path)
    Access(ca=own.ca, certificate=own.client, key=own.client_key).tls_context()
    broken = secret(tmp_path / "broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for access in (
        Access(ca=tmp_path / "missing"),
        Access(ca=broken),
        Access(certificate=own.client, key=broken),
        Access(certificate=own.client, key=tmp_path / "missing"),
    ):
        with pytest.raises(UsageError):
            access.tls_context()
    own.client_key.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        Access(certificate=own.client, key=own.client_key).tls_context()
    with pytest.raises(UsageError, match="together"):
        Access(certificate=own.client)


def test_a_missing_library_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynetdicom", None)
    with pytest.raises(UsageError, match=r"pip install 'privgan\[archive\]'"):
        require_library("pynetdicom")


def test_an_unknown_host_is_a_mistake_and_a_silent_name_service_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(number: int) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise socket.gaierror(number, "pacs.example")

        monkeypatch.setattr(socket, "getaddrinfo", refuse)

    failing(socket.EAI_NONAME)
    with pytest.raises(UsageError, match="Check its name"):
        require_known(parse_destination(SAFE))
    failing(socket.EAI_AGAIN)
    with pytest.raises(UnfinishedError):
        require_known(parse_destination(PEER))
    monkeypatch.undo()
    with pytest.raises(UsageError):
        require_known(parse_destination(f"X@{'a' * 70}.example:104"))
