"""The ledger of a cohort: every query of its patients' data, charged before it is asked.

One JSON object a line, each holding the SHA-256 of the line before it, so that an edited, reordered or
dropped line is found. A dropped tail is found through what a run's own files remember of it; copying back a
whole cohort folder cannot be found from inside, but by a site anchor outside it. A charge is
written in full before the first noisy step and is never taken back: a run that stops early still costs
everything that was planned.

    opened      members, delta and the cap on epsilon, frozen by prepare
    charge      a run's queries, before its first step
    checkpoint  the hash of a resume state, before the state gets its name
    resumed     a run went on from a saved state, whose hash this repeats
    answered    the hash of a site's answer in a federation, before it leaves the site
    closed      the hashes of the finished generator's two files; nothing of this run resumes after it
    begun       an audit of a synthetic set, before it looks: attempts are counted, whatever becomes of them
    audit       how it ended: reports cannot be edited; `rehearsed`, if it compared files and not the cohort
    rejected    the officer said no to an audited set, who and why; it holds whatever becomes of files
    revoked     the officer took back the approval of an audited set; it holds whatever becomes of files
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from privgan.dp.budget.anchor import Seat, SiteAnchor, write_place
from privgan.dp.budget.chain import Entry, chain_locked, extend_chain, read_chain, seal_of_next, start_chain
from privgan.dp.budget.history import NAME, History
from privgan.dp.budget.renyi import RenyiFilter
from privgan.dp.gaussian import GaussianQueries
from privgan.errors import BudgetError
from privgan.folders import recover

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Ledger(History):
    """A ledger that can be written to: every write reads it again under a lock."""

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        cohort_sha256: str,
        members: int,
        delta: float,
        max_epsilon: float,
        seat: Seat | None = None,
        project: Mapping[str, str] | None = None,
    ) -> Self:
        """Write a new ledger with its opening entry.

        Args:
            path: must not exist.
            cohort_sha256: digest of cohort.json, so that the two cannot be exchanged separately.
            members: the public number of patients that may take part in queries.
            delta: the delta at which the cap holds.
            max_epsilon: no charge may bring the total above it.
            seat: the cohort's place in a site anchor, if the site has one.
            project: in words, what the cohort is for and who answers for it; empty texts are left out.
        """
        opening = {
            "schema_version": SCHEMA_VERSION,
            "cohort_sha256": cohort_sha256,
            "members": members,
            **RenyiFilter.of(max_epsilon, delta).to_json(),
            **{name: text for name, text in (project or {}).items() if text},
        }
        if seat:
            opening |= write_place(path.parent, seat)
        start_chain(path, opening)
        if seat:
            with seat.anchor.locked():
                SiteAnchor.read(seat.anchor.folder).note(seat.cohort_id, read_chain(path, NAME)[0])
        return cls.read(path)

    def charge(
        self, run_id: str, queries: Sequence[GaussianQueries], *, delta: float, replayable: bool = False
    ) -> "Ledger":
        """Charge all planned queries of a run, before the first.

        Args:
            run_id: a new one.
            queries: everything that the run will ask.
            delta: at which the run's own epsilon is stated.
            replayable: the noise is seeded; what comes of it is NOT PRIVATE, and no file can take that back.

        Raises:
            BudgetError: the run is charged already, or the total would pass the cap; nothing is written then.
        """
        with self._locked() as now:
            if now.of_kind("charge", run_id):
                raise BudgetError("Expected a new run, this one is charged in the ledger already.")
            now.require_affordable(queries, delta=delta, run_id=run_id)
            anchor = now.anchor and now.anchor.charge(now.opening["cohort_id"], run_id, queries)
            return _append(
                replace(now, anchor=anchor),
                {
                    "kind": "charge",
                    "run_id": run_id,
                    "date": datetime.now(UTC).date().isoformat(),
                    "delta": delta,
                    "queries": [query.to_json() for query in queries],
                    "replayable": replayable,
                },
            )

    def checkpoint(self, run_id: str, *, step: int, sha256: str) -> "Ledger":
        """Announce a resume state, before it is renamed into place."""
        with self._locked() as now:
            now.require_open(run_id)
            return _append(now, {"kind": "checkpoint", "run_id": run_id, "step": step, "sha256": sha256})

    def resume(self, run_id: str, *, step: int, sha256: str) -> "Ledger":
        """Remember that a run goes on from a saved state: who audits should know that a file was read back."""
        with self._locked() as now:
            now.require_resumable(run_id, sha256)
            return _append(now, {"kind": "resumed", "run_id": run_id, "step": step, "sha256": sha256})

    def record_answer(self, run_id: str, *, question: int, sha256: str) -> "Ledger":
        """Remember a site's answer to a question of a federation, before it leaves: there is never a second one.

        Raises:
            BudgetError: the run is not charged, or is closed, or the question was answered.
        """
        with self._locked() as now:
            now.require_open(run_id)
            if any(entry["question"] == question for entry in now.of_kind("answered", run_id)):
                raise BudgetError("Expected a question that this site has not answered, the ledger has its answer.")
            return _append(now, {"kind": "answered", "run_id": run_id, "question": question, "sha256": sha256})

    def close(self, run_id: str, *, generator_sha256: str, config_sha256: str) -> "Ledger":
        """End a run: its generator is final, weights and constants, and nothing of it resumes."""
        digests = {"generator_sha256": generator_sha256, "config_sha256": config_sha256}
        with self._locked() as now:
            now.require_open(run_id)
            return _append(now, {"kind": "closed", "run_id": run_id, **digests})

    def begin_audit(self, synthetic_sha256: str, *, policy_sha256: str, rehearsal: bool = False) -> "Ledger":
        """Count an audit as an attempt, before it looks; its entry is then the last one.

        Args:
            synthetic_sha256: of the set.
            policy_sha256: by which it will be judged.
            rehearsal: files are compared that somebody says are of the cohort's patients, not the cohort.
        """
        with self._locked() as now:
            return _append(
                now,
                {
                    "kind": "begun",
                    "date": datetime.now(UTC).date().isoformat(),
                    "synthetic_sha256": synthetic_sha256,
                    "policy_sha256": policy_sha256,
                    "rehearsal": rehearsal,
                },
            )

    def record_audit(self, begun: Entry, *, report_sha256: str, verdict: str) -> "Ledger":
        """Remember how an audit ended, so that its report cannot be edited.

        Args:
            begun: the entry of its beginning.
            report_sha256: of audit.json.
            verdict: the one in it.

        Raises:
            BudgetError: the ledger lost the beginning meanwhile.
        """
        with self._locked() as now:
            now.require_whole(begun["sequence"], begun["hash"])
            return _append(
                now,
                {
                    "kind": "rehearsed" if begun["rehearsal"] else "audit",
                    "begun": begun["hash"],
                    "report_sha256": report_sha256,
                    "synthetic_sha256": begun["synthetic_sha256"],
                    "policy_sha256": begun["policy_sha256"],
                    "verdict": verdict,
                },
            )

    def record_revocation(
        self, *, report_sha256: str, synthetic_sha256: str, approval_sha256: str, date: str
    ) -> "Ledger":
        """Remember that the approval of an audited set was taken back, for good."""
        digests = {
            "report_sha256": report_sha256,
            "synthetic_sha256": synthetic_sha256,
            "approval_sha256": approval_sha256,
        }
        with self._locked() as now:
            return _append(now, {"kind": "revoked", "date": date, **digests})

    def record_rejection(
        self, *, report_sha256: str, synthetic_sha256: str, officer: str, reason: str, date: str
    ) -> "Ledger":
        """Remember that the officer said no to an audited set, for good."""
        told = {"officer": officer, "reason": reason, "date": date}
        digests = {"report_sha256": report_sha256, "synthetic_sha256": synthetic_sha256}
        with self._locked() as now:
            return _append(now, {"kind": "rejected", **told, **digests})

    @contextmanager
    def _locked(self) -> Iterator[Self]:
        with ExitStack() as locks:
            if self.anchor:
                locks.enter_context(self.anchor.locked())
            locks.enter_context(chain_locked(self.path, NAME))
            yield type(self).read(self.path)


def _append(ledger: Ledger, entry: Entry) -> Ledger:
    """The anchor hears of an entry before the ledger has it, and once more when it has."""
    cohort_id, seal = ledger.opening.get("cohort_id", ""), seal_of_next(ledger.entries, entry)
    anchor = ledger.anchor and ledger.anchor.announce(cohort_id, ledger.entries, seal)
    entries = extend_chain(ledger.path, ledger.entries, entry, NAME)
    return replace(ledger, entries=entries, anchor=anchor and anchor.note(cohort_id, entries[-1]))


def require_unspent(cohort: Path) -> None:
    """A new ledger would forget what the old one charged.

    Raises:
        BudgetError: this cohort, or an older one of its name that a kill left aside, has spent privacy.
    """
    recover(cohort)
    ledger = cohort / "private" / "ledger.jsonl"
    if ledger.exists() and Ledger.read(ledger).queries():
        raise BudgetError(
            "Expected a cohort on which no privacy was spent, this one's ledger has charges. Prepare under "
            "another name, or delete the folder by hand if you are sure that its outputs were never used."
        )
