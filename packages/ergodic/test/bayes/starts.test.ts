/** Chains of `sample` that start at given values of some parameters. */
import { expect, it } from "vitest";
import { startOf } from "../../src/bayes/starts.ts";
import { log, take } from "../../src/engine/compiler/index.ts";
import {
  bernoulli,
  conjugate,
  type Draws,
  enumerate,
  fit,
  gibbs,
  halfCauchy,
  lkjCholesky,
  model,
  normal,
  randomWalk,
  type SampleOptions,
  sample,
  slice,
  uniform,
  vector,
} from "../../src/entries/everything.ts";

const data = { y: [28, 8, -3, 7, -1, 1, 18, 12], sigma: [15, 10, 16, 11, 9, 11, 10, 18] };
const schools = model(({ data, param, observe }) => {
  const { y, sigma } = data({ y: vector("J"), sigma: vector("J") });
  const mu = param("mu", normal(0, 5));
  const tau = param("tau", halfCauchy(5));
  const theta = param("theta", normal(mu, tau), { shape: "J", centred: false });
  observe(y, normal(theta, sigma));
});
const density = await schools.condition(data);
const theta = [1, 2, 3, 4, 5, 6, 7, 8];

it("given values are the start, and others are random in each chain", () => {
  const points = startOf(density, { tau: 3 }, 4, 1) as Float64Array[];
  expect(points).toHaveLength(4);
  for (const u of points) {
    expect(density.constrain(u).tau[0]).toBeCloseTo(3, 14);
    for (const free of [u[0], ...u.subarray(2)]) expect(Math.abs(free)).toBeLessThan(2);
  }
  expect(new Set(points.map(([mu]) => mu)).size).toBe(4);
  expect(startOf(density, { tau: 3 }, 4, 1)).toEqual(points);
  expect((startOf(density, { tau: 3 }, 4, 2) as Float64Array[])[0][0]).not.toBe(points[0][0]);
  // Its scale and centre are random, and theta starts at the given values.
  for (const u of startOf(density, { theta }, 3, 1) as Float64Array[])
    density.constrain(u).theta.forEach((value, j) => void expect(value).toBeCloseTo(theta[j], 10));
});

it("a start per chain can be whole, partial or empty", () => {
  const [whole, partial, none] = startOf(density, [{ mu: 1, tau: 2, theta }, { mu: 1 }, {}], 3, 1) as Float64Array[];
  expect(whole).toEqual(density.unconstrain({ mu: 1, tau: 2, theta }));
  expect(density.constrain(partial).mu[0]).toBe(1);
  expect(none.every((x) => Math.abs(x) < 2)).toBe(true);
  expect(startOf(density, { mu: 1, tau: 2, theta }, 4, 1)).toEqual(whole);
});

it("bounds that depend on random values are redrawn until they allow the start", async () => {
  const between = await model(({ param }) => {
    const low = param("low", normal(0, 1));
    param("x", uniform(low, 5));
  }).condition({});
  for (const u of startOf(between, { x: -1 }, 20, 1) as Float64Array[]) {
    const { low, x } = between.constrain(u);
    expect(low[0]).toBeLessThan(-1);
    expect(x[0]).toBeCloseTo(-1, 12);
  }
  expect(() => startOf(between, { x: 6 }, 2, 1)).toThrow(/"x": interval: the value is 6, but must be > .* and < 5/);
});

it("points without a density are redrawn", async () => {
  const half = await model(({ param, target }) => {
    param("b", normal(0, 1));
    target(log(param("a", "real")));
  }).condition({});
  for (const u of startOf(half, { b: 0.5 }, 20, 1) as Float64Array[]) expect(half.constrain(u).a[0]).toBeGreaterThan(0);
});

