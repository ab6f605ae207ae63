"""Where ranks meet and how they begin: with one ledger that is charged, one chance, and connections of their own.

rank 0    charges the ledger, makes the meeting place in a private folder (a training in its run's, other work beside
          what it makes), starts the others if it is to do so, tells everybody the chance
others    wait for the meeting place, then read what they work on as rank 0 left it
"""

import errno
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from threadpoolctl import threadpool_limits

from privgan.errors import UsageError
from privgan.folders import PRIVATE_FOLDER
from privgan.gan.randomness import Randomness
from privgan.gan.ranks.charter import Charter, awaited
from privgan.gan.ranks.company import Company
from privgan.gan.ranks.helpers import Helpers
from privgan.gan.ranks.ranks import ALONE, Ranks
from privgan.gan.ranks.together import connected
from privgan.gan.ranks.waiting import in_time

_COMING_S = 300.0  # for which ranks wait for each other at the beginning
_LEAVING_S = 10.0  # that others have to leave at the end, before their meeting place is left to the next start
_PATIENCE_S = 3600.0  # for which ranks wait for each other's share of an audit
_PIPE = 0o600


def device_of_rank(company: Company, chosen: torch.device) -> torch.device:
    """Where this rank computes, where all are to compute on devices of this kind.

    Raises:
        UsageError: there are more ranks than accelerators.
    """
    if company.size == 1 or chosen.type != "cuda":
        return chosen
    if company.size > torch.cuda.device_count():
        raise UsageError(
            f"Expected an accelerator for each of {company.size} processes, this machine has fewer. Use fewer "
            "processes or --device cpu."
        )
    torch.cuda.set_device(company.rank)
    return torch.device("cuda", company.rank)


def wait_for_rank_0(company: Company, folder: Path, alive: Callable[[], None], patience_s: float = _COMING_S) -> None:
    """Wait, as another rank, until what comes first is done: a run that is made and charged, an audit that counts.

    folder: where they meet. alive: raises when there is no use in waiting any more.

    Raises:
        LostRankError: rank 0 did not come.
    """
    awaited(company.place(folder), alive, until=time.monotonic() + patience_s)


@contextmanager
def gathered(
    company: Company,
    folder: Path,
    *,
    device: torch.device,
    patience_s: float,
    alive: Callable[[], None],
    seed: int | None,
) -> Iterator[tuple[Ranks, Randomness]]:
    """While the block runs, all ranks are connected and draw the same chance.

    Args:
        company: who they are.
        folder: where they meet; private.
        device: where this rank computes.
        patience_s: after so many seconds without an answer another rank counts as lost.
        alive: raises when there is no use in waiting any more.
        seed: of a run that is stamped NOT PRIVATE; only rank 0's counts.

    Raises:
        LostRankError: one ended or does not answer; those that rank 0 started are ended.
        IntegrityError: somebody else is connected.
    """
    if company.size == 1:
        yield ALONE, Randomness.of(seed)
        return
    met = _called(company, folder, alive, seed) if company.rank == 0 else _come(company, folder, alive)
    place, rank, size = company.place(folder) / "store", company.rank, company.size
    with met as charter, connected(place, rank=rank, size=size, device=device, patience_s=patience_s) as ranks:
        ranks.prove(bytes.fromhex(charter.token))
        yield ranks, charter.randomness


@contextmanager
def gathered_beside(company: Company, target: Path) -> Iterator[tuple[Ranks, Randomness]]:
    """While the block runs, all ranks of a piece of work are connected that makes a folder: they meet beside it.

    All compute with rank 0's number of threads, and NumPy with one as everywhere on the command line: how many there
    are decides about last bits.

    Raises:
        LostRankError, IntegrityError: see `gathered`.
    """
    company, target = company.with_threads_of(os.environ), target.absolute()  # `.` has no name
    folder = target.with_name(f".{target.name}.ranks")
    if company.rank:
        wait_for_rank_0(company, folder, _go_on, _PATIENCE_S)
    elif company.size > 1:
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        folder.chmod(PRIVATE_FOLDER)  # refused where it is somebody else's
    cpu = torch.device("cpu")
    try:
        with (
            gathered(company, folder, device=cpu, patience_s=_PATIENCE_S, alive=_go_on, seed=None) as (ranks, chance),
            _threads_as_rank_0(company, ranks),
        ):
            yield ranks, chance
    finally:
        if company.rank == 0:
            with suppress(OSError):  # others may not have left it yet
                folder.rmdir()


@contextmanager
def _threads_as_rank_0(company: Company, ranks: Ranks) -> Iterator[None]:
    if company.size == 1:
        yield
        return
    threads, before = ranks.highest(0 if ranks.rank else company.threads), torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with threadpool_limits({"blas": 1, "openmp": threads}):
            yield
    finally:
        torch.set_num_threads(before)


def _go_on() -> None:
    """Nothing but a signal ends such work, and it ends the process."""


@contextmanager
def _called(company: Company, folder: Path, alive: Callable[[], None], seed: int | None) -> Iterator[Charter]:
    place, charter, until = company.place(folder), Charter.fresh(seed), time.monotonic() + _COMING_S
    _clear(folder)
    _make(place, company.size)
    try:
        with Helpers.started(company.command, company.environments) as helpers:

            def all_alive() -> None:
                alive()
                helpers.require()

            for rank in range(1, company.size):
                charter.tell(_pipe(place, rank), all_alive, until=until)
            yield charter
    finally:
        # Nobody whom rank 0 started is left by now. Whoever still opens the file of the meeting would wait for it.
        others = [_pipe(place, rank) for rank in range(1, company.size)]
        if company.command or in_time(lambda: not any(map(_is_read, others)), _LEAVING_S):
            _clear(folder)


@contextmanager
def _come(company: Company, folder: Path, alive: Callable[[], None]) -> Iterator[Charter]:
    pipe = _pipe(company.place(folder), company.rank)
    held = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield Charter.heard(pipe, alive, until=time.monotonic() + _COMING_S)
    finally:
        os.close(held)  # by which rank 0 sees that this one has left; a kill closes it, too


def _make(place: Path, size: int) -> None:
    """Whoever sees the place finds all pipes in it."""
    making = place.with_name(f".{place.name}")
    making.mkdir(mode=PRIVATE_FOLDER)
    for rank in range(1, size):
        os.mkfifo(_pipe(making, rank), mode=_PIPE)
    making.rename(place)


def _clear(folder: Path) -> None:
    """Remove meeting places, also those that a kill left."""
    for place in folder.glob("*meeting-*"):
        shutil.rmtree(place, ignore_errors=True)


def _is_read(pipe: Path) -> bool:
    """Whether its rank is there."""
    try:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError as error:
        if error.errno not in (errno.ENXIO, errno.ENOENT):  # nobody reads, or it is gone
            raise
        return False
    return True


def _pipe(place: Path, rank: int) -> Path:
    return place / f"to-{rank}"
