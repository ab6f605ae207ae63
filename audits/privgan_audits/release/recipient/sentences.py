"""Which sentences a file of code says to people: those that it marks, and those with which it refuses.

A translation is looked up by the sentence as it stands in the code, with the names of its values in braces. Marked
ones stand like that. A refusal is raised with its values filled in, as an f-string; here each of them gets a name:
the last one in its expression. So `packing` knows what the verifier says, and the tests what a catalogue must have.
"""

import ast
from collections.abc import Collection, Iterator, Mapping
from itertools import chain, count, product

MARKERS = {"tr": 0, "to_tr": 0, "kept": 0, "tr_count": 1}  # which argument is the sentence that a catalogue has
FORMS = {  # whose fields are sentences; `spoken` gives them in the current language
    "Words": ("title", "short", "tries", "caught", "good"),
    "Label": ("name", "note"),
    "VerdictWords": ("headline", "next_steps"),
    "OutcomeWords": ("label",),
}
REFUSALS = frozenset(
    {
        *("PrivganError", "UsageError", "AuditFailedError", "NotReleasableError", "InputRejectedError"),
        *("IntegrityError", "BudgetError", "PreemptedError", "InterruptedRunError", "UnfinishedError"),
        *("LostRankError", "BadParameter"),
    }
)
_NAMELESS = "value"
Parts = tuple[str | ast.expr, ...]
"""A sentence: words, and the expressions of values between them."""


def said_in(tree: ast.Module) -> set[str]:
    """Every sentence of a file, with the names of its values in braces.

    Raises:
        TypeError: a marked one is an f-string, whose values would be filled in too early.
    """
    constants = _constants(tree)
    found: set[str] = set()
    for node in ast.walk(tree):
        found.update(_marked(node))
        if (refused := refused_with(node)) is not None:
            found.update(_named(parts) for parts in _wholes(refused, constants) if _has_words(parts))
    return found - {""}


def refused_with(node: ast.AST) -> ast.expr | None:
    """The message of a refusal that is made here; None for whatever makes none."""
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[message, *_]) if name in REFUSALS:
            return message
    return None


def _marked(node: ast.AST) -> Iterator[str]:
    """Sentences that are marked where they are written out."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in MARKERS:
            marked = [arguments[MARKERS[name]]]
        case ast.Call(func=ast.Name(id=name), keywords=keywords) if name in FORMS:
            marked = [keyword.value for keyword in keywords if keyword.arg in FORMS[name]]
        case ast.ClassDef(name=name, body=body) if name in FORMS:
            marked = [each.value for each in body if isinstance(each, ast.AnnAssign) and each.value]
        case _:
            marked = []
    for each in marked:
        if isinstance(each, ast.JoinedStr):
            raise TypeError(f"Expected values that are filled in afterwards in line {each.lineno}.")
        yield from _texts(each)


def _texts(node: ast.expr) -> Iterator[str]:
    """What is written out in a constant, in a tuple of some, beside the keys of a table, or in a choice."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Tuple(elts=parts) | ast.Dict(values=parts):
            for part in parts:
                yield from _texts(part)
        case ast.Starred(value=part):
            yield from _texts(part)
        case ast.IfExp(body=one, orelse=other):
            yield from (*_texts(one), *_texts(other))


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """Words that have a name in this file."""
    found: dict[str, ast.expr] = {}
    for node in tree.body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Constant(value=str()) | ast.JoinedStr() | ast.Call(func=ast.Name(id="to_tr")) as words,
            ):
                found[name] = words
    return found


def _wholes(node: ast.expr, named: Mapping[str, ast.expr]) -> Iterator[Parts]:
    """A message for every choice in it, with the words of constants; nothing of what is written elsewhere."""
    match node:
        case ast.Constant(value=str(text)):
            yield (text,)
        case ast.Name(id=name) if name in named:
            yield from _wholes(named[name], named)
        case ast.IfExp(body=one, orelse=other):
            yield from (*_wholes(one, named), *_wholes(other, named))
        case ast.BinOp(left=one, op=ast.Add(), right=other):
            yield from (first + second for first, second in product(_wholes(one, named), _wholes(other, named)))
        case (
            ast.Call(func=ast.Attribute(value=inner, attr="rstrip"))
            | ast.Call(func=ast.Name(id="to_tr"), args=[inner])
        ):
            yield from _wholes(inner, named)
        case ast.JoinedStr(values=parts):
            yield from (_alone(sum(each, ())) for each in product(*(tuple(_choices(part, named)) for part in parts)))


def _choices(part: ast.expr, named: Mapping[str, ast.expr]) -> Iterator[Parts]:
    """What can stand in one place of an f-string."""
    if not isinstance(part, ast.FormattedValue):
        yield from _wholes(part, named)
        return
    match part.value:
        case ast.BoolOp(op=ast.Or(), values=[value, ast.Constant(value=str(instead))]):
            yield from ((value,), (instead,))
        case ast.IfExp(body=one, orelse=other):
            yield from (*(tuple(_wholes(one, named)) or ((one,),)), *(tuple(_wholes(other, named)) or ((other,),)))
        case value:
            yield from tuple(_wholes(value, named)) or ((value,),)


def _alone(parts: Parts) -> Parts:
    """Without a sentence that follows, or does not: it is known by itself, see `language.retold`."""
    match parts:
        case (*before, str(words), ast.expr()) if words.rstrip().endswith("."):
            return (*before, words.rstrip())
    return parts


def _has_words(parts: Parts) -> bool:
    """Others are known sentences in a row."""
    return any(isinstance(part, str) and part.strip() for part in parts)


def _named(parts: Parts) -> str:
    if not any(isinstance(part, ast.expr) for part in parts):
        return "".join(map(str, parts))
    names: dict[str, str] = {}  # by expression
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part.replace("{", "{{").replace("}", "}}")
            continue
        expression = ast.unparse(part)
        if expression not in names:
            names[expression] = _new(_name(part), names.values())
        text += f"{{{names[expression]}}}"
    return text


def _new(name: str, taken: Collection[str]) -> str:
    """The name, with a number from the second value of that name on."""
    numbered = (f"{name}{number}" for number in count(2))
    return next(each for each in chain((name,), numbered) if each not in taken)


def _name(value: ast.expr) -> str:
    """The last name in an expression, but for those of functions that are called."""
    called = {id(node.func) for node in ast.walk(value) if isinstance(node, ast.Call)}
    found = [
        (node.end_lineno or 0, node.end_col_offset or 0, text)
        for node in ast.walk(value)
        if isinstance(node, ast.expr) and id(node) not in called and (text := _called(node))
    ]
    return max(found)[-1] if found else _NAMELESS


def _called(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_").lower()
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
    return ""
