/** Errors in a program are reported during tracing, with the operation, the shapes and the user's line. */
import { describe, expect, it } from "vitest";
import { programOf, type Shapes, traceFunction } from "../../../../src/engine/compiler/array/function.ts";
import {
  at,
  conv2d,
  cumsum,
  gradientsOf,
  input,
  interpret,
  matmul,
  maxPool,
  mean,
  nodeText,
  oneHot,
  type SymbolicArray,
  scan,
  slice,
  stack,
  tangentsOf,
  triangularSolve,
  watchConditions,
} from "../../../../src/engine/compiler/array/index.ts";
import { add, equal, exp, less, mul, sum, where } from "../../../../src/engine/compiler/index.ts";
import { CompileError } from "../../../../src/engine/errors/errors.ts";

const x = input("x", [2, 3]);
const HERE = /errors\.test\.ts:\d+:\d+/;

function failure(run: () => unknown): CompileError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(CompileError);
    return error as CompileError;
  }
  return expect.fail("nothing was thrown");
}

describe("tracing errors", () => {
  it("names operation, shapes and line if shapes do not broadcast", () => {
    const error = failure(() => mul(x, input("y", [4])));
    expect(error.code).toBe("COMPILE_SHAPE");
    expect(error.message).toMatch(/^mul: shapes \[2, 3\] and \[4\] do not broadcast: 3 and 4 on axis 1 \(at /);
    expect(error.message).toMatch(HERE);
  });

  it("refuses missing arguments and arguments that are not arrays", () => {
    // @ts-expect-error one argument is missing
    expect(failure(() => add(x)).message).toMatch(
      /^add: 1 argument was given, but it takes 2 or more: a, b, … .*errors\.test\.ts.*COMPILE_OPERAND/,
    );
    expect(failure(() => add(x, undefined as unknown as number)).message).toMatch(
      /^add: b is undefined, but must be a symbolic array or a number; a name may be missing .*errors\.test\.ts.*COMPILE_OPERAND/,
    );
    // @ts-expect-error a text is no array
    expect(failure(() => add(x, "y")).code).toBe("COMPILE_OPERAND");
  });

  it.each<[string, () => unknown, RegExp]>([
    // biome-ignore lint/suspicious/noExplicitAny: what a user of JavaScript would write
    ["arithmetic", () => (x as any) * 2, /"x" \[2, 3\] was used as a number/],
    // biome-ignore lint/suspicious/noExplicitAny: what a user of JavaScript would write
    ["a comparison", () => (exp(x) as any) < 2, /exp \[2, 3\] was used as a number/],
    // biome-ignore lint/suspicious/noExplicitAny: what a user of JavaScript would write
    ["Math", () => Math.max(x as any, 2), /was used as a number/],
    ["a text", () => `${x}`, /was written into a string/],
    // biome-ignore lint/suspicious/noExplicitAny: what a user of JavaScript would write
    ["a loop", () => [...(x as any)], /was iterated over.*slice, sum or scan/],
    ["its length", () => x.length, /its length was asked for.*shape\[0\]/],
  ])("refuses a symbol used as a number: %s", (_, use, message) => {
    const error = failure(use);
    expect(error.code).toBe("COMPILE_VALUE");
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(HERE);
  });

  it("refuses control flow that depends on data", () => {
    const relu = (): SymbolicArray => {
      if (less(x, 0)) return mul(x, 0);
      return x;
    };
    const error = failure(() => watchConditions(relu, (y) => [y]));
    expect(error.code).toBe("COMPILE_CONTROL_FLOW");
    expect(error.message).toMatch(/the result of less\(\) is not used.*where\(condition, yes, no\)/);
    expect(error.message).toMatch(HERE);
    const traced = failure(() => traceFunction({ a: [3] }, ({ a }) => (equal(a, 1) ? sum(a) : a)));
    expect(traced.message).toMatch(/equal\(\)/);
  });

  it("refuses control flow around a nested trace, even if the nested trace failed", () => {
    const inner = (): SymbolicArray =>
      watchConditions(
        () => where(less(x, 1), 0, x),
        (y) => [y],
      );
    const failed = (): SymbolicArray => {
      const wrong = (): SymbolicArray => (less(x, 1) ? x : mul(x, 0));
      expect(failure(() => watchConditions(wrong, (y) => [y])).code).toBe("COMPILE_CONTROL_FLOW");
      return x;
    };
    for (const within of [inner, failed]) {
      const outer = (): SymbolicArray => {
        const found = within();
        return equal(x, 0) ? found : x;
      };
      expect(failure(() => watchConditions(outer, (y) => [y])).message).toMatch(/the result of equal\(\) is not used/);
    }
  });

  it("accepts conditions whose values are used", () => {
    const uses: (() => SymbolicArray)[] = [
      () => where(less(x, 0), 0, x),
      () => sum(less(x, 0)),
      () => sum(equal(x, 1), { axis: 1 }),
      () => less(x, 0),
      () => oneHot(input("i", [3]), 4),
      () => matmul(less(x, 0), input("w", [3, 2])),
    ];
    for (const use of uses) expect(watchConditions(use, (y) => [y])).toBe(use());
  });

  it("refuses unknown names", () => {
    const error = failure(() => traceFunction({ weights: [3] }, (given) => sum((given as Record<string, SymbolicArray>).weight)));
    expect(error.message).toMatch(/"?weight"?/);
    expect(error.message).toMatch(/weights/);
    expect(error.message).toMatch(HERE);
    expect(() => interpret([x], {})).toThrow(/the input "x" is used but not given \(given: none\); add it \[COMPILE_INPUT\]/);
    expect(() => interpret([x], { x: [1] })).toThrow(
      /the input "x" has 1 numbers, but shape \[2, 3\] needs 6 \[COMPILE_LENGTH\]/,
    );
  });

  it("refuses invalid extents", () => {
    expect(failure(() => input("x", [2, 0])).message).toMatch(
      /shape is \[2, 0\], but every extent must be a whole number from 1 on/,
    );
    expect(failure(() => input("x", [1.5])).code).toBe("COMPILE_SHAPE");
  });

  it("refuses to differentiate a result that is not a number", () => {
    expect(failure(() => gradientsOf(x, [x])).message).toMatch(
      /gradient: the output is \[2, 3\], but must be one number.*errors\.test/,
    );
    expect(failure(() => tangentsOf([x], [x], [input("v", [3])])).message).toMatch(
      /the direction is \[3\], but the array is \[2, 3\]/,
    );
  });

  it("describes nodes in words", () => {
    expect(nodeText(x)).toBe('"x" [2, 3]');
    expect(nodeText(matmul(x, input("w", [3, 2])))).toBe("matmul [2, 2]");
    expect(nodeText(sum(exp(x), { axis: 1 }))).toBe("sum [2]");
  });
});

describe("functions that cannot be compiled", () => {
  const shapes = { a: [3] } as const;
  // biome-ignore lint/suspicious/noExplicitAny: what a user of JavaScript would write
  const traced = (f: unknown) => failure(() => traceFunction(shapes, f as any));

  it.each<[string, () => unknown, RegExp]>([
    ["nothing", () => undefined, /gave undefined, but must give a symbolic array/],
    ["a number", () => 3, /gave number.*full\(3\)/],
    ["a promise", async () => x, /gave a promise/],
    ["an object without arrays", () => ({ loss: 3 }), /gave an object with something else/],
  ])("refuses a function that returns %s", (_, f, message) => {
    const error = traced(f);
    expect(error.code).toBe("COMPILE_OPERAND");
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(HERE);
  });

  it("refuses an input of another function", () => {
    const error = traced(({ a }: { a: SymbolicArray }) => mul(a, input("b", [3])));
    expect(error.code).toBe("COMPILE_INPUT");
    expect(error.message).toMatch(/the input "b" \[3\] is used, but not given \(there are: a\)/);
    expect(error.message).toMatch(HERE);
  });

  it("refuses an array used outside of its scan", () => {
    const error = traced(({ a }: { a: SymbolicArray }) => {
      let inside = a;
      scan([at(a, 0)], [a], ([carry], [element]) => {
        inside = element;
        return [[add(carry, element)], []];
      });
      return inside;
    });
    expect(error.message).toMatch(/an array of a scan's body, \[\], is used outside of it/);
  });

  it("refuses invalid shapes and options", () => {
    const compiled = (given: object, options: object = {}) =>
      failure(() => programOf(given as Shapes, ({ a }) => sum(a), options));
    expect(compiled({ a: 3 }).message).toMatch(/its shape is 3, but must be a list of extents; write \[3\].*errors\.test/);
    const refused = (options: object) => () => programOf(shapes, ({ a }) => sum(a), options);
    expect(refused({ precision: "float64" })).toThrow(/precision is "float64", but must be "f64" or "f32" \[OPTION_RANGE\]/);
    expect(refused({ gradient: "a" })).toThrow(/gradient is "a", but must be a list of inputs; write \["a"\] \[OPTION_TYPE\]/);
    expect(refused({ gradients: ["a"] })).toThrow(/unknown option "gradients"; did you mean "gradient"/);
  });

  it("refuses options that an operation does not have", () => {
    // biome-ignore lint/suspicious/noExplicitAny: what a user of JavaScript would write
    const options = (given: object): any => given;
    const [image, filter, matrix] = [input("image", [1, 4, 4, 1]), input("filter", [3, 3, 1, 1]), input("matrix", [3, 3])];
    const error = failure(() => conv2d(image, filter, options({ stride: 2 })));
    expect(error.message).toMatch(
      /^conv2d: unknown option "stride"; did you mean "strides"\? .*errors\.test.* \[COMPILE_OPTION\]$/,
    );
    for (const use of [
      () => maxPool(image, options({ size: 2, stride: 2 })),
      () => sum(x, options({ axes: 1 })),
      () => mean(x, options({ keepDims: true })),
      () => cumsum(x, options({ dim: 1 })),
      () => triangularSolve(matrix, matrix, options({ upper: true })),
      () => scan([at(x, 0)], [x], ([carry]) => [[carry], []], options({ backwards: true })),
    ])
      expect(failure(use).code).toBe("COMPILE_OPTION");
  });

  it("refuses positions that do not exist", () => {
    expect(failure(() => at(x, 1.5)).message).toMatch(/at: index is 1.5, but axis 0 of \[2, 3\] has 2 elements/);
    expect(failure(() => at(x, -4, 1)).message).toMatch(/at: index is -4, but axis 1 of \[2, 3\] has 3 elements/);
    expect(failure(() => at(x, [1, 3])).message).toMatch(/at: index is 3, but axis 1 of \[2, 3\] has 3 elements/);
    expect(failure(() => at(x, [0, 0, 0])).message).toMatch(
      /at: 3 indices were given from axis 0 on, but \[2, 3\] has 2 axes from there on/,
    );
    expect(failure(() => at(x, [0, 0], 1)).message).toMatch(
      /2 indices were given from axis 1 on, but \[2, 3\] has 1 axes from there on/,
    );
    expect(failure(() => at(x, [])).message).toMatch(/0 indices were given/);
    expect(failure(() => at(x, ["a"] as never)).message).toMatch(/index is .*but must be a number, or a list of them/);
    expect(failure(() => slice(x, { from: 0.5 })).message).toMatch(/both ends must be whole numbers/);
    expect(failure(() => stack([x, x], 3)).message).toMatch(/axis is 3, but the array has 3 axes/);
  });
});
