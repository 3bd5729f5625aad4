"""All marginals of a graph by NumPy's einsum on the same junction tree: messages towards the root, and back by Hugin's division. One thread."""

import json
import time

from lines import missing, problem, serve

try:
    import numpy as np
except ModuleNotFoundError as error:
    missing(error)

with open(problem["described"]) as file:
    described = json.load(file)
values = np.fromfile(problem["values"], "<f8")
tables = []
at = 0
for table in described["tables"]:
    size = int(np.prod(table["shape"], dtype=np.int64))
    tables.append((table["scope"], values[at : at + size].reshape(table["shape"])))
    at += size
cliques = described["cliques"]


def contract(operands, axes, wanted):
    """einsum over the axes of a clique: its own numbering of them, as einsum knows no more than 52. It takes no more than 31 operands, so small ones are multiplied first."""
    number = {axis: k for k, axis in enumerate(axes)}
    operands = sorted(operands, key=lambda operand: operand[1].size)
    while len(operands) > MOST_OPERANDS:
        (one, a), (other, b), *rest = operands
        union = list(dict.fromkeys([*one, *other]))
        made = np.einsum(a, [number[v] for v in one], b, [number[v] for v in other], [number[v] for v in union])
        operands = sorted([*rest, (union, made)], key=lambda operand: operand[1].size)
    arguments = []
    for scope, array in operands:
        arguments += [array, [number[axis] for axis in scope]]
    return np.einsum(*arguments, [number[axis] for axis in wanted], optimize=OPTIMIZE)


OPTIMIZE = "greedy"
MOST_OPERANDS = 12


def marginals():
    up = [None] * len(cliques)
    log_z = 0.0
    for number, clique in enumerate(cliques):
        axes, own = clique["axes"], clique["own"]
        operands = [tables[t] for t in clique["scopes"]] + [up[c] for c in clique["children"]]
        shared = axes[: len(axes) - own]
        message = contract(operands, axes, shared)
        largest = message.max()
        log_z += np.log(largest)
        if clique["parent"] < 0:
            log_z += np.log(message / largest)
        up[number] = (shared, message / largest)
    down = [None] * len(cliques)
    found = {}
    for number in range(len(cliques) - 1, -1, -1):
        clique = cliques[number]
        axes, own = clique["axes"], clique["own"]
        operands = [tables[t] for t in clique["scopes"]] + [up[c] for c in clique["children"]]
        if down[number] is not None:
            operands.append(down[number])
        belief = contract(operands, axes, axes)
        for child in clique["children"]:
            shared, sent = up[child]
            others = tuple(k for k, axis in enumerate(axes) if axis not in shared)
            total = belief.sum(axis=others)
            with np.errstate(divide="ignore", invalid="ignore"):
                message = np.where(sent > 0, total / sent, 0.0)
            down[child] = (shared, message / message.max())
        for k in range(len(axes) - own, len(axes)):
            p = belief.sum(axis=tuple(j for j in range(len(axes)) if j != k))
            found[axes[k]] = p / p.sum()
        down[number] = None
    return float(log_z), [found[v].tolist() for v in sorted(found)]


def run(options):
    start = time.perf_counter()
    log_z, found = marginals()
    return {"seconds": time.perf_counter() - start, "logZ": log_z, "marginals": found}


serve(f"NumPy {np.__version__} einsum, optimize={OPTIMIZE}", run)
