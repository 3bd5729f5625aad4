"""Golden traces of PyTorch's step rules in float64: python3 torch-traces.py > torch.json   (PyTorch 2.6, NumPy not needed)

Each entry holds the call that made it, the problem, and the iterate at chosen steps. Two problems, whose gradients are written
in plain Python floats in a stated order, so that another language computes the same bits:
  quadratic   g_i = a_i (x_i - c_i) + 0.01 sum_j (x_j - c_j) + w_i(t),  w_i(t) = 0.1 (((7919 t + 104729 i) mod 1000) / 1000 - 0.5)
              i from 0, t from 1: condition number near 1e5, with a deterministic perturbation in the place of noise
  rosenbrock  f = 100 (y - x^2)^2 + (1 - x)^2 from (-1.2, 1)
Options are chosen so that a run magnifies a change of its start at most 1000 times: a trajectory that does more (AdaDelta at rate 1
across Rosenbrock's valley) differs between two machines as well.
"""
import json
import sys

import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

A = [0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 2.0, 10.0, 50.0, 100.0]
C = [1.0, -2.0, 3.0, -0.5, 0.25, 1.5, -1.0, 2.0, -3.0, 0.75]
START = {"quadratic": [0.5] * 10, "rosenbrock": [-1.2, 1.0]}
STEPS = [1, 2, 3, 10, 100, 1000]


def quadratic(x, t):
    total = 0.0
    for xi, ci in zip(x, C):
        total += xi - ci
    return [
        a * (xi - c) + 0.01 * total + (0.1 * (((7919 * t + 104729 * i) % 1000) / 1000 - 0.5) if t > 0 else 0.0)
        for i, (xi, a, c) in enumerate(zip(x, A, C))
    ]


def quadratic_value(x):
    total, f = 0.0, 0.0
    for xi, a, c in zip(x, A, C):
        total += xi - c
        f += 0.5 * a * (xi - c) * (xi - c)
    return f + 0.005 * total * total


def rosenbrock(x, t):
    u, v = x
    return [-400.0 * u * (v - u * u) - 2.0 * (1.0 - u), 200.0 * (v - u * u)]


def rosenbrock_value(x):
    u, v = x
    return 100.0 * (v - u * u) * (v - u * u) + (1.0 - u) * (1.0 - u)


GRADIENT = {"quadratic": quadratic, "rosenbrock": rosenbrock}
VALUE = {"quadratic": quadratic_value, "rosenbrock": rosenbrock_value}

# (name, call, problems): the name is what the test maps to a rule of ours
RULES = [
    ("sgd", "SGD([x], lr=0.005)", "q"),
    ("sgd", "SGD([x], lr=0.0005)", "r"),
    ("sgdDecay", "SGD([x], lr=0.005, weight_decay=0.1)", "q"),
    ("momentum", "SGD([x], lr=0.005, momentum=0.9)", "q"),
    ("momentum", "SGD([x], lr=0.0002, momentum=0.9)", "r"),
    ("dampening", "SGD([x], lr=0.01, momentum=0.9, dampening=0.5)", "q"),
    ("dampening", "SGD([x], lr=0.0005, momentum=0.9, dampening=0.5)", "r"),
    ("nesterov", "SGD([x], lr=0.005, momentum=0.9, nesterov=True)", "q"),
    ("nesterov", "SGD([x], lr=0.0002, momentum=0.9, nesterov=True)", "r"),
    ("nesterovDecay", "SGD([x], lr=0.005, momentum=0.9, nesterov=True, weight_decay=0.1)", "q"),
    ("asgd", "ASGD([x], lr=0.005, lambd=1e-4, alpha=0.75, t0=50)", "q"),
    ("asgd", "ASGD([x], lr=0.0005, lambd=1e-4, alpha=0.75, t0=50)", "r"),
    ("adagrad", "Adagrad([x], lr=0.1)", "qr"),
    ("adagradDecay", "Adagrad([x], lr=0.5, lr_decay=0.01, initial_accumulator_value=0.1)", "qr"),
    ("adagradL2", "Adagrad([x], lr=0.1, weight_decay=0.1)", "q"),
    ("rmsprop", "RMSprop([x], lr=0.001)", "qr"),
    ("rmspropMomentum", "RMSprop([x], lr=0.001, alpha=0.95, momentum=0.9)", "q"),
    ("rmspropMomentum", "RMSprop([x], lr=0.0001, momentum=0.5)", "r"),
    ("rmspropCentred", "RMSprop([x], lr=0.001, centered=True)", "qr"),
    ("rmspropBoth", "RMSprop([x], lr=0.001, centered=True, momentum=0.5, weight_decay=0.1)", "q"),
    ("adadelta", "Adadelta([x])", "q"),
    ("adadelta", "Adadelta([x], lr=0.1)", "r"),
    ("adadeltaRate", "Adadelta([x], lr=0.5, rho=0.95, eps=1e-4, weight_decay=0.1)", "q"),
    ("adam", "Adam([x], lr=0.01)", "qr"),
    ("adamBetas", "Adam([x], lr=0.02, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1)", "q"),
    ("amsgrad", "Adam([x], lr=0.01, amsgrad=True)", "qr"),
    ("amsgradL2", "Adam([x], lr=0.01, weight_decay=0.1, amsgrad=True)", "q"),
    ("adamw", "AdamW([x], lr=0.01)", "qr"),
    ("adamwAmsgrad", "AdamW([x], lr=0.01, weight_decay=0.1, amsgrad=True)", "q"),
    ("nadam", "NAdam([x], lr=0.01)", "qr"),
    ("nadamDecay", "NAdam([x], lr=0.01, weight_decay=0.1, decoupled_weight_decay=True, momentum_decay=0.01)", "q"),
    ("nadamL2", "NAdam([x], lr=0.01, weight_decay=0.1)", "q"),
    ("radam", "RAdam([x], lr=0.01)", "q"),
    ("radam", "RAdam([x], lr=0.0003)", "r"),
    ("radamDecay", "RAdam([x], lr=0.01, weight_decay=0.1)", "q"),
    ("radamDecoupled", "RAdam([x], lr=0.01, weight_decay=0.1, decoupled_weight_decay=True)", "q"),
    ("adamax", "Adamax([x], lr=0.01)", "qr"),
    ("adamaxL2", "Adamax([x], lr=0.005, betas=(0.8, 0.99), weight_decay=0.1)", "q"),
    ("exponential", "SGD([x], lr=0.005) ExponentialLR(o, gamma=0.99)", "q"),
    ("step", "SGD([x], lr=0.005) StepLR(o, step_size=30, gamma=0.5)", "q"),
    ("cosine", "SGD([x], lr=0.005) CosineAnnealingLR(o, T_max=1000, eta_min=0.0001)", "q"),
    ("warmUp", "SGD([x], lr=0.005) LinearLR(o, start_factor=0.1, total_iters=9)", "q"),
    ("clipNorm", "SGD([x], lr=0.005) clip_grad_norm_([x], 1.0)", "q"),
    ("clipValue", "SGD([x], lr=0.005) clip_grad_value_([x], 0.5)", "q"),
]


