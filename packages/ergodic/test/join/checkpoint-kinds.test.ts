/**
 * A checkpoint resumes only with the verb and the kind of data that it was made with. Plans with options that
 * coordinate descent cannot use are refused.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  coordinateDescent,
  Dataset,
  factorisation,
  fit,
  linear,
  minimize,
  Ratings,
  randomSearch,
} from "../../src/entries/everything.ts";

const folder = mkdtempSync(join(tmpdir(), "ergodic-"));
const file = (name: string): string => join(folder, `${name}.checkpoint`);
const data = Dataset.fromArrays({ x: [[1], [2], [3], [4]], y: [1, 3, 2, 5], source: "four.csv" });
const ratings = Ratings.fromTriples({ users: ["a", "a", "b"], items: ["x", "y", "x"], values: [1, 2, 3] });

beforeAll(async () => {
  const linearRun = fit(linear({ l1: 0.1 }), data, { algorithm: coordinateDescent() });
  await linearRun;
  await linearRun.checkpoint(file("linear"));
  const ratingsRun = fit(factorisation({ rank: 1 }), ratings, { epochs: 1 });
  await ratingsRun;
  await ratingsRun.checkpoint(file("ratings"));
  const search = minimize((x: Float64Array) => x[0] ** 2, [1], { algorithm: randomSearch(), evaluations: 5 });
  await search;
  await search.checkpoint(file("search"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  data.dispose();
});

const codeOf = async (make: () => PromiseLike<unknown>): Promise<[string, string]> => {
  try {
    await make();
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return [code, message];
  }
  return ["", "nothing was thrown"];
};

describe("refusals by fit.resume", () => {
  it("refuses a checkpoint of minimize", async () => {
    const [code, message] = await codeOf(() => fit.resume(file("search"), data));
    expect(code).toBe("CHECKPOINT_KIND");
    expect(message).toMatch(/is not of a fit; continue with the verb that wrote it/);
  });

  it("refuses ratings for a linear model and rows for a factorisation", async () => {
    const [code, message] = await codeOf(() => fit.resume(file("linear"), ratings));
    expect([code, message]).toEqual(["CHECKPOINT_KIND", expect.stringMatching(/is of a model "linear", which takes other data/)]);
    const [other, words] = await codeOf(() => fit.resume(file("ratings"), data));
    expect([other, words]).toEqual(["CHECKPOINT_KIND", expect.stringMatching(/is of a model "factorisation"/)]);
  });
});

describe("refusals by coordinateDescent on working sets", () => {
  const algorithm = coordinateDescent({ pick: "workingSets" });
  it.each([
    [{ batch: 8 }, /batch is 8, but coordinates are picked/],
    [{ workers: 2 }, /workers is 2/],
  ] as const)("refuses %o", async (plan, words) => {
    const [code, message] = await codeOf(() => fit(linear({ l1: 0.1 }), data, { algorithm, ...plan }));
    expect(code).toBe("PLAN_MEANING");
    expect(message).toMatch(words);
  });

  it("refuses a group penalty", async () => {
    const model = linear({ group: { strength: 0.1, groups: [["x0"]] } });
    const [code, message] = await codeOf(() => fit(model, data, { algorithm }));
    expect(code).toBe("MODEL_CAPABILITY");
    expect(message).toMatch(/single columns, not one with a group penalty; use pick: "cyclic"/);
  });
});
