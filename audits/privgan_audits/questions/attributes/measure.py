"""T8: does the synthetic set give away what else is true of a patient: the diagnosis, the sex, the age band?

An attacker who holds a patient's image looks up the synthetic images that are closest to it and takes the value that
most of them carry; who knows the rest of a patient's record looks that up instead. That works to some degree on
anybody, because anatomy shows sex and age: it is science, not a leak. What it tells of members beyond what it tells
of people whom nobody trained on is the leak (Giomi et al. 2023, "A unified framework for quantifying privacy risk in
synthetic data"), and only that is judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from privgan.arrays import Flags, Floats, Integers, Singles, Texts
from privgan.language import kept, to_tr, tr
from privgan.progress import Progress, silent
from privgan_audits.evidence.interface import (
    NO_NON_MEMBERS,
    Evidence,
    Measured,
    NotApplicable,
    NotRun,
    Outcome,
    Sample,
)
from privgan_audits.questions.attributes.by_record import guesses
from privgan_audits.questions.attributes.rule import FEWEST
from privgan_audits.questions.attributes.statistic import advantage_bounds, permutation_ps
from privgan_audits.questions.scores import Scores, patient_scores, synthetic_points
from privgan_audits.stats import statistics as st
from privgan_audits.stats.pools import as_labels, relabellings

LABEL = "label"
NEIGHBOURS = 5
TASK = to_tr("attribute disclosure")


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """A value of each real image (n,), members first, and of each synthetic one (m,); empty where unknown."""

    real: Texts
    synthetic: Texts


def measure(evidence: Evidence, rng: np.random.Generator, progress: Progress = silent) -> Outcome:
    """Guess every value of every patient and compare members with non-members."""
    others = evidence.non_members
    if others is None:
        return NotRun(reason=NO_NON_MEMBERS)
    scores = patient_scores(evidence, progress)
    found = attributes(evidence.members, others, evidence.synthetic)
    left_out = {name: reason for name, each in found.items() if (reason := _why_not(each, scores))}
    asked = {name: each for name, each in found.items() if name not in left_out}
    listed = {"not_applicable": left_out}
    if not asked:
        reasons = "; ".join(f"{name}: {why}" for name, why in left_out.items())
        reason = kept("there is nothing to infer ({reasons})", reasons=reasons)
        return NotApplicable(reason=reason, findings=listed)
    right = right_guesses(asked, scores, synthetic_points(evidence, scores), progress)
    by_record = guesses_by_record(asked, found, scores, progress)
    pool = relabellings(len(scores.non_member), scores.non_members, rng)
    every = [*right.items(), *by_record.items()]
    singles, joint = permutation_ps(np.stack([each for _, each in every]), as_labels(scores.non_member), pool)
    told = [
        {**_advantage(each, scores.non_member), **_baseline(asked[name], scores), "p": p}
        for (name, each), p in zip(every, singles, strict=True)
    ]
    bounds = {
        "largest_advantage_lower": max(each["advantage_interval"][0] for each in told),
        "largest_advantage_upper": max(each["advantage_upper"] for each in told),
    }
    columns = dict(zip(right, told, strict=False))
    records = dict(zip(by_record, told[len(right) :], strict=True))
    return Measured(findings={"p": joint, **bounds, "columns": columns, "by_record": records, **listed})


def attributes(members: Sample, non_members: Sample, synthetic: Sample) -> dict[str, Attribute]:
    """The label, and every further column of any side; empty texts where a side does not have it."""
    names = sorted({*members.columns, *non_members.columns, *synthetic.columns})

    sides = (members, non_members, synthetic)
    every = {LABEL: [side.labels.astype(np.str_) for side in sides]}
    every |= {name: [side.column(name) for side in sides] for name in names if name != LABEL}
    return {
        name: Attribute(real=np.concatenate([ours, theirs]), synthetic=made)
        for name, (ours, theirs, made) in every.items()
    }


def _why_not(attribute: Attribute, scores: Scores) -> str:
    """Why there is nothing to ask; empty when there is."""
    made, known = attribute.synthetic[attribute.synthetic != ""], attribute.real != ""
    sides = scores.non_member[np.unique(scores.owner[known & ~scores.flat])]
    if min(int(sides.sum()), int((~sides).sum())) < FEWEST:
        return kept("known for fewer than {least} members or non-members", least=FEWEST)
    if len(np.unique(attribute.real[known])) < 2:
        return to_tr("everybody has the same value")
    if not len(made):
        return to_tr("the synthetic set does not carry it")
    if not np.isin(made, attribute.real[known]).any():
        return to_tr("no synthetic image has a value that a patient has")
    return to_tr("all synthetic images have the same value") if len(np.unique(made)) < 2 else ""


def right_guesses(
    asked: Mapping[str, Attribute], scores: Scores, synthetic: Singles, progress: Progress = silent
) -> dict[str, Floats]:
    """Per attribute the share of each patient's images whose value is guessed right (P,), NaN where none is known.

    Args:
        asked: attributes by name.
        scores: whose embedding holds the real images; constant ones are left out.
        synthetic: float32 (m, d), in the same embedding.
        progress: told of the searches.
    """
    searched: dict[bytes, Integers] = {}  # columns that are known of the same synthetic images share one
    found = {}
    for name, each in asked.items():
        rows = np.flatnonzero(each.synthetic != "")
        if (key := rows.tobytes()) not in searched:
            searched[key] = scores.embedding.nearest(synthetic[rows], NEIGHBOURS, tr(TASK), progress).rows
        guess = majority(each.synthetic[rows][searched[key]])
        usable = (each.real != "") & ~scores.flat
        found[name] = _mean_by_patient(guess == each.real, usable, scores)
    return found


def guesses_by_record(
    asked: Mapping[str, Attribute], every: Mapping[str, Attribute], scores: Scores, progress: Progress = silent
) -> dict[str, Floats]:
    """As `right_guesses`, from the other columns that the set carries; none where it carries one alone."""
    carried = {name: (each.real, each.synthetic) for name, each in every.items() if (each.synthetic != "").any()}
    if len(carried) < 2:
        return {}
    found = {}
    for name, each in asked.items():
        usable = (each.real != "") & ~scores.flat
        found[name] = _mean_by_patient(guesses(carried, name, TASK, progress) == each.real, usable, scores)
    return found


def majority(values: Texts) -> Texts:
    """The commonest of each row of values (n, k), closest first; of equally common ones that of the closest."""
    count = (values[:, :, None] == values[:, None]).sum(axis=2)
    chosen: Texts = values[np.arange(len(values)), count.argmax(axis=1)]
    return chosen


def _mean_by_patient(right: Flags, usable: Flags, scores: Scores) -> Floats:
    patients = len(scores.non_member)
    images = np.bincount(scores.owner[usable], minlength=patients)
    sums = np.bincount(scores.owner[usable], right[usable], minlength=patients)
    return np.where(images > 0, sums / np.maximum(images, 1), np.nan)


def _advantage(right: Floats, non_member: Flags) -> dict[str, Any]:
    """What is guessed of members beyond what is guessed of others; the bounds are Newcombe's (1998)."""
    ours, theirs = (side[~np.isnan(side)] for side in (right[~non_member], right[non_member]))
    a, c = float(ours.mean()), float(theirs.mean())
    two_sided = st.difference_interval(a, len(ours), c, len(theirs), st.Z_TWO_SIDED)
    upper = advantage_bounds(a, len(ours), c, len(theirs))[1]
    return {
        "members": a,
        "non_members": c,
        "advantage": a - c,
        "advantage_interval": list(two_sided),
        "advantage_upper": upper,
        "residual_risk": st.residual_risk(a, c),
    }


def _baseline(attribute: Attribute, scores: Scores) -> dict[str, Any]:
    """How many values there are, and how often always guessing the commonest is right."""
    usable = (attribute.real != "") & ~scores.flat
    values = np.unique(attribute.real[usable])
    shares = [float(np.nanmean(_mean_by_patient(attribute.real == value, usable, scores))) for value in values]
    return {"guessing": max(shares), "values": len(values)}