def trace(call, problem, nudge=0.0):
    x = torch.tensor([v * (1 + nudge) for v in START[problem]], requires_grad=True)
    optimiser, _, extra = call.partition(" ") if ") " not in call else call.partition(") ")
    optimiser = optimiser + ")" if ") " in call else call
    extra = extra if ") " in call else ""
    o = eval("torch.optim." + optimiser, {"torch": torch, "x": x})
    schedule = eval("torch.optim.lr_scheduler." + extra, {"torch": torch, "o": o}) if "LR" in extra else None
    kept, averages = [], []
    for t in range(1, STEPS[-1] + 1):
        x.grad = torch.tensor(GRADIENT[problem](x.detach().tolist(), t))
        if extra.startswith("clip"):
            eval("torch.nn.utils." + extra, {"torch": torch, "x": x})
        o.step()
        if schedule is not None:
            schedule.step()
        if t in STEPS:
            kept.append(x.detach().tolist())
            if "ax" in o.state[x]:
                averages.append(o.state[x]["ax"].tolist())
    return {"x": kept, **({"average": averages} if averages else {})}


def lbfgs_trace(call, problem, iterations):
    x = torch.tensor(START[problem], requires_grad=True)
    o = eval("torch.optim." + call, {"torch": torch, "x": x})

    def closure():
        x.grad = torch.tensor(GRADIENT[problem](x.detach().tolist(), 0))
        return torch.tensor(VALUE[problem](x.detach().tolist()))

    kept = []
    for _ in range(iterations):
        o.step(closure)
        kept.append(x.detach().tolist())
    return {"x": kept}


def main():
    entries = []
    for name, call, problems in RULES:
        for problem in ["quadratic"] * ("q" in problems) + ["rosenbrock"] * ("r" in problems):
            kept = trace(call, problem)
            entries.append({"name": name, "call": "torch.optim." + call, "problem": problem, "steps": STEPS, **kept})
            near = trace(call, problem, 2.0**-40)
            moved = max(abs(a - b) / max(abs(a), 1e-3) for u, v in zip(kept["x"], near["x"]) for a, b in zip(u, v))
            if moved * 2.0**40 > 1000:
                print(f"{call} on {problem} magnifies a rounding error {moved * 2.0**40:.0f} times: take milder options", file=sys.stderr)
    for problem, call, iterations in [
        ("quadratic", "LBFGS([x], max_iter=1, history_size=5, line_search_fn='strong_wolfe')", 12),
        ("rosenbrock", "LBFGS([x], max_iter=1, history_size=10, line_search_fn='strong_wolfe')", 30),
        ("rosenbrock", "LBFGS([x], lr=0.001, max_iter=1, history_size=10)", 10),
    ]:
        entries.append({"name": "lbfgs", "call": "torch.optim." + call, "problem": problem, "steps": list(range(1, iterations + 1)),
                        **lbfgs_trace(call, problem, iterations)})
    lines = ",\n".join(json.dumps(e, separators=(",", ":")) for e in entries)
    print('{"source":"PyTorch %s, float64, %s","entries":[\n%s\n]}' % (torch.__version__, "python3 torch-traces.py > torch.json", lines))


main()
