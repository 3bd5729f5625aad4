import { expect, it } from "vitest";
import { stream } from "../../../src/engine/random/stream.ts";
import { randomSearch } from "../../../src/search/algorithms/random-search.ts";
import { open } from "./drive.ts";

it("draws point j from counter j: uniform in the box, or normal around the start without a box", () => {
  const given = stream(1, "search");
  const boxed = open(randomSearch(), [0, 0], [-1, 3]);
  const free = open(randomSearch({ spread: 2 }), [5, 6]);
  for (let from = 0; from < 128; from += 64) {
    for (const [j, x] of boxed.propose().entries()) {
      const draws = given.at(from + j);
      expect([...x]).toEqual([-1 + 4 * draws.uniform(), -1 + 4 * draws.uniform()]);
    }
    for (const [j, x] of free.propose().entries()) {
      const draws = given.at(from + j);
      expect([...x]).toEqual([5 + 2 * draws.normal(), 6 + 2 * draws.normal()]);
    }
    for (const state of [boxed, free]) state.update(state.propose(), new Float64Array(64));
  }
});
