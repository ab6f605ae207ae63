"""How the templates of every page are read: every value is escaped, and a missing one is an error."""

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


def page_environment(package: str, folder: str = "templates", *, over: str | None = None) -> Environment:
    """The templates in a folder of a package, before those of the package `over`, whose parts they use."""
    own = PackageLoader(package, folder)
    loader = own if over is None else ChoiceLoader([own, PackageLoader(over)])
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
