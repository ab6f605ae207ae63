"""README.md of a bundle: the first thing that a recipient opens, and where a dataset hub looks.

Its words are here; its facts are those that the hospital signs, and the set's manifest.
"""

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from privgan.config import from_table
from privgan.data.cohort.options import EACH_IMAGE_IS_A_PATIENT
from privgan.dp.odds import IMAGE, PATIENT, odds
from privgan.language import in_a_row, retold, to_tr, tr
from privgan.run import PriorNamed
from privgan.synthetic.hub_head import hub_head, subject_of
from privgan.synthetic.other_forms import IMAGE_FOLDER, MEDMNIST, MEDMNIST_FILE
from privgan.synthetic.synthetic_set import DICTIONARY, LESSON, RECORDS, Manifest
from privgan_audits.release import bundle as layout
from privgan_audits.release.approval import APPROVAL
from privgan_audits.release.joint.agreement import Agreement
from privgan_audits.report.words.frame import NOT_BOUGHT, NOT_COVERED_OUTSIDE
from privgan_audits.telling.strength import Strength
from privgan_audits.telling.verdict import told as told_as

NO_LICENCE = to_tr("none is stated: ask before you use, publish or pass on anything of this")
_GREY = to_tr(
    (
        "{count} synthetic grey images of {side} x {side} pixels in 1 class{subject}.",
        "{count} synthetic grey images of {side} x {side} pixels in {classes} classes{subject}.",
    )
)
_COLOUR = to_tr(
    (
        "{count} synthetic colour images of {side} x {side} pixels in 1 class{subject}.",
        "{count} synthetic colour images of {side} x {side} pixels in {classes} classes{subject}.",
    )
)

_SYNTHETIC = to_tr(
    "They are synthetic: a computer program that learned from patients' images drew them. They are not for diagnosis."
)
_VERIFY = to_tr(
    "**Verify before you use anything here.** [VERIFY.md](VERIFY.md) says how; the hospital's public key must come "
    "from the\nhospital itself, and nothing in this folder proves anything without it."
)
_VERIFY_OF_SEVERAL = to_tr(
    "**Verify before you use anything here.** [VERIFY.md](VERIFY.md) says how; the public key of each hospital must "
    "come from\nthat hospital itself, and nothing in this folder proves anything without them."
)
_CLASSES = to_tr(
    "The classes are what the program was asked to draw; how many images a class has says nothing about how often it "
    "occurs\nunless [the set's card](dataset/README.md) says so. What else the images are not, stands there, too."
)
_CODE = """\
```python
import numpy as np

data = np.load("dataset/images.npz")
images, labels, classes = data["images"], data["labels"], data["classes"]
splits = np.loadtxt("splits.csv", dtype=str, delimiter=",", skiprows=1, usecols=3, encoding="utf-8")
train = splits == "train"
print(images[train].shape, classes[labels[train]][:5])
```"""
_SPLIT = to_tr(
    "The split is a suggestion, the same for everybody: of each class seven files in ten to train on, one to choose "
    "by, two\nto test with. All were drawn by one program, so that a test on them says how well a method works on "
    "synthetic images;\nwhat it is worth on patients, only patients' images tell."
)


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a bundle's README.md and its Croissant file speak of.

    manifest: of the set. predicate: what the hospital signs. strength: of the promise, as outsiders are told.
    forms: in which further forms the images are there. splits: those that have images. sites: the words of several
    hospitals.
    """

    manifest: Manifest
    predicate: Mapping[str, Any]
    strength: Strength
    forms: tuple[str, ...]
    splits: tuple[str, ...]
    sites: tuple[Agreement, ...] = ()

    @property
    def looser(self) -> Sequence[str]:
        """What the policy asks less than the default; of several hospitals what any of theirs does."""
        looser = (line for each in self.sites for line in each.policy.looser)
        return tuple(dict.fromkeys((*self.predicate["policy_looser_than_default"], *looser)))

    @property
    def overrides(self) -> Sequence[str]:
        """What was switched off, by whichever hospital."""
        off = (str(name) for each in self.sites for name in each.stated["overrides"])
        return tuple(dict.fromkeys((*self.predicate["overrides"], *off)))

    @property
    def title(self) -> str:
        """The project's, or what the images are of."""
        return self.predicate["project"]["title"] or tr("Synthetic images") + subject_of(self.manifest)

    @property
    def verdict(self) -> str:
        """Never a bare PASS under a looser policy than the default."""
        return told_as(self.predicate["verdict"], self.looser)

    @property
    def what(self) -> str:
        """The set in a sentence."""
        form = self.manifest.form
        values = {"count": f"{self.manifest.count:,}", "side": form.side, "subject": subject_of(self.manifest)}
        one, several = _COLOUR if form.colour else _GREY
        classes = len(form.classes)
        return tr(one, **values) if classes == 1 else tr(several, classes=classes, **values)


