"""The cohort's account book, as the record keeps it, in rows that a reader can follow."""

from collections.abc import Iterator, Mapping
from typing import Any

from privgan.dp.budget.chain import Entry
from privgan.dp.gaussian import GaussianQueries, queries_of
from privgan_audits.telling.numbers import plain
from privgan_audits.telling.words import Fact

_PROJECT = ("title", "house", "contact")
Books = Mapping[str, Any] | None


def charges(ledger: Books) -> Iterator[Fact]:
    """What was ever asked about the patients; these numbers are chosen in public, before any data is read."""
    for entry in ledger["entries"] if ledger else ():
        if entry["kind"] == "charge":
            yield _row(entry)


def history(ledger: Books) -> Iterator[Fact]:
    """Every entry up to the audit's beginning in order, and the hash of the last one."""
    if ledger:
        for entry in ledger["entries"]:
            yield _row(entry)
        yield Fact(name="Head", value="SHA-256 of the last entry, which stands for all of them", note=ledger["head"])


def _row(entry: Entry) -> Fact:
    what, details = _told(entry)
    return Fact(name=str(entry["sequence"]), value=what, note=details)


def _told(entry: Entry) -> tuple[str, str]:
    match entry["kind"]:
        case "opened":
            cap = f"cap epsilon {plain(entry['max_epsilon'])} at delta {plain(entry['delta'])}"
            told = (
                "cohort prepared",
                "; ".join(
                    (f"{plain(entry['members'])} members", cap, *(entry[each] for each in _PROJECT if each in entry))
                ),
            )
        case "charge":
            queries = "; ".join(_query(query) for query in queries_of([entry]))
            told = f"run {_short(entry)} charged", f"{queries}; delta {plain(entry['delta'])}"
        case "checkpoint" | "resumed" as kind:
            what = "saved" if kind == "checkpoint" else "resumed from a saved state"
            told = f"run {_short(entry)} {what}", f"step {plain(entry['step'])}"
        case "closed":
            constants = f", its constants {entry['config_sha256']}" if "config_sha256" in entry else ""
            told = f"run {_short(entry)} finished", f"generator {entry['generator_sha256']}{constants}"
        case "begun":
            what = "rehearsal on files begun" if entry["rehearsal"] else "audit begun"
            told = what, f"{entry['date']}, set {entry['synthetic_sha256']}"
        case "audit":
            told = f"audit: {entry['verdict']}", f"report {entry['report_sha256']}"
        case "rehearsed":
            told = f"rehearsal on files: {entry['verdict']}", f"report {entry['report_sha256']}"
        case "rejected":
            told = f"set rejected by {entry['officer']}", f"{entry['date']}, set {entry['synthetic_sha256']}"
        case "revoked":
            told = "approval withdrawn by the officer", f"{entry['date']}, set {entry['synthetic_sha256']}"
        case kind:
            told = str(kind), ""
    return told


def _short(entry: Entry) -> str:
    return str(entry["run_id"])[:8]


def _query(query: GaussianQueries) -> str:
    looks = f"{plain(query.steps)} noisy look{'s' if query.steps > 1 else ''}"
    return f"{looks} at {plain(100 * query.sample_rate)} % of the members, noise {plain(query.noise_multiplier)}"
