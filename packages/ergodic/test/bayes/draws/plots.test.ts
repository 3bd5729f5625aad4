/** Compares plots of draws character by character. */
import { describe, expect, it } from "vitest";
import { bars, strokes } from "../../../src/bayes/draws/characters.ts";
import { histogramPlot, intervalPlot, rankBars, tracePlot } from "../../../src/bayes/draws/plots.ts";

const of = (...values: number[]) => Float64Array.of(...values);
const row = (mean: number, low: number, high: number) => ({
  mean,
  sd: 1,
  mcseMean: 0.1,
  mcseSd: 0.1,
  quantiles: { q5: low, q50: mean, q95: high },
  essBulk: 100,
  essTail: 100,
  rhat: 1,
  paretoK: 0,
});

describe("characters", () => {
  it("bars use eighths, and any value above zero is visible", () => {
    expect(bars([0, 0.001, 0.25, 0.5, 0.75, 1, 2], 1, 1)).toEqual([" ▁▂▄▆██"]);
    expect(bars([0, 0.001, 0.25, 0.5, 0.5625, 1], 2, 2)).toEqual(["        ▁▁██", "  ▁▁▄▄██████"]);
  });

  it("strokes use dots, four per line", () => {
    const dot = (at: number) => ({ low: at, high: at });
    expect(strokes([dot(0), dot(0.3), dot(0.6), dot(1)], 1)).toEqual(["⡠⠊"]);
    expect(strokes([{ low: 0, high: 1 }, undefined, dot(0)], 2)).toEqual(["⡇ ", "⡇⡀"]);
  });
});

describe("tracePlot", () => {
  it("draws a strip per chain on a common scale", () => {
    const rising = Array.from({ length: 12 }, (_, k) => k);
    expect(tracePlot(of(...rising, ...new Array(12).fill(11)), 2, { width: 24, height: 3 })).toBe(
      [
        "     11 │    ⡠⠊",
        "chain 1 │  ⡠⠊",
        "      0 │⡠⠊",
        "     11 │⠉⠉⠉⠉⠉⠉",
        "chain 2 │",
        "      0 │",
        "        └──────",
        "         1   12",
      ].join("\n"),
    );
  });

  it("spans the draws that share a column", () => {
    const swinging = Float64Array.from({ length: 64 }, (_, k) => (k % 2 === 0 ? -1 : 1));
    const [first, , , , , end] = tracePlot(swinging, 1, { width: 24, height: 4 }).split("\n");
    expect(first).toBe(`      1 │${"⣿".repeat(15)}`);
    expect(end).toBe(`         1${" ".repeat(12)}64`);
  });

  it("reports draws that are not finite", () => {
    expect(tracePlot(of(Number.NaN, Infinity), 1)).toBe("there are no finite draws");
    expect(tracePlot(of(1, Number.NaN, 1, 1), 1, { width: 24, height: 3 })).toBe(
      ["      1 │", "chain 1 │⠄⠤", "      1 │", "        └──", "         1 4", "1 of 4 draws are not finite"].join("\n"),
    );
  });

  it("refuses invalid input", () => {
    expect(() => tracePlot(of(1, 2, 3), 2)).toThrow(/3 draws are not a multiple of 2 chains/);
    expect(() => tracePlot(of(1, 2), 1, { width: 10 })).toThrow(/width is 10, but must be an integer >= 24/);
    expect(() => tracePlot(of(1, 2), 1, { color: true } as object)).toThrow(/unknown option "color"/);
  });
});

