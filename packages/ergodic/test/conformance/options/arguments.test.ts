/**
 * Arguments other than options: JSON, files and tables. Whatever their contents, a call returns a result or throws a
 * typed error that names what was expected.
 */
import { describe, expect, it } from "vitest";
import * as e from "../../../src/entries/everything.ts";
import { failureOf, junk } from "./values.ts";

/** Calls by the purpose of the value. */
const calls: Record<string, (value: never) => unknown> = {
  ruleFromJson: e.ruleFromJson,
  scheduleFromJson: e.scheduleFromJson,
  samplerFromJson: e.samplerFromJson,
  searchFromJson: e.searchFromJson,
  "Draws.fromJson": e.Draws.fromJson,
  loadDraws: e.loadDraws,
  "loadDraws, in a list": (value) => e.loadDraws([value]),
  fromCmdStanCsv: e.fromCmdStanCsv,
  "fromCmdStanCsv, in a list": (value) => e.fromCmdStanCsv([value]),
  predictor: e.predictor,
  "fit.resume": (value) => e.fit.resume(value, e.Dataset.fromArrays({ x: [[1]], y: [1] })),
  "minimize.resume": (value) => e.minimize.resume(value, (x) => x[0]),
  "Ratings.fromTriples": e.Ratings.fromTriples,
  "Dataset.fromArrays": e.Dataset.fromArrays,
};
Object.assign(calls, {
  saveDraws: e.saveDraws,
  toDataFrame: e.toDataFrame,
  fromDataFrame: e.fromDataFrame,
  toCmdStanCsv: (value: never) => e.toCmdStanCsv(value, 0),
  knowledgeBase: e.knowledgeBase,
  compileFunction: (value: never) => e.compileFunction(value, () => 1 as never),
  // A class is a function, and calling it throws the user's own error.
  "compileFunction, the function": (value: never) =>
    /^class/.test(String(typeof value === "function" && value)) ? undefined : e.compileFunction({ x: [2] }, value),
});
const triples = { users: ["u", "v"], items: ["a", "b"], values: [1, 2] };
for (const name of [...Object.keys(triples), "duplicates", "source"])
  calls[`Ratings.fromTriples, ${name}`] = (value) => e.Ratings.fromTriples({ ...triples, [name]: value });
const arrays = { x: [[1], [2]], y: [1, 2], weights: [1, 1], names: ["a"], type: "f64" as const, target: "t", rowShape: [1] };
for (const name of [...Object.keys(arrays), "classes", "source"])
  calls[`Dataset.fromArrays, ${name}`] = (value) => e.Dataset.fromArrays({ ...arrays, [name]: value });
const json = { rule: "adam", options: { rate: 0.1 } };
for (const name of Object.keys(json)) calls[`ruleFromJson, ${name}`] = (value) => e.ruleFromJson({ ...json, [name]: value });
calls["samplerFromJson, algorithm"] = (value) => e.samplerFromJson({ algorithm: value });
calls["samplerFromJson, an option"] = (value) => e.samplerFromJson({ algorithm: "nuts", maxTreeDepth: value });
calls["searchFromJson, search"] = (value) => e.searchFromJson({ search: value, options: {} });
calls["searchFromJson, options"] = (value) => e.searchFromJson({ search: "cmaEs", options: value });
calls["searchFromJson, an option"] = (value) => e.searchFromJson({ search: "cmaEs", options: { population: value } });
calls["scheduleFromJson, an option"] = (value) =>
  e.scheduleFromJson({ schedule: "cosineDecay", options: { rate: value, updates: 10 } });

describe("arguments, which are accepted or refused with a typed error", () => {
  it.each(Object.entries(calls))("%s", async (_, call) => {
    const wrong: string[] = [];
    for (const [what, value] of junk) {
      const failure = await failureOf(() => call(value as never));
      if (failure === undefined || failure instanceof e.ErgodicError) continue;
      wrong.push(`${what}: raw ${String(failure).slice(0, 200)}`);
    }
    expect(wrong).toEqual([]);
  });
});
