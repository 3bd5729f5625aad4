/** `ergodic serve`: its options, the server until it is interrupted, and its process. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Dataset, fit, linear } from "ergodic";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommandLine } from "../src/command-line.ts";
import { captured, ergodic, temporary } from "./captured.ts";

const path = temporary();
const model = path("line.safetensors");
const token = "0123456789abcdef";

beforeAll(async () => {
  const x = [[1], [2], [3], [4]];
  const line = await fit(linear({ loss: "squared" }), Dataset.fromArrays({ x, y: [2, 4, 6, 8], names: ["a"] }), {
    epochs: 50,
    seed: 1,
  });
  await line.save(model);
  writeFileSync(path("tokens"), `# of the tests\n${token}\n`);
});

/** Runs the command until it prints its address. `end` interrupts it and returns its exit code. */
async function served(...args: string[]) {
  const terminal = captured();
  const code = runCommandLine(["serve", ...args, "--port", "0"], terminal);
  while (terminal.stdout === "") {
    if (terminal.stderr.includes("ergodic:")) throw new Error(terminal.stderr);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return {
    url: terminal.stdout.trim(),
    terminal,
    end: () => {
      terminal.interrupt();
      return code;
    },
  };
}

it("serves a file until it is interrupted", async () => {
  const { url, end, terminal } = await served(model, "--log", "requests");
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  const response = await fetch(`${url}/v2/models/line/rows`, { method: "POST", body: '{"rows":[{"a":3}]}' });
  const { predictions } = (await response.json()) as { predictions: { value: number }[] };
  expect(predictions[0].value).toBeCloseTo(6, 0);
  expect(await end()).toBe(0);
  await expect(fetch(`${url}/v2`)).rejects.toThrow();
  const lines = terminal.stderr
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map(({ message }) => message)).toEqual(["loaded", "serves", "answered", "ends", "ended"]);
  expect(lines[2]).toMatchObject({
    level: "info",
    method: "POST",
    url: "/v2/models/line/rows",
    status: 200,
    request: expect.any(String),
  });
});

it("learns from requests with --learn, and continues with what it has learnt after a restart", async () => {
  const ask = async (url: string, route: string, body: object) => {
    const response = await fetch(`${url}/v2/models/line/${route}`, { method: "POST", body: JSON.stringify(body) });
    return { status: response.status, json: (await response.json()) as { version: number; predictions: { value: number }[] } };
  };
  const args = [model, "--learn", path("learnt")];
  const first = await served(...args);
  const before = (await ask(first.url, "rows", { rows: [{ a: 3 }] })).json.predictions[0].value;
  const learnt = await ask(first.url, "learn", { rows: [{ a: 3 }], targets: [50] });
  expect([learnt.status, learnt.json.version]).toEqual([200, 1]);
  const after = (await ask(first.url, "rows", { rows: [{ a: 3 }] })).json.predictions[0].value;
  expect(after).toBeGreaterThan(before);
  // Another server may not learn in the same folder.
  const second = await ergodic("serve", ...args, "--port", "0");
  expect([second.code, second.stderr]).toEqual([1, expect.stringMatching(/FOLDER_LOCKED/)]);
  expect(await first.end()).toBe(0);
  const again = await served(...args);
  expect((await ask(again.url, "rows", { rows: [{ a: 3 }] })).json.predictions[0].value).toBe(after);
  expect(await again.end()).toBe(0);
  const twice = await ergodic("serve", model, path("models/../line.safetensors"), "--learn", path("other"));
  expect([twice.code, twice.stderr]).toEqual([2, expect.stringMatching(/are both called line; rename one of the files/)]);
});

it("serves folders, requires a token and can let clients unload models", async () => {
  mkdirSync(path("models"));
  const { url, end } = await served(path("models"), model, "--token-file", path("tokens"));
  const headers = { authorization: `Bearer ${token}` };
  expect((await fetch(`${url}/v2/models/line`)).status).toBe(401);
  expect((await fetch(`${url}/v2/models/line`, { headers })).status).toBe(200);
  expect((await fetch(`${url}/v2/repository/models/line/unload`, { method: "POST", headers })).status).toBe(200);
  expect((await fetch(`${url}/v2/models/line`, { headers })).status).toBe(404);
  expect(await end()).toBe(0);
});

