#!/usr/bin/env bash
# pydicom 3.0.2: generate_uid gives two patients one study, where the lists of their numbers differ.
#
# `entropy_srcs` is a list, and equal lists give equal UIDs, which is how pseudonymous UIDs are made again and again.
# But the entries are put together without anything between them: patient 1 with study 11 is patient 11 with study 1.
# Of 100 patients with 30 studies each, 324 studies share their UID with one of somebody else; an archive files two
# people's images as one study. Nothing warns. A mark that no number holds, after each entry, keeps them apart.
#
# Seen (Python 3.11):
#   patient 1 study 11, patient 11 study 1: the same UID
#   3000 studies, 2838 UIDs, 324 studies share theirs with another patient's
#   with a mark after each entry 3000 UIDs
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet pydicom==3.0.2 2>/dev/null
cd "$home"
venv/bin/python - <<'PY' | tee said
from pydicom.uid import generate_uid


def uid(patient, study, mark=""):
    return generate_uid(entropy_srcs=["project", f"{patient}{mark}", f"{study}{mark}"])


alike = "the same UID" if uid(1, 11) == uid(11, 1) else "two UIDs"
print("patient 1 study 11, patient 11 study 1:", alike)
owners = {}
for patient in range(1, 101):
    for study in range(1, 31):
        owners.setdefault(uid(patient, study), []).append(patient)
shared = sum(len(patients) for patients in owners.values() if len(patients) > 1)
print(f"3000 studies, {len(owners)} UIDs, {shared} studies share theirs with another patient's")
marked = {uid(patient, study, "|") for patient in range(1, 101) for study in range(1, 31)}
print(f"with a mark after each entry {len(marked)} UIDs")
PY
diff said - <<'SEEN'
patient 1 study 11, patient 11 study 1: the same UID
3000 studies, 2838 UIDs, 324 studies share theirs with another patient's
with a mark after each entry 3000 UIDs
SEEN
