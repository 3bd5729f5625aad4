/**
 * Plots are well-formed SVG with the right contents: snapshots, numbers compared with plain twins, sizes, hostile
 * names, unusual draws, and refusals.
 */
import type { Draws } from "ergodic";
import { exponential, gamma, model, normal, poisson, sample, vector } from "ergodic";
import { exp } from "ergodic/compiler";
import { negativeBinomialMean } from "ergodic/distributions";
import { describe, expect, it } from "vitest";
import { boundsOf } from "../src/figure.ts";
import { barsOf, kernelDensity } from "../src/histogram.ts";
import { type PlotKind, type PlotOptions, plot, plotKinds } from "../src/index.ts";
import { correlation } from "../src/pairs.ts";
import { rankCounts } from "../src/rank.ts";
import { all, drawsOf, parse, texts } from "./fixtures.ts";

const small = drawsOf({ divergent: (_, i) => i % 13 === 5, energies: true });
/** Numeric labels, written with a real minus sign. */
const ticksOf = (page: ReturnType<typeof parse>): number[] =>
  texts(page)
    .map((text) => Number(text.replace("−", "-")))
    .filter(Number.isFinite);
const ofDraws = plotKinds.filter((kind) => kind !== "predictive");

describe("snapshots, checked in a browser", () => {
  it.each(ofDraws)("%s", async (kind) => {
    await expect(`${plot(small, kind, { width: 640 })}\n`).toMatchFileSnapshot(`snapshots/${kind}.svg`);
  });

  const y = [3, 1, 4, 1, 5, 9, 2, 6];
  const options = { seed: 1, chains: 2, draws: 100, warmup: 100, deterministic: true } as const;

  it("draws a predictive plot of numbers", async () => {
    const centre = model({ y: vector("N") }, ({ y, param, observe }) => {
      const mu = param("mu", normal(0, 10));
      observe(y, normal(mu, 2));
      return { mu };
    });
    const posterior = await sample(centre, { y }, options);
    await expect(`${plot(posterior, "predictive", { width: 640, seed: 2 })}\n`).toMatchFileSnapshot("snapshots/densities.svg");
    expect(plot(posterior, "predictive", { width: 640, seed: 3 })).not.toBe(
      plot(posterior, "predictive", { width: 640, seed: 2 }),
    );
  });

  it("draws a predictive plot of counts, with observed frequencies and intervals of replications", async () => {
    const counts = model({ y: vector("N") }, ({ y, param, observe }) => {
      const rate = param("rate", normal(0, 1));
      observe(y, poisson(exp(rate)));
      return { rate };
    });
    const posterior = await sample(counts, { y }, options);
    const text = plot(posterior, "predictive", { width: 640, observed: "y" });
    await expect(`${text}\n`).toMatchFileSnapshot("snapshots/counts.svg");
    // One dot for each value from 1 to 9. 1 occurs twice, so it has the highest dot.
    const dots = all(parse(text), "circle").map(({ attributes }) => Number(attributes.cy));
    expect(dots).toHaveLength(9);
    expect(dots.indexOf(Math.min(...dots))).toBe(0);
    expect(() => plot(posterior, "predictive", { observed: "x" })).toThrow(
      '"x" was not observed; name one of them with observed: y',
    );
  });

  it("draws a predictive plot of many counts, with neighbouring counts in one bar and none below 0", async () => {
    const wide = [2, 17, 88, 41, 9, 0, 130, 55, 23, 6];
    const counts = model({ y: vector("N") }, ({ y, param, observe }) => {
      const rate = param("rate", normal(3, 1));
      observe(y, negativeBinomialMean(exp(rate), 1));
      return { rate };
    });
    const posterior = await sample(counts, { y: wide }, options);
    const text = plot(posterior, "predictive", { width: 640 });
    await expect(`${text}\n`).toMatchFileSnapshot("snapshots/wide-counts.svg");
    const page = parse(text);
    expect(all(page, "path")).toHaveLength(0);
    // The range is 0 to 130 and a third more, in 36 bins of 5, so the centre of 0 is half a number from the left end.
    const dots = all(page, "circle").map(({ attributes }) => [Number(attributes.cx), Number(attributes.cy)]);
    expect(texts(page).join()).toMatch(/Each bar covers 5 values, and holds 90 % of/);
    expect(dots).toHaveLength(36);
    const places = wide.map((value) => Math.floor(value / 5));
    const heights = [...new Set(dots.map(([, y]) => y))].sort((a, b) => b - a);
    const count = (k: number): number => places.filter((place) => place === k).length;
    dots.forEach(([, y], k) => void expect(heights.indexOf(y), `bar ${k}`).toBe(count(k)));
    expect(Math.min(...ticksOf(page))).toBe(0);
  });

  it("draws a predictive plot of positive numbers, with curves that end at 0", async () => {
    const times = model({ y: vector("N") }, ({ y, param, observe }) => {
      const rate = param("rate", gamma(2, 1));
      observe(y, exponential(rate));
      return { rate };
    });
    const posterior = await sample(times, { y: [0.1, 0.4, 2.5, 0.2, 1.1, 0.05] }, options);
    const page = parse(plot(posterior, "predictive", { width: 640 }));
    // Nothing is lost below 0. The density is greatest at 0, where a curve without reflection would have half its
    // height.
    const observed = all(page, "path").at(-1)!.attributes.d;
    const numbers = observed.match(/[\d.]+/g)!.map(Number);
    const heights = numbers.filter((_, k) => k % 2 === 1).map((y) => 248 - y);
    expect(numbers[0]).toBe(52);
    expect(Math.min(...heights)).toBeGreaterThanOrEqual(0);
    expect(heights[0]).toBeGreaterThan(0.95 * Math.max(...heights));
    expect(Math.min(...ticksOf(page))).toBe(0);
  });
});

