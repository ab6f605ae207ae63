#!/usr/bin/env bash
# dipy 1.12.1: of two copies of one diffusion scan, each with its valid gradient files, one has its fibres mirrored.
#
# A fibre runs to the right and the front in both files; they differ in which way the first axis of voxels runs. Files
# .bvec as FSL and BIDS define them follow the voxels' axes, but with the first turned round where the affine has a
# positive determinant. dipy reads the numbers and takes them along the voxels' axes in either case: of the scan stored
# to the left the fibre is right, of the one stored to the right it is mirrored. FA is the same for both, so that
# nothing shows before tracts are drawn. Known as issue 1047 of dipy, open since 2016; reorienting a file with nibabel
# (`as_closest_canonical`) makes a right one a wrong one.
#
# Seen (Python 3.11), the fibre to the right, front, head; and FA:
#   stored to the left: [0.71, 0.71, 0.0] 0.8
#   stored to the right: [-0.71, 0.71, 0.0] 0.8
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet --no-compile dipy==1.12.1 nibabel==5.4.2 numpy==2.3.5 2>/dev/null
cd "$home"
venv/bin/python - 2>/dev/null <<'PY' | tee said
import nibabel as nib
import numpy as np
from dipy.core.gradients import gradient_table
from dipy.io.gradients import read_bvals_bvecs
from dipy.reconst.dti import TensorModel

FIBRE = np.array([1, 1, 0]) / 2**0.5  # to the patient's right and front
DIFFUSION = 0.3e-3 * np.eye(3) + 1.4e-3 * np.outer(FIBRE, FIBRE)

directions = np.random.default_rng(1).normal(size=(30, 3))
directions = np.vstack([np.zeros(3), directions / np.linalg.norm(directions, axis=1, keepdims=True)])
strengths = np.array([0] + [1000] * 30)
signal = 1000 * np.exp(-strengths * np.einsum("gi,ij,gj->g", directions, DIFFUSION, directions))


def save(first):
    affine = np.diag([2 * first, 2, 2, 1])
    nib.save(nib.Nifti1Image(np.tile(signal, (2, 2, 2, 1)).astype("<f4"), affine), "scan.nii")
    along_voxels = directions * [first, 1, 1]
    by_fsl = along_voxels * [-1, 1, 1] if np.linalg.det(affine) > 0 else along_voxels
    np.savetxt("scan.bvec", by_fsl.T)
    np.savetxt("scan.bval", strengths[None], "%d")


def seen(first):
    save(first)
    image = nib.load("scan.nii")
    strengths, vectors = read_bvals_bvecs("scan.bval", "scan.bvec")
    fit = TensorModel(gradient_table(strengths, bvecs=vectors)).fit(image.get_fdata())
    to_patient = image.affine[:3, :3] / 2 @ fit.evecs[0, 0, 0, :, 0]
    to_patient *= np.sign(to_patient[1])
    return f"{(np.round(to_patient, 2) + 0.0).tolist()} {fit.fa[0, 0, 0]:.1f}"


print("stored to the left:", seen(-1))
print("stored to the right:", seen(1))
PY
diff said - <<'SEEN'
stored to the left: [0.71, 0.71, 0.0] 0.8
stored to the right: [-0.71, 0.71, 0.0] 0.8
SEEN
