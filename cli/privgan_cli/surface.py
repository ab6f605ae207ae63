"""What verbs and notebooks call: paths and frozen settings in, frozen results out. `import privgan` offers all of it.

    >>> import tempfile, numpy as np, privgan
    >>> from pathlib import Path
    >>> home = Path(tempfile.mkdtemp())
    >>> images = np.random.default_rng(0).integers(0, 256, (60, 28, 28), dtype=np.uint8)
    >>> np.savez(home / "source.npz", images=images, patient_id=np.arange(60))
    >>> enrolled = privgan.prepare(
    ...     home / "source.npz",
    ...     home / "cohort",
    ...     privgan.PrepareOptions(reading=privgan.Wishes(size=28)),
    ...     privgan.Terms(policy=privgan.Policy(), accept_low_power=True),
    ... )
    >>> enrolled.facts.patients, enrolled.preflight.sufficient
    (60, False)
    >>> options = privgan.TrainOptions(epsilon=3.0, steps=0, accept_noise=True)
    >>> run = privgan.train(home / "cohort", home / "run", options)
    >>> run.state, run.spend.unit
    ('finished', 'patient')
    >>> made = privgan.generate(home / "run", home / "synthetic", privgan.GenerateOptions(count=4, formats=("npz",)))
    >>> made.count
    4

Progress is drawn as bars on a terminal and below a notebook's cell, and nowhere else; `progress=privgan.silent` keeps
quiet, `progress=privgan.Lines(print)` says a line a minute instead, and any function of (task, done, total, note) may
listen. Errors are those of `privgan.errors`, and say what to do.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from privgan.progress import Progress
from privgan_cli import before
from privgan_cli.asked import AuditOptions, Planned, PlanOptions, TrainOptions
from privgan_cli.company import company_of, draw_along, drawers, examined, sharing, train_along
from privgan_cli.console import Console
from privgan_cli.options import Place, Places, paths, today

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from privgan.data.cohort.options import PrepareOptions
    from privgan.data.cohort.scan import ScanReport
    from privgan.data.sources.wishes import Wishes
    from privgan.gan.networks.public_prior import PriorFacts
    from privgan.gan.prior.request import PriorRequest
    from privgan.run import RunFacts
    from privgan.synthetic.generate import GenerateOptions
    from privgan.synthetic.synthetic_set import Manifest
    from privgan_audits.enrol import Enrolled
    from privgan_audits.examine import AuditRecord
    from privgan_audits.policy import Policy
    from privgan_audits.release.recipient.loading import LoadedBundle
    from privgan_audits.release.recipient.offer import Offer
    from privgan_audits.release.release import Case
    from privgan_audits.release.verify import VerifiedBundle
    from privgan_audits.terms import Terms


def scan(source: Place, reading: "Wishes | None" = None, *, progress: Progress | None = None) -> "ScanReport":
    """What would be read or refused of a source, and why; writes nothing."""
    from privgan.data.sources.wishes import Wishes

    wishes = reading or Wishes()
    before.scan(Path(source), wishes)
    from privgan.data.cohort.scan import scan as scan_source

    with shown(progress) as listener:
        return scan_source(Path(source), wishes, listener)


def prepare(
    source: Place,
    cohort: Place,
    options: "PrepareOptions | None" = None,
    terms: "Terms | None" = None,
    *,
    progress: Progress | None = None,
) -> "Enrolled":
    """Read images once, split them by patient into members and non-members, and open the privacy ledger."""
    from privgan.data.cohort.options import PrepareOptions
    from privgan_audits.policy import Policy
    from privgan_audits.terms import Terms

    asked, given = options or PrepareOptions(), terms or Terms(policy=Policy())
    before.prepare(Path(source), Path(cohort), asked, given)
    from privgan.interruption import stop_on_signals
    from privgan_audits.enrol import enrol

    with shown(progress) as listener, stop_on_signals() as stop:
        return enrol(Path(source), Path(cohort), asked, given, progress=listener, stop=stop)


def plan(options: PlanOptions, policy: "Policy | None" = None) -> Planned:
    """What training would cost in privacy, and whether its audit could pass; touches no data.

    >>> planned = plan(PlanOptions(patients=2000, batch=128, steps=250, noise_multiplier=2.0))
    >>> print(planned.plan.spend())
    epsilon 2.3 at delta 1e-05, per patient
    """
    from privgan_audits.policy import Policy
    from privgan_cli.planned import planned

    return planned(options, policy or Policy())


def prior(
    public: Place,
    folder: Place,
    request: "PriorRequest",
    reading: "Wishes | None" = None,
    *,
    force: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
) -> "PriorFacts":
    """Learn from public images what is alike in all of their kind; no patient is involved, and no privacy is spent.

    An interruption saves the state, for `resume`.
    """
    from privgan.data.sources.wishes import Wishes

    wishes = reading or Wishes()
    before.prior(Path(public), Path(folder), wishes, force=force, resume=resume)
    from privgan.data.sources.opening import read_images
    from privgan.folders import resumable_folder
    from privgan.gan.networks.public_prior import MARKER
    from privgan.gan.prior.make import STATE, learn_prior
    from privgan.interruption import stop_on_signals

    with (
        shown(progress) as listener,
        stop_on_signals() as stop,
        resumable_folder(Path(folder), marker=MARKER, journal=STATE, force=force, resume=resume) as place,
    ):
        read = read_images(Path(public), wishes, progress=listener)
        modality, part = request.modality or read.names.modality, request.body_part or read.names.body_part
        named = replace(request, modality=modality, body_part=part)
        return learn_prior(read.images, place, named, listener, stop)


def train(cohort: Place, run: Place, options: TrainOptions, *, progress: Progress | None = None) -> "RunFacts":
    """Train a generator under patient-level differential privacy; charged in the ledger before the first step.

    An interruption saves the state, for `TrainOptions.resume`. Under torchrun all its processes call this.
    """
    if (company := company_of(Path(cohort), Path(run), options.processes)).rank:
        return train_along(Path(cohort), Path(run), company)
    before.train(Path(cohort), Path(run), options)
    from privgan.data.cohort.cohort import open_cohort
    from privgan.dp.accounting import default_delta
    from privgan.gan.networks.public_prior import open_prior
    from privgan.gan.training.presets import choose
    from privgan.gan.training.request import TrainRequest
    from privgan.gan.training.runs import resume_run, start_run
    from privgan.gan.training.settings import read_settings
    from privgan.interruption import stop_on_signals
    from privgan_audits.strangers import require_strangers

    with shown(progress) as listener, stop_on_signals() as stop:
        opened = open_cohort(Path(cohort))
        chosen = choose(
            opened.facts.members,
            classes=len(opened.facts.form.classes),
            epsilon=options.epsilon,
            delta=options.delta or default_delta(opened.facts.members),
            minutes=options.minutes,
            named=options.preset,
            modality=opened.facts.form.modality,
        )
        settings = read_settings(
            options.config,
            preset=chosen.preset,
            members=chosen.members,
            device=options.device,
            measure_classes=options.measure_classes,
        )
        request = TrainRequest(
            epsilon=options.epsilon,
            delta=options.delta,
            steps=options.steps,
            minutes=options.minutes,
            settings=settings,
            accept_delta=options.accept_delta,
            replay_seed=options.replay_seed,
            prior=None if options.prior is None else open_prior(options.prior),
            company=company,
        )
        if options.resume:
            return resume_run(opened, Path(run), request, stop, progress=listener)
        chosen.outlook.require(accept=options.accept_noise)
        if request.prior is not None:
            require_strangers(request.prior, opened, listener)
        return start_run(opened, Path(run), request, stop, force=options.force, progress=listener)


def generate(
    run: Place,
    synthetic: Place,
    options: "GenerateOptions",
    *,
    force: bool = False,
    processes: int = 1,
    progress: Progress | None = None,
) -> "Manifest":
    """Make synthetic images; free of further privacy cost. NOT RELEASED: audit them before anyone else sees them."""
    if (company := drawers(processes, Path(run), Path(synthetic), options)).rank:
        return draw_along(Path(run), Path(synthetic), options, company)
    before.generate(Path(run), Path(synthetic), force=force)
    from privgan.folders import staged_folder
    from privgan.synthetic.generate import generate as generate_set
    from privgan.synthetic.seed import Seed
    from privgan.synthetic.synthetic_set import MARKER

    staged = staged_folder(Path(synthetic), marker=MARKER, force=force)
    with shown(progress) as listener, staged as folder, sharing(company, Path(synthetic)) as (ranks, seed):
        return generate_set(Path(run), folder, options, seed or Seed.fresh(), listener, ranks)


def audit(
    synthetic: Place,
    report: Place,
    options: AuditOptions,
    policy: "Policy | None" = None,
    *,
    progress: Progress | None = None,
) -> "AuditRecord":
    """Attack a synthetic set as an adversary would, judge, and write the report's folder."""
    before.audit(Path(synthetic), Path(report), options)
    from privgan_audits.policy import Policy

    with shown(progress) as listener:
        return examined(Path(synthetic), Path(report), options, policy or Policy(), listener)


