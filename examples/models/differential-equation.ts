/**
 * An ordinary differential equation: how infectious was the influenza in a boarding school of 763 boys?
 *
 *   S' = −β S I / N, I' = β S I / N − γ I;  y_t ~ negative binomial with mean I(t) and variance I(t) + φ I(t)²
 *   β ~ half-N around 2 with sd 1, γ ~ half-N around 0.4 with sd 0.5, φ ~ Exponential(5)
 *
 * β: infections a day by one who is ill among those who are not; 1/γ: days ill; R₀ = β/γ: infected by the first. Solved by steps that adapt, in
 * the compiled program; gradients are those of the solution as computed, and the verdict says how large its error is.
 * Data: boys in bed on 14 days, British Medical Journal, 4 March 1978, page 587; one was ill at the start.
 *
 * Run: ergodic example differential-equation
 */
import { fileURLToPath } from "node:url";
import { type Draws, exponential, integer, model, normal, type SampleOptions, sample, vector } from "ergodic";
import { add, at, div, max, mul, neg, ode, range, stack, sub } from "ergodic/compiler";
import { negativeBinomialMean } from "ergodic/distributions";

export const data = { inBed: [3, 8, 26, 76, 225, 298, 258, 233, 189, 128, 68, 29, 14, 4], boys: 763 };

const influenza = model(
  ({ data, param, observe, generated, size }) => {
    const { inBed, boys } = data({ inBed: vector("days"), boys: integer() });
    const beta = param("beta", normal(2, 1), { lower: 0 });
    const gamma = param("gamma", normal(0.4, 0.5), { lower: 0 });
    const phi = param("phi", exponential(5));
    const { states } = ode(
      (_, y) => {
        const [s, i] = [at(y, 0), at(y, 1)];
        const infected = mul(beta, mul(div(s, boys), i));
        return stack([neg(infected), sub(infected, mul(gamma, i))]);
      },
      [boys - 1, 1],
      add(range(size("days")), 1),
    );
    const ill = at(states, 1, 1);
    observe(inBed, negativeBinomialMean(max(ill, 1e-9), div(1, phi)));
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
