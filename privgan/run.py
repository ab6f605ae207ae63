"""The run folder: what one training leaves behind, and which parts may be looked at.

RUN/run.json              what was trained, under which plan, and how far (no value read from images)
    config.resolved.toml  every setting that was in force
    model/                generator.safetensors, config.json: the released generator
    private/              resume state and metrics on real data; never leaves
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from privgan.errors import IntegrityError
from privgan.files import read_json, write_json
from privgan.folders import PRIVATE_FOLDER

SCHEMA_VERSION = 1
MARKER = "run.json"
WEIGHTS = "model/generator.safetensors"


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """The content of run.json.

    `not_private` is True for seeded test runs, whose noise can be replayed: audit and release refuse them.
    `state` is "training" until the planned steps are done, then "finished". `plan` is the public plan of `dp.plan`;
    `epsilon` is what it costs, `target_epsilon` what was asked for. `window` are the Hounsfield units of black and
    white; None where values have no unit. `channels` are 1 of grey images and 3 of red, green and blue ones.
    `warnings`: what the generator's own images showed in training.
    """

    run_id: str
    cohort_id: str
    privgan_version: str
    created: str
    state: str
    plan: dict[str, Any]
    planned_steps: int
    finished_steps: int
    target_epsilon: float
    epsilon: float
    delta: float
    unit: str
    adjacency: str
    members: int
    image_size: int
    classes: tuple[str, ...]
    modality: str
    body_part: str
    generator_sha256: str
    accepted_delta: bool
    not_private: bool
    window: tuple[float, float] | None = None
    channels: int = 1
    warnings: tuple[str, ...] = ()


def write_run(folder: Path, facts: RunFacts) -> None:
    """Write run.json atomically."""
    write_json(folder / MARKER, {"schema_version": SCHEMA_VERSION, "kind": "run", **dataclasses.asdict(facts)})


def read_run(folder: Path) -> RunFacts:
    """Read run.json.

    Raises:
        IntegrityError: it is missing, of another version, or has other fields.
    """
    table: dict[str, Any] = read_json(folder / MARKER)
    version, kind = table.pop("schema_version", None), table.pop("kind", None)
    if (version, kind) != (SCHEMA_VERSION, "run"):
        raise IntegrityError(f"Expected a run of schema version {SCHEMA_VERSION} in {folder}, got {version!r}.")
    try:
        window = tuple(table["window"]) if table.get("window") else None  # older runs have none
        warnings = tuple(table.get("warnings", ()))
        return RunFacts(**{**table, "classes": tuple(table["classes"]), "window": window, "warnings": warnings})
    except (TypeError, KeyError):
        raise IntegrityError(f"Expected the fields of a privgan run in {folder / MARKER}.") from None


def make_run_folders(folder: Path) -> None:
    """Create an empty run folder with its parts."""
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    (folder / "model").mkdir(exist_ok=True)
    (folder / "private").mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
