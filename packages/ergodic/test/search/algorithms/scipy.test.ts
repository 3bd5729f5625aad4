/**
 * Nelder–Mead and Powell compared with scipy.optimize.minimize. The script next to golden/scipy-minimize.json created
 * that file, and each entry contains its call.
 *
 * Nelder–Mead without restarts equals scipy's vertex by vertex: the same number of evaluations and the same minimum.
 * Powell's line searches differ, so the minimum must agree, with at most one and a half times as many evaluations.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { nelderMead } from "../../../src/search/algorithms/nelder-mead.ts";
import { powell } from "../../../src/search/algorithms/powell.ts";
import { drive, open, type Value } from "./drive.ts";

interface Entry {
  call: string;
  f: string;
  x0: number[];
  method: string;
  options: { adaptive?: boolean };
  x: number[];
  value: number;
  evaluations: number;
}

const sum = (count: number, term: (i: number) => number) =>
  Array.from({ length: count }, (_, i) => term(i)).reduce((a, b) => a + b, 0);
const functions: Record<string, Value> = {
  rosenbrock: (x) => sum(x.length - 1, (i) => 100 * (x[i + 1] - x[i] * x[i]) ** 2 + (1 - x[i]) ** 2),
  quadratic: (x) => {
    const z = x.map((v, i) => v - 0.1 * i);
    return sum(x.length, (i) => (i + 1) * z[i] * z[i]) + sum(x.length - 1, (i) => z[i] * z[i + 1]);
  },
  beale: (x) => sum(3, (i) => ([1.5, 2.25, 2.625][i] - x[0] * (1 - x[1] ** (i + 1))) ** 2),
  absolute: (x) => sum(x.length, (i) => (i + 1) * Math.abs(x[i] - 0.3)),
};

const { entries } = JSON.parse(readFileSync(new URL("./golden/scipy-minimize.json", import.meta.url), "utf8")) as {
  entries: Entry[];
};

describe("Nelder–Mead compared with scipy", () => {
  test.each(entries.filter(({ method }) => method === "Nelder-Mead"))("$call", ({ f, x0, options, x, value, evaluations }) => {
    const algorithm = nelderMead({ adaptive: options.adaptive, restarts: "none", pointTolerance: 1e-8, valueTolerance: 1e-10 });
    const { best, values } = drive(open(algorithm, x0), functions[f]);
    expect(values.length).toBe(evaluations);
    expect(best.value).toBeCloseTo(value, 12);
    for (const [i, v] of x.entries()) expect(best.point[i]).toBeCloseTo(v, 8);
  });
});

describe("Powell compared with scipy", () => {
  test.each(entries.filter(({ method }) => method === "Powell"))("$call", ({ f, x0, value, evaluations }) => {
    const { best, values, state } = drive(
      open(powell({ restarts: "none", lineTolerance: 1e-2, valueTolerance: 1e-12 }), x0),
      functions[f],
    );
    expect(state.stopped).toBe("an iteration gained nothing");
    expect(best.value).toBeLessThanOrEqual(value + 1e-8);
    expect(values.length).toBeLessThan(1.5 * evaluations);
  });
});
