"""The head of a card in YAML, by which dataset hubs file a set: a format for machines, of facts that the card tells.

Its fields are those of Hugging Face's dataset cards. Strings are written as JSON, which YAML reads.
"""

import json
from collections.abc import Iterator, Mapping, Sequence

from privgan.data.terms import OTHER
from privgan.synthetic.synthetic_set import Manifest

_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
# Licences that hubs know, by the identifier of SPDX in small letters.
_KNOWN = {
    "cc0-1.0": "CC0-1.0",
    "cc-by-4.0": "CC-BY-4.0",
    "cc-by-sa-4.0": "CC-BY-SA-4.0",
    "cc-by-nc-4.0": "CC-BY-NC-4.0",
    "cc-by-nc-sa-4.0": "CC-BY-NC-SA-4.0",
    "cc-by-nd-4.0": "CC-BY-ND-4.0",
    "cc-by-nc-nd-4.0": "CC-BY-NC-ND-4.0",
    "odbl": "ODbL-1.0",
    "pddl": "PDDL-1.0",
    "mit": "MIT",
    "apache-2.0": "Apache-2.0",
}


def hub_head(
    manifest: Manifest, title: str = "", *, licence: str | None = None, splits: Mapping[str, str] | None = None
) -> str:
    """The lines between two rules at the top of a README.md.

    Args:
        manifest: of the set.
        title: of the project; one follows from the manifest where there is none.
        licence: as it was given, empty where none was; None leaves the field out.
        splits: where the files of each split are, relative to the README.md.
    """
    shown = title or f"Synthetic images{subject_of(manifest)}"
    lines = ["---", *(_licence(licence) if licence is not None else ()), f"pretty_name: {_text(shown)}"]
    lines += _list("task_categories", _tasks(manifest))
    lines += _list("tags", _tags(manifest))
    lines += _list("size_categories", [next((word for most, word in _SIZES if manifest.count < most), "n>10M")])
    if splits:
        lines += ["configs:", "- config_name: default", "  data_files:"]
        lines += [f"  - split: {split}\n    path: {_text(path)}" for split, path in splits.items()]
    return "\n".join([*lines, "---", "", ""])


def subject_of(manifest: Manifest) -> str:
    """Modality and body part in brackets, as far as they are known."""
    words = " ".join(word for word in (manifest.form.modality, manifest.form.body_part) if word not in ("", OTHER))
    return f" ({words})" if words else ""


def spdx(licence: str) -> str:
    """SPDX's identifier of a licence that hubs know, as SPDX spells it; empty for anything else.

    >>> spdx("cc-by-4.0"), spdx("for teaching alone")
    ('CC-BY-4.0', '')
    """
    return _KNOWN.get(licence.lower(), "")


def licence_url(licence: str) -> str:
    """Where a licence that hubs know stands; otherwise what was given.

    >>> licence_url("CC-BY-4.0"), licence_url("for teaching alone")
    ('https://spdx.org/licenses/CC-BY-4.0.html', 'for teaching alone')
    """
    known = spdx(licence)
    return f"https://spdx.org/licenses/{known}.html" if known else licence


def _licence(licence: str) -> Iterator[str]:
    if licence.lower() in _KNOWN:
        yield f"license: {licence.lower()}"
    elif not licence:
        yield "license: unknown"
    else:
        yield "license: other"
        yield f"license_name: {_text(licence)}"


def _tasks(manifest: Manifest) -> list[str]:
    several = len(manifest.form.classes) > 1
    return [*(["image-classification"] if several else []), "unconditional-image-generation"]


def _tags(manifest: Manifest) -> list[str]:
    known = (word.lower() for word in (manifest.form.modality, manifest.form.body_part) if word not in ("", OTHER))
    private = [] if manifest.not_private else ["differential-privacy"]
    return ["synthetic", "medical", "privgan", *private, *known]


def _list(name: str, items: Sequence[str]) -> list[str]:
    return [f"{name}:", *(f"- {_text(item)}" for item in items)]


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
