"""Golden optima of test/golden/dual-optima.test.ts, by scikit-learn 1.4.2: python3 dual-optima.py > dual-optima.json

Data come from a formula (sklearn-optima.py and its twin sklearn-data.ts). Objectives: mean_i w_i l_i + l2/2 (|p|^2 + v^2), where v is the weight of
a constant column of `scaling`s and the intercept scaling * v: LinearSVC's and LinearSVR's own; C is 1 / (n l2). LogisticRegression penalises
its intercept with the solver "liblinear" alone. Each entry holds the call and the optimum.
"""
import json
import sys
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.svm import LinearSVC, LinearSVR

warnings.filterwarnings("ignore")
N, D, L2 = 240, 8, 0.01
C = 1 / (N * L2)


def numbers(seed):
    s = seed
    while True:
        s = s * 48271 % 2147483647
        yield s / 2147483647 - 0.5


def data(seed):
    u = numbers(seed)
    x = [[2 * next(u) for _ in range(D)] for _ in range(N)]
    planted = [[4 * next(u) if j < 4 else 0.0 for j in range(D)] for _ in range(3)]
    noise = [[next(u) for _ in range(3)] for _ in range(N)]

    def score(i, k):
        total = 0.25
        for j in range(D):
            total += x[i][j] * planted[k][j]
        return total

    number = [score(i, 0) + 0.5 * noise[i][0] for i in range(N)]
    binary = [1 if score(i, 0) + 1.5 * noise[i][0] > 0 else 0 for i in range(N)]
    classes = [max(range(3), key=lambda k: score(i, k) + 2 * noise[i][k]) for i in range(N)]
    weight = [1 + (i % 5) / 4 for i in range(N)]
    return {k: np.array(v) for k, v in dict(x=x, number=number, binary=binary, classes=classes, weight=weight).items()}


d = data(20240601)
X, W = d["x"], d["weight"]
svm = dict(dual=True, tol=1e-10, max_iter=10**7, C=C, random_state=0)
out = {}


def run(name, call, target, weight=None):
    m = eval(call).fit(X, d[target], sample_weight=weight)
    out[name] = {"call": call, "coef": np.atleast_2d(m.coef_).tolist(), "intercept": np.atleast_1d(m.intercept_).tolist()}
    print(name, getattr(m, "n_iter_", None), file=sys.stderr)


run("hinge", 'LinearSVC(loss="hinge", **svm)', "binary")
run("hinge-scaling", 'LinearSVC(loss="hinge", intercept_scaling=5, **svm)', "binary")
run("hinge-weights", 'LinearSVC(loss="hinge", **svm)', "binary", W)
run("hinge-classes", 'LinearSVC(loss="hinge", **svm)', "classes")
run("squared-hinge", 'LinearSVC(loss="squared_hinge", **svm)', "binary")
run("squared-hinge-none", 'LinearSVC(loss="squared_hinge", fit_intercept=False, **svm)', "binary")
run("logistic", 'LogisticRegression(solver="liblinear", C=C, tol=1e-12, max_iter=10**6)', "binary")
run("logistic-none", 'LogisticRegression(solver="newton-cholesky", fit_intercept=False, C=C, tol=1e-13, max_iter=10**6)', "binary")
run("logistic-weights", 'LogisticRegression(solver="newton-cholesky", fit_intercept=False, C=C, tol=1e-13, max_iter=10**6)', "binary", W)
run("epsilon", 'LinearSVR(loss="epsilon_insensitive", epsilon=0.1, **svm)', "number")
run("epsilon-weights", 'LinearSVR(loss="epsilon_insensitive", epsilon=0.1, **svm)', "number", W)
run("squared", 'Ridge(alpha=N * L2, fit_intercept=False, tol=1e-14)', "number")
json.dump(out, sys.stdout)
