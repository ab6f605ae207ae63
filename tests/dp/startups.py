"""What a process may have been told about float32 before a private step: every setting of torch, alone and in pairs.

Such settings belong to a whole process, and some cannot be undone: each start-up is a fork of its own.
"""

import gc
import hashlib
import itertools
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from privgan.dp.clipping.patient_gradients import PatientGradients

OLDER = (
    *(f"torch.set_float32_matmul_precision({value!r})" for value in ("highest", "high", "medium")),
    *(f"torch.backends.{name}.allow_tf32 = {on}" for name in ("cuda.matmul", "cudnn") for on in (True, False)),
)
_CUDA = ("cudnn.conv", "cudnn.rnn", "cudnn", "cuda.matmul")
_ONEDNN = ("mkldnn.matmul", "mkldnn.conv", "mkldnn.rnn")
_VALUES = ("ieee", "tf32", "none", "bf16")  # the last for processors only
NEWER = (
    *(f"torch.backends.fp32_precision = {value!r}" for value in _VALUES),
    *(f"torch.backends.{name}.fp32_precision = {value!r}" for name in _CUDA for value in _VALUES[:3]),
    *(f"torch.backends.{name}.fp32_precision = {value!r}" for name in _ONEDNN for value in _VALUES),
    *(f"torch.backends.mkldnn.set_flags(_fp32_precision={value!r})" for value in _VALUES),
)
STARTUPS = (
    (),
    *((one,) for one in (*OLDER, *NEWER)),
    *(pair for one in OLDER for other in NEWER for pair in ((one, other), (other, one))),
    *list(itertools.combinations(NEWER, 2))[::5],
)

KEYS = [(library, what) for library in ("cuda", "mkldnn") for what in ("matmul", "conv", "rnn", "all")]
OLD = (
    torch.get_float32_matmul_precision,
    lambda: torch.backends.cuda.matmul.allow_tf32,
    lambda: torch.backends.cudnn.allow_tf32,
)


def serve() -> None:
    """Print what is wrong after each start-up, one line of JSON each, and nothing where nothing is."""
    torch.set_num_threads(1)
    _sums([])  # whatever torch sets up on first use
    gc.collect()
    gc.freeze()  # so that a collection in a fork copies no page of what was loaded
    expected = _in_a_fork(partial(_sums, []))
    for startup in STARTUPS:
        untouched, found = _in_a_fork(partial(_afterwards, startup)), _in_a_fork(partial(_stepped, startup))
        wrong = {
            "inside": found["inside"],
            "sums": found["sums"] != expected,
            "afterwards": found["afterwards"] != untouched,
        }
        sys.stdout.write(json.dumps([startup, {name: what for name, what in wrong.items() if what}]) + "\n")


def _stepped(startup: tuple[str, ...]) -> dict[str, Any]:
    seen: list[str] = []
    _set(startup)
    sums = _sums(seen)
    return {"inside": sorted(set(seen)), "sums": sums, "afterwards": _afterwards()}


def _afterwards(startup: tuple[str, ...] = ()) -> list[list[str]]:
    """All settings, and which of them follow when those above them are turned."""
    _set(startup)
    told = [_settings()]
    for above, value in itertools.product((("generic", "all"), ("cuda", "all"), ("mkldnn", "all")), ("ieee", "tf32")):
        torch._C._set_fp32_precision_setter(*above, value)
        told.append(_settings())
    return told


def _set(startup: tuple[str, ...]) -> None:
    for line in startup:
        exec(line, {"torch": torch})  # noqa: S102 (a line of a user's program)


def _settings() -> list[str]:
    return [*(torch._C._get_fp32_precision_getter(*key) for key in (("generic", "all"), *KEYS)), *map(_read, OLD)]


def _read(older: Callable[[], object]) -> str:
    try:
        return str(older())
    except RuntimeError:
        return "refused"


def _sums(seen: list[str]) -> list[str]:
    """A private step of a convolution and a wide layer; notes what is not in full float32 inside."""
    torch_rng = torch.Generator().manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 8, 3), nn.Flatten(), nn.Linear(8 * 14 * 14, 16), nn.Linear(16, 1))
    for weights in network.parameters():
        nn.init.normal_(weights, std=0.05, generator=torch_rng)
    images = torch.randn(32, 1, 16, 16, generator=torch_rng)

    def losses(rows: Tensor) -> Tensor:
        exact = ["ieee"] * (1 + len(KEYS)) + ["highest", "False"]
        seen.extend(told for told, wanted in zip(_settings(), exact, strict=False) if told != wanted)
        scores: Tensor = network(images[rows]).flatten()
        return scores

    sums = PatientGradients(network).clipped_sums(losses, torch.arange(32).reshape(16, 2), 0.1)
    return [hashlib.sha256(total.numpy().tobytes()).hexdigest() for total in sums]


def _in_a_fork(work: Callable[[], Any]) -> Any:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            with os.fdopen(writing, "w") as stream:
                json.dump(_answer(work), stream)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        answer = json.load(stream)
    os.waitpid(child, 0)
    return answer


def _answer(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except RuntimeError as error:
        return {"inside": [repr(error)], "sums": None, "afterwards": None}
