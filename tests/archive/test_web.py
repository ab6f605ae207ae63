"""What a web service may do to us, and what we tell of it."""

import logging
import time
from collections.abc import Callable

import pytest

from privgan.archive.access import Access
from privgan.archive.destination import parse_service
from privgan.archive.stopping import UnfinishedError
from privgan.archive.web import WebArchive, require_service
from privgan.errors import PrivganError, UsageError
from tests.archive.stub import Asked, Said, Stub, answering

PATIENT = "4711-JANE"


def archive_at(stub: Stub, **access: object) -> WebArchive:
    return WebArchive(parse_service(stub.url), Access(**access))  # type: ignore[arg-type]


def asked(answer: Callable[[Asked], Said] | Said, most_bytes: int = 1000, **access: object) -> bytes:
    """The body of one answer to one question about a patient."""
    with answering(answer if callable(answer) else lambda _: answer) as stub:
        found = archive_at(stub, **access).get(f"{stub.url}/studies", "*/*", most_bytes, {"PatientID": PATIENT})
        require_service(found)
        assert not found.oversized
        return found.body


@pytest.mark.parametrize(
    ("status", "code"),
    [
        *((status, 2) for status in (301, 302, 307, 308, 400, 401, 403, 404, 405, 501)),
        *((status, 75) for status in (408, 429, 500, 502, 503, 504)),
    ],
)
def test_every_refusal_has_its_code_and_names_nothing(status: int, code: int) -> None:
    with pytest.raises(PrivganError) as refusal:
        asked(Said(status=status, headers={"Location": f"http://127.0.0.1/{PATIENT}"}))
    assert refusal.value.exit_code == code
    assert PATIENT not in str(refusal.value)
    assert "127.0.0.1" not in str(refusal.value)


def test_a_token_never_goes_to_another_place() -> None:
    """A redirect is not followed, not even to the same host."""
    with answering(lambda _: Said(body=b"[]")) as other:
        for place in (f"{other.url}/studies", "/elsewhere"):
            seen: list[Asked] = []

            def redirect(request: Asked, place: str = place, seen: list[Asked] = seen) -> Said:
                seen.append(request)
                return Said(status=307, headers={"Location": place})

            with pytest.raises(UsageError, match="elsewhere"):
                asked(redirect, token="Bearer invented")  # noqa: S106
            assert [request.headers["Authorization"] for request in seen] == ["Bearer invented"]
        assert other.asked == []


def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """No proxy, no password from a .netrc, no other authorities."""
    with answering(lambda _: Said(status=500)) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        netrc = f"{tmp_path}/netrc"
        with open(netrc, "w") as stream:  # noqa: PTH123
            stream.write("machine 127.0.0.1 login jane password invented\n")
        monkeypatch.setenv("NETRC", netrc)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
        seen: list[Asked] = []
        assert asked(lambda request: (seen.append(request), Said(body=b"[]"))[1]) == b"[]"
        assert proxy.asked == []
        assert "Authorization" not in seen[0].headers


def test_an_answer_is_bounded_in_size_and_time() -> None:
    with answering(lambda _: Said(body=b"x" * 1001)) as stub:
        found = archive_at(stub).get(stub.url, "*/*", 1000)
        assert (found.oversized, found.body) == (True, b"")
        assert archive_at(stub).get(stub.url, "*/*", 1001).body == b"x" * 1001
    with pytest.raises(UsageError, match="compressed"):
        asked(Said(body=b"x", headers={"Content-Encoding": "gzip"}))
    with pytest.raises(UnfinishedError):
        asked(Said(body=b"x", headers={"Content-Length": "9"}), timeout_s=0.2)


def test_a_dripping_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, all of them would not: the clock is for the whole."""
    monkeypatch.setattr("privgan.archive.web._SLOWEST_BYTES_PER_S", 1e9)
    monkeypatch.setattr("privgan.archive.web._CHUNK_BYTES", 1)
    now = iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(now)))
    with pytest.raises(UnfinishedError, match="slowly"):
        asked(Said(body=b"x" * 100), timeout_s=30)


def test_nobody_there_and_nobody_answering() -> None:
    with answering(lambda _: Said()) as stub:
        gone = archive_at(stub)
    with pytest.raises(UnfinishedError, match="failed or was lost"):
        gone.get(stub.url, "*/*", 10)

    def slow(_: Asked) -> Said:
        time.sleep(0.4)
        return Said()

    with pytest.raises(UnfinishedError, match=r"within 0\.1 s"):
        asked(slow, timeout_s=0.1)


def test_libraries_that_log_addresses_are_silent(caplog: pytest.LogCaptureFixture) -> None:
    """Also when somebody turned everything on."""
    with caplog.at_level(logging.DEBUG):
        asked(Said(body=b"[]", headers={"Warning": PATIENT}))
    assert PATIENT not in caplog.text


@pytest.mark.parametrize("uid", ["../../x", "1.2/../3", "1.2?x=1", "1" * 65, "1..2", "a"])
def test_an_address_is_made_of_identifiers_only(uid: str) -> None:
    with answering(lambda _: Said()) as stub, pytest.raises(ValueError, match="UID"):
        archive_at(stub).address("1.2", "1.3", uid)
