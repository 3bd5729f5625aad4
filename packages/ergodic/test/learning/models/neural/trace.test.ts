import { describe, expect, it } from "vitest";
import { arraysBelow, input, interpret, matmul, type SymbolicArray } from "../../../../src/engine/compiler/array/index.ts";
import { add, mul } from "../../../../src/engine/compiler/index.ts";
import * as n from "../../../../src/learning/models/neural/index.ts";

const x = input("x", [4, 3]);
const pathsOf = (network: n.Layer | n.LayerFunction, training = false) =>
  n.traceNetwork(network, x, { training }).parameters.map(({ path }) => path);
const inputsBelow = (output: SymbolicArray) =>
  arraysBelow([output])
    .filter(({ op }) => op === "input")
    .map(({ attributes }) => attributes);

describe("paths", () => {
  it("are positions or names, from the outside in", () => {
    const network = n.sequential([n.dense(3), n.sequential([n.relu(), n.dense(3, { name: "head" })]), n.residual(n.dense(3))]);
    expect(pathsOf(network)).toEqual(["0.weight", "0.bias", "1.head.weight", "1.head.bias", "2.body.weight", "2.body.bias"]);
    expect(inputsBelow(n.traceNetwork(network, x).output)).toContain("parameter:1.head.weight");
  });

  it("begin at the parameters of a single layer", () => {
    expect(pathsOf(n.dense(2, { name: "unused" }))).toEqual(["weight", "bias"]);
  });

  it("are not changed by marks", () => {
    expect(pathsOf(n.sequential([n.frozen(n.dense(3, { name: "head" })), n.grouped("slow", n.dense(3))]))).toEqual([
      "head.weight",
      "head.bias",
      "1.weight",
      "1.bias",
    ]);
  });

  it("match the requests of a plain function", () => {
    const scaled: n.LayerFunction = (given, scope) =>
      scope.within("inner", (inner) => mul(given, inner.parameter("scale", [3], { initial: n.ones() })));
    expect(pathsOf(n.sequential([scaled]))).toEqual(["0.inner.scale"]);
  });

  it("cannot be shared by two layers", () => {
    const twice = n.sequential([n.dense(3, { name: "a" }), n.dense(3, { name: "a" })]);
    expect(() => pathsOf(twice)).toThrow(/dense: its path is "a".* \[LAYER_NAME\]/);
    const place = n.sequential([n.dense(3, { name: "1" }), n.dense(3)]);
    expect(() => pathsOf(place)).toThrow(/LAYER_NAME/);
  });
});

describe("shared layers", () => {
  it("have the parameters of their first place, and are counted at each place", () => {
    const shared = n.sequential([n.dense(3), n.relu()]);
    const traced = n.traceNetwork(n.sequential([shared, shared, n.residual(shared)]), x);
    expect(traced.parameters.map(({ path }) => path)).toEqual(["0.0.weight", "0.0.bias"]);
    expect(traced.multiplyAdds).toBe(3 * 9);
  });

  it("compute the layer applied twice", () => {
    const shared = n.dense(3, { bias: false });
    const { output } = n.traceNetwork(n.sequential([shared, shared]), input("x", [1, 3]));
    const weight = [0, 1, 0, 0, 0, 1, 2, 0, 0];
    expect([...interpret([output], { x: [1, 2, 3], "parameter:0.weight": weight })[0]]).toEqual([4, 6, 1]);
  });

  it("require inputs of one width, and must be frozen everywhere or nowhere", () => {
    const shared = n.dense(2);
    expect(() => pathsOf(n.sequential([shared, shared]))).toThrow(
      /parameter: "0.weight" is \[2, 2\] here, but \[3, 2\] where .* \[LAYER_SHAPE\]/,
    );
    const square = n.dense(3);
    expect(() => pathsOf(n.sequential([square, n.frozen(square)]))).toThrow(
      /"0.weight" is frozen here, but trained .*\[OPTION_CONFLICT\]/,
    );
    expect(pathsOf(n.sequential([n.frozen(square), n.frozen(square)]))).toHaveLength(2);
  });
});

describe("attributes of a traced parameter", () => {
  const { parameters } = n.traceNetwork(
    n.grouped(
      "outer",
      n.sequential([n.dense(5), n.frozen(n.grouped("inner", n.dense(4, { initial: n.zeros() }))), n.batchNorm()]),
    ),
    x,
  );
  const found = Object.fromEntries(parameters.map((p) => [p.path, p]));

  it("include its innermost group", () => {
    expect(found["0.weight"].group).toBe("outer");
    expect(found["1.weight"].group).toBe("inner");
    expect(n.traceNetwork(n.dense(1), x).parameters[0].group).toBeUndefined();
  });

  it("include whether it is trained and decays", () => {
    const facts = parameters.map(({ path, trained, decay }) => [path, trained, decay]);
    expect(facts).toEqual([
      ["0.weight", true, true],
      ["0.bias", true, false],
      ["1.weight", false, true],
      ["1.bias", false, false],
      ["2.scale", true, false],
      ["2.shift", true, false],
    ]);
  });

  it("include its initial value and scale", () => {
    expect(found["1.weight"].initial.name).toBe("zeros");
    expect(found["0.weight"].fans).toEqual({ fanIn: 3, fanOut: 5 });
    const grouped = n.traceNetwork(n.convolution(6, { groups: 2 }), input("images", [1, 5, 5, 4]));
    expect(grouped.parameters[0]).toMatchObject({ shape: [3, 3, 2, 6], fans: { fanIn: 18, fanOut: 27 } });
    const circulant = n.traceNetwork(n.circulantConvolution(6, { block: 4 }), input("images", [1, 5, 5, 3]));
    expect(circulant.parameters[0]).toMatchObject({ shape: [2, 9, 4], fans: { fanIn: 27, fanOut: 6 } });
  });
});

