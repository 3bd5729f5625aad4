/** The initial state of a lane. */
import { expect, it } from "vitest";
import { roundingState } from "../../../src/engine/optimise/lane.ts";

it("each lane rounds with its own generator, whose state is never 0", () => {
  const states = [0, 1].flatMap((seed) => [0, 1, 2, 3].map((lane) => roundingState(seed, lane)));
  expect(new Set(states.map(String)).size).toBe(states.length);
  for (const state of states) expect([state.length, state.every((word) => word !== 0)]).toEqual([4, true]);
  expect(roundingState(1, 2)).toEqual(roundingState(1, 2));
});
