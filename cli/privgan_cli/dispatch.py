"""One command line from its words to its exit code: every refusal becomes one sentence.

Tracebacks are never printed: they can carry values from patients' files.
"""

import errno
from collections.abc import Callable, Sequence
from pathlib import Path

import typer
from typer.exceptions import TyperException

from privgan.errors import PrivganError
from privgan.language import AS_WRITTEN, by_default, kept, speaking
from privgan_cli.console import console
from privgan_cli.line.everywhere import taken
from privgan_cli.line.wrong_words import typed_wrong


def dispatch(app: Callable[..., object], arguments: Sequence[str]) -> int:
    """Run one command line of an app, be it typer's or the group that typer made of it; returns its exit code."""
    outer = console.told
    try:
        rest, console.told = taken(arguments, outer)
        with speaking(console.told.language):
            return console.work(lambda: _answer(app, rest))
    except PrivganError as error:  # of an option that every verb takes, the language among them
        return _refuse(error)
    finally:
        console.close()
        console.told = outer


def _answer(app: Callable[..., object], arguments: list[str]) -> int:
    try:
        code = app(args=arguments, prog_name="privgan", standalone_mode=False)
    except BaseException as error:
        if isinstance(error, SystemExit | GeneratorExit):
            raise
        return _refuse(error)
    return code if isinstance(code, int) else 0


def _refuse(error: BaseException) -> int:
    code, message = explained(error)
    with by_default(getattr(error, "language", "") or AS_WRITTEN):
        console.refuse(code, message)
    return code


def explained(error: BaseException) -> tuple[int, str]:
    """The exit code and the one sentence, as it is written, for anything that can end a command."""
    match error:
        case PrivganError():
            return error.exit_code, str(error)
        case TyperException() | OSError() | ModuleNotFoundError():
            return 2, _refused(error)
        case KeyboardInterrupt() | typer.Abort():
            return 130, kept("Interrupted. Nothing half-written was left behind.")
        case MemoryError():
            return 1, kept("Out of memory. Use smaller images, fewer of them, or a machine with more memory.")
        case _:
            # The message of an unknown error may hold a value from a patient's file.
            name, place = type(error).__name__, _place(error)
            return 1, kept("Internal error ({name} in {place}). Please report this line.", name=name, place=place)


def _refused(error: TyperException | OSError | ModuleNotFoundError) -> str:
    match error:
        case OSError():
            return _refused_by_system(error)
        case ModuleNotFoundError():
            package = str(error.name).partition(".")[0]
            return kept(
                "Expected the package {package}, it is not installed here or only in part. Install privgan again.",
                package=package,
            )
        case _:
            return typed_wrong(error)


def _refused_by_system(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return kept("The disk is full. Nothing half-written was left behind; free some space and try again.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return kept("Permission denied for a path that was given. Check who owns it.")
    # The path may be a patient's file: it is not repeated.
    return kept("The file system refused: {strerror}.", strerror=error.strerror or type(error).__name__)


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
