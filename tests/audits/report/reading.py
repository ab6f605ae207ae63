"""What a browser would find on a page, and an empty report folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from privgan_audits.report.gallery import Gallery
from privgan_audits.report.write import write_report
from tests.audits.report.recorded import GALLERY

SALT = "5" * 64


@dataclass
class Seen(HTMLParser):
    """What a browser would find on a page."""

    tags: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    attributes: set[str] = field(default_factory=set)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what matters of one tag."""
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(value or "")
            if name in {"src", "href", "xlink:href", "srcset", "action", "data"}:
                self.loads.append(value or "")

    def handle_data(self, data: str) -> None:
        """Collect what a reader sees."""
        self.text += data


def seen(path: Path) -> Seen:
    page = Seen()
    page.feed(path.read_text())
    return page


def written(folder: Path, content: Mapping[str, Any], gallery: Gallery | None = GALLERY) -> tuple[Path, Path]:
    """The internal and the public page of a record."""
    folder.mkdir(exist_ok=True)
    write_report(folder, content, gallery, salt=SALT)
    return folder / "audit.html", folder / "audit-public.html"
