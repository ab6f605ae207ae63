"""One command line from its words to its exit code: every refusal becomes one sentence.

Tracebacks are never printed: they can carry values from patients' files.
"""

import errno
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import typer
from typer.exceptions import TyperException

from privgan.errors import PrivganError
from privgan.language import speaking
from privgan_cli.console import console

LANGUAGE = "--language"
_EVERYWHERE = {"--json": "as_json", "--quiet": "quiet", "-q": "quiet", "--verbose": "verbose", "-v": "verbose"}


def dispatch(app: Callable[..., object], arguments: Sequence[str]) -> int:
    """Run one command line of an app, be it typer's or the group that typer made of it; returns its exit code."""
    outer = (console.as_json, console.quiet, console.verbose)
    try:
        rest, chosen = _take_language(_take_everywhere(arguments))
        with speaking(chosen):
            return _answer(app, rest)
    except PrivganError as error:  # no such language
        return _refuse(*explained(error))
    finally:
        console.close()
        console.as_json, console.quiet, console.verbose = outer


def _answer(app: Callable[..., object], arguments: list[str]) -> int:
    try:
        return _run(app, arguments)
    except BaseException as error:
        if isinstance(error, SystemExit | GeneratorExit):
            raise
        return _refuse(*explained(error))


def _run(app: Callable[..., object], arguments: list[str]) -> int:
    code = app(args=arguments, prog_name="privgan", standalone_mode=False)
    return code if isinstance(code, int) else 0


def _take_everywhere(arguments: Sequence[str]) -> list[str]:
    """Take the flags that every verb has out of the line, wherever they stand."""
    rest: list[str] = []
    for argument in arguments:
        if argument in _EVERYWHERE:
            setattr(console, _EVERYWHERE[argument], True)
        else:
            rest.append(argument)
    return rest


def _take_language(arguments: Sequence[str]) -> tuple[list[str], str | None]:
    """Take `--language NAME` out of the line, wherever it stands; None where nobody chose one."""
    rest, chosen = list[str](), None
    waiting = iter(arguments)
    for argument in waiting:
        name, equals, value = argument.partition("=")
        if name == LANGUAGE:
            chosen = value if equals else next(waiting, "")
        else:
            rest.append(argument)
    return rest, chosen


def _refuse(code: int, message: str) -> int:
    console.close()
    sys.stderr.write(f"privgan: {message}\n")
    if console.as_json:
        console.result({"error": {"exit_code": code, "message": message}})
    return code


def explained(error: BaseException) -> tuple[int, str]:
    """The exit code and the one sentence for anything that can end a command."""
    match error:
        case PrivganError():
            return error.exit_code, str(error)
        case TyperException() | OSError() | ModuleNotFoundError():
            return 2, _refused(error)
        case KeyboardInterrupt() | typer.Abort():
            return 130, "Interrupted. Nothing half-written was left behind."
        case MemoryError():
            return 1, "Out of memory. Use smaller images, fewer of them, or a machine with more memory."
        case _:
            # The message of an unknown error may hold a value from a patient's file.
            return 1, f"Internal error ({type(error).__name__} in {_place(error)}). Please report this line."


def _refused(error: TyperException | OSError | ModuleNotFoundError) -> str:
    match error:
        case OSError():
            return _refused_by_system(error)
        case ModuleNotFoundError():
            package = str(error.name).partition(".")[0]
            return f"Expected the package {package}, it is not installed here or only in part. Install privgan again."
        case _:
            return _what_was_typed_wrong(error)


def _what_was_typed_wrong(error: TyperException) -> str:
    format_message = getattr(error, "format_message", None)
    return str(format_message()) if format_message else str(error)


def _refused_by_system(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full. Nothing half-written was left behind; free some space and try again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "Permission denied for a path that was given. Check who owns it."
    # The path may be a patient's file: it is not repeated.
    return f"The file system refused: {error.strerror or type(error).__name__}."


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
