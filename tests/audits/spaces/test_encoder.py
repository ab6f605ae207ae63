"""The user's own encoder: what it computes is what the model says, and no file but a whole ONNX model is taken."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from scipy import ndimage

from privgan.errors import UsageError
from privgan.files import sha256_file
from privgan.images.geometry import orbit
from privgan_audits.spaces import onnx_file
from privgan_audits.spaces.encoder import Encoder

Shape = list[int | str]
SAID = "chest X-rays of another hospital"
OPSET = [helper.make_opsetid("", 17)]
RANDOM = np.random.default_rng(0)
KERNEL = RANDOM.normal(size=(5, 1, 3, 3)).astype(np.float32)
KERNEL -= KERNEL.mean(axis=(2, 3), keepdims=True)


def images(count: int, size: int = 16, seed: int = 0) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 4, 4)).astype(np.uint8)
    return np.kron(coarse, np.ones((1, size // 4, size // 4), np.uint8))[..., None]


def make(path: Path, *, shape: Shape, nodes: list[Any] | None = None, kernel: NDArray[np.float32] = KERNEL) -> Path:
    """A convolution, squared and averaged: unlike a sum of pixels it tells orientations apart."""
    usual = [
        helper.make_node("Conv", ["x", "kernel"], ["c"]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["y"]),
    ]
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    wanted = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    weights = [numpy_helper.from_array(kernel, "kernel")]
    graph = helper.make_graph(nodes or usual, "g", [given], [wanted], weights)
    return save(graph, path)


def save(graph: Any, path: Path) -> Path:
    onnx.save(helper.make_model(graph, opset_imports=OPSET, ir_version=10), path)
    return path


def features_twin(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of rectified correlations with each kernel, over the 8 orientations, of length one."""
    views = [view[0, ..., 0] for view in orbit(image[None])]
    inner = slice(1, -1)
    total = np.zeros(len(KERNEL))
    for view in views:
        for number, kernel in enumerate(KERNEL[:, 0]):
            total[number] += np.maximum(ndimage.correlate(view, kernel.astype(float))[inner, inner], 0).mean()
    return np.asarray(total / np.linalg.norm(total))


@pytest.mark.parametrize("shape", [["n", 1, "h", "w"], [1, 1, 16, 16], ["n", 1, 16, "w"], [None, 1, None, None]])
def test_features_are_the_models_averaged_over_the_orbit(tmp_path: Path, shape: Shape) -> None:
    encoder = Encoder.load(make(tmp_path / "m.onnx", shape=shape), SAID)
    got = encoder.embed(images(7))
    assert (got.shape, got.dtype) == ((7, 5), np.float32)
    np.testing.assert_allclose(got, [features_twin(image / 255) for image in images(7)], atol=1e-5)
    assert np.abs(got[0] - got[1]).max() > 1e-3


def test_turned_copies_have_the_same_vector_and_blocks_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = Encoder.load(make(tmp_path / "m.onnx", shape=["n", 1, "h", "w"]), SAID)
    found = encoder.embed(images(9))
    for view in orbit(images(9)):
        np.testing.assert_allclose(encoder.embed(np.ascontiguousarray(view)), found, atol=1e-6)
    monkeypatch.setattr("privgan_audits.spaces.encoder._BLOCK_VALUES", 8 * 256 * 2)
    np.testing.assert_allclose(encoder.embed(images(9)), found, atol=1e-6)


def test_grey_becomes_three_channels(tmp_path: Path) -> None:
    three = np.repeat(KERNEL, 3, axis=1) / 3
    coloured = Encoder.load(make(tmp_path / "3.onnx", shape=["n", 3, "h", "w"], kernel=three), SAID)
    grey = Encoder.load(make(tmp_path / "1.onnx", shape=["n", 1, "h", "w"]), SAID)
    np.testing.assert_allclose(coloured.embed(images(4)), grey.embed(images(4)), atol=1e-5)


def test_a_model_of_three_channels_sees_colour_and_one_of_one_the_luminance(tmp_path: Path) -> None:
    """A kernel that looks at blue alone sees the blue channel, at the model's own size, too."""
    colour = np.concatenate([images(4), images(4, seed=1), images(4, seed=2)], axis=-1)
    blue = np.concatenate([np.zeros_like(KERNEL), np.zeros_like(KERNEL), KERNEL], axis=1)
    for sides in (["h", "w"], [16, 16], [24, 24]):
        three = Encoder.load(make(tmp_path / "3.onnx", shape=["n", 3, *sides], kernel=blue), SAID)
        one = Encoder.load(make(tmp_path / "1.onnx", shape=["n", 1, *sides]), SAID)
        np.testing.assert_allclose(three.embed(colour), one.embed(images(4, seed=2)), atol=1e-5)
    exact = [features_twin(image @ [[0.299], [0.587], [0.114]] / 255) for image in colour]
    free = Encoder.load(make(tmp_path / "1.onnx", shape=["n", 1, "h", "w"]), SAID)
    np.testing.assert_allclose(free.embed(colour), exact, atol=1e-5)