def readme_text(told: Told) -> str:
    """The content of README.md, in the current language."""
    licence = told.predicate["terms"]["licence"]
    return hub_head(told.manifest, told.title, licence=licence, splits=_hub_splits(told)) + "\n\n".join(_parts(told))


def _parts(told: Told) -> Iterator[str]:
    yield f"# {html.escape(told.title, quote=False)}"
    yield tr(
        "**Verdict {verdict}, {strength}.** {rule}",
        verdict=told.verdict,
        strength=told.strength.promise,
        rule=told.strength.rule,
    )
    yield f"{told.what}\n{tr(_SYNTHETIC)}"
    yield "\n".join(("| | |", "|---|---|", *(f"| {name} | {_cell(text)} |" for name, text in _facts(told))))
    yield tr(_VERIFY_OF_SEVERAL if told.sites else _VERIFY)
    yield f"## {tr('What is not covered')}"
    yield "\n".join(f"- {tr(limit)}" for limit in (*NOT_COVERED_OUTSIDE, NOT_BOUGHT))
    yield tr(_CLASSES)
    yield f"## {tr('Load it')}"
    yield tr("In this folder, with NumPy alone:")
    yield _CODE
    keys = json.dumps([f"{each.site}.pub" for each in told.sites] if told.sites else "hospital.pub")
    yield tr('With privgan, which verifies the bundle first: `privgan.load("BUNDLE", {keys})`.', keys=keys)
    yield f"## {tr('What lies here')}"
    yield "\n".join(_files(told))
    yield f"{tr(_SPLIT)}\n"


def _facts(told: Told) -> Iterator[tuple[str, str]]:
    predicate = told.predicate
    privacy, project = predicate["privacy"], predicate["project"]
    who = IMAGE if EACH_IMAGE_IS_A_PATIENT in told.overrides else PATIENT
    yield (
        tr("Privacy"),
        tr(
            "epsilon {epsilon} at delta {delta}, per {unit}",
            epsilon=f"{privacy['epsilon']:.3g}",
            delta=f"{privacy['delta']:g}",
            unit=tr(who),
        ),
    )
    said = odds(privacy["epsilon"], who)
    yield tr("Odds"), tr("{odds}, by any means, leaving aside a chance of delta.", odds=said)
    yield tr("All runs on these patients"), told.strength.promise if told.sites else str(told.strength)
    yield tr("Who answers for it"), project["house"] or tr("not said")
    yield tr("Contact"), project["contact"] or tr("not said")
    yield tr("Released"), predicate["signed"]
    if named := told.manifest.federation:
        yield tr("Hospitals"), named.sentence
        yield from map(_granted_at, told.sites)
    else:
        yield from _granted(predicate.get("approval", {}))
    yield from ((tr("Switched off"), f"--{name}") for name in told.overrides)
    for line in told.looser:
        yield tr("Looser than the default policy"), retold(line)
    if "prior" in predicate:
        yield tr("Public images"), from_table(PriorNamed, predicate["prior"]).sentence
    yield tr("Licence"), predicate["terms"]["licence"] or tr(NO_LICENCE)
    yield tr("Citation"), predicate["terms"]["citation"] or tr("not said")


