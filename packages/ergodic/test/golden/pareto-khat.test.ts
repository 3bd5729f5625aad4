/** Compares Pareto k of quantities with R's posterior. pareto-khat.R lists the call. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { paretoKhat } from "../../src/engine/statistics/index.ts";

type Value = number | "NA" | "NaN" | "Inf";
interface Case {
  chains: number;
  draws: Value[];
  khat: Value;
}
const golden = JSON.parse(readFileSync(new URL("pareto-khat.json", import.meta.url), "utf8")) as Record<string, Case>;
const words: Record<string, number> = { NA: Number.NaN, NaN: Number.NaN, Inf: Infinity };
const numberOf = (value: Value): number => (typeof value === "number" ? value : words[value]);

it.each(Object.entries(golden))("Pareto k equals posterior's pareto_khat for %s", (_, { chains, draws, khat }) => {
  const found = paretoKhat(Float64Array.from(draws, numberOf), chains);
  const wanted = numberOf(khat);
  if (!Number.isFinite(wanted)) expect(found).toBe(wanted);
  else expect(Math.abs(found - wanted)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(wanted)));
});
