/** The command as a separate process: signals, pipes, and the demo with its recommended commands. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import module from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { isSlow } from "../../ergodic/test/power.ts";
import { digits, temporary } from "./captured.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const file = temporary();
const folder = dirname(file("x"));
const bytes = (path: string): string => readFileSync(path).toString("hex");
const run = (...args: string[]) => spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: "utf8" });

// The build does nothing if the sources have not changed.
beforeAll(() => void execFileSync(process.execPath, ["scripts/build.mjs"], { cwd: root, stdio: "pipe" }), 300_000);

const long = ["train", digits, "--target", "label", "--classes", "--epochs", "300", "--rule", "adam:rate=0.001", "--seed", "2"];

function started(...args: string[]): { child: ChildProcess; stderr: () => string; ended: Promise<number | null> } {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
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

const straight = new Map<string, string>();
/** Bytes of the long run's model without interruption. */
function uninterrupted(...mode: string[]): string {
  const name = `${["straight", ...mode].join("")}.safetensors`;
  if (!straight.has(name)) {
    expect(run(...long, ...mode, "--out", name).status).toBe(0);
    straight.set(name, bytes(file(name)));
  }
  return straight.get(name)!;
}

it("starts from the file that npm links and uses Node's compile cache if available", () => {
  const linked = fileURLToPath(new URL("../bin/ergodic.js", import.meta.url));
  const env = { ...process.env, NODE_COMPILE_CACHE: undefined, TMPDIR: folder };
  const { stdout, stderr } = spawnSync(process.execPath, [linked, "--version"], { cwd: folder, encoding: "utf8", env });
  expect([stdout, stderr]).toEqual(["0.1.0\n", ""]);
  const kept = readdirSync(folder).filter((name) => name.startsWith("node-compile-cache"));
  expect(kept).toHaveLength("enableCompileCache" in module ? 1 : 0);
});

it("Ctrl-C exits with 1, saves a checkpoint and prints a command that resumes to the same model", async () => {
  const { child, stderr, ended } = started(...long, "--out", "joined.safetensors");
  await until(() => /\n +[\d,]{5,} /.test(stderr()));
  child.kill("SIGINT");
  expect(await ended).toBe(1);
  const command = /resume it with: (.*) \[INTERRUPTED\]\n$/.exec(stderr())?.[1];
  expect(command).toMatch(/--resume joined\.checkpoint$/);
  expect(spawnSync("sh", ["-c", command!], { cwd: folder }).status).toBe(0);
  expect(bytes(file("joined.safetensors"))).toBe(uninterrupted());
});

it("a checkpoint written before kill -9 resumes bit for bit", async () => {
  // resume.test.ts also shows that a deterministic run resumes bit for bit.
  for (const mode of isSlow ? [[], ["--deterministic"]] : [[]]) {
    const name = mode.length > 0 ? "deterministic" : "normal";
    const { child, ended } = started(...long, ...mode, "--checkpoint", `${name}.checkpoint`, "--checkpoint-every", "0.05");
    await until(() => existsSync(file(`${name}.checkpoint`)));
    child.kill("SIGKILL");
    expect(await ended).toBeNull();
    expect(
      run(
        "train",
        digits,
        "--target",
        "label",
        "--classes",
        "--resume",
        `${name}.checkpoint`,
        "--out",
        `${name}-joined.safetensors`,
      ).status,
    ).toBe(0);
    expect(bytes(file(`${name}-joined.safetensors`))).toBe(uninterrupted(...mode));
  }
});

describe.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s", (signal) => {
  /** A process that listens for signals like a working command. Its outcome is its exit code or its signal. */
  function listening(then: string) {
    const script = `import { processTerminal } from ${JSON.stringify(new URL("../dist/command-line.js", import.meta.url).href)};
      const takeBack = processTerminal().onInterrupt(() => console.error("heard"));
      ${then}
      setInterval(() => {}, 1000);
      console.error("ready");`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (chunk) => (stderr += String(chunk)));
    const ended = new Promise((resolve) => child.on("close", (code, by) => resolve(by ?? code)));
    return { child, stderr: () => stderr, ended };
  }

  it("is handled once, and a second signal ends the process immediately", async () => {
    const { child, stderr, ended } = listening("");
    await until(() => stderr().includes("ready"));
    child.kill(signal);
    await until(() => stderr().includes("heard"));
    child.kill(signal);
    expect(await ended).toBe(1);
    expect(stderr().match(/heard/g)).toHaveLength(1);
  });

  it("ends a process that no longer listens in the default way", async () => {
    const { child, stderr, ended } = listening("takeBack();");
    await until(() => stderr().includes("ready"));
    let how: unknown = "still there";
    void ended.then((by) => (how = by));
    child.kill(signal);
    await until(() => how !== "still there" || stderr().includes("heard"));
    child.kill("SIGKILL");
    expect([how, stderr()]).toEqual([signal, "ready\n"]);
  });
});

