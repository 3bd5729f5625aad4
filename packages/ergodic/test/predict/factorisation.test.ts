/** Predictions, recommendations and their metrics, and `fit` from ratings to a file and back. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SavedModel } from "../../src/engine/contract/index.ts";
import { Dataset } from "../../src/engine/data/dataset.ts";
import { Ratings } from "../../src/engine/data/ratings.ts";
import { solvePositive } from "../../src/engine/numbers/cholesky.ts";
import { alternatingLeastSquares, factorCoordinateDescent, factorisation, fit, sgd } from "../../src/entries/everything.ts";
import { FactorPredictor } from "../../src/predict/factorisation.ts";
import { predictor } from "../../src/predict/load.ts";
import { filmRatings } from "../learning/models/film-ratings.ts";
import { plantedRatings, twinOf } from "../learning/models/planted-ratings.ts";
import { cellsOf, eliminate } from "../reference/factors.ts";

/** Two factors and three items. "c" and "new" had no ratings. */
function saved(task: "rating" | "preference", biases: boolean): SavedModel {
  return {
    kind: "factorisation",
    description: {
      task,
      rank: 2,
      biases,
      l2: 0.5,
      alpha: task === "preference" ? 2 : null,
      weighted: false,
      mean: 3,
      users: ["a", "b", "c"],
      items: ["new", "x", "y", "z"],
    },
    tensors: {
      users: Float64Array.of(1, 0, 0, 3, 0, 0),
      items: Float64Array.of(0, 0, 1, 0.5, 2, -1, 0, 1),
      ...(biases ? { userBiases: Float64Array.of(0.25, -0.5, 0), itemBiases: Float64Array.of(0, 0.125, 0, -1) } : {}),
    },
  };
}

describe("predicted values", () => {
  const ask = (task: "rating" | "preference", biases: boolean, user: string, item: string): number =>
    new FactorPredictor(saved(task, biases)).predict({ user, item }).value;

  test("adds no bias for an unknown user or item", () => {
    expect(ask("rating", true, "a", "x")).toBe(3 + 0.25 + 0.125 + 1);
    expect(ask("rating", true, "b", "z")).toBe(3 - 0.5 - 1 + 3);
    expect(ask("rating", true, "a", "new")).toBe(3.25);
    expect(ask("rating", true, "a", "nobody's")).toBe(3.25);
    expect(ask("rating", true, "c", "z")).toBe(2);
    expect(ask("rating", true, "stranger", "z")).toBe(2);
    expect(ask("rating", true, "stranger", "new")).toBe(3);
  });

  test("without biases, returns the product, or the mean for unknown names", () => {
    expect(ask("rating", false, "b", "y")).toBe(-3);
    for (const [user, item] of [
      ["a", "new"],
      ["c", "y"],
      ["stranger", "x"],
      ["a", "other"],
    ])
      expect(ask("rating", false, user, item)).toBe(3);
  });

  test("for implicit ratings, an unknown user gets the mean of the known users", () => {
    expect(ask("preference", false, "b", "y")).toBe(-3);
    expect(ask("preference", false, "c", "y")).toBe(0.5 * 2 - 1.5);
    expect(ask("preference", false, "stranger", "x")).toBe(0.5 + 0.75);
    expect(ask("preference", false, "a", "new")).toBe(0);
  });

  test("returns an array for several pairs", () => {
    const model = new FactorPredictor(saved("rating", true));
    const pairs = [
      { user: "a", item: "x" },
      { user: "c", item: "z" },
    ];
    expect(model.predict(pairs)).toEqual([{ value: 4.375 }, { value: 2 }]);
    expect(model.predict([])).toEqual([]);
  });
});

