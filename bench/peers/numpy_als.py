"""Plain alternating least squares on ratings, in NumPy, from its start to its end: reads, trains, and measures on held-out ratings. One process a call.

The mean is taken off; 10 factors, 10 rounds, and a penalty of 0.1 times the ratings of a user or an item, as Spark's ALS has them by default. The loss
is the root mean square error; fitSeconds leaves reading out.
"""

import time

from lines import missing, problem, say

try:
    import numpy as np
    import pandas
except ModuleNotFoundError as error:
    missing(error)

RANK, ROUNDS, PENALTY = 10, 10, 0.1
train, test = (pandas.read_csv(problem[name]) for name in ("train", "test"))
start = time.perf_counter()
users, items = int(max(train.user.max(), test.user.max())) + 1, int(max(train.item.max(), test.item.max())) + 1
mean = train.value.mean()
random = np.random.default_rng(problem["seed"])
sides = {"user": random.normal(0, 0.1, (users, RANK)), "item": random.normal(0, 0.1, (items, RANK))}
lists = {}
for one, other in (("user", "item"), ("item", "user")):
    lists[one] = [
        (key, group[other].to_numpy(), group.value.to_numpy() - mean) for key, group in train.groupby(one)[[other, "value"]]
    ]
for _ in range(ROUNDS):
    for one, other in (("user", "item"), ("item", "user")):
        for key, indices, values in lists[one]:
            x = sides[other][indices]
            sides[one][key] = np.linalg.solve(x.T @ x + PENALTY * len(values) * np.eye(RANK), x.T @ values)
seconds = time.perf_counter() - start
found = mean + np.sum(sides["user"][test.user] * sides["item"][test.item], axis=1)
loss = float(np.sqrt(np.mean((found - test.value) ** 2)))
say({"version": f"NumPy {np.__version__}, plain ALS", "loss": loss, "fitSeconds": seconds})
