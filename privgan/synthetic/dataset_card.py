"""The dataset card: README.md of a synthetic set, for the person who opens the folder.

Plain words first. It is a function of the manifest alone, so that the identifier scan can write it again and
compare: a card that says anything else is searched word by word.
"""

import math

from privgan.dp.odds import IMAGE, PATIENT, odds
from privgan.dp.strength import MODERATE, NONE, STRONG, WEAK, Tiers
from privgan.images.contact_sheet import is_drawable
from privgan.language import speaking, to_tr, tr
from privgan.records.facts import RecordsFacts
from privgan.synthetic.dicom.form import SECONDARY_CAPTURE
from privgan.synthetic.hub_head import hub_head, subject_of
from privgan.synthetic.synthetic_set import Manifest

_INTRODUCTION = to_tr(
    """\
# Synthetic images

{count} {kind} images of {size} x {size} pixels, drawn by a computer program that learned from images of a hospital's
patients. The set imitates what many of these have in common{subject}. Every image was drawn from random numbers; the
patient numbers in the files are invented, {numbered}.

**May it be shared?** This card does not say. A set that was released lies in a signed bundle, whose README.md says
for what and under which terms, and whose `VERIFY.md` says how to check it. A set with a file named `NOT_RELEASED`
beside this card was not released."""
)
_KINDS = to_tr({False: "grey", True: "colour"})
_FILES, _STUDY, _VISITS = "files", "study", "visits"  # what an invented patient has in DICOM
_NUMBERED = to_tr(
    {_FILES: "one for each file", _STUDY: "one for all images", _VISITS: "one for each {visits} images"}
)
_PRIVATE = to_tr(
    """\
## What protects the patients

The generator was trained under differential privacy at the level of the **{unit}** (epsilon = {epsilon:.3g},
delta = {delta:.3g}, {adjacency} adjacency: one patient's images are taken away, all others stay).

In plain words, about those whose images were learned from:

> {odds}: by any means, now or later, with whatever else they know, leaving aside a chance of {delta:.3g}."""
)
_TOGETHER = to_tr("This covers *all* images of a patient together.")
_ALONE = to_tr(
    """\
**Each image counts as one patient here**, because nobody said whose each image is: whoever has two images among the
training images is protected as two people, and less."""
)
_STRENGTH = to_tr(
    """\
Read alone, this epsilon is **{promise}**. {rule}
What attacks achieved, and what all runs on the same patients add up to, the audit report says."""
)
_PROMISES = to_tr(
    {STRONG: "a strong promise", MODERATE: "a moderate promise", WEAK: "a weak promise", NONE: "no promise"}
)
_NOT_PRIVATE = to_tr(
    """\
## NOT PRIVATE

The run behind this set was a test whose noise can be replayed. There is **no privacy protection**: audit and
release refuse it. Treat the images like the patients' own."""
)
_MADE = to_tr(
    """\
## How it was made

- privgan {version} on {created}; run `{run}`, cohort `{cohort}`.
- A class-conditional generator network was trained on the cohort's member patients and then drew every image from
  random numbers. Drawing opens no file of a patient."""
)
_SMOOTH = to_tr(
    """\
- **The images are smooth**: they show little more than images of {fine} x {fine} pixels that were enlarged. Patients'
  images were asked about nothing finer, and no public images finished them: edges, vessels and grain are missing."""
)
_PRIOR = to_tr("- {sentence}\n  The SHA-256 of what was learned from them: `{sha256}`.")
_ASKED = to_tr("- Classes asked for: {policy}.\n  {shares}")
_CHOSEN = to_tr("Class shares are chosen, not measured: no prevalence can be read from them.")
_DROWNED = to_tr("Class shares were measured, but the noise drowned them: every class has the same share.")
_MEASURED = to_tr(
    """\
Class shares follow a noisy measurement of the training patients, ± {points} percentage points
  (two standard errors of the noise), covered by epsilon."""
)
_UNCOVERED = to_tr(
    """\
Class shares follow a noisy measurement of the training patients, ± {points} percentage points
  (two standard errors of the noise)."""
)
_LIES = to_tr(
    """\
## What lies here

- `images.npz`: `images` (uint8, {axes}), `labels` (numbers), `classes` (names in label order).
- `labels.csv`: `file,patient,label`.
- `dicom/`, if present: {objects}, marked Synthetic Data (0008,001C) = YES. Study dates are dummies.
  {series}
- `contact-sheet.png`, if present: a glance at up to 100 images.
- `manifest.json`: the SHA-256 of each of these files."""
)
_SERIES = to_tr(
    {
        _FILES: (
            "Each file is an invented patient, a study and a series of its own, in a folder of its own: readers "
            "that\n  look for a series of many slices find none, because no two images belong together."
        ),
        _STUDY: (
            "All files are one invented patient and one study, with a folder and a series for each class. Images of "
            "a\n  series have nothing in common but their class: a stack of them is no volume."
        ),
        _VISITS: (
            "Each {visits} files, one after the other, are one invented patient and one study, in a series and a "
            "folder each:\n  the same patient in every value of one column, on invented dates one to three "
            "months apart."
        ),
    }
)
_LESSON = to_tr("- `lesson.html`: a page to go through the sequences with.")
_SEQUENCE = to_tr(
    "- A sequence: each invented patient is drawn once in every value of `{column}`, in order, with all else alike.\n"
    "  How often values occur here says nothing of real patients, and images of one patient belong together."
)
_AXES = to_tr({False: "count x height x width", True: "count x height x width x red, green, blue"})
_RECORDS = to_tr(
    """\
## Records

Each image has an invented record in `records.csv`; `data-dictionary.json` says what its columns are. Records were
drawn from shares that were measured with noise: of {members} training patients, what fewer than about {patients}
have in common drowns in it."""
)
_CONDITIONED = to_tr("All records were asked to say `{where}`: how common that is, they do not tell.")
_LIMITS = to_tr(
    """\
## Limits

- **Not for diagnosis**, and not evidence about any person. An image can show anatomy that cannot exist.
- The class of an image is what the generator was asked for; nobody has read the images.
- Rare findings are blurred or missing: differential privacy hides what only few patients have.
- Differential privacy protects each patient. It does not hide what is common to many: a scanner's look, a logo
  burned into every image, a habit of the department.
- Whatever is derived from these images should be marked as synthetic, too.

## Terms of use

None are stated here: the hospital that shares the set decides, and the README.md of its bundle says what it \
decided."""
)


