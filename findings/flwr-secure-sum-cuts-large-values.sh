#!/usr/bin/env bash
# flwr 1.42.0: a securely summed average cuts off large parameters, the sooner the more images a hospital has.
#
# Three hospitals send the same model: a weight of 0.5 and a running variance of 50, as normalisation layers keep them
# and a state dict carries them. Their average must be that model. SecAgg+ first multiplies every value by images /
# max_weight (1000 unless said otherwise) and only then cuts to -8 to 8 (clipping_range): with 100 images each the 50
# survives, with 1000 it becomes 8, with 5000 it becomes 1.6, and no log speaks of values cut. (Above 1000 images a
# warning speaks of a possible overflow of weights; there was none, the 0.5 is right.) The documentation says that model
# parameters are clipped to that range, not that they are weighted before, so that the range is 8000 / images.
#
# Seen (Python 3.11), the average of three times (0.5, 50.0):
#   100 images each: 0.5 50.0
#   1000 images each: 0.5 8.0
#   5000 images each: 0.5 1.6
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet --no-compile flwr==1.42.0 numpy==2.3.5 2>/dev/null
cd "$home"
FLWR_TELEMETRY_ENABLED=0 HOME=$home venv/bin/python - 2>/dev/null <<'PY' | grep "each:" | tee said
from copy import deepcopy
from types import SimpleNamespace

import numpy as np
from flwr.client import ClientApp, NumPyClient
from flwr.client.mod import secaggplus_mod
from flwr.common import ConfigRecord, Context, RecordDict, ndarrays_to_parameters, parameters_to_ndarrays
from flwr.compat.common.recorddict_compat import arrayrecord_to_parameters, parameters_to_arrayrecord
from flwr.server import LegacyContext, SimpleClientManager
from flwr.server.strategy import FedAvg
from flwr.server.workflow import SecAggPlusWorkflow
from flwr.server.workflow.constant import MAIN_CONFIGS_RECORD, MAIN_PARAMS_RECORD, Key
from flwr.supercore.task_identity import TaskIdentity

TaskIdentity.run_id = TaskIdentity.task_id = TaskIdentity.node_id = 1  # no server runs here
MODEL = np.array([0.5, 50.0])


def context(node):
    return Context(run_id=1, node_id=node, node_config={}, state=RecordDict(), run_config={})


class Grid:
    """Hands each message to its hospital, as the network does."""

    def __init__(self, images):
        class Hospital(NumPyClient):
            def fit(self, parameters, config):
                return [MODEL.copy()], images, {}

        self.app = ClientApp(client_fn=lambda _context: Hospital().to_client(), mods=[secaggplus_mod])
        self.contexts = {node: context(node) for node in (1, 2, 3)}

    def send_and_receive(self, messages, *, timeout=None):
        return [self.app(deepcopy(each), self.contexts[each.metadata.dst_node_id]) for each in messages]


def average(images):
    grid, manager = Grid(images), SimpleClientManager()
    for node in grid.contexts:
        manager.register(SimpleNamespace(cid=str(node), node_id=node))
    server = LegacyContext(context(9), strategy=FedAvg(min_available_clients=3), client_manager=manager)
    server.state.config_records[MAIN_CONFIGS_RECORD] = ConfigRecord({Key.CURRENT_ROUND: 1})
    start = parameters_to_arrayrecord(ndarrays_to_parameters([np.zeros(2)]), True)
    server.state.array_records[MAIN_PARAMS_RECORD] = start
    SecAggPlusWorkflow(num_shares=3, reconstruction_threshold=2)(grid, server)
    result = arrayrecord_to_parameters(server.state.array_records[MAIN_PARAMS_RECORD], True)
    return parameters_to_ndarrays(result)[0]


for images in (100, 1000, 5000):
    weight, variance = average(images)
    print(f"{images} images each: {weight:.1f} {variance:.1f}")
PY
diff said - <<'SEEN'
100 images each: 0.5 50.0
1000 images each: 0.5 8.0
5000 images each: 0.5 1.6
SEEN
