/**
 * Every registered search keeps the family's promises. It converges on a sphere and on badly scaled kinks, asks for the
 * same points whatever the order of tells and the split of asks, and resumes exactly in the middle of a batch. It
 * ignores an added constant and, if it uses ranks, any monotone transformation. It survives failed evaluations, stays
 * in its space, is rebuilt from its JSON, and repeats itself for the same seed.
 */
import { describe, expect, test } from "vitest";
import type { Snapshot, Tensor } from "../../src/engine/contract/index.ts";
import { decode, encode } from "../../src/engine/files/safetensors.ts";
import { stream } from "../../src/engine/random/stream.ts";
import * as e from "../../src/entries/everything.ts";
import { definedSearches } from "../../src/search/algorithms/define-search.ts";

type Value = (x: Float64Array) => number;

const entries = Object.entries(e.searchRegistry);
const CENTRE = [2, -2, 1];
const sphere: Value = (x) => x.reduce((sum, v, i) => sum + (v - CENTRE[i]) ** 2, 0);
const scaled: Value = (x) => x.reduce((sum, v, i) => sum + 10 ** i * (v - CENTRE[i]) ** 2, 0);
const kinked: Value = (x) => x.reduce((sum, v, i) => sum + 10 ** i * Math.abs(v - CENTRE[i]), 0);
const from = { x0: [0, 0, 0], stepSize: 1 };
/** Values for which sums and differences are exact. */
const onGrid =
  (f: Value): Value =>
  (x) =>
    Math.round(f(x) * 2 ** 20) / 2 ** 20;

const made = (entry: e.SearchEntry, options: Partial<e.SearchOptions> = {}): e.Search =>
  e.search({ ...from, algorithm: entry.make(entry.sphere.options), evaluations: entry.sphere.evaluations, seed: 1, ...options });

/** Points that the search asks for until it stops, `most` values are told, or the best value is below `goal`. */
function drive(s: e.Search, f: Value, most = Infinity, goal = -Infinity): number[][] {
  const points: number[][] = [];
  while (s.stopped === null && points.length < most && !(s.best && s.best.value < goal)) {
    for (const { id, x } of s.ask(Math.min(8, most - points.length))) {
      points.push([...x]);
      s.tell(id, f(x));
    }
  }
  return points;
}

describe("declared convergence within the budget from three seeds", () => {
  test.each(entries)("%s", (_, entry) => {
    const problems: [Value, e.SearchEntry["sphere"]][] = [
      [sphere, entry.sphere],
      [scaled, entry.scaled],
    ];
    if (entry.kinks) problems.push([kinked, entry.scaled]);
    for (const [f, { options, evaluations, share }] of problems) {
      for (const seed of [1, 2, 3]) {
        const s = made(entry, { algorithm: entry.make(options), evaluations, seed });
        const goal = share * f(Float64Array.from(from.x0));
        drive(s, f, Infinity, goal);
        expect(s.best?.value).toBeLessThan(goal);
        expect(s.evaluations).toBeLessThanOrEqual(evaluations);
      }
    }
  });
});

describe("independence of the order of tells and the split of asks", () => {
  test.each(entries)("%s", (_, entry) => {
    const plain = made(entry);
    const points = drive(plain, sphere, 300);
    const s = made(entry);
    const draws = stream(7).at(0);
    const asked: number[][] = [];
    const open: { id: number; value: number }[] = [];
    while (s.stopped === null && s.evaluations < points.length) {
      const room = points.length - s.evaluations - open.length;
      const more = room > 0 ? s.ask(Math.min(room, 1 + draws.integer(5))) : [];
      for (const { id, x } of more) {
        asked[id] = [...x];
        open.push({ id, value: sphere(x) });
      }
      if (more.length > 0 && draws.uniform() < 0.5) continue;
      const [now] = open.splice(draws.integer(open.length), 1);
      s.tell(now.id, now.value);
    }
    expect(asked).toEqual(points);
    expect(s.snapshot()).toEqual(plain.snapshot());
    expect(s.history).toEqual(plain.history);
    expect(open).toEqual([]);
  });
});

