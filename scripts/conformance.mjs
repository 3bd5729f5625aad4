/**
 * `npm run conformance [posteriordb | modes | uai] [seeds]`: samplers against posteriors that are known, as a table; exits with 1 where they are not as they should be.
 *
 * posteriordb: NUTS against the reference posteriors, ten seeds each; fails where a mean or mean square is four standard errors off in a run that is trusted, or more are than chance
 * allows. Their values lie beside the repository (../shared/data/posteriordb); without them there is nothing to compare, and it says so.
 * modes: posteriors with several modes, a hundred seeds each; fails where more than one in a hundred is trusted though wrong, or fewer than 95 of those with one mode are trusted.
 * uai: algorithms of infer against graphs whose answers are known (conformance-uai.mjs).
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
    // A normal number is beyond four in one of 15,800.
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
const suites = { posteriordb, modes };

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
const body = rows.map(suite.row);
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
  `${body.filter((cells) => cells.at(-1) === "ok").length} of ${body.length} are as they should be. ${suite.summary(rows)}`,
);
process.exit(run.status ?? 1);
