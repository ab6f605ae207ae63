"""What verbs and notebooks call to put a released set to use; the rest is in `privgan_cli.surface`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from privgan.progress import Progress
from privgan_cli.options import Place, Places, paths, today
from privgan_cli.surface import shown
from privgan_cli.using import before

if TYPE_CHECKING:
    from privgan_uses.teaching.classifier import ClassifierFacts
    from privgan_uses.teaching.settings import TeachSettings


def teach(
    bundles: Places,
    model: Place,
    public_key: Places,
    settings: "TeachSettings | None" = None,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> "ClassifierFacts":
    """Learn the label of released sets, or a column of their records, from their images alone; costs no privacy.

    bundles: one or several, each verified first with the hospitals' public keys.
    """
    sets, keys = paths(bundles), paths(public_key)
    before.teach(sets, Path(model), keys, force=force)
    from privgan_uses.teaching.teach import Keys
    from privgan_uses.teaching.teach import teach as learn

    with shown(progress) as listener:
        given = Keys(public=keys, today=today())
        return learn(sets, Path(model), given, settings, force=force, progress=listener)


def evaluate(
    model: Place,
    cohort: Place,
    report: Place,
    on: str | None = None,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Examine a classifier on real patients whom it cannot know; writes a private page and evaluation.json.

    on: `held-back` or `all`; left out, all of a cohort that may be asked. Returns what evaluation.json holds.
    """
    before.evaluate(Path(model), Path(cohort), Path(report), on, force=force)
    from privgan_uses.teaching.examining.evaluate import evaluate as examine

    with shown(progress) as listener:
        return examine(Path(model), Path(cohort), Path(report), on, today=today(), force=force, progress=listener)
