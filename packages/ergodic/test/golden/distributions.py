"""Golden values of distributions.test.ts, by scipy 1.15.3, torch 2.6.0 and mpmath 1.3.0: python3 distributions.py > distributions.json

A row: the distribution's name and parameters; the call; x with log densities; where there are, distribution function and quantiles at p.
"""
import json
import math

import mpmath
import numpy as np
import torch
from scipy import stats

mpmath.mp.dps = 40
inf = math.inf
P = [1e-6, 0.01, 0.3, 0.5, 0.77, 0.999]
rows = []


def number(x):
    x = float(x)
    return x if math.isfinite(x) else str(x).replace("inf", "Infinity").replace("nan", "NaN")


def row(name, parameters, call, x, log, cdf=None, quantile=None, p=P):
    r = {"name": name, "parameters": parameters, "call": call, "x": x, "logDensity": [number(log(v)) for v in x]}
    if cdf:
        r["cdf"] = [number(cdf(v)) for v in x]
    if quantile:
        r["p"] = p
        r["quantile"] = [number(quantile(v)) for v in p]
    rows.append(r)


def continuous(name, parameters, call, x, p=P):
    d = eval(call, {"stats": stats, "math": math})
    row(name, parameters, call, x, d.logpdf, d.cdf, d.ppf, p)


def discrete(name, parameters, call, x, cdf=True, p=(0.01, 0.3, 0.55, 0.77, 0.999)):
    d = eval(call, {"stats": stats, "math": math})
    row(name, parameters, call, x, d.logpmf, d.cdf if cdf else None, d.ppf if cdf else None, list(p))


real = [-40, -3.7, -1, -0.2, 0, 0.3, 1, 2.9, 12]
positive = [-1, 0, 1e-9, 0.02, 0.5, 1, 1.7, 6, 31]
counts = [-1, 0, 1, 2, 3, 7, 20, 2.5]

