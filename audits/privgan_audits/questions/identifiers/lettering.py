"""Whether images show text: a generator may have learned what a site burns into its images. For information alone.

Text in an image need not name anybody, and small or faint letters are overlooked: neither a find nor its absence says
enough to judge by.
"""

from privgan.arrays import Images
from privgan.images.text import shows_text
from privgan.language import tr
from privgan.progress import Progress, silent
from privgan_audits.evidence.interface import Evidence

_PROGRESS_EVERY = 500


def lettering(evidence: Evidence, progress: Progress = silent) -> dict[str, int]:
    """See the module.

    Returns:
        `synthetic` and `members` (images in which text was seen), `of_synthetic` and `of_members` (images).
    """
    made, real = evidence.synthetic.images, evidence.members.images
    seen = [_seen(images, progress) for images in (made, real)]
    return {"synthetic": seen[0], "of_synthetic": len(made), "members": seen[1], "of_members": len(real)}


def _seen(images: Images, progress: Progress) -> int:
    """How many of (n, h, w, c) show text."""
    count = 0
    for number, image in enumerate(images, start=1):
        count += shows_text(image)
        if number % _PROGRESS_EVERY == 0 or number == len(images):
            progress(tr("looking for text in images"), number, len(images))
    return count
