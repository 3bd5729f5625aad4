/** Options that no other test would notice if they were ignored. */
import { readFileSync, writeFileSync } from "node:fs";
import { read } from "@ergodic/ingest";
import { fit, linear, tune } from "ergodic";
import { expect, it, vi } from "vitest";
import { temporary, works } from "./captured.ts";

vi.mock("ergodic", async (original) => {
  const real = await original<typeof import("ergodic")>();
  return { ...real, tune: Object.assign(vi.fn(real.tune), real.tune) };
});

const file = temporary();
const data = file("d.csv");
const line = (i: number): string => `${i % 7},${i % 5},${(i % 7) * 2 + (i % 3)},${i % 4}`;
const table = (separator: string): string =>
  `a,b,y,w\n${Array.from({ length: 80 }, (_, i) => line(i)).join("\n")}\n`.replaceAll(",", separator);
writeFileSync(data, table(","));
const train = (...words: string[]): Promise<{ stdout: string }> =>
  works("train", data, "--target", "y", "--quiet", "--json", ...words);

it("--updates ends a run after the given number of updates", async () => {
  const { run } = JSON.parse((await train("--updates", "7")).stdout);
  expect([run.updates, run.reason]).toEqual([7, expect.stringContaining("update")]);
});

it("--seconds ends a run after the given time", async () => {
  const { run } = JSON.parse((await train("--algorithm", "gradient", "--seconds", "0.1")).stdout);
  expect(run.reason).toMatch(/^time is up/);
  expect(run.seconds).toBeGreaterThanOrEqual(0.1);
  // Far beyond the five epochs of a run without a limit.
  expect(run.epochs).toBeGreaterThan(6);
});

it("--weights uses a column as weights and not as a feature", async () => {
  const out = file("weighted.safetensors");
  const { columnCount } = JSON.parse((await train("--weights", "w", "--epochs", "3", "--deterministic", "--out", out)).stdout);
  expect(columnCount).toBe(2);
  const rows = await read(data, { target: "y", weights: "w" });
  const ours = await fit(linear(), rows, { epochs: 3, deterministic: true, seed: 0 });
  await ours.save(file("ours.safetensors"));
  expect(readFileSync(out).equals(readFileSync(file("ours.safetensors")))).toBe(true);
});

it("--delimiter sets the field separator", async () => {
  const whole = JSON.parse((await train("--epochs", "1")).stdout).columnCount;
  for (const [separator, typed] of [
    ["|", "|"],
    ["\t", "\\t"],
    ["~", "~"],
  ]) {
    writeFileSync(file("other.csv"), table(separator));
    const words = ["--target", "y", "--delimiter", typed, "--epochs", "1", "--quiet", "--json"];
    expect(JSON.parse((await works("train", file("other.csv"), ...words)).stdout).columnCount).toBe(whole);
  }
});

it("tune --concurrency sets the number of simultaneous trials", async () => {
  const words = ["--target", "y", "--over", "l2:0..1", "--trials", "4", "--epochs", "1", "--concurrency", "3", "--quiet"];
  await works("tune", data, ...words);
  expect(vi.mocked(tune).mock.calls.at(-1)![1]).toMatchObject({ trials: 4, concurrency: 3 });
});
