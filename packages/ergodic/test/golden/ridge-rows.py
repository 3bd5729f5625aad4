"""Golden rows of test/golden/ridge-rows.test.ts, by scikit-learn 1.4.2: python3 ridge-rows.py > ridge-rows.json

With the items' rows fixed, a user's row of a factorisation is a ridge regression. Numbers are halves of whole numbers from a formula, exact on
both sides. Explicit: Ridge(alpha=l2 or l2 * count, fit_intercept=False) on [q, 1] against r - mean - bias. Implicit: the same on q over all
items against 0 and 1, with sample_weight 1 + alpha r.
"""
import json
import sys

import numpy as np
from sklearn.linear_model import Ridge

USERS, ITEMS, RANK, L2, ALPHA = 4, 7, 3, 0.75, 1.5


def number(i, k):
    return ((7 * i + 3 * k + i * k) % 11 - 5) / 2


def rating(u, i):
    return ((5 * u + 2 * i + u * i) % 10 + 1) / 2


def rated(u, i):
    return (3 * u + 2 * i + u * i) % 7 < 4


items = np.array([[number(i, k) for k in range(RANK)] for i in range(ITEMS)])
bias = np.array([number(i, RANK) for i in range(ITEMS)])
cells = [[i for i in range(ITEMS) if rated(u, i)] for u in range(USERS)]
mean = np.mean([rating(u, i) for u in range(USERS) for i in cells[u]])


def solve(x, y, l2, weights=None):
    return Ridge(alpha=l2, fit_intercept=False, solver="cholesky").fit(x, y, sample_weight=weights).coef_.tolist()


def explicit(u, weighted):
    chosen = cells[u]
    x = np.column_stack([items[chosen], np.ones(len(chosen))])
    y = np.array([rating(u, i) for i in chosen]) - mean - bias[chosen]
    return solve(x, y, L2 * len(chosen) if weighted else L2)


def implicit(u, weighted):
    values = np.array([rating(u, i) if rated(u, i) else 0 for i in range(ITEMS)])
    return solve(items, (values > 0).astype(float), L2 * len(cells[u]) if weighted else L2, 1 + ALPHA * values)


json.dump(
    {name: [make(u, w) for u in range(USERS)] for name, make, w in [
        ("explicit", explicit, False), ("explicitWeighted", explicit, True),
        ("implicit", implicit, False), ("implicitWeighted", implicit, True)]},
    sys.stdout,
)
