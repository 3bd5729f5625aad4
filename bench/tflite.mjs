/**
 * Networks of predict-mlp and predict-cnn as `.tflite` files (TensorFlow Lite's schema, version 3), for LiteRT.js:
 * float32, one fixed batch size, with probabilities as output. Numbers of fields, operators and options are those of
 * the schema. Rows and images are [batch, columns] and [batch, height, width, channels], as ours; kernels are [outputs,
 * …inputs].
 */
import { Skipped } from "./peer.mjs";

const OPERATORS = { add: 0, convolution: 3, depthwise: 4, dense: 9, softmax: 25, mean: 40 };
const ACTIVATIONS = { none: 0, relu: 1, relu6: 3 };
const INT32 = 2;

/**
 * Writes the fields of a table in the order of the schema, each as [kind, value]; undefined leaves a field at its
 * default.
 */
function table(builder, fields) {
  builder.startObject(fields.length);
  for (const [k, field] of fields.entries()) {
    if (field === undefined) continue;
    const [kind, value] = field;
    if (kind === "byte") builder.addFieldInt8(k, value, -1);
    else if (kind === "int") builder.addFieldInt32(k, value, -1);
    else if (kind === "float") builder.addFieldFloat32(k, value, Number.NaN);
    else builder.addFieldOffset(k, value, 0);
  }
  return builder.endObject();
}

function ints(builder, values) {
  builder.startVector(4, values.length, 4);
  for (const value of values.toReversed()) builder.addInt32(value);
  return builder.endVector();
}

function offsets(builder, values) {
  builder.startVector(4, values.length, 4);
  for (const value of values.toReversed()) builder.addOffset(value);
  return builder.endVector();
}

/** Collects tensors and operators. Tensors are identified by their indices. */
class Graph {
  tensors = [];
  operators = [];

  /** `values`: only for a constant. */
  tensor(shape, values) {
    return this.tensors.push({ shape, values }) - 1;
  }

  /** `options`: the number of their table in the schema's union, and its fields. @returns its output */
  operator(name, inputs, shape, [kind, fields]) {
    const output = this.tensor(shape);
    this.operators.push({ name, inputs, output, kind, fields });
    return output;
  }

  dense(x, [outputs, inputs], weights, bias, activation) {
    const constants = [this.tensor([outputs, inputs], weights), this.tensor([outputs], bias)];
    const [batch] = this.tensors[x].shape;
    return this.operator("dense", [x, ...constants], [batch, outputs], [8, [["byte", ACTIVATIONS[activation]]]]);
  }

  /**
   * Padded so that the output extents are the input extents divided by the stride. `kernel`: [outputs, height, width,
   * inputs], or [1, height, width, channels] for a depthwise convolution.
   */
  convolution(x, kernel, weights, bias, { stride = 1, activation = "none", depthwise = false }) {
    const [batch, height, width] = this.tensors[x].shape;
    const channels = depthwise ? kernel[3] : kernel[0];
    const steps = [
      ["byte", 0],
      ["int", stride],
      ["int", stride],
    ];
    const fields = [...steps, ...(depthwise ? [["int", 1]] : []), ["byte", ACTIVATIONS[activation]], ["int", 1], ["int", 1]];
    const constants = [this.tensor(kernel, weights), this.tensor([channels], bias)];
    const shape = [batch, Math.ceil(height / stride), Math.ceil(width / stride), channels];
    return this.operator(depthwise ? "depthwise" : "convolution", [x, ...constants], shape, [depthwise ? 2 : 1, fields]);
  }

  add(x, y) {
    return this.operator("add", [x, y], this.tensors[x].shape, [11, [["byte", 0]]]);
  }

  /** Mean over height and width. */
  mean(x) {
    const [batch, , , channels] = this.tensors[x].shape;
    return this.operator("mean", [x, this.tensor([2], Int32Array.of(1, 2))], [batch, channels], [27, [["byte", 0]]]);
  }

  softmax(x) {
    return this.operator("softmax", [x], this.tensors[x].shape, [9, [["float", 1]]]);
  }