describe("rows to predict", () => {
  const columns = { user: "userId", item: "movieId", value: "rating" };
  const made = (task: "rating" | "preference", names: object | undefined): FactorPredictor => {
    const { description, ...rest } = saved(task, task === "rating");
    return new FactorPredictor({ ...rest, description: { ...description, ...(names ? { columns: { ...names } } : {}) } });
  };
  const refused = (run: () => unknown): string => {
    try {
      return `answered ${JSON.stringify(run())}`;
    } catch (error) {
      return (error as Error).message;
    }
  };

  test("are read by the training columns, also from a file, or by user and item", async () => {
    const table = {
      rowCount: 3,
      source: "films.csv",
      columns: [
        { name: "userId", kind: "number" as const, values: Float64Array.of(15, 15, 7) },
        { name: "movieId", kind: "number" as const, values: Float64Array.of(1, 2, 1) },
        { name: "rating", kind: "number" as const, values: Float64Array.of(5, 1, 3) },
      ],
    };
    using all = Ratings.fromTable(table, columns);
    expect(all.columns).toEqual(columns);
    expect(Ratings.fromPortable(all.portable()).columns).toEqual(columns);
    using part = all.select([0, 1]);
    expect(part.columns).toEqual(columns);
    const fitted = await fit(factorisation({ rank: 1 }), all, { epochs: 3, seed: 1, deterministic: true });
    const loaded = await predictor<FactorPredictor>(fitted.toBytes());
    expect(loaded.columns).toEqual(columns);
    const known = loaded.valueFor("15", "1");
    expect(Math.abs(known - loaded.mean)).toBeGreaterThan(0.1);
    for (const model of [fitted, loaded])
      expect(
        model.predict([
          { userId: "15", movieId: 1, rating: 5 },
          { user: 15, item: "1" },
        ]),
      ).toEqual([{ value: known }, { value: known }]);
    expect(loaded.predict({ movieId: "1", userId: "15" })).toEqual({ value: known });
    expect(loaded.recommendFor([{ movieId: 2, rating: 5 }])).toEqual(loaded.recommendFor([{ item: 2, value: 5 }]));
    expect(loaded.recommendFor([{ movieId: 2, rating: 5 }])).not.toEqual(loaded.recommendFor([{ item: 2, value: 1 }]));
  });

  test("have a user and an item for ratings from lists and for older files", () => {
    using lists = Ratings.fromTriples({ users: ["a"], items: ["x"] });
    expect(lists.columns).toBeUndefined();
    const model = made("rating", undefined);
    expect(model.columns).toEqual({ user: "user", item: "item" });
    expect(model.predict({ user: "a", item: "x" })).toEqual({ value: 4.375 });
  });

  test.each<[string, object | undefined, object, string]>([
    ["nothing", columns, {}, 'predict: row 1 has no column "userId" (it has none); give the user [DATA_COLUMN]'],
    ["nothing, of lists", undefined, {}, 'predict: row 1 has no column "user" (it has none); give the user [DATA_COLUMN]'],
    ["other columns", columns, { foo: 1 }, 'predict: row 1 has no column "userId" (it has "foo"); give the user [DATA_COLUMN]'],
    [
      "no item",
      columns,
      { userId: "a" },
      'predict: row 1 has no column "movieId" (it has "userId"); give the item [DATA_COLUMN]',
    ],
    ["no user", columns, { item: "x" }, 'predict: row 1 has no column "userId" (it has "item"); give the user [DATA_COLUMN]'],
    [
      "an inherited item",
      { user: "user", item: "toString" },
      { user: "a" },
      'predict: row 1 has no column "toString" (it has "user"); give the item [DATA_COLUMN]',
    ],
    [
      "an item that is the user's column",
      { user: "item", item: "film" },
      { user: "a", item: "x" },
      'predict: row 1 has no column "film" (it has "user", "item"); give the item [DATA_COLUMN]',
    ],
    [
      "null",
      columns,
      { user: null, item: "x" },
      "predict: row 1: the user is null, but must be a string or a number [DATA_VALUE]",
    ],
    ["NaN", columns, { user: "a", item: NaN }, "predict: row 1: the item is NaN, but must be a string or a number [DATA_VALUE]"],
    [
      "a flag",
      columns,
      { user: "a", item: true },
      "predict: row 1: the item is true, but must be a string or a number [DATA_VALUE]",
    ],
    [
      "what is undefined",
      columns,
      { userId: "a", movieId: undefined },
      "predict: row 1: the item is undefined, but must be a string or a number [DATA_VALUE]",
    ],
  ])("are refused if they have %s", (_, names, row, message) => {
    expect(refused(() => made("rating", names).predict(row as { user: string; item: string }))).toBe(message);
  });

  test("are named by number if one of many is refused", () => {
    const rows = [{ userId: "a", movieId: "x" }, { userId: "a" }];
    expect(refused(() => made("rating", columns).predict(rows))).toMatch(/^predict: row 2 has no column "movieId"/);
    expect(refused(() => made("rating", columns).predict([null as never]))).toMatch(/^predict: row 1 is null.*DATA_SHAPE/);
  });

  test("keep the meaning of training columns with swapped names", () => {
    const model = made("rating", { user: "item", item: "user" });
    expect(model.predict({ item: "a", user: "x" })).toEqual({ value: 4.375 });
  });

  test("require an item for a new user, and a value for ratings", () => {
    const [model, likes] = [made("rating", columns), made("preference", columns)];
    const ask = (rows: unknown) => refused(() => model.recommendFor(rows as []));
    expect(ask([{ foo: 1 }])).toBe('recommendFor: row 1 has no column "movieId" (it has "foo"); give the item [DATA_COLUMN]');
    expect(ask([{ movieId: "x", value: 2 }, { movieId: "y" }])).toBe(
      'recommendFor: rating 2 has no "rating"; give the rating: { item: "emma", value: 4 } [DATA_MISSING]',
    );
    expect(ask([{ item: "x", rating: "5" }])).toMatch(/rating 1: the value is "5", but must be a finite number \[DATA_VALUE\]/);
    expect(ask({ item: "x", value: 1 })).toMatch(/OPTION_TYPE/);
    expect(likes.recommendFor([{ movieId: "x", rating: 0 }])).not.toEqual(likes.recommendFor([{ movieId: "x" }]));
    expect(likes.recommendFor([{ movieId: "x" }])).toEqual(likes.recommendFor([{ item: "x", value: 1 }]));
  });

  test.each([undefined, null, {}, { user: "a" }, NaN, true])("refuses %s as a name", (junk) => {
    const model = made("preference", undefined);
    expect(refused(() => model.recommend(junk as string))).toMatch(/^recommend: the user is .*OPTION_TYPE/);
    expect(refused(() => model.similar(junk as string))).toMatch(/^similar: the item is .*OPTION_TYPE/);
    expect(refused(() => model.recommend("a", { exclude: [junk as string] }))).toMatch(/^recommend: the item is .*OPTION_TYPE/);
  });

  test.each([null, [], "user", {}, { user: "a" }, { user: 1, item: "b" }, { user: "a", item: "b", value: 1 }])(
    "refuses columns %j in a file",
    (bad) => {
      const { description, ...rest } = saved("rating", true);
      const damaged = { ...rest, description: { ...description, columns: bad } };
      expect(refused(() => new FactorPredictor(damaged as SavedModel))).toMatch(/has columns .*MODEL_FORMAT/);
    },
  );
});

