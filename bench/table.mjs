/**
 * The table of docs/benchmarks.md: a row per comparison, between two marker comments. Rows of benchmarks that did not
 * run stay as they are, so that the table can be made in several runs. A row is a list of cells.
 */
export const BEGIN = "<!-- The rows below are written by npm run bench -- NAME … --table. -->";
export const END = "<!-- End of the table. -->";
const HEADER = ["benchmark", "measured", "ours", "peer", "theirs", "ratio", "goal", "day", "machine"];

export const short = (/** @type {number} */ value) =>
  Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);

/**
 * Returns the rows of a result of measure.mjs.
 *
 * @param {{ name: string, measures: string, metric: string }} benchCase
 * @param {{ ours: { value: number }, peers: { name: string, value: number, ratio: number, passed: boolean, goal?: number }[] }} result
 * @param {{ date: string, machine: string }} run
 */
export function rowsOf({ name, measures, metric }, { ours, peers }, { date, machine }) {
  return peers.map((peer) => {
    const ratio = peer.passed ? peer.ratio.toFixed(2) : "none: our answer is worse";
    const figures = [`${short(ours.value)} ${metric}`, peer.name, `${short(peer.value)} ${metric}`, ratio, peer.goal ?? ""];
    return [`\`${name}\``, measures, ...figures, date, machine].map((cell) => String(cell).replaceAll("|", "\\|"));
  });
}

/** Returns the name of the benchmark that a row belongs to. */
export const benchOf = (/** @type {readonly string[]} */ [name]) => name.replaceAll("`", "");

/** Splits a page into the text before the table, the rows, and the text after it. */
export function partsOf(/** @type {string} */ page) {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`the page lacks the markers "${BEGIN}" and "${END}"`);
  const lines = page.slice(from, to).split("\n");
  const cells = (/** @type {string} */ line) => line.split(/(?<!\\)\|/).slice(1, -1);
  const rows = lines.filter((line) => line.startsWith("| `")).map((line) => cells(line).map((cell) => cell.trim()));
  return { before: page.slice(0, from), rows, after: page.slice(to + END.length) };
}

/**
 * Returns the page with `rows`, by benchmark, instead of the former rows of these benchmarks. `order`: all names.
 *
 * @param {string} page
 * @param {ReadonlyMap<string, string[][]>} rows
 * @param {readonly string[]} order
 */
export function withRows(page, rows, order) {
  const { before, rows: former, after } = partsOf(page);
  const all = [HEADER, ...order.flatMap((name) => rows.get(name) ?? former.filter((row) => benchOf(row) === name))];
  // Columns are padded, as the formatter demands.
  const widths = HEADER.map((_, k) => Math.max(...all.map((row) => row[k].length)));
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.map((cell, k) => cell.padEnd(widths[k])).join(" | ")} |`;
  const [header, ...others] = all.map(line);
  const rule = line(widths.map((width) => "-".repeat(width)));
  return `${before}${BEGIN}\n\n${[header, rule, ...others].join("\n")}\n\n${END}${after}`;
}