it("writes no ANSI codes to a pipe, and stops quietly if the reader stops", () => {
  run(...long.slice(0, 6), "1", "--out", "piped.safetensors");
  for (const args of [
    ["describe", "piped.safetensors"],
    ["evaluate", "piped.safetensors", digits],
    ["rules", "adam"],
    [...long.slice(0, 6), "1"],
    ["fly"],
    [],
  ]) {
    const { stdout, stderr } = run(...args);
    expect(stdout + stderr).not.toContain("\x1b");
    expect((stdout + stderr).length).toBeGreaterThan(0);
  }
  const piped = spawnSync("sh", ["-c", `"${process.execPath}" "${main}" predict piped.safetensors "${digits}" | head -n 2`], {
    cwd: folder,
    encoding: "utf8",
  });
  expect(piped.stdout.split("\n")[0]).toMatch(/^prediction,p_0/);
  expect(piped.stderr).toBe("");
});

it("reads standard input", () => {
  const input = readFileSync(digits);
  const train = spawnSync(
    process.execPath,
    [main, "train", "-", "--target", "label", "--classes", "--epochs", "1", "--out", "stdin.safetensors"],
    {
      cwd: folder,
      input,
    },
  );
  expect(train.status).toBe(0);
  const predict = spawnSync(process.execPath, [main, "predict", "stdin.safetensors", "-"], {
    cwd: folder,
    input,
    encoding: "utf8",
  });
  expect(predict.stdout.split("\n")).toHaveLength(1799);
});

it("the demo prints its tables, pictures and measurements, and five commands that work as printed", () => {
  const { status, stdout, stderr } = run("demo");
  expect(stderr).toBe("");
  expect(status).toBe(0);
  for (const rule of ["sgd", "momentum", "adagrad", "adam", "stochasticLineSearch"]) {
    expect(stdout).toMatch(new RegExp(`^ {2}${rule} +(\\S+) +20 +[\\d.]+ s +9\\d\\.\\d % +[048]$`, "m"));
  }
  expect(Number(/adagrad, 2000 random features.* ([\d.]+) %/.exec(stdout)?.[1])).toBeGreaterThan(98);
  expect(Number(/adam, a convolutional network +0\.001 +20 +\S+ s +([\d.]+) %/.exec(stdout)?.[1])).toBeGreaterThan(98.5);
  for (const rule of ["sgd", "adagrad", "rmsprop", "adam"])
    expect(stdout).toMatch(new RegExp(`^ {2}${rule} +[\\d.]+ +\\d\\.\\d{3}( +-?[\\d.]+ %){3}$`, "m"));
  expect(stdout).toMatch(/^ {2}polyak, exact f\*( +\S+){2} .* < 1e-9$/m);
  expect(stdout).toMatch(/^ {2}batch +updates +seconds +rows\/s +test accuracy$/m);
  expect(stdout).toMatch(/^ {2}256 +120 /m);
  expect(stdout).toMatch(/^ {2}1 worker +86,280 /m);
  expect(stdout).toMatch(/█/);
  expect(stdout).toMatch(/✓ \d, [\d.]+ %/);
  expect(stdout).toMatch(/\d+ of 359 right, \d+ mistakes?\./);
  expect(stdout).toMatch(
    /One at a time: 90 % within [\d.]+ ms; all at once: [\d.]+ k per second; [\d.]+ [nµm]J each, (modelled|measured)\./,
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
    // `npm test` runs a cheaper version of the command. test:slow runs the full command.
    const less = command
      .replace(/--epochs \d+/, "--epochs 1")
      .replace(/( measure .*)$/, "$1 --seconds 0.1")
      .replace(/ rules$/, " rules --quick");
    const tried = isSlow ? command : less;
    const outcome = spawnSync("sh", ["-c", tried], { cwd: folder, encoding: "utf8" });
    expect(outcome.status, `${command}\n${outcome.stderr}`).toBe(0);
    expect(outcome.stdout).not.toBe("");
  }
});
