/** Long steps, which can stop midway: their checkpoints, results and ticks at that point. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Snapshot } from "../../../src/engine/contract/index.ts";
import type { Tick } from "../../../src/entries/everything.ts";
import { coordinateDescent, Dataset, fit, linear } from "../../../src/entries/everything.ts";
import { type Calls, LongStep } from "../../../src/learning/coordinates/calls.ts";
import { numbers } from "../../golden/sklearn-data.ts";

/** Correlated columns, more than a Gram matrix stores, so that a round takes many stretches. */
function slowRows(rows = 2500, columns = 258): Dataset {
  const u = numbers(5);
  const next = (): number => u.next().value;
  const values = new Float64Array(rows * columns);
  const y = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const shared = next();
    let z = 0;
    for (let j = 0; j < columns; j++) {
      values[i * columns + j] = shared + 0.7 * next();
      z += ((j % 5) - 2) * values[i * columns + j];
    }
    y[i] = z / 8 + next() > 0 ? 1 : 0;
  }
  return Dataset.fromArrays({ x: { values, columnCount: columns }, y, type: "f64", classes: true });
}

const model = linear({ loss: "logistic", standardise: false, l2: 1e-5 });
const algorithm = coordinateDescent({ tolerance: 1e-2 });

/** Runs a fit, and calls `at` for each tick. */
async function watched(data: Dataset, at: (run: ReturnType<typeof start>, tick: Tick, count: number) => unknown = () => {}) {
  const run = start(data);
  const ticks: Tick[] = [];
  for await (const tick of run) {
    ticks.push(tick);
    await at(run, tick, ticks.length);
  }
  return { run, ticks, fitted: await run };
}
const start = (data: Dataset, signal?: AbortSignal) => fit(model, data, { algorithm, ...(signal ? { signal } : {}) });

describe("coordinate descent with long rounds", () => {
  let data: Dataset;
  /** The uninterrupted run, with its ticks. */
  let whole: Awaited<ReturnType<typeof watched>>;
  beforeAll(async () => {
    data = slowRows();
    whole = await watched(data);
  });
  afterAll(() => data.dispose());

  it("reports ticks within a round, with the known gap", () => {
    const { ticks, fitted } = whole;
    const first = ticks.filter(({ update }) => update === 0);
    expect(first.length).toBeGreaterThan(1);
    for (const { gap, objective, loss, epoch } of first) {
      expect([gap, epoch]).toEqual([1, 0]);
      expect(Math.abs(Number(objective) - Math.LN2)).toBeLessThan(0.01);
      expect(loss).toBeLessThanOrEqual(Number(objective));
    }
    expect(new Set(first.map(({ loss }) => loss)).size).toBeGreaterThan(1);
    expect(ticks[ticks.length - 1].gap).toBeLessThanOrEqual(1e-2);
    expect(fitted.run.reason).toBe("converged");
  });

  it("resumes from a checkpoint within a round bit for bit", async () => {
    let bytes: Uint8Array | undefined;
    await watched(data, async (run, tick, count) => {
      if (tick.update !== 0 || count !== 2) return;
      bytes = await run.checkpoint();
      run.stop();
    });
    const { fitted } = whole;
    const resumed = await fit.resume(bytes!, data, {});
    expect([resumed.weights, resumed.intercept]).toEqual([fitted.weights, fitted.intercept]);
    expect(resumed.run.report).toEqual(fitted.run.report);
    expect(resumed.run.loss).toBe(fitted.run.loss);
  });

  it("returns its current state if it is stopped within a round", async () => {
    const { fitted, run } = await watched(data, (run, { loss }) => loss < 0.6 && run.stop("enough"));
    expect([fitted.run.updates, fitted.run.reason]).toEqual([0, "enough"]);
    const { loss } = fitted.run;
    expect(loss).toBeLessThan(0.6);
    expect(fitted.evaluate(data).logLoss).toBeCloseTo(loss, 9);
    // The run continues from there as if uninterrupted.
    const resumed = await fit.resume(await run.checkpoint(), data, {});
    expect(resumed.weights).toEqual(whole.fitted.weights);
  });

  it("ends soon after its signal", async () => {
    const controller = new AbortController();
    const run = start(data, controller.signal);
    for await (const tick of run) {
      expect(tick.update).toBe(0);
      controller.abort(new Error("enough"));
      break;
    }
    await expect((async () => await run)()).rejects.toThrow("enough");
    // Within the first round, which has many stretches.
    const kept = await run.checkpoint();
    for await (const tick of fit.resume(kept, data, {})) {
      expect(tick.update).toBe(0);
      break;
    }
    const resumed = await fit.resume(kept, data, {});
    expect(resumed.weights).toEqual(whole.fitted.weights);
  });

  it("ends at its time limit", async () => {
    const { run } = await fit(model, data, { algorithm, until: { seconds: 0.05 } });
    expect([run.updates, run.reason]).toEqual([0, "time is up, before it converged"]);
  });
});

