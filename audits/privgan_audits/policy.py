"""The privacy officer's policy: one frozen object, a preset or read from policy.toml, named by its digest.

Three presets, for who will hold the images; docs/how-to/write-a-policy.md says where each number comes from.
"""

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from privgan.checks import nearest, positive, require_line, strictly_within, within
from privgan.config import from_table, read_toml
from privgan.dp.strength import Tiers
from privgan.errors import IntegrityError, UsageError
from privgan.files import canonical_json, sha256_bytes
from privgan.language import AS_WRITTEN, kept, require_language, to_tr
from privgan.seals import key_of_line

DEFAULT, RESTRICTED_ACCESS, OPEN_RELEASE = "default", "restricted-access", "open-release"
OWN = "own"  # thresholds that are no preset's
NO_THRESHOLDS = ("officer_key", "house", "licence", "citation", "language")
_LATER = ("strong_epsilon", "moderate_epsilon", "weak_epsilon", "house", "licence", "citation", "language")
LONGEST_HOUSE = LONGEST_LICENCE = 100
LONGEST_CITATION = 300
_SAID_OF_IT = ("preset", "sha256", "looser_than_default")  # beside its values, in JSON
LOOSER = to_tr("{name} = {value} instead of {default}")
_LOWER_IS_LOOSER = frozenset({"alpha", "split_alpha", "min_chance_of_pass"})


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What FAIL, INVALID and PASS require; the defaults are the recommended policy, the preset `default`.

    alpha: family error of the two statistical FAIL rules (Holm), before attempts lower it. At 0.01 one safe set
        in a hundred is refused by chance.
    fail_auc, fail_tpr: a significant membership attack is a FAIL only if its lower bound is also above one of
        these, because with many patients a meaningless effect becomes significant. Guessing has 0.5 and 0.01.
    max_auc: the AUC's one-sided 95 % upper bound; 0.55 is what copying a tenth of all patients would give, and
        below the ceiling of Gaussian DP at epsilon 1 (0.575; Dong, Roth and Su 2022).
    max_tpr: upper bound of the true-positive rate at 1 % false positives; 0.05 is what epsilon 3 permits.
    max_attribute_advantage: upper bound of how much more often a hidden fact is guessed right of members than of
        non-members; 0.09 is the customary re-identification threshold (European Medicines Agency, Health Canada).
    max_detectable_auc: 2.49 standard errors of the AUC must not exceed it: 80 % power, at the one-sided 5 %
        level, to see an AUC that far above 0.5.
    max_copied_patients, max_copied_share: the limit of detection may be at most the larger of the number and the
        share of members for plain copies, and twice that for changed ones; at two members to a
        non-member 18 unchanged or mirrored copies are always found if hashes meet nobody else.
    split_alpha: level of the check that members and non-members come from one population (INVALID).
    resplit_quantile: how many small p-values among re-splits are too many (INVALID).
    max_epsilon: of the cohort's ledger in total; above 10 a promise no longer limits an attacker (convention,
        Ponomareva et al. 2023, "How to DP-fy ML").
    min_chance_of_pass: pre-flight below it needs --accept-low-power.
    strong_epsilon, moderate_epsilon, weak_epsilon: up to which total epsilon a promise is called so, beside every
        verdict; see `privgan.dp.strength`, which cites the tiers.
    house: who answers for the data, as every page and bundle says it. No threshold.
    licence, citation: under which terms a release goes out, and how it is to be cited, unless `release` is told
        otherwise. No thresholds.
    language: in which pages and verbs speak where nobody asks for another; see `privgan.language`. No threshold.
    officer_key: the line of the public key whose approval a release needs; empty: none is needed. No threshold.
    """

    alpha: float = 0.01
    fail_auc: float = 0.52
    fail_tpr: float = 0.02
    max_auc: float = 0.55
    max_tpr: float = 0.05
    max_attribute_advantage: float = 0.09
    max_detectable_auc: float = 0.05
    max_copied_patients: int = 20
    max_copied_share: float = 0.015
    split_alpha: float = 0.001
    resplit_quantile: float = 0.999
    max_epsilon: float = 10.0
    min_chance_of_pass: float = 0.8
    officer_key: str = ""
    strong_epsilon: float = Tiers.strong
    moderate_epsilon: float = Tiers.moderate
    weak_epsilon: float = Tiers.weak
    house: str = ""
    licence: str = ""
    citation: str = ""
    language: str = AS_WRITTEN

    def __post_init__(self) -> None:
        strictly_within(0.0, 0.5, alpha=self.alpha, split_alpha=self.split_alpha)
        within(0.5, 1.0, fail_auc=self.fail_auc, max_auc=self.max_auc, resplit_quantile=self.resplit_quantile)
        within(0.0, 1.0, fail_tpr=self.fail_tpr, max_tpr=self.max_tpr, max_copied_share=self.max_copied_share)
        within(
            0.0, 1.0, min_chance_of_pass=self.min_chance_of_pass, max_attribute_advantage=self.max_attribute_advantage
        )
        within(0.0, 0.5, max_detectable_auc=self.max_detectable_auc)
        positive(max_epsilon=self.max_epsilon, max_copied_patients=self.max_copied_patients)
        _ = self.tiers  # checks itself
        require_line(LONGEST_HOUSE, empty=True, house=self.house)
        require_line(LONGEST_LICENCE, empty=True, licence=self.licence)
        require_line(LONGEST_CITATION, empty=True, citation=self.citation)
        require_language(self.language)
        if self.officer_key:
            _require_key(officer_key=self.officer_key)

    @property
    def words(self) -> dict[str, str]:
        """What goes out with every bundle as it was typed, by its key."""
        return {"house": self.house, "licence": self.licence, "citation": self.citation}

    @property
    def tiers(self) -> Tiers:
        """Which epsilon makes which promise."""
        return Tiers(strong=self.strong_epsilon, moderate=self.moderate_epsilon, weak=self.weak_epsilon)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read policy.toml; keys that are left out are those of its `preset`, by default the recommended policy.

        Raises:
            UsageError: missing, not TOML, an unknown key or preset, or a value out of range.
        """
        table = read_toml(path)
        start = _preset(table.pop("preset", DEFAULT))
        return from_table(cls, {**dataclasses.asdict(start), **table})

    @classmethod
    def chosen(cls, choice: str | None) -> "Policy":
        """What --policy says: a preset's name or a file, the recommended policy if it says nothing.

        A word without a path separator and without .toml at its end is a name, so that no file that happens to lie
        in the working folder can take a preset's place.

        Raises:
            UsageError: no such preset, or as `read` does.
        """
        if choice is None:
            return _preset(DEFAULT)
        is_file = Path(choice).name != choice or choice.endswith(".toml")
        return cls.read(Path(choice)) if is_file else _preset(choice)

    @classmethod
    def named(cls, name: str) -> "Policy":
        """A preset's policy.

        Raises:
            UsageError: no such preset.
        """
        return _preset(name)

    @classmethod
    def from_json(cls, table: Mapping[str, Any]) -> Self:
        """The policy inside an audit.json, checked against the digest and everything else beside it.

        Raises:
            IntegrityError: a value, the digest, the preset's name or a line about looser thresholds was edited.
        """
        names = {field.name for field in dataclasses.fields(cls)}
        try:
            policy = from_table(cls, {key: value for key, value in table.items() if key in names})
        except UsageError:
            raise IntegrityError("Expected the policy in the report as the audit wrote it, a value is odd.") from None
        if dict(table) != policy.to_json():
            raise IntegrityError("Expected the policy in the report as the audit wrote it, it was edited.")
        return policy

    @property
    def sha256(self) -> str:
        """Digest of the canonical JSON of all thresholds, house, language and the officer's key, defaults included.

        Of what came later (LATER) only what is not at its default: the digests of older policies stay theirs.
        The preset's name is not in it: two files that demand the same are one policy, however they were written.
        """
        return sha256_bytes(canonical_json(self._told()))

    @property
    def preset(self) -> str:
        """The preset that has all these thresholds, or OWN; found by comparing, so that no file can claim a name."""
        thresholds = dataclasses.replace(self, officer_key="", house="", licence="", citation="", language=AS_WRITTEN)
        return next((name for name, policy in PRESETS.items() if policy == thresholds), OWN)

    def to_json(self) -> dict[str, Any]:
        """Every value, the preset's name, the digest, and what is looser than the default."""
        return {
            "preset": self.preset,
            "sha256": self.sha256,
            **self._told(),
            "looser_than_default": self.looser_than_default(),
        }

    def looser_than_default(self) -> list[str]:
        """One line for each threshold that refuses less than the recommended one."""
        return [line for line, looser in self._beside_default() if looser]

    def other_than_default(self) -> list[str]:
        """The same for each that is not the recommended one: whoever wrote a policy knows it by them."""
        return [line for line, _ in self._beside_default()]

    def _beside_default(self) -> Iterator[tuple[str, bool]]:
        for field in dataclasses.fields(self):
            name, value, default = field.name, getattr(self, field.name), field.default
            if name not in NO_THRESHOLDS and value != default:
                looser = value < default if name in _LOWER_IS_LOOSER else value > default
                yield LOOSER.format(name=name, value=f"{value:g}", default=f"{default:g}"), looser

    def _told(self) -> dict[str, Any]:
        """Every value but those that came later and are at their default."""
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        values = dataclasses.asdict(self)
        return {name: value for name, value in values.items() if name not in _LATER or value != defaults[name]}

    def level(self, attempt: int) -> float:
        """The family error of the j-th audited set of a cohort: alpha 6 / (pi^2 j^2), which sums to alpha.

        A later attempt thus needs more evidence for a FAIL, or safe sets would fail by chance in the end; it passes
        only if its limit of detection is still small enough at this level.
        """
        positive(attempt=attempt)
        return self.alpha * 6 / (math.pi * attempt) ** 2

    def largest_copied(self, members: float) -> float:
        """The largest acceptable limit of detection, in patients."""
        return max(self.max_copied_patients, self.max_copied_share * members)


