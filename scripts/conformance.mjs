/**
 * `npm run conformance [posteriordb | modes | verdicts | uai] [seeds]`: compares samplers with known posteriors, as a
 * table. Exits with 1 if a criterion is not met.
 *
 * posteriordb: NUTS against the reference posteriors, ten seeds each. Fails if, in a trusted run, a mean or mean square
 * is four standard errors off more often than chance allows. The reference values are next to the repository
 * (../shared/data/posteriordb); without them there is nothing to compare, and the script says so.
 *
 * modes: posteriors with several modes, a hundred seeds each. Fails if more than one run in a hundred is trusted
 * although it is wrong, or if fewer than 95 of the runs with one mode are trusted.
 *
 * verdicts: forty random posteriors, every sampler with a verdict, three seeds each. Fails if more than one run in
 * sixty of a class is trusted although it is wrong, or if more than 15 % of the correct runs are refused. Modes that
 * few starts reach are listed but do not count. svgd(), which is never trusted, counts in no share.
 *
 * uai: algorithms of infer against graphs with known answers (conformance-uai.mjs).
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

const posteriordb = {
  file: "posteriordb-nuts",
  seeds: 10,
  head: [
    "posterior",
    "against",
    "numbers",
    "|z| mean",
    "|z| square",
    "beyond 4",
    "of them trusted",
    "trusted",
    "R-hat",
    "least ESS",
    "divergent",
    "seconds",
    "",
  ],
  row: (r) => [
    r.name,
    r.against,
    String(r.numbers),
    r.worst[0].toFixed(2),
    r.worst[1].toFixed(2),
    String(r.beyond),
    String(r.trustedBeyond),
    `${r.trusted} of ${r.seeds}`,
    r.rhat.toFixed(3),
    r.ess.toFixed(0),
    String(r.divergences),
    r.seconds.toFixed(1),
    r.trustedBeyond === 0 ? "ok" : "FAILS",
  ],
  summary(rows) {
    const beyond = rows.reduce((sum, r) => sum + r.beyond, 0);
    const checks = rows.reduce((sum, r) => sum + 2 * r.numbers, 0);
    // A standard normal number is beyond ±4 with a probability of one in 15,800.
    const expected = checks / 15_800;
    return `${beyond} of ${checks} means and mean squares are beyond four standard errors; chance has ${expected.toFixed(1)} of them there, and in one of 10,000 tries more than ${Math.ceil(expected + 4 * Math.sqrt(expected) + 3)}.`;
  },
};
const modes = {
  file: "modes",
  seeds: 100,
  head: ["posterior", "seeds", "trusted", "wrong and trusted", "new starts", "least reached", ""],
  row: (r) => [
    r.name,
    String(r.seeds),
    String(r.trusted),
    String(r.wrong),
    String(r.restarts),
    `${(100 * r.reached).toFixed(0)} %`,
    r.wrong <= r.seeds / 100 && (!r.single || r.trusted >= Math.floor(0.95 * r.seeds)) ? "ok" : "FAILS",
  ],
  summary: () => "At most 1 of 100 may be wrong and trusted; of the posteriors with one mode 95 of 100 are to be trusted.",
};
const verdicts = {
  file: "verdicts",
  seeds: 3,
  head: ["kind", "sampler", "runs", "trusted, right", "trusted, wrong", "refused, right", "refused, wrong", "not counted", ""],
  /** Groups consecutive runs of one kind of posterior and one sampler. */
  collect(rows) {
    const groups = new Map();
    for (const r of rows) {
      const key = `${r.kind} ${r.sampler}`;
      if (!groups.has(key)) groups.set(key, { kind: r.kind, sampler: r.sampler, runs: [], other: 0 });
      const group = groups.get(key);
      // Refused before it began, or a mode that few starts reach.
      if (r.refused || r.reached < 0.15) group.other++;
      else group.runs.push(r);
    }
    return [...groups.values()];
  },
  row({ kind, sampler, runs, other }) {
    const count = (trusted, wrong) => runs.filter((r) => r.trusted === trusted && r.error > 1 === wrong).length;
    const wrong = count(true, true);
    const cells = [count(true, false), wrong, count(false, false), count(false, true), other];
    const allowed = Math.ceil(runs.length / 60);
    return [kind, sampler, String(runs.length), ...cells.map(String), sampler === "svgd" || wrong <= allowed ? "ok" : "FAILS"];
  },
  summary(groups) {
    const runs = groups.flatMap((group) => (group.sampler === "svgd" ? [] : group.runs));
    const right = runs.filter((r) => r.error <= 1);
    const refused = right.filter((r) => !r.trusted);
    const causes = new Map();
    for (const { codes } of refused) causes.set(codes.join(" + "), (causes.get(codes.join(" + ")) ?? 0) + 1);
    const told = [...causes].sort(([, a], [, b]) => b - a).map(([cause, count]) => `${cause} ${count}`);
    const kinds = [...new Set(runs.map((r) => r.kind))].map((kind) => {
      const own = runs.filter((r) => r.kind === kind);
      return `${kind} ${own.filter((r) => r.trusted && r.error > 1).length} of ${own.length}`;
    });
    return `Trusted though wrong: ${kinds.join(", ")}; at most 1 in 60 may be. Refused though right: ${refused.length} of ${right.length}, at most 15 % may be (${told.join(", ")}).`;
  },
};
const suites = { posteriordb, modes, verdicts };

const [name = "posteriordb", given] = process.argv.slice(2);
if (name === "uai") {
  const { conformanceUai } = await import("./conformance-uai.mjs");
  process.exit(await conformanceUai(process.argv.slice(3)));
}
if (!Object.hasOwn(suites, name)) {
  console.error(`conformance: "${name}" is not known; there is ${[...Object.keys(suites), "uai"].join(", ")}`);
  process.exit(2);
}
const suite = suites[name];
const seeds = given === undefined ? suite.seeds : Number(given);
if (!(Number.isInteger(seeds) && seeds >= 1)) {
  console.error(`conformance: seeds is ${given}, but must be a whole number from 1`);
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), "ergodic-conformance-"));
const file = join(folder, "rows");
const run = spawnSync("npx", ["vitest", "run", `packages/ergodic/test/conformance/${suite.file}.test.ts`, "--reporter=dot"], {
  cwd: root,
  env: { ...process.env, ERGODIC_CONFORMANCE: file, ERGODIC_SEEDS: String(seeds) },
  stdio: ["ignore", "ignore", "inherit"],
});
const rows = existsSync(file)
  ? readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
  : [];
rmSync(folder, { recursive: true });
const collected = suite.collect?.(rows) ?? rows;
const body = collected.map(suite.row);
const widths = suite.head.map((title, j) => Math.max(title.length, ...body.map((cells) => cells[j].length)));
const left = (j) => j === 0 || suite.head[j] === "against";
for (const cells of [suite.head, ...body])
  console.log(
    cells
      .map((cell, j) => (left(j) ? cell.padEnd(widths[j]) : cell.padStart(widths[j])))
      .join("  ")
      .trimEnd(),
  );
console.log(
  `${body.filter((cells) => cells.at(-1) === "ok").length} of ${body.length} are as they should be. ${suite.summary(collected)}`,
);
process.exit(run.status ?? 1);
