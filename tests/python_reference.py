"""docs/reference/python.md, made from the docstrings of everything that `import privgan` offers."""

import dataclasses
import inspect
import re

import privgan
from privgan_cli import surface
from tests.places import ROOT

PAGE = ROOT / "docs/reference/python.md"
_LEAD = """# privgan in Python

For notebooks and pipelines: the verbs of the command line as functions, which the command line itself calls.
Paths and frozen settings go in, frozen results come out. `import privgan` imports nothing heavy; functions that read
or learn from images need the extra `train` ([install](../how-to/install-without-network.md)).

"""


def reference() -> str:
    """The page."""
    parts = [_LEAD, _as_markdown(inspect.getdoc(surface) or ""), "\n## Functions\n\n"]
    calls, settings = [], []
    for name in privgan.__all__:
        found = getattr(privgan, name)
        (settings if dataclasses.is_dataclass(found) else calls).append((name, found))
    parts += [_entry(name, found) for name, found in calls]
    parts.append("## Settings\n\nFrozen, keyword-only, checked when they are made.\n\n")
    parts += [_entry(name, found) for name, found in settings]
    return "".join(parts).rstrip() + "\n"


def _entry(name: str, found: object) -> str:
    """A heading, the signature with its defaults, and the docstring."""
    return (
        f"### `{name}`\n\n```python\n{name}{_signature(found)}\n```\n\n{_as_markdown(inspect.getdoc(found) or '')}\n"
    )


def _signature(found: object) -> str:
    """Arguments and defaults; types as they are written in the source, without their modules."""
    if dataclasses.is_dataclass(found):
        fields = (f"    {f.name}: {_type(f.type)}{_default(f)},\n" for f in dataclasses.fields(found))
        return "(\n" + "".join(fields) + ")"
    assert callable(found)
    signature = inspect.signature(found)
    bare = signature.replace(
        parameters=[p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()],
        return_annotation=inspect.Signature.empty,
    )
    return f"{bare} -> {_type(signature.return_annotation)}"


def _default(field: "dataclasses.Field[object]") -> str:
    if field.default is dataclasses.MISSING:
        return "" if field.default_factory is dataclasses.MISSING else " = ..."
    return f" = {field.default!r}"


def _type(annotation: object) -> str:
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", text)


def _as_markdown(doc: str) -> str:
    """Examples in fences, sections and arguments as they stand."""
    lines, fenced = [], False
    for line in doc.splitlines():
        example = line.startswith((">>>", "...", "    >>>", "    ...")) or (fenced and line.strip() != "")
        if example != fenced:
            lines.append("```python" if example else "```")
            fenced = example
        lines.append(line.removeprefix("    ") if fenced else line)
    return "\n".join([*lines, *(["```"] if fenced else [])]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(reference())
