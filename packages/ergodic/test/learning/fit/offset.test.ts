/**
 * Row offsets: z = x·p + intercept + o. Plain reference twins reproduce the arithmetic of R's glm and sklearn with
 * Newton's method on the same objective.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dataFrom, portableData } from "../../../src/engine/data/portable.ts";
import {
  adagrad,
  coordinateDescent,
  type DataError,
  Dataset,
  dense,
  dualCoordinateDescent,
  fit,
  lbfgs,
  linear,
  network,
  Pipeline,
} from "../../../src/entries/everything.ts";
import { predictor } from "../../../src/entries/predict.ts";

/** Newton's method for mean w ℓ(x·p + o, y) + l2/2 ‖coefficients‖². p contains the columns, then the intercept. */
function twin(
  loss: "poisson" | "logistic" | "squared",
  { x, y, offset, weights, l2 }: { x: number[][]; y: number[]; offset: number[]; weights?: number[]; l2: number },
): number[] {
  const d = x[0].length + 1;
  const rows = x.map((row) => [...row, 1]);
  const p = new Array<number>(d).fill(0);
  for (let round = 0; round < 60; round++) {
    const g = p.map((v, j) => (j < d - 1 ? l2 * v : 0));
    const h = p.map((_, j) => p.map((__, k) => (j === k && j < d - 1 ? l2 : 0)));
    rows.forEach((row, i) => {
      const z = offset[i] + row.reduce((sum, v, j) => sum + v * p[j], 0);
      const mu = loss === "poisson" ? Math.exp(z) : loss === "logistic" ? 1 / (1 + Math.exp(-z)) : z;
      const curvature = loss === "poisson" ? mu : loss === "logistic" ? mu * (1 - mu) : 1;
      const w = (weights?.[i] ?? 1) / rows.length;
      row.forEach((v, j) => {
        g[j] += w * (mu - y[i]) * v;
        row.forEach((u, k) => {
          h[j][k] += w * curvature * v * u;
        });
      });
    });
    const step = solve(h, g);
    // Shorter steps far from the solution keep Poisson's exponentials in range.
    const scale = Math.min(1, 2 / Math.max(...step.map(Math.abs), 1e-300));
    step.forEach((s, j) => {
      p[j] -= scale * s;
    });
  }
  return p;
}

function solve(a: number[][], b: number[]): number[] {
  const m = a.map((row, i) => [...row, b[i]]);
  const n = b.length;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(m[i][k]) > Math.abs(m[pivot][k])) pivot = i;
    [m[k], m[pivot]] = [m[pivot], m[k]];
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const f = m[i][k] / m[k][k];
      for (let j = k; j <= n; j++) m[i][j] -= f * m[k][j];
    }
  }
  return m.map((row, i) => row[n] / row[i]);
}

/** Deterministic data with exposures that differ up to a hundredfold. */
function claims(count: number, loss: "poisson" | "logistic" | "squared") {
  const x = Array.from({ length: count }, (_, i) => [Math.sin(3 * i), Math.cos(5 * i + 1)]);
  const offset = Array.from({ length: count }, (_, i) => Math.log(0.05 + (i % 17) / 3));
  const y = x.map(([a, b], i) => {
    const z = 0.4 * a - 0.7 * b + 0.2 + offset[i];
    const noise = ((i * 7919) % 101) / 101;
    if (loss === "poisson") return Math.floor(Math.exp(z) + noise);
    if (loss === "logistic") return noise < 1 / (1 + Math.exp(-z)) ? 1 : 0;
    return z + noise - 0.5;
  });
  const weights = x.map((_, i) => 0.5 + (i % 3));
  return { x, y, offset, weights };
}

const close = (found: ArrayLike<number>, wanted: readonly number[], digits: number): void => {
  expect(found.length).toBe(wanted.length);
  for (const [i, v] of wanted.entries()) expect(Math.abs(found[i] - v)).toBeLessThan(10 ** -digits * Math.max(1, Math.abs(v)));
};

