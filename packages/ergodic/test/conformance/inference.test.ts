/**
 * Every algorithm of infer keeps the promises of its kind on 24 random graphs and 6 trees (200 and 60 in test:slow). It
 * answers its tasks, and its certificates are true. The result depends only on the seed. A run that is paused,
 * checkpointed and resumed gives the same result. The algorithm is rebuilt from its JSON, and its memory is freed.
 */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { FactorTables, Snapshot, Tensor } from "../../src/engine/contract/index.ts";
import { decode, encode } from "../../src/engine/files/safetensors.ts";
import { type Engine, openEngine } from "../../src/engine/memory/engine.ts";
import { stream } from "../../src/engine/random/stream.ts";
import {
  type Answer,
  type InferenceAlgorithm,
  type InferenceTask,
  infer,
  inferenceFromJson,
} from "../../src/entries/everything.ts";
import { Inference } from "../../src/graphs/infer/inference.ts";
import { inferenceRegistry } from "../../src/graphs/infer/registry.ts";
import { power } from "../power.ts";
import { binomialLimit } from "../reference/binomial-limit.ts";
import { enumerateGraph, logProductAt } from "../reference/enumerate-graph.ts";
import { heldTo, type Verdict } from "../reference/held-to-certificate.ts";
import { denseGraphs, gridEdges, pairwiseGraph, randomGraphs, randomTrees } from "../reference/random-graph.ts";

const names = Object.keys(inferenceRegistry);
/** Options that shorten slow algorithms on many graphs. Intervals and standard errors widen with fewer draws. */
const shorter: Record<string, object> = {
  importanceSampling: { samples: power(5000, 200_000) },
  annealedImportanceSampling: { particles: power(100, 200) },
  graphTempering: { ensembles: power(8, 16), warmup: 50, sweeps: power(400, 800), width: 0.25 },
  graphGibbs: { sweeps: power(4000, 20_000), mcse: power(0.01, 0.003) },
};
/** Options for runs that are only compared with each other. */
const shortest: Record<string, object> = {
  importanceSampling: { samples: 1000 },
  annealedImportanceSampling: { particles: 100, temperatures: 20 },
  graphTempering: { ensembles: 8, warmup: 50, sweeps: 100 },
  graphGibbs: { warmup: 20, sweeps: 200 },
  replicaGibbs: { warmup: 20, sweeps: 200 },
  miniBuckets: { iBound: 3 },
};
const numRuns = power(12, 100);
const graphs = [...fc.sample(randomGraphs, { numRuns, seed: 14 }), ...fc.sample(denseGraphs, { numRuns, seed: 17 })];
const trees = fc.sample(randomTrees, { numRuns: power(6, 60), seed: 15 });
const truths = new Map([...graphs, ...trees].map((graph) => [graph, enumerateGraph(graph)]));
const draws = stream(16).at(0);
const grid = pairwiseGraph(16, gridEdges(4, 4), 0.5, () => draws.normal());
/** All pairs of 10 variables, whose elimination width of 9 exceeds the first limit of algorithms that have limits. */
const pairs = Array.from({ length: 10 }, (_, i) => Array.from({ length: i }, (_, j) => [j, i] as const)).flat();
const paired = pairwiseGraph(10, pairs, 0.5, () => draws.normal());

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ families: ["graphs"] });
});

/**
 * The answer, or undefined if the evidence is refused as impossible (which must be true) or the algorithm does not
 * support the graph.
 */
async function answered(graph: FactorTables, task: InferenceTask, algorithm: InferenceAlgorithm): Promise<Answer | undefined> {
  try {
    return await infer(graph, { task, algorithm });
  } catch (error) {
    if (algorithm.name === "replicaGibbs" && String(error).includes("use graphGibbs() for this graph [GRAPH_REPLICAS]"))
      return undefined;
    if (algorithm.name === "graphTempering" && String(error).includes("but all must be above 0")) {
      expect(graph.factors.some(({ values }) => values.includes(0))).toBe(true);
      return undefined;
    }
    expect(String(error)).toContain("GRAPH_IMPOSSIBLE");
    expect(truths.get(graph)!.logZ).toBe(-Infinity);
    return undefined;
  }
}

/** Visits each number of an answer. */
function verdicts(graph: FactorTables, answer: Answer): Verdict[] {
  const truth = truths.get(graph)!;
  if (answer.task === "partition") return [heldTo(answer.logZCertificate, answer.logZ, truth.logZ)];
  if (answer.task === "map") {
    const { states, value, bound } = answer.best;
    const slack = 1e-10 * Math.max(1, Math.abs(truth.logLargest));
    const fits = Math.abs(logProductAt(graph, states) - value) <= slack && value <= truth.logLargest + slack;
    return [fits && bound >= truth.logLargest - slack && Number.isFinite(bound) ? "holds" : "wrong"];
  }
  if (truth.logZ === -Infinity) return ["none" in answer.certificate ? "holds" : "wrong"];
  return truth.marginals.flatMap((p, variable) => {
    const found = answer.marginal(variable);
    expect(Math.abs(found.p.reduce((sum, value) => sum + value, 0) - 1)).toBeLessThan(1e-9);
    return Array.from(p, (value, state) => heldTo(found.certificate, found.p[state], value, state));
  });
}

