"""Golden values of test/engine/compiler/special-functions.test.ts, by mpmath 1.3.0: python3 special-functions.py > special-functions.json

Each value is that of the float64 argument, to 50 digits, rounded once to float64: [x, f(x)].
"""
import json
import sys

import mpmath

mpmath.mp.dps = 50

X = {
    "atan": [-30, -1, -0.3, 1e-10, 0.41, 0.5, 0.99, 2, 2.5, 1e5, 1e300],
    "erf": [-5, -0.7, 1e-300, 1e-9, 0.1, 0.5, 0.999, 1.001, 2, 3.3, 5.9],
    "erfc": [-5, -0.7, 1e-9, 0.1, 0.5, 0.999, 1.001, 2, 5, 13.7, 26.5],
    "lgamma": [-4.3, -2.6, -1.5, -0.5, -1e-8, 1e-200, 0.1, 0.7, 0.9999, 1.46, 2.0001, 2.7, 3, 11.5, 100, 1e10, 1e300],
    "digamma": [-10.1, -3.7, -1.5, -0.2, 1e-8, 0.3, 1, 1.4616, 1.5, 2, 4.5, 20, 1e10, 1e200],
    "trigamma": [-10.1, -3.7, -1.5, -0.2, 1e-8, 0.3, 1, 1.5, 2, 4.5, 20, 1e10, 1e100],
}
FUNCTIONS = {
    "atan": mpmath.atan,
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "lgamma": lambda x: mpmath.loggamma(x).real,
    "digamma": mpmath.digamma,
    "trigamma": lambda x: mpmath.polygamma(1, x),
}

rows = {name: [[float(x), float(FUNCTIONS[name](mpmath.mpf(x)))] for x in xs] for name, xs in X.items()}
sys.stdout.write("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items()) + "\n}\n")
