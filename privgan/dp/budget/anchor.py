"""What a site remembers outside its cohorts, so that copying or rolling back a cohort folder is noticed.

    ANCHOR/key              HMAC key of the site
           anchor.jsonl     hash-chained like a ledger
           members/ID       keyed digests of the member patients' numbers of cohort ID, sorted

    opened     the digest of the key; the hash of this line names the anchor
    joined     a cohort: its cap, the digest of its members file, and which earlier cohorts share a member with it
    charge     a run's queries, written before the cohort's own ledger has them
    announced  the sequence and hash of a ledger's next entry, of whatever kind, written before the ledger has it
    head       the same of its newest entry, written after the ledger has it

A kill between these loses budget at worst: a charge that only the anchor has counts as spent. A ledger may be ahead
of its head by the one entry that was announced last, or lack it: then the next announcement takes its place, and what
was announced before never becomes an entry. An entry that was not announced is a forgery. Anchors of versions that
announced nothing are taken over where their head is the ledger's newest entry. Everything else that does not fit is a
refusal. No number or path of a person is kept. Locks are taken in one order: anchor, then ledger.
"""

import logging
import secrets
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from privgan.dp.budget.chain import Entry, chain_locked, extend_chain, read_chain, start_chain
from privgan.dp.budget.renyi import RenyiFilter
from privgan.dp.gaussian import GaussianQueries, queries_of
from privgan.errors import BudgetError, IntegrityError
from privgan.files import open_regular, patient_digest, read_json, sha256_bytes, write_bytes, write_json
from privgan.folders import PRIVATE_FOLDER, staged_folder
from privgan.language import to_tr

SCHEMA_VERSION = 1
_CHAIN, _KEY, _MEMBERS = "anchor.jsonl", "key", "members"
_PLACE = "site-anchor.json"
_NAME = to_tr("site anchor")
KILLED = to_tr(
    "The site anchor was told of a ledger entry that was never written: a command was killed there. What it charged "
    "counts; the entry is burnt, and the next one takes its place."
)
_log = logging.getLogger(__name__)
_BROUGHT_BACK = "Bring it back, or write where it is now into the cohort's private/site-anchor.json."


