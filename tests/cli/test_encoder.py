"""`privgan audit --encoder`: both options or none, and the encoder reaches the audit."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from privgan_audits.evidence.interface import Evidence
from privgan_audits.policy import Policy
from privgan_cli.verbs.gate import audit

Privgan = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1, "h", "w"]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", infos[:1], infos[1:])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(made, tmp_path / "encoder.onnx")
    return tmp_path / "encoder.onnx"


def save(path: Path, seed: int) -> Path:
    images = np.random.default_rng(seed).integers(0, 256, (6, 28, 28)).astype(np.uint8)
    np.savez(path, images=images, labels=np.zeros(6, np.int64), patient_id=[f"{seed}-{row}" for row in range(6)])
    return path


def test_one_option_without_the_other_and_other_files_exit_2(privgan: Privgan, model: Path, tmp_path: Path) -> None:
    first = ("audit", save(tmp_path / "s.npz", 0), "--members", save(tmp_path / "m.npz", 1))
    for words, said in (
        (("--encoder", model), "together"),
        (("--encoder-trained-on", "x"), "together"),
        (("--encoder", model, "--encoder-trained-on", " "), "trained on"),
        (("--encoder", tmp_path / "m.npz", "--encoder-trained-on", "x"), "ONNX"),
    ):
        done = privgan(*first, "--report", tmp_path / "r", *words, code=2)
        assert said in done.stderr
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("given", [True, False])
def test_the_encoder_reaches_the_audit(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: bool
) -> None:
    seen: list[Evidence] = []

    def capture(evidence: Evidence, *_: object, **__: object) -> SimpleNamespace:
        seen.append(evidence)
        said = {"verdict": "PASS", "scope": "empirical", "reasons": [], "overrides": [], "cohort": None}
        said |= {"ledger": None, "privacy": {"epsilon": None}, "tests": [], "utility": {}}
        return SimpleNamespace(to_json=lambda: {**said, "policy": Policy().to_json()})

    monkeypatch.setattr("privgan_audits.examine.examine", capture)
    files = {"synthetic": save(tmp_path / "s.npz", 0), "members": save(tmp_path / "m.npz", 1)}
    options = {"encoder": model, "encoder_trained_on": "nobody"} if given else {}
    assert audit(**files, report=tmp_path / "r", **options) == 0
    (evidence,) = seen
    assert (evidence.encoder is not None) == given
    if evidence.encoder is not None:
        assert evidence.encoder.facts()["trained_on"] == "nobody"
        assert evidence.encoder.embed(evidence.members.images).shape == (6, 28 * 28)
