/**
 * Augmentation: every example is one of the possible results, all results have the right frequency, and each example
 * has its own draws.
 */
import { afterAll, describe, expect, it } from "vitest";
import { input, interpret } from "../../../../src/engine/compiler/array/index.ts";
import * as n from "../../../../src/learning/models/neural/index.ts";
import { chiSquare, kolmogorovSmirnov, normalDistribution } from "../../../bayes/statistical/p-values.ts";
import { power } from "../../../power.ts";

// The file has false alarms at 1e-4.
const CHECKS = 6;
const LEVEL = 1e-4 / CHECKS;
let checks = 0;
const expectGood = (pValue: number): void => {
  checks++;
  expect(pValue).toBeGreaterThan(LEVEL);
};
afterAll(() => expect(checks).toBeLessThanOrEqual(CHECKS));

const [ROWS, HEIGHT, WIDTH] = [power(1200, 2000), 3, 4];
const CELLS = HEIGHT * WIDTH;
const image = Array.from({ length: CELLS }, (_, i) => i + 1);
const images = Array.from({ length: ROWS * CELLS }, (_, i) => image[i % CELLS]);
const key = [3, 4] as const;

function augmented(layer: n.Layer, update = 0): Float64Array[] {
  const { output } = n.traceNetwork(layer, input("x", [ROWS, HEIGHT, WIDTH, 1]), { training: true });
  const [y] = interpret([output], { x: images }, { key, update });
  return Array.from({ length: ROWS }, (_, row) => y.subarray(row * CELLS, (row + 1) * CELLS));
}

/** Counts the occurrences of each of `possible`. Every result must be one of them. */
function tally(results: readonly Float64Array[], possible: readonly (readonly number[])[]): Float64Array {
  const names = possible.map((cells) => cells.join(" "));
  expect(new Set(names).size).toBe(names.length);
  const counts = new Float64Array(possible.length);
  for (const result of results) {
    const at = names.indexOf(result.join(" "));
    expect(at).toBeGreaterThanOrEqual(0);
    counts[at]++;
  }
  return counts;
}

const moved = (pick: (h: number, w: number) => number): number[] =>
  Array.from({ length: CELLS }, (_, i) => pick(Math.floor(i / WIDTH), i % WIDTH));
const cell = (h: number, w: number): number => (h >= 0 && h < HEIGHT && w >= 0 && w < WIDTH ? image[h * WIDTH + w] : 0);

describe("randomShift", () => {
  const clamped = (h: number, w: number): number =>
    cell(Math.min(Math.max(h, 0), HEIGHT - 1), Math.min(Math.max(w, 0), WIDTH - 1));
  it.each([
    ["edge", clamped],
    ["zero", cell],
  ] as const)("moves by −1, 0 or 1 in both directions, equally often, and fills by %s", (fill, at) => {
    const possible = [-1, 0, 1].flatMap((down) => [-1, 0, 1].map((right) => moved((h, w) => at(h - down, w - right))));
    expectGood(chiSquare(tally(augmented(n.randomShift(1, { fill })), possible), () => ROWS / 9));
  });

  it("moves differently at each update", () => {
    expect(augmented(n.randomShift(1), 1)).not.toEqual(augmented(n.randomShift(1), 0));
  });
});

describe("randomFlip", () => {
  it.each([
    [2, moved((h, w) => cell(h, WIDTH - 1 - w))],
    [1, moved((h, w) => cell(HEIGHT - 1 - h, w))],
  ] as const)("mirrors along axis %i half of the time", (axis, mirrored) => {
    expectGood(chiSquare(tally(augmented(n.randomFlip({ axis })), [image, mirrored]), () => ROWS / 2));
  });
});

describe("randomCutout", () => {
  it("cuts a square around each cell, equally often", () => {
    const size = 2;
    const possible = moved((h, w) => h * WIDTH + w).map((centre) => {
      const [top, left] = [Math.floor(centre / WIDTH) - 1, (centre % WIDTH) - 1];
      const inside = (h: number, w: number) => h >= top && h < top + size && w >= left && w < left + size;
      return moved((h, w) => (inside(h, w) ? 0 : cell(h, w)));
    });
    expectGood(chiSquare(tally(augmented(n.randomCutout(size)), possible), () => ROWS / CELLS));
  });
});

describe("noise", () => {
  it("is normal with its standard deviation", () => {
    const noise = Float64Array.from(augmented(n.noise(0.5)).flatMap((row) => [...row].map((x, i) => (x - image[i]) / 0.5)));
    expectGood(kolmogorovSmirnov(noise, normalDistribution));
    expect(
      kolmogorovSmirnov(
        noise.map((z) => 1.1 * z),
        normalDistribution,
      ),
    ).toBeLessThan(LEVEL);
  });
});

it.each([
  [() => n.randomShift(0), /randomShift: most is 0.*\[OPTION_RANGE\]/],
  [() => n.randomShift(1, { fill: "wrap" as never }), /randomShift: fill is "wrap".*\[OPTION_RANGE\]/],
  [() => n.randomFlip({ axis: 3 as never }), /randomFlip: axis is 3.*\[OPTION_RANGE\]/],
  [() => n.randomCutout(1.5), /randomCutout: size is 1.5.*\[OPTION_RANGE\]/],
  [() => n.noise(-1), /noise: deviation is -1.*\[OPTION_RANGE\]/],
])("reports errors immediately: %s", (make, message) => expect(make).toThrow(message));
