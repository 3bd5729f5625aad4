/**
 * Places that the draws lack. Distant light modes are reported as missed, as heavy ones are. Chains that had not
 * descended were in no mode. Several modes precede all other findings.
 */
import { describe, expect, it } from "vitest";
import { functionDensity } from "../../../src/bayes/model/functional/index.ts";
import { Normal } from "../../../src/bayes/places/place.ts";
import { type Entry, heldBy, visitsOf } from "../../../src/bayes/places/visits.ts";
import { ChainDraws } from "../../../src/bayes/samplers/index.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import {
  cauchy,
  exponential,
  halfCauchy,
  model,
  negativeBinomial,
  normal,
  nuts,
  sample,
  vector,
} from "../../../src/entries/everything.ts";
import { power } from "../../power.ts";

const location = model(({ data, param, observe }) => {
  const { y } = data({ y: vector("N") });
  observe(y, cauchy(param("mu", normal(0, 10)), 0.5));
});
const y = [-4.2, -3.6, -4, 5.1, 4.4];

/** Mean and standard deviation by a sum over a grid. */
function exact(): { mean: number; sd: number } {
  const sums = [0, 0, 0];
  for (let mu = -15; mu <= 15; mu += 1e-3) {
    const logDensity = y.reduce((sum, each) => sum - Math.log1p(((each - mu) / 0.5) ** 2), -(mu * mu) / 200);
    for (let k = 0; k < 3; k++) sums[k] += mu ** k * Math.exp(logDensity);
  }
  const mean = sums[1] / sums[0];
  return { mean, sd: Math.sqrt(sums[2] / sums[0] - mean * mean) };
}

