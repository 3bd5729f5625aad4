"""Golden values of golden.test.ts, by scikit-learn 1.4.2 and scipy 1.15: python3 calibration.py > calibration.json

temperatures: 1 / brentq(slope of the weighted log loss in beta = 1/T, xtol 1e-15, rtol 4 eps), probabilities by scipy.special.softmax(l / T).
isotonic: sklearn.isotonic.IsotonicRegression(out_of_bounds="clip", y_min=0, y_max=1).fit(s, t, sample_weight).predict(at).
classifier: sklearn.calibration.CalibratedClassifierCV(method="isotonic", cv="prefit") around a classifier whose decision_function is the
log odds of each class (of two classes z), fitted and asked for predict_proba.
Data come from Lehmer's generator, outputs as multiples of 1/1024, so that float32 holds them.
"""
import json
import sys

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_softmax, logsumexp, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.isotonic import IsotonicRegression


def numbers(seed):
    s = seed
    while True:
        s = s * 48271 % 2147483647
        yield s / 2147483647


class Fixed(ClassifierMixin, BaseEstimator):
    """Rows are its outputs."""

    def __init__(self, classes):
        self.classes_ = np.arange(classes)
        self.n_features_in_ = classes if classes > 2 else 1

    def fit(self, x, y):
        return self

    def decision_function(self, x):
        if x.shape[1] == 1:
            return x[:, 0]
        rest = np.stack([logsumexp(np.delete(x, k, axis=1), axis=1) for k in range(x.shape[1])], axis=1)
        return x - rest


def rows(seed, n, classes, scale):
    """z, and classes drawn with the probabilities softmax(z / scale): the model is too sure by that much."""
    u = numbers(seed)
    z = [[round(1024 * scale * 4 * (next(u) - 0.5)) / 1024 for _ in range(classes)] for _ in range(n)]
    y = []
    for row in z:
        p = softmax(np.array(row) / scale)
        draw, total = next(u), 0.0
        for k in range(classes):
            total += p[k]
            if draw < total or k == classes - 1:
                y.append(k)
                break
    w = [round(0.2 + 2 * next(u), 2) if i % 7 else 0.0 for i in range(n)]
    return z, y, w


def temperature(z, y, w):
    z, y, w = np.array(z), np.array(y), np.array(w)
    own = z[np.arange(len(y)), y]
    slope = lambda beta: float(np.sum(w * (np.sum(softmax(beta * z, axis=1) * z, axis=1) - own)))
    return 1 / brentq(slope, 1e-6, 1e6, xtol=1e-15, rtol=4 * np.finfo(float).eps)


out = {"temperatures": [], "isotonic": [], "classifiers": []}
for seed, n, classes, scale in [(11, 40, 2, 3.0), (12, 60, 3, 5.0), (13, 30, 5, 0.25), (14, 80, 2, 1.0)]:
    z, y, w = rows(seed, n, classes, scale)
    for weights in (None, w):
        t = temperature(z, y, weights or [1.0] * n)
        loss = -np.average(log_softmax(np.array(z) / t, axis=1)[np.arange(n), y], weights=weights)
        out["temperatures"].append({"z": z, "y": y, "w": weights, "temperature": t, "logLoss": loss, "p0": list(softmax(np.array(z[0]) / t))})

for seed, n, grid in [(21, 30, 1000), (22, 50, 10), (23, 12, 4), (24, 5, 1)]:
    u = numbers(seed)
    s = [round(grid * next(u)) / grid * 6 - 3 for _ in range(n)]
    t = [1.0 if next(u) < 1 / (1 + np.exp(-1.5 * x)) else 0.0 for x in s]
    w = [round(3 * next(u), 2) if i % 5 else 0.0 for i in range(n)]
    at = [-10.0, -3.0, -1.234, -0.1, 0.0, 0.3, 1.5, 2.9, 3.0, 10.0]
    for weights in (None, w):
        fitted = IsotonicRegression(out_of_bounds="clip", y_min=0, y_max=1).fit(s, t, sample_weight=weights)
        out["isotonic"].append({"s": s, "t": t, "w": weights, "at": at, "p": list(fitted.predict(at)), "x": list(fitted.X_thresholds_), "y": list(fitted.y_thresholds_)})

for seed, n, classes, scale in [(31, 80, 2, 3.0), (32, 90, 3, 4.0), (33, 120, 4, 2.0)]:
    z, y, w = rows(seed, n, classes, scale)
    x = np.array(z)
    if classes == 2:
        x = x[:, 1:] - x[:, :1]
    fresh, _, _ = rows(seed + 100, 12, classes, 3 * scale)
    f = np.array(fresh)
    if classes == 2:
        f = f[:, 1:] - f[:, :1]
    for weights in (None, w):
        model = CalibratedClassifierCV(Fixed(classes), method="isotonic", cv="prefit").fit(x, np.array(y), sample_weight=weights)
        out["classifiers"].append({"z": x.tolist(), "y": y, "w": weights, "fresh": f.tolist(), "p": model.predict_proba(f).tolist()})
json.dump(out, sys.stdout)
