"""Golden values of PyTorch's layers in float64: python3 torch-layers.py > torch-layers.json   (PyTorch 2.6)

Each entry holds the call that made it, the input x, the parameters by their paths, the output y, and the gradients of sum(seed * y) by x and
by every parameter. Everything stands in this library's layout: images [n, height, width, channels], convolution weights [height, width, in, out],
dense weights [in, out]. `before` and `after` are running statistics.
"""
import json
import math

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

made = 0


def numbers(*shape):
    """Irregular numbers in (-1.5, 1.5), without a random generator: others can make them as well."""
    global made
    count = math.prod(shape)
    values = [1.5 * math.sin(1.7 * (made + i) + 0.3 * math.cos(0.9 * (made + i) ** 1.5)) for i in range(count)]
    made += count
    return torch.tensor(values).reshape(shape)


def flat(tensor):
    return {"shape": list(tensor.shape), "values": tensor.detach().contiguous().reshape(-1).tolist()}


IMAGE = ((0, 3, 1, 2), (0, 2, 3, 1))
SEQUENCE = ((0, 2, 1), (0, 2, 1))
entries = []


def entry(name, call, layer, x, weights=(), layout=None, states=(), differentiate=True):
    """weights: (path, tensor of the layer, from its layout to ours, what is added to the value). layout: of x and y, to PyTorch and back."""
    to, fro = layout or (None, None)
    parameters = {}
    before = {path: flat(state()) for path, state in states}
    given = x.clone().requires_grad_(differentiate)
    y = layer(given.permute(to) if to else given)
    y = y.permute(fro) if fro else y
    seed = numbers(*y.shape)
    (seed * y).sum().backward()
    gradients = {"x": flat(given.grad)} if differentiate else {}
    for path, tensor, ours, *added in weights:
        parameters[path] = flat(ours(tensor + added[0] if added else tensor))
        gradients[path] = flat(ours(tensor.grad))
    whole = {"name": name, "call": call, "x": flat(x), "parameters": parameters, "y": flat(y), "seed": flat(seed), "gradients": gradients}
    if states:
        whole["before"] = before
        whole["after"] = {path: flat(state()) for path, state in states}
    entries.append(whole)


def filled(module):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(numbers(*parameter.shape))
    return module


same = lambda w: w
transposed = lambda w: w.T
filters = lambda w: w.permute(2, 3, 1, 0)
filters1d = lambda w: w.permute(2, 1, 0).unsqueeze(0)


def dense(name, shape):
    m = filled(nn.Linear(4, 3))
    entry(name, "nn.Linear(4, 3)", m, numbers(*shape), [("weight", m.weight, transposed), ("bias", m.bias, same)])


def convolution(name, arguments, shape, cls=nn.Conv2d, text="nn.Conv2d", layout=IMAGE, ours=filters):
    m = filled(cls(**arguments))
    call = f"{text}({', '.join(f'{k}={v}' for k, v in arguments.items())})"
    weights = [("weight", m.weight, ours)] + ([("bias", m.bias, same)] if m.bias is not None else [])
    entry(name, call, m, numbers(*shape), weights, layout)


def batch_norm(name, cls, text, shape, layout, training):
    m = filled(cls(shape[-1]))
    with torch.no_grad():
        m.running_mean.copy_(numbers(shape[-1]))
        m.running_var.copy_(numbers(shape[-1]).abs() + 0.5)
    m.train(training)
    states = [("mean", lambda: m.running_mean.clone()), ("variance", lambda: m.running_var.clone())]
    call = f"{text}({shape[-1]}).{'train' if training else 'eval'}()"
    entry(name, call, m, numbers(*shape), [("scale", m.weight, same), ("shift", m.bias, same)], layout, states=states)


def recurrent(name, cls, text, sequence):
    m = filled(cls(3, 2, batch_first=True))
    run = lambda x: m(x)[0] if sequence else m(x)[0][:, -1]
    weights = [("inputWeight", m.weight_ih_l0, transposed), ("hiddenWeight", m.weight_hh_l0, transposed)]
    if text == "nn.GRU":
        weights += [("inputBias", m.bias_ih_l0, same), ("hiddenBias", m.bias_hh_l0, same)]
    else:
        weights += [("inputBias", m.bias_ih_l0, same, m.bias_hh_l0)]
    entry(name, f"{text}(3, 2, batch_first=True)(x)[0]{'' if sequence else '[:, -1]'}", run, numbers(2, 5, 3), weights)


