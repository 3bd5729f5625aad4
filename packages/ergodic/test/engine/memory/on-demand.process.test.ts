/**
 * Each function requests the kernels that it calls. No kernels are bundled here, as in a web page. Each test reloads the
 * modules, so that it cannot depend on kernels that another test requested.
 */

import { beforeEach, expect, it, vi } from "vitest";
import type { NetworkPredictor } from "../../../src/entries/everything.ts";

vi.mock("../../../src/engine/memory/load.ts", async (original) => ({ ...(await original<object>()), hasAllKernels: false }));

type Library = typeof import("../../../src/entries/everything.ts");

let e: Library;

beforeEach(async () => {
  vi.resetModules();
  e = await import("../../../src/entries/everything.ts");
});

const rows = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(1.3 * i)]);
const numbers = rows.map(([a, b]) => 2 * a - b + 0.5);
const data = () => e.Dataset.fromArrays({ x: rows, y: numbers });
const images = () =>
  e.Dataset.fromArrays({
    x: rows.map((_, i) => Array.from({ length: 16 }, (_, j) => Math.sin(i * j))),
    y: numbers,
    rowShape: [4, 4, 1],
  });
const short = { epochs: 2, workers: 1 } as const;

it("starts without kernels", async () => {
  const engine = await e.openEngine();
  expect(() => engine.kernel("log", false)).toThrow("has not been loaded");
});

it.each([false, true])("loads kernels for gradients of rows, deterministic: %s", async (deterministic) => {
  expect((await e.fit(e.linear(), data(), { ...short, deterministic })).weights.length).toBe(2);
  expect((await e.fit(e.linear(), data(), { ...short, rule: e.lbfgs(), deterministic })).weights.length).toBe(2);
});

it("loads kernels for coordinate descent", async () => {
  expect((await e.fit(e.linear({ l1: 0.01 }), data(), { algorithm: e.coordinateDescent() })).weights.length).toBe(2);
});

it("loads kernels for an algorithm that does not declare its families", async () => {
  const { families: _, ...algorithm } = e.coordinateDescent({ pick: "cyclic" });
  expect((await e.fit(e.linear({ l1: 0.01 }), data(), { algorithm })).weights.length).toBe(2);
});

it("loads kernels for dual coordinate descent", async () => {
  const classes = e.Dataset.fromArrays({ x: rows, y: numbers.map((y) => (y > 0 ? "yes" : "no")) });
  const fitted = await e.fit(e.linear({ loss: "hinge", l2: 0.1 }), classes, { algorithm: e.dualCoordinateDescent(), workers: 1 });
  expect(fitted.weights.length).toBe(2);
});

it("loads kernels for regularisation paths", async () => {
  const path = await e.fit.path(e.linear(), data(), { lambdas: 5, folds: 3 });
  expect(path.lambdas.length).toBeGreaterThan(0);
});

it("loads kernels for factorisations", async () => {
  const triples = { users: ["a", "a", "b", "b"], items: ["x", "y", "x", "z"], values: [1, 2, 3, 4] };
  const fitted = await e.fit(e.factorisation({ rank: 2 }), e.Ratings.fromTriples(triples), { epochs: 3, workers: 1 });
  expect(fitted.rank).toBe(2);
});

it("loads kernels for a network with validation", async () => {
  const fitted = await e.fit(e.network([e.dense(4), e.relu(), e.batchNorm(), e.dense(1)]), data(), {
    ...short,
    validate: data(),
  });
  expect(fitted.predict(rows).length).toBe(60);
});

it("loads kernels for an image network and its saved file", async () => {
  const layers = [e.convolution(4, { kernel: 3 }), e.relu(), e.globalAveragePool(), e.dense(1)];
  const bytes = (await e.fit(e.network(layers), images(), short)).toBytes();
  vi.resetModules();
  const { predictor } = await import("../../../src/entries/predict.ts");
  const read = await predictor<NetworkPredictor>(bytes);
  expect(read.predict([Array.from({ length: 16 }, () => 0.5)]).length).toBe(1);
});

it("loads kernels for densities with loops and products", async () => {
  const plan = { chains: 1, warmup: 50, draws: 20, workers: 1 } as const;
  const plain = e.model(({ data, param, observe }) => {
    const { y } = data({ y: e.vector("N") });
    observe(y, e.normal(param("mu", e.normal(0, 5)), param("s", e.halfNormal(2))));
  });
  const draws = await e.sample(plain, { y: numbers }, plan);
  expect(Number.isFinite(draws.mean("mu")[0])).toBe(true);
  const products = e.model(({ data, param, observe }) => {
    const { x, y } = data({ x: e.matrix("N", 2), y: e.vector("N") });
    observe(y, e.normal(x.matmul(param("w", e.normal(0, 5), { shape: 2 })), 1));
  });
  expect((await e.sample(products, { x: rows.flat(), y: numbers }, plan)).mean("w").length).toBe(2);
  expect((await e.fit(products, { x: rows.flat(), y: numbers })).values.w.length).toBe(2);
});

it("loads kernels for functions of arrays", async () => {
  const { conv2d, sum } = await import("../../../src/engine/compiler/index.ts");
  const shapes = { x: [1, 6, 6, 1], w: [3, 3, 1, 2] } as const;
  const f = await e.compileFunction(shapes, ({ x, w }) => sum(conv2d(x, w)), { gradient: ["w"] });
  expect(f({ x: new Float64Array(36).fill(1), w: new Float64Array(18).fill(1) }).gradient.w.length).toBe(18);
});
