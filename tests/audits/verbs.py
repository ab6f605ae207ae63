"""The product's own verbs, each a process, for studies that ask what a hospital would ask."""

import json
import subprocess
import sys
from typing import Any


def privgan(*words: str) -> tuple[int, dict[str, Any]]:
    """The exit code of a verb and what it says as JSON, or `error`."""
    done = subprocess.run(
        [sys.executable, "-c", "from privgan_cli.main import main; main()", *words, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else {"error": done.stderr}


def succeed(*lines: tuple[str, ...]) -> None:
    """Verbs, one after the other.

    Raises:
        RuntimeError: one refused; it says why.
    """
    for words in lines:
        code, answer = privgan(*words)
        if code:
            raise RuntimeError(f"`privgan {words[0]}` ended with exit code {code}: {answer}")
