/**
 * npm run bench -- NAME … [--json] [--table] [--rounds N] [--tiny | --long] [--family TEXT]: times the named benchmarks
 * ("all": every one with a peer; "gibbs": all that begin with gibbs-); for growth, only the families with TEXT in their
 * names.
 *
 * npm run bench -- --list: lists the benchmarks.
 *
 * Results go to stdout, progress to stderr. With --json, each line of stdout is one comparison and nothing else:
 * {"bench","metric","ours","peer","theirs","ratio","machine","date"}, ratio > 1 if we are ahead. With --tiny, it is one
 * benchmark: {"bench","metric","ours","size","machine","date"}. With --table, the rows of docs/benchmarks.md are
 * written too. Exits with 0; with 1 if a benchmark failed (its answer was worse than the peer's, or it threw an error);
 * with 2 for a wrong command line.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { date, machine, measure } from "./measure.mjs";
import { isTiny, sized } from "./size.mjs";
import { rowsOf, short, withRows } from "./table.mjs";

const DEFAULT_ROUNDS = 5;
const TABLE = new URL("../docs/benchmarks.md", import.meta.url);
const say = (text) => process.stderr.write(`${text}\n`);
const print = (text) => process.stdout.write(`${text}\n`);
// Messages logged by a library must not be mixed with the results.
for (const level of ["log", "info", "debug"]) console[level] = console.error;

function usage(problem) {
  const options = "[--json] [--table] [--rounds N] [--tiny | --long] [--family TEXT]";
  say(`bench: ${problem}\nusage: npm run bench -- NAME … ${options}   or   npm run bench -- --list`);
  process.exit(2);
}

function commandLine() {
  const options = {
    json: { type: "boolean" },
    list: { type: "boolean" },
    table: { type: "boolean" },
    tiny: { type: "boolean" },
    long: { type: "boolean" },
    rounds: { type: "string" },
    family: { type: "string" },
  };
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options });
    if (values.tiny && values.long) usage("--tiny and --long exclude each other");
    if (values.tiny && values.table) usage("--table is of figures, and --tiny does not measure any");
    if (values.rounds === undefined) return { ...values, names: positionals };
    const rounds = Number(values.rounds);
    if (!(Number.isInteger(rounds) && rounds >= 1)) usage(`--rounds is ${values.rounds}, but must be an integer >= 1`);
    return { ...values, rounds, names: positionals };
  } catch (error) {
    return usage(error.message);
  }
}

async function allCases() {
  const folder = new URL("cases/", import.meta.url);
  const names = readdirSync(folder).flatMap((file) => (file.endsWith(".mjs") ? [file.slice(0, -".mjs".length)] : []));
  const modules = await Promise.all(names.sort().map((name) => import(new URL(`${name}.mjs`, folder).href)));
  return new Map(modules.flatMap((module) => module.default).map((benchCase) => [benchCase.name, benchCase]));
}

function printTable(benchCase, { ours, peers }) {
  const rows = [ours, ...peers];
  const width = Math.max(...rows.map((row) => row.name.length));
  print(`\n${benchCase.name}: ${benchCase.measures}\n  ${machine}, ${date}`);
  for (const row of rows) {
    const range = `${short(row.value).padStart(10)} ${benchCase.metric}  (${short(row.low)} … ${short(row.high)})`;
    print(`  ${row.name.padEnd(width)} ${range}${row.note ? `  ${row.note}` : ""}`);
  }
  for (const peer of peers) {
    const ratio = peer.passed
      ? `${peer.ratio.toFixed(2)} times${peer.goal ? ` (goal ${peer.goal})` : ""}`
      : "NO RATIO: our answer is worse";
    print(`  against ${peer.name}: ${ratio}; ${peer.text}`);
  }
}

function printJson({ name: bench, metric }, { ours, peers }) {
  const own = { bench, metric, ours: ours.value };
  if (isTiny()) return print(JSON.stringify({ ...own, size: "tiny", machine, date }));
  for (const { name, value, ratio } of peers.filter(({ passed }) => passed))
    print(JSON.stringify({ ...own, peer: name, theirs: value, ratio, machine, date }));
}

/** Rows for docs/benchmarks.md, by benchmark. */
const rows = new Map();

/** Resolves to whether the case passed; a skipped case passes. */
async function runCase(benchCase, { json, rounds = sized(benchCase.rounds ?? DEFAULT_ROUNDS, 1), family }) {
  const folder = mkdtempSync(join(tmpdir(), "ergodic-bench-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.on("exit", remove);
  try {
    if (benchCase.report) return await benchCase.report({ json, rounds, family, print, say });
    const result = await measure(benchCase, { rounds, folder, say });
    if (!result) return true;
    (json ? printJson : printTable)(benchCase, result);
    rows.set(benchCase.name, rowsOf(benchCase, result, { date, machine }));
    const worse = result.peers.filter(({ passed }) => !passed);
    for (const peer of worse) say(`${benchCase.name}: FAILED against ${peer.name}: ${peer.text}`);
    return worse.length === 0;
  } catch (error) {
    say(`${benchCase.name}: FAILED: ${error.stack}`);
    return false;
  } finally {
    remove();
    process.off("exit", remove);
  }
}

const { list, names, table, tiny, long, ...options } = commandLine();
process.env.ERGODIC_BENCH_SIZE = tiny ? "tiny" : long ? "long" : "usual";
const cases = await allCases();
if (list) {
  const width = Math.max(...[...cases.keys()].map((name) => name.length));
  for (const { name, measures } of cases.values()) print(`${name.padEnd(width)}  ${measures}`);
  process.exit(0);
}
/** An unknown name stands for all names that begin with it: "gibbs" for "gibbs-features" and so on. */
const family = (name) => (cases.has(name) ? [] : [...cases.keys()].filter((other) => other.startsWith(`${name}-`)));
const chosen = names.includes("all")
  ? [...cases.keys()].filter((name) => name !== "self-check")
  : names.flatMap((name) => (family(name).length > 0 ? family(name) : [name]));
const unknown = chosen.find((name) => !cases.has(name));
if (unknown !== undefined) usage(`there is no benchmark "${unknown}"; there are ${[...cases.keys()].join(", ")}`);
if (chosen.length === 0) usage("no benchmark is named");
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));

let passed = true;
for (const name of chosen) {
  passed = (await runCase(cases.get(name), options)) && passed;
  // After each benchmark, so that an interrupted run leaves its rows.
  if (table) writeFileSync(TABLE, withRows(readFileSync(TABLE, "utf8"), rows, [...cases.keys()]));
}
// The engine's workers would otherwise keep a finished process alive.
process.exit(passed ? 0 : 1);
