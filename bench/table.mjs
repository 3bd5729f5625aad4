/**
 * The table of docs/benchmarks.md: a row per comparison, between two marker comments. Rows of benchmarks that did not
 * run stay as they are, so that the table can be made in several runs.
 */
export const BEGIN = "<!-- The rows below are written by npm run bench -- NAME … --table. -->";
export const END = "<!-- End of the table. -->";
const HEADER = ["benchmark", "measured", "ours", "peer", "theirs", "ratio", "goal", "day", "machine"];

const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;

export const short = (value) => (Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : value.toPrecision(3));

/** Returns the rows of a result of measure.mjs. */
export function rowsOf({ name, measures, metric }, { ours, peers }, { date, machine }) {
  return peers.map((peer) => {
    const ratio = peer.passed ? peer.ratio.toFixed(2) : "none: our answer is worse";
    const figures = [`${short(ours.value)} ${metric}`, peer.name, `${short(peer.value)} ${metric}`, ratio, peer.goal ?? ""];
    return line([`\`${name}\``, measures, ...figures, date, machine]);
  });
}

/** Returns the name of the benchmark that a row belongs to. */
export const benchOf = (row) => /^\| `([^`]+)` \|/.exec(row)?.[1];

/** Splits a page into the text before the rows, the rows, and the text after them. */
export function partsOf(page) {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`the page lacks the markers "${BEGIN}" and "${END}"`);
  const rows = page
    .slice(from + BEGIN.length, to)
    .split("\n")
    .filter((text) => benchOf(text) !== undefined);
  return { before: page.slice(0, from), rows, after: page.slice(to + END.length) };
}

/** Returns the page with `rows`, by benchmark, instead of the former rows of these benchmarks. `order`: all names. */
export function withRows(page, rows, order) {
  const { before, rows: former, after } = partsOf(page);
  const all = order.flatMap((name) => rows.get(name) ?? former.filter((row) => benchOf(row) === name));
  const table = [line(HEADER), line(HEADER.map(() => "---")), ...all];
  return `${before}${BEGIN}\n\n${table.join("\n")}\n\n${END}${after}`;
}
