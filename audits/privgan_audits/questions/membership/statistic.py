"""T3's numbers of orders of the patients, the likeliest member first: what an attack is worth, and how surely."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import special

from privgan.arrays import Flags, Floats, Integers, Order
from privgan_audits.stats import statistics as st
from privgan_audits.stats.many_orders import auc_ses, aucs, members_before, tpr_bounds
from privgan_audits.stats.pools import Labels, as_labels
from privgan_audits.stats.relabelling import MembershipStatistic, p_values

ENSEMBLE = "ensemble"
FPR = 0.01
RATES = {"10_percent": 0.1, "1_percent": 0.01, "0_1_percent": 0.001}
ONE_SIDED = 0.05  # error of each one-sided bound that the verdict reads
EPSILON_ERROR = 0.01  # error of the lower bound on epsilon
PREVALENCES = (0.001, 0.01, 0.1)  # of members among the people whom an attacker suspects

Ranked = Mapping[str, Integers]


def with_ensemble(attacks: Mapping[str, Floats], closest_first: Callable[[Floats], Integers]) -> dict[str, Integers]:
    """Each attack's order of the patients, and that of the mean of their ranks' normal scores.

    Args:
        attacks: scores (P,), the smaller the likelier a member.
        closest_first: sorts patients by such scores, int64 (P,).
    """
    ranked = {name: closest_first(score) for name, score in attacks.items()}
    mean = np.mean([_normal_scores(score) for score in attacks.values()], axis=0)
    return {**ranked, ENSEMBLE: closest_first(mean)} if len(ranked) > 1 else {ENSEMBLE: next(iter(ranked.values()))}


def _normal_scores(score: Floats) -> Floats:
    """Van der Waerden's: ranks, ties shared, as quantiles of the normal law, so that no attack's scale counts."""
    from scipy import stats

    return np.asarray(special.ndtri(stats.rankdata(score) / (len(score) + 1)))


def membership_findings(ranked: Ranked, non_member: Flags, pool: Labels | None = None) -> dict[str, Any]:
    """What the verdict and the report read.

    Args:
        ranked: per attack the patients (P,), the likeliest member first; the ensemble among them.
        non_member: bool (P,).
        pool: random choices of the non-members; without it p is Bonferroni's bound.
    """
    orders = {name: non_member[order] for name, order in ranked.items()}
    order = orders[ENSEMBLE]
    non_members = int(order.sum())
    members = len(order) - non_members
    area, se = st.auc(order), st.auc_se(order)
    statistic = MembershipStatistic(orders=list(ranked.values()), fpr=FPR)
    tpr_upper = st.tpr_bounds(order, FPR, ONE_SIDED)[1]
    lower = [_lower_bounds(each, ONE_SIDED / len(orders)) for each in orders.values()]
    return {
        "p": float(p_values(statistic, as_labels(non_member), pool)[0]),
        "auc": area,
        "auc_interval": auc_interval(order),
        "auc_upper": area + st.Z_ONE_SIDED * se,
        "auc_lower": max(auc for auc, _ in lower),
        "auc_se_when_safe": st.auc_null_se(members, non_members),
        "tpr_upper": tpr_upper,
        "tpr_lower": max(tpr for _, tpr in lower),
        "tpr": true_positive_rates(order),
        "precision": _precision(tpr_upper),
        "attacks": {name: _strength(each) for name, each in orders.items() if name != ENSEMBLE},
    }


def safe_membership(places: Integers, members: int) -> list[dict[str, float]]:
    """What the verdict reads of one attack, for many orders of the patients at once; the same as above.

    Args:
        places: (b, H), where the non-members of each order stand, the likeliest member first; see `many_orders`.
        members: of every order.
    """
    before, non_members = members_before(places), places.shape[1]
    area, se = aucs(before, members), auc_ses(before, members)
    low, high = tpr_bounds(before, members, FPR, ONE_SIDED)
    rank = st.tpr_rank(non_members, FPR)
    tail = st.precedence_tails(members, non_members, rank)[before[:, rank - 1]]
    p = np.minimum(1.0, 2 * np.minimum(tail, st.auc_p(area, members, non_members)))  # Bonferroni's bound
    columns = {
        "p": p,
        "auc_upper": area + st.Z_ONE_SIDED * se,
        "auc_lower": area - float(special.ndtri(1 - ONE_SIDED)) * se,
        "tpr_upper": high,
        "tpr_lower": low,
    }
    alike = {"auc_se_when_safe": st.auc_null_se(members, non_members), "epsilon_lower_bound": 0.0}
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    return [{**dict(zip(columns, row, strict=True)), **alike} for row in rows]


def _lower_bounds(order: Order, error: float) -> tuple[float, float]:
    """One-sided lower bounds of an attack's AUC and of its true-positive rate at FPR."""
    z = float(special.ndtri(1 - error))
    return st.auc(order) - z * st.auc_se(order), st.tpr_bounds(order, FPR, error)[0]


def auc_interval(order: Order) -> list[float]:
    """The two-sided 95 % interval of an attack's AUC."""
    area, se = st.auc(order), st.auc_se(order)
    return [max(0.0, area - st.Z_TWO_SIDED * se), min(1.0, area + st.Z_TWO_SIDED * se)]


def true_positive_rates(order: Order) -> dict[str, dict[str, float]]:
    """At each false-positive rate that the number of non-members supports: what was measured, and its interval."""
    non_members = int(order.sum())
    supported = {name: rate for name, rate in RATES.items() if non_members * rate >= 1}
    return {name: _true_positive_rate(order, rate) for name, rate in supported.items()}


def _true_positive_rate(order: Order, rate: float) -> dict[str, float]:
    low, high = st.tpr_bounds(order, rate, ONE_SIDED)
    return {"measured": _recognised(order, rate), "low": low, "high": high}


def _strength(order: Order) -> dict[str, float]:
    return {"auc": st.auc(order), "auc_se": st.auc_se(order), "tpr_at_1_percent": _recognised(order, FPR)}


def _recognised(order: Order, rate: float) -> float:
    """The share of members before the threshold that this share of non-members passes."""
    non_members = int(order.sum())
    return st.precedence_count(order, st.tpr_rank(non_members, rate)) / (len(order) - non_members)


def _precision(rate: float) -> dict[str, float]:
    """The most that an accusation at FPR is worth: the share of the accused who are members, by prevalence.

    Half of all accusations being right says nothing when half of all patients were members, as in this audit; what
    counts is how rare members are among those whom an attacker suspects (El Emam et al. 2022).
    """
    return {f"{share:g}": share * rate / (share * rate + (1 - share) * FPR) for share in PREVALENCES}


def epsilon_findings(ranked: Ranked, non_member: Flags, delta: float) -> dict[str, float]:
    """A lower bound on epsilon that one of the attacks proves, beside the largest that they could have proved."""
    error = EPSILON_ERROR / len(ranked)
    bounds = [st.epsilon_lower_bound(non_member[o], fpr=FPR, delta=delta, error=error) for o in ranked.values()]
    return {
        "epsilon_lower_bound": max(measured for measured, _ in bounds),
        "largest_provable_epsilon": max(largest for _, largest in bounds),
    }
