#!/usr/bin/env bash
# pycanon 1.0.1.post2: a table is 23-anonymous though three of its patients are alone, as their columns have gaps.
#
# k says that every patient shares age, postcode and sex with at least so many, oneself included. Of 100 invented
# patients, 25 to a group, three get one gap each, as in any hospital's table: no age, no postcode, no sex. A gap tells
# one from all others as well as a value does, but groups are made without the rows that have one. Those patients are in
# no group, k and l-diversity are of the table without them, and they are published with it; nothing warns, and the
# documentation does not speak of gaps. A word written into the gaps makes k 1. With pandas 2.3.3, which lists such
# groups where there are several columns, k is 1, too: an update of pandas makes the same table twenty times as private.
#
# Seen (Python 3.11, pandas 3.1.1):
#   no gaps: k 25, l 4
#   three gaps: k 23, l 4
#   three gaps named: k 1, l 1
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet pycanon==1.0.1.post2 pandas==3.1.1 numpy==2.3.5 2>/dev/null
cd "$home"
venv/bin/python - <<'PY' | tee said
import pandas as pd
from pycanon import anonymity

KNOWN = ["age", "postcode", "sex"]


def say(name, table):
    k, diversity = anonymity.k_anonymity(table, KNOWN), anonymity.l_diversity(table, KNOWN, ["diagnosis"])
    print(f"{name}: k {k}, l {diversity}")


patients = pd.DataFrame(
    {
        "age": ["40 to 49"] * 50 + ["50 to 59"] * 50,
        "postcode": ["AA1"] * 100,
        "sex": ["F", "M"] * 50,
        "diagnosis": [letter for letter in "abcd" for _ in "12"] * 12 + list("abcd"),
    }
)
say("no gaps", patients)
for row, column in enumerate(("postcode", "age", "sex")):
    patients.loc[row, column] = None
say("three gaps", patients)
say("three gaps named", patients.fillna("not recorded"))
PY
diff said - <<'SEEN'
no gaps: k 25, l 4
three gaps: k 23, l 4
three gaps named: k 1, l 1
SEEN
