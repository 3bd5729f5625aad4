/** `ergodic recommend`: recovery of planted ratings, recommendations, and other commands on the saved model. */
import { readFileSync, writeFileSync } from "node:fs";
import { readTable } from "@ergodic/ingest";
import { type FactorPredictor, factorisation, fit, predictor, Ratings } from "ergodic";
import { beforeAll, describe, expect, it } from "vitest";
import { filmRatings } from "../../ergodic/test/learning/models/film-ratings.ts";
import { ergodic, temporary, works } from "./captured.ts";
import { checked } from "./schemas.ts";

const file = temporary();
const [stars, events, model] = [file("stars.csv"), file("events.csv"), file("stars.safetensors")];
const names = ["--user", "who", "--item", "film"];
const NOISE = 0.2;

/** Half of all cells of a rank-2 table, ± NOISE/2 uniform. A value above 3.5 is an event. Uses Lehmer's generator. */
function plantedRatings(): { user: string; item: number; value: number }[] {
  let state = 5;
  const next = (): number => (state = (state * 48271) % 2147483647) / 2147483647 - 0.5;
  const factors = (count: number): number[][] => Array.from({ length: count }, () => [3 * next(), 3 * next()]);
  const [users, items] = [factors(60), factors(40)];
  return users.flatMap((p, u) =>
    items.flatMap((q, i) => {
      const value = 3 + p[0] * q[0] + p[1] * q[1] + NOISE * next();
      return next() < 0 ? [{ user: `u${String(u).padStart(2, "0")}`, item: 100 + i, value }] : [];
    }),
  );
}

const rated = plantedRatings();

beforeAll(async () => {
  writeFileSync(stars, `who,film,stars\n${rated.map(({ user, item, value }) => `${user},${item},${value}`).join("\n")}\n`);
  const liked = rated.filter(({ value }) => value > 3.5);
  writeFileSync(events, `who,film\n${liked.map(({ user, item }) => `${user},${item}`).join("\n")}\n`);
  await works("recommend", stars, ...names, "--value", "stars", "--rank", "3", "--out", model, "--quiet");
});

interface RecommendJson {
  ratings: { train: number; test: number };
  chosen: { task: string; algorithm: { algorithm: string } };
  test: Record<string, number> | null;
  recommendations: { user: string; known: boolean; items: { item: string; score: number }[] } | null;
}

async function recommendJson(...args: string[]): Promise<RecommendJson> {
  return checked("recommend", (await works("recommend", ...args, "--json", "--quiet")).stdout) as unknown as RecommendJson;
}

