/**
 * Large graphs are coloured, partitioned and laid out in pieces. Between the pieces, signals are checked and memory can
 * grow. The result equals that without pauses, and small graphs have no pauses.
 */
import { describe, expect, it } from "vitest";
import { type Engine, openEngine } from "../../../../src/engine/memory/engine.ts";
import { EngineMemory } from "../../../../src/engine/memory/memory.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import {
  type FactorGraph,
  factorGraph,
  fit,
  graphGibbs,
  type InferenceAlgorithm,
  infer,
} from "../../../../src/entries/everything.ts";
import { Inference } from "../../../../src/graphs/infer/inference.ts";
import { wholeAnswer } from "../../../../src/graphs/infer/whole-answer.ts";
import { LearntGraph } from "../../../../src/graphs/learn/learnt-graph.ts";
import { adjacencyOf } from "../../../../src/graphs/sampling/gibbs/adjacency.ts";
import { BlockLayout } from "../../../../src/graphs/sampling/gibbs/block-layout.ts";
import { blocking, blocksOf } from "../../../../src/graphs/sampling/gibbs/blocking.ts";
import { Chain } from "../../../../src/graphs/sampling/gibbs/chain.ts";
import { colouring, coloursOf } from "../../../../src/graphs/sampling/gibbs/colours.ts";
import { statesOf } from "../../../../src/graphs/sampling/gibbs/earlier.ts";
import { Layout } from "../../../../src/graphs/sampling/gibbs/layout.ts";
import { marginalsOf, variancesOf } from "../../../../src/graphs/sampling/gibbs/marginals.ts";
import { followed } from "../../../reference/followed.ts";

const engine = await openEngine({ families: ["graphs", "training"] });

/**
 * Booleans, each with a single factor and two pairs. Every tenth one also has votes of others. `seen` observes half of
 * them.
 */
function world(count: number, seen = false): FactorGraph {
  const graph = factorGraph();
  const [own, pair, votes] = ["own", "pair", "votes"].map((name) => graph.weight(name, 0.3));
  const draws = stream(5, "pauses").at(0);
  for (let i = 0; i < count; i++) graph.variable();
  for (let i = 0; i < count; i++) {
    graph.isTrue(i, { weight: own });
    for (const away of [1, 1 + draws.integer(count - 1)]) graph.equal([i, (i + away) % count], { weight: pair, feature: 0.5 });
    if (i % 10 === 0)
      graph.ratio(
        [1, 2, 3].map((k) => (i + 2 * k) % count),
        (i + 7) % count,
        { weight: votes },
      );
    if (seen && i % 2 === 0) graph.observe(i, draws.integer(2) === 1);
  }
  return graph;
}

/** Number of variables of a large graph. The minimum numbers of pauses are stated for 40,000. */
const LARGE = 9000;
const SHARE = LARGE / 40_000;
const large = world(LARGE);
const small = world(200);
const learnt = world(LARGE, true);

