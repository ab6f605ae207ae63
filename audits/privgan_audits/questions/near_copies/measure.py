"""T2: do synthetic images come closer to members than to patients that nobody trained on?

In every space the statistic counts how many members are closer than the first, the fifth and the twentieth
non-member: distribution-free, exact, and with no threshold to tune. A handful of copied patients is enough, which
the AUC cannot see: copying 1 % of all patients moves it by half a per cent. Perceptual hashes enter as counts of
members and of non-members that are met. The patients of each class, and of each value of a declared column, are
counted among themselves, too: whoever is copied of a small group is lost among all. Every synthetic image is looked
at for everybody, because a copy may carry another label. One permutation test takes the strongest of all that
(`relabelling`).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from privgan.arrays import Floats
from privgan.language import tr
from privgan.progress import Progress, silent
from privgan_audits.evidence.interface import NO_NON_MEMBERS, Evidence, Measured, NotRun, Outcome
from privgan_audits.questions.groups import Group, Groups, groups_of
from privgan_audits.questions.near_copies.statistic import near_copy_findings, smallest_of
from privgan_audits.questions.scores import SMALLEST_REFERENCE, Scores, SpaceScores, patient_scores
from privgan_audits.spaces.perceptual import hamming
from privgan_audits.stats.pools import as_labels, relabellings
from privgan_audits.stats.relabelling import NearCopyStatistic, Together, hit_ps, p_values
from privgan_audits.stats.within_groups import WithinGroups, within

_PAIRS_SHOWN = 24
_PAIRS_LOOKED_AT = 500  # of each space; a patient may have many images


def measure(evidence: Evidence, rng: np.random.Generator, progress: Progress = silent) -> Outcome:
    """Count members ahead of non-members among the closest patients of each space."""
    if evidence.non_members is None:
        return NotRun(reason=NO_NON_MEMBERS)
    scores = patient_scores(evidence, progress)
    progress(tr("near copies"), 0, 1)
    pool = relabellings(len(scores.non_member), scores.non_members, rng)
    groups = groups_of(evidence, scores)
    findings = {
        "p": float(p_values(near_copy_test(scores, groups), as_labels(scores.non_member), pool)[0]),
        "spaces": {
            name: near_copy_findings(scores.non_member[scores.closest_first(each.patient)])
            for name, each in scores.ranked.items()
        },
        "look_alikes": {name: _hit_findings(scores, each) for name, each in scores.counted.items()},
        "groups": [_group_findings(scores, group) for group in groups.tested],
    }
    progress(tr("near copies"), 1, 1)
    members = len(evidence.members.images)
    internal = {
        "pairs": list(_pairs(scores, range(members))),
        "decoys": list(_pairs(scores, range(members, len(scores.owner)))),
    }
    return Measured(findings=findings, internal=internal)


def near_copy_test(scores: Scores, groups: Groups) -> Together:
    """T2's statistic: of all patients, and of those of each group among themselves."""
    near = near_copy_statistic(scores)
    inside = WithinGroups.of(near.orders, [group.patients for group in groups.tested])
    return Together(statistics=[near, inside])


def near_copy_statistic(scores: Scores, patient: Mapping[str, Floats] | None = None) -> NearCopyStatistic:
    """That of all patients, by their scores, or by others that planted copies would give, by space."""
    values = {name: each.patient for name, each in scores.spaces.items()} if patient is None else patient
    return NearCopyStatistic(
        orders=[scores.closest_first(values[name]) for name in scores.ranked],
        hits=[each.hits(values[name]) for name, each in scores.counted.items()],
    )


def _group_findings(scores: Scores, group: Group) -> dict[str, Any]:
    """The p-value of a group by itself, all spaces together."""
    orders = near_copy_statistic(scores).orders
    p = within(group.patients, orders, as_labels(scores.non_member))[:, 0]
    return {**group.to_json(), "p": smallest_of(p)}


def _hit_findings(scores: Scores, each: SpaceScores) -> dict[str, Any]:
    """How many patients a counting space meets; its limit in bits, negative when real patients look alike to it."""
    hit = each.hits(each.patient)
    limit = each.hit_limit or 0.0
    return {
        "bits": int(hamming(np.square(limit))) if limit >= 0 else -1,
        "members": int((hit & ~scores.non_member).sum()),
        "non_members": int((hit & scores.non_member).sum()),
        "p": float(hit_ps(hit, as_labels(scores.non_member))[0]),
    }


def _pairs(scores: Scores, rows: range) -> Iterator[dict[str, Any]]:
    """Pairs of real and synthetic images, by how unusually close they are in one of the spaces; a patient once.

    Args:
        scores: of all real images.
        rows: the real images that are looked at, members' or non-members'; a pair's row counts from their first.
    """
    found = []
    for name, each in scores.ranked.items():
        finite = each.score[np.isfinite(each.score)]
        usual = float(np.median(finite)) if len(finite) else 1.0
        closest = rows.start + np.argsort(each.score[rows.start : rows.stop], kind="stable")[:_PAIRS_LOOKED_AT]
        found += [(float(each.score[row]) / max(usual, SMALLEST_REFERENCE), name, int(row)) for row in closest]
    seen: set[int] = set()
    for _, name, row in sorted(found):
        each = scores.spaces[name]
        if len(seen) == _PAIRS_SHOWN or not np.isfinite(each.score[row]):
            return
        if int(scores.owner[row]) not in seen:
            seen.add(int(scores.owner[row]))
            yield {
                "real_row": row - rows.start,
                "synthetic_row": int(each.closest.row[row]),
                "ratio": float(each.score[row]),
                "distance": float(each.closest.distance[row]),
                "space": name,
            }
