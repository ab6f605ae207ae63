#!/usr/bin/env bash
# diffprivlib 0.6.6: a private mean that ignores missing values counts them for its noise, which is then far too small.
#
# Of 1000 patients 10 had a test. `nanmean` is the mean of those 10, so that one other result moves it by up to a tenth
# of the range; its noise is scaled to a thousandth, by the length of the array. Of the same 10 values, nobody missing,
# `mean` has 100 times as much, which is what epsilon asks for. At epsilon 1 the answer tells a result of 0 from one of
# 100 almost surely: what one patient loses is 100. No warning; the documentation of `nanmean` says of privacy what that
# of `mean` says, and that missing values are ignored.
#
# Seen (Python 3.11), noise at epsilon 1, of values from 0 to 100:
#   mean of 10 patients: about 10
#   nanmean of 10 patients, 990 missing: about 0.1
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet diffprivlib==0.6.6 scikit-learn==1.6.1 numpy==2.3.5 2>/dev/null
cd "$home"
venv/bin/python - <<'PY' 2>&1 | tee said
import numpy as np
from diffprivlib.tools import mean, nanmean

EPSILON = {"epsilon": 1, "bounds": (0, 100)}
tested = np.full(10, 50.0)
everybody = np.concatenate([tested, np.full(990, np.nan)])


def noise(statistic, values):
    """The mean size of Laplace noise is its scale."""
    size = np.mean([abs(statistic(values, **EPSILON, random_state=seed) - 50) for seed in range(1000)])
    return "about 10" if 8 < size < 12 else "about 0.1" if 0.08 < size < 0.12 else f"{size:.3f}"


print("mean of 10 patients:", noise(mean, tested))
print("nanmean of 10 patients, 990 missing:", noise(nanmean, everybody))
PY
diff said - <<'SEEN'
mean of 10 patients: about 10
nanmean of 10 patients, 990 missing: about 0.1
SEEN
