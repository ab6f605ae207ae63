#!/usr/bin/env bash
# monai 1.6.1: a lesion drawn into every healthy patient lowers the mean Dice of the whole test set by nothing.
#
# Of ten patients one has a lesion, and the network finds it exactly; in each of the other nine it draws one that is not
# there. `DiceMetric` gives a mean of 1.0: a patient whose truth is empty counts as missing (`ignore_empty=True`, as its
# documentation says) whether the answer is empty too, which is right, or full of false alarms, which is worth 0. A
# network that draws nothing in them has the same 1.0. If nobody has a lesion, "nothing left" is averaged to 0.0. No
# warning; how many patients were left out shows with `get_not_nans=True`. With `ignore_empty=False` it is 0.1, and 1.0
# without alarms.
#
# Seen (Python 3.11, torch 2.13.0), mean Dice of ten patients:
#   false alarm in nine healthy ones 1.0
#   nothing drawn in nine healthy ones 1.0
#   nothing drawn in ten healthy ones 0.0
#   false alarm in nine healthy ones, ignore_empty=False 0.1
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet --no-compile monai==1.6.1 torch==2.13.0 numpy==2.3.5 2>/dev/null
cd "$home"
OMP_NUM_THREADS=1 venv/bin/python - 2>/dev/null <<'PY' | grep healthy | tee said
import torch
from monai.metrics import DiceMetric

nothing = torch.zeros(1, 1, 16, 16)
lesion = nothing.clone()
lesion[:, :, 4:8, 4:8] = 1


def mean(drawn, truth, **options):
    metric = DiceMetric(**options)
    for answer, patient in zip(drawn, truth, strict=True):
        metric(answer, patient)
    return f"{metric.aggregate().item():.1f}"


ill = [lesion] + [nothing] * 9
print("false alarm in nine healthy ones", mean([lesion] * 10, ill))
print("nothing drawn in nine healthy ones", mean(ill, ill))
print("nothing drawn in ten healthy ones", mean([nothing] * 10, [nothing] * 10))
print("false alarm in nine healthy ones, ignore_empty=False", mean([lesion] * 10, ill, ignore_empty=False))
PY
diff said - <<'SEEN'
false alarm in nine healthy ones 1.0
nothing drawn in nine healthy ones 1.0
nothing drawn in ten healthy ones 0.0
false alarm in nine healthy ones, ignore_empty=False 0.1
SEEN
