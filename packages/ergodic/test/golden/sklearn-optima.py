"""Golden optima of test/golden/sklearn-optima.test.ts, by scikit-learn 1.4.2 and scipy 1.11: python3 sklearn-optima.py > sklearn-optima.json

Each entry holds the call, the optimum and the largest slope of the objective there, which says how close the peer came. Data come from a
formula (Lehmer's generator and sums in a fixed order), so that both sides have the same bits: sklearn-data.ts is its twin.
Objectives: mean_i w_i l_i + l1 |p|_1 + l2/2 |p|^2, the intercept free; scikit-learn's C is 1 / (n l2).
"""
import json
import sys
import warnings

import numpy as np
from scipy.optimize import minimize
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, PoissonRegressor, QuantileRegressor, Ridge
from sklearn.svm import LinearSVC

warnings.filterwarnings("ignore")
N, D = 240, 8


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
    spiked = [number[i] + (8 if i % 17 == 0 else 0) for i in range(N)]
    binary = [1 if score(i, 0) + 1.5 * noise[i][0] > 0 else 0 for i in range(N)]
    classes = [max(range(3), key=lambda k: score(i, k) + 2 * noise[i][k]) for i in range(N)]
    count = [int((1.5 + 0.5 * score(i, 0) + noise[i][1]) ** 2) for i in range(N)]
    weight = [1 + (i % 5) / 4 for i in range(N)]
    return {k: np.array(v) for k, v in dict(x=x, number=number, spiked=spiked, binary=binary, classes=classes, count=count, weight=weight).items()}


d = data(20240601)
X, S, W = d["x"], 2 * d["binary"] - 1, d["weight"]
A = np.hstack([X, np.ones((N, 1))])
out = {}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def slope(dz, coef, l1=0.0, l2=0.0, intercept=True):
    """Largest entry of the least subgradient; dz: n (x classes), derivative of each row's loss."""
    dz = np.asarray(dz).reshape(N, -1)
    coef = np.atleast_2d(coef)
    g = (dz.T @ X) / N + l2 * coef
    g = np.where(coef != 0, g + l1 * np.sign(coef), np.sign(g) * np.maximum(np.abs(g) - l1, 0))
    free = np.abs(dz.mean(0)).max() if intercept else 0
    return float(max(np.abs(g).max(), free))


def keep(name, call, coef, intercept, worst, limit=1e-8):
    assert worst < limit, (name, worst)
    print(name, worst, file=sys.stderr)
    out[name] = {"call": call, "coef": np.atleast_2d(coef).tolist(), "intercept": np.atleast_1d(intercept).tolist(), "slope": worst}


def run(name, call, y, dz, l1=0.0, l2=0.0, weight=None, limit=1e-8, intercept=True):
    m = eval(call).fit(X, y) if weight is None else eval(call).fit(X, y, sample_weight=weight)
    z = X @ np.atleast_2d(m.coef_).T + (m.intercept_ if intercept else 0)
    keep(name, call, m.coef_, m.intercept_ if intercept else np.zeros(len(np.atleast_2d(m.coef_))), slope(dz(z), m.coef_, l1, l2, intercept), limit)


def logistic(w=1.0):
    return lambda z: w * -S * sigmoid(-S * z[:, 0])


def softmax(z):
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    p[np.arange(N), d["classes"]] -= 1
    return p


# C = 1 / (n l2): l2 = 0.01 and n = 240 make 1 / 2.4.
run("logistic-l2", "LogisticRegression(C=1/2.4, solver='newton-cholesky', tol=1e-12)", d["binary"], logistic(), l2=0.01)
run("logistic-weights", "LogisticRegression(C=1/2.4, solver='newton-cholesky', tol=1e-12)", d["binary"], logistic(W), l2=0.01, weight=W)
cw = np.where(d["binary"] == 1, 3.0, 0.5)
run("logistic-class-weights", "LogisticRegression(C=1/2.4, solver='newton-cholesky', tol=1e-12, class_weight={0: 0.5, 1: 3})", d["binary"], logistic(cw), l2=0.01)
bw = np.where(d["binary"] == 1, N / (2 * d["binary"].sum()), N / (2 * (N - d["binary"].sum())))
run("logistic-balanced", "LogisticRegression(C=1/2.4, solver='newton-cholesky', tol=1e-12, class_weight='balanced')", d["binary"], logistic(bw), l2=0.01)
run("logistic-l1", "LogisticRegression(C=1/4.8, penalty='l1', solver='saga', tol=1e-12, max_iter=100000)", d["binary"], logistic(), l1=0.02)
run("logistic-elastic", "LogisticRegression(C=1/4.8, penalty='elasticnet', l1_ratio=0.5, solver='saga', tol=1e-12, max_iter=100000)", d["binary"], logistic(), l1=0.01, l2=0.01)
run("multinomial-l2", "LogisticRegression(C=1/2.4, solver='newton-cg', tol=1e-12, max_iter=1000)", d["classes"], softmax, l2=0.01)
run("multinomial-l1", "LogisticRegression(C=1/2.4, penalty='l1', solver='saga', tol=1e-12, max_iter=100000)", d["classes"], softmax, l1=0.01)
ovr = np.where(np.arange(3)[None, :] == d["classes"][:, None], 1, -1)
run("ovr-logistic", "LogisticRegression(C=1/2.4, solver='newton-cholesky', multi_class='ovr', tol=1e-12)", d["classes"], lambda z: -ovr * sigmoid(-ovr * z), l2=0.01)
run("squared-hinge", "LinearSVC(C=1/2.4, loss='squared_hinge', dual=True, fit_intercept=False, tol=1e-12, max_iter=1000000)", d["binary"],
    lambda z: -2 * S * np.maximum(0, 1 - S * z[:, 0]), l2=0.01, intercept=False)