it.each([0, 1.5, -1, 22])("%d bars are refused, and as many as fit are drawn", (bins) => {
  const options = { width: 24, bins };
  expect(() => histogramPlot(of(1, 2, 3), options)).toThrow(`histogramPlot: bins is ${bins}, but must be`);
  expect(() => rankBars(of(1, 2, 3, 4), 2, options)).toThrow(`rankBars: bins is ${bins}, but must be`);
  expect(() => rankBars(of(1, 2, 3, 4), 2, { width: 24, bins: 16 })).toThrow("rankBars: bins is 16, but must be");
  expect(histogramPlot(of(1, 2, 3), { width: 24, bins: 21 })).toMatch(/^1/);
  expect(rankBars(of(1, 2, 3, 4), 2, { width: 24, bins: 15 })).toMatch(/^chain 1/);
});

describe("histogramPlot", () => {
  it("draws bars for parts of equal width", () => {
    expect(histogramPlot(of(0, 0, 0, 0, 1, 1.1, 2.9, 3), { width: 24, height: 2, bins: 3 })).toBe(
      ["4 │███████", "  │█████████████████████", "  └─────────────────────", "   0                   3"].join("\n"),
    );
  });

  it("draws one bar for a constant and fits the largest range", () => {
    expect(histogramPlot(of(5, 5), { width: 24, height: 1, bins: 3 })).toBe(
      ["2 │       ███████", "  └─────────────────────", "   5                   5"].join("\n"),
    );
    expect(histogramPlot(of(-1.7e308, 1.7e308, Infinity), { width: 24, height: 1, bins: 2 })).toBe(
      ["1 │████████████████████", "  └────────────────────", "   -1.7e+308   1.7e+308", "1 of 3 draws are not finite"].join("\n"),
    );
  });
});

describe("rankBars", () => {
  it("are even if chains agree and sloped if they do not", () => {
    const even = Array.from({ length: 16 }, (_, k) => k);
    expect(rankBars(of(...even.map((k) => 2 * k), ...even.map((k) => 2 * k + 1)), 2, { width: 26, bins: 4 })).toBe(
      [
        "chain 1 │▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄",
        "chain 2 │▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄",
        "         low ranks to high; half a line is the expected count, 4",
      ].join("\n"),
    );
    const apart = rankBars(of(...even, ...even.map((k) => k + 16)), 2, { width: 26, bins: 4, height: 2 }).split("\n");
    expect(apart).toEqual([
      "        │████████",
      "chain 1 │████████",
      "        │        ████████",
      "chain 2 │        ████████",
      "         low ranks to high; half of 2 lines is the expected count, 4",
    ]);
  });

  it("split ties evenly", () => {
    expect(rankBars(of(1, 1, 1, 1), 2, { width: 26, bins: 2 }).split("\n")[0]).toBe("chain 1 │        ████████");
  });
});

describe("intervalPlot", () => {
  it("draws a line per row, even for more rows than a call has arguments", () => {
    const rows = Object.fromEntries(Array.from({ length: 130_000 }, (_, i) => [`a${i}`, row(0, 1, 2)]));
    expect(intervalPlot(rows, { width: 24 }).split("\n").length).toBeGreaterThanOrEqual(130_000);
  });

  it("draws nothing if no row is finite", () => {
    const lost = row(Number.NaN, Number.NaN, Number.NaN);
    expect(intervalPlot({ lost })).toBe("there are no finite draws");
    expect(intervalPlot({ lost, far: row(Infinity, -Infinity, Infinity) })).toBe("there are no finite draws");
    expect(intervalPlot({})).toBe("there are no finite draws");
    // A single point has a range of length zero.
    expect(intervalPlot({ a: row(2, 2, 2) }, { width: 24 }).split("\n")[0]).toBe("a │          ●");
  });

  it("aligns means and intervals and marks zero", () => {
    expect(
      intervalPlot({ mu: row(-1, -2, 0.5), "theta[1]": row(4, 2, 8), lost: row(Number.NaN, Number.NaN, 1) }, { width: 31 }),
    ).toBe(
      [
        "      mu │──●───",
        "theta[1] │    ┊   ────●────────",
        "    lost │not finite",
        "         └─────────────────────",
        "          -2                  8",
      ].join("\n"),
    );
  });
});
