/**
 * The command as a process with streams that end early, a full disk, a terminal that closes, and a model file that
 * never finishes loading.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { isSlow } from "../../ergodic/test/power.ts";
import { digits, temporary } from "./places.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const here = (name: string): string => fileURLToPath(new URL(`models/${name}`, import.meta.url));
const file = temporary();
const folder = dirname(file("x"));
const run = (...args: string[]) => spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: "utf8" });
const rows = ["train", digits, "--target", "label", "--classes"];

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/build.mjs"], { cwd: root, stdio: "pipe" });
  expect(run(...rows, "--epochs", "1", "--out", "m.safetensors").status).toBe(0);
});

function started(...args: string[]): { child: ChildProcess; ended: Promise<number | null> } {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  return { child, ended: new Promise((resolve) => child.on("exit", (code) => resolve(code))) };
}

it("continues if nobody reads its progress output", async () => {
  const { child, ended } = started(...rows, "--epochs", "30", "--out", "unheard.safetensors");
  child.stderr!.once("data", () => child.stderr!.destroy());
  expect(await ended).toBe(0);
  expect(existsSync(file("unheard.safetensors"))).toBe(true);
});

it("reports an error if standard output cannot be written", () => {
  for (const words of [
    ["predict", "m.safetensors", digits],
    ["rules", "adam"],
  ]) {
    const full = openSync("/dev/full", "w");
    const { status, stderr } = spawnSync(process.execPath, [main, ...words], {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", full, "pipe"],
    });
    closeSync(full);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^ergodic: standard output: cannot be written: .*no space left.* \[FILE_WRITE\]\n$/),
    ]);
  }
});

it("saves the run if its terminal closes, as on Ctrl-C, but not next to a device", async () => {
  const { child, ended } = started(...rows, "--algorithm", "gradient", "--seconds", "120", "--out", "/dev/null");
  let stderr = "";
  child.stderr!.on("data", (chunk) => (stderr += String(chunk)));
  while (!/\n +[\d,]{4,} /.test(stderr)) await new Promise((resolve) => setTimeout(resolve, 10));
  child.kill("SIGHUP");
  expect(await ended).toBe(1);
  expect(stderr).toMatch(
    /interrupted; the run is saved in ergodic\.checkpoint; resume it with: .* --out \/dev\/null --resume ergodic\.checkpoint/,
  );
  expect(existsSync(file("ergodic.checkpoint"))).toBe(true);
});

it("refuses to overwrite the file that is its standard input", () => {
  const text = readFileSync(digits, "utf8");
  writeFileSync(file("in.csv"), text);
  const input = openSync(file("in.csv"), "r");
  const { status, stderr } = spawnSync(process.execPath, [main, "train", "-", ...rows.slice(2), "--out", "in.csv"], {
    cwd: folder,
    encoding: "utf8",
    stdio: [input, "pipe", "pipe"],
  });
  closeSync(input);
  expect([status, stderr]).toEqual([2, expect.stringMatching(/--out in\.csv is DATA -, which it would overwrite/)]);
  expect(readFileSync(file("in.csv"), "utf8")).toBe(text);
});

it("writes standard output to /dev/stdout", () => {
  const { stdout } = run("predict", "m.safetensors", digits);
  expect(run("predict", "m.safetensors", digits, "--out", "/dev/stdout").stdout).toBe(stdout);
});

it("reports that a model file never finishes loading", () => {
  // One function loads the model files of both commands.
  const commands = [
    ["sample", here("waits.mjs")],
    [...rows, "--model", here("waits.mjs")],
  ];
  for (const words of isSlow ? commands : commands.slice(0, 1)) {
    const { status, stderr } = run(...words);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^ergodic: \S+waits\.mjs: has a top-level await that never ends; .* \[MODEL_FILE\]\n$/),
    ]);
  }
});

/** One process runs all commands, because the places come from Node's own loader. */
it("reports the line of a failing model file, in TypeScript too if Node reads it", () => {
  writeFileSync(file("broken.mjs"), "export const a = 1;\nexport default (( => {};\n");
  writeFileSync(file("broken.ts"), "interface A {\n  a: number;\n}\nexport const a: A = { a: = 3 };\n");
  writeFileSync(file("import.mjs"), 'import "./broken.mjs";\nexport default 1;\n');
  writeFileSync(file("sound.mjs"), "export const a = 1;\n");
  writeFileSync(file("lacks.mjs"), 'import { b } from "./sound.mjs";\nexport default b;\n');
  const cases = [
    [here("throws.mjs"), "throws.mjs:5:", ": fails: Cannot read properties of null "],
    [here("throws.ts"), "throws.ts:9:", ": fails: Cannot read properties of null "],
    ["broken.mjs", "ergodic: broken.mjs:2:19: fails: ", ""],
    ["broken.ts", "ergodic: broken.ts:4:26: fails: Expression expected", ""],
    ["import.mjs", "ergodic: broken.mjs:2:19: fails: ", ""],
    ["lacks.mjs", "ergodic: lacks.mjs:1:10: fails: The requested module './sound.mjs' does not provide an export named 'b'", ""],
  ];
  const script = `import { processTerminal, runCommandLine } from ${JSON.stringify(new URL("../dist/command-line.js", import.meta.url).href)};
    for (const name of ${JSON.stringify(cases.map(([name]) => name))}) {
      const code = await runCommandLine(["sample", name, "--quiet"], processTerminal());
      console.error("ended with", code);
    }`;
  const { stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { cwd: folder, encoding: "utf8" });
  const outcomes = stderr.split("ended with 1\n").slice(0, -1);
  expect(outcomes).toHaveLength(cases.length);
  for (const [i, [, place, fault]] of cases.entries()) {
    expect(outcomes[i]).toContain(place);
    expect(outcomes[i]).toContain(fault);
    expect(outcomes[i]).toMatch(/ \[MODEL_FILE\]\n$/);
  }
});
