/** `minimize` on a user-defined target, coordinate by coordinate: a lasso with a residual, and a plain function. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  type CoordinateTarget,
  coordinateDescent,
  coordinateTarget,
  minimize,
  randomSearch,
} from "../../../src/entries/everything.ts";
import { lassoDescent } from "../../reference/lasso-descent.ts";

const folder = mkdtempSync(join(tmpdir(), "ergodic-"));
afterAll(() => rmSync(folder, { recursive: true }));

const n = 12;
const centred = (values: number[]): number[] => values.map((v) => v - values.reduce((a, b) => a + b, 0) / n);
const columns = [5, 4, 7].map((m, j) => centred(Array.from({ length: n }, (_, i) => (i * (7 - 2 * j)) % m)));
const x = Array.from({ length: n }, (_, i) => columns.map((column) => column[i]));
/** Centred like the columns, so that no intercept is needed. */
const y = centred(x.map(([a, b, c], i) => a - 2 * c + 0.1 * b + (i % 3)));
const l1 = 0.3;

/** ½ mean (xβ − y)² + l1 ‖β‖₁, with xβ − y as the residual. */
const lasso = (): CoordinateTarget =>
  coordinateTarget({
    dimension: 3,
    value: (_, r) => r.reduce((sum, e) => sum + e * e, 0) / (2 * n),
    partial: (_, j, r) => r.reduce((sum, e, i) => sum + e * x[i][j], 0) / n,
    curvature: (j) => x.reduce((sum, row) => sum + row[j] ** 2, 0) / n,
    quadratic: true,
    residual: (beta) => Float64Array.from(x, (row, i) => row.reduce((z, v, j) => z + v * beta[j], 0) - y[i]),
    moved: (_, j, delta, r) => x.forEach((row, i) => void (r[i] += delta * row[j])),
    l1,
  });

const tight = coordinateDescent({ tolerance: 1e-12 });

describe("minimize by coordinates", () => {
  it("equals the lasso solution of another program", async () => {
    const { x: beta, value, reason } = await minimize(lasso(), [0, 0, 0], { algorithm: tight });
    const wanted = lassoDescent({ x: Float64Array.from(x.flat()), rowCount: n, columnCount: 3, y: Float64Array.from(y) }, { l1 });
    beta.forEach((b, j) => {
      expect(b).toBeCloseTo(wanted.weights[j], 9);
    });
    expect(reason).toBe("converged");
    const plain = x.reduce((sum, row, i) => sum + (row.reduce((z, v, j) => z + v * beta[j], 0) - y[i]) ** 2, 0) / (2 * n);
    expect(value).toBeCloseTo(plain + l1 * beta.reduce((sum, b) => sum + Math.abs(b), 0), 12);
  });

  it("accepts a plain function, too", async () => {
    const f = ([a, b]: Float64Array): number => (a - 1) ** 2 + 2 * (b + 3) ** 4 + 0.5 * a * b;
    const found = await minimize(f, [0, 0], { algorithm: coordinateDescent({ tolerance: 1e-7 }) });
    const [a, b] = found.x;
    expect(2 * (a - 1) + 0.5 * b).toBeCloseTo(0, 5);
    expect(8 * (b + 3) ** 3 + 0.5 * a).toBeCloseTo(0, 5);
  });

  it("resumes from a checkpoint bit for bit, and refuses one of a search", async () => {
    const algorithm = coordinateDescent({ pick: "random", tolerance: 1e-12 });
    const whole = await minimize(lasso(), [0, 0, 0], { algorithm, epochs: 9, seed: 5 });
    const part = minimize(lasso(), [0, 0, 0], { algorithm, epochs: 4, seed: 5 });
    await part;
    const file = join(folder, "part.checkpoint");
    await part.checkpoint(file);
    const resumed = await minimize.resume(file, lasso(), { until: { epochs: 9 } });
    expect([...resumed.x]).toEqual([...whole.x]);
    expect([...(await part).x]).not.toEqual([...whole.x]);
    const search = minimize(([v]: Float64Array) => v * v, [1], { algorithm: randomSearch(), evaluations: 3 });
    await search;
    await search.checkpoint(file);
    await expect((async () => await minimize.resume(file, lasso()))()).rejects.toThrow(
      /another kind of run.*\[CHECKPOINT_KIND\]/,
    );
  });

  it("names the coordinate whose slope is not a number, and reports invalid options", async () => {
    const broken = coordinateTarget({ dimension: 2, value: () => 0, partial: (_, j) => (j === 1 ? Number.NaN : 0) });
    const run = async (target: CoordinateTarget) => await minimize(target, [0, 0], { algorithm: tight });
    await expect(run(broken)).rejects.toThrow(/\[TARGET_PARTIAL\]$/);
    await expect(run(lasso())).rejects.toThrow(/x0 has 2 numbers.*\[TARGET_DIMENSION\]$/);
    const unknown = { algorithm: tight, evaluations: 3 };
    expect(() => minimize(lasso(), [0, 0, 0], unknown)).toThrow(/unknown option "evaluations"/);
  });
});
