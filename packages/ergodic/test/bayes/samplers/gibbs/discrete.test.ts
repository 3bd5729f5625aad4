/** kernels/bayes/gibbs-discrete.ts equals its twin bit for bit, and both of its moves are exactly stationary. */
import { describe, expect, it } from "vitest";
import * as field from "../../../../src/bayes/fields.ts";
import { gibbs } from "../../../../src/bayes/samplers/gibbs/index.ts";
import { integers } from "../../../../src/bayes/transforms/integers.ts";
import type { DiscretePlace } from "../../../../src/engine/contract/index.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { log } from "../../../../src/engine/numbers/log.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { Guarded } from "../../../engine/memory/guarded.ts";
import { enumeratedRow, GibbsDiscreteTwin, type Mutant, type Site, slicedRow } from "../../../reference/gibbs-discrete.ts";
import { biasFound, checkChains, expectExact } from "../exactness.ts";
import { compiled, densityOf, exactTarget, indicator } from "./compiled.ts";

it("takes whole numbers in a range that includes its ends, and no others", () => {
  const range = integers(-1, 3, [2]);
  expect(range.unconstrain(Float64Array.of(-1, 3))).toEqual(Float64Array.of(-1, 3));
  for (const wrong of [-2, 4, 0.5, Number.NaN])
    expect(() => range.unconstrain(Float64Array.of(0, wrong))).toThrow(/whole number/);
});

const engine = await openEngine();
const functions = await compiled(
  engine,
  `
import { log } from "./log";
/** −(k − 3)²/4 + cos-free coupling: each neighbour pair adds c a b; Poisson-like tails. −∞ below 0, NaN at 13. */
export function lattice(model: usize, x: usize, g: usize): f64 {
  const d = <i32>load<f64>(model), coupling = load<f64>(model, 8);
  let value: f64 = 0;
  for (let i = 0; i < d; i++) {
    const a = load<f64>(x + (<usize>i << 3));
    if (a < 0) return -Infinity;
    if (a == 13) return NaN;
    value += 1.2 * a - log(1 + a) * a;
    if (i > 0) value += coupling * a * load<f64>(x + (<usize>(i - 1) << 3));
  }
  return value;
}
`,
  ["lattice"],
);

const COUPLING = 0.1;
function lattice(x: Float64Array): number {
  let value = 0;
  for (let i = 0; i < x.length; i++) {
    const a = x[i];
    if (a < 0) return -Infinity;
    if (a === 13) return Number.NaN;
    value += 1.2 * a - log(1 + a) * a;
    if (i > 0) value += COUPLING * a * x[i - 1];
  }
  return value;
}

const key = stream(3, "discrete twin");

function byKernel(sites: readonly Site[], width: number, sweeps: number, adapt: boolean, deterministic: boolean) {
  using memory = new Guarded(engine);
  const d = sites.length;
  const point = memory.put("f64", new Array(d).fill(1));
  const numbers = (values: number[]) => memory.put("f64", values);
  const widths = numbers(sites.map(() => width));
  const moves = numbers(sites.map(() => 0));
  const most = Math.max(1, ...sites.map(({ support }) => support));
  const values = memory.room("f64", most);
  const block = memory.arena.block(field.DISCRETE_BYTES, [
    [field.DISCRETE_SLOT, functions.lattice.slot],
    [field.DISCRETE_MODEL, memory.put("f64", [d, COUPLING])],
    [field.DISCRETE_POINT, point],
    [field.DISCRETE_GRADIENT, memory.room("f64", d)],
    [field.DISCRETE_COUNT, d],
    [field.DISCRETE_COORDINATES, memory.put("u32", [...sites.keys()])],
    [
      field.DISCRETE_SUPPORT,
      memory.put(
        "u32",
        sites.map(({ support }) => support),
      ),
    ],
    [field.DISCRETE_LOW, numbers(sites.map(({ low }) => low))],
    [field.DISCRETE_HIGH, numbers(sites.map(({ high }) => high))],
    [field.DISCRETE_WIDTH, widths],
    [field.DISCRETE_MOVES, moves],
    [field.DISCRETE_VALUES, values],
    [field.DISCRETE_KEY_LOW, key.key[0]],
    [field.DISCRETE_KEY_HIGH, key.key[1]],
  ]);
  const found: number[][] = [];
  for (let t = 0; t < sweeps; t++) {
    const density = engine.kernel("gibbsDiscrete", deterministic)(block, t, adapt ? 1 : 0);
    found.push([...memory.read("f64", point, d), density]);
  }
  memory.read("f64", values, most);
  return { found, widths: memory.read("f64", widths, d), moves: memory.read("f64", moves, d) };
}

function byTwin(sites: readonly Site[], width: number, sweeps: number, adapt: boolean, mutant?: Mutant) {
  const twin = new GibbsDiscreteTwin(lattice, sites, width, mutant);
  const x = new Float64Array(sites.length).fill(1);
  const found: number[][] = [];
  for (let t = 0; t < sweeps; t++) {
    const density = twin.sweep(x, key, t, adapt);
    found.push([...x, density]);
  }
  return { found, widths: twin.widths, moves: twin.moves };
}

const enumerated = (high: number): Site => ({ low: 0, high, support: high + 1 });
const sliced = (high: number): Site => ({ low: 0, high, support: 0 });
const layouts: [string, Site[]][] = [
  ["two values", [enumerated(1)]],
  ["one value", [enumerated(0), enumerated(2)]],
  ["fifteen values, one of them not a number", [enumerated(14), enumerated(14), enumerated(14)]],
  ["counts without a bound", [sliced(Infinity)]],
  ["bounded slices", [sliced(5), sliced(3)]],
  ["both", [enumerated(3), sliced(Infinity), enumerated(1), sliced(9)]],
];

