/** `ergodic tune` of ratings: its search, the final training, and the printed command. */
import { writeFileSync } from "node:fs";
import { type FactorPredictor, predictor, Ratings, stream } from "ergodic";
import { beforeAll, expect, it } from "vitest";
import { ergodic, temporary, works } from "./captured.ts";
import { checked } from "./schemas.ts";

const file = temporary();
const [stars, events] = [file("stars.csv"), file("events.csv")];
const names = ["--user", "who", "--item", "film"];
const rank = 2;

/** Ratings of rank 2 with noise of sd 0.3 in half of 50 × 40 cells. */
const rated = (() => {
  const draws = stream(1, "planted").at(0);
  const factors = (count: number) => Array.from({ length: count }, () => Array.from({ length: rank }, () => draws.normal()));
  const [users, items] = [factors(50), factors(40)];
  return users.flatMap((p, u) =>
    items.flatMap((q, i) => (draws.uniform() < 0.5 ? [{ u, i, r: 3 + p[0] * q[0] + p[1] * q[1] + 0.3 * draws.normal() }] : [])),
  );
})();

beforeAll(() => {
  writeFileSync(stars, `who,film,stars\n${rated.map(({ u, i, r }) => `u${u},f${i},${r}`).join("\n")}\n`);
  writeFileSync(events, `who,film\n${rated.flatMap(({ u, i, r }) => (r > 3.5 ? [`u${u},f${i}`] : [])).join("\n")}\n`);
});

interface TuneJson {
  best: { trial: number; settings: { rank: number; l2: number }; value: number };
  trials: { settings: { rank: number; l2: number }; losses: { epoch: number; loss: number }[]; value: number }[];
  train: string;
  test: { rmse: number };
  rows: object;
}

it("finds settings by held-out ratings, trains on all but the test ratings and prints the command", async () => {
  const out = file("tuned.safetensors");
  const args = ["tune", stars, ...names, "--value", "stars", "--over", "rank:1..12,l2:log:0.001..1", "--trials", "8"];
  const held = ["--test-share", "0.2", "--seed", "2", "--out", out];
  const { stdout } = await works(...args, ...held, "--json", "--quiet");
  const { best, trials, train, test, rows } = checked("tune", stdout) as unknown as TuneJson;
  const testCount = rated.length - Math.round(0.8 * rated.length);
  const known = rated.length - testCount;
  expect(rows).toEqual({ train: Math.round(0.8 * known), validate: known - Math.round(0.8 * known), test: testCount });
  expect(trials).toHaveLength(8);
  for (const { settings } of trials) expect(Number.isInteger(settings.rank)).toBe(true);
  expect(best.value).toBe(Math.min(...trials.map(({ value }) => value)));
  const chosen = trials[best.trial];
  const least = chosen.losses.reduce((low, one) => (one.loss < low.loss ? one : low));
  expect(best.value).toBe(least.loss);
  expect(train).toContain(` --epochs ${least.epoch} `);
  // The printed command makes the same model.
  const words = train.split(" ").slice(1);
  expect(words[0]).toBe("recommend");
  const again = file("again.safetensors");
  words[words.indexOf("--out") + 1] = again;
  await works(...words, "--quiet");
  const [tuned, printed] = [await predictor<FactorPredictor>(out), await predictor<FactorPredictor>(again)];
  const pair = { user: "u7", item: "f3" };
  expect(printed.predict(pair)).toEqual(tuned.predict(pair));
  const all = Ratings.fromTriples({
    users: rated.map(({ u }) => `u${u}`),
    items: rated.map(({ i }) => `f${i}`),
    values: rated.map(({ r }) => r),
  });
  const { test: ours } = all.split(0.8, { seed: 2 });
  expect(test.rmse).toBeCloseTo(tuned.evaluate(ours).rmse!, 12);
  // Noise alone has 0.3, and the mean alone about 1.4.
  expect(test.rmse).toBeLessThan(0.6);
});

it("searches the weight of evidence if values are events", async () => {
  const { stdout } = await works(
    "tune",
    events,
    ...names,
    "--rank",
    "3",
    "--over",
    "alpha:log:1..100",
    "--trials",
    "3",
    "--quiet",
  );
  expect(stdout).toMatch(/^3 trials in .*\n {2}trial +alpha +loss +epochs/);
  expect(stdout).toMatch(/train with them: ergodic recommend .* --rank 3 --implicit [\d.]+/);
});

it("resumes a search from its checkpoint with the same result", async () => {
  const args = ["tune", stars, ...names, "--value", "stars", "--quiet", "--json"];
  const search = ["--over", "l2:log:0.001..1", "--rank", "2"];
  const kept = file("kept.checkpoint");
  await works(...args, ...search, "--trials", "2", "--checkpoint", kept);
  const resumed = checked(
    "tune",
    (await works(...args, "--rank", "2", "--resume", kept, "--trials", "4")).stdout,
  ) as unknown as TuneJson;
  const straight = checked("tune", (await works(...args, ...search, "--trials", "4")).stdout) as unknown as TuneJson;
  expect(resumed.trials.map(({ value }) => value)).toEqual(straight.trials.map(({ value }) => value));
});

it.each([
  [
    "nothing to search",
    [...names],
    /--over is missing; name the settings to search, e\.g\. --over rank:int:2\.\.64,l2:log:1e-3\.\.1/,
  ],
  ["half of a pair", ["--user", "who", "--over", "rank:2..4"], /--item is missing/],
  ["an option of rows", [...names, "--over", "rank:2..4", "--rule", "adam"], /--rule: applies only to rows with a target/],
  [
    "an unknown setting",
    [...names, "--value", "stars", "--over", "alpha:1..4"],
    /"alpha" is not known \(known: rank, l2, epochs\)/,
  ],
  ["a setting given twice", [...names, "--over", "rank:2..4", "--rank", "3"], /rank is searched, and --rank was given/],
  ["a rank of 0", [...names, "--over", "rank:0..4"], /rank is 0/],
])("refuses %s", async (_, args, message) => {
  const { code, stdout, stderr } = await ergodic("tune", stars, ...args, "--quiet");
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(message);
});
