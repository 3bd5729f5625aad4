"""onnxruntime's TreeEnsembleRegressor on one thread: microseconds of processor time per row, for batches of rows."""

import os
import time

from lines import missing, problem, serve

# Debian's onnx and onnxruntime share a library, which complains about being loaded by both.
kept = os.dup(2)
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
try:
    import numpy as np
    import onnxruntime
    from onnx import TensorProto, helper
except ModuleNotFoundError as error:
    missing(error)


def read(name, kind):
    return np.fromfile(problem[name], kind)


def model():
    first, feature = read("firstNode", "<u4"), read("feature", "<i4")
    left, right, threshold, leaves = read("left", "<i4"), read("right", "<i4"), read("threshold", "<f4"), read("leaves", "<f8")
    tree = np.repeat(np.arange(len(first) - 1), np.diff(first))
    own = np.arange(len(feature)) - first[tree]
    leaf = feature < 0
    whole = lambda numbers: [int(number) for number in numbers]
    node = helper.make_node(
        "TreeEnsembleRegressor",
        ["rows"],
        ["z"],
        domain="ai.onnx.ml",
        n_targets=1,
        base_values=[problem["base"]],
        nodes_treeids=whole(tree),
        nodes_nodeids=whole(own),
        nodes_featureids=whole(np.maximum(feature, 0)),
        nodes_values=[float(t) for t in threshold],
        nodes_modes=["LEAF" if is_leaf else "BRANCH_LT" for is_leaf in leaf],
        nodes_truenodeids=whole(np.where(leaf, 0, left - first[tree].astype(int))),
        nodes_falsenodeids=whole(np.where(leaf, 0, right - first[tree].astype(int))),
        target_treeids=whole(tree[leaf]),
        target_nodeids=whole(own[leaf]),
        target_ids=[0] * int(leaf.sum()),
        target_weights=[float(leaves[at]) for at in left[leaf]],
    )
    tensor = lambda name, width: helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width])
    graph = helper.make_graph([node], "trees", [tensor("rows", problem["columnCount"])], [tensor("z", 1)])
    versions = [helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=versions, ir_version=8).SerializeToString()


options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(model(), options, providers=["CPUExecutionProvider"])
os.dup2(kept, 2)
rows = read("rows", "<f4").reshape(-1, problem["columnCount"])
batch = problem["batch"]
parts = [rows[at : at + batch] for at in range(0, min(len(rows), 1000 * batch), batch)]


def run(_):
    call = lambda i: session.run(None, {"rows": parts[i % len(parts)]})
    for i in range(3):
        call(i)
    start, before, calls = time.perf_counter(), time.process_time(), 0
    while (time.perf_counter() - start) * 1000 < problem["roundMs"]:
        call(calls)
        calls += 1
    value = (time.process_time() - before) * 1e6 / (calls * batch)
    z = session.run(None, {"rows": rows})[0].astype(float)
    return {"value": value, "loss": float(np.mean(z**2))}


serve(f"onnxruntime {onnxruntime.__version__}", run)