def release(
    case: "Case",
    bundle: Place,
    key: "Ed25519PrivateKey",
    offer: "Offer | None" = None,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> Mapping[str, Any]:
    """Judge again and, only on PASS, write the signed bundle that may leave; returns what was signed.
    key: see `load_private_key`. offer: licence, citation and further forms of the images.
    """
    before.release(case, Path(bundle), force=force)
    from privgan_audits.release.release import release as release_set

    with shown(progress) as listener:
        return release_set(case, Path(bundle), key, today=today(), offer=offer, force=force, progress=listener)


def verify(
    bundle: Place,
    public_key: Places,
    *,
    officer_key: Places = (),
    revocation: Place | None = None,
    progress: Progress | None = None,
) -> "VerifiedBundle":
    """Check a bundle's signatures and every file; offline, for the recipient; of several hospitals each one's key."""
    keys, officers = paths(public_key), paths(officer_key)
    before.verify(Path(bundle), [*keys, *officers])
    from privgan_audits.release.verify import verify as verify_bundle

    with shown(progress) as listener:
        return verify_bundle(
            Path(bundle),
            keys,
            today=today(),
            officer_key=officers,
            revocation=Path(revocation) if revocation else None,
            progress=listener,
        )


def load(bundle: Place, public_key: Places, officer_key: Places = ()) -> "LoadedBundle":
    """Verify a bundle, as `verify` does, and read its images, labels, classes and suggested splits."""
    from privgan_audits.release.recipient.loading import load_verified

    return load_verified(Path(bundle), paths(public_key), verify(bundle, public_key, officer_key=officer_key))


@contextlib.contextmanager
def shown(progress: Progress | None) -> Iterator[Progress]:
    """The listener that was given, or bars that end with the block."""
    if progress is not None:
        yield progress
        return
    with contextlib.closing(Console()) as bars:
        yield bars.progress