describe("contents of a plot", () => {
  it("draws traces with a panel per number and a line per chain through every draw", () => {
    const page = parse(plot(small, "trace"));
    expect(texts(page)).toEqual(expect.arrayContaining(["Traces", "mu", "tau", "chain 1", "chain 2"]));
    const paths = all(page, "path").map(({ attributes }) => attributes.d);
    expect(paths).toHaveLength(4);
    for (const path of paths) expect(path.split(/[ML]/).length - 1).toBe(40);
  });

  it("preserves the extremes of each stretch in traces of many draws", () => {
    const spike = (normal: () => number, _q: number, _c: number, i: number): number => (i === 7777 ? 50 : normal());
    const long = drawsOf({ chains: 1, count: 20_000, names: ["x"], value: spike });
    const [path] = all(parse(plot(long, "trace", { width: 400 })), "path").map(({ attributes }) => attributes.d);
    const heights = [...path.matchAll(/,([\d.]+)/g)].map(([, height]) => Number(height));
    expect(heights.length).toBeLessThan(2 * 400 + 2);
    const places = [...path.matchAll(/[ML]([\d.]+),/g)].map(([, place]) => Number(place));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    // The spike is at the top of its panel.
    expect(Math.min(...heights)).toBe(18);
    expect(heights.filter((height) => height === 18)).toHaveLength(1);
  });

  it("counts each chain's ranks among all draws, with mean ranks for ties", () => {
    expect(rankCounts(Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8), 2, 2)).toEqual([
      [4, 0],
      [0, 4],
    ]);
    expect(rankCounts(Float64Array.of(1, 3, 5, 7, 2, 4, 6, 8), 2, 4)).toEqual([
      [1, 1, 1, 1],
      [1, 1, 1, 1],
    ]);
    expect(rankCounts(Float64Array.of(0, 0, 0, 1, 0, 0, 1, 1), 2, 2)).toEqual([
      [3, 1],
      [2, 2],
    ]);
    // Six zeros with ranks 0 to 5 share the second of four bins.
    expect(rankCounts(Float64Array.of(0, 0, 0, 0, 0, 0, 1, 1), 1, 4)).toEqual([[0, 6, 0, 2]]);
    const infinite = rankCounts(Float64Array.of(1, Number.NaN, 2, Infinity), 2, 1);
    expect(infinite).toEqual([[1], [1]]);
  });

  it("draws pairs with points, histograms and correlations, and divergent draws in orange", () => {
    const page = parse(plot(small, "pairs"));
    const paths = all(page, "path").map(({ attributes }) => attributes);
    expect(paths.map(({ fill }) => fill)).toEqual(["#0072b2", "none", "none", "#0072b2"]);
    const [, points, marks] = paths;
    expect([points, marks].map(({ d }) => d.split("h0").length - 1)).toEqual([80, 6]);
    expect(marks.stroke).toBe("#d55e00");
    const r = correlation(small.series("mu"), small.series("tau"));
    expect(texts(page)).toContain(r.toFixed(2));
    expect(texts(page)).toContain("6 draws after divergent transitions are marked in orange.");
  });

  it("correlations match their definition and are undefined for constant or infinite draws", () => {
    const [a, b] = [small.series("mu"), small.series("tau")];
    const mean = (x: Float64Array) => x.reduce((sum, value) => sum + value, 0) / x.length;
    const [ma, mb] = [mean(a), mean(b)];
    const covariance = (x: Float64Array, mx: number, y: Float64Array, my: number) =>
      x.reduce((sum, value, i) => sum + (value - mx) * (y[i] - my), 0);
    const wanted = covariance(a, ma, b, mb) / Math.sqrt(covariance(a, ma, a, ma) * covariance(b, mb, b, mb));
    expect(correlation(a, b)).toBeCloseTo(wanted, 12);
    expect(correlation(a, a)).toBeCloseTo(1, 12);
    expect(correlation(Float64Array.of(1, 2, Infinity, 3), Float64Array.of(2, 4, 0, 6))).toBeCloseTo(1, 12);
    expect(correlation(new Float64Array(5), a.slice(0, 5))).toBeNaN();
  });

  it("draws a forest with medians and intervals of 50 and 90 % at the right positions", () => {
    const page = parse(
      plot(drawsOf({ chains: 1, count: 101, names: ["x"], value: (_n, _q, _c, i) => i }), "forest", { width: 640 }),
    );
    const [thin, thick] = all(page, "line").filter(({ attributes }) => attributes.stroke === "#0072b2");
    const [circle] = all(page, "circle");
    const at = (node: { attributes: Readonly<Record<string, string>> }, key: string) => Number(node.attributes[key]);
    const [left, right] = [at(thin, "x1"), at(thin, "x2")];
    // The width spans 5 … 95, so 25, 50 and 75 are at 2/9, 1/2 and 7/9 of it.
    const part = (x: number) => (x - left) / (right - left);
    expect(part(at(thick, "x1"))).toBeCloseTo(2 / 9, 3);
    expect(part(at(circle, "cx"))).toBeCloseTo(1 / 2, 3);
    expect(part(at(thick, "x2"))).toBeCloseTo(7 / 9, 3);
    expect(at(thick, "stroke-width")).toBeGreaterThan(at(thin, "stroke-width"));
  });

  it("reports the E-BFMI of each chain in the energy plot", () => {
    const said = Array.from(small.energy()!.ebfmi, (value) => value.toFixed(2)).join(", ");
    expect(texts(parse(plot(small, "energy")))).toContain(`E-BFMI by chain: ${said}; good above 0.3.`);
  });

  it("densities and bars integrate to 1", () => {
    const values = small.series("mu");
    const [low, high] = boundsOf(values);
    const room = 2 * (high - low);
    const points = kernelDensity(values, [low - room, high + room], { points: 512 });
    const step = points[1][0] - points[0][0];
    expect(points.reduce((sum, [, height]) => sum + height * step, 0)).toBeCloseTo(1, 5);
    const { edges, density } = barsOf(values, 12);
    expect([edges[0], edges[12], edges.length]).toEqual([low, high, 13]);
    expect(density.reduce((sum, height, k) => sum + height * (edges[k + 1] - edges[k]), 0)).toBeCloseTo(1, 12);
    const plain = density.map((_, k) => values.filter((v) => v >= edges[k] && (v < edges[k + 1] || k === 11)).length);
    expect(density.map((height, k) => Math.round(height * values.length * (edges[k + 1] - edges[k])))).toEqual(plain);
  });

  it("a density that ends at 0 is reflected there", () => {
    const values = Float64Array.from(small.series("mu"), Math.abs);
    const bounds = [0, 3 * boundsOf(values)[1]] as const;
    const whole = kernelDensity(values, [-bounds[1], bounds[1]], { points: 1023 });
    const points = kernelDensity(values, bounds, { points: 512, reflected: true });
    const step = points[1][0];
    // Trapezoidal rule.
    const total = points.reduce((sum, [, height]) => sum + height * step, -0.5 * points[0][1] * step);
    expect(total).toBeCloseTo(1, 5);
    points.forEach(([at, height], k) => {
      expect(at).toBeCloseTo(whole[511 + k][0], 10);
      expect(height).toBeCloseTo(whole[511 + k][1] + whole[511 - k][1], 10);
    });
  });
});

