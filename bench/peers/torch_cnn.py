"""PyTorch on one thread: the small MobileNet of networks.mjs, its images as [n, channels, height, width]; "channelsLast" stores channels innermost."""

import time

from lines import missing, problem, serve

try:
    import numpy as np
    import torch
except ModuleNotFoundError as error:
    missing(error)

torch.set_num_threads(1)
nn = torch.nn
rows, batch, classes = problem["rowCount"], problem["batch"], problem["classes"]
images = np.fromfile(problem["trainImages"], "<f4").reshape(rows, 1, problem["height"], problem["width"])
layout = torch.channels_last if problem.get("channelsLast") else torch.contiguous_format
x = torch.from_numpy(images).contiguous(memory_format=layout).split(batch)
y = torch.from_numpy(np.fromfile(problem["trainLabels"], "u1").astype("i8")).split(batch)
weights = np.fromfile(problem["weights"], "<f4")


def take(*shape):
    global weights
    size = int(np.prod(shape))
    values, weights = torch.from_numpy(weights[:size].reshape(shape)), weights[size:]
    return values


def convolution(values, stride, groups=1):
    """Weights [height, width, inputs / groups, outputs], followed by what follows every convolution."""
    height, _, inputs, outputs = values.shape
    layer = nn.Conv2d(inputs * groups, outputs, height, stride, padding=height // 2, groups=groups, bias=False)
    with torch.no_grad():
        layer.weight.copy_(values.permute(3, 2, 0, 1))
    return [layer, nn.BatchNorm2d(outputs, eps=problem["epsilon"]), nn.ReLU()]


layers = convolution(take(3, 3, 1, problem["channels"]), 2)
for block in problem["blocks"]:
    layers += convolution(take(3, 3, 1, block["from"]), block["stride"], groups=block["from"])
    layers += convolution(take(1, 1, block["from"], block["to"]), 1)
dense = nn.Linear(problem["blocks"][-1]["to"], classes)
with torch.no_grad():
    dense.weight.copy_(take(dense.in_features, classes).T)
    dense.bias.zero_()
model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), dense).to(memory_format=layout)
loss_of = nn.CrossEntropyLoss()
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


serve(f"PyTorch {torch.__version__.partition('+')[0]}" + (", channels last" if problem.get("channelsLast") else ""), run)
