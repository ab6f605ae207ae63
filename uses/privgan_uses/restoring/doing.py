"""What the verbs call: paths and frozen requests in, whole folders and frozen results out."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from privgan.arrays import Images
from privgan.data.cohort.cohort import open_cohort
from privgan.data.sources.opening import read_images
from privgan.errors import UsageError
from privgan.folders import staged_folder
from privgan.images.form import ImageForm
from privgan.interruption import StopRequest
from privgan.kinds import EVALUATION, RESTORED, RESTORER
from privgan.language import to_tr
from privgan.progress import Progress, silent
from privgan_uses.released import open_released as read_sets
from privgan_uses.released import require_permitted
from privgan_uses.restoring.applying.apply import Applied, Asked, apply_restorer, require_apart
from privgan_uses.restoring.applying.opening import require_readable, wishes_for
from privgan_uses.restoring.evaluating.evaluate import Evaluated, Question, evaluate_restorer, write_evaluation
from privgan_uses.restoring.evaluating.page import write_page
from privgan_uses.restoring.make import Material, damage_of, make_restorer
from privgan_uses.restoring.model import Restorer, RestorerFacts, open_restorer
from privgan_uses.restoring.request import Public, RestoreRequest

_NOT_LEARNED = to_tr("nothing of this model was kept.")
_NOT_KEPT = to_tr("nothing half-written was left behind.")


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What is learned from. public_keys: of the hospitals, for the bundles. form: of public images alone.

    today: by which permissions are checked.
    """

    bundles: tuple[Path, ...]
    public_keys: tuple[Path, ...]
    today: date
    public: Public | None = None
    form: ImageForm | None = None


def train_restorer(
    sources: Sources,
    folder: Path,
    request: RestoreRequest,
    stop: StopRequest,
    *,
    force: bool = False,
    progress: Progress = silent,
) -> RestorerFacts:
    """Learn a restorer from released sets, public images, or both; nothing is kept of an interrupted learning.

    Raises:
        UsageError: nothing to learn from, or a request that does not fit it.
        IntegrityError: a bundle is not what was released.
        InputRejectedError: too few images.
    """
    with staged_folder(folder, marker=RESTORER.marker, force=force) as place:
        material = _material(sources, request, progress)
        return make_restorer(material, place, request, progress, lambda: _heed(stop, _NOT_LEARNED))


def _heed(stop: StopRequest, kept: str) -> None:
    """End where somebody asked for it, and say what is left."""
    if stop.signal is not None:
        raise stop.error(kept)


def _material(sources: Sources, request: RestoreRequest, progress: Progress) -> Material:
    parts = []
    if sources.bundles:
        sets = read_sets(sources.bundles, sources.public_keys, today=sources.today, progress=progress)
        require_readable(sets.form, damage_of(request, sets.form))
        parts.append(Material.of_sets(sets))
    form = parts[0].form if parts else sources.form
    if sources.public is not None and form is not None:
        require_readable(form, damage_of(request, form))
        read = read_images(sources.public.path, wishes_for(form, form.side, leaves=True), progress=progress)
        named = {"source": sources.public.source, "licence": sources.public.licence}
        parts.append(Material.of_public(read.images, form, **named))
    if not parts:
        raise UsageError("Expected at least one released set or --public images to learn from, got none.")
    return parts[0] if len(parts) == 1 else parts[0].beside(parts[1])


def apply_model(
    model: Path,
    source: Path,
    folder: Path,
    asked: Asked,
    stop: StopRequest,
    *,
    force: bool = False,
    progress: Progress = silent,
) -> Applied:
    """Restore every image of a source into a private folder of its own.

    Raises:
        UsageError, InputRejectedError: see `apply_restorer`; or the folder is in the source's place.
        IntegrityError: the model was edited.
    """
    require_apart(source, folder)
    with staged_folder(folder, marker=RESTORED.marker, force=force) as place:
        opened = open_restorer(model)
        require_permitted(opened.facts.origins, datetime.now(UTC).date())
        return apply_restorer(opened, source, place, asked, progress, lambda: _heed(stop, _NOT_KEPT))


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What a model is measured beside. ceiling: what members' images would have taught.

    sources: what the model was learned from, for the plain network; None leaves that out.
    """

    sources: Sources | None = None
    ceiling: bool = True
    seed: int = 0


def evaluate_model(
    model: Path,
    cohort: Path,
    folder: Path,
    compared: Compared,
    stop: StopRequest,
    *,
    force: bool = False,
    progress: Progress = silent,
) -> Evaluated:
    """Measure a restorer on a cohort's held-back patients, and write the internal page.

    Raises:
        UsageError, InputRejectedError: see `evaluate_restorer`; or the bundles are not those of the model.
        IntegrityError: model, cohort or bundle were edited.
    """
    with staged_folder(folder, marker=EVALUATION.marker, force=force) as place:
        opened = open_restorer(model)
        require_permitted(opened.facts.origins, datetime.now(UTC).date())
        question = Question(ceiling=compared.ceiling, seed=compared.seed)
        if compared.sources is not None:
            question = replace(question, images=_learned_from(opened, compared.sources, progress))
        found = evaluate_restorer(opened, open_cohort(cohort), question, progress, lambda: _heed(stop, _NOT_KEPT))
        write_evaluation(place, found.content)
        write_page(place, opened.facts, found)
        return found


def _learned_from(model: Restorer, sources: Sources, progress: Progress) -> Images:
    sets = read_sets(sources.bundles, sources.public_keys, today=sources.today, progress=progress)
    if sets.origins != model.facts.origins or model.facts.public:
        raise UsageError(
            "Expected the released sets that the model was learned from, in the same order, to compare it with a "
            "plain network that saw the same images; got others."
        )
    material = Material.of_sets(sets)
    return material.images[~material.spared]
