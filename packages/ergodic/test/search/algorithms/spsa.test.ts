import { expect, it } from "vitest";
import { stream } from "../../../src/engine/random/stream.ts";
import { spsa } from "../../../src/search/algorithms/spsa.ts";
import { open, turn } from "./drive.ts";

const f = (x: Float64Array): number => (x[0] - 1) ** 2 + 3 * x[1] * x[0] + x[1] ** 4;

it("makes the step of its equation, with Spall's gains", () => {
  const state = open(spsa({ a: 0.3 }), [0.5, -0.25]);
  let x = [0.5, -0.25];
  for (let k = 0; k < 6; k++) {
    turn(state, f);
    const draws = stream(1, "search").at(k);
    const delta = [0, 1].map(() => 2 * draws.integer(2) - 1);
    const c = 0.1 / (k + 1) ** 0.101;
    const at = (sign: number) => f(Float64Array.from(x, (v, i) => v + sign * c * delta[i]));
    const slope = (at(1) - at(-1)) / (2 * c);
    // No limit: A = 10.
    x = x.map((v, i) => v - (0.3 / (k + 1 + 10) ** 0.602) * slope * delta[i]);
    const centre = state.centre?.() ?? [];
    for (const i of [0, 1]) expect(centre[i]).toBeCloseTo(x[i], 13);
  }
});

it("sets A to a tenth of the updates in the budget", () => {
  const { start, ...others } = {
    start: new Float64Array(1),
    lower: Float64Array.of(-Infinity),
    upper: Float64Array.of(Infinity),
  };
  const rate = (budget: number) =>
    spsa({ a: 1 })
      .start({ start, ...others, budget, stream: stream(1, "search") })
      .report().rate;
  expect(rate(100)).toBeCloseTo(11 ** -0.602, 14);
  expect(rate(2000)).toBeCloseTo(101 ** -0.602, 14);
  expect(
    spsa({ a: 1, stability: 0 })
      .start({ start, ...others, budget: 1, stream: stream(1, "search") })
      .report().rate,
  ).toBe(1);
});

it("chooses a so that the first move is firstStep for any scale of f, except after flat or failed updates", () => {
  for (const scale of [1e-6, 1, 1e9]) {
    const state = open(spsa({ firstStep: 0.25 }), [2, 3]);
    turn(state, () => 7);
    state.update(state.propose(), Float64Array.of(Infinity, 1));
    expect([...(state.centre?.() ?? [])]).toEqual([2, 3]);
    turn(state, (x) => scale * (x[0] + 3 * x[1]));
    for (const [i, v] of (state.centre?.() ?? []).entries()) expect(Math.abs(v - [2, 3][i])).toBeCloseTo(0.25, 12);
  }
});
