/** Targets in large units: a network need not learn the units, and its saved form restores them. */
import { describe, expect, it } from "vitest";
import {
  adam,
  Dataset,
  dense,
  fit,
  huberLoss,
  network,
  predictor,
  quantileLoss,
  relu,
  sgd,
  squaredLoss,
  stream,
} from "../../../../src/entries/everything.ts";

const rows = 400;
const draws = stream(3, "target scale").at(0);
const x = Float64Array.from({ length: rows * 2 }, () => draws.normal());
const unscaled = Float64Array.from({ length: rows }, (_, i) => Math.sin(2 * x[2 * i]) + 0.5 * x[2 * i + 1]);
const dataOf = (unit: number, shift: number): Dataset =>
  Dataset.fromArrays({ x: { values: x, columnCount: 2 }, y: unscaled.map((y) => shift + unit * y), type: "f32" });
const layers = () => [dense(16), relu(), dense(1)];

describe("a network with a target in large units", () => {
  it.each([
    ["adam", adam({ rate: 0.01 })],
    ["sgd", sgd({ rate: 0.05 })],
  ])("learns as fast as in units of 1, by %s", async (_, rule) => {
    const options = { rule, batch: 16, epochs: 30, seed: 1 };
    const data = dataOf(1e4, 1e5);
    const trained = await fit(network(layers()), data, options);
    const explained = (r: typeof trained, d: Dataset): number => (r.evaluate(d) as unknown as { r2: number }).r2;
    expect(explained(trained, data)).toBeGreaterThan(0.9);
    const loaded = await predictor<typeof trained>(trained.toBytes());
    expect(explained(loaded, data)).toBeCloseTo(explained(trained, data), 10);
  });

  it("learns the same in any units, and reports its loss in the target's units", async () => {
    const lossOf = async (unit: number, shift: number): Promise<number> => {
      const run = fit(network(layers(), { standardise: true }), dataOf(unit, shift), {
        rule: sgd({ rate: 0.05 }),
        batch: 16,
        epochs: 2,
        seed: 1,
      });
      let loss = Number.NaN;
      for await (const tick of run) loss = tick.loss;
      await run;
      return loss;
    };
    const [large, small] = [await lossOf(1e4, 1e5), await lossOf(1, 0)];
    expect(Math.abs(large / small / 1e8 - 1)).toBeLessThan(1e-3);
  });

  it.each([
    ["squared loss, by rows", squaredLoss(), 16, (r: number) => r ** 2 / 2],
    ["quantile loss, by rows", quantileLoss({ quantile: 0.3 }), 16, (r: number) => (r > 0 ? 0.7 * r : -0.3 * r)],
    [
      "huber loss, on all rows",
      huberLoss({ delta: 2000 }),
      "all",
      (r: number) => (Math.abs(r) <= 2000 ? r ** 2 / 2 : 2000 * (Math.abs(r) - 1000)),
    ],
  ] as const)("reports the mean loss of its predictions: %s", async (_, loss, batch, lossOf) => {
    const data = dataOf(1e4, 1e5);
    const rule = sgd({ rate: 1e-12 });
    const run = fit(network(layers(), { loss }), data, { rule, batch, epochs: 1, seed: 1 });
    let [ticked, before] = [0, 0];
    for await (const { loss: since, update } of run) {
      ticked += since * (update - before);
      before = update;
    }
    const trained = await run;
    const z = trained.outputs(data);
    const mean = z.reduce((sum, zi, i) => sum + lossOf(zi - data.target.values[i]), 0) / rows;
    // The rule hardly moves, so all losses are of one point, in floats and in doubles.
    expect(trained.run.loss / mean).toBeCloseTo(1, 4);
    expect(ticked / before / mean).toBeCloseTo(1, 4);
  });

  it("makes steps independent of the unit for other losses too", async () => {
    const rule = sgd({ rate: 0.05 });
    const lossOf = async (unit: number): Promise<number> => {
      const model = network(layers(), { standardise: true, loss: quantileLoss({ quantile: 0.3 }) });
      return (await fit(model, dataOf(unit, 10 * unit), { rule, batch: 16, epochs: 2, seed: 1 })).run.loss;
    };
    expect((await lossOf(1e4)) / (await lossOf(1)) / 1e4).toBeCloseTo(1, 2);
  });

  it("resumes from a checkpoint in the same units", async () => {
    const [data, options] = [dataOf(1e4, 1e5), { rule: sgd({ rate: 0.01 }), batch: 16, seed: 1 }];
    const half = fit(network(layers()), data, { ...options, epochs: 1.5 });
    await half;
    const resumed = await fit.resume(await half.checkpoint(), data, { epochs: 2 });
    const straight = await fit(network(layers()), data, { ...options, epochs: 2 });
    expect(resumed.outputs(data)).toEqual(straight.outputs(data));
    // The mean loss is summed by stretch, and stretches depend on the machine's speed.
    expect(resumed.run.loss / straight.run.loss).toBeCloseTo(1, 12);
  });

  it("keeps the units if standardise is false", async () => {
    const data = dataOf(1e4, 1e5);
    const run = fit(network(layers(), { standardise: false }), data, { rule: adam(), batch: 16, epochs: 1, seed: 1 });
    let loss = 0;
    for await (const tick of run) loss = tick.loss;
    await run;
    expect(loss).toBeGreaterThan(1e9);
  });
});
