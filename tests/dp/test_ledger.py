"""The ledger: charged before, never after; every kind of tampering is found."""

import dataclasses
import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privgan.dp.accounting import spend_of
from privgan.dp.budget.chain import extend_chain, read_chain, start_chain
from privgan.dp.budget.ledger import Ledger
from privgan.dp.budget.renyi import RenyiFilter, smallest_cap
from privgan.dp.divergence import renyi
from privgan.dp.gaussian import GaussianQueries
from privgan.dp.plan import calibrate_queries
from privgan.errors import BudgetError, IntegrityError

QUERY = GaussianQueries(noise_multiplier=2.0, sample_rate=0.05, steps=100)


def _new(folder: Path, max_epsilon: float = 10.0) -> Ledger:
    return Ledger.create(
        folder / "ledger.jsonl", cohort_sha256="c" * 64, members=1000, delta=1e-5, max_epsilon=max_epsilon
    )


def _once(epsilon: float, delta: float) -> GaussianQueries:
    """One query of everybody that spends this."""
    (noise,) = calibrate_queries(epsilon, delta, (1.0,))
    return GaussianQueries(noise_multiplier=noise, sample_rate=1.0, steps=1)


def _used(folder: Path) -> Ledger:
    ledger = _new(folder).charge("run", [QUERY], delta=1e-5)
    ledger.checkpoint("run", step=10, sha256="a" * 64)
    return ledger.checkpoint("run", step=20, sha256="b" * 64)


def test_all_runs_are_composed(tmp_path: Path) -> None:
    """Two runs cost what their queries cost together, more than either and less than the sum."""
    ledger = _new(tmp_path).charge("one", [QUERY], delta=1e-5).charge("two", [QUERY], delta=1e-5)
    one = spend_of([QUERY], 1e-5).epsilon
    assert one < ledger.spend().epsilon < 2 * one
    assert ledger.spend() == spend_of([QUERY, QUERY], 1e-5)


def test_the_cap_holds_and_a_refused_charge_leaves_nothing(tmp_path: Path) -> None:
    """The charge that would pass the cap is not written; what went before stands."""
    cap = spend_of([QUERY], 1e-5).epsilon * 1.1
    ledger = _new(tmp_path, cap).charge("one", [QUERY], delta=1e-5)
    before = ledger.path.read_bytes()
    with pytest.raises(BudgetError, match="cap"):
        ledger.charge("two", [QUERY], delta=1e-5)
    assert ledger.path.read_bytes() == before


def test_a_first_run_at_the_cap_is_admitted_and_nothing_after_it(tmp_path: Path) -> None:
    """The whole cap may go to one run; the refusal of the next says that nothing is left."""
    ledger = _new(tmp_path, spend_of([QUERY], 1e-5).epsilon).charge("one", [QUERY], delta=1e-5)
    tiny = GaussianQueries(noise_multiplier=1e4, sample_rate=0.01, steps=1)
    with pytest.raises(BudgetError, match="no further run fits"):
        ledger.charge("two", [tiny], delta=1e-5)


def test_a_refusal_says_what_would_still_fit(tmp_path: Path) -> None:
    """The told epsilon is of one more run, and that run is then admitted."""
    ledger = _new(tmp_path).charge("one", [QUERY], delta=1e-5)
    with pytest.raises(BudgetError, match=r"one more run of up to about epsilon [0-9.]+ fits"):
        ledger.charge("two", [dataclasses.replace(QUERY, steps=100_000)], delta=1e-5)
    left = ledger.cap.budget - renyi(ledger.queries(), ledger.cap.order)
    noise = math.sqrt(ledger.cap.order / (2 * left)) * 1.001
    last = GaussianQueries(noise_multiplier=noise, sample_rate=1.0, steps=1)
    assert spend_of([last], 1e-5).epsilon == pytest.approx(ledger.cap.room(ledger.queries()), rel=0.01)
    ledger.charge("two", [last], delta=1e-5)


