/**
 * Predictions of levels that no training row had. Without a penalty, the levels of a category depend linearly on the
 * intercept, so that the minimum alone does not determine these predictions.
 */
import { expect, it } from "vitest";
import { Dataset, fit, type LinearOptions, linear, newtonCholesky } from "../../../src/entries/everything.ts";

type Row = Record<string, string | number>;

function datasetOf(rows: readonly Row[]): Dataset {
  const columns = Object.keys(rows[0]).map((name) => {
    const values = rows.map((row) => row[name]);
    if (typeof values[0] === "number") return { name, kind: "number" as const, values: Float64Array.from(values as number[]) };
    const levels = [...new Set(values as string[])].sort();
    return {
      name,
      kind: "category" as const,
      levels,
      codes: Int32Array.from(values, (value) => levels.indexOf(value as string)),
    };
  });
  return Dataset.fromTable({ rowCount: rows.length, source: "rows", columns }, { target: "y" });
}

it.each<[string, LinearOptions]>([
  ["squared, standardised", {}],
  ["squared, as given", { standardise: false }],
  ["poisson, standardised", { loss: "poisson" }],
  ["poisson, as given", { loss: "poisson", standardise: false }],
  ["logistic, standardised", { loss: "logistic" }],
])("%s: predict a level that no row had between the known levels", async (_, model) => {
  const rows = Array.from({ length: 240 }, (_, i) => ({
    make: ["a", "a", "a", "b", "b", "c"][i % 6],
    fuel: ["x", "y"][(i >> 1) % 2],
    size: 1000 + ((i * 37) % 101),
    y: 0,
  }));
  for (const [i, row] of rows.entries()) {
    const height = { a: 900, b: 1000, c: 1300 }[row.make]! + (row.fuel === "x" ? 50 : 0) + 0.2 * row.size + ((i * 29) % 31);
    row.y = model.loss === "logistic" ? Number(height + 20 * ((i * 53) % 61) > 1900) : Math.round(height);
  }
  const fitted = await fit(linear({ l2: 0, ...model }), datasetOf(rows), {
    algorithm: newtonCholesky(),
  });
  expect(fitted.run.reason).toBe("converged");
  const output = (make: string, fuel: string): number => {
    const { value, probabilities } = fitted.predict({ make, fuel, size: 1050 }) as { value: number; probabilities?: number[] };
    return probabilities?.[1] ?? value;
  };
  const [a, b, c] = ["a", "b", "c"].map((make) => output(make, "x"));
  expect(a).toBeLessThan(b);
  expect(b).toBeLessThan(c);
  for (const fuel of ["x", "y"]) {
    expect(output("unknown", fuel)).toBeGreaterThan(output("a", fuel));
    expect(output("unknown", fuel)).toBeLessThan(output("c", fuel));
  }
  expect(output("a", "unknown")).toBeGreaterThan(output("a", "y"));
  expect(output("a", "unknown")).toBeLessThan(output("a", "x"));
});

it("predict an unknown level at the mean of equally frequent levels", async () => {
  const rows = Array.from({ length: 60 }, (_, i) => ({ make: "abc"[i % 3], y: [2000, 5000, 1e6][i % 3] + (i % 4) }));
  for (const standardise of [false, true]) {
    const model = linear({ l2: 0, standardise });
    const fitted = await fit(model, datasetOf(rows), { algorithm: newtonCholesky() });
    const [a, b, c, unknown] = ["a", "b", "c", "?"].map((make) => Number(fitted.predict({ make }).value));
    expect(unknown / ((a + b + c) / 3)).toBeCloseTo(1, 6);
  }
});
