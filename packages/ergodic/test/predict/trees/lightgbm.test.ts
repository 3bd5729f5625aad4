/**
 * Models of LightGBM as text. A forest gives its true predictions bit for bit. Other models equal a plain evaluation of
 * the text, written from LightGBM's rules, on rows with gaps, zeros, and values at thresholds. Only this file tests the
 * decision types of LightGBM.
 */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { stream } from "../../../src/engine/random/stream.ts";
import { predictor, type TreesPredictor } from "../../../src/entries/predict.ts";

const shared = new URL("../../../../../../shared/data/trees/", import.meta.url);
const there = existsSync(shared);
if (!there) console.warn("lightgbm: models of ../shared/data/trees skipped, the folder is absent");
const file = (name: string): string => readFileSync(new URL(name, shared), "utf8");
const read = (text: string): Promise<TreesPredictor> => predictor<TreesPredictor>(new TextEncoder().encode(text));

type Tree = Record<string, string>;
const treesOf = (text: string): Tree[] =>
  text
    .split("end of trees")[0]
    .split(/^Tree=/m)
    .slice(1)
    .map((block) => Object.fromEntries(block.split("\n").flatMap((line) => (line.includes("=") ? [line.split("=")] : []))));
const list = (text = ""): number[] => text.split(" ").filter(Boolean).map(Number);

/** Value of a tree, node by node as LightGBM decides. */
function treeValue(tree: Tree, row: readonly number[]): number {
  if (tree.num_leaves === "1") return Number(tree.leaf_value);
  const [feature, threshold, type, left, right] = [
    "split_feature",
    "threshold",
    "decision_type",
    "left_child",
    "right_child",
  ].map((name) => list(tree[name]));
  const [bounds, words] = [list(tree.cat_boundaries), list(tree.cat_threshold)];
  const decide = (n: number): boolean => {
    let x = row[feature[n]];
    if (type[n] & 1) {
      const code = Math.trunc(x);
      if (Number.isNaN(x) || code < 0) return false;
      const own = words.slice(bounds[threshold[n]], bounds[threshold[n] + 1]);
      return ((own[Math.floor(code / 32)] ?? 0) >>> (code % 32)) % 2 === 1;
    }
    const missing = (type[n] >> 2) & 3;
    if (Number.isNaN(x) && missing !== 2) x = 0;
    if ((missing === 1 && Math.abs(x) <= Math.fround(1e-35)) || (missing === 2 && Number.isNaN(x))) return (type[n] & 2) > 0;
    return x <= threshold[n];
  };
  let n = 0;
  while (n >= 0) n = decide(n) ? left[n] : right[n];
  return list(tree.leaf_value)[-n - 1];
}

/** Sums of trees per output. */
function sums(text: string, row: readonly number[], outputs = 1): number[] {
  const z = new Array<number>(outputs).fill(0);
  for (const [t, tree] of treesOf(text).entries()) z[t % outputs] += treeValue(tree, row);
  return z;
}

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

interface Header {
  outputs?: number;
  columns?: number;
  lines?: string[];
}
function modelOf(trees: readonly string[], { outputs = 1, columns = 3, lines = ["objective=regression"] }: Header = {}): string {
  const names = Array.from({ length: columns }, (_, j) => `Column_${j}`);
  const head = ["tree", "version=v4", `num_class=${outputs}`, `num_tree_per_iteration=${outputs}`, "label_index=0"];
  const rest = [`max_feature_idx=${columns - 1}`, ...lines, `feature_names=${names.join(" ")}`, "tree_sizes=1", ""];
  return [
    ...head,
    ...rest,
    ...trees.map((tree, t) => `Tree=${t}\n${tree}\n`),
    "end of trees",
    "",
    "pandas_categorical:null",
    "",
  ].join("\n");
}

const simple =
  "num_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=0.5\ndecision_type=2\nleft_child=-1\nright_child=-2\nleaf_value=1 2";

