"""scikit-learn's LogisticRegression with its default solver, lbfgs, on several classes.

Objective: mean multinomial log loss + l2/2 |W|^2, the intercepts unpenalised; so C = 1 / (l2 rowCount). The command {"goal": f, "patience": s} finds, in
one untimed run, the fewest iterations after which the objective is at most f, or the iterations made in s seconds. The command {"iterations": n} returns the
processor time of fit() with so many. The weights go to a file as raw float64, class by class, then the intercepts.
"""

import time
import warnings

from lines import missing, problem, serve

try:
    import numpy as np
    import sklearn
    from scipy.special import logsumexp
    from sklearn.linear_model import LogisticRegression, _logistic
except ModuleNotFoundError as error:
    missing(error)

warnings.filterwarnings("ignore")  # a fixed number of iterations is meant to end before convergence
l2 = problem["l2"]
row_count, column_count, class_count = problem["rowCount"], problem["columnCount"], problem["classCount"]
target = np.fromfile(problem["target"], "<f8").astype(int)
rows = np.fromfile(problem["values"], "<f4").reshape(row_count, column_count).astype(np.float64)


def objective(weights, intercepts):
    z = rows @ weights.T + intercepts
    return float(np.mean(logsumexp(z, axis=1) - z[np.arange(row_count), target]) + l2 / 2 * np.sum(weights**2))


def model(iterations):
    return LogisticRegression(C=1 / (l2 * row_count), max_iter=iterations, tol=0)


class Reached(Exception):
    pass


def fewest(goal, patience):
    """Watches the iterates of one run."""
    made, start, plain = [0], time.perf_counter(), _logistic.optimize.minimize

    def watched(*args, **options):
        def look(x):
            made[0] += 1
            point = x.reshape(class_count, -1, order="F")
            if objective(point[:, :-1], point[:, -1]) <= goal or time.perf_counter() - start > patience:
                raise Reached

        return plain(*args, **options, callback=look)

    _logistic.optimize.minimize = watched
    try:
        model(100_000).fit(rows, target)
    except Reached:
        pass
    finally:
        _logistic.optimize.minimize = plain
    return {"iterations": made[0]}


def run(options):
    if "goal" in options:
        return fewest(options["goal"], options["patience"])
    made = model(options["iterations"])
    start = time.process_time()
    made.fit(rows, target)
    seconds = time.process_time() - start
    np.concatenate([made.coef_.ravel(), made.intercept_]).astype("<f8").tofile(options["weights"])
    return {"seconds": seconds, "loss": objective(made.coef_, made.intercept_)}


serve(f"scikit-learn {sklearn.__version__}", run)
