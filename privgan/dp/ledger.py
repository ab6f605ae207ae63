"""The ledger of a cohort: every query of its patients' data, charged before it is asked.

One JSON object a line, each holding the SHA-256 of the line before it, so that an edited, reordered or
dropped line is found (a dropped tail only through what other files remember of it; copying back a whole
cohort folder cannot be found from inside). A charge is written in full before the first noisy step and is
never taken back: a run that stops early still costs everything that was planned.

    opened      members, delta and the cap on epsilon, frozen by prepare
    charge      a run's queries, before its first step
    checkpoint  the hash of a resume state, before the state gets its name
    closed      the hash of the finished generator; nothing of this run resumes after it
    audit       one audit of a synthetic set: attempts are counted, reports cannot be edited
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from privgan.dp.accounting import GaussianQueries, PrivacySpend
from privgan.errors import BudgetError, IntegrityError
from privgan.files import PRIVATE_FILE, canonical_json, open_regular, sha256_bytes

_START = "0" * 64
SCHEMA_VERSION = 1

Entry = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """A verified ledger as it was read; every write reads it again under a lock."""

    path: Path
    entries: tuple[Entry, ...]

    @classmethod
    def create(cls, path: Path, *, cohort_sha256: str, members: int, delta: float, max_epsilon: float) -> Self:
        """Write a new ledger with its opening entry.

        Args:
            path: must not exist.
            cohort_sha256: digest of cohort.json, so that the two cannot be exchanged separately.
            members: the public number of patients that may take part in queries.
            delta: the delta at which the cap holds.
            max_epsilon: no charge may bring the total above it.
        """
        opening = {
            "kind": "opened",
            "schema_version": SCHEMA_VERSION,
            "cohort_sha256": cohort_sha256,
            "members": members,
            "delta": delta,
            "max_epsilon": max_epsilon,
        }
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(_sealed(opening, 0, _START))
            stream.flush()
            os.fsync(stream.fileno())
        return cls.read(path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and verify the chain.

        Raises:
            BudgetError: it is missing, empty, or a line is edited, reordered, dropped or cut.
        """
        try:
            with open_regular(path) as stream:
                content: bytes = stream.read()
        except IntegrityError:
            raise BudgetError("Expected the cohort's privacy ledger, it is missing or not a file.") from None
        return cls(path=path, entries=tuple(_verified(content)))

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
        return [GaussianQueries(**q) for e in self.of_kind("charge", run_id) for q in e["queries"]]

    def spend(self, delta: float | None = None) -> PrivacySpend:
        """The composition of everything ever charged to this cohort."""
        return PrivacySpend.of(self.queries(), self.opening["delta"] if delta is None else delta)

    def require_affordable(self, queries: Sequence[GaussianQueries], *, delta: float) -> None:
        """Refuse queries that would bring the total above the cap.

        The total is taken at the smaller of the run's delta and the ledger's, which only makes it larger.

        Raises:
            BudgetError: the cap would be passed.
        """
        cap = float(self.opening["max_epsilon"])
        total = PrivacySpend.of([*self.queries(), *queries], min(delta, self.opening["delta"]))
        if not total.epsilon <= cap:
            raise BudgetError(
                f"This run would bring the cohort's total to epsilon {total.epsilon:.3f}, above its cap of "
                f"{cap:g} (spent before: {self.spend().epsilon:.3f}). Plan a smaller epsilon."
            )

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
            now.require_affordable(queries, delta=delta)
            asked = [query.to_json() for query in queries]
            return _append(
                now,
                {"kind": "charge", "run_id": run_id, "delta": delta, "queries": asked, "replayable": replayable},
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
            raise BudgetError("Expected the latest resume state of this run, got an older or a foreign one.")

    def attempt(self, synthetic_sha256: str) -> int:
        """Which audit attempt of this cohort an audit of this synthetic set is, from 1.

        Auditing the same set again is the same attempt: the audit is deterministic, nothing is gained.
        """
        seen = list(dict.fromkeys(e["synthetic_sha256"] for e in self.of_kind("audit")))
        return (seen.index(synthetic_sha256) if synthetic_sha256 in seen else len(seen)) + 1

    @contextmanager
    def _locked(self) -> Iterator[Self]:
        descriptor = os.open(self.path, os.O_RDWR | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield type(self).read(self.path)
        finally:
            os.close(descriptor)


def _append(ledger: Ledger, entry: Entry) -> Ledger:
    line = _sealed(entry, len(ledger.entries), ledger.head)
    descriptor = os.open(ledger.path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "ab") as stream:
        stream.write(line)
        stream.flush()
        os.fsync(stream.fileno())
    return Ledger.read(ledger.path)


def _sealed(entry: Entry, sequence: int, previous: str) -> bytes:
    body = {"sequence": sequence, "previous": previous, **entry}
    return canonical_json({**body, "hash": sha256_bytes(canonical_json(body))}) + b"\n"


def _verified(content: bytes) -> Iterator[Entry]:
    if not content.endswith(b"\n"):
        raise BudgetError("The privacy ledger is empty or its last line is cut off; restore it from a backup.")
    previous = _START
    for sequence, line in enumerate(content.splitlines()):
        try:
            entry: Entry = json.loads(line)
            seal = entry.pop("hash")
        except (ValueError, KeyError, AttributeError):
            raise BudgetError(f"Line {sequence + 1} of the privacy ledger cannot be read.") from None
        intact = seal == sha256_bytes(canonical_json(entry))
        if not (intact and entry.get("sequence") == sequence and entry.get("previous") == previous):
            raise BudgetError(f"Line {sequence + 1} of the privacy ledger was edited, moved or follows a gap.")
        if (sequence == 0) != (entry.get("kind") == "opened"):
            raise BudgetError(f"Line {sequence + 1} of the privacy ledger is of an unexpected kind.")
        previous = seal
        yield {**entry, "hash": seal}
