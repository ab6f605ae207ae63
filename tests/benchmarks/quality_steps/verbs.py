"""From public pictures to a synthetic set by the product's own verbs, each a process of its own, with its ledger."""

import json
import os
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quality_steps import PACKAGES
from quality_steps.datasets import Dataset, write_source

DELTA = 1e-5  # of the tables that the results stand beside
_ACCEPTED = ("--accept-delta", "--accept-noise")
CAP = 4.0  # of the asked epsilon: the cohort's cap is counted at its own, smaller delta
# The memory is read inside the process: what the operating system reports of a child remembers its parent.
_LINE = """
import atexit, sys
from pathlib import Path
from measuring import held_mib
held = Path(sys.argv.pop(1))
atexit.register(lambda: held.write_text(str(held_mib())))
from privgan_cli.main import main
main()
"""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is asked of the verbs. minutes: of adversarial training; None leaves the steps to the configuration.

    prior: a folder that `privgan prior` made.
    """

    epsilon: float
    count: int
    minutes: float | None = None
    config: Path | None = None
    threads: int | None = None
    prior: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Made:
    """A synthetic set and what it cost. minutes: of each verb. peak_mib: the most that any verb held.

    named: what the run's own files call its `network`, `loss` and `preset`, as far as they do.
    """

    synthetic: Path
    epsilon: float
    delta: float
    members: int
    steps: int
    minutes: dict[str, float]
    peak_mib: int
    named: dict[str, str]


def make_synthetic(dataset: Dataset, order: Order, folder: Path) -> Made:
    """Prepare a fresh cohort without held-back patients in `folder`, train on it and generate.

    The whole training split is learned from, as in the protocol, so that no audit of the cohort could pass
    (`--accept-low-power`). Noise and draws come from the system's entropy: no two runs are alike.
    """
    folder.mkdir(parents=True)
    write_source(dataset, folder / "source.npz")
    source, cohort, run, synthetic = (folder / name for name in ("source.npz", "cohort", "run", "synthetic"))
    prepare = [source, cohort, "--size", dataset.size, "--preset", "picture", "--classes", ",".join(dataset.classes)]
    nobody_held_back = ["--non-members", 0, "--accept-low-power", "--max-epsilon", CAP * order.epsilon]
    train = [cohort, run, "--epsilon", order.epsilon, "--delta", DELTA, *_ACCEPTED, *_limits(order)]
    generate = [run, synthetic, "--count", order.count, "--classes", "uniform", "--format", "npz"]
    calls = {"prepare": [*prepare, *nobody_held_back], "train": train, "generate": generate}
    told, minutes, held = {}, {}, []
    for verb, words in calls.items():
        started = time.perf_counter()
        told[verb], peak = _privgan(folder, verb, *words, threads=order.threads)
        minutes[verb] = (time.perf_counter() - started) / 60
        held.append(peak)
        print(f"{dataset.name}: {verb} took {minutes[verb]:.1f} minutes", file=sys.stderr, flush=True)
    return Made(
        synthetic=synthetic,
        epsilon=told["train"]["epsilon"],
        delta=told["train"]["delta"],
        members=told["train"]["members"],
        steps=told["train"]["steps"],
        minutes=minutes,
        peak_mib=max(held),
        named=_named(run),
    )


def _limits(order: Order) -> list[object]:
    words: list[object] = []
    if order.minutes is not None:
        words += ["--minutes", order.minutes]
    if order.config is not None:
        words += ["--config", order.config.resolve()]
    if order.prior is not None:
        words += ["--prior", order.prior.resolve()]
    return words


def _privgan(folder: Path, verb: str, *words: object, threads: int | None) -> tuple[dict[str, Any], int]:
    """What `privgan VERB ... --json` says, and the MiB it held at most.

    Raises:
        SystemExit: the verb refused; it has said why.
    """
    held = folder / f"{verb}.mib"
    path = os.pathsep.join(str(place) for place in (*PACKAGES, Path(__file__).parents[1]))
    environment = {**os.environ, "PYTHONPATH": path}
    if threads is not None:
        environment["OMP_NUM_THREADS"] = str(threads)
    line = [sys.executable, "-c", _LINE, str(held), verb, *(str(word) for word in words), "--json"]
    done = subprocess.run(line, stdout=subprocess.PIPE, text=True, env=environment, check=False)
    if done.returncode != 0:
        raise SystemExit(f"Expected `privgan {verb}` to succeed, it ended with exit code {done.returncode}.")
    return json.loads(done.stdout), int(held.read_text())


def _named(run: Path) -> dict[str, str]:
    """`network`, `loss` and `preset` wherever a run's public files give them as text."""
    config = tomllib.loads((run / "config.resolved.toml").read_text())
    tables = [config, *(table for table in config.values() if isinstance(table, dict))]
    tables += [json.loads((run / name).read_text()) for name in ("run.json", "model/config.json")]
    return {
        key: table[key]
        for key in ("network", "loss", "preset")
        for table in reversed(tables)
        if isinstance(table.get(key), str)
    }
