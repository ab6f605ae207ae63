"""evaluate.html: what a restorer is worth, in sentences, a table, charts and pictures; for the hospital alone.

It shows patients, so it is written for its owner's eyes and says so at the top.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from privgan.arrays import Integers
from privgan.config import to_table
from privgan.files import write_text
from privgan.images.stored import as_stored
from privgan.language import retold, tag, to_tr, tr
from privgan.languages.pages import page_environment
from privgan_audits.report.page import Table
from privgan_audits.report.pictures import data_uri
from privgan_audits.report.write import marked, style_of
from privgan_audits.telling.plots import Estimate, estimates_chart
from privgan_audits.telling.words import Fact
from privgan_uses.restoring.evaluating.evaluate import CEILING, CLASSICAL, DAMAGED, MODEL, PLAIN, Evaluated
from privgan_uses.restoring.measures import psnr
from privgan_uses.restoring.model import RestorerFacts
from privgan_uses.restoring.request import SUPER_RESOLVE
from privgan_uses.telling import figure, rate

PAGE = "evaluate.html"
_NAMES = to_tr(
    {
        "good": "good image",
        DAMAGED: "damaged",
        CLASSICAL: "without learning",
        PLAIN: "plain network",
        MODEL: "this model",
        CEILING: "learned from members",
    }
)
_ENLARGED = to_tr("enlarged by cubic splines")
_ROWS, _WORST = 8, 4  # patients that are shown: some at random, and those whom the model served worst

Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One image in every version: PNG data URIs in the order of the columns. note: PSNR of the model's."""

    pictures: tuple[str, ...]
    note: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """What the template shows. columns: names of the versions of an image."""

    title: str
    subtitle: str
    sentences: tuple[str, ...]
    table: Table
    charts: tuple[Markup, ...]
    columns: tuple[str, ...]
    random: tuple[Shown, ...]
    worst: tuple[Shown, ...]
    facts: tuple[Fact, ...]


def write_page(folder: Path, facts: RestorerFacts, found: Evaluated) -> None:
    """Write the page into an evaluation's folder, in the current language."""
    environment = page_environment("privgan_uses.restoring.evaluating", over="privgan_audits.report")
    environment.globals.update(tr=marked)
    page = page_of(facts, found)
    text = environment.get_template("evaluate.html.j2").render(page=page, style=style_of(environment), language=tag())
    write_text(folder / PAGE, text)


def page_of(facts: RestorerFacts, found: Evaluated) -> Page:
    """Everything on the page."""
    content = found.content
    return Page(
        title=tr("What the restorer is worth: {task}", task=facts.task),
        subtitle=tr(
            "{images} images of {patients} held-back patients, damaged on purpose and restored",
            images=content["images"],
            patients=content["patients"],
        ),
        sentences=tuple(lines_of(content)),
        table=_table(content),
        charts=tuple(_charts(content)),
        columns=tuple(_name(content, each) for each in ("good", *found.arms)),
        random=_some(found, np.random.default_rng(content["seed"])),
        worst=_worst(found),
        facts=tuple(_facts(facts, content)),
    )


def lines_of(content: Json) -> Iterator[str]:
    """What was found, in sentences."""
    arms, apart = content["arms"], content["differences"]
    yield tr(
        "On {patients} held-back patients: {before} dB {name}, {after} dB restored.",
        patients=content["patients"],
        before=_decibels(arms[DAMAGED]["psnr"]),
        name=_name(content, DAMAGED),
        after=_decibels(arms[MODEL]["psnr"]),
    )
    if CLASSICAL in arms:
        words = {1: _BETTER, 0: _ALIKE, -1: _WORSE}[_sign(apart[CLASSICAL]["psnr"])]
        yield tr(words, reached=_decibels(arms[CLASSICAL]["psnr"]), gap=_decibels(apart[CLASSICAL]["psnr"]))
    if CEILING in arms:
        yield tr(
            "The same network, learned from members' real images, reaches {reached} dB; this model minus that one: "
            "{gap} dB.",
            reached=_decibels(arms[CEILING]["psnr"]),
            gap=_decibels(apart[CEILING]["psnr"]),
        )
    if (findings := content["findings"]) is not None:
        yield from _of_findings(findings["arms"])
    if "same_cohort" in content and not content["same_cohort"]:
        yield tr(
            "Nobody checked that these patients are none of those whom the model's sets, or its public images, show: "
            "they are not all of this cohort."
        )


