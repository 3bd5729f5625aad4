/**
 * Scans with carried state agree with unrolled loops: values, histories, and first and second derivatives, with and
 * without checkpoints.
 */
import { describe, expect, it } from "vitest";
import {
  arraysBelow,
  at,
  compileFunction,
  full,
  gradientsOf,
  input,
  interpret,
  matmul,
  nodeText,
  range,
  type ScanOptions,
  type SymbolicArray,
  scan,
  stack,
  uniform,
} from "../../../../src/engine/compiler/array/index.ts";
import { closeScan, freshLeaf } from "../../../../src/engine/compiler/array/operations/scan-node.ts";
import { add, exp, less, mul, sin, square, sub, sum, tanh, where } from "../../../../src/engine/compiler/index.ts";
import { isSlow } from "../../../power.ts";
import { numbers } from "../../../reference/arrays.ts";
import { checkDerivatives, evaluated, expectClose, type Make, valuesFor } from "./differences.ts";

type Step = (h: SymbolicArray, x: SymbolicArray) => [SymbolicArray, SymbolicArray];

/** Returns the final h, every output, and every carry before a step, as one array. */
const scanned =
  (step: (inputs: Record<string, SymbolicArray>) => Step, options: ScanOptions): Make =>
  (inputs) => {
    const own = step(inputs);
    const { carries, outputs, histories } = scan(
      [inputs.h],
      [inputs.x],
      ([h], [x]) => {
        const [next, output] = own(h, x);
        return [[next], [output]];
      },
      options,
    );
    return add(add(stack([carries[0]]), sum(outputs[0], { axis: 0 })), sum(mul(histories[0], inputs.x), { axis: 0 }));
  };

const unrolled =
  (step: (inputs: Record<string, SymbolicArray>) => Step, { reverse = false }: ScanOptions): Make =>
  (inputs) => {
    const own = step(inputs);
    const length = inputs.x.shape[0];
    let { h } = inputs;
    let total: SymbolicArray = full(0, h.shape);
    for (let i = 0; i < length; i++) {
      const x = at(inputs.x, reverse ? length - 1 - i : i);
      total = add(total, mul(h, x));
      const [next, output] = own(h, x);
      total = add(total, output);
      h = next;
    }
    return stack([add(h, total)]);
  };

/** A recurrent layer with weights from outside, and numbers computed from them. */
const recurrent = ({ w }: Record<string, SymbolicArray>): Step => {
  const scaled = mul(w, 0.5);
  return (h, x) => {
    const next = tanh(add(matmul(h, scaled), x));
    return [next, mul(next, sin(h))];
  };
};