describe("refusals, with exit code 2 for faults of the command line", () => {
  it.each<[string, string[], number, RegExp]>([
    ["no model", [], 2, /missing required argument 'MODELS'/],
    ["a model that is not there", ["none.safetensors"], 1, /none\.safetensors: cannot be read/],
    ["a file that is no model", [fileURLToPath(import.meta.url)], 1, /is not a model; give a file that ends in \.safetensors or/],
    [
      "a folder to learn",
      [path("."), "--learn", path("none")],
      2,
      /is a folder, but --learn takes files; name the model: .*NAME\.safetensors/,
    ],
    ["a time without a unit", [model, "--target-p99", "10"], 2, /It must be a time with its unit: 10ms, 2s or 1m/],
    ["a target of 0", [model, "--target-p99", "0"], 2, /--target-p99 is 0, but must be a number > 0/],
    ["a size that is none", [model, "--max-body", "16X"], 2, /It must be a number of bytes: 512, 64K or 16M/],
    ["a certificate without a key", [model, "--tls-cert", "a.pem"], 2, /--tls-key is missing/],
    [
      "a certificate that is not there",
      [model, "--tls-cert", "a.pem", "--tls-key", "b.pem"],
      1,
      /a\.pem: cannot be read .*; give a file in PEM form/,
    ],
    [
      "an origin that is none",
      [model, "--cors", "example.org"],
      2,
      /--cors must name origins such as "https:\/\/example\.org", with commas between them \[OPTION_TYPE\]$/m,
    ],
    [
      "a file to learn in",
      [model, "--learn", model],
      2,
      /--learn: .*line\.safetensors is a file, but must be a folder for .* \[USAGE\]$/m,
    ],
    [
      "a folder to learn in that cannot be made",
      [model, "--learn", `${model}/learnt`],
      1,
      /line: cannot be used as a learner's folder \(it or a folder above it is a file\); give another path \[FOLDER_MAKE\]$/m,
    ],
    ["a port that is none", [model, "--port", "70000"], 2, /It must be a whole number >= 0 and <= 65535/],
  ])("%s", async (_, args, code, said) => {
    const outcome = await ergodic("serve", ...args);
    expect(outcome.stderr).toMatch(said);
    expect(outcome.code).toBe(code);
    expect(outcome.stdout).toBe("");
  });

  it("refuses short tokens and an empty token file", async () => {
    writeFileSync(path("short"), "abc\n");
    writeFileSync(path("empty"), "# nothing\n");
    expect((await ergodic("serve", model, "--token-file", path("short"))).stderr).toMatch(
      /--token-file must hold tokens of 16 or more printable characters, one per line: openssl rand -hex 32 makes one \[OPTION_TYPE\]$/m,
    );
    expect((await ergodic("serve", model, "--token-file", path("nowhere"))).stderr).toMatch(
      /nowhere: cannot be read \(ENOENT.*; write one token per line/,
    );
    expect((await ergodic("serve", model, "--token-file", path("empty"))).stderr).toMatch(/holds no token; write one per line/);
  });

  it("refuses a port that is in use", async () => {
    const { url, end } = await served(model);
    const outcome = await ergodic("serve", model, "--port", new URL(url).port);
    expect(outcome.stderr).toMatch(/cannot listen on .*use another port \[HOST_PORT\]/);
    expect(outcome.code).toBe(1);
    expect(await end()).toBe(0);
  });
});

describe("the server as a process", () => {
  const bin = fileURLToPath(new URL("../bin/ergodic.js", import.meta.url));
  const started = async (): Promise<{ child: ChildProcess; url: string }> => {
    const child = spawn(process.execPath, [bin, "serve", model, "--port", "0", "--drain", "300ms"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [url] = (await once(createInterface(child.stdout!), "line")) as [string];
    return { child, url };
  };

  it("can serve again after kill -9, reports not ready on SIGTERM and then exits with 0", async () => {
    const killed = await started();
    const saved = await (await fetch(`${killed.url}/v2/models/line`)).json();
    const gone = once(killed.child, "exit");
    killed.child.kill("SIGKILL");
    await gone;
    const { child, url } = await started();
    expect(await (await fetch(`${url}/v2/models/line`)).json()).toEqual(saved);
    expect((await fetch(`${url}/v2/health/ready`)).status).toBe(200);
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    let status = 200;
    while (status === 200) status = (await fetch(`${url}/v2/health/ready`)).status;
    expect(status).toBe(503);
    // Requests that arrive while proxies notice the shutdown are still answered.
    const answer = await fetch(`${url}/v2/models/line/rows`, { method: "POST", body: '{"rows":[{"a":3}]}' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("connection")).toBe("close");
    expect(await ended).toEqual([0, null]);
  });
});
