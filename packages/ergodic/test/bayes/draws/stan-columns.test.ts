/** Columns of a table: Stan's order, and shapes recovered from labels. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { columnsOf, quantitiesOf } from "../../../src/bayes/draws/stan-columns.ts";
import { anyContent, example } from "./contents.ts";

const labels = (names: string[]) => quantitiesOf("draws.csv", names);

describe("columns", () => {
  it("run over the first index fastest and keep their row-major position", () => {
    const columns = columnsOf(example().quantities);
    expect(columns.map(({ label }) => label)).toEqual("mu theta.1 theta.2 L.1.1 L.2.1 L.1.2 L.2.2 L.1.3 L.2.3".split(" "));
    expect(columns.slice(3).map(({ offset }) => offset)).toEqual([0, 3, 1, 4, 2, 5]);
  });

  it("are recovered from dotted or bracketed labels in any order", () => {
    fc.assert(
      fc.property(anyContent, fc.boolean(), (content, dots) => {
        const columns = columnsOf(content.quantities);
        const bracketed = (label: string) =>
          label.replace(/^([^.]+)\.(.*)$/, (_, name, rest) => `${name}[${rest.replaceAll(".", ",")}]`);
        const found = labels(columns.map(({ label }) => (dots ? label : bracketed(label))));
        expect(found.columns.map(({ name, offset }) => ({ name, offset }))).toEqual(
          columns.map(({ name, offset }) => ({ name, offset })),
        );
        const filled = content.quantities.filter(({ shape }) => !shape.includes(0));
        expect(found.quantities.map(({ name, shape }) => [name, ...shape])).toEqual(
          filled.map(({ name, shape }) => [name, ...shape]),
        );
      }),
      { seed: 12, numRuns: 200 },
    );
    expect(labels(["a.2", "b", "a.1"]).columns.map(({ offset }) => offset)).toEqual([1, 0, 0]);
  });

  it("are read as whole names if they do not end in an index", () => {
    expect(labels(["z.1.real", "t:1", "x.0", "y[0]"]).quantities.map(({ name, shape }) => [name, shape.length])).toEqual([
      ["z.1.real", 0],
      ["t:1", 0],
      ["x.0", 0],
      ["y[0]", 0],
    ]);
  });

  it.each([
    ["a gap", ["a.1.1", "a.2.1", "a.2.2"], /"a" has 3 columns, but indices up to \[2,2\] need 4/],
    ["two of a label", ["a.1", "a.1"], /there are two columns "a.1"/],
    ["indices of two lengths", ["a.1", "a.1.2"], /"a.1.2" has 2 indices, but "a.1" has 1/],
  ])("are refused with %s", (_, names, message) => {
    expect(() => labels(names)).toThrow(message);
  });
});
