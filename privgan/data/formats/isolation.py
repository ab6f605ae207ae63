"""Hostile bytes are parsed in processes of their own, with a memory ceiling and a clock.

A file that crashes, hangs or exhausts its worker costs that file; the worker is replaced and the others go on.
Messages in both directions are plain bytes: a subverted worker cannot make its parent unpickle anything.
"""

import atexit
import contextlib
import importlib
import json
import resource
import select
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection

from privgan.data.formats.nursery import SECONDS_TO_START, Nursery
from privgan.errors import PrivganError
from privgan.memory import processors

MEMORY_BYTES = 1 << 30
SECONDS_PER_FILE = 30.0
IN_FLIGHT = 16  # requests a worker holds, so that it never waits for its parent
WINDOW = 256  # results that may wait for a slower one before them,
HELD_BYTES = 64 << 20  # and how many bytes they may have when another one is asked for
CRASHED, TIMED_OUT = b"crashed", b"timed out"  # answers of the pool itself; real ones start with a brace
_READY = b"ready"
_NURSERIES: list[Nursery] = []  # one at most


@dataclass(frozen=True, kw_only=True)
class Job:
    """What the workers run: `module:factory`, called with `configuration`, gives a function bytes -> bytes."""

    target: str
    configuration: str
    seconds: float = SECONDS_PER_FILE
    memory_bytes: int = MEMORY_BYTES


@dataclass(kw_only=True)
class _Worker:
    nursery: Nursery
    number: int
    connection: Connection
    pending: deque[int] = field(default_factory=deque)
    deadline: float = 0.0
    ready: bool = False

    def stop(self) -> None:
        self.connection.close()
        self.nursery.end(self.number)


def run_isolated(job: Job, requests: Sequence[bytes], workers: int | None = None) -> Iterator[bytes]:
    """Answer every request, in order; CRASHED or TIMED_OUT where the worker was lost.

    Args:
        job: what the workers run.
        requests: one after another.
        workers: how many processes; None takes one a processor, at most eight, and fewer for few requests.

    Raises:
        PrivganError: workers cannot be started at all.
    """
    pool = _Pool(job, requests, workers or _worker_count(len(requests)))
    atexit.register(pool.stop)  # for a caller who never ends the iteration: workers are deaf to being asked to end
    try:
        for index in range(len(requests)):
            while index not in pool.answers:
                pool.step(index)
            yield pool.take(index)
    finally:
        pool.stop()
        atexit.unregister(pool.stop)


class _Pool:
    def __init__(self, job: Job, requests: Sequence[bytes], workers: int) -> None:
        self.job = job
        self.requests = requests
        self.answers: dict[int, bytes] = {}
        self.held_bytes = 0  # of answers that wait for their turn
        self.waiting: deque[int] = deque()  # returned by lost workers
        self.next = 0
        self.nursery = _nursery()
        self.poll = select.poll()  # kept: to register every worker anew costs more than to ask
        self.workers = [self._start() for _ in range(workers)]

    def stop(self) -> None:
        while self.workers:
            self._end(self.workers.pop())

    def take(self, index: int) -> bytes:
        """An answer that has come."""
        answer = self.answers.pop(index)
        self.held_bytes -= len(answer)
        return answer

    def _keep(self, index: int, answer: bytes) -> None:
        self.answers[index] = answer
        self.held_bytes += len(answer)

    def step(self, wanted: int) -> None:
        """Hand out work, then take in what has come or expired."""
        for worker in self.workers:
            self._feed(worker, wanted)
        soonest = min(worker.deadline for worker in self.workers)
        ready = dict(self.poll.poll(max(0.0, soonest - time.monotonic()) * 1000))
        for worker in list(self.workers):
            if worker.connection.fileno() in ready:
                self._receive(worker)
            elif time.monotonic() > worker.deadline:
                self._replace(worker, TIMED_OUT)

    def _feed(self, worker: _Worker, wanted: int) -> None:
        while worker.ready and len(worker.pending) < IN_FLIGHT:
            if self.waiting:
                index = self.waiting.popleft()
            elif self.next < len(self.requests) and self._has_room(wanted):
                index, self.next = self.next, self.next + 1
            else:
                break
            if not worker.pending:
                worker.deadline = time.monotonic() + self.job.seconds
            worker.pending.append(index)
            with contextlib.suppress(OSError):  # a dead worker is noticed when its answer is awaited
                worker.connection.send_bytes(self.requests[index])
        if worker.ready and not worker.pending:
            worker.deadline = time.monotonic() + self.job.seconds

    def _has_room(self, wanted: int) -> bool:
        """Whether more may be asked while an answer is waited for: so that memory stays bounded."""
        return self.next <= wanted or (self.next < wanted + WINDOW and self.held_bytes < HELD_BYTES)

    def _receive(self, worker: _Worker) -> None:
        try:
            answer = worker.connection.recv_bytes()
        except (EOFError, OSError):
            self._replace(worker, CRASHED)
            return
        if not worker.ready:
            worker.ready = answer == _READY
        elif worker.pending:
            self._keep(worker.pending.popleft(), answer)
        worker.deadline = time.monotonic() + self.job.seconds

    def _replace(self, worker: _Worker, verdict: bytes) -> None:
        """Only the request at the head was being worked on; those behind it go to others."""
        if not worker.ready:
            raise PrivganError(
                "Expected a decoding process to start, it did not. Is the calling script guarded by "
                "if __name__ == '__main__', and is there 1 GiB of memory?"
            )
        if worker.pending:
            self._keep(worker.pending.popleft(), verdict)
        self.waiting.extend(worker.pending)
        self.workers.remove(worker)
        self._end(worker)
        self.workers.append(self._start())

    def _end(self, worker: _Worker) -> None:
        self.poll.unregister(worker.connection.fileno())
        worker.stop()

    def _start(self) -> _Worker:
        number, connection = self.nursery.forked(json.dumps(asdict(self.job)).encode())
        self.poll.register(connection.fileno(), select.POLLIN)
        return _Worker(
            nursery=self.nursery,
            number=number,
            connection=connection,
            deadline=time.monotonic() + SECONDS_TO_START,
        )


def _nursery() -> Nursery:
    """That of this process, started when somebody asks first."""
    if not (_NURSERIES and _NURSERIES[-1].lives):
        _NURSERIES[:] = [Nursery(_serve)]
    return _NURSERIES[-1]


def _worker_count(requests: int) -> int:
    """One per processor, at most eight; a second one pays off from a hundred files."""
    return max(1, min(processors(), 8, requests // 50))


def _serve(connection: Connection, told: bytes) -> None:
    """The life of a worker, which is limited."""
    job = Job(**json.loads(told))
    module, _, factory = job.target.partition(":")
    function = getattr(importlib.import_module(module), factory)(job.configuration)
    _limit_memory(job.memory_bytes)
    connection.send_bytes(_READY)
    while True:
        try:
            request = connection.recv_bytes()
        except EOFError:
            return
        connection.send_bytes(function(request))


def _limit_memory(limit_bytes: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    ceiling = limit_bytes if hard == resource.RLIM_INFINITY else min(limit_bytes, hard)
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold a patient's image
