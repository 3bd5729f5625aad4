/**
 * Transforms: values satisfy their constraints, the inverse recovers its input, and log |J| is the determinant of the
 * numerical derivative.
 */
import { describe, expect, it } from "vitest";
import * as distributions from "../../../src/bayes/distributions/index.ts";
import * as t from "../../../src/bayes/transforms/index.ts";
import {
  compileFunction,
  concatenate,
  input,
  interpret,
  reshape,
  type SymbolicArray,
  sizeOf,
  sum,
} from "../../../src/engine/compiler/index.ts";
import { CapabilityError, CompileError, OptionError } from "../../../src/engine/errors/errors.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { checkDerivatives } from "../../engine/compiler/array/differences.ts";

const draws = stream(5, "transforms").at(0);
const numbers = (count: number, spread: number): Float64Array =>
  Float64Array.from({ length: count }, () => spread * draws.normal());

/** Positions of the free elements. They determine the others. */
type Free = (shape: readonly number[]) => number[];
const all: Free = (shape) => Array.from({ length: sizeOf(shape) }, (_, i) => i);
const butLast: Free = (shape) => all(shape).filter((i) => (i + 1) % shape[shape.length - 1] !== 0);
const triangle =
  (withDiagonal: boolean): Free =>
  ([d]) =>
    all([d, d]).filter((at) => (withDiagonal ? at % d <= Math.floor(at / d) : at % d < Math.floor(at / d)));

type Holds = (value: Float64Array, shape: readonly number[]) => boolean;
const rows = (value: Float64Array, shape: readonly number[]): Float64Array[] => {
  const extent = shape[shape.length - 1];
  return Array.from({ length: value.length / extent }, (_, r) => value.subarray(r * extent, (r + 1) * extent));
};
const increasing = (x: Float64Array): boolean => x.every((v, i) => i === 0 || v > x[i - 1]);
const total = (x: Float64Array): number => x.reduce((a, b) => a + b, 0);
const length = (x: Float64Array): number => total(x.map((v) => v * v));
const near = (a: number, b: number, tolerance = 1e-12): boolean => Math.abs(a - b) <= tolerance;
const lowerTriangular: Holds = (value, shape) =>
  rows(value, shape).every((row, i) => row[i] > 0 && row.every((v, j) => j <= i || v === 0));

const CASES: readonly [name: string, transform: t.Transform, free: Free, holds: Holds][] = [
  ["unbounded", t.unbounded([3]), all, () => true],
  ["positive, one", t.positive(), all, (v) => v[0] > 0],
  ["positive, many", t.positive([2, 3]), all, (v) => v.every((x) => x > 0)],
  ["lower", t.lower(-1.5, [3]), all, (v) => v.every((x) => x > -1.5)],
  ["upper", t.upper(0.5, [3]), all, (v) => v.every((x) => x < 0.5)],
  ["interval", t.interval(-1, 2, [4]), all, (v) => v.every((x) => x > -1 && x < 2)],
  ...[2, 3, 5].map((n): [string, t.Transform, Free, Holds] => [`simplex of ${n}`, t.simplex([n]), butLast, simplexes]),
  ["simplexes", t.simplex([2, 3]), butLast, simplexes],
  ["ordered, one", t.ordered([1]), all, () => true],
  ["ordered", t.ordered([4]), all, increasing],
  ["ordered, rows", t.ordered([2, 3]), all, (v, s) => rows(v, s).every(increasing)],
  ["positiveOrdered", t.positiveOrdered([4]), all, (v) => v[0] > 0 && increasing(v)],
  ...[2, 3, 5].map((n): [string, t.Transform, Free, Holds] => [
    `correlationCholesky of ${n}`,
    t.correlationCholesky(n),
    triangle(false),
    (v, s) => lowerTriangular(v, s) && rows(v, s).every((row) => near(length(row), 1)),
  ]),
  ...[1, 2, 4].map((n): [string, t.Transform, Free, Holds] => [
    `covarianceCholesky of ${n}`,
    t.covarianceCholesky(n),
    triangle(true),
    lowerTriangular,
  ]),
];

