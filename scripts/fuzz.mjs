/**
 * `npm run fuzz -- models|plans|edges|checkpoints|data|graphs|draws|api|serve|all [--cases N] [--seed S]`: tests
 * thousands of damaged files and wrong calls. Every case must end in a result or in one of our errors. The first case
 * that does not is reported with the seed that repeats it (`--cases 1 --seed THAT`), and the command exits with 1.
 * Default: 2000 cases each, from seed 1.
 *
 * A process runs at most CHUNK cases, so that memory does not accumulate, and so that a crash or a hang is detected.
 */
import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const CHUNK = 2000;
/** A server lives long, so a single process runs all of its cases and its memory is checked throughout. */
const CHUNKS = { serve: 100_000 };
/**
 * Wall-clock limit per case, for cases that never return. Cases detect hangs themselves after 2 s of processor time.
 */
const LONGEST_MS = 5000;
const START_MS = 120_000;

const subjects = {
  models: "packages/ergodic/test/fuzz/models.test.ts",
  plans: "packages/ergodic/test/predict/plan/sandbox.test.ts",
  edges: "packages/ergodic/test/fuzz/plan-edges.process.test.ts",
  checkpoints: "packages/ergodic/test/fuzz/checkpoints.test.ts",
  data: "packages/ingest/test/fuzz/data.test.ts",
  graphs: "packages/ingest/test/fuzz/graphs.test.ts",
  draws: "packages/ergodic/test/fuzz/draws.test.ts",
  api: "packages/ergodic/test/fuzz/api.test.ts",
  serve: "packages/serve/test/fuzz/serve.test.ts",
};

const fail = (message) => {
  console.error(`fuzz: ${message}`);
  process.exit(2);
};
const given = () => {
  try {
    return parseArgs({ allowPositionals: true, options: { cases: { type: "string" }, seed: { type: "string" } } });
  } catch (error) {
    return fail(error.message);
  }
};
const whole = (name, text, low) => {
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= low
    ? value
    : fail(`--${name} is ${text}, but must be a whole number from ${low}`);
};

const { positionals, values } = given();
const cases = whole("cases", values.cases ?? "2000", 1);
const seed = whole("seed", values.seed ?? "1", 0);
const wanted = positionals.length === 0 || positionals.includes("all") ? Object.keys(subjects) : positionals;
for (const name of wanted)
  if (!Object.hasOwn(subjects, name)) fail(`"${name}" is not known; there is ${Object.keys(subjects).join(", ")}, all`);

let failed = false;
for (const name of wanted) {
  const begun = performance.now();
  const chunk = CHUNKS[name] ?? CHUNK;
  let memory = 0;
  let slowest = 0;
  let accepted = 0;
  let done = 0;
  while (done < cases && !failed) {
    const count = Math.min(chunk, cases - done);
    const { status, signal, stdout, stderr } = spawnSync("npx", ["vitest", "run", subjects[name], "--reporter=dot"], {
      cwd: root,
      encoding: "utf8",
      timeout: START_MS + LONGEST_MS * count,
      env: { ...process.env, ERGODIC_FUZZ_CASES: String(count), ERGODIC_FUZZ_SEED: String(seed + done) },
    });
    if (status === 0) {
      done += count;
      for (const [, mebibytes] of stdout.matchAll(/memory: (\d+) MiB/g)) memory = Math.max(memory, Number(mebibytes));
      for (const [, some, seconds] of stdout.matchAll(/accepted: (\d+) of \d+, slowest: ([\d.]+) s/g)) {
        accepted += Number(some);
        slowest = Math.max(slowest, Number(seconds));
      }
    } else {
      failed = true;
      console.error(signal ? `it did not end, and was ended by ${signal}` : `${stdout}\n${stderr}`);
      console.error(`${name}: one of the cases from seed ${seed + done} to ${seed + done + count - 1} did not end as it should`);
    }
  }
  const seconds = (performance.now() - begun) / 1000;
  const told = slowest > 0 ? `; ${accepted} were accepted, the slowest took ${slowest} s of processor time` : "";
  if (!failed)
    console.log(
      `${name.padEnd(12)} ${done} cases from seed ${seed}: each ended in a result or an error of ours (${seconds.toFixed(0)} s; ${memory} MiB more at most than before the first${told})`,
    );
  if (failed) break;
}
process.exit(failed ? 1 : 0);
