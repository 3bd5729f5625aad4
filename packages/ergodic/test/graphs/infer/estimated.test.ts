/** The `automatic` algorithm when elimination is infeasible: importance sampling alternates with tempering. */
import { beforeAll, describe, expect, it } from "vitest";
import type { FactorTables } from "../../../src/engine/contract/index.ts";
import { type Engine, openEngine } from "../../../src/engine/memory/engine.ts";
import { elimination, infer } from "../../../src/entries/everything.ts";
import { automatic } from "../../../src/graphs/infer/automatic.ts";
import { estimated } from "../../../src/graphs/infer/estimated.ts";
import { Inference } from "../../../src/graphs/infer/inference.ts";
import type { PartInference } from "../../../src/graphs/parts/algorithm.ts";
import { reduce } from "../../../src/graphs/parts/reduction.ts";
import { isSlow } from "../../power.ts";
import { graphOf, gridEdges } from "../../reference/random-graph.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ families: ["graphs"] });
});

/** An Ising magnet on a torus, for which mini-buckets are imprecise. */
function magnet(side: number, beta: number, zero = false): FactorTables {
  const factors = gridEdges(side, side, true).map((scope, i) => ({
    scope: [...scope],
    values: [beta, zero && i === 0 ? -Infinity : -beta, -beta, beta],
    logs: true,
  }));
  return graphOf(Array(side * side).fill(2), factors);
}
const plan = { task: "partition", seed: 3, workers: 1, memory: 2 ** 24 } as const;
const stable = (value: unknown): string =>
  JSON.stringify(value, (_, one) => (ArrayBuffer.isView(one) ? Array.from(one as Float64Array) : one));

