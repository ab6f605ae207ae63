"""T0: would this audit have noticed a leak, and would it have stayed silent without one?

Members and non-members must be drawn from one population: two scanners look like a leak to every membership
test. So a classifier that never sees a synthetic image tries to tell them apart; members are split among
themselves, where nothing can be found; and copies are planted, which must be found (`spike_in`).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import stats

from privgan.arrays import Flags, Floats, Images, Integers
from privgan.images.geometry import channels, pool
from privgan.language import to_tr, tr
from privgan.progress import Progress, silent
from privgan_audits.evidence.interface import NO_NON_MEMBERS, Evidence, Measured, NotRun, Outcome
from privgan_audits.questions.controls.group_limits import GroupTrials, group_findings
from privgan_audits.questions.controls.rule import RESPLIT_LEVEL, search_limit
from privgan_audits.questions.controls.spike_in import limits_of_detection
from privgan_audits.questions.groups import Groups, groups_of
from privgan_audits.questions.membership.attacks import attack_scores
from privgan_audits.questions.membership.statistic import FPR, with_ensemble
from privgan_audits.questions.scores import Scores, patient_scores
from privgan_audits.stats.pools import RELABELLINGS, Labels, Pool, relabellings
from privgan_audits.stats.relabelling import MembershipStatistic, NearCopyStatistic, Together, p_values
from privgan_audits.stats.within_groups import WithinGroups

RESPLITS = 200
_FEWEST = 8  # patients on each side without which a split check says nothing
_GRID = 12
_BLOCK_PIXELS = 1 << 22  # of a channel, that become numbers at once
_QUANTILES = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)


def measure(evidence: Evidence, rng: np.random.Generator, progress: Progress = silent) -> Outcome:
    """Run all controls on the audit's own distances."""
    if evidence.non_members is None:
        return NotRun(reason=NO_NON_MEMBERS)
    scores = patient_scores(evidence, progress)
    if min(scores.members, scores.non_members) < 2 * _FEWEST:
        return NotRun(reason=to_tr("there are too few patients for controls"))
    progress(tr("split check"), 0, 2)
    split = split_check(features(evidence.real), scores.owner, scores.non_member, rng)
    progress(tr("split check"), 1, 2, tr("splits among members"))
    groups = groups_of(evidence, scores)
    pretended = resplits(scores, groups, attack_scores(evidence, progress), *splits_of_members(scores, rng))
    progress(tr("split check"), 2, 2)
    choices = relabellings(len(scores.non_member), scores.non_members, rng)
    trials = GroupTrials.of(scores, groups, evidence.level, choices)
    shown, others = evidence.members.images, evidence.synthetic.images
    detected = limits_of_detection(scores, shown, others, trials.all_patients, rng, progress)
    findings: dict[str, Any] = {
        **split,
        **pretended,
        "limit_of_detection": dict(detected.limits),
        "copies_planted_at_most": search_limit(scores.members),
        **group_findings(scores, groups, trials),
    }
    if detected.left_out:
        findings["kinds_left_out"] = dict(detected.left_out)
    return Measured(findings=findings)


