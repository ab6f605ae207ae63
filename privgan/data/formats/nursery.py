"""Where workers come from: forks of one process that has loaded what they need, each a hundredth of a start.

That process is started anew, holds nothing of its parent's memory, and neither reads a file nor sees a request, so
that a worker that was taken over finds no patient in what it inherited. It ends with its parent, and all workers do.
"""

import atexit
import contextlib
import gc
import importlib
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import recv_handle, send_handle
from pathlib import Path

from privgan.errors import PrivganError

SECONDS_TO_START = 120.0
Life = Callable[[Connection, bytes], None]
"""What a worker does, given the way to its parent and what it was told."""
_CONTEXT = multiprocessing.get_context("spawn")
# What a worker reads nearly all files with, and looks for text in pixels.
_LOADED = ("privgan.data.formats.worker", "privgan.data.formats.dicom.file", "scipy.ndimage")


class Nursery:
    """The process that workers are forks of."""

    def __init__(self, life: Life) -> None:
        """Start it; `life` is a function of a module."""
        self._connection, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_raise, args=(theirs, life), daemon=True)
        with _one_thread(), _signals_held():
            self._process.start()
        theirs.close()
        self._parent = os.getpid()
        atexit.register(self.stop)  # before multiprocessing asks it to end, to which it is deaf

    @property
    def lives(self) -> bool:
        """Whether this process can still have workers from it; a fork of the one that started it cannot."""
        return self._parent == os.getpid() and self._process.is_alive()

    def forked(self, told: bytes) -> tuple[int, Connection]:
        """A worker's number and the way to it.

        Raises:
            PrivganError: processes cannot be started at all.
        """
        ours, theirs = _CONTEXT.Pipe()
        try:
            self._connection.send_bytes(json.dumps([str(Path.cwd()), sys.path]).encode())
            self._connection.send_bytes(told)
            send_handle(self._connection, theirs.fileno(), self._process.pid)
            number = int(self._answer())
        except (EOFError, OSError):
            ours.close()
            raise PrivganError(
                "Expected a decoding process to start, it did not. Is the calling script guarded by "
                "if __name__ == '__main__', and is there 1 GiB of memory?"
            ) from None
        finally:
            theirs.close()
        return number, ours

    def end(self, number: int) -> None:
        """Kill a worker, and see that it is gone."""
        with contextlib.suppress(EOFError, OSError):  # a dead nursery has no workers
            self._connection.send_bytes(str(number).encode())
            self._answer()

    def stop(self) -> None:
        """End it and every worker; in a fork of the process that started it, leave it alone."""
        atexit.unregister(self.stop)
        self._connection.close()
        if self._parent == os.getpid():
            self._process.join()

    def _answer(self) -> bytes:
        if not wait([self._connection], SECONDS_TO_START):
            raise TimeoutError
        return self._connection.recv_bytes()


def _raise(connection: Connection, life: Life) -> None:
    """Fork and end workers, as the parent says, until the parent is gone."""
    _silence()
    for name in _LOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # so that a collection in a worker copies no page of what was loaded
    alive: set[int] = set()
    try:
        while True:
            asked = json.loads(connection.recv_bytes())
            if isinstance(asked, int):
                _end(asked)
                alive.discard(asked)
                connection.send_bytes(b"")
            else:
                told, handle = connection.recv_bytes(), recv_handle(connection)
                worker = os.fork()
                if not worker:
                    connection.close()
                    _work(life, handle, told, *asked)
                os.close(handle)
                alive.add(worker)
                connection.send_bytes(str(worker).encode())
    except (EOFError, OSError):
        for worker in alive:
            _end(worker)


def _end(worker: int) -> None:
    os.kill(worker, signal.SIGKILL)  # it may have ended, but keeps its number until somebody asks for it
    os.waitpid(worker, 0)


def _work(life: Life, handle: int, told: bytes, folder: str, path: list[str]) -> None:
    """To the end of a worker, which never returns to what its nursery would do next."""
    try:
        os.chdir(folder)
        sys.path[:] = path
        life(Connection(handle), told)
    finally:
        os._exit(0)


def _silence() -> None:
    """Say nothing, and let no worker: C libraries print header values."""
    sink = os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.dup2(sink, 1)
    os.dup2(sink, 2)


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """What is started in the block never hears Ctrl-C and SIGTERM, which a whole group of processes may be sent.

    The parent decides what they mean; a worker that died of one would make its file look like one that kills.
    """
    resource_tracker.ensure_running()  # a start would begin with this, which lets both signals in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Processes started inside compute with one thread each: more would reserve memory and wait for each other.

    Libraries read these variables when they are loaded, which may be before a worker's first own line.
    """
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
