"""What is looked at before a verb that uses a set loads a library: see `privgan_cli.before`."""

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from privgan.checks import one_of
from privgan.errors import UsageError
from privgan.folders import make_way
from privgan.kinds import (
    AUGMENTATION,
    BUNDLE,
    CLASSIFIER,
    COHORT,
    EVALUATION,
    EXAMINED,
    RESTORED,
    RESTORER,
    require_kind,
    require_kinds,
)
from privgan_cli.before import require_key, require_source

if TYPE_CHECKING:
    from privgan_uses.restoring.request import Rivals

WHOM = ("held-back", "all")


def teach(bundles: Sequence[Path], model: Path, keys: Iterable[Path], *, force: bool) -> None:
    """Before `teach`."""
    if not bundles:
        raise UsageError("Expected at least one released set to learn from, got none.")
    for bundle in bundles:
        require_kind(BUNDLE, bundle)
    for key in keys:
        require_key(key)
    make_way(model, marker=CLASSIFIER.marker, force=force)


def evaluate(model: Path, cohort: Path, report: Path, on: str | None, *, force: bool) -> None:
    """Before `evaluate`."""
    require_kinds((CLASSIFIER, model), (COHORT, cohort))
    if on is not None:
        one_of(WHOM, on=on)
    make_way(report, marker=EXAMINED.marker, force=force)


def augment(bundle: Path, cohort: Path, report: Path, keys: Iterable[Path], *, force: bool) -> None:
    """Before `augment`."""
    require_kinds((BUNDLE, bundle), (COHORT, cohort))
    for key in keys:
        require_key(key)
    make_way(report, marker=AUGMENTATION.marker, force=force)


def enhance_train(
    bundles: Iterable[Path], keys: Iterable[Path], public: Path | None, folder: Path, *, force: bool
) -> None:
    """Before `enhance train`."""
    require_kinds(*((BUNDLE, bundle) for bundle in bundles))
    for key in keys:
        require_key(key)
    if public is not None:
        require_source(public)
    make_way(folder, marker=RESTORER.marker, force=force)


def enhance_apply(model: Path, source: Path, folder: Path, *, force: bool) -> None:
    """Before `enhance apply`."""
    require_kind(RESTORER, model)
    require_source(source)
    make_way(folder, marker=RESTORED.marker, force=force)


def enhance_evaluate(model: Path, cohort: Path, rivals: "Rivals", report: Path, *, force: bool) -> None:
    """Before `enhance evaluate`."""
    require_kinds((RESTORER, model), (COHORT, cohort), *((BUNDLE, bundle) for bundle in rivals.bundles))
    for key in rivals.public_keys:
        require_key(key)
    if rivals.public is not None:
        require_source(rivals.public)
    if find_spec("skimage") is None:
        raise UsageError(
            "Expected the package scikit-image, which measures likeness, it is not installed here. Install it: "
            'pip install "privgan[uses]".'
        )
    make_way(report, marker=EVALUATION.marker, force=force)
