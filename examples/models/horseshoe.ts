/**
 * Horseshoe regression: of 25 possible causes, which few matter?
 *
 *   y ~ N(α + Xβ, σ), β_j ~ N(0, τ λ̃_j), λ̃_j² = c² λ_j² / (c² + τ² λ_j²)
 *   λ_j ~ half-Student(3, 1), τ ~ half-Cauchy(τ₀), τ₀ = 3/(25 − 3) / √N, c² ~ inverse-Gamma(2, 8), α ~ N(0, 2), σ ~ half-N(1)
 *
 * τ pulls all coefficients to 0, a large λ_j lets one go, and c keeps those from growing without bound. β is not centred.
 * Source: Piironen and Vehtari 2017 (there λ is half-Cauchy; three degrees of freedom make chains' work easier).
 * Data: simulated, 100 rows, three causes that matter (`truth`) and 22 that do not.
 *
 * Run: ergodic example horseshoe
 */
import { fileURLToPath } from "node:url";
import {
  type Draws,
  halfCauchy,
  halfNormal,
  inverseGamma,
  matrix,
  model,
  normal,
  nuts,
  type SampleOptions,
  sample,
  stream,
  vector,
} from "ergodic";
import { add, div, mul, sqrt, square } from "ergodic/compiler";
import { halfStudent, normalIdGlm } from "ergodic/distributions";

const [ROWS, CAUSES, FEW] = [100, 25, 3];
const matter = [2, -1.5, 1];
export const truth = Object.fromEntries(Array.from({ length: CAUSES }, (_, j) => [`beta[${j + 1}]`, matter[j] ?? 0]));

function simulate(): { x: number[][]; y: number[] } {
  const draws = stream(1, "horseshoe").at(0);
  const x = Array.from({ length: ROWS }, () => Array.from({ length: CAUSES }, () => draws.normal()));
  const y = x.map((row) => matter.reduce((total, beta, j) => total + beta * row[j], draws.normal()));
  return { x, y };
}
export const data = simulate();

const causes = model(
  ({ data, param, observe, size }) => {
    const { x, y } = data({ x: matrix("N", "P"), y: vector("N") });
    const tau = param("tau", halfCauchy(FEW / (size("P") - FEW) / Math.sqrt(size("N"))));
    const lambda = param("lambda", halfStudent(3, 1), { shape: "P" });
    const slab = param("slab", inverseGamma(2, 8));
    const free = square(mul(tau, lambda));
    const scale = sqrt(div(mul(slab, free), add(slab, free)));
    const beta = param("beta", normal(0, scale), { centred: false });
    const sigma = param("sigma", halfNormal(1));
    observe(y, normalIdGlm(x, param("alpha", normal(0, 2)), beta, sigma));
  },
  { name: "horseshoe" },
);
export default causes;

export async function main(print: (line: string) => void = console.log, options: SampleOptions = {}): Promise<Draws> {
  // The funnel of the scales wants short steps.
  const posterior = await sample(causes, data, { seed: 1, algorithm: nuts({ targetAcceptance: 0.95 }), ...options });
  const rows = Object.entries(posterior.summary({ of: ["beta"] }));
  const found = rows.filter(([, { quantiles }]) => quantiles.q5 > 0 || quantiles.q95 < 0);
  print(`${found.length} of ${rows.length} causes matter:`);
  for (const [name, { mean, sd }] of found) print(`  ${name} = ${mean.toFixed(2)} ± ${sd.toFixed(2)}`);
  print(`${posterior.verdict()}`);
  return posterior;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
