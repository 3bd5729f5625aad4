"""PyTorch on one thread: the multilayer perceptron of networks.mjs."""

import time

from lines import missing, problem, serve

try:
    import numpy as np
    import torch
except ModuleNotFoundError as error:
    missing(error)

torch.set_num_threads(1)
rows, batch = problem["rowCount"], problem["batch"]
inputs, hidden, classes = problem["inputs"], problem["hidden"], problem["classes"]
x = torch.from_numpy(np.fromfile(problem["trainImages"], "<f4").reshape(rows, inputs)).split(batch)
y = torch.from_numpy(np.fromfile(problem["trainLabels"], "u1").astype("i8")).split(batch)
weights = torch.from_numpy(np.fromfile(problem["weights"], "<f4"))

model = torch.nn.Sequential(torch.nn.Linear(inputs, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, classes))
with torch.no_grad():
    for layer, values in zip((model[0], model[2]), weights.split([inputs * hidden, hidden * classes])):
        layer.weight.copy_(values.reshape(layer.in_features, layer.out_features).T)
        layer.bias.zero_()
loss_of = torch.nn.CrossEntropyLoss()
optimiser = torch.optim.SGD(model.parameters(), lr=problem["rate"])
first_loss = None


def run(options):
    global first_loss
    start = time.perf_counter()
    for _ in range(options["epochs"]):
        total = 0.0
        for images, labels in zip(x, y):
            optimiser.zero_grad()
            loss = loss_of(model(images), labels)
            loss.backward()
            optimiser.step()
            total += loss.item()
            first_loss = total if first_loss is None else first_loss
    return {"seconds": time.perf_counter() - start, "loss": total / len(x), "firstLoss": first_loss}


serve(f"PyTorch {torch.__version__.partition('+')[0]}", run)
