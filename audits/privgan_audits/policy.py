"""The privacy officer's thresholds: one frozen object, read from policy.toml, named by its digest."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from privgan.checks import positive, strictly_within, within
from privgan.config import from_table, read_toml
from privgan.errors import IntegrityError, UsageError
from privgan.files import canonical_json, sha256_bytes

_LOWER_IS_LOOSER = frozenset({"alpha", "split_alpha", "min_chance_of_pass"})


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What FAIL, INVALID and PASS require; the defaults are the recommended policy.

    alpha: family error of the two statistical FAIL rules (Holm), before attempts lower it. At 0.01 one safe set
        in a hundred is refused by chance.
    fail_auc, fail_tpr: a significant membership attack is a FAIL only if its lower bound is also above one of
        these, because with many patients a meaningless effect becomes significant. Guessing has 0.5 and 0.01.
    max_auc: the AUC's one-sided 95 % upper bound; 0.55 is what copying a tenth of all patients would give, and
        below the ceiling of Gaussian DP at epsilon 1 (0.575; Dong, Roth and Su 2022).
    max_tpr: upper bound of the true-positive rate at 1 % false positives; 0.05 is what epsilon 3 permits.
    max_detectable_auc: 2.49 standard errors of the AUC must not exceed it: 80 % power, at the one-sided 5 %
        level, to see an AUC that far above 0.5.
    max_copied_patients, max_copied_share: the limit of detection may be at most the larger of the number and the
        share of members; at 1,333 members and 667 non-members 17 perfect copies are always found, and
        disguises may cost a few more.
    split_alpha: level of the check that members and non-members come from one population (INVALID).
    resplit_quantile: how many small p-values among re-splits are too many (INVALID).
    max_epsilon: of the cohort's ledger in total; above 10 a promise no longer limits an attacker (convention,
        Ponomareva et al. 2023, "How to DP-fy ML").
    min_chance_of_pass: pre-flight below it needs --accept-low-power.
    """

    alpha: float = 0.01
    fail_auc: float = 0.52
    fail_tpr: float = 0.02
    max_auc: float = 0.55
    max_tpr: float = 0.05
    max_detectable_auc: float = 0.05
    max_copied_patients: int = 20
    max_copied_share: float = 0.015
    split_alpha: float = 0.001
    resplit_quantile: float = 0.999
    max_epsilon: float = 10.0
    min_chance_of_pass: float = 0.8

    def __post_init__(self) -> None:
        strictly_within(0.0, 0.5, alpha=self.alpha, split_alpha=self.split_alpha)
        within(0.5, 1.0, fail_auc=self.fail_auc, max_auc=self.max_auc, resplit_quantile=self.resplit_quantile)
        within(0.0, 1.0, fail_tpr=self.fail_tpr, max_tpr=self.max_tpr, max_copied_share=self.max_copied_share)
        within(0.0, 1.0, min_chance_of_pass=self.min_chance_of_pass)
        within(0.0, 0.5, max_detectable_auc=self.max_detectable_auc)
        positive(max_epsilon=self.max_epsilon, max_copied_patients=self.max_copied_patients)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read policy.toml; keys that are left out keep their defaults.

        Raises:
            UsageError: missing, not TOML, an unknown key, or a value out of range.
        """
        return from_table(cls, read_toml(path))

    @classmethod
    def from_json(cls, table: Mapping[str, Any]) -> Self:
        """The policy inside an audit.json, checked against the digest beside it.

        Raises:
            IntegrityError: a value or the digest was edited.
        """
        names = {field.name for field in dataclasses.fields(cls)}
        try:
            policy = from_table(cls, {key: value for key, value in table.items() if key in names})
        except UsageError:
            raise IntegrityError("Expected the policy in the report as the audit wrote it, a value is odd.") from None
        if not names <= set(table) or table.get("sha256") != policy.sha256:
            raise IntegrityError("Expected the policy in the report as the audit wrote it, it was edited.")
        return policy

    @property
    def sha256(self) -> str:
        """Digest of the canonical JSON of all thresholds, defaults included."""
        return sha256_bytes(canonical_json(dataclasses.asdict(self)))

    def to_json(self) -> dict[str, Any]:
        """Every value, the digest, and what is looser than the default."""
        return {
            "sha256": self.sha256,
            **dataclasses.asdict(self),
            "looser_than_default": self.looser_than_default(),
        }

    def looser_than_default(self) -> list[str]:
        """One line for each threshold that refuses less than the recommended one."""
        lines = []
        for field in dataclasses.fields(self):
            value, default = getattr(self, field.name), field.default
            looser = value < default if field.name in _LOWER_IS_LOOSER else value > default
            if looser:
                lines.append(f"{field.name} = {value:g} instead of {default:g}")
        return lines

    def level(self, attempt: int) -> float:
        """The family error of the j-th audited set of a cohort: alpha 6 / (pi^2 j^2), which sums to alpha."""
        positive(attempt=attempt)
        return self.alpha * 6 / (math.pi * attempt) ** 2

    def largest_copied(self, members: float) -> float:
        """The largest acceptable limit of detection, in patients."""
        return max(self.max_copied_patients, self.max_copied_share * members)