  bytes(builder, input, output) {
    const names = [...new Set(this.operators.map(({ name }) => name))];
    const codes = names.map((name) =>
      table(builder, [["byte", OPERATORS[name]], undefined, ["int", 1], ["int", OPERATORS[name]]]),
    );
    // The first buffer is empty; computed tensors refer to it.
    const constants = this.tensors.filter(({ values }) => values);
    const buffers = [undefined, ...constants.map(({ values }) => values)].map((values) => {
      if (!values) return table(builder, []);
      const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      builder.startVector(1, raw.length, 16);
      builder.space -= raw.length;
      builder.bb.bytes().set(raw, builder.space);
      return table(builder, [["offset", builder.endVector()]]);
    });
    const tensors = this.tensors.map((tensor, i) => {
      const parts = [ints(builder, tensor.shape), builder.createString(`t${i}`)];
      const type = tensor.values instanceof Int32Array ? INT32 : 0;
      const buffer = tensor.values ? 1 + constants.indexOf(tensor) : 0;
      return table(builder, [
        ["offset", parts[0]],
        ["byte", type],
        ["int", buffer],
        ["offset", parts[1]],
      ]);
    });
    const operators = this.operators.map(({ name, inputs, output: to, kind, fields }) => {
      const [from, into, options] = [ints(builder, inputs), ints(builder, [to]), table(builder, fields)];
      return table(builder, [
        ["int", names.indexOf(name)],
        ["offset", from],
        ["offset", into],
        ["byte", kind],
        ["offset", options],
      ]);
    });
    const ends = [offsets(builder, tensors), ints(builder, [input]), ints(builder, [output]), offsets(builder, operators)];
    const graph = table(
      builder,
      ends.map((end) => ["offset", end]),
    );
    const all = [offsets(builder, codes), offsets(builder, [graph]), builder.createString("ergodic"), offsets(builder, buffers)];
    builder.finish(table(builder, [["int", 3], ...all.map((one) => ["offset", one])]), "TFL3");
    return builder.asUint8Array();
  }
}

/** [rows, columns] → [columns, rows]. */
function transposed(values, columns) {
  const rows = values.length / columns;
  return Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]);
}

function mlp(graph, x, { numbers, shapes }) {
  const layers = Object.keys(numbers).filter((name) => name.endsWith("weight"));
  for (const [k, name] of layers.entries()) {
    const [inputs, outputs] = shapes[name];
    const bias = numbers[name.replace(/weight$/, "bias")];
    x = graph.dense(x, [outputs, inputs], transposed(numbers[name], outputs), bias, k < layers.length - 1 ? "relu" : "none");
  }
  return x;
}

/**
 * A MobileNetV2 with batch normalisation folded into its kernels. `strides` gives the stride of each block: the first
 * depthwise convolution of a stage that is smaller than the previous one has stride 2.
 */
function cnn(graph, x, { numbers, shapes }, strides) {
  const convolution = (name, options = {}) => {
    const kernel = numbers[`${name}.conv.weight folded`];
    const shift = numbers[`${name}.norm.shift folded`];
    const shape = shapes[`${name}.conv.weight folded`];
    if (options.depthwise) return graph.convolution(x, [1, ...shape.slice(0, 2), shape[3]], kernel, shift, options);
    const outputs = shape.at(-1);
    const [height, width, inputs] = shape.length === 4 ? shape : [1, 1, shape[0]];
    return graph.convolution(x, [outputs, height, width, inputs], transposed(kernel, outputs), shift, options);
  };
  const activation = "relu6";
  x = convolution("0.0", { activation });
  for (const [i, stride] of strides.entries()) {
    const before = x;
    const isResidual = `0.${i + 1}.body.project.norm.shift folded` in numbers;
    const block = isResidual ? `0.${i + 1}.body` : `0.${i + 1}`;
    if (`${block}.expand.norm.shift folded` in numbers) x = convolution(`${block}.expand`, { activation });
    x = convolution(`${block}.depthwise`, { activation, stride, depthwise: true });
    x = convolution(`${block}.project`);
    if (isResidual) x = graph.add(x, before);
  }
  x = convolution(`0.${strides.length + 1}`, { activation });
  const [inputs, outputs] = shapes["0.output.weight"];
  return graph.dense(
    graph.mean(x),
    [outputs, inputs],
    transposed(numbers["0.output.weight"], outputs),
    numbers["0.output.bias"],
    "none",
  );
}

/**
 * Returns the file's bytes. `network`: { numbers, shapes } by name, as saved; `rowShape` of a batch of `batch` rows;
 * `strides` of the blocks of a MobileNetV2, undefined for an MLP.
 *
 * @throws Skipped if flatbuffers is not installed
 */
export async function tfliteOf(network, { rowShape, batch, strides }) {
  const { Builder } = await import("flatbuffers").catch(() => {
    throw new Skipped("Node lacks flatbuffers; install the peers with bench/peers/install.sh");
  });
  const graph = new Graph();
  const input = graph.tensor([batch, ...rowShape]);
  const z = strides ? cnn(graph, input, network, strides) : mlp(graph, input, network);
  return graph.bytes(new Builder(1 << 20), input, graph.softmax(z));
}
