/** `bench growth`: its families and its analysis of times. Nothing is timed here. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Imported by a variable path, because the benchmarks are plain JavaScript outside the typed sources. */
const benchModule = (name: string) => import(/* @vite-ignore */ new URL(`../bench/${name}.mjs`, import.meta.url).href);

interface Point {
  size: number;
  milliseconds: number;
  mebibytes: number;
  gradients?: number;
}
interface Family {
  grows: string;
  theory: number;
  sizes: number[];
  open(size: number): unknown;
}
const { families } = (await benchModule("growth/families")) as { families: Record<string, Family> };
const { exceeds, exponent, lesser } = (await benchModule("cases/growth")) as {
  exceeds(points: Point[], theory: number): boolean;
  exponent(points: Point[], of: (point: Point) => number): number;
  lesser(points: Point[], again: Point[]): Point[];
};

const points = (...all: [size: number, milliseconds: number][]): Point[] =>
  all.map(([size, milliseconds]) => ({ size, milliseconds, mebibytes: 1 }));

describe("families", () => {
  test.each(Object.entries(families))("%s: has four growing sizes and a theory", (_, { grows, theory, sizes, open }) => {
    expect(sizes).toHaveLength(4);
    expect(sizes).toEqual([...new Set(sizes)].sort((a, b) => a - b));
    expect(grows).not.toBe("");
    expect([0, 1, 2]).toContain(theory);
    expect(typeof open).toBe("function");
  });

  test("cover every part", () => {
    const parts = new Set(Object.keys(families).map((name) => name.split(",")[0]));
    expect([...parts]).toEqual(
      expect.arrayContaining([
        ...["descent", "coordinate", "path", "dual", "L-BFGS", "Newton-Cholesky", "solved", "network", "compile", "sampling"],
        ...["summary", "Nelder-Mead", "ratings", "prediction", "one row", "evaluation", "CSV", "LIBSVM", "checkpoint", "model"],
        ...["posterior", "Gibbs", "elimination"],
      ]),
    );
  });
});

describe("measured times", () => {
  const time = ({ milliseconds }: Point) => milliseconds;

  test("estimate the exponent from the last two sizes", () => {
    expect(exponent(points([1, 5], [10, 200], [100, 20_000]), time)).toBeCloseTo(2, 12);
  });

  test("exceed theory by more than 0.2 only if they are long enough", () => {
    const grown = (by: number, last: number) => points([100, last / 10 ** by], [1000, last]);
    expect(exceeds(grown(1.21, 1000), 1)).toBe(true);
    expect(exceeds(grown(1.19, 1000), 1)).toBe(false);
    expect(exceeds(grown(1.21, 1000), 2)).toBe(false);
    expect(exceeds(grown(1.5, 99), 1)).toBe(false);
    expect(exceeds(points([100, 1000]), 0)).toBe(false);
  });

  test("are divided by the number of gradients", () => {
    const twiceTheGradients = points([100, 100], [1000, 2000]).map((point, i) => ({ ...point, gradients: 500 * (i + 1) }));
    expect(exceeds(twiceTheGradients, 1)).toBe(false);
    expect(exceeds(twiceTheGradients, 0.7)).toBe(true);
  });

  test("use the lesser of two measurements for each size", () => {
    const both = lesser(points([1, 10], [10, 300], [100, 500]), points([10, 200], [100, 700]));
    expect(both).toEqual(points([1, 10], [10, 200], [100, 500]));
  });
});

describe("growth --family", () => {
  const bench = (...options: string[]) =>
    spawnSync(process.execPath, ["bench/run.mjs", ...options], { cwd: root, encoding: "utf8" });

  test("runs only the families whose name matches and prints their points as JSON", () => {
    const { stdout, stderr } = bench("growth", "--family", "model, loaded", "--json");
    const lines = stdout.trim().split("\n");
    expect(lines, stderr).toHaveLength(1);
    const { family, points, theory } = JSON.parse(lines[0]);
    expect([family, theory]).toEqual(["model, loaded", 1]);
    expect(points.map(({ size }: Point) => size)).toEqual(families["model, loaded"].sizes.slice(1, 3));
  });

  test("lists the families if no name matches", () => {
    const { status, stderr } = bench("growth", "--family", "nothing");
    expect(status).toBe(1);
    expect(stderr).toMatch(/no family has "nothing" in its name; there are .*descent, rows/);
  });
});
