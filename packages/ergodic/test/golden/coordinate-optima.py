"""Golden optima of test/golden/coordinate-optima.test.ts: /usr/bin/python3 coordinate-optima.py > coordinate-optima.json

scikit-learn 1.4.2 and R's glmnet 4.1-8 find each optimum; Newton's method on its support (of columns that are not 0) polishes it, and it is
kept only if 0 is in the subdifferential to 1e-12, columns at 0 are strictly inside, and the curvature on the support is positive, so that the
coefficients are determined. "start": the peer's call, in the peer's own convention; "distance": how far its answer was.
Objectives: mean_i w_i l_i + l1 sum_j o_j |p_j| + l2/2 sum_j o_j p_j^2 + group sum_g sqrt|g| ||p_g||, the intercept free. Data are numbers of
three decimals from Lehmer's generator, stored beside the answers.
"""
import json
import subprocess
import sys
import warnings

import numpy as np
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, PoissonRegressor, enet_path, lasso_path

warnings.filterwarnings("ignore")
KKT = 1e-12


# Data

def numbers(seed):
    s = seed
    while True:
        s = s * 48271 % 2147483647
        yield s / 2147483647 - 0.5


def design(seed, n, d, shared=0.0, zeros=0.0, offset=0.0):
    """Entries of [-1, 1] around 0, 1, 2, 0 … times `offset`; `shared`: what neighbouring columns have in common; `zeros`: the share of zeros."""
    u = numbers(seed)
    common = np.array([[2 * next(u) for _ in range((d + 3) // 4)] for _ in range(n)])
    own = np.array([[2 * next(u) for _ in range(d)] for _ in range(n)])
    x = (1 - shared) * own + shared * common[:, np.arange(d) // 4]
    x[np.array([[next(u) + 0.5 < zeros for _ in range(d)] for _ in range(n)])] = 0
    planted = np.array([[4 * next(u) if j % 4 == 0 and j < 16 else 0.0 for j in range(d)] for _ in range(3)])
    noise = np.array([[next(u) for _ in range(3)] for _ in range(n)])
    score = np.round(x, 3) @ planted.T + 0.25
    x = np.round(x + offset * (np.arange(d) % 3), 3)
    return {
        "x": x,
        "number": np.round(score[:, 0] + noise[:, 0], 3),
        "binary": (score[:, 0] + 2 * noise[:, 0] > 0.25).astype(float),
        "count": np.floor(np.exp(np.clip(0.3 * score[:, 0] + noise[:, 1], -3, 2)) + 0.5),
        "classes": np.argmax(score + 2 * noise, axis=1).astype(float),
        "weight": 0.5 + np.arange(n) % 5 / 4,
    }


designs = {
    "tall": design(20240601, 60, 8),
    "wide": design(20240602, 30, 60),
    "correlated": design(20240603, 40, 16, shared=0.7),
    "sparse": design(20240604, 60, 24, zeros=0.8),
    "shifted": design(20240605, 40, 10, offset=2.0),
}


# Losses: (z, y) -> values [n], slopes [n, K], curvatures [n, K, K]

def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def squared(z, y):
    r = z[:, 0] - y
    return r * r / 2, r[:, None], np.ones((len(y), 1, 1))


def logistic(z, y):
    s = 2 * y - 1
    q = sigmoid(-s * z[:, 0])
    return np.logaddexp(0, -s * z[:, 0]), (-s * q)[:, None], (q * (1 - q))[:, None, None]


def poisson(z, y):
    e = np.exp(z[:, 0])
    return e - y * z[:, 0], (e - y)[:, None], e[:, None, None]


def multinomial(z, y):
    e = np.exp(z - z.max(1, keepdims=True))
    q = e / e.sum(1, keepdims=True)
    hit = np.eye(z.shape[1])[y.astype(int)]
    return -np.log((q * hit).sum(1)), q - hit, q[:, :, None] * np.eye(z.shape[1]) - q[:, :, None] * q[:, None, :]


losses = {"squared": squared, "logistic": logistic, "poisson": poisson, "multinomial": multinomial}
targets = {"squared": "number", "logistic": "binary", "poisson": "count", "multinomial": "classes"}


class Problem:
    def __init__(self, data, loss, l1=0.0, l2=0.0, group=0.0, groups=None, factors=None, nonnegative=False, weighted=False):
        self.x, self.y = designs[data]["x"], designs[data][targets[loss]]
        self.n, self.d = self.x.shape
        self.a = np.hstack([self.x, np.ones((self.n, 1))])
        self.loss, self.l1, self.l2, self.group = losses[loss], l1, l2, group
        self.outputs = 3 if loss == "multinomial" else 1
        self.weight = designs[data]["weight"] if weighted else np.ones(self.n)
        self.factors = np.ones(self.d) if factors is None else np.array(factors, float)
        named = {j for g in groups or [] for j in g}
        self.groups = (groups or []) + [[j] for j in range(self.d) if j not in named]
        self.nonnegative = nonnegative

    def value(self, theta):
        p = theta[:, :-1]
        fit = (self.weight * self.loss(self.a @ theta.T, self.y)[0]).mean()
        norms = sum(np.sqrt(len(g)) * np.linalg.norm(p[0, g]) for g in self.groups) if self.group else 0.0
        return fit + self.l1 * (self.factors * abs(p)).sum() + self.l2 / 2 * (self.factors * p * p).sum() + self.group * norms

    def smooth(self, theta):
        """Gradient [K, d+1] and curvature [K (d+1), K (d+1)] of all but l1 and group."""
        _, slope, curvature = self.loss(self.a @ theta.T, self.y)
        g = (self.weight[:, None] * slope).T @ self.a / self.n
        h = np.einsum("i,ikl,ia,ib->kalb", self.weight / self.n, curvature, self.a, self.a)
        h = h.reshape(g.size, g.size)
        ridge = np.tile(np.append(self.l2 * self.factors, 0), self.outputs)
        return g + ridge.reshape(g.shape) * theta, h + np.diag(ridge)

    def polish(self, start, support_above):
        """Newton on the support; the optimum, its violation, its least curvature and how far inside the columns at 0 are."""
        theta = np.array(start, float)
        p = theta[:, :-1]
        if self.group:
            for g in self.groups:
                if np.linalg.norm(p[0, g]) < support_above:
                    p[0, g] = 0
        else:
            p[abs(p) < support_above] = 0
        free = np.append(p != 0, np.ones((self.outputs, 1), bool), axis=1).ravel()
        for _ in range(50):
            g, h = self.smooth(theta)
            p = theta[:, :-1]
            full = np.append(self.l1 * self.factors * np.sign(p), np.zeros((self.outputs, 1)), axis=1)
            if self.group:
                for members in self.groups:
                    norm = np.linalg.norm(p[0, members])
                    if norm > 0:
                        unit = p[0, members] / norm
                        full[0, members] += self.group * np.sqrt(len(members)) * unit
                        h[np.ix_(members, members)] += self.group * np.sqrt(len(members)) / norm * (np.eye(len(members)) - np.outer(unit, unit))
            pull = (g + full).ravel()[free]
            step = np.linalg.lstsq(h[np.ix_(free, free)], pull, rcond=1e-11)[0]  # softmax intercepts have a common shift
            moved = theta.ravel().copy()
            moved[free] -= step
            assert (np.sign(moved.reshape(theta.shape)[:, :-1]) == np.sign(p)).all(), "the support is wrong"
            theta = moved.reshape(theta.shape)
            if abs(step).max() < 1e-15:
                break
        curvature = np.linalg.eigvalsh(h[np.ix_(free, free)])
        least = curvature[1 if self.outputs > 1 else 0]
        if self.outputs > 1:
            theta[:, -1] -= theta[:, -1].mean()
        return theta, self.violation(theta), least, self.slack(theta)

    def violation(self, theta):
        g, _ = self.smooth(theta)
        p, g, free = theta[:, :-1], g[:, :-1], g[:, -1]
        if self.group:
            worst = 0.0
            for members in self.groups:
                b, s, limit = p[0, members], g[0, members], self.group * np.sqrt(len(members))
                norm = np.linalg.norm(b)
                worst = max(worst, np.linalg.norm(s + limit * b / norm) if norm > 0 else max(0.0, np.linalg.norm(s) - limit))
        else:
            limit = self.l1 * self.factors
            at_zero = np.maximum(0, -g - limit) if self.nonnegative else np.maximum(0, abs(g) - limit)
            worst = np.where(p != 0, abs(g + limit * np.sign(p)), at_zero).max()
            if self.nonnegative:
                assert (p >= 0).all()
        return float(max(worst, abs(free).max()))

    def slack(self, theta):
        """Least distance of a column at 0 from leaving it, relative to the limit; 1 where none is at 0."""
        g = self.smooth(theta)[0][:, :-1]
        p = theta[:, :-1]
        if self.group:
            inside = [1 - np.linalg.norm(g[0, m]) / (self.group * np.sqrt(len(m))) for m in self.groups if not p[0, m].any()]
        else:
            limit = np.broadcast_to(self.l1 * self.factors, p.shape)
            inside = [1 - (-s if self.nonnegative else abs(s)) / t for s, t, b in zip(g.ravel(), limit.ravel(), p.ravel()) if b == 0]
        return float(min(inside, default=1.0))


# Peers

def sklearn_start(problem, call, weight=None, scale=None):
    """`scale`: the peer gets columns divided by it; so penalty weights are had from peers without them."""
    x = problem.x if scale is None else problem.x / scale
    m = eval(call, {**globals(), "n": problem.n, "w": problem.weight})
    m = m.fit(x, problem.y) if weight is None else m.fit(x, problem.y, sample_weight=weight)
    coef = np.atleast_2d(m.coef_)
    coef = coef if scale is None else coef / scale
    return np.hstack([coef, np.reshape(m.intercept_, (-1, 1))])


def glmnet_numbers(x, y, call, shown):
    """Evaluates `call` in R on x and y; `shown`: R expressions of the numbers wanted."""
    script = f"""
      suppressPackageStartupMessages(library(glmnet))
      all <- scan(file("stdin"), quiet = TRUE)
      n <- all[1]; d <- all[2]
      x <- matrix(all[2 + seq_len(n * d)], n, d, byrow = TRUE); y <- all[2 + n * d + seq_len(n)]
      m <- {call}
      cat(sprintf("%.17g", {shown}), sep = " ")
    """
    fed = " ".join(repr(float(v)) for v in [*x.shape, *x.ravel(), *y])
    out = subprocess.run(["Rscript", "-e", script], input=fed, capture_output=True, text=True, check=True).stdout
    return np.array([float(v) for v in out.split()])


def glmnet_start(problem, call):
    found = glmnet_numbers(problem.x, problem.y, call, "c(as.vector(m$beta), m$a0)")
    return found[None, :]


def proximal_start(problem, passes=40000):
    """Accelerated proximal gradient, for what no peer here has: groups."""
    a = problem.a
    step = 1 / (np.linalg.eigvalsh(a.T @ a / problem.n).max() + problem.l2)
    theta = extra = np.zeros((1, problem.d + 1))
    t = 1.0
    for _ in range(passes):
        new = extra - step * problem.smooth(extra)[0]
        for members in problem.groups:
            norm = np.linalg.norm(new[0, members])
            new[0, members] *= 0 if norm == 0 else max(0.0, 1 - step * problem.group * np.sqrt(len(members)) / norm)
        if ((new - theta) * (extra - new)).sum() > 0:
            t = 1.0  # restart
        s = (1 + np.sqrt(1 + 4 * t * t)) / 2
        extra, theta, t = new + (t - 1) / s * (new - theta), new, s
    return theta


# Cases

entries = []


def keep(name, data, loss, start, found, **options):
    problem = Problem(data, loss, **options)
    theta, violation, least, slack = problem.polish(found, 1e-6)
    shifted = np.array(found, float)
    if problem.outputs > 1:
        shifted[:, -1] -= shifted[:, -1].mean()
    distance = float(abs(theta - shifted).max())
    zeros = int((theta[:, :-1] == 0).sum())
    print(f"{name:24} violation {violation:.1e} curvature {least:.1e} slack {slack:.1e} distance {distance:.1e} zeros {zeros}", file=sys.stderr)
    assert violation < KKT and least > 1e-4 and slack > 1e-4 and distance < 1e-4, name
    entries.append({
        "name": name, "data": data, "loss": loss, **options, "start": start, "distance": distance,
        "coef": theta[:, :-1].tolist(), "intercept": theta[:, -1].tolist(), "objective": float(problem.value(theta)), "violation": violation,
    })


def case(name, data, loss, call, scale=None, **options):
    problem = Problem(data, loss, **options)
    if call.startswith("glmnet"):
        found = glmnet_start(problem, call)
    elif call.startswith("proximal"):
        found = proximal_start(problem)
    else:
        found = sklearn_start(problem, call, problem.weight if options.get("weighted") else None, scale)
    keep(name, data, loss, call, found, **options)


case("lasso", "tall", "squared", "Lasso(alpha=0.05, tol=1e-14, max_iter=100000)", l1=0.05)
case("lasso-wide", "wide", "squared", "Lasso(alpha=0.05, tol=1e-14, max_iter=1000000)", l1=0.05)
case("lasso-correlated", "correlated", "squared", "Lasso(alpha=0.02, tol=1e-14, max_iter=1000000)", l1=0.02)
case("lasso-sparse", "sparse", "squared", "Lasso(alpha=0.005, tol=1e-14, max_iter=1000000)", l1=0.005)
case("lasso-shifted", "shifted", "squared", "Lasso(alpha=0.03, tol=1e-14, max_iter=1000000)", l1=0.03)
# scikit-learn's Lasso scales weights to the mean 1.
case("lasso-weighted", "correlated", "squared", "Lasso(alpha=0.02 / w.mean(), tol=1e-14, max_iter=1000000)", l1=0.02, weighted=True)
factors = [0.5 + j % 4 / 2 for j in range(16)]
case("lasso-factors", "correlated", "squared", "Lasso(alpha=0.02, tol=1e-14, max_iter=1000000)", scale=np.array(factors), l1=0.02, factors=factors)
case("lasso-nonnegative", "correlated", "squared", "Lasso(alpha=0.01, positive=True, tol=1e-14, max_iter=1000000)", l1=0.01, nonnegative=True)
case("elastic", "correlated", "squared", "ElasticNet(alpha=0.05, l1_ratio=0.4, tol=1e-14, max_iter=100000)", l1=0.02, l2=0.03)
case("elastic-wide", "wide", "squared", "ElasticNet(alpha=0.1, l1_ratio=0.5, tol=1e-14, max_iter=100000)", l1=0.05, l2=0.05)

saga = "solver='saga', tol=1e-12, max_iter=100000, random_state=1"
case("logistic-l1", "tall", "logistic", f"LogisticRegression(penalty='l1', C=1 / (n * 0.04), {saga})", l1=0.04)
case("logistic-l1-wide", "wide", "logistic", f"LogisticRegression(penalty='l1', C=1 / (n * 0.02), {saga})", l1=0.02, weighted=True)
case("logistic-l1-sparse", "sparse", "logistic", f"LogisticRegression(penalty='l1', C=1 / (n * 0.01), {saga})", l1=0.01)
case("logistic-l2", "correlated", "logistic", "LogisticRegression(C=1 / (n * 0.01), solver='newton-cholesky', tol=1e-12)", l2=0.01)
case("logistic-elastic", "correlated", "logistic", f"LogisticRegression(penalty='elasticnet', l1_ratio=0.5, C=1 / (n * 0.02), {saga})", l1=0.01, l2=0.01)
case("logistic-l1-shifted", "shifted", "logistic", "glmnet(x, y, 'binomial', lambda = 0.03, standardize = FALSE, thresh = 1e-14, maxit = 1e8)", l1=0.03)
case("multinomial-l1", "tall", "multinomial", f"LogisticRegression(penalty='l1', C=1 / (n * 0.01), {saga})", l1=0.01)
case("poisson-l2", "tall", "poisson", "PoissonRegressor(alpha=0.01, solver='newton-cholesky', tol=1e-12)", l2=0.01)
case("poisson-l1", "tall", "poisson", "glmnet(x, y, 'poisson', lambda = 0.05, standardize = FALSE, thresh = 1e-14, maxit = 1e8)", l1=0.05)
case("poisson-l1-wide", "wide", "poisson", "glmnet(x, y, 'poisson', lambda = 0.04, standardize = FALSE, thresh = 1e-14, maxit = 1e8)", l1=0.04)
fours = [list(range(j, j + 4)) for j in range(0, 16, 4)]
case("group-squared", "correlated", "squared", "proximal gradient", group=0.15, groups=fours)
case("group-logistic", "correlated", "logistic", "proximal gradient", group=0.02, groups=fours[:3])

# Paths: each point polished like a case

def path(name, data, call, ratio):
    x, y = designs[data]["x"], designs[data]["number"]
    xc, yc = x - x.mean(0), y - y.mean()
    largest = float(abs(xc.T @ yc).max() / len(y) / ratio)
    lambdas = [largest * 0.01 ** (k / 19) for k in range(20)]
    found = eval(call, {**globals(), "x": np.asfortranarray(xc), "y": yc, "lambdas": lambdas})[1]
    points = []
    for lam, coef in zip(lambdas, found.T):
        problem = Problem(data, "squared", l1=lam * ratio, l2=lam * (1 - ratio))
        start = np.append(coef, y.mean() - x.mean(0) @ coef)[None, :]
        theta, violation, least, slack = problem.polish(start, 1e-9)
        assert violation < KKT and least > 1e-4, (name, lam, violation, least)
        points.append({"coef": theta[0, :-1].tolist(), "intercept": theta[0, -1:].tolist(), "objective": float(problem.value(theta)),
                       "distance": float(abs(theta - start).max())})
    print(f"{name:24} {[p['distance'] for p in points][-1]:.1e}", [int(np.count_nonzero(p["coef"])) for p in points], file=sys.stderr)
    return {"name": name, "data": data, "l1Ratio": ratio, "start": call, "lambdas": lambdas, "points": points}


paths = [
    path("lasso path", "correlated", "lasso_path(x, y, alphas=lambdas, tol=1e-14, max_iter=1000000)", 1.0),
    path("lasso path, wide", "wide", "lasso_path(x, y, alphas=lambdas, tol=1e-14, max_iter=1000000)", 1.0),
    path("elastic-net path", "correlated", "enet_path(x, y, l1_ratio=0.5, alphas=lambdas, tol=1e-14, max_iter=1000000)", 0.5),
]


def sequence(data, target, family, alpha):
    """glmnet's own lambdas; it may end before the 20th."""
    call = f"glmnet(x, y, '{family}', alpha = {alpha}, nlambda = 20, lambda.min.ratio = 0.01, standardize = FALSE)"
    found = glmnet_numbers(designs[data]["x"], designs[data][target], call, "m$lambda")
    loss = {"gaussian": "squared", "binomial": "logistic", "poisson": "poisson"}[family]
    print("glmnet lambdas", data, family, alpha, len(found), file=sys.stderr)
    return {"data": data, "loss": loss, "l1Ratio": alpha, "call": call, "lambdas": found.tolist()}


sequences = [
    sequence("correlated", "number", "gaussian", 1),
    sequence("wide", "number", "gaussian", 0.5),
    sequence("tall", "binary", "binomial", 1),
    sequence("tall", "count", "poisson", 1),
]

json.dump({
    "designs": {name: {k: v.tolist() for k, v in d.items()} for name, d in designs.items()},
    "optima": entries, "paths": paths, "sequences": sequences,
}, sys.stdout, separators=(",", ":"))
print()