/** Converts to bytes and text and back, like a checkpoint. */
function kept({ tensors, state }: Snapshot): Snapshot {
  const stored = Object.fromEntries(Object.entries(tensors).map(([name, values]) => [name, { shape: [values.length], values }]));
  const { tensors: read, metadata } = decode(encode(stored, { state: JSON.stringify(state) }), "test");
  return {
    tensors: Object.fromEntries(Object.entries(read).map(([name, { values }]) => [name, values as Tensor])),
    state: JSON.parse(metadata.state),
  };
}

describe("resumption in the middle of a batch from bytes and text", () => {
  test.each(entries)("%s", (_, entry) => {
    const whole = made(entry);
    const points = drive(whole, sphere, 300);
    for (const at of [0, 1, 7, 50, 131]) {
      const first = made(entry);
      drive(first, sphere, at);
      const waiting = first.ask(2);
      if (waiting.length === 2) first.tell(waiting[1].id, sphere(waiting[1].x));
      const second = made(entry, { algorithm: e.searchFromJson(JSON.parse(JSON.stringify(first.algorithm.toJSON()))) });
      second.restore(kept(first.snapshot()));
      expect(second.snapshot()).toEqual(first.snapshot());
      expect(second.pending).toEqual(waiting.slice(0, 1));
      for (const { id, x } of second.pending) second.tell(id, sphere(x));
      const rest = drive(second, sphere, points.length - second.evaluations);
      expect(rest).toEqual(points.slice(points.length - rest.length));
      expect(second.snapshot()).toEqual(whole.snapshot());
      expect(second.best).toEqual(whole.best);
      expect(second.report()).toEqual(whole.report());
    }
  });
});

describe("invariance under a constant added to f", () => {
  test.each(entries)("%s", (_, entry) => {
    const f = onGrid(sphere);
    const plain = drive(made(entry), f, 150);
    const shifted = drive(made(entry), (x) => f(x) + 1024, 150);
    expect(shifted.length).toBe(plain.length);
    for (const [k, x] of shifted.entries())
      for (const [i, v] of x.entries()) expect(Math.abs(v - plain[k][i])).toBeLessThan(1e-9);
  });
});

describe("invariance of rank-based searches under monotone transformations of f", () => {
  test.each(entries.filter(([, entry]) => entry.monotone))("%s", (_, entry) => {
    const plain = drive(made(entry), sphere, 150);
    expect(drive(made(entry), (x) => sphere(x) ** 3 - 5, 150)).toEqual(plain);
  });

  test.each(entries.filter(([, entry]) => !entry.monotone))(
    "%s uses more than ranks, so its declaration is right",
    (_, entry) => {
      const plain = drive(made(entry), sphere, 300);
      expect(drive(made(entry), (x) => sphere(x) ** 3 - 5, 300)).not.toEqual(plain);
    },
  );
});

describe("failing evaluations", () => {
  test.each(entries)("%s", (_, entry) => {
    const half = made(entry);
    const fails: Value = (x) => (x[0] > 2.5 ? Number.NaN : x[1] > 1 ? Infinity : sphere(x));
    drive(half, fails, 1000);
    expect(half.best?.value).toBeLessThan(9);
    expect(half.history.values.filter(Number.isNaN).length).toBe(half.failed);
    const never = made(entry);
    for (const x of drive(never, () => Number.NaN, 300)) expect(x.every(Number.isFinite)).toBe(true);
    expect(never.best).toBeUndefined();
    expect(never.failed).toBe(never.evaluations);
    expect(
      drive(made(entry), () => 3, 300)
        .flat()
        .every(Number.isFinite),
    ).toBe(true);
  });
});