run("ridge", "Ridge(alpha=2.4, solver='cholesky')", d["number"], lambda z: z[:, 0] - d["number"], l2=0.01)
run("ridge-weights", "Ridge(alpha=2.4, solver='cholesky')", d["number"], lambda z: W * (z[:, 0] - d["number"]), l2=0.01, weight=W)
run("lasso", "Lasso(alpha=0.05, tol=1e-14, max_iter=100000)", d["number"], lambda z: z[:, 0] - d["number"], l1=0.05)
run("elastic-net", "ElasticNet(alpha=0.06, l1_ratio=1/3, tol=1e-14, max_iter=100000)", d["number"], lambda z: z[:, 0] - d["number"], l1=0.02, l2=0.04)
run("poisson", "PoissonRegressor(alpha=0.01, solver='newton-cholesky', tol=1e-12)", d["count"], lambda z: np.exp(z[:, 0]) - d["count"], l2=0.01)


def by_scipy(name, f, call):
    best = minimize(lambda p: f(p)[0], np.zeros(D + 1), jac=lambda p: f(p)[1], method="BFGS", options={"gtol": 1e-11, "maxiter": 10000})
    best = minimize(lambda p: f(p)[0], best.x, jac=lambda p: f(p)[1], method="L-BFGS-B", options={"gtol": 1e-13, "ftol": 1e-16})
    keep(name, call, best.x[:D], best.x[D], float(np.abs(f(best.x)[1]).max()))


def huber(p, delta=0.7, l2=0.01):
    r = A @ p - d["spiked"]
    inside = np.abs(r) <= delta
    value = np.where(inside, r * r / 2, delta * (np.abs(r) - delta / 2)).mean() + l2 / 2 * (p[:D] @ p[:D])
    return value, A.T @ np.clip(r, -delta, delta) / N + l2 * np.r_[p[:D], 0]


by_scipy("huber", huber, "scipy.optimize.minimize(huber, delta=0.7, l2=0.01)")


# Not smooth: the least value is what can be compared.
def least(name, call, value, coef, intercept):
    out[name] = {"call": call, "value": float(value), "coef": np.atleast_2d(coef).tolist(), "intercept": np.atleast_1d(intercept).tolist()}


m = LinearSVC(C=1 / 2.4, loss="hinge", dual=True, fit_intercept=False, tol=1e-12, max_iter=10_000_000).fit(X, d["binary"])
least("hinge", "LinearSVC(C=1/2.4, loss='hinge', fit_intercept=False, tol=1e-12, max_iter=10000000)",
      np.maximum(0, 1 - S * (X @ m.coef_[0])).mean() + 0.005 * (m.coef_[0] @ m.coef_[0]), m.coef_, 0)
m = QuantileRegressor(quantile=0.75, alpha=0.02, solver="highs").fit(X, d["number"])
r = d["number"] - m.predict(X)
least("quantile", "QuantileRegressor(quantile=0.75, alpha=0.02, solver='highs')",
      np.where(r >= 0, 0.75 * r, -0.25 * r).mean() + 0.02 * np.abs(m.coef_).sum(), m.coef_, m.intercept_)


def group():
    """Accelerated proximal gradient, 200,000 steps: no peer here has the group lasso."""
    l, groups = 0.08, [[0, 1], [2, 3], [4, 5], [6, 7]]
    p, q, t = np.zeros(D + 1), np.zeros(D + 1), 1.0
    step = 4 / np.linalg.eigvalsh(A.T @ A / N).max()
    for _ in range(200_000):
        g = A.T @ (-S * sigmoid(-S * (A @ q))) / N
        new = q - step * g
        for members in groups:
            norm = np.linalg.norm(new[members])
            new[members] *= 0 if norm == 0 else max(0, 1 - step * l * np.sqrt(2) / norm)
        s = (1 + np.sqrt(1 + 4 * t * t)) / 2
        q, p, t = new + (t - 1) / s * (new - p), new, s
    z = A @ p
    value = np.logaddexp(0, -S * z).mean() + l * sum(np.sqrt(2) * np.linalg.norm(p[m]) for m in groups)
    least("group-logistic", "proximal gradient, strength 0.08, groups of two columns", value, p[:D], p[D])


group()
json.dump(out, sys.stdout, separators=(",", ":"))
print()