describe("recommendations", () => {
  const model = new FactorPredictor(saved("preference", false));

  test("returns the best items first, without excluded ones", () => {
    expect(model.recommend("a", { count: 2 })).toEqual([
      { item: "y", score: 2 },
      { item: "x", score: 1 },
    ]);
    expect(model.recommend("a").map(({ item }) => item)).toEqual(["y", "x", "new", "z"]);
    expect(model.recommend("a", { exclude: ["y", "elsewhere"] }).map(({ item }) => item)).toEqual(["x", "new", "z"]);
    using seen = Ratings.fromTriples({ users: ["a", "a", "b"], items: ["y", "new", "x"] });
    expect(model.recommend("a", { exclude: seen }).map(({ item }) => item)).toEqual(["x", "z"]);
    expect(model.recommend("stranger", { exclude: seen, count: 1 })).toEqual([{ item: "z", score: 1.5 }]);
    expect(() => model.recommend("a", { count: 0 })).toThrow(/OPTION_RANGE/);
    expect(() => model.recommend("a", { seen } as object)).toThrow(/OPTION_UNKNOWN/);
  });

  test("ranks similar items by the cosine of their factors", () => {
    const found = model.similar("x", { count: 5 });
    expect(found.map(({ item }) => item)).toEqual(["y", "z"]);
    expect(found[0].similarity).toBeCloseTo((1 * 2 - 0.5 * 1) / (Math.sqrt(1.25) * Math.sqrt(5)), 14);
    expect(found[1].similarity).toBeCloseTo(0.5 / Math.sqrt(1.25), 14);
    expect(model.similar("new")).toEqual([]);
    expect(model.similar("other")).toEqual([]);
  });

  test("solves the normal equations for a new user with explicit ratings", () => {
    const explicit = new FactorPredictor(saved("rating", true));
    const rated = [
      { item: "x", value: 5 },
      { item: "z", value: 1 },
    ];
    const z = [
      [1, 0.5, 1],
      [0, 1, 1],
    ];
    const targets = [5 - 3 - 0.125, 1 - 3 + 1];
    const matrix = [0, 1, 2].map((j) => [0, 1, 2].map((k) => z[0][j] * z[0][k] + z[1][j] * z[1][k] + (j === k ? 0.5 : 0)));
    const [p, q, bias] = eliminate(
      matrix,
      [0, 1, 2].map((k) => targets[0] * z[0][k] + targets[1] * z[1][k]),
    );
    const found = explicit.recommendFor([...rated, { item: "unheard of", value: 2 }]);
    expect(found.map(({ item }) => item).sort()).toEqual(["new", "y"]);
    expect(found.find(({ item }) => item === "y")!.score).toBeCloseTo(3 + bias + 2 * p - q, 13);
    expect(explicit.recommendFor([{ item: "unheard of", value: 2 }])).toEqual(explicit.recommend("stranger"));
    expect(() => explicit.recommendFor([{ item: "x", value: NaN }])).toThrow(/rating 1: the value is NaN.*DATA_VALUE/);
    expect(() => model.recommendFor([{ item: "x", value: -1 }])).toThrow(/DATA_VALUE/);
  });

  test.each([true, false])(
    "gives a new user the scores of a trained user with the same ratings (weighted: %s)",
    async (weighted) => {
      using ratings = plantedRatings({ noise: 5 });
      // Runs to convergence, so that the last updates of users and of items leave all at their minima.
      const algorithm = alternatingLeastSquares({ tolerance: 0 });
      const fitted = await fit(factorisation({ rank: 3, l2: weighted ? 0.3 : 3, weighted }), ratings, { algorithm, epochs: 400 });
      const { others, values } = ratings.of("user", 2);
      const rated = Array.from(others, (i, k) => ({ item: ratings.items.names[i], value: values[k] }));
      const found = fitted.recommendFor(rated, { count: 100 });
      expect(found.length).toBeGreaterThan(3);
      for (const { item, score } of found) expect(score).toBeCloseTo(fitted.predict({ user: 2, item }).value, 6);
    },
  );

  test("solves over all cells for a new user with implicit ratings", async () => {
    using ratings = plantedRatings({ counts: true });
    const options = { rank: 3, l2: 0.4, implicit: { alpha: 3 } };
    const fitted = await fit(factorisation(options), ratings);
    // User 2's ratings as those of a new user, whose row is at its minimum for fixed items.
    const { others, values } = ratings.of("user", 2);
    const rated = Array.from(others, (i, k) => ({ item: ratings.items.names[i], value: values[k] }));
    const { description, tensors } = savedOf(fitted);
    const twin = twinOf(ratings, options, Float64Array.of(...tensors.users, ...tensors.items));
    const cells = cellsOf(twin, 0, 2);
    const x = eliminate(
      [0, 1, 2].map((j) => [0, 1, 2].map((k) => cells.reduce((s, { z, weight }) => s + weight * z[j] * z[k], j === k ? 0.4 : 0))),
      [0, 1, 2].map((k) => cells.reduce((s, { z, weight, target }) => s + weight * target * z[k], 0)),
    );
    expect(description.alpha).toBe(3);
    for (const { item, score } of fitted.recommendFor(rated, { count: 100 })) {
      const q = twin.rows[1][ratings.items.find(item)];
      expect(score).toBeCloseTo(x[0] * q[0] + x[1] * q[1] + x[2] * q[2], 10);
    }
  });
});

