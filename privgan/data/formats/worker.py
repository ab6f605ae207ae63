"""The one place that turns any failure of a reader into a reason code.

`handler` is what the isolated workers run: hostile bytes are parsed there, and only sizes, codes, prepared pixels
and the few header values that `prepare` needs come back, as a line of JSON and raw bytes; never pickles.
"""

import json
import logging
import os
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from privgan.config import from_table
from privgan.data.formats.known import format_named
from privgan.data.formats.reading import Reading, Request
from privgan.data.refusals import RefusedError


def read_entry(path: Path, request: Request) -> Reading:
    """Read one file; whatever it does, the answer is a Reading."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings of the parsers carry header values
        try:
            return format_named(request.kind).read(path, request)
        except RefusedError as refusal:
            return Reading(code=refusal.code)
        except MemoryError:
            return Reading(code="too_large")
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001 - hostile bytes may raise anything, a panic of a decoder in Rust included
            return Reading(code="damaged")


def handler(configuration: str) -> Callable[[bytes], bytes]:
    """The worker's function: from the bytes of a path to an encoded Reading."""
    logging.disable(logging.CRITICAL)
    request = from_table(Request, json.loads(configuration))
    return lambda path: encode(read_entry(Path(os.fsdecode(path)), request))


def configuration_of(request: Request) -> str:
    """The text that `handler` understands."""
    return json.dumps(asdict(request))


def encode(reading: Reading) -> bytes:
    """A Reading as one line of JSON, followed by the bytes of its images."""
    table = {name: value for name, value in vars(reading).items() if name != "images"}
    count = None if reading.images is None else len(reading.images)
    line = json.dumps({**table, "images": count}).encode("ascii") + b"\n"
    return line if reading.images is None else line + reading.images.tobytes()


def decode(content: bytes, shape: tuple[int, ...]) -> Reading:
    """The Reading that a worker sent; its images must be uint8 (k, *shape)."""
    line, _, pixels = content.partition(b"\n")
    table: dict[str, Any] = json.loads(line)
    count = table.pop("images")
    images = None
    if count is not None:
        images = np.frombuffer(pixels, dtype=np.uint8).reshape(count, *shape)
    identifiers = tuple((str(category), str(value)) for category, value in table.pop("identifiers"))
    for name in ("person", "remarks", "columns"):
        table[name] = tuple(map(str, table[name]))
    frames = tuple(map(int, table.pop("frames")))
    if frames and len(frames) != count:
        raise ValueError("frames")
    return Reading(images=images, identifiers=identifiers, frames=frames, **table)
