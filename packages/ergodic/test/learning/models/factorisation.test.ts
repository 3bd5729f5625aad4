/**
 * The kernels of factorisation compared with their twin, and the guarantees of each update: exact minima, and an
 * objective that never rises.
 */
import { describe, expect, test } from "vitest";
import type { Plan } from "../../../src/engine/contract/index.ts";
import { Ratings } from "../../../src/engine/data/ratings.ts";
import { CapabilityError, DataError, ErgodicError, OptionError } from "../../../src/engine/errors/errors.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { alternatingLeastSquares } from "../../../src/learning/coordinates/alternating.ts";
import { factorCoordinateDescent } from "../../../src/learning/coordinates/factor-descent.ts";
import { stretches } from "../../../src/learning/coordinates/factor-passes.ts";
import { factorisation } from "../../../src/learning/fit/kinds/ratings.ts";
import { factorisationFromJson } from "../../../src/learning/models/ratings/factorisation.ts";
import type { FactorisationOptions } from "../../../src/learning/models/ratings/settings.ts";
import { componentEpoch, halfGradient, objective, solveSide, sweepSide } from "../../reference/factors.ts";
import { Opened, planFor, plantedRatings, twinOf } from "./planted-ratings.ts";

const als = alternatingLeastSquares({ tolerance: 0 });
const rows = factorCoordinateDescent({ order: "rows", inner: 2, tolerance: 0 });
const components = factorCoordinateDescent({ inner: 2, tolerance: 0 });

const variants: [string, FactorisationOptions][] = [
  ["explicit", { rank: 4, l2: 0.05 }],
  ["explicit, odd rank", { rank: 5, l2: 0.05 }],
  ["explicit, rank 1", { rank: 1, l2: 0.05 }],
  ["explicit, unweighted", { rank: 3, l2: 0.3, weighted: false }],
  ["explicit, no biases", { rank: 3, l2: 0.05, biases: false }],
  ["implicit", { rank: 4, l2: 0.3, implicit: { alpha: 2.5 } }],
  ["implicit, odd rank, weighted", { rank: 3, l2: 0.05, weighted: true, implicit: { alpha: 40 } }],
];
const explicit = variants.filter(([, options]) => !options.implicit);

/** Returns ratings that include a user and an item without ratings, for every variant. */
function ratingsFor(options: FactorisationOptions): Ratings {
  const all = plantedRatings({ counts: options.implicit !== undefined });
  const { users, items } = all.triples();
  return all.select(Array.from(users.keys()).filter((e) => users[e] !== 5 && items[e] !== 3));
}

function expectClose(actual: Float64Array, twin: ReturnType<typeof twinOf>, tolerance: number): void {
  const expected = twin.rows.flat(2);
  expect(actual.length).toBe(expected.length);
  const worst = actual.reduce((most, x, i) => Math.max(most, Math.abs(x - expected[i]) / (1 + Math.abs(expected[i]))), 0);
  expect(worst).toBeLessThan(tolerance);
}

