/**
 * ONNX models of [batch, 4] that mix the rows of a batch, each in a different way, and others whose rows are
 * independent.
 */
import { type Attribute, Foreign, type Type } from "./foreign.ts";

type Build = (graph: Foreign, x: string) => string;

/** y = build(x) of the same shape. */
const same = (build: Build, type: Type = "float32", shape: (string | number)[] = ["batch", 4]): Uint8Array => {
  const graph = new Foreign();
  return graph.output(build(graph, graph.input("x", type, shape)), "y", type, shape).bytes();
};
/** y [batch, …] = build(x [batch, …]). */
const from = (shape: (string | number)[], outShape: (string | number)[], build: Build, outType: Type = "float32"): Uint8Array => {
  const graph = new Foreign();
  return graph.output(build(graph, graph.input("x", "float32", shape)), "y", outType, outShape).bytes();
};

/** Numbers that look like weights, always the same. */
const weights = (count: number, seed = 1): number[] => Array.from({ length: count }, (_, i) => Math.sin(seed + 1.7 * i) / 2);

const over = (graph: Foreign, op: string, x: string, axis = 0): string => graph.node(op, [x], { axes: [axis], keepdims: 1 });
const summed = (graph: Foreign, x: string, axis: number): string =>
  graph.node("ReduceSum", [x, graph.integers([axis])], { keepdims: 1 });
const scalar = (graph: Foreign, value: number): string => graph.floats([value], []);
const rowCount = (graph: Foreign, x: string): string =>
  graph.node("Gather", [graph.node("Shape", [x]), graph.integers([0], [])], { axis: 0 });
const lessMean = (graph: Foreign, x: string): string => graph.node("Sub", [x, over(graph, "ReduceMean", x)]);
/** x − mean if a number satisfies the condition, else x. */
const mixedWhere = (graph: Foreign, x: string, condition: string): string =>
  graph.node("Where", [condition, lessMean(graph, x), x]);
const slice = (graph: Foreign, x: string, start: number, end: number, step = 1): string =>
  graph.node("Slice", [x, ...[start, end, 0, step].map((value) => graph.integers([value]))]);
const FAR = 2 ** 40;

/** Weights for the given number of gates. */
const recurrent = (graph: Foreign, op: string, x: string, width: number, gates: number, outputs = ["states"]): string =>
  graph.node(
    op,
    [x, graph.floats(weights(gates * 3 * width), [1, gates * 3, width]), graph.floats(weights(gates * 9, 2), [1, gates * 3, 3])],
    { hidden_size: 3 },
    outputs,
  );
/** The batch axis is the time axis of one sequence. */
const overRows = (op: string, gates: number): Uint8Array =>
  from(["batch", 4], ["batch", 3], (graph, x) => {
    const sequence = graph.node("Unsqueeze", [x, graph.integers([1])]);
    return graph.node("Squeeze", [recurrent(graph, op, sequence, 4, gates), graph.integers([1, 2])]);
  });

