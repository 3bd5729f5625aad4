/** Plots of explanations: snapshots that were checked in a browser, their numbers, and refusals. */
import { Dataset, fit, linear, stream, trees } from "ergodic";
import { attributions, importance, partialDependence } from "ergodic/explain";
import { describe, expect, it } from "vitest";
import { plotAttributions, plotDependence, plotImportance, plotTree, treeText } from "../src/index.ts";
import { all, parse, texts } from "./fixtures.ts";

const draws = stream(1, "flats").at(0);
const rowCount = 120;
const codes = Int32Array.from({ length: rowCount }, () => draws.integer(5) - 1);
const size = Float64Array.from({ length: rowCount }, () => (draws.uniform() < 0.1 ? NaN : 20 + 100 * draws.uniform()));
const price = Float64Array.from(size, (s, i) => 40 * Math.abs(codes[i] - 1) + (s > 70 ? 2 : 1) * (s || 60) + draws.normal());
const table = {
  source: "flats",
  rowCount,
  columns: [
    { name: "town", kind: "category" as const, levels: ["Bern", "Lima", "Oslo", "<Rome>"], codes },
    { name: "size", kind: "number" as const, values: size },
    { name: "price", kind: "number" as const, values: price },
  ],
};
const data = Dataset.fromTable(table, { target: "price", encode: "none" });
const model = await fit(trees({ leaves: 6 }), data, { epochs: 20 });
const options = { width: 640 };

const pictures = {
  importance: () => plotImportance(importance(model, { data, repeats: 3 }), options),
  attributions: () => plotAttributions(attributions(model, data), options),
  dependence: () => plotDependence(partialDependence(model, data, "size", { curves: true }), options),
  levels: () => plotDependence(partialDependence(model, data, "town"), options),
  tree: () => plotTree(model, 0, options),
};

describe("snapshots, checked in a browser", () => {
  it.each(Object.entries(pictures))("%s", async (name, picture) => {
    await expect(`${picture()}\n`).toMatchFileSnapshot(`snapshots/explained-${name}.svg`);
  });
});

describe("contents", () => {
  it("has bars in proportion to the importance", () => {
    const columns = [
      { column: "a", value: 4 },
      { column: "b", value: 1 },
      { column: "c", value: -0.5 },
    ];
    const page = parse(plotImportance(columns, { most: 2 }));
    const bars = all(page, "rect").filter(({ attributes }) => attributes.height === "14");
    const [a, b] = bars.map(({ attributes }) => Number(attributes.width));
    expect(bars).toHaveLength(2);
    expect(a / b).toBeCloseTo(4, 1);
    expect(texts(page).join()).toMatch(/1 less important column is not shown/);
    // A negative bar ends at zero.
    const [, , negative] = all(parse(plotImportance(columns)), "rect").filter(({ attributes }) => attributes.height === "14");
    const [first] = all(parse(plotImportance(columns)), "rect").filter(({ attributes }) => attributes.height === "14");
    expect(Number(negative.attributes.x) + Number(negative.attributes.width)).toBeCloseTo(Number(first.attributes.x), 0);
  });

  it("has a dot per row and column, grey where the value is missing", () => {
    const dots = all(parse(pictures.attributions()), "circle");
    expect(dots).toHaveLength(2 * rowCount);
    const missing = codes.filter((code) => code < 0).length + size.filter(Number.isNaN).length;
    expect(dots.filter(({ attributes }) => attributes.fill === "#b0b0b0")).toHaveLength(missing);
    expect(missing).toBeGreaterThan(20);
  });

  it("has one output per class", async () => {
    const kinds = Dataset.fromArrays({ x: [...price].map((p) => [p]), y: [...price].map((p) => "abc"[Math.floor(p / 120) % 3]) });
    const classes = await fit(trees(), kinds, { epochs: 3 });
    const found = attributions(classes, kinds);
    expect(texts(parse(plotAttributions(found, { output: 2 }))).join()).toMatch(/margin of c/);
    expect(() => plotAttributions(found, { output: 3 })).toThrow(/output is 3/);
    const page = parse(plotDependence(partialDependence(classes, kinds, "x0")));
    expect(all(page, "path")).toHaveLength(3);
    expect(texts(page)).toEqual(expect.arrayContaining(["a", "b", "c"]));
  });

  it("writes a tree whose leaves and conditions predict like the model", async () => {
    const one = await fit(trees({ leaves: 6 }), data, { epochs: 1 });
    const text = treeText(one, 0);
    const lines = text.trimEnd().split("\n");
    // Follows the text for every row.
    for (let i = 0; i < rowCount; i++) {
      let at = 0;
      for (;;) {
        const [, indent, condition] = /^( *)(?:yes: |no: )?(.*?)( {2}\(.*)?$/.exec(lines[at])!;
        const asked = /^(.*)\?, missing: (yes|no)$/.exec(condition);
        if (!asked) {
          const margin = one.ensemble.base[0] + Number(condition);
          const given = {
            town: codes[i] < 0 ? null : table.columns[0].levels![codes[i]],
            size: Number.isNaN(size[i]) ? null : size[i],
          };
          expect(Math.abs(Number(one.predict(given).value) - margin)).toBeLessThan(0.01);
          break;
        }
        const [name, word, ...rest] = asked[1].split(" ");
        const town = codes[i] < 0 ? undefined : table.columns[0].levels![codes[i]];
        const isMissing = name === "town" ? town === undefined : Number.isNaN(size[i]);
        const list = rest.filter((part) => !["not", "in"].includes(part)).map((part) => part.replace(",", ""));
        const isNot = rest[0] === "not";
        const holds = name === "town" ? list.includes(town!) !== isNot : size[i] < Number(rest[0]);
        expect(word).toBe(name === "town" ? "is" : "<");
        const yes = isMissing ? asked[2] === "yes" : holds;
        const child = `${indent}  ${yes ? "yes: " : "no: "}`;
        at = lines.findIndex((line, k) => k > at && line.startsWith(child));
      }
    }
    expect(lines.filter((line) => !line.includes("?"))).toHaveLength(6);
    expect(texts(parse(plotTree(one, 0))).join()).toContain("Tree 0 of 1");
  });
});

it("refuses other values by name", async () => {
  const line = await fit(linear({ loss: "squared" }), Dataset.fromArrays({ x: [[1], [2]], y: [1, 2] }), { epochs: 1 });
  expect(() => treeText(line as never, 0)).toThrow(/must be trees/);
  expect(() => treeText(model, 20)).toThrow(/tree is 20/);
  expect(() => plotTree(model, -1)).toThrow(/tree is -1/);
  expect(() => plotImportance([])).toThrow(/importance\(model\)/);
  expect(() => plotImportance(importance(model), { output: 1 } as never)).toThrow(/output/);
  expect(() => plotAttributions({} as never)).toThrow(/attributions\(model, rows\)/);
  expect(() => plotDependence(partialDependence(model, data, ["town", "size"]))).toThrow(/for one column/);
  expect(() => plotDependence(partialDependence(model, data, "town"), { width: 3 })).toThrow(/width/);
  expect(() => plotTree(model, 0, { title: 3 as never })).toThrow(/title must be a text/);
});
