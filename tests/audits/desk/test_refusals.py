"""What the desk refuses, over HTTP: strangers, forms from elsewhere, and whatever `approve` and `reject` refuse."""

import http.client
import json
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from privgan_audits.release.approval import APPROVAL
from tests.audits.desk.client import OTHERS, PASSPHRASE, OpenDesk, Visitor, make_desk_gate, open_desk, today, words
from tests.audits.releasing import Gate
from tests.cli.conftest import command, environment


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return make_desk_gate(tmp_path_factory.mktemp("desk"), locked=True)


@pytest.fixture(scope="module")
def desk(gate: Gate) -> Iterator[OpenDesk]:
    """One desk, whose visitor is in and has ticked and spoken: what is left is the signature."""
    with open_desk(gate) as opened:
        opened.visitor.enter(opened.address)
        opened.visitor.look("pairs")
        opened.visitor.send("pairs", pair=OTHERS[:1], looked="yes")
        assert opened.visitor.send("words", **words()).step == "sign"
        yield opened
        assert not (gate.root / "report" / APPROVAL).exists(), "nothing of all that was signed"


def raw(
    desk: OpenDesk, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, str]:
    """A request as no library would send it: only these headers."""
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(desk.visitor.origin).port, timeout=300)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in (headers or {}).items():
        connection.putheader(name, value)
    connection.endheaders(body or None)
    answer = connection.getresponse()
    told = answer.status, answer.read().decode()
    connection.close()
    return told


def own_headers(desk: OpenDesk) -> dict[str, str]:
    """What the visitor's browser would send with a form."""
    cookie = "; ".join(f"{each.name}={each.value}" for each in desk.visitor.jar)
    return {
        "Host": desk.visitor.origin.removeprefix("http://"),
        "Origin": desk.visitor.origin,
        "Cookie": cookie,
        "Content-Type": "application/x-www-form-urlencoded",
    }


def test_the_address_opens_the_desk_once(desk: OpenDesk) -> None:
    assert desk.visitor.fetch(desk.address).status == 403
    assert "does so once" in desk.visitor.fetch(desk.address).text


def test_another_token_and_no_cookie_open_nothing(desk: OpenDesk) -> None:
    """A wrong token of the right length, a cookie of another desk, none: each is told the same, and no more."""
    origin, home = desk.visitor.origin, urlsplit(desk.visitor.home).path
    host = {"Host": own_headers(desk)["Host"]}
    guesses = [
        raw(desk, "GET", path, headers={**host, **more})
        for path, more in (
            (f"/{'A' * 43}", {}),
            ("/", {}),
            ("/favicon.ico", {}),
            (home, {}),
            (home, {"Cookie": f"privgan-desk={'A' * 43}"}),
            (home, {"Cookie": "\\"}),
            (f"{origin}{home}", {}),
        )
    ]
    assert {status for status, _ in guesses} == {403}
    assert len({text for _, text in guesses}) == 1
    assert "Chests" not in guesses[0][1]


@pytest.mark.parametrize("host", ["evil.example", "localhost:{port}", "127.0.0.1", "127.0.0.1:1", ""])
def test_another_host_is_refused(desk: OpenDesk, host: str) -> None:
    """A name that somebody made lead to 127.0.0.1 is theirs, and so would be the page."""
    named = host.format(port=urlsplit(desk.visitor.origin).port)
    status, text = raw(desk, "GET", urlsplit(desk.visitor.home).path, headers={**own_headers(desk), "Host": named})
    assert (status, "another host" in text) == (403, True)
    status, _ = raw(desk, "GET", urlsplit(desk.visitor.home).path, headers={"Cookie": own_headers(desk)["Cookie"]})
    assert status == 403, "no host at all"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:80", ""])
def test_a_form_from_elsewhere_is_refused(desk: OpenDesk, origin: str) -> None:
    fields = {**desk.visitor.hidden, "typed": "PASS", "passphrase": PASSPHRASE}
    sent = desk.visitor.fetch(f"{desk.visitor.home}/sign", fields, Origin=origin)
    assert (sent.status, "from elsewhere" in sent.text) == (403, True)


