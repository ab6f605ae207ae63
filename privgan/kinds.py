"""Which of privgan's folders a folder is: told by the one file that only such a folder has.

Who names the wrong folder made a mistake and is told what that one is. A folder that has lost the file by which it
is known is something else: damaged, or edited.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from privgan.errors import IntegrityError, UsageError
from privgan.language import kept, to_tr


@dataclass(frozen=True, kw_only=True)
class Kind:
    """name: in words. marker: the file that only such a folder has. verb: that makes one. parts: what else it has.

    others: a sentence about a folder that privgan did not make.
    """

    name: str
    marker: str
    verb: str
    parts: tuple[str, ...]
    others: str = ""

    def __str__(self) -> str:
        return kept("a {kind} (of `privgan {verb}`)", kind=self.name, verb=self.verb)


COHORT = Kind(name=to_tr("cohort"), marker="cohort.json", verb="prepare", parts=("patients.npz", "refused.jsonl"))
RUN = Kind(name=to_tr("run"), marker="run.json", verb="train", parts=("config.resolved.toml", "model"))
SET = Kind(
    name=to_tr("synthetic set"),
    marker="manifest.json",
    verb="generate",
    parts=("NOT_RELEASED", "SEED"),
    others=to_tr("Images of other generators can be audited but not released: no books prove a promise about them."),
)
REPORT = Kind(name=to_tr("report"), marker="audit.json", verb="audit", parts=("audit.html", "audit-public.html"))
BUNDLE = Kind(name=to_tr("bundle"), marker="attestation.dsse.json", verb="release", parts=("SHA256SUMS", "dataset"))
PRIOR = Kind(name=to_tr("prior"), marker="prior.json", verb="prior", parts=("finish.safetensors",))
FEDERATION = Kind(name=to_tr("federation"), marker="invitation.dsse.json", verb="invite", parts=("joined", "answers"))
CLASSIFIER = Kind(
    name=to_tr("classifier"), marker="classifier.json", verb="teach", parts=("classifier.safetensors", "model.onnx")
)
EXAMINED = Kind(
    name=to_tr("evaluation of a classifier"), marker="evaluation.json", verb="evaluate", parts=("evaluation.html",)
)
AUGMENTATION = Kind(
    name=to_tr("study of augmentation"), marker="augment.json", verb="augment", parts=("augment.html",)
)
RESTORER = Kind(name=to_tr("restorer"), marker="restorer.json", verb="enhance train", parts=("restorer.safetensors",))
RESTORED = Kind(
    name=to_tr("folder of restored images"), marker="restored.json", verb="enhance apply", parts=("READ ME.txt",)
)
EVALUATION = Kind(name=to_tr("evaluation"), marker="evaluate.json", verb="enhance evaluate", parts=("evaluate.html",))
KINDS = (
    *(COHORT, RUN, SET, REPORT, BUNDLE, PRIOR, FEDERATION),
    *(CLASSIFIER, EXAMINED, AUGMENTATION, RESTORER, RESTORED, EVALUATION),
)


def kind_of(path: Path) -> Kind | None:
    """What a path is; None for whatever privgan did not make, or what is not there."""
    return next((kind for kind in KINDS if os.path.lexists(path / kind.marker)), None)


def require_kind(kind: Kind, path: Path) -> None:
    """Refuse a path that is no such folder.

    Raises:
        UsageError: it is missing, a file, or another folder.
        IntegrityError: it is such a folder without its marker.
    """
    if not path.is_dir():
        raise UsageError(f"Expected {kind}, {path} is {'a file' if path.exists() else 'missing'}.")
    if os.path.lexists(path / kind.marker):
        return
    if what := kind_of(path):
        raise UsageError(f"Expected {kind}, {path} is {what}.")
    if any(os.path.lexists(path / part) for part in kind.parts):
        note = kind.name
        raise IntegrityError(f"Expected the file {kind.marker} of the {note} {path}, it is missing.")
    raise UsageError(f"Expected {kind}, {path} is a folder that privgan did not make. {kind.others}".rstrip())


def require_kinds(*asked: tuple[Kind, Path]) -> None:
    """Refuse the first path that is no such folder, and say so where two of them are swapped.

    Raises:
        UsageError, IntegrityError: see `require_kind`.
    """
    for kind, path in asked:
        what = kind_of(path)
        if what in (None, kind):
            continue
        other = next((each for _, each in asked if each != path and kind_of(each) is kind), None)
        if other is not None:
            note = kind.name
            raise UsageError(
                f"Expected {kind}, {path} is {what}, and {other} is the {note}: the two seem to be swapped."
            )
    for kind, path in asked:
        require_kind(kind, path)


def require_no_kind(path: Path, *, but: tuple[Kind, ...] = (), what: str) -> None:
    """Refuse one of privgan's own folders where images are expected.

    Raises:
        UsageError: it is one, and none of those in `but`.
    """
    kind = kind_of(path)
    if kind is not None and kind not in but:
        raise UsageError(f"Expected {what}, {path} is {kind}.")