describe("agreement with the twin", () => {
  test.each(variants)("agrees for least squares: %s", async (_, options) => {
    using ratings = ratingsFor(options);
    using run = await Opened.open(ratings, options, als);
    const twin = twinOf(ratings, options, run.problem.start);
    const objectives = await run.epochs(2);
    for (let epoch = 0; epoch < 2; epoch++) for (const side of [0, 1]) solveSide(twin, side);
    expectClose(run.progression.parameters(), twin, 1e-11);
    expect(objectives[1] / objective(twin)).toBeCloseTo(1, 12);
  });

  test.each(variants)("agrees for rounds over rows: %s", async (_, options) => {
    using ratings = ratingsFor(options);
    using run = await Opened.open(ratings, options, rows);
    const twin = twinOf(ratings, options, run.problem.start);
    const objectives = await run.epochs(2);
    for (let epoch = 0; epoch < 2; epoch++) for (const side of [0, 1]) sweepSide(twin, side, 2);
    expectClose(run.progression.parameters(), twin, 1e-11);
    expect(objectives[1] / objective(twin)).toBeCloseTo(1, 12);
  });

  test.each(explicit)("agrees for components: %s", async (_, options) => {
    using ratings = ratingsFor(options);
    using run = await Opened.open(ratings, options, components);
    const twin = twinOf(ratings, options, run.problem.start);
    const objectives = await run.epochs(2);
    for (let epoch = 0; epoch < 2; epoch++) componentEpoch(twin, 2);
    expectClose(run.progression.parameters(), twin, 1e-11);
    expect(objectives[1] / objective(twin)).toBeCloseTo(1, 12);
  });

  test.each(variants)("computes float32 factors with float64 arithmetic: %s", async (_, options) => {
    using ratings = ratingsFor(options);
    for (const algorithm of options.implicit ? [als, rows] : [als, rows, components]) {
      using narrow = await Opened.open(ratings, options, algorithm, { precision: { data: "f32", model: "f32" } });
      using wide = await Opened.open(ratings, options, algorithm);
      const [[a], [b]] = [await narrow.epochs(1), await wide.epochs(1)];
      // Stored factors have random relative errors up to 2^-24.

      expect(Math.abs(a / b - 1)).toBeLessThan(2 ** -22);
      expect(narrow.progression.parameters().every((x) => x === Math.fround(x))).toBe(true);
    }
  });

  test.each(variants)("agrees to rounding in the relaxed build: %s", async (_, options) => {
    using ratings = ratingsFor(options);
    using relaxed = await Opened.open(ratings, options, als, { deterministic: false });
    using plain = await Opened.open(ratings, options, als);
    const [[a], [b]] = [await relaxed.epochs(1), await plain.epochs(1)];
    expect(Math.abs(a / b - 1)).toBeLessThan(1e-11);
  });
});

