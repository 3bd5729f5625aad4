"""torch.optim.Adam on one float32 vector, on one thread: fused=True or foreach=True.

A run sets the gradient to gradient * factor, takes `steps` steps, and reports their seconds. State and parameters go on from run to
run. With "parameters" given, they are written to that file as raw float32 after the steps.
"""

import time

from lines import missing, problem, serve

try:
    import numpy as np
    import torch
except ModuleNotFoundError as error:
    missing(error)

torch.set_num_threads(1)
parameter = torch.nn.Parameter(torch.from_numpy(np.fromfile(problem["parameter"], "<f4")))
gradient = torch.from_numpy(np.fromfile(problem["gradient"], "<f4"))
parameter.grad = torch.empty_like(gradient)
optimiser = torch.optim.Adam(
    [parameter], lr=problem["rate"], betas=(problem["beta1"], problem["beta2"]), eps=problem["epsilon"], **{problem["form"]: True}
)


def run(options):
    torch.mul(gradient, options["factor"], out=parameter.grad)
    start = time.perf_counter()
    for _ in range(options["steps"]):
        optimiser.step()
    seconds = time.perf_counter() - start
    if "parameters" in options:
        parameter.detach().numpy().tofile(options["parameters"])
    return {"seconds": seconds}


serve(f"PyTorch {torch.__version__.partition('+')[0]}", run)
