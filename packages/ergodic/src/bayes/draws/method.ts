/** Method that made the draws: chains, an approximation with independent draws, particles, or the prior. */
import type { JsonObject } from "../../engine/contract/index.ts";

/** Facts about draws from which their method is inferred. */
export interface Made {
  readonly chains: number;
  readonly count: number;
  readonly description: JsonObject;
  readonly report: Readonly<Record<string, number>>;
}

const approximations = new Set(["pathfinder", "meanField", "fullRank"]);

/** Algorithm with its options, as described by the run; {} for draws from other tools. */
export function algorithmOf({ description }: Pick<Made, "description">): JsonObject {
  const { algorithm } = description;
  return typeof algorithm === "object" && algorithm !== null && !Array.isArray(algorithm) ? algorithm : {};
}

export function nameOf(draws: Pick<Made, "description">): string | undefined {
  const { algorithm } = algorithmOf(draws);
  return typeof algorithm === "string" ? algorithm : undefined;
}

/**
 * Kind of draws. "approximation": draws are independent, and there are no chains to compare; "particles": all draws
 * form one approximation together.
 */
export function kindOf(draws: Pick<Made, "description" | "report">): "chains" | "approximation" | "particles" | "prior" {
  const name = nameOf(draws);
  if (name === "svgd" || draws.report.particles !== undefined) return "particles";
  if (draws.report.paretoK !== undefined || (name !== undefined && approximations.has(name))) return "approximation";
  return name === "prior" ? "prior" : "chains";
}

/** Whether the draws do not form chains that could be compared. */
export const isIndependent = (draws: Pick<Made, "description" | "report">): boolean => kindOf(draws) !== "chains";

/** Formats the k̂ of an approximation; "" if it is unknown. */
export function paretoKText({ report: { paretoK } }: Pick<Made, "report">): string {
  if (paretoK === undefined) return "";
  return `Pareto k ${paretoK === Infinity ? "∞" : paretoK.toFixed(2)}`;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

/** Formats "4 chains of 1000 draws" or "4000 draws of an approximation by pathfinder(), Pareto k 0.32". */
export function madeText(draws: Made): string {
  const { chains, count } = draws;
  const kind = kindOf(draws);
  const k = paretoKText(draws);
  const by = `${nameOf(draws) === undefined ? "" : ` by ${nameOf(draws)}()`}${k === "" ? "" : `, ${k}`}`;
  if (kind === "approximation") return `${counted(chains * count, "draw")} of an approximation${by}`;
  if (kind === "particles") return `${counted(count, "particle")} of an approximation${by}`;
  if (kind === "prior") return `${counted(chains * count, "independent draw")} of the prior, with Monte Carlo error only`;
  return `${counted(chains, "chain")} of ${counted(count, "draw")}`;
}
