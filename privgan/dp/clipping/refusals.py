"""Networks whose patients' gradients cannot be exact, or which would remember images without noise, are refused.

Before the first pass by what a network is made of; in each pass by what it did: whatever a layer is called, a network
may change nothing of itself, draw nothing, and use every parameter where it lives.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.graph import Node
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize

PRECISE = (torch.float32, torch.float64)
_OF_TORCH = frozenset(vars(nn.Module()))  # what torch itself keeps in every layer
_PLAIN = frozenset({bool, int, float, str, type(None)})  # most of what layers hold: soon told apart
# Options of embeddings that touch rows of the table apart from their gradient.
_OF_TABLES = ("padding_idx", "max_norm", "scale_grad_by_freq", "sparse")

State = dict[nn.Module, list[tuple[Any, Any]]]


def require_clippable(network: nn.Module) -> None:
    """Refuse layers that mix or remember images, and parameters that are not one layer's own.

    Raises:
        NotImplementedError: names the layer's class and what to use instead.
    """
    for layer in network.modules():
        _require_plain(layer)
    owners = [id(p) for layer in layers_of(network) for p in layer.parameters()]
    if len(owners) != len(set(owners)):
        raise NotImplementedError(
            "Expected every parameter in one layer only: two share one, or one lies around another."
        )


def layers_of(network: nn.Module) -> list[nn.Module]:
    """The layers that have parameters of their own."""
    return [layer for layer in network.modules() if next(layer.parameters(recurse=False), None) is not None]


def state_of(network: nn.Module) -> State:
    """Everything that a network holds: parameters, buffers and attributes, with their contents' versions."""
    return {layer: _held(layer) for layer in network.modules()}


def require_unchanged(network: nn.Module, before: State) -> None:
    """Refuse a network that a pass has changed: what it remembers of images gets no noise."""
    for layer in network.modules():
        old, new = before.get(layer, []), _held(layer)
        same = len(old) == len(new) and all(a is b and v == w for (a, v), (b, w) in zip(old, new, strict=True))
        if not same:
            raise NotImplementedError(
                f"Expected layers that remember nothing of the images, {_kind(layer)} changes itself in a pass: "
                "a parameter, a buffer or another attribute. Use a layer without state."
            )


def chance_of(device: torch.device) -> list[Tensor]:
    """Where torch's shared generators stand, those that a layer on this device could draw from."""
    return [torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])]


def require_nothing_drawn(device: torch.device, before: list[Tensor]) -> None:
    """Refuse dropout and its like: a patient who is clipped again would be another one."""
    if not all(torch.equal(a, b) for a, b in zip(before, chance_of(device), strict=True)):
        raise NotImplementedError("Expected layers that draw nothing. Leave out Dropout, RReLU and other noise.")


def require_alone(losses: Tensor, outputs: Iterable[Tensor]) -> None:
    """Refuse a network in which the middle image's loss depends on what layers made of other images.

    Between layers that treat every image alone the gradient is zero, not small. What is mixed before the first layer
    that learns, or apart from gradients, is not seen.
    """
    middle, outputs = len(losses) // 2, list(outputs)
    for gradient in torch.autograd.grad(losses[middle], outputs, retain_graph=True, materialize_grads=True):
        others = torch.cat([gradient[:middle], gradient[middle + 1 :]])
        if bool((torch.isfinite(others) & (others != 0)).any()):
            raise NotImplementedError("Expected layers that treat every image alone, one image's loss sees others.")


def require_at_home(losses: Tensor, calls: Iterable[tuple[nn.Module, tuple[Tensor, ...], Tensor]]) -> None:
    """Refuse parameters that are used anywhere but in their own layer; calls: layers, their inputs and outputs."""
    calls = list(calls)
    outputs = {output.grad_fn for _, _, output in calls}
    between = [losses.grad_fn, *(x.grad_fn for _, inputs, _ in calls for x in inputs)]
    if any(isinstance(leaf, nn.Parameter) for leaf in _leaves(between, outputs)):
        raise NotImplementedError(
            "Expected every parameter to be used by its own layer, one is used between layers. "
            "Put what uses it into that layer's forward."
        )
    for layer, inputs, output in calls:
        own = {id(p) for p in layer.parameters(recurse=False)}
        if any(id(leaf) not in own for leaf in _leaves([output.grad_fn], {x.grad_fn for x in inputs})):
            raise NotImplementedError(f"Expected a layer to use its own parameters, {_kind(layer)} uses another's.")


