/** Files of Stan: files written by rstan (golden/rstan.R), CmdStan's comments, and damaged files. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { toCmdStanCsv } from "../../../src/bayes/draws/csv.ts";
import { fromCmdStanCsv } from "../../../src/bayes/draws/csv-reader.ts";
import { example } from "./contents.ts";

const fixture = (name: string) => readFileSync(new URL(`golden/${name}`, import.meta.url), "utf8");
const saved = ["rstan_1.csv", "rstan_2.csv"].map(fixture);
type Value = number | "NaN" | "-Inf";
const golden: Record<"draws" | "fields", Record<string, Value[][]>> = JSON.parse(fixture("rstan.json"));
const values = (lists: Value[][]) => lists.flat().map((value) => (value === "-Inf" ? -Infinity : Number(value)));

describe("files of rstan", () => {
  const draws = fromCmdStanCsv(saved);

  it("contain the draws that rstan reads, without warm-up", () => {
    expect([draws.chains, draws.count]).toEqual([2, 20]);
    expect(draws.quantities.map(({ name, shape }) => [name, ...shape])).toEqual([
      ["mu"],
      ["theta", 3],
      ["A", 2, 3],
      ["L", 2, 2],
      ["b", 2, 3],
      ["tau"],
      ["G", 2, 2, 3],
      ["n"],
      ["nothing"],
      ["low"],
    ]);
    const scalars = draws.scalars().set("lp__", draws.transition("logDensity"));
    expect(new Set(scalars.keys())).toEqual(new Set(Object.keys(golden.draws)));
    for (const [name, series] of scalars) expect([name, ...series]).toEqual([name, ...values(golden.draws[name])]);
  });

  it("keep arrays of matrices in order", () => {
    expect([...draws.draws("G").subarray(0, 12)]).toEqual([111, 112, 113, 121, 122, 123, 211, 212, 213, 221, 222, 223]);
  });

  it("describe how the draws were made", () => {
    const names = { acceptance: "accept_stat__", stepSize: "stepsize__", treeDepth: "treedepth__", leapfrogs: "n_leapfrog__" };
    for (const [field, label] of Object.entries({ ...names, divergent: "divergent__", energy: "energy__" }))
      expect([...draws.transition(field)]).toEqual(values(golden.fields[label]));
    expect(draws.description).toMatchObject({
      algorithm: { algorithm: "nuts", maxTreeDepth: 10, targetAcceptance: 0.8 },
      plan: { chains: 2, warmup: 10, draws: 20, seed: 20260711 },
      settings: { "Step size": "0.165246", sampler_t: "NUTS(diag_e)" },
    });
    expect(draws.treeDepths()?.limit).toBe(10);
  });

  it("give the same draws without saved warm-up", () => {
    const kept = fromCmdStanCsv([fixture("kept.csv")]);
    expect(kept.count).toBe(20);
    for (const name of ["mu", "theta", "L", "G"])
      expect(kept.draws(name)).toEqual(draws.draws(name).subarray(0, kept.draws(name).length));
  });

  it("are read up to the point where a run stopped, with any line endings", () => {
    const lines = saved[0].split("\n");
    expect(fromCmdStanCsv([lines.slice(0, 30).join("\r\n")]).count).toBe(0);
    expect(fromCmdStanCsv([lines.slice(0, 45).join("\r\n")]).count).toBe(5);
  });
});

describe("files of CmdStan", () => {
  const rows = ["lp__,x", "-1,1", "-2,2", "-3,3", "-4,4", "-5,5"];
  const read = (...comments: string[]) => [...fromCmdStanCsv([[...comments, ...rows].join("\n")]).draws("x")];

  it.each([
    ["nothing said", [], [1, 2, 3, 4, 5]],
    ["warm-up not saved", ["#     num_warmup = 3", "#     save_warmup = 0 (Default)"], [1, 2, 3, 4, 5]],
    ["warm-up saved", ["#     num_warmup = 3", "#     save_warmup = 1"], [4, 5]],
    ["warm-up saved, as written from 2.35 on", ["#     num_warmup = 3", "#     save_warmup = true"], [4, 5]],
    ["warm-up thinned", ["#     num_warmup = 3", "#     save_warmup = 1", "#     thin = 2"], [3, 4, 5]],
    ["warm-up longer than the file", ["#     num_warmup = 9", "#     save_warmup = 1"], []],
    ["parameters fixed", ["#     num_warmup = 3", "#     save_warmup = 1", "#     algorithm = fixed_param"], [1, 2, 3, 4, 5]],
    ["a variational approximation", ["# method = variational", "#     output_samples = 4"], [2, 3, 4, 5]],
  ])("%s", (_, comments, x) => {
    expect(read(...comments)).toEqual(x);
  });

  it("drop rows above the end of adaptation if their settings were cut off", () => {
    const lines = [...rows.slice(0, 3), "# Adaptation terminated", "# Step size = 0.5", ...rows.slice(3)];
    expect([...fromCmdStanCsv([lines.join("\n")]).draws("x")]).toEqual([3, 4, 5]);
  });

  it("accept any number that Stan writes", () => {
    const text = "x,y\nnan,inf\nNaN,-inf\n+inf,1e-300\n-0, +2 \n";
    expect([...fromCmdStanCsv([text]).draws("x")]).toEqual([Number.NaN, Number.NaN, Infinity, -0]);
    expect([...fromCmdStanCsv([text]).draws("y")]).toEqual([Infinity, -Infinity, 1e-300, 2]);
  });

  it("name their algorithm", () => {
    const text = ["# algorithm = hmc (Default)", "# engine = static", "# id = 3", "# seed = 12 (Default)", ...rows].join("\n");
    expect(fromCmdStanCsv([text]).description).toMatchObject({ algorithm: { algorithm: "hmc" }, plan: { seed: 12, draws: 5 } });
  });
});

describe("comments", () => {
  const described = (...comments: string[]) => fromCmdStanCsv([[...comments, "lp__,x", "-1,1"].join("\n")]).description;

  it("the first of each name counts, and defaults count as values", () => {
    const given = ["# model = first = 1", "#   model = second", "## num_warmup =  7  (Default)", "# no setting", "#= nothing"];
    expect(described(...given)).toMatchObject({ model: "first = 1", plan: { chains: 1, draws: 1, warmup: 7 } });
    expect(described(...given).settings).toEqual({ model: "first = 1", num_warmup: "7" });
    expect(described()).toEqual({ source: "Stan", algorithm: {}, plan: { chains: 1, draws: 1 }, settings: {} });
  });

  it("numbers are read under either program's names, and ignored if malformed", () => {
    const cmdStan = ["# max_depth = 8", "# delta = 0.9", "# num_warmup = 5", "# seed = 3", "# engine = nuts"];
    const rstan = ["# max_treedepth=8", "# adapt_delta=0.9", "# warmup=5", "# seed=3", "# sampler_t=NUTS(diag_e)"];
    for (const given of [cmdStan, rstan])
      expect(described(...given)).toMatchObject({
        algorithm: { algorithm: "nuts", maxTreeDepth: 8, targetAcceptance: 0.9 },
        plan: { warmup: 5, seed: 3 },
      });
    expect(described("# max_depth = many", "# seed = ").algorithm).toEqual({});
    expect(described("# engine = static", "# algorithm = other").algorithm).toEqual({ algorithm: "hmc" });
    expect(described("# algorithm = fixed_param").algorithm).toEqual({ algorithm: "fixed_param" });
  });
});

it("column names can be quoted and in any order", () => {
  const read = fromCmdStanCsv([' "a[2]" , "divergent__","a[1]",lp__\n 1,0,2,-3\n\n4,1,5,-6 \n']);
  expect([...read.draws("a")]).toEqual([2, 1, 5, 4]);
  expect(read.fields).toEqual(["divergent", "logDensity"]);
  expect([[...read.transition("divergent")], [...read.transition("logDensity")]]).toEqual([
    [0, 1],
    [-3, -6],
  ]);
});

describe("damaged files", () => {
  const ours = toCmdStanCsv(example(), 0);
  it.each([
    ["none", [], /there are no files/],
    ["nothing but comments", ["# a = 1\n"], /chain 1: there is no table/],
    ["a row cut short", ["# c\nlp__,x\n1,2\n3"], /chain 1:4: the row has 1 numbers, but there are 2 columns/],
    ["no number", ["x,y\n1,two"], /chain 1:2: "two" in column "y" is not a number/],
    ["an empty cell", ["x,y\n1,"], /chain 1:2: "" in column "y" is not a number/],
    ["other columns", ["x\n1", "y\n1"], /chain 2: its columns differ from those of chain 1/],
    ["other lengths", ["x\n1", "x\n1\n2"], /chain 2: it has 2 draws, but chain 1 has 1/],
    ["a comment that is not JSON", ["# ergodic = {oops\nx\n1"], /the comment "ergodic" is not JSON/],
    ["a column renamed", [ours.replace("theta.2", "theta.3")], /"theta" has 2 columns, but indices up to \[3\] need 3/],
    ["a quantity renamed", [ours.replace(",mu,", ",nu,")], /but its comment "ergodic" names L\[2,3\],mu\[\],theta\[2\]/],
    ["a field renamed", [ours.replace("swaps__", "swops__")], /names a column "swaps__", but there is none/],
  ])("%s", (_, texts, message) => {
    expect(() => fromCmdStanCsv(texts)).toThrow(message);
  });

  it("errors name the file", () => {
    expect(() => fromCmdStanCsv(["x\nno"], ["run.csv"])).toThrow(/^run.csv:2: "no" in column "x" is not a number/);
  });
});

it.each<[unknown, unknown, string]>([
  ["lp__\n1\n", undefined, "fromCmdStanCsv: texts is "],
  [["lp__\n1\n", 3], undefined, "fromCmdStanCsv: texts[1] is 3, but must be a text"],
  [["lp__\n1\n"], "a", 'fromCmdStanCsv: names is "a", but must be a list of strings'],
  [["lp__\n1\n"], [null], "fromCmdStanCsv: names[0] is null, but must be a text"],
  [["lp__\n1\n"], ["a", "b"], "fromCmdStanCsv: there are 2 names for 1 texts; give one name per text [OPTION_RANGE]"],
  [[], [], "fromCmdStanCsv: there are no files; give one text per chain [DRAWS_EMPTY]"],
])("refuses the texts %j of names %j", (texts, names, message) => {
  expect(() => fromCmdStanCsv(texts as never, names as never)).toThrow(message);
});
