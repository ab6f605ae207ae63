"""Whether a cohort's images are of the kind that a set or a model knows: others would be answered for nothing."""

from privgan.errors import UsageError
from privgan.images.form import ImageForm


def require_alike(cohort: ImageForm, known: ImageForm) -> None:
    """Refuse images of another size, colour, kind or window; what one of the two does not say is no difference.

    Classes are another matter: who needs which, and in which order, is each caller's.

    Raises:
        UsageError: they differ.
    """
    if cohort.shape != known.shape:
        raise UsageError(
            f"Expected a cohort of images like those of the set or the model, {known}, this one has {cohort}. "
            "Prepare it with that --size, and with --colour if those are in colour."
        )
    if cohort.contradicts(known):
        raise UsageError(
            f"Expected a cohort of images called {known.called!r}, as those of the set or the model, this one's are "
            f"called {cohort.called!r}. If they are the same, prepare it with that --modality and --body-part."
        )
    if cohort.window != known.window:
        raise UsageError(
            "Expected a cohort with the window of the set or the model, this one has another: the same tissue would "
            "have other grey levels. Prepare it with that window."
        )