def dataset_card(manifest: Manifest) -> str:
    """Markdown text of the card, in the set's own language."""
    with speaking(manifest.language):
        parts = (_introduction(manifest), _privacy(manifest), _made(manifest), _classes(manifest), _lies(manifest))
        told = () if manifest.records is None else (_records(manifest.records),)
        return hub_head(manifest) + "\n\n".join((*parts, *told, tr(_LIMITS))) + "\n"


def _introduction(manifest: Manifest) -> str:
    return tr(
        _INTRODUCTION,
        count=f"{manifest.count:,}",
        kind=tr(_KINDS[manifest.form.colour]),
        size=manifest.form.side,
        subject=subject_of(manifest),
        numbered=tr(_NUMBERED[_held(manifest)], visits=manifest.dicom.visits),
    )


def _privacy(manifest: Manifest) -> str:
    if manifest.not_private:
        return tr(_NOT_PRIVATE)
    spend, tiers, alone = manifest.spend, Tiers(), manifest.form.each_image_is_a_patient
    protected = tr(
        _PRIVATE,
        unit=tr(spend.unit),
        epsilon=spend.epsilon,
        delta=spend.delta,
        adjacency=tr(spend.adjacency),
        odds=odds(spend.epsilon, IMAGE if alone else PATIENT),
    )
    strength = tr(_STRENGTH, promise=tr(_PROMISES[tiers.word(spend.epsilon)]), rule=tiers.rule)
    return f"{protected}\n\n{tr(_ALONE if alone else _TOGETHER)}\n{strength}"


def _made(manifest: Manifest) -> str:
    made = tr(
        _MADE,
        version=manifest.privgan_version,
        created=manifest.created,
        run=manifest.run_id,
        cohort=manifest.cohort_id,
    )
    prior = manifest.prior
    public = [tr(_PRIOR, sentence=prior.sentence, sha256=prior.sha256)] if prior else []
    public += [tr(_SMOOTH, fine=manifest.smooth_as)] if manifest.smooth_as else []
    several = [manifest.federation.sentence] if manifest.federation else []
    column = "" if manifest.records is None else manifest.records.sequence
    several += [tr(_SEQUENCE, column=column)] if column else []
    return "\n".join((made, *public, *several, tr(_ASKED, policy=manifest.class_policy, shares=_shares(manifest))))


def _shares(manifest: Manifest) -> str:
    if manifest.class_margin is None:
        return tr(_CHOSEN)
    if manifest.noise_drowned_classes:
        return tr(_DROWNED)
    points = math.ceil(1000 * manifest.class_margin) / 10
    return tr(_UNCOVERED if manifest.not_private else _MEASURED, points=f"{points:.1f}")


def _classes(manifest: Manifest) -> str:
    rows = [
        f"| {name if is_drawable(name) else f'{name} ({number})'} | {count:,} |"  # as the contact sheet names it
        for number, (name, count) in enumerate(manifest.class_counts.items(), start=1)
    ]
    return "\n".join((tr("| class | images |"), "|---|---|", *rows))


def _lies(manifest: Manifest) -> str:
    lies = tr(
        _LIES,
        axes=tr(_AXES[manifest.form.colour]),
        objects=_objects(manifest),
        series=tr(_SERIES[_held(manifest)], visits=manifest.dicom.visits),
    )
    sequence = manifest.records is not None and manifest.records.sequence
    return f"{lies}\n{tr(_LESSON)}" if sequence else lies


def _held(manifest: Manifest) -> str:
    """What an invented patient has: all files, so many, or one."""
    if manifest.dicom.one_study:
        return _STUDY
    return _VISITS if manifest.dicom.visits > 1 else _FILES


def _records(facts: RecordsFacts) -> str:
    patients = math.ceil(2 * max(facts.errors.values()))
    told = tr(_RECORDS, members=f"{facts.members:,}", patients=patients)
    return f"{told}\n{tr(_CONDITIONED, where=facts.where)}" if facts.where else told


def _objects(manifest: Manifest) -> str:
    """What the DICOM files are, thing by thing."""
    form, images = manifest.dicom, manifest.form
    kind = "Secondary Capture" if form.kind == SECONDARY_CAPTURE else f"{form.kind.upper()} Image Storage"
    things = [f"DICOM {kind}"]
    if images.colour:
        things.append(tr("in colour"))
    if form.frames > 1:
        things.append(tr("up to {count} images of one class as the frames of a file", count=form.frames))
    if images.window is not None and form.frames == 1:
        things.append(tr("values in Hounsfield units by slope and intercept"))
    also = []
    if form.kind in ("ct", "mr", "dx"):
        also.append(tr("spacing and position are nominal, not measured"))
    if form.bits != 8:
        also.append(tr("{bits} bits hold the generator's 256 levels", bits=form.bits))
    return tr("; ").join((tr(", ").join(things), *also))