describe("recommend", () => {
  it("reports the data and its choices, tests, recommends and saves", async () => {
    const { stdout, stderr } = await works(
      ...["recommend", stars, ...names, "--value", "stars", "--rank", "3", "--test-share", "0.2", "--for", "u03", "--count", "4"],
    );
    const [data, chosen, header] = stderr.split("\n");
    const test = rated.length - Math.round(0.8 * rated.length);
    expect(data).toBe(
      `${stars}: ${(rated.length - test).toLocaleString("en")} ratings to train on, ${test} to test; 60 users, 40 items`,
    );
    expect(chosen).toMatch(
      /^factorisation of rank 3, ratings, with biases · l2 0\.1 per rating · alternating least squares tolerance 1e-4 · 1 worker · /,
    );
    expect(header.trim().split(/\s+/).slice(0, 3)).toEqual(["update", "epoch", "loss"]);
    expect(stdout).toMatch(
      /^\d+ epochs in \S+ s: converged; objective \S+\ntest, \d+ ratings\n {2}RMSE .*\n {2}MAE .*\n {2}R² .*\nfor u03\n {2}item +score\n(?: {2}1\d\d +[\d.]+\n){4}$/,
    );
  });

  it("beats the mean on film ratings by default, and reports options that do not", async () => {
    const films = file("films.csv");
    using all = filmRatings();
    const { users, items, values } = all.triples();
    const lines = Array.from(values, (r, e) => `${users[e]},${items[e]},${r}`);
    writeFileSync(films, `who,film,stars\n${lines.join("\n")}\n`);
    const data = [films, ...names, "--value", "stars", "--test-share", "0.2"];
    const { test } = await recommendJson(...data);
    // The mean alone has an R² of 0. User and film effects reach about 0.25.
    expect(test!.r2).toBeGreaterThan(0.2);
    expect(test).not.toHaveProperty("warning");
    const poor = await recommendJson(...data, "--no-weighted");
    expect(poor.test!.warning).toMatch(
      /^worse than predicting the mean: RMSE 1\.\d+, where the mean of the training ratings gives 0\.\d+$/,
    );
  });

  it.each(["als", "coordinate"])("recovers planted ratings with %s", async (algorithm) => {
    const args = [stars, ...names, "--value", "stars", "--rank", "3", "--l2", "0.002", "--test-share", "0.2"];
    const { test, chosen } = await recommendJson(...args, "--algorithm", algorithm, "--epochs", "300");
    expect(chosen.algorithm.algorithm).toBe(algorithm === "als" ? "alternatingLeastSquares" : "factorCoordinateDescent");
    // Noise alone has NOISE/√12 = 0.058, and the mean alone has over 1.
    expect(test!.rmse).toBeGreaterThan(NOISE / Math.sqrt(12));
    expect(test!.rmse).toBeLessThan(3 * (NOISE / Math.sqrt(12)));
  });

  it("recommends the library's items, and none that the user has rated", async () => {
    const args = [stars, ...names, "--value", "stars", "--rank", "3"];
    const { recommendations } = await recommendJson(...args, "--for", "u07", "--count", "6");
    const types = { who: "category", film: "category" } as const;
    const ratings = Ratings.fromTable(await readTable(stars, { types }), { user: "who", item: "film", value: "stars" });
    const ours = await fit(factorisation({ rank: 3 }), ratings, { seed: 0 });
    expect(recommendations).toEqual({
      user: "u07",
      known: true,
      items: ours.recommend("u07", { count: 6, exclude: ratings }),
    });
    const seen = new Set(rated.filter(({ user }) => user === "u07").map(({ item }) => String(item)));
    for (const { item } of recommendations!.items) expect(seen.has(item)).toBe(false);
    const scores = recommendations!.items.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
  });

  it("treats rows without values as events, and unknown users as average users", async () => {
    const { chosen, test, recommendations } = await recommendJson(
      ...[events, ...names, "--rank", "3", "--test-share", "0.2", "--for", "nobody"],
    );
    expect(chosen).toMatchObject({ task: "preference", alpha: 40 });
    expect(Object.keys(test!).sort()).toEqual(["auc", "ndcg", "precision", "recall", "users"]);
    // A random order has 0.5.
    expect(test!.auc).toBeGreaterThan(0.7);
    expect(recommendations).toMatchObject({ known: false });
    expect(recommendations!.items).toHaveLength(10);
    // This is better than recommending the most popular films to everyone.
    expect(test).not.toHaveProperty("warning");
    const { stdout } = await works("recommend", events, ...names, "--implicit", "5", "--rank", "3", "--for", "nobody", "--quiet");
    expect(stdout).toContain("for nobody, who has no ratings: the best items for anyone\n");
  });

  it("reports if recommending the most popular items would be better", async () => {
    // One of k + 1 users sees film k, independently of the user, so only popularity can be learnt.
    let state = 11;
    const next = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
    const lines = Array.from({ length: 4000 }, (_, cell) => [Math.floor(cell / 40), cell % 40])
      .filter(([, film]) => next() < 1 / (film + 1.5))
      .map(([u, film]) => `u${u},f${film}`);
    const chance = file("chance.csv");
    writeFileSync(chance, `who,film\n${lines.join("\n")}\n`);
    const data = [chance, ...names, "--test-share", "0.3", "--count", "5"];
    const { test } = await recommendJson(...data);
    expect(test!.warning).toMatch(
      /^worse than recommending the most popular items to everybody: NDCG 0\.\d+, compared with 0\.\d+$/,
    );
    expect((await works("recommend", ...data, "--quiet")).stdout).toContain(`  ${test!.warning}\n`);
  });

  it("stops by the error of held-out ratings and keeps the best model", async () => {
    const noisy = file("noisy.csv");
    const values = rated.map(({ value }, e) => value + (((e * 7919) % 13) - 6) / 6);
    writeFileSync(noisy, `who,film,stars\n${rated.map(({ user, item }, e) => `${user},${item},${values[e]}`).join("\n")}\n`);
    const data = [noisy, ...names, "--value", "stars", "--rank", "4", "--l2", "0.001"];
    const halves = [...data, "--test-share", "0.2", "--validate-share", "0.25", "--seed", "3"];
    const out = file("early.safetensors");
    const { stdout, stderr } = await works("recommend", ...halves, "--out", out);
    const test = rated.length - Math.round(0.8 * rated.length);
    const known = rated.length - test;
    const train = Math.round(0.75 * known);
    expect(stderr.split("\n")[0]).toBe(
      `${noisy}: ${train.toLocaleString("en")} ratings to train on, ${known - train} to validate, ${test} to test; 60 users, 40 items`,
    );
    const { ticks, ratings } = (await recommendJson(...halves)) as unknown as {
      ticks: { epoch: number; validation?: { loss: number } }[];
      ratings: object;
    };
    expect(ratings).toEqual({ train, validate: known - train, test });
    const losses = ticks.flatMap(({ validation }) => (validation ? [validation.loss] : []));
    const least = Math.min(...losses);
    // Training ended three validations after the smallest error.
    expect(losses.length - 1 - losses.indexOf(least)).toBe(3);
    expect(losses.indexOf(least)).toBeGreaterThan(0);
    expect(stdout).toMatch(/: no lower validation loss in 3 validations; objective/);
    expect(stdout).toContain(`lowest validation loss ${least.toFixed(4)}\n`);
    // The best model was saved.
    const types = { who: "category", film: "category" } as const;
    const all = Ratings.fromTable(await readTable(noisy, { types }), { user: "who", item: "film", value: "stars" });
    const held = all.split(0.8, { seed: 3 }).train.split(0.75, { seed: 3 }).test;
    expect((await predictor<FactorPredictor>(out)).evaluate(held).rmse).toBeCloseTo(least, 12);
    const patient = (await recommendJson(...halves, "--patience", "6", "--validate-every", "2")) as unknown as {
      ticks: { epoch: number; validation?: { loss: number } }[];
    };
    const epochs = patient.ticks.flatMap(({ epoch, validation }) => (validation ? [epoch] : []));
    expect(epochs.slice(0, 3)).toEqual([2, 4, 6]);
  });

  it("selects columns by position and keeps ids unchanged from the file", async () => {
    const ids = file("ids.csv");
    writeFileSync(ids, `film,stars,who\n${rated.map(({ user, item, value }) => `00${item},${value},${user}`).join("\n")}\n`);
    const out = file("positions.safetensors");
    const by = ["--user", "-1", "--item", "0", "--value", "1", "--rank", "3"];
    const { recommendations } = await recommendJson(ids, ...by, "--for", "u07", "--out", out);
    for (const { item } of recommendations!.items) expect(item).toMatch(/^001\d\d$/);
    const named = await recommendJson(ids, ...names, "--value", "stars", "--rank", "3", "--for", "u07");
    expect(recommendations).toEqual(named.recommendations);
    expect((await works("describe", out)).stdout).toContain("who, film, stars");
    const predictions = (await works("predict", out, ids)).stdout;
    expect((await works("predict", out, ids, "--user", "2", "--item", "0")).stdout).toBe(predictions);
    const metrics = (text: string) => (JSON.parse(text) as { metrics: object }).metrics;
    const judged = metrics((await works("evaluate", out, ids, "--json")).stdout);
    expect(metrics((await works("evaluate", out, ids, "--user", "-1", "--item", "-3", "--value", "1", "--json")).stdout)).toEqual(
      judged,
    );
    const { code, stderr } = await ergodic("recommend", ids, "--user", "7", "--item", "0", "--quiet");
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/--user asks for column 7, but columns are numbered 0 to 2; give a number in that range, or a name/),
    ]);
  });

  it("resumes from a checkpoint bit for bit", async () => {
    const [kept, straight, joined] = ["kept", "straight", "joined"].map(file);
    const data = ["recommend", stars, ...names, "--value", "stars", "--quiet"];
    await works(...data, "--rank", "3", "--epochs", "9", "--out", straight);
    await works(...data, "--rank", "3", "--epochs", "4", "--checkpoint", kept);
    await works(...data, "--epochs", "9", "--resume", kept, "--out", joined);
    const predict = async (path: string) => (await works("predict", path, stars)).stdout;
    expect(await predict(joined)).toBe(await predict(straight));
  });
});

