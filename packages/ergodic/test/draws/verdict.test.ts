/** The verdict on draws with planted faults, one at a time; and the table of a summary. */
import { describe, expect, it } from "vitest";
import { stream } from "../../src/base/stream.ts";
import { Draws, summaryTable } from "../../src/draws/index.ts";

const [CHAINS, COUNT] = [4, 500];

interface Fault {
  /** Added to chain c's draw t. */
  shift?: (c: number, t: number) => number;
  /** Share of the last draw that is kept. */
  memory?: number;
  divergent?: number;
  deep?: number;
  energy?: "slow";
  report?: Record<string, number>;
  chains?: number;
  count?: number;
  /** A chain in which x stays. */
  still?: number;
}

/** Independent normal draws of "x" and "y[1]", "y[2]", but for the fault. */
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
      values.x[k] = c === still ? 0.5 : last + shift(c, t);
      values.y.set([draws.normal(), draws.normal()], 2 * k);
      level = energy === "slow" ? 0.99 * level + 0.1 * draws.normal() : draws.normal();
      transitions.set([0, k < divergent ? 1 : 0, level, k < deep ? 10 : 3, 7], k * fields.length);
    }
  }
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
    description: { algorithm: { algorithm: "nuts", maxTreeDepth: 10 } },
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
    ["few effective draws, on which chains of this length have not settled", { memory: 0.8 }, [true, "rhat", "ess"]],
    ["too few draws to judge", { count: 3 }, [false, "few"]],
    ["a chain that does not move", { still: 1 }, [false, "stuck"]],
    ["particles", { report: { particles: 100 } }, [true, "particles"]],
    ["one chain", { chains: 1 }, [true, "rhat", "oneChain"]],
    ["many divergences", { divergent: 20 }, [false, "divergences"]],
    ["few divergences", { divergent: 3 }, [true, "divergences"]],
    ["few divergences of chains that mix badly", { divergent: 3, memory: 0.8 }, [false, "rhat", "ess", "divergences"]],
    ["trajectories cut short", { deep: 40 }, [true, "treeDepth"]],
    ["slow energies", { energy: "slow" }, [false, "energy"]],
    ["a draw that is not finite", { shift: (c, t) => (c === 1 && t === 7 ? Number.NaN : 0) }, [false, "notFinite"]],
    ["chains that were moved", { report: { moved: 2 } }, [true, "moved"]],
    ["a poor approximation", { report: { paretoK: 0.9 } }, [false, "paretoK"]],
    ["a good approximation", { report: { paretoK: 0.3 } }, [true]],
  ])("finds %s", (_, fault, wanted) => {
    expect(codes(fault)).toEqual(wanted);
  });

  it("says what was found and what to do", () => {
    expect(`${planted({ shift: (c) => (c === 2 ? 3 : 0) }).verdict()}`).toMatch(
      /^Do not trust these draws yet \(4 chains of 500 draws\)\.\n- the chains disagree about "x" \(R-hat up to 1\.\d\d, wanted below 1\.01\): warm up longer/,
    );
    expect(`${planted({ deep: 40 }).verdict()}`).toMatch(
      /^These draws can be used, with care.*\n- 40 of 2000 trajectories were cut short at depth 10: /,
    );
  });

  it("is given of half a million draws", () => {
    expect(codes({ count: 130_000 })).toEqual([true]);
  });

  it("reports energies and depths by chain and by depth", () => {
    const draws = planted({ deep: 40 });
    expect(draws.treeDepths()).toEqual({
      counts: [0, 0, 0, 1960, 0, 0, 0, 0, 0, 0, 40],
      mean: (1960 * 3 + 400) / 2000,
      limit: 10,
      saturated: 40,
      leapfrogs: 7 * 2000,
    });
    expect(draws.energy()!.ebfmi).toHaveLength(4);
    // Independent energies: E(E_t − E_{t−1})² / var E = 2.
    for (const value of draws.energy()!.ebfmi) expect(Math.abs(value - 2)).toBeLessThan(0.4);
  });
});

describe("the table", () => {
  it("shows as many digits as the error bears out", () => {
    const row = { mean: 1.23456, sd: 2, mcseMean: 0.012, mcseSd: 0.01, quantiles: { q5: -1, q95: 3.5 } };
    const rest = { essBulk: 1234.5, essTail: 1000, rhat: 1.00049 };
    expect(summaryTable({ mu: { ...row, ...rest }, constant: { ...row, ...rest, mcseMean: Number.NaN, rhat: Number.NaN } })).toBe(
      [
        "          mean   mcse    sd     q5   q95  ess bulk  ess tail  R-hat",
        "mu        1.23  0.012  2.00  -1.00  3.50      1235      1000  1.000",
        "constant  1.23      –  2.00  -1.00  3.50      1235      1000      –",
      ].join("\n"),
    );
  });
});
