#!/usr/bin/env bash
# dp-accounting 0.6.0: a pessimistic estimate of epsilon that is below the truth, and later far above it.
#
# 10,000 Gaussian releases of noise 100 cost what one of noise 1 costs, and that is known in closed form (Balle and Wang
# 2018, theorem 8). The privacy loss distribution with its default, pessimistic estimate is above that at delta 1e-9, as
# promised. From 1e-10 on it is below: rounding in the Fourier transforms is absolute, about 1e-16 a point, so that
# tails of 1e-11 are gone. At 1e-15 it is infinite. Nothing warns. The figures are rounded; a difference below 0.002
# is not looked at.
#
# Seen (Python 3.11):
#   delta 1e-09: above or equal
#   delta 1e-11: below
#   delta 1e-13: below
#   delta 1e-14: below by more than 0.3
#   delta 1e-15: infinite
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet dp-accounting==0.6.0 numpy==2.3.5 scipy==1.16.3 2>/dev/null
cd "$home"
venv/bin/python - <<'PY' | tee said
import math

from dp_accounting.pld import privacy_loss_distribution as pld
from scipy.optimize import brentq
from scipy.special import log_ndtr


def exact(delta):
    def excess(epsilon):
        above, below = log_ndtr(0.5 - epsilon), epsilon + log_ndtr(-0.5 - epsilon)
        return above + math.log1p(-math.exp(below - above)) - math.log(delta)

    return brentq(excess, 0.1, 50)


whole = pld.from_gaussian_mechanism(100.0, value_discretization_interval=1e-4).self_compose(10_000)
for delta in (1e-9, 1e-11, 1e-13, 1e-14, 1e-15):
    error = whole.get_epsilon_for_delta(delta) - exact(delta)
    said = "infinite" if math.isinf(error) else "below by more than 0.3" if error < -0.3 else "below"
    print(f"delta {delta:g}:", "above or equal" if -0.002 < error < 1 else said)
PY
diff said - <<'SEEN'
delta 1e-09: above or equal
delta 1e-11: below
delta 1e-13: below
delta 1e-14: below by more than 0.3
delta 1e-15: infinite
SEEN
