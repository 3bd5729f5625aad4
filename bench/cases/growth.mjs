/**
 * growth: how cost grows with the amount of work. Measures processor time and memory of each family at the middle two
 * of its four sizes (`--long`: at all four), each in a separate process, and compares the exponent between the last two
 * with theory. A family that exceeds theory by more than MARGIN is measured once more; the smaller time counts, and the
 * family is reported if it still exceeds theory. If the number of gradients depends on the data, the exponent is that
 * of the time per gradient. Work of less than a tenth of a second is not judged, because most of it is start-up. `--family TEXT`: only families whose names contain TEXT.
 *
 * At tiny size, a family of each kind does its smallest work in one process, and nothing is compared.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { families } from "../growth/families.mjs";
import { date, machine, median } from "../measure.mjs";
import { isTiny, sized } from "../size.mjs";

const ONE = fileURLToPath(new URL("../growth/one.mjs", import.meta.url));
const MARGIN = 0.2;
const LEAST_MS = 100;
const LONGEST_MS = 120_000;
const TINY_FAMILIES = [
  ...["descent, rows", "coordinate, columns", "sampling, rows", "summary", "network, depth", "prediction, rows"],
  ...["ratings, rank", "model, loaded", "LIBSVM, rows"],
];
const sizesOf = (sizes) => sized(sizes.slice(1, 3), sizes.slice(0, 1), sizes);

/** Returns undefined if the work took too long. */
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
    gradients: all[0].gradients,
  };
}

/** Returns points at all sizes, or only at the sizes before one that took too long. */
async function pointsOf(name, sizes, rounds) {
  const points = [];
  for (const size of sizes) {
    // Lets signals be handled in between.
    await new Promise((resolve) => setImmediate(resolve));
    const point = measured(name, size, rounds);
    if (!point) break;
    points.push(point);
  }
  return points;
}

/** Returns d log y / d log size between the last two points. */
export function exponent(points, of) {
  const [a, b] = points.slice(-2);
  return Math.log(of(b) / of(a)) / Math.log(b.size / a.size);
}

const timePerGradient = ({ milliseconds, gradients = 1 }) => milliseconds / gradients;

/** Whether times grow faster than theory predicts, by more than MARGIN. */
export function exceeds(points, theory) {
  return points.length > 1 && points.at(-1).milliseconds > LEAST_MS && exponent(points, timePerGradient) > theory + MARGIN;
}

/** Returns the smaller time of each point, measured twice. */
export const lesser = (points, again) =>
  points.map((point) => {
    const other = again.find(({ size }) => size === point.size);
    return other && other.milliseconds < point.milliseconds ? other : point;
  });

/** The report at tiny size: processor milliseconds of all work. */
function reportTiny({ json, print }) {
  const given = TINY_FAMILIES.flatMap((name) => [name, String(sizesOf(families[name].sizes)[0])]);
  const { status, stdout, stderr } = spawnSync(process.execPath, [ONE, ...given], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  const lines = stdout
    .trim()
    .split("\n")
    .map((text) => JSON.parse(text));
  const ours = lines.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  if (json) print(JSON.stringify({ bench: "growth", metric: "ms of processor time", ours, size: "tiny", machine, date }));
  else print(`growth: ${lines.length} families, ${ours.toFixed(0)} ms of processor time\n  ${machine}, ${date}`);
  return lines.length === TINY_FAMILIES.length;
}

const row = (cells, widths) => `  ${cells.map((cell, k) => String(cell).padStart(widths[k])).join("  ")}`;

export default {
  name: "growth",
  measures: "processor time and memory of every family at two sizes (--long: four), and their exponents next to theory's",
  /** One round, because all families take minutes. */
  rounds: 1,
  /** Replaces the comparison: prints the measurements and returns whether nothing grows faster than it should. */
  async report({ json, rounds, family = "", print, say }) {
    if (isTiny()) return reportTiny({ json, print });
    const chosen = Object.entries(families).filter(([name]) => name.includes(family));
    if (chosen.length === 0)
      throw new Error(`no family has "${family}" in its name; there are ${Object.keys(families).join("; ")}`);
    const wrong = [];
    const widths = [32, 10, 11, 9, 8, 8];
    if (!json) {
      print(`growth: ${machine}, ${date}`);
      print(row(["family", "size", "ms", "MiB", "exponent", "theory"], widths));
    }
    for (const [name, { theory, sizes: all }] of chosen) {
      const sizes = sizesOf(all);
      say(`growth: ${name}`);
      let points = await pointsOf(name, sizes, rounds);
      if (exceeds(points, theory))
        points = lesser(points, await pointsOf(name, sizes.slice(points.length - 2, points.length), rounds));
      if (points.length < sizes.length) wrong.push(`${name} (${sizes[points.length]} took more than ${LONGEST_MS / 1000} s)`);
      if (points.length < 2) continue;
      const grows = exponent(points, timePerGradient);
      const above = exceeds(points, theory);
      if (above) wrong.push(`${name} (${grows.toFixed(2)} for ${theory})`);
      if (json)
        print(JSON.stringify({ bench: "growth", family: name, points, exponent: grows, theory, exceeds: above, machine, date }));
      else
        for (const [k, { size, milliseconds, mebibytes }] of points.entries()) {
          const end = k === points.length - 1 ? [grows.toFixed(2), `${theory}${above ? " !" : ""}`] : ["", ""];
          print(row([k === 0 ? name : "", size, milliseconds.toFixed(0), mebibytes.toFixed(0), ...end], widths));
        }
    }
    if (wrong.length > 0) say(`growth: faster than it should by more than ${MARGIN}: ${wrong.join("; ")}`);
    return wrong.length === 0;
  },
};
