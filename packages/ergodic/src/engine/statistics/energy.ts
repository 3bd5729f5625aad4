/**
 * E-BFMI, the energy Bayesian fraction of missing information of each chain: Σ(E_t − E_{t−1})²/Σ(E_t − Ē)².
 *
 * E: the Hamiltonian at each draw of a Hamiltonian sampler, float64[chains × draws], chain after chain. The fraction
 * compares the energy change from resampling the momentum with the total spread of energies. Near 1 is ideal. Below 0.3,
 * the threshold of verdicts, energies, and therefore the tails, are explored by a slow random walk. Some authors use 0.2.
 * NaN for a chain whose energy is constant or not finite.
 * Source: Betancourt 2016 (arXiv:1604.00695).
 *
 * @throws OptionError unless chainCount is a positive integer; DataError unless it divides the number of draws
 */
import { drawsPerChain, isDegenerate } from "./chains.ts";
import { mean } from "./moments.ts";

export function ebfmi(energy: Float64Array, chainCount: number): Float64Array {
  const n = drawsPerChain("ebfmi", energy, chainCount);
  return Float64Array.from({ length: chainCount }, (_, chain) => missingInformation(energy.subarray(chain * n, (chain + 1) * n)));
}

function missingInformation(energy: Float64Array): number {
  if (isDegenerate(energy)) return Number.NaN;
  const centre = mean(energy);
  let changes = 0;
  let spread = 0;
  for (let t = 0; t < energy.length; t++) {
    if (t > 0) changes += (energy[t] - energy[t - 1]) ** 2;
    spread += (energy[t] - centre) ** 2;
  }
  return changes / spread;
}