function simplexes(value: Float64Array, shape: readonly number[]): boolean {
  return rows(value, shape).every((row) => row.every((x) => x > 0) && near(total(row), 1));
}

function constrained(transform: t.Transform, u: Float64Array): [value: Float64Array, logJacobian: number] {
  const { value, logJacobian } = transform.constrain(input("u", transform.unconstrainedShape));
  const [x, [j]] = interpret([value, logJacobian], { u });
  return [x, j];
}

/** log |det| by elimination with pivoting. */
function logDeterminant(matrix: number[][]): number {
  const a = matrix.map((row) => [...row]);
  let logs = 0;
  for (let k = 0; k < a.length; k++) {
    const pivot = a.slice(k).reduce((best, row, i) => (Math.abs(row[k]) > Math.abs(a[best][k]) ? k + i : best), k);
    [a[k], a[pivot]] = [a[pivot], a[k]];
    logs += Math.log(Math.abs(a[k][k]));
    for (let i = k + 1; i < a.length; i++) {
      const factor = a[i][k] / a[k][k];
      for (let j = k; j < a.length; j++) a[i][j] -= factor * a[k][j];
    }
  }
  return logs;
}

describe.each(CASES)("%s", (_, transform, free, holds) => {
  const size = sizeOf(transform.unconstrainedShape);

  it("keeps the constraint and is inverted", () => {
    for (const spread of [0, 0.3, 1, 2]) {
      const u = numbers(size, spread);
      const [value] = constrained(transform, u);
      expect(value).toHaveLength(sizeOf(transform.shape));
      expect(holds(value, transform.shape), `${value}`).toBe(true);
      const back = transform.unconstrain(value);
      back.forEach((x, i) => {
        expect(near(x, u[i], 1e-9 * (1 + Math.abs(u[i]))), `${x} for ${u[i]}`).toBe(true);
      });
    }
  });

  it("has the log Jacobian of the numerical derivative", () => {
    const places = free(transform.shape);
    expect(places).toHaveLength(size);
    for (const spread of [0.3, 1]) {
      const u = numbers(size, spread);
      const h = 2 ** -9;
      const columns = all([size]).map((k) => {
        const at = (steps: number) =>
          constrained(
            transform,
            u.map((x, i) => x + (i === k ? steps * h : 0)),
          )[0];
        const [far, next, back, farBack] = [at(2), at(1), at(-1), at(-2)];
        return places.map((i) => (8 * (next[i] - back[i]) - (far[i] - farBack[i])) / (12 * h));
      });
      const [, logJacobian] = constrained(transform, u);
      expect(Math.abs(logDeterminant(columns) - logJacobian)).toBeLessThan(1e-7);
    }
  });

  it("has derivatives that agree with finite differences", () => {
    const make = ({ u }: Record<string, SymbolicArray>) => {
      const { value, logJacobian } = transform.constrain(u);
      return concatenate([reshape(value, [-1]), reshape(logJacobian, [1])]);
    };
    checkDerivatives(make, { u: transform.unconstrainedShape });
  });

  it("stays finite far out", () => {
    for (const far of [-300, 300]) {
      const [value, logJacobian] = constrained(transform, new Float64Array(size).fill(far));
      expect(value.every(Number.isFinite)).toBe(true);
      expect(Number.isFinite(logJacobian)).toBe(true);
    }
  });
});

// torch 2.6.0, float64: t = torch.distributions.transforms.…(); y = t(u); t.log_abs_det_jacobian(u, y)
const GOLDEN: [string, t.Transform, number[], number[], number][] = [
  [
    "StickBreakingTransform",
    t.simplex([4]),
    [0.3, -1.2, 2],
    [0.3103224420123704, 0.09026916871088567, 0.527957157790385, 0.07145123148635886],
    -6.85258297341167,
  ],
  [
    "CorrCholeskyTransform",
    t.correlationCholesky(4),
    [0.3, -1.2, 2, 0.1, -0.4, 0.9],
    [
      [1, 0, 0, 0],
      [0.2913126124515909, 0.9566279119002483, 0, 0],
      [-0.8336546070121552, 0.5324190848181971, 0.1467988907613492, 0],
      [0.09966799462495582, -0.378057100987195, 0.6592817112391604, 0.6422513094312553],
    ].flat(),
    -5.493242020731963,
  ],
];
it.each(GOLDEN)("agrees with %s of torch", (_, transform, u, wanted, wantedJacobian) => {
  const [value, logJacobian] = constrained(transform, Float64Array.from(u));
  value.forEach((x, i) => {
    expect(near(x, wanted[i], 1e-13)).toBe(true);
  });
  expect(near(logJacobian, wantedJacobian, 1e-12)).toBe(true);
});

