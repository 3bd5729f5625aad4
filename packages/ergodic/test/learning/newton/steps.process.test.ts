/** A step of Newton's method: halved if it is too long, made in stretches, and saved or stopped in between. */
import { afterAll, describe, expect, it, vi } from "vitest";
import type { CurvatureBinding, Problem } from "../../../src/engine/contract/index.ts";
import { atOnce } from "../../../src/engine/threads/steps.ts";
import { Dataset, fit, linear, newtonCholesky } from "../../../src/entries/everything.ts";
import { Newton } from "../../../src/learning/newton/newton.ts";
import { engine, plan } from "../coordinates/targets.ts";
import { compressed, copied, disposable, numbers } from "./made.ts";

describe("steps along a direction", () => {
  /** Newton's method on a function of one number, from 2, and the number of evaluations. */
  const of = (value: (x: number) => number, slope: (x: number) => number, curvature: (x: number) => number) => {
    const asked = { value: 0, at: 0 };
    const binding: CurvatureBinding = {
      parts: [{ first: 0, count: 1 }],
      width: 1,
      *value([x]) {
        asked.value++;
        yield;
        return value(x);
      },
      *at([x]) {
        asked.at++;
        yield;
        return { loss: value(x), gradient: Float64Array.of(slope(x)), hessian: Float64Array.of(curvature(x)) };
      },
      dispose() {},
    };
    const penalty = { l1: 0, l2: 0, group: 0, weights: Float64Array.of(1) };
    const problem = { rowGradient: { penalty }, rowCount: 1, parameterCount: 1, start: Float64Array.of(2) };
    return { newton: new Newton(problem as unknown as Problem, binding, 1e-10), asked };
  };

  it("halve a step that is too long, and count every evaluation", async () => {
    // √(1 + x²): a full step from 2 leads to −8, half a step to −3, and a quarter to −0.5.
    const { newton, asked } = of(
      (x) => Math.sqrt(1 + x * x),
      (x) => x / Math.sqrt(1 + x * x),
      (x) => (1 + x * x) ** -1.5,
    );
    const made = await newton.advance();
    expect([...newton.parameters()][0]).toBeCloseTo(-0.5, 12);
    // The loss at the new point, not at the start of the step.
    expect(made.lossSum).toBeCloseTo(Math.sqrt(1.25), 12);
    expect(asked).toEqual({ value: 3, at: 1 });
    expect(newton.report().evaluations).toBe(4);
    while (newton.converged === false) await newton.advance();
    expect(newton.converged).toBe(true);
    expect(Math.abs(newton.parameters()[0])).toBeLessThan(1e-5);
    expect(newton.report().evaluations).toBe(asked.value + asked.at);
  });

  it("stay at the point if the promised decrease is impossible, and report this", async () => {
    const { newton, asked } = of(
      () => 1,
      () => 1,
      () => 1,
    );
    const made = await newton.advance();
    expect([...newton.parameters()]).toEqual([2]);
    expect(newton.converged).toBe("the objective falls by less than rounding error");
    expect(made).toMatchObject({ updates: 1, lossSum: 1 });
    expect(newton.report().evaluations).toBe(asked.value + asked.at);
  });
});

