"""README.md of a bundle: the first thing that a recipient opens, and where a dataset hub looks.

Its words are here; its facts are those that the hospital signs, and the set's manifest.
"""

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from privgan.config import from_table
from privgan.data.cohort.options import EACH_IMAGE_IS_A_PATIENT
from privgan.dp.odds import odds
from privgan.run import PriorNamed
from privgan.synthetic.hub_head import hub_head, subject_of
from privgan.synthetic.other_forms import IMAGE_FOLDER, MEDMNIST, MEDMNIST_FILE
from privgan.synthetic.synthetic_set import Manifest
from privgan_audits.release import bundle as layout
from privgan_audits.release.approval import APPROVAL
from privgan_audits.report.words.frame import NOT_BOUGHT, NOT_COVERED_OUTSIDE
from privgan_audits.telling.strength import Strength
from privgan_audits.telling.verdict import told as told_as

NO_LICENCE = "none is stated: ask before you use, publish or pass on anything of this"
_NOT_SAID = "not said"

_README = """\
# {title}

**Verdict {verdict}, {strength}.** {rule}

{what}
They are synthetic: a computer program that learned from patients' images drew them. They are not for diagnosis.

| | |
|---|---|
{facts}

**Verify before you use anything here.** [VERIFY.md](VERIFY.md) says how; the hospital's public key must come from the
hospital itself, and nothing in this folder proves anything without it.

## What is not covered

{limits}

The classes are what the program was asked to draw; how many images a class has says nothing about how often it occurs
unless [the set's card](dataset/README.md) says so. What else the images are not, stands there, too.

## Load it

In this folder, with NumPy alone:

```python
import numpy as np

data = np.load("dataset/images.npz")
images, labels, classes = data["images"], data["labels"], data["classes"]
splits = np.loadtxt("splits.csv", dtype=str, delimiter=",", skiprows=1, usecols=3, encoding="utf-8")
train = splits == "train"
print(images[train].shape, classes[labels[train]][:5])
```

With privgan, which verifies the bundle first: `privgan.load("BUNDLE", "hospital.pub")`.

## What lies here

{files}

The split is a suggestion, the same for everybody: of each class seven files in ten to train on, one to choose by, two
to test with. All were drawn by one program, so that a test on them says how well a method works on synthetic images;
what it is worth on patients, only patients' images tell.
"""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a bundle's README.md and its Croissant file speak of.

    manifest: of the set. predicate: what the hospital signs. strength: of the promise, as outsiders are told.
    forms: in which further forms the images are there. splits: those that have images.
    """

    manifest: Manifest
    predicate: Mapping[str, Any]
    strength: Strength
    forms: tuple[str, ...]
    splits: tuple[str, ...]

    @property
    def title(self) -> str:
        """The project's, or what the images are of."""
        return self.predicate["project"]["title"] or f"Synthetic images{subject_of(self.manifest)}"

    @property
    def verdict(self) -> str:
        """Never a bare PASS under a looser policy than the default."""
        return told_as(self.predicate["verdict"], self.predicate["policy_looser_than_default"])

    @property
    def what(self) -> str:
        """The set in a sentence."""
        form, count = self.manifest.form, len(self.manifest.form.classes)
        kind, classes = "colour" if form.colour else "grey", "1 class" if count == 1 else f"{count} classes"
        return (
            f"{self.manifest.count:,} synthetic {kind} images of {form.side} x {form.side} pixels in {classes}"
            f"{subject_of(self.manifest)}."
        )


def readme_text(told: Told) -> str:
    """The content of README.md."""
    predicate = told.predicate
    return hub_head(
        told.manifest, told.title, licence=predicate["terms"]["licence"], splits=_hub_splits(told)
    ) + _README.format(
        title=html.escape(told.title, quote=False),
        verdict=told.verdict,
        strength=told.strength.promise,
        rule=told.strength.rule,
        what=told.what,
        facts="\n".join(f"| {name} | {_cell(text)} |" for name, text in _facts(told)),
        limits="\n".join(f"- {limit}" for limit in (*NOT_COVERED_OUTSIDE, NOT_BOUGHT)),
        files="\n".join(_files(told)),
    )


def _facts(told: Told) -> Iterator[tuple[str, str]]:
    predicate = told.predicate
    privacy, project, approval = predicate["privacy"], predicate["project"], predicate.get("approval", {})
    who = "image" if EACH_IMAGE_IS_A_PATIENT in predicate["overrides"] else "patient"
    yield "Privacy", f"epsilon {privacy['epsilon']:.3g} at delta {privacy['delta']:g}, per {who}"
    yield "Odds", f"{odds(privacy['epsilon'], who)}, by any means, leaving aside a chance of delta."
    yield "All runs on these patients", str(told.strength)
    yield "Who answers for it", project["house"] or _NOT_SAID
    yield "Contact", project["contact"] or _NOT_SAID
    yield "Released", predicate["signed"]
    if approval:
        yield "Approved by", f"{approval['officer']} on {approval['approved']}"
        yield "Last day of use", f"{approval['until']}; ask the hospital then"
    else:
        yield "Approved by", "nobody else: one person released it"
    for name in ("purpose", "recipient"):
        yield name.capitalize(), approval.get(name) or _NOT_SAID
    if approval.get("reason"):
        yield "Why what was switched off does no harm", approval["reason"]
    yield from (("Switched off", f"--{name}") for name in predicate["overrides"])
    yield from (("Looser than the default policy", line) for line in predicate["policy_looser_than_default"])
    if "prior" in predicate:
        yield "Public images", from_table(PriorNamed, predicate["prior"]).sentence
    yield "Licence", predicate["terms"]["licence"] or NO_LICENCE
    yield "Citation", predicate["terms"]["citation"] or _NOT_SAID


def _files(told: Told) -> Iterator[str]:
    yield "- `dataset/`: the set as it was audited; its [card](dataset/README.md) names each file."
    yield f"- `{layout.SPLITS}`: of each image its row in `images.npz` (from 0), its file, its class and its split."
    if MEDMNIST in told.forms:
        yield f"- `{layout.FORMS}/{MEDMNIST_FILE}`: the same images and labels by split, as MedMNIST has them."
    if IMAGE_FOLDER in told.forms:
        yield (
            f"- `{layout.FORMS}/{IMAGE_FOLDER}/`: the same images as PNG, a folder for each split and class, for "
            "torchvision's `ImageFolder` and the like."
        )
    yield f"- `{layout.CROISSANT}`: this for programs, in MLCommons' Croissant format."
    yield f"- `{layout.PUBLIC_PAGE}`: what was asked of the set, on a page; `audit-public.json` for programs."
    if "approval" in told.predicate:
        yield f"- `{APPROVAL}`: the privacy officer's signed permission."
    yield f"- `{layout.GUIDE}`, `{layout.ATTESTATION}`, `{layout.SUMS}`: how to verify, and what is verified."


def _hub_splits(told: Told) -> dict[str, str]:
    """Where a hub finds images, if they are there as such."""
    if IMAGE_FOLDER not in told.forms:
        return {}
    return {split: f"{layout.FORMS}/{IMAGE_FOLDER}/{split}/**" for split in told.splits}


def _cell(text: str) -> str:
    """A text in a table of Markdown: what somebody typed opens no column and no tag."""
    return html.escape(text, quote=False).replace("|", "\\|")