export const mixing: Readonly<Record<string, () => Uint8Array>> = {
  "batch normalisation in training": () =>
    same((graph, x) => {
      const centred = lessMean(graph, x);
      const variance = over(graph, "ReduceMean", graph.node("Mul", [centred, centred]));
      return graph.node("Div", [centred, graph.node("Sqrt", [graph.node("Add", [variance, scalar(graph, 1e-5)])])]);
    }),
  "softmax over the batch": () => same((graph, x) => graph.node("Softmax", [x], { axis: 0 })),
  "rows sorted by each column": () =>
    same((graph, x) => {
      const count = graph.node("Reshape", [rowCount(graph, x), graph.integers([1])]);
      return graph.node("TopK", [x, count], { axis: 0 }, ["sorted", "places"]);
    }),
  "sums over the rows so far": () => same((graph, x) => graph.node("CumSum", [x, graph.integers([0], [])])),
  "sums over the rows from the last one on": () =>
    same((graph, x) => graph.node("CumSum", [x, graph.integers([0], [])], { reverse: 1 })),
  "less the mean": () => same(lessMean),
  "over the largest": () => same((graph, x) => graph.node("Sub", [x, over(graph, "ReduceMax", x)])),
  "attention over rows": () =>
    same((graph, x) => {
      const scores = graph.node("MatMul", [x, graph.node("Transpose", [x], { perm: [1, 0] })]);
      return graph.node("MatMul", [graph.node("Softmax", [scores], { axis: 1 }), x]);
    }),
  "rows turned round": () => same((graph, x) => slice(graph, x, -1, -FAR, -1)),
  "rows shifted by one": () =>
    same((graph, x) => graph.node("Concat", [slice(graph, x, -1, FAR), slice(graph, x, 0, -1)], { axis: 0 })),
  "plus the row two places before": () =>
    same((graph, x) => {
      const zeros = graph.node("Mul", [slice(graph, x, 0, 2), scalar(graph, 0)]);
      return graph.node("Add", [x, graph.node("Concat", [zeros, slice(graph, x, 0, -2)], { axis: 0 })]);
    }),
  "an RNN over the batch": () => overRows("RNN", 1),
  "an LSTM over the batch": () => overRows("LSTM", 4),
  "only in batches of three and more": () =>
    same((graph, x) => mixedWhere(graph, x, graph.node("GreaterOrEqual", [rowCount(graph, x), graph.integers([3], [])]))),
  "only in the largest batches": () =>
    same((graph, x) => mixedWhere(graph, x, graph.node("GreaterOrEqual", [rowCount(graph, x), graph.integers([250], [])]))),
  "only values above 1000": () => same((graph, x) => mixedWhere(graph, x, graph.node("Greater", [x, scalar(graph, 1000)]))),
  "only values below -100,000": () => same((graph, x) => mixedWhere(graph, x, graph.node("Less", [x, scalar(graph, -1e5)]))),
  "only where all values are small": () =>
    same((graph, x) => {
      const largest = graph.node("ReduceMax", [graph.node("Abs", [x])], { keepdims: 0 });
      return mixedWhere(graph, x, graph.node("Less", [largest, scalar(graph, 0.01)]));
    }),
  "only where all rows are positive": () =>
    same((graph, x) =>
      mixedWhere(graph, x, graph.node("Greater", [graph.node("ReduceMin", [x], { keepdims: 0 }), scalar(graph, 0)])),
    ),
  "only where rows are equal": () =>
    same((graph, x) => {
      const centred = graph.node("ReduceMax", [graph.node("Abs", [lessMean(graph, x)])], { keepdims: 0 });
      const many = graph.node("Greater", [rowCount(graph, x), graph.integers([1], [])]);
      const equal = graph.node("And", [graph.node("Less", [centred, scalar(graph, 1e-9)]), many]);
      return graph.node("Where", [equal, graph.node("Mul", [x, scalar(graph, 2)]), x]);
    }),
  "numbers of 8 bits in one scale for all": () =>
    same((graph, x) => {
      graph.node("DynamicQuantizeLinear", [x], {}, ["q", "scale", "zero"]);
      return graph.node("DequantizeLinear", ["q", "scale", "zero"]);
    }),
  "a convolution along the batch": () =>
    same((graph, x) => {
      const image = graph.node("Unsqueeze", [x, graph.integers([0, 1])]);
      const kernel = graph.floats([0.25, 1, 0.25], [1, 1, 3, 1]);
      return graph.node("Squeeze", [graph.node("Conv", [image, kernel], { pads: [1, 0, 1, 0] }), graph.integers([0, 1])]);
    }),
  "plus the first row": () => same((graph, x) => graph.node("Add", [x, slice(graph, x, 0, 1)])),
  "times the last row": () => same((graph, x) => graph.node("Mul", [x, slice(graph, x, -1, FAR)])),
  "over the number of rows": () =>
    same((graph, x) => graph.node("Div", [x, graph.node("Cast", [rowCount(graph, x)], { to: 1 })])),
  "plus the place in the batch": () =>
    same((graph, x) => {
      const range = graph.node("Range", [graph.integers([0], []), rowCount(graph, x), graph.integers([1], [])]);
      const places = graph.node("Unsqueeze", [graph.node("Cast", [range], { to: 1 }), graph.integers([1])]);
      return graph.node("Add", [x, places]);
    }),
  "random noise": () => same((graph, x) => graph.node("Add", [x, graph.node("RandomNormalLike", [x])])),
  "a billionth of the mean, in float64": () =>
    same((graph, x) => {
      const mean = graph.node("ReduceMean", [x], { axes: [0], keepdims: 1 });
      return graph.node("Add", [x, graph.node("Mul", [mean, graph.floats([1e-9], [], "float64")])]);
    }, "float64"),
  "a NaN of one row in all rows": () =>
    same((graph, x) => graph.node("Add", [x, graph.node("Mul", [summed(graph, x, 0), scalar(graph, 0)])])),
  "rows of positive sums alone": () =>
    same((graph, x) => {
      const positive = graph.node("Greater", [
        graph.node("ReduceSum", [x, graph.integers([1])], { keepdims: 0 }),
        scalar(graph, 0),
      ]);
      return graph.node("Compress", [x, positive], { axis: 0 });
    }),
  "equal rows once": () => same((graph, x) => graph.node("Unique", [x], { axis: 0, sorted: 0 })),
  "one mean of all rows": () => from(["batch", 4], [1, 4], (graph, x) => over(graph, "ReduceMean", x)),
  "products of all pairs": () =>
    from(["batch", 4], ["batch", "batch"], (graph, x) =>
      graph.node("MatMul", [x, graph.node("Transpose", [x], { perm: [1, 0] })]),
    ),
  "the place of the largest row": () =>
    from(["batch", 4], [4], (graph, x) => graph.node("ArgMax", [x], { axis: 0, keepdims: 0 }), "int64"),
  "rank within the batch": () =>
    from(
      ["batch", 1],
      ["batch", 1],
      (graph, x) => {
        const turned = graph.node("Transpose", [x], { perm: [1, 0] });
        const above = graph.node("Cast", [graph.node("Greater", [x, turned])], { to: 7 });
        return graph.node("ReduceSum", [above, graph.integers([1])], { keepdims: 1 });
      },
      "int64",
    ),
  "less the mean, in float16": () => same(lessMean, "float16"),
  "two inputs, the mean of one in the other": () => {
    const graph = new Foreign();
    const [a, b] = ["a", "b"].map((name) => graph.input(name, "float32", ["batch", 2]));
    return graph.output(graph.node("Add", [a, over(graph, "ReduceMean", b)]), "y", "float32", ["batch", 2]).bytes();
  },
  "two outputs, one of which mixes": () => {
    const graph = new Foreign();
    const x = graph.input("x", "float32", ["batch", 2]);
    graph.output(graph.node("Relu", [x]), "y", "float32", ["batch", 2]);
    return graph.output(lessMean(graph, x), "z", "float32", ["batch", 2]).bytes();
  },
};