continuous("normal", [0, 1], "stats.norm(0, 1)", real)
continuous("normal", [0.7, 2.5], "stats.norm(0.7, 2.5)", real)
continuous("halfNormal", [1.8], "stats.halfnorm(0, 1.8)", positive)
continuous("student", [1, 0.3, 2], "stats.t(1, 0.3, 2)", real)
continuous("student", [4.5, -0.3, 0.5], "stats.t(4.5, -0.3, 0.5)", real)
continuous("student", [150, 0, 1], "stats.t(150, 0, 1)", real)
continuous("cauchy", [0.4, 2.5], "stats.cauchy(0.4, 2.5)", real, [0.01, 0.3, 0.5, 0.77, 0.999])
continuous("halfCauchy", [5], "stats.halfcauchy(0, 5)", positive)
continuous("laplace", [0.4, 1.5], "stats.laplace(0.4, 1.5)", real)
continuous("logistic", [0.4, 1.5], "stats.logistic(0.4, 1.5)", real)
continuous("gamma", [1, 2], "stats.gamma(1, scale=1/2)", positive)
continuous("gamma", [0.3, 2], "stats.gamma(0.3, scale=1/2)", positive)
continuous("gamma", [25, 4], "stats.gamma(25, scale=1/4)", positive)
continuous("inverseGamma", [2.5, 1.3], "stats.invgamma(2.5, scale=1.3)", positive)
continuous("beta", [2, 3.5], "stats.beta(2, 3.5)", [-0.1, 0, 1e-7, 0.2, 0.5, 0.81, 0.999, 1, 1.2])
continuous("beta", [1, 1], "stats.beta(1, 1)", [-0.1, 0, 0.2, 1, 1.2])
continuous("beta", [0.5, 0.4], "stats.beta(0.5, 0.4)", [1e-7, 0.2, 0.5, 0.81, 0.999])
continuous("beta", [40, 70], "stats.beta(40, 70)", [0.01, 0.3, 0.36, 0.4, 0.81])
continuous("lognormal", [0.5, 0.8], "stats.lognorm(0.8, scale=math.exp(0.5))", positive)
continuous("exponential", [0.7], "stats.expon(scale=1/0.7)", positive)
continuous("weibull", [1, 1.5], "stats.weibull_min(1, scale=1.5)", positive)
continuous("weibull", [2.3, 1.5], "stats.weibull_min(2.3, scale=1.5)", positive)
continuous("pareto", [0.5, 3], "stats.pareto(3, scale=0.5)", positive)
continuous("uniform", [-1.5, 2], "stats.uniform(-1.5, 3.5)", [-2, -1.5, 0, 1.2, 2, 3])
discrete("bernoulli", [0.3], "stats.bernoulli(0.3)", [-1, 0, 1, 2])
discrete("bernoulli", [1], "stats.bernoulli(1)", [0, 1], cdf=False)
discrete("bernoulliLogit", [-1.25], "stats.bernoulli(1/(1 + math.exp(1.25)))", [-1, 0, 1, 2])
discrete("binomial", [20, 0.35], "stats.binom(20, 0.35)", counts + [21])
discrete("binomial", [5, 0], "stats.binom(5, 0)", [0, 1, 5], cdf=False)
discrete("binomialLogit", [20, 0.8], "stats.binom(20, 1/(1 + math.exp(-0.8)))", counts + [21])
discrete("betaBinomial", [20, 2.5, 0.7], "stats.betabinom(20, 2.5, 0.7)", counts + [21], cdf=False)
discrete("poisson", [3.4], "stats.poisson(3.4)", counts)
discrete("poisson", [250], "stats.poisson(250)", [0, 180, 250, 251, 300, 400])
discrete("poisson", [0], "stats.poisson(0)", [0, 1], cdf=False)
discrete("poissonLog", [0.8], "stats.poisson(math.exp(0.8))", counts)
discrete("negativeBinomial", [2.5, 0.6], "stats.nbinom(2.5, 0.6/1.6)", counts)
discrete("negativeBinomialMean", [4.2, 1.7], "stats.nbinom(1.7, 1.7/(1.7 + 4.2))", counts)
discrete("discreteUniform", [-2, 7], "stats.randint(-2, 8)", counts + [-2, -3, 8])
discrete("geometric", [0.3], "stats.geom(0.3, loc=-1)", counts)
discrete("categorical", [[0.1, 0.6, 0.3]], "stats.rv_discrete(values=([0, 1, 2], [0.1, 0.6, 0.3]))", [-1, 0, 1, 2, 3])
for nu in [1, 3.5]:
    t = stats.t(nu, 0, 1.8)
    row("halfStudent", [nu, 1.8], f"2 stats.t({nu}, 0, 1.8).pdf(x)", [x for x in positive if x != 1e-9], lambda x: t.logpdf(x) + math.log(2) if x >= 0 else -inf, lambda x: 1 - 2 * t.sf(x) if x > 0 else 0, lambda p: t.isf((1 - p) / 2), [0.01, 0.3, 0.77, 0.999])