describe("scan", () => {
  const options: ScanOptions[] = [{}, { reverse: true }, { checkpoint: true }, { checkpoint: true, reverse: true }];
  for (const given of options)
    describe(JSON.stringify(given), () => {
      it.each([1, 2, 3, 5, 9, 10, 17])("equals the unrolled loop for %i steps", (length) => {
        const shapes = { h: [2], x: [length, 2], w: [2, 2] };
        const values = valuesFor(shapes);
        const wanted = evaluated(unrolled(recurrent, given), shapes, values);
        expectClose(evaluated(scanned(recurrent, given), shapes, values), wanted, 1e-14, "value");
      });

      it.each(isSlow ? [1, 3, 5] : [1, 5])("differentiates %i steps", (length) => {
        checkDerivatives(scanned(recurrent, given), { h: [2], x: [length, 2], w: [2, 2] });
      });

      it("has the derivatives of the unrolled loop for 10 steps", () => {
        const shapes = { h: [2], x: [10, 2], w: [2, 2] };
        const values = valuesFor(shapes);
        for (const name of ["h", "x", "w"] as const) {
          const slope =
            (make: Make): Make =>
            (inputs) =>
              gradientsOf(sum(square(make(inputs))), [inputs[name]])[0];
          const wanted = evaluated(slope(unrolled(recurrent, given)), shapes, values);
          expectClose(evaluated(slope(scanned(recurrent, given)), shapes, values), wanted, 1e-13, name);
        }
      });
    });

  it("returns outputs, histories and several carries in the right places", () => {
    const { carries, outputs, histories } = scan([input("a", []), input("b", [])], [input("x", [4])], ([a, b], [x]) => [
      [b, add(a, x)],
      [mul(a, 10), x],
    ]);
    const values = interpret([...carries, ...outputs, ...histories], { a: 1, b: 2, x: [1, 2, 3, 4] });
    // a, b: 1 2 → 2 2 → 2 4 → 4 5 → 5 8
    expect(values.map((v) => [...v])).toEqual([[5], [8], [10, 20, 20, 40], [1, 2, 3, 4], [1, 2, 2, 4], [2, 2, 4, 5]]);
  });

  it("runs backwards from the last element but keeps the order of outputs", () => {
    const { carries, outputs } = scan([full(0)], [input("x", [3])], ([s], [x]) => [[add(s, x)], [add(s, x)]], { reverse: true });
    expect(interpret([carries[0], outputs[0]], { x: [1, 2, 3] }).map((v) => [...v])).toEqual([[6], [6, 5, 3]]);
  });

  it("repeats its body without elements", () => {
    const double = (h: SymbolicArray): SymbolicArray => scan([h], [], ([x]) => [[mul(x, 2)], []], { length: 5 }).carries[0];
    expect([...interpret([double(input("h", []))], { h: 1 })[0]]).toEqual([32]);
    checkDerivatives(({ h }) => double(mul(h, h)), { h: [] });
  });

  it("works inside another scan", () => {
    const nested: Make = ({ h, x, w }) => {
      const { carries } = scan([h], [x], ([outer], [row]) => {
        const inner = scan([outer], [row], ([state], [each]) => [[tanh(add(mul(state, w), mul(each, outer)))], []]);
        return [inner.carries, []];
      });
      return carries[0];
    };
    const shapes = { h: [], x: [3, 2], w: [] };
    const values = valuesFor(shapes);
    let h = values.h[0];
    for (let i = 0; i < 3; i++) {
      const outer = h;
      for (let j = 0; j < 2; j++) h = Math.tanh(h * values.w[0] + values.x[2 * i + j] * outer);
    }
    expectClose(evaluated(nested, shapes, values), [h], 1e-14, "value");
    checkDerivatives(nested, shapes);
  });

  it("differentiates if only outputs, only carries, or neither have adjoints", () => {
    const shapes = { h: [], x: [4] };
    const body = ([s]: SymbolicArray[], [x]: SymbolicArray[]): [SymbolicArray[], SymbolicArray[]] => [
      [mul(s, exp(x))],
      [mul(s, s)],
    ];
    checkDerivatives(({ h, x }) => scan([h], [x], body).outputs[0], shapes);
    checkDerivatives(({ h, x }) => scan([h], [x], body).carries[0], shapes);
    checkDerivatives(({ h, x }) => scan([h], [x], body).histories[0], shapes);
    const { carries } = scan([input("h", [])], [input("x", [4])], body);
    const [none] = gradientsOf(carries[0], [input("other", [2])]);
    expect(none).toBe(full(0, [2]));
  });

  it("differentiates batch weights with one product after the loop if the factor is known per step, else with sums", () => {
    const shapes = { h: [3, 2], x: [4, 3, 2], w: [2, 2], u: [2, 2] };
    const layer: Make = ({ h, x, w, u }) =>
      scan([h], [x], ([s], [e]) => {
        const gate = tanh(add(matmul(s, w), matmul(e, u)));
        return [[add(mul(gate, s), matmul(mul(gate, e), u))], [gate]];
      }).carries[0];
    checkDerivatives(layer, shapes);
    const inputs = { h: input("h", shapes.h), x: input("x", shapes.x), w: input("w", shapes.w), u: input("u", shapes.u) };
    const [byW, byU] = gradientsOf(sum(layer(inputs)), [inputs.w, inputs.u]);
    expect([nodeText(byW), nodeText(byU)]).toEqual(["matmul [2, 2]", "part [2, 2]"]);
    expect(byW.args.map((x) => x.shape)).toEqual([
      [2, 12],
      [12, 2],
    ]);
  });

  it("creates one node for equal bodies", () => {
    const make = (): SymbolicArray => scan([input("h", [])], [input("x", [4])], ([s], [x]) => [[add(s, x)], []]).carries[0];
    expect(make()).toBe(make());
  });

  it("does not grow with the number of steps", () => {
    const depth = (length: number): number => {
      const h = input("h", []);
      const { carries } = scan([h], [input("x", [length])], ([s], [x]) => [[tanh(add(s, x))], []]);
      return arraysBelow(gradientsOf(carries[0], [h])).length;
    };
    expect(depth(10)).toBe(depth(1000));
  });

  it("draws the random arrays of the body once", () => {
    const { outputs } = scan([full(0)], [], ([s]) => [[s], [add(s, uniform([2], 5))]], { length: 3 });
    const [y] = interpret([outputs[0]], {});
    expect([...y.slice(2, 4)]).toEqual([...y.slice(0, 2)]);
  });

  it("accepts comparisons as masks, and constants", () => {
    const { carries } = scan([full(0, [3])], [range(4)], ([s], [t]) => [[add(s, where(less(range(3), t), 1, 0))], []]);
    expect([...interpret(carries, {})[0]]).toEqual([3, 2, 1]);
  });

  it("refuses carries that change shape, different lengths, and bodies with an invalid result", () => {
    const h = input("h", [2]);
    const x = input("x", [3, 2]);
    expect(() => scan([h], [x], ([s], [e]) => [[sum(sub(s, e))], []])).toThrow(
      /scan: the carries are \[2\], but the body gives \[\].*scan\.test\.ts:\d+/,
    );
    expect(() => scan([h], [x], () => [[], []])).toThrow(/the body gives none/);
    expect(() => scan([h], [x, input("z", [4])], ([s]) => [[s], []])).toThrow(/runs over \[3, 2\], \[4\]/);
    expect(() => scan([h], [], ([s]) => [[s], []])).toThrow(/runs over nothing with length undefined/);
    expect(() => scan([h], [x], ([s]) => [[s], []], { length: 4 })).toThrow(/with length 4/);
    expect(() => scan([h], [input("z", [])], ([s]) => [[s], []])).toThrow(/scan: .*COMPILE_SHAPE/);
    // @ts-expect-error the next carries must be a list
    expect(() => scan([h], [x], ([s]) => [s, []])).toThrow(/two lists/);
  });

  it("preserves order in a long run", () => {
    const x = numbers(200, 3);
    const run = (checkpoint: boolean): Float64Array =>
      evaluated(
        (inputs) => scan([full(0)], [inputs.x], ([s], [e]) => [[add(mul(s, 0.9), e)], []], { checkpoint }).carries[0],
        { x: [200] },
        { x },
      );
    const wanted = x.reduce((s, e) => s * 0.9 + e, 0);
    expectClose(run(false), [wanted], 1e-13, "whole");
    expectClose(run(true), [wanted], 1e-13, "in segments");
  });
});

