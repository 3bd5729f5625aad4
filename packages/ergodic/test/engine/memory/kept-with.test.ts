import { expect, it, vi } from "vitest";
import { keptWith } from "../../../src/engine/memory/kept-with.ts";

it("computes once for each object and word, and again after an error", () => {
  const compute = vi.fn((of: { x: number }, word: number, where: string) => {
    if (of.x < 0) throw new Error(where);
    return of.x * word;
  });
  const kept = keptWith(compute);
  const [a, b] = [{ x: 2 }, { x: 3 }];
  expect([kept(a, 4, ""), kept(b, 4, ""), kept(a, 8, ""), kept(a, 4, ""), kept(b, 4, "")]).toEqual([8, 12, 16, 8, 12]);
  expect(compute).toHaveBeenCalledTimes(3);
  const bad = { x: -1 };
  for (const where of ["first", "second"]) expect(() => kept(bad, 4, where)).toThrow(where);
});
