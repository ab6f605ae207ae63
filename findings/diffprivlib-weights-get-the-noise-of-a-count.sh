#!/usr/bin/env bash
# diffprivlib 0.6.6: a private histogram of days in hospital has the noise of one of patients, far too little.
#
# `histogram` takes weights, so that a bin is a sum, here of the days that a ward's patients stayed, up to 60 each. One
# patient more moves it by 60, so that epsilon 1 asks for noise of about 85. It is 1.4, as without weights: the
# sensitivity is 1 whatever they are. The answer tells almost surely whether a patient of 60 days was there; what that
# one loses is 60. The documentation says what weights do, not what they cost. Of another doubt, a range taken from the
# data, it warns; of this it does not. `histogram2d` and `histogramdd` hand their weights on in the same way.
#
# Seen (Python 3.11), at epsilon 1, noise of one bin:
#   patients: about 1.4
#   days, up to 60 a patient: about 1.4
#   two wards that differ by one patient of 60 days are told apart: always
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet diffprivlib==0.6.6 scikit-learn==1.6.1 numpy==2.3.5 2>/dev/null
cd "$home"
venv/bin/python - <<'PY' | tee said
import warnings

import numpy as np
from diffprivlib.tools import histogram

warnings.simplefilter("error")
ward = np.zeros(100)
days = np.full(100, 60)


def drawn(weights, patients):
    answers = [
        histogram(ward[:patients], epsilon=1, bins=1, range=(0, 1), weights=weights, random_state=seed)[0][0]
        for seed in range(1000)
    ]
    return np.array(answers, float)


def about(answers):
    noise = answers.std()
    return "about 1.4" if 1.2 < noise < 1.6 else f"{noise:.2f}"


print("patients:", about(drawn(None, 100)))
all_of_them, without_one = drawn(days, 100), drawn(days[:99], 99)
print("days, up to 60 a patient:", about(all_of_them))
apart = "always" if all_of_them.min() > without_one.max() else "not always"
print("two wards that differ by one patient of 60 days are told apart:", apart)
PY
diff said - <<'SEEN'
patients: about 1.4
days, up to 60 a patient: about 1.4
two wards that differ by one patient of 60 days are told apart: always
SEEN
