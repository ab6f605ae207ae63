#!/usr/bin/env bash
# nibabel 5.4.2 and SimpleITK 2.5.7: a registered NIfTI scan lies in the template for one, in the scanner for the other.
#
# A NIfTI file may say twice where it lies: how it lay in the scanner (qform, code 1), and where registration put it
# (sform, code 2, aligned, or 4, MNI). nibabel takes the sform wherever there is one. SimpleITK takes the qform if the
# sform's code is 2 or 4 and the two differ; a sform of code 1 it takes. Neither warns, though the same voxel is 37 mm
# apart here and turned: masks and atlas, read by one and laid over a scan read by the other, measure another place. The
# wiki of ANTs tells the rule of ITK, nibabel's manual its own.
#
# Seen (Python 3.11), where the first voxel lies, to the right, front, head, in mm:
#   nibabel, sform 2: [10.0, 20.0, 30.0]
#   SimpleITK, sform 2: [0.0, 0.0, 0.0]
#   nibabel, sform 4: [10.0, 20.0, 30.0]
#   SimpleITK, sform 4: [0.0, 0.0, 0.0]
#   nibabel, sform 1: [10.0, 20.0, 30.0]
#   SimpleITK, sform 1: [10.0, 20.0, 30.0]
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet simpleitk==2.5.7 nibabel==5.4.2 numpy==2.3.5 2>/dev/null
cd "$home"
venv/bin/python - <<'PY' 2>&1 | tee said
import nibabel as nib
import numpy as np
import SimpleITK

TURN = 0.1  # about the patient's long axis, in radians
scanner = np.diag([2.0, 2, 2, 1])
cosine, sine = np.cos(TURN), np.sin(TURN)
template = np.array([[cosine, -sine, 0, 10], [sine, cosine, 0, 20], [0, 0, 1, 30], [0, 0, 0, 1]])

for code in (2, 4, 1):
    image = nib.Nifti1Image(np.zeros((4, 4, 4), "<i2"), None)
    image.set_qform(scanner, 1)
    image.set_sform(template @ scanner, code)
    nib.save(image, "scan.nii")
    x, y, z = SimpleITK.ReadImage("scan.nii").GetOrigin()
    print(f"nibabel, sform {code}:", nib.load("scan.nii").affine[:3, 3].round(2).tolist())
    print(f"SimpleITK, sform {code}:", (np.round([-x, -y, z], 2) + 0.0).tolist())  # its axes run left and back
PY
diff said - <<'SEEN'
nibabel, sform 2: [10.0, 20.0, 30.0]
SimpleITK, sform 2: [0.0, 0.0, 0.0]
nibabel, sform 4: [10.0, 20.0, 30.0]
SimpleITK, sform 4: [0.0, 0.0, 0.0]
nibabel, sform 1: [10.0, 20.0, 30.0]
SimpleITK, sform 1: [10.0, 20.0, 30.0]
SEEN
