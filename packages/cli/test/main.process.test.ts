/** The command as a separate process: signals, pipes, and the demo with its recommended commands. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import module from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { FitOptions, MeasureOptions, SampleOptions } from "ergodic";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { isSlow } from "../../ergodic/test/power.ts";
import type { AnyModel } from "../src/options/model.ts";
import { processTerminal } from "../src/terminal.ts";
import { digits, temporary, works } from "./captured.ts";

/** The demo's runs in this process are short. `asked` has the number of epochs of each run of the demo. */
const { asked, FEW } = vi.hoisted(() => ({ asked: [] as (number | undefined)[], FEW: 2 }));
vi.mock("../src/options/model.ts", async (original) => {
  const real = await original<typeof import("../src/options/model.ts")>();
  const fitModel = (model: AnyModel, data: never, options: FitOptions) => {
    asked.push(options.epochs);
    const epochs = options.epochs === undefined ? {} : { epochs: Math.min(options.epochs, FEW) };
    return real.fitModel(model, data, { ...options, ...epochs });
  };
  return { ...real, fitModel };
});
vi.mock("ergodic", async (original) => {
  const real = await original<typeof import("ergodic")>();
  const sample = (model: never, data: never, options: SampleOptions) =>
    real.sample(model, data, { ...options, warmup: 100, draws: 100 });
  const measure = (model: never, rows: never, options: MeasureOptions) =>
    real.measure(model, rows, { ...options, ...(options.rows === undefined ? {} : { rows: 64 }) });
  return { ...real, sample: Object.assign(sample, real.sample), measure };
});

const root = fileURLToPath(new URL("../../../", import.meta.url));
const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const file = temporary();
const folder = dirname(file("x"));
const bytes = (path: string): string => readFileSync(path).toString("hex");
const run = (...args: string[]) => spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: "utf8" });

// The build does nothing if the sources have not changed.
beforeAll(() => void execFileSync(process.execPath, ["scripts/build.mjs"], { cwd: root, stdio: "pipe" }), 300_000);

const long = ["train", digits, "--target", "label", "--classes", "--epochs", "200", "--rule", "adam:rate=0.001", "--seed", "2"];

function started(
  program: string,
  ...args: string[]
): { child: ChildProcess; stderr: () => string; ended: Promise<number | null> } {
  const child = spawn(program, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr!.on("data", (chunk) => (stderr += String(chunk)));
  return { child, stderr: () => stderr, ended: new Promise((resolve) => child.on("close", (code) => resolve(code))) };
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 10) {
    if (waited > 30_000) throw new Error("what was waited for did not happen in 30 s");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

it("starts from the file that npm links and uses Node's compile cache if available", () => {
  const linked = fileURLToPath(new URL("../bin/ergodic.js", import.meta.url));
  const env = { ...process.env, NODE_COMPILE_CACHE: undefined, TMPDIR: folder };
  const { stdout, stderr } = spawnSync(process.execPath, [linked, "--version"], { cwd: folder, encoding: "utf8", env });
  expect([stdout, stderr]).toEqual(["0.1.0\n", ""]);
  const kept = readdirSync(folder).filter((name) => name.startsWith("node-compile-cache"));
  expect(kept).toHaveLength("enableCompileCache" in module ? 1 : 0);
});

it("a run resumes to the same model by the command that Ctrl-C prints, and after kill -9", async () => {
  // resume.test.ts also shows that a deterministic run resumes bit for bit.
  for (const mode of isSlow ? [[], ["--deterministic"]] : [[]]) {
    const { child, stderr, ended } = started(process.execPath, main, ...long, ...mode, "--out", "joined.safetensors");
    await until(() => /\n +[\d,]{5,} /.test(stderr()));
    child.kill("SIGINT");
    expect(await ended).toBe(1);
    const command = /resume it with: (.*) \[INTERRUPTED\]\n$/.exec(stderr())?.[1];
    expect(command).toMatch(/--resume joined\.checkpoint$/);
    const kept = `${["kept", ...mode].join("")}.checkpoint`;
    const again = started("sh", "-c", `exec ${command} --checkpoint ${kept} --checkpoint-every 0.05`);
    await until(() => existsSync(file(kept)));
    again.child.kill("SIGKILL");
    expect(await again.ended).toBeNull();
    const rows = [digits, "--target", "label", "--classes"];
    expect(run("train", ...rows, "--resume", kept, "--out", "joined.safetensors").status).toBe(0);
    expect(run(...long, ...mode, "--out", "straight.safetensors").status).toBe(0);
    expect(bytes(file("joined.safetensors"))).toBe(bytes(file("straight.safetensors")));
  }
});

describe.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s", (signal) => {
  it("is handled once, a second signal ends the process immediately, and nothing listens afterwards", () => {
    const exit = vi.spyOn(process, "exit").mockImplementation(() => {
      throw new Error("ended");
    });
    const before = process.listeners(signal);
    let heard = 0;
    const takeBack = processTerminal().onInterrupt(() => void heard++);
    process.emit(signal);
    expect([heard, exit.mock.calls]).toEqual([1, []]);
    expect(() => process.emit(signal)).toThrow("ended");
    expect([heard, exit.mock.calls]).toEqual([1, [[1]]]);
    takeBack();
    expect(process.listeners(signal)).toEqual(before);
  });

  // Node ends a process without listeners in the default way, so one signal shows that ours are the only ones.
  it.runIf(isSlow || signal === "SIGTERM")("ends a process that no longer listens in the default way", async () => {
    const script = `import { processTerminal } from ${JSON.stringify(new URL("../dist/command-line.js", import.meta.url).href)};
      processTerminal().onInterrupt(() => console.error("heard"))();
      setInterval(() => {}, 1000);
      console.error("ready");`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (chunk) => (stderr += String(chunk)));
    let how: unknown = "still there";
    child.on("close", (code, by) => (how = by ?? code));
    await until(() => stderr.includes("ready"));
    child.kill(signal);
    await until(() => how !== "still there" || stderr.includes("heard"));
    child.kill("SIGKILL");
    expect([how, stderr]).toEqual([signal, "ready\n"]);
  });
});

