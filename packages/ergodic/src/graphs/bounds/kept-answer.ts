import type { Certificate, Json, JsonObject, Snapshot } from "../../engine/contract/index.ts";
import { isObject, KeptPart } from "../../engine/loop/kept-part.ts";
import type { PartAnswer } from "../parts/algorithm.ts";

const kinds = ["exact", "interval", "khat", "none"];
const isCertificate = (item: Json | undefined): item is JsonObject => isObject(item) && kinds.some((kind) => kind in item);

/** Returns the snapshot of an answer with ln Z and, if present, marginals. */
export function keptAnswer({ method, logZ, marginals = [], blank }: PartAnswer): Snapshot {
  const { value, certificate } = logZ!;
  const certificates = [certificate, ...marginals.map((one) => one.certificate)];
  return {
    tensors: { p: Float64Array.from(marginals.flatMap(({ p }) => Array.from(p))) },
    state: {
      method,
      value: value > -Infinity ? value : null,
      certificates: certificates as unknown as Json[],
      ...(blank ? { blank } : {}),
    },
  };
}

/**
 * Restores an answer from a snapshot.
 *
 * @throws DataError if the snapshot does not fit variables with these numbers of states
 */
export function answerFrom(snapshot: Snapshot, cardinalities: readonly number[]): PartAnswer {
  const kept = new KeptPart("the best answer so far", snapshot);
  const [certificate, ...more] = kept.list("certificates", isCertificate) as unknown as Certificate[];
  if (!certificate || (more.length > 0 && more.length !== cardinalities.length)) kept.refuse("certificates are missing");
  const counts = more.length > 0 ? cardinalities : [];
  const all = kept.floats(
    "p",
    counts.reduce((sum, count) => sum + count, 0),
  );
  let at = 0;
  const marginals = counts.map((count, i) => ({ p: all.slice(at, (at += count)), certificate: more[i] }));
  const logZ = { value: kept.numberOr("value", -Infinity), certificate };
  const blank = kept.state.blank === true ? { blank: true } : {};
  return { method: String(kept.state.method), logZ, ...(marginals.length > 0 ? { marginals, ...blank } : {}) };
}
