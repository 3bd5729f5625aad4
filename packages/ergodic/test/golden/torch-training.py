"""Golden training of a small convolutional network by PyTorch in float64: python3 torch-training.py > torch-training.json   (PyTorch 2.6)

A convolution without bias, batch norm, ReLU, a 2 x 2 maximum, a dense layer; cross entropy; torch.optim.SGD(lr=0.1, momentum=0.9), and the same with
weight_decay=0.01 on weights alone and with nesterov=True. Batches of 4 rows of 20 in their order: five steps. Everything stands in this library's
layout: images [n, height, width, channels], convolution weights [height, width, in, out], dense weights [in, out]. `losses` are those of the batches
before each step; `outputs` those of all rows in evaluation, at the end.
"""
import json
import math

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
made = 0


def numbers(*shape):
    """Irregular numbers in (-1.5, 1.5), without a random generator; exact in float32, since networks are saved in it."""
    global made
    count = math.prod(shape)
    values = [1.5 * math.sin(1.7 * (made + i) + 0.3 * math.cos(0.9 * (made + i) ** 1.5)) for i in range(count)]
    made += count
    return torch.tensor(values).to(torch.float32).to(torch.float64).reshape(shape)


def flat(tensor):
    return tensor.detach().contiguous().reshape(-1).tolist()


x = numbers(20, 6, 6, 2)
y = torch.tensor([(7 * i * i + i // 3) % 3 for i in range(20)])
conv, norm, last = nn.Conv2d(2, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3), nn.Linear(27, 3)
begin = {
    "0.weight": (conv.weight, 0.5 * numbers(3, 3, 2, 3), lambda w: w.permute(2, 3, 1, 0), lambda w: w.permute(3, 2, 0, 1)),
    "1.scale": (norm.weight, 1 + 0.25 * numbers(3), None, None),
    "1.shift": (norm.bias, 0.5 * numbers(3), None, None),
    "5.weight": (last.weight, 0.25 * numbers(27, 3), lambda w: w.T, lambda w: w.T),
    "5.bias": (last.bias, 0.5 * numbers(3), None, None),
}


def forward(rows):
    z = torch.max_pool2d(torch.relu(norm(conv(rows.permute(0, 3, 1, 2)))), 2)
    return last(z.permute(0, 2, 3, 1).flatten(1))


def train(call, options, decay):
    with torch.no_grad():
        for tensor, value, _, theirs in begin.values():
            tensor.copy_(theirs(value) if theirs else value)
    norm.reset_running_stats()
    norm.train()
    decayed = [conv.weight, last.weight]
    others = [norm.weight, norm.bias, last.bias]
    optimizer = torch.optim.SGD([{"params": decayed, "weight_decay": decay}, {"params": others}], **options)
    losses = []
    for t in range(5):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(forward(x[4 * t : 4 * t + 4]), y[4 * t : 4 * t + 4])
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    norm.eval()
    parameters = {path: flat(ours(tensor) if ours else tensor) for path, (tensor, _, ours, _) in begin.items()}
    states = {"1.mean": flat(norm.running_mean), "1.variance": flat(norm.running_var)}
    return {"call": call, "losses": losses, "parameters": parameters, "states": states, "outputs": flat(forward(x))}


entries = [
    train("torch.optim.SGD(lr=0.1, momentum=0.9)", dict(lr=0.1, momentum=0.9), 0.0),
    train("torch.optim.SGD(lr=0.1, momentum=0.9, nesterov=True)", dict(lr=0.1, momentum=0.9, nesterov=True), 0.0),
    train("torch.optim.SGD(lr=0.1, momentum=0.9), weight_decay=0.01 of weights", dict(lr=0.1, momentum=0.9), 0.01),
]
start = {path: flat(value) for path, (_, value, _, _) in begin.items()}
whole = {"torch": torch.__version__.split("+")[0], "x": flat(x), "y": y.tolist(), "start": start, "entries": entries}
print(json.dumps(whole, separators=(",", ":")).replace('{"call"', '\n{"call"'))
