"""The site anchor: rolled-back, copied and doubly prepared cohorts are noticed; what a kill leaves is not refused."""

import shutil
from pathlib import Path

import pytest

from privgan.dp.accounting import spend_of
from privgan.dp.budget.anchor import SiteAnchor
from privgan.dp.budget.renyi import RenyiFilter
from privgan.dp.divergence import renyi
from privgan.dp.gaussian import GaussianQueries
from privgan.errors import BudgetError, UsageError
from tests.dp.seats import DELTA, QUERY, Killed, cohort, die, ledger, restore


def test_a_cohort_that_was_copied_back_is_refused(used: Path, tmp_path: Path) -> None:
    """A backup is as good as the original until something was written since."""
    shutil.copytree(used, tmp_path / "backup")
    restore(tmp_path / "backup", used)
    ledger(used).charge("two", [QUERY], delta=DELTA)
    restore(tmp_path / "backup", used)
    with pytest.raises(BudgetError, match="rolled back"):
        ledger(used)


def test_the_second_of_two_copies_that_are_used_in_turn_is_refused(used: Path, tmp_path: Path) -> None:
    """Also when the second is longer than what the anchor remembers of the first."""
    shutil.copytree(used, tmp_path / "copy")
    ahead = ledger(tmp_path / "copy")
    ledger(used).checkpoint("run", step=2, sha256="2" * 64)
    for action in (
        lambda: ledger(tmp_path / "copy"),
        lambda: ahead.checkpoint("run", step=2, sha256="3" * 64),
        lambda: ahead.charge("two", [QUERY], delta=DELTA),
    ):
        with pytest.raises(BudgetError, match="another copy"):
            action()
    with pytest.MonkeyPatch.context() as patch:  # the copy goes on without asking the anchor
        patch.setattr(SiteAnchor, "require_current", lambda *_: None)
        for method in ("announce", "note"):
            patch.setattr(SiteAnchor, method, lambda anchor, *_: anchor)
        for step in (2, 3, 4):
            ahead = ahead.checkpoint("run", step=step, sha256="3" * 64)
    with pytest.raises(BudgetError, match="both copies"):
        ledger(tmp_path / "copy")
    ledger(used).checkpoint("run", step=3, sha256="4" * 64)


def test_a_kill_before_the_anchor_knows_a_new_entry_is_caught_up(used: Path) -> None:
    """The ledger is ahead by a state; reading accepts that and the next entry brings the anchor along."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SiteAnchor, "note", die)
        with pytest.raises(Killed):
            ledger(used).checkpoint("run", step=2, sha256="2" * 64)
    now = ledger(used).checkpoint("run", step=3, sha256="3" * 64)
    assert [entry["step"] for entry in now.of_kind("checkpoint")] == [1, 2, 3]
    assert now.anchor is not None
    assert now.anchor.of_kind("head")[-1]["ledger_head"] == now.head


def test_a_kill_before_the_ledger_has_a_charge_costs_it_once(used: Path) -> None:
    """The anchor's word counts at once; charging the same run again completes it and costs no more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("privgan.dp.budget.ledger._append", die)
        with pytest.raises(Killed):
            ledger(used).charge("two", [QUERY], delta=DELTA)
    assert not ledger(used).of_kind("charge", "two")
    assert ledger(used).spend() == spend_of([QUERY, QUERY], DELTA)
    with pytest.raises(BudgetError, match="others"):
        ledger(used).charge("two", [GaussianQueries(noise_multiplier=9.0, sample_rate=0.05, steps=1)], delta=DELTA)
    assert ledger(used).charge("two", [QUERY], delta=DELTA).spend() == spend_of([QUERY, QUERY], DELTA)


def test_an_anchor_that_is_missing_foreign_or_rolled_back_is_refused(used: Path, tmp_path: Path) -> None:
    """Exit 7 each time; a moved anchor is found again through the noted place."""
    anchor, away = tmp_path / "anchor", tmp_path / "away"
    shutil.copytree(anchor, tmp_path / "old")
    ledger(used).charge("two", [QUERY], delta=DELTA)
    anchor.rename(away)
    with pytest.raises(BudgetError, match="Bring it back"):
        ledger(used)
    SiteAnchor.found_or_made(anchor)
    with pytest.raises(BudgetError, match="another one"):
        ledger(used)
    restore(tmp_path / "old", anchor)
    with pytest.raises(BudgetError, match="one is missing: it was rolled back"):
        ledger(used)
    place = used / "private" / "site-anchor.json"
    place.write_text(place.read_text().replace("/anchor", "/away"))
    assert len(ledger(used).queries()) == 2
    place.unlink()
    with pytest.raises(BudgetError, match="place"):
        ledger(used)


