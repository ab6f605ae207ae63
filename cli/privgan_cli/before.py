"""What is looked at before a verb loads a library or reads an image: every path and every file that was named.

A wrong word is told within a second, and before anything is made or charged. What these functions let pass is checked
again by whoever uses it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from privgan.checks import within
from privgan.errors import UsageError
from privgan.folders import make_way, require_left
from privgan.kinds import (
    BUNDLE,
    COHORT,
    FEDERATION,
    PRIOR,
    REPORT,
    RUN,
    SET,
    Kind,
    require_kind,
    require_kinds,
    require_no_kind,
)
from privgan.language import to_tr

if TYPE_CHECKING:
    from privgan.data.cohort.options import PrepareOptions
    from privgan.data.sources.wishes import Wishes
    from privgan_audits.release.release import Case
    from privgan_audits.terms import Terms
    from privgan_cli.asked import AuditOptions, TrainOptions

_LONGEST_WAIT = 60 * 24 * 31.0  # minutes
_IMAGES = to_tr("a folder of images, a DICOMDIR or an .npz file")
_SET_OR_IMAGES = to_tr("a synthetic set or a folder of images, a DICOMDIR or an .npz file")


def scan(source: Path, reading: "Wishes") -> None:
    """Before `scan`."""
    require_source(source)
    _require_tables(reading.csv)


def prepare(source: Path, cohort: Path, options: "PrepareOptions", terms: "Terms") -> None:
    """Before `prepare`."""
    from privgan.data.cohort.persons import read_merged, read_withdrawn
    from privgan.dp.budget.ledger import require_unspent

    if not source.exists() and cohort.exists():
        raise UsageError(f"Expected SOURCE and then COHORT: {source} is missing, {cohort} exists. Are they swapped?")
    require_source(source)
    _require_tables(options.reading.csv)
    read_withdrawn(options.exclude)
    read_merged(options.merge)
    if terms.site_anchor is not None and not terms.site_anchor.parent.is_dir():
        raise UsageError(f"Expected an existing folder to write into, {terms.site_anchor.parent} is missing.")
    require_unspent(cohort)
    _require_room(cohort, COHORT.marker, force=terms.force, resume=terms.resume)


def prior(public: Path, folder: Path, reading: "Wishes", *, force: bool, resume: bool) -> None:
    """Before `prior`."""
    require_source(public)
    _require_tables(reading.csv)
    _require_room(folder, PRIOR.marker, force=force, resume=resume)


def train(cohort: Path, run: Path, options: "TrainOptions") -> None:
    """Before `train`: two folders, and every value of the configuration."""
    from privgan.gan.training.settings import read_settings

    asked = [(COHORT, cohort)]
    if options.prior is not None:
        asked.append((PRIOR, options.prior))
    if options.resume or not (cohort / COHORT.marker).exists():
        asked.append((RUN, run))  # also where a run is to be made: it may be the cohort, in the wrong place
    require_kinds(*asked)
    read_settings(options.config)
    if not options.resume:
        make_way(run, marker=RUN.marker, force=options.force)


def invite(federation: Path, like: Path, key: Path, config: Path | None, prior: Path | None, *, force: bool) -> None:
    """Before `invite`."""
    from privgan.gan.training.settings import read_settings

    require_kinds((COHORT, like), *_prior(prior))
    require_key(key)
    read_settings(config)
    make_way(federation, marker=FEDERATION.marker, force=force)


def join(federation: Path, cohort: Path, run: Path, keys: Iterable[Path], prior: Path | None, *, force: bool) -> None:
    """Before `join`."""
    require_kinds((FEDERATION, federation), (COHORT, cohort), *_prior(prior))
    for key in keys:
        require_key(key)
    make_way(run, marker=RUN.marker, force=force)


def answer(federation: Path, cohort: Path, run: Path, keys: Iterable[Path], wait: float) -> None:
    """Before `answer`."""
    within(0.0, _LONGEST_WAIT, wait=wait)
    require_kinds((FEDERATION, federation), (COHORT, cohort), (RUN, run))
    for key in keys:
        require_key(key)


def sites(federation: Path, key: Path) -> None:
    """Before `sites`."""
    require_kind(FEDERATION, federation)
    require_key(key)


def generate(run: Path, synthetic: Path, *, force: bool) -> None:
    """Before `generate`."""
    require_kinds((RUN, run), *([(SET, synthetic)] if not (run / RUN.marker).exists() else []))
    make_way(synthetic, marker=SET.marker, force=force)


def audit(synthetic: Path, report: Path, options: "AuditOptions") -> None:
    """Before `audit`."""
    named = ((COHORT, options.cohort), (RUN, options.run))
    asked = [(kind, path) for kind, path in named if path is not None]
    require_kinds(*asked, *([(SET, synthetic)] if any(path == synthetic for _, path in asked) else []))
    for images in (synthetic, options.members, options.non_members):
        if images is not None:
            _require_images(images)
    if options.encoder is not None and not options.encoder.is_file():
        raise UsageError(f"Expected an ONNX file, {options.encoder} is missing or not a file.")
    make_way(report, marker=REPORT.marker, force=options.force)


def release(case: "Case", bundle: Path, *, force: bool) -> None:
    """Before `release`."""
    require_kinds((SET, case.synthetic), (COHORT, case.cohort), (REPORT, case.report), (RUN, case.run))
    make_way(bundle, marker=BUNDLE.marker, force=force)


def agree(synthetic: Path, cohort: Path, report: Path, run: Path) -> None:
    """Before `agree`."""
    require_kinds((SET, synthetic), (COHORT, cohort), (REPORT, report), (RUN, run))


def sign(report: Path, cohort: Path | None) -> None:
    """Before whatever the officer signs, and before a report is drawn again."""
    require_kinds((REPORT, report), *([(COHORT, cohort)] if cohort is not None else []))


def desk(reports: Iterable[Path], cohorts: Iterable[Path], key: Path) -> None:
    """Before `desk`."""
    require_kinds(*((REPORT, report) for report in reports), *((COHORT, cohort) for cohort in cohorts))
    require_key(key)


def keygen(name: Path, policy: Path | None) -> None:
    """Before `keygen`: nobody thinks of a passphrase for a key that cannot be written."""
    for file in (name, policy):
        if file is not None and not file.parent.is_dir():
            raise UsageError(f"Expected an existing folder to write into, {file.parent} is missing.")
    if policy is not None and policy.exists():
        raise UsageError(
            f"Expected a new file for the policy, {policy} exists. Put the officer's key into it yourself."
        )


def verify(bundle: Path, keys: Iterable[Path | None]) -> None:
    """Before `verify` and `send`."""
    require_kind(BUNDLE, bundle)
    for key in keys:
        require_key(key)


def require_key(key: Path | None) -> None:
    """Refuse a key that is not there; None is no key."""
    if key is not None and not key.is_file():
        raise UsageError(f"Expected a key file, {key} is {'a folder' if key.is_dir() else 'missing'}.")


def _prior(prior: Path | None) -> list[tuple[Kind, Path]]:
    return [] if prior is None else [(PRIOR, prior)]


def require_source(source: Path) -> None:
    """Also images of another generator may be prepared, or a synthetic set, to try something out."""
    if not source.exists():
        raise UsageError(f"Expected {_IMAGES}, {source} is missing.")
    require_no_kind(source, but=(SET,), what=_IMAGES)


def _require_images(images: Path) -> None:
    if not images.exists():
        raise UsageError(f"Expected {_SET_OR_IMAGES}, {images} is missing.")
    require_no_kind(images, but=(SET, BUNDLE), what=_SET_OR_IMAGES)


def _require_tables(tables: Iterable[Path]) -> None:
    for table in tables:
        if not table.is_file():
            raise UsageError(f"Expected a table for --csv, {table} is {'a folder' if table.is_dir() else 'missing'}.")


def _require_room(folder: Path, marker: str, *, force: bool, resume: bool) -> None:
    make_way(folder, marker=marker, force=force)
    if resume:
        require_left(folder)
