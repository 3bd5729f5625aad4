import type { Certificate } from "../../src/engine/contract/index.ts";

/** What two ways to sum the same thing may differ by, relative to its size where that is above 1. */
const ROUNDING = 1e-10;
/** Answers that are as near as this are never called wrong. */
const NEAR = 0.01;

/** How a number with a certificate does against the truth; "missed" of an interval: which it may, now and then. */
export type Verdict = "holds" | "missed" | "wrong";

/** `at`: the entry of the certificate's lists. Of k̂ a value is wrong that is further off than 4 of what its effective size gives. */
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
