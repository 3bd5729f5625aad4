/** Draws as JSON: the layout, and lossless conversion. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Draws } from "../../../src/bayes/draws/draws.ts";
import { anyContent, example, plain } from "./contents.ts";

describe("draws as JSON", () => {
  it("have the documented format", () => {
    const json = example().toJSON();
    expect(json).toMatchObject({ format: "ergodic-draws", version: 1, chains: 2, count: 3 });
    expect(json.values).toMatchObject({ mu: [0.5, 1.5, 2.5, 3.5, 4.5, 5.5], none: [] });
    expect(json.transitions).toMatchObject({ divergent: [-9, -5, -1, 3, 7, 11] });
    expect(json.report).toEqual({ divergences: 2, rhat: "NaN" });
    expect((json.quantities as unknown[])[2]).toEqual({ name: "L", shape: [2, 3], kind: "transformed" });
  });

  it("are read back bit for bit", () => {
    fc.assert(
      fc.property(anyContent, (content) => {
        expect(plain(Draws.fromJson(JSON.parse(JSON.stringify(new Draws(content).toJSON()))).content)).toEqual(plain(content));
      }),
      { seed: 11, numRuns: 200 },
    );
  });

  const good = example().toJSON();
  it.each([
    ["no object", [], /it does not hold draws: "format" must be "ergodic-draws"/],
    ["a newer version", { ...good, version: 2 }, /its version is 2, but this release reads 1/],
    ["half a draw", { ...good, count: 1.5 }, /"chains" and "count" must be whole numbers/],
    ["a kind unknown", { ...good, quantities: [{ name: "a", shape: [], kind: "latent" }] }, /"quantities" must be a list/],
    ["a name twice", { ...good, quantities: [good.quantities, good.quantities].flat() }, /a quantity is named twice/],
    ["no values", { ...good, values: undefined }, /"values" or "transitions" is missing/],
    [
      "a text for a number",
      { ...good, values: { ...(good.values as object), mu: ["abc"] } },
      /"mu" holds "abc", which is not a number/,
    ],
    [
      "a number lost",
      { ...good, values: { ...(good.values as object), mu: [1, 2, 3, 4, 5] } },
      /"mu" has 5 numbers, but 2 chains of 3 draws need 6; save the draws again \[DRAWS_JSON\]/,
    ],
    ["a field lost", { ...good, transitions: {} }, /"transitions" must hold 6 numbers for each of logDensity, divergent/],
    ["a quantity lost", { ...good, values: {} }, /"mu" must be a list of numbers/],
  ])("refuse %s", (_, json, message) => {
    expect(() => Draws.fromJson(json)).toThrow(message);
  });
});
