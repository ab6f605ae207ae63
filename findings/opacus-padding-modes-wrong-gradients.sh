#!/usr/bin/env bash
# opacus 1.6.0: per-sample gradients of a convolution that pads with anything but zeros are wrong, without a word.
#
# The sampler of Conv2d unfolds the layer's input with zeros at the border, whatever padding_mode says. Circular,
# reflected and replicated borders give other gradients than the layer's own backward pass, so that clipping measures
# something else than what is released. With zeros both agree. The validator accepts all four.
#
# Seen (Python 3.11, torch 2.13.0):
#   zeros: the sum of samples is the gradient
#   circular: off by more than a tenth
#   reflect: off by more than a tenth
#   replicate: off by more than a tenth
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet opacus==1.6.0 torch==2.13.0 numpy==2.3.5 2>/dev/null
cd "$home"
venv/bin/python -W ignore - <<'PY' | tee said
import torch
from opacus import GradSampleModule
from opacus.validators import ModuleValidator

for mode in ("zeros", "circular", "reflect", "replicate"):
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(1, 2, 3, padding=1, padding_mode=mode)
    assert not ModuleValidator.validate(layer)
    images = torch.rand(4, 1, 6, 6)
    layer(images).square().sum().backward()
    whole = layer.weight.grad.clone()
    layer.zero_grad()
    wrapped = GradSampleModule(layer, loss_reduction="sum")
    wrapped(images).square().sum().backward()
    error = (layer.weight.grad_sample.sum(0) - whole).norm() / whole.norm()
    print(f"{mode}:", "the sum of samples is the gradient" if error < 1e-4 else f"off by {error:.3f}" if error < 0.1 else "off by more than a tenth")
PY
diff said - <<'SEEN'
zeros: the sum of samples is the gradient
circular: off by more than a tenth
reflect: off by more than a tenth
replicate: off by more than a tenth
SEEN
