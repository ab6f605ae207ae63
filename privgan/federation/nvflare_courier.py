"""Letters by NVFlare (2.9, its Collab API), for hospitals that run it: a courier, and nothing more.

NVFlare carries what lies in each site's own copy of the federation's folder to the others. It reads no cohort and
holds no key; `privgan answer --wait` runs beside it, as another user if a hospital likes, and believes a letter by
its signature alone. Nothing else imports this module, and nothing here is needed without NVFlare.

    python -m privgan.federation.nvflare_courier JOB --sites 3 --minutes 600

writes the job that is submitted.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from privgan.checks import positive, within
from privgan.errors import UsageError
from privgan.federation.carrying import Bag, carry
from privgan.federation.exchange import Exchange
from privgan.federation.invitation import MOST_SITES
from privgan.files import write_text

try:
    from nvflare.collab import CollabCallError, collab
except ImportError:
    sys.exit('Expected NVFlare 2.9; install it: pip install "privgan[nvflare]".')

FOLDERS = "PRIVGAN_FEDERATIONS"
_HERE = "privgan.federation.nvflare_courier"  # also where it is run as a program
ALLOWED = ("nvflare.collab.runtime.executor.CollabExecutor", f"{_HERE}.Courier")  # of a site's class_allow_list
_LOOK_SECONDS = 2.0
_ASK_SECONDS = 15.0  # for digests; while a site is away, every round of the others takes so long
_CALL_SECONDS = 120.0


class Courier:
    """At a site. Its folder is $PRIVGAN_FEDERATIONS/SITE, SITE being its name in NVFlare and in the invitation.

    The site sets that variable, so that no job chooses what is read or written here.
    """

    @collab.publish
    def told(self) -> tuple[str, dict[str, str], bool]:
        """See `Bag.told`."""
        return _bag().told()

    @collab.publish
    def given(self, places: list[str]) -> dict[str, bytes]:
        """See `Bag.given`."""
        return _bag().given(places)

    @collab.publish
    def take(self, letters: dict[str, bytes]) -> None:
        """See `Bag.take`."""
        _bag().take(letters)


def _bag() -> Bag:
    if not (folders := os.environ.get(FOLDERS)):
        raise UsageError(f"Expected {FOLDERS} to name the folder with this site's federation, it is not set.")
    return Bag(exchange=Exchange(folder=Path(folders) / collab.site_name), site=collab.site_name)


class Post:
    """At the server: asks who has what, and brings it to whoever lacks it, until nothing is due, or for so long."""

    def __init__(self, minutes: float) -> None:
        self.minutes = minutes

    @collab.main
    def run(self) -> bool:
        """Whether all sites have all letters, the word of each on a set among them."""
        known: dict[str, bytes] = {}
        end = time.monotonic() + 60 * self.minutes
        while not (done := _carried(known)) and time.monotonic() < end and not collab.is_aborted:
            time.sleep(_LOOK_SECONDS)
        return done


def _carried(known: dict[str, bytes]) -> bool:
    """See `carry`."""
    told = dict(collab.clients(timeout=_ASK_SECONDS).told())
    ways = {client.name: client(timeout=_CALL_SECONDS) for client in collab.clients}
    return carry(known, told, ways, broken=CollabCallError)


def write_job(folder: Path, *, sites: int, minutes: float) -> None:
    """A job for NVFlare to submit: three files of JSON and no code, which every site's own privgan brings.

    So nobody needs the right to send code to a hospital (BYOC): a site allows the two classes of `ALLOWED` by name.

    Args:
        folder: to be made, with the job's name.
        sites: how many take part.
        minutes: for how long letters are carried, if not all are there before.

    Raises:
        UsageError: the folder exists or cannot be made, or a number means nothing.
    """
    within(2, MOST_SITES, sites=sites)
    positive(minutes=minutes)
    try:
        folder.mkdir()
    except FileExistsError:
        raise UsageError("Expected a folder that does not exist yet, there is one of this name.") from None
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"Expected an existing folder to write into, {folder.parent} is missing.") from None
    (folder / "app" / "config").mkdir(parents=True)
    server = {
        "workflows": [
            _part("controller", "nvflare.collab.runtime.controller.CollabController", server_obj_id="post")
        ],
        "components": [_part("post", f"{_HERE}.Post", minutes=minutes)],
    }
    executor = {"path": ALLOWED[0], "args": {"client_obj_id": "courier"}}
    client = {
        "executors": [{"tasks": ["*"], "executor": executor}],
        "components": [_part("courier", ALLOWED[1])],
    }
    plain = {"format_version": 2, "task_data_filters": [], "task_result_filters": []}
    for side, said in (("server", server), ("client", client)):
        write_text(folder / "app" / "config" / f"config_fed_{side}.json", json.dumps({**plain, **said}, indent=1))
    meta = {"name": folder.name, "resource_spec": {}, "min_clients": sites, "deploy_map": {"app": ["@ALL"]}}
    write_text(folder / "meta.json", json.dumps(meta, indent=1))


def _part(name: str, path: str, **args: object) -> dict[str, object]:
    return {"id": name, "path": path, "args": args}


def _main() -> None:
    parser = argparse.ArgumentParser(description="Write a job for NVFlare that carries letters between hospitals.")
    parser.add_argument("job", type=Path, help="the folder to make")
    parser.add_argument("--sites", type=int, required=True, help="how many take part")
    parser.add_argument("--minutes", type=float, default=600.0, help="for how long letters are carried at most")
    asked = parser.parse_args()
    try:
        write_job(asked.job, sites=asked.sites, minutes=asked.minutes)
    except UsageError as error:
        parser.error(str(error))


if __name__ == "__main__":
    _main()