@pytest.mark.parametrize(
    ("epsilon", "delta", "where", "planned"),
    [
        (10.0, 1e-4, "that delta", ", planned with --delta 1e-05 or less"),
        (12.0, 1e-5, "that delta", ""),
        (12.0, 1e-7, "its own delta 1e-07, which is smaller,", ""),
    ],
)
def test_a_first_run_is_told_at_which_delta_it_passes_the_cap(
    tmp_path: Path, epsilon: float, delta: float, where: str, planned: str
) -> None:
    """Epsilon 10 at a larger delta is more than 10 at the cohort's own; a run as the message says then fits."""
    ledger, asked = _new(tmp_path), _once(epsilon, delta)
    spends = spend_of([asked], min(delta, 1e-5)).epsilon
    assert spends > 10
    with pytest.raises(BudgetError) as refused:
        ledger.charge("one", [asked], delta=delta)
    assert str(refused.value) == (
        f"This run does not fit under this cohort's cap, epsilon 10 counted at delta 1e-05: at {where} "
        f"it would spend {spends:.3f}; one more run of up to about epsilon 10 fits{planned}."
    )
    ledger.charge("one", [_once(9.9, 1e-5)], delta=1e-5)


def test_a_later_run_is_told_what_it_would_bring_the_total_to_at_the_cohorts_delta(tmp_path: Path) -> None:
    """Before and with the run, both at the delta that the cap is counted at, whatever the run's own is."""
    ledger = _new(tmp_path).charge("one", [QUERY], delta=1e-5)
    asked = _once(10.0, 1e-3)
    before, together = (spend_of(queries, 1e-5).epsilon for queries in ([QUERY], [QUERY, asked]))
    told = rf"at that delta {before:.3f} was spent before and {together:.3f} would be.* --delta 1e-05 or less"
    with pytest.raises(BudgetError, match=told):
        ledger.charge("two", [asked], delta=1e-3)


@pytest.mark.parametrize("edit", [{"budget": 1e6}, {"max_epsilon": 1e3}, {"order": 1.5}])
def test_a_loosened_and_sealed_cap_is_found(tmp_path: Path, edit: dict[str, float]) -> None:
    """Whoever seals an opening entry of their own must still keep cap, order and budget together."""
    opening = dict(_new(tmp_path).opening)
    for name in ("kind", "sequence", "previous", "hash"):
        del opening[name]
    forged = tmp_path / "forged.jsonl"
    start_chain(forged, {**opening, **edit})
    with pytest.raises(BudgetError, match="order"):
        Ledger.read(forged)


def test_a_run_is_charged_once(tmp_path: Path) -> None:
    """A second charge under the same id is a mistake."""
    with pytest.raises(BudgetError):
        _new(tmp_path).charge("run", [QUERY], delta=1e-5).charge("run", [QUERY], delta=1e-5)


def test_resume_accepts_the_latest_and_the_pending_state_only(tmp_path: Path) -> None:
    """The newest announced state, or the one before it after a kill between announcing and renaming."""
    ledger = _used(tmp_path).checkpoint("run", step=30, sha256="d" * 64)
    ledger.require_resumable("run", "d" * 64)
    ledger.require_resumable("run", "b" * 64)
    for old_or_foreign in ("a" * 64, "e" * 64):
        with pytest.raises(BudgetError):
            ledger.require_resumable("run", old_or_foreign)


def test_a_closed_run_stays_closed(tmp_path: Path) -> None:
    """After closing there is no resume, no checkpoint, no answer and no second close."""
    ledger = _used(tmp_path).close("run", generator_sha256="f" * 64, config_sha256="e" * 64)
    for action in (
        lambda: ledger.require_resumable("run", "b" * 64),
        lambda: ledger.checkpoint("run", step=30, sha256="d" * 64),
        lambda: ledger.record_answer("run", question=1, sha256="d" * 64),
        lambda: ledger.close("run", generator_sha256="f" * 64, config_sha256="e" * 64),
    ):
        with pytest.raises(BudgetError):
            action()


