"""The model card: README.md of a classifier, for the person who opens the folder; plain words first.

A function of the facts alone. Its parts follow Mitchell et al. 2019, "Model cards for model reporting".
"""

from privgan.language import retold, to_tr, tr
from privgan_audits.telling.numbers import listed, percent
from privgan_uses.released import Origin
from privgan_uses.teaching.classifier import ClassifierFacts
from privgan_uses.teaching.graph import INPUT
from privgan_uses.telling import figure

_HEAD = to_tr(
    """\
# A classifier that learned from synthetic images

It tells {count} classes apart on images of {form}: {classes}.
It learned from {images} images of nobody, which a program drew after what many patients have in common. It never saw
a patient, and cost none of them any privacy beyond what the sets had cost.

**Not a medical device, and not for diagnosis.** Nobody has examined it on patients yet. `privgan evaluate` does so on
patients of the house that wants to use it; until then nobody knows what it is worth there."""
)
_COLUMN = to_tr("The classes are values of the column `{column}` of the sets' invented records.")
_TERMS = to_tr(
    """\
## What it may be used for

What was permitted of the sets that it learned from holds for the model, too."""
)
_ORIGIN = to_tr("- {images} images of run `{run}` (SHA-256 of the set's manifest `{sha256}`), {spend}.")
_TITLE = to_tr("  Project: {title}.")
_PURPOSE = to_tr("  For: {purpose}. Recipient: {recipient}. Last day: {until}.")
_NO_GRANT = to_tr("  The hospital names no purpose, no recipient and no last day.")
_LICENCE = to_tr("  Licence: {licence}.")
_ANSWERS = to_tr(
    """\
## What it answers

A chance for each class; together they make one. They were calibrated on {images} images that were not learned from
(temperature {temperature:.3g}), for a house where every class is as frequent as any other: where a class is rare, its
chance comes out too high. A class is called where its chance reaches its threshold, at which sensitivity and
specificity together were highest on the same images.

| class | called from a chance of |
|---|---|"""
)
_FIRST = to_tr(
    """\
## A first figure, on synthetic images

On {images} further images of the same sets, **not on patients**: AUC {auc}, balanced accuracy {accuracy} (95 %
intervals). All of them come from one generator, and its images may give their class away by marks that patients' do
not have: expect less of it on patients."""
)
_KNOWN = to_tr(
    """\
## Which images it knows

Images as `privgan prepare` makes them, {form}{named}; uint8, mean grey level from {darkest:.0f} to {lightest:.0f},
standard deviation from {narrow:.0f} to {wide:.0f}. It answers to any image of the size, and its answer to one of
another kind means nothing."""
)
_WINDOW = to_tr("black and white at {low:g} and {high:g} Hounsfield units")
_LIMITS = to_tr(
    """\
## Limits

- What few patients have is drowned in the noise that protects them: it has never seen a rare finding.
- It knows no class beside those above: of anything else, too, it speaks in these.
- Nothing is known of groups of people, by age, sex or origin, before it was evaluated on such groups."""
)
_USE = to_tr(
    """\
## Use it

`model.onnx` takes the stored pixels and answers with the chances; nothing else is needed but `onnxruntime`:"""
)


def card_of(facts: ClassifierFacts) -> str:
    """The text in the current language."""
    parts = [
        tr(
            _HEAD,
            count=len(facts.classes),
            form=facts.form,
            classes=listed(facts.classes),
            images=f"{facts.images['train']:,}",
        ),
        tr(_COLUMN, column=facts.column) if facts.column else "",
        tr(_TERMS),
        "\n".join(line for origin in facts.origins for line in _terms(origin)),
        tr(_ANSWERS, images=f"{facts.images['validation']:,}", temperature=facts.temperature)
        + "".join(
            f"\n| {name} | {percent(chance)} |" for name, chance in zip(facts.classes, facts.thresholds, strict=True)
        ),
        tr(
            _FIRST,
            images=f"{facts.images['test']:,}",
            auc=figure(facts.on_synthetic["auc"]),
            accuracy=figure(facts.on_synthetic["balanced_accuracy"]),
        ),
        tr(
            _KNOWN,
            form=facts.form,
            named="".join(f", {part}" for part in _named(facts)),
            darkest=facts.known.level[0],
            lightest=facts.known.level[1],
            narrow=facts.known.contrast[0],
            wide=facts.known.contrast[1],
        ),
        tr(_LIMITS) + (f"\n- {retold(facts.sight)}" if facts.sight else ""),
        tr(_USE),
        _code(facts),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _terms(origin: Origin) -> list[str]:
    lines = [
        tr(
            _ORIGIN,
            images=f"{origin.images:,}",
            run=origin.run_id,
            sha256=origin.set_sha256,
            spend=origin.spend,
        )
    ]
    if origin.title:
        lines.append(tr(_TITLE, title=origin.title))
    if origin.purpose:
        lines.append(tr(_PURPOSE, purpose=origin.purpose, recipient=origin.recipient, until=origin.until))
    else:
        lines.append(tr(_NO_GRANT))
    if origin.licence:
        lines.append(tr(_LICENCE, licence=origin.licence))
    return lines


def _named(facts: ClassifierFacts) -> list[str]:
    form = facts.form
    window = [tr(_WINDOW, low=form.window[0], high=form.window[1])] if form.window else []
    return [*filter(None, (form.modality, form.body_part)), *window]


def _code(facts: ClassifierFacts) -> str:
    shape = f"{facts.form.side}, {facts.form.side}, {facts.form.channels}"
    return (
        "```python\n"
        "import numpy as np, onnxruntime\n"
        'session = onnxruntime.InferenceSession("model.onnx")\n'
        f'images = np.load("images.npz")["images"].reshape(-1, {shape})  # uint8\n'
        f'(chances,) = session.run(None, {{"{INPUT}": images}})\n'
        "```"
    )