describe("unitVector", () => {
  const transform = t.unitVector([2, 3]);
  it("has length 1, keeps the direction and gives the length a standard normal prior", () => {
    const u = numbers(6, 2);
    const [value, logJacobian] = constrained(transform, u);
    for (const row of rows(value, [2, 3])) expect(near(length(row), 1)).toBe(true);
    const scale = u[0] / value[0];
    expect(scale).toBeGreaterThan(0);
    for (let i = 0; i < 3; i++) expect(near(value[i] * scale, u[i])).toBe(true);
    expect(near(logJacobian, -0.5 * length(u), 1e-10)).toBe(true);
    expect([...transform.unconstrain(value)]).toEqual([...value]);
    checkDerivatives(({ u }) => transform.constrain(u).value, { u: [2, 3] });
  });
});

describe("angle", () => {
  it("is the direction of each pair", () => {
    const transform = t.angle([2, 16]);
    const u = numbers(64, 2);
    // Directions along the axes and next to the cut.
    u.set([1, 0, 0, 1, -1, 0, 0, -1, -1, 1e-300, -1, -1e-300, 1, 1, -1, -1]);
    const [value] = constrained(transform, u);
    value.forEach((x, i) => {
      expect(near(x, Math.atan2(u[2 * i + 1], u[2 * i]), 1e-15 * 4)).toBe(true);
    });
    const [again] = constrained(transform, transform.unconstrain(value));
    again.forEach((x, i) => {
      expect(near(x, value[i])).toBe(true);
    });
    checkDerivatives(({ u }) => transform.constrain(u).value, { u: [2, 16, 2] });
  });

  it("has the density of a radius that integrates to 1, with its mode at 1", () => {
    const transform = t.angle([]);
    // In polar coordinates, because the density does not depend on the direction.
    const h = 0.01;
    for (const direction of [0, 0.7, 2, -2.5]) {
      let whole = 0;
      for (let r = h / 2; r < 8; r += h) {
        const [, log] = constrained(transform, Float64Array.of(r * Math.cos(direction), r * Math.sin(direction)));
        whole += h * r * Math.exp(log);
      }
      expect(near(whole, 1, 1e-6)).toBe(true);
    }
    const radial = (r: number) => r * Math.exp(constrained(transform, Float64Array.of(-0.6 * r, 0.8 * r))[1]);
    for (const r of [0.5, 0.99, 1.01, 2]) expect(radial(r)).toBeLessThan(radial(1));
    const [, two] = constrained(t.angle([2]), Float64Array.of(1, 2, 3, -4));
    const one = (a: number, b: number) => constrained(transform, Float64Array.of(a, b))[1];
    expect(near(two, one(1, 2) + one(3, -4))).toBe(true);
  });
});

describe("bounds that depend on parameters", () => {
  it("take part in value, Jacobian and inverse", () => {
    const alpha = input("alpha", []);
    const transform = t.interval(0, alpha, [2]);
    const { value, logJacobian } = transform.constrain(input("u", [2]));
    const inputs = { alpha: 0.25, u: [0, 1] };
    const [x, [j]] = interpret([value, logJacobian], inputs);
    expect(x[0]).toBe(0.125);
    const p = 1 / (1 + Math.exp(-1));
    expect(near(j, 2 * Math.log(0.25) + Math.log(0.25) + Math.log(p * (1 - p)), 1e-14)).toBe(true);
    expect(near(transform.unconstrain(x, { alpha: 0.25 })[1], 1)).toBe(true);
  });
});

