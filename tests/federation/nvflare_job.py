"""A program: three sites of NVFlare's simulator carry letters, each from and to its own folder.

PRIVGAN_FEDERATIONS=FOLDERS python tests/federation/nvflare_job.py WORKSPACE NAME...
"""

import json
import sys
from pathlib import Path

from nvflare.private.fed.app.simulator.simulator_runner import SimulatorRunner

from privgan.federation.nvflare_courier import ALLOWED, write_job

POST = ("nvflare.collab.runtime.controller.CollabController", "privgan.federation.nvflare_courier.Post")

if __name__ == "__main__":
    workspace, *names = sys.argv[1:]
    local, job = Path(workspace) / "local", Path(workspace).with_name("courier")
    local.mkdir(parents=True)
    (local / "resources.json").write_text(
        json.dumps(
            {"format_version": 2, "class_allow_list": [*ALLOWED, *POST], "class_list_enforcement_mode": "enforce"}
        )
    )
    write_job(job, sites=len(names), minutes=4)
    sys.exit(SimulatorRunner(str(job), workspace, ",".join(names), len(names), len(names)).run())