describe.skipIf(!there)(`models of ../shared/data/trees${there ? "" : " (skipped: no ../shared/data)"}`, () => {
  it("a forest gives its true predictions bit for bit", async () => {
    const model = await read(file("lg_rf_iris.model"));
    const rows = file("iris_test.libsvm")
      .trim()
      .split("\n")
      .map((line) =>
        line
          .split(" ")
          .slice(1)
          .map((pair) => Number(pair.split(":")[1])),
      );
    const found = model.predict(rows).map(({ probabilities }) => probabilities!["1"]);
    expect(found).toEqual(file("lg_rf_iris_true_predictions.txt").trim().split("\n").map(Number));
    const again = await predictor<TreesPredictor>(model.toBytes());
    expect(again.predict(rows)).toEqual(model.predict(rows));
    expect([model.treeCount, model.task]).toEqual([30, "binary"]);
  });

  it("boosted trees equal a plain evaluation of the text", async () => {
    const text = file("lg_breast_cancer.txt");
    const model = await read(text);
    const rows = file("lg_breast_cancer_data.txt")
      .trim()
      .split("\n")
      .map((line) => line.split(" ").map(Number));
    expect(rows.length).toBeGreaterThan(50);
    for (const row of rows) {
      const { probabilities } = model.predict(row);
      expect(probabilities!["1"]).toBeCloseTo(sigmoid(sums(text, row)[0]), 14);
    }
    expect(model.columns[29]).toBe("Column_29");
  });

  it("trees of one, two and three leaves", async () => {
    const trees = ["tree_1leaf.txt", "tree_2leaves.txt", "tree_3leaves.txt"].map((name) => file(name).replace(/^Tree=.*\n/, ""));
    const model = await read(modelOf(trees, { columns: 2 }));
    // Category 100 is bit 4 of word 3, which is 16.
    for (const [row, wanted] of [
      [[5, 100], 0.123 + 0.43 + 0.54],
      [[5.1, 99], 0.123 + 0.59 + 0.35],
      [[757, 0], 0.123 + 0.59 + 0.38],
    ] as const)
      expect(model.predict(row as unknown as number[]).value).toBe(wanted);
  });
});

/** A random tree over three columns, the last of which is a category. */
function randomTree(seed: number): string {
  const draws = stream(seed, "trees").at(0);
  const count = 6;
  const nodes = Array.from({ length: count }, (_, n) => {
    const isCategory = draws.integer(3) === 0;
    return { n, feature: isCategory ? 2 : draws.integer(2), type: isCategory ? 1 : 2 * draws.integer(2) + 4 * draws.integer(3) };
  });
  const sets = nodes.filter(({ type }) => type === 1);
  const thresholds = [-1, 0, 1e-36, 0.5, 1.0000000180025095e-35];
  // Node n has node n + 1 and leaf n as children, in random order.
  const children = nodes.map(({ n }) => (n + 1 < count ? n + 1 : -count - 1));
  const isLeft = nodes.map(() => draws.integer(2) === 0);
  const side = (left: boolean): string => nodes.map(({ n }) => (isLeft[n] === left ? children[n] : -n - 1)).join(" ");
  return [
    `num_leaves=${count + 1}`,
    `num_cat=${sets.length}`,
    `split_feature=${nodes.map(({ feature }) => feature).join(" ")}`,
    `split_gain=${nodes.map(() => 1).join(" ")}`,
    `threshold=${nodes.map((node) => (node.type === 1 ? sets.indexOf(node) : thresholds[draws.integer(thresholds.length)])).join(" ")}`,
    `decision_type=${nodes.map(({ type }) => type).join(" ")}`,
    `left_child=${side(true)}`,
    `right_child=${side(false)}`,
    `leaf_value=${Array.from({ length: count + 1 }, () => draws.normal()).join(" ")}`,
    ...(sets.length > 0
      ? [
          `cat_boundaries=${Array.from({ length: sets.length + 1 }, (_, k) => 2 * k).join(" ")}`,
          `cat_threshold=${sets.flatMap(() => [draws.integer(2 ** 32 - 1), draws.integer(2 ** 32 - 1)]).join(" ")}`,
        ]
      : []),
    "is_linear=0",
    "shrinkage=1",
  ].join("\n");
}

const values = [Number.NaN, 0, -0, 1e-36, -1e-36, Math.fround(1e-35), 1e-34, -1, 0.5, 0.6, 3];
const codes = [Number.NaN, -1, 0, 1, 2, 5, 17, 31, 32, 40, 63, 64, 1000];
const grid = values.flatMap((a) => values.flatMap((b) => codes.map((c) => [a, b, c])));