describe("updates", () => {
  test.each(variants)("find the exact minimum in each half of an alternation: %s", async (_, options) => {
    using ratings = ratingsFor(options);
    using run = await Opened.open(ratings, options, als);
    const { problem, progression } = run;
    const itemsFrom = ratings.users.size * problem.width;
    const expectMinimum = (parameters: Float64Array, side: number): void => {
      const twin = twinOf(ratings, options, parameters);
      const gradients = twin.rows[side].flatMap((_, row) => halfGradient(twin, side, row));
      expect(Math.max(...gradients.map(Math.abs))).toBeLessThan(1e-10);
    };
    for (let epoch = 1; epoch <= 2; epoch++) {
      let before = progression.parameters();
      let halves = 0;
      while (progression.step < epoch * progression.stepsPerEpoch) {
        await progression.advance(1);
        const after = progression.parameters();
        // The first step that moves an item comes after all users are solved.
        if (halves === 0 && after.subarray(itemsFrom).some((x, k) => x !== before[itemsFrom + k])) {
          expectMinimum(before, 0);
          halves++;
        }
        before = after;
      }
      expect(halves).toBe(1);
      expectMinimum(before, 1);
    }
  });

  test.each(variants)("never raise the objective, and leave a user without ratings at 0: %s", async (_, options) => {
    using ratings = ratingsFor(options);
    for (const algorithm of options.implicit ? [als, rows] : [als, rows, components]) {
      using run = await Opened.open(ratings, options, algorithm);
      const objectives = [objective(twinOf(ratings, options, run.problem.start)), ...(await run.epochs(12))];
      for (let k = 1; k < objectives.length; k++) {
        expect(objectives[k]).toBeLessThanOrEqual(objectives[k - 1] * (1 + 1e-13));
      }
      const twin = twinOf(ratings, options, run.progression.parameters());
      expect(twin.rows[0][5].every((x) => x === 0)).toBe(true);
      expect(twin.rows[1][3].every((x) => x === 0)).toBe(true);
    }
  });

  test("reach one objective with least squares and both orders of descent", async () => {
    using ratings = plantedRatings({ density: 0.9, noise: 0.3 });
    for (const options of [
      { rank: 3, l2: 1 },
      { rank: 3, l2: 1, weighted: true, biases: false },
    ]) {
      const ends: number[] = [];
      for (const algorithm of [als, rows, components]) {
        using run = await Opened.open(ratings, options, algorithm);
        ends.push((await run.epochs(700)).at(-1)!);
      }
      expect(Math.abs(ends[1] / ends[0] - 1)).toBeLessThan(1e-9);
      expect(Math.abs(ends[2] / ends[0] - 1)).toBeLessThan(1e-9);
    }
  });

  test("recover a planted low-rank matrix from half of its cells", async () => {
    using all = plantedRatings({ users: 40, items: 30, rank: 2, density: 1, noise: 0 });
    const { train, test: held } = all.split(0.6, { seed: 3 });
    const options = { rank: 2, l2: 1e-9, biases: false };
    for (const algorithm of [als, factorCoordinateDescent({ inner: 3, tolerance: 0 })]) {
      using run = await Opened.open(train, options, algorithm);
      await run.epochs(algorithm === als ? 150 : 700);
      const { rows: found } = twinOf(train, options, run.progression.parameters());
      const { users, items, values } = held.triples();
      const errors = values.map((r, e) => {
        const [p, q] = [found[0][users[e]], found[1][items[e]]];
        return Math.abs(r - p[0] * q[0] - p[1] * q[1]);
      });
      expect(Math.max(...errors)).toBeLessThan(1e-5);
    }
    train.dispose();
    held.dispose();
  });

  test("handle a rank above the number of ratings", async () => {
    using ratings = Ratings.fromTriples({ users: ["a", "a", "b"], items: ["x", "y", "x"], values: [5, 1, 4] });
    const options = { rank: 9, l2: 0.01 };
    using run = await Opened.open(ratings, options, als);
    const objectives = await run.epochs(200);
    const twin = twinOf(ratings, options, run.progression.parameters());
    expect(objectives.at(-1)).toBeCloseTo(objective(twin), 12);
    expect(objectives.at(-1)).toBeLessThan(0.2);
  });
});

