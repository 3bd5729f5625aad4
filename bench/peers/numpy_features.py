"""Dense random Fourier features in NumPy, float32, and a linear model on them: microseconds of processor time a row. The loss is the root mean square error of the kernel's estimate."""

import time

from lines import missing, problem, serve

try:
    import numpy as np
except ModuleNotFoundError as error:
    missing(error)

columns, count, gamma, batch, calls = (problem[name] for name in ("columnCount", "count", "gamma", "batch", "calls"))
rows = np.fromfile(problem["values"], "<f4").reshape(-1, columns)
random = np.random.default_rng(1)
frequencies = (random.standard_normal((columns, count // 2)) * np.sqrt(2 * gamma)).astype("f4")
weights = random.standard_normal(count).astype("f4")
scale = np.float32(np.sqrt(2 / count))


def features(x):
    phases = x @ frequencies
    return np.concatenate([np.cos(phases), np.sin(phases)], axis=1) * scale


def error():
    z = features(rows).astype("f8")
    x = rows.astype("f8")
    squares = ((x[:, None, :] - x[None, :, :]) ** 2).sum(axis=2)
    pairs = np.triu_indices(len(rows), 1)
    return float(np.sqrt(np.mean(((z @ z.T) - np.exp(-gamma * squares))[pairs] ** 2)))


loss = error()


def run(options):
    x = rows[:batch]
    start = time.process_time()
    for _ in range(calls):
        features(x) @ weights
    return {"value": (time.process_time() - start) / calls / batch * 1e6, "loss": loss}


serve(f"NumPy {np.__version__}, dense random features, float32", run)
