import { largest } from "../../engine/numbers/extremes.ts";
import type { PartAnswer } from "./algorithm.ts";

/** Width of an answer's widest interval: 0 if all certificates are exact, ∞ if any is neither exact nor an interval. */
export function spreadOf({ logZ, marginals }: PartAnswer): number {
  const widths = [logZ?.certificate, ...(marginals ?? []).map(({ certificate }) => certificate)].map((certificate) => {
    if (!certificate || "exact" in certificate) return 0;
    if (!("interval" in certificate)) return Infinity;
    const intervals = (Array.isArray(certificate.interval[0]) ? certificate.interval : [certificate.interval]) as [
      number,
      number,
    ][];
    return largest(intervals.map(([low, high]) => high - low));
  });
  return largest(widths);
}
