"""What verbs and notebooks call to put a released set to use; the rest is in `privgan_cli.surface`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from privgan.progress import Progress
from privgan_cli.options import Place, Places, paths, today
from privgan_cli.surface import shown
from privgan_cli.using import before

if TYPE_CHECKING:
    from privgan_uses.augmenting.design import AugmentDesign
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


def augment(
    bundle: Place,
    cohort: Place,
    report: Place,
    public_key: Places,
    design: "AugmentDesign | None" = None,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure on your own held-back patients whether another hospital's set helps beside few images of your own.

    cohort: your own; members are learned from, the others examined on. Writes a private page and augment.json, and
    returns what is in it.
    """
    keys = paths(public_key)
    before.augment(Path(bundle), Path(cohort), Path(report), keys, force=force)
    import numpy as np

    from privgan.data.cohort.cohort import open_cohort
    from privgan.folders import staged_folder
    from privgan.kinds import AUGMENTATION
    from privgan_uses.augmenting.augment import augment as measure
    from privgan_uses.augmenting.design import AugmentDesign
    from privgan_uses.released import open_released

    with shown(progress) as listener:
        given = open_released([Path(bundle)], keys, today=today(), progress=listener)
        with staged_folder(Path(report), marker=AUGMENTATION.marker, force=force) as folder:
            rng = np.random.default_rng()
            return measure(given, open_cohort(Path(cohort)), folder, design or AugmentDesign(), rng, listener)