# Restricted access: recipients are known, bound by contract and can be called back.
# Open release: anyone, for ever, together with whatever will be published later.
# max_auc: copying a fifth, a tenth, 6 % of all patients would give 0.60, 0.55, 0.53; the ceilings of Gaussian DP are
#     0.639, 0.575, 0.540 at epsilon 2, 1, 0.5 and delta 1e-5 (Dong, Roth and Su 2022). max_detectable_auc follows it.
# max_tpr: the ceilings are 9.6 %, 5.4 %, 3.4 % at epsilon 4.5, 3, 2.
# max_attribute_advantage: one in 5, in 11, in 20: the smallest cells that disclosure control lets be published, by
#     how public the data are (El Emam and Arbuckle 2013, "Anonymizing Health Data").
# max_copied_patients, max_copied_share: the audit plants at most 40, or 3 % up to 200, and cannot vouch for more.
#     With a third held back, 18 plain copies are the fewest that are surely seen, so that open release tightens the
#     share alone.
# max_epsilon: 3 leaves nobody's odds more than about 20 times what they were; a choice between the tiers 1 and 10
#     of Ponomareva et al. (2023).
PRESETS: Mapping[str, Policy] = MappingProxyType(
    {
        DEFAULT: Policy(),
        RESTRICTED_ACCESS: Policy(
            max_auc=0.60,
            max_detectable_auc=0.10,
            max_tpr=0.10,
            max_attribute_advantage=0.20,
            max_copied_patients=40,
            max_copied_share=0.03,
        ),
        OPEN_RELEASE: Policy(
            max_auc=0.53,
            max_detectable_auc=0.03,
            max_tpr=0.03,
            max_attribute_advantage=0.05,
            max_copied_share=0.01,
            max_epsilon=3.0,
        ),
    }
)


