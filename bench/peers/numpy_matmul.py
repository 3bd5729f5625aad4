"""NumPy's float32 matrix product on one thread: see jax_matmul.mjs, which this mirrors. Says which BLAS stands behind it."""

import time

from lines import missing, problem, serve

try:
    import numpy as np
except ModuleNotFoundError as error:
    missing(error)

operands = np.fromfile(problem["operands"], "<f4")
pairs = [(operands[: s * s].reshape(s, s), operands[-s * s :].reshape(s, s)) for s in problem["sizes"]]


def blas():
    """The library that is loaded now: Debian lets its owner choose one, and the plain reference BLAS is forty times slower than OpenBLAS."""
    with open("/proc/self/maps") as maps:
        files = {line.split()[-1] for line in maps if "blas" in line}
    return "OpenBLAS" if any("openblas" in file for file in files) else "another BLAS than OpenBLAS"


def run(options):
    seconds, sums = [], []
    for (a, b), repeats in zip(pairs, options["repeats"]):
        product = np.empty((len(a), len(a)), np.float32)
        tries = []
        for _ in range(options["tries"]):
            start = time.perf_counter()
            for _ in range(repeats):
                np.matmul(a, b, out=product)
            tries.append((time.perf_counter() - start) / repeats)
        seconds.append(min(tries))
        sums.append(float(product.sum(dtype=np.float64)))
    return {"seconds": seconds, "sums": sums}


np.matmul(*pairs[0])
serve(f"NumPy {np.__version__} with {blas()}", run)
