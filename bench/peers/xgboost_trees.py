"""XGBoost's histogram method, leaf by leaf, on one thread. A round returns the processor time of training, from the matrix in memory, and the held-out error."""

import time

from lines import missing, problem, rows, serve

try:
    import numpy as np
    import xgboost
except ModuleNotFoundError as error:
    missing(error)


(x, y), (held_x, held_y) = rows(problem["train"]), rows(problem["test"])
options = {
    "tree_method": "hist",
    "grow_policy": "lossguide",
    "max_depth": 0,
    "max_leaves": problem["leaves"],
    "eta": problem["rate"],
    "nthread": 1,
}


def run(_):
    start = time.process_time()
    model = xgboost.train(options, xgboost.QuantileDMatrix(x, y, nthread=1), problem["rounds"])
    seconds = time.process_time() - start
    error = model.predict(xgboost.DMatrix(held_x)) - held_y
    return {"value": seconds, "loss": float(np.sqrt(np.mean(error**2)))}


serve(f"XGBoost {xgboost.__version__}", run)