it("reads standard input, writes no ANSI codes to a pipe, and stops quietly if the reader stops", () => {
  const piped = (words: string[]) =>
    spawnSync(process.execPath, [main, ...words], { cwd: folder, encoding: "utf8", input: readFileSync(digits) });
  const plain = ({ status, stdout, stderr }: ReturnType<typeof piped>): typeof stdout => {
    expect([status, stdout + stderr]).toEqual([0, expect.not.stringContaining("\x1b")]);
    return stdout;
  };
  plain(piped(["train", "-", ...long.slice(2, 6), "1", "--out", "piped.safetensors"]));
  expect(plain(piped(["predict", "piped.safetensors", "-"])).split("\n")).toHaveLength(1799);
  expect(plain(run("describe", "piped.safetensors"))).toContain("linear, multiclass");
  const { stderr } = run("fly");
  expect(stderr).toMatch(/^ergodic: /);
  expect(stderr).not.toContain("\x1b");
  const cut = spawnSync("sh", ["-c", `"${process.execPath}" "${main}" predict piped.safetensors "${digits}" | head -n 2`], {
    cwd: folder,
    encoding: "utf8",
  });
  expect(cut.stdout.split("\n")[0]).toMatch(/^prediction,p_0/);
  expect(cut.stderr).toBe("");
});

/**
 * `npm test` runs the demo in this process, with the epochs of `FEW` and few draws, and cheaper versions of its commands.
 * test:slow runs the demo and its commands as they are.
 */
it("the demo prints its tables, pictures and measurements, and five commands that work as printed", async () => {
  const out = file("demo.safetensors");
  const printed = isSlow ? run("demo", "--out", out) : { status: 0, ...(await works("demo", "--out", out)) };
  const { status, stdout, stderr } = printed;
  expect(stderr).toBe("");
  expect(status).toBe(0);
  if (!isSlow) expect([asked.filter((epochs) => epochs === 20).length, asked.includes(60)]).toEqual([12, true]);
  const [epochs, long] = isSlow ? [20, 60] : [FEW, FEW];
  for (const rule of ["sgd", "momentum", "adagrad", "adam", "stochasticLineSearch"])
    expect(stdout).toMatch(new RegExp(`^ {2}${rule} +(\\S+) +${epochs} +[\\d.]+ s +9\\d\\.\\d % +[048]$`, "m"));
  const best = ["adagrad, 2000 random features +0\\.3", "adam, a convolutional network +0\\.001"].map((name) =>
    Number(new RegExp(`^ {2}${name} +${epochs} +\\S+ s +([\\d.]+) %`, "m").exec(stdout)?.[1]),
  );
  expect(best[0]).toBeGreaterThan(isSlow ? 98 : 90);
  expect(best[1]).toBeGreaterThan(isSlow ? 98.5 : 90);
  for (const rule of ["sgd", "adagrad", "rmsprop", "adam"])
    expect(stdout).toMatch(new RegExp(`^ {2}${rule} +[\\d.]+ +\\d\\.\\d{3}( +-?[\\d.]+ %){3}$`, "m"));
  expect(stdout).toMatch(/^ {2}polyak, exact f\*( +\S+){2} .* < 1e-9$/m);
  expect(stdout).toMatch(/^ {2}batch +updates +seconds +rows\/s +test accuracy$/m);
  expect(stdout).toMatch(new RegExp(`^ {2}256 +${6 * epochs} `, "m"));
  expect(stdout).toMatch(new RegExp(`^ {2}1 worker +${(1438 * long).toLocaleString("en")} `, "m"));
  expect(stdout).toMatch(/█/);
  expect(stdout).toMatch(/✓ \d, [\d.]+ %/);
  expect(stdout).toMatch(/\d+ of 359 right, \d+ mistakes?\./);
  expect(stdout).toMatch(
    /One at a time: 90 % within [\d.]+ ms; all at once: [\d.]+( [kM])? per second; [\d.]+ [nµm]J each, (modelled|measured)\./,
  );
  const commands = stdout
    .slice(stdout.indexOf("Try next\n"))
    .split("\n")
    .slice(1)
    .filter((line) => line.trim() !== "");
  expect(commands).toHaveLength(5);
  // The model is evaluated on its training rows, and users who copy the command should know this.
  expect(commands.find((command) => command.includes(" evaluate "))).toMatch(/ # all rows, including the training rows$/);
  for (const command of commands) {
    const less = command
      .replace(/ #.*/, "")
      .replace(/--epochs \d+/, "--epochs 1")
      .replace("--out mine.safetensors", `--out ${file("mine.safetensors")}`)
      .replace(/( measure .*)$/, "$1 --seconds 0.02 --warmup 0")
      .replace(/ rules$/, " rules adam");
    if (!isSlow) {
      const [program, ...words] = less.trim().split(" ");
      expect([program, (await works(...words)).stdout]).toEqual(["ergodic", expect.stringMatching(/./)]);
      continue;
    }
    const outcome = spawnSync("sh", ["-c", command], { cwd: folder, encoding: "utf8" });
    expect(outcome.status, `${command}\n${outcome.stderr}`).toBe(0);
    expect(outcome.stdout).not.toBe("");
  }
});
