/**
 * growth: how cost grows with the work: processor time and memory of each family at four sizes, each in a process of its own, and the exponent between the last two,
 * next to that of theory. Compared with nothing but theory: a family that exceeds it by more than MARGIN is named. Work of less than a tenth of a second says
 * nothing of growth: start-up is most of it.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { families } from "../growth/families.mjs";
import { median } from "../measure.mjs";

const ONE = fileURLToPath(new URL("../growth/one.mjs", import.meta.url));
const MARGIN = 0.2;
const LEAST_MS = 100;
const LONGEST_MS = 120_000;

/** Undefined where it took too long. */
function measured(name, size, rounds) {
  const all = [];
  for (let round = 0; round < rounds; round++) {
    const child = spawnSync(process.execPath, [ONE, name, String(size)], { timeout: LONGEST_MS, encoding: "utf8" });
    if (child.error?.code === "ETIMEDOUT") return undefined;
    if (child.status !== 0) throw new Error(`${name} of ${size} failed\n${child.stderr}`);
    all.push(JSON.parse(child.stdout));
  }
  return {
    size,
    milliseconds: median(all.map(({ milliseconds }) => milliseconds)),
    mebibytes: median(all.map(({ mebibytes }) => mebibytes)),
  };
}

/** d log y / d log size between the last two; NaN where the work is too short to say. */
function exponent(points, of) {
  const [a, b] = points.slice(-2);
  return Math.log(of(b) / of(a)) / Math.log(b.size / a.size);
}

const row = (cells, widths) => `  ${cells.map((cell, k) => String(cell).padStart(widths[k])).join("  ")}`;

export default {
  name: "growth",
  measures: "processor time and memory of every family at four sizes, and their exponents next to theory's",
  /** In place of a comparison: prints what was measured, and returns whether nothing grows faster than it should. */
  report({ json, rounds, print, say }) {
    const wrong = [];
    const widths = [24, 10, 11, 9, 8, 8];
    if (!json) print(row(["family", "size", "ms", "MiB", "exponent", "theory"], widths));
    for (const [name, { theory, sizes }] of Object.entries(families)) {
      say(`growth: ${name}`);
      const points = [];
      for (const size of sizes) {
        const point = measured(name, size, rounds);
        if (point) points.push(point);
        else {
          wrong.push(`${name} (${size} took more than ${LONGEST_MS / 1000} s)`);
          break;
        }
      }
      if (points.length < 2) continue;
      const [, last] = points.slice(-2);
      const grows = exponent(points, ({ milliseconds }) => milliseconds);
      const exceeds = last.milliseconds > LEAST_MS && grows > theory + MARGIN;
      if (exceeds) wrong.push(`${name} (${grows.toFixed(2)} for ${theory})`);
      if (json) print(JSON.stringify({ bench: "growth", family: name, points, exponent: grows, theory, exceeds }));
      else
        for (const [k, { size, milliseconds, mebibytes }] of points.entries()) {
          const end = k === points.length - 1 ? [grows.toFixed(2), `${theory}${exceeds ? " !" : ""}`] : ["", ""];
          print(row([k === 0 ? name : "", size, milliseconds.toFixed(0), mebibytes.toFixed(0), ...end], widths));
        }
    }
    if (wrong.length > 0) say(`growth: faster than it should by more than ${MARGIN}: ${wrong.join("; ")}`);
    return wrong.length === 0;
  },
};