dense("dense", (5, 4))
dense("denseSequence", (2, 3, 4))
convolution("convolution", dict(in_channels=2, out_channels=3, kernel_size=3, padding=1), (2, 5, 4, 2))
convolution("convolutionStrided", dict(in_channels=2, out_channels=3, kernel_size=(3, 2), stride=2, padding=(1, 0)), (2, 6, 5, 2))
convolution("convolutionDilated", dict(in_channels=2, out_channels=2, kernel_size=3, dilation=2, padding=2, bias=False), (1, 6, 5, 2))
convolution("convolutionGrouped", dict(in_channels=4, out_channels=6, kernel_size=3, groups=2), (2, 5, 4, 4))
convolution("depthwise", dict(in_channels=3, out_channels=3, kernel_size=3, stride=2, padding=1, groups=3), (2, 5, 6, 3))
convolution("depthwiseMultiplied", dict(in_channels=3, out_channels=6, kernel_size=3, padding=1, groups=3), (1, 4, 5, 3))
convolution("pointwise", dict(in_channels=3, out_channels=2, kernel_size=1), (2, 3, 4, 3))
convolution(
    "convolutionSequence", dict(in_channels=2, out_channels=3, kernel_size=3, padding=1), (2, 6, 2), nn.Conv1d, "nn.Conv1d", SEQUENCE, filters1d
)
batch_norm("batchNormTraining", nn.BatchNorm1d, "nn.BatchNorm1d", (5, 3), None, True)
batch_norm("batchNormEvaluation", nn.BatchNorm1d, "nn.BatchNorm1d", (5, 3), None, False)
batch_norm("batchNormImagesTraining", nn.BatchNorm2d, "nn.BatchNorm2d", (2, 3, 4, 3), IMAGE, True)
batch_norm("batchNormImagesEvaluation", nn.BatchNorm2d, "nn.BatchNorm2d", (2, 3, 4, 3), IMAGE, False)
norm = filled(nn.LayerNorm(4))
entry("layerNorm", "nn.LayerNorm(4)", norm, numbers(2, 3, 4), [("scale", norm.weight, same), ("shift", norm.bias, same)])
recurrent("gru", nn.GRU, "nn.GRU", False)
recurrent("gruSequence", nn.GRU, "nn.GRU", True)
recurrent("lstm", nn.LSTM, "nn.LSTM", False)
recurrent("lstmSequence", nn.LSTM, "nn.LSTM", True)
table = filled(nn.Embedding(5, 3))
things = torch.tensor([[0, 4, 2], [2, 2, 1]])
entry("embedding", "nn.Embedding(5, 3)", lambda x: table(things), things * 1.0, [("table", table.weight, same)], differentiate=False)
entry("maxPool", "nn.MaxPool2d(2)", nn.MaxPool2d(2), numbers(2, 5, 4, 2), layout=IMAGE)
entry("maxPoolPadded", "nn.MaxPool2d(3, 2, 1)", nn.MaxPool2d(3, 2, 1), numbers(2, 6, 5, 2), layout=IMAGE)
entry("maxPoolSequence", "nn.MaxPool1d(2)", nn.MaxPool1d(2), numbers(2, 5, 2), layout=SEQUENCE)
entry("averagePool", "nn.AvgPool2d(2)", nn.AvgPool2d(2), numbers(2, 4, 5, 2), layout=IMAGE)
entry("averagePoolPadded", "nn.AvgPool2d(3, 2, 1, count_include_pad=False)", nn.AvgPool2d(3, 2, 1, count_include_pad=False), numbers(2, 6, 5, 2), layout=IMAGE)
entry("averagePoolCounted", "nn.AvgPool2d(3, 2, 1)", nn.AvgPool2d(3, 2, 1), numbers(2, 6, 5, 2), layout=IMAGE)
entry("globalAveragePool", "nn.AdaptiveAvgPool2d(1), flattened", lambda x: nn.AdaptiveAvgPool2d(1)(x).flatten(1), numbers(2, 3, 4, 2), layout=(IMAGE[0], None))
entry("channelShuffle", "nn.ChannelShuffle(3)", nn.ChannelShuffle(3), numbers(2, 2, 2, 6), layout=IMAGE)
# One value beyond each corner.
edges = lambda: torch.cat([numbers(2, 3), torch.tensor([[7.0, -4.0], [3.5, -0.25]])], 1)
for name, call, function in [
    ("relu", "nn.ReLU()", nn.ReLU()),
    ("relu6", "nn.ReLU6()", nn.ReLU6()),
    ("leakyRelu", "nn.LeakyReLU()", nn.LeakyReLU()),
    ("elu", "nn.ELU()", nn.ELU()),
    ("gelu", "nn.GELU()", nn.GELU()),
    ("silu", "nn.SiLU()", nn.SiLU()),
    ("hardSwish", "nn.Hardswish()", nn.Hardswish()),
    ("softplus", "nn.Softplus(threshold=700)", nn.Softplus(threshold=700)),
    ("tanh", "nn.Tanh()", nn.Tanh()),
    ("sigmoid", "nn.Sigmoid()", nn.Sigmoid()),
    ("softmax", "nn.Softmax(-1)", nn.Softmax(-1)),
]:
    entry(name, call, function, edges())

print(json.dumps({"torch": torch.__version__.split("+")[0], "entries": entries}, indent=None, separators=(",", ":")).replace('{"name"', '\n{"name"'))
