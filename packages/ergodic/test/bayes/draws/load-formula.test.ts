/** Draws of formulas that are loaded with their formula and data predict exactly what the run predicted. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readDrawsArrow, writeDrawsArrow } from "@ergodic/ingest/draws";
import { afterAll, describe, expect, it } from "vitest";
import {
  Draws,
  type DrawsModel,
  type FormulaData,
  loadDraws,
  meanField,
  normal,
  type RegressionOptions,
  regression,
  type SampleOptions,
  type StatisticalModel,
  sample,
  saveDraws,
  stream,
  toCmdStanCsv,
} from "../../../src/entries/everything.ts";
import { isSlow } from "../../power.ts";

const folder = mkdtempSync(join(tmpdir(), "load-formula-"));
afterAll(() => rmSync(folder, { recursive: true }));

const noise = stream(4, "load-formula").at(0);
const rows = Array.from({ length: 60 }, (_, i) => {
  const [x, kind, g] = [noise.normal() + 3, ["oak", "elm", "ash"][i % 3], `g${i % 5}`];
  const y = x + (i % 3) + (i % 5) * 0.3 * x + noise.normal();
  return {
    x,
    kind,
    g,
    y,
    size: ["small", "medium", "large"][Math.min(2, Math.max(0, Math.floor(y / 4)))],
    count: Math.round(Math.abs(y)),
  };
});
const short: SampleOptions = { chains: 2, warmup: 30, draws: 20, seed: 5 };
const formulas: readonly [string, string, RegressionOptions, SampleOptions][] = [
  ["correlated effects and a smooth", "y ~ kind * x + s(x) + (1 + x | g)", {}, short],
  ["priors of several families, without an intercept", "y ~ 0 + x + kind + (1 | g)", { priors: { x: normal(0, 9) } }, short],
  ["ordered classes", "size ~ x + (1 | g)", { family: "ordinal", levels: { size: ["small", "medium", "large"] } }, short],
  [
    "counts by an approximation",
    "count ~ x + kind",
    { family: "poisson" },
    { algorithm: meanField({ maxIterations: 60, refineDraws: 20, psis: false }), draws: 10, seed: 3 },
  ],
];

async function read(
  format: "csv" | "json" | "arrow",
  draws: Draws,
  given: DrawsModel<StatisticalModel<FormulaData>>,
): Promise<Draws> {
  if (format === "arrow") return readDrawsArrow(await writeDrawsArrow(draws), given);
  await saveDraws(draws, join(folder, format), { format });
  return loadDraws(join(folder, format), given);
}

const said = (draws: Draws) => ({
  pointwise: { ...draws.loo().pointwise },
  check: { ...draws.check(undefined, { seed: 2 }).statistics },
  predicted: draws.predict({ seed: 9 }).content.values,
});

const formats = ["csv", "json", "arrow"] as const;

describe.each(formulas)("%s", (name, formula, options, how) => {
  it("gives the predictions of the run from its formats", async () => {
    const run: Draws = await sample(regression(formula, options), rows, how);
    const fresh = rows.slice(0, 4).map((row, i) => ({ ...row, g: i === 3 ? "another" : row.g }));
    const ahead = await run.predict(fresh as never, { seed: 1 });
    // In `npm test`, the first formula has every format and each other formula has one. They take the same path.
    const k = formulas.findIndex(([other]) => other === name);
    for (const format of isSlow || k === 0 ? formats : [formats[k - 1]]) {
      const found = await read(format, run, { model: regression(formula, options), data: rows });
      expect(found.content.values).toEqual(run.content.values);
      expect(found.quantities).toEqual(run.quantities.map(({ name, shape, kind }) => ({ name, shape, kind })));
      expect(said(found)).toEqual(said(run));
      expect(await found.predict(fresh as never, { seed: 1 })).toEqual(ahead);
    }
  });
});

describe("draws of a formula", () => {
  const given = { model: regression("y ~ x"), data: rows } as const;
  const make = (): Promise<Draws> => sample(given.model, rows, short) as unknown as Promise<Draws>;

  it("keep the unconstrained numbers, which summaries omit", async () => {
    const run = await make();
    expect(run.fields.slice(-3)).toEqual(["unconstrained_1", "unconstrained_2", "unconstrained_3"]);
    expect(Object.keys(run.summary())).toEqual(["Intercept", "x", "sigma"]);
    const sigma = run.draws("sigma");
    expect(run.transition("unconstrained_3").every((u, k) => Math.abs(Math.exp(u) - sigma[k]) < 1e-12 * sigma[k])).toBe(true);
    expect(toCmdStanCsv(run, 0)).toMatch(/\nlp__,.*,unconstrained_1__,unconstrained_2__,unconstrained_3__,Intercept,x,sigma\n/);
  });

  it("are refused with another formula, other data or without the unconstrained numbers", async () => {
    const run = await make();
    const refused = (draws: Draws, model: unknown, data: unknown = rows) =>
      expect(read("csv", draws, { model, data } as never)).rejects;
    await refused(run, regression("y ~ x + kind")).toThrow(
      'loadDraws: the draws have other parameters than the model "y ~ x + kind": the draws lack "kindelm", "kindoak"; give the model and the data from which they were drawn [DRAWS_MODEL]',
    );
    await refused(
      run,
      given.model,
      rows.map((row, i) => ({ ...row, y: i === 7 ? row.y + 1 : row.y })),
    ).toThrow(/priors, likelihood or data have changed/);
    const { content } = run;
    const bare = new Draws({ ...content, fields: ["logDensity"], transitions: run.transition("logDensity") });
    await refused(bare, given.model).toThrow(/these draws lack its 3 unconstrained numbers.*sample again \[DRAWS_MODEL\]/);
    const changed = new Draws({ ...content, values: { ...content.values, x: run.draws("x").map((value) => value + 1e-6) } });
    await refused(changed, given.model).toThrow(
      'loadDraws: "x" differs from what the model "y ~ x" computes from the drawn numbers; give the model and the data from which they were drawn [DRAWS_MODEL]',
    );
  });
});
