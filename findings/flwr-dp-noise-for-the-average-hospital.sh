#!/usr/bin/env bash
# flwr 1.42.0: central differential privacy adds the noise of a plain mean to an average weighted by numbers of images.
#
# Ten hospitals train together: nine with 10 images, one with 9910. Each update is clipped to norm 1 and FedAvg weights
# it by its number of images; the noise is noise_multiplier * norm / 10, as if every hospital's share were a tenth. The
# large hospital's share is 0.99 under noise of 0.1, ten times less than noise_multiplier 1 promises: one round costs it
# epsilon 90 at delta 1e-5, not 4.4. The log has the same "central DP noise with 0.1000 stdev added" for both. Equal
# numbers are demanded only where the optional accountant is given; without it, as by default, nothing warns.
#
# Seen (Python 3.11), of the last of ten hospitals:
#   all equal: its share a tenth, the noise 0.10
#   it has most images: its share nearly all, the noise 0.10
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet --no-compile flwr==1.42.0 numpy==2.3.5 2>/dev/null
cd "$home"
FLWR_TELEMETRY_ENABLED=0 HOME=$home venv/bin/python - 2>/dev/null <<'PY' | grep -v INFO | tee said
import numpy as np
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.serverapp.strategy import DifferentialPrivacyServerSideFixedClipping, FedAvg
from flwr.supercore.task_identity import TaskIdentity

TaskIdentity.run_id = TaskIdentity.task_id = TaskIdentity.node_id = 1  # no server runs here

PARAMETERS = 10_000
START = np.zeros(PARAMETERS)
LAST = np.full(PARAMETERS, PARAMETERS**-0.5)  # its update, of norm 1
OTHERS = LAST * np.resize([1, -1], PARAMETERS)  # theirs, of norm 1 too and at a right angle


class Grid:
    def get_node_ids(self):
        return range(1, 11)


def released(examples):
    """One round of ten hospitals: the last one's share of the result, and the noise on every parameter."""
    strategy = DifferentialPrivacyServerSideFixedClipping(
        FedAvg(), noise_multiplier=1.0, clipping_norm=1.0, num_sampled_clients=10
    )
    asked = list(strategy.configure_train(1, ArrayRecord({"weights": Array(START)}), ConfigRecord(), Grid()))
    answers = []
    for number, (question, count) in enumerate(zip(asked, examples, strict=True)):
        update = Array(LAST if number == 9 else OTHERS)
        content = {"arrays": ArrayRecord({"weights": update}), "metrics": MetricRecord({"num-examples": count})}
        answers.append(Message(RecordDict(content), reply_to=question))
    result = strategy.aggregate_train(1, answers)[0]["weights"].numpy()
    return result @ LAST, result.std()


def seen(examples):
    rounds = np.mean([released(examples) for _ in range(25)], axis=0)
    share = "a tenth" if 0 < rounds[0] < 0.2 else "nearly all" if rounds[0] > 0.89 else "other"
    return f"its share {share}, the noise {rounds[1]:.2f}"


print("all equal:", seen([1000] * 10))
print("it has most images:", seen([10] * 9 + [9910]))
PY
diff said - <<'SEEN'
all equal: its share a tenth, the noise 0.10
it has most images: its share nearly all, the noise 0.10
SEEN
