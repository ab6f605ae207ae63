#!/usr/bin/env bash
# sdmetrics 0.32.0: whether synthetic data are copies of their patients, its score leaves to one patient's blood values.
#
# `DCROverfittingProtection` asks whether synthetic rows lie closer to the patients of the training than to others, held
# out: half of them do if nothing was copied. Distances are divided by the range of each column, but by that of the
# table they are measured to, so that the two have scales of their own. Here all three tables are drawn from one law
# and nothing is copied: half, and a score near 1. One of 400 patients in sepsis, whose two values are twenty times the
# mean, widens one table's range, and nearly all rows seem closer to it. In the training that makes the score nearly 0,
# a false alarm; among those held out it makes it 1, whatever the rows are. Into which half such a patient falls is
# chance, and decides. Nothing warns.
#
# Seen (Python 3.11, pandas 2.3.3), rows closer to the training, score:
#   nobody in sepsis: half, 0.9 or more
#   one of the training: nearly all, below 0.1
#   one of those held out: hardly any, 0.9 or more
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet sdmetrics==0.32.0 pandas==2.3.3 numpy==2.3.5 2>/dev/null
cd "$home"
venv/bin/python - 2>/dev/null <<'PY' | tee said
import numpy as np
import pandas as pd
from sdmetrics.single_table import DCROverfittingProtection

PATIENTS = 400
chance = np.random.default_rng(0)


def drawn():
    crp, ldh = chance.gamma(2, 10, PATIENTS), chance.normal(200, 30, PATIENTS)
    return pd.DataFrame({"crp": crp, "ldh": ldh})


def with_sepsis(table):
    ill = table.copy()
    ill.loc[0] = 20 * table.mean()
    return ill


def said(training, held_out):
    columns = {"columns": {name: {"sdtype": "numerical"} for name in synthetic}}
    of = DCROverfittingProtection.compute_breakdown(training, synthetic, held_out, columns, "patients")
    closer = of["synthetic_data_percentages"]["closer_to_training"]
    shares = {"hardly any": closer < 0.05, "half": 0.4 < closer < 0.6, "nearly all": closer > 0.95}
    scores = {"below 0.1": of["score"] < 0.1, "0.9 or more": of["score"] >= 0.9}
    return ", ".join(next((name for name in known if known[name]), "else") for known in (shares, scores))


training, held_out, synthetic = drawn(), drawn(), drawn()
print("nobody in sepsis:", said(training, held_out))
print("one of the training:", said(with_sepsis(training), held_out))
print("one of those held out:", said(training, with_sepsis(held_out)))
PY
diff said - <<'SEEN'
nobody in sepsis: half, 0.9 or more
one of the training: nearly all, below 0.1
one of those held out: hardly any, 0.9 or more
SEEN