def require_complete(layer: nn.Module, found: Iterable[Tensor]) -> None:
    """Refuse a layer whose gradients are not those of its own parameters, all of them and no others."""
    learning = {id(p) for p in layer.parameters(recurse=False) if p.requires_grad}
    if {id(p) for p in found} != learning:
        raise NotImplementedError(
            f"Expected a layer that computes with its own parameters, {_kind(layer)} computes with tensors made of "
            "them. Use one without weight_norm, spectral_norm or another parametrization."
        )


def require_tensors(layer: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
    """Refuse calls that cannot be repeated image by image: by keyword, of other things than tensors."""
    if named or not inputs or not all(isinstance(value, Tensor) for value in (*inputs, output)):
        raise NotImplementedError(
            f"Expected tensors in and one tensor out, without keywords; {_kind(layer)} is called another way."
        )


def require_rows(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, rows: int) -> None:
    """Refuse inputs and outputs that are not one row an image, and outputs rounded to half precision."""
    if output.dtype not in PRECISE:
        raise NotImplementedError(f"Expected float32 or float64, {_kind(layer)} gave {output.dtype}.")
    shapes = [tuple(value.shape) for value in (*inputs, output)]
    if any(shape[:1] != (rows,) for shape in shapes):
        raise NotImplementedError(
            f"Expected {rows} rows, one an image and images first; {_kind(layer)} has {shapes} in and out."
        )


def _require_plain(layer: nn.Module) -> None:
    kind = _kind(layer)
    if isinstance(layer, _BatchNorm):
        raise NotImplementedError(f"Expected layers that treat every image alone, got {kind}. Use GroupNorm.")
    if next(layer.buffers(recurse=False), None) is not None:
        raise NotImplementedError(
            f"Expected layers that remember nothing of the images, {kind} keeps a buffer. Use GroupNorm, "
            "InstanceNorm with track_running_stats=False, or the layer without spectral_norm; a constant may be a "
            "plain attribute."
        )
    if any(is_lazy(p) for p in layer.parameters(recurse=False)):
        raise NotImplementedError(f"Expected parameters, {kind} waits for its first image. Give it its sizes.")
    made = any(isinstance(value, Tensor) and value.requires_grad for value in _attributes(layer).values())
    if made or parametrize.is_parametrized(layer):
        raise NotImplementedError(
            f"Expected weights that are parameters, {kind} makes its own before each pass. "
            "Use it without weight_norm, spectral_norm or another parametrization."
        )
    for option in _OF_TABLES:
        value = getattr(layer, option, None)
        if value is not None and value is not False:
            raise NotImplementedError(f"Expected {kind} without {option}: it treats rows of its table apart.")
    if any(p.requires_grad and p.dtype not in PRECISE for p in layer.parameters(recurse=False)):
        raise NotImplementedError(f"Expected parameters in float32 or float64, {kind} has coarser ones.")


def _kind(layer: nn.Module) -> str:
    return type(layer).__name__


def _attributes(layer: nn.Module) -> dict[str, Any]:
    return {name: value for name, value in vars(layer).items() if name not in _OF_TORCH}


def _held(layer: nn.Module) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    _note([*layer.parameters(recurse=False), *layer.buffers(recurse=False)], found)
    _note(_attributes(layer), found)
    return found


def _note(value: Any, found: list[tuple[Any, Any]]) -> None:
    """Every object in it, with what tells whether it was written to."""
    if type(value) in _PLAIN:
        found.append((value, None))
    elif isinstance(value, Tensor):
        found.append((value, value._version))  # noqa: SLF001 (torch has no public counter of writes)
    elif isinstance(value, np.ndarray):
        found.append((value, value.tobytes()))
    elif isinstance(value, dict):
        for name, part in value.items():
            found.append((name, None))
            _note(part, found)
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            _note(part, found)
    else:
        found.append((value, None))


def _leaves(starts: Iterable[Node | None], stops: set[Node | None]) -> Iterator[Tensor]:
    """The leaves that gradients reach from these nodes without going through any of the others."""
    seen, waiting = {None, *stops}, list(starts)
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if isinstance(leaf := getattr(node, "variable", None), Tensor):
            yield leaf
        waiting += [following for following, _ in node.next_functions]