describe("fits with offsets", () => {
  const losses = ["poisson", "logistic", "squared"] as const;
  it.each(losses)("equals the fit of z + o: %s, by L-BFGS, coordinate descent and SGD", async (loss) => {
    const { x, y, offset, weights } = claims(180, loss);
    const l2 = 0.03;
    const wanted = twin(loss, { x, y, offset, weights, l2 });
    // The answer without the offset differs, so that the comparison is meaningful.
    const without = twin(loss, { x, y, offset: offset.map(() => 0), weights, l2 });
    expect(Math.abs(without[2] - wanted[2])).toBeGreaterThan(0.05);
    const data = Dataset.fromArrays({ x, y, offset, weights, type: "f64", classes: loss === "logistic" });
    const precision = { data: "f64", model: "f64" } as const;
    const model = linear({ loss, l2, standardise: false });
    const solved = await fit(model, data, { rule: lbfgs(), batch: "all", precision, until: { updates: 400, tolerance: 1e-13 } });
    // It ends when the objective stops falling, so parameters are accurate to the square root of the precision.
    close([...solved.weights, ...solved.intercept], wanted, 3.3);
    const by = await fit(model, data, { algorithm: coordinateDescent(), precision, until: { tolerance: 1e-12, epochs: 3000 } });
    close([...by.weights, ...by.intercept], wanted, 5);
    for (const batch of [1, 7]) {
      const sgd = await fit(model, data, { rule: adagrad({ rate: 0.3 }), batch, epochs: 600, precision, seed: 3 });
      close([...sgd.weights, ...sgd.intercept], wanted, 1.2);
    }
    // A certificate of the gap holds with offsets, too: sparse fits by L1.
    const sparse = await fit(linear({ loss, l1: 0.02, standardise: false }), data, {
      algorithm: coordinateDescent(),
      precision,
      until: { tolerance: 1e-9, epochs: 5000 },
    });
    expect(sparse.gap!).toBeLessThan(1e-9);
  });

  it("consists of offset fits along a path, with offsets in its folds too", async () => {
    const { x, y, offset } = claims(150, "poisson");
    const precision = { data: "f64", model: "f64" } as const;
    const data = Dataset.fromArrays({ x, y, offset, type: "f64" });
    const model = linear({ loss: "poisson", standardise: false });
    const path = await fit.path(model, data, { lambdas: 12, folds: 3, seed: 1, tolerance: 1e-12 });
    const last = path.lambdas.length - 1;
    for (const k of [3, last - 2, last]) {
      const alone = await fit(linear({ loss: "poisson", l1: path.lambdas[k], standardise: false }), data, {
        algorithm: coordinateDescent(),
        precision,
        until: { epochs: 3000, tolerance: 1e-13 },
      });
      close([...path.predictor(k).weights, ...path.predictor(k).intercept], [...alone.weights, ...alone.intercept], 4);
    }
    // The offset explains the rates, so a model without coefficients is close. Without the offset, none is.
    const without = await fit.path(model, Dataset.fromArrays({ x, y, type: "f64" }), { lambdas: 12 });
    expect(without.lambdas[0]).not.toBeCloseTo(path.lambdas[0], 3);
  });

  it("computes the same for sparse rows and narrow types as for dense floats", async () => {
    const { x, y, offset } = claims(120, "poisson");
    const rows = x.map(([a, b], i) => (i % 3 === 0 ? [0, b] : [a, b]));
    const data = Dataset.fromArrays({ x: rows, y, offset, type: "f64" });
    const entries = rows.map((row) => [0, 1].filter((j) => row[j] !== 0));
    const sparse = Dataset.fromSparse(
      {
        rowCount: rows.length,
        columnCount: 2,
        rowStart: Uint32Array.from({ length: rows.length + 1 }, (_, i) => entries.slice(0, i).flat().length),
        columnIndex: Uint32Array.from(entries.flat()),
        values: Float64Array.from(entries.flatMap((own, i) => own.map((j) => rows[i][j]))),
        target: Float64Array.from(y),
        offset: Float64Array.from(offset),
        source: "sparse",
      },
      { type: "f64" },
    );
    const model = linear({ loss: "poisson", l2: 0.1, standardise: false });
    const options = {
      rule: lbfgs(),
      batch: "all",
      precision: { data: "f64", model: "f64" },
      until: { updates: 200, tolerance: 1e-13 },
    } as const;
    const [a, b] = [await fit(model, data, options), await fit(model, sparse, options)];
    close([...b.weights, ...b.intercept], [...a.weights, ...a.intercept], 7);
    const narrow = await fit(model, data, { batch: 8, epochs: 60, precision: { data: "i16", model: "f32" }, seed: 1 });
    const wide = await fit(model, data, { batch: 8, epochs: 60, seed: 1 });
    close([...narrow.weights, ...narrow.intercept], [...wide.weights, ...wide.intercept], 2.5);
  });

  it("changes only the intercept for a constant offset", async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: -2, max: 2, noNaN: true }), async (shift) => {
        const { x, y } = claims(60, "squared");
        const precision = { data: "f64", model: "f64" } as const;
        const options = { algorithm: coordinateDescent(), precision, until: { epochs: 1000, tolerance: 1e-13 } } as const;
        const plain = await fit(linear({ standardise: false }), Dataset.fromArrays({ x, y, type: "f64" }), options);
        const moved = await fit(
          linear({ standardise: false }),
          Dataset.fromArrays({ x, y, offset: x.map(() => shift), type: "f64" }),
          options,
        );
        close(moved.weights, [...plain.weights], 6);
        close(moved.intercept, [plain.intercept[0] - shift], 6);
      }),
      { numRuns: 8 },
    );
  });
});

