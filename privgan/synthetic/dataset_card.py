"""The dataset card: README.md of a synthetic set, for the person who opens the folder.

Plain words first. It is a function of the manifest alone, so that the identifier scan can write it again and
compare: a card that says anything else is searched word by word.
"""

import math
from dataclasses import asdict

from privgan.dp.odds import odds
from privgan.dp.strength import Tiers, promise_word
from privgan.synthetic.dicom.form import SECONDARY_CAPTURE
from privgan.synthetic.hub_head import hub_head, subject_of
from privgan.synthetic.synthetic_set import Manifest

_PRIVATE = """\
## What protects the patients

The generator was trained under differential privacy at the level of the **{unit}** (epsilon = {epsilon:.3g},
delta = {delta:.3g}, {adjacency} adjacency: one patient's images are taken away, all others stay).

In plain words, about those whose images were learned from:

> {odds}: by any means, now or later, with whatever else they know, leaving aside a chance of {delta:.3g}.

{caution}"""

_ALONE = """\
**Each image counts as one patient here**, because nobody said whose each image is: whoever has two images among the
training images is protected as two people, and less.
"""

_STRENGTH = """\
Read alone, this epsilon is **{promise}**. {rule}
What attacks achieved, and what all runs on the same patients add up to, the audit report says.
"""

_NOT_PRIVATE = """\
## NOT PRIVATE

The run behind this set was a test whose noise can be replayed. There is **no privacy protection**: audit and
release refuse it. Treat the images like the patients' own.
"""

_CARD = """\
# Synthetic images

{count} {kind} images of {size} x {size} pixels, drawn by a computer program that learned from images of a hospital's
patients. The set imitates what many of these have in common{subject}. Every image was drawn from random numbers; the
patient numbers in the files are invented, {numbered}.

**May it be shared?** This card does not say. A set that was released lies in a signed bundle, whose README.md says
for what and under which terms, and whose `VERIFY.md` says how to check it. A set with a file named `NOT_RELEASED`
beside this card was not released.

{privacy}
## How it was made

- privgan {version} on {created}; run `{run}`, cohort `{cohort}`.
- A class-conditional generator network was trained on the cohort's member patients and then drew every image from
  random numbers. Drawing opens no file of a patient.
{prior}- Classes asked for: {policy}.
  {shares}

| class | images |
|---|---|
{rows}

## What lies here

- `images.npz`: `images` (uint8, {axes}), `labels` (numbers), `classes` (names in label order).
- `labels.csv`: `file,patient,label`.
- `dicom/`, if present: {objects}, marked Synthetic Data (0008,001C) = YES. Study dates are dummies.
  {series}
- `contact-sheet.png`, if present: a glance at up to 100 images.
- `manifest.json`: the SHA-256 of each of these files.

## Limits

- **Not for diagnosis**, and not evidence about any person. An image can show anatomy that cannot exist.
- The class of an image is what the generator was asked for; nobody has read the images.
- Rare findings are blurred or missing: differential privacy hides what only few patients have.
- Differential privacy protects each patient. It does not hide what is common to many: a scanner's look, a logo
  burned into every image, a habit of the department.
- Whatever is derived from these images should be marked as synthetic, too.

## Terms of use

None are stated here: the hospital that shares the set decides, and the README.md of its bundle says what it decided.
"""


_SERIES = {
    False: "Each file is an invented patient, a study and a series of its own, in a folder of its own: readers that\n"
    "  look for a series of many slices find none, because no two images belong together.",
    True: "All files are one invented patient and one study, with a folder and a series for each class. Images of a\n"
    "  series have nothing in common but their class: a stack of them is no volume.",
}


def dataset_card(manifest: Manifest) -> str:
    """Markdown text of the card."""
    return hub_head(manifest) + _CARD.format(
        count=f"{manifest.count:,}",
        size=manifest.form.side,
        kind="colour" if manifest.form.colour else "grey",
        axes="count x height x width" + (" x red, green, blue" if manifest.form.colour else ""),
        subject=subject_of(manifest),
        numbered="one for all images" if manifest.dicom.one_study else "one for each file",
        objects=_objects(manifest),
        series=_SERIES[manifest.dicom.one_study],
        privacy=_privacy(manifest),
        version=manifest.privgan_version,
        created=manifest.created,
        run=manifest.run_id,
        cohort=manifest.cohort_id,
        prior=_prior(manifest),
        policy=manifest.class_policy,
        shares=_shares(manifest),
        rows="\n".join(f"| {name} | {count:,} |" for name, count in manifest.class_counts.items()),
    )


def _objects(manifest: Manifest) -> str:
    form, images = manifest.dicom, manifest.form
    words = (
        "DICOM Secondary Capture" if form.kind == SECONDARY_CAPTURE else f"DICOM {form.kind.upper()} Image Storage"
    )
    if images.colour:
        words += ", in colour"
    if form.frames > 1:
        words += f", up to {form.frames} images of one class as the frames of a file"
    if images.window is not None and form.frames == 1:
        words += ", values in Hounsfield units by slope and intercept"
    if form.kind in ("ct", "mr", "dx"):
        words += "; spacing and position are nominal, not measured"
    return words if form.bits == 8 else f"{words}; {form.bits} bits hold the generator's 256 levels"


def _prior(manifest: Manifest) -> str:
    if manifest.prior is None:
        return ""
    return f"- {manifest.prior.sentence}\n  The SHA-256 of what was learned from them: `{manifest.prior.sha256}`.\n"


def _shares(manifest: Manifest) -> str:
    if manifest.class_margin is None:
        return "Class shares are chosen, not measured: no prevalence can be read from them."
    if manifest.noise_drowned_classes:
        return "Class shares were measured, but the noise drowned them: every class has the same share."
    points = math.ceil(1000 * manifest.class_margin) / 10
    covered = "" if manifest.not_private else ", covered by epsilon"
    return (
        f"Class shares follow a noisy measurement of the training patients, ± {points:.1f} percentage points\n"
        f"  (two standard errors of the noise){covered}."
    )


def _privacy(manifest: Manifest) -> str:
    if manifest.not_private:
        return _NOT_PRIVATE
    epsilon = manifest.spend.epsilon
    tiers = Tiers()
    strength = _STRENGTH.format(
        promise=f"a {promise_word(tiers.word(epsilon))}".replace("a no", "no"), rule=tiers.rule
    )
    alone = manifest.form.each_image_is_a_patient
    together = "" if alone else "This covers *all* images of a patient together.\n"
    return _PRIVATE.format(
        **asdict(manifest.spend),
        odds=odds(epsilon, "image" if alone else "patient"),
        caution=together + (_ALONE if alone else "") + strength,
    )
