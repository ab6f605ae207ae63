"""What the verbs call: paths and frozen requests in, whole folders and frozen results out.

Whatever `progress` raises ends the work and leaves nothing behind.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from privgan.arrays import Images
from privgan.data.cohort.cohort import open_cohort
from privgan.data.sources.opening import read_images
from privgan.errors import UsageError
from privgan.folders import staged_folder
from privgan.images.form import ImageForm
from privgan.kinds import EVALUATION, RESTORED, RESTORER
from privgan.progress import Progress, silent
from privgan_uses.released import open_released as read_sets
from privgan_uses.released import require_permitted
from privgan_uses.restoring.applying.apply import Applied, Asked, apply_restorer, require_apart
from privgan_uses.restoring.applying.opening import require_readable, wishes_for
from privgan_uses.restoring.damage import Damage
from privgan_uses.restoring.evaluating.evaluate import Evaluated, Question, evaluate_restorer, write_evaluation
from privgan_uses.restoring.evaluating.page import write_page
from privgan_uses.restoring.make import Material, damage_of, make_restorer
from privgan_uses.restoring.model import Restorer, RestorerFacts, open_restorer
from privgan_uses.restoring.request import PublicImages, RestoreRequest, Rivals


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What is learned from. public_keys: of the hospitals, for the bundles. today: of permissions, in UTC."""

    bundles: tuple[Path, ...]
    public_keys: tuple[Path, ...]
    today: date
    public: PublicImages | None = None


def train_restorer(
    sources: Sources, folder: Path, request: RestoreRequest, *, force: bool = False, progress: Progress = silent
) -> RestorerFacts:
    """Learn a restorer from released sets, public images, or both; nothing is kept of an interrupted learning.

    Raises:
        UsageError: nothing to learn from, or a request that does not fit it.
        IntegrityError: a bundle is not what was released.
        InputRejectedError: too few images.
    """
    with staged_folder(folder, marker=RESTORER.marker, force=force) as place:
        material = _material(sources, lambda form: damage_of(request, form), progress)
        return make_restorer(material, place, request, sources.today, progress)


def _material(sources: Sources, damage: Callable[[ImageForm], Damage], progress: Progress) -> Material:
    """damage: of images of a form; what small images of it cannot be read is refused."""
    parts, public = [], sources.public
    if sources.bundles:
        sets = read_sets(sources.bundles, sources.public_keys, today=sources.today, progress=progress)
        require_readable(sets.form, damage(sets.form))
        parts.append(Material.of_sets(sets))
    form = parts[0].form if parts else None if public is None else public.form
    if public is not None and form is not None:
        require_readable(form, damage(form))
        read = read_images(public.path, wishes_for(form, form.side, leaves=True), progress=progress)
        parts.append(Material.of_public(read.images, form, source=public.source, licence=public.licence))
    if not parts:
        raise UsageError("Expected at least one released set or --public images to learn from, got none.")
    return parts[0] if len(parts) == 1 else parts[0].beside(parts[1])


def apply_model(
    model: Path,
    source: Path,
    folder: Path,
    asked: Asked,
    *,
    today: date,
    force: bool = False,
    progress: Progress = silent,
) -> Applied:
    """Restore every image of a source into a private folder of its own. today: in UTC.

    Raises:
        UsageError, InputRejectedError: see `apply_restorer`; or the folder is in the source's place, or the model may
            be used no longer.
        IntegrityError: the model was edited.
    """
    require_apart(source, folder)
    with staged_folder(folder, marker=RESTORED.marker, force=force) as place:
        opened = open_restorer(model)
        require_permitted(opened.facts.origins, today)
        return apply_restorer(opened, source, place, asked, today, progress)


def evaluate_model(
    model: Path,
    cohort: Path,
    folder: Path,
    rivals: Rivals,
    *,
    today: date,
    force: bool = False,
    progress: Progress = silent,
) -> Evaluated:
    """Measure a restorer on a cohort's held-back patients, and write the internal page. today: in UTC.

    Raises:
        UsageError, InputRejectedError: see `evaluate_restorer`; or the model was learned from something else than
            the rivals say, or may be used no longer.
        IntegrityError: model, cohort or bundle were edited.
    """
    with staged_folder(folder, marker=EVALUATION.marker, force=force) as place:
        opened = open_restorer(model)
        require_permitted(opened.facts.origins, today)
        learned_from = _learned_from(opened, rivals, today, progress)
        question = Question(images=learned_from, ceiling=rivals.ceiling, seed=rivals.seed)
        found = evaluate_restorer(opened, open_cohort(cohort), question, progress)
        write_evaluation(place, found.content)
        write_page(place, opened.facts, found)
        return found


def _learned_from(model: Restorer, rivals: Rivals, today: date, progress: Progress) -> Images | None:
    """What the plain network learns from; None where nobody asked for one."""
    if not rivals.bundles and rivals.public is None:
        return None
    facts, public = model.facts, None
    if rivals.public is not None and facts.public:
        (named,) = facts.public
        public = PublicImages(path=rivals.public, source=named.source, licence=named.licence, form=facts.form)
    sources = Sources(bundles=rivals.bundles, public_keys=rivals.public_keys, today=today, public=public)
    material = _material(sources, lambda _: facts.damage, progress)
    if (material.origins, material.public) != (facts.origins, facts.public) or (rivals.public and not public):
        raise UsageError(
            "Expected everything that the model was learned from, released sets in the same order and the public "
            "images, to compare it with a plain network that saw the same; got something else."
        )
    return material.images[~material.spared]
