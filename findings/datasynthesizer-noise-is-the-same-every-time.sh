#!/usr/bin/env bash
# DataSynthesizer 0.1.13: the noise of its differential privacy is the same in every run, and in every hospital.
#
# `describe_dataset_in_independent_attribute_mode(file, epsilon)` counts every column with Laplace noise. Its last argument
# is `seed=0`: whoever names none gets noise that the world has, and nothing is said. Here 1000 invented patients are
# described at epsilon 0.1. Drawn again by numpy from seed 0 and taken away, the noise leaves the exact number of patients
# of every stage. Two descriptions of one table are the same. The least and the greatest value of a column of numbers
# carry no noise at all: the age of the oldest patient stands in the description.
#
# Seen (Python 3.11, pandas 2.3.3, numpy 2.3.5):
#   described twice: the same
#   said {1: 399, 2: 312, 3: 224, 4: 64} oldest 103.0
#   without the known noise {1: 411, 2: 302, 3: 224, 4: 63}
#   true {1: 411, 2: 302, 3: 224, 4: 63} oldest 103
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet --no-compile datasynthesizer==0.1.13 pandas==2.3.3 numpy==2.3.5 2>/dev/null
cd "$home"
MPLBACKEND=Agg HOME=$home venv/bin/python -W ignore - <<'PY' 2>/dev/null | tee said
import numpy as np
from DataSynthesizer.DataDescriber import DataDescriber

TRUE, OLDEST = {1: 411, 2: 302, 3: 224, 4: 63}, 103
PATIENTS, EPSILON = sum(TRUE.values()), 0.1
stages = [stage for stage, count in TRUE.items() for _ in range(count)]
ages = [OLDEST, *(20 + number % 70 for number in range(1, PATIENTS))]
with open("patients.csv", "w") as file:
    file.write("stage,age\n")
    file.writelines(f"{stage},{age}\n" for stage, age in zip(stages, ages, strict=True))


def described():
    describer = DataDescriber()
    describer.describe_dataset_in_independent_attribute_mode("patients.csv", epsilon=EPSILON)
    about = describer.data_description["attribute_description"]
    return np.array(about["stage"]["distribution_probabilities"]), about["age"]["max"]


def counted(shares):
    return dict(zip(TRUE, np.rint(shares * PATIENTS).astype(int).tolist(), strict=True))


said, oldest = described()
print("described twice:", "the same" if np.array_equal(said, described()[0]) else "another one")
print("said", counted(said), "oldest", float(oldest))
noise = np.random.RandomState(0).laplace(0, 2 / PATIENTS / (EPSILON / 2), len(said))  # two columns share epsilon
print("without the known noise", counted(said * (1 + noise.sum()) - noise))
print("true", TRUE, "oldest", OLDEST)
PY
diff said - <<'SEEN'
described twice: the same
said {1: 399, 2: 312, 3: 224, 4: 64} oldest 103.0
without the known noise {1: 411, 2: 302, 3: 224, 4: 63}
true {1: 411, 2: 302, 3: 224, 4: 63} oldest 103
SEEN