describe("decision types", () => {
  it("numbers with missing none, zero and NaN, and categories: bit for bit over a grid of rows", async () => {
    const text = modelOf(Array.from({ length: 40 }, (_, k) => randomTree(k)));
    const model = await read(text);
    expect(model.predict(grid).map(({ value }) => value)).toEqual(grid.map((row) => sums(text, row)[0]));
  });

  it("several classes", async () => {
    const trees = Array.from({ length: 12 }, (_, k) => randomTree(100 + k));
    const text = modelOf(trees, { outputs: 3, lines: ["objective=multiclass num_class:3"] });
    const model = await read(text);
    for (const row of grid.slice(0, 300)) {
      const z = sums(text, row, 3);
      const total = z.reduce((sum, value) => sum + Math.exp(value), 0);
      const found = model.predict([row])[0].probabilities!;
      for (const k of [0, 1, 2]) expect(found[k]).toBeCloseTo(Math.exp(z[k]) / total, 14);
    }
  });
});

describe("objectives", () => {
  const two = (x: number): number => (x <= 0.5 ? 1 : 2);
  const links: [string[], (z: number) => number][] = [
    [["objective=regression"], (z) => z],
    [["objective=regression_l1"], (z) => z],
    [["objective=huber"], (z) => z],
    [["objective=quantile alpha:0.5"], (z) => z],
    [["objective=lambdarank"], (z) => z],
    [[], (z) => z],
    [["objective=poisson"], Math.exp],
    [["objective=gamma"], Math.exp],
    [["objective=tweedie tweedie_variance_power:1.5"], Math.exp],
    [["objective=binary sigmoid:1"], sigmoid],
    [["objective=binary sigmoid:0.7"], (z) => sigmoid(0.7 * z)],
    [["objective=cross_entropy"], sigmoid],
    [["objective=regression", "average_output"], (z) => z / 2],
    [["objective=binary sigmoid:2", "average_output"], (z) => sigmoid(z)],
  ];
  it.each(links)("%s", async (lines, link) => {
    const model = await read(modelOf([simple, simple], { lines }));
    for (const x of [0, 0.5, 1]) {
      const { value, probabilities } = model.predict([x, 0, 0]);
      expect(probabilities ? probabilities["1"] : value).toBeCloseTo(link(2 * two(x)), 14);
    }
  });

  const refused: [string, string, RegExp][] = [
    ["sqrt", modelOf([simple], { lines: ["objective=regression sqrt"] }), /the objective "regression sqrt", which/],
    [
      "one class against the rest",
      modelOf([simple], { lines: ["objective=multiclassova num_class:3"] }),
      /"multiclassova", which/,
    ],
    ["an unknown objective", modelOf([simple], { lines: ["objective=toString"] }), /the objective "toString", which/],
    ["linear trees", modelOf([`${simple}\nis_linear=1`]), /has linear trees, which .* linear_tree=false \[MODEL_KIND\]/],
    ["several outputs without an objective", modelOf([simple, simple], { outputs: 2, lines: [] }), /no objective, but 2 outputs/],
    ["a text that ends early", modelOf([simple]).split("end of")[0], /ends without the line "end of trees"/],
    ["a missing line", modelOf([simple.replace("threshold=0.5\n", "")]), /has no threshold; the file is damaged/],
    [
      "a child that does not exist",
      modelOf([simple.replace("right_child=-2", "right_child=-3")]),
      /-3 in right_child, but a whole/,
    ],
    ["a leaf with two parents", modelOf([simple.replace("right_child=-2", "right_child=-1")]), /two parents in tree 0/],
    ["a set that does not exist", modelOf([simple.replace("decision_type=2", "decision_type=1")]), /has set 0.5, but no sets/],
    ["a value that is no number", modelOf([simple.replace("leaf_value=1", "leaf_value=x")]), /"x" in leaf_value, but a number/],
    ["trees that are not whole rounds", modelOf([simple], { outputs: 2 }), /outputs for the objective|whole rounds/],
  ];
  it.each(refused)("refuses %s", async (_, text, words) => {
    await expect(read(text)).rejects.toMatchObject({ name: "DataError", message: expect.stringMatching(words) });
  });
});