describe("metrics of factorisations", () => {
  test("computes rating errors that include unknown users and items", () => {
    const model = new FactorPredictor(saved("rating", true));
    using held = Ratings.fromTriples({ users: ["a", "stranger", "b"], items: ["x", "unheard of", "z"], values: [4, 3.5, 2] });
    // The errors are 0.375, −0.5 and 2.5, against 4.375, 3 and 4.5.
    const { rmse, mae } = model.evaluate(held);
    expect(rmse).toBeCloseTo(Math.sqrt((0.375 ** 2 + 0.25 + 6.25) / 3), 14);
    expect(mae).toBeCloseTo((0.375 + 0.5 + 2.5) / 3, 14);
  });

  test("computes precision, recall, ndcg and auc of preferences as worked by hand", () => {
    const model = new FactorPredictor(saved("preference", false));
    // a ranks y (2), x (1), new (0), z (0), and likes x and an unknown item. The value 0 is not a preference.
    using one = Ratings.fromTriples({ users: ["a", "a", "a"], items: ["x", "unheard of", "z"], values: [2, 1, 0] });
    const discount = (place: number): number => 1 / Math.log2(1 + place);
    expect(model.evaluate(one, { count: 2 })).toEqual({
      precision: 1 / 2,
      recall: 1 / 2,
      ndcg: discount(2) / (discount(1) + discount(2)),
      auc: 2 / 3,
      users: 1,
    });
    // b ranks z (3), x (1.5), new (0), y (−3). x was seen, so z is the only liked item, in first place.
    using seen = Ratings.fromTriples({ users: ["b"], items: ["x"] });
    using two = Ratings.fromTriples({ users: ["a", "b", "b"], items: ["new", "x", "z"] });
    const both = model.evaluate(two, { count: 1, exclude: seen });
    expect(both).toEqual({ precision: 1 / 2, recall: 1 / 2, ndcg: 1 / 2, auc: (0.5 / 3 + 1) / 2, users: 2 });
    using none = Ratings.fromTriples({ users: ["a"], items: ["x"], values: [0] });
    expect(() => model.evaluate(none)).toThrow(/DATA_EMPTY/);
  });
});

