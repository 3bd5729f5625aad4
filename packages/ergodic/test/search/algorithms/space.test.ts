/**
 * space.ts: the map between the user's coordinates and those of a search, its folds, its defaults, and refused input.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fold, Space, type SpaceOptions, spaceOptionsFromJson } from "../../../src/search/algorithms/space.ts";
import { between } from "../../reference/between.ts";

const space = (options: SpaceOptions): Space => new Space("search", options);
const at = (s: Space, ...z: number[]): number[] => [...s.toUser(Float64Array.from(z))];

it("uses x₀ and the scales of searched coordinates, and skips fixed ones", () => {
  const mixed = space({
    x0: [7, 2, 5, 3, 40],
    bounds: [
      [7, 7],
      [1, 1000],
      [5, 5],
      [-10, 10],
      [0, 100],
    ],
    scale: ["linear", "log", "linear", "linear", "linear"],
    integer: [false, false, false, false, true],
    stepSize: [1, 0.5, 1, 2, 3],
  });
  const [a, b, c, d, e] = at(mixed, 1, 1, 1.1);
  expect([a, c, d, e]).toEqual([7, 5, 5, 43]);
  expect(b).toBeCloseTo(2 * Math.exp(0.5), 12);
  expect(at(mixed, Number.NaN, 0, 0)[1]).toBeNaN();
});

describe("fold", () => {
  it("reflects at the sides: identity within, period twice the width, slope ±1", () => {
    expect([0, 1, 2, 3, 3.5, 4, 5, 6, 7, -0.5, -1, -3].map((z) => fold(z, 0, 3))).toEqual([
      0, 1, 2, 3, 2.5, 2, 1, 0, 1, 0.5, 1, 3,
    ]);
    expect([-3, 1, 4].map((z) => fold(z, 1, Infinity))).toEqual([5, 1, 4]);
    expect([-3, 1, 4].map((z) => fold(z, -Infinity, 1))).toEqual([-3, 1, -2]);
    expect(fold(1e300, -Infinity, Infinity)).toBe(1e300);
  });

  it("never leaves the box, and is continuous across its sides", () => {
    const side = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(
        side,
        fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
        fc.double({ min: -1e9, max: 1e9, noNaN: true }),
        (l, w, z) => {
          const y = fold(z, l, l + w);
          expect(y).toBeGreaterThanOrEqual(l);
          expect(y).toBeLessThanOrEqual(l + w);
        },
      ),
      { seed: 1 },
    );
    for (const by of [1e-9, -1e-9]) expect(Math.abs(fold(2 + by, -1, 2) - 2)).toBeCloseTo(1e-9, 15);
  });
});

describe("coordinates", () => {
  it("are z = (t(x) − t(x₀))/s, linear and log", () => {
    const s = space({ x0: [3, 10], scale: ["linear", "log"], stepSize: [2, Math.LN10] });
    expect(at(s, 0, 0)).toEqual([3, 10]);
    expect(at(s, 1.5, 2)[0]).toBe(6);
    expect(at(s, 1.5, 2)[1]).toBeCloseTo(1000, 10);
    expect(s.toInternal("test", [6, 1000])[0]).toBe(1.5);
    expect(s.toInternal("test", [6, 1000])[1]).toBeCloseTo(2, 14);
    expect([...s.lower, ...s.upper]).toEqual([-Infinity, -Infinity, Infinity, Infinity]);
  });

  it("restore a user's point up to rounding, and its bounds exactly", () => {
    const options: SpaceOptions = {
      bounds: [
        [-5, 11],
        [1e-4, 7],
        [-3, 9],
        [2, Infinity],
      ],
      scale: ["linear", "log", "linear", "log"],
      integer: [false, false, true, false],
    };
    const s = space(options);
    const near = (a: number, b: number) => expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-13 * Math.max(1, Math.abs(b)));
    const share = between(0, 1);
    fc.assert(
      fc.property(share, share, share, share, (a, b, c, d) => {
        const x = [-5 + 16 * a, Math.min(7, 1e-4 * 70_000 ** b), 0 + Math.round(-3 + 12 * c), 2 + 1e6 * d];
        const back = s.toUser(s.toInternal("test", x));
        for (const [i, v] of back.entries()) near(v, x[i]);
        expect(back[2]).toBe(x[2]);
      }),
      { seed: 1 },
    );
    const corner = s.toUser(s.toInternal("test", [11, 7, 9, 2]));
    near(corner[0], 11);
    near(corner[1], 7);
    expect([corner[2], corner[3]]).toEqual([9, 2]);
  });

  it("never leave the space for any z: bounds, integers, positive numbers", () => {
    const s = space({
      bounds: [
        [0.1, 0.7],
        [1e-4, 1],
        [-2, 5],
        [1, 8],
        [-Infinity, 3],
      ],
      scale: ["linear", "log", "linear", "log", "linear"],
      integer: [false, false, true, true, false],
    });
    const z = fc.double({ min: -1e3, max: 1e3, noNaN: true });
    fc.assert(
      fc.property(fc.array(z, { minLength: 5, maxLength: 5 }), (zs) => {
        const x = at(s, ...zs);
        expect(x[0] >= 0.1 && x[0] <= 0.7 && x[1] >= 1e-4 && x[1] <= 1 && x[4] <= 3).toBe(true);
        expect([-2, -1, 0, 1, 2, 3, 4, 5]).toContain(x[2]);
        expect([1, 2, 3, 4, 5, 6, 7, 8]).toContain(x[3]);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it("give each integer an equal share of the box", () => {
    const s = space({ bounds: [[0, 3]], integer: true });
    const counts = [0, 0, 0, 0];
    const width = s.upper[0] - s.lower[0];
    for (let i = 0; i < 4000; i++) counts[at(s, s.lower[0] + ((i + 0.5) / 4000) * width)[0]]++;
    expect(counts).toEqual([1000, 1000, 1000, 1000]);
  });

  it("exclude fixed coordinates, and keep them unchanged", () => {
    const s = space({
      bounds: [
        [2, 2],
        [0, 1],
        [5, 5],
      ],
    });
    expect([s.dimension, s.count]).toEqual([3, 1]);
    expect(at(s, 0)).toEqual([2, 0.5, 5]);
    expect([...s.toInternal("test", [2, 0.5, 5])]).toEqual([0]);
  });
});

describe("defaults", () => {
  /** x₀, and the step size from the effect of one step. */
  const startAndStep = (options: SpaceOptions): number[] => {
    const s = space(options);
    return [...at(s, 0), ...at(s, 1)];
  };

  it("are the middle of a box and a fifth of it, one step from one side, and 0 without any", () => {
    expect(startAndStep({ bounds: [[10, 20]] })).toEqual([15, 17]);
    expect(startAndStep({ bounds: [[10, Infinity]] })).toEqual([11, 12.1]);
    expect(startAndStep({ bounds: [[-Infinity, 2]] })).toEqual([1.5, 2]);
    expect(startAndStep({ bounds: [[-Infinity, Infinity]] })).toEqual([0, 0.5]);
    expect(startAndStep({ x0: [100] })).toEqual([100, 110]);
    expect(startAndStep({ x0: [0.1] })).toEqual([0.1, 0.6]);
  });

  it("are the same in nats on a log scale", () => {
    const [x0, x1] = startAndStep({ bounds: [[1e-4, 1]], scale: "log" });
    expect(x0).toBeCloseTo(1e-2, 15);
    expect(Math.log(x1 / x0)).toBeCloseTo(Math.log(1e4) / 5, 12);
    const [y0, y1] = startAndStep({ x0: [3], scale: "log" });
    expect(y0).toBe(3);
    expect(Math.log(y1 / y0)).toBeCloseTo(0.5, 12);
    expect(startAndStep({ bounds: [[-Infinity, Infinity]], scale: "log" })[0]).toBe(1);
  });

  it("include a step large enough to change an integer", () => {
    // One step up is folded back at 1.5.
    const binary = space({ bounds: [[0, 1]], integer: true });
    expect([-1, 0, 1].map((z) => at(binary, z)[0])).toEqual([0, 1, 1]);
    expect(startAndStep({ x0: [5], integer: true })).toEqual([5, 6]);
    expect(startAndStep({ x0: [5], integer: true, scale: "log", stepSize: 1e-3 })).toEqual([5, 6]);
    expect(startAndStep({ x0: [5], integer: true, stepSize: 0.01 })).toEqual([5, 6]);
    // Whole bounds within the given ones.
    expect(at(space({ bounds: [[0.5, 2.5]], integer: true }), 0.9)).toEqual([2]);
  });
});

