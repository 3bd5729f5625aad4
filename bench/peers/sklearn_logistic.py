"""scikit-learn on a logistic problem: SGDClassifier, LogisticRegression(sag), LogisticRegression(saga), and the optimum.

Objective, the same for all: mean log loss + l2/2 |w|^2, the intercept unpenalised; so alpha = l2, and C = 1 / (l2 rowCount).
"constantColumn": c puts a column of the constant c in the intercept's place. The seconds are those of fit() alone. The weights go to a file as raw float64, the intercept last; the loss is computed here
once more by NumPy, only so that the benchmark can tell that both sides hold the same data.
"""

import time
import warnings

from lines import missing, problem, serve

try:
    import numpy as np
    import scipy.sparse
    import sklearn
    from sklearn.linear_model import LogisticRegression, SGDClassifier
except ModuleNotFoundError as error:
    missing(error)

warnings.filterwarnings("ignore")  # a fixed number of epochs is meant to end before convergence
l2 = problem["l2"]
row_count, column_count = problem["rowCount"], problem["columnCount"]
target = np.fromfile(problem["target"], "<f8")
values = np.fromfile(problem["values"], "<f4")
if problem["format"] == "dense":
    rows = values.reshape(row_count, column_count)
else:
    rows = scipy.sparse.csr_matrix(
        (values, np.fromfile(problem["columnIndex"], "<i4"), np.fromfile(problem["rowStart"], "<i4")),
        shape=(row_count, column_count),
    )
rows_of = {("f4", 0): rows}  # by element type and constant column


def form(element, constant):
    if (element, constant) not in rows_of:
        wider = scipy.sparse.hstack([rows, np.full((row_count, 1), constant)]) if constant else rows
        rows_of[element, constant] = scipy.sparse.csr_matrix(wider).astype(element) if scipy.sparse.issparse(rows) else rows.astype(element)
    return rows_of[element, constant]


def estimator(name, epochs, seed, options):
    if name == "sgd":
        options = {"loss": "log_loss", "alpha": l2, "tol": None, "shuffle": True, **options}
        return SGDClassifier(max_iter=epochs, random_state=seed, **options)
    c = 1 / (l2 * row_count)
    if name == "optimum":
        return LogisticRegression(C=c, tol=1e-12, max_iter=10000, **options)
    return LogisticRegression(C=c, solver=name, max_iter=epochs, tol=0, random_state=seed, **options)


def objective(weights, intercept):
    loss = 0.0
    for start in range(0, row_count, 10000):  # pieces, so that float64 copies of float32 rows stay small
        margin = rows[start : start + 10000].astype(np.float64) @ weights + intercept
        loss += np.logaddexp(0, np.where(target[start : start + 10000] > 0, -margin, margin)).sum()
    return loss / row_count + l2 / 2 * (weights @ weights)


def run(options):
    name, epochs, seed = options.pop("estimator"), options.pop("epochs", 0), options.pop("seed", 0)
    constant, file = options.pop("constantColumn", 0), options.pop("weights")
    x = form(options.pop("type", "f4"), constant)
    model = estimator(name, epochs, seed, {"fit_intercept": not constant, **options})
    start = time.perf_counter()
    model.fit(x, target)
    seconds = time.perf_counter() - start
    weights, intercept = model.coef_[0].astype(np.float64), float(model.intercept_[0])
    if constant:
        weights, intercept = weights[:-1], constant * weights[-1]
    np.append(weights, intercept).astype("<f8").tofile(file)
    return {"seconds": seconds, "loss": objective(weights, intercept)}


serve(f"scikit-learn {sklearn.__version__}", run)