test("solves positive definite equations and reports singular ones", () => {
  const a = [4, 2, -2, 2, 5, 1, -2, 1, 6];
  const x = Float64Array.of(1, -2, 3);
  const b = Float64Array.from([0, 1, 2], (j) => a[3 * j] * x[0] + a[3 * j + 1] * x[1] + a[3 * j + 2] * x[2]);
  expect(solvePositive(Float64Array.from(a), b)).toBe(true);
  for (let k = 0; k < 3; k++) expect(b[k]).toBeCloseTo(x[k], 13);
  expect(solvePositive(Float64Array.of(1, 1, 1, 1), Float64Array.of(1, 1))).toBe(false);
  expect(solvePositive(Float64Array.of(0), Float64Array.of(1))).toBe(false);
  expect(solvePositive(Float64Array.of(NaN), Float64Array.of(1))).toBe(false);
});

/** Description and factors of a fitted model. */
function savedOf(model: FactorPredictor): { description: SavedModel["description"]; tensors: Record<string, Float64Array> } {
  const inside = model as unknown as Record<string, { factors: Float64Array }>;
  return {
    description: model.description,
    tensors: { users: inside.userSide.factors, items: inside.itemSide.factors },
  };
}

describe("fitting factorisations", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ergodic-factors-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("fits ratings, saves and loads, while watched and validated", async () => {
    using all = plantedRatings({ users: 60, items: 40, rank: 2, density: 0.4 });
    const { train, test: held } = all.split(0.8, { seed: 2 });
    const run = fit(factorisation({ rank: 4, l2: 0.03 }), train, { validate: held, seed: 3 });
    const objectives: number[] = [];
    for await (const { loss, objective, validation } of run) {
      if (!validation) continue;
      expect(validation.loss).toBe(validation.rmse);
      // Measured before the updates of the epoch.
      if (objectives.length > 0) expect(loss).toBeCloseTo(objectives.at(-1)! / train.count, 12);
      objectives.push(objective as number);
    }
    const model = await run;
    expect(model.run.reason).toBe("converged");
    expect(objectives.length).toBeGreaterThan(3);
    expect(objectives.every((x, k) => k === 0 || x <= objectives[k - 1])).toBe(true);
    const { r2 } = model.evaluate(held);
    // Biases and two factors explain all but 1/400 of the variance.
    expect(r2!).toBeGreaterThan(0.9);
    expect((await run.chosen).algorithm).toEqual({ algorithm: "alternatingLeastSquares", tolerance: 1e-4 });
    const path = join(folder, "model.safetensors");
    await model.save(path);
    const again = await predictor<FactorPredictor>(path);
    expect(again.kind).toBe("factorisation");
    expect(again.evaluate(held)).toEqual(model.evaluate(held));
    expect(again.recommend(7, { exclude: train })).toEqual(model.recommend(7, { exclude: train }));
    expect(again.toBytes()).toEqual(model.toBytes());
    train.dispose();
    held.dispose();
  });

  test("the defaults clearly beat the mean for films, and the model without weights warns that it is worse", async () => {
    using all = filmRatings();
    const { train, test: held } = all.split(0.8, { seed: 1 });
    const found = (await fit(factorisation(), train, { seed: 1 })).evaluate(held);
    expect(found.r2!).toBeGreaterThan(0.2);
    expect(found).not.toHaveProperty("warning");
    const run = fit(factorisation({ weighted: false }), train, { seed: 1, epochs: 30, validate: held });
    const poor = (await run).evaluate(held);
    expect(poor.r2!).toBeLessThan(0);
    const mean = train.triples().values.reduce((sum, r) => sum + r, 0) / train.count;
    const { values } = held.triples();
    const ofMean = Math.sqrt(values.reduce((sum, r) => sum + (r - mean) ** 2, 0) / held.count);
    expect(poor.warning).toBe(
      `worse than predicting the mean: RMSE ${Number(poor.rmse!.toPrecision(4))}, where the mean of the training ratings gives ${Number(ofMean.toPrecision(4))}`,
    );
    for (const { validation } of (await run).run.ticks)
      for (const value of Object.values(validation ?? {})) expect(typeof value).toBe("number");
    train.dispose();
    held.dispose();
  });

  test.each([
    ["least squares", alternatingLeastSquares(), {}],
    ["least squares, no biases", alternatingLeastSquares(), { biases: false }],
    ["components, unweighted", factorCoordinateDescent(), { weighted: false, l2: 3 }],
    ["rows", factorCoordinateDescent({ order: "rows" }), { l2: 0.3 }],
  ])("ratings in another unit give the same predictions in that unit: %s", async (_, algorithm, options) => {
    for (const unit of [20, 1e-3]) {
      using stars = filmRatings({ users: 60, items: 50 });
      using others = filmRatings({ users: 60, items: 50, unit });
      const model = factorisation({ rank: 4, ...options });
      const plan = { algorithm, seed: 3, epochs: 12 };
      const [one, other] = [await fit(model, stars, plan), await fit(model, others, plan)];
      const objective = ({ run }: typeof one): number => run.report.objective;
      expect(objective(other) / (unit ** 2 * objective(one))).toBeCloseTo(1, 9);
      const rated = [3, 7, 11].map((item) => ({ item, value: 4 }));
      const inUnits = rated.map(({ item, value }) => ({ item, value: unit * value }));
      const known = { predict: one.predict({ user: 5, item: 9 }).value, fold: one.recommendFor(rated, { count: 1 })[0].score };
      expect(Math.abs(known.predict - one.mean)).toBeGreaterThan(1e-3);
      expect(other.predict({ user: 5, item: 9 }).value / unit).toBeCloseTo(known.predict, 9);
      expect(other.recommendFor(inUnits, { count: 1 })[0].score / unit).toBeCloseTo(known.fold, 9);
    }
  });

  test("predicts ratings that are all equal", async () => {
    for (const biases of [true, false]) {
      using same = Ratings.fromTriples({ users: [1, 1, 2, 2], items: [1, 2, 1, 2], values: [0.3, 0.3, 0.3, 0.3] });
      const model = await fit(factorisation({ rank: 2, biases, l2: 1e-3 }), same, { seed: 1 });
      expect(model.predict({ user: 1, item: 2 }).value).toBeCloseTo(0.3, 2);
    }
  });

  test("preferences beat chance and omit seen items, and workers change no byte", async () => {
    using all = plantedRatings({ users: 60, items: 40, rank: 2, counts: true, density: 0.5 });
    const { train, test: held } = all.split(0.8, { seed: 2 });
    const options = { rank: 4, l2: 1, implicit: { alpha: 1 } };
    const one = await fit(factorisation(options), train, { validate: held, epochs: 10 });
    const two = await fit(factorisation(options), train, { workers: 2, epochs: 10 });
    expect(two.run.epochs).toBe(one.run.epochs);
    expect(savedOf(two).tensors).toEqual(savedOf(one).tensors);
    const found = one.evaluate(held, { exclude: train });
    expect(one.run.ticks.at(-1)!.validation!.ndcg).toBe(found.ndcg);
    expect(found.auc!).toBeGreaterThan(0.5);
    train.dispose();
    held.dispose();
  });

  test.each([
    ["least squares", alternatingLeastSquares({ tolerance: 0 })],
    ["descent", factorCoordinateDescent({ inner: 2, tolerance: 0 })],
  ])("%s: resumes bit for bit from a checkpoint", async (name, algorithm) => {
    using ratings = plantedRatings();
    const model = factorisation({ rank: 3 });
    const whole = await fit(model, ratings, { algorithm, epochs: 6, seed: 5 });
    const half = fit(model, ratings, { algorithm, epochs: 3, seed: 5 });
    await half;
    const path = join(folder, `${name}.checkpoint`);
    await half.checkpoint(path);
    const resumed = await fit.resume(path, ratings, { epochs: 6 });
    expect(savedOf(resumed).tensors).toEqual(savedOf(whole).tensors);
    expect(resumed.run.loss).toBe(whole.run.loss);
    using other = plantedRatings({ seed: 2 });
    await expect(fit.resume(path, other, { epochs: 6 })).rejects.toThrow(/ratings of 17 items by 23 users.*CHECKPOINT_DATA/);
  });

  test("refusals explain the required input", async () => {
    using ratings = plantedRatings();
    using rows = Dataset.fromArrays({ x: [[1], [2]], y: [1, 2] });
    const attempt = async (...given: unknown[]): Promise<unknown> =>
      await (fit as unknown as (...given: unknown[]) => Promise<unknown>)(...given);
    await expect(attempt(factorisation(), rows)).rejects.toThrow(
      "fit: data is of type Dataset, but must be Ratings: write Ratings.fromTriples({ users, items, values }) [OPTION_TYPE]",
    );
    await expect(attempt(factorisation(), ratings, { validate: rows })).rejects.toThrow(
      "fit: validate is of type Dataset, but must be Ratings held out: write ratings.split(0.8, { seed: 1 }).test [OPTION_TYPE]",
    );
    await expect(attempt(factorisation(), ratings, { rule: sgd() })).rejects.toThrow(/rule was given.*MODEL_CAPABILITY/);
    await expect(attempt(factorisation(), ratings, { batch: 5 })).rejects.toThrow(/batch is 5.*PLAN_MEANING/);
  });
});
