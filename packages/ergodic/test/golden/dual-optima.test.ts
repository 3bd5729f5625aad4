/**
 * Compares optima of dual coordinate descent with scikit-learn. dual-optima.json lists the calls. Both penalise the
 * intercept.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  dualCoordinateDescent,
  epsilonInsensitiveLoss as epsilonInsensitive,
  fit,
  type LinearOptions,
  linear,
} from "../../src/entries/everything.ts";
import { plantedData, plantedDataset } from "./sklearn-data.ts";

interface Optimum {
  call: string;
  coef: number[][];
  intercept: number[];
}

const optima = JSON.parse(readFileSync(new URL("dual-optima.json", import.meta.url), "utf8")) as Record<string, Optimum>;
const data = plantedData();
const l2 = 0.01;
interface Case {
  name: string;
  target: "binary" | "classes" | "number";
  model: LinearOptions;
  weighted?: boolean;
  interceptScaling?: number;
}
const cases: Case[] = [
  { name: "hinge", target: "binary", model: { loss: "hinge" } },
  { name: "hinge-scaling", target: "binary", model: { loss: "hinge" }, interceptScaling: 5 },
  { name: "hinge-weights", target: "binary", model: { loss: "hinge" }, weighted: true },
  { name: "hinge-classes", target: "classes", model: { loss: "hinge" } },
  { name: "squared-hinge", target: "binary", model: { loss: "squaredHinge" } },
  { name: "squared-hinge-none", target: "binary", model: { loss: "squaredHinge", intercept: false } },
  { name: "logistic", target: "binary", model: { loss: "logistic" } },
  { name: "logistic-none", target: "binary", model: { loss: "logistic", intercept: false } },
  { name: "logistic-weights", target: "binary", model: { loss: "logistic", intercept: false }, weighted: true },
  { name: "epsilon", target: "number", model: { loss: epsilonInsensitive({ epsilon: 0.1 }) } },
  { name: "epsilon-weights", target: "number", model: { loss: epsilonInsensitive({ epsilon: 0.1 }) }, weighted: true },
  { name: "squared", target: "number", model: { loss: "squared", intercept: false } },
];

describe("optima", () => {
  it("include every case of scikit-learn", () => expect(cases.map(({ name }) => name)).toEqual(Object.keys(optima)));

  // ‖p − p*‖² ≤ 2 gap/l2, so a relative gap of 3e-14 with F < 1 gives a distance below 2.5e-6, in practice far less.
  it.each(cases)("$name", async ({ name, target, model, weighted, interceptScaling = 1 }) => {
    using dataset = plantedDataset(data, target, weighted ? { weights: data.weight } : {});
    const algorithm = dualCoordinateDescent({ tolerance: 3e-14, interceptScaling });
    const fitted = await fit(linear({ standardise: false, l2, ...model }), dataset, { algorithm, seed: 3, epochs: 20_000 });
    const { coef, intercept } = optima[name];
    const wanted = [...coef.flat(), ...intercept];
    const found = [...fitted.weights, ...fitted.intercept];
    expect(fitted.run.reason).toBe("converged");
    expect(found.length).toBe(wanted.length);
    expect(Math.max(...wanted.map((w, j) => Math.abs(w - found[j])))).toBeLessThan(1e-6);
  });
});
