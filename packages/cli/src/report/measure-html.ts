/** Formats measurements as one self-contained HTML file. */
import type { Measurement } from "ergodic";
import { aboutModel, energyText, latencyName, latencyOf, ledgerTable, measureTable, milliseconds } from "./measure.ts";
import { json, short } from "./numbers.ts";
import { logScale } from "./scatter.ts";

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, (sign) => escapes[sign]);

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}" +
  "table{border-collapse:collapse;margin:1rem 0}th,td{padding:.2rem .8rem;text-align:right;border-bottom:1px solid #ddd}" +
  "th{font-weight:600}td:first-child,th:first-child{text-align:left}svg{width:100%;height:auto}text{font:12px system-ui,sans-serif}";

/** `summary`: the output of --json, included in the file for programs. */
export function measureHtml(title: string, found: readonly Measurement[], summary: object): string {
  const { energy, ledger } = found[0];
  const parts = [
    `<h1>${escaped(title)}</h1>`,
    tableOf(...measureTable(found)),
    ...found.filter(({ why }) => why !== null).map(({ batch, why }) => `<p>Batch ${batch} is not valid: ${escaped(why!)}.</p>`),
    ...(found.length > 1 ? [picture(found)] : []),
    ...aboutModel(found).map(([name, value]) => `<p>${escaped(name)}: ${escaped(value)}</p>`),
    `<p>${escaped(energyText(energy))}</p>`,
    ...(ledger ? [tableOf(...ledgerTable(ledger))] : []),
    `<script type="application/json" id="measurements">${json(summary).replaceAll("<", "\\u003c")}</script>`,
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title>
<style>${STYLE}</style></head><body>
${parts.join("\n")}
</body></html>
`;
}

function tableOf(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join("")}</tr>`;
  return `<table>\n${[line(header, "th"), ...rows.map((row) => line(row, "td"))].join("\n")}\n</table>`;
}

const [WIDTH, HEIGHT, LEFT, BELOW] = [720, 360, 70, 40];

/** Draws throughput against latency, with one point per batch size. */
function picture(found: readonly Measurement[]): string {
  const [xs, ys] = [found.map(latencyOf), found.map(({ rowsPerSecond }) => rowsPerSecond)];
  const [scaleX, scaleY] = [logScale(xs), logScale(ys)];
  const x = (value: number): number => LEFT + 20 + scaleX(value) * (WIDTH - LEFT - 60);
  const y = (value: number): number => 20 + (1 - scaleY(value)) * (HEIGHT - BELOW - 40);
  const at = (px: number, py: number): string => `x="${px.toFixed(1)}" y="${py.toFixed(1)}"`;
  const points = found.map((one, i) => {
    const [px, py] = [x(xs[i]), y(ys[i])];
    return `<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="4" fill="#0b5fa5"/><text ${at(px + 7, py - 6)}>${one.batch}</text>`;
  });
  const line = found.map((_, i) => `${x(xs[i]).toFixed(1)},${y(ys[i]).toFixed(1)}`).join(" ");
  const labels = [Math.min, Math.max].flatMap((end) => [
    `<text ${at(x(end(...xs)), HEIGHT - BELOW + 18)} text-anchor="middle">${escaped(milliseconds(end(...xs)))}</text>`,
    `<text ${at(LEFT - 6, y(end(...ys)) + 4)} text-anchor="end">${escaped(short(end(...ys)))}</text>`,
  ]);
  const title = `Rows a second against ${latencyName(found[0])}, by batch size; both scales are logarithmic.`;
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">
<path d="M${LEFT} 10V${HEIGHT - BELOW}H${WIDTH - 20}" fill="none" stroke="#888"/>
<polyline points="${line}" fill="none" stroke="#0b5fa5" stroke-opacity=".4"/>
${[...points, ...labels].join("\n")}
<text ${at(WIDTH / 2, HEIGHT - 4)} text-anchor="middle">${escaped(latencyName(found[0]))}</text>
<text ${at(4, 12)}>rows/s</text>
</svg>
<p>${escaped(title)}</p>`;
}
