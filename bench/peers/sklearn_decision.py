"""scikit-learn's decision_function of a linear model whose weights are given, on dense rows or on CSR; the seconds are of processor time. The loss is the mean square of what it gives."""

import time

from lines import missing, problem, serve

try:
    import numpy as np
    import scipy.sparse
    import sklearn
    from sklearn.linear_model import LogisticRegression
except ModuleNotFoundError as error:
    missing(error)

row_count, column_count, outputs = problem["rowCount"], problem["columnCount"], problem["outputs"]
values = np.fromfile(problem["values"], "<f8" if problem["type"] == "f64" else "<f4")
if problem["format"] == "dense":
    rows = values.reshape(row_count, column_count)
else:
    rows = scipy.sparse.csr_matrix(
        (values, np.fromfile(problem["columnIndex"], "<i4"), np.fromfile(problem["rowStart"], "<i4")),
        shape=(row_count, column_count),
    )
model = LogisticRegression()
model.classes_ = np.arange(max(outputs, 2))
model.coef_ = np.fromfile(problem["weights"], "<f8").reshape(outputs, column_count)
model.intercept_ = np.fromfile(problem["intercept"], "<f8")
model.n_features_in_ = column_count


def run(options):
    start = time.process_time()
    z = model.decision_function(rows)
    seconds = time.process_time() - start
    return {"value": seconds * 1e3, "loss": float(np.mean(z**2))}


serve(f"scikit-learn {sklearn.__version__} decision_function", run)
