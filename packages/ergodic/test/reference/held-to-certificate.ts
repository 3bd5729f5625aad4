import type { Certificate } from "../../src/engine/contract/index.ts";

/** Largest difference between two ways to compute the same sum, relative to its size if that is above 1. */
const ROUNDING = 1e-10;
/** Answers with a smaller error are never called wrong. */
const NEAR = 0.01;

/** Result of comparing a number and its certificate with the truth. An interval may occasionally be "missed". */
export type Verdict = "holds" | "missed" | "wrong";

/**
 * `at` is the index into the certificate's lists. With k̂, a value is wrong if its error exceeds 4 standard errors for
 * its effective sample size.
 */
export function heldTo(certificate: Certificate, value: number, truth: number, at?: number): Verdict {
  const own = (of: number | readonly number[]): number => (at === undefined ? (of as number) : (of as readonly number[])[at]);
  const off = value === truth ? 0 : Math.abs(value - truth);
  const slack = ROUNDING * Math.max(1, Math.abs(truth));
  if ("exact" in certificate) return off <= slack ? "holds" : "wrong";
  if ("lower" in certificate) {
    const [lower, upper] = [own(certificate.lower), own(certificate.upper)];
    const tight = 1e-13 * Math.max(1, Math.abs(truth));
    return lower <= truth + tight && truth <= upper + tight && lower <= value && value <= upper ? "holds" : "wrong";
  }
  if ("interval" in certificate) {
    const [low, high] = (at === undefined ? certificate.interval : certificate.interval[at]) as readonly [number, number];
    if (truth >= low - slack && truth <= high + slack) return "holds";
    return off > NEAR && off > 4 * (high - low) ? "wrong" : "missed";
  }
  if ("mcse" in certificate) return off <= Math.max(NEAR, 5 * certificate.mcse[at ?? 0]) ? "holds" : "wrong";
  if ("khat" in certificate) return off <= Math.max(NEAR, 4 / Math.sqrt(certificate.ess)) ? "holds" : "wrong";
  return "holds";
}
