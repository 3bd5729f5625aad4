/**
 * kernels/{dot,linear,sweep}.ts compared with their plain twins: every pair of types, rows of 1 … 17 columns (sparse
 * rows of 0 … 17 entries), special values, batches and several outputs. Integers agree exactly, and floats within the
 * bounds that the kernels state.
 */
import { afterEach, describe, expect, it } from "vitest";
import type { ParameterType } from "../../../src/engine/contract/index.ts";
import { Dataset } from "../../../src/engine/data/dataset.ts";
import type { NumberType } from "../../../src/engine/data/layout.ts";
import { Arena } from "../../../src/engine/memory/arena.ts";
import * as field from "../../../src/engine/memory/fields.ts";
import { PARAMETER_SCALE } from "../../../src/engine/numbers/fixed-point.ts";
import {
  logisticLoss as logistic,
  multinomialLoss as multinomial,
  squaredLoss as squared,
} from "../../../src/learning/models/losses/index.ts";
import { numbers } from "../../golden/sklearn-data.ts";
import { dotTwin, gradientTwin, type Sum } from "../../reference/linear-gradient.ts";
import { BoundLinear, type Mode } from "./bound.ts";

const pairs: { type: NumberType; model: ParameterType }[] = [
  { type: "f32", model: "f32" },
  { type: "f64", model: "f64" },
  { type: "i8", model: "f32" },
  { type: "i16", model: "f32" },
  { type: "i8", model: "i16" },
  { type: "i16", model: "i16" },
  { type: "f32", model: "i16" },
];
const cases = (["dense", "sparse"] as const).flatMap((format) => pairs.map((pair) => ({ format, ...pair })));
const epsilon = { f32: 2 ** -23, f64: 2 ** -52 };
const ROWS = 9;
const made: Dataset[] = [];
afterEach(() => {
  for (const data of made.splice(0)) data.dispose();
});

/** Row i of a sparse dataset contains the columns j with (i + j) % 3 > 0, and row 0 is empty. */
function dataset(
  format: "dense" | "sparse",
  type: NumberType,
  columns: number,
  u: Generator<number, never>,
  weights?: number[],
): Dataset {
  const x = Array.from({ length: ROWS }, () => Array.from({ length: columns }, () => 4 * u.next().value));
  const y = x.map((_, i) => [1, 0, 2][i % 3]);
  const float = type === "f64" ? "f64" : "f32";
  let data: Dataset;
  if (format === "dense") data = Dataset.fromArrays({ x, y, type: float, classes: true, ...(weights ? { weights } : {}) });
  else {
    const rows = x.map((row, i) => row.flatMap((v, j) => (i > 0 && (i + j) % 3 > 0 ? [[j, v] as const] : [])));
    const rowStart = Uint32Array.from([0, ...rows.map((_, i) => rows.slice(0, i + 1).flat().length)]);
    const table = {
      rowCount: ROWS,
      columnCount: columns,
      rowStart,
      columnIndex: Uint32Array.from(rows.flat(), ([j]) => j),
      values: Float64Array.from(rows.flat(), ([, v]) => v),
      target: Float64Array.from(y),
      source: "rows",
      ...(weights ? { weights: Float64Array.from(weights) } : {}),
    };
    data = Dataset.fromSparse(table, { type: float, classes: true });
  }
  made.push(data);
  return data.as(type);
}

function parametersFor(model: ParameterType, count: number, u: Generator<number, never>): number[] {
  return Array.from({ length: count }, () =>
    model === "i16" ? Math.trunc(60000 * u.next().value) : model === "f32" ? Math.fround(2 * u.next().value) : 2 * u.next().value,
  );
}
const real = (model: ParameterType, p: number[]): number[] => (model === "i16" ? p.map((v) => v * PARAMETER_SCALE) : p);
/** |found − value| in units of Σ|terms|, in which the bounds are stated. */
const error = (found: number, { value, size }: Sum): number => Math.abs(found - value) / Math.max(size, 1e-300);

