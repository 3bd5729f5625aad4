/**
 * `npm run test:slow -- [--minutes N] [--stages TEXT] [--list]`: tests that are too slow for `npm test`: statistical
 * tests at full power, tests on fetched hosts, 100,000 cases of fuzzing per subject, and ten minutes of soak tests.
 *
 * With --stages, only stages with TEXT in their names run. With --minutes, a stage starts only if its estimated time
 * fits into the rest. The stages that were not run are listed at the end. Exits with 1 if a stage failed.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: { minutes: { type: "string" }, stages: { type: "string", default: "" }, list: { type: "boolean", default: false } },
});
const limit = values.minutes === undefined ? Infinity : Number(values.minutes);
if (!(limit >= 0)) {
  console.error(`test-slow: --minutes is ${values.minutes}, but must be a number >= 0`);
  process.exit(2);
}

const vitest = (...args) => ["node_modules/vitest/vitest.mjs", "run", "--reporter=dot", ...args];
/** Test files whose number of draws or cases is larger under ERGODIC_SLOW. */
const scaled = readdirSync(join(root, "packages"), { recursive: true })
  .filter((file) => file.endsWith(".test.ts") && !/node_modules|dist|\.slow\./.test(file))
  .filter((file) => /(?<!numbers)\/power\.ts"/.test(readFileSync(join(root, "packages", file), "utf8")))
  .map((file) => join("packages", file));

/** Subjects of scripts/fuzz.mjs, with the estimated minutes per lot of cases. */
const subjects = { models: 1, plans: 1, edges: 1, checkpoints: 1, data: 1, graphs: 1, draws: 1, api: 1, serve: 1 };
const LOT = 10_000;
const CASES = 100_000;
const fuzz = Array.from({ length: CASES / LOT }, (_, lot) =>
  Object.entries(subjects).map(([subject, minutes]) => ({
    name: `fuzz ${subject}, cases from seed ${1 + lot * LOT}`,
    minutes,
    args: ["scripts/fuzz.mjs", subject, "--cases", `${LOT}`, "--seed", `${1 + lot * LOT}`],
  })),
).flat();

const all = [
  { name: "browsers, other versions of Node, Bun, workerd, bundlers, compilers", minutes: 8, args: vitest("--project", "slow") },
  { name: `full power: ${scaled.length} test files`, minutes: 12, args: vitest(...scaled) },
  {
    name: "faults: 100 kills",
    minutes: 3,
    args: vitest("faults", "save", "kill"),
    env: { ERGODIC_FAULTS: "1", ERGODIC_KILLS: "40" },
  },
  { name: "soak", minutes: 11, args: ["--expose-gc", "scripts/soak.mjs", "--minutes", "10"] },
  ...fuzz,
];
const stages = all.filter(({ name }) => name.includes(values.stages));

if (values.list) {
  for (const { name, minutes } of stages) console.log(`${String(minutes).padStart(3)} min  ${name}`);
  process.exit(0);
}

const begun = performance.now();
const spent = () => (performance.now() - begun) / 60_000;
const left = [];
const failed = [];
for (const { name, minutes, args, env } of stages) {
  if (spent() + minutes > limit) {
    left.push(name);
    continue;
  }
  const before = spent();
  console.log(`\n${name}`);
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ERGODIC_SLOW: "1", ...env },
  });
  if (status !== 0) failed.push(name);
  console.log(`${name}: ${status === 0 ? "passed" : "FAILED"} (${(spent() - before).toFixed(1)} min)`);
}
console.log(`\n${stages.length - left.length - failed.length} stages passed, ${failed.length} failed, ${left.length} not run`);
for (const name of failed) console.log(`FAILED: ${name}`);
for (const name of left) console.log(`not run: ${name}`);
process.exit(failed.length > 0 ? 1 : 0);
