/** Linked programs: equal programs share one module, and any difference leads to another. */
import { expect, it } from "vitest";
import { compile } from "../../../src/engine/compiler/compile.ts";
import { add, exp, mul, type ProgramSpec, scalar, sum, vector } from "../../../src/engine/compiler/index.ts";
import { forGood, linkProgram } from "../../../src/engine/compiler/link.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";

const engine = await openEngine();
const x = vector("x");
const made = (changed: Partial<ProgramSpec> = {}): ProgramSpec => ({
  name: "kept",
  precision: "f64",
  short: false,
  operands: [
    { name: "x", type: "f64", access: "direct" },
    { name: "y", type: "f64", access: "direct" },
  ],
  scalars: ["a"],
  stores: [{ operand: "y", value: mul(scalar("a"), exp(x)) }],
  results: [{ scalar: "total", value: sum(x) }],
  ...changed,
});
const others: Record<string, Partial<ProgramSpec>> = {
  "short functions": { short: true },
  "vectors of float32": { precision: "f32" },
  "an operand of float32": {
    operands: [
      { name: "x", type: "f32", access: "direct" },
      { name: "y", type: "f64", access: "direct" },
    ],
  },
  "an operand by indices": {
    operands: [
      { name: "x", type: "f64", access: "direct" },
      { name: "y", type: "f64", access: "indexed" },
    ],
  },
  "another store": { stores: [{ operand: "y", value: add(scalar("a"), exp(x)) }] },
  "a store to another operand": { stores: [{ operand: "x", value: mul(scalar("a"), exp(x)) }] },
  "no store": { stores: [] },
  "another result": { results: [{ scalar: "total", value: sum(exp(x)) }] },
  "a result of another name": { results: [{ scalar: "other", value: sum(x) }] },
  "one scalar more": { scalars: ["a", "b"] },
};

it("links equal programs once, with the same functions", () => {
  const first = linkProgram(engine, made(), forGood);
  const again = linkProgram(engine, made({ name: "by another name" }), forGood);
  expect(again.program).toBe(first.program);
  expect(again.functions).toBe(first.functions);
});

it.each(Object.keys(others))("compiles a separate program for another spec: %s", (name) => {
  const { shared } = engine.memory;
  const first = linkProgram(engine, made(), forGood).program;
  const other = linkProgram(engine, made(others[name]), forGood).program;
  expect(first).toEqual(compile(made(), { shared }));
  expect(other).toEqual(compile(made(others[name]), { shared }));
  expect(other).not.toEqual(first);
  expect(linkProgram(engine, made(), forGood).program).toBe(first);
});