describe("a light mode far away", () => {
  it("is reported if draws lack it although it doubles the sd, over several seeds", async () => {
    const { sd } = exact();
    expect(sd).toBeGreaterThan(0.6);
    let named = 0;
    const SEEDS = power(8, 20);
    for (let seed = 1; seed <= SEEDS; seed++) {
      const draws = await sample(location, { y }, { seed, workers: 1 });
      const { trusted, findings } = draws.verdict();
      const found = draws.summary().mu.sd;
      if (trusted) expect(Math.abs(found / sd - 1), `seed ${seed}: sd ${found}`).toBeLessThan(0.25);
      const [first] = findings;
      if (first?.code !== "modes") continue;
      named++;
      expect(first.serious).toBe(true);
      expect(first.text).toMatch(
        /near mu = 4\.\d+ \(0\.\d+ % .*, yet enough to make the standard deviation of "mu" \d\.\d times as large\)/,
      );
    }
    expect(named).toBeGreaterThan(0.6 * SEEDS);
  });

  const [CHAINS, COUNT] = [4, 1000];
  /** N(0, 1) draws and a place with sd 0.1 and `share` of the mass at the given point. */
  const visited = (at: number, share: number, kind: Entry["kind"] = "scout", density = plain, errors = [0, 0]) => {
    const random = stream(3, "visits").at(0);
    const values = Float64Array.from({ length: CHAINS * COUNT }, () => random.normal());
    const draws = new ChainDraws(CHAINS, COUNT, 1, values, [], new Float64Array(0));
    const entry = (kind: Entry["kind"], mean: number, sd: number, logMass: number, error: number): Entry => {
      const normal = new Normal(Float64Array.of(mean), Float64Array.of(sd));
      return { kind, chain: 0, elbo: 0, settled: true, most: Infinity, place: { normal, logMass, error, paretoK: 0 } };
    };
    const [of, anchored] = errors;
    return visitsOf([entry("chain", 0, 1, 0, anchored), entry(kind, at, 0.1, Math.log(share), of)], draws, density)[1];
  };
  const plain = functionDensity({ dimension: 1, logDensity: () => 0 });

  it.each([
    ["heavy and near", 5, 0.02, true],
    ["light and near", 5, 0.002, false],
    ["light and far", 15, 0.002, true],
    ["lighter and further", 150, 2e-5, false],
    ["lighter, not so far", 20, 2e-5, false],
    ["of nothing, however far", 1e9, 1e-9, false],
  ])("%s: %d sd away, %d of the mass", (_, at, share, missed) => {
    expect(visited(at, share).missed).toBe(missed);
    expect(visited(at, share, "left").missed).toBe(missed);
    expect(visited(-at, share).missed).toBe(missed);
  });

  it("is rare rather than missed if a correct run of this length often lacks it", () => {
    // About 3850 draws lie in the chain's region, so a place with 0.0013 of its mass should hold five draws.
    expect(visited(150, 2e-5)).toMatchObject({ missed: false, rare: true, changes: "x" });
    expect(visited(15, 0.0014)).toMatchObject({ missed: true, changes: "x" });
    expect(visited(15, 0.0014).rare).toBeUndefined();
    expect(visited(15, 0.0012)).toMatchObject({ missed: false, rare: true });
    // The place changes the results too little to matter.
    expect(visited(5, 0.001).rare).toBeUndefined();
  });

  it("is missed if a chain was there at the end of warm-up and never returned", () => {
    expect(visited(5, 0.02, "chain").missed).toBe(true);
    expect(visited(0.5, 0.02, "chain").missed).toBe(false);
  });

  it("is compared with the known total mass, or with the heaviest place that holds draws", () => {
    const random = stream(3, "visits").at(0);
    const values = Float64Array.from({ length: CHAINS * COUNT }, () => random.normal());
    const draws = new ChainDraws(CHAINS, COUNT, 1, values, [], new Float64Array(0));
    const scout = (mean: number, sd: number, logMass: number): Entry => {
      const normal = new Normal(Float64Array.of(mean), Float64Array.of(sd));
      return {
        kind: "scout",
        chain: -1,
        elbo: 0,
        settled: true,
        most: Infinity,
        place: { normal, logMass, error: 0, paretoK: 0 },
      };
    };
    const missed = (entries: readonly Entry[], total?: { logMass: number; error: number }) =>
      visitsOf(entries, draws, plain, total).map((place) => place.missed);
    // A place with at most 1/250 of the mass should hold fewer than 20 of 4000 draws.
    expect(missed([scout(9, 1, -5)], { logMass: 0, error: 0 })).toEqual([true]);
    expect(missed([scout(5, 1, -6)], { logMass: 0, error: 0 })).toEqual([false]);
    expect(missed([scout(9, 1, -5)], { logMass: 0, error: 1 })).toEqual([false]);
    // No place holds draws, so there is no reference.
    expect(missed([scout(9, 1, 0), scout(20, 1, 3)])).toEqual([false, false]);
    expect(missed([scout(9, 1, 0), scout(0, 1, 0)])).toEqual([true, false]);
  });

  it("is reported with the quantity that it changes most, on either side, in the mixture", () => {
    // The place has the mass of all draws and lies three standard deviations away. With 3860 to 4000 draws in the
    // region, its share of the mixture is 0.49.
    expect(visited(3, 1).sdFactor! / Math.sqrt(0.51 * (1 + 0.49 * 9))).toBeCloseTo(1, 1);
    // The mean shifts by more than a tenth of the standard deviation, which hardly changes.
    for (const q of [-2.2, 2.2]) {
      const moved = { ...plain, constrain: (u: ArrayLike<number>) => ({ q: Float64Array.of(u[0] > 9 ? q : u[0]) }) };
      const place = visited(15, 0.05, "scout", moved);
      expect([place.missed, place.changes]).toEqual([true, "q"]);
    }
  });

  it("is not missed if two errors of the masses leave fewer than twenty expected draws", () => {
    // The chain's region holds 3860 of the 4000 draws, and 0.01 of them is 39.
    const missed = (...errors: number[]) => visited(5, 0.01, "scout", plain, errors).missed;
    expect([missed(0.3, 0), missed(0, 0.3), missed(0.28, 0.28)]).toEqual([true, true, false]);
  });

  it("is not missed if a stuck chain inflates the mass of another place", () => {
    const random = stream(5, "visits").at(0);
    const values = Float64Array.from({ length: CHAINS * COUNT }, (_, k) =>
      k < COUNT ? 9 + 0.01 * random.normal() : random.normal(),
    );
    const draws = new ChainDraws(CHAINS, COUNT, 1, values, [], new Float64Array(0));
    const entry = (kind: Entry["kind"], at: number, sd: number, logMass: number): Entry => {
      const place = { normal: new Normal(Float64Array.of(at), Float64Array.of(sd)), logMass, error: 0, paretoK: 0 };
      return { kind, chain: 0, elbo: 0, settled: false, most: Infinity, place };
    };
    const found = visitsOf([entry("chain", 9, 0.01, -8), entry("scout", 0, 1, 0)], draws, plain);
    expect(found.map(({ missed }) => missed)).toEqual([false, false]);
  });

  it("is judged by reported quantities rather than unconstrained coordinates", () => {
    const scale = { ...plain, constrain: (u: ArrayLike<number>) => ({ scale: Float64Array.of(Math.exp(u[0])) }) };
    expect(visited(8, 1e-4).missed).toBe(false);
    expect(visited(8, 2e-3, "scout", scale)).toMatchObject({ missed: true, changes: "scale" });
    // Far below, the scale is 0 in either case.
    expect(visited(-30, 2e-3).missed).toBe(true);
    expect(visited(-30, 2e-3, "scout", scale).missed).toBe(false);
  });

  it("is not reported for heavy tails or a hierarchical scale over several seeds", async () => {
    const schools = model(({ data, param, observe }) => {
      const { y, sigma } = data({ y: vector("J"), sigma: vector("J") });
      const theta = param("theta", normal(param("mu", normal(0, 5)), param("tau", halfCauchy(5))), {
        shape: "J",
        centred: false,
      });
      observe(y, normal(theta, sigma));
    });
    const schoolsData = { y: [28, 8, -3, 7, -1, 1, 18, 12], sigma: [15, 10, 16, 11, 9, 11, 10, 18] };
    const tailed = model(({ param }) => {
      param("x", cauchy(0, 1));
      param("s", halfCauchy(1));
    });
    for (let seed = 1; seed <= power(2, 20); seed++) {
      const runs = [await sample(schools, schoolsData, { seed, workers: 1 }), await sample(tailed, {}, { seed, workers: 1 })];
      for (const draws of runs) expect(draws.verdict().findings.map(({ code }) => code)).not.toContain("modes");
    }
  });
});