def test_a_question_is_answered_once(tmp_path: Path) -> None:
    """Whatever the second answer is; another question is another."""
    ledger = _used(tmp_path).record_answer("run", question=1, sha256="d" * 64)
    for sha256 in ("d" * 64, "e" * 64):
        with pytest.raises(BudgetError, match="has its answer"):
            ledger.record_answer("run", question=1, sha256=sha256)
    told = ledger.record_answer("run", question=2, sha256="e" * 64).of_kind("answered", "run")
    assert [(entry["question"], entry["sha256"]) for entry in told] == [(1, "d" * 64), (2, "e" * 64)]
    with pytest.raises(BudgetError):
        ledger.record_answer("stranger", question=1, sha256="d" * 64)


def test_a_ledger_opens_only_with_the_cohort_that_it_was_opened_for(tmp_path: Path) -> None:
    """Another cohort.json is foreign material; a broken chain comes first and is the ledger's own damage."""
    path = _used(tmp_path).path
    assert Ledger.of_cohort(path, cohort_sha256="c" * 64) == Ledger.read(path)
    with pytest.raises(IntegrityError, match=r"cohort\.json"):
        Ledger.of_cohort(path, cohort_sha256="d" * 64)
    path.write_bytes(path.read_bytes().replace(b'"step":10', b'"step":11'))
    with pytest.raises(BudgetError):
        Ledger.of_cohort(path, cohort_sha256="d" * 64)


def test_unknown_runs_are_refused(tmp_path: Path) -> None:
    """Nothing can be resumed or closed that was never charged."""
    with pytest.raises(BudgetError):
        _new(tmp_path).checkpoint("stranger", step=1, sha256="a" * 64)


