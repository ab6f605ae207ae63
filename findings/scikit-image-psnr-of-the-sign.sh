#!/usr/bin/env bash
# scikit-image 0.26.0: the same noise on the same image is 36.7, 54.8 or 60.8 dB, by how 12 bits are kept.
#
# A picture of 12 bits as int16, which is what a CT comes as, and the same with noise. PSNR needs the range of the values;
# where none is given, `peak_signal_noise_ratio` takes the type's: 32767 while no value is negative, 65535 as soon as one
# is. Taking 1024 from both images, from stored values to Hounsfield units, adds 6 dB; so does one pixel of -1 in a corner
# of both. With the range that 12 bits have it is 36.7. `structural_similarity` warns of the guess, PSNR does not.
#
# Seen (Python 3.11):
#   stored values 54.8
#   one pixel of -1 60.8
#   minus 1024 60.8
#   as uint16 60.8
#   with data_range=4095 36.7
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet --no-compile scikit-image==0.26.0 numpy==2.3.5 2>/dev/null
cd "$home"
venv/bin/python -W error - <<'PY' | tee said
import numpy as np
from skimage.metrics import peak_signal_noise_ratio

y, x = np.mgrid[:64, :64]
clean = (1000 + 800 * np.sin(x / 9) * np.cos(y / 7)).astype(np.int16)
noisy = (clean + np.random.default_rng(0).normal(0, 60, clean.shape)).clip(0, 4095).astype(np.int16)


def corner(image):
    image = image.copy()
    image[0, 0] = -1
    return image


def say(name, one, two, **more):
    print(name, f"{peak_signal_noise_ratio(one, two, **more):.1f}")


say("stored values", clean, noisy)
say("one pixel of -1", corner(clean), corner(noisy))
say("minus 1024", clean - np.int16(1024), noisy - np.int16(1024))
say("as uint16", clean.astype(np.uint16), noisy.astype(np.uint16))
say("with data_range=4095", clean, noisy, data_range=4095)
PY
diff said - <<'SEEN'
stored values 54.8
one pixel of -1 60.8
minus 1024 60.8
as uint16 60.8
with data_range=4095 36.7
SEEN