describe("size", () => {
  it("draws pairs of 2,000 draws of eight quantities in less than a megabyte", () => {
    const names = Array.from({ length: 8 }, (_, k) => `q${k}`);
    const text = plot(drawsOf({ chains: 4, count: 500, names }), "pairs");
    expect(text.length).toBeLessThan(1e6);
    expect(text.length).toBeGreaterThan(3e5);
    const more = plot(drawsOf({ chains: 4, count: 5000, names }), "pairs");
    expect(more.length).toBeLessThan(1e6);
    expect(texts(parse(more))).toContain("Panels show 2000 of 20000 draws, evenly spaced.");
    // Points are thinned evenly: for rising draws, as many points are in the left half as in the right.
    const rising = drawsOf({ chains: 1, count: 8000, value: (_n, q, _c, i) => (q === 0 ? i : -i) });
    const [, points] = all(parse(plot(rising, "pairs", { width: 640 })), "path");
    const places = [...points.attributes.d.matchAll(/M([\d.]+)/g)].map(([, place]) => Number(place));
    const middle = (Math.min(...places) + Math.max(...places)) / 2;
    expect(places.filter((place) => place < middle).length / places.length).toBeCloseTo(0.5, 1);
    expect(Math.max(...places) - Math.min(...places)).toBeGreaterThan(270);
  });

  it("shows only the first of thousands of numbers and reports this", () => {
    const names = Array.from({ length: 3000 }, (_, k) => `q${k}`);
    const many = drawsOf({ chains: 2, count: 10, names });
    for (const [kind, shown] of [
      ["trace", 24],
      ["rank", 24],
      ["pairs", 8],
      ["forest", 100],
    ] as const) {
      const said = texts(parse(plot(many, kind)));
      expect(said).toContain(`${3000 - shown} more numbers are not shown; choose them with "of".`);
      expect(said.filter((text) => /^q\d+$/.test(text))).toHaveLength(shown);
    }
  });
});