it("rebuilds from its JSON", () => {
  for (const options of [
    { x0: [1, 2] },
    { x0: [4, 2], scale: "log", integer: [true, false] },
    { bounds: [[0, 1] as const, [-Infinity, 4] as const, [2, 2] as const] },
    { bounds: [[1e-3, Infinity] as const], scale: "log", stepSize: 0.25 },
    { bounds: [[-Infinity, 8] as const], scale: "log" },
  ] as SpaceOptions[]) {
    const s = space(options);
    const json = JSON.parse(JSON.stringify(s.toJSON()));
    const again = space(spaceOptionsFromJson(json));
    expect(again.toJSON()).toEqual(s.toJSON());
    expect([again.lower, again.upper]).toEqual([s.lower, s.upper]);
    const z = Array.from({ length: s.count }, (_, i) => 0.3 * i - 0.7);
    expect(at(again, ...z)).toEqual(at(s, ...z));
  }
});

it("a z that is not finite, or overflows, is NaN rather than a point", () => {
  expect(at(space({ x0: [1], scale: "log" }), 1e6)).toEqual([Number.NaN]);
  expect(at(space({ x0: [1] }), Number.NaN)).toEqual([Number.NaN]);
  expect(at(space({ bounds: [[0, 1]] }), Infinity)).toEqual([Number.NaN]);
});