@pytest.mark.parametrize("token", [None, "", "x" * 43])
def test_a_form_without_the_desks_token_is_refused(desk: OpenDesk, token: str | None) -> None:
    fields = {"typed": "PASS", "passphrase": PASSPHRASE} | ({} if token is None else {"form-token": token})
    sent = desk.visitor.fetch(f"{desk.visitor.home}/sign", fields)
    assert (sent.status, "from elsewhere" in sent.text) == (403, True)


def test_a_form_is_bounded_and_of_one_kind(desk: OpenDesk) -> None:
    path, headers = urlsplit(desk.visitor.home).path + "/sign", own_headers(desk)
    odd = [
        ({"Content-Length": "65537"}, b"", 413),
        ({"Content-Length": "9" * 30}, b"", 413),
        ({"Content-Length": "-1"}, b"", 411),
        ({"Content-Length": "²"}, b"", 411),
        ({"Transfer-Encoding": "chunked"}, b"", 411),
        ({"Content-Length": "3", "Content-Type": "application/json"}, b"a=b", 415),
        ({"Content-Length": "3"}, b"abc", 400),
        ({"Content-Length": "3"}, b"a=\xff", 400),
        ({"Content-Length": "5"}, b"a=%FF", 400),
        ({"Content-Length": "999"}, b"&".join([b"a=b"] * 250), 400),
    ]
    for more, body, status in odd:
        given = {name: value.encode("latin-1") for name, value in {**headers, **more}.items()}
        assert raw(desk, "POST", path, body, given)[0] == status, more  # type: ignore[arg-type] as bytes
    assert raw(desk, "DELETE", path, headers=headers)[0] == 501
    assert raw(desk, "HEAD", path, headers=headers)[0] == 501


def test_a_page_that_is_not_there(desk: OpenDesk) -> None:
    for step in ("nowhere", "pairs/1", "../1", "%2e%2e"):
        assert desk.visitor.look(step).status == 404
    base = desk.visitor.home.removesuffix("1")
    assert desk.visitor.fetch(f"{base}2").status == 404
    assert desk.visitor.fetch(f"{base}0/sign", desk.visitor.hidden).status == 404


def test_every_page_forbids_what_it_does_not_need(desk: OpenDesk) -> None:
    """No store, no script, no frame; the cookie is for this desk's own path and unseen by scripts."""
    for seen in (desk.visitor.look(), desk.visitor.look("sign"), desk.visitor.look("nowhere")):
        headers = {name.lower(): value for name, value in seen.headers.items()}
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["server"] == "privgan"
        policy = headers["content-security-policy"]
        for rule in ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert rule in policy
        assert "script" not in policy
        assert "unsafe" not in policy
        assert "<script" not in seen.text
    (cookie,) = desk.visitor.jar
    assert cookie.path == urlsplit(desk.visitor.home).path.removesuffix("1")
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "Strict"
    assert len(cookie.path.strip("/")) == 43


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"purpose": ""}, "Expected --purpose and --recipient"),
        ({"recipient": "  "}, "Expected --purpose and --recipient"),
        ({"officer": ""}, "Expected the name as one line"),
        ({"reason-0": ""}, "Expected a reason for each safeguard"),
        ({"purpose": "a\x1b[2J"}, "Expected the purpose as one line"),
        ({"until": "2020-01-01"}, "Expected a last day on or after"),
        ({"until": "2099-01-01"}, "at most 731 days later"),
        ({"until": "tomorrow"}, "Expected a day as YYYY-MM-DD"),
    ],
)
def test_words_that_approve_refuses(desk: OpenDesk, change: dict[str, str], said: str) -> None:
    """What was typed stays on the page, with the reason; the draft from before stays as well."""
    seen = desk.visitor.send("words", **words(**change))
    assert (seen.status, said in seen.text) == (422, True)
    assert "Dr. Ada Byron" in seen.text or "officer" in change
    assert today() in desk.visitor.look("sign").text


@pytest.mark.parametrize("typed", ["", "PASS", "FAIL {short}", "PASS {short}0", "PASS\u00a0{short}x"])
def test_the_verdict_and_the_set_are_typed(desk: OpenDesk, gate: Gate, typed: str) -> None:
    line = typed.format(short=gate.record()["synthetic"]["sha256"][:12])
    desk.visitor.look("sign")
    seen = desk.visitor.send("sign", typed=line, passphrase=PASSPHRASE)
    assert (seen.status, "not signed" in seen.text) == (422, True)
    assert PASSPHRASE not in seen.text


