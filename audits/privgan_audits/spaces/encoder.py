"""The hospital's own image encoder as one more space: an ONNX file that turns an image into a vector.

An encoder that was trained on medical images sees likeness where pixels do not. Whatever it is, it must not have
been trained on the members alone (nor on members and non-members to different degrees): such an encoder puts members
apart by itself, and every test built on it would blame the synthetic set. It cannot be seen from the file, so the
user declares in words what it was trained on, and the report repeats it.

ONNX is data: no Python comes with it, as it does with pickled or scripted models.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from privgan.arrays import Floats, Singles
from privgan.errors import UsageError
from privgan.files import sha256_bytes
from privgan.images.geometry import by_channel, luminance, orbit, pool
from privgan.language import tr
from privgan.progress import Progress, silent
from privgan_audits.spaces.onnx_file import check_alone

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_THREADS = 2  # a constant, so that the features do not depend on the machine's cores
_BLOCK_VALUES = 1 << 22  # float32 input values of one call: 16 MiB
_LARGEST_FILE = (1 << 31) - 1  # bytes; the format cannot be larger
_LONGEST_DECLARATION = 300
_QUIET = 4  # fatal errors alone are logged; the others are raised


@dataclass(frozen=True, kw_only=True, eq=False)
class Encoder:
    """A loaded encoder.

    sha256: of the ONNX file. trained_on: the user's words. channels: 3, to which grey images are repeated, or 1, of
    which colour images give the luminance.
    side: pixels that the model insists on, None if it takes any size. one_by_one: its batch is fixed to 1.
    """

    sha256: str
    trained_on: str
    channels: int
    side: int | None
    one_by_one: bool
    session: "InferenceSession" = field(repr=False)

    @classmethod
    def load(cls, path: Path, trained_on: str) -> "Encoder":
        """Open an ONNX file; nothing but that file is read.

        Args:
            path: a model with one input, float32 (n, 1 or 3, h, w) with values in [0, 1], h = w, each of n, h and w
                fixed or not, a fixed n being 1. Its first output, float32 and flattened, is the vector.
            trained_on: which images it was trained on, in words. See the module.

        Raises:
            UsageError: no declaration, no such file, not ONNX, weights in other files, other inputs or outputs than
                these, or onnxruntime is not installed.
        """
        trained_on = trained_on.strip()
        if not (0 < len(trained_on) <= _LONGEST_DECLARATION and trained_on.isprintable()):
            raise UsageError(
                "Expected to be told in a line of words what the encoder was trained on. One that saw only the "
                "members makes them look different by itself."
            )
        content = _read(path)
        check_alone(content)
        session = _session(content)
        channels, side, one_by_one = _input(session)
        return cls(
            sha256=sha256_bytes(content),
            trained_on=trained_on,
            channels=channels,
            side=side,
            one_by_one=one_by_one,
            session=session,
        )

    def facts(self) -> dict[str, str]:
        """What the audit's record says about it."""
        return {"sha256": self.sha256, "trained_on": self.trained_on}

    def embed(self, images: NDArray[np.uint8], progress: Progress = silent) -> Singles:
        """One unit vector for each image uint8 (n, h, h, c): float32 (n, d).

        Features are averaged over the 8 orientations, so that turned copies have the same vector and one search is
        enough; the price is eight forward passes. An image without any feature has the zero vector.

        Raises:
            UsageError: the model failed on the images, or gave another shape or values that are no numbers.
        """
        side = self.side or images.shape[1]
        block = 1 if self.one_by_one else max(1, _BLOCK_VALUES // (8 * self.channels * side**2))
        parts = []
        for start in range(0, len(images), block):
            parts.append(self._averaged(_resized(images[start : start + block], side)))
            progress(tr("the encoder's features"), min(start + block, len(images)), len(images))
        features = np.concatenate(parts)
        norms = np.linalg.norm(features, axis=1, keepdims=True)
        unit: Singles = (features / np.where(norms > 0, norms, 1.0)).astype(np.float32)
        return unit

    def _averaged(self, images: Singles) -> Floats:
        """Mean features over the orbit of images (n, s, s, c) in [0, 1]: float64 (n, d)."""
        seen = luminance(images) if self.channels == 1 else images
        views = np.stack(orbit(seen), axis=1).reshape(-1, *seen.shape[1:]).astype(np.float32)
        first = views.transpose(0, 3, 1, 2)
        inputs = np.ascontiguousarray(np.broadcast_to(first, (len(views), self.channels, *first.shape[2:])))
        calls = np.split(inputs, len(inputs)) if self.one_by_one else [inputs]
        features = np.concatenate([self._forward(call) for call in calls])
        return np.asarray(features.reshape(len(images), 8, -1).mean(axis=1, dtype=np.float64))

    def _forward(self, inputs: Singles) -> Singles:
        (given,), wanted = self.session.get_inputs(), self.session.get_outputs()[0].name
        try:
            output = self.session.run([wanted], {given.name: inputs})[0]
        except Exception as error:  # noqa: BLE001 the runtime's errors share no other base class
            kind = type(error).__name__
            raise UsageError(f"Expected an encoder for images {inputs.shape[1:]}, it failed: {kind}.") from None
        if len(output.shape) < 1 or len(output) != len(inputs) or output.size == 0:
            raise UsageError(f"Expected one vector for each of {len(inputs)} images, got the shape {output.shape}.")
        if not np.isfinite(output).all():
            raise UsageError("Expected finite features from the encoder, got values that are no numbers.")
        features: Singles = output.reshape(len(output), -1)
        return features


def _read(path: Path) -> bytes:
    """Once, so that what was hashed and checked is what runs."""
    if not path.is_file():
        raise UsageError(f"Expected an ONNX file, {path} is missing or not a file.")
    if path.stat().st_size > _LARGEST_FILE:
        raise UsageError(f"Expected an ONNX file below 2 GiB, {path} is larger.")
    return path.read_bytes()


def _session(content: bytes) -> "InferenceSession":
    try:
        import onnxruntime
    except ImportError:
        raise UsageError('Expected onnxruntime for --encoder; install it: pip install "privgan[encoder]".') from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = _THREADS, 1
    options.log_severity_level = _QUIET
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 the runtime's errors share no other base class
        kind = type(error).__name__
        raise UsageError(f"Expected an ONNX model that this onnxruntime can run, it refused: {kind}.") from None


def _input(session: "InferenceSession") -> tuple[int, int | None, bool]:
    """Channels, the fixed side or None, and whether the batch is fixed to one image."""
    inputs, output = session.get_inputs(), session.get_outputs()[0]
    if len(inputs) != 1:
        raise UsageError(f"Expected an encoder with one input, got {len(inputs)}.")
    (given,) = inputs
    shape: list[Any] = list(given.shape)
    if {given.type, output.type} != {"tensor(float)"} or len(shape) != 4:
        raise UsageError(
            "Expected an encoder from float32 (n, 1 or 3, h, w) to float32, "
            f"got one from {given.type} {shape} to {output.type}."
        )
    batch, channels, *sides = shape
    fixed = {side for side in sides if isinstance(side, int)}
    if channels not in (1, 3) or len(fixed) > 1 or (isinstance(batch, int) and batch != 1):
        raise UsageError(f"Expected input of 1 or 3 channels, square, with a free batch or one of 1, got {shape}.")
    return channels, next(iter(fixed), None), batch == 1


def _resized(images: NDArray[np.uint8], side: int) -> Singles:
    """Images (n, h, h, c) as float32 (n, side, side, c) in [0, 1]: averaged down, or interpolated up."""
    if side <= images.shape[1]:
        return pool(images, side) / np.float32(255)
    return by_channel(lambda plane: _enlarged(plane, side), images)


def _enlarged(plane: NDArray[np.uint8], side: int) -> Singles:
    """One channel (n, h, h), interpolated."""
    values = torch.from_numpy(plane.astype(np.float32) / np.float32(255))[:, None]
    larger: Singles = F.interpolate(values, size=(side, side), mode="bilinear", align_corners=False)[:, 0].numpy()
    return larger