describe("unusual draws", () => {
  const odd: Record<string, Draws> = {
    "one draw": drawsOf({ chains: 1, count: 1, energies: true }),
    "two draws": drawsOf({ chains: 1, count: 2, energies: true }),
    constant: drawsOf({ value: () => 3 }),
    "constant 0": drawsOf({ value: () => 0 }),
    "not finite, some": drawsOf({ value: (normal, _q, _c, i) => [Number.NaN, Infinity, -Infinity, normal()][Math.min(i, 3)] }),
    "not finite, all": drawsOf({ value: () => Number.NaN }),
    huge: drawsOf({ value: (normal) => normal() * 1e308 }),
    tiny: drawsOf({ value: (normal) => normal() * 1e-308 }),
    "close together": drawsOf({ value: (normal) => 1e6 + normal() * 1e-9 }),
    "forty chains": drawsOf({ chains: 40, count: 5 }),
  };
  it.each(Object.keys(odd))("%s", (name) => {
    for (const kind of ofDraws) {
      if (kind === "energy" && !odd[name].energy()) continue;
      const text = plot(odd[name], kind);
      expect(() => parse(text)).not.toThrow();
      expect(text, kind).not.toMatch(/NaN|Infinity/);
    }
  });

  it("reports the number of draws that are not finite", () => {
    expect(texts(parse(plot(odd["not finite, some"], "trace")))).toContain(
      "6 of 80 draws of mu are not finite, or beyond 1e300, and not shown.",
    );
  });

  it("escapes names and titles that are not valid XML", () => {
    const names = ['a<b & "c"', "</text><script>alert(1)</script>", "\u0000\u0007\ud800", "]]>", "&amp;"];
    const page = parse(plot(drawsOf({ names }), "trace", { title: "<T> & ' \"" }));
    expect(texts(page)).toEqual(expect.arrayContaining([names[0], names[1], "\ufffd\ufffd\ufffd", "]]>", "&amp;", "<T> & ' \""]));
    expect(all(page, "script")).toEqual([]);
  });
});