@pytest.mark.parametrize(("size", "to"), [(32, 16), (16, 40)])
def test_a_model_of_one_size_gets_that_size(tmp_path: Path, size: int, to: int) -> None:
    flat = [helper.make_node("Flatten", ["x"], ["f"]), helper.make_node("Relu", ["f"], ["y"])]
    encoder = Encoder.load(make(tmp_path / "m.onnx", shape=["n", 1, to, to], nodes=flat), SAID)
    given = images(3, size)
    got = encoder.embed(given)
    assert got.shape == (3, to * to)
    if size == 2 * to:  # means of 2 x 2 blocks, turned and averaged
        small = given.reshape(3, to, 2, to, 2).mean(axis=(2, 4))
        slow = np.mean(orbit(small), axis=0).reshape(3, -1)
        np.testing.assert_allclose(got, slow / np.linalg.norm(slow, axis=1, keepdims=True), atol=1e-6)
    grey = np.full((1, size, size, 1), 100, np.uint8)
    np.testing.assert_allclose(encoder.embed(grey), 1 / to, atol=1e-6)


def test_an_image_without_features_is_zero(tmp_path: Path) -> None:
    encoder = Encoder.load(make(tmp_path / "m.onnx", shape=["n", 1, "h", "w"]), SAID)
    assert not encoder.embed(np.zeros((2, 16, 16, 1), np.uint8)).any()


def test_the_record_names_the_file_and_the_declaration(tmp_path: Path) -> None:
    path = make(tmp_path / "m.onnx", shape=["n", 1, "h", "w"])
    assert Encoder.load(path, f"  {SAID} ").facts() == {"sha256": sha256_file(path), "trained_on": SAID}


@pytest.mark.parametrize("said", ["", "   ", "two\nlines", "x" * 301])
def test_a_declaration_in_words_is_needed(tmp_path: Path, said: str) -> None:
    with pytest.raises(UsageError, match="trained on"):
        Encoder.load(make(tmp_path / "m.onnx", shape=["n", 1, "h", "w"]), said)


@pytest.mark.parametrize(
    "shape", [["n", 2, "h", "w"], ["n", "c", "h", "w"], ["n", 1, 16, 20], [4, 1, 16, 16], ["n", 256]]
)
def test_other_inputs_are_refused(tmp_path: Path, shape: Shape) -> None:
    same = [helper.make_node("Relu", ["x"], ["y"])]
    with pytest.raises(UsageError, match="Expected"):
        Encoder.load(make(tmp_path / "m.onnx", shape=shape, nodes=same), SAID)


def test_two_inputs_and_other_types_are_refused(tmp_path: Path) -> None:
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1, "h", "w"]) for name in "xzy"]
    add = helper.make_node("Add", ["x", "z"], ["y"])
    two = save(helper.make_graph([add], "g", infos[:2], infos[2:]), tmp_path / "two.onnx")
    with pytest.raises(UsageError, match="one input, got 2"):
        Encoder.load(two, SAID)
    whole = [helper.make_tensor_value_info(name, TensorProto.UINT8, ["n", 1, "h", "w"]) for name in "xy"]
    same = helper.make_node("Identity", ["x"], ["y"])
    with pytest.raises(UsageError, match="float32"):
        Encoder.load(save(helper.make_graph([same], "g", whole[:1], whole[1:]), tmp_path / "u.onnx"), SAID)


NODES = {
    "no numbers": (helper.make_node("Log", ["x"], ["l"]), helper.make_node("Mul", ["l", "l"], ["y"])),
    "got the shape": (helper.make_node("ReduceSum", ["x"], ["y"], keepdims=0),),
    "it failed": (helper.make_node("Conv", ["x", "kernel"], ["y"], strides=[1, 1], dilations=[40, 40]),),
}


@pytest.mark.parametrize("words", NODES)
def test_what_the_model_gives_must_be_a_vector_of_numbers(tmp_path: Path, words: str) -> None:
    encoder = Encoder.load(make(tmp_path / "m.onnx", shape=["n", 1, "h", "w"], nodes=list(NODES[words])), SAID)
    black = np.zeros((3, 16, 16, 1), np.uint8)
    with pytest.raises(UsageError, match=words):
        encoder.embed(black)