it("a quadratic loss within a solve has an intercept that matches its coefficients", async () => {
  // By covariances (600 columns) and by residuals (800).
  for (const columns of [600, 800]) {
    const u = numbers(7);
    const values = Float64Array.from({ length: 2000 * columns }, () => u.next().value);
    const y = Float64Array.from(
      { length: 2000 },
      (_, i) => 5 + values[i * columns] + values[i * columns + 7] + 0.1 * u.next().value,
    );
    for (let i = 0; i < y.length; i++) for (let j = 0; j < columns; j++) values[i * columns + j] += 2;
    using data = Dataset.fromArrays({ x: { values, columnCount: columns }, y, type: "f64" });
    const run = fit(linear({ standardise: false, l2: 1e-4 }), data, { algorithm });
    let ticks = 0;
    for await (const { update } of run) if (update > 0 || ++ticks === 2) run.stop("enough");
    const { weights, intercept } = await run;
    let residual = 0;
    for (let i = 0; i < y.length; i++)
      residual += y[i] - intercept[0] - weights.reduce((z, w, j) => z + w * values[i * columns + j], 0);
    expect(Math.abs(residual / y.length)).toBeLessThan(1e-6);
  }
});

describe("LongStep", () => {
  /** Makes `count` calls that take `milliseconds` each. */
  function* busy(count: number, log: string[]): Calls<number> {
    for (let k = 0; k < count; k++) {
      log.push(`call ${k}`);
      yield [{ kernel: "none", args: [k] }];
    }
    return count;
  }

  /** A clock that advances by `milliseconds` per call and by `copy` per copy. */
  const bench = (milliseconds: number, copy = 0) => {
    const state = { at: 0, kept: 0, clock: 0 };
    vi.spyOn(performance, "now").mockImplementation(() => state.clock);
    const run = async () => {
      state.clock += milliseconds;
      return [0];
    };
    const keep = (): Snapshot => {
      state.clock += copy;
      return { tensors: {}, state: { at: state.at, kept: ++state.kept } };
    };
    return { state, step: new LongStep<number>(run, keep) };
  };
  afterEach(() => vi.restoreAllMocks());

  it("stops after a stretch, and saves the state before it", async () => {
    const { state, step } = bench(9);
    state.at = 5;
    const log: string[] = [];
    expect(await step.advance(() => [busy(8, log)])).toBeUndefined();
    // 27 ms: the first call that ends after 20 ms.
    expect(state.clock).toBe(27);
    expect(step.underWay).toBe(true);
    state.at = 6;
    expect(step.snapshot().state).toEqual({ at: 5, kept: 1 });
    let given: number[] | undefined;
    for (let k = 0; !given && k < 10; k++) {
      const before = state.clock;
      given = await step.advance(() => [busy(1, ["never begun"])]);
      expect(state.clock - before).toBeLessThanOrEqual(27);
    }
    expect(given).toEqual([8]);
    expect(log.length).toBe(8);
    expect(step.underWay).toBe(false);
    expect(step.snapshot().state.at).toBe(6);
  });

  it("interrupts a long step after a short one if a copy is cheap", async () => {
    const { state, step } = bench(9, 0.4);
    expect(await step.advance(() => [busy(1, [])])).toEqual([1]);
    const before = state.clock;
    expect(await step.advance(() => [busy(8, [])])).toBeUndefined();
    expect(state.clock - before).toBeCloseTo(27.4, 9);
    expect(state.kept).toBe(2);
  });

  it("makes no copy before a step that follows a short one, and does not interrupt it, if a copy is expensive", async () => {
    const { state, step } = bench(9, 0.5);
    await step.advance(() => [busy(1, [])]);
    expect(state.kept).toBe(1);
    expect(await step.advance(() => [busy(8, [])])).toEqual([8]);
    expect(state.kept).toBe(1);
    // This step was long.
    await step.advance(() => [busy(8, [])]);
    expect(state.kept).toBe(2);
  });

  it("advances all solvers", async () => {
    const { step } = bench(0);
    expect(await step.advance(() => [busy(2, []), busy(5, []), busy(0, [])])).toEqual([2, 5, 0]);
  });
});