it("computes bounds from the values shown, in any order", () => {
  expect([boundsOf([3, 2, 1]), boundsOf([1, 2, 3]), boundsOf([Number.NaN, 2, Infinity, -1, 2e300])]).toEqual([
    [1, 3],
    [1, 3],
    [-1, 2],
  ]);
  expect(boundsOf([Number.NaN])).toEqual([Infinity, -Infinity]);
});

it("shows the quantities and single numbers of `of` once each, in the given order", () => {
  expect(texts(parse(plot(small, "trace", { of: ["mu"] }))).join()).not.toContain("not shown");
  const titles = (of: string[]) => texts(parse(plot(small, "trace", { of }))).filter((text) => ["mu", "tau"].includes(text));
  expect(titles(["tau", "mu", "tau"])).toEqual(["tau", "mu"]);
  expect(titles(["tau"])).toEqual(["tau"]);
});

describe("refusals", () => {
  const none = drawsOf({ count: 0 });
  const cases: [string, () => string, RegExp][] = [
    [
      "no draws of the library",
      () => plot({} as Draws, "trace"),
      /draws must be Draws.*write plot\(posterior, "trace"\).*\[OPTION_TYPE\]/,
    ],
    ["null", () => plot(null as unknown as Draws, "trace"), /draws must be Draws/],
    [
      "an unknown kind",
      () => plot(small, "traces" as PlotKind),
      /kind is "traces", but must be one of trace, rank, pairs, forest, energy, predictive \[OPTION_UNKNOWN\]/,
    ],
    ["a prototype's name", () => plot(small, "constructor" as PlotKind), /kind is "constructor"/],
    [
      "a name that is not there",
      () => plot(small, "trace", { of: ["nu"] }),
      /there is no "nu" among the draws; there are mu, tau \[OPTION_UNKNOWN\]/,
    ],
    ["names that are none", () => plot(small, "trace", { of: "mu" as never }), /of must be a list of names/],
    ["an empty list", () => plot(small, "trace", { of: [] }), /of must be a list of names/],
    ["an option of another kind", () => plot(small, "energy", { of: ["mu"] }), /"of".*\[OPTION_UNKNOWN\]/],
    ["a misspelt option", () => plot(small, "trace", { widht: 3 } as PlotOptions), /widht.*width/],
    ["a width too small", () => plot(small, "trace", { width: 10 }), /width is 10.*\[OPTION_RANGE\]/],
    ["a title that is none", () => plot(small, "trace", { title: 3 as never }), /title must be a text/],
    ["a seed that is none", () => plot(small, "predictive", { seed: -1 }), /seed is -1/],
    ["pairs of one", () => plot(small, "pairs", { of: ["mu"] }), /pairs need at least two quantities, but there is 1/],
    ["energies that are not there", () => plot(drawsOf(), "energy"), /no energies.*\[PLOT_KIND\]/],
    ["replications without a model", () => plot(small, "predictive"), /so they have no model.*\[DRAWS_MODEL\]/],
    ["a run without draws", () => plot(none, "trace"), /there are no draws.*\[DRAWS_EMPTY\]/],
  ];
  it.each(cases)("refuses %s", (_, attempt, words) => expect(attempt).toThrow(words));
});