def test_weights_in_other_files_are_refused_wherever_they_hide(tmp_path: Path) -> None:
    path = make(tmp_path / "m.onnx", shape=["n", 1, "h", "w"])
    model = onnx.load(path)
    outside = numpy_helper.from_array(np.ones(4, np.float32), "outside")
    outside.data_location = TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="weights.bin")
    inner = helper.make_graph([helper.make_node("Constant", [], ["v"], value=outside)], "inner", [], [])
    hidden = helper.make_node("If", ["cond"], ["v"], then_branch=inner, else_branch=inner)
    changes = {
        "initializer": lambda m: m.graph.initializer.append(outside),
        "constant": lambda m: m.graph.node.append(helper.make_node("Constant", [], ["v"], value=outside)),
        "branch": lambda m: m.graph.node.append(hidden),
        "sparse": lambda m: m.graph.sparse_initializer.add().values.CopyFrom(outside),
        "function": lambda m: m.functions.add().node.append(hidden),
        "training": lambda m: m.training_info.add().algorithm.initializer.append(outside),
        "location only": lambda m: m.graph.initializer[0].external_data.add(key="location", value="x"),
    }
    for name, change in changes.items():
        edited = onnx.ModelProto()
        edited.CopyFrom(model)
        change(edited)
        (tmp_path / "edited.onnx").write_bytes(edited.SerializeToString())
        with pytest.raises(UsageError, match="other files"):
            Encoder.load(tmp_path / "edited.onnx", name)


def test_the_walk_follows_every_path_of_the_format_that_leads_to_a_tensor() -> None:
    """Against the descriptors of the onnx library, so that a new field of a new version does not go unseen."""

    def reaches(kind: Any, seen: frozenset[str] = frozenset()) -> bool:
        if kind.name in ("TensorProto", *seen):
            return bool(kind.name == "TensorProto")
        return any(reaches(f.message_type, seen | {kind.name}) for f in kind.fields if f.message_type)

    def kinds(kind: Any, found: dict[str, Any]) -> Iterator[Any]:
        if kind.name not in found:
            found[kind.name] = kind
            yield kind
            for f in kind.fields:
                if f.message_type:
                    yield from kinds(f.message_type, found)

    for kind in kinds(onnx.ModelProto.DESCRIPTOR, {}):
        if kind.name in onnx_file.PATHS and kind.name != "TensorProto":
            inside = {
                f.number: f.message_type.name for f in kind.fields if f.message_type and reaches(f.message_type)
            }
            assert onnx_file.PATHS[kind.name] == inside, kind.name
    tensor = TensorProto.DESCRIPTOR.fields_by_name
    assert {tensor["external_data"].number, tensor["data_location"].number} == onnx_file.EXTERNAL


def test_files_that_are_not_onnx_are_refused(tmp_path: Path) -> None:
    whole = make(tmp_path / "m.onnx", shape=["n", 1, "h", "w"]).read_bytes()
    contents = {
        "empty": b"",
        "text": b"not a model",
        "pickle": b"\x80\x04\x95\x10\x00\x00\x00",
        "zip": b"PK\x03\x04" + bytes(40),
        "cut": whole[: len(whole) // 2],
        "endless": b"\xff" * 30,
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError, match="ONNX"):
            Encoder.load(tmp_path / name, SAID)
    for missing in (tmp_path / "nowhere.onnx", tmp_path):
        with pytest.raises(UsageError, match="missing or not a file"):
            Encoder.load(missing, SAID)
    unknown = [helper.make_node("NoSuchOperator", ["x"], ["y"])]
    with pytest.raises(UsageError, match="can run"):
        Encoder.load(make(tmp_path / "odd.onnx", shape=["n", 1, "h", "w"], nodes=unknown), SAID)


def test_a_bottomless_file_ends_in_a_refusal() -> None:
    """Graphs in attributes in graphs, each one field long."""
    content = b""
    for _ in range(400):
        for number in (6, 5, 1):  # attribute.g, node.attribute, graph.node
            content = bytes([number << 3 | 2]) + _length(len(content)) + content
    with pytest.raises(UsageError, match="ONNX"):
        onnx_file.check_alone(b"\x3a" + _length(len(content)) + content)


def _length(value: int) -> bytes:
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])


def test_without_the_runtime_the_refusal_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UsageError, match=r"privgan\[encoder\]"):
        Encoder.load(make(tmp_path / "m.onnx", shape=["n", 1, "h", "w"]), SAID)
