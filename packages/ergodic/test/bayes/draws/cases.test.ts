/**
 * Table tests of readers of draws: the content that is read, or the full error. Each file in cases/ alternates a line
 * of JSON input with a line of output. The output lists chains, count, quantities, values, fields, transitions,
 * description and findings, or "! " and the error.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fromCmdStanCsv } from "../../../src/bayes/draws/csv-reader.ts";
import { fromDataFrame } from "../../../src/bayes/draws/data-frame.ts";
import { Draws } from "../../../src/bayes/draws/draws.ts";
import { centring, drawMore, higherTarget, waysToMix, waysToMove } from "../../../src/bayes/draws/findings/advice.ts";
import type { Judged } from "../../../src/bayes/draws/findings/finding.ts";
import { stepBias, stepBiasWords } from "../../../src/bayes/draws/findings/step-bias.ts";
import { numberToJson } from "../../../src/bayes/draws/json.ts";
import { DrawsJsonReader } from "../../../src/bayes/draws/json-reader.ts";
import type { JsonObject } from "../../../src/engine/contract/index.ts";

const json = { format: "ergodic-draws", version: 1, chains: 2, count: 2 };
const quantities = [
  { name: "a", shape: [], kind: "parameter" },
  { name: "b", shape: [2], kind: "generated" },
];
const values = { a: [1, 2, 3, 4], b: [1, 2, 3, 4, 5, 6, "NaN", "-0"] };
/** Unchanged draws. Each case changes some of their properties. */
const whole = {
  ...json,
  quantities,
  fields: ["logDensity"],
  values,
  transitions: { logDensity: [5, 6, 7, 8] },
  description: {},
  report: {},
};
const columns = {
  ".chain": [1, 1, 2, 2],
  ".iteration": [1, 2, 1, 2],
  lp__: [5, 6, 7, 8],
  a: [1, 2, 3, 4],
  "b[1]": [1, 3, 5, 7],
  "b[2]": [2, 4, 6, 8],
};

function shown(draws: Draws): unknown {
  const { content } = draws;
  const numbers = (list: Float64Array): unknown => Array.from(list, numberToJson);
  return [
    content.chains,
    content.count,
    content.quantities.map(({ name, shape, kind }) => [name, shape, kind]),
    Object.fromEntries(Object.entries(content.values).map(([name, list]) => [name, numbers(list)])),
    content.fields,
    numbers(content.transitions),
    content.description,
  ];
}

const without = (given: object): object => Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));

const readers: Record<string, (given: never) => unknown> = {
  // One string per chain, or a list of strings and a list of names.
  "csv.txt": (given: string[] | [string[], string[]]) =>
    shown(Array.isArray(given[0]) ? fromCmdStanCsv(given[0], given[1] as string[]) : fromCmdStanCsv(given as string[])),
  // Changes to the base draws. null removes a property.
  "json.txt": (given: object) => shown(Draws.fromJson(without({ ...whole, ...given }))),
  // The text, split into blocks.
  "json-blocks.txt": (blocks: string[]) => {
    const reader = new DrawsJsonReader();
    for (const block of blocks) reader.add(block);
    return JSON.parse(
      JSON.stringify(reader.end(), (_, value) => (value instanceof Float64Array ? Array.from(value, numberToJson) : value)),
    );
  },
  // Advice on mixing, moving, more draws, centring and the next target acceptance for a run's description.
  "advice.txt": (given: JsonObject) => {
    const draws = { count: 100, report: {}, ...given } as unknown as Judged;
    return [waysToMix(draws), waysToMove(draws), drawMore(draws), centring(draws), higherTarget(draws)];
  },
  // The finding and the words of the headline.
  "step-bias.txt": ([bias, fields]: [number | "NaN" | null, string[]]) => {
    const report: Record<string, number> = bias === null ? {} : { stepBias: Number(bias) };
    return [stepBias({ report, fields }), stepBiasWords({ report })];
  },
  "frame.txt": ({ header, ...changed }: Record<string, number[] | null> & { header?: object }) => {
    const lists = Object.entries(without({ ...columns, ...changed })) as [string, number[]][];
    const series = lists.map(([name, list]) => [name, Float64Array.from(list)] as const);
    return shown(fromDataFrame({ columns: new Map(series), ...(header ? { header: { ...whole, ...header } } : {}) } as never));
  },
};

describe.each(Object.keys(readers))("%s", (name) => {
  const lines = readFileSync(new URL(`cases/${name}`, import.meta.url), "utf8")
    .trimEnd()
    .split("\n");
  const pairs = Array.from({ length: lines.length / 2 }, (_, k) => [lines[2 * k], lines[2 * k + 1].slice(2)]);
  it.each(pairs)("%s", (given, wanted) => {
    let found: string;
    try {
      found = JSON.stringify(readers[name](JSON.parse(given) as never));
    } catch (error) {
      // The wording of JSON.parse depends on the engine.
      found = error instanceof SyntaxError ? "! SyntaxError" : `! ${(error as Error).message}`;
    }
    expect(found).toBe(wanted);
  });
});