describe("draws of a place", () => {
  const plain = functionDensity({ dimension: 1, logDensity: () => 0 });
  /** Four chains of 1000 draws, at 50 if `isThere` and otherwise around 0. */
  const drawsOf = (isThere: (c: number, k: number) => boolean, count = 1000) => {
    const at = (c: number, k: number) => (isThere(c, k) ? 50 : Math.sin(k));
    const values = Float64Array.from({ length: 4 * count }, (_, k) => at(Math.floor(k / count), k % count));
    return new ChainDraws(4, count, 1, values, [], new Float64Array(0));
  };
  const entry = (mean: number, more: Partial<Entry> = {}, sd = 1): Entry => {
    const normal = new Normal(Float64Array.of(mean), Float64Array.of(sd));
    const place = { normal, logMass: 0, error: 0, paretoK: 0 };
    return { kind: "scout", chain: -1, elbo: 0, settled: true, most: Infinity, place, ...more };
  };
  const total = { logMass: 0, error: 0 };

  it("are counted with an error from five batches per chain", () => {
    const there = entry(50).place.normal;
    expect(
      heldBy(
        there,
        drawsOf((_, k) => k % 200 < 49),
      ),
    ).toEqual({ count: 980, error: 0 });
    // Five of the 20 batches, those of one chain, hold 196 draws each, and the others none. The variance is (5 × 147² +
    // 15 × 49²) / 19.
    const one = heldBy(
      there,
      drawsOf((c, k) => c === 2 && k % 200 < 196),
    );
    expect(one.count).toBe(980);
    expect(one.error).toBeCloseTo(Math.sqrt((20 * (5 * 147 ** 2 + 15 * 49 ** 2)) / 19), 9);
    // With fewer than five draws per chain, there are as many batches as draws.
    const few = heldBy(
      there,
      drawsOf((_, k) => k < 1, 2),
    );
    expect(few.count).toBe(4);
    expect(few.error).toBeCloseTo(Math.sqrt((8 * 8 * 0.25) / 7), 9);
  });

  it("are too few below half the expected number beyond five errors, or below a tenth", () => {
    // The place has as much mass as all draws represent, so it should hold half of 4000.
    const missed = (isThere: (c: number, k: number) => boolean) =>
      visitsOf([entry(50)], drawsOf(isThere), plain, total)[0].missed;
    expect(missed((_, k) => k % 200 < 49)).toBe(true);
    expect(missed((_, k) => k % 200 < 51)).toBe(false);
    // One chain alone holds 980 draws, so the error of the number is 389.
    expect(missed((c, k) => c === 2 && k % 200 < 196)).toBe(false);
    expect(missed((c, k) => c === 2 && k < 199)).toBe(true);
  });

  it("make a place the reference from a hundredth of all draws if no chain fills one", () => {
    const heavy = entry(50, { place: { ...entry(50).place, logMass: 3 } });
    // With too few draws to be the reference itself, the heavy place is compared with the other one and lacks draws.
    const missed = (held: number) =>
      visitsOf(
        [heavy, entry(0)],
        drawsOf((c, k) => c === 1 && k < held),
        plain,
      ).map((place) => place.missed);
    expect(missed(39)).toEqual([true, false]);
    expect(missed(40)).toEqual([false, false]);
  });

  it("are compared once per place of scouts, and not for unmeasured searches", () => {
    const unknown = { ...entry(20).place, error: Infinity, paretoK: Infinity };
    const entries = [entry(50, { kind: "found" }), entry(50), entry(50.5), entry(50, {}, 0.04), entry(20, { place: unknown })];
    const shown = visitsOf(
      entries,
      drawsOf(() => false),
      plain,
      total,
    );
    expect(shown.map(({ by, point }) => [by, point[0]])).toEqual([
      ["scout", 50],
      ["scout", 50],
    ]);
  });

  it("number the modes from those that chains fill", () => {
    const entries = [
      entry(50),
      entry(0, { kind: "chain", chain: 0 }),
      entry(0.5, { kind: "chain", chain: 1 }),
      entry(90, { kind: "chain", chain: 2, settled: false }),
      entry(70, { kind: "left", chain: 3 }),
    ];
    const shown = visitsOf(
      entries,
      drawsOf(() => false),
      plain,
      total,
    );
    expect(shown.map(({ mode }) => mode)).toEqual([1, 0, 0, -1, -1]);
    expect(shown.map(({ settled }) => settled)).toEqual([false, true, true, false, true]);
  });
});

