"""A program: three sites of NVFlare's simulator carry letters, each from and to its own folder.

PRIVGAN_FEDERATIONS=FOLDERS python tests/federation/nvflare_job.py WORKSPACE NAME...
"""

import json
import subprocess
import sys
from pathlib import Path

from nvflare.private.fed.app.simulator.simulator_runner import SimulatorRunner

from privgan.federation.nvflare_courier import ALLOWED

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
    asked = [str(job), "--sites", str(len(names)), "--minutes", "4"]
    subprocess.run([sys.executable, "-m", "privgan.federation.nvflare_courier", *asked], check=True)
    sys.exit(SimulatorRunner(str(job), workspace, ",".join(names), len(names), len(names)).run())
