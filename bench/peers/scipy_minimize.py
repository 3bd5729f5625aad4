"""scipy.optimize.minimize on functions that the other side evaluates, so that both sides minimise the same ones.

A search begins with `run {"method", "start", "seed", "step"}`. It answers {"x"} and is sent `run {"value", "end"}`, point after point, until `end` is
true; then it answers {"ended": true}. When the method stops by itself it begins again at a point drawn uniformly from the box.
Nelder-Mead has its adaptive coefficients and a first simplex of the other side's step; tolerances are as fine as the target needs. The methods are not
told the box: with bounds both solve fewer functions (Powell 6 instead of 16, Nelder-Mead 21 instead of 23 of the first instance).
"""

import json
import sys

from lines import missing, problem, say, serve

try:
    import numpy as np
    import scipy
    from scipy.optimize import minimize
except ModuleNotFoundError as error:
    missing(error)

LOW, HIGH = problem["box"]
UNLIMITED = {"maxiter": 10**9, "maxfev": 10**9}


class Ended(Exception):
    pass


def value(x):
    say({"x": x.tolist()})
    line = sys.stdin.readline()
    if not line:
        raise SystemExit
    answer = json.loads(line.partition(" ")[2])
    if answer["end"]:
        raise Ended
    return answer["value"]


def first_simplex(start, step):
    legs = np.where(start + step <= HIGH, step, -step)
    return np.vstack([start, start + np.diag(legs)])


def search(method, start, step):
    if method == "Nelder-Mead":
        simplex = first_simplex(start, step)
        options = {"adaptive": True, "xatol": 1e-8, "fatol": 1e-10, "initial_simplex": simplex, **UNLIMITED}
    else:
        options = {"xtol": 1e-4, "ftol": 1e-14, **UNLIMITED}
    minimize(value, start, method=method, options=options)


def run(options):
    random = np.random.default_rng(options["seed"])
    start = np.array(options["start"])
    try:
        while True:
            search(options["method"], start, options["step"])
            start = random.uniform(LOW, HIGH, len(start))
    except Ended:
        return {"ended": True}


serve(f"scipy {scipy.__version__}", run)