describe("pauses", () => {
  it("occur often while structures of a large graph are built, and never for a small one", () => {
    const making: [name: string, steps: (graph: FactorGraph) => Generator<void, unknown>, least: number][] = [
      ["columns", (graph) => graph.columning(), 50],
      ["colours", (graph) => colouring(graph.conditionals()), 30],
      ["blocks", (graph) => blocking(graph.conditionals()), 100],
      [
        "a layout",
        (graph) => new Layout(graph.conditionals(), coloursOf(graph.conditionals()).order, engine.memory).filling(),
        15,
      ],
      [
        "blocks laid out",
        (graph) => {
          const [columns, found] = [graph.conditionals(), blocksOf(graph.conditionals())];
          return new BlockLayout(columns, Layout.of(columns, found.order, engine.memory), found, engine.memory).filling();
        },
        50,
      ],
      ["what is learnt", (graph) => LearntGraph.making(graph.conditionals(), engine), 100],
    ];
    for (const [name, steps, least] of making) {
      expect([name, followed(steps(large)).pauses >= SHARE * least]).toEqual([name, true]);
      expect([name, followed(steps(small)).pauses]).toEqual([name, 0]);
    }
  });

  it("leave layouts unchanged, even if memory grows meanwhile", () => {
    const columns = large.conditionals();
    const found = blocksOf(columns);
    const bytesOf = (pieces: boolean): { bytes: Uint32Array; pauses: number } => {
      const memory = new EngineMemory(false);
      const layout = new Layout(columns, found.order, memory, { learn: true });
      const together = new BlockLayout(columns, layout, found, memory);
      // Growing memory replaces its buffer, so views of the old buffer become empty.
      const grow = (): void => void memory.memory.grow(1);
      let pauses = 0;
      if (!pieces) followed(layout.filling());
      else pauses = followed(layout.filling(), grow).pauses;
      const forBlocks = followed(together.filling(), pieces ? grow : undefined).pauses;
      if (pieces) expect(forBlocks).toBeGreaterThan(SHARE * 50);
      const { begins, records, counted } = layout.pointers;
      const ends = memory.u32(begins, layout.drawn + 1);
      const all = [
        ends,
        memory.u32(records, ends[layout.drawn] / 4),
        memory.u32(counted, 4 * layout.counted),
        memory.u32(together.pointer, 3 * found.ends.length),
        ...[layout.sources!.addresses, layout.sources!.ends, layout.sources!.ownWeights, together.tables, together.messages],
      ];
      const bytes = Uint32Array.from(all.flatMap((one) => [...one]));
      return { bytes, pauses };
    };
    const [once, inPieces] = [bytesOf(false), bytesOf(true)];
    expect(inPieces.pauses).toBeGreaterThan(SHARE * 15);
    expect(inPieces.bytes).toEqual(once.bytes);
  });

  it("occur often while a large graph is summarised, with the same result even if memory grows", () => {
    const said = (graph: FactorGraph, pieces: boolean): { pauses: number[]; values: unknown[] } => {
      const memory = new EngineMemory(false);
      const columns = graph.conditionals();
      const layout = Layout.of(columns, coloursOf(columns).order, memory);
      const draws = stream(6, "sums").at(0);
      const chains = [0, 1, 2].map((c) => {
        const chain = new Chain(layout, { memory } as Engine, stream(7, "chains", c), 1);
        chain.begin(() => draws.integer(2));
        const { totals, squares, changed } = chain.sums;
        for (let slot = 0; slot < totals.length; slot++) {
          totals[slot] = 3000 * (0.5 + 0.01 * draws.normal());
          squares[slot] = (totals[slot] ** 2 / 3000) * 1.001;
          changed[slot] = slot % 50 === 0 ? 0 : 1;
        }
        return chain;
      });
      const grow = pieces ? (): void => void memory.memory.grow(1) : undefined;
      const marginals = followed(marginalsOf(layout, chains, 3000, 40, { columns, adjacency: adjacencyOf(columns) }), grow);
      const variances = followed(variancesOf(layout, chains, 3000, 40, marginals.value), grow);
      const states = followed(statesOf(layout, chains), grow);
      return {
        pauses: [marginals, variances, states].map(({ pauses }) => pauses),
        values: [marginals.value, variances.value, states.value],
      };
    };
    const [once, inPieces] = [said(large, false), said(large, true)];
    const [marginals, variances, states] = inPieces.pauses;
    expect([marginals >= SHARE * 70, variances >= SHARE * 35, states >= 0]).toEqual([true, true, true]);
    expect(JSON.stringify(inPieces.values) === JSON.stringify(once.values)).toBe(true);
    const kinds = new Set((once.values[0] as { certificate: object }[]).map(({ certificate }) => Object.keys(certificate)[0]));
    expect(kinds).toEqual(new Set(["mcse", "none"]));
    expect(said(small, true).pauses).toEqual([0, 0, 0]);
  });

  it("occur in the answers of runs, and respond to the signal", async () => {
    const algorithm = graphGibbs({ chains: 2, warmup: 0, sweeps: 100 });
    const run = await Inference.open(
      large.conditionals(),
      algorithm,
      { task: "marginals", seed: 1, workers: 1, memory: 2 ** 28 },
      engine,
    );
    while (!run.converged) await run.advance(64);
    const found = followed(run.finding());
    const whole = followed(wholeAnswer(large.conditionals(), "marginals", run.reduction, found.value, {}));
    expect([found.pauses >= SHARE * 110, whole.pauses >= SHARE * 110]).toEqual([true, true]);
    const { marginals, chains } = whole.value;
    expect(JSON.stringify(run.found()) === JSON.stringify(found.value)).toBe(true);
    run.dispose();
    const answer = await infer(large, { algorithm, seed: 1 });
    expect(answer.chains).toEqual(chains);
    for (const v of [0, 17, LARGE - 1]) expect(answer.marginal(v)).toMatchObject({ p: [...marginals![v].p] });

    const controller = new AbortController();
    const reason = new Error("while it answers");
    let disposed = 0;
    const answering: InferenceAlgorithm = {
      ...{ name: "answering", verb: "infer", tasks: ["marginals"], toJSON: () => ({ algorithm: "answering" }) },
      start: () => ({
        ...{ ended: true, advance: async () => {}, answer: () => undefined, report: () => ({}), restore() {} },
        snapshot: () => ({ tensors: {}, state: {} }),
        *answering() {
          controller.abort(reason);
          yield;
          throw new Error("it went on");
        },
        dispose: () => void disposed++,
      }),
    };
    const pair = factorGraph();
    for (const name of ["a", "b"]) pair.variable(name);
    pair.equal(["a", "b"], { weight: 1 });
    await expect(infer(pair, { algorithm: answering, signal: controller.signal })).rejects.toBe(reason);
    expect(disposed).toBe(1);
  });

  it.each<[string, (signal: AbortSignal) => Promise<unknown>]>([
    ["inference", async (signal) => infer(large, { algorithm: graphGibbs({ schedule: "blocks" }), signal })],
    ["learning", async (signal) => fit(learnt, { signal })],
  ])("respond to the signal of %s at its start, and release memory", async (_, run) => {
    const before = engine.memory.usedBytes;
    for (const turns of [3, 130, 260].map((n) => Math.ceil(SHARE * n))) {
      const controller = new AbortController();
      const reason = new Error(`after ${turns} turns`);
      let left = turns;
      const wait = (): void => {
        if (left-- > 0) setImmediate(wait);
        else controller.abort(reason);
      };
      const running = run(controller.signal);
      wait();
      await expect(running).rejects.toBe(reason);
      expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
    }
  });
});
