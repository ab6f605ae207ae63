#!/usr/bin/env bash
# SimpleITK 2.5.7 and nibabel 5.4.2: one scan in micrometres is 40 µm wide a voxel, or 40 mm, by file type and by tool.
#
# NIfTI and NRRD both have a field for the unit of lengths. A mouse brain with voxels of 40 micrometres says so in both.
# SimpleITK reads the unit of NIfTI and gives 0.04, in mm; that of NRRD it leaves unread, gives 40, and does not keep
# it in the metadata. nibabel gives 40 for the NIfTI file too, in `get_zooms()` as in the affine; and an image made of
# its voxels and its affine, as is usual, has lost the unit, so that SimpleITK, which gave 0.04 before, gives 40 after.
# All are valid and nothing warns; a volume is wrong by 1e9, and a registration of the two has nothing in common to find.
#
# Seen (Python 3.11), the first voxel's width:
#   SimpleITK, NIfTI 0.04
#   SimpleITK, NRRD 40.0
#   nibabel, NIfTI 40.0 affine 40.0
#   SimpleITK, NIfTI by way of nibabel 40.0
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

HEADER = """NRRD0004
type: short
dimension: 3
space: right-anterior-superior
sizes: 2 3 4
space directions: (40,0,0) (0,40,0) (0,0,40)
space origin: (0,0,0)
space units: "um" "um" "um"
kinds: domain domain domain
endian: little
encoding: raw

"""
voxels, affine = np.zeros((2, 3, 4), "<i2"), np.diag([40, 40, 40, 1])
image = nib.Nifti1Image(voxels, affine)
image.header.set_xyzt_units("micron")
nib.save(image, "mouse.nii")
with open("mouse.nrrd", "wb") as file:
    file.write(HEADER.encode() + voxels.tobytes())


def width(path):
    return round(SimpleITK.ReadImage(path).GetSpacing()[0], 6)


loaded = nib.load("mouse.nii")
nib.save(nib.Nifti1Image(np.asarray(loaded.dataobj), loaded.affine), "again.nii")
print("SimpleITK, NIfTI", width("mouse.nii"))
print("SimpleITK, NRRD", width("mouse.nrrd"))
print("nibabel, NIfTI", loaded.header.get_zooms()[0], "affine", loaded.affine[0, 0])
print("SimpleITK, NIfTI by way of nibabel", width("again.nii"))
PY
diff said - <<'SEEN'
SimpleITK, NIfTI 0.04
SimpleITK, NRRD 40.0
nibabel, NIfTI 40.0 affine 40.0
SimpleITK, NIfTI by way of nibabel 40.0
SEEN
