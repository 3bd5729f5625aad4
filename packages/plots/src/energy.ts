import type { Draws } from "ergodic";
import { OptionError } from "ergodic";
import { boundsOf, colourOf, figure, gridBox, legend, panel } from "./figure.ts";
import { barsOf, outline } from "./histogram.ts";
import { chainOf } from "./series.ts";
import { element } from "./svg.ts";

const ROW = 240;
const BARS = 40;

/**
 * Energies relative to their mean, and their changes per transition. If the changes are distributed much more narrowly
 * than the energies (E-BFMI below 0.3), a chain takes a long time to reach the tails.
 *
 * Source: Betancourt 2016, "Diagnosing suboptimal cotangent disintegrations".
 */
export function energy(draws: Draws, { width, title }: { width: number; title?: string }): string {
  const found = draws.energy();
  if (!found)
    throw new OptionError(
      "plot",
      'these draws have no energies, which only Hamiltonian samplers store; use "trace" or "rank"',
      "PLOT_KIND",
    );
  const energies = draws.transition("energy");
  const mean = energies.reduce((sum, value) => sum + value, 0) / energies.length;
  const moves: number[] = [];
  for (let c = 0; c < draws.chains; c++) {
    const chain = chainOf(energies, c, draws.count);
    for (let i = 1; i < chain.length; i++) moves.push(chain[i] - chain[i - 1]);
  }
  const marginal = energies.map((value) => value - mean);
  const transitions = Float64Array.from(moves);
  const ends = [boundsOf(marginal), boundsOf(transitions)];
  const bounds = [Math.min(...ends.map(([low]) => low)), Math.max(...ends.map(([, high]) => high))] as [number, number];
  const all = [marginal, transitions].map((values) => barsOf(values, BARS, bounds));
  const box = gridBox(0, { columns: 1, width, rowHeight: ROW });
  const most = Math.max(...all.flatMap(({ density }) => density));
  const made = panel(box, { x: bounds, y: [0, most * 1.05], yTicks: 0, xLabel: "energy" });
  const shapes = all.map((bars, k) =>
    element("path", { d: outline(bars, made), fill: colourOf(k), "fill-opacity": 0.45, stroke: colourOf(k) }),
  );
  const key = legend(width, [
    ["energies", colourOf(0)],
    ["moves of energy", colourOf(1)],
  ]);
  const note = `E-BFMI by chain: ${Array.from(found.ebfmi, (value) => value.toFixed(2)).join(", ")}; good above 0.3.`;
  return figure(title ?? "Energies", width, ROW, [note], [key, made.frame, ...shapes]);
}
