"""The contribution of one patient, bounded: mean gradient of their images, clipped once.

Everything that could carry one patient's influence past the bound ends here: several images, several parameters,
infinities, norms that rounding made too small. Exact: what comes out is what a loop over patients would compute.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from privgan.dp.clipping.layers import layer_shares
from privgan.dp.clipping.refusals import (
    chance_of,
    layers_of,
    require_alone,
    require_at_home,
    require_clippable,
    require_complete,
    require_nothing_drawn,
    require_rows,
    require_tensors,
    require_unchanged,
    state_of,
)
from privgan.dp.clipping.shares import Pass, Share
from privgan.dp.clipping.surroundings import full_float32, plain_surroundings

RowLosses = Callable[[Tensor], Tensor]  # rows int64 (n,) -> losses (n,)
_TRUSTED = 2.0**-8  # a squared norm may be wrong by this part before it is computed again without cancellation


class PatientGradients:
    """A model whose gradients can be clipped by patient.

    Raises:
        NotImplementedError: of what `refusals` finds, here or in a pass: a layer that mixes images, remembers
            something of them or draws, a parameter that is not used by one layer alone, once.
    """

    def __init__(self, model: nn.Module) -> None:
        require_clippable(model)
        for layer in layers_of(model):
            # Before other hooks: what they make of the output is no longer the layer's.
            layer.register_forward_hook(self._note, prepend=True, with_kwargs=True)
        self.model = model
        self.trainable = [p for p in model.parameters() if p.requires_grad]
        self._calls: list[_Call] | None = None
        self._seen_alone = False

    def clipped_sums(
        self, losses: RowLosses, rows: Tensor, clipping_norm: float, *, keep: bool = False
    ) -> list[Tensor]:
        """Sum over patients of min(1, C / |g_p|) g_p, where g_p is the mean gradient of patient p's images.

        Args:
            losses: runs the model on rows and gives each image's loss; no image may influence another's.
            rows: int64 (patients, images): the rows of each patient, the same number for all.
            clipping_norm: C, over all parameters together.
            keep: make every patient's whole gradient instead of taking norms from Gram matrices.

        Returns:
            One float64 tensor a trainable parameter. A patient without a finite gradient contributes zero.
        """
        if not rows.numel():
            return [torch.zeros_like(p, dtype=torch.float64) for p in self.trainable]
        with full_float32(), plain_surroundings():
            return self._clipped_sums(losses, rows, clipping_norm, keep=keep)

    def _clipped_sums(self, losses: RowLosses, rows: Tensor, clipping_norm: float, *, keep: bool) -> list[Tensor]:
        shares = self._shares(losses, rows, keep=keep)
        squares = torch.stack([share.squares for share in shares]).sum(0)
        doubt = torch.stack([share.doubt for share in shares]).sum(0)
        # A norm that overflowed hides gradients that are finite; they are left out with the infinite ones.
        finite = torch.isfinite(squares) & torch.isfinite(doubt)
        doubtful = finite & (doubt > _TRUSTED * squares) & (squares + doubt > clipping_norm**2)
        if not bool((finite & ~doubtful).all()):
            # Only these patients again: how others are clipped must not depend on them.
            sure = self.clipped_sums(losses, rows[finite & ~doubtful], clipping_norm, keep=keep)
            again = self.clipped_sums(losses, rows[doubtful], clipping_norm, keep=True)
            return [a + b for a, b in zip(sure, again, strict=True)]
        factors = (clipping_norm / squares.sqrt().clamp_min(1e-12)).clamp_max(1.0)
        with torch.no_grad():
            sums = {id(share.parameter): share.weighted(factors) for share in shares}
        return [
            sums[id(p)].double() if id(p) in sums else torch.zeros_like(p, dtype=torch.float64)
            for p in self.trainable
        ]

    def _shares(self, losses: RowLosses, rows: Tensor, *, keep: bool) -> list[Share]:
        images = rows.shape[1]
        by_row, calls = self._watched(losses, rows.flatten())
        total = by_row.sum() / images
        gradients = torch.autograd.grad(total, [call.output for call in calls], materialize_grads=True)
        with torch.no_grad():
            passes = [
                Pass(layer=call.layer, inputs=call.inputs, gradient=gradient, images=images, keep=keep)
                for call, gradient in zip(calls, gradients, strict=True)
            ]
            return [share for done in passes for share in _complete_shares(done)]

    def _watched(self, losses: RowLosses, rows: Tensor) -> "tuple[Tensor, list[_Call]]":
        """The loss of each row and the calls that it depends on; refused if the pass did anything else."""
        state, chance = state_of(self.model), chance_of(rows.device)
        calls: list[_Call] = []
        self._calls = calls
        try:
            by_row = losses(rows)
        finally:
            self._calls = None
        if by_row.shape != rows.shape:
            raise ValueError(f"Expected one loss a row, {tuple(rows.shape)}, got {tuple(by_row.shape)}.")
        require_unchanged(self.model, state)
        require_nothing_drawn(rows.device, chance)
        for call in calls:
            call.require_untouched()
        calls = [call for call in calls if call.output.requires_grad]  # frozen layers before the first that learns
        for call in calls:
            require_rows(call.layer, call.sources, call.output, len(rows))
        require_at_home(by_row, [(call.layer, call.sources, call.output) for call in calls])
        if not self._seen_alone and len(rows) > 1:
            require_alone(by_row, [call.output for call in calls])
            self._seen_alone = len(rows) > 2  # of two the middle one is the last
        return by_row, calls

    def _note(self, layer: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        """Note the inputs and the output of a layer that has parameters of its own."""
        if self._calls is None:
            return
        require_tensors(layer, inputs, named, output)
        if any(call.layer is layer for call in self._calls):
            raise NotImplementedError("Expected every layer once in a forward pass, one is used twice.")
        self._calls.append(_Call(layer=layer, sources=inputs, output=output, versions=_versions(*inputs, output)))


def _complete_shares(done: Pass) -> list[Share]:
    shares = layer_shares(done)
    require_complete(done.layer, (share.parameter for share in shares))
    return shares


@dataclass(frozen=True, kw_only=True)
class _Call:
    """sources: inputs as the layer got them, with their gradients."""

    layer: nn.Module
    sources: tuple[Tensor, ...]
    output: Tensor
    versions: tuple[int, ...]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What went in, as numbers."""
        return tuple(t.detach() for t in self.sources)

    def require_untouched(self) -> None:
        if self.versions != _versions(*self.sources, self.output):
            raise NotImplementedError(
                "Expected activations that do not work in place: they overwrite what is needed."
            )


def _versions(*tensors: Tensor) -> tuple[int, ...]:
    return tuple(t._version for t in tensors)  # noqa: SLF001 (torch has no public counter of writes)
