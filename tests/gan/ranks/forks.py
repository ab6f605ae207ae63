"""Ranks as forks of the test's process, so that none of them has to load libraries: each a process of its own."""

import json
import os
import signal
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch.distributed as dist

from privgan.data.cohort.cohort import Cohort
from privgan.gan.ranks.company import Company
from privgan.gan.training.request import TrainRequest
from privgan.gan.training.runs import join_run, resume_run, start_run
from privgan.interruption import stop_on_signals

SECONDS = 240.0  # after which rank 0 is ended if it hangs
Work = Callable[[], int | None]  # which may say its exit code
AFTER_S = 10  # that others have to end by themselves when rank 0 has


@dataclass(frozen=True, kw_only=True)
class End:
    """How a rank ended. code: of the process, negative for a signal. error: the name of what was raised, if any."""

    code: int
    error: str = ""
    message: str = ""


WELL = End(code=0)


def trained(
    cohort: Cohort,
    run: Path,
    request: TrainRequest,
    size: int,
    *,
    resume: bool = False,
    within: float = SECONDS,
) -> list[End]:
    """Train with so many ranks, none of which rank 0 starts; how each of them ended. within: see `ends`."""
    return ends(trainers(cohort, run, request, size, resume=resume), run.parent, within)


def trainers(cohort: Cohort, run: Path, request: TrainRequest, size: int, *, resume: bool = False) -> list[Work]:
    """The parts of such ranks in a training."""
    meeting = os.urandom(8).hex()

    def work(rank: int) -> None:
        asked = replace(request, company=Company(rank=rank, size=size, meeting=meeting))
        with stop_on_signals() as stop:
            if rank:
                join_run(cohort, run, asked, stop)
            elif resume:
                resume_run(cohort, run, asked, stop)
            else:
                start_run(cohort, run, asked, stop, force=False)

    return [lambda rank=rank: work(rank) for rank in range(size)]  # type: ignore[misc]


def ends(
    works: Sequence[Work], folder: Path, within: float = SECONDS, look: Callable[[list[int]], None] | None = None
) -> list[End]:
    """Fork once for each work, and wait for all.

    within: seconds after which rank 0 is ended if it hangs. look: called with their numbers again and again.
    """
    notes = [folder / f"end-{os.urandom(4).hex()}" for _ in works]
    children = [_forked(work, note) for work, note in zip(works, notes, strict=True)]
    until, codes = time.monotonic() + within, list[int]()
    for child in children:
        while not (found := os.waitpid(child, os.WNOHANG))[0]:
            if time.monotonic() > until:
                os.kill(child, signal.SIGKILL)
            if look:
                look(children)
            time.sleep(0.03 if look else 0.01)
        codes.append(os.waitstatus_to_exitcode(found[1]))
        until = time.monotonic() + AFTER_S
    told = [json.loads(note.read_text()) if note.exists() else {} for note in notes]
    return [End(code=code, **said) for code, said in zip(codes, told, strict=True)]


def after(calls: int, then: Callable[[], object], usual: Callable[..., Any]) -> Callable[..., Any]:
    """A function that does something else first when it has been called so many times."""
    count = 0

    def called(*given: object, **named: object) -> Any:
        nonlocal count
        if count == calls:
            then()
        count += 1
        return usual(*given, **named)

    return called


def told_to_wait(patch: pytest.MonkeyPatch, folder: Path) -> Callable[[], set[float]]:
    """From now on, how many seconds torch is to wait for another rank is noted; the function tells them all."""
    usual = dist.init_process_group

    def begun(*given: object, timeout: timedelta, **named: object) -> None:
        (folder / f"waits-{os.getpid()}").write_text(str(timeout.total_seconds()))
        usual(*given, timeout=timeout, **named)  # type: ignore[arg-type]

    patch.setattr(dist, "init_process_group", begun)
    return lambda: {float(path.read_text()) for path in folder.glob("waits-*")}


def _forked(work: Work, note: Path) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        code = work() or 0
    except BaseException as error:  # noqa: BLE001 (told to whoever waits)
        note.write_text(json.dumps({"error": type(error).__name__, "message": str(error)}))
        if type(error).__module__ != "privgan.errors":
            traceback.print_exc()
    finally:
        os._exit(code)
