/**
 * Every flag of `ergodic serve` sets the option of the same name in the server's unit, and absent flags set nothing.
 */
import { writeFileSync } from "node:fs";
import { beforeEach, expect, it, vi } from "vitest";
import { runCommandLine } from "../src/command-line.ts";
import { captured, temporary } from "./captured.ts";

const { taken } = vi.hoisted(() => ({ taken: [] as Record<string, unknown>[] }));
vi.mock("@ergodic/serve", () => ({
  openLearner: undefined,
  serve: (options: Record<string, unknown>) => {
    taken.push(options);
    return Promise.resolve({ url: "http://127.0.0.1:1", close: () => Promise.resolve() });
  },
}));
beforeEach(() => void taken.splice(0));
const path = temporary();

/** Options passed to the server for these arguments, without the log destination. */
async function asked(...args: string[]): Promise<Record<string, unknown>> {
  const terminal = captured();
  const code = runCommandLine(["serve", "m.safetensors", ...args], terminal);
  await expect.poll(() => terminal.stdout + terminal.stderr).not.toBe("");
  terminal.interrupt();
  expect([await code, terminal.stderr]).toEqual([0, ""]);
  const [{ logTo, ...options }] = taken;
  expect(logTo).toMatchObject({ write: expect.any(Function) });
  return options;
}

it("leaves the server's defaults without any flags", async () => {
  expect(await asked()).toEqual({ models: ["m.safetensors"] });
});

it("passes all flags to the server", async () => {
  writeFileSync(path("tokens"), "# of the tests\n\n  0123456789abcdef  \r\nfedcba9876543210\n");
  writeFileSync(path("cert"), "the certificate");
  writeFileSync(path("key"), "its key");
  const flags = [
    ["n.safetensors", "--port", "81", "--host", "::1"],
    ["--max-batch", "32", "--max-delay", "2ms", "--target-p99", "10ms", "--max-queue", "500", "--deadline", "3s"],
    ["--workers", "4", "--versions", "5", "--poll", "6s", "--control"],
    ["--join", "a,b", "--apart", " c", "--unknown", "refuse"],
    ["--token-file", path("tokens"), "--tls-cert", path("cert"), "--tls-key", path("key")],
    ["--cors", "https://a.example, https://b.example", "--max-body", "7K", "--max-connections", "8"],
    ["--max-json", "3K", "--max-held", "9K"],
    ["--request-time", "9s", "--drain", "1m", "--log", "requests"],
  ];
  expect(await asked(...flags.flat())).toEqual({
    models: ["m.safetensors", "n.safetensors"],
    ...{ port: 81, host: "::1" },
    ...{ maxBatch: 32, maxDelayMs: 2, targetP99Ms: 10, maxQueueRows: 500, deadlineMs: 3000 },
    ...{ workers: 4, versions: 5, pollMs: 6000, control: true },
    join: { a: true, b: true, c: false },
    unknown: "refuse",
    ...{ tokens: ["0123456789abcdef", "fedcba9876543210"], tls: { cert: "the certificate", key: "its key" } },
    ...{ cors: ["https://a.example", "https://b.example"], maxBodyBytes: 7 * 1024, maxConnections: 8 },
    ...{ maxJsonBytes: 3 * 1024, maxHeldBytes: 9 * 1024 },
    ...{ requestMs: 9000, drainMs: 60_000, log: "requests" },
  });
});

it("--no-control and --poll 0 disable these functions", async () => {
  expect(await asked("--no-control", "--poll", "0")).toEqual({ models: ["m.safetensors"], control: false, pollMs: Infinity });
});

it("refuses a model in both --join and --apart", async () => {
  const terminal = captured();
  expect(await runCommandLine(["serve", "m.onnx", "--join", "a,b", "--apart", "b"], terminal)).toBe(2);
  expect(terminal.stderr).toContain("b is in both --join and --apart; leave it out of one");
});