describe.each(cases)("outputs: $format $type rows, $model parameters", ({ format, type, model }) => {
  it.each([true, false])("agree on 1 … 17 columns, with and without an intercept; deterministic: %s", async (deterministic) => {
    const u = numbers(7);
    for (let columns = 1; columns <= 17; columns++) {
      for (const intercept of [false, true]) {
        using bound = await BoundLinear.open(dataset(format, type, columns, u), { model, intercept, batch: ROWS, mode: "batch" });
        const stored = parametersFor(model, bound.problem.parameterCount, u);
        bound.setParameters(stored);
        const rows = [8, 1, 0, 5, 5];
        const { z } = bound.objective(rows, deterministic);
        const errors = rows.map((row, b) => error(z[b], dotTwin(bound.entries(row), real(model, stored))));
        // Dense rows are summed in f64 for f64 and i16 parameters, in 16 partial sums. Sparse rows are summed in f64
        // only for f64, in four.
        const unit = model === "f64" || (model === "i16" && format === "dense") ? epsilon.f64 : epsilon.f32;
        expect(Math.max(...errors)).toBeLessThanOrEqual(((columns + 1) / (format === "dense" ? 16 : 4) + 5) * unit);
      }
    }
  });
});

describe("outputs: special values", () => {
  const specials = [Number.NaN, 0, -0, 1e-40, -1e-40, Infinity, -Infinity, 1];
  it.each(cases.filter(({ type, model }) => type === model && type !== "i16"))(
    "$format $type: propagate NaN, ±0, subnormal and ±Inf at every position",
    async ({ format, type, model }) => {
      const u = numbers(3);
      for (let columns = 1; columns <= 17; columns++) {
        const data = dataset(format, type, columns, u);
        using bound = await BoundLinear.open(data, { model });
        const { layout } = data;
        const row = 4;
        const { memory } = bound.engine;
        const start = format === "dense" ? row * layout.stride : memory.u32(layout.rowStart + 4 * row, 1)[0];
        const count = bound.entries(row).length;
        const values = memory[type](layout.values, start + count + 1);
        for (let place = 0; place < count; place++) {
          for (const special of specials) {
            // One special value among zeros, then among ones with Infinity at the first position.
            for (const rest of [0, 1]) {
              values.fill(rest, start, start + count);
              if (rest === 1) values[start] = Infinity;
              values[start + place] = special;
              const p = new Float64Array(bound.problem.parameterCount).fill(1);
              bound.setParameters(p);
              const wanted = dotTwin(bound.entries(row), p).value;
              const { z } = bound.objective([row]);
              if (Number.isNaN(wanted)) expect(z[0]).toBeNaN();
              else expect(z[0]).toBe(wanted + 0);
            }
          }
        }
      }
    },
  );

  it.each([
    { type: "i8" as const, least: -127 },
    { type: "i16" as const, least: -32767 },
  ])("$type against 16 bits: compute the largest sums of 5000 columns exactly", async ({ type, least }) => {
    const columns = 5000;
    const data = Dataset.fromArrays({ x: [new Array(columns).fill(1), new Array(columns).fill(-1)], y: [0, 1], type: "f32" });
    made.push(data);
    const quantised = data.as(type);
    using bound = await BoundLinear.open(quantised, { model: "i16" });
    const { layout } = quantised;
    bound.engine.memory[type](layout.values, columns).fill(least);
    bound.setParameters(new Int16Array(columns).fill(-32768));
    expect(bound.objective([0]).z[0]).toBe(layout.scale * PARAMETER_SCALE * (columns * least * -32768));
  });
});

const modes: Mode[] = ["row", "batch", "buffered"];

