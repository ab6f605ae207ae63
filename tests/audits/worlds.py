"""A cohort beside sets of synthetic images, judged again and again under new draws of who was held back.

What costs time, distances, is computed once: nothing that scored a patient knew who was a member, so that who was
held back may be drawn anew for each seed, which is what exactness allows.
"""

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from privgan.arrays import Flags, Floats, Images
from privgan.progress import silent
from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.gate.verdict import judge
from privgan_audits.policy import Policy
from privgan_audits.questions.controls.measure import features, resplits, split_check, splits_of_members
from privgan_audits.questions.controls.rule import GATING_COPIES
from privgan_audits.questions.groups import Groups, groups_of
from privgan_audits.questions.membership.attacks import measure_attacks
from privgan_audits.questions.membership.statistic import epsilon_findings, membership_findings, with_ensemble
from privgan_audits.questions.near_copies.measure import near_copy_test
from privgan_audits.questions.scores import Scores, score_of, smallest_per_patient
from privgan_audits.stats.pools import Pool, as_labels, relabellings
from privgan_audits.stats.relabelling import p_values

POOL = 1000  # relabellings; the audit's own 10,000 would only sharpen p
NO_GROUPS = Groups(tested=(), left_out=())
CALM = {"split_p": 1.0, "split_auc": 0.5, "resplits": 200, "small_p_near_copies": 10, "small_p_membership": 10}


def verdict_of(scores: Scores, findings: Mapping[str, Mapping[str, Any]]) -> str:
    """The verdict on T0, T2 and T3, where all other tests have found nothing."""
    control = {**CALM, "limit_of_detection": dict.fromkeys(GATING_COPIES, 17), "copies_planted_at_most": 40}
    measured = {
        "T0": {**control, **findings.get("T0", {})},
        "T1": {"copies_of_members": 0, "copies_of_other_patients": 0},
        "T2": findings["T2"],
        "T3": {"epsilon_lower_bound": 0.0, **findings["T3"]},
    }
    tests = [{"id": name, "outcome": "measured", **each} for name, each in measured.items()]
    tests += [{"id": name, "outcome": "not-applicable"} for name in ("T6", "T7", "T8", "T10")]
    return judge(Policy(), {"attempt": 1, "counts": {"members": scores.members}, "tests": tests}).verdict


@dataclasses.dataclass(frozen=True, kw_only=True)
class World:
    """A cohort, what a generator made, and everything that is computed once."""

    evidence: Evidence
    scores: Scores
    attacks: Mapping[str, Floats]
    pool: Pool

    @property
    def images(self) -> Images:
        """The members' images and then the others', uint8 (n, h, h, c)."""
        sides = (self.evidence.members, self.evidence.non_members)
        return np.concatenate([side.images for side in sides if side])


def world_of(evidence: Evidence, scores: Scores, relabelled: int = POOL) -> World:
    """Attack the evidence on scores that are already there."""
    pool = relabellings(len(scores.non_member), scores.non_members, np.random.default_rng(0), relabelled)
    attacks = measure_attacks(evidence, scores, silent)
    return World(evidence=evidence, scores=scores, attacks=attacks, pool=pool)


def with_images(world: World, images: Images) -> World:
    """The same patients beside other synthetic images; what is known of the patients is not computed again."""
    numbers = np.arange(len(images))
    synthetic = Sample(images=images, labels=np.zeros_like(numbers), patients=numbers)
    spaces = {}
    for name, each in world.scores.spaces.items():
        found = each.space.closest(images)
        score = score_of(found.distance, each.reference, each.hit_limit)
        score[world.scores.flat] = np.inf
        patient = smallest_per_patient(score, world.scores.owner, len(each.patient))
        spaces[name] = dataclasses.replace(each, closest=found, score=score, patient=patient)
    evidence = dataclasses.replace(world.evidence, synthetic=synthetic)
    return world_of(evidence, dataclasses.replace(world.scores, spaces=spaces), world.pool.shape[1])


def held_back(world: World, seed: int) -> Flags:
    """A draw of as many non-members from the same patients: (P,)."""
    return np.random.default_rng([seed, 0]).permutation(world.scores.non_member)


def verdicts(
    *worlds: World, seeds: int, inside: bool = False, enough: Callable[[Counter[str]], bool] = lambda _: False
) -> list[Counter[str]]:
    """Judge the images of each world under draws of who was held back; worlds have the same patients.

    T2 looks within their classes, too; `inside`: also in splits of members among themselves, which costs time. The
    relabellings that those are judged by are drawn once, as the pool of T2 and T3 is.
    `enough`: of each world, whether half of the seeds say it all.
    """
    counted, seen = [Counter[str]() for _ in worlds], features(worlds[0].images)
    ranked = [with_ensemble(world.attacks, world.scores.closest_first) for world in worlds]
    draws = [held_back(worlds[0], seed) for seed in range(seeds)]
    chosen = np.concatenate([as_labels(held) for held in draws], axis=1)
    groups = groups_of(worlds[0].evidence, worlds[0].scores)
    near = [p_values(near_copy_test(world.scores, groups), chosen, world.pool) for world in worlds]
    _, null = splits_of_members(worlds[0].scores, np.random.default_rng(seeds), POOL)
    for seed, held in enumerate(draws):
        check = split_check(seen, worlds[0].scores.owner, held, np.random.default_rng([seed, 1]))
        drawn = dataclasses.replace(worlds[0].scores, non_member=held)
        splits, _ = splits_of_members(drawn, np.random.default_rng(seed), 1)
        for number, world in enumerate(worlds):
            scores = dataclasses.replace(world.scores, non_member=held)
            membership = membership_findings(ranked[number], held, world.pool)
            proven = epsilon_findings(ranked[number], held, 1e-5)
            control = {**check, **resplits(scores, groups if inside else NO_GROUPS, world.attacks, splits, null)}
            findings = {"T0": control, "T2": {"p": float(near[number][seed])}, "T3": {**membership, **proven}}
            counted[number][verdict_of(scores, findings)] += 1
        if (seed + 1) % 50 == 0:
            print(f"{seed + 1} splits: {[dict(each) for each in counted]}", flush=True)
        if seed + 1 == seeds // 2 and all(map(enough, counted)):
            break
    return counted