def _granted_at(site: Agreement) -> tuple[str, str]:
    """One of several hospitals and its officer, in a row."""
    approval = site.approval.approval.facts()
    said = tr(
        "{house}: {officer} on {first}, until {last}. Purpose: {purpose}. Recipient: {recipient}.",
        house=site.house or tr("not said"),
        officer=approval["officer"],
        first=approval["approved"],
        last=approval["until"],
        purpose=approval["purpose"] or tr("not said"),
        recipient=approval["recipient"] or tr("not said"),
    )
    reason = approval.get("reason", "").rstrip(".")
    why = tr("Why switched-off safeguards do no harm: {reason}.", reason=reason) if reason else ""
    return tr("Approved at {name}", name=site.site), in_a_row((said, why))


def _granted(approval: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if approval:
        approved = tr("{officer} on {date}", officer=approval["officer"], date=approval["approved"])
        yield tr("Approved by"), approved
        yield tr("Last day of use"), tr("{day}; ask the hospital then", day=approval["until"])
    else:
        yield tr("Approved by"), tr("nobody else: one person released it")
    yield tr("Purpose"), approval.get("purpose") or tr("not said")
    yield tr("Recipient"), approval.get("recipient") or tr("not said")
    if approval.get("reason"):
        yield tr("Why what was switched off does no harm"), approval["reason"]


def _files(told: Told) -> Iterator[str]:
    yield tr("- `dataset/`: the set as it was audited; its [card](dataset/README.md) names each file.")
    if (facts := told.manifest.records) is not None:
        yield tr(
            "- `dataset/{records}`: an invented record for each image, with {columns}; `dataset/{dictionary}` says "
            "what these are and how sure.",
            records=RECORDS,
            columns=", ".join(f"`{name}`" for name in facts.columns),
            dictionary=DICTIONARY,
        )
        if facts.sequence:
            yield tr("- `dataset/{lesson}`: a page to go through the sequences with, in any browser.", lesson=LESSON)
    yield tr(
        "- `{file}`: of each image its row in `images.npz` (from 0), its file, its class and its split.",
        file=layout.SPLITS,
    )
    if MEDMNIST in told.forms:
        file = f"{layout.FORMS}/{MEDMNIST_FILE}"
        yield tr("- `{file}`: the same images and labels by split, as MedMNIST has them.", file=file)
    if IMAGE_FOLDER in told.forms:
        yield tr(
            "- `{folder}`: the same images as PNG, a folder for each split and class, for torchvision's "
            "`ImageFolder` and the like.",
            folder=f"{layout.FORMS}/{IMAGE_FOLDER}/",
        )
    yield tr("- `{file}`: this for programs, in MLCommons' Croissant format.", file=layout.CROISSANT)
    yield tr(
        "- `{file}`: what was asked of the set, on a page; `audit-public.json` for programs.", file=layout.PUBLIC_PAGE
    )
    if told.sites:
        yield tr(
            "- `{folder}/`: each hospital's signed yes, and the signed permission of its officer.",
            folder=layout.SITES,
        )
    if "approval" in told.predicate:
        yield tr("- `{file}`: the privacy officer's signed permission.", file=APPROVAL)
    yield tr(
        "- `{guide}`, `{attestation}`, `{sums}`: how to verify, and what is verified.",
        guide=layout.GUIDE,
        attestation=layout.ATTESTATION,
        sums=layout.SUMS,
    )


def _hub_splits(told: Told) -> dict[str, str]:
    """Where a hub finds images, if they are there as such."""
    if IMAGE_FOLDER not in told.forms:
        return {}
    return {split: f"{layout.FORMS}/{IMAGE_FOLDER}/{split}/**" for split in told.splits}


def _cell(text: str) -> str:
    """A text in a table of Markdown: what somebody typed opens no column and no tag."""
    return html.escape(text, quote=False).replace("|", "\\|")
