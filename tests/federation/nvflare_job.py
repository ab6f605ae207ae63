"""A program: three sites of NVFlare's simulator carry letters, each from and to its own folder.

PRIVGAN_FEDERATIONS=FOLDERS python tests/federation/nvflare_job.py WORKSPACE NAME...
"""

import sys

from nvflare.recipe.sim_env import SimEnv

from privgan.federation.nvflare_courier import courier

if __name__ == "__main__":
    workspace, *names = sys.argv[1:]
    courier(sites=len(names), minutes=4).execute(SimEnv(clients=names, workspace_root=workspace))
