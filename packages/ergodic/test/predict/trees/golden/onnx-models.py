"""Small ONNX files of trees with the answers of onnxruntime, for onnx.test.ts.

    /usr/bin/python3 onnx-models.py     # onnx 1.17, onnxruntime 1.21, scikit-learn 1.4.2; writes onnx-models.json.gz

Trees are those of scikit-learn or written by hand. A case is the file in base64, and the outputs for `rows`: `value` of a
regressor; `label` and `scores` of a classifier. Missing values are null.
"""

import base64
import gzip
import json
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeClassifier

here = pathlib.Path(__file__).parent
rng = np.random.default_rng(5)
x = rng.normal(size=(90, 3)).astype(np.float32)
z = x[:, 0] + x[:, 1] ** 2
y2, y3 = (z > 1).astype(int), np.digitize(z, [0.3, 1.5])
rows = np.vstack([x[:8], [[0, 0, 0], [9, -9, 9]]]).astype(np.float32)
with_gaps = np.vstack([rows[:6], [[np.nan, 0, 1], [0, np.nan, np.nan]]]).astype(np.float32)


def lists(trees, weights, mode="BRANCH_LEQ"):
    """Attributes of scikit-learn's trees. `weights(t, tree, node)`: pairs of output and weight of a leaf."""
    nodes = {k: [] for k in "treeids nodeids featureids modes values truenodeids falsenodeids".split()}
    leaves = {k: [] for k in "treeids nodeids ids weights".split()}
    for t, tree in enumerate(trees):
        for n in range(tree.node_count):
            leaf = tree.children_left[n] < 0
            threshold = 0.0 if leaf else float(np.float32(tree.threshold[n]))
            left, right = (0, 0) if leaf else (int(tree.children_left[n]), int(tree.children_right[n]))
            if mode in ("BRANCH_GT", "BRANCH_GTE"):
                left, right = right, left
            column = 0 if leaf else int(tree.feature[n])
            for k, v in zip(nodes, [t, n, column, "LEAF" if leaf else mode, threshold, left, right]):
                nodes[k].append(v)
            for output, weight in weights(t, tree, n) if leaf else []:
                for k, v in zip(leaves, [t, n, output, float(weight)]):
                    leaves[k].append(v)
    return {f"nodes_{k}": v for k, v in nodes.items()}, leaves


def file(operator, attributes, after=(), before=(), kind=TensorProto.FLOAT):
    is_class = operator == "TreeEnsembleClassifier"
    outputs = ["label", "scores"] if is_class else ["value"]
    texts = "classlabels_strings" in attributes
    tree = helper.make_node(operator, ["x" if not before else "cast"], outputs, domain="ai.onnx.ml", **attributes)
    last = after[-1].output[0] if after else outputs[-1]
    types = [TensorProto.STRING if texts else TensorProto.INT64] if is_class else []
    shapes = [helper.make_tensor_value_info("label", t, [None]) for t in types]
    is_map = bool(after) and after[-1].op_type == "ZipMap"
    made = (
        helper.make_value_info(last, helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, [])))
        if is_map
        else helper.make_tensor_value_info(last, TensorProto.FLOAT, None)
    )
    if is_map:
        made.type.CopyFrom(helper.make_sequence_type_proto(made.type))
    inputs = [helper.make_tensor_value_info("x", kind, [None, 3])]
    graph = helper.make_graph([*before, tree, *after], "trees", inputs, [*shapes, made])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, producer_name="test", opset_imports=opsets, ir_version=8)
    return model.SerializeToString()


cases = []


def add(name, made, given=rows, scored=True):
    case = {"name": name, "file": base64.b64encode(made).decode()}
    if scored:
        session = onnxruntime.InferenceSession(made, providers=["CPUExecutionProvider"])
        kind = np.float64 if "double" in session.get_inputs()[0].type else np.float32
        found = session.run(None, {"x": given.astype(kind)})
        plain = [None if np.isnan(v) else float(str(v)) for v in given.reshape(-1)]
        case["rows"] = [plain[3 * i : 3 * i + 3] for i in range(len(given))]
        if len(found) == 2:
            case["label"] = [str(v) for v in found[0]]
            scores = [list(row.values()) for row in found[1]] if isinstance(found[1], list) else found[1]
            case["scores"] = [[float(str(np.float32(v))) for v in row] for row in scores]
        else:
            case["value"] = [float(str(np.float32(v))) for v in found[0].reshape(-1)]
    cases.append(case)


