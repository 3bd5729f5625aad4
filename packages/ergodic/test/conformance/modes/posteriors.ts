/** Posteriors with several modes and known means and mean squares: mixtures of normals as plain functions. */
import { type FunctionDensity, functionDensity } from "../../../src/bayes/model/functional/index.ts";

interface Part {
  /** log of the mass, up to a common constant. */
  readonly logMass: number;
  readonly mean: readonly number[];
  readonly sd: number;
}

export interface Posterior {
  readonly name: string;
  readonly parts: readonly Part[];
  /** Whether there is one mode, or one that holds all but e^-100 of the mass, so that draws must be trusted. */
  readonly single: boolean;
  readonly density: FunctionDensity;
  /** E x and E x² per coordinate. */
  readonly moments: readonly { mean: number; square: number }[];
}

function posterior(name: string, parts: readonly Part[]): Posterior {
  const d = parts[0].mean.length;
  const logParts = (x: Float64Array): number[] =>
    parts.map(({ logMass, mean, sd }) => {
      let squares = 0;
      for (let i = 0; i < d; i++) squares += ((x[i] - mean[i]) / sd) ** 2;
      return logMass - d * Math.log(sd) - squares / 2;
    });
  const sharesOf = (logs: readonly number[]): { top: number; shares: number[]; total: number } => {
    const top = Math.max(...logs);
    const shares = logs.map((one) => Math.exp(one - top));
    return { top, shares, total: shares.reduce((a, b) => a + b, 0) };
  };
  const { shares: masses, total: mass } = sharesOf(parts.map(({ logMass }) => logMass));
  return {
    name,
    parts,
    single: masses.filter((share) => share > 1e-40).length === 1,
    density: functionDensity({
      dimension: d,
      logDensity(x) {
        const { top, total } = sharesOf(logParts(x));
        return top + Math.log(total);
      },
      gradient(x) {
        const { shares, total } = sharesOf(logParts(x));
        return x.map((value, i) =>
          parts.reduce((sum, { mean, sd }, k) => sum - (shares[k] / total) * ((value - mean[i]) / sd ** 2), 0),
        );
      },
    }),
    moments: Array.from({ length: d }, (_, i) => ({
      mean: parts.reduce((sum, { mean }, k) => sum + (masses[k] / mass) * mean[i], 0),
      square: parts.reduce((sum, { mean, sd }, k) => sum + (masses[k] / mass) * (mean[i] ** 2 + sd ** 2), 0),
    })),
  };
}

const log = Math.log;
/** At least a quarter of uniform starts in (−2, 2) lead to every heavy mode, as the test verifies. */
export const posteriors: readonly Posterior[] = [
  posterior("mirror images", [
    { logMass: 0, mean: [1, 1], sd: 0.2 },
    { logMass: 0, mean: [-1, -1], sd: 0.2 },
  ]),
  posterior("mirror images, and e^-100", [
    { logMass: 0, mean: [1, 0.5, 0.5], sd: 0.1 },
    { logMass: 0, mean: [-1, 0.5, 0.5], sd: 0.1 },
    { logMass: -100, mean: [1, -1.6, 0.5], sd: 0.1 },
    { logMass: -100, mean: [-1, -1.6, 0.5], sd: 0.1 },
  ]),
  posterior("masses of 9 and 1", [
    { logMass: log(0.9), mean: [0.9, 0.3, 0], sd: 0.2 },
    { logMass: log(0.1), mean: [-0.9, -0.3, 0], sd: 0.2 },
  ]),
  posterior("narrow and wide", [
    { logMass: 0, mean: [-1.1], sd: 0.3 },
    { logMass: 0, mean: [1.1], sd: 0.08 },
  ]),
  posterior("three, of unlike masses", [
    { logMass: log(0.5), mean: [1.3, 0, 0, 0, 0], sd: 0.2 },
    { logMass: log(0.3), mean: [-0.65, 1.13, 0, 0, 0], sd: 0.2 },
    { logMass: log(0.2), mean: [-0.65, -1.13, 0, 0, 0], sd: 0.2 },
  ]),
  posterior("two of unlike shapes among e^-100", [
    { logMass: 0, mean: [1, 1, 0, 0], sd: 0.12 },
    { logMass: log(0.3), mean: [-1, -1, 0, 0], sd: 0.11 },
    { logMass: -100, mean: [1.4, -1.5, 0, 0], sd: 0.12 },
    { logMass: -100, mean: [-1.4, 1.5, 0, 0], sd: 0.12 },
  ]),
  posterior("one mode", [{ logMass: 0, mean: [0.5, -3, 2], sd: 0.4 }]),
  posterior("one mode, and e^-100", [
    { logMass: 0, mean: [0.7, 0.7], sd: 0.12 },
    { logMass: -100, mean: [-1.5, -1.5], sd: 0.12 },
  ]),
];