describe("commands with the saved model", () => {
  it("evaluate knows the model's columns or accepts other names", async () => {
    const { stdout } = await works("evaluate", model, stars, "--json");
    const saved = await predictor<FactorPredictor>(model);
    const values = rated.map(({ user, item, value }) => value - saved.predict({ user, item }).value);
    const { metrics } = checked("evaluate", stdout) as unknown as { metrics: { rmse: number } };
    expect(metrics.rmse).toBeCloseTo(Math.sqrt(values.reduce((sum, e) => sum + e * e, 0) / values.length), 12);
    const other = file("other.csv");
    writeFileSync(other, `user,item,score\n${rated.map(({ user, item, value }) => `${user},${item},${value}`).join("\n")}\n`);
    const renamed = await works("evaluate", model, other, "--user", "user", "--item", "item", "--value", "score", "--json");
    expect((JSON.parse(renamed.stdout) as { metrics: object }).metrics).toEqual(metrics);
    expect(saved.columns).toEqual({ user: "who", item: "film", value: "stars" });
    const { user, item } = rated[0];
    expect(saved.predict({ who: user, film: item })).toEqual(saved.predict({ user, item }));
    const row = await works("predict", model, other, "--user", "user", "--item", "item");
    expect(row.stdout).toBe((await works("predict", model, stars)).stdout);
    expect((await works("evaluate", model, stars)).stdout).toMatch(/^stars, [\d,]+ ratings of .*\n {2}RMSE /);
  });

  it("evaluate excludes training items from preferences", async () => {
    const out = file("events.safetensors");
    await works("recommend", events, ...names, "--rank", "3", "--out", out, "--quiet");
    const all = checked("evaluate", (await works("evaluate", out, events, "--json")).stdout);
    expect(all).toMatchObject({ task: "preference", target: null });
    const { stdout } = await works("evaluate", out, events, "--count", "5");
    expect(stdout).toMatch(
      /^preference, \d+ ratings of .*, the best 5 of each user\n {2}AUC .*\n {2}precision .*\n {2}recall .*\n {2}NDCG /,
    );
    const half = file("half.csv");
    const [header, ...lines] = readFileSync(events, "utf8").trim().split("\n");
    writeFileSync(half, `${[header, ...lines.filter((_, i) => i % 2 === 0)].join("\n")}\n`);
    const excluded = (await works("evaluate", out, events, "--exclude", half, "--json")).stdout;
    expect((JSON.parse(excluded) as { metrics: { recall: number } }).metrics.recall).not.toBe(
      (all as unknown as { metrics: { recall: number } }).metrics.recall,
    );
  });

  it("predict writes each row's prediction in CSV and in JSON", async () => {
    const saved = await predictor<FactorPredictor>(model);
    const values = rated.map(({ user, item }) => saved.predict({ user, item }).value);
    const { stdout } = await works("predict", model, stars);
    expect(stdout).toBe(`prediction\n${values.join("\n")}\n`);
    const { predictions } = checked("predict", (await works("predict", model, stars, "--json")).stdout) as unknown as {
      predictions: object[];
    };
    expect(predictions).toEqual(values.map((value) => ({ value })));
  });

  it("predict and evaluate count unknown users and items, or refuse them", async () => {
    const fresh = file("fresh.csv");
    writeFileSync(fresh, "who,film,stars\nu01,101,3\nanna,101,4\nben,999,2\nanna,102,5\n");
    const said = [
      '3 of 4 rows had new users in "who", without a rating in training ("anna", "ben")',
      '1 of 4 rows had a new item in "film", without a rating in training ("999")',
    ];
    expect((await works("predict", model, fresh)).stderr).toBe(said.map((line) => `${fresh}: ${line}\n`).join(""));
    expect((await works("predict", model, stars)).stderr).toBe("");
    const { remarks } = checked("predict", (await works("predict", model, fresh, "--json")).stdout) as { remarks?: object[] };
    expect(remarks).toMatchObject([
      { kind: "new level", column: "who", rows: 3, of: 4, message: said[0] },
      { column: "film", rows: 1 },
    ]);
    const ofRatings = said.map((line) => line.replace("4 rows", "4 ratings"));
    expect((await works("evaluate", model, fresh)).stderr).toBe(ofRatings.map((line) => `${fresh}: ${line}\n`).join(""));
    expect(checked("evaluate", (await works("evaluate", model, fresh, "--json")).stdout)).toMatchObject({
      remarks: [{ message: ofRatings[0] }, { message: ofRatings[1] }],
    });
    for (const command of ["predict", "evaluate"]) {
      const { code, stderr } = await ergodic(command, model, fresh, "--unknown", "refuse");
      expect([code, stderr]).toEqual([1, expect.stringMatching(/3 of 4 .* had new users in "who".* \[DATA_LEVEL\]/)]);
      await works(command, model, stars, "--unknown", "refuse");
    }
  });

  it("predict counts a user whose ratings were all held out as unknown", async () => {
    const [once, out] = [file("once.csv"), file("once.safetensors")];
    writeFileSync(once, `who,film,stars\n${Array.from({ length: 40 }, (_, i) => `p${i},${i % 4},${1 + (i % 5)}`).join("\n")}\n`);
    await works("recommend", once, ...names, "--value", "stars", "--rank", "1", "--test-share", "0.25", "--out", out, "--quiet");
    expect((await works("predict", out, once)).stderr).toContain("10 of 40 rows had new users");
  });

  it("describe shows the model", async () => {
    const { stdout } = await works("describe", model);
    for (const part of ["factorisation, rating", "who, film, stars", /users +60\n/, /items +40\n/, /rank +3 and biases\n/])
      expect(stdout).toMatch(part);
    expect(checked("describe", (await works("describe", model, "--json")).stdout)).toMatchObject({ users: 60, items: 40 });
  });
});

