"""`privgan` with its libraries already loaded: each command is a fork of one process, so that only the first waits.

Where the libraries are what is asked about, the command line alone is loaded.

A command is still a process with its own memory, file descriptors, signals and exit code. What it cannot show is
that a fresh interpreter finds every import, and how well an audit sees: it learns briefly here. Commands that are run
once as a user runs them show both.
"""

import atexit
import gc
import importlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

from tests.cell import enter_a_cell, tried
from tests.chance import seed, take_over
from tests.disk import wait_for_none
from tests.spies import clients

SOUGHT = 98  # the code of a command that looked for another machine, or asked for a name
SPIED = 97  # the code of a command that loaded what tells somebody else how it is used
SECONDS = 300  # after which a command that hangs is ended, with a code that nobody expects
LOADED = (  # what the verbs import where they need it
    "dp_accounting.pld.privacy_loss_distribution",
    "matplotlib.backends.backend_svg",
    "matplotlib.figure",
    "privgan.data.cohort.prepare",
    "privgan.data.cohort.scan",
    "privgan.gan.training.runs",
    "privgan.images.contact_sheet",
    "privgan.synthetic.dicom.writer",
    "privgan.synthetic.generate",
    "privgan_audits.enrol",
    "privgan_audits.examine",
    "privgan_audits.release.release",
    "privgan_audits.report.write",
    "privgan_audits.release.verify",
    "privgan_cli.evidence",
    "privgan_cli.planned",
    "privgan_cli.surface",
    "randomgen",
    "safetensors.torch",
    "sklearn.cluster",
    "sklearn.discriminant_analysis",
    "torch._dynamo",  # for any optimiser of torch
    "torch._prims_common.wrappers",
    "typer._adapters",  # for the first words of a command
)


@dataclass(frozen=True, kw_only=True)
class Warm:
    """A process that forks commands; what one says goes through files in `folder`.

    alone: each is in a network of its own, without a way out, and ends with SOUGHT if it looked for one.
    """

    requests: IO[str]
    answers: IO[str]
    folder: Path
    alone: bool = False

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run `privgan *words` and wait for it."""
        return self.wait(self.start(*words))

    def start(self, *words: object) -> int:
        """Start `privgan *words` and give its process number, which is its own until `wait`."""
        return self._ask([secrets.token_hex(), list(map(str, words)), str(self.folder), self.alone])

    def wait(self, process: int) -> subprocess.CompletedProcess[str]:
        """Wait for what was started; a negative code is the signal that ended it."""
        code = self._ask(process)
        return subprocess.CompletedProcess([], code, *(path.read_text() for path in _outputs(self.folder, process)))

    def said(self, process: int) -> Path:
        """The file that its stderr goes to."""
        return _outputs(self.folder, process)[1]

    def _ask(self, request: object) -> int:
        self.requests.write(f"{json.dumps(request)}\n")
        self.requests.flush()
        return int(self.answers.readline())


def _outputs(folder: Path, process: int) -> list[Path]:
    return [folder / f"{process}-{name}" for name in ("stdout", "stderr")]


@contextmanager
def warm(folder: Path, environment: Mapping[str, str], *, light: Sequence[str] | None = None) -> Iterator[Warm]:
    """Start the process, and end it when it is not needed any more.

    light: what it loads instead of what verbs load.
    """
    line = [sys.executable, "-c", f"from tests.cli.forking import serve; serve({light!r})"]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Warm(requests=process.stdin, answers=process.stdout, folder=folder)
        process.stdin.close()


def serve(light: Sequence[str] | None) -> None:
    """Fork a process for every list of words on standard input, once all is loaded; its number waits for one."""
    from privgan_cli.main import main

    if light is None:
        _load()
    for name in light or ():
        importlib.import_module(name)
    wait_for_none()
    gc.collect()
    gc.freeze()  # so that a collection in a fork copies no page of what was loaded
    for line in sys.stdin:
        request = json.loads(line)
        if isinstance(request, int):
            answer = os.waitstatus_to_exitcode(os.waitpid(request, 0)[1])
        elif not (answer := os.fork()):
            _become(*request)
            _end(main, alone=request[-1])
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def _load() -> None:
    """What the verbs load, and how briefly their audits learn."""
    from privgan.data.identifiers import own_words
    from privgan_audits.questions import QUESTIONS
    from tests.brief import be_brief

    for name in LOADED:
        importlib.import_module(name)
    for question in QUESTIONS:
        question.loaded()
    own_words()
    be_brief()


def _end(main: Callable[[], None], *, alone: bool) -> NoReturn:
    """Run to the end of a process, but leave to the system what it holds: to let go of every module takes 0.3 s."""
    code = 1
    try:
        main()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:  # noqa: BLE001 - the same as an interpreter does
        traceback.print_exc()
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    if alone and tried():
        code = SOUGHT
    os._exit(SPIED if clients(sys.modules) else code)


def _become(chance: str, words: list[str], folder: str, alone: bool) -> None:
    """A process that was started with these words, nothing to read, and outputs that go to files."""
    if alone:
        enter_a_cell()
    take_over()
    seed(chance)
    sys.argv = ["privgan", *words]
    signal.alarm(SECONDS)
    for descriptor, path in enumerate((os.devnull, *_outputs(Path(folder), os.getpid()))):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
