/**
 * An ordinary differential equation: how infectious was the influenza in a boarding school of 763 boys?
 *
 *   S' = −β S I / N, I' = β S I / N − γ I;  y_t ~ negative binomial with mean I(t) and variance I(t) + φ I(t)²
 *   β ~ half-N around 2 with sd 1, γ ~ half-N around 0.4 with sd 0.5, φ ~ Exponential(5)
 *
 * β: infections a day by one who is ill among those who are not; 1/γ: days ill; R₀ = β/γ: infected by the first. Solved by the classical
 * Runge-Kutta method, 10 steps a day, in a loop of the compiled program; gradients are those of the solution as computed.
 * Data: boys in bed on 14 days, British Medical Journal, 4 March 1978, page 587; one was ill at the start.
 *
 * Run: node examples/models/differential-equation.ts   (Node 22.18 or later)
 */
import { fileURLToPath } from "node:url";
import {
  type Draws,
  exponential,
  integer,
  model,
  negativeBinomialMean,
  normal,
  type SampleOptions,
  sample,
  vector,
} from "ergodic";
import { add, div, max, mul, neg, type SymbolicArray, scan, sub, toArray } from "ergodic/compiler";

export const data = { inBed: [3, 8, 26, 76, 225, 298, 258, 233, 189, 128, 68, 29, 14, 4], boys: 763 };

const STEPS = 10;

type State = readonly SymbolicArray[];
const moved = (from: State, by: number, along: State): State => from.map((x, i) => add(x, mul(by, along[i])));

/** One step of length h. */
function rungeKutta(z: State, slope: (z: State) => State, h: number): State {
  const k1 = slope(z);
  const k2 = slope(moved(z, h / 2, k1));
  const k3 = slope(moved(z, h / 2, k2));
  const k4 = slope(moved(z, h, k3));
  return z.map((x, i) => add(x, mul(h / 6, add(add(k1[i], k4[i]), mul(2, add(k2[i], k3[i]))))));
}

const influenza = model(
  ({ data, param, observe, generated, size }) => {
    const { inBed, boys } = data({ inBed: vector("days"), boys: integer() });
    const beta = param("beta", normal(2, 1), { lower: 0 });
    const gamma = param("gamma", normal(0.4, 0.5), { lower: 0 });
    const phi = param("phi", exponential(5));
    const slope = ([s, i]: State): State => {
      const infected = mul(beta, mul(div(s, boys), i));
      return [neg(infected), sub(infected, mul(gamma, i))];
    };
    const day = (z: State): State =>
      scan([...z], [], (now) => [[...rungeKutta(now, slope, 1 / STEPS)], []], { length: STEPS }).carries;
    const start = [toArray(boys - 1), toArray(1)];
    const { outputs } = scan(
      start,
      [],
      (z) => {
        const next = day(z);
        return [[...next], [next[1]]];
      },
      { length: size("days") },
    );
    observe(inBed, negativeBinomialMean(max(outputs[0], 1e-9), div(1, phi)));
    generated("R0", div(beta, gamma));
    generated("daysIll", div(1, gamma));
  },
  { name: "influenza" },
);
export default influenza;

export async function main(print: (line: string) => void = console.log, options: SampleOptions = {}): Promise<Draws> {
  const posterior = await sample(influenza, data, { seed: 1, ...options });
  const { R0, daysIll } = posterior.summary();
  print(`${posterior}`);
  print(
    `The first one ill infected ${R0.mean.toFixed(1)} others (± ${R0.sd.toFixed(1)}); one was ill for ${daysIll.mean.toFixed(1)} days.`,
  );
  return posterior;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
