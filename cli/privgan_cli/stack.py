"""What an officer's laptop does without: libraries that read and learn from images, and the verbs that need them.

The small install approves, reports, verifies, revokes and plans; the extra `train` brings everything.
"""

import functools
from collections.abc import Callable
from importlib.util import find_spec
from typing import ParamSpec, TypeVar

from privgan.errors import UsageError

TRAINING_STACK = {
    "jpeg_ls": "pyjpegls",
    "openjpeg": "pylibjpeg-openjpeg",
    "pylibjpeg": "pylibjpeg",
    "randomgen": "randomgen",
    "rle": "pylibjpeg-rle",
    "safetensors": "safetensors",
    "sklearn": "scikit-learn",
    "threadpoolctl": "threadpoolctl",
    "torch": "torch",
}
"""By the name that is imported, the name that is installed."""
_P = ParamSpec("_P")
_R = TypeVar("_R")


def needs_training_stack(verb: Callable[_P, _R]) -> Callable[_P, _R]:
    """The same verb; where the stack is missing it says so before it reads, makes or charges anything.

    Raises:
        UsageError: a library is not installed.
    """

    @functools.wraps(verb)
    def checked(*words: _P.args, **flags: _P.kwargs) -> _R:
        require_training_stack(verb.__name__)
        return verb(*words, **flags)

    return checked


def require_training_stack(verb: str) -> None:
    """Refuse a verb whose libraries are not installed.

    Raises:
        UsageError: which are missing, and what to type.
    """
    missing = sorted(TRAINING_STACK[name] for name in TRAINING_STACK if not _is_installed(name))
    if missing:
        raise UsageError(
            f"Expected the training stack for '{verb}', not installed here: {', '.join(missing)}. "
            'Install it: pip install "privgan[train]".'
        )


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
