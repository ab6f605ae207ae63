"""How the templates of every page are read: every value is escaped, and a missing one is an error."""

import base64
import hashlib

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


def page_environment(package: str, folder: str = "templates", *, over: str | None = None) -> Environment:
    """The templates in a folder of a package, before those of the package `over`, whose parts they use."""
    own = PackageLoader(package, folder)
    loader = own if over is None else ChoiceLoader([own, PackageLoader(over)])
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def source_of(text: str) -> str:
    """What a content security policy allows a style or a script by, without its quotes: `sha256-` and the digest."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