def write_policy(path: Path, *, preset: str, officer_key: str, house: str = "", language: str = AS_WRITTEN) -> Policy:
    """Write a new policy.toml that has a preset's thresholds and names the officer's key.

    Raises:
        UsageError: a value is no policy's; nothing is written then.
    """
    policy = dataclasses.replace(_preset(preset), officer_key=officer_key, house=house, language=language)
    lines = ["schema = 1", f"preset = {json.dumps(preset)}", f"officer_key = {json.dumps(officer_key)}"]
    lines += [f"house = {json.dumps(house, ensure_ascii=False)}"] if house else []
    lines += [f"language = {json.dumps(language)}"] if language != AS_WRITTEN else []
    with path.open("x", encoding="utf-8") as stream:
        stream.write("".join(f"{line}\n" for line in lines))
    return policy


def sha256_of(table: Mapping[str, Any]) -> str:
    """The digest of a policy by its JSON, also of one that another version wrote, with keys that this one has not.

    >>> sha256_of(Policy().to_json()) == Policy().sha256
    True
    """
    return sha256_bytes(canonical_json({name: value for name, value in table.items() if name not in _SAID_OF_IT}))


def _require_key(*, officer_key: str) -> None:
    try:
        key_of_line(officer_key)
    except UsageError as error:
        raise UsageError(f"officer_key in the policy: {error}") from None


def _preset(name: object) -> Policy:
    found = PRESETS.get(name) if isinstance(name, str) else None
    if found is None:
        wanted = kept("Expected a preset ({presets}), got {name}.", presets=", ".join(PRESETS), name=repr(name))
        file = kept("A file's name ends in .toml or is written ./FILE.")
        said = filter(None, (wanted, nearest(str(name), PRESETS), file))
        raise UsageError(" ".join(said))
    return found