def regressor(**more):
    return {**nodes, **{f"target_{k}": v for k, v in leaves.items()}, "n_targets": 1, **more}


boosted = GradientBoostingRegressor(n_estimators=3, max_depth=2, random_state=0).fit(x, z)
trees = [e[0].tree_ for e in boosted.estimators_]
nodes, leaves = lists(trees, lambda t, tree, n: [(0, 0.1 * tree.value[n, 0, 0])])
plain = regressor(base_values=[float(z.mean())])
add("boosted numbers", file("TreeEnsembleRegressor", plain))
identity = helper.make_node("Identity", ["value"], ["same"])
to_float = helper.make_node("Cast", ["x"], ["cast"], to=TensorProto.FLOAT)
add("doubles, a cast and an identity", file("TreeEnsembleRegressor", plain, [identity], [to_float], TensorProto.DOUBLE))
for mode in ["BRANCH_LT", "BRANCH_GT", "BRANCH_GTE"]:
    nodes, leaves = lists(trees[:1], lambda t, tree, n: [(0, tree.value[n, 0, 0])], mode)
    split = [k for k, m in enumerate(nodes["nodes_modes"]) if m != "LEAF"]
    at = with_gaps.copy()
    for i, k in enumerate(split):
        at[i, nodes["nodes_featureids"][k]] = nodes["nodes_values"][k]
    add(mode, file("TreeEnsembleRegressor", regressor()), at)
    tracks = [int(m != "LEAF") for m in nodes["nodes_modes"]]
    add(f"{mode}, missing values to the true node", file("TreeEnsembleRegressor", regressor(nodes_missing_value_tracks_true=tracks)), at)
nodes, leaves = lists(trees[:1], lambda t, tree, n: [(0, tree.value[n, 0, 0])])
tracks = [int(m != "LEAF") for m in nodes["nodes_modes"]]
add("BRANCH_LEQ, missing values to the true node", file("TreeEnsembleRegressor", regressor(nodes_missing_value_tracks_true=tracks)), with_gaps)

forest = RandomForestRegressor(n_estimators=3, max_depth=2, random_state=0).fit(x, z)
nodes, leaves = lists([e.tree_ for e in forest.estimators_], lambda t, tree, n: [(0, tree.value[n, 0, 0])])
add("a forest of numbers", file("TreeEnsembleRegressor", regressor(aggregate_function="AVERAGE")))
add("an average with a base", file("TreeEnsembleRegressor", regressor(aggregate_function="AVERAGE", base_values=[2.5])))
doubles = {k: v for k, v in regressor().items() if k not in ("nodes_values", "target_weights")}
for name in ["nodes_values", "target_weights"]:
    doubles[f"{name}_as_tensor"] = numpy_helper.from_array(np.array(regressor()[name], dtype=np.float64), name)
add("tensors of doubles", file("TreeEnsembleRegressor", doubles, [helper.make_node("Cast", ["value"], ["narrow"], to=1)], kind=TensorProto.DOUBLE))
add("MIN", file("TreeEnsembleRegressor", regressor(aggregate_function="MIN")), scored=False)
add("PROBIT", file("TreeEnsembleRegressor", regressor(post_transform="PROBIT")), scored=False)
add("two targets", file("TreeEnsembleRegressor", regressor(n_targets=2)), scored=False)
modes = [m.replace("BRANCH_LEQ", "BRANCH_EQ") for m in nodes["nodes_modes"]]
add("BRANCH_EQ", file("TreeEnsembleRegressor", {**regressor(), "nodes_modes": modes}), scored=False)
double = helper.make_node("Add", ["value", "value"], ["twice"])
add("another operator", file("TreeEnsembleRegressor", regressor(), [double]), scored=False)


def classifier(classes, **more):
    labels = {"classlabels_strings": classes} if isinstance(classes[0], str) else {"classlabels_int64s": classes}
    return {**nodes, **{f"class_{k}": v for k, v in leaves.items()}, **labels, **more}


