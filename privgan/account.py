"""What a cohort has spent, told from its ledger: the answer of `budget`."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from privgan.config import inline, to_table
from privgan.data.cohort.cohort import open_cohort
from privgan.data.cohort.sides import side_of
from privgan.data.patient_keys import typed
from privgan.dp.accounting import spend_of
from privgan.dp.budget.chain import Entry
from privgan.dp.budget.ledger import Ledger
from privgan.dp.gaussian import queries_of
from privgan.dp.spend import PrivacySpend
from privgan.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class RunLine:
    """One charged run.

    spend: of this run alone, at its own delta. queries: noisy sums over the members, those before training among
    them. state: open, closed, or replayable when its noise was seeded. date: on which it was charged.
    """

    run_id: str
    spend: PrivacySpend = field(metadata=inline("epsilon", "delta"))
    queries: int
    state: str
    date: str


@dataclass(frozen=True, kw_only=True)
class SiteLine:
    """What the site anchor adds. cohorts: of the whole site; connected: those that share members with this one."""

    anchor_id: str
    cohorts: int
    connected: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """The account of a cohort; `spend` is of everything charged to its patients, `room` of one more run.

    composition: which one `spend` is. proven: the epsilon that holds where runs were chosen after others, see
    `History.proven`.
    audits: that ended. attempts: sets of which an audit began, ended or not.
    """

    spend: PrivacySpend
    composition: str
    proven: float
    max_epsilon: float
    room: float
    runs: tuple[RunLine, ...]
    audits: int
    attempts: int
    site: SiteLine | None

    def to_json(self) -> dict[str, Any]:
        """The object of `privgan budget --json`."""
        return {
            "epsilon": self.spend.epsilon,
            "delta": self.spend.delta,
            "unit": self.spend.unit,
            "composition": self.composition,
            "filter_epsilon": self.proven,
            "max_epsilon": self.max_epsilon,
            "one_more_run": self.room,
            "runs": [to_table(run) for run in self.runs],
            "audits": self.audits,
            "attempts": self.attempts,
            "site_anchor": asdict(self.site) if self.site else None,
        }


@dataclass(frozen=True, kw_only=True)
class PatientAnswer:
    """What was done with one patient's images. Sensitive: for whoever has a right to ask, and nobody else.

    side: member, non-member, or None for a patient whom this cohort does not know. runs: of this cohort that may
    have drawn from the patient. elsewhere: the runs of other cohorts of the site that have the patient as a member.
    """

    side: str | None
    runs: tuple[str, ...]
    elsewhere: dict[str, tuple[str, ...]]

    def __repr__(self) -> str:
        return "PatientAnswer(sensitive)"


def statement_of(cohort: Path) -> Statement:
    """The account of a cohort.

    Raises:
        UsageError: there is no such folder.
        IntegrityError: it was edited.
        BudgetError: its ledger is damaged, or not the newest that the site anchor knows.
    """
    ledger = ledger_of(cohort)
    return Statement(
        spend=ledger.spend(),
        composition=ledger.composition(),
        proven=ledger.proven(),
        max_epsilon=ledger.cap.max_epsilon,
        room=ledger.room(),
        runs=tuple(_run(ledger, charge) for charge in ledger.of_kind("charge")),
        audits=len(ledger.of_kind("audit")),
        attempts=len(ledger.audited_sets()),
        site=_site(ledger),
    )


def answer_about(cohort: Path, patient: str) -> PatientAnswer:
    """Whether and in which runs a patient's images were used; every run may draw from every member.

    Args:
        cohort: a cohort folder.
        patient: the patient's number as it stands in the source. Sensitive.
    """
    if not patient.strip():
        raise UsageError("Expected a patient's number, got nothing.")
    ledger, side = ledger_of(cohort), side_of(cohort, patient)
    own = tuple(entry["run_id"] for entry in ledger.of_kind("charge"))
    elsewhere: dict[str, tuple[str, ...]] = {}
    if ledger.anchor:
        for other in ledger.anchor.cohorts_of(typed(patient)):
            if other != ledger.opening["cohort_id"]:
                elsewhere[other] = tuple(entry["run_id"] for entry in ledger.anchor.charges([other]))
    return PatientAnswer(side=side, runs=own if side == "member" else (), elsewhere=elsewhere)


def ledger_of(cohort: Path) -> Ledger:
    """The verified ledger of a cohort folder; raises what `statement_of` raises."""
    opened = open_cohort(cohort)
    return Ledger.of_cohort(opened.ledger_path, cohort_sha256=opened.sha256)


def _run(ledger: Ledger, charge: Entry) -> RunLine:
    queries = queries_of([charge])
    state = "closed" if ledger.of_kind("closed", charge["run_id"]) else "open"
    return RunLine(
        run_id=charge["run_id"],
        spend=spend_of(queries, charge["delta"]),
        queries=sum(query.steps for query in queries),
        state="replayable" if charge["replayable"] else state,
        date=charge["date"],
    )


def _site(ledger: Ledger) -> SiteLine | None:
    anchor = ledger.anchor
    if anchor is None:
        return None
    _, *others = anchor.connected(ledger.opening["cohort_id"])
    return SiteLine(anchor_id=anchor.anchor_id, cohorts=len(anchor.of_kind("joined")), connected=tuple(others))