@dataclass(frozen=True, kw_only=True)
class SiteAnchor:
    """A verified anchor as it was read; whoever writes holds its lock and has read it since."""

    folder: Path
    entries: tuple[Entry, ...]
    key: bytes = field(repr=False)

    @classmethod
    def found_or_made(cls, folder: Path) -> Self:
        """The anchor in a folder, or a new one where there is none.

        Raises:
            UsageError: the folder holds something else.
            BudgetError: the anchor is damaged.
        """
        if not (folder / _CHAIN).exists():
            with staged_folder(folder, marker=_CHAIN) as staging:
                key = secrets.token_bytes(32)
                write_bytes(staging / _KEY, key)
                (staging / _MEMBERS).mkdir(mode=PRIVATE_FOLDER)
                start_chain(staging / _CHAIN, {"schema_version": SCHEMA_VERSION, "key_sha256": sha256_bytes(key)})
        return cls.read(folder)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read and verify an anchor.

        Raises:
            BudgetError: it is missing, or its chain, its key or a file of members is damaged.
        """
        if not folder.is_dir():
            raise BudgetError(
                f"Expected the {_NAME} that this cohort was prepared under, it is missing. {_BROUGHT_BACK}"
            )
        entries = read_chain(folder / _CHAIN, _NAME)
        key = _content(folder / _KEY)
        if sha256_bytes(key) != entries[0].get("key_sha256"):
            raise BudgetError(f"Expected the key of this {_NAME}, another one is in its place.")
        return cls(folder=folder, entries=entries, key=key)

    @property
    def anchor_id(self) -> str:
        """The hash of its first line, which no other anchor has."""
        return str(self.entries[0]["hash"])

    def locked(self) -> AbstractContextManager[None]:
        """Keep every other writer of the site out; taken before a ledger's own lock."""
        return chain_locked(self.folder / _CHAIN, _NAME)

    def digest(self, patient: str) -> str:
        """What the anchor keeps of a patient's number (sensitive)."""
        return patient_digest(self.key, patient)

    def of_kind(self, kind: str) -> list[Entry]:
        """All entries of one kind, in order."""
        return [entry for entry in self.entries if entry["kind"] == kind]

    def cohorts_of(self, patient: Iterable[str]) -> list[str]:
        """The cohorts that have a patient, under any of these numbers, as a member, in the order of preparation."""
        wanted = set(map(self.digest, patient))
        return [entry["cohort_id"] for entry in self.of_kind("joined") if not wanted.isdisjoint(self.members(entry))]

    def connected(self, cohort_id: str) -> list[str]:
        """The cohorts that share members with this one, directly or over others; itself first."""
        neighbours: dict[str, set[str]] = {}
        for entry in self.of_kind("joined"):
            for other in entry["overlaps"]:
                neighbours.setdefault(entry["cohort_id"], set()).add(other)
                neighbours.setdefault(other, set()).add(entry["cohort_id"])
        found = [cohort_id]
        for cohort in found:  # grows while it is walked
            found += sorted(neighbours.get(cohort, set()) - set(found))
        return found

    def charges(self, cohort_ids: Iterable[str]) -> list[Entry]:
        """Every charge of some cohorts, in order."""
        wanted = set(cohort_ids)
        return [entry for entry in self.of_kind("charge") if entry["cohort_id"] in wanted]

    def queries(self, cohort_id: str, *, but: str = "") -> list[GaussianQueries]:
        """Everything charged to a cohort and to those connected with it, except by the run `but`."""
        entries = self.charges(self.connected(cohort_id))
        return queries_of(entry for entry in entries if entry["run_id"] != but)

    def charged_since(self, cohort_id: str, entry: Entry) -> bool:
        """Whether a cohort or one connected with it was charged after the anchor had heard of a ledger entry."""
        heard = [
            head["sequence"]
            for head in self.of_kind("head")
            if head["cohort_id"] == cohort_id and head["ledger_sequence"] >= entry["sequence"]
        ]
        charges = self.charges(self.connected(cohort_id))
        return any(not heard or charge["sequence"] > heard[0] for charge in charges)

    def caps(self, cohort_id: str) -> list[RenyiFilter]:
        """The caps that a charge to this cohort must keep: its own, and those of connected cohorts in use."""
        used = {entry["cohort_id"] for entry in self.of_kind("charge")} | {cohort_id}
        kept = used & set(self.connected(cohort_id))
        return [RenyiFilter.opened(entry) for entry in self.of_kind("joined") if entry["cohort_id"] in kept]

    def require_current(self, cohort_id: str, ledger: Sequence[Entry]) -> None:
        """Refuse a ledger that is not the newest, or not the only, one of its cohort, or has entries of others.

        Raises:
            BudgetError: it was rolled back, copied, edited or forged; or the anchor itself was rolled back.
        """
        heads = [entry for entry in self.of_kind("head") if entry["cohort_id"] == cohort_id]
        if not heads:
            raise BudgetError(f"Expected a cohort that this {_NAME} knows, it was prepared under another one.")
        sequence, head = int(heads[-1]["ledger_sequence"]), heads[-1]["ledger_head"]
        if sequence >= len(ledger):
            raise BudgetError(
                f"Expected the {sequence + 1} ledger entries that the {_NAME} remembers, got {len(ledger)}: the "
                "cohort was rolled back, or another copy of it was used since. Use the newest copy only."
            )
        if ledger[sequence]["hash"] != head:
            raise BudgetError(
                f"Expected the ledger's entry {sequence + 1} as the {_NAME} remembers it, got another one: the "
                "cohort was copied and both copies were used, or its ledger was edited."
            )
        known = {entry["run_id"]: entry["queries"] for entry in self.charges([cohort_id])}
        if any(known.get(entry["run_id"]) != entry["queries"] for entry in ledger if entry["kind"] == "charge"):
            raise BudgetError(
                f"Expected every charge of the ledger in the {_NAME}, one is missing: it was rolled back, or the "
                "charge was forged."
            )
        self._require_announced(cohort_id, ledger, sequence + 1)

    def _require_announced(self, cohort_id: str, ledger: Sequence[Entry], following: int) -> None:
        """Whether what the ledger has after its head is the one entry that was announced last, or nothing."""
        announced = [entry for entry in self.of_kind("announced") if entry["cohort_id"] == cohort_id]
        pending = [entry["ledger_hash"] for entry in announced[-1:] if entry["ledger_sequence"] == following]
        beyond = [entry["hash"] for entry in ledger[following:]]
        if pending and not beyond:
            _log.warning(KILLED)
        elif beyond and beyond != pending:
            raise BudgetError(
                f"Expected ledger entries that the {_NAME} was told of before they were written, got "
                f"{len(beyond)} that it does not know: they were forged, or a copy was used without it. "
                "Restore the newest backup of the cohort. (A command of an older version that was killed leaves one, "
                "too: that version's next command tells the anchor.)"
            )

    def join(self, cohort_id: str, people: Sequence[frozenset[str]], cap: RenyiFilter) -> "Seat":
        """Seat a new cohort.

        Args:
            cohort_id: of the new cohort.
            people: the digests of every member patient's numbers, one set a person.
            cap: of the new cohort's ledger.

        Returns:
            The seat, which says how many of these patients are members of cohorts that were seated before.
        """
        with self.locked():
            now = self.read(self.folder)
            before = {entry["cohort_id"]: now.members(entry) for entry in now.of_kind("joined")}
            own = frozenset[str]().union(*people)
            content = "".join(f"{digest}\n" for digest in sorted(own)).encode()
            write_bytes(now.folder / _MEMBERS / cohort_id, content)
            entry = {
                "kind": "joined",
                "cohort_id": cohort_id,
                "members_sha256": sha256_bytes(content),
                "overlaps": sorted(other for other, members in before.items() if own & members),
                **cap.to_json(),
            }
            known = frozenset[str]().union(*before.values())
            shared = sum(1 for person in people if person & known)
            return Seat(anchor=now.extended(entry), cohort_id=cohort_id, shared=shared)

    def charge(self, cohort_id: str, run_id: str, queries: Sequence[GaussianQueries]) -> Self:
        """Remember a charge before the ledger does; one that a kill kept from the ledger is remembered once.

        Raises:
            BudgetError: the run was charged with other queries.
        """
        asked = [query.to_json() for query in queries]
        for entry in self.charges([cohort_id]):
            if entry["run_id"] == run_id:
                if entry["queries"] != asked:
                    raise BudgetError(f"Expected the queries that the {_NAME} has charged to this run, got others.")
                return self
        return self.extended({"kind": "charge", "cohort_id": cohort_id, "run_id": run_id, "queries": asked})

    def announce(self, cohort_id: str, ledger: Sequence[Entry], seal: str) -> Self:
        """Remember the next entry's hash before it is written, and the newest one's if a kill kept that."""
        newest = ledger[-1]
        heads = [entry["ledger_sequence"] for entry in self.of_kind("head") if entry["cohort_id"] == cohort_id]
        now = self if heads[-1:] == [newest["sequence"]] else self.note(cohort_id, newest)
        entry = {"cohort_id": cohort_id, "ledger_sequence": newest["sequence"] + 1, "ledger_hash": seal}
        return now.extended({"kind": "announced", **entry})

    def note(self, cohort_id: str, newest: Entry) -> Self:
        """Remember the newest entry of a cohort's ledger."""
        entry = {"cohort_id": cohort_id, "ledger_sequence": newest["sequence"], "ledger_head": newest["hash"]}
        return self.extended({"kind": "head", **entry})

    def extended(self, entry: Entry) -> Self:
        """This anchor with one more entry, on disk too."""
        return replace(self, entries=extend_chain(self.folder / _CHAIN, self.entries, entry, _NAME))

    def members(self, joined: Entry) -> frozenset[str]:
        """The digests that a cohort brought when it joined."""
        content = _content(self.folder / _MEMBERS / joined["cohort_id"])
        if sha256_bytes(content) != joined["members_sha256"]:
            raise BudgetError(f"Expected the members' digests as the {_NAME} wrote them, they were edited.")
        return frozenset(content.decode("ascii").splitlines())


