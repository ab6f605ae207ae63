#!/usr/bin/env bash
# anonymeter 1.1.0: guessing a patient's sex at random is right in 6 of 100 tries.
#
# The inference risk has a baseline, an attacker who takes a random row of the synthetic table as the guess: of two
# equal sexes half the guesses are right. But guesses are matched to patients by row label, and most patients drawn have
# no label among the rows drawn: their guess is missing, and a missing one is wrong. Of 500 guesses in 5000 rows a tenth
# is left. The more rows, the lower the baseline, which is what an attack's worth is told by, and the warning that an
# attack is no better than chance never comes. Where the tables are no longer than the attacks, it is right.
#
# Seen (Python 3.11), two sexes at random in both tables, 500 guesses:
#   500 rows: attack half right, baseline half right
#   5000 rows: attack half right, baseline less than a tenth right
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


def patients(rows):
    return pd.DataFrame({"age": rng.normal(60, 10, rows), "sex": rng.choice(["F", "M"], rows)})


def right(rate):
    return "half right" if 0.4 < rate < 0.6 else "less than a tenth right" if rate < 0.1 else f"{rate:.2f}"


def seen(rows):
    tables = {"ori": patients(rows), "syn": patients(rows), "control": patients(rows)}
    evaluator = InferenceEvaluator(**tables, aux_cols=["age"], secret="sex", n_attacks=500)
    rates = evaluator.evaluate(n_jobs=1).results()
    return f"attack {right(rates.attack_rate.value)}, baseline {right(rates.baseline_rate.value)}"


print("500 rows:", seen(500))
print("5000 rows:", seen(5000))
PY
diff said - <<'SEEN'
500 rows: attack half right, baseline half right
5000 rows: attack half right, baseline less than a tenth right
SEEN
