"""The classifier as an ONNX graph: stored pixels in, calibrated chances out, for any program that runs ONNX.

Written down part by part, as our network has them: an exporter that follows any network brings a library and a
compiler with it, and its graph is whatever they make of it. What the pixels go through before the network, and the
temperature behind it, are in the graph, so that nobody can leave them out.
"""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from privgan.config import to_table
from privgan.errors import UsageError
from privgan.images.geometry import area_weights
from privgan_uses.teaching.classifier import Classifier
from privgan_uses.teaching.network import Residual

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

OPSET, IR_VERSION = 17, 8  # of 2021 and 2022: runtimes of hospitals are seldom new
INPUT, OUTPUT = "images", "chances"


def require_writer() -> None:
    """Refuse to begin where the library that writes the format is not installed.

    Raises:
        UsageError: it is not.
    """
    try:
        import onnx  # noqa: F401 only whether it is there
    except ImportError:
        raise UsageError('Expected onnx to write the model with; install it: pip install "privgan[uses]".') from None


@dataclass(kw_only=True)
class _Drawing:
    """A graph that grows: each part takes a value's name, and gives the name of what it makes of it."""

    nodes: list["NodeProto"] = field(default_factory=list)
    weights: list["TensorProto"] = field(default_factory=list)

    def node(self, kind: str, *inputs: str, called: str = "", **how: Any) -> str:
        """One operation."""
        from onnx import helper

        made = called or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [made], name=made, **how))
        return made

    def constant(self, value: NDArray[Any]) -> str:
        """Numbers that are part of the graph."""
        from onnx import numpy_helper

        name = f"weights_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def tensor(self, value: Tensor) -> str:
        """A weight of the network."""
        return self.constant(value.detach().numpy())

    def number(self, value: float) -> str:
        """A single one."""
        return self.constant(np.array(value, dtype=np.float32))

    def convolved(self, value: str, layer: nn.Conv2d) -> str:
        """Without a bias, as all of ours are."""
        pads = [int(layer.padding[0])] * 4
        kernel = list(layer.kernel_size)
        return self.node(
            "Conv", value, self.tensor(layer.weight), kernel_shape=kernel, strides=list(layer.stride), pads=pads
        )

    def normalised(self, value: str, layer: nn.GroupNorm) -> str:
        """Groups of channels as the instances that they are to the older operation."""
        groups = layer.num_groups
        one, none = (self.constant(np.full(groups, fill, np.float32)) for fill in (1, 0))
        shape = self.node("Shape", value)
        flat = self.node("Reshape", value, self.constant(np.array([0, groups, -1], np.int64)))
        even = self.node("InstanceNormalization", flat, one, none, epsilon=layer.eps)
        back = self.node("Reshape", even, shape)
        scale, shift = (self.tensor(each.reshape(-1, 1, 1)) for each in (layer.weight, layer.bias))
        return self.node("Add", self.node("Mul", back, scale), shift)

    def rectified(self, value: str) -> str:
        """ReLU."""
        return self.node("Relu", value)

    def residual(self, value: str, block: Residual) -> str:
        """See there."""
        first = self.rectified(self.normalised(self.convolved(value, block.first), block.first_norm))
        changed = self.normalised(self.convolved(first, block.second), block.second_norm)
        kept = value if block.beside is None else self.convolved(value, block.beside)
        return self.rectified(self.node("Add", changed, kept))


def graph_of(classifier: Classifier) -> bytes:
    """The ONNX file: input `images`, uint8 (n, h, h, c); output `chances`, float32 (n, classes), each row's sum one.

    The same bytes for the same classifier and the same version of the library. Classes stand, in order, in the
    file's metadata.
    """
    from onnx import TensorProto, helper

    network, facts = classifier.network, classifier.facts
    drawing = _Drawing()
    value = drawing.node("Transpose", drawing.node("Cast", INPUT, to=TensorProto.FLOAT), perm=[0, 3, 1, 2])
    shrink = area_weights(facts.form.side, network.looks_at)
    value = drawing.node(
        "MatMul", drawing.node("MatMul", drawing.constant(shrink), value), drawing.constant(shrink.T)
    )
    value = drawing.node("Sub", drawing.node("Div", value, drawing.number(127.5)), drawing.number(1))
    value = drawing.rectified(drawing.normalised(drawing.convolved(value, network.stem), network.stem_norm))
    for block in network.blocks:
        value = drawing.residual(value, block)
    value = drawing.node("Flatten", value, axis=1)
    value = drawing.node(
        "Gemm", value, drawing.tensor(network.last.weight), drawing.tensor(network.last.bias), transB=1
    )
    drawing.node("Softmax", drawing.node("Div", value, drawing.number(facts.temperature)), called=OUTPUT, axis=1)
    side, channels = facts.form.side, facts.form.channels
    graph = helper.make_graph(
        drawing.nodes,
        "classifier",
        [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["images", side, side, channels])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["images", len(facts.classes)])],
        drawing.weights,
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="privgan",
        producer_version=facts.privgan_version,
    )
    known = {"form": to_table(facts.form), "origins": [to_table(origin) for origin in facts.origins]}
    said = {"classes": "\n".join(facts.classes), "not_for": "diagnosis"}
    helper.set_model_props(model, said | {name: json.dumps(value) for name, value in known.items()})
    content: bytes = model.SerializeToString(deterministic=True)
    return content