describe("refused input", () => {
  it.each<[string, SpaceOptions, string]>([
    [
      "nothing given",
      {},
      "search: neither x0 nor bounds were given; give the start x0, or the bounds to search [OPTION_MISSING]",
    ],
    [
      "zero dimensions",
      { x0: [] },
      "search: there is no coordinate to search; give x0 or bounds of one or more [SEARCH_DIMENSION]",
    ],
    [
      "all fixed",
      { bounds: [[1, 1]] },
      "search: every coordinate is fixed, since low equals high in all bounds; widen one [SEARCH_DIMENSION]",
    ],
    [
      "empty bounds",
      { bounds: [[2, 1]] },
      "search: bounds[0] is [2, 1]: low must be at most high; give numbers, or ∓Infinity for no bound [SEARCH_BOUNDS]",
    ],
    [
      "NaN bounds",
      { bounds: [[Number.NaN, 1]] },
      "search: bounds[0] is [NaN, 1]: low must be at most high; give numbers, or ∓Infinity for no bound [SEARCH_BOUNDS]",
    ],
    [
      "no integer",
      { bounds: [[0.2, 0.8]], integer: true },
      "search: bounds[0] is [0.2, 0.8]: no integer lies between; give numbers, or ∓Infinity for no bound [SEARCH_BOUNDS]",
    ],
    [
      "bounds at infinity",
      { bounds: [[Infinity, Infinity]] },
      "search: bounds[0] is [Infinity, Infinity]: low must be at most high; give numbers, or ∓Infinity for no bound [SEARCH_BOUNDS]",
    ],
    [
      "log of zero",
      { bounds: [[0, 1]], scale: "log" },
      'search: bounds[0] is [0, 1], but on a log scale low must be > 0; raise it, or use scale "linear" [SEARCH_BOUNDS]',
    ],
    ["log of x0", { x0: [-1], scale: "log" }, "search: x0[0] is -1, but must be > 0 on a log scale [SEARCH_START]"],
    ["x0 outside", { x0: [3], bounds: [[0, 2]] }, "search: x0[0] is 3, but must lie within its bounds [0, 2] [SEARCH_START]"],
    ["NaN in x0", { x0: [0, Number.NaN] }, "search: x0[1] is NaN, but must be a number [SEARCH_START]"],
    ["text in x0", { x0: ["1"] as unknown as number[] }, 'search: x0[0] is "1", but must be a number [SEARCH_START]'],
    ["a broken integer", { x0: [1.5], integer: true }, "search: x0[0] is 1.5, but must be an integer [SEARCH_START]"],
    ["lengths", { x0: [1, 2], bounds: [[0, 3]] }, "search: x0 has 2 values, but there are 1 coordinates [SEARCH_DIMENSION]"],
    [
      "lengths of scale",
      { x0: [1, 2], scale: ["log"] },
      "search: scale has 1 values, but there are 2 coordinates [SEARCH_DIMENSION]",
    ],
    [
      "an unknown scale",
      { x0: [1], scale: "cubic" as "log" },
      'search: scale[0] is "cubic", but must be "linear" or "log" [OPTION_TYPE]',
    ],
    [
      "integer no boolean",
      { x0: [1], integer: 1 as unknown as boolean },
      "search: integer[0] is 1, but must be false or true [OPTION_TYPE]",
    ],
    ["a step of 0", { x0: [1], stepSize: 0 }, "search: stepSize[0] is 0, but must be a number > 0 [OPTION_RANGE]"],
    [
      "bounds no pairs",
      { bounds: [3] as unknown as [number, number][] },
      "search: bounds[0] is 3, but must be [low, high] [OPTION_TYPE]",
    ],
    ["x0 no array", { x0: 3 as unknown as number[] }, "search: x0 is 3, but must be an array [OPTION_TYPE]"],
  ])("refuses %s", (_, options, message) => {
    expect(() => space(options)).toThrow(message);
  });

  it("refuses points outside the space", () => {
    const s = space({ bounds: [[0, 2]], integer: true });
    expect(() => s.toInternal("search.tell", [3])).toThrow(
      "search.tell: x[0] is 3, but must lie within its bounds [0, 2] [SEARCH_POINT]",
    );
    expect(() => s.toInternal("search.tell", [1, 1])).toThrow("[SEARCH_POINT]");
  });
});
