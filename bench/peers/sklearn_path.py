"""scikit-learn's lasso_path: mean squared error / 2 + lambda |p|_1 on centred columns, so that the intercept is the target's mean.

It ends at a duality gap of tol |y|^2 where its objective is |r|^2 / 2. The matrix stands ready by columns (Fortran order) and the target is
centred; the seconds are those of lasso_path() alone. Weights go to a file, lambda by lambda, each with its intercept last.
"""

import time

from lines import missing, problem, serve

try:
    import numpy as np
    import sklearn
    from sklearn.linear_model import lasso_path
except ModuleNotFoundError as error:
    missing(error)

x = np.fromfile(problem["columns"], "<f8").reshape(problem["columnCount"], problem["rowCount"]).T
target = np.fromfile(problem["target"], "<f8")
lambdas = np.fromfile(problem["lambdas"], "<f8")
mean = target.mean()
y = target - mean


def run(options):
    start = time.perf_counter()
    _, weights, _ = lasso_path(x, y, alphas=lambdas, tol=options["tol"], max_iter=1_000_000, copy_X=False)
    seconds = time.perf_counter() - start
    np.vstack([weights, np.full(len(lambdas), mean)]).T.astype("<f8").tofile(options["weights"])
    return {"seconds": seconds}


serve(f"scikit-learn {sklearn.__version__}", run)