logits = [0.3, -1.2, 2]
shares = [float(mpmath.exp(x) / sum(mpmath.exp(y) for y in logits)) for x in logits]
row("categoricalLogit", [logits], "log of the softmax, mpmath.exp", [-1, 0, 1, 2, 3], lambda x: math.log(shares[x]) if 0 <= x < 3 else -inf, lambda x: sum(shares[: x + 1]) if x < 2 else 1)
rows[-1] |= {"p": [0.1, 0.9], "quantile": [0, 2]}
multinomial = stats.multinomial(6, [0.1, 0.6, 0.3])
row("multinomial", [6, [0.1, 0.6, 0.3]], "stats.multinomial(6, [0.1, 0.6, 0.3])", [[1, 3, 2], [0, 6, 0], [2, 2, 1], [-1, 4, 3]], multinomial.logpmf)
row("dirichlet", [[0.5, 1, 3.2]], "stats.dirichlet([0.5, 1, 3.2])", [[0.2, 0.5, 0.3], [0.01, 0.01, 0.98]], lambda x: stats.dirichlet([0.5, 1, 3.2]).logpdf(x))
covariance = [[2, 0.6, -0.3], [0.6, 1.5, 0.4], [-0.3, 0.4, 0.9]]
mu = [0.5, -1, 2]
points = [[0, 0, 0], [0.5, -1, 2], [-3, 4, 1.5]]
mvn = stats.multivariate_normal(mu, covariance)
row("multivariateNormal", [mu, covariance], "stats.multivariate_normal(mu, covariance)", points, mvn.logpdf)
factor = np.linalg.cholesky(covariance)
row("multivariateNormalCholesky", [mu, factor.tolist()], "stats.multivariate_normal(mu, covariance), numpy.linalg.cholesky", points, mvn.logpdf)
precision = np.linalg.inv(covariance)
precision = (precision + precision.T) / 2
row("multivariateNormalPrecision", [mu, precision.tolist()], "stats.multivariate_normal(mu, covariance), numpy.linalg.inv", points, mvn.logpdf)
for d, eta in [(2, 1.0), (3, 0.6), (4, 2.5)]:
    lkj = torch.distributions.LKJCholesky(d, torch.tensor(eta, dtype=torch.float64))
    torch.manual_seed(1)
    draws = [lkj.sample().double() for _ in range(2)]
    # The normaliser is torch's; the factors are drawn in float64.
    row("lkjCholesky", [d, eta], f"torch.distributions.LKJCholesky({d}, {eta}).log_prob(x)", [x.tolist() for x in draws], lambda x: lkj.log_prob(torch.tensor(x, dtype=torch.float64)))


def ordered(x, eta, c):
    sigma = lambda z: 1 / (1 + mpmath.exp(-mpmath.mpf(z)))
    if not 0 <= x <= len(c):
        return -inf
    above = sigma(mpmath.mpf(c[x]) - eta) if x < len(c) else mpmath.mpf(1)
    below = sigma(mpmath.mpf(c[x - 1]) - eta) if x > 0 else mpmath.mpf(0)
    return mpmath.log(above - below)


for eta in [0.3, -30, 31]:
    row("orderedLogistic", [eta, [-1, 0.5, 2.2]], "mpmath.log(sigma(c[x] - eta) - sigma(c[x - 1] - eta))", [-1, 0, 1, 2, 3, 4], lambda x: ordered(x, eta, [-1, 0.5, 2.2]))


def truncnorm(x, mu, s, low, high):
    cdf = lambda v: mpmath.ncdf((mpmath.mpf(v) - mu) / s)
    mass = (1 - mpmath.ncdf((mpmath.mpf(low) - mu) / s) if high == inf else cdf(high) - (cdf(low) if low > -inf else 0))
    return mpmath.log(mpmath.npdf(mpmath.mpf(x), mu, s) / mass) if low <= x <= high else -inf


mpmath.mp.dps = 500
for low, high, x in [(0.5, 2, [0, 0.5, 1, 2, 3]), (20, 21, [20, 20.3, 22]), (-31, -30, [-30.5]), (25, inf, [24, 25.1]), (-inf, -25, [-26, 0])]:
    row("truncated normal", [0.2, 0.9, number(low), number(high)], "log(mpmath.npdf(x, mu, s) / (mpmath.ncdf(high) - mpmath.ncdf(low)))", x, lambda v: truncnorm(v, mpmath.mpf(0.2), mpmath.mpf(0.9), low, high))

mpmath.mp.dps = 40
angles = [-3, -1.2, 0, 0.7, 2.5, 5, 40.5]
for mean, kappa in [(0.7, 0), (0.7, 0.01), (-0.4, 2.3), (0, 19.9), (0, 20.1), (1, 350), (0.7, 1e5)]:
    von_mises = lambda x: mpmath.mpf(kappa) * mpmath.cos(mpmath.mpf(x) - mpmath.mpf(mean)) - mpmath.log(2 * mpmath.pi) - mpmath.log(mpmath.besseli(0, kappa))
    row("vonMises", [mean, kappa], f"vonMises({mean}, {kappa}): kappa cos(x - mu) - log(2 pi besseli(0, kappa)), mpmath", angles, von_mises)

print("[\n" + ",\n".join(json.dumps(r) for r in rows) + "\n]")