describe("states", () => {
  it("change only in updates, and not in frozen layers", () => {
    const network = n.sequential([n.batchNorm(), n.frozen(n.batchNorm())]);
    const moved = (training: boolean) =>
      n.traceNetwork(network, x, { training }).states.map(({ path, initial, next }) => [path, initial, next !== undefined]);
    expect(moved(true)).toEqual([
      ["0.mean", 0, true],
      ["0.variance", 1, true],
      ["1.mean", 0, false],
      ["1.variance", 1, false],
    ]);
    expect(moved(false).map(([, , next]) => next)).toEqual([false, false, false, false]);
  });

  it("change twice if a layer is applied twice", () => {
    const shared = n.batchNorm({ momentum: 0.5, affine: false });
    const { states } = n.traceNetwork(n.sequential([shared, (y) => add(y, 8), shared]), input("x", [2, 1]), { training: true });
    // Means are 2, then 8: 0.5 · (0.5 · 4 + 0.5 · 2) + 0.5 · 8.
    expect(interpret([states[0].next!], { x: [1, 3], "state:0.mean": [4], "state:0.variance": [1] })[0][0]).toBeCloseTo(5.5, 14);
  });

  it("must be requested before they are updated, in one shape", () => {
    const unknown: n.LayerFunction = (given, scope) => {
      scope.update("mean", given);
      return given;
    };
    expect(() => n.traceNetwork(unknown, x, { training: true })).toThrow(
      /"mean" is updated, but was never requested.*\[STATE_UNKNOWN\]/,
    );
    const other: n.LayerFunction = (given, scope) => {
      scope.state("mean", [3], 0);
      scope.update("mean", given);
      return given;
    };
    expect(() => n.traceNetwork(other, x, { training: true })).toThrow(/LAYER_SHAPE/);
    expect(n.traceNetwork(other, x).states[0].next).toBeUndefined();
  });
});

describe("random streams", () => {
  const network = n.sequential([n.dropout(0.5), n.noise(1), n.dropout(0.5)]);
  const streamsOf = (output: SymbolicArray) =>
    arraysBelow([output])
      .filter(({ op }) => op === "uniform" || op === "normal")
      .map(({ attributes }) => attributes as number)
      .sort((a, b) => a - b);

  it("are numbered by call, from the first", () => {
    const traced = n.traceNetwork(network, x, { training: true });
    expect(traced.streams).toBe(3);
    expect(streamsOf(traced.output)).toEqual([1, 2, 3]);
    expect(streamsOf(n.traceNetwork(network, x, { training: true, firstStream: 7 }).output)).toEqual([7, 8, 9]);
  });

  it("are not used in predictions and in frozen layers", () => {
    expect(n.traceNetwork(network, x).output).toBe(x);
    expect(n.traceNetwork(n.frozen(network), x, { training: true }).output).toBe(x);
  });
});

describe("errors", () => {
  it("name the innermost layer if an operation fails", () => {
    const image = input("image", [2, 2, 2, 1]);
    const deep = n.sequential([n.sequential([n.convolution(1, { kernel: 3, padding: "valid", name: "wide" })])]);
    expect(() => n.traceNetwork(deep, image)).toThrow(
      /^convolution "0\.wide": conv2d: the window covers 3 cells of height, .* \[COMPILE_SHAPE\]$/,
    );
    const own = n.sequential([(y: SymbolicArray) => matmul(y, input("w", [7, 1]))]);
    expect(() => n.traceNetwork(own, x)).toThrow(
      /^function "0": matmul: shapes are .*trace\.test\.ts:\d+:\d+\) \[COMPILE_SHAPE\]$/,
    );
  });

  it("name a layer that does not return an array", () => {
    // biome-ignore lint/suspicious/noExplicitAny: what a user of JavaScript would write
    const give = (value: unknown): n.LayerLike => (() => value) as any;
    expect(() => n.traceNetwork(n.sequential([n.relu(), give(undefined)]), x)).toThrow(
      /layer "1" gives undefined, but must give an array; end it with return \[LAYER_RESULT\]/,
    );
    expect(() => n.traceNetwork(n.sequential([give(n.relu())]), x)).toThrow(/gives another layer, but must give an array/);
  });
});
