import type { JsonObject } from "../../../engine/contract/index.ts";
import { few, type Judged } from "./finding.ts";

/** Jumps of the log density that a run found next to divergent draws (bayes/named-edges.ts). */
interface ReportedEdges {
  readonly examined: number;
  readonly found: number;
  readonly names: readonly string[];
  /** Null if the density is 0 beyond the edges. */
  readonly drop: number | null;
  readonly bound?: number;
  readonly side?: string;
  readonly reason?: string;
}

/** Share of the examined draws that must have an edge nearby before edges are stated as the cause of divergences. */
const MOST_HAVE = 0.5;

/** Describes the jumps, and their remedy. `explains`: whether most of the examined draws have a jump nearby. */
export function edgesNear({ description }: Judged): { explains: boolean; text: string; advice: string } | undefined {
  const edges = description.edges as unknown as (ReportedEdges & JsonObject) | undefined;
  if (!edges || edges.found === 0) return undefined;
  const { examined, found, names, drop, bound, side, reason } = edges;
  const value = bound === undefined ? "" : Number(bound.toPrecision(6));
  const where =
    bound !== undefined ? ` where ${few(names)} goes ${side} ${value}` : names.length > 0 ? ` along ${few(names)}` : "";
  const fall = drop === null ? "ends (it falls to -inf)" : `jumps down by ${Number(drop.toPrecision(2))}`;
  const because = reason === undefined ? "" : `; beyond, ${reason.replace(/\.$/, "")}`;
  const text = `the log density ${fall}${where}, next to ${found} of the ${examined} such draws that were examined${because}`;
  const limit = side === "below" ? "lower" : "upper";
  const advice =
    bound !== undefined
      ? `give the parameter this bound, as in param(${JSON.stringify(names[0])}, …, { ${limit}: ${value} }), next to the other end of its prior if there is one; compute the bound from the data if it depends on them`
      : "give the parameters bounds or a constraint, or write a model whose density has no jump";
  return { explains: found >= MOST_HAVE * examined, text, advice };
}
