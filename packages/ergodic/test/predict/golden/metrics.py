"""Golden values of test/predict/metrics.test.ts, by scikit-learn 1.4.2: python3 metrics.py > metrics.json

Inputs are written beside the values, so that the test needs no generator of numpy's. Ties in the scores are wanted: they are rounded.
"""
import json
import numpy as np
from sklearn import metrics as m
from sklearn.calibration import calibration_curve

g = np.random.default_rng(20240601)
n = 200


def ece(truth, confidence, weight):
    """Σ_b (w_b/w)·|confidence_b − truth_b| over 15 equal bins, by weighted histograms."""
    edges = np.linspace(0, 1, 16)
    w, _ = np.histogram(confidence, edges, weights=weight)
    c, _ = np.histogram(confidence, edges, weights=weight * confidence)
    t, _ = np.histogram(confidence, edges, weights=weight * truth)
    return float(np.abs(c - t).sum() / w.sum())


def binary(weight):
    y = g.integers(0, 2, n)
    p = np.round(np.clip(0.5 + 0.25 * (2 * y - 1) + 0.35 * g.standard_normal(n), 0, 1), 3)
    w = weight
    value = {
        "accuracy": m.accuracy_score(y, p > 0.5, sample_weight=w),
        "logLoss": m.log_loss(y, p, sample_weight=w),
        "auc": m.roc_auc_score(y, p, sample_weight=w),
        "averagePrecision": m.average_precision_score(y, p, sample_weight=w),
        "f1": m.f1_score(y, p > 0.5, sample_weight=w),
        "confusion": m.confusion_matrix(y, p > 0.5, sample_weight=w).tolist(),
        "calibrationError": ece(y, p, np.ones(n) if w is None else w),
    }
    if w is None:  # the histograms above, checked against scikit-learn's own reliability curve
        true, mean = calibration_curve(y, p, n_bins=15)
        counts, _ = np.histogram(p, np.linspace(0, 1, 16))
        assert abs((counts[counts > 0] * np.abs(true - mean)).sum() / n - value["calibrationError"]) < 1e-2
    return {"outputs": p.tolist(), "targets": y.tolist(), "weights": None if w is None else w.tolist(), "value": value}


def multiclass(weight):
    k = 4
    y = g.integers(0, k - 1, n)  # class 3 never occurs as a target
    z = g.standard_normal((n, k)) + 1.5 * np.eye(k)[y]
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    best = p.argmax(1)
    w = weight
    return {"outputs": p.ravel().tolist(), "targets": y.tolist(), "weights": None if w is None else w.tolist(), "value": {
        "accuracy": m.accuracy_score(y, best, sample_weight=w),
        "logLoss": m.log_loss(y, p, sample_weight=w, labels=range(k)),
        "f1": m.f1_score(y, best, sample_weight=w, average="macro", zero_division=0),
        "confusion": m.confusion_matrix(y, best, sample_weight=w, labels=range(k)).tolist(),
        "calibrationError": ece(best == y, p.max(1), np.ones(n) if w is None else w),
    }}


def numbers(weight, count):
    mean = np.exp(g.standard_normal(n))
    y = g.poisson(mean).astype(float) if count else mean + g.standard_normal(n)
    p = mean * np.exp(0.2 * g.standard_normal(n))
    w = weight
    value = {
        "rmse": m.mean_squared_error(y, p, sample_weight=w, squared=False),
        "mae": m.mean_absolute_error(y, p, sample_weight=w),
        "r2": m.r2_score(y, p, sample_weight=w),
    }
    if count:
        value["deviance"] = m.mean_poisson_deviance(y, p, sample_weight=w)
    return {"outputs": p.tolist(), "targets": y.tolist(), "weights": None if w is None else w.tolist(), "value": value}


cases = []
for w in (None, np.round(g.exponential(size=n), 4)):
    cases.append({"task": "binary", **binary(w)})
    cases.append({"task": "multiclass", **multiclass(w)})
    cases.append({"task": "regression", **numbers(w, False)})
    cases.append({"task": "count", **numbers(w, True)})
print(json.dumps({"cases": cases}))
