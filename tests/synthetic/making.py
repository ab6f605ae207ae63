"""Small real runs and synthetic sets for the tests: a tiny untrained generator, written as training would."""

import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from privgan.arrays import Images, Integers
from privgan.config import from_table
from privgan.folders import list_files
from privgan.gan.networks import Generator, GeneratorConfig, save_generator
from privgan.images.form import ImageForm
from privgan.run import ModelDigests, RunFacts, make_run_folders, read_run, write_run
from privgan.synthetic.generate import GenerateOptions, generate
from privgan.synthetic.seed import Seed
from privgan.synthetic.set_files import SetFiles, formats_of
from privgan.synthetic.synthetic_set import MARKER, STAY_BEHIND, read_manifest, write_manifest

Form = dict[str, Any]
RUN_ID = "0123abcd4567ef89"
SEED = Seed(value=bytes(range(32)))
CLASSES = ("normal", "effusion")


def make_run(folder: Path, **changes: object) -> Path:
    """A finished run with a random generator of 28 x 28 images. changes: of run.json, as it lies on disk."""
    make_run_folders(folder)
    torch_rng = torch.Generator().manual_seed(0)
    named = changes.get("prior")
    prior = str(named["sha256"]) if isinstance(named, dict) else ""
    network = Generator(
        GeneratorConfig(form=ImageForm(side=28, classes=CLASSES), latent=4, width=16, prior=prior), torch_rng
    ).eval()
    with torch.no_grad():
        network.last.weight.normal_(generator=torch_rng)  # an untrained network would draw even grey
    facts = {
        "run_id": RUN_ID,
        "cohort_id": "fedcba9876543210",
        "privgan_version": "0.1.0",
        "created": "2026-01-31",
        "state": "finished",
        "plan": {},
        "target_epsilon": 3.0,
        "planned_steps": 10,
        "finished_steps": 10,
        "epsilon": 3.0,
        "delta": 1e-5,
        "unit": "patient",
        "adjacency": "zero-out",
        "members": 1000,
        "image_size": 28,
        "classes": CLASSES,
        "modality": "CR",
        "body_part": "CHEST",
        **asdict(save_generator(folder, network)),
        "accepted_delta": False,
        "not_private": False,
    }
    write_run(folder, from_table(RunFacts, {**facts, **changes}))
    return folder


def finish_again(folder: Path) -> Path:
    """Let a run have finished with the generator that lies there now."""
    write_run(folder, replace(read_run(folder), **asdict(ModelDigests.of(folder))))
    return folder


def lively_run(folder: Path, **model: Any) -> Path:
    """A run whose warm start has everything that moves, turns and brightens an image."""
    torch_rng = torch.Generator().manual_seed(1)
    public = {"source": "an archive", "licence": "CC0 1.0", "images": 300, "sha256": "a" * 64}
    named = {"prior": public} if "finish" in model else {}
    model |= {name: table["sha256"] for name, table in named.items()}
    config = GeneratorConfig(form=ImageForm(side=28, classes=CLASSES), latent=4, width=16, components=3, **model)
    network = Generator(config, torch_rng)
    with torch.no_grad():
        network.last.weight.normal_(0, 0.05, generator=torch_rng)
        for part in (network.start.means, network.start.loadings, network.start.grain):
            part.copy_(0.3 * torch.randn(part.shape, generator=torch_rng))
        for weights in network.finish.parameters() if network.finish else ():
            weights.copy_(0.1 * torch.randn(weights.shape, generator=torch_rng))
        if network.strengths:
            network.strengths.gains.uniform_(0.5, 2.0, generator=torch_rng)
    save_generator(make_run(folder, **named), network)
    return finish_again(folder)


ALL_FORMATS = ("dicom", "npz", "png")


def make_set(
    folder: Path, count: int = 6, formats: tuple[str, ...] = ALL_FORMATS, form: Form | None = None, **run: object
) -> Path:
    """A synthetic set of such a run, in `folder`, which must not exist. form: of GenerateOptions."""
    source = make_run(folder.with_name(f"{folder.name}-run"), **run)
    folder.mkdir(mode=0o700)
    options = GenerateOptions(count=count, formats=formats, **(form or {}))
    generate(source, folder, options, SEED)
    return folder


def reseal(folder: Path) -> None:
    """Write a manifest that agrees with whatever lies in the folder now."""
    manifest, _ = read_manifest(folder)
    (folder / MARKER).unlink()
    write_manifest(folder, manifest)


def fill(folder: Path, images: Images, labels: Integers, **changes: Any) -> None:
    """Make a set of these images in a set's place, as privgan would write it. changes: of the manifest.

    The seed stays: whoever does so has no other that draws these images.
    """
    manifest, files = read_manifest(folder)
    for path in list_files(folder):
        if path.name not in STAY_BEHIND:
            path.unlink()
    shutil.rmtree(folder / "dicom", ignore_errors=True)
    counts = np.bincount(labels, minlength=len(CLASSES)).tolist()
    told = {"count": len(images), "class_counts": dict(zip(CLASSES, counts, strict=True)), **changes}
    manifest = replace(manifest, **told)
    SetFiles(manifest, images, labels, formats_of(files)).write(folder)
    write_manifest(folder, manifest)
