import type { Certificate } from "../../engine/contract/index.ts";
import type { PartAnswer } from "../parts/algorithm.ts";

type Marginal = NonNullable<PartAnswer["marginals"]>[number];
type LogZ = NonNullable<PartAnswer["logZ"]>;

/** Width above which an interval of a probability, or of ln Z, counts as undecided. */
const WIDE = 0.5;
const WIDE_LOG = 1;

/** Returns whether a rough answer can improve on the current answer of a running algorithm. */
export function leavesOpen(own: PartAnswer | undefined): boolean {
  if (!own) return true;
  const { map, logZ, marginals } = own;
  if (map) return map.value !== map.bound;
  if (marginals) return own.blank === true || marginals.some(({ certificate }) => widthOf(certificate) > WIDE);
  return !logZ || "none" in logZ.certificate || widthOf(logZ.certificate) > WIDE_LOG;
}

/**
 * Combines an algorithm's own answer with a rough answer, one value at a time. The algorithm's answer takes precedence,
 * with three exceptions:
 *
 * - The more probable of two states is used, and the smaller of two bounds.
 * - Proved bounds on ln Z replace an answer without a guarantee, and tighten wider bounds or intervals.
 * - If the algorithm's own interval is too wide to locate the truth, a rough estimate within the interval is used. The
 * same
 *   holds if the algorithm has found nothing yet.
 *
 * A proof that no state is possible, or that the rough answer is exact, always takes precedence.
 */
export function bestSoFar(own: PartAnswer | undefined, rough: PartAnswer): PartAnswer {
  if (!own || proves(rough)) return rough;
  if (proves(own)) return own;
  const method = `${own.method}; ${rough.method}`;
  if (own.map && rough.map) {
    const better = rough.map.value > own.map.value ? rough.map : own.map;
    return { method, map: { ...better, bound: Math.min(own.map.bound ?? Infinity, rough.map.bound ?? Infinity) } };
  }
  if (own.marginals && rough.marginals) {
    const others = rough.marginals;
    const marginals = own.blank ? others : own.marginals.map((one, variable) => betterMarginal(one, others[variable]));
    return { ...own, method, marginals };
  }
  return own.logZ && rough.logZ ? { method, logZ: betterLogZ(own.logZ, rough.logZ) } : own;
}

const proves = ({ logZ, map }: PartAnswer): boolean =>
  (logZ !== undefined && "exact" in logZ.certificate) || map?.bound === -Infinity;

function betterMarginal(own: Marginal, { p }: Marginal): Marginal {
  const ranges = rangesOf(own.certificate);
  if (!(widthOf(own.certificate) > WIDE) || !p.every((value, s) => value >= ranges[s][0] && value <= ranges[s][1])) return own;
  return { p, certificate: own.certificate };
}

function betterLogZ(own: LogZ, rough: LogZ): LogZ {
  if (!("lower" in rough.certificate)) return own;
  if ("none" in own.certificate) return rough;
  const [range] = rangesOf(own.certificate);
  if (!range) return own;
  const low = Math.max(range[0], rough.certificate.lower as number);
  const high = Math.min(range[1], rough.certificate.upper as number);
  if (low > high) return rough;
  const certificate: Certificate =
    "interval" in own.certificate ? { ...own.certificate, interval: [low, high] } : { lower: low, upper: high };
  const estimate = high - low > WIDE_LOG ? rough.value : own.value;
  return { value: Math.min(high, Math.max(low, estimate)), certificate };
}

/** Returns the range of each state's probability, or of ln Z. Empty for certificates without ranges. */
function rangesOf(certificate: Certificate): (readonly [number, number])[] {
  if ("interval" in certificate) {
    const { interval } = certificate;
    return Array.isArray(interval[0])
      ? [...(interval as readonly (readonly [number, number])[])]
      : [interval as readonly [number, number]];
  }
  if (!("lower" in certificate)) return [];
  const uppers = [certificate.upper].flat();
  return [certificate.lower].flat().map((low, s) => [low, uppers[s]] as const);
}

const widthOf = (certificate: Certificate): number =>
  rangesOf(certificate).reduce((widest, [low, high]) => Math.max(widest, high - low), 0);
