"""A decision at the desk, over HTTP, in a process of its own: what is shown when, and what is signed at the end."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from privgan import seals
from privgan_audits.release.approval import APPROVAL, REJECTION, Approval, Grant, Rejection, opened
from privgan_audits.release.signoff import draft_approval
from tests.audits.desk.client import (
    MEMBERS,
    OTHERS,
    PASSPHRASE,
    make_desk_gate,
    next_month,
    open_desk,
    pictured,
    today,
    words,
)


def test_an_approval_from_reading_to_the_signature(tmp_path: Path) -> None:
    """What it signs is to the byte what `approve` signs of the same words, and opens the gate."""
    gate = make_desk_gate(tmp_path, locked=True)
    short = gate.record()["synthetic"]["sha256"][:12]
    with open_desk(gate) as desk:
        officer = desk.visitor
        read = officer.enter(desk.address)
        for said in ("Chests for teaching", "Anytown Hospital", "data office", "PASS", "moderate promise"):
            assert said in read.text
        assert "Override: --accept-delta was given" in read.text
        assert "one more run of up to about epsilon" in read.text
        assert officer.look("words").step == officer.look("sign").step == "pairs", "what is missing comes first"
        looked = officer.look("pairs")
        assert looked.text.count("data:image/png") == 2 + 2 * len(MEMBERS + OTHERS)  # and one identical pair
        said = officer.send("pairs", pair=OTHERS[:2], looked="yes")
        assert said.step == "words"
        assert (
            f"You ticked 0 of {len(MEMBERS)} pairs of members, and 2 of {len(OTHERS)} pairs of patients" in said.text
        )
        assert "What each pair was" in said.text
        drafted = officer.send("words", **words())
        assert drafted.step == "sign"
        for fact in ("judged again just now", "Purpose: teaching. Recipient: Anytown University.", f"PASS {short}"):
            assert fact in drafted.text
        assert "Override: --accept-delta was given" in drafted.text
        signed = officer.send("sign", typed=f" PASS  {short} ", passphrase=PASSPHRASE)
        assert signed.status == 200
        told = desk.closed()["reports"][0]
    key = seals.load_private_key(tmp_path / "officer.key", PASSPHRASE.encode())
    for fact in (told["key_fingerprint"], told["sha256"], str(tmp_path / "report" / APPROVAL), "Dr. Ada Byron"):
        assert fact in signed.text
    assert (told["verdict"], told["ledger"], told["until"]) == ("PASS", "seen", next_month())
    assert "Dr. Ada Byron" in (tmp_path / "report" / "audit.html").read_text(), "the sign-off box names the officer"
    content = (tmp_path / "report" / APPROVAL).read_bytes()
    approval = opened(Approval, content, key.public_key())
    (tmp_path / "report" / APPROVAL).unlink()
    grant = Grant(
        officer="Dr. Ada Byron",
        purpose="teaching",
        recipient="Anytown University",
        reason="it is small",
        approved=approval.grant.approved,
        until=next_month(),
    )
    assert draft_approval(tmp_path / "report", grant, cohort=tmp_path / "cohort").sign(key).envelope == content
    day = datetime.now(UTC).date()
    gate.release(today=day)
    assert gate.verify(today=day, officer_key=tmp_path / "officer.pub").verdict == "PASS"


def test_the_key_is_shown_once_the_ticks_were_sent(tmp_path: Path) -> None:
    """And they are then as they are. Before, nothing that the pages say or hide tells a member from another."""
    gate = make_desk_gate(tmp_path)
    with open_desk(gate) as desk:
        officer = desk.visitor
        officer.enter(desk.address)
        before = officer.look("pairs").text.partition("<form")[2]
        assert "member" not in before.replace("members", "")
        assert "is not approved" not in before
        assert 'class="pair"' in before
        assert officer.send("pairs", pair=["1"]).status == 422, "nobody said to have looked"
        assert officer.send("pairs", pair=["1", "99"], looked="yes").status == 422
        assert officer.send("pairs", pair=["1; drop"], looked="yes").status == 422
        assert "non-member" in officer.send("pairs", looked="yes").text
        again = officer.send("pairs", pair=MEMBERS, looked="yes")
        assert "You ticked 0 of" in officer.look("words").text
        assert (again.status, again.step) == (409, "pairs")


def test_ticks_that_speak_of_copies_stop_an_approval(tmp_path: Path) -> None:
    """Of six pairs on either side all six among members: a fair reviewer does that once in hundreds of reports."""
    gate = make_desk_gate(tmp_path)
    with open_desk(gate) as desk:
        officer = desk.visitor
        officer.enter(desk.address)
        officer.look("pairs")
        said = officer.send("pairs", pair=MEMBERS, looked="yes")
        assert "not approved in this sitting" in said.text
        assert 'name="purpose"' not in said.text
        assert officer.send("words", **words()).status == 422
        assert not (tmp_path / "report" / APPROVAL).exists()
        assert 'name="reason"' in officer.look("no").text, "a no is always possible"


def test_a_rejection_is_signed_and_remembered(tmp_path: Path) -> None:
    gate = make_desk_gate(tmp_path, locked=True)
    said = {"officer": "Dr. Ada Byron", "reason": "the recipient has no contract", "passphrase": PASSPHRASE}
    with open_desk(gate) as desk:
        officer = desk.visitor
        officer.enter(desk.address)
        officer.look("no")
        assert officer.send("no", **said).status == 422, "nobody said to know that it is final"
        assert officer.send("no", **{**said, "passphrase": "wrong"}, final="yes").status == 422
        assert officer.send("no", **{**said, "reason": ""}, final="yes").status == 422
        assert not (tmp_path / "report" / REJECTION).exists()
        signed = officer.send("no", **said, final="yes")
        assert "Rejected, for good" in signed.text
        told = desk.closed()["reports"][0]
    assert (told["officer"], told["reason"], told["rejected"]) == (said["officer"], said["reason"], today())
    found = opened(Rejection, (tmp_path / "report" / REJECTION).read_bytes())
    assert found.reason == said["reason"]
    assert gate.ledger.of_kind("rejected")[-1]["officer"] == "Dr. Ada Byron"


def test_several_reports_lie_side_by_side(tmp_path: Path) -> None:
    """An older audit of the same set, which cannot be approved any more; a no to the set closes both."""
    gate = make_desk_gate(tmp_path)
    shutil.copytree(tmp_path / "report", tmp_path / "older")
    pictured(gate, date="2026-02-01", project={"title": "Chests, again", "contact": "x", "house": "y"})
    with open_desk(gate, reports=("report", "older")) as desk:
        officer = desk.visitor
        overview = officer.enter(desk.address)
        for fact in ("Chests for teaching", "Chests, again", "nobody has decided yet", "What was spent"):
            assert fact in overview.text
        assert overview.text.count("moderate promise") == 2
        older = officer.fetch(f"{overview.url}2")
        assert "cannot be approved" in older.text
        assert "superseded" in older.text
        officer.home = f"{overview.url}1"
        officer.look("no")
        signed = officer.send("no", officer="Dr. Ada Byron", reason="no contract", final="yes")
        assert "the desk is closed" in signed.text
        assert [sorted(told) for told in desk.closed()["reports"]][1] == ["report"]


def test_a_desk_over_what_was_decided_shows_it_and_prolongs_by_force(tmp_path: Path) -> None:
    gate = make_desk_gate(tmp_path)
    gate.approve(first="2026-01-31", last="2026-02-28")
    with open_desk(gate) as desk:
        read = desk.visitor.enter(desk.address)
        assert "--force replaces it" in read.text
        assert "2026-01-31 to 2026-02-28" in read.text
    with open_desk(gate, "--force") as desk:
        officer = desk.visitor
        assert "go on" in officer.enter(desk.address).text
        officer.look("pairs")
        officer.send("pairs", looked="yes")
        officer.send("words", **words())
        short = gate.record()["synthetic"]["sha256"][:12]
        assert next_month() in officer.send("sign", typed=f"PASS {short}").text
        assert desk.closed()["reports"][0]["until"] == next_month()


def test_it_closes_when_nobody_comes_by_ctrl_c_and_when_asked(tmp_path: Path) -> None:
    gate = make_desk_gate(tmp_path)
    with open_desk(gate, "--idle-minutes", "0.01") as desk:
        assert desk.closed() == {"schema_version": 1, "reports": [{"report": str(tmp_path / "report")}]}
    with open_desk(gate) as desk:
        desk.visitor.enter(desk.address)
        desk.interrupt()
        assert desk.closed()["reports"] == [{"report": str(tmp_path / "report")}]
    with open_desk(gate) as desk:
        officer = desk.visitor
        officer.enter(desk.address)
        officer.look("no")
        base = officer.home.removesuffix("1")
        assert officer.fetch(f"{base}close", {"form-token": "x"}).status == 403
        officer.look("no")
        assert "You may close this window" in officer.fetch(f"{base}close", officer.hidden).text
        desk.closed()
    assert not (tmp_path / "report" / APPROVAL).exists()