@pytest.mark.parametrize("name", ["anchor.jsonl", "key", "members/a"])
@pytest.mark.parametrize("gone", [False, True])
def test_an_edited_file_of_the_anchor_is_found(used: Path, tmp_path: Path, name: str, gone: bool) -> None:
    """One changed bit, or the file removed; members are looked at when another cohort joins."""
    path = tmp_path / "anchor" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink() if gone else path.write_bytes(content)
    with pytest.raises((BudgetError, UsageError)):
        cohort(tmp_path, "b", ["3"])
    if not name.startswith("members"):
        with pytest.raises(BudgetError):
            ledger(used)


def test_cohorts_that_share_members_spend_together(tmp_path: Path) -> None:
    """a-b and b-c share patients, d shares none: three add up under every cap in use, and d is alone."""
    a = cohort(tmp_path, "a", ["1", "2"], 3.0)
    cohort(tmp_path, "b", ["2", "3", "4"])
    c, d = cohort(tmp_path, "c", ["4", "5"]), cohort(tmp_path, "d", ["6"])
    anchor = SiteAnchor.read(tmp_path / "anchor")
    assert [len(anchor.connected(name)) for name in "abcd"] == [3, 3, 3, 1]
    assert anchor.connected("a")[0] == "a"
    ledger(a).charge("one", [QUERY], delta=DELTA)
    assert ledger(c).spend() == ledger(a).spend() == spend_of([QUERY], DELTA)
    assert ledger(d).spend().epsilon == 0
    left = ledger(a).cap.budget - renyi([QUERY], ledger(a).cap.order)
    more = GaussianQueries(
        noise_multiplier=(ledger(a).cap.order / (2 * left * 1.01)) ** 0.5, sample_rate=1.0, steps=1
    )
    # It fits under c's own cap of 10, but not under a's of 3.
    with pytest.raises(BudgetError, match="shares patients with this cohort, epsilon 3 "):
        ledger(c).charge("two", [more], delta=DELTA)
    assert not SiteAnchor.read(tmp_path / "anchor").charges("c")
    ledger(d).charge("two", [more], delta=DELTA)


def test_a_charge_of_connected_patients_after_an_audit_is_noticed(tmp_path: Path) -> None:
    """Here or in a cohort that shares a member; one that shares none does not matter."""
    a, b, c = (cohort(tmp_path, name, patients) for name, patients in (("a", ["1"]), ("b", ["1"]), ("c", ["2"])))
    ledger(b).charge("one", [QUERY], delta=DELTA)
    audit = ledger(a).begin_audit("s", policy_sha256="p").entries[-1]
    ledger(c).charge("two", [QUERY], delta=DELTA)
    assert not ledger(a).charged_since(audit)
    ledger(b).charge("three", [QUERY], delta=DELTA)
    assert ledger(a).charged_since(audit)


def test_a_first_charge_elsewhere_is_a_first_charge(tmp_path: Path) -> None:
    """The whole cap may go to one run of connected cohorts, not to one run each."""
    cap = spend_of([QUERY], DELTA).epsilon
    a, b = cohort(tmp_path, "a", ["1"], cap), cohort(tmp_path, "b", ["1"], cap)
    ledger(a).charge("one", [QUERY], delta=DELTA)
    with pytest.raises(BudgetError, match="no further run fits"):
        ledger(b).charge("two", [QUERY], delta=DELTA)


def test_shared_patients_are_counted_and_found_by_number(tmp_path: Path) -> None:
    """A person with two numbers is one person; no number stands in any file."""
    cohort(tmp_path, "a", ["SECRET-1", "SECRET-2"])
    cohort(tmp_path, "b", ["SECRET-2", "SECRET-3"])
    anchor = SiteAnchor.read(tmp_path / "anchor")
    people = [frozenset(map(anchor.digest, numbers)) for numbers in (["SECRET-1", "SECRET-3"], ["SECRET-9"])]
    assert anchor.join("c", people, RenyiFilter.of(1.0, DELTA)).shared == 1
    anchor = SiteAnchor.read(tmp_path / "anchor")
    assert [anchor.cohorts_of([f"SECRET-{n}"]) for n in (1, 2, 3, 4)] == [["a", "c"], ["a", "b"], ["b", "c"], []]
    for path in (tmp_path / "anchor").rglob("*"):
        assert path.is_dir() or b"SECRET" not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0


def test_another_folder_is_not_taken_for_an_anchor(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear all")
    with pytest.raises(UsageError):
        SiteAnchor.found_or_made(tmp_path / "home")