_BETTER = to_tr("What learns nothing reaches {reached} dB: the model is better; the model minus it: {gap} dB.")
_ALIKE = to_tr("What learns nothing reaches {reached} dB: no difference can be told; the model minus it: {gap} dB.")
_WORSE = to_tr("What learns nothing reaches {reached} dB: it is better; the model minus it: {gap} dB.")


def _of_findings(arms: Json) -> Iterator[str]:
    yield tr(
        "A network that examines for the hospital's classes reaches an AUC of {good} on good images, {damaged} on "
        "damaged ones and {model} on restored ones.",
        good=figure(arms["good"]["auc"]),
        damaged=figure(arms[DAMAGED]["auc"]),
        model=figure(arms[MODEL]["auc"]),
    )
    yield tr(
        "Its finding appears or vanishes in {model} of the patients after restoring, in {damaged} if nothing is "
        "restored.",
        model=rate(arms[MODEL]["hallucinated"]),
        damaged=rate(arms[DAMAGED]["hallucinated"]),
    )
    if CEILING in arms:
        yield tr(
            "After restoring by what members' images teach, in {ceiling}.",
            ceiling=rate(arms[CEILING]["hallucinated"]),
        )


def _table(content: Json) -> Table:
    findings = content["findings"] or {"arms": {}}
    rows = []
    for name, arm in content["arms"].items():
        seen = findings["arms"].get(name, {})
        cells = [_decibels(arm["psnr"]), figure(arm["ssim"])]
        cells += [figure(seen["auc"]), rate(seen["hallucinated"])] if seen else ["-", "-"]
        rows.append((_name(content, name), *cells))
    return Table(
        caption=tr("Means over patients, with 95 % intervals over patients"),
        head=(tr("Version"), tr("PSNR, dB"), tr("SSIM"), tr("AUC of the examiner"), tr("Changed findings")),
        rows=tuple(rows),
    )


def _charts(content: Json) -> Iterator[Markup]:
    for key, label in (("psnr", tr("PSNR, dB")), ("ssim", tr("SSIM"))):
        estimates = [
            Estimate(
                row=_name(content, name),
                value=arm[key]["value"],
                low=arm[key]["low"],
                high=arm[key]["high"],
                synthetic=name in (MODEL, PLAIN),
            )
            for name, arm in content["arms"].items()
        ]
        yield estimates_chart(estimates, None, label, name=key)


def _some(found: Evaluated, rng: np.random.Generator) -> tuple[Shown, ...]:
    return _shown(found, rng.permutation(len(found.good))[:_ROWS])


def _worst(found: Evaluated) -> tuple[Shown, ...]:
    gained = psnr(found.good, found.arms[MODEL]) - psnr(found.good, found.arms[DAMAGED])
    return _shown(found, np.argsort(gained)[:_WORST])


def _shown(found: Evaluated, rows: Integers) -> tuple[Shown, ...]:
    reached = psnr(found.good, found.arms[MODEL])
    return tuple(
        Shown(
            pictures=tuple(data_uri(as_stored(images[row])) for images in (found.good, *found.arms.values())),
            note=tr("this model: {reached} dB", reached=f"{reached[row]:.1f}"),
        )
        for row in rows
    )


def _facts(facts: RestorerFacts, content: Json) -> Iterator[Fact]:
    values = ", ".join(f"{name} {value:g}" for name, value in to_table(facts.damage).items())
    yield Fact(name=tr("Damage"), value=values, note=tr("drawn from seed {seed}", seed=content["seed"]))
    yield Fact(
        name=tr("Learned from"), value=tr("{images} images, {steps} steps", images=facts.images, steps=facts.steps)
    )
    for origin in facts.origins:
        yield Fact(name=tr("Released set"), value=origin.set_sha256[:16], note=str(origin.spend))
    for public in facts.public:
        yield Fact(name=tr("Public images"), value=public.source, note=public.licence)
    for term in facts.terms:
        yield Fact(name=tr("Terms"), value=term)
    yield Fact(name=tr("Model"), value=content["model_sha256"][:16], note=retold(facts.intended_use))


def _name(content: Json, arm: str) -> str:
    return tr(_ENLARGED) if arm == DAMAGED and content["task"] == SUPER_RESOLVE else tr(_NAMES[arm])


def _sign(difference: Json) -> int:
    return int(difference["low"] > 0) - int(difference["high"] < 0)


def _decibels(estimate: Json) -> str:
    return figure(estimate, ".2f")
