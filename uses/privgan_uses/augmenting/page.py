"""One page that says when the set helps and when it does not: sentences first, then every number."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from privgan.language import tag, tr
from privgan.languages.pages import page_environment
from privgan_audits.report.page import Table
from privgan_audits.report.write import style_of
from privgan_audits.telling.numbers import plain
from privgan_uses.augmenting import words
from privgan_uses.augmenting.arms import MIXED_ALL, Arm
from privgan_uses.telling import figure, rate

Found = Mapping[str, Any]
SIGNED = "+.3f"


def page(found: Found, arms: Sequence[Arm]) -> str:
    """A single HTML file in the current language, without scripts.

    Args:
        found: what `augment` writes.
        arms: those that were studied.
    """
    environment = page_environment("privgan_uses.augmenting", ".", over="privgan_audits.report")
    return environment.get_template("page.html.j2").render(
        title=tr(words.TITLE),
        style=style_of(environment),
        language=tag(),
        answers=list(answers(found, arms)),
        notes=list(_notes(found)),
        tables=[_table(size, arms) for size in found["sizes"]],
    )


def answers(found: Found, arms: Sequence[Arm]) -> Iterator[str]:
    """A sentence for each number of patients, about one's own images with the whole set."""
    named = {arm.name: arm for arm in arms}
    for size in found["sizes"]:
        own = size["arms"][MIXED_ALL.name]
        apart = own["difference"]
        yield tr(
            words.ANSWERS[own["answer"]],
            patients=plain(size["patients"]),
            value=f"{own['auc']['value']:.3f}",
            best=f"{size['arms'][apart['to']]['auc']['value']:.3f}",
            lesson=_called(named[apart["to"]]),
            difference=figure(apart, SIGNED),
        )


def _notes(found: Found) -> Iterator[str]:
    yield tr(words.INTRODUCTION, patients=plain(sum(found["held_back"].values())))
    yield tr(words.METHOD, repeats=plain(found["repeats"]), steps=plain(found["steps"]))
    yield tr(words.RULE)
    if found["each_image_is_a_patient"]:
        yield tr(words.EACH_A_PATIENT)
    yield tr(words.INSIDE)


def _table(size: Found, arms: Sequence[Arm]) -> Table:
    classes = list(size["images"])
    heads = [tr(words.HEADS[name]) for name in ("lesson", "auc", "balanced_accuracy")]
    heads += [tr(words.SENSITIVITY, name=name) for name in classes]
    heads += [tr(words.HEADS[name]) for name in ("difference", "answer")]
    return Table(
        caption=tr(
            words.CAPTION, patients=plain(size["patients"]), images=plain(round(sum(size["images"].values())))
        ),
        head=tuple(heads),
        rows=tuple(tuple(_row(arm, size["arms"][arm.name], classes)) for arm in arms),
    )


def _row(arm: Arm, told: Found, classes: Sequence[str]) -> Iterator[str]:
    yield _called(arm)
    yield figure(told["auc"])
    yield from map(rate, (told["balanced_accuracy"], *(told["sensitivity"][name] for name in classes)))
    yield figure(told["difference"], SIGNED) if "difference" in told else ""
    yield tr(words.SAID[told["answer"]]) if "answer" in told else ""


def _called(arm: Arm) -> str:
    return tr(words.KINDS[arm.kind], times=f"{arm.length:g}", ratio=f"{arm.ratio:g}")
