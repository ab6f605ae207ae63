"""Networks as files, and back: a trained generator, and what a resume state holds; data only, checked before use."""

from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from privgan.arrays import Floats, Integers
from privgan.config import from_table, to_table
from privgan.dp.budget.ledger import Ledger
from privgan.errors import BudgetError, IntegrityError, UsageError
from privgan.files import read_json, sha256_file, write_bytes, write_json
from privgan.gan.networks.discriminators import Discriminator
from privgan.gan.networks.drawn import for_drawing
from privgan.gan.networks.generators import Generator, GeneratorConfig, placed
from privgan.gan.networks.states import filled
from privgan.gan.size import smooth_as
from privgan.gan.warm_start import ImageModel
from privgan.gan.warm_start.class_balance import ClassBalance
from privgan.images.form import ImageForm
from privgan.images.pixels import to_levels
from privgan.images.stored import as_stored
from privgan.records.table import Table
from privgan.run import MODEL_CONFIG, WEIGHTS, ModelDigests

if TYPE_CHECKING:
    from safetensors import safe_open

SCHEMA_VERSION = 5
WITH_RECORDS = 8  # of generators, with a prior or without, whose images are given a record: effects of its values
WITH_PRIOR = 7  # of generators with a public prior: gains of detail beside what version 5 has, and uneven factors
STATE = "private/state.safetensors"
_ORDER = (  # of the keys, as it has always been; what is new follows
    *(part.name for part in fields(ImageModel)),
    *("image_size", "classes", "latent", "width"),
)


@dataclass(frozen=True, kw_only=True)
class LoadedGenerator:
    """A trained generator, ready to be sampled; class balance and table of records if its run measured those."""

    network: Generator
    model: ModelDigests
    class_balance: ClassBalance | None = None
    records: Table | None = None

    @property
    def form(self) -> ImageForm:
        """Of the images that it draws, without words and units."""
        return self.network.config.form

    @property
    def latent(self) -> int:
        """Standard normal numbers that make an image."""
        return self.network.config.latents

    @property
    def smooth_as(self) -> int:
        """As how many pixels a side its images are smooth, where they are much larger and no public network finishes
        them; else 0.
        """
        config = self.network.config
        return 0 if config.finish else smooth_as(config.form.side, config.mixture.coordinates.fine)

    def levels(self, z: Floats, told: Integers | int) -> Floats:
        """Levels 0 to 255 of one image, as files hold it but not rounded: (size, size), or (size, size, 3) in colour.

        In double precision, and each image by itself: libraries add in an order of their own, which depends on the
        machine and on how many images there are, and in single precision that moves a level by up to a thousandth.

        Args:
            z: (latent,), standard normal.
            told: int64 (), the class, or (1 + columns,), a record.
        """
        (levels,) = self.levels_together(z[None], np.asarray(told)[None])
        return np.asarray(levels, dtype=np.float64)

    def levels_together(self, z: Floats, told: Integers) -> Floats:
        """`levels` of several images, (n, size, size) or (n, size, size, 3): to about 1e-12 of a level.

        Args:
            z: (n, latent), standard normal.
            told: int64 (n,), the classes, or (n, 1 + columns), records.
        """
        with torch.no_grad():
            images = self._precise(torch.from_numpy(z), torch.from_numpy(told))
        return np.ascontiguousarray(as_stored(to_levels(images)), dtype=np.float64)

    @cached_property
    def _precise(self) -> Generator:
        return for_drawing(self.network)


def save_generator(
    run_folder: Path,
    network: Generator,
    class_balance: ClassBalance | None = None,
    records: Table | None = None,
) -> ModelDigests:
    """Write model/generator.safetensors and config.json; returns their digests."""
    from safetensors.torch import save

    state = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    measured = None if class_balance is None else asdict(class_balance)
    table = to_table(network.config, _ORDER)
    if not network.config.prior:
        del table["prior"]  # a generator without one is, to the byte, what it was before there were any
    if not network.config.levels:
        del table["levels"]  # likewise
    version = _version(finish=bool(network.config.finish), levels=bool(network.config.levels))
    config = {"schema_version": version, **table, "class_balance": measured}
    if records is not None:  # a generator without them is, to the byte, what it was before there were any
        config["records"] = records.to_json()
    write_json(run_folder / MODEL_CONFIG, config)
    write_bytes(run_folder / WEIGHTS, save(state))
    return ModelDigests.of(run_folder)