describe("restarted chains", () => {
  it("are not reported in a minor mode if they had not descended, in a regression on raw years", async () => {
    const regression = model(({ data, param, observe }) => {
      const { y, year } = data({ y: vector("N"), year: vector("N") });
      const [a, b] = [param("a", normal(0, 10)), param("b", normal(0, 1))];
      observe(y, negativeBinomial(a.add(b.mul(year)).exp(), param("phi", exponential(1))));
    });
    const year = Array.from({ length: 30 }, (_, i) => 1990 + i);
    const y = year.map((_, i) => Math.round(Math.exp(2 + 0.05 * i) * (1 + 0.3 * Math.sin(7 * i))));
    let restarted = 0;
    for (let seed = 0; seed < power(2, 5); seed++) {
      const verdict = (
        await sample(regression, { y, year }, { seed, workers: 1, warmup: power(300, 1000), draws: 100 })
      ).verdict();
      expect(`${verdict}`).not.toMatch(/minor mode|the posterior has several modes, and/);
      const found = verdict.findings.filter(({ code }) => code === "restarts");
      restarted += found.length;
      for (const { text, advice } of found) {
        expect(text).toMatch(
          /^chains were restarted (once|\d+ times), because they had not reached the posterior by the end of warm-up$/,
        );
        expect(advice).toMatch(/year - 2000/);
      }
    }
    expect(restarted).toBeGreaterThan(0);
  });
});