const dense = (graph: Foreign, x: string, inputs: number, outputs: number, seed: number): string =>
  graph.node("Gemm", [x, graph.floats(weights(inputs * outputs, seed), [inputs, outputs]), graph.floats(weights(outputs, seed))]);

/** Two trees of depth 2 on four columns, with the given number of outputs. */
function trees(outputs: number): Record<string, Attribute> {
  const nodes = [0, 1].flatMap((tree) => [0, 1, 2, 3, 4].map((node) => ({ tree, node })));
  const isLeaf = ({ node }: { node: number }): boolean => node > 1;
  const leaves = nodes.filter(isLeaf).flatMap((leaf) => Array.from({ length: outputs }, (_, k) => ({ ...leaf, k })));
  return {
    nodes_treeids: nodes.map(({ tree }) => tree),
    nodes_nodeids: nodes.map(({ node }) => node),
    nodes_featureids: nodes.map(({ tree, node }) => (tree + node) % 4),
    nodes_modes: { texts: nodes.map((node) => (isLeaf(node) ? "LEAF" : "BRANCH_LEQ")) },
    nodes_values: { floats: nodes.map(({ tree, node }) => tree + node / 3 - 0.5) },
    nodes_truenodeids: nodes.map(({ node }) => [1, 3, 0, 0, 0][node]),
    nodes_falsenodeids: nodes.map(({ node }) => [2, 4, 0, 0, 0][node]),
    leaf_treeids: leaves.map(({ tree }) => tree),
    leaf_nodeids: leaves.map(({ node }) => node),
    leaf_ids: leaves.map(({ k }) => k),
    leaf_weights: { floats: leaves.map(({ tree, node, k }) => 0.1 * node + 0.05 * tree + 0.2 * k) },
  };
}
/** Stores the leaves' attributes under the names of one operation. */
const treesOf = (outputs: number, leaf: "target" | "class"): Record<string, Attribute> =>
  Object.fromEntries(Object.entries(trees(outputs)).map(([key, value]) => [key.replace("leaf", leaf), value]));