describe.each(names)("%s", (name) => {
  const algorithm = inferenceRegistry[name](shorter[name] ?? {});
  const quick = inferenceRegistry[name](shortest[name] ?? {});
  // Replicas need variables with few neighbours.
  const coupled = name === "replicaGibbs" ? grid : paired;

  test.each(algorithm.tasks)("never gives a wrong answer silently: %s", async (task) => {
    const all: Verdict[] = [];
    const kinds = new Map<string, number>();
    for (const graph of [...graphs, ...trees]) {
      const answer = await answered(graph, task, algorithm);
      if (!answer) continue;
      const kind = Object.keys(answer.certificate)[0];
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      const found = verdicts(graph, answer);
      if (found.includes("wrong")) console.log(name, task, JSON.stringify(answer), JSON.stringify(truths.get(graph)));
      all.push(...found);
    }
    console.log(`${name} ${task}: ${[...kinds].map(([kind, count]) => `${kind} ${count}`).join(", ")}`);
    expect(all.filter((one) => one === "wrong")).toEqual([]);
    // All intervals of a graph are right simultaneously with a probability of at least 99 %.
    const limit = binomialLimit(kinds.get("interval") ?? 0, 0.01, 1e-4);
    expect(all.filter((one) => one === "missed").length).toBeLessThan(limit);
    expect(all.length).toBeGreaterThan(0.38 * truths.size);
  });

  test("depends only on the seed and frees its memory", async () => {
    const before = engine.memory.usedBytes;
    for (const task of quick.tasks) {
      for (const graph of [...graphs.slice(0, 3), ...graphs.slice(-3), trees[0]]) {
        const [first, second] = [await answered(graph, task, quick), await answered(graph, task, quick)];
        expect(plain(second)).toBe(plain(first));
      }
    }
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
  });

  test("is rebuilt from its JSON", () => {
    const json = JSON.parse(JSON.stringify(algorithm.toJSON()));
    expect(json.algorithm).toBe(name);
    expect(inferenceFromJson(json).toJSON()).toEqual(json);
    expect(algorithm.name).toBe(name);
    const other = Object.entries(json).map(([option, value]) => {
      if (typeof value !== "number") return [option, value];
      if (option === "replicas") return [option, 2 * value];
      return [option, Number.isInteger(value) ? value + 1 : value * 0.9375];
    });
    expect(inferenceFromJson(Object.fromEntries(other)).toJSON()).toEqual(Object.fromEntries(other));
  });

  test("gives the same result if a part is checkpointed at any time", async () => {
    const before = engine.memory.usedBytes;
    for (const task of quick.tasks) {
      const plan = { task, seed: 3, workers: 1, memory: 2 ** 28, timed: false };
      const whole = await Inference.open(coupled, quick, plan, engine);
      while (!whole.converged) await whole.advance(1);
      const wanted = stable(whole.found());
      for (const steps of new Set([0, 1, Math.ceil(whole.step / 2), whole.step])) {
        const first = await Inference.open(coupled, quick, plan, engine);
        while (first.step < steps && !first.converged) await first.advance(steps - first.step);
        const second = await Inference.open(coupled, inferenceFromJson(quick.toJSON()), plan, engine);
        const snapshot = kept(first.snapshot());
        second.restore(snapshot);
        expect(second.snapshot()).toEqual(snapshot);
        first.dispose();
        while (!second.converged) await second.advance(3);
        await second.completeEnded();
        expect(stable(second.found())).toBe(wanted);
        second.dispose();
      }
      whole.dispose();
    }
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
  });

  test("can be paused, checkpointed and resumed, stopped and aborted", async () => {
    const [task] = quick.tasks;
    const before = engine.memory.usedBytes;
    const wanted = await infer(coupled, { task, algorithm: quick, seed: 5 });
    const run = infer(coupled, { task, algorithm: quick, seed: 5 }).pause();
    const bytes = await run.checkpoint();
    run.proceed();
    expect(plain(await run)).toBe(plain(wanted));
    expect(plain(await infer.resume(bytes, coupled))).toBe(plain(wanted));
    const stopped = await infer(coupled, { task, algorithm: quick }).stop("enough");
    expect(stopped.certificate).toBeDefined();
    expect(stopped.description).toMatchObject({ run: { reason: "enough", updates: 0 } });
    const controller = new AbortController();
    const aborted = infer(coupled, { task, algorithm: quick, signal: controller.signal });
    controller.abort(new Error("no more"));
    await expect(aborted).rejects.toThrow("no more");
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
  });
});

test("a certificate that claims too much is detected", () => {
  expect(heldTo({ lower: 1, upper: 1.9 }, 1.5, 2)).toBe("wrong");
  expect(heldTo({ lower: [0, 0.2], upper: [0.7, 1] }, 0.3, 0.1, 1)).toBe("wrong");
  expect(heldTo({ exact: true }, 1, 1.001)).toBe("wrong");
  expect(heldTo({ interval: [0.99, 1.01], level: 0.99 }, 1, 1.2)).toBe("wrong");
  expect(heldTo({ khat: 0.3, ess: 400 }, 1, 1.5)).toBe("wrong");
  expect(heldTo({ none: "" }, 1, 100)).toBe("holds");
});

/** Removes the duration. */
function plain(answer: Answer | undefined): string {
  const { description: _, ...rest } = answer?.toJSON() ?? {};
  return JSON.stringify(rest);
}

const stable = (value: unknown): string =>
  JSON.stringify(value, (_, one) => (ArrayBuffer.isView(one) ? Array.from(one as Float64Array) : one));

/** Converts to bytes and text and back, like a checkpoint. */
function kept({ tensors, state }: Snapshot): Snapshot {
  const stored = Object.fromEntries(Object.entries(tensors).map(([key, values]) => [key, { shape: [values.length], values }]));
  const { tensors: read, metadata } = decode(encode(stored, { state: JSON.stringify(state) }), "test");
  return {
    tensors: Object.fromEntries(Object.entries(read).map(([key, { values }]) => [key, values as Tensor])),
    state: JSON.parse(metadata.state),
  };
}