it("runs of every kind start at the values and resume", async () => {
  const options: SampleOptions = { chains: 2, warmup: 0, draws: 1, seed: 1, start: { tau: 1e4 } };
  for (const algorithm of [randomWalk({ stepSize: 1e-6 }), slice({ width: 1e-9 })]) {
    const found: Draws = await sample(schools, data, { ...options, algorithm });
    for (const tau of found.draws("tau")) expect(Math.abs(tau / 1e4 - 1)).toBeLessThan(1e-3);
  }
  const run = sample(schools, data, { ...options, start: { mu: 2 }, draws: 30, warmup: 30 });
  const first: Draws = await run;
  const longer: Draws = await sample.resume(await run.checkpoint(), schools, data, { draws: 40 });
  expect(longer.draws("mu").subarray(0, 30)).toEqual(first.draws("mu").subarray(0, 30));
  const sides = model(({ data: given, param, observe }) => {
    const { y } = given({ y: vector("N") });
    const high = param("high", bernoulli(0.5), { shape: "N" });
    observe(y, normal(take(param("places", normal(0, 5), { shape: 2 }), high), 1));
  });
  const algorithm = gibbs({ high: enumerate(), places: conjugate() });
  const given = { y: [-3.2, -2.8, 3.1, 2.9] };
  const split: Draws = await sample(sides, given, { seed: 1, draws: 50, warmup: 50, algorithm, start: { places: [-3, 3] } });
  expect([...split.mean("places")].map(Math.round)).toEqual([-3, 3]);
  const sidesGiven = await sides.condition(given);
  for (const u of startOf(sidesGiven, { places: [-3, 3] }, 8, 1) as Float64Array[])
    for (const bit of u.subarray(0, 4)) expect([0, 1]).toContain(bit);
});

it("invalid starts are refused", async () => {
  const start = (given: unknown, chains = 2) => sample(schools, data, { chains, draws: 1, warmup: 0, start: given as never });
  await expect(start({ nu: 1 })).rejects.toThrow(/sample.start: unknown option "nu"/);
  await expect(start({ theta: [1] })).rejects.toThrow(/"theta": unbounded: the value has 1 numbers, but shape \[8\] needs 8/);
  await expect(start({ tau: -1 })).rejects.toThrow(/"tau": .*the value is -1, but must be > 0/);
  await expect(start([{ mu: 1 }])).rejects.toThrow(/start has 1 points, but there are 2 chains/);
  await expect(sample((x) => -(x[0] ** 2), { dimension: 1 }, { start: { x: 1 } })).rejects.toThrow(/only a model has names/);
});

it("values of a matrix are lists of rows or flat lists in row order", async () => {
  const grid = model(({ param }) => {
    param("L", lkjCholesky(2, 1));
    param("B", normal(0, 1), { shape: [2, 3] });
    param("T", normal(param("m", normal(0, 1)), 1), { shape: [2, 1, 2], centred: false });
  });
  const given = await grid.condition({});
  const L = [
    [1, 0],
    [0.6, 0.8],
  ];
  const B = [
    [1, 2, 3],
    [4, 5, 6],
  ];
  const T = [[[1, 2]], [[3, 4]]];
  const flat = { L: L.flat(), B: B.flat(), T: [1, 2, 3, 4], m: 0.5 };
  const point = given.unconstrain(flat);
  expect([...given.constrain(point).B]).toEqual([1, 2, 3, 4, 5, 6]);
  expect(startOf(given, { L, B, T, m: 0.5 }, 4, 1)).toEqual(point);
  expect(startOf(given, { ...flat, B: B.map((row) => Float64Array.from(row)) }, 4, 1)).toEqual(point);
  for (const u of startOf(given, { B }, 3, 1) as Float64Array[]) expect([...given.constrain(u).B]).toEqual([1, 2, 3, 4, 5, 6]);
  const start = (start: object) => sample(grid, {}, { chains: 2, draws: 1, warmup: 0, start: start as never });
  expect((await sample(grid, {}, { chains: 2, draws: 2, warmup: 0, seed: 1, start: { L, B } })).count).toBe(2);
  const shape =
    /"B": value: its lists do not have the shape \[2, 3\]; give lists of this shape, or one flat list, row by row \[OPTION_SHAPE\]/;
  for (const other of [
    B.slice(1),
    [
      [1, 2, 3],
      [4, 5],
    ],
    [[1, 2, 3], 4],
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    [
      [[1], [2], [3]],
      [[4], [5], [6]],
    ],
  ])
    await expect(start({ B: other })).rejects.toThrow(shape);
  await expect(start({ m: [[1]] })).rejects.toThrow(/"m": value: its lists do not have the shape \[\]/);
  await expect(
    start({
      B: [
        [1, 2, 3],
        [4, "5", 6],
      ],
    }),
  ).rejects.toThrow(/sample.start: B\[1\]\[1\] is "5", but must be a number/);
  await expect(
    start({
      B: [
        [1, 2, 3],
        [4, NaN, 6],
      ],
    }),
  ).rejects.toThrow(/sample.start: B\[1\]\[1\] is NaN/);
  const endless: unknown[] = [];
  endless.push(endless);
  await expect(start({ B: endless })).rejects.toThrow(/sample.start: B(\[0\]){16} is an array of 1, but must be a number/);
  const found = await fit(grid, {}, { start: { L, B, T, m: 0.5 } });
  expect([...found.values.B]).toHaveLength(6);
});
