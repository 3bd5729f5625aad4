/** The search along a line: its evaluated points, controlled by their losses and slopes, and its result. */
import { expect, it } from "vitest";
import { type LineFound, type LinePoint, strongWolfe, wolfeDefaults } from "../../../src/engine/optimise/wolfe.ts";

const point = (stepSize: number, loss: number, slope: number): LinePoint => ({
  stepSize,
  loss,
  slope,
  gradient: new Float64Array(1),
});
const start = point(0, 0, -1);

function search(at: (stepSize: number) => LinePoint): LineFound {
  const asking = strongWolfe(start, 1, 1);
  let next = asking.next();
  while (!next.done) next = asking.next(at(next.value));
  return next.value;
}

/** Losses and slopes in the order of evaluation, and the steps taken. */
function searched(...answers: [loss: number, slope: number][]): { steps: number[]; found: LinePoint; evaluations: number } {
  const steps: number[] = [];
  const at = (stepSize: number): LinePoint => {
    const [loss, slope] = answers[Math.min(steps.length, answers.length - 1)];
    steps.push(stepSize);
    return point(stepSize, loss, slope);
  };
  const { point: found, evaluations } = search(at);
  return { steps, found, evaluations };
}

/** A slope as steep as at the start, so that the search expands. */
const steep = -0.95;

it("accepts the first step if it is low and flat enough", () => {
  for (const slope of [-0.9, 0, 0.9]) expect(searched([-1, slope])).toMatchObject({ steps: [1], evaluations: 1 });
  // The decrease is too small, because c₁ is 1e-4.
  expect(searched([-1e-4, 0]).steps).toEqual([1]);
  expect(searched([-0.9e-4, 0], [-1, 0]).steps).toHaveLength(2);
  expect(searched([-1, -0.901], [-2, 0]).steps).toHaveLength(2);
});

it("expands between 1 % and ten times further while the loss falls", () => {
  const { steps, found, evaluations } = searched([-1, steep], [-2, steep], [-3, 0]);
  expect(evaluations).toBe(3);
  expect(found).toMatchObject({ stepSize: steps[2], loss: -3 });
  for (const [i, before] of [0, 1, steps[1]].slice(0, 2).entries()) {
    expect(steps[i + 1]).toBeGreaterThanOrEqual(steps[i] + 0.01 * (steps[i] - before));
    expect(steps[i + 1]).toBeLessThanOrEqual(10 * steps[i]);
  }
});

it("stops expanding at a loss above the previous one from the third step on, as in the original search", () => {
  // The second point is above the first but low and steep, so the search expands.
  const second = searched([-1, steep], [-0.9, steep], [5, 1], [-2, 0]);
  expect(second.steps[2]).toBeGreaterThan(second.steps[1]);
  // The third point is above the second, so the search returns to the interval between the two.
  const third = searched([-1, steep], [-2, steep], [-1.9, steep], [-3, 0]);
  expect(third.steps[2]).toBeGreaterThan(third.steps[1]);
  expect(third.steps[3]).toBeGreaterThan(third.steps[1]);
  expect(third.steps[3]).toBeLessThan(third.steps[2]);
});

it("zooms between a step that is too high and the one before, and past a rising slope", () => {
  for (const wrong of [
    [5, 1],
    [-1, 0.95],
  ] as [number, number][]) {
    // biome-ignore format: pairs
    const { steps, found } = searched(wrong, [-2, 0]);
    expect(steps).toHaveLength(2);
    expect(steps[1]).toBeGreaterThan(0);
    expect(steps[1]).toBeLessThan(1);
    expect(found.loss).toBe(-2);
  }
});

it("returns the start of a rising line, and the last of 25 steps on an endlessly falling one", () => {
  const up = searched([1, 1]);
  expect(up.found).toBe(start);
  expect(up.evaluations).toBeLessThanOrEqual(wolfeDefaults.maxEvaluations + 1);
  let loss = 0;
  const { point: far, evaluations } = search((stepSize) => point(stepSize, --loss, -1));
  expect([far.loss, evaluations]).toEqual([-26, 26]);
});