describe("estimates when elimination is infeasible", () => {
  it("uses tempering when importance sampling is imprecise, with correct intervals at any interruption", async () => {
    const graph = magnet(10, 0.3);
    const exact = await infer(graph, { task: "partition", algorithm: elimination() });
    const whole = await Inference.open(graph, estimated(), plan, engine);
    while (!whole.converged) await whole.advance(1);
    const found = whole.found();
    const { method, logZ } = found[0].answer!;
    console.log(`${whole.step} steps; ${method}`);
    expect(method).toMatch(/^(importance sampling: .*, too wide an interval; )?parallel tempering: 64 ensembles that are bits/);
    const { interval } = logZ!.certificate as unknown as { interval: [number, number] };
    expect(interval[1] - interval[0]).toBeLessThan(0.05);
    const offset = whole.reduction.scale;
    expect(Math.abs(logZ!.value + offset - exact.logZ)).toBeLessThan(0.05);
    const steps = whole.step;
    whole.dispose();
    // The next test restores early and late snapshots.
    for (const share of isSlow ? [0.02, 0.5] : [0.4]) {
      const first = await Inference.open(graph, estimated(), plan, engine);
      while (first.step < share * steps) await first.advance(1);
      const second = await Inference.open(graph, estimated(), plan, engine);
      const snapshot = first.snapshot();
      second.restore(snapshot);
      expect(second.snapshot()).toEqual(snapshot);
      first.dispose();
      while (!second.converged) await second.advance(5);
      expect(stable(second.found())).toBe(stable(found));
      second.dispose();
    }
  });

  it("uses importance sampling alone if a factor is 0 or if it is precise", async () => {
    for (const graph of [magnet(9, 0.4, true), magnet(6, 0.1)]) {
      const run = await Inference.open(graph, estimated(), { ...plan, memory: 2 ** 20 }, engine);
      while (!run.converged && run.step < 400) await run.advance(1);
      expect(run.found()[0].answer!.method).toMatch(
        /^importance sampling: \d+ draws from mini-buckets of at most 2\^\d+ states$/,
      );
      run.dispose();
    }
  });

  it("restores any snapshot exactly, including stretches that must be repeated", async () => {
    const graph = magnet(10, 0.3);
    const run = await Inference.open(graph, estimated(), plan, engine);
    let owed = 0;
    for (let i = 0; i < 20; i++) {
      await run.advance(20);
      const snapshot = run.snapshot();
      const second = await Inference.open(graph, estimated(), plan, engine);
      second.restore(snapshot);
      const [part] = (second as unknown as { parts: { owed: number; importance: { stretches: number } }[] }).parts;
      if (part.owed > part.importance.stretches) owed++;
      expect(second.snapshot()).toEqual(snapshot);
      second.dispose();
    }
    run.dispose();
    console.log(`${owed} of 20 snapshots owe stretches`);
  });

  it("selects the narrower answer, and importance sampling's if the other is disjoint or has no interval", () => {
    const [part] = reduce(magnet(4, 0.3)).components;
    const run = estimated().start(part, plan, engine) as PartInference & Record<"importance" | "tempering", object>;
    const found = (value: number, half: number, method: string) => ({
      answer: () => ({
        method,
        logZ: { value, certificate: half > 0 ? { interval: [value - half, value + half], level: 0.999 } : { none: "lost" } },
      }),
      dispose: () => {},
    });
    const answer = (first: [number, number], second: [number, number]) => {
      run.importance = found(...first, "one");
      run.tempering = found(...second, "two");
      return run.answer()!;
    };
    expect(answer([5, 1], [5.5, 0.25])).toMatchObject({ method: "one, too wide an interval; two", logZ: { value: 5.5 } });
    expect(answer([5, 0.25], [5.5, 1])).toMatchObject({ method: "one", logZ: { value: 5 } });
    const disagrees = { method: "one; parallel tempering disagrees with it and is not used", logZ: { value: 5 } };
    expect(answer([5, 1], [6.5, 0.25])).toMatchObject(disagrees);
    expect(answer([5, 1], [3.5, 0.25])).toMatchObject(disagrees);
    // Intervals that touch at an end agree.
    expect(answer([5, 1], [6.25, 0.25])).toMatchObject({ logZ: { value: 6.25 } });
    expect(answer([5, 1], [3.75, 0.25])).toMatchObject({ logZ: { value: 3.75 } });
    expect(answer([5, 1], [5, 0])).toMatchObject({
      method: "one; parallel tempering gave no interval: lost",
      logZ: { value: 5 },
    });
  });

  it("gives importance sampling one stretch in 2, 16 or 64, depending on tempering's certificate", async () => {
    const [part] = reduce(magnet(4, 0.3)).components;
    type Stub = { answer: () => object | undefined; advance: () => Promise<void>; ended: boolean; dispose: () => void };
    const run = estimated().start(part, plan, engine) as PartInference & {
      importance: Stub & { limit: number; stretches: number };
      tempering: Stub;
    };
    const spread = (half: number) => ({ method: "", logZ: { value: 0, certificate: { interval: [-half, half], level: 0.999 } } });
    const share = async (importance: object | undefined, tempering: object | undefined): Promise<number> => {
      const made = [0, 0];
      const stub = (of: number, found: object | undefined): Stub => ({
        ended: false,
        answer: () => found,
        advance: async () => void made[of]++,
        dispose: () => {},
      });
      run.importance = { ...stub(0, importance), limit: 8, stretches: 0 };
      run.tempering = stub(1, tempering);
      // The first check comes within 64 steps.
      for (let i = 0; i < 64; i++) await run.advance();
      made.fill(0);
      for (let i = 0; i < 640; i++) await run.advance();
      return (made[0] + made[1]) / made[0];
    };
    const none = { method: "", logZ: { value: 0, certificate: { none: "lost" } } };
    expect([
      await share(spread(8), undefined),
      await share(spread(8), none),
      await share(spread(8), spread(2.1)),
      await share(spread(8), spread(1.9)),
      await share(undefined, spread(1.9)),
    ]).toEqual([16, 2, 16, 64, 16]);
  });

  it("starts immediately if no order could make elimination possible", async () => {
    const begun = async (graph: FactorTables): Promise<number> => {
      const run = await Inference.open(graph, automatic(), { ...plan, seconds: 60 }, engine);
      const [part] = (run as unknown as { parts: { chosen?: object }[] }).parts;
      while (!part.chosen && run.step < 120) await run.advance(1);
      run.dispose();
      return run.step;
    };
    expect(await begun(magnet(26, 0.4))).toBeLessThan(60);
    // Zeros could leave only a small part, so the search for an order continues.
    expect(await begun(magnet(26, 0.4, true))).toBe(120);
  });
});
