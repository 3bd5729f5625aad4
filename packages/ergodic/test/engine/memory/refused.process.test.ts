/**
 * A host without worker threads, here through Node's permission model. Errors are typed, and work is possible without
 * workers.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";

// prepare-tests.mjs builds it before the tests.
const built = new URL("../../../dist/entries/index.js", import.meta.url).href;

it("throws WorkerError if a run or search requests workers, and runs without them", () => {
  const folder = mkdtempSync(join(tmpdir(), "refused-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "f.mjs"), "export default ([x]) => x * x;\n");
  const program = `import { cmaEs, Dataset, fit, linear, minimize, WorkerError } from ${JSON.stringify(built)};
    const x = Array.from({ length: 40 }, (_, i) => [i % 7, i % 3]);
    const data = Dataset.fromArrays({ x, y: x.map(([a]) => a) });
    const told = async (work) => {
      try { await work(); console.log("done"); } catch (error) { console.log(error instanceof WorkerError, error.message); }
    };
    await told(() => fit(linear(), data, { workers: 2, replicas: 2 }));
    await told(() => fit(linear(), data));
    await told(() => minimize(new URL("./f.mjs", import.meta.url), { x0: [1], workers: 2, evaluations: 20, algorithm: cmaEs() }));
    console.log("all");`;
  writeFileSync(join(folder, "main.mjs"), program);
  const permission = Number(process.versions.node.split(".")[0]) >= 23 ? "--permission" : "--experimental-permission";
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [permission, "--allow-fs-read=*", "--no-warnings", join(folder, "main.mjs")],
    { encoding: "utf8", timeout: 60_000 },
  );
  const lines = stdout.trim().split("\n");
  expect(lines, stderr).toHaveLength(4);
  expect(lines[0]).toMatch(
    /^true worker [01]: could not be started: Access to this API .*; use workers: 1, or .* \[WORKER_START\]$/,
  );
  expect(lines[1]).toBe("done");
  expect(lines[2]).toMatch(/could not be started: Access to this API .* \[WORKER_START\]/);
  expect(lines[3]).toBe("all");
});
