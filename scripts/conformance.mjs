/**
 * `npm run conformance posteriordb`: NUTS against the reference posteriors, as a table. Fails where a mean or mean square is four standard errors off.
 * The reference values lie beside the repository (../shared/data/posteriordb); without them there is nothing to compare, and it says so.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const suites = { posteriordb: "packages/ergodic/test/conformance/posteriordb-nuts.test.ts" };

const [name = "posteriordb"] = process.argv.slice(2);
if (!Object.hasOwn(suites, name)) {
  console.error(`conformance: "${name}" is not known; there is ${Object.keys(suites).join(", ")}`);
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), "ergodic-conformance-"));
const file = join(folder, "rows");
const run = spawnSync("npx", ["vitest", "run", suites[name], "--reporter=dot"], {
  cwd: root,
  env: { ...process.env, ERGODIC_CONFORMANCE: file },
  stdio: ["ignore", "ignore", "inherit"],
});
const rows = existsSync(file)
  ? readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
  : [];
rmSync(folder, { recursive: true });
const head = [
  "posterior",
  "numbers",
  "against",
  "|z| mean",
  "|z| square",
  "R-hat",
  "least ESS",
  "divergent",
  "leapfrogs",
  "seconds",
  "",
];
const body = rows.map((row) => [
  row.name,
  String(row.numbers),
  row.against,
  row.zMean.toFixed(2),
  row.zSquare.toFixed(2),
  row.rhat.toFixed(3),
  row.ess.toFixed(0),
  String(row.divergences),
  String(row.leapfrogs),
  row.seconds.toFixed(2),
  row.zMean < 4 && row.zSquare < 4 ? "ok" : "FAILS",
]);
const widths = head.map((title, j) => Math.max(title.length, ...body.map((cells) => cells[j].length)));
const left = (j) => j === 0 || j === 2;
for (const cells of [head, ...body])
  console.log(
    cells
      .map((cell, j) => (left(j) ? cell.padEnd(widths[j]) : cell.padStart(widths[j])))
      .join("  ")
      .trimEnd(),
  );
console.log(`${body.filter((cells) => cells.at(-1) === "ok").length} of ${body.length} agree.`);
process.exit(run.status ?? 1);
