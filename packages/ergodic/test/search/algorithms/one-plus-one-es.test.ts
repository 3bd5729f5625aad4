import { expect, it } from "vitest";
import { stream } from "../../../src/engine/random/stream.ts";
import { onePlusOneEs } from "../../../src/search/algorithms/one-plus-one-es.ts";
import { drive, open, turn } from "./drive.ts";

it("one success in five leaves the step size unchanged", () => {
  const state = open(onePlusOneEs(), [0]);
  expect(turn(state, () => 5).points).toEqual([Float64Array.of(0)]);
  turn(state, () => 4);
  expect(state.report().sigma).toBe(1.5);
  for (let i = 0; i < 4; i++) turn(state, () => 4.5);
  expect(state.report().sigma).toBeCloseTo(1, 14);
});

it("mutates the better of two points, or the new one if they are equal, which is not a success", () => {
  const state = open(onePlusOneEs(), [0]);
  turn(state, () => 5);
  const z = (k: number) => stream(1, "search").at(k).normal();
  const [x1] = turn(state, () => 5).points;
  expect(x1[0]).toBe(z(1));
  const sigma = state.report().sigma;
  expect(sigma).toBeLessThan(1);
  const [x2] = turn(state, () => 6).points;
  expect(x2[0]).toBe(x1[0] + sigma * z(2));
  expect(state.propose()[0][0]).toBe(x1[0] + state.report().sigma * z(3));
});

it("converges linearly on the sphere, about as fast as theory predicts", () => {
  // Optimal step sizes gain 0.202/d nats of ‖x‖ per evaluation in high dimensions (Rechenberg 1973). The oscillation of
  // the rule costs part of this.
  const d = 20;
  const { values } = drive(open(onePlusOneEs(), new Float64Array(d).fill(3)), (x) => x.reduce((s, v) => s + v * v, 0), 4000);
  const best = (n: number) => values.slice(0, n).reduce((a, b) => Math.min(a, b), Infinity);
  const rate = (0.5 * Math.log(best(1000) / best(4000))) / 3000;
  expect(rate * d).toBeGreaterThan(0.1);
  expect(rate * d).toBeLessThan(0.21);
});

it("stops when its step can no longer change the point", () => {
  const { state } = drive(open(onePlusOneEs({ tolerance: 1e-3 }), [1]), () => 1, 1000);
  expect(state.stopped).toBe("the step size is within 0.001 of its start");
});
