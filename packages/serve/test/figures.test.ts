/** The table of docs/batching.md equals the current results of the simulation. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { isSlow } from "../../ergodic/test/power.ts";
import { type Arrival, bursty, draws, floods, poisson, quantile, simulate } from "./simulation.ts";

const PER_ROW = 0.3;
const PER_BATCH = 1;
const TARGET = 10;
/** Rows per millisecond in batches that take half of the target. */
const CAPACITY = (TARGET / 2 - PER_BATCH) / PER_ROW / (TARGET / 2);
const SEEDS = 4;
/** Settings of each simulation. */
const SECONDS = 1;
const POLICIES = [{ maxRows: 1 }, { maxRows: 8 }, { maxRows: 256 }, { targetP99Ms: TARGET }];
/** Columns of the table that are recomputed. `npm test` recomputes one, because each takes about a second. */
const COLUMNS = isSlow ? [0, 1, 2, 3] : [3];

const times = (seed: number) => {
  const u = draws(seed, "times");
  return (rows: number): number => (PER_ROW * rows + PER_BATCH) * Math.max(0.3, 1 + 0.1 * u.normal());
};
const each = (at: readonly number[], how: Partial<Arrival> = {}): Arrival[] => at.map((t) => ({ at: t, rows: 1, ...how }));

/** Latencies of four simulations. Infinity marks a refused request. */
async function latencies(arrivalsOf: (seed: number) => Arrival[], options: object): Promise<number[]> {
  const all: number[] = [];
  for (let seed = 0; seed < SEEDS; seed++) {
    const arrivals = arrivalsOf(seed);
    const { outcomes } = await simulate(arrivals, times(seed), { maxQueueRows: Infinity, ageingMs: 1e6, ...options });
    all.push(...outcomes.map(({ said, at }, i) => (typeof said === "string" ? Infinity : at - arrivals[i].at)));
  }
  return all;
}
type Figure = (options: object) => Promise<string>;
const p99 =
  (arrivalsOf: (seed: number) => Arrival[]): Figure =>
  async (options) =>
    `${Number(quantile(await latencies(arrivalsOf, options), 0.99).toPrecision(3))} ms`;

const at =
  (load: number, arrive: typeof poisson = poisson) =>
  (seed: number): Arrival[] =>
    each(arrive(load * CAPACITY, SECONDS * 1000, draws(seed, "figures", load)));
const overloaded = new Map<object, Promise<number[]>>();
/** Latencies at twice the capacity, for two rows of the table. */
function overload(options: object): Promise<number[]> {
  const known = overloaded.get(options) ?? latencies(twice, options);
  overloaded.set(options, known);
  return known;
}
const twice = (seed: number): Arrival[] => at(2)(seed).map((one) => ({ ...one, deadlineMs: TARGET }));
const backlog = each(Array(1500).fill(0), { priority: 9 });
const urgent = (seed: number): Arrival[] =>
  each(
    poisson(0.1, 350, draws(seed, "urgent")).map((t) => t + 50),
    { priority: 1 },
  );

const ROWS: [string, Figure][] = [
  ["30 % of the capacity: p99", p99(at(0.3))],
  ["60 %: p99", p99(at(0.6))],
  ["50 %, in bursts: p99", p99(at(0.5, bursty))],
  ["40 %, in floods: p99", p99(at(0.4, floods))],
  [
    "200 %, deadlines of 10 ms: answered in time",
    async (options) => `${((await overload(options)).filter((ms) => ms <= TARGET).length / SECONDS / SEEDS).toFixed(0)} / s`,
  ],
  [
    "the same: answered late",
    async (options) => {
      const answered = (await overload(options)).filter((ms) => ms < Infinity);
      return `${((100 * answered.filter((ms) => ms > TARGET).length) / answered.length).toFixed(1)} %`;
    },
  ],
  [
    "a backlog: answered",
    async (options) => {
      const { outcomes } = await simulate(backlog, times(1), { maxQueueRows: Infinity, ...options });
      return `${((1000 * backlog.length) / Math.max(...outcomes.map(({ at }) => at))).toFixed(0)} / s`;
    },
  ],
  [
    "urgent requests, in front of a backlog: p99",
    async (options) => {
      const all: number[] = [];
      for (let seed = 0; seed < SEEDS; seed++) {
        const arrivals = [...backlog, ...urgent(seed)];
        const { outcomes } = await simulate(arrivals, times(seed), { maxQueueRows: Infinity, ageingMs: 1e6, ...options });
        all.push(...outcomes.slice(backlog.length).map(({ at }, i) => at - arrivals[backlog.length + i].at));
      }
      return `${Number(quantile(all, 0.99).toPrecision(3))} ms`;
    },
  ],
];

test("the table of docs/batching.md is up to date", async () => {
  const cells: string[][] = [];
  for (const [name, figure] of ROWS) {
    const row = [name];
    for (const k of COLUMNS) row.push(await figure(POLICIES[k]));
    cells.push(row);
  }
  const page = readFileSync(new URL("../../../docs/batching.md", import.meta.url), "utf8");
  const table = page.split("\n").filter((line) => /^\|.*( ms|\/ s| %) *\|$/.test(line));
  const stated = table.map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  for (const row of stated) expect(row).toHaveLength(1 + POLICIES.length);
  expect(stated.map((row) => [row[0], ...COLUMNS.map((k) => row[k + 1])])).toEqual(cells);
});
