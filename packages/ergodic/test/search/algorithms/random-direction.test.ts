import { expect, it } from "vitest";
import { stream } from "../../../src/engine/random/stream.ts";
import { randomDirection } from "../../../src/search/algorithms/random-direction.ts";
import { open, turn } from "./drive.ts";

const f = (x: Float64Array): number => (x[0] - 1) ** 2 + 3 * x[1] * x[0] + x[1] ** 4;
const shifted = (x: number[], u: number[], by: number): Float64Array => Float64Array.from(x, (v, i) => v + by * u[i]);

it.each([false, true])("makes the step of its equation, antithetic: %s", (antithetic) => {
  const options = { rate: 0.1, sigma: 0.01, decay: 0.5, directions: 3, antithetic };
  const state = open(randomDirection(options), [0.5, -0.25]);
  let x = [0.5, -0.25];
  for (let k = 0; k < 5; k++) {
    turn(state, f);
    const draws = stream(1, "search").at(k);
    const us = Array.from({ length: 3 }, () => [draws.normal(), draws.normal()]);
    const step = [0, 0];
    for (const u of us) {
      const slope = antithetic
        ? (f(shifted(x, u, 0.01)) - f(shifted(x, u, -0.01))) / 0.02
        : (f(shifted(x, u, 0.01)) - f(Float64Array.from(x))) / 0.01;
      for (const i of [0, 1]) step[i] += (slope * u[i]) / 3;
    }
    x = x.map((v, i) => v - (0.1 / (1 + 0.5 * k)) * step[i]);
    const centre = state.centre?.() ?? [];
    for (const i of [0, 1]) expect(centre[i]).toBeCloseTo(x[i], 13);
  }
});

it("moves along −u uᵀ∇f on a linear function, so that the mean step is −α∇f", () => {
  // 4000 updates at α = 1: the mean of (uᵀg)u has variance (‖g‖² + g_i²)/n ≤ 50/4000. Five deviations are a false alarm
  // in 1e6 over both coordinates.
  const g = [3, -4];
  const state = open(randomDirection({ rate: 1, sigma: 1 }), [0, 0]);
  for (let k = 0; k < 4000; k++) turn(state, (x) => g[0] * x[0] + g[1] * x[1]);
  for (const [i, x] of (state.centre?.() ?? []).entries()) {
    expect(Math.abs(x / 4000 + g[i])).toBeLessThan(5 * Math.sqrt((25 + g[i] * g[i]) / 4000));
  }
});

it("omits a direction that failed", () => {
  const state = open(randomDirection({ directions: 2 }), [0]);
  state.update(state.propose(), Float64Array.of(1, Infinity, 1));
  expect([...(state.centre?.() ?? [])]).toEqual([0]);
  state.update(state.propose(), Float64Array.of(Infinity, 1, 2));
  expect([...(state.centre?.() ?? [])]).toEqual([0]);
});