def load_generator(run_folder: Path, device: str = "cpu") -> LoadedGenerator:
    """Rebuild a generator from RUN/model, checking names and shapes before anything is used.

    Raises:
        UsageError: there is no finished model.
        IntegrityError: config and weights disagree.
    """
    weights = run_folder / WEIGHTS
    if not weights.is_file():
        raise UsageError(f"Expected a finished run in {run_folder}, it has no generator. Train it to the end first.")
    config, class_balance, records = _read_config(run_folder / MODEL_CONFIG)
    network = Generator(config, None)
    model = ModelDigests.of(run_folder)
    if not filled(network, weights):
        raise IntegrityError("Expected weights that fit the generator's config.json, they do not.")
    network = placed(network, device).eval()
    return LoadedGenerator(network=network, model=model, class_balance=class_balance, records=records)


def _read_config(path: Path) -> tuple[GeneratorConfig, ClassBalance | None, Table | None]:
    table: dict[str, Any] = read_json(path)
    version = table.pop("schema_version", None)
    wanted = _version(finish=bool(table.get("finish")), levels=bool(table.get("levels")))
    if version != wanted:
        raise IntegrityError(
            f"Expected a generator of schema version {wanted}, got {version!r}. Generate with the version of privgan "
            "that trained it, or train again with this one."
        )
    try:
        measured, told = table.pop("class_balance", None), table.pop("records", None)
        config = from_table(GeneratorConfig, table)
        class_balance = None if measured is None else ClassBalance.from_json(measured)
        records = None if told is None else Table.from_json(told)
    except (TypeError, KeyError, UsageError):
        raise IntegrityError("Expected the fields of a generator configuration.") from None
    if class_balance is not None and len(class_balance.counts) != len(config.form.classes):
        raise IntegrityError("Expected a measured count for each class in the generator's configuration.")
    if records is not None and records.classes != len(config.form.classes):
        raise IntegrityError("Expected a table of records of the classes in the generator's configuration.")
    if config.levels and (records is None or records.schema.levels != config.levels):
        raise IntegrityError("Expected a table of records of the columns in the generator's configuration.")
    return config, class_balance, records


def _version(*, finish: bool, levels: bool) -> int:
    if levels:
        return WITH_RECORDS
    return WITH_PRIOR if finish else SCHEMA_VERSION


def has_state(run: Path) -> bool:
    """Whether a resume state was ever saved."""
    return (run / STATE).exists()


def saved_discriminator(run: Path, ledger: Ledger, run_id: str, *, beside: GeneratorConfig) -> Discriminator | None:
    """The discriminator of a run's newest state, for the hospital's own attacks on it; None without a state.

    `beside`: the run's generator, for whose images and classes it was built.

    Raises:
        BudgetError: the state is not the newest that the ledger knows of this run.
        IntegrityError: it holds a discriminator of other images or classes, or none.
    """
    path, prefix = run / STATE, "discriminator."
    if not has_state(run):
        return None
    if [entry["sha256"] for entry in ledger.of_kind("checkpoint", run_id)][-1:] != [sha256_file(path)]:
        raise BudgetError("Expected the newest state that the ledger knows of this run, got an older or foreign one.")
    with opened_state(path) as tensors:
        names = [name for name in tensors.keys() if name.startswith(prefix)]  # noqa: SIM118 (not a dict)
        saved = {name.removeprefix(prefix): tensors.get_tensor(name) for name in names}
    try:
        network = Discriminator.of_weights(saved, beside.form, network=beside.network, levels=beside.levels)
    except (KeyError, RuntimeError):
        raise IntegrityError(
            "Expected a discriminator that fits the run's generator, the state's does not."
        ) from None
    return network.eval()


def opened_state(path: Path) -> "safe_open":
    """A resume state, open for reading.

    Raises:
        BudgetError: it is none, or was cut off.
    """
    from safetensors import SafetensorError, safe_open

    try:
        return safe_open(path, framework="pt")
    except SafetensorError:
        raise BudgetError("Expected the resume state as it was saved, it cannot be read.") from None
