/** RAPL counters in a directory tree like that of Linux: the zones that count, and counters that wrap. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { measure } from "../../../src/entries/everything.ts";
import { openRapl } from "../../../src/predict/measure/rapl.ts";

const root = mkdtempSync(join(tmpdir(), "ergodic-rapl-"));
afterAll(() => rmSync(root, { recursive: true }));
let trees = 0;

/** zone → name, counter, range. */
function tree(zones: Record<string, readonly [name: string, energy: number | string, range?: number]>): string {
  const folder = join(root, String(trees++));
  mkdirSync(join(folder, "intel-rapl"), { recursive: true });
  for (const [zone, [name, energy, range = 1_000_000]] of Object.entries(zones)) {
    mkdirSync(join(folder, zone));
    writeFileSync(join(folder, zone, "name"), `${name}\n`);
    writeFileSync(join(folder, zone, "energy_uj"), `${energy}\n`);
    writeFileSync(join(folder, zone, "max_energy_range_uj"), `${range}\n`);
  }
  return folder;
}
const set = (folder: string, zone: string, energy: number): void => writeFileSync(join(folder, zone, "energy_uj"), `${energy}\n`);

function opened(folder: string) {
  const meter = openRapl(folder);
  if (typeof meter === "string") throw new Error(meter);
  return meter;
}

describe("RAPL counters", () => {
  it("sums packages, without their subdomains, psys, and duplicate packages", () => {
    const folder = tree({
      "intel-rapl-mmio:0": ["package-0", 5],
      "intel-rapl:0": ["package-0", 100],
      "intel-rapl:0:0": ["core", 100],
      "intel-rapl:0:1": ["dram", 100],
      "intel-rapl:0:2": ["package-7", 100],
      "intel-rapl:1": ["package-1-die-0", 100],
      "intel-rapl:2": ["psys", 100],
    });
    const meter = opened(folder);
    expect(meter.zones).toEqual(["package-0", "package-1-die-0"]);
    for (const zone of ["intel-rapl-mmio:0", "intel-rapl:0", "intel-rapl:1"]) set(folder, zone, 300_100);
    for (const zone of ["intel-rapl:0:0", "intel-rapl:0:1", "intel-rapl:2"]) set(folder, zone, 900_100);
    expect(meter.joules()).toBeCloseTo(0.6, 3);
    expect(meter.joules()).toBeCloseTo(0.6, 3);
  });

  it("reads only psys if there is no package", () => {
    const folder = tree({ "intel-rapl:0": ["psys", 0], "intel-rapl:0:0": ["core", 0], "dtpm:0": ["other", 0] });
    const meter = opened(folder);
    expect(meter.zones).toEqual(["psys"]);
    set(folder, "intel-rapl:0", 250_000);
    set(folder, "intel-rapl:0:0", 100_000);
    expect(meter.joules()).toBe(0.25);
  });

  it("handles counters that wrap between readings", () => {
    const folder = tree({ "intel-rapl:0": ["package-0", 900_000, 1_000_000] });
    const meter = opened(folder);
    set(folder, "intel-rapl:0", 100_000);
    expect(meter.joules()).toBeCloseTo(0.2, 12);
    set(folder, "intel-rapl:0", 800_000);
    expect(meter.joules()).toBeCloseTo(0.9, 12);
    set(folder, "intel-rapl:0", 700_000);
    expect(meter.joules()).toBeCloseTo(1.8, 12);
  });

  it("explains why there is no counter", () => {
    expect(openRapl(join(root, "absent"))).toBe(`${join(root, "absent")} cannot be read: no such file or folder`);
    const empty = tree({ "intel-rapl:0:0": ["core", 1] });
    expect(openRapl(empty)).toBe(`${empty} has neither a package nor psys`);
    const damaged = tree({ "intel-rapl:0": ["package-0", "many"] });
    expect(openRapl(damaged)).toBe(`${damaged} cannot be read: intel-rapl:0/energy_uj does not hold a number`);
  });
});

describe("energy measurement", () => {
  const options = { seconds: 1e-9, queries: 50, warmup: 0 };

  it("reports the counters without the warm-up", async () => {
    const folder = tree({ "intel-rapl:0": ["package-0", 999_000, 1_000_000] });
    let calls = 0;
    const model = { predict: () => set(folder, "intel-rapl:0", (999_000 + 100 * Math.max(0, ++calls - 2)) % 1_000_000) };
    const { energy } = await measure(model, [[1]], { ...options, powercap: folder });
    expect(energy).toEqual({ source: "measured", zones: ["package-0"], joules: 0.005, perRow: 0.0001 });
  });

  it("has no energy model for a plain function, and reports it", async () => {
    const found = await measure(() => 1, [[1]], { ...options, powercap: "/nowhere" });
    expect(found).toMatchObject({ bytes: null, ledger: null, energy: { source: "unknown" } });
    expect(found.energy).toMatchObject({ why: expect.stringContaining("the operations of the measured function are unknown") });
  });
});