@dataclass(frozen=True, kw_only=True)
class Seat:
    """A cohort's place in an anchor that it has joined. shared: its members that earlier cohorts have too."""

    anchor: SiteAnchor
    cohort_id: str
    shared: int = 0


def write_place(private: Path, seat: Seat) -> Entry:
    """Note beside a new ledger where the anchor is; returns what the ledger's opening entry says of it."""
    write_json(private / _PLACE, {"folder": str(seat.anchor.folder.resolve())})
    return {"anchor_id": seat.anchor.anchor_id, "cohort_id": seat.cohort_id}


def anchor_of(private: Path, opening: Entry) -> SiteAnchor | None:
    """The anchor that a ledger's opening entry names, at the place that is noted beside the ledger.

    Raises:
        BudgetError: the anchor is damaged, missing or another one.
    """
    if "anchor_id" not in opening:
        return None
    try:
        folder = Path(str(read_json(private / _PLACE)["folder"]))
    except (IntegrityError, KeyError):
        raise BudgetError(f"Expected the place of the {_NAME} in private/{_PLACE}, there is none.") from None
    anchor = SiteAnchor.read(folder)
    if anchor.anchor_id != opening["anchor_id"]:
        raise BudgetError(f"Expected the {_NAME} that this cohort was prepared under, another one is in its place.")
    return anchor


def _content(path: Path) -> bytes:
    try:
        with open_regular(path) as stream:
            content: bytes = stream.read()
    except IntegrityError:
        raise BudgetError(f"Expected every file of the {_NAME}, one is missing. Restore it from a backup.") from None
    return content
