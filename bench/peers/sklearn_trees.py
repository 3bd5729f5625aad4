"""scikit-learn's HistGradientBoostingRegressor on one thread. A round returns the processor time of fit() and the held-out error."""

import os
import time

from lines import missing, problem, rows, serve

os.environ["OMP_NUM_THREADS"] = "1"
try:
    import numpy as np
    import sklearn
    from sklearn.ensemble import HistGradientBoostingRegressor
except ModuleNotFoundError as error:
    missing(error)


(x, y), (held_x, held_y) = rows(problem["train"]), rows(problem["test"])


def run(_):
    model = HistGradientBoostingRegressor(
        max_iter=problem["rounds"], max_leaf_nodes=problem["leaves"], learning_rate=problem["rate"], early_stopping=False
    )
    start = time.process_time()
    model.fit(x, y)
    seconds = time.process_time() - start
    error = model.predict(held_x) - held_y
    return {"value": seconds, "loss": float(np.sqrt(np.mean(error**2)))}


serve(f"scikit-learn {sklearn.__version__}", run)