describe("bounds of the space", () => {
  const space: e.SpaceOptions = {
    bounds: [
      [-1, 0.5],
      [1e-3, 10],
      [-2, 3],
      [4, 4],
      [0, Infinity],
    ],
    scale: ["linear", "log", "linear", "linear", "linear"],
    integer: [false, false, true, false, false],
  };
  /** The least value is in a corner. */
  const slope: Value = (x) => -x[0] + Math.log(x[1]) - x[2] + x[4];
  test.each(entries)("%s", (_, entry) => {
    const s = made(entry, { ...space, x0: undefined, stepSize: undefined });
    for (const x of drive(s, slope, 1000)) {
      const inside =
        x[0] >= -1 &&
        x[0] <= 0.5 &&
        x[1] >= 1e-3 &&
        x[1] <= 10 &&
        Number.isInteger(x[2]) &&
        x[2] >= -2 &&
        x[2] <= 3 &&
        x[3] === 4 &&
        x[4] >= 0;
      expect(inside ? "inside" : x).toBe("inside");
    }
    expect(s.best?.value).toBeLessThan(slope(Float64Array.of(-0.25, 0.1, 1, 4, 0.5)));
  });
});

describe("repetition from JSON and by seed", () => {
  test.each(entries)("%s", (name, entry) => {
    const algorithm = entry.make(entry.scaled.options);
    expect(algorithm.name).toBe(name);
    const json = JSON.parse(JSON.stringify(algorithm.toJSON()));
    const rebuilt = e.searchFromJson(json);
    expect(rebuilt.toJSON()).toEqual(algorithm.toJSON());
    const points = (options: Partial<e.SearchOptions>) => drive(made(entry, options), sphere, 100);
    expect(points({ algorithm: rebuilt })).toEqual(points({ algorithm }));
    if (entry.random) expect(points({ seed: 2 })).not.toEqual(points({ seed: 1 }));
    else expect(points({ seed: 2 })).toEqual(points({ seed: 1 }));
    expect(algorithm.summary.length).toBeGreaterThan(10);
    expect(algorithm.source).toMatch(/\d{4}/);
  });
});

describe("a single coordinate and a single evaluation", () => {
  test.each(entries)("%s", (_, entry) => {
    const one = made(entry, { x0: [3], seed: 1 });
    drive(one, (x) => x[0] * x[0], Infinity, 0.1);
    expect(one.best?.value).toBeLessThan(0.1);
    const once = made(entry, { evaluations: 1 });
    expect(drive(once, sphere).length).toBe(1);
    expect(once.stopped).toBe("all evaluations made");
  });
});

describe("options", () => {
  test.each(entries)("%s refuses unknown options and values that are not numbers", (name, entry) => {
    expect(() => entry.make({ unheardOf: 1 })).toThrow(`${name}: unknown option "unheardOf"`);
    for (const [key, value] of Object.entries(entry.make().options)) {
      if (typeof value === "number") expect(() => entry.make({ [key]: Number.NaN })).toThrow("[OPTION_RANGE]");
      if (typeof value === "string") expect(() => entry.make({ [key]: "nonsense" })).toThrow("[OPTION_RANGE]");
      if (typeof value === "boolean")
        expect(() => entry.make({ [key]: "nonsense" as unknown as boolean })).toThrow("[OPTION_TYPE]");
    }
  });

  test("unknown names, the library's own names and user names are handled", () => {
    expect(() => e.searchFromJson({ search: "downhill", options: {} })).toThrow(
      /^search: "downhill" is neither a search of this version nor .* \[SEARCH_UNKNOWN\]$/,
    );
    const define = (name: string) =>
      e.defineSearch(name, { step: 1 }, (_, given) => e.coordinateSearch().start(given), { summary: "", source: "" });
    expect(() => define("cmaEs")).toThrow("[NAME_TAKEN]");
    for (const facts of [null, undefined, 5])
      expect(() => e.defineSearch("own", {}, (_, given) => e.coordinateSearch().start(given), facts as never)).toThrow(
        /^own: the description of the search is .* must be its facts/,
      );
    define("mine");
    expect(e.searchFromJson({ search: "mine", options: { step: 2 } }).options).toEqual({ step: 2 });
    expect(definedSearches.names()).toEqual(expect.arrayContaining([...Object.keys(e.searchRegistry), "mine"]));
  });
});
