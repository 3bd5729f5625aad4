import { expect, it } from "vitest";
import { coordinateSearch } from "../../../src/search/algorithms/coordinate-search.ts";
import { drive, open, turn } from "./drive.ts";

it("polls both sides of an axis, doubles its step on success and halves it on failure", () => {
  const state = open(coordinateSearch(), [0, 0]);
  const polls = Array.from({ length: 7 }, () =>
    turn(state, (x) => Math.abs(x[0] - 3) + Math.abs(x[1])).points.map((p) => [...p]),
  );
  expect(polls).toEqual([
    [[0, 0]],
    [
      [1, 0],
      [-1, 0],
    ], // to 1, step 2
    [
      [1, 1],
      [1, -1],
    ], // stays, step ½
    [
      [3, 0],
      [-1, 0],
    ], // to 3, step 4
    [
      [3, 0.5],
      [3, -0.5],
    ], // stays, step ¼
    [
      [7, 0],
      [-1, 0],
    ], // stays, step 2
    [
      [3, 0.25],
      [3, -0.25],
    ],
  ]);
});

it("stops at its tolerance, on a badly scaled quadratic too", () => {
  const { state, best } = drive(open(coordinateSearch({ tolerance: 1e-7 }), [1, 1, 1]), (x) =>
    [1e-3, 1, 1e3].reduce((sum, w, i) => sum + w * (x[i] - Math.PI) ** 2, 0),
  );
  expect(state.stopped).toBe("every step is within 1e-7 of its start");
  // Within a step along each axis f rises on both sides.
  for (const v of best.point) expect(Math.abs(v - Math.PI)).toBeLessThan(2e-7);
});

it("stays on a plateau, and stops", () => {
  const { best, state } = drive(open(coordinateSearch(), [4, 5]), () => Infinity, 500);
  expect(state.stopped).not.toBeNull();
  expect(best.value).toBe(Infinity);
});
