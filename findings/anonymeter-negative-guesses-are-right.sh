#!/usr/bin/env bash
# anonymeter 1.1.0: an attacker who guesses a negative number is always right, so that copied patients are no risk.
#
# A guess of a continuous secret counts as right within 5 per cent of it: the distance is divided by the guess, with its
# sign. A negative guess makes that negative, which is below any tolerance. T-scores of bone density are mostly below 0.
# Here the synthetic table is the patients' own, row by row: an attack finds their scores. It "finds" those of patients
# who are in no table as surely, from strangers' rows, and the risk, what the one has over the other, is 0. With the
# sign turned round the same copies are a risk of 1. Seen also: without `regression=True` numbers must be equal to the
# last bit (the documentation says that None is the default and that it guesses by type; it is False).
#
# Seen (Python 3.11), rates of attacks on patients who were copied and on strangers:
#   scores above 0: copied 1.0 strangers 0.1 risk 1.0
#   scores below 0: copied 1.0 strangers 1.0 risk 0.0
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet anonymeter==1.1.0 numpy==1.26.4 pandas==2.3.3 2>/dev/null
cd "$home"
venv/bin/python - 2>/dev/null <<'PY' | tee said
import numpy as np
import pandas as pd
from anonymeter.evaluators import InferenceEvaluator

np.random.seed(1)  # its own draws
rng = np.random.default_rng(1)


def patients(sign):
    columns = {"age": rng.normal(60, 10, 1000), "weight": rng.normal(70, 10, 1000)}
    return pd.DataFrame({**columns, "t_score": sign * rng.uniform(0.5, 4, 1000)})


def seen(sign):
    copied, strangers = patients(sign), patients(sign)
    known = {"aux_cols": ["age", "weight"], "secret": "t_score", "regression": True, "n_attacks": 500}
    evaluator = InferenceEvaluator(ori=copied, syn=copied.copy(), control=strangers, **known)
    rates = evaluator.evaluate(n_jobs=1).results()
    risk = evaluator.risk().value
    return f"copied {rates.attack_rate.value:.1f} strangers {rates.control_rate.value:.1f} risk {risk:.1f}"


print("scores above 0:", seen(1))
print("scores below 0:", seen(-1))
PY
diff said - <<'SEEN'
scores above 0: copied 1.0 strangers 0.1 risk 1.0
scores below 0: copied 1.0 strangers 1.0 risk 0.0
SEEN
