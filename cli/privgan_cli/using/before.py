"""What is looked at before a verb that uses a set loads a library: see `privgan_cli.before`."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from privgan.checks import one_of
from privgan.errors import UsageError
from privgan.folders import make_way
from privgan.kinds import BUNDLE, CLASSIFIER, COHORT, EXAMINED, require_kind, require_kinds
from privgan_cli.before import require_key

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