describe("loops that end on a condition", () => {
  /** Returns x wᵏ for the k in `steps`, at most 6. Every second step is a failed trial. */
  const powers = (
    steps: SymbolicArray,
    x: SymbolicArray,
    w: SymbolicArray,
    place: "kept" | "counted" = "kept",
  ): SymbolicArray => {
    const [left, kept, tried, now] = [freshLeaf([]), freshLeaf([]), freshLeaf([]), freshLeaf(x.shape)];
    const isKept = place === "kept" ? sub(1, tried) : full(1);
    const next = matmul(now, w);
    const made = closeScan(
      {
        length: 12,
        reverse: false,
        end: { place, control: 3, smooth: [next] },
        carries: [left, kept, tried, now],
        over: [],
        next: [sub(left, isKept), add(kept, isKept), sub(1, tried), where(isKept, next, now)],
        outputs: [],
      },
      [steps, full(0), full(place === "kept" ? 1 : 0), x],
      [],
    );
    return made.carries[3];
  };
  const shapes = { steps: [], x: [3, 2], w: [2, 2] };
  const values = { ...valuesFor(shapes), steps: Float64Array.of(4) };
  const unrolled: Make = ({ x, w }) => [1, 2, 3, 4].reduce((now) => matmul(now, w), x);

  it.each(["kept", "counted"] as const)("has the values and derivatives of the unrolled steps, %s", (place) => {
    const looped: Make = ({ steps, x, w }) => powers(steps, x, w, place);
    expectClose(evaluated(looped, shapes, values), evaluated(unrolled, shapes, values), 1e-14, "value");
    for (const name of ["x", "w"] as const) {
      const slope =
        (make: Make): Make =>
        (inputs) =>
          gradientsOf(sum(square(make(inputs))), [inputs[name]])[0];
      expectClose(evaluated(slope(looped), shapes, values), evaluated(slope(unrolled), shapes, values), 1e-12, name);
    }
  });

  it("keeps no state of earlier calls when compiled", async () => {
    const f = ({ steps, x, w }: Record<string, SymbolicArray>) => sum(square(powers(steps, x, w)));
    const compiled = await compileFunction(shapes, f, { gradient: ["x", "w"] });
    const inputs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, input(name, shape)]));
    const traced = [f(inputs), ...gradientsOf(f(inputs), [inputs.x, inputs.w])];
    for (const count of [5, 0, 1, 3]) {
      const given = { ...values, steps: Float64Array.of(count) };
      const found = compiled(given as never);
      const [value, x, w] = interpret(traced, given);
      expectClose([found.value], value, 1e-13, "value");
      expectClose(found.gradient.x, x, 1e-13, "by x");
      expectClose(found.gradient.w, w, 1e-13, "by w");
    }
  });

  it("takes at most `length` steps, and none if the condition is NaN", () => {
    const x = Float64Array.of(1);
    const doubled = powers(input("steps", []), input("x", [1, 1]), full(2, [1, 1]));
    expect([...interpret([doubled], { steps: 100, x })[0]]).toEqual([64]);
    expect([...interpret([doubled], { steps: NaN, x })[0]]).toEqual([1]);
  });

  it("creates another node for another end condition or derivative", () => {
    const make = (control: number, factor: number, place: "kept" | "counted" = "kept"): SymbolicArray => {
      const [left, kept, now] = [freshLeaf([]), freshLeaf([]), freshLeaf([])];
      const end = { place, control, smooth: [...(control === 1 ? [kept] : []), mul(now, factor)] };
      const open = { length: 3, reverse: false, end, carries: [left, kept, now], over: [], outputs: [] };
      return closeScan(
        { ...open, next: [sub(left, 1), add(kept, 1), mul(now, 2)] },
        [input("steps", []), full(0), input("x", [])],
        [],
      ).carries[2];
    };
    const x = input("x", []);
    const slopeOf = (y: SymbolicArray): number => interpret([gradientsOf(y, [x])[0]], { steps: 2, x: 1 })[0][0];
    expect(make(2, 2).id).toBe(make(2, 2).id);
    expect([make(2, 2), make(2, 3), make(1, 2)].map(slopeOf)).toEqual([4, 9, 4]);
    expect(make(1, 2).id).not.toBe(make(2, 2).id);
    expect(make(2, 2, "counted").id).not.toBe(make(2, 2).id);
  });
});
