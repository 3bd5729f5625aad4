/** Draws of `sample` do not change when saved and loaded, and the files contain Stan's settings. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import {
  type Draws,
  halfCauchy,
  loadDraws,
  model,
  normal,
  nuts,
  predictiveCheck,
  sample,
  saveDraws,
  vector,
} from "../../../src/entries/everything.ts";

const schools = model(
  ({ data, param, observe }) => {
    const { y, sigma } = data({ y: vector("J"), sigma: vector("J") });
    const mu = param("mu", normal(0, 5));
    const tau = param("tau", halfCauchy(5));
    const theta = param("theta", normal(mu, tau), { shape: "J", centred: false });
    observe(y, normal(theta, sigma));
  },
  { name: "schools" },
);
const y = [28, 8, -3, 7, -1, 1, 18, 12];
const sigma = [15, 10, 16, 11, 9, 11, 10, 18];

it("draws of sample() do not change when saved and loaded", async () => {
  const folder = mkdtempSync(join(tmpdir(), "draws-"));
  try {
    const algorithm = nuts({ maxTreeDepth: 6, metric: "diagonal" });
    const draws: Draws = await sample(schools, { J: 8, y, sigma }, { algorithm, chains: 2, warmup: 150, draws: 100, seed: 3 });
    for (const format of ["csv", "json"] as const) {
      await saveDraws(draws, folder, { format });
      const kept = await loadDraws(folder);
      expect(kept.summary()).toEqual(draws.summary());
      expect(String(kept.verdict())).toBe(String(draws.verdict()));
      expect(kept.energy()).toEqual(draws.energy());
      expect(kept.treeDepths()).toEqual(draws.treeDepths());
      expect(kept.description).toEqual(draws.description);
      expect(() => kept.loo()).toThrow(/so they have no model/);
      if (format === "json") continue;
      const comments = readFileSync(join(folder, "chain_2.csv"), "utf8")
        .split("\n")
        .filter((line) => line.startsWith("#"));
      const words = [
        "model = schools",
        "num_warmup = 150",
        "engine = nuts",
        "max_depth = 6",
        "metric = diag_e",
        "seed = 3",
        "id = 2",
      ];
      expect(comments.map((line) => line.replace(/^# +/, ""))).toEqual(expect.arrayContaining(words));
    }
    const check = predictiveCheck(y, draws.predict({ seed: 1 }).draws("y"));
    expect(Object.values(check.statistics).every(({ pValue }) => pValue > 0.01 && pValue < 0.99)).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it("checks require enough draws over all chains to avoid p-values of 0 and 1", async () => {
  const few = (chains: number, draws: number) => sample(schools, { y, sigma }, { chains, draws, warmup: 50, seed: 1 });
  for (const [chains, draws, told] of [
    [1, 1, "is 1 draw"],
    [2, 1, "are 2 draws"],
    [2, 19, "are 38 draws"],
  ] as const) {
    const found = await few(chains, draws);
    expect(() => found.check("y")).toThrow(
      `check: there ${told}, but p-values need at least 39: with fewer, they are too often 0 or 1 even if the model is right; draw more (draws: 1000) [DRAWS_FEW]`,
    );
  }
  const enough = await few(3, 13);
  expect(Object.values(enough.check("y").statistics).every(({ pValue }) => pValue >= 0 && pValue <= 1)).toBe(true);
});
