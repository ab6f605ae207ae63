"""T6: a run, a configuration or a ledger that was edited after it was charged is seen."""

import json
import shutil
from pathlib import Path

import pytest

from privgan.errors import BudgetError
from privgan.synthetic.generate import GenerateOptions, generate
from privgan.synthetic.synthetic_set import open_synthetic_set
from privgan_audits.gate.verdict import judge
from privgan_audits.policy import Policy
from tests.audits.questions.test_books import broken, evidence_of, measured
from tests.audits.releasing import Gate
from tests.synthetic.making import SEED, finish_again


def test_an_edited_run_or_generator_is_seen(gate: Gate) -> None:
    weights = gate.root / "synthetic-run" / "model" / "generator.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert broken(evidence_of(gate)) == {"generator_is_the_runs"}


def count_anew(run: Path) -> None:
    """Other counts of the classes than the noisy ones, and everything inside the run that speaks of them."""
    constants = run / "model" / "config.json"
    table = json.loads(constants.read_text())
    constants.write_text(json.dumps({**table, "class_balance": {"counts": [1.0, 9.0], "noise": 0.5}}))
    finish_again(run)


def test_an_edited_configuration_is_seen_although_run_and_set_agree_with_it(gate: Gate) -> None:
    """The run says that it finished with it and the set is drawn by it; the ledger alone knows better."""
    run, synthetic = gate.root / "synthetic-run", gate.root / "synthetic"
    count_anew(run)
    assert broken(evidence_of(gate)) == {"generator_is_the_runs"}
    shutil.rmtree(synthetic)
    synthetic.mkdir()
    generate(run, synthetic, GenerateOptions(count=6, classes="measured"), SEED)
    assert open_synthetic_set(synthetic).manifest.class_counts == {"normal": 1, "effusion": 5}
    found = measured(evidence_of(gate))
    assert {name for name, true in found["checks"].items() if not true} == {"configuration_is_the_closed_one"}
    assert found["images_drawn_again"] == 6
    record = gate.record()
    next(test for test in record["tests"] if test["id"] == "T6").update(found)
    assert judge(Policy(), record).verdict == "FAIL"


def test_an_edited_ledger_does_not_even_open(gate: Gate) -> None:
    path = gate.root / "cohort" / "private" / "ledger.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    charge = json.loads(lines[1])
    charge["queries"][0]["noise_multiplier"] = 9.0
    path.write_bytes(b"".join([lines[0], json.dumps(charge).encode() + b"\n", *lines[2:]]))
    with pytest.raises(BudgetError):
        evidence_of(gate)