describe("runs", () => {
  const bytesOf = (run: Opened): string => Buffer.from(run.progression.parameters().buffer).toString("base64");

  test.each([
    ["least squares", als, { rank: 6 }],
    ["least squares, implicit", als, { rank: 6, implicit: {} }],
    ["rows, implicit", rows, { rank: 6, implicit: {} }],
    ["components", components, { rank: 6 }],
  ] as const)("%s: produce the same bytes on one or two workers, for any steps per call", async (_, algorithm, options) => {
    using ratings = plantedRatings({ users: 70, items: 50, counts: "implicit" in options });
    const ends: string[] = [];
    for (const [workers, perCall] of [
      [1, 1e9],
      [1, 3],
      [2, 1e9],
      [2, 5],
      [3, 7],
    ]) {
      using run = await Opened.open(ratings, options, algorithm, { workers });
      const { progression } = run;
      while (progression.step < 3 * progression.stepsPerEpoch) await progression.advance(perCall);
      ends.push(`${String(progression.report().objective)} ${bytesOf(run)}`);
    }
    expect(new Set(ends).size).toBe(1);
  });

  test.each([
    ["least squares, implicit", als, { rank: 4, implicit: {} }],
    ["components", components, { rank: 4 }],
    ["rows", rows, { rank: 4 }],
  ] as const)("%s: resume bit for bit from a snapshot at any step", async (_, algorithm, options) => {
    using ratings = plantedRatings({ counts: "implicit" in options });
    using whole = await Opened.open(ratings, options, algorithm);
    const { stepsPerEpoch } = whole.progression;
    await whole.epochs(3);
    for (const at of [0, 1, Math.floor(stepsPerEpoch / 2), stepsPerEpoch - 1, stepsPerEpoch, stepsPerEpoch + 5]) {
      using first = await Opened.open(ratings, options, algorithm);
      while (first.progression.step < at) await first.progression.advance(at - first.progression.step);
      const { tensors, state } = first.progression.snapshot();
      using second = await Opened.open(ratings, options, algorithm, { seed: 99 });
      second.progression.restore({ tensors, state: JSON.parse(JSON.stringify(state)) });
      while (second.progression.step < 3 * stepsPerEpoch) await second.progression.advance(1e9);
      expect(bytesOf(second)).toBe(bytesOf(whole));
      expect(second.progression.snapshot().state).toEqual(whole.progression.snapshot().state);
    }
  });

  test("converge once an epoch gains less than the tolerance", async () => {
    using ratings = plantedRatings();
    using run = await Opened.open(ratings, { rank: 2 }, alternatingLeastSquares({ tolerance: 1e-3 }));
    const objectives: number[] = [];
    while (!run.progression.converged) objectives.push(...(await run.epochs(1)));
    const gains = objectives.map((x, k) => (k === 0 ? Infinity : (objectives[k - 1] - x) / objectives[k - 1]));
    expect(gains.at(-1)).toBeLessThanOrEqual(1e-3);
    expect(gains.slice(0, -1).every((gain) => gain > 1e-3)).toBe(true);
  });

  test("cover all rows with nonempty stretches of equal cost, to within one row", () => {
    const ratings = [0, 3, 3, 3, 90, 1, 0, 0, 2, ...Array.from({ length: 300 }, (_, k) => (k * k) % 37)];
    const start = Uint32Array.from(
      [0, ...ratings].map(
        (
          (sum) => (n: number) =>
            (sum += n)
        )(0),
      ),
    );
    for (const cost of [
      { perRating: 1, perRow: 0 },
      { perRating: 1, perRow: 5 },
      { perRating: 1e4, perRow: 1 },
    ]) {
      const edges = stretches(start, cost);
      const costs = ratings.map((n) => cost.perRating * n + cost.perRow);
      const share = costs.reduce((a, b) => a + b, 0) / (edges.length - 1);
      expect([edges[0], edges.at(-1)]).toEqual([0, ratings.length]);
      for (let k = 1; k < edges.length; k++) {
        expect(edges[k]).toBeGreaterThan(edges[k - 1]);
        const own = costs.slice(edges[k - 1], edges[k]).reduce((a, b) => a + b, 0);
        expect(own).toBeLessThanOrEqual(share + Math.max(...costs));
      }
    }
    expect([...stretches(Uint32Array.of(0, 4), { perRating: 1, perRow: 1 })]).toEqual([0, 1]);
  });

  test("release their memory", async () => {
    using ratings = plantedRatings();
    const { memory } = await openEngine();
    const before = memory.usedBytes;
    for (const algorithm of [als, rows, components]) {
      using run = await Opened.open(ratings, { rank: 4 }, algorithm);
      await run.epochs(1);
    }
    await Opened.open(ratings, { implicit: {} }, factorCoordinateDescent({ order: "components" })).catch(() => {});
    expect(memory.usedBytes).toBeLessThanOrEqual(before);
  });
});

