/** The runnable examples that need more than the library: each shows what it is meant to show. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { main as conflictingTables } from "../examples/conflicting-tables.ts";
import { main as digitsNetwork } from "../examples/digits-network.ts";
import { main as explainingAway } from "../examples/explaining-away.ts";
import { main as hypernyms } from "../examples/hypernyms.ts";

test("digits-network exceeds a linear model's 98.3 %, and the file describes the training", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ergodic-examples-"));
  const lines: string[] = [];
  try {
    const accuracy = await digitsNetwork((line) => void lines.push(line), join(folder, "digits.safetensors"));
    expect(accuracy).toBeGreaterThan(0.985);
    expect(lines.at(-3)).toMatch(/^15 epochs in [\d.]+ s, mean loss of the last 0\.0\d+$/);
    expect(lines.at(-2)).toBe(`${(100 * accuracy).toFixed(1)} % of 359 held-out digits right`);
    expect(lines.at(-1)).toMatch(/^the first of them is a \d, says the file$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("explaining-away finds rain and sprinkler independent until the lawn is observed wet", async () => {
  const lines: string[] = [];
  const [nothing, wet, on, off, alone, forecast] = await explainingAway((line) => void lines.push(line));
  const rain = 0.6 * 0.05 + 0.4 * 0.6;
  const [wetOff, wetOn] = [
    [0.01, 0.85],
    [0.9, 0.99],
  ].map(([dry, wetter]) => ({ rain: rain * wetter, all: (1 - rain) * dry + rain * wetter }));
  expect(nothing.rain).toBeCloseTo(rain, 12);
  expect(wet.rain).toBeCloseTo((0.7 * wetOff.rain + 0.3 * wetOn.rain) / (0.7 * wetOff.all + 0.3 * wetOn.all), 12);
  expect(on.rain).toBeCloseTo(wetOn.rain / wetOn.all, 12);
  expect(off.rain).toBeCloseTo(wetOff.rain / wetOff.all, 12);
  expect(alone.rain).toBeCloseTo(rain, 12);
  expect(on.rain).toBeLessThan(wet.rain);
  expect(off.rain).toBeGreaterThan(wet.rain);
  expect(forecast.rain).toBeGreaterThan(on.rain);
  expect(on.evidence).toBeCloseTo(0.3 * wetOn.all, 12);
  expect(lines[0]).toBe("factor graph: 5 variables, 5 factors (table 5), 9 edges");
  expect(lines).toHaveLength(8);
});

test("conflicting-tables decides by agreement, trust and the painter's lifetime", async () => {
  const lines: string[] = [];
  const resolved = await conflictingTables((line) => void lines.push(line));
  const by = Object.fromEntries(resolved.map(({ painting, year, p }) => [painting, { year, p }]));
  // If two tables agree, no other year is claimed, and the odds are the sum of the rules.
  expect(by["Harbour at dawn"].p).toBeCloseTo(1 / (1 + Math.exp(-(2 * 1.2 - 0.5))), 12);
  // A painter not yet born, a dead painter in a typed row, and a typed row against a scanned one.
  expect(by["The ferryman"].year).toBe(1871);
  expect(by["Two sisters"].year).toBe(1903);
  expect(by["Winter road"].year).toBe(1888);
  // Nothing distinguishes the two claims.
  const one = Math.exp(1.2 - 0.5);
  expect(by["Market day"].p).toBeCloseTo((one + one ** 2 * Math.exp(-4)) / (1 + 2 * one + one ** 2 * Math.exp(-4)), 12);
  const plan = lines[0].split("\n");
  expect(plan.at(-1)).toBe("9 variables, 25 factors");
  expect(lines[1]).toBe("factor graph: 9 variables, 25 factors (imply 25), 29 edges, 5 weights");
  expect(lines.at(-1)!.split("\n")[0]).toMatch(/^\+5\.000 false {2}painter alive: weight 5\.000; p = "The ferryman"/);
});

test("hypernyms gains ten points of F1 over the pattern on held-out nouns, with calibrated probabilities", async () => {
  const lines: string[] = [];
  const { learned, pattern, error } = await hypernyms((line) => void lines.push(line));
  expect(pattern).toBeGreaterThan(0.45);
  expect(learned).toBeGreaterThan(pattern + 0.1);
  expect(error).toBeLessThan(0.03);
  expect(lines[1]).toMatch(/^F1 on \d+ pairs of nouns that were kept back: 0\.\d{3}, the pattern 0\.\d{3}$/);
});
