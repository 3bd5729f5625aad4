/**
 * The generated offsets in the fields.ts files agree with the tables kernels/HOUSE/records.mjs, and these tables follow
 * their rules.
 */
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import * as bayes from "../../../src/bayes/fields.ts";
import { walkFields } from "../../../src/bayes/samplers/base/walk-chain.ts";
import { transitionFields } from "../../../src/bayes/samplers/hamiltonian/hamiltonian-chain.ts";
import { transitionFields as stochasticFields } from "../../../src/bayes/samplers/stochastic-gradient/stochastic-chain.ts";
import * as engine from "../../../src/engine/memory/fields.ts";

interface Constant {
  readonly name: string;
  readonly value: number;
}
interface Group {
  readonly constants: readonly Constant[];
}
type Field = object;
interface Tables {
  constantsOf(items: readonly object[]): Group[];
  record(name: string, comment: string, fields: Field[]): object;
  u32(name: string, comment?: string): Field;
  f64(name: string, comment?: string): Field;
  packedF64(name: string, comment?: string): Field;
  pad(count: number): Field;
  part(name: string, record: string): Field;
  after(record: string): Field;
  rest(name: string): Field;
}

const root = new URL("../../../", import.meta.url);
const { fieldFiles, fieldsText } = (await import(new URL("scripts/generate-fields.mjs", root).href)) as {
  fieldFiles: Record<string, string>;
  fieldsText(house: string, items: readonly object[]): string;
};
const tables = (await import(new URL("scripts/records.mjs", root).href)) as Tables;
const { constantsOf, record, u32, f64, packedF64, pad, part, after, rest } = tables;
const itemsOf = async (house: string): Promise<readonly object[]> =>
  ((await import(new URL(`kernels/${house}/records.mjs`, root).href)) as { default: readonly object[] }).default;

it.each(Object.keys(fieldFiles))("%s: the file is up to date; otherwise run scripts/generate-fields.mjs", async (house) => {
  const text = await readFile(new URL(fieldFiles[house], root), "utf8");
  expect(text).toBe(fieldsText(house, await itemsOf(house)));
});

it("uses no name twice across all files", async () => {
  const items = (await Promise.all(Object.keys(fieldFiles).map(itemsOf))).flat();
  expect(constantsOf(items).flatMap(({ constants }) => constants).length).toBeGreaterThan(700);
});

it("assigns aligned offsets to fields in order, and sizes to records", () => {
  const offsets = (...items: object[]) =>
    Object.fromEntries(constantsOf(items).flatMap(({ constants }) => constants.map(({ name, value }) => [name, value])));
  expect(offsets(record("A", "", [u32("X"), f64("Y"), u32("Z")]))).toEqual({ A_X: 0, A_Y_F64: 8, A_Z: 16, A_BYTES: 24 });
  expect(offsets(record("A", "", [u32("X"), packedF64("Y")]))).toEqual({ A_X: 0, A_Y_F64: 4, A_BYTES: 12 });
  const inner = record("B", "", [u32("X"), f64("Y")]);
  expect(offsets(inner, record("A", "", [u32("X"), part("P", "B"), pad(4), rest("LIST")]))).toMatchObject({
    A_X: 0,
    A_P: 8,
    A_LIST: 28,
  });
  expect(offsets(inner, record("A", "", [after("B"), u32("Z")]))).toMatchObject({ A_Z: 16, A_BYTES: 24 });
  expect(() => offsets(record("A", "", [rest("LIST"), u32("X")]))).toThrow("A has fields behind its rest");
  expect(() => offsets(record("A", "", [part("P", "B")]))).toThrow("A refers to B, which is not in the same file");
  expect(() => offsets(inner, inner)).toThrow("B_X is there twice");
});

/** Fields of a record, sorted by offset. */
const orderOf = (constants: Readonly<Record<string, number>>, record: string): string =>
  Object.keys(constants)
    .filter((name) => name.startsWith(`${record}_`) && name !== `${record}_BYTES`)
    .toSorted((a, b) => constants[a] - constants[b])
    .map((name) => name.slice(record.length + 1).replace("_F64", ""))
    .join(" ");

it("keeps the orders shared with named arrays and files", () => {
  const words = { leapfrogs: "LEAPFROGS", stepSize: "STEP", treeDepth: "DEPTH" } as Record<string, string>;
  const named = (fields: readonly string[]) =>
    fields.map((name) => words[name] ?? name.replace(/[A-Z]/g, "_$&").toUpperCase()).join(" ");
  // Draws store the numbers of transitions by these names.
  expect(orderOf(bayes, "TRANSITION")).toBe(named(transitionFields));
  expect(orderOf(bayes, "WALK_TRANSITION")).toBe(named(walkFields));
  expect(orderOf(bayes, "STOCHASTIC_TRANSITION")).toBe(named(stochasticFields));
  // Checkpoints store the part of a chain that starts at its step, and its adaptations.
  expect(orderOf(bayes, "CHAIN").split(" STEP ")[1]).toBe("JITTER TIME LOG_DENSITY AVERAGING RANK");
  expect(orderOf(bayes, "AVERAGING")).toBe("TARGET GAMMA KAPPA T0 CENTRE COUNT ERROR LOG_STEP");
  expect(orderOf(bayes, "ADAPTATION")).toBe("TARGET COUNT LOG_STEP AVERAGE");
  // Saved networks store the words of convolutions.
  const { CONV_BAND_BYTES: _, ...constants } = engine;
  expect(orderOf(constants, "CONV")).toBe(
    "BATCH IN_HEIGHT IN_WIDTH IN_CHANNELS OUT_HEIGHT OUT_WIDTH OUT_CHANNELS KERNEL_HEIGHT KERNEL_WIDTH STRIDE_HEIGHT STRIDE_WIDTH PAD_TOP PAD_LEFT DILATION_HEIGHT DILATION_WIDTH GROUPS",
  );
});
