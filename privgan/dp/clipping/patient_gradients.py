"""The contribution of one patient, bounded: mean gradient of their images, clipped once.

Everything that could carry one patient's influence past the bound ends here: several images, several parameters,
infinities, norms that rounding made too small. Exact: what comes out is what a loop over patients would compute.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from opacus import GradSampleModule
from opacus.validators import ModuleValidator
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from privgan.dp.clipping.layers import layer_shares
from privgan.dp.clipping.shares import Pass, Share

RowLosses = Callable[[Tensor], Tensor]  # rows int64 (n,) -> losses (n,)
_TRUSTED = 2.0**-8  # a squared norm may be wrong by this part before it is computed again without cancellation


class PatientGradients:
    """A model whose gradients can be clipped by patient.

    Raises:
        NotImplementedError: a layer mixes images (BatchNorm) or keeps buffers, two layers share a parameter,
            or a layer with parameters lies around another.
    """

    def __init__(self, model: nn.Module) -> None:
        problems = [*ModuleValidator.validate(model), *GradSampleModule.validate(module=model)]
        # Opacus overlooks batch normalisation without parameters of its own.
        if problems or any(isinstance(layer, _BatchNorm) for layer in model.modules()):
            raise NotImplementedError("Expected layers that treat every image alone, no BatchNorm and no buffers.")
        layers = [layer for layer in model.modules() if next(layer.parameters(recurse=False), None) is not None]
        owners = [id(p) for layer in layers for p in layer.parameters()]
        if len(owners) != len(set(owners)):
            raise NotImplementedError(
                "Expected every parameter in one layer only: two share one, or one lies around another."
            )
        for layer in layers:
            layer.register_forward_hook(self._note)
        self.model = model
        self.trainable = [p for p in model.parameters() if p.requires_grad]
        self._calls: list[_Call] | None = None

    # Accelerators round the factors of convolutions to 10 bits unless told not to; norms and sums must agree.
    @torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
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
        calls = self._calls = []
        try:
            total = losses(rows.flatten()).sum() / images
        finally:
            self._calls = None
        for call in calls:
            call.require_untouched()
        calls = [call for call in calls if call.output.requires_grad]  # frozen layers before the first that learns
        gradients = torch.autograd.grad(total, [call.output for call in calls], materialize_grads=True)
        with torch.no_grad():
            passes = [
                Pass(layer=call.layer, inputs=call.inputs, gradient=gradient, images=images, keep=keep)
                for call, gradient in zip(calls, gradients, strict=True)
            ]
            return [share for done in passes for share in layer_shares(done)]

    def _note(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        """Note the inputs and the output of a layer that has parameters of its own."""
        if self._calls is None:
            return
        if any(call.layer is layer for call in self._calls):
            raise NotImplementedError("Expected every layer once in a forward pass, one is used twice.")
        detached = tuple(t.detach() for t in inputs)
        self._calls.append(_Call(layer=layer, inputs=detached, output=output, versions=_versions(*inputs, output)))


@dataclass(frozen=True, kw_only=True)
class _Call:
    layer: nn.Module
    inputs: tuple[Tensor, ...]
    output: Tensor
    versions: tuple[int, ...]

    def require_untouched(self) -> None:
        if self.versions != _versions(*self.inputs, self.output):
            raise NotImplementedError(
                "Expected activations that do not work in place: they overwrite what is needed."
            )


def _versions(*tensors: Tensor) -> tuple[int, ...]:
    return tuple(t._version for t in tensors)  # noqa: SLF001 (torch has no public counter of writes)
