import { expect, it } from "vitest";
import { Recent } from "../../../src/engine/compiler/recent.ts";

it("retains the most recently used entries within limits of count and weight", () => {
  const recent = new Recent<number>(3, 10);
  for (const [key, weight] of [
    ["a", 1],
    ["b", 1],
    ["c", 1],
  ] as const)
    recent.set(key, weight, weight);
  recent.get("a");
  recent.set("d", 1, 1);
  expect(["a", "b", "c", "d"].map((key) => recent.get(key))).toEqual([1, undefined, 1, 1]);
  // Setting a key again with another weight counts it once.
  recent.set("a", 7, 7);
  recent.set("e", 3, 3);
  expect(["a", "c", "d", "e"].map((key) => recent.get(key))).toEqual([7, undefined, undefined, 3]);
  // An entry heavier than the limit is not stored, and evicts nothing.
  recent.set("f", 11, 11);
  expect(["a", "e", "f"].map((key) => recent.get(key))).toEqual([7, 3, undefined]);
});
