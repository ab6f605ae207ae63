"""A cohort is enrolled: prepared, told what its audit will be able to see, and given its ledger; or nothing is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from privgan.data.cohort.cohort import MARKER as COHORT_MARKER
from privgan.data.cohort.cohort import CohortFacts, open_cohort, write_facts
from privgan.data.cohort.journal import FILE as JOURNAL
from privgan.data.cohort.options import PrepareOptions
from privgan.data.cohort.prepare import KEY, prepare
from privgan.data.identifiers import IdentifierDigests, require_nobody_named
from privgan.dp.accounting import default_delta
from privgan.dp.budget.anchor import SiteAnchor
from privgan.dp.budget.ledger import Ledger, require_unspent
from privgan.dp.budget.renyi import RenyiFilter
from privgan.errors import InputRejectedError, UsageError
from privgan.files import sha256_file
from privgan.folders import resumable_folder
from privgan.interruption import StopRequest
from privgan.progress import Progress, silent
from privgan.records.schema import MISSING, Schema
from privgan_audits.gate.preflight import EXPECTED_SYNTHETIC_PER_MEMBER, Preflight, low_power_text, preflight
from privgan_audits.policy import Policy
from privgan_audits.terms import Terms

ACCEPT_LOW_POWER = "accept-low-power"


@dataclass(frozen=True, kw_only=True)
class Enrolled:
    """A cohort that was just opened. shared: its members who are members of other cohorts of the site, too."""

    facts: CohortFacts
    preflight: Preflight
    shared: int


def enrol(
    source: Path,
    cohort: Path,
    options: PrepareOptions,
    terms: Terms,
    *,
    progress: Progress = silent,
    stop: StopRequest | None = None,
) -> Enrolled:
    """Prepare a cohort, say what its audit will be able to see, and open its ledger; all of it or nothing.

    But when `stop` asks for an end, what was read stays beside the cohort for `Terms.resume`.

    Raises:
        PreemptedError, InterruptedRunError: `stop` asked for it.
        InputRejectedError: nothing readable, or an audit could not pass and this was not accepted.
        BudgetError: the cohort to be replaced has spent privacy.
    """
    require_unspent(cohort)
    anchor, people = _site_anchor(terms, cohort), list[frozenset[str]]()  # digests, never numbers

    def meet(members: Sequence[frozenset[str]]) -> None:
        if anchor:
            people.extend(frozenset(map(anchor.digest, numbers)) for numbers in members)

    with resumable_folder(
        cohort, marker=COHORT_MARKER, journal=JOURNAL, force=terms.force, resume=terms.resume
    ) as folder:
        facts = prepare(source, folder, options, progress, meet=meet, stop=stop)
        expected = preflight(
            facts.members,
            facts.non_members,
            EXPECTED_SYNTHETIC_PER_MEMBER * facts.members,
            terms.policy,
            columns=_known(folder) if Schema.of(facts.columns) else (),
        )
        if not expected.sufficient:
            if not terms.accept_low_power:
                reason = low_power_text(expected)
                raise InputRejectedError(f"{reason} --accept-low-power goes on all the same.")
            facts = replace(facts, overrides=(*facts.overrides, ACCEPT_LOW_POWER))
        facts = replace(facts, officer_key=terms.policy.officer_key)
        _require_nobody_in(folder, terms.policy)
        write_facts(folder, facts)
        delta = default_delta(facts.members)
        seat = anchor.join(facts.cohort_id, people, RenyiFilter.of(terms.max_epsilon, delta)) if anchor else None
        Ledger.create(
            folder / "private" / "ledger.jsonl",
            cohort_sha256=sha256_file(folder / COHORT_MARKER),
            members=facts.members,
            delta=delta,
            max_epsilon=terms.max_epsilon,
            seat=seat,
            project={"title": facts.title, "contact": facts.contact, "house": terms.policy.house},
        )
    return Enrolled(facts=facts, preflight=expected, shared=seat.shared if seat else 0)


def _known(folder: Path) -> list[float]:
    """Of each column that a set will carry, the share of patients of whom it is known."""
    cohort = open_cohort(folder)
    known = cohort.codes != MISSING
    return [len(np.unique(cohort.patients[column])) / cohort.facts.patients for column in known.T]


def _require_nobody_in(folder: Path, policy: Policy) -> None:
    """The policy's words go out with every bundle."""
    key = (folder / KEY).read_bytes()
    require_nobody_named(IdentifierDigests.read(folder / "private" / "identifiers", key), **policy.words)


def _site_anchor(terms: Terms, cohort: Path) -> SiteAnchor | None:
    if terms.site_anchor is None:
        return None
    if terms.site_anchor.resolve().is_relative_to(cohort.resolve()):
        raise UsageError("Expected a site anchor outside the cohort: inside, it would be copied along with it.")
    return SiteAnchor.found_or_made(terms.site_anchor)