describe("several modes come before all other findings", () => {
  it.each(["a mixture whose parts may swap", "a product whose factors may change sign"])("%s", async (name) => {
    const mixture = model(({ data, param, target }) => {
      const { y } = data({ y: vector("N") });
      const [a, b] = [param("a", normal(0, 10)), param("b", normal(0, 10))];
      const [p, q] = [a, b].map((mean) => y.sub(mean).square().mul(-0.5).exp());
      target(p.add(q).log().sum());
    });
    const product = model(({ data, param, observe }) => {
      const { y } = data({ y: vector("N") });
      observe(y, normal(param("a", normal(0, 3)).mul(param("b", normal(0, 3))), 1));
    });
    const data = { y: Array.from({ length: 40 }, (_, i) => (name.includes("mixture") && i % 2 ? -3 : 3) + Math.sin(13 * i)) };
    for (let seed = 1; seed <= power(2, 4); seed++) {
      const { trusted, findings } = (
        await sample(name.includes("mixture") ? mixture : product, data, { seed, workers: 1, algorithm: nuts() })
      ).verdict();
      expect(trusted).toBe(false);
      const [first] = findings.filter(({ code }) => code === "modes" || code === "rhat");
      expect(first).toBe(findings[0]);
      expect(first.advice).toMatch(/^if the modes are mirror images/);
      for (const { code, advice } of findings.slice(1))
        if (code === "rhat") expect(advice).toMatch(/^deal with the modes first; within a mode, /);
    }
  });
});

describe("few scouts and no restarts", () => {
  /** Two normals with sd 0.05 at (−1, 0) and (1, 0). The second has e^logMass times the mass of the first. */
  const pair = (logMass: number) => {
    const of = (x: number, y: number, at: number) => -((x - at) ** 2 + y * y) / 0.005;
    return functionDensity({
      dimension: 2,
      logDensity: ([x, y]) => {
        const [a, b] = [of(x, y, -1), logMass + of(x, y, 1)];
        return Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
      },
      gradient: ([x, y]) => {
        const share = 1 / (1 + Math.exp(of(x, y, -1) - of(x, y, 1) - logMass));
        return [-(x + 1 - 2 * share) / 0.0025, -y / 0.0025];
      },
    });
  };
  const left = Float64Array.of(-1, 0);

  it.each([0, 1])("scouts: %d searches from that many points and leaves the run unchanged", async (scouts) => {
    let missed = 0;
    for (let seed = 1; seed <= power(3, 6); seed++) {
      const draws = await sample(pair(0), {}, { seed, algorithm: nuts({ scouts }), start: left });
      expect(draws.report.scouts ?? 0).toBe(scouts);
      expect(draws.draws("x")).toEqual((await sample(pair(0), {}, { seed, algorithm: nuts(), start: left })).draws("x"));
      const found = draws.description.places as { by: string; missed: boolean }[];
      expect(found.filter(({ by }) => by === "scout").length).toBeLessThanOrEqual(scouts);
      if (found.some((place) => place.missed)) missed++;
      else if (draws.series("x", 0).every((x) => x < 0)) expect(draws.verdict().trusted).toBe(true);
    }
    // A single scout reaches the other mode half of the time. Without scouts, the mode remains unknown.
    if (scouts === 0) expect(missed).toBe(0);
    else expect(missed).toBeGreaterThan(0);
  });

  it("restarts: 0 leaves chains in negligible modes, and the verdict does not trust them", async () => {
    for (let seed = 1; seed <= power(2, 4); seed++) {
      const options = { seed, start: left };
      const stayed = await sample(pair(20), {}, { ...options, algorithm: nuts({ restarts: 0 }) });
      expect(stayed.report.restarts).toBeUndefined();
      expect(stayed.series("x", 0).every((x) => x < 0)).toBe(true);
      const { trusted, findings } = stayed.verdict();
      expect(trusted).toBe(false);
      expect(findings[0].code).toBe("modes");
      const moved = await sample(pair(20), {}, { ...options, algorithm: nuts() });
      expect(moved.report.restarts).toBeGreaterThan(0);
      expect(moved.series("x", 0).every((x) => x > 0)).toBe(true);
      // Without scouts and restarts, nothing is known beyond the chains.
      const blind = await sample(pair(20), {}, { ...options, algorithm: nuts({ restarts: 0, scouts: 0 }) });
      expect(blind.verdict().trusted).toBe(true);
    }
  });

  it("the options accept whole numbers from 0", () => {
    for (const option of ["scouts", "restarts"]) {
      expect(nuts({ [option]: 0 }).toJSON()[option]).toBe(0);
      for (const given of [-1, 0.5, 1001, "many"])
        expect(() => nuts({ [option]: given } as object)).toThrow(new RegExp(`^nuts: ${option} is `));
    }
  });
});
