"""The `privgan` command: its verbs, and the entry point."""

import logging
import os
import sys
from collections.abc import Callable, Sequence

import typer

from privgan import __version__
from privgan_cli.console import LibraryWarnings, console
from privgan_cli.dispatch import dispatch
from privgan_cli.line.help import ARCHIVE, BEGIN, ENGINEER, HOSPITALS, OFFICER, RECIPIENT, USES, Verb, Verbs
from privgan_cli.stack import needs_training_stack
from privgan_cli.verbs import (
    archive,
    budget,
    cohort,
    demo,
    desk,
    doctor,
    federation,
    gate,
    joint,
    model,
    officer,
    prior,
    report,
)
from privgan_cli.verbs.uses import augment, teach
from privgan_cli.verbs.uses.enhance import enhance

# How often a thread of torch looks for work before it sleeps. With the default of 300,000, threads on a busy machine
# wait for each other ten times as long as they work, with 10,000 twice as long. Torch reads it once.
_SPINS = ("GOMP_SPINCOUNT", "1000")
# NumPy's threads wait the same way and cannot be told to sleep; what is large is multiplied by torch. Eigenvectors of
# a matrix of 1,024: two threads of a busy machine took 3.6 seconds of processor time, one 0.17.
_ALONE = ("OPENBLAS_NUM_THREADS", "1")
_EPILOG = "privgan VERB --help shows an example of each. Results go to stdout, the rest to stderr."

app = typer.Typer(
    cls=Verbs,
    help="Share patient images without sharing patients: learn under differential privacy, attack the result, "
    "and let only what passed leave.",
    epilog=_EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def _options(version: bool = typer.Option(False, "--version", help="Print the version and leave.")) -> None:
    if version:
        console.result({"version": __version__}, f"privgan {__version__}")
        raise typer.Exit


_VERBS: dict[str, tuple[Callable[..., int], ...]] = {
    BEGIN: (needs_training_stack(demo.demo), needs_training_stack(doctor.doctor)),
    ENGINEER: (
        needs_training_stack(cohort.scan),
        needs_training_stack(cohort.prepare),
        model.plan,
        needs_training_stack(prior.prior),
        needs_training_stack(model.train),
        needs_training_stack(model.generate),
        needs_training_stack(gate.audit),
        needs_training_stack(gate.release),
        budget.budget,
    ),
    HOSPITALS: (
        needs_training_stack(federation.invite),
        needs_training_stack(federation.join),
        needs_training_stack(federation.answer),
        needs_training_stack(federation.sites),
        needs_training_stack(joint.agree),
    ),
    OFFICER: (gate.keygen, report.report, desk.desk, officer.approve, officer.reject, officer.revoke),
    RECIPIENT: (gate.verify,),
    USES: (
        needs_training_stack(teach.teach),
        needs_training_stack(teach.evaluate),
        needs_training_stack(augment.augment),
    ),
    ARCHIVE: (needs_training_stack(archive.fetch), needs_training_stack(archive.send)),
}
for _group, _verbs in _VERBS.items():
    for _verb in _verbs:
        app.command(cls=Verb, rich_help_panel=_group)(_verb)
app.add_typer(enhance, rich_help_panel=USES)
logging.getLogger("privgan").addHandler(LibraryWarnings(logging.WARNING))


def main() -> None:
    """The entry point of the `privgan` script."""
    os.environ.setdefault(*_SPINS)
    os.environ.setdefault(*_ALONE)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; used by `main` and by tests."""
    return dispatch(app, arguments)
