/** Runs benchmarks at tiny size and checks their output. Nothing is timed. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Benchmarks that need something that a checkout lacks, with the reason for which they may be skipped. */
const skippable: [names: RegExp, reason: RegExp][] = [
  [
    /^(defaults-(heart|a6a|agaricus|golub|bike|wine)|linear-a6a|lasso-path|\w+(-\w+)?-dual)$/,
    /^\.\.\/shared\/data\/linear\/\S+ is not here$/,
  ],
  [/^(mlp-train|cnn-train|network-workers|random-features-\d+)$/, /^\.\.\/shared\/data\/vision\/\S+ is not here$/],
  [/^elimination(-logz)?$/, /^\.\.\/shared\/data\/graphs\/uai is not here$/],
  [/^nuts(-adaptation)?$/, /^\.\.\/shared\/data\/posteriordb is not here$/],
  [/^csv-duckdb-/, /^@duckdb\/node-api is not here;/],
  [/^(page|predict-\w+-page-\d+)$/, /^Chromium is not installed/],
  [/^serve-/, /^there is one core, but|^taskset did not start/],
];

function bench(...options: string[]): { status: number | null; lines: string[]; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["bench/run.mjs", ...options], { cwd: root, encoding: "utf8" });
  return { status, lines: stdout.split("\n").filter((line) => line !== ""), stderr };
}

export const names = (): string[] => bench("--list").lines.map((line) => line.split(" ")[0]);

/** Whether a benchmark runs in Chromium. */
export const isPage = (name: string): boolean => /(^|-)page(-|$)/.test(name);

export function runTiny(names: string[]): void {
  const { status, lines, stderr } = bench(...names, "--tiny", "--json");
  expect(status, stderr).toBe(0);

  const skipped = [...stderr.matchAll(/^(\S+): SKIPPED: (.*)$/gm)].map(([, name, reason]) => ({ name, reason }));
  const unexpected = skipped.filter(
    ({ name, reason }) => !skippable.some(([names, reasons]) => names.test(name) && reasons.test(reason)),
  );
  expect(unexpected).toEqual([]);
  if (skipped.length > 0) console.warn(`benchmarks that were skipped: ${skipped.map(({ name }) => name).join(", ")}`);

  const results = lines.map((line) => JSON.parse(line));
  expect([...results.map((result) => result.bench), ...skipped.map(({ name }) => name)].sort()).toEqual(names.toSorted());
  for (const { bench: name, metric, ours, machine, date } of results) {
    expect(metric, name).toMatch(/\S/);
    expect(Number.isFinite(ours) && ours > 0, `${name}: ${ours}`).toBe(true);
    expect(machine, name).toMatch(/, \d+ cores, node v/);
    expect(date, name).toMatch(/^\d{4}-\d\d-\d\d$/);
  }
}
