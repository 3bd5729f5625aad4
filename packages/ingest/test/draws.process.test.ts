/** Draws in Arrow files lose nothing. An independent reader and writer, flechette, agrees on every number and type. */
import { float32, float64, int32, int64, tableFromArrays, tableFromIPC, tableToIPC, utf8 } from "@uwdata/flechette";
import { Draws } from "ergodic";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { readDrawsArrow, writeDrawsArrow } from "../src/draws.ts";

afterEach(() => {
  vi.doUnmock("apache-arrow");
  vi.resetModules();
});

/** Makes `chains` chains of `count` draws of a number, a vector and a matrix from a list of numbers. */
function drawsOf(chains: number, count: number, numbers: readonly number[]): Draws {
  const length = chains * count;
  const part = (from: number, size: number) =>
    Float64Array.from({ length: length * size }, (_, k) => numbers[(from + k) % numbers.length]);
  return new Draws({
    chains,
    count,
    quantities: [
      { name: "µ", shape: [], kind: "parameter" },
      { name: "theta", shape: [2], kind: "transformed" },
      { name: "L", shape: [2, 2], kind: "generated" },
      { name: "none", shape: [3, 0], kind: "generated" },
    ],
    values: { µ: part(0, 1), theta: part(length, 2), L: part(3 * length, 4), none: new Float64Array(0) },
    fields: ["logDensity", "divergent"],
    transitions: part(7 * length, 2),
    description: { model: 'µ = "quoted"\n', plan: { seed: 5 } },
    report: { rhat: Number.NaN },
  });
}

const upwards = drawsOf(
  2,
  3,
  Array.from({ length: 54 }, (_, k) => k + 0.25),
);

describe("draws as Arrow files", () => {
  it("are read back bit for bit", async () => {
    const numbers = fc.array(fc.double(), { minLength: 1, maxLength: 20 });
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 0, max: 4 }),
      numbers,
      async (...given) => {
        const draws = drawsOf(...given);
        expect((await readDrawsArrow(await writeDrawsArrow(draws))).content).toEqual(draws.content);
      },
    );
    await fc.assert(property, { seed: 21, numRuns: 100 });
  });

  it("are the same table in another reader", async () => {
    const bytes = await writeDrawsArrow(upwards);
    expect(new TextDecoder().decode(bytes.subarray(0, 6))).toBe("ARROW1");
    const table = tableFromIPC(bytes);
    const names = table.schema.fields.map(({ name }) => name);
    expect(names.join(" ")).toBe(".chain .iteration .draw lp__ divergent__ µ theta[1] theta[2] L[1,1] L[2,1] L[1,2] L[2,2]");
    const types = [...Array(3).fill(int32()), ...Array(9).fill(float64())];
    expect(table.schema.fields.map(({ type }) => type)).toEqual(types);
    const column = (name: string) => [...table.getChild(name)];
    expect(column(".chain")).toEqual([1, 1, 1, 2, 2, 2]);
    expect(column("µ")).toEqual([0.25, 1.25, 2.25, 3.25, 4.25, 5.25]);
    expect(column("L[2,1]")).toEqual([...upwards.series("L", 1, 0)]);
    expect(JSON.parse(table.schema.metadata!.get("ergodic")!).report).toEqual({ rhat: "NaN" });
  });

  it("are read from another writer, with other numeric types, and with nulls as NaN", async () => {
    const table = tableFromArrays(
      { ".chain": [2, 1], lp__: [-1.5, -2.5], "x[1]": [1, null], "x[2]": [3, 4] },
      { types: { ".chain": int64(), "x[2]": float32() } },
    );
    const draws = await readDrawsArrow(tableToIPC(table, { format: "file" })!);
    expect([draws.chains, draws.count]).toEqual([2, 1]);
    expect([...draws.draws("x")]).toEqual([Number.NaN, 4, 1, 3]);
    expect([...draws.transition("logDensity")]).toEqual([-2.5, -1.5]);
  });

  it("are refused if the file contains no draws", async () => {
    const texts = tableToIPC(tableFromArrays({ x: ["a", "b"] }, { types: { x: utf8() } }), { format: "file" })!;
    await expect(readDrawsArrow(texts)).rejects.toThrow(
      /the column "x" is of Utf8, but draws are numbers; leave it out \[DATA_TYPE\]/,
    );
    const bytes = await writeDrawsArrow(upwards);
    await expect(readDrawsArrow(bytes.slice(0, 400))).rejects.toThrow(/the bytes cannot be read as an Arrow file/);
    await expect(readDrawsArrow(new TextEncoder().encode("lp__,x\n0,1\n"))).rejects.toThrow(/DATA_FORMAT/);
  });

  it("must be given as bytes", async () => {
    for (const [given, kind] of [
      ["draws.arrow", "string"],
      [[65], "object"],
      [undefined, "undefined"],
    ] as const)
      await expect(readDrawsArrow(given as never)).rejects.toThrow(
        `readDrawsArrow: the bytes are ${kind}, but must be a Uint8Array [OPTION_TYPE]`,
      );
  });

  it("report a missing apache-arrow package", async () => {
    vi.resetModules();
    vi.doMock("apache-arrow", () => {
      throw new Error("Cannot find package 'apache-arrow'");
    });
    const { writeDrawsArrow: without } = await import("../src/draws.ts");
    await expect(without(upwards)).rejects.toThrow(
      /it needs the package apache-arrow.*run npm install apache-arrow.*\[ARROW_MISSING\]/,
    );
    // The error of loading the package is preserved, because the package can be present but broken.
    const cause = { message: expect.stringContaining("Cannot find package 'apache-arrow'") };
    await expect(without(upwards)).rejects.toMatchObject({ code: "ARROW_MISSING", cause: { cause } });
  });
});
