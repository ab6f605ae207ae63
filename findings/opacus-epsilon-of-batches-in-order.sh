#!/usr/bin/env bash
# opacus 1.6.0: without Poisson sampling the epsilon is the same to the last digit, and 5.7 was spent where it says 1.5.
#
# The accountant's epsilon is small because nobody knows which batch a patient is in: each draws a lot for every step.
# With `poisson_sampling=False` (batches of one size, as memory likes them) the loader goes through the data in order;
# each of 1000 patients is in one batch of known number, so that one epoch is one Gaussian release, and what that costs
# is known in closed form (Balle and Wang 2018, theorem 8). `get_epsilon` still reckons with lots. It knows that the
# loader is not its own, and says nothing. The documentation calls it a good approximation; issue 80 asked about it in
# 2020.
#
# Seen (Python 3.11, torch 2.13.0), one epoch, noise multiplier 0.8, delta 1e-5:
#   Poisson batches: epsilon 1.52, patients of the first batch known beforehand: no
#   batches in order: epsilon 1.52, patients of the first batch known beforehand: yes
#   one Gaussian release of that noise: epsilon 5.68
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet --no-compile opacus==1.6.0 torch==2.13.0 numpy==2.3.5 2>/dev/null
cd "$home"
OMP_NUM_THREADS=1 venv/bin/python - 2>/dev/null <<'PY' | tee said
import numpy as np
import torch
from opacus import PrivacyEngine
from scipy.optimize import brentq
from scipy.stats import norm
from torch.utils.data import DataLoader, TensorDataset

PATIENTS, BATCH, NOISE, DELTA = 1000, 10, 0.8, 1e-5


def seen(poisson_sampling):
    patients = torch.arange(PATIENTS, dtype=torch.float32)[:, None]
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    engine = PrivacyEngine(accountant="prv")
    model, optimizer, loader = engine.make_private(
        module=model,
        optimizer=optimizer,
        data_loader=DataLoader(TensorDataset(patients), batch_size=BATCH),
        noise_multiplier=NOISE,
        max_grad_norm=1.0,
        poisson_sampling=poisson_sampling,
    )
    known = None
    for (batch,) in loader:
        known = torch.equal(batch, patients[:BATCH]) if known is None else known
        optimizer.zero_grad()
        model(batch).square().mean().backward()
        optimizer.step()
    answer = "yes" if known else "no"
    return f"epsilon {engine.get_epsilon(DELTA):.2f}, patients of the first batch known beforehand: {answer}"


def delta(epsilon):
    at = epsilon * NOISE
    return norm.cdf(0.5 / NOISE - at) - np.exp(epsilon) * norm.cdf(-0.5 / NOISE - at)


print("Poisson batches:", seen(True))
print("batches in order:", seen(False))
print(f"one Gaussian release of that noise: epsilon {brentq(lambda epsilon: delta(epsilon) - DELTA, 0.01, 50):.2f}")
PY
diff said - <<'SEEN'
Poisson batches: epsilon 1.52, patients of the first batch known beforehand: no
batches in order: epsilon 1.52, patients of the first batch known beforehand: yes
one Gaussian release of that noise: epsilon 5.68
SEEN
