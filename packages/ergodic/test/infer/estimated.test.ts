/** What `automatic` does where elimination is too much: importance sampling, and tempering along with it. */
import { beforeAll, describe, expect, it } from "vitest";
import { estimated } from "../../src/algorithms/inference/estimated.ts";
import { Inference } from "../../src/algorithms/inference/inference.ts";
import type { FactorTables } from "../../src/contract.ts";
import { type Engine, openEngine } from "../../src/host/engine.ts";
import { elimination, infer } from "../../src/index.ts";
import { graphOf, gridEdges } from "../reference/random-graph.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ families: ["graphs"] });
});

/** An Ising magnet on a torus: mini-buckets say little of it. */
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

describe("estimates where elimination is too much", () => {
  it("come from tempering where importance sampling says little, right and narrow, whenever the run is interrupted", async () => {
    const graph = magnet(10, 0.3);
    const exact = await infer(graph, { task: "partition", algorithm: elimination() });
    const whole = new Inference(graph, estimated(), plan, engine);
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
    for (const share of [0.02, 0.5]) {
      const first = new Inference(graph, estimated(), plan, engine);
      while (first.step < share * steps) await first.advance(1);
      const second = new Inference(graph, estimated(), plan, engine);
      const snapshot = first.snapshot();
      second.restore(snapshot);
      expect(second.snapshot()).toEqual(snapshot);
      first.dispose();
      while (!second.converged) await second.advance(5);
      expect(stable(second.found())).toBe(stable(found));
      second.dispose();
    }
  }, 120_000);

  it("come from importance sampling alone where a factor is 0, and where that is precise", async () => {
    for (const graph of [magnet(11, 0.4, true), magnet(6, 0.1)]) {
      const run = new Inference(graph, estimated(), { ...plan, memory: 2 ** 20 }, engine);
      while (!run.converged && run.step < 400) await run.advance(1);
      expect(run.found()[0].answer!.method).toMatch(
        /^importance sampling: \d+ draws from mini-buckets of at most 2\^\d+ states$/,
      );
      run.dispose();
    }
  }, 60_000);
});
