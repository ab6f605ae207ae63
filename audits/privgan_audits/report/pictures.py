"""The gallery as a page shows it: pictures as PNG data URIs under numbers, and a key that tells what they were."""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from privgan.language import retold, to_tr, tr
from privgan_audits.report.gallery import MEMBER, OTHER, Gallery, worrying_excess
from privgan_audits.report.page import Picture, Pictures, Table
from privgan_audits.report.words import frame

_PIXELS = 128
_CAPTIONS = to_tr(
    {
        MEMBER: "{how}: member image {real}, synthetic image {synthetic}",
        OTHER: "{how}: non-member image {real}, synthetic image {synthetic}",
    }
)


def pictures_of(gallery: Gallery) -> Pictures:
    """For the internal page."""
    identical = [
        Picture(
            number=number,
            real=data_uri(pair.real),
            synthetic=data_uri(pair.synthetic),
            caption=tr(
                _CAPTIONS[pair.side], how=retold(pair.how), real=pair.real_row, synthetic=pair.synthetic_row + 1
            ),
        )
        for number, pair in enumerate(gallery.identical, start=1)
    ]
    blinded = [
        Picture(number=number, real=data_uri(pair.real), synthetic=data_uri(pair.synthetic))
        for number, pair in enumerate(gallery.blinded, start=1)
    ]
    rows = [
        (str(number), tr(pair.side), retold(pair.how), str(pair.real_row), str(pair.synthetic_row + 1))
        for number, pair in enumerate(gallery.blinded, start=1)
    ]
    worry = worrying_excess(len(rows) // 2) if rows else 0
    return Pictures(
        identical=tuple(identical),
        blinded=tuple(blinded),
        key=Table(
            caption=tr("What each pair was"),
            head=(
                tr("Pair"),
                tr("Real image of a"),
                tr("Distance, of that to another patient"),
                tr("Its row"),
                tr("Synthetic image"),
            ),
            rows=tuple(rows),
        ),
        after=tr(frame.GALLERY_AFTER, worry=worry),
    )


def data_uri(image: NDArray[np.uint8]) -> str:
    """An image, uint8 (h, w) or (h, w, 3), enlarged without smoothing, as a PNG data URI."""
    factor = max(1, _PIXELS // max(image.shape[:2]))
    buffer = io.BytesIO()
    Image.fromarray(image.repeat(factor, axis=0).repeat(factor, axis=1)).save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
