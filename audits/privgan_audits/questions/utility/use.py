"""Of what use a set is, in one word: the only place that says where good ends and poor begins. It gates nothing.

Likeness is read beside that of other real patients, whose figures depend on the features, the number of images and
the hospital as much as those of the synthetic set do. Three shares of it count: coverage (how many kinds of patients
are there), precision (how many images look real) and density (how much they crowd where real ones are).

Good: coverage and precision of at least 80 % of the reference's and density of half of it, no collapse, and shapes
that a network tells from real ones at most three times in four. Grain is no condition: noise of two grey values,
which hurts nobody, is always told apart. Poor: any of the three shares below a quarter, or a severe collapse.
Limited is what lies between. Where real patients themselves do not look alike, nothing is said.

Where this comes from: chest X-rays at epsilon 3 and 10, which teach a network nearly as well as real ones (AUC 0.977
beside 0.990), have 84 to 90 % of coverage and precision, 56 to 64 % of density, shapes told apart 65 % of the time.
Those of `docs/examples` have 60 to 74 % and cost ten points of accuracy. A set of chest CT of 72 patients that passed
its audit had 2 % of coverage, 6 % of precision and 1 % of density, and showed nothing.
"""

from collections.abc import Mapping
from typing import Any

from privgan_audits.questions.utility.diversity import NONE, SEVERE

GOOD, LIMITED, POOR, UNKNOWN = "good", "limited", "poor", "not known"
ALIKE = 0.5  # precision and coverage of real patients beside others, below which they are no measure
GOOD_SHARES = {"coverage": 0.8, "precision": 0.8, "density": 0.5}  # of the reference's figure
POOR_SHARE = 0.25
SHAPES_TOLD_APART = 0.75


def judge_use(findings: Mapping[str, Any]) -> dict[str, Any]:
    """`band`, and the shares of the reference's `coverage`, `precision` and `density` where they are known.

    Args:
        findings: `fidelity`, `diversity` and `realism`.
    """
    every = findings["fidelity"].get("all")
    if every is None or not all(every[name]["reference"] >= ALIKE for name in ("coverage", "precision")):
        return {"band": UNKNOWN}
    shares = {name: every[name]["synthetic"] / every[name]["reference"] for name in GOOD_SHARES}
    shapes, collapse = findings["realism"].get("shapes"), findings["diversity"]["collapse"]
    if collapse == SEVERE or not all(share >= POOR_SHARE for share in shares.values()):
        band = POOR
    elif (
        all(shares[name] >= least for name, least in GOOD_SHARES.items())
        and collapse == NONE
        and shapes is not None
        and shapes["synthetic"]["value"] <= SHAPES_TOLD_APART
    ):
        band = GOOD
    else:
        band = LIMITED
    return {"band": band, **shares}
