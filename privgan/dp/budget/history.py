"""What a cohort's ledger says: its entries, verified, and what follows from them; nothing is written here."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from privgan.dp.accounting import spend_of
from privgan.dp.budget.anchor import SiteAnchor, anchor_of
from privgan.dp.budget.chain import Entry, read_chain
from privgan.dp.budget.renyi import RenyiFilter, smallest_cap
from privgan.dp.gaussian import GaussianQueries, queries_of
from privgan.dp.spend import PrivacySpend
from privgan.errors import BudgetError, IntegrityError
from privgan.language import to_tr

NAME = to_tr("cohort's privacy ledger")
ONE_RUN = to_tr("one run")
PLANNED_TOGETHER = to_tr("as if all runs had been planned before the first")


@dataclass(frozen=True, kw_only=True)
class History:
    """A verified ledger as it was read."""

    path: Path
    entries: tuple[Entry, ...]
    cap: RenyiFilter
    anchor: SiteAnchor | None = None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and verify the chain, and that the site anchor, if there is one, knows it as the newest.

        Raises:
            BudgetError: it is missing, empty, or a line is edited, reordered, dropped or cut; the anchor is missing,
                or the cohort was rolled back or used as two copies.
        """
        entries = read_chain(path, NAME)
        cap, anchor = RenyiFilter.opened(entries[0]), anchor_of(path.parent, entries[0])
        if anchor:
            entries = read_chain(path, NAME)  # after the anchor: another process may have written in between
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
        """The composition of everything ever charged to these patients, as if it had been planned together."""
        return spend_of(self.all_queries(), self.cap.delta if delta is None else delta)

    def proven(self) -> float:
        """The epsilon that is proven for everything ever charged to these patients, at the cap's delta.

        Of one run it is that of `spend`. Of several it is the Renyi filter's: `spend` composes them as if all had
        been planned before the first, and who plans a run has seen the ones before it.
        """
        return smallest_cap(self.all_queries(), self.cap.delta) if self.runs() > 1 else self.spend().epsilon

    def composition(self) -> str:
        """Which composition `spend` is: of one run, or of several as if they had been planned together."""
        return PLANNED_TOGETHER if self.runs() > 1 else ONE_RUN

    def runs(self) -> int:
        """How many runs were charged to these patients, here or at the site."""
        if self.anchor:
            return len(self.anchor.charges(self.anchor.connected(self.opening["cohort_id"])))
        return len(self.of_kind("charge"))

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
            reason = cap.refusal(before, queries, delta=delta)
            raise BudgetError(
                f"This run does not fit under this cohort's cap, {reason}"
                if cap == self.cap
                else f"This run does not fit under the cap of one that shares patients with this cohort, {reason}"
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
            raise BudgetError(
                "Expected the latest resume state of this run, got an older or a foreign one (or the ledger lost its "
                "last lines). Restore both from the same backup."
            )

    def audited_sets(self) -> list[str]:
        """The digest of every set of which an audit or a rehearsal ever began, in the order of their first ones.

        An audit without a beginning is of a ledger of before beginnings were kept.
        """
        begun = (e for e in self.entries if e["kind"] == "begun" or (e["kind"] == "audit" and "begun" not in e))
        return list(dict.fromkeys(entry["synthetic_sha256"] for entry in begun))

    def attempt(self, synthetic_sha256: str) -> int:
        """Which audit attempt of this cohort an audit of this synthetic set is, from 1.

        Auditing the same set again is the same attempt: what would gain from many is choosing among many sets.
        """
        seen = self.audited_sets()
        return (seen.index(synthetic_sha256) if synthetic_sha256 in seen else len(seen)) + 1

    def beginning(self, audit: Entry) -> Entry:
        """The entry in which a recorded audit began; itself in a ledger of before beginnings were kept.

        Raises:
            BudgetError: the ledger does not hold it.
        """
        if "begun" not in audit:
            return audit
        found = [entry for entry in self.of_kind("begun") if entry["hash"] == audit["begun"]]
        if not found:
            raise BudgetError("Expected the beginning of an audit in the ledger, it is missing.")
        return found[0]

    def require_whole(self, sequence: int, head: str) -> None:
        """Refuse a ledger that lost an entry which something outside it remembers.

        Args:
            sequence: of the entry.
            head: its hash.

        Raises:
            BudgetError: see above.
        """
        if sequence >= len(self.entries) or self.entries[sequence]["hash"] != head:
            raise BudgetError(
                f"Expected ledger entry {sequence + 1} as an audit left it, it is another one or gone: the ledger's "
                "last lines were cut off, or it was rolled back. Restore the newest copy."
            )

    def _caps(self) -> list[RenyiFilter]:
        others = self.anchor.caps(self.opening["cohort_id"]) if self.anchor else []
        return list(dict.fromkeys([self.cap, *others]))