def zipmap(classes):
    return helper.make_node("ZipMap", ["scores"], ["map"], domain="ai.onnx.ml", classlabels_int64s=classes)


two = GradientBoostingClassifier(n_estimators=3, max_depth=2, random_state=0).fit(x, y2)
trees = [e[0].tree_ for e in two.estimators_]
for score in [1, 0]:
    nodes, leaves = lists(trees, lambda t, tree, n: [(score, 0.1 * tree.value[n, 0, 0])])
    add(f"boosted, two classes, score {score}", file("TreeEnsembleClassifier", classifier(["no", "yes"], post_transform="LOGISTIC", **({} if score else {"base_values": [-0.4]}))))
add("boosted, a map", file("TreeEnsembleClassifier", classifier([0, 1], post_transform="LOGISTIC"), [zipmap([0, 1])]))
add("margins of two classes", file("TreeEnsembleClassifier", classifier([3, 7])))
mirrored, leaves = leaves, {k: [] for k in leaves}
for t, n, w in zip(mirrored["treeids"], mirrored["nodeids"], mirrored["weights"]):
    for score, value in [(0, -w), (1, w)]:
        for k, v in zip(leaves, [t, n, score, value]):
            leaves[k].append(v)
add("two scores, mirrored", file("TreeEnsembleClassifier", classifier([0, 1], post_transform="LOGISTIC"), [zipmap([0, 1])]))
leaves = mirrored
add("two base values", file("TreeEnsembleClassifier", classifier([0, 1], base_values=[0.1, 0.2])), scored=False)
add("SOFTMAX_ZERO", file("TreeEnsembleClassifier", classifier([0, 1], post_transform="SOFTMAX_ZERO")), scored=False)

three = GradientBoostingClassifier(n_estimators=2, max_depth=2, random_state=0).fit(x, y3)
trees = [e.tree_ for round in three.estimators_ for e in round]
nodes, leaves = lists(trees, lambda t, tree, n: [(t % 3, 0.1 * tree.value[n, 0, 0])])
bases = {"base_values": [0.1, -0.2, 0.3]}
add("boosted, three classes", file("TreeEnsembleClassifier", classifier([5, 6, 9], post_transform="SOFTMAX", **bases)))
add("margins of three classes", file("TreeEnsembleClassifier", classifier(["a", "b", "c"])))
norm = helper.make_node("Normalizer", ["scores"], ["norm"], domain="ai.onnx.ml", norm="L1")
add("one class against the rest", file("TreeEnsembleClassifier", classifier([0, 1, 2], post_transform="LOGISTIC"), [norm]))
add("LOGISTIC", file("TreeEnsembleClassifier", classifier([0, 1, 2], post_transform="LOGISTIC")), scored=False)

forest = RandomForestClassifier(n_estimators=3, max_depth=2, random_state=0).fit(x, y3)
shares = lambda t, tree, n: list(enumerate(tree.value[n, 0] / tree.value[n, 0].sum() / 3))
nodes, leaves = lists([e.tree_ for e in forest.estimators_], shares)
add("a forest of three classes", file("TreeEnsembleClassifier", classifier([0, 1, 2]), [zipmap([0, 1, 2])]))
forest = RandomForestClassifier(n_estimators=3, max_depth=2, random_state=0).fit(x, y2)
nodes, leaves = lists([e.tree_ for e in forest.estimators_], lambda t, tree, n: [(0, shares(t, tree, n)[1][1])])
add("a forest of two classes, one score", file("TreeEnsembleClassifier", classifier(["no", "yes"])))
tree = DecisionTreeClassifier(max_depth=2, random_state=0).fit(x, y2).tree_
nodes, leaves = lists([tree], lambda t, tree, n: [(k, 3 * w) for k, w in shares(t, tree, n)])
add("a tree of two classes, two scores", file("TreeEnsembleClassifier", classifier([0, 1])))
add("two scores, SOFTMAX", file("TreeEnsembleClassifier", classifier([0, 1], post_transform="SOFTMAX")))

found = {"onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__, "cases": cases}
text = json.dumps(found, separators=(",", ":"))
(here / "onnx-models.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
