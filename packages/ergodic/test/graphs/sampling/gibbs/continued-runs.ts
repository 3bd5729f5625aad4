import { expect } from "vitest";
import type { Snapshot, Tensor } from "../../../../src/engine/contract/index.ts";
import type { Engine } from "../../../../src/engine/memory/engine.ts";
import type { FactorGraph, InferenceAlgorithm } from "../../../../src/entries/everything.ts";
import { Inference } from "../../../../src/graphs/infer/inference.ts";

/** Number of sweeps of the runs here. Warm-ups of at most 10 sweeps and the first scouts end before this. */
const SWEEPS = 26;

type Progress = { readonly sweep: number; readonly stretch: number };
const partOf = ({ state }: Snapshot): Progress => (state as unknown as { parts: Progress[] }).parts[0];
const bytesOf = ({ buffer, byteOffset, byteLength }: Tensor): Buffer => Buffer.from(buffer, byteOffset, byteLength);

/** Advances to the first step within a sweep, or at its end, from the given sweep on. */
async function advanceTo(run: Inference, sweep: number, within = false): Promise<Snapshot> {
  for (;;) {
    await run.advance(1);
    if ((run.report().sweeps ?? 0) < sweep) continue;
    const kept = run.snapshot();
    if (partOf(kept).stretch > 0 === within) return kept;
    expect(run.converged).toBe(false);
  }
}

/** Checks that two runs are in the same state. Numbers of steps can differ, because a new layout adds steps. */
function expectSame(found: Snapshot, wanted: Snapshot): void {
  expect(partOf(found)).toEqual(partOf(wanted));
  expect(Object.keys(found.tensors)).toEqual(Object.keys(wanted.tensors));
  // Compared as bytes, so that a failure does not print megabytes.
  const differing = Object.keys(wanted.tensors).filter(
    (name) => !bytesOf(found.tensors[name]).equals(bytesOf(wanted.tensors[name])),
  );
  expect(differing).toEqual([]);
}

const opened = (graph: FactorGraph, algorithm: InferenceAlgorithm, engine: Engine, workers: number): Promise<Inference> =>
  Inference.open(graph.conditionals(), algorithm, { task: "marginals", seed: 7, workers, memory: 2 ** 28 }, engine);

/**
 * Checks that a run saved in the middle of a sweep and resumed with two workers continues like an uninterrupted run.
 */
export async function expectContinued(graph: FactorGraph, algorithm: InferenceAlgorithm, engine: Engine): Promise<void> {
  const whole = await opened(graph, algorithm, engine, 1);
  // During warm-up, and after it.
  const kept = [await advanceTo(whole, 3, true), await advanceTo(whole, 16, true)];
  const wanted = await advanceTo(whole, SWEEPS);
  whole.dispose();
  for (const snapshot of kept) {
    const resumed = await opened(graph, algorithm, engine, 2);
    resumed.restore(snapshot);
    expectSame(await advanceTo(resumed, SWEEPS), wanted);
    resumed.dispose();
  }
}

/** Checks that chains and scouts are the same with one worker and with three. Returns their final state. */
export async function expectShared(
  graph: FactorGraph,
  algorithm: InferenceAlgorithm,
  engine: Engine,
  sweeps = SWEEPS,
): Promise<Snapshot> {
  const [one, three] = await Promise.all(
    [1, 3].map(async (workers) => {
      const run = await opened(graph, algorithm, engine, workers);
      const end = await advanceTo(run, sweeps);
      run.dispose();
      return end;
    }),
  );
  expectSame(three, one);
  return one;
}
