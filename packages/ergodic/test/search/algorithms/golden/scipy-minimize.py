"""Golden minima of test/search/algorithms/scipy.test.ts, by scipy 1.15: /usr/bin/python3 scipy-minimize.py > scipy-minimize.json

Each entry holds the call. Nelder-Mead starts from the simplex of x0 and x0 + e_i, as ours does; the functions stand in scipy.test.ts, too.
"""
import json

import numpy as np
import scipy
from scipy.optimize import minimize


def rosenbrock(x):
    return sum(100 * (x[i + 1] - x[i] * x[i]) ** 2 + (1 - x[i]) ** 2 for i in range(len(x) - 1))


def quadratic(x):
    z = [x[i] - 0.1 * i for i in range(len(x))]
    return sum((i + 1) * z[i] * z[i] for i in range(len(x))) + sum(z[i] * z[i + 1] for i in range(len(x) - 1))


def beale(x):
    return sum((c - x[0] * (1 - x[1] ** k)) ** 2 for k, c in ((1, 1.5), (2, 2.25), (3, 2.625)))


def absolute(x):
    return sum((i + 1) * abs(x[i] - 0.3) for i in range(len(x)))


PROBLEMS = [
    (rosenbrock, [-1.2, 1]),
    (rosenbrock, [-1.2, 1, -1.2, 1]),
    (quadratic, [1.0]),
    (quadratic, [1.0, -1, 2, 0.5]),
    (quadratic, [1.0, -1, 2, 0.5, -2, 1.5, 0.25, -0.75]),
    (beale, [1.0, 0.2]),
    (absolute, [1.0, 2, -1]),
]
METHODS = [
    ("Nelder-Mead", {"adaptive": False, "xatol": 1e-8, "fatol": 1e-10}),
    ("Nelder-Mead", {"adaptive": True, "xatol": 1e-8, "fatol": 1e-10}),
    ("Powell", {"xtol": 1e-4, "ftol": 1e-15}),
]

entries = []
for f, x0 in PROBLEMS:
    for method, options in METHODS:
        if options.get("adaptive") and len(x0) == 1:
            continue  # scipy takes delta = 0 there; ours, the classic coefficients
        simplex = {"initial_simplex": np.vstack([x0, np.array(x0) + np.eye(len(x0))])} if method == "Nelder-Mead" else {}
        result = minimize(f, x0, method=method, options={**options, **simplex, "maxfev": 20000, "maxiter": 20000})
        call = f"minimize({f.__name__}, {x0}, method={method!r}, options={options})"
        entries.append({"call": call, "f": f.__name__, "x0": x0, "method": method, "options": options,
                        "x": np.atleast_1d(result.x).tolist(), "value": float(result.fun), "evaluations": result.nfev})
print(json.dumps({"scipy": scipy.__version__, "entries": entries}, indent=1))
