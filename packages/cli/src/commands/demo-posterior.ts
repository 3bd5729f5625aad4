/**
 * The demo's posterior: is it a 3 or an 8? The same logistic regression is fitted by stochastic gradients and sampled.
 * Both results agree on the centre, and the draws also show the uncertainty. The left side of an 8 is closed and the
 * left side of a 3 is open, so the amount of ink on the left of each row of pixels distinguishes the two digits.
 */
import { Dataset, fit, linear, matrix, model, normal, sample, sgd, vector } from "ergodic";
import { bernoulliLogitGlm } from "ergodic/distributions";
import { percent } from "../report/numbers.ts";
import { table } from "../report/text-table.ts";
import type { Paint } from "../terminal.ts";

const PAIR = ["3", "8"] as const;
const WIDTH = 8;
const ROWS = [1, 2, 3, 4, 5, 6];
/** Standard deviation of the coefficients' prior. The l2 of the gradient method is equivalent to this prior. */
const SPREAD = 2.5;

const threeOrEight = model(({ data, param, observe }) => {
  const { x, y } = data({ x: matrix("N", "K"), y: vector("N") });
  const alpha = param("alpha", normal(0, SPREAD));
  const beta = param("beta", normal(0, SPREAD), { shape: "K" });
  observe(y, bernoulliLogitGlm(x, alpha, beta));
});

interface Rows {
  x: number[][];
  y: number[];
}

/** Ink on the left half of each row of pixels, standardised to mean 0 and variance 1. */
function leftInk(digits: Dataset): Rows {
  const { levels, values } = digits.target;
  const chosen = [...values.keys()].filter((i) => (PAIR as readonly string[]).includes(levels![values[i]]));
  const ink = (i: number): number[] => {
    const pixels = digits.row(i);
    return ROWS.map((row) => pixels.slice(row * WIDTH, row * WIDTH + 3).reduce((sum, pixel) => sum + pixel, 0));
  };
  const raw = chosen.map(ink);
  const columns = ROWS.map((_, j) => {
    const mean = raw.reduce((sum, row) => sum + row[j] / raw.length, 0);
    return { mean, sd: Math.sqrt(raw.reduce((sum, row) => sum + (row[j] - mean) ** 2 / raw.length, 0)) };
  });
  return {
    x: raw.map((row) => row.map((value, j) => (value - columns[j].mean) / columns[j].sd)),
    y: chosen.map((i) => Number(levels![values[i]] === PAIR[1])),
  };
}

export async function posteriorText(digits: Dataset, seed: number, paint: Paint): Promise<string> {
  const { x, y } = leftInk(digits);
  const l2 = 1 / (y.length * SPREAD ** 2);
  const fitted = await fit(linear({ loss: "logistic", l2, standardise: false }), Dataset.fromArrays({ x, y, classes: true }), {
    rule: sgd({ rate: 0.1 }),
    epochs: 200,
    seed,
  });
  const posterior = await sample(threeOrEight, { x, y }, { seed });
  const rows = ROWS.map((row, j) => {
    const series = posterior.series("beta", j);
    const { mean, sd, quantiles } = posterior.summary({ of: ["beta"] })[`beta[${j + 1}]`];
    const above = series.filter((value) => value > 0).length / series.length;
    return [
      `ink on the left of row ${row + 1}`,
      fitted.weights[j].toFixed(2),
      mean.toFixed(2),
      sd.toFixed(2),
      `${quantiles.q5.toFixed(2)} to ${quantiles.q95.toFixed(2)}`,
      percent(above),
    ];
  });
  const head = ["coefficient", "sgd", "posterior mean", "sd", "90 % interval", "P(positive)"];
  return `${table(head, rows, { paint })}  ${posterior.verdict().text}\n`;
}
