/** Draws as CmdStan's CSV: the exact text, lossless reading, and the same numbers when read by R. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toCmdStanCsv } from "../../../src/bayes/draws/csv.ts";
import { fromCmdStanCsv } from "../../../src/bayes/draws/csv-reader.ts";
import { Draws } from "../../../src/bayes/draws/draws.ts";
import { anyContent, example, plain } from "./contents.ts";

const texts = (draws: Draws) => Array.from({ length: draws.chains }, (_, c) => toCmdStanCsv(draws, c));

describe("draws as CmdStan's CSV", () => {
  it("keep a model's name on one line, whatever its line endings", () => {
    const { content } = example();
    const text = toCmdStanCsv(new Draws({ ...content, description: { ...content.description, model: "a\nb\rc\r\n\nd" } }), 0);
    expect(text).not.toContain("\r");
    expect(text.split("\n")[0]).toBe("# model = a b c d");
  });

  it("have CmdStan's layout", () => {
    const [own, ...lines] = toCmdStanCsv(example(), 1)
      .split("\n")
      .sort((a, b) => Number(b.startsWith("# ergodic")) - Number(a.startsWith("# ergodic")));
    expect(JSON.parse(own.slice("# ergodic = ".length))).toMatchObject({ chains: 2, fields: example().fields });
    expect(lines.join("\n")).toBe(`# model = example
# method = sample
#   sample
#     num_samples = 3
#     num_warmup = 50
#     save_warmup = 0
#     thin = 1
#     adapt
#       engaged = 1
#       delta = 0.8
#     algorithm = hmc
#       hmc
#         engine = nuts
#           nuts
#             max_depth = 9
#         metric = dense_e
#         stepsize = 1
#         stepsize_jitter = 0
#     num_chains = 2
# id = 2
# random
#   seed = 7
lp__,stepsize__,divergent__,swaps__,mu,theta.1,theta.2,L.1.1,L.2.1,L.1.2,L.2.2,L.1.3,L.2.3
# Adaptation terminated
# Step size = 12
2,4,3,5,3.5,106.5,107.5,218.5,221.5,219.5,222.5,220.5,223.5
6,8,7,9,4.5,108.5,109.5,224.5,227.5,225.5,228.5,226.5,229.5
10,12,11,13,5.5,110.5,111.5,230.5,233.5,231.5,234.5,232.5,235.5
# 
#  Elapsed Time: 1.5 seconds (Total)
`);
  });

  it("are read back bit for bit", () => {
    fc.assert(
      fc.property(anyContent, (content) => {
        expect(plain(fromCmdStanCsv(texts(new Draws(content))).content)).toEqual(plain(content));
      }),
      { seed: 13, numRuns: 200 },
    );
  });

  it("have lp__ = 0 without a log density, and lose it when read", () => {
    const { content } = example();
    const draws = new Draws({ ...content, fields: [], transitions: new Float64Array(0), description: {} });
    const text = toCmdStanCsv(draws, 0);
    expect(text).toContain("\n#     algorithm = fixed_param\n");
    expect(text).toContain("\nlp__,mu,theta.1");
    expect(text).toContain("\n0,0.5,100.5");
    expect(fromCmdStanCsv([text]).fields).toEqual([]);
  });

  it("replace special characters in names, and restore the names when read", () => {
    const names = ["x:z", "x_z", "x z", "x.1", "sd(g): x", "g[Ann, B.]: x", 'say "a"', "#1", ","];
    const draws = new Draws({
      ...example().content,
      quantities: [
        ...names.map((name) => ({ name, shape: [], kind: "parameter" as const })),
        { name: "a b", shape: [2], kind: "parameter" },
      ],
      values: {
        ...Object.fromEntries(names.map((name, j) => [name, Float64Array.from({ length: 6 }, (_, i) => 10 * j + i)])),
        "a b": Float64Array.from({ length: 12 }, (_, i) => 1000 + i),
      },
    });
    const texts = [toCmdStanCsv(draws, 0), toCmdStanCsv(draws, 1)];
    const head = texts[0].split("\n").find((line) => line.startsWith("lp__"))!;
    expect(head).toMatch(/,x_z_2,x_z,x_z_3,x_1,sd\(g\)_x,g_Ann_B_x,say_a,1,_,a_b\.1,a_b\.2$/);
    const read = fromCmdStanCsv(texts);
    expect(read.quantities).toEqual(draws.quantities);
    for (const name of [...names, "a b"]) expect([...read.draws(name)]).toEqual([...draws.draws(name)]);
    const bare = texts.map((text) => text.replace(/^# ergodic = .*\n/m, ""));
    expect(fromCmdStanCsv(bare).quantities.map(({ name }) => name)).toContain("sd(g)_x");
  });

  it("are refused for invalid column names or a missing chain", () => {
    const named = (name: string) =>
      new Draws({
        ...example().content,
        quantities: [{ name, shape: [], kind: "parameter" }],
        values: { [name]: new Float64Array(6) },
      });
    for (const name of ["a__", ""]) expect(() => toCmdStanCsv(named(name), 0)).toThrow(/DRAWS_NAME/);
    expect(() => toCmdStanCsv(example(), 2)).toThrow(/chain is 2, but must be an integer >= 0 and <= 1/);
    const twice = new Draws({ ...example().content, fields: ["logDensity", "lp"], transitions: new Float64Array(12) });
    expect(() => toCmdStanCsv(twice, 0)).toThrow(/two columns would be called "lp__"/);
  });
});

const r = spawnSync("Rscript", [
  "-e",
  "for (p in c('posterior', 'rstan', 'jsonlite')) stopifnot(requireNamespace(p, quietly = TRUE))",
]);
const there = r.status === 0;
if (!there) console.warn("draws/csv: reading by R skipped, because Rscript with posterior, rstan and jsonlite is absent");

// Reads one file with read.csv and all files with rstan and posterior. In the sums, every position has its own weight.
const script = `
suppressMessages({ library(posterior); library(rstan) })
files <- commandArgs(TRUE)
one <- read.csv(files[1], comment.char = "#")
fit <- read_stan_csv(files)
x <- as_draws_array(as.array(fit))
weighed <- function(name) sum(extract_variable_matrix(x, name) * outer(1:niterations(x), 10 * (1:nchains(x)), "+"))
cat(jsonlite::toJSON(list(columns = names(one), mu = sprintf("%.17g", one$mu), names = variables(x), sums = sapply(variables(x), weighed),
  depths = as.vector(sapply(get_sampler_params(fit), function(p) p[, "treedepth__"])), warmup = fit@sim$warmup, seed = fit@stan_args[[2]]$seed, chain = fit@stan_args[[2]]$chain_id), digits = NA, auto_unbox = TRUE))
`;

describe("R", () => {
  it.skipIf(!there)(`reads the same draws${there ? "" : " (skipped: no Rscript with posterior and rstan)"}`, () => {
    const folder = mkdtempSync(join(tmpdir(), "draws-"));
    try {
      const draws = hamiltonian();
      const files = texts(draws).map((text, c) => {
        const file = join(folder, `chain_${c + 1}.csv`);
        writeFileSync(file, text);
        return file;
      });
      const read = JSON.parse(
        execFileSync("Rscript", ["-e", script, ...files], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
      );
      expect(read.columns.slice(0, 8)).toEqual(
        "lp__ accept_stat__ stepsize__ treedepth__ n_leapfrog__ divergent__ energy__ mu".split(" "),
      );
      expect(read.mu.map(Number)).toEqual([...draws.draws("mu").subarray(0, 4)]);
      const scalars = draws.scalars();
      expect(new Set(read.names)).toEqual(new Set([...scalars.keys(), "lp__"]));
      for (const [j, name] of read.names.entries()) {
        const series = name === "lp__" ? draws.transition("logDensity") : scalars.get(name)!;
        const sum = series.reduce((total, value, k) => total + value * ((k % 4) + 1 + 10 * (Math.floor(k / 4) + 1)), 0);
        expect(Math.abs(read.sums[j] - sum)).toBeLessThan(1e-11 * Math.abs(sum));
      }
      expect(read.depths).toEqual([...draws.transition("treeDepth")]);
      expect([read.warmup, read.seed, read.chain]).toEqual([3, "20260101", 2]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** Two chains of four draws with numbers that use all digits. */
function hamiltonian(): Draws {
  const digits = (length: number, scale: number) =>
    Float64Array.from({ length }, (_, k) => scale * Math.sin(k + 1) + 1 / (k + 3));
  const fields = ["logDensity", "acceptance", "stepSize", "treeDepth", "leapfrogs", "divergent", "energy"];
  const transitions = digits(8 * fields.length, 3);
  for (let k = 0; k < 8; k++) transitions.set([k === 2 ? 5 : 3, k === 2 ? 31 : 7, 0], k * fields.length + 3);
  return new Draws({
    ...example().content,
    count: 4,
    values: { mu: digits(8, 1e-7), theta: digits(16, 1), L: digits(48, 1e30), none: new Float64Array(0) },
    fields,
    transitions,
    description: {
      model: "example",
      algorithm: { algorithm: "nuts", metric: "diagonal", maxTreeDepth: 5 },
      plan: { warmup: 3, seed: 20260101 },
      run: { seconds: 0.25 },
    },
  });
}