describe("passes over many rows", () => {
  const [n, d] = [30_000, 40];
  const random = numbers(9);
  const x = Float64Array.from({ length: n * d }, () => (random() < 0.5 ? 0 : random() - 0.5));
  const y = Array.from({ length: n }, (_, i) => (x[i * d] + random() > 0.5 ? "a" : "b"));
  const model = linear({ loss: "logistic", l2: 0.001, standardise: false });
  /** Rows of each format, which all tests share. */
  const kept: { dense?: Dataset; sparse?: Dataset } = {};
  afterAll(() => Object.values(kept).forEach((data) => void data.dispose()));
  const made = (format: "dense" | "sparse"): Dataset => {
    kept[format] ??= make(format);
    return kept[format];
  };
  const make = (format: "dense" | "sparse"): Dataset => {
    const rows = Dataset.fromArrays({ x: { values: x, columnCount: d }, y, type: "f64" });
    if (format === "dense") return rows;
    const sparse = Dataset.fromSparse(
      {
        ...compressed(Array.from({ length: n }, (_, i) => [...x.subarray(i * d, (i + 1) * d)])),
        target: rows.target.values.slice(),
      },
      { type: "f64", classes: true },
    );
    rows.dispose();
    return sparse;
  };

  it.each(["dense", "sparse"] as const)("run in calls of a few milliseconds, %s", async (format) => {
    const data = made(format);
    using problem = disposable(model.bind(data, plan(), engine));
    const before = engine.memory.usedBytes;
    const binding = await problem.curvature.bind();
    // Weights, slopes and curvatures.
    expect(engine.memory.usedBytes - before).toBeGreaterThanOrEqual(24 * n);
    const p = Float64Array.from({ length: problem.parameterCount }, () => random() - 0.5);
    /** The result of a generator, and the number of its yields. */
    const counted = <T>(steps: Generator<void, T>): { value: T; yields: number } => {
      for (let yields = 0; ; yields++) {
        const { done, value } = steps.next();
        if (done) return { value, yields };
      }
    };
    const loss = counted(binding.value(p));
    const after = counted(binding.at(p, 0));
    const kept = copied(after.value);
    // Products of the Hessian: half the square of the number of entries per row.
    const perRow = format === "dense" ? (d + 1) ** 2 / 2 : (d / 2 + 1) ** 2 / 2;
    for (const { yields } of [loss, after]) {
      expect(yields).toBeGreaterThanOrEqual(Math.floor((n * perRow) / 1.1e7));
      expect(yields).toBeLessThanOrEqual(Math.ceil((n * perRow) / 0.8e7));
    }
    const fresh = copied(atOnce(binding.at(p, 0)));
    expect(kept).toEqual(fresh);
    expect(kept.loss).toBe(loss.value);
    // No loss was requested for this other point.
    atOnce(binding.value(p));
    const other = p.map((v) => -v);
    const elsewhere = copied(atOnce(binding.at(other, 0)));
    expect(elsewhere.loss).toBe(atOnce(binding.value(other)));
    expect(elsewhere.gradient).not.toEqual(kept.gradient);
    // This loss is abandoned midway.
    atOnce(binding.value(p));
    const begun = binding.value(other);
    begun.next();
    begun.return(0);
    expect(copied(atOnce(binding.at(p, 0)))).toEqual(kept);
    // The same array now contains other numbers.
    atOnce(binding.value(other));
    other.set(p);
    expect(copied(atOnce(binding.at(other, 0)))).toEqual(kept);
    binding.dispose();
  });

  it("resume from a checkpoint within a pass to the same bytes", async () => {
    const data = made("dense");
    const algorithm = newtonCholesky();
    const whole = await fit(model, data, { algorithm });
    // A clock that advances by more than a stretch per reading.
    let clock = 0;
    const now = vi.spyOn(performance, "now").mockImplementation(() => (clock += 21));
    try {
      const run = fit(model, data, { algorithm });
      const within: number[] = [];
      let bytes: Uint8Array | undefined;
      for await (const { update } of run) {
        within.push(update);
        if (update === 1 && within.filter((k) => k === 1).length === 2) bytes = await run.checkpoint();
      }
      // After the first step, the loss of each step is known and reported before the step ends.
      expect(within.filter((k) => k === 1).length).toBeGreaterThan(2);
      const resumed = await fit.resume(bytes!, data, {});
      for (const fitted of [await run, resumed]) {
        expect(fitted.toBytes()).toEqual(whole.toBytes());
        expect(fitted.run.report).toEqual(whole.run.report);
      }
      const stopped = fit(model, data, { algorithm });
      for await (const { update } of stopped) if (update === 1) stopped.stop("enough");
      const { run: ended, weights } = await stopped;
      const first = await fit(model, data, { algorithm, epochs: 1 });
      expect([ended.updates, ended.reason, weights]).toEqual([1, "enough", first.weights]);
    } finally {
      now.mockRestore();
    }
  });

  it("count as an update and as rows only when the step is done", async () => {
    const data = made("dense");
    using problem = disposable(model.bind(data, plan(), engine));
    const newton = await newtonCholesky().start(problem, plan({ batch: "all" }), engine);
    const before = newton.snapshot();
    let clock = 0;
    const now = vi.spyOn(performance, "now").mockImplementation(() => (clock += 21));
    try {
      let stretches = 0;
      for (; newton.step === 0; stretches++) {
        const kept = newton.snapshot();
        const advanced = await newton.advance(1);
        if (advanced.updates > 0) {
          expect(advanced).toMatchObject({ updates: 1, rows: n });
          expect(advanced.lossSum / n).toBeLessThan(Math.LN2);
        } else expect(advanced).toEqual({ updates: 0, lossSum: 0, rows: 0, within: true });
        expect(kept).toEqual(before);
      }
      // Two stretches of the pass where it begins, two of the pass where it ends, and the rest.
      expect(stretches).toBe(5);
    } finally {
      now.mockRestore();
      newton.dispose();
    }
  });

  it("store only the rows that fit into memory", async () => {
    // 16 bytes per row of 64 MiB, and one more row.
    const count = 2 ** 22 + 1;
    const values = Float32Array.from({ length: count }, (_, i) => (i % 1024) / 1024);
    using data = Dataset.fromArrays({ x: { values, columnCount: 1 }, y: values.map((v) => 2 * v + 1) });
    using problem = disposable(linear({ standardise: false }).bind(data, plan(), engine));
    const before = engine.memory.usedBytes;
    const binding = await problem.curvature.bind();
    // Only the weights of rows are stored.
    expect(engine.memory.usedBytes - before).toBeLessThan(9 * count);
    const p = Float64Array.of(0.5, 0.25);
    const loss = atOnce(binding.value(p));
    const after = copied(atOnce(binding.at(p, 0)));
    expect(after.loss).toBe(loss);
    // ½ mean (1.5 x + 0.75)², over 4096 repetitions of the numbers from 0 to 1023, and one 0.
    const mean = (of: (v: number) => number): number =>
      (4096 * Array.from({ length: 1024 }, (_, k) => of(k / 1024)).reduce((a, b) => a + b) + of(0)) / count;
    expect(loss).toBeCloseTo(
      mean((v) => 0.5 * (1.5 * v + 0.75) ** 2),
      11,
    );
    expect(after.gradient[0]).toBeCloseTo(-mean((v) => (1.5 * v + 0.75) * v), 11);
    expect(after.hessian[0]).toBeCloseTo(
      mean((v) => v * v),
      11,
    );
    binding.dispose();
  });
});