it("compiled transforms return value, log Jacobian and gradient", async () => {
  const names = CASES.map(([, transform], k) => ({ name: `u${k}`, transform }));
  const shapes = Object.fromEntries(names.map(({ name, transform }) => [name, transform.unconstrainedShape]));
  const trace = (u: Readonly<Record<string, SymbolicArray>>) =>
    sum(
      concatenate(
        names.flatMap(({ name, transform }) => {
          const { value, logJacobian } = transform.constrain(u[name]);
          return [reshape(value, [-1]), reshape(logJacobian, [1])];
        }),
      ),
    );
  const compiled = await compileFunction(shapes, trace, { gradient: Object.keys(shapes) });
  const values = Object.fromEntries(names.map(({ name, transform }) => [name, numbers(sizeOf(transform.unconstrainedShape), 1)]));
  const wanted = interpret(
    [trace(Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, input(name, shape)])))],
    values,
  );
  const result = compiled(values as never);
  expect(near(result.value, wanted[0][0], 1e-11 * Math.abs(wanted[0][0]))).toBe(true);
  // The gradient along a direction equals the difference quotient.
  const h = 1e-4;
  const moved = (by: number) =>
    compiled(Object.fromEntries(Object.entries(values).map(([name, u]) => [name, u.map((x) => x + by)])) as never).value;
  const slope = (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h);
  const along = Object.keys(shapes).reduce((whole, name) => whole + total(Float64Array.from(result.gradient[name])), 0);
  expect(Math.abs(along - slope)).toBeLessThan(1e-7 * Math.abs(slope));
});

describe("transformFor", () => {
  const of = (distribution: distributions.Distribution, shape: number[]) => t.transformFor(distribution.support, shape).name;
  it("follows the support", () => {
    expect(of(distributions.normal(0, 1), [2])).toBe("unbounded");
    expect(of(distributions.halfCauchy(5), [])).toBe("positive");
    expect(of(distributions.pareto(2, 1), [])).toBe("lower");
    expect(of(distributions.uniform(0, 1), [])).toBe("interval");
    expect(of(distributions.truncated(distributions.normal(0, 1), { upper: 1 }), [])).toBe("upper");
    expect(of(distributions.vonMises(0, 1), [2])).toBe("angle");
    expect(of(distributions.dirichlet([1, 1]), [2])).toBe("simplex");
    expect(of(distributions.multivariateNormal([0], [[1]]), [1])).toBe("unbounded");
    expect(of(distributions.lkjCholesky(3, 1), [3, 3])).toBe("correlationCholesky");
    expect(() => of(distributions.poisson(1), [])).toThrow(CapabilityError);
  });
});

describe("errors", () => {
  it("name the invalid value", () => {
    expect(() => t.positive().unconstrain([-1])).toThrow(
      "positive: the value is -1, but must be > 0; give a value inside [OPTION_RANGE]",
    );
    expect(() => t.interval(0, 1).unconstrain([1])).toThrow("must be > 0 and < 1");
    expect(() => t.simplex([3]).unconstrain([0.5, 0.4, 0.2])).toThrow("1 in the sum over each row");
    expect(() => t.ordered([3]).unconstrain([1, 3, 2])).toThrow("> 3, the element before it");
    expect(() => t.positiveOrdered([2]).unconstrain([-1, 2])).toThrow(OptionError);
    expect(() => t.unitVector([2]).unconstrain([1, 1])).toThrow(OptionError);
    expect(() => t.angle([]).unconstrain([3.2])).toThrow("angle: the value is 3.2, but must be from −π to π");
    expect(() => t.correlationCholesky(2).unconstrain([1, 0, 0.5, 0.5])).toThrow(OptionError);
    expect(() => t.covarianceCholesky(2).unconstrain([1, 0, 0.5, 0])).toThrow(OptionError);
    expect(() => t.simplex([1])).toThrow(CompileError);
    expect(() => t.correlationCholesky(1)).toThrow(OptionError);
    expect(() => t.simplex([3]).constrain(input("u", [3]))).toThrow("has shape [3], but must have [2]");
    expect(() => t.positive([2]).unconstrain([1])).toThrow("the value has 1 numbers");
  });
});
