"""The site anchor hears of a ledger's entry before it is written: forged entries are refused, a kill's are burnt."""

from pathlib import Path

import pytest

from privgan.dp.budget.anchor import KILLED, SiteAnchor
from privgan.dp.budget.chain import extend_chain, read_chain, start_chain
from privgan.errors import BudgetError
from tests.dp.seats import DELTA, Killed, die, ledger

FORGED: dict[str, dict[str, object]] = {
    "charge": {"run_id": "x", "delta": DELTA, "queries": [], "replayable": False},
    "checkpoint": {"run_id": "run", "step": 9, "sha256": "9" * 64},
    "resumed": {"run_id": "run", "step": 9, "sha256": "9" * 64},
    "answered": {"run_id": "run", "question": 1, "sha256": "9" * 64},
    "closed": {"run_id": "run", "generator_sha256": "9" * 64, "config_sha256": "9" * 64},
    "begun": {"synthetic_sha256": "s", "policy_sha256": "p", "rehearsal": False},
    "audit": {"begun": "9" * 64, "report_sha256": "r", "synthetic_sha256": "s", "verdict": "PASS"},
    "revoked": {"report_sha256": "r", "synthetic_sha256": "s", "approval_sha256": "a"},
}


def append_by_hand(folder: Path, *kinds: str) -> None:
    """Write lines as the ledger does: its hashes have no key."""
    path = folder / "private" / "ledger.jsonl"
    entries = read_chain(path, "ledger")
    for kind in kinds:
        entries = extend_chain(path, entries, {"kind": kind, **FORGED[kind]}, "ledger")


@pytest.mark.parametrize("kind", FORGED)
def test_an_entry_that_was_not_announced_is_a_forgery(used: Path, kind: str) -> None:
    """Of every kind, and also behind one that was announced and that a kill kept from the anchor's memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SiteAnchor, "note", die)
        with pytest.raises(Killed):
            ledger(used).checkpoint("run", step=2, sha256="2" * 64)
    assert ledger(used).of_kind("checkpoint")[-1]["step"] == 2
    append_by_hand(used, kind)
    with pytest.raises(BudgetError, match="forged"):
        ledger(used)


def kill_before_the_ledger(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("privgan.dp.budget.ledger.extend_chain", die)
        with pytest.raises(Killed):
            ledger(folder).checkpoint("run", step=2, sha256="2" * 64)


def test_an_entry_that_was_announced_and_never_written_is_said_and_burnt(
    used: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kill_before_the_ledger(used)
    assert [entry["step"] for entry in ledger(used).of_kind("checkpoint")] == [1]
    assert KILLED in caplog.text
    burnt = (used / "private" / "ledger.jsonl").read_bytes()
    caplog.clear()
    ledger(used).checkpoint("run", step=3, sha256="3" * 64)
    caplog.clear()
    assert [entry["step"] for entry in ledger(used).of_kind("checkpoint")] == [1, 3]
    assert not caplog.text
    (used / "private" / "ledger.jsonl").write_bytes(burnt)
    entry = {"kind": "checkpoint", "run_id": "run", "step": 2, "sha256": "2" * 64}
    extend_chain(used / "private" / "ledger.jsonl", read_chain(used / "private" / "ledger.jsonl", "l"), entry, "l")
    with pytest.raises(BudgetError, match="got another one"):
        ledger(used)


@pytest.mark.parametrize("kind", FORGED)
def test_what_a_kill_kept_from_the_ledger_opens_no_place_for_another(used: Path, kind: str) -> None:
    kill_before_the_ledger(used)
    append_by_hand(used, kind)
    with pytest.raises(BudgetError, match="forged"):
        ledger(used)


def test_the_anchor_of_an_older_version_is_taken_over_at_its_head(used: Path) -> None:
    """It announced nothing: its newest head must be the ledger's newest entry, and the next one is announced."""
    anchor = used.parent / "anchor" / "anchor.jsonl"
    entries = [entry for entry in read_chain(anchor, "anchor") if entry["kind"] != "announced"]
    bare = [{key: value for key, value in e.items() if key not in ("sequence", "previous", "hash")} for e in entries]
    anchor.unlink()
    start_chain(anchor, bare[0])
    for entry in bare[1:]:
        extend_chain(anchor, read_chain(anchor, "anchor"), entry, "anchor")
    opening = read_chain(used / "private" / "ledger.jsonl", "ledger")[0]
    assert ledger(used).opening == opening
    ledger(used).checkpoint("run", step=2, sha256="2" * 64)
    assert len(ledger(used).of_kind("checkpoint")) == 2
    append_by_hand(used, "checkpoint")
    with pytest.raises(BudgetError, match="forged"):
        ledger(used)
