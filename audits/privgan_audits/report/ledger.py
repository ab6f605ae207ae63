"""The cohort's account book, as the record keeps it, in rows that a reader can follow."""

from collections.abc import Iterator, Mapping
from typing import Any

from privgan.dp.budget.chain import Entry
from privgan.dp.gaussian import GaussianQueries, queries_of
from privgan.language import tr, tr_count
from privgan_audits.telling.numbers import in_parts, plain
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
        value = tr("SHA-256 of the last entry, which stands for all of them")
        yield Fact(name=tr("Head"), value=value, note=ledger["head"])


def _row(entry: Entry) -> Fact:
    what, details = _told(entry)
    return Fact(name=str(entry["sequence"]), value=what, note=details)


def _told(entry: Entry) -> tuple[str, str]:
    match entry["kind"]:
        case "opened":
            members = tr("{count} members", count=plain(entry["members"]))
            cap = tr(
                "cap epsilon {epsilon} at delta {delta}",
                epsilon=plain(entry["max_epsilon"]),
                delta=plain(entry["delta"]),
            )
            project = (entry[each] for each in _PROJECT if each in entry)
            told = tr("cohort prepared"), in_parts((members, cap, *project))
        case "charge":
            delta = tr("delta {delta}", delta=plain(entry["delta"]))
            told = tr("run {run} charged", run=_short(entry)), in_parts((*map(_query, queries_of([entry])), delta))
        case "checkpoint":
            told = tr("run {run} saved", run=_short(entry)), _step(entry)
        case "resumed":
            told = tr("run {run} resumed from a saved state", run=_short(entry)), _step(entry)
        case "answered":
            told = tr("run {run}: answered other sites", run=_short(entry)), _question(entry)
        case "closed":
            told = tr("run {run} finished", run=_short(entry)), _model(entry)
        case "begun" | "audit" | "rehearsed":
            told = _audit(entry)
        case "rejected":
            told = tr("set rejected by {officer}", officer=entry["officer"]), _on(entry)
        case "revoked":
            told = tr("approval withdrawn by the officer"), _on(entry)
        case kind:
            told = str(kind), ""
    return told


def _audit(entry: Entry) -> tuple[str, str]:
    if entry["kind"] == "begun":
        return tr("rehearsal on files begun") if entry["rehearsal"] else tr("audit begun"), _on(entry)
    report, verdict = tr("report {sha256}", sha256=entry["report_sha256"]), tr(entry["verdict"])
    if entry["kind"] == "rehearsed":
        return tr("rehearsal on files: {verdict}", verdict=verdict), report
    return tr("audit: {verdict}", verdict=verdict), report


def _step(entry: Entry) -> str:
    return tr("step {step}", step=plain(entry["step"]))


def _question(entry: Entry) -> str:
    return tr("question {count}", count=plain(entry["question"]))


def _model(entry: Entry) -> str:
    digests = {name: entry[name] for name in ("generator_sha256", "config_sha256") if name in entry}
    if "config_sha256" in digests:
        return tr("generator {generator_sha256}, its constants {config_sha256}", **digests)
    return tr("generator {generator_sha256}", **digests)


def _on(entry: Entry) -> str:
    return tr("{date}, set {sha256}", date=entry["date"], sha256=entry["synthetic_sha256"])


def _short(entry: Entry) -> str:
    return str(entry["run_id"])[:8]


def _query(query: GaussianQueries) -> str:
    return tr_count(
        "1 noisy look at {share} % of the members, noise {noise}",
        "{count} noisy looks at {share} % of the members, noise {noise}",
        query.steps,
        share=plain(100 * query.sample_rate),
        noise=plain(query.noise_multiplier),
    )