@pytest.mark.parametrize("passphrase", ["", "wrong"])
def test_another_passphrase_signs_nothing(desk: OpenDesk, gate: Gate, passphrase: str) -> None:
    short = gate.record()["synthetic"]["sha256"][:12]
    desk.visitor.look("sign")
    seen = desk.visitor.send("sign", typed=f"PASS {short}", passphrase=passphrase)
    assert (seen.status, "passphrase" in seen.text) == (422, True)
    assert 'value="wrong"' not in seen.text


def about_to_sign(desk: OpenDesk) -> Visitor:
    """Somebody who is on the last page before the signature."""
    officer = desk.visitor
    officer.enter(desk.address)
    officer.look("pairs")
    officer.send("pairs", looked="yes")
    officer.send("words", **words())
    return officer


def test_a_report_that_is_edited_meanwhile_is_refused(tmp_path: Path) -> None:
    """Whatever the edit is: also one that contradicts nothing, and one by a second audit."""
    gate = make_desk_gate(tmp_path)
    short = gate.record()["synthetic"]["sha256"][:12]
    with open_desk(gate) as desk:
        officer = about_to_sign(desk)
        path = tmp_path / "report" / "audit.json"
        record = json.loads(path.read_text())
        path.write_text(json.dumps({**record, "date": "2026-01-30"}))
        refused = officer.send("sign", typed=f"PASS {short}")
        assert (refused.status, "written anew" in refused.text) == (409, True)
        gate.audit(lambda told: told.update(gallery_sha256=record["gallery_sha256"], date="2026-01-30"))
        refused = officer.send("sign", typed=f"PASS {short}")
        assert (refused.status, "written anew" in refused.text) == (409, True)
        assert officer.look().status == 409
    assert not (tmp_path / "report" / APPROVAL).exists()


def test_a_report_that_is_withdrawn_or_rejected_meanwhile_is_refused(tmp_path: Path) -> None:
    gate = make_desk_gate(tmp_path)
    short = gate.record()["synthetic"]["sha256"][:12]
    with open_desk(gate) as desk:
        officer = about_to_sign(desk)
        gate.reject()
        refused = officer.send("sign", typed=f"PASS {short}")
        assert (refused.status, "rejected this set on" in refused.text) == (422, True)
    assert not (tmp_path / "report" / APPROVAL).exists()


def test_without_a_cohort_a_pinned_officer_cannot_approve(tmp_path: Path) -> None:
    """And nobody can reject: the ledger is the one that remembers."""
    gate = make_desk_gate(tmp_path)
    with open_desk(gate, cohort=False) as desk:
        officer = desk.visitor
        read = officer.enter(desk.address)
        assert "Expected --cohort: this cohort names the officer" in read.text
        officer.look("no")
        seen = officer.send("no", officer="A", reason="b", final="yes")
        assert (seen.status, "Expected --cohort when the desk was opened" in seen.text) == (422, True)


def test_nothing_is_left_behind(desk: OpenDesk, gate: Gate) -> None:
    """No file but those of the audit, whose modes are as they were."""
    names = {path.relative_to(gate.root / "report").as_posix() for path in (gate.root / "report").rglob("*")}
    assert names == {"audit.json", "audit.html", "audit-public.html", "private", "private/gallery.npz"}
    assert stat.S_IMODE((gate.root / "report" / "private" / "gallery.npz").stat().st_mode) == 0o600


def test_no_secret_stands_among_the_arguments_of_the_process(gate: Gate) -> None:
    """Which is one of its own, as a user starts it: all others are forks."""
    line = command("desk", gate.root / "report", "--key", gate.root / "officer.key", "--cohort", gate.root / "cohort")
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment()) as process:
        assert process.stderr is not None
        assert b"http://127.0.0.1:" in process.stderr.readline()
        said = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode()
        process.kill()
    assert "officer.key" in said
    assert not re.search(r"[\w-]{43}", said)
