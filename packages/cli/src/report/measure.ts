/**
 * Measurements as readable text: the trade-off between batch sizes as a table and a picture, then the model's size and
 * energy.
 */
import type { Measurement } from "ergodic";
import type { Energy, LedgerItem } from "ergodic/learning";
import type { Paint } from "../terminal.ts";
import { bytes, counted, grouped, short, significant } from "./numbers.ts";
import { scatter } from "./scatter.ts";
import { pairs, table } from "./text-table.ts";

export const milliseconds = (ms: number | null): string => (ms === null ? "–" : significant(ms, 3));

/** Formats an energy: 2.1e-8 → "21.0 nJ". */
export function joules(value: number): string {
  const units = [
    [1, "J"],
    [1e-3, "mJ"],
    [1e-6, "µJ"],
    [1e-9, "nJ"],
    [1e-12, "pJ"],
  ] as const;
  const [size, unit] = units.find(([least]) => value >= least) ?? units[4];
  return `${significant(value / size, 3)} ${unit}`;
}

const QUANTILES = [
  ["p50", "p50"],
  ["p90", "p90"],
  ["p99", "p99"],
  ["p99.9", "p999"],
] as const;

/** Returns header and rows of the table of measurements. */
export function measureTable(found: readonly Measurement[]): [header: string[], rows: string[][]] {
  const isServer = found[0].scenario === "server";
  const header = [
    "batch",
    ...(isServer ? ["queries/s"] : []),
    ...QUANTILES.map(([name]) => `${name} ms`),
    "rows/s",
    `${found[0].energy.source} per row`,
    "",
  ];
  const rows = found.map((one) => [
    String(one.batch),
    ...(isServer ? [short(one.rate!)] : []),
    ...QUANTILES.map(([, key]) => milliseconds(one.latencyMs[key])),
    short(one.rowsPerSecond),
    one.energy.source === "unknown" ? "–" : joules(one.energy.perRow),
    one.valid ? "" : "not valid",
  ]);
  return [header, rows];
}

/**
 * Returns the latency to show in the picture. It is the scenario's quantile. In the offline scenario, it is the time of
 * one call, because offline latencies are measured from the start of the run.
 */
export function latencyOf({ latencyMs: { p99, p90, max }, scenario, batch, rowsPerSecond }: Measurement): number {
  if (scenario === "offline") return (1000 * batch) / rowsPerSecond;
  return (scenario === "singleStream" ? p90 : p99) ?? max;
}
const latencyNames = { singleStream: "p90 ms", multiStream: "p99 ms", server: "p99 ms", offline: "ms per call" };
export const latencyName = ({ scenario }: Measurement): string => latencyNames[scenario];

export function measureText(found: readonly Measurement[], paint: Paint): string {
  const [header, rows] = measureTable(found);
  const lines = [table(header, rows, { left: [header.length - 1], paint })];
  for (const { batch, why } of found) if (why !== null) lines.push(`  batch ${batch} is not valid: ${why}\n`);
  if (found.length > 1) {
    const spots = found.map((one) => ({ x: latencyOf(one), y: one.rowsPerSecond, word: String(one.batch) }));
    const drawn = scatter(spots, { x: latencyName(found[0]), y: "rows/s" }, { x: milliseconds, y: short });
    lines.push(`\n${drawn.map((line) => `  ${line}\n`).join("")}  Numbers are batch sizes; both scales are logarithmic.\n`);
  }
  const { energy, ledger } = found[0];
  lines.push(`\n${pairs(aboutModel(found), paint)}`);
  lines.push(`  ${energyText(energy)}\n`);
  if (ledger) lines.push(`\n${table(...ledgerTable(ledger), { left: [0, 2], paint })}`);
  return lines.join("");
}

export function aboutModel(found: readonly Measurement[]): [string, string][] {
  const last = found.at(-1)!;
  const { bytes: size, memory } = last;
  const about: [string, string][] = [];
  if (size)
    about.push(["model", `${bytes(size.file)} in its file, ${bytes(size.gzip)} after gzip, ${bytes(size.resident)} in memory`]);
  if (memory.peak !== null)
    about.push([
      "process",
      `${bytes(memory.peak)} at most${memory.wasm ? `, including ${bytes(memory.wasm)} of WebAssembly memory` : ""}`,
    ]);
  return about;
}

export function energyText(energy: Energy): string {
  if (energy.source === "measured")
    return `Energy: measured by RAPL (${energy.zones.join(", ")}), for everything that the machine did meanwhile: ${joules(energy.perRow)} per row.`;
  if (energy.source === "unknown") return `Energy: not known (${energy.why}).`;
  const [low, high] = energy.range;
  return `Energy: modelled, not measured (${energy.why}): ${joules(low)} to ${joules(high)} per row, for arithmetic and memory access only, at 45 nm.`;
}

/** Returns the energy table of one row, at the smallest batch size. */
export function ledgerTable(ledger: readonly LedgerItem[]): [header: string[], rows: string[][]] {
  const rows = ledger.map(({ what, unit, width, count, level, picojoules: [low, high] }) => [
    unit === "byte" ? `bytes of ${what}` : what,
    grouped(count),
    `float${width}${level === null ? "" : ` from ${level.startsWith("cache") ? "a " : ""}${level}`}`,
    low === high ? significant(low, 3) : `${significant(low, 3)} … ${significant(high, 3)}`,
    joules((count * (low + high) * 1e-12) / 2),
  ]);
  return [["modelled, per row", "count", "type", "pJ each", "total"], rows];
}

export const titleOf = (found: readonly Measurement[], model: string, data: string, rowCount: number): string =>
  `${found[0].scenario}: ${model} on ${counted(rowCount, "row")} of ${data}`;