def split_check(seen: Floats, owner: Integers, non_member: Flags, rng: np.random.Generator) -> dict[str, float]:
    """Tell members from non-members without any synthetic image; p is exact-sized on patients held back.

    A shrunken linear discriminant learns on a random half of either side's patients; the other half's mean
    scores are compared by Mann and Whitney's test. One-sided: whoever is worse than a coin tells nobody apart, and is
    so where the sides were matched, because what one half of a side has too much of the other has too little of.

    Args:
        seen: the images' `features`, float64 (n, d).
        owner: patient of each image (n,).
        non_member: bool (patients,).
        rng: draws the halves.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    learning = np.zeros(len(non_member), bool)
    for side in (False, True):
        patients = rng.permutation(np.flatnonzero(non_member == side))
        learning[patients[: len(patients) // 2]] = True
    taught = learning[owner]
    spread = seen[taught].std(axis=0)
    if not spread.any():
        return {"split_p": 1.0, "split_auc": 0.5}
    seen = seen[:, spread > 0] / spread[spread > 0]
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=[0.5, 0.5])
    model.fit(seen[taught], non_member[owner[taught]])
    totals = np.bincount(owner, model.decision_function(seen), minlength=len(non_member))
    score = totals / np.bincount(owner, minlength=len(non_member))
    ours, theirs = score[~learning & ~non_member], score[~learning & non_member]
    result = stats.mannwhitneyu(theirs, ours, alternative="greater")
    return {"split_p": float(result.pvalue), "split_auc": float(result.statistic) / (len(ours) * len(theirs))}


def features(images: Images) -> Floats:
    """A coarse picture, brightness quantiles, contrast and sharpness of images uint8 (n, h, h, c): float64 (n, d).

    What differs between scanners, sites and exports; in colour, of each channel.
    """
    step = max(1, _BLOCK_PIXELS // images.shape[1] ** 2)
    blocks = [images[start : start + step] for start in range(0, len(images), step)]
    return np.concatenate([np.concatenate(list(map(_features, channels(block))), axis=1) for block in blocks])


def _features(plane: Images) -> Floats:
    """Those of one channel (n, h, h)."""
    grid = min(_GRID, plane.shape[1])
    small = pool(plane[..., None], grid).reshape(len(plane), -1).astype(np.float64)
    flat = plane.reshape(len(plane), -1)
    grey = np.quantile(flat, _QUANTILES, axis=1).T
    steps = [np.abs(np.diff(plane.astype(np.int16), axis=axis)).mean(axis=(1, 2)) for axis in (1, 2)]
    bends = np.abs(np.diff(plane.astype(np.int16), n=2, axis=2)).mean(axis=(1, 2))
    rest = np.stack([flat.mean(axis=1), flat.std(axis=1), *steps, bends, np.log1p(bends)], axis=1)
    return np.concatenate([small, grey, rest], axis=1)


def splits_of_members(scores: Scores, rng: np.random.Generator, relabelled: int = RELABELLINGS) -> tuple[Pool, Pool]:
    """RESPLITS random splits of the members in the audit's own proportion, and a pool for the permutation test."""
    taken = round(scores.members * scores.non_members / len(scores.non_member))
    splits, pool = (relabellings(scores.members, taken, rng, count) for count in (RESPLITS, relabelled))
    return splits, pool


def resplits(
    scores: Scores, groups: Groups, attacks: Mapping[str, Floats], splits: Labels, pool: Labels
) -> dict[str, int]:
    """Take members for non-members as `splits_of_members` says, and count small p-values.

    Nothing can be found there, so more small p-values than the binomial law allows mean a broken test. Each split is
    judged by the very statistics of T2 and T3, on the distances that are already there.

    Args:
        scores: of all patients.
        groups: within which T2 looks, too.
        attacks: T3's scores of all patients, by name.
        splits: uint8 (members, RESPLITS).
        pool: uint8 (members, b), other splits of the same proportion.
    """
    members = np.flatnonzero(~scores.non_member)
    place = np.cumsum(~scores.non_member) - 1  # of a member among the members

    def closest_first(score: Floats) -> Integers:
        order = scores.closest_first(score)
        return np.asarray(place[order[~scores.non_member[order]]])

    orders = [closest_first(each.patient) for each in scores.ranked.values()]
    hits = [each.hits(each.patient)[members] for each in scores.counted.values()]
    inside = WithinGroups.of(orders, [group.patients[members] for group in groups.tested])
    near = Together(statistics=[NearCopyStatistic(orders=orders, hits=hits), inside])
    ranked = with_ensemble(attacks, closest_first)
    membership = MembershipStatistic(orders=list(ranked.values()), fpr=FPR)
    return {
        "resplits": splits.shape[1],
        "small_p_near_copies": int((p_values(near, splits, pool) <= RESPLIT_LEVEL).sum()),
        "small_p_membership": int((p_values(membership, splits, pool) <= RESPLIT_LEVEL).sum()),
    }
