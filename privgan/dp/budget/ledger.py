"""The ledger of a cohort: every query of its patients' data, charged before it is asked.

One JSON object a line, each holding the SHA-256 of the line before it, so that an edited, reordered or
dropped line is found. A dropped tail is found through what a run's own files remember of it; copying back a
whole cohort folder cannot be found from inside, but by a site anchor outside it. A charge is
written in full before the first noisy step and is never taken back: a run that stops early still costs
everything that was planned.

    opened      members, delta and the cap on epsilon, frozen by prepare
    charge      a run's queries, before its first step
    checkpoint  the hash of a resume state, before the state gets its name
    closed      the hash of the finished generator; nothing of this run resumes after it
    audit       one audit of a synthetic set: attempts are counted, reports cannot be edited
    revoked     the officer took back the approval of an audited set; it holds whatever becomes of files
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from privgan.dp.accounting import GaussianQueries, queries_of, spend_of
from privgan.dp.budget.anchor import Seat, SiteAnchor, anchor_of, write_place
from privgan.dp.budget.chain import Entry, chain_locked, extend_chain, read_chain, start_chain
from privgan.dp.budget.renyi import RenyiFilter
from privgan.dp.spend import PrivacySpend
from privgan.errors import BudgetError, IntegrityError

SCHEMA_VERSION = 1
_NAME = "cohort's privacy ledger"


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """A verified ledger as it was read; every write reads it again under a lock."""

    path: Path
    entries: tuple[Entry, ...]
    cap: RenyiFilter
    anchor: SiteAnchor | None = None

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
    ) -> Self:
        """Write a new ledger with its opening entry.

        Args:
            path: must not exist.
            cohort_sha256: digest of cohort.json, so that the two cannot be exchanged separately.
            members: the public number of patients that may take part in queries.
            delta: the delta at which the cap holds.
            max_epsilon: no charge may bring the total above it.
            seat: the cohort's place in a site anchor, if the site has one.
        """
        opening = {
            "schema_version": SCHEMA_VERSION,
            "cohort_sha256": cohort_sha256,
            "members": members,
            **RenyiFilter.of(max_epsilon, delta).to_json(),
        }
        if seat:
            opening |= write_place(path.parent, seat)
        start_chain(path, opening)
        if seat:
            with seat.anchor.locked():
                SiteAnchor.read(seat.anchor.folder).note(seat.cohort_id, read_chain(path, _NAME)[0])
        return cls.read(path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and verify the chain, and that the site anchor, if there is one, knows it as the newest.

        Raises:
            BudgetError: it is missing, empty, or a line is edited, reordered, dropped or cut; the anchor is missing,
                or the cohort was rolled back or used as two copies.
        """
        entries = read_chain(path, _NAME)
        cap, anchor = RenyiFilter.opened(entries[0]), anchor_of(path.parent, entries[0])
        if anchor:
            entries = read_chain(path, _NAME)  # after the anchor: another process may have written in between
            anchor.require_current(entries[0]["cohort_id"], entries)
        return cls(path=path, entries=entries, cap=cap, anchor=anchor)

    @classmethod
    def of_cohort(cls, path: Path, *, cohort_sha256: str) -> Self:
        """Read and verify the chain, and that it was opened for this very cohort.json.

        Args:
            path: the ledger.
            cohort_sha256: digest of cohort.json as it is now.

        Raises:
            BudgetError: the chain is missing or broken, as in `read`.
            IntegrityError: ledger or cohort.json is another cohort's, or cohort.json was edited.
        """
        ledger = cls.read(path)
        if ledger.opening.get("cohort_sha256") != cohort_sha256:
            raise IntegrityError(
                "Expected cohort.json and the ledger that was opened for it, they do not belong together: one of "
                "them is of another cohort, or cohort.json was edited."
            )
        return ledger

    @property
    def opening(self) -> Entry:
        """What prepare froze: cohort_sha256, members, delta, max_epsilon."""
        return self.entries[0]

    @property
    def head(self) -> str:
        """The hash of the last entry, which stands for the whole history."""
        return str(self.entries[-1]["hash"])

    def of_kind(self, kind: str, run_id: str | None = None) -> list[Entry]:
        """All entries of one kind, optionally of one run, in order."""
        return [e for e in self.entries if e["kind"] == kind and run_id in (None, e.get("run_id"))]

    def queries(self, run_id: str | None = None) -> list[GaussianQueries]:
        """Every charged query, of all runs or of one."""
        return queries_of(self.of_kind("charge", run_id))

    def all_queries(self, *, but: str = "") -> list[GaussianQueries]:
        """Every charged query that may have met one of these patients, except those of the run `but`.

        Under a site anchor these are also the queries of cohorts that share patients with this one.
        """
        if self.anchor:
            return self.anchor.queries(self.opening["cohort_id"], but=but)
        return queries_of(entry for entry in self.of_kind("charge") if entry["run_id"] != but)

    def spend(self, delta: float | None = None) -> PrivacySpend:
        """The composition of everything ever charged to these patients: `all_queries`."""
        return spend_of(self.all_queries(), self.cap.delta if delta is None else delta)

    def charged_since(self, entry: Entry) -> bool:
        """Whether anything was charged to these patients after an entry of this ledger, here or at the site."""
        if any(charge["sequence"] > entry["sequence"] for charge in self.of_kind("charge")):
            return True
        return self.anchor is not None and self.anchor.charged_since(self.opening["cohort_id"], entry)

    def room(self) -> float:
        """About how much epsilon one more run may have, under every cap that it must keep."""
        return min(cap.room(self.all_queries()) for cap in self._caps())

    def require_affordable(self, queries: Sequence[GaussianQueries], *, delta: float, run_id: str = "") -> None:
        """Refuse queries that a filter does not admit after everything charged so far.

        Args:
            queries: of the new run.
            delta: at which the run's own epsilon is stated.
            run_id: of the new run, which a kill may have left charged in the site anchor alone.

        Raises:
            BudgetError: the cap would be passed.
        """
        before = self.all_queries(but=run_id)
        refusing = [cap for cap in self._caps() if not cap.admits(before, queries, delta=delta)]
        if refusing:
            cap = min(refusing, key=lambda cap: cap.room(before))
            whose = "this cohort's cap" if cap == self.cap else "the cap of one that shares patients with this cohort"
            raise BudgetError(f"This run does not fit under {whose}, {cap.refusal(before, queries, delta=delta)}")

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

    def close(self, run_id: str, *, generator_sha256: str) -> "Ledger":
        """End a run: its generator is final and nothing of it resumes."""
        with self._locked() as now:
            now.require_open(run_id)
            return _append(now, {"kind": "closed", "run_id": run_id, "generator_sha256": generator_sha256})

    def record_audit(
        self, *, report_sha256: str, synthetic_sha256: str, policy_sha256: str, verdict: str
    ) -> "Ledger":
        """Remember an audit, so that its report cannot be edited and attempts are counted."""
        with self._locked() as now:
            return _append(
                now,
                {
                    "kind": "audit",
                    "report_sha256": report_sha256,
                    "synthetic_sha256": synthetic_sha256,
                    "policy_sha256": policy_sha256,
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

    def require_open(self, run_id: str) -> None:
        """Refuse a run that was never charged or is closed.

        Raises:
            BudgetError: see above.
        """
        if not self.of_kind("charge", run_id):
            raise BudgetError("Expected a run that this cohort's ledger has charged, it knows none by this id.")
        if self.of_kind("closed", run_id):
            raise BudgetError("Expected an open run, the ledger has closed it. A closed run never resumes.")

    def require_resumable(self, run_id: str, state_sha256: str) -> None:
        """Accept only the newest announced resume state, or the one before it.

        The one before is legitimate after a kill between announcing a state and renaming it.

        Raises:
            BudgetError: the run is closed, or the state is old or foreign.
        """
        self.require_open(run_id)
        accepted = [e["sha256"] for e in self.of_kind("checkpoint", run_id)][-2:]
        if state_sha256 not in accepted:
            raise BudgetError(
                "Expected the latest resume state of this run, got an older or a foreign one (or the ledger lost its "
                "last lines). Restore both from the same backup."
            )

    def attempt(self, synthetic_sha256: str) -> int:
        """Which audit attempt of this cohort an audit of this synthetic set is, from 1.

        Auditing the same set again is the same attempt: the audit is deterministic, nothing is gained.
        """
        seen = list(dict.fromkeys(e["synthetic_sha256"] for e in self.of_kind("audit")))
        return (seen.index(synthetic_sha256) if synthetic_sha256 in seen else len(seen)) + 1

    @contextmanager
    def _locked(self) -> Iterator[Self]:
        with ExitStack() as locks:
            if self.anchor:
                locks.enter_context(self.anchor.locked())
            locks.enter_context(chain_locked(self.path, _NAME))
            yield type(self).read(self.path)

    def _caps(self) -> list[RenyiFilter]:
        others = self.anchor.caps(self.opening["cohort_id"]) if self.anchor else []
        return list(dict.fromkeys([self.cap, *others]))


def _append(ledger: Ledger, entry: Entry) -> Ledger:
    entries = extend_chain(ledger.path, ledger.entries, entry, _NAME)
    anchor = ledger.anchor and ledger.anchor.note(ledger.opening["cohort_id"], entries[-1])
    return replace(ledger, entries=entries, anchor=anchor)
