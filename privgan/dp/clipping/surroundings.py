"""The same arithmetic whatever a process was started with: full float32, no automatic casts, gradients on.

How float32 products are rounded, whether they are cast to half precision and whether gradients are noted are settings
of a whole process or of whoever calls. Norms and sums must agree to within 2^-8, so none of them may decide here.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

_EXACT = "ieee"
# Parents first: an operation without a setting of its own has its library's, a library without one the general one.
_PRECISIONS = (
    ("generic", "all"),
    *((library, "all") for library in ("cuda", "mkldnn")),
    *((library, operation) for library in ("cuda", "mkldnn") for operation in ("matmul", "conv", "rnn")),
)
_PRODUCTS = (("cuda", "matmul"), ("mkldnn", "matmul"))
# What oneDNN rounds to where torch does not say; read once a process, before torch can be asked.
_ONEDNN = ("ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE")


@contextmanager
def plain_surroundings() -> Iterator[None]:
    """As in a fresh process: float32 and the processor by default, no autocast, gradients noted.

    Afterwards everything is as before.
    """
    kinds = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    with ExitStack() as stack:
        if device.type != "cpu":
            stack.callback(torch.set_default_device, device)
            torch.set_default_device(None)
        stack.callback(torch.set_default_dtype, dtype)
        torch.set_default_dtype(torch.float32)
        for kind in kinds:
            stack.enter_context(torch.autocast(kind, enabled=False))
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.enable_grad())
        yield


@contextmanager
def full_float32() -> Iterator[None]:
    """Matrix products, convolutions and recurrent layers keep all 24 bits, on processors and accelerators.

    torch has older switches and newer ones, and refuses to read the older where the two disagree. Only the newer are
    read; of the older one is turned, since torch's profiler reads it in every operation.

    Raises:
        RuntimeError: the environment tells oneDNN to round.
    """
    _require_strict_onednn()
    before = [(key, _own(*key)) for key in _PRODUCTS]  # the older switch writes these two
    for key in _PRECISIONS:
        # Its parents are exact by now: a value that is not is its own, and has to be put back. The others stay
        # untouched, since torch's first settings of convolutions follow a parent, too, but cannot be written.
        if (value := _precision(*key)) != _EXACT:
            before.append((key, value))
            _set_precision(*key, _EXACT)
    older = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("highest")
        yield
    finally:
        torch.set_float32_matmul_precision(older)
        for key, value in before:
            _set_precision(*key, value)


def _own(library: str, operation: str) -> str:
    """The setting of an operation or a library, `none` where it follows its parent's: seen by turning that one."""
    if library == "generic":
        return _precision(library, operation)
    parent = ("generic", "all") if operation == "all" else (library, "all")
    before, seen = _own(*parent), []
    for value in (_EXACT, "tf32"):
        _set_precision(*parent, value)
        seen.append(_precision(library, operation))
    _set_precision(*parent, before)
    return seen[0] if seen[0] == seen[1] else "none"


def _precision(library: str, operation: str) -> str:
    # torch's public names lack oneDNN as a whole: writing that one writes the general setting.
    value: str = torch._C._get_fp32_precision_getter(library, operation)  # noqa: SLF001
    return value


def _set_precision(library: str, operation: str, value: str) -> None:
    torch._C._set_fp32_precision_setter(library, operation, value)  # noqa: SLF001


def _require_strict_onednn() -> None:
    for name in _ONEDNN:
        if os.environ.get(name, "strict").lower() != "strict":
            raise RuntimeError(f"Expected full float32, but {name} tells oneDNN to round. Unset it and start again.")