describe.each(cases)("gradient: $format $type rows, $model parameters", ({ format, type, model }) => {
  it.each(modes)("%s: agree in loss, pieces and touched coordinates, with 1 and 3 outputs and weighted rows", async (mode) => {
    const u = numbers(11);
    for (const columns of [1, 3, 4, 8, 17]) {
      for (const outputs of [1, 3]) {
        const weights = Array.from({ length: ROWS }, (_, i) => 1 + (i % 3));
        const loss = outputs === 3 ? multinomial() : squared();
        using bound = await BoundLinear.open(dataset(format, type, columns, u, weights), {
          model,
          mode,
          outputs,
          loss,
          intercept: columns % 2 === 0,
          batch: ROWS,
        });
        const stored = parametersFor(model, bound.problem.parameterCount, u).map((p) =>
          model === "i16" ? Math.round(p / 16) : p,
        );
        bound.setParameters(stored);
        const p = real(model, stored);
        const { stride } = bound.problem;
        const lists = mode === "row" ? [[3], [0], [8]] : [[3, 1, 4, 1, 8], [0, 2], [6]];
        for (const rows of lists) {
          const entries = rows.map((row) => bound.entries(row));
          const z = entries.map((row) => Array.from({ length: outputs }, (_, k) => dotTwin(row, p.slice(k * stride)).value));
          const y = rows.map((row) => bound.data.target.values[row]);
          const each = z.map((one, b) => lossTwin(one, y[b]));
          const w = rows.map((row) => weights[row]);
          const found = bound.gradient(rows);
          const coarse = model === "f32" || type !== "f64";
          // Outputs of up to 18 terms of size 2, their softmax or square, and a batch of five: a few dozen roundings.
          const tolerance = coarse ? 1e-4 : 1e-13;
          expect(Math.abs(found.loss - each.reduce((sum, l, b) => sum + w[b] * l.value, 0) / rows.length)).toBeLessThan(
            tolerance * 10,
          );
          const wanted = gradientTwin(
            entries,
            each.map(({ dz }, b) => dz.map((d) => w[b] * d)),
            stride,
          );
          const largest = Math.max(...wanted.map(({ size }) => size), 1e-3);
          expect(Math.max(...wanted.map(({ value }, j) => Math.abs(found.gradient[j] - value)))).toBeLessThan(
            tolerance * largest,
          );
          const reached = new Set(entries.flatMap((row) => row.map(([j]) => j)));
          const touched = [...reached]
            .flatMap((j) => Array.from({ length: outputs }, (_, k) => k * stride + j))
            .sort((a, b) => a - b);
          if (format === "sparse" && mode !== "buffered") expect(found.touched.sort((a, b) => a - b)).toEqual(touched);
          expect(found.pieces).toBe(mode === "row" || (format === "sparse" && mode === "batch") ? outputs : 1);
        }
      }
    }
  });
});

/** Squared error or softmax, depending on the number of outputs. */
function lossTwin(z: number[], y: number): { value: number; dz: number[] } {
  if (z.length === 1) return { value: (z[0] - y) ** 2 / 2, dz: [z[0] - y] };
  const top = Math.max(...z);
  const e = z.map((v) => Math.exp(v - top));
  const total = e.reduce((a, b) => a + b);
  return { value: top + Math.log(total) - z[y], dz: e.map((v, k) => v / total - Number(k === y)) };
}

describe("control variates", () => {
  it.each([
    { kind: field.CONTROL_SAGA, name: "saga" },
    { kind: field.CONTROL_SAG, name: "sag" },
    { kind: field.CONTROL_SVRG, name: "svrg" },
    { kind: field.CONTROL_RECORD, name: "the snapshot pass" },
  ])("$name: equal differences to the table, and update it", async ({ kind }) => {
    const u = numbers(5);
    using bound = await BoundLinear.open(dataset("dense", "f64", 5, u), {
      model: "f64",
      mode: "batch",
      batch: ROWS,
      loss: squared(),
    });
    bound.setParameters(parametersFor("f64", bound.problem.parameterCount, u));
    using arena = new Arena(bound.engine.memory, "control");
    const before = Array.from({ length: ROWS }, () => u.next().value);
    const table = arena.copy(Float64Array.from(before));
    const control = arena.block(field.CONTROL_BYTES, [
      [field.CONTROL_KIND, kind],
      [field.CONTROL_TABLE, table],
      [field.CONTROL_ROWS, ROWS],
    ]);
    const rows = [2, 7, 4];
    const { z } = bound.objective(rows);
    const now = rows.map((row, b) => z[b] - bound.data.target.values[row]);
    const { gradient } = bound.gradient(rows, { control });
    const used = now.map(
      (d, b) => (kind === field.CONTROL_RECORD ? d : d - before[rows[b]]) * (kind === field.CONTROL_SAG ? rows.length / ROWS : 1),
    );
    const wanted = gradientTwin(
      rows.map((row) => bound.entries(row)),
      used.map((d) => [d]),
      bound.problem.stride,
    );
    expect(Math.max(...wanted.map((sum, j) => error(gradient[j], sum)))).toBeLessThan(1e-14);
    const kept = [...bound.engine.memory.f64(table, ROWS)];
    const refreshed = before.map((d, row) => (kind !== field.CONTROL_SVRG && rows.includes(row) ? now[rows.indexOf(row)] : d));
    expect(kept).toEqual(refreshed);
  });
});

