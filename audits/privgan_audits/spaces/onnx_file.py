"""A look into an ONNX file before anything runs it: is it one, and is it all of it?

An ONNX file may keep weights in other files, by paths of its own choosing. Such a file is refused, because its digest
says nothing about those, and because nothing that a model names may be read. The format is protocol buffers
(onnx.proto3); only the fields that lead to tensors are followed, so that no library beside the runtime is needed.
"""

from collections.abc import Iterator

from privgan.errors import UsageError

# Message -> field number -> the message inside; every path from a model to a tensor.
PATHS = {
    "ModelProto": {7: "GraphProto", 20: "TrainingInfoProto", 25: "FunctionProto"},
    "GraphProto": {1: "NodeProto", 5: "TensorProto", 15: "SparseTensorProto"},
    "NodeProto": {5: "AttributeProto"},
    "AttributeProto": {
        5: "TensorProto",
        6: "GraphProto",
        10: "TensorProto",
        11: "GraphProto",
        22: "SparseTensorProto",
        23: "SparseTensorProto",
    },
    "SparseTensorProto": {1: "TensorProto", 2: "TensorProto"},
    "FunctionProto": {7: "NodeProto", 11: "AttributeProto"},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto"},
    "TensorProto": {},
}
EXTERNAL = frozenset({13, 14})  # TensorProto: external_data, data_location
_GRAPH = 7
_DEEPEST = 64
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5


def check_alone(content: bytes) -> None:
    """Check that some bytes are an ONNX model that names no other file.

    Raises:
        UsageError: they are not, or it does.
    """
    whole = memoryview(content)
    try:
        has_graph = any(number == _GRAPH for number, _ in _fields(whole))
        elsewhere = _names_a_file(whole, "ModelProto", 0)
    except (ValueError, IndexError):
        has_graph = elsewhere = False
    if not has_graph:
        raise UsageError("Expected an encoder in the ONNX format, got another file or a damaged one.")
    if elsewhere:
        raise UsageError(
            "Expected an ONNX file with its weights inside, this one keeps some in other files. "
            "Export it without external data."
        )


def _names_a_file(message: memoryview, kind: str, depth: int) -> bool:
    if depth > _DEEPEST:
        raise ValueError
    inside = PATHS[kind]
    for number, value in _fields(message):
        if kind == "TensorProto" and number in EXTERNAL and value not in (0, b""):
            return True
        if number in inside:
            if not isinstance(value, memoryview):
                raise ValueError
            if _names_a_file(value, inside[number], depth + 1):
                return True
    return False


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Field numbers and values: an int for varints, the bytes of everything else."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire not in (_EIGHT_BYTES, _LENGTH, _FOUR_BYTES) or number == 0:
            raise ValueError
        size = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}.get(wire)
        if size is None:
            size, at = _varint(message, at)
        if at + size > len(message):
            raise ValueError
        yield number, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError
