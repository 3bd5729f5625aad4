/** The verdict on draws with planted faults, one at a time, and the table of a summary. */
import { describe, expect, it } from "vitest";
import { Draws, summaryTable } from "../../../src/bayes/draws/index.ts";
import type { JsonObject } from "../../../src/engine/contract/index.ts";
import { erfc } from "../../../src/engine/numbers/error-function.ts";
import { normalQuantile } from "../../../src/engine/numbers/normal-quantile.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { averageRanks } from "../../../src/engine/statistics/rank-normal.ts";

const [CHAINS, COUNT] = [4, 500];

interface Fault {
  /** Added to draw t of chain c. */
  shift?: (c: number, t: number) => number;
  /** Autocorrelation of successive draws. */
  memory?: number;
  divergent?: number;
  deep?: number;
  energy?: "slow";
  report?: Record<string, number>;
  chains?: number;
  count?: number;
  /** A chain in which x does not move. */
  still?: number;
  /**
   * Transforms x. Its values lie at evenly spaced probabilities, so its tails are those of the distribution and not of
   * a sample.
   */
  of?: (z: number) => number;
  /** Length of a period. A twentieth of each period is far out to the left. */
  stretches?: number;
  algorithm?: JsonObject;
  places?: JsonObject[];
}

/** Transforms a Gaussian draw to a two-sided Pareto variable with tail index k. */
const pareto =
  (k: number) =>
  (z: number): number =>
    Math.sign(z) * erfc(Math.abs(z) / Math.SQRT2) ** -k;

/** Independent normal draws of "x", "y[1]" and "y[2]", with the given fault. */
function planted({
  shift = () => 0,
  memory = 0,
  divergent = 0,
  deep = 0,
  energy,
  report = {},
  chains = CHAINS,
  count = COUNT,
  still,
  of,
  stretches,
  algorithm = { algorithm: "nuts", maxTreeDepth: 10 },
  places = [],
}: Fault = {}): Draws {
  const fields = ["logDensity", "divergent", "energy", "treeDepth", "leapfrogs"];
  const values = { x: new Float64Array(chains * count), y: new Float64Array(chains * count * 2) };
  const transitions = new Float64Array(chains * count * fields.length);
  for (let c = 0; c < chains; c++) {
    const draws = stream(4, "verdict", c).at(0);
    let [last, level] = [0, 0];
    for (let t = 0; t < count; t++) {
      const k = c * count + t;
      last = memory * last + Math.sqrt(1 - memory ** 2) * draws.normal();
      const far = stretches !== undefined && t % stretches < stretches / 20;
      values.x[k] = c === still ? 0.5 : (far ? -4 - Math.abs(last) : last) + shift(c, t);
      values.y.set([draws.normal(), draws.normal()], 2 * k);
      level = energy === "slow" ? 0.99 * level + 0.1 * draws.normal() : draws.normal();
      transitions.set([0, k < divergent ? 1 : 0, level, k < deep ? 10 : 3, 7], k * fields.length);
    }
  }
  if (of) values.x = averageRanks(values.x).map((rank) => of(normalQuantile((rank - 0.5) / (chains * count))));
  return new Draws({
    chains,
    count,
    quantities: [
      { name: "x", shape: [], kind: "parameter" },
      { name: "y", shape: [2], kind: "parameter" },
    ],
    values,
    fields,
    transitions,
    description: { algorithm, places },
    report,
  });
}

const codes = (fault: Fault): (string | boolean)[] => {
  const { trusted, findings } = planted(fault).verdict();
  return [trusted, ...findings.map(({ code }) => code)];
};

describe("the verdict", () => {
  it("trusts independent draws", () => {
    expect(codes({})).toEqual([true]);
    expect(`${planted().verdict()}`).toBe("These draws can be trusted (4 chains of 500 draws).");
  });

  it.each<[string, Fault, (string | boolean)[]]>([
    ["a chain somewhere else", { shift: (c) => (c === 2 ? 3 : 0) }, [false, "rhat", "ess"]],
    ["a drift", { shift: (_, t) => t / 100 }, [false, "rhat", "ess"]],
    ["few effective draws, on which chains of this length have not settled", { memory: 0.8 }, [false, "rhat", "ess"]],
    ["too few draws to judge", { count: 3 }, [false, "few"]],
    ["a chain that does not move", { still: 1 }, [false, "stuck"]],
    ["particles", { report: { particles: 100 } }, [false, "particles"]],
    ["one chain", { chains: 1 }, [true, "rhat", "oneChain"]],
    ["many divergences", { divergent: 20 }, [false, "divergences"]],
    ["few divergences", { divergent: 3 }, [true, "divergences"]],
    ["few divergences of chains that mix badly", { divergent: 3, memory: 0.8 }, [false, "rhat", "ess", "divergences"]],
    ["trajectories cut short", { deep: 40 }, [true, "treeDepth"]],
    ["slow energies", { energy: "slow" }, [false, "energy"]],
    ["a draw that is not finite", { shift: (c, t) => (c === 1 && t === 7 ? Number.NaN : 0) }, [false, "notFinite"]],
    ["chains that started anew", { report: { restarts: 2 } }, [true, "restarts"]],
    ["a chain that came late", { report: { late: 1 } }, [true, "late"]],
    ["few effective draws in the tails, where those of the bulk are many", { stretches: 500, count: 2000 }, [true, "ess"]],
    ["tails without a mean", { of: pareto(1) }, [true, "tails"]],
    ["tails without a variance", { of: pareto(0.6) }, [true, "tails"]],
    ["nothing in tails with a variance", { of: pareto(0.3) }, [true]],
    ["nothing in heavy tails of too few draws to tell", { of: pareto(1), chains: 4, count: 99 }, [true, "ess"]],
    ["nothing in counts, whose tails lie on few values", { of: (z) => Math.max(0, Math.round(z - 1)) }, [true]],
    ["a poor approximation", { report: { paretoK: 0.9 } }, [false, "paretoK"]],
    ["a good approximation", { report: { paretoK: 0.3 } }, [true]],
  ])("finds %s", (_, fault, wanted) => {
    expect(codes(fault)).toEqual(wanted);
  });

  it.each<[JsonObject, RegExp]>([
    [{ plan: { draws: 0 } }, /no draws were asked for: ask for some/],
    [{ plan: { draws: 1 } }, /the run was stopped during warm-up: let it continue/],
    [{ plan: null }, /the run was stopped during warm-up/],
    [{ plan: [] }, /the run was stopped during warm-up/],
    [{}, /the run was stopped during warm-up/],
  ])("explains why there are no draws: %o", (description, wanted) => {
    const quantities = [{ name: "x", shape: [], kind: "parameter" as const }];
    const none = { values: { x: new Float64Array(0) }, fields: [], transitions: new Float64Array(0), report: {} };
    const { trusted, findings, text } = new Draws({ chains: 2, count: 0, quantities, description, ...none }).verdict();
    expect([trusted, findings.map(({ code }) => code)]).toEqual([false, ["empty"]]);
    expect(text).toMatch(wanted);
  });

  it("names modes that the chains missed, with their share", () => {
    const at = { a: 1.23456, "b[1]": -2, "b[2]": null, c: 1e-9, d: 5 };
    const held = { by: "chain", chain: 0, share: 0.5, missed: false, at };
    const other = { by: "scout", chain: -1, share: 0.4812, missed: true, at };
    expect(codes({ places: [held] })).toEqual([true]);
    expect(codes({ places: [held, other] })).toEqual([false, "modes"]);
    expect(`${planted({ places: [held, other] }).verdict()}`).toContain(
      "one of them has no draws or far too few: near a = 1.23, b[1] = -2, b[2] = ?, c = 1e-9, … (48 % of the probability of this mode and the sampled region together): if the modes are",
    );
    expect(`${planted({ places: [{ ...other, share: 0.99999 }] }).verdict()}`).toContain("(over 99 % of the probability of");
    const far = { ...other, share: 0.0041, changes: "mu", sdFactor: 1.834 };
    expect(`${planted({ places: [held, far] }).verdict()}`).toContain(
      '(0.41 % of the probability of this mode and the sampled region together, yet enough to make the standard deviation of "mu" 1.8 times as large)',
    );
    expect(`${planted({ places: [other, { ...other, share: null }] }).verdict()}`).toMatch(
      /2 of them have no draws or far too few: near .*; near .*unknown share/,
    );
  });

  it("puts modes first if chains fill several or each chain agrees only with itself", () => {
    const at = (x: number) => ({ x });
    const chain = (c: number, mode: number) => ({
      by: "chain",
      chain: c,
      share: 0.5,
      settled: true,
      mode,
      missed: false,
      at: at(mode),
    });
    const shift = (c: number) => (c === 2 ? 9 : 0);
    const places = [chain(0, 0), chain(1, 0), chain(2, 1), chain(3, 0)];
    const { findings } = planted({ shift, places, deep: 40 }).verdict();
    expect(findings.map(({ code }) => code)).toEqual(["modes", "rhat", "ess", "treeDepth"]);
    expect(findings[0].text).toBe(
      "the posterior has several modes, and the chains are split between 2 of them, near x = 0 (3 of 4 chains); near x = 1 (1 of 4 chains)",
    );
    expect(findings[1].advice).toMatch(/^deal with the modes first; within a mode, use centred/);
    // A chain outside all modes is still one of the chains.
    expect(`${planted({ shift, places: [...places.slice(0, 3), chain(3, -1)] }).verdict()}`).toContain(
      "near x = 0 (2 of 4 chains); near x = 1 (1 of 4 chains)",
    );
    // Other samplers report no places.
    expect(planted({ shift }).verdict().findings[0].advice).toMatch(/^if the modes are mirror images/);
    // Drifting chains have no places, and chains that agree have no separate ones.
    expect(planted({ shift: (c, t) => t / 100 + c / 9 }).verdict().findings[0].advice).toMatch(/^use centred.*; more chains/);
    expect(codes({ places })).toEqual([true]);
  });

  it("distinguishes chains restarted during descent from chains restarted from a minor mode", () => {
    const left = (settled: boolean) => ({ by: "left", chain: 1, share: 0, settled, mode: -1, missed: false, at: { x: 0 } });
    const texts = (places: JsonObject[], restarts: number) =>
      planted({ places, report: { restarts } })
        .verdict()
        .findings.map(({ text, advice }) => `${text}: ${advice}`);
    expect(texts([left(true)], 1)).toEqual([expect.stringMatching(/restarted once, because they had settled in .* minor mode/)]);
    expect(texts([left(false)], 1)).toEqual([
      expect.stringMatching(/restarted once, because they had not reached .*: scale the data/),
    ]);
    // No more restarts than there were.
    expect(texts([left(false), left(false)], 1)).toEqual([expect.stringMatching(/restarted once, because they had not reached/)]);
    expect(texts([left(false), left(true), left(false)], 3)).toEqual([
      expect.stringMatching(/restarted once, because they had settled in .* minor mode/),
      expect.stringMatching(/restarted 2 times, because they had not reached/),
    ]);
  });

  it("treats a late chain as serious if the chains disagree", () => {
    const apart = (c: number) => (c === 2 ? 3 : 0);
    const found = planted({ shift: apart, report: { late: 1 } }).verdict();
    expect(found.findings.find(({ code }) => code === "late")?.serious).toBe(true);
    expect(`${found}`).toContain("1 of 4 chains had not reached the posterior halfway through warm-up");
    // A single chain cannot be compared with others.
    const alone = planted({ chains: 1, report: { late: 1 } }).verdict();
    expect(alone.findings.find(({ code }) => code === "late")?.serious).toBe(true);
    expect(
      planted({ report: { late: 1 } })
        .verdict()
        .findings.find(({ code }) => code === "late")?.serious,
    ).toBe(false);
  });

  it("states findings and advice", () => {
    expect(`${planted({ shift: (c) => (c === 2 ? 3 : 0) }).verdict()}`).toMatch(
      /^Do not trust these draws yet \(4 chains of 500 draws\)\.\n- the chains disagree about "x" \(R-hat up to 1\.\d\d, wanted below 1\.01\): if the modes are mirror images, .*; more chains .*; within a mode, use centred: false in a hierarchy, or warm up longer/,
    );
    expect(`${planted({ deep: 40 }).verdict()}`).toMatch(
      /^These draws can be used, with care.*\n- 40 of 2000 trajectories were cut short at depth 10: /,
    );
  });

  it("uses the singular for one draw, one chain and one particle", () => {
    const headline = (fault: Fault): string => `${planted(fault).verdict()}`.split("\n")[0];
    expect(headline({ chains: 1, count: 1 })).toBe("Do not trust these draws yet (1 chain of 1 draw).");
    expect(headline({ chains: 1, count: 1, report: { paretoK: 0.2 }, algorithm: {} })).toBe(
      "Do not trust these draws yet (1 draw of an approximation, Pareto k 0.20).",
    );
    expect(headline({ chains: 1, count: 1, algorithm: { algorithm: "prior" } })).toBe(
      "Do not trust these draws yet (1 independent draw of the prior, with Monte Carlo error only).",
    );
  });

  it.each<[Fault, RegExp]>([
    [
      { report: { paretoK: 0.317 }, algorithm: {} },
      /^These draws can be trusted \(2000 draws of an approximation, Pareto k 0\.32\)\.$/,
    ],
    [
      { report: { paretoK: -0.1 }, algorithm: { algorithm: "pathfinder" } },
      /^These draws can be trusted \(2000 draws of an approximation by pathfinder\(\), Pareto k -0\.10\)\.$/,
    ],
    [
      { report: { paretoK: 0.9 }, algorithm: { algorithm: "meanField" } },
      /^Do not trust these draws yet \(2000 draws of an approximation by meanField\(\), Pareto k 0\.90\)\.\n- the approximation is far /,
    ],
    [
      { report: { particles: 500 }, chains: 1, algorithm: { algorithm: "svgd" } },
      /^Do not trust these draws yet \(500 particles of an approximation by svgd\(\)\)\.\n- nothing measures how far /,
    ],
    [
      { report: { particles: 500, paretoK: Infinity }, chains: 1, algorithm: { algorithm: "svgd" } },
      /^Do not trust these draws yet \(500 particles of an approximation by svgd\(\), Pareto k ∞\)\./,
    ],
    [
      { algorithm: { algorithm: "prior" }, shift: (c) => (c === 2 ? 3 : 0) },
      /^These draws can be trusted \(2000 independent draws of the prior, with Monte Carlo error only\)\.$/,
    ],
    [{ chains: 1 }, /^These draws can be used, with care \(1 chain of 500 draws\)\./],
  ])("describes the draws in its headline: %o", (fault, wanted) => {
    const draws = planted(fault);
    expect(`${draws.verdict()}`).toMatch(wanted);
    const approximate = draws.report.paretoK !== undefined || draws.report.particles !== undefined;
    // Neither the number of chains nor R-hat is shown for independent draws.
    const independent = approximate || JSON.stringify(draws.description).includes("prior");
    if (independent) expect(`${draws}`).not.toMatch(/chain|R-hat/);
    else expect(draws.table()).toMatch(/R-hat/);
    const k = draws.report.paretoK;
    if (k === undefined) expect(draws.table()).not.toMatch(/Pareto/);
    else
      expect(draws.table().split("\n").at(-1)).toBe(
        `Pareto k ${k === Infinity ? "∞" : k.toFixed(2)} of the approximation, good below 0.7`,
      );
    for (const row of [draws.summary(), draws.summary({ of: ["x"] })]) expect(Number.isNaN(row.x.rhat)).toBe(independent);
  });

  it("puts a note that needs no care below a headline of trust", () => {
    const { findings, text } = planted({ of: pareto(0.6) }).verdict();
    expect(findings).toMatchObject([{ code: "tails", serious: false, note: true }]);
    expect(text).toMatch(
      /^These draws can be trusted \(4 chains of 500 draws\)\.\n- the tails of "x" are heavy \(Pareto k 0\.\d\d\): /,
    );
    expect(planted({ of: pareto(0.6), memory: 0.7 }).verdict().text).toMatch(/^These draws can be used, with care|^Do not trust/);
  });

  it("does not treat a note as a sign of poor mixing", () => {
    expect(codes({ of: pareto(0.6), divergent: 3 })).toEqual([true, "divergences", "tails"]);
    expect(codes({ of: pareto(1), divergent: 3 })).toEqual([true, "divergences", "tails"]);
  });

  it("handles more draws than a call has arguments", () => {
    expect(codes({ count: 35_000 })).toEqual([true]);
  });

  it("reports energies by chain and tree depths by depth", () => {
    const draws = planted({ deep: 40 });
    expect(draws.treeDepths()).toEqual({
      counts: [0, 0, 0, 1960, 0, 0, 0, 0, 0, 0, 40],
      mean: (1960 * 3 + 400) / 2000,
      limit: 10,
      saturated: 40,
      leapfrogs: 7 * 2000,
    });
    expect(draws.energy()!.ebfmi).toHaveLength(4);
    // Independent energies give E(E_t − E_{t−1})² / var E = 2.
    for (const value of draws.energy()!.ebfmi) expect(Math.abs(value - 2)).toBeLessThan(0.4);
  });
});

describe("the table", () => {
  it("shows as many digits as the error justifies", () => {
    const row = { mean: 1.23456, sd: 2, mcseMean: 0.012, mcseSd: 0.01, quantiles: { q5: -1, q95: 3.5 } };
    const rest = { essBulk: 1234.5, essTail: 1000, rhat: 1.00049, paretoK: 0.5 };
    expect(summaryTable({ mu: { ...row, ...rest }, constant: { ...row, ...rest, mcseMean: Number.NaN, rhat: Number.NaN } })).toBe(
      [
        "          mean   mcse    sd     q5   q95  ess bulk  ess tail  R-hat",
        "mu        1.23  0.012  2.00  -1.00  3.50      1235      1000  1.000",
        "constant  1.23      –  2.00  -1.00  3.50      1235      1000      –",
      ].join("\n"),
    );
  });

  it("shows the tail index if some tails are heavy, and no error of a mean that does not exist", () => {
    const row = {
      mean: 1.23456,
      sd: 2,
      mcseMean: 0.012,
      mcseSd: 0.01,
      quantiles: { q5: -1, q95: 3.5 },
      essBulk: 1234,
      essTail: 1000,
    };
    const heavy = { mean: 71.8, sd: 999, mcseMean: Number.NaN, mcseSd: Number.NaN, quantiles: { q5: -0.00123, q95: 0.00456 } };
    const rows = {
      light: { ...row, rhat: 1, paretoK: -0.04 },
      counts: { ...row, rhat: 1, paretoK: Infinity },
      // As many digits as the quantiles require.
      heavy: { ...row, ...heavy, rhat: 1, paretoK: 0.93 },
    };
    expect(summaryTable(rows)).toBe(
      [
        "            mean   mcse         sd        q5      q95  ess bulk  ess tail  tail k  R-hat",
        "light       1.23  0.012       2.00     -1.00     3.50      1234      1000   -0.04  1.000",
        "counts      1.23  0.012       2.00     -1.00     3.50      1234      1000       –  1.000",
        "heavy   71.80000      –  999.00000  -0.00123  0.00456      1234      1000    0.93  1.000",
      ].join("\n"),
    );
    const uncompared = { a: { ...rows.light, rhat: Number.NaN }, b: { ...rows.light, rhat: Number.NaN } };
    expect(summaryTable(uncompared)).not.toMatch(/R-hat|tail k/);
  });
});

describe("the bias of a sampler's steps", () => {
  it("is serious above 0.1 sd in either direction", () => {
    for (const stepBias of [0.11, -0.11, 5.5, Number.POSITIVE_INFINITY, Number.NaN]) {
      const verdict = planted({ report: { stepBias } }).verdict();
      expect(verdict.trusted, `${stepBias}`).toBe(false);
      expect(verdict.findings).toMatchObject([{ code: "stepBias", serious: true }]);
    }
    expect(planted({ report: { stepBias: -0.41 } }).verdict().text).toMatch(/too narrow, by up to 0\.41 sd/);
  });

  it("is stated in the headline if it is smaller", () => {
    const { trusted, findings, text } = planted({ report: { stepBias: -0.034 } }).verdict();
    expect([trusted, findings]).toEqual([true, []]);
    expect(text).toBe("These draws can be trusted up to a step bias of 0.03 sd (4 chains of 500 draws).");
    const careful = planted({ report: { stepBias: 0.05 }, chains: 1 }).verdict();
    expect(careful.text).toMatch(/^These draws can be used, with care, up to a step bias of 0\.05 sd \(1 chain of 500 draws\)\./);
  });
});
