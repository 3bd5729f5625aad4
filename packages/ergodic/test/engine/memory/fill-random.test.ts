/**
 * kernels/engine/arrays/fill-random.ts agrees bit for bit with its plain twin and with the streams that it continues.
 */
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { normal, type Place, uniformF32, uniformF64 } from "../../reference/fill-random.ts";
import { type FloatType, Guarded, rounded } from "./guarded.ts";

const engine = await openEngine();
const { key } = stream(3, "fill");
const places: Place[] = [
  { key, update: 0, stream: 0 },
  { key, update: 5 * 2 ** 32 + 2 ** 31 + 3, stream: 2 ** 32 - 1 },
  { key: [2 ** 32 - 1, 0], update: 2 ** 53 - 1, stream: 7 },
];
const kernels = [
  { name: "fillUniformF32", type: "f32", twin: uniformF32 },
  { name: "fillUniformF64", type: "f64", twin: uniformF64 },
  { name: "fillNormalF32", type: "f32", twin: normal },
  { name: "fillNormalF64", type: "f64", twin: normal },
] as const;

function filled(name: string, type: FloatType, count: number, place: Place, deterministic: boolean): number[] {
  using memory = new Guarded(engine);
  const out = memory.room(type, count);
  engine.kernel(name, deterministic)(out, count, ...place.key, place.update, place.stream);
  return memory.read(type, out, count);
}

describe.each(kernels)("$name", ({ name, type, twin }) => {
  it.each([true, false])("agrees with its twin, deterministic: %s", (deterministic) => {
    for (const place of places) {
      const wanted = rounded(
        type,
        Array.from({ length: 1000 }, (_, i) => twin(place, i)),
      );
      for (const count of [...Array(35).keys(), 1000])
        expect(filled(name, type, count, place, deterministic)).toEqual(wanted.slice(0, count));
    }
  });

  it("key, update and stream each change every number", () => {
    const base = places[0];
    const first = filled(name, type, 100, base, true);
    const others: Place[] = [
      { ...base, stream: 1 },
      { ...base, update: 1 },
      { ...base, update: 2 ** 32 },
      { ...base, key: [key[0], key[1] ^ 1] },
    ];
    for (const place of others) {
      const other = filled(name, type, 100, place, true);
      expect(other.filter((x, i) => x === first[i]).length).toBe(0);
    }
  });
});

it("stream 0 is the stream of random/stream.ts", () => {
  const [uniforms, normals] = [stream(3, "fill").at(9), stream(3, "fill").at(9)];
  const place = { key, update: 9, stream: 0 };
  expect(filled("fillUniformF64", "f64", 50, place, true)).toEqual(Array.from({ length: 50 }, () => uniforms.uniform()));
  expect(filled("fillNormalF64", "f64", 50, place, true)).toEqual(Array.from({ length: 50 }, () => normals.normal()));
});

it("float32 uniforms stay below 1: a word of 24 leading ones gives 1 − 2⁻²⁴", () => {
  // Found by a search over updates.
  const found = filled("fillUniformF32", "f32", 13888, { key, update: 987, stream: 0 }, true);
  expect(found[13887]).toBe(1 - 2 ** -24);
});
