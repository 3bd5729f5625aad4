/**
 * The demo of column scales. The demo shows why adaptive rules help, and why Polyak's step requires the minimum of the
 * loss.
 *
 * Three columns are equally important, y = x₁ − x₂/30 + x₃/0.03 + noise, but their units are 1 : 30 : 0.03. A single
 * rate must be small enough for the large column, and then the small column's coefficient hardly changes. Rules that
 * divide by the size of past gradients give each column its own rate.
 */
import { adagrad, adam, Dataset, ErgodicError, fit, linear, newtonCholesky, rmsprop, sgd, stream } from "ergodic";
import { polyak, polyakEstimated, type Rule } from "ergodic/rules";
import { rateText } from "../report/chosen.ts";
import { percent, short } from "../report/numbers.ts";
import { table } from "../report/text-table.ts";
import type { Paint } from "../terminal.ts";

const SCALES = [1, 30, 0.03];
const SIGNS = [1, -1, 1];
const ROWS = 1000;
const NOISE = 0.1;
const EPOCHS = 20;
/** Each rule is shown at its best rate among these. */
const RATES = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1, 3];
const UPDATES = [3, 10, 30, 100, 300];

export const adaptive: Readonly<Record<string, (options: { rate: number }) => Rule>> = { sgd, adagrad, rmsprop, adam };

/** Returns rows whose columns have equal effects but different units. */
export function scaledRows(seed: number): Dataset {
  const draws = stream(seed, "scales").at(0);
  const units = Array.from({ length: ROWS }, () => SCALES.map(() => draws.normal()));
  return Dataset.fromArrays({
    x: units.map((row) => row.map((unit, j) => unit * SCALES[j])),
    y: units.map((row) => row.reduce((sum, unit, j) => sum + SIGNS[j] * unit, 0) + NOISE * draws.normal()),
    names: SCALES.map((scale) => `scale ${scale}`),
  });
}

export interface AtBest {
  rate: number;
  rmse: number;
  /** For each column, its learnt coefficient as a share of the true coefficient. */
  learnt: number[];
}

/** Returns the result at the best rate. Rates at which the run diverges are skipped. */
export async function atBestRate(make: (options: { rate: number }) => Rule, data: Dataset, seed: number): Promise<AtBest> {
  const model = linear({ loss: "squared", standardise: false, l2: 0 });
  let best: AtBest | undefined;
  for (const rate of RATES) {
    try {
      const fitted = await fit(model, data, { rule: make({ rate }), epochs: EPOCHS, seed });
      const rmse = fitted.evaluate(data).rmse!;
      if (best && best.rmse <= rmse) continue;
      best = { rate, rmse, learnt: SCALES.map((scale, j) => fitted.weights[j] * scale * SIGNS[j]) };
    } catch (error) {
      if (!(error instanceof ErgodicError && error.code === "RUN_DIVERGED")) throw error;
    }
  }
  return best!;
}

export async function scalesText(data: Dataset, seed: number, paint: Paint): Promise<string> {
  const rows: string[][] = [];
  for (const [name, make] of Object.entries(adaptive)) {
    const { rate, rmse, learnt } = await atBestRate(make, data, seed);
    rows.push([name, rateText(rate), rmse.toFixed(3), ...learnt.map(percent)]);
  }
  const head = ["rule", "best rate", "RMSE", ...SCALES.map((scale) => `learnt at ${scale}`)];
  return `${table(head, rows, { paint })}  The noise alone is ${NOISE}. If all columns share one scale, as pixels or standardised columns do, a single rate is as good.\n`;
}

export interface Guess {
  name: string;
  rule: Rule;
}

/**
 * Returns the loss above the minimum after each number of updates in UPDATES, on all rows with standardised columns.
 */
export async function excess(rule: Rule, data: Dataset, least: number): Promise<number[]> {
  const model = linear({ loss: "squared", standardise: true, l2: 0 });
  const found: number[] = [];
  for (const epochs of UPDATES)
    found.push(lossOf((await fit(model, data, { rule, batch: "all", epochs })).evaluate(data)) - least);
  return found;
}

/** Returns the minimum of the loss, ½ RMSE²: the f* that Polyak's step needs. */
export async function leastLoss(data: Dataset): Promise<number> {
  const model = linear({ loss: "squared", standardise: true, l2: 0 });
  return lossOf((await fit(model, data, { algorithm: newtonCholesky() })).evaluate(data));
}

const lossOf = ({ rmse }: { rmse?: number }): number => rmse! ** 2 / 2;

export const guesses = (least: number): Guess[] => [
  { name: "polyak, exact f*", rule: polyak({ optimum: least }) },
  { name: "polyak, half of f*", rule: polyak({ optimum: least / 2 }) },
  { name: "polyak, 0 instead of f*", rule: polyak({ optimum: 0 }) },
  { name: "polyak, twice f*", rule: polyak({ optimum: 2 * least }) },
  { name: "polyakEstimated, no guess", rule: polyakEstimated() },
];

export async function polyakText(data: Dataset, paint: Paint): Promise<string> {
  const least = await leastLoss(data);
  const rows: string[][] = [];
  for (const { name, rule } of guesses(least))
    rows.push([name, ...(await excess(rule, data, least)).map((above) => (above < 1e-9 ? "< 1e-9" : short(above)))]);
  const head = ["loss above the minimum, after updates:", ...UPDATES.map(String)];
  const why = `f* is ${least.toPrecision(3)} here. With a guess that is too low, steps near the minimum are too long and never settle; with one that is too high, they stop when the loss equals the guess.`;
  return `${table(head, rows, { paint })}  ${why}\n`;
}
