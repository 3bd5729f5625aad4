/**
 * kernels/engine/arrays/load-rows.ts agrees with its plain twin bit for bit: four kinds of elements, two result types,
 * 0 … 17 columns, and special values.
 */
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { loadRows } from "../../reference/gather.ts";
import { floatTypes, Guarded, rounded } from "./guarded.ts";

const engine = await openEngine();
const kinds = ["f32", "f64", "i16", "i8"] as const;
type Kind = (typeof kinds)[number];
const cases = kinds.flatMap((kind) =>
  floatTypes.flatMap((type) => [true, false].map((deterministic) => ({ kind, type, deterministic }))),
);
const largest = { i16: 32768, i8: 128 };

describe.each(cases)("$kind to $type, deterministic: $deterministic", ({ kind, type, deterministic }) => {
  function loaded(columns: number, source: number[], stride: number, scale: number, rows: number[]): number[] {
    using memory = new Guarded(engine);
    const out = memory.room(type, rows.length * columns);
    const kernel = engine.kernel(`loadRows${type.toUpperCase()}`, deterministic);
    kernel(rows.length, columns, memory.put(kind, source), stride, kinds.indexOf(kind), scale, memory.put("u32", rows), out);
    return memory.read(type, out, rows.length * columns);
  }
  const draws = stream(5, "load rows", kind).at(0);
  const stored = (kind: Kind, count: number) =>
    Array.from({ length: count }, () => {
      if (kind === "f64") return draws.normal();
      if (kind === "f32") return Math.fround(draws.normal());
      return draws.integer(2 * largest[kind]) - largest[kind];
    });

  it("agrees with the twin", () => {
    for (let columns = 0; columns <= 17; columns++) {
      for (const count of [0, 1, 2, 5]) {
        for (const stride of [columns, columns + 3]) {
          const source = stored(kind, 6 * stride);
          const rows = Array.from({ length: count }, () => draws.integer(6));
          for (const scale of [1, 0.0123]) {
            const wanted = rounded(type, loadRows(columns, source, stride, scale, rows));
            expect(loaded(columns, source, stride, scale, rows)).toEqual(wanted);
          }
        }
      }
    }
  });

  it("agrees at the ends of the range and for NaN, ±Inf, ±0 and subnormal floats", () => {
    const floats = [Number.NaN, Infinity, -Infinity, 0, -0, 1e-45, -1e-40, 3e38];
    const ends = kind === "i8" || kind === "i16" ? [largest[kind] - 1, -largest[kind], 0, 1, -1] : rounded(kind, floats);
    for (const scale of [1, 0.37, 2 ** -20]) {
      const wanted = rounded(type, loadRows(ends.length, ends, ends.length, scale, [0]));
      expect(loaded(ends.length, ends, ends.length, scale, [0])).toEqual(wanted);
    }
  });
});
