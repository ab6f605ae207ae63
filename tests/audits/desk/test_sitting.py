"""One report in a sitting, without a server: ticks, reasons, and pages whose values came from elsewhere."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from http import HTTPStatus
from pathlib import Path

import pytest

from privgan.errors import UsageError
from privgan_audits.desk.desk import Desk, Setting
from privgan_audits.desk.door import Door
from privgan_audits.desk.reports import lay_out
from privgan_audits.desk.server import Answer, Form, Request
from privgan_audits.desk.sitting import Review, Sitting
from privgan_audits.report.gallery import worrying_excess
from privgan_cli.dispatch import explained
from tests.audits.desk.client import MEMBERS, OTHERS, make_desk_gate, pictured, words
from tests.audits.hostile import ATTACK
from tests.audits.releasing import Gate
from tests.audits.report.reading import Seen
from tests.audits.report.recorded import GALLERY

PORT = 8765


def form(**fields: str | list[str]) -> Form:
    return Form(fields={name: [text] if isinstance(text, str) else text for name, text in fields.items()})


def sitting(gate: Gate) -> Sitting:
    (report,) = lay_out([gate.root / "report"], [gate.root / "cohort"])
    return Sitting(report, gate.root / "officer.key", force=False)


@pytest.mark.parametrize("members", range(7))
@pytest.mark.parametrize("others", range(7))
def test_ticks_are_worrying_from_the_reports_own_limit_on(members: int, others: int) -> None:
    ticks = frozenset(map(int, MEMBERS[:members] + OTHERS[:others]))
    review = Review.of(GALLERY, ticks)
    assert (review.members, review.others, review.pairs) == (members, others, 6)
    assert review.is_worrying == (members - others >= worrying_excess(6))


def test_every_override_has_its_reason(tmp_path: Path) -> None:
    """One line for the recipient, in which each reason stands behind its option."""
    gate = make_desk_gate(tmp_path)
    pictured(gate, overrides=["accept-delta", "accept-low-power"])
    at = sitting(gate)
    at.tick(form(looked="yes"))
    today = _today()
    with pytest.raises(UsageError, match="a reason for each safeguard"):
        at.say(form(**words()), today)
    assert at.draft is None
    at.say(form(**words(**{"reason-0": "it is small.", "reason-1": " a pilot "})), today)
    assert at.draft is not None
    assert at.draft.grant.reason == "accept-delta: it is small; accept-low-power: a pilot"
    with pytest.raises(UsageError, match="reason as one line of at most 300"):
        at.say(form(**words(**{"reason-0": "x" * 200, "reason-1": "x" * 200})), today)


def test_a_page_that_shows_other_words_signs_nothing(tmp_path: Path) -> None:
    """Two windows: what is signed is what stood on the page whose button was pressed."""
    gate = make_desk_gate(tmp_path)
    at, today = sitting(gate), _today()
    at.tick(form(looked="yes"))
    at.say(form(**words()), today)
    shown, short = at.draft_sha256, gate.record()["synthetic"]["sha256"][:12]
    at.say(form(**words(purpose="whatever they like")), today)
    with pytest.raises(UsageError, match="changed since"):
        at.sign(form(draft=shown, typed=f"PASS {short}"))
    signed = at.sign(form(draft=at.draft_sha256, typed=f"PASS {short}"))
    assert signed.approval.grant.purpose == "whatever they like"


@pytest.mark.parametrize("early", ["say", "sign"])
def test_no_step_is_left_out(tmp_path: Path, early: str) -> None:
    at = sitting(make_desk_gate(tmp_path))
    with pytest.raises(UsageError, match="ticked first"):
        at.say(form(**words()), _today()) if early == "say" else at.sign(form())
    at.tick(form(looked="yes"))
    with pytest.raises(UsageError, match="your words first"):
        at.sign(form())


def _today() -> date:
    return datetime.now(UTC).date()


class Window:
    """A visitor of a desk without a server, who is in."""

    def __init__(self, gate: Gate, *reports: str, language: str = "en") -> None:
        setting = Setting(
            reports=tuple(gate.root / report for report in reports),
            key=gate.root / "officer.key",
            cohorts=(gate.root / "cohort",),
            language=language,
        )
        self.door = Door(PORT)
        self.desk = Desk(
            setting, self.door, today=lambda: datetime.now(UTC).date(), explain=lambda error: explained(error)[1]
        )
        entered = self.ask("GET", f"/{self.door.address.rpartition('/')[2]}")
        self.cookie = entered.cookie.partition(";")[0]

    cookie = ""

    def ask(self, method: str, path: str, **fields: str | list[str]) -> Answer:
        """The answer to a request with everything that a browser would bring."""
        given = {"Host": [f"127.0.0.1:{PORT}"], "Cookie": [self.cookie], "Origin": [self.door.origin]}
        sent = form(**{"form-token": self.door.form_token, **fields})
        return self.desk.answer(
            Request(method=method, path=path, headers=lambda name: given.get(name, []), form=sent)
        )


def test_a_hostile_record_is_words_and_no_markup(tmp_path: Path) -> None:
    gate = make_desk_gate(tmp_path)
    pictured(
        gate,
        project={"title": f"Chests {ATTACK}", "contact": ATTACK, "house": ATTACK},
        overrides=[ATTACK],
        notes=[ATTACK],
        classes=["clear", ATTACK],
    )
    window = Window(gate, "report")
    plain = Seen()
    for step, sent in (("", None), ("/pairs", {"looked": "yes"}), ("/words", words()), ("/sign", {}), ("/no", {})):
        answer = window.ask("GET", f"{window.door.inside}1{step}")
        assert answer.status is HTTPStatus.OK, answer.page
        assert ATTACK not in answer.page
        plain.feed(answer.page)
        if sent is not None:
            window.ask("POST", f"{window.door.inside}1{step}", **sent)
    assert set(plain.tags).isdisjoint({"script", "iframe", "object", "svg", "b"})
    assert not [name for name in plain.attributes if name.startswith("on")]
    assert ATTACK in plain.text


def test_two_signatures_at_once_are_one(tmp_path: Path) -> None:
    """A button that was pressed twice: the second request finds everything decided."""
    gate = make_desk_gate(tmp_path)
    shutil.copytree(gate.root / "report", gate.root / "again")
    window = Window(gate, "report", "again")
    home = f"{window.door.inside}1"
    window.ask("POST", f"{home}/pairs", looked="yes")
    window.ask("POST", f"{home}/words", **words())
    (draft,) = re.findall(r'name="draft" value="(\w+)"', window.ask("GET", f"{home}/sign").page)
    typed = f"PASS {gate.record()['synthetic']['sha256'][:12]}"
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(window.ask, "POST", f"{home}/sign", draft=draft, typed=typed) for _ in range(2)]
    assert sorted(each.result().status for each in asked) == [HTTPStatus.OK, HTTPStatus.CONFLICT]
    assert not any(each.result().ends for each in asked), "the other report is open"
    assert window.ask("GET", f"{home}/sign").location == home
    assert "Dr. Ada Byron" in window.ask("GET", home).page


def test_nothing_inside_is_answered_without_the_cookie(tmp_path: Path) -> None:
    """Every path and both methods, with everything else as it should be."""
    window = Window(make_desk_gate(tmp_path), "report")
    known, window.cookie = window.cookie, "privgan-desk=x"
    paths = [
        f"{window.door.inside}{rest}" for rest in ("", "1", "1/pairs", "1/words", "1/sign", "1/no", "close", "?")
    ]
    answers = [window.ask(method, path) for method in ("GET", "POST") for path in paths]
    assert {answer.status for answer in answers} == {HTTPStatus.FORBIDDEN}
    assert not any(answer.ends for answer in answers)
    assert len({re.sub(r"value=\"[^\"]*\"", "", answer.page) for answer in answers}) == 1
    window.cookie = known
    assert window.ask("GET", f"{window.door.inside}1").status is HTTPStatus.OK


def test_what_nobody_expected_is_told_without_its_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = make_desk_gate(tmp_path)
    window = Window(gate, "report")
    monkeypatch.setattr("privgan_audits.desk.views.about", lambda *_: 1 / 0)
    answer = window.ask("GET", f"{window.door.inside}1")
    assert answer.status is HTTPStatus.INTERNAL_SERVER_ERROR
    assert "Internal error (ZeroDivisionError in test_sitting.py" in answer.page
    assert "division by zero" not in answer.page
    window.desk.close()
    assert window.ask("GET", f"{window.door.inside}1").status is HTTPStatus.SERVICE_UNAVAILABLE