describe("predictions with offsets", () => {
  const { x, y, offset } = claims(90, "poisson");
  const column = (name: string, values: number[]) => ({ name, kind: "number" as const, values: Float64Array.from(values) });
  const table = {
    rowCount: x.length,
    columns: [
      column(
        "a",
        x.map(([v]) => v),
      ),
      column("exposure", offset),
      column(
        "b",
        x.map((row) => row[1]),
      ),
      column("claims", y),
    ],
    source: "policies.csv",
  };
  const data = Dataset.fromTable(table, { target: "claims", offset: "exposure" });
  const trained = fit(linear({ loss: "poisson" }), data, { epochs: 20, seed: 2 });

  it("agree for rows by name, datasets and predictInto, even after saving", async () => {
    const fitted = await trained;
    expect(fitted.columns).toEqual(["a", "b"]);
    const rows = x.map(([a, b], i) => ({ b, exposure: offset[i], a }));
    const z = rows.map(
      ({ a, b, exposure }) =>
        fitted.intercept[0] + fitted.weights[0] * Math.fround(a) + fitted.weights[1] * Math.fround(b) + exposure,
    );
    const again = await predictor(fitted.toBytes());
    if (again.kind !== "linear") throw new Error("linear");
    for (const model of [fitted, again]) {
      close([...model.outputs(data)], z, 12);
      const many = model.predict(rows).map(({ value }) => value as number);
      close(many, z.map(Math.exp), 12);
      expect(model.predict(data).map(({ value }) => value)).toEqual(many);
      expect(model.predict(table).map(({ value }) => value)).toEqual(many);
      const out = new Float64Array(rows.length);
      expect(model.predictInto(rows, out)).toBe(rows.length);
      expect([...out]).toEqual(many);
      expect(rows.map((row) => model.predict(row).value)).toEqual(many);
      expect(model.predict({ ...rows[4], exposure: rows[4].exposure + Math.log(2) }).value).toBeCloseTo(2 * many[4], 10);
    }
    expect(fitted.evaluate(data)).toEqual(again.evaluate(data));
    const file = JSON.parse(JSON.stringify(fitted.description.pipeline));
    expect(file[0].offset).toBe("exposure");
  });

  it("use the offset of each row, even in several batches", async () => {
    const fitted = await trained;
    const many = claims(1500, "poisson");
    const rows = many.x.map(([a, b], i) => ({ a, b, exposure: many.offset[i] }));
    const out = new Float64Array(rows.length);
    expect(fitted.predictInto(rows, out)).toBe(rows.length);
    expect([...out]).toEqual(rows.map((row) => fitted.predict(row).value));
  });

  it("refuse rows without an offset, and never assume 0", async () => {
    const fitted = await trained;
    const said = (call: () => unknown): string => {
      try {
        call();
      } catch (error) {
        return (error as DataError).message;
      }
      return "nothing";
    };
    expect(said(() => fitted.predict({ a: 1, b: 2 }))).toMatch(/has no column "exposure"/);
    expect(said(() => fitted.predict([{ a: 1, b: 2, exposure: null }]))).toMatch(
      /row 1 has the offset NaN, but it must be finite/,
    );
    expect(said(() => fitted.predict([1, 2]))).toMatch(/the rows lack the offset "exposure"; give it by name/);
    expect(said(() => fitted.predictInto(new Float64Array(4), new Float64Array(2)))).toMatch(/lack the offset "exposure"/);
    expect(said(() => fitted.predictInto([[1, 2]], new Float64Array(2)))).toMatch(/lack the offset "exposure"/);
    expect(fitted.predictInto([], new Float64Array(0))).toBe(0);
    const fromLists = await fit(linear({ loss: "poisson" }), Dataset.fromArrays({ x, y, offset }), { epochs: 1 });
    expect(said(() => fromLists.predict([1, 2]))).toMatch(/the rows lack the offset "offset"/);
    expect(said(() => fromLists.evaluate(Dataset.fromArrays({ x, y })))).toMatch(/it lacks the offset that the model's rows had/);
    // The name of the column does not matter.
    const renamed = table.columns.map((one) => (one.name === "exposure" ? { ...one, name: "years" } : one));
    const other = Dataset.fromTable({ ...table, columns: renamed }, { target: "claims", offset: "years" });
    close([...fitted.outputs(other)], [...fitted.outputs(data)], 12);
    const bare = Dataset.fromTable(
      { ...table, columns: table.columns.filter(({ name }) => name !== "exposure") },
      { target: "claims" },
    );
    expect(said(() => fitted.evaluate(bare))).toMatch(/it lacks the offset that the model's rows had/);
    const plain = await fit(linear({ loss: "poisson" }), bare, { epochs: 1 });
    expect(said(() => plain.evaluate(data))).toMatch(/it has an offset, but the model's rows had none/);
  });

  it("survive split, select, as, standardise, follow and the pipeline", async () => {
    const chosen = data.select([5, 2, 2]);
    expect([...chosen.offset!]).toEqual([offset[5], offset[2], offset[2]]);
    expect([...data.as("i8").offset!]).toEqual(offset);
    expect([...data.standardise().offset!]).toEqual(offset);
    expect([...data.pipeline.apply(table).offset!]).toEqual(offset);
    expect([...Pipeline.fromJson(data.pipeline.toJSON()).apply(table).offset!]).toEqual(offset);
    expect([...data.follow(data.standardise().pipeline).offset!]).toEqual(offset);
    expect(Dataset.fromArrays({ x, y }).offset).toBeNull();
    // The form in which datasets are sent to another thread.
    expect([...dataFrom(portableData(data)).offset!]).toEqual(offset);
    expect(dataFrom(portableData(Dataset.fromArrays({ x, y }))).offset).toBeNull();
    const swapped = { ...table, columns: [table.columns[2], table.columns[1], table.columns[0], table.columns[3]] };
    const other = Dataset.fromTable(swapped, { target: "claims", offset: "exposure" });
    const fitted = await trained;
    close([...fitted.outputs(other)], [...fitted.outputs(data)], 12);
    const held = await fit(linear({ loss: "poisson" }), data, { epochs: 3, validate: other, seed: 1 });
    expect(held.evaluate(other)).toEqual(held.evaluate(data));
  });
});

it("models without offsets refuse them, and offsets are checked", async () => {
  const { x, y, offset } = claims(30, "squared");
  const three = y.map((_, i) => ["a", "b", "c"][i % 3]);
  await expect(fit(linear(), Dataset.fromArrays({ x, y: three, offset }))).rejects.toThrow(
    /^linear: the rows have an offset, which is added to one output, but there are 3.*MODEL_OFFSET/s,
  );
  await expect(fit(network([dense(1)]), Dataset.fromArrays({ x, y, offset }))).rejects.toThrow(
    /^network: the rows have an offset, which the model does not support.*MODEL_OFFSET/s,
  );
  await expect(
    fit(linear({ l2: 1 }), Dataset.fromArrays({ x, y, offset }), { algorithm: dualCoordinateDescent() }),
  ).rejects.toThrow(/the rows have an offset, which the dual over rows does not support/);
  for (const [bad, message] of [
    [[1, 2], /x has 30 rows, but offset has 2 values/],
    [x.map(() => Infinity), /row 1 has the offset Infinity/],
    [x.map(() => null), /the offset/],
    [3, /offset is .*a list of numbers, one for each row/],
  ] as const)
    expect(() => Dataset.fromArrays({ x, y, offset: bad as never })).toThrow(message);
  const sparse = {
    ...{ rowCount: 2, columnCount: 1, rowStart: Uint32Array.of(0, 1, 2), columnIndex: Uint32Array.of(0, 0), source: "s" },
    ...{ values: Float32Array.of(1, 2), target: Float64Array.of(1, 2), offset: Float64Array.of(0, -Infinity) },
  };
  expect(() => Dataset.fromSparse(sparse)).toThrow(/row 2 has the offset -Infinity/);
  const table = { rowCount: 1, columns: [{ name: "y", kind: "number" as const, values: Float64Array.of(1) }], source: "t" };
  expect(() => Dataset.fromTable(table, { target: "y", offset: "exposure" })).toThrow(/has no offset column "exposure"/);
  const a = Dataset.fromArrays({ x, y, offset });
  const run = fit(linear(), a, { epochs: 1 });
  await run;
  const kept = await run.checkpoint();
  // Other offsets are other data.
  await expect(
    fit.resume(kept, Dataset.fromArrays({ x, y, offset: offset.map((v) => v + 1) }), { until: { epochs: 2 } }),
  ).rejects.toThrow();
  await fit.resume(kept, Dataset.fromArrays({ x, y, offset }), { until: { epochs: 2 } });
});
