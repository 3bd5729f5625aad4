/**
 * Posteriors of formulas agree with brms on the same data with the same priors (golden/formula-posteriors.R: 20,000
 * draws).
 *
 * Compares means and standard deviations of all quantities, and predictions of known and new groups. They must differ
 * by less than 5.1 Monte Carlo standard errors of the difference, taken as normal. Over about 190 checks, this gives
 * fewer than 1e-4 false alarms. The errors are 1 to 2 % of a posterior standard deviation, so biases of a tenth of it
 * are found. In `npm test`, there are fewer draws: the errors are 2 to 5 %, and biases of a quarter are found.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type FamilyName, nuts, regression, sample } from "../../../src/entries/everything.ts";
import { isSlow, power } from "../../power.ts";

interface Golden {
  data: Record<string, (string | number)[]>;
  posterior: { variable: string; mean: number; sd: number; mcse_mean: number; mcse_sd: number }[];
  extra: { times?: number[]; mean: number[]; sd: number[] };
}
const { fits } = JSON.parse(readFileSync(new URL("../../golden/formula-posteriors.json", import.meta.url), "utf8")) as {
  fits: Record<string, Golden>;
};

const MOST = 5.1;
/**
 * Expensive fits, which only `npm run test:slow` makes. regression.test.ts compares densities and predictions of these
 * kinds with models written by hand.
 */
const DEAR = ["housing", "sleepstudy"];
const formulas: Record<string, [formula: string, family: FamilyName]> = {
  sleepstudy: ["Reaction ~ Days + (Days | Subject)", "gaussian"],
  cbpp: ["incidence | trials(size) ~ factor(period) + (1 | herd)", "binomial"],
  warpbreaks: ["breaks ~ wool * tension", "poisson"],
  housing: ["Sat ~ Infl + Type + Cont", "ordinal"],
  mcycle: ["accel ~ s(times)", "gaussian"],
  trees: ["Volume ~ log(Girth) + log(Height)", "gamma"],
  quine: ["Days ~ Eth * Sex + Lrn", "negativeBinomial"],
};
const ordered = {
  tension: ["L", "M", "H"],
  Sat: ["Low", "Medium", "High"],
  Infl: ["Low", "Medium", "High"],
  Type: ["Tower", "Apartment", "Atrium", "Terrace"],
  Cont: ["Low", "High"],
};

/** Repeats each row "Freq" times. */
function repeated({ Freq, ...columns }: Golden["data"]): Golden["data"] {
  const each = (cells: (string | number)[]): (string | number)[] => cells.flatMap((cell, i) => new Array(Freq[i]).fill(cell));
  return Object.fromEntries(Object.entries(columns).map(([name, cells]) => [name, each(cells)]));
}

/** Our name of a brms variable, or undefined if it has other units here. */
function nameOf(variable: string): string | undefined {
  const threshold = /^b_Intercept(\[\d\])$/.exec(variable);
  if (threshold) return `threshold${threshold[1]}`;
  const parts = /^(b|sd|cor|sds|bs|r)_(.*)$/.exec(variable);
  if (!parts) return variable;
  const [, kind, rest] = parts;
  if (kind === "b") return rest.replace(/^period/, "factor(period)").replace(/^log(.*)$/, "log($1)");
  if (kind === "sd") return rest.replace(/^(.*)__(.*)$/, "sd($1): $2");
  if (kind === "cor") return rest.replace(/^(.*)__(.*)__(.*)$/, "cor($1): $2, $3");
  if (kind === "sds") return rest.replace(/^s(.*)_1$/, "sd(s($1))");
  return kind === "r" ? rest.replace(/^(.*)\[(.*),(.*)\]$/, "$1[$2]: $3") : undefined;
}

describe("posteriors of formulas agree with brms", () => {
  it.each(Object.keys(fits).filter((name) => isSlow || !DEAR.includes(name)))("%s", async (name) => {
    const { data: given, posterior: golden, extra } = fits[name];
    const data = "Freq" in given ? repeated(given) : given;
    const [formula, family] = formulas[name];
    // A smooth mixes slowly.
    const fewest = name === "mcycle" ? 1000 : 200;
    const draws = power(fewest, 1500);
    const levels = Object.fromEntries(Object.entries(ordered).filter(([column]) => column in data));
    const posterior = await sample(regression(formula, { family, levels }), data, {
      // Posteriors with group scales require small steps. Plain regressions do not.
      algorithm: nuts(/\||s\(/.test(formula) ? { targetAcceptance: 0.95 } : {}),
      seed: 1,
      warmup: power(fewest, 1000),
      draws,
    });
    const summary = posterior.summary();
    const off: string[] = [];
    const compare = (what: string, ours: readonly [number, number], theirs: readonly [number, number]): void => {
      if (!(Math.abs(ours[0] - theirs[0]) < MOST * Math.hypot(ours[1], theirs[1]))) off.push(`${what}: ${ours} and ${theirs}`);
    };
    let compared = 0;
    for (const row of golden) {
      const own = nameOf(row.variable);
      if (own === undefined) continue;
      expect(Object.keys(summary)).toContain(own);
      const { mean, sd, mcseMean, mcseSd } = summary[own];
      compare(`mean of ${own}`, [mean, mcseMean], [row.mean, row.mcse_mean]);
      compare(`sd of ${own}`, [sd, mcseSd], [row.sd, row.mcse_sd]);
      compared++;
    }
    // All reported quantities are compared, except the line of a smooth.
    expect(compared).toBe(Object.keys(summary).length - (name === "mcycle" ? 1 : 0));
    if (name === "sleepstudy") {
      const rows = [
        { Days: 0, Subject: "308" },
        { Days: 5, Subject: "308" },
        { Days: 9, Subject: "new" },
      ];
      const found = await posterior.predict(rows);
      // Effective draws: at least a quarter of ours, and 10,000 of brms.
      found.forEach(({ Reaction: { mean, sd } }, i) => {
        compare(`prediction of row ${i}`, [mean, sd / Math.sqrt(draws)], [extra.mean[i], extra.sd[i] / 100]);
        compare(`its sd ${i}`, [sd, sd / Math.sqrt(2 * draws)], [extra.sd[i], extra.sd[i] / Math.sqrt(20_000)]);
      });
    }
    if (name === "mcycle") {
      const found = await posterior.predict(extra.times!.map((times) => ({ times })));
      found.forEach(({ accel: { mean } }, i) => {
        compare(`curve at ${extra.times![i]}`, [mean, extra.sd[i] / Math.sqrt(2 * draws)], [extra.mean[i], extra.sd[i] / 100]);
      });
    }
    expect(off).toEqual([]);
    expect(posterior.verdict().trusted).toBe(true);
  });
});
