import { expect } from "vitest";
import type { Engine } from "../../../../src/engine/memory/engine.ts";
import type { FactorGraph, InferenceAlgorithm } from "../../../../src/entries/everything.ts";
import { Inference } from "../../../../src/graphs/infer/inference.ts";

/** Checks that a run saved in the middle of a sweep and resumed with two workers ends like an uninterrupted run. */
export async function expectContinued(graph: FactorGraph, algorithm: InferenceAlgorithm, engine: Engine): Promise<void> {
  const columns = graph.conditionals();
  const open = (workers: number): Promise<Inference> =>
    Inference.open(columns, algorithm, { task: "marginals", seed: 0, workers, memory: 2 ** 28 }, engine);
  const answerOf = (run: Inference): string =>
    JSON.stringify(run.found(), (_, one) => (ArrayBuffer.isView(one) ? Array.from(one as Float64Array) : one));
  const sweepOf = (run: Inference): number => (run.snapshot().state as { parts: { sweep: number }[] }).parts[0].sweep;
  const whole = await open(1);
  while (!whole.converged) await whole.advance(1);
  const wanted = answerOf(whole);
  for (const share of [0.05, 0.6]) {
    const [first, second] = [await open(1), await open(2)];
    while (first.step < share * whole.step) await first.advance(1);
    // A step that does not end a sweep is within it.
    for (let sweep = -1; sweepOf(first) !== sweep; await first.advance(1)) sweep = sweepOf(first);
    expect(first.converged).toBe(false);
    second.restore(first.snapshot());
    first.dispose();
    while (!second.converged) await second.advance(1);
    // Strings of some megabytes, compared here so that a failure does not print them.
    expect(answerOf(second) === wanted).toBe(true);
    second.dispose();
  }
  whole.dispose();
}
