/**
 * An aborted run can be checkpointed and resumed like a stopped one, for every function whose runs have checkpoints.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { compileFunction } from "../../../src/engine/compiler/index.ts";
import type { Run } from "../../../src/engine/loop/run.ts";
import { adam, Dataset, fit, linear, minimize, sample } from "../../../src/entries/everything.ts";

const folder = await mkdtemp(join(tmpdir(), "ergodic-aborted-"));
afterAll(() => rm(folder, { recursive: true }));

/** Aborts the run at its first tick, which follows one stretch, and then writes a checkpoint. */
async function aborted(name: string, start: (signal: AbortSignal) => Run<unknown>): Promise<string> {
  const controller = new AbortController();
  const reason = new Error("enough");
  const run = start(controller.signal);
  await expect(
    (async () => {
      for await (const _ of run) controller.abort(reason);
    })(),
  ).rejects.toBe(reason);
  const path = join(folder, name);
  await run.checkpoint(path);
  return path;
}

describe("runs resumed after an abort", () => {
  const x = Array.from({ length: 400 }, (_, i) => Math.sin(i));
  const y = x.map((each, i) => 2 * each + Math.cos(3 * i));

  it("resumes fit", async () => {
    const data = Dataset.fromArrays({ x: x.map((each) => [each]), y });
    const options = { rule: adam(), epochs: 2000, seed: 3, deterministic: true };
    const path = await aborted("fit", (signal) => fit(linear(), data, { ...options, signal }));
    const resumed = await fit.resume(path, data, { until: { epochs: 2000 } });
    const whole = await fit(linear(), data, options);
    expect(resumed.run.updates).toBe(whole.run.updates);
    expect(resumed.predict([[0.5], [-2]])).toEqual(whole.predict([[0.5], [-2]]));
    data.dispose();
  });

  it("resumes sample", async () => {
    const density = (x: Float64Array) => -0.5 * x[0] * x[0];
    const given = { dimension: 1, gradient: (x: Float64Array) => [-x[0]] };
    const options = { seed: 3, chains: 2, warmup: 500, draws: 5000, deterministic: true };
    const path = await aborted("sample", (signal) => sample(density, given, { ...options, signal }));
    expect((await sample.resume(path, density, given)).draws("x")).toEqual((await sample(density, given, options)).draws("x"));
  });

  it("resumes minimize with a gradient", async () => {
    const f = await compileFunction({ w: [2] }, ({ w }) => w.sub(3).square().square().sum(), { gradient: ["w"] });
    const options = { rule: adam({ rate: 1e-4 }), epochs: 20_000 };
    const path = await aborted("gradient", (signal) => minimize(f, { w: [0, 1] }, { ...options, signal }));
    const whole = await minimize(f, { w: [0, 1] }, options);
    expect((await minimize.resume(path, f)).x).toEqual(whole.x);
  });

  it("resumes minimize with values only", async () => {
    const f = async ([a, b]: Float64Array) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return (a - 1) ** 2 + b ** 2;
    };
    const options = { seed: 3, evaluations: 100 };
    const path = await aborted("values", (signal) => minimize(f, [3, 3], { ...options, signal }));
    expect((await minimize.resume(path, f)).x).toEqual((await minimize(f, [3, 3], options)).x);
  });
});