const refused: [string, string[], number, RegExp][] = [
  ["no user column", ["recommend", stars, "--item", "film"], 2, /required option '--user <column>' not specified/],
  [
    "a column that is not there",
    ["recommend", stars, "--user", "who", "--item", "fim"],
    2,
    /--item asks for a column "fim" that is not there.*\[DATA_COLUMN\]/,
  ],
  [
    "an unknown algorithm",
    ["recommend", stars, ...names, "--algorithm", "svd"],
    2,
    /"svd" is not known \(known: als, coordinate\)/,
  ],
  [
    "pairs that come twice",
    ["recommend", file("twice.csv"), ...names, "--value", "stars"],
    1,
    /occurs twice; use --duplicates sum/,
  ],
  [
    "negative evidence",
    ["recommend", stars, ...names, "--value", "stars", "--implicit"],
    1,
    /must be >= 0; leave --implicit out/,
  ],
  [
    "data without its columns",
    ["predict", model, file("twice.csv"), "--item", "movie"],
    2,
    /--item asks for a column "movie" that is not there/,
  ],
];

it.each(refused)("refuses %s", async (_, args, code, message) => {
  writeFileSync(file("twice.csv"), "who,film,stars\na,1,2\nb,1,3\na,1,4\n");
  const outcome = await ergodic(...args, ...(args[0] === "recommend" ? ["--quiet"] : []));
  expect([outcome.code, outcome.stdout]).toEqual([code, ""]);
  expect(outcome.stderr).toMatch(message);
});
