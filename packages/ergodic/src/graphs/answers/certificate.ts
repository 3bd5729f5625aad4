import type { Certificate } from "../../engine/contract/index.ts";
import { largest } from "../../engine/numbers/extremes.ts";

/** Kinds of certificates, from the strongest to the weakest. */
const kinds = ["exact", "lower", "interval", "mcse", "khat", "none"] as const;

/** Returns the rank of a certificate's kind; 0 is the strongest. */
export function weakness(certificate: Certificate): number {
  return kinds.findIndex((kind) => kind in certificate);
}

/**
 * Returns the weakest of several certificates. The weakest kind is a certificate without a guarantee. Within a kind,
 * the certificate with the largest uncertainty is the weakest. If certificates are equal, the first is returned.
 */
export function weakest(certificates: Iterable<Certificate>): Certificate {
  let found: Certificate = { exact: true };
  let most = 0;
  for (const one of certificates) {
    const more = weakness(one) - weakness(found);
    if (more < 0) continue;
    const open = openness(one);
    if (more > 0 || open > most) [found, most] = [one, open];
  }
  return found;
}

/**
 * Returns the uncertainty of a certificate: the width of its widest range, R-hat or k-hat. Only values of the same kind
 * are comparable. Infinity if unknown.
 */
function openness(certificate: Certificate): number {
  const open = "rhat" in certificate ? certificate.rhat : "khat" in certificate ? certificate.khat : widest(certificate);
  return Number.isNaN(open) ? Infinity : open;
}

function widest(certificate: Certificate): number {
  if ("interval" in certificate) {
    const intervals = [certificate.interval].flat(2);
    return largest(intervals.map((to, k) => (k % 2 === 1 ? to - intervals[k - 1] : 0)));
  }
  if (!("lower" in certificate)) return 0;
  const [lower, upper] = [[certificate.lower].flat(), [certificate.upper].flat()];
  return largest(upper.map((to, state) => to - lower[state]));
}

/** A computed number with its certificate. */
export interface Certified {
  readonly value: number;
  readonly certificate: Certificate;
}

/**
 * Adds numbers that were computed independently. Bounds and intervals add up. The level of the summed interval is the
 * product of the levels.
 */
export function certifiedSum(parts: readonly Certified[]): Certified {
  const value = parts.reduce((sum, part) => sum + part.value, 0);
  const certificate = weakest(parts.map((part) => part.certificate));
  if ("exact" in certificate || "none" in certificate) return { value, certificate };
  if ("lower" in certificate || "interval" in certificate) {
    let [low, high, level, size] = [0, 0, 1, 0];
    for (const part of parts) {
      const [from, to] = ends(part);
      size += Math.abs(from) + Math.abs(to);
      low += from;
      high += to;
      if ("interval" in part.certificate) level *= part.certificate.level;
    }
    // Allows for rounding in the sums, and in values that are exact only up to rounding.
    const slack = 2 ** -50 * parts.length * size;
    if ("lower" in certificate) return { value, certificate: { lower: low - slack, upper: high + slack } };
    return { value, certificate: { interval: [low, high], level } };
  }
  if ("mcse" in certificate) {
    const all = parts.flatMap((part) => ("mcse" in part.certificate ? [part.certificate] : []));
    const mcse = Math.sqrt(all.reduce((sum, one) => sum + one.mcse[0] ** 2, 0));
    return {
      value,
      certificate: { mcse: [mcse], rhat: Math.max(...all.map(({ rhat }) => rhat)), ess: Math.min(...all.map(({ ess }) => ess)) },
    };
  }
  const all = parts.flatMap((part) => ("khat" in part.certificate ? [part.certificate] : []));
  return {
    value,
    certificate: { khat: Math.max(...all.map(({ khat }) => khat)), ess: Math.min(...all.map(({ ess }) => ess)) },
  };
}

function ends({ value, certificate }: Certified): readonly [number, number] {
  if ("lower" in certificate) return [certificate.lower as number, certificate.upper as number];
  if ("interval" in certificate) return certificate.interval as readonly [number, number];
  return [value, value];
}

/** Describes a certificate in words. */
export function certificateText(certificate: Certificate): string {
  if ("exact" in certificate) return "exact";
  if ("lower" in certificate) return "proved bounds";
  if ("interval" in certificate) return `an interval at ${percent(certificate.level)} %`;
  if ("mcse" in certificate) return `chains: R-hat ${certificate.rhat.toFixed(3)}, effective size ${Math.round(certificate.ess)}`;
  if ("khat" in certificate)
    return `importance weights: k-hat ${certificate.khat.toFixed(2)}, effective size ${Math.round(certificate.ess)}`;
  return `no guarantee: ${certificate.none}`;
}

const percent = (level: number): string => String(Number((level * 100).toPrecision(4)));
