/** The generated pages of the reference are up to date, complete and without empty cells. */
import { readFileSync } from "node:fs";
import * as losses from "ergodic/losses";
import { describe, expect, test } from "vitest";
import { Draws } from "../packages/ergodic/src/bayes/draws/index.ts";
import * as arrays from "../packages/ergodic/src/engine/compiler/array/index.ts";
import { Dataset } from "../packages/ergodic/src/engine/data/dataset.ts";
import { FactorGraph } from "../packages/ergodic/src/graphs/model/graph.ts";
import * as neural from "../packages/ergodic/src/learning/models/neural/index.ts";
import { errorCodes } from "../scripts/reference/error-codes.mjs";
import { codesInSources } from "../scripts/reference/errors.mjs";
import { layerExamples } from "../scripts/reference/layer-examples.mjs";
import { describedTypes } from "../scripts/reference/methods.mjs";
import { publicFunctions, sectionOf } from "../scripts/reference/options.mjs";
import { referencePages } from "../scripts/reference/pages.mjs";
import { meaningAndDefault, sentences } from "../scripts/reference/text.mjs";

const stored = (name: string): string => readFileSync(new URL(`../docs/${name}`, import.meta.url), "utf8");

describe.each(Object.keys(referencePages))("%s", (name) => {
  // The pages read the types of all packages, which takes a while on a busy machine.
  test("is up to date (npm run docs updates it)", { timeout: 120_000 }, () => {
    expect(stored(name)).toBe(referencePages[name]({ neural, arrays, losses }));
  });

  test("has no empty cell, no missing sentence and no link to a missing heading", () => {
    const page = stored(name);
    expect(page.split("\n").filter((line) => /^\|.*\|\s*\|/.test(line.replaceAll("\\|", "")))).toEqual([]);
    expect(page.match(/^(From `@?ergodic|- .*: $)/gm) ?? []).toEqual([]);
    const headings = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, "")
        .replaceAll(" ", "-"),
    );
    const targets = [...page.matchAll(/\]\(#([^)]*)\)/g)].map(([, target]) => target);
    expect(targets.filter((target) => headings.filter((heading) => heading === target).length !== 1)).toEqual([]);
  });
});

test("every public function of the library has a section", () => {
  expect(publicFunctions().filter((listed) => sectionOf(listed) === undefined)).toEqual([]);
});

test("every public method of draws, datasets and graphs is listed", () => {
  const page = stored("methods.md");
  for (const [prefix, made] of Object.entries({ "draws.": Draws, "data.": Dataset, "graph.": FactorGraph })) {
    const inner = describedTypes.find((described) => described.prefix === prefix)!.but ?? [];
    const own = Object.entries(Object.getOwnPropertyDescriptors(made.prototype));
    const names = own.filter(([name, { value }]) => value && name !== "constructor" && !inner.includes(name));
    expect(names.length).toBeGreaterThan(10);
    expect(names.map(([name]) => name).filter((name) => !page.includes(`${prefix}${name}(`))).toEqual([]);
  }
});

test("every layer has an example, and every example a layer", () => {
  const page = stored("layers.md");
  expect(Object.keys(layerExamples).filter((name) => !page.includes(`\n### ${name}\n`))).toEqual([]);
});

test("every error code in the sources has a sentence, and the reverse", () => {
  const codes = [...codesInSources().keys()];
  expect(Object.keys(errorCodes).sort()).toEqual(codes);
  expect(codes).toEqual(expect.arrayContaining(["DATA_PARSE", "OPTION_RANGE", "CHECKPOINT_VERSION", "BODY_SIZE", "USAGE"]));
  for (const sentence of Object.values(errorCodes)) expect(sentence).toMatch(/^[A-Z][^;]*; [^;]*\.$/);
});

test("comments are split into sentences and defaults", () => {
  expect(sentences("Step rule, e.g. adam(). See `fit`. Default: none.")).toEqual([
    "Step rule, e.g. adam().",
    "See `fit`.",
    "Default: none.",
  ]);
  const expected = [
    ["Number of chains. Default 4; a whole number >= 1.", "Number of chains.", "4; a whole number >= 1"],
    ['Storage: "sparse" (default), or "dense".', 'Storage: "sparse" (default), or "dense".', '"sparse"'],
    ["Whether there are names. By default, the first line.", "Whether there are names.", "the first line"],
    ["Aborts the run.", "Aborts the run.", undefined],
  ];
  for (const [comment, meaning, fallback] of expected) expect(meaningAndDefault(comment!)).toEqual({ meaning, fallback });
});
