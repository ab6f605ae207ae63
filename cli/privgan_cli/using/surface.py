"""What verbs and notebooks call to put a released set to use; the rest is in `privgan_cli.surface`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from privgan.language import to_tr
from privgan.progress import Progress
from privgan_cli.options import Place, Places, paths, today
from privgan_cli.surface import shown
from privgan_cli.using import before

if TYPE_CHECKING:
    from privgan_uses.augmenting.design import AugmentDesign
    from privgan_uses.restoring.applying.apply import Applied
    from privgan_uses.restoring.evaluating.evaluate import Evaluated
    from privgan_uses.restoring.model import RestorerFacts
    from privgan_uses.restoring.request import PublicImages, RestoreRequest, Rivals
    from privgan_uses.teaching.classifier import ClassifierFacts
    from privgan_uses.teaching.settings import TeachSettings

_NOT_LEARNED = to_tr("nothing of this model was kept.")
_NOT_KEPT = to_tr("nothing half-written was left behind.")


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


def enhance_train(
    bundles: Places,
    model: Place,
    request: "RestoreRequest",
    public_key: Places = (),
    public: "PublicImages | None" = None,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> "RestorerFacts":
    """Learn to restore images from released sets, public images, or both; costs no privacy.

    bundles: one, several or none, each verified first with the hospitals' public keys.
    """
    sets, keys = paths(bundles), paths(public_key)
    shown_there = None if public is None else public.path
    before.enhance_train(sets, keys, shown_there, Path(model), force=force)
    from privgan_uses.restoring.doing import Sources, train_restorer

    with _ending(progress, _NOT_LEARNED) as listener:
        sources = Sources(bundles=tuple(sets), public_keys=tuple(keys), today=today(), public=public)
        return train_restorer(sources, Path(model), request, force=force, progress=listener)


def enhance_apply(
    model: Place,
    source: Place,
    folder: Place,
    read_as: str | None = None,
    *,
    resize: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> "Applied":
    """Restore your own images into a private folder; they stay patients' data, and are not for diagnosis.

    read_as: the preset that the set's cohort was prepared with, where that is not the usual one. resize: bring images
    of other sizes to the model's.
    """
    before.enhance_apply(Path(model), Path(source), Path(folder), force=force)
    from privgan_uses.restoring.applying.apply import Asked
    from privgan_uses.restoring.doing import apply_model

    asked = Asked(preset=read_as, resize=resize)
    with _ending(progress, _NOT_KEPT) as listener:
        return apply_model(
            Path(model), Path(source), Path(folder), asked, today=today(), force=force, progress=listener
        )


def enhance_evaluate(
    model: Place,
    cohort: Place,
    report: Place,
    rivals: "Rivals | None" = None,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> "Evaluated":
    """Measure a restorer on a cohort's held-back patients; writes a private page and evaluate.json.

    rivals: what it is measured beside; left out, everything but the plain network. Returns what evaluate.json holds
    as `content`, and the images.
    """
    from privgan_uses.restoring.request import Rivals

    beside = rivals or Rivals()
    before.enhance_evaluate(Path(model), Path(cohort), beside, Path(report), force=force)
    from privgan_uses.restoring.doing import evaluate_model

    with _ending(progress, _NOT_KEPT) as listener:
        return evaluate_model(
            Path(model), Path(cohort), Path(report), beside, today=today(), force=force, progress=listener
        )


@contextmanager
def _ending(progress: Progress | None, kept: str) -> Iterator[Progress]:
    """A listener that ends the work once a signal asks for it; kept: a sentence about what is left then."""
    from privgan.interruption import stop_on_signals

    with shown(progress) as listener, stop_on_signals() as stop:

        def heeding(task: str, done: int, total: int, note: str = "") -> None:
            listener(task, done, total, note)
            if stop.signal is not None:
                raise stop.error(kept)

        yield heeding


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