@pytest.fixture(scope="module")
def used_content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a ledger that was charged and has two checkpoints."""
    return _used(tmp_path_factory.mktemp("used")).path.read_bytes()


@settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.integers(0, 10_000), bit=st.integers(0, 6))
def test_any_changed_byte_is_found(tmp_path: Path, used_content: bytes, place: int, bit: int) -> None:
    """Flipping any bit of any line breaks the chain."""
    content = bytearray(used_content)
    content[place % len(content)] ^= 1 << bit
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(content)
    with pytest.raises(BudgetError):
        Ledger.read(path)


@pytest.mark.parametrize("change", ["drop first", "drop middle", "swap", "repeat", "cut", "empty", "re-seal one"])
def test_reordered_and_missing_lines_are_found(tmp_path: Path, change: str) -> None:
    """Only the untouched sequence of lines is accepted."""
    path = _used(tmp_path).path
    lines = path.read_bytes().splitlines(keepends=True)
    edited = {**json.loads(lines[1]), "delta": 0.5}
    changed = {
        "drop first": lines[1:],
        "drop middle": [lines[0], *lines[2:]],
        "swap": [lines[0], lines[2], lines[1], *lines[3:]],
        "repeat": [*lines, lines[-1]],
        "cut": [*lines[:-1], lines[-1][:-5]],
        "empty": [],
        "re-seal one": [lines[0], json.dumps(edited).encode() + b"\n", *lines[2:]],
    }[change]
    path.write_bytes(b"".join(changed))
    with pytest.raises(BudgetError):
        Ledger.read(path)


def test_attempts_count_sets_from_their_first_beginning(tmp_path: Path) -> None:
    """The same set again is the same attempt, ended or not, rehearsed or not; a new set is the next one."""
    ledger = _new(tmp_path)
    assert ledger.attempt("s1") == 1
    for digest, rehearsal in (("s1", False), ("s1", False), ("s2", True), ("s2", False)):
        ledger = ledger.begin_audit(digest, policy_sha256="p", rehearsal=rehearsal)
    assert [ledger.attempt(digest) for digest in ("s1", "s2", "s3")] == [1, 2, 3]


def test_an_end_belongs_to_its_beginning(tmp_path: Path) -> None:
    """It is remembered with the set and the policy that were begun, and not at all where the beginning is gone."""
    ledger = _new(tmp_path).begin_audit("s", policy_sha256="p")
    (begun,) = ledger.of_kind("begun")
    (audit,) = ledger.record_audit(begun, report_sha256="r", verdict="FAIL").of_kind("audit")
    assert (audit["synthetic_sha256"], audit["policy_sha256"], audit["verdict"]) == ("s", "p", "FAIL")
    assert Ledger.read(ledger.path).beginning(audit) == begun
    ledger.path.write_bytes(ledger.path.read_bytes().splitlines(keepends=True)[0])
    with pytest.raises(BudgetError, match="cut off"):
        ledger.record_audit(begun, report_sha256="r", verdict="FAIL")


def test_a_ledger_of_before_beginnings_still_opens(tmp_path: Path) -> None:
    """Its audits are attempts, and each is its own beginning."""
    path, old = _new(tmp_path).path, {"kind": "audit", "report_sha256": "r", "policy_sha256": "p", "verdict": "FAIL"}
    for name in ("s1", "s1", "s2"):
        extend_chain(path, read_chain(path, "x"), {**old, "synthetic_sha256": name}, "x")
    ledger = Ledger.read(path)
    assert [ledger.attempt(name) for name in ("s1", "s2", "s3")] == [1, 2, 3]
    assert [ledger.beginning(audit) for audit in ledger.of_kind("audit")] == ledger.of_kind("audit")
    assert ledger.begin_audit("s2", policy_sha256="p").attempt("s2") == 2


def test_missing_and_special_files_are_budget_errors(tmp_path: Path) -> None:
    """No ledger, or a link in its place, is a mismatch and not a fresh start."""
    with pytest.raises(BudgetError):
        Ledger.read(tmp_path / "none")
    path = _used(tmp_path).path
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(BudgetError):
        Ledger.read(link)


@given(st.lists(st.tuples(st.floats(0.8, 8), st.floats(0.01, 1), st.integers(1, 200)), min_size=1, max_size=3))
@settings(max_examples=15, deadline=None)
def test_the_smallest_cap_is_the_smallest_that_admits(runs: list[tuple[float, float, int]]) -> None:
    """Its filter lets everything pass, one a little smaller does not, and no accountant's total is above it."""
    queries = [GaussianQueries(noise_multiplier=n, sample_rate=q, steps=t) for n, q, t in runs]
    cap = smallest_cap(queries, 1e-5)
    if math.isfinite(cap):
        assert RenyiFilter.of(cap, 1e-5).admits(queries, [], delta=1e-5)
        assert cap < 1e-4 or not RenyiFilter.of(cap * 0.999 - 1e-5, 1e-5).admits(queries, [], delta=1e-5)
        assert spend_of(queries, 1e-5).epsilon <= cap * 1.001
    else:
        assert not RenyiFilter.of(1000.0, 1e-5).admits(queries, [], delta=1e-5)


def test_nothing_asked_needs_no_cap() -> None:
    assert smallest_cap([], 1e-5) == 0


def test_a_full_cap_of_several_runs_is_not_above_itself(tmp_path: Path) -> None:
    """What a ledger admits is proven for its cap, to the last bit of the search."""
    ledger = _new(tmp_path, 3.0).charge("one", [_once(1.0, 1e-5)], delta=1e-5)
    left = ledger.cap.budget - renyi(ledger.queries(), ledger.cap.order)
    last = GaussianQueries(
        noise_multiplier=math.sqrt(ledger.cap.order / (2 * left)) * 1.0001, sample_rate=1.0, steps=1
    )
    ledger = ledger.charge("two", [last], delta=1e-5)
    assert 2.99 < ledger.proven() <= 3.0 + 1e-5