describe("refusals", () => {
  const failure = async (make: () => unknown): Promise<[string, string]> => {
    try {
      await make();
    } catch (error) {
      if (error instanceof ErgodicError) return [error.constructor.name, error.code];
      throw error;
    }
    throw new Error("nothing was thrown");
  };
  const start = async (options: FactorisationOptions, plan: Partial<Plan>, algorithm = als): Promise<void> => {
    using ratings = plantedRatings({ counts: options.implicit !== undefined });
    using run = await Opened.open(ratings, options, algorithm, plan);
    await run.epochs(1);
  };

  test.each<[string, FactorisationOptions, string]>([
    ["an unknown option", { ranks: 3 } as FactorisationOptions, "OPTION_UNKNOWN"],
    ["rank 0", { rank: 0 }, "OPTION_RANGE"],
    ["rank 1.5", { rank: 1.5 }, "OPTION_RANGE"],
    ["l2 0", { l2: 0 }, "OPTION_RANGE"],
    ["alpha < 0", { implicit: { alpha: -1 } }, "OPTION_RANGE"],
    ["implicit true", { implicit: true as unknown as false }, "OPTION_TYPE"],
    ["implicit with an unknown option", { implicit: { beta: 1 } as object }, "OPTION_UNKNOWN"],
    ["biases of preferences", { implicit: {}, biases: true }, "OPTION_CONFLICT"],
    ["initialScale 0", { initialScale: 0 }, "OPTION_RANGE"],
    ["weighted 1", { weighted: 1 as unknown as boolean }, "OPTION_TYPE"],
  ])("refuses %s", async (_, options, code) => {
    expect(await failure(() => factorisation(options))).toEqual([OptionError.name, code]);
  });

  test("refuses meaningless plans and unsuitable data", async () => {
    const meaning = [CapabilityError.name, "PLAN_MEANING"];
    expect(await failure(() => start({}, { batch: 10 }))).toEqual(meaning);
    expect(await failure(() => start({}, { replicas: 2 }))).toEqual(meaning);
    expect(await failure(() => start({}, { replicas: "shared" }))).toEqual(meaning);
    expect(await failure(() => start({}, { precision: { data: "i8", model: "f32" } }))).toEqual(meaning);
    expect(await failure(() => start({}, { precision: { data: "f32", model: "i16" } }))).toEqual(meaning);
    expect(await failure(() => start({ implicit: {} }, {}, factorCoordinateDescent({ order: "components" })))).toEqual([
      CapabilityError.name,
      "MODEL_CAPABILITY",
    ]);
    const engine = await openEngine();
    const other = { name: "linear", rowCount: 1, parameterCount: 1, dispose() {} };
    expect(await failure(() => als.start(other, planFor(), engine))).toEqual([CapabilityError.name, "MODEL_CAPABILITY"]);
    using negative = Ratings.fromTriples({ users: [1, 2], items: [1, 1], values: [1, -1] });
    expect(await failure(() => factorisation({ implicit: {} }).bind(negative, planFor(), engine))).toEqual([
      DataError.name,
      "DATA_VALUE",
    ]);
  });

  test("ends the run if equations are singular to rounding", async () => {
    using ratings = Ratings.fromTriples({ users: [1, 1, 2], items: [1, 2, 1], values: [1, 2, 3] });
    using run = await Opened.open(ratings, { rank: 8, l2: 1e-30, biases: false }, als);
    expect(await failure(() => run.epochs(1))).toEqual([ErgodicError.name, "MODEL_SINGULAR"]);
  });

  test("refuses invalid options of the algorithms", async () => {
    expect(await failure(() => alternatingLeastSquares({ tolerance: -1 }))).toEqual([OptionError.name, "OPTION_RANGE"]);
    expect(await failure(() => alternatingLeastSquares({ tol: 1 } as object))).toEqual([OptionError.name, "OPTION_UNKNOWN"]);
    expect(await failure(() => factorCoordinateDescent({ inner: 0 }))).toEqual([OptionError.name, "OPTION_RANGE"]);
    expect(await failure(() => factorCoordinateDescent({ order: "columns" as "rows" }))).toEqual([
      OptionError.name,
      "OPTION_RANGE",
    ]);
  });
});

test("the model is rebuilt from its JSON", () => {
  for (const [, options] of variants) {
    const model = factorisation(options);
    const json = JSON.parse(JSON.stringify(model.toJSON()));
    expect(factorisationFromJson(json).toJSON()).toEqual(model.toJSON());
  }
});
