/**
 * Result members that are read from a run without await. The runs of every function report that they must be awaited.
 * The runs of `ergodic/worker` are tested in test/worker.
 */
import { expect, it } from "vitest";
import { mul, sum } from "../../../src/engine/compiler/index.ts";
import * as names from "../../../src/engine/loop/result-names.ts";
import {
  adam,
  calibrate,
  compileFunction,
  coordinateDescent,
  coordinateTarget,
  Dataset,
  factorGraph,
  fit,
  infer,
  linear,
  minimize,
  model,
  normal,
  sample,
  tune,
} from "../../../src/entries/everything.ts";

const controller = new AbortController();
controller.abort(new Error("no need to run"));
const { signal } = controller;
const data = Dataset.fromArrays({ x: [[1], [2]], y: [1, 2] });
const graph = factorGraph();
graph.variable("rain");
graph.isTrue("rain", { weight: graph.weight("wet", 0.5) });
const prior = model(({ param }) => param("mu", normal(0, 1)));
const bowl = coordinateTarget({ dimension: 1, value: ([x]) => x * x, partial: ([x]) => 2 * x, curvature: () => 2 });

const square = await compileFunction({ x: [1] }, ({ x }) => sum(mul(x, x)), { gradient: ["x"] });

const runs: [verb: string, list: () => readonly string[], make: () => PromiseLike<unknown>][] = [
  ["fit", names.trainedNames, () => fit(linear(), data, { signal })],
  ["fit.resume", names.trainedNames, () => fit.resume(new Uint8Array(0), data, { signal })],
  ["fit.path", names.pathNames, () => fit.path(linear(), data, { signal })],
  ["fit.path.resume", names.pathNames, () => fit.path.resume(new Uint8Array(0), data, { signal })],
  ["fit of a model", names.modeNames, () => fit(prior, {}, { signal })],
  ["fit of a graph", names.learnedNames, () => fit(graph, { signal })],
  ["minimize", names.minimumNames, () => minimize(([x]) => x * x, [1], { evaluations: 9, signal })],
  ["minimize by coordinates", names.minimumNames, () => minimize(bowl, [1], { algorithm: coordinateDescent(), signal })],
  ["minimize by gradients", names.minimumNames, () => minimize(square, { x: [1] }, { rule: adam(), signal })],
  ["tune", names.tunedNames, () => tune((async () => 1) as never, { over: { a: { low: 0, high: 1 } }, trials: 3, signal })],
  ["calibrate", names.calibrationNames, () => calibrate(prior, {}, { signal })],
  ["sample", names.drawsNames, () => sample(prior, {}, { signal })],
  ["infer", names.answerNames, () => infer(graph, { signal })],
];

it.each(runs)("an unawaited run refuses access to its result, from %s", async (_, list, make) => {
  const run = make();
  for (const name of list())
    expect(() => Reflect.get(run, name), name).toThrow(
      `run: "${name}" was asked of a run, but belongs to its result; write await before it: const made = await … [RUN_UNAWAITED]`,
    );
  // The names are not enumerable or own members of the run.
  expect(Object.keys(run).filter((name) => list().includes(name))).toEqual([]);
  await expect(run).rejects.toThrow();
});