describe("sweeps over ranges of rows", () => {
  it.each([
    { format: "dense" as const, type: "f64" as const, model: "f64" as const },
    { format: "sparse" as const, type: "f32" as const, model: "f32" as const },
    { format: "dense" as const, type: "i8" as const, model: "f32" as const },
  ])("$format $type: agree in losses, gradients and outputs across chunk edges", async ({ format, type, model }) => {
    const u = numbers(13);
    const small = dataset(format, type === "i8" ? "f32" : type, 6, u);
    const data = small.select(Array.from({ length: 600 }, (_, i) => i % ROWS));
    made.push(data);
    using bound = await BoundLinear.open(data.as(type), {
      model,
      mode: "buffered",
      batch: 256,
      loss: logistic(),
      outputs: 3,
      intercept: true,
    });
    bound.setParameters(parametersFor(model, bound.problem.parameterCount, u));
    const { engine, binding, problem } = bound;
    using arena = new Arena(engine.memory, "sweep");
    const [listed, accumulator, outputs] = [arena.take(1024), arena.take(8 * problem.parameterCount), arena.take(600 * 24)];
    const byRow = Array.from({ length: ROWS }, (_, i) => bound.gradient([i]));
    const z = Array.from({ length: ROWS }, (_, i) => bound.objective([i]).z);
    for (const [from, to] of [
      [0, 1],
      [0, 256],
      [3, 260],
      [0, 600],
      [599, 600],
      [10, 10],
    ]) {
      const rows = Array.from({ length: to - from }, (_, i) => (from + i) % ROWS);
      engine.memory.f64(accumulator, problem.parameterCount).fill(0.5);
      const bytes = model === "f64" ? 8 : 4;
      const loss = engine.kernel("sweepGradient", true)(
        binding.gradientSlot,
        binding.model,
        bound.parameters,
        listed,
        from,
        to,
        0,
        binding.pieces,
        accumulator,
        bytes,
      );
      const wantedLoss = rows.reduce((sum, i) => sum + byRow[i].loss, 0);
      expect(Math.abs(loss - wantedLoss)).toBeLessThanOrEqual(1e-12 * Math.abs(wantedLoss));
      const sums = engine.memory.f64(accumulator, problem.parameterCount);
      const errors = Array.from(sums, (sum, j) => {
        const terms = [0.5, ...rows.map((i) => byRow[i].gradient[j])];
        return error(sum, { value: terms.reduce((a, b) => a + b), size: terms.reduce((total, v) => total + Math.abs(v), 0) });
      });
      // Chunks of 256 rows are summed in the type of the gradient.
      expect(Math.max(...errors)).toBeLessThan(256 * (model === "f64" ? epsilon.f64 : epsilon.f32));
      const again = engine.kernel("sweepLoss", true)(
        binding.objectiveSlot,
        binding.model,
        bound.parameters,
        listed,
        from,
        to,
        binding.outputsAt,
        3,
        outputs,
      );
      expect(again).toBe(loss);
      expect([...engine.memory.f64(outputs, 3 * rows.length)]).toEqual(rows.flatMap((i) => z[i]));
    }
  });
});