describe.each(layouts)("%s", (_, sites) => {
  it.each([true, false])("equals the twin bit for bit, deterministic: %s", (deterministic) => {
    for (const width of [1, 3, 8])
      for (const adapt of [false, true])
        expect(byKernel(sites, width, 40, adapt, deterministic)).toEqual(byTwin(sites, width, 40, adapt));
  });
});

it("a twin with a planted mistake gives other draws", () => {
  const sites = [enumerated(5), sliced(Infinity)];
  const { found } = byKernel(sites, 2, 60, false, true);
  expect(byTwin(sites, 2, 60, false).found).toEqual(found);
  for (const mutant of ["unnormalised", "no step out", "shrinks one side"] as const)
    expect(byTwin(sites, 2, 60, false, mutant).found, mutant).not.toEqual(found);
});

describe("stationarity by enumeration", () => {
  /** Largest |πP − π|. */
  function defect(pi: readonly number[], row: (from: number) => number[]): number {
    const after = pi.map(() => 0);
    pi.forEach((weight, from) => {
      row(from).forEach((probability, to) => {
        after[to] += weight * probability;
      });
    });
    return Math.max(...after.map((value, i) => Math.abs(value - pi[i])));
  }
  const normalised = (weights: number[]): number[] => {
    const total = weights.reduce((a, b) => a + b, 0);
    return weights.map((w) => w / total);
  };
  /** Three coupled sites with three values each: state a + 3b + 9c. */
  const states = Array.from({ length: 27 }, (_, s) => Float64Array.of(s % 3, Math.floor(s / 3) % 3, Math.floor(s / 9)));
  const pi = normalised(states.map((x) => Math.exp(lattice(x))));
  const joined = (wrong: boolean) => (from: number) => {
    let row: number[] = states.map((_, s) => (s === from ? 1 : 0));
    for (let site = 0; site < 3; site++) {
      const next: number[] = states.map(() => 0);
      row.forEach((probability, s) => {
        const others = states[wrong ? from : s];
        const values = [0, 1, 2].map((k) => lattice(others.map((x, i) => (i === site ? k : x))));
        enumeratedRow(values).forEach((p, k) => {
          next[s + (k - states[s][site]) * 3 ** site] += probability * p;
        });
      });
      row = next;
    }
    return row;
  };

  it("a sweep over enumerated sites is stationary to 1e-12, but a simultaneous update is not", () => {
    expect(defect(pi, joined(false))).toBeLessThan(1e-12);
    expect(defect(pi, joined(true))).toBeGreaterThan(1e-3);
  });

  it("slices of every width are stationary and reversible to 1e-12, but not without stepping out", () => {
    const targets = [
      [1, 2, 3, 4],
      [5, 1, 1, 4, 2],
      [1, 1, 1],
      [3, 0, 2, 7, 7, 1, 0, 0, 4],
      [0.2, 5, 0.01, 0.3, 9, 2, 0.5],
    ].map(normalised);
    for (const target of targets) {
      for (let width = 1; width <= target.length + 2; width++) {
        const rows = target.map((weight, from) => (weight > 0 ? slicedRow(target, from, width) : target.map(() => 0)));
        for (const [from, row] of rows.entries()) {
          if (target[from] === 0) continue;
          expect(Math.abs(row.reduce((a, b) => a + b, 0) - 1)).toBeLessThan(1e-12);
          row.forEach((p, to) => {
            expect(Math.abs(target[from] * p - target[to] * rows[to][from])).toBeLessThan(1e-12);
          });
        }
        expect(defect(target, (from) => rows[from])).toBeLessThan(1e-12);
      }
    }
    expect(
      defect(targets[3], (from) => (targets[3][from] > 0 ? slicedRow(targets[3], from, 3, "halves") : targets[3].map(() => 0))),
    ).toBeGreaterThan(1e-3);
  });
});

it("a run over integers finds the exact probabilities", async () => {
  // The false alarm rate is 1e-4 over 12 checks. With 64 chains of 400 sweeps, a bias of 0.05 standard deviations is
  // detected.
  const discrete: DiscretePlace[] = [
    { name: "a", offset: 0, size: 1, low: 0, high: 5 },
    { name: "b", offset: 1, size: 1, low: 0, high: Infinity },
  ];
  const density = densityOf(engine, functions.lattice.slot, [2, COUPLING], { dimension: 2, discrete, parameters: discrete });
  const run = gibbs().start(density, { chains: 64, warmup: 50, draws: 400, seed: 2, workers: 1, deterministic: true }, engine);
  while (run.converged === false) await run.advance(1000);
  const draws = run.draws();
  run.dispose();
  const weights = Array.from({ length: 6 }, (_, a) =>
    Array.from({ length: 40 }, (_, b) => (b === 13 ? 0 : Math.exp(lattice(Float64Array.of(a, b))))),
  );
  const total = weights.flat().reduce((x, y) => x + y, 0);
  const functionals = Array.from({ length: 6 }, (_, k) => [
    indicator(0, k, weights[k].reduce((x, y) => x + y, 0) / total),
    indicator(1, k, weights.reduce((sum, row) => sum + row[k], 0) / total),
  ]).flat();
  const checks = checkChains(exactTarget("integers", 2, functionals), draws);
  expectExact(checks, 1e-4);
  expect(biasFound(checks, 1e-4)).toBeLessThan(0.06);
});
