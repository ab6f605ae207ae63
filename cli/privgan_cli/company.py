"""Training in several processes, seen from the command line: who this one is, how others are started, who speaks."""

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from privgan.errors import LostRankError
from privgan.gan.ranks.company import Company
from privgan_cli.console import console

if TYPE_CHECKING:
    from privgan.run import RunFacts


def company_of(cohort: Path, run: Path, processes: int) -> Company:
    """So many processes of this machine, or those that torchrun has started.

    The others read from the run what they are to do; an epsilon is a word that the verb does not go without.
    """
    words = ("train", str(cohort), str(run), "--epsilon", "1", "--quiet")
    # -P: a file in the folder where somebody stands is no part of privgan.
    return Company.of(processes, (sys.executable, "-P", "-m", "privgan_cli", *words), os.environ)


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


def in_silence(train: Callable[[], object]) -> int:
    """The exit code of another rank than 0, which alone says how a training went and that it lost somebody."""
    console.told = replace(console.told, quiet=True)
    try:
        train()
    except LostRankError as error:
        return error.exit_code
    return 0