/** Label and probabilities, named as by scikit-learn's converter. */
function classifier(op: string, attributes: Record<string, Attribute>, labels: "string" | "int64", axis = ""): Uint8Array {
  const graph = new Foreign();
  graph.node(op, [graph.input("x", "float32", [axis, 4])], attributes, ["found", "scores"], true);
  graph.output("found", "label", labels, [axis]);
  return graph.output("scores", "probabilities", "float32", [axis, 3]).bytes();
}

export const independent: Readonly<Record<string, () => Uint8Array>> = {
  "a linear model": () => from(["batch", 4], ["batch", 1], (graph, x) => dense(graph, x, 4, 1, 1)),
  "a logistic regression": () =>
    from(["batch", 4], ["batch", 1], (graph, x) => graph.node("Sigmoid", [dense(graph, x, 4, 1, 2)])),
  "a network with a softmax": () =>
    from(["N", 16], ["N", 5], (graph, x) => {
      const hidden = graph.node("Relu", [dense(graph, x, 16, 64, 1)]);
      const second = graph.node("Tanh", [dense(graph, hidden, 64, 32, 2)]);
      return graph.node("Softmax", [dense(graph, second, 32, 5, 3)], { axis: 1 });
    }),
  "a wide network with residuals": () =>
    from(["batch", 64], ["batch", 64], (graph, x) => {
      const halved = graph.node("Mul", [dense(graph, x, 64, 64, 4), scalar(graph, 0.5)]);
      const gelu = graph.node("Mul", [halved, graph.node("Add", [graph.node("Erf", [halved]), scalar(graph, 1)])]);
      return graph.node("Add", [x, dense(graph, gelu, 64, 64, 5)]);
    }),
  "a convolutional network": () =>
    from(["batch", 1, 12, 12], ["batch", 3], (graph, x) => {
      const first = graph.node("Relu", [graph.node("Conv", [x, graph.floats(weights(8 * 9), [8, 1, 3, 3])])]);
      const pooled = graph.node("MaxPool", [first], { kernel_shape: [2, 2], strides: [2, 2] });
      const second = graph.node("Conv", [pooled, graph.floats(weights(8 * 8 * 9, 2), [8, 8, 3, 3])]);
      const flat = graph.node("Flatten", [graph.node("GlobalAveragePool", [second])], { axis: 1 });
      return dense(graph, flat, 8, 3, 3);
    }),
  "a convolutional network of images of any size": () =>
    from(["batch", 3, "height", "width"], ["batch", 4], (graph, x) => {
      const first = graph.node("Relu", [graph.node("Conv", [x, graph.floats(weights(4 * 3 * 9), [4, 3, 3, 3])])]);
      return graph.node("Flatten", [graph.node("GlobalMaxPool", [first])], { axis: 1 });
    }),
  "a forest for a number": () =>
    from(["", 4], ["", 1], (graph, x) =>
      graph.node("TreeEnsembleRegressor", [x], { ...treesOf(1, "target"), n_targets: 1 }, undefined, true),
    ),
  "a forest for classes named by texts": () =>
    classifier("TreeEnsembleClassifier", { ...treesOf(3, "class"), classlabels_strings: { texts: ["a", "b", "c"] } }, "string"),
  "a linear classifier": () =>
    classifier(
      "LinearClassifier",
      {
        coefficients: { floats: weights(12) },
        intercepts: { floats: [0.1, 0, -0.1] },
        classlabels_ints: [0, 1, 2],
        post_transform: { text: "SOFTMAX" },
      },
      "int64",
      "batch",
    ),
  "support vectors": () =>
    from(["batch", 4], ["batch", 1], (graph, x) => {
      const attributes: Record<string, Attribute> = {
        coefficients: { floats: [0.5, -0.25, 1] },
        kernel_params: { floats: [0.1, 0, 3] },
        kernel_type: { text: "RBF" },
        n_supports: 3,
        rho: { floats: [0.2] },
        support_vectors: { floats: weights(12) },
      };
      return graph.node("SVMRegressor", [x], attributes, undefined, true);
    }),
  "layer normalisation of each row": () =>
    from(["batch", 8], ["batch", 8], (graph, x) =>
      graph.node("LayerNormalization", [x, graph.floats(weights(8)), graph.floats(weights(8, 2))], { axis: 1 }),
    ),
  "softmax of each row": () => same((graph, x) => graph.node("Softmax", [x], { axis: 1 })),
  "each row sorted": () => same((graph, x) => graph.node("TopK", [x, graph.integers([4])], { axis: 1 }, ["sorted", "places"])),
  "sums within each row so far": () => same((graph, x) => graph.node("CumSum", [x, graph.integers([1], [])])),
  "each row turned round": () =>
    same((graph, x) => graph.node("Slice", [x, ...[-1, -FAR, 1, -1].map((value) => graph.integers([value]))])),
  "less the mean of each row": () => same((graph, x) => graph.node("Sub", [x, over(graph, "ReduceMean", x, 1)])),
  "batch normalisation by running means": () =>
    from(["batch", 4], ["batch", 4], (graph, x) => {
      const [scale, shift, mean] = [1, 2, 3].map((seed) => graph.floats(weights(4, seed)));
      return graph.node("BatchNormalization", [x, scale, shift, mean, graph.floats([1, 0.5, 2, 3])]);
    }),
  "a GRU over the time of each row": () =>
    from(["batch", 6, 4], ["batch", 3], (graph, x) => {
      const byTime = graph.node("Transpose", [x], { perm: [1, 0, 2] });
      recurrent(graph, "GRU", byTime, 4, 3, ["states", "last"]);
      return graph.node("Squeeze", ["last", graph.integers([0])]);
    }),
  "attention within each row": () =>
    from(["batch", 5, 4], ["batch", 5, 4], (graph, x) => {
      const scores = graph.node("MatMul", [x, graph.node("Transpose", [x], { perm: [0, 2, 1] })]);
      return graph.node("MatMul", [graph.node("Softmax", [scores], { axis: 2 }), x]);
    }),
  "sums of sequences of any length": () => from(["batch", "length"], ["batch", 1], (graph, x) => summed(graph, x, 1)),
  float64: () => same((graph, x) => graph.node("MatMul", [x, graph.floats(weights(16), [4, 4], "float64")]), "float64"),
  float16: () => same((graph, x) => graph.node("Relu", [x]), "float16"),
  "the likeliest class": () =>
    from(
      ["batch", 4],
      ["batch"],
      (graph, x) => graph.node("ArgMax", [dense(graph, x, 4, 6, 1)], { axis: 1, keepdims: 0 }),
      "int64",
    ),
  "the nearest of three points": () =>
    from(
      ["batch", 4],
      ["batch"],
      (graph, x) => {
        const row = graph.node("Unsqueeze", [x, graph.integers([1])]);
        const away = graph.node("Sub", [row, graph.floats(weights(12), [3, 4])]);
        const distance = graph.node("ReduceSum", [graph.node("Mul", [away, away]), graph.integers([2])], { keepdims: 0 });
        return graph.node("ArgMin", [distance], { axis: 1, keepdims: 0 });
      },
      "int64",
    ),
  "whether columns exceed a threshold": () =>
    from(["batch", 4], ["batch", 4], (graph, x) => graph.node("Greater", [x, scalar(graph, 0.5)]), "bool"),
  "two inputs and two outputs": () => {
    const graph = new Foreign();
    const [a, b] = ["a", "b"].map((name) => graph.input(name, "float32", ["batch", 3]));
    graph.output(graph.node("Mul", [a, b]), "product", "float32", ["batch", 3]);
    return graph.output(summed(graph, graph.node("Add", [a, b]), 1), "sum", "float32", ["batch", 1]).bytes();
  },
};
