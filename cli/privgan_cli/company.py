"""Work in several processes, seen from the command line: who this one is, how others are started, who speaks."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from privgan.errors import LostRankError
from privgan.gan.ranks.company import Company
from privgan.gan.ranks.waiting import in_time
from privgan.language import language
from privgan.progress import Progress, silent
from privgan_cli.asked import AuditOptions
from privgan_cli.console import beside, console
from privgan_cli.evidence import evidence_of, unnumbered

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from privgan.gan.ranks.ranks import Ranks
    from privgan.run import RunFacts
    from privgan.synthetic.generate import GenerateOptions
    from privgan.synthetic.seed import Seed
    from privgan.synthetic.synthetic_set import Manifest
    from privgan_audits.examine import AuditRecord
    from privgan_audits.policy import Policy

_LATE_S = 1.0  # in which the end of a process that closed its connections is seen
_MINE = "processes"  # the one option that others are not given: they are those processes
_SAID = {"formats": "format"}  # where a field is called otherwise than its option


def company_of(cohort: Path, run: Path, processes: int) -> Company:
    """So many processes of this machine, or those that torchrun has started.

    The others read from the run what they are to do; an epsilon is a word that the verb does not go without.
    """
    return company_for(processes, "train", cohort, run, "--epsilon", "1")


def company_for(processes: int, *words: object) -> Company:
    """So many processes that are started with these words, or those that torchrun has started."""
    # -P: a file in the folder where somebody stands is no part of privgan.
    line = (sys.executable, "-P", "-m", "privgan_cli", *map(str, words), "--quiet", "--language", language())
    return Company.of(processes, line, os.environ)


def given(options: "DataclassInstance") -> list[str]:
    """Options as a command line has them: without what is so by default, flags by their name alone."""
    words = list[str]()
    for each in fields(options):
        value = getattr(options, each.name)
        if value != each.default and each.name != _MINE:
            told = ",".join(value) if isinstance(value, tuple) else str(value)
            name = _SAID.get(each.name, each.name).replace("_", "-")
            words += [f"--{name}", *([] if value is True else [told])]
    return words


def train_along(cohort: Path, run: Path, company: Company) -> "RunFacts":
    """Do another rank's share of a training."""
    from privgan.data.cohort.cohort import open_cohort
    from privgan.gan.training.request import TrainRequest
    from privgan.gan.training.runs import join_run
    from privgan.gan.training.settings import TrainSettings
    from privgan.interruption import stop_on_signals

    request = TrainRequest(epsilon=1.0, settings=TrainSettings(), company=company)
    with stop_on_signals() as stop:
        return join_run(open_cohort(cohort), run, request, stop)


@contextmanager
def sharing(company: Company, target: Path) -> Iterator[tuple["Ranks | None", "Seed | None"]]:
    """While the block runs, the ranks that make a folder together, and the seed of a set that they draw.

    One process alone has neither: it loads nothing for it.
    """
    if company.size == 1:
        yield None, None
        return
    from privgan.gan.ranks.meeting import gathered_beside
    from privgan.synthetic.seed import Seed

    with gathered_beside(company, target) as (ranks, chance):
        yield ranks, Seed(value=chance.secret.bytes(32))


@contextmanager
def ranks_of(company: Company, target: Path) -> Iterator["Ranks | None"]:
    """The ranks of `sharing` alone."""
    with sharing(company, target) as (ranks, _):
        yield ranks


def drawers(processes: int, run: Path, synthetic: Path, options: "GenerateOptions") -> Company:
    """Those who draw a set."""
    return company_for(processes, "generate", run, synthetic, *given(options))


def draw_along(run: Path, synthetic: Path, options: "GenerateOptions", company: Company) -> "Manifest":
    """Do another rank's share of a set."""
    from privgan.synthetic import generate

    with sharing(company, synthetic) as (ranks, seed):
        if ranks is None or seed is None:
            raise TypeError("Expected several processes.")
        return generate.draw_along(run, options, seed, ranks)


def auditors(synthetic: Path, report: Path, options: AuditOptions) -> Company:
    """Those who share an audit."""
    return company_for(options.processes, "audit", synthetic, "--report", report, *given(options))


def examined(
    synthetic: Path, report: Path, options: AuditOptions, policy: "Policy", progress: Progress
) -> "AuditRecord":
    """Read, audit, judge and write, with as many processes as were asked for."""
    from privgan_audits.examine import examine
    from privgan_audits.record import ACCEPT_DELTA

    company = auditors(synthetic, report, options)
    evidence = evidence_of(synthetic, options, progress)
    overrides = [*evidence.cohort.facts.overrides] if evidence.cohort else unnumbered(evidence, options)
    return examine(
        evidence,
        report,
        policy,
        overrides=[*overrides, *([ACCEPT_DELTA] if options.accept_delta else [])],
        force=options.force,
        progress=progress,
        gather=lambda: ranks_of(company, report),
    )


def audit_along(synthetic: Path, report: Path, options: AuditOptions, company: Company) -> None:
    """Do another rank's share of an audit."""
    from privgan_audits.examine import examine_along, load_questions

    load_questions()
    with ranks_of(company, report) as ranks:
        examine_along(replace(evidence_of(synthetic, options, silent), ranks=ranks))


def in_silence(work: Callable[[], object], company: Company) -> int:
    """The exit code of another rank than 0, which alone says how the work went and that it lost somebody.

    Where rank 0 is killed, nobody else is left to say so: rank 1 does.
    """
    console.told = replace(console.told, quiet=True)
    try:
        with _ended_with_rank_0(company):
            work()
    except LostRankError as error:
        if company.rank == 1 and in_time(lambda: company.is_orphaned, _LATE_S):
            raise _orphaned(company) from error
        return error.exit_code
    return 0


@contextmanager
def _ended_with_rank_0(company: Company) -> Iterator[None]:
    """Work that another rank does for itself may take long; it ends when rank 0, which started it, is gone."""
    context = copy_context()  # by which the clock speaks the same language

    def look() -> None:
        if company.is_orphaned:
            error = _orphaned(company)
            if company.rank == 1:
                context.run(console.refuse, error.exit_code, str(error))
            os._exit(error.exit_code)  # it has written nothing

    with beside(look, _LATE_S):
        yield


def _orphaned(company: Company) -> LostRankError:
    return LostRankError(
        f"Expected every process to work to the end, the first of {company.size} was killed: most often the system "
        "was out of memory. All are stopped and nothing is released; start again, a training with --resume, with "
        "fewer processes if it was."
    )
