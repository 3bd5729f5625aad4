import type { Certificate, Conditionals, EndedChains, FactorTables, JsonObject } from "../../engine/contract/index.ts";
import { Pauses } from "../../engine/threads/steps.ts";
import { type AnswerContent, certifiedSum, refuseImpossible } from "../answers/index.ts";
import type { InferenceTask } from "../parts/algorithm.ts";
import type { Reduction } from "../parts/reduction.ts";
import type { FoundPart } from "./inference.ts";

/** Combines the answers of the parts into one answer about the graph. Yields every few milliseconds. */
export function* wholeAnswer(
  graph: FactorTables | Conditionals,
  task: InferenceTask,
  reduction: Reduction,
  parts: readonly FoundPart[],
  description: JsonObject,
): Generator<void, AnswerContent> {
  const { variableCount } = graph;
  const impossible =
    reduction.scale === -Infinity ||
    parts.some(({ answer }) => answer.logZ?.value === -Infinity || answer.map?.bound === -Infinity);
  const base = {
    task,
    variableCount,
    name: (variable: number) => graph.name(variable),
    state: (variable: number, state: number) => graph.state(variable, state),
    method: methodOf(parts, impossible),
    description,
  };
  if (impossible && task !== "partition") return refuseImpossible(task);
  if (impossible) return { ...base, logZ: { value: -Infinity, certificate: { exact: true } } };
  const scale = { value: reduction.scale, certificate: { exact: true } } as const;
  if (task === "map") {
    const states = Int32Array.from(reduction.states.slice(0, variableCount), (left) => left[0]);
    let [value, bound] = [reduction.scale, reduction.scale];
    for (const { variables, states: left, answer } of parts) {
      const map = answer.map!;
      value += map.value;
      bound += map.bound ?? Infinity;
      map.states.forEach((state, i) => {
        if (variables[i] < variableCount) states[variables[i]] = left[i][state];
      });
    }
    return { ...base, map: { states, value, bound } };
  }
  const sums = parts.map(({ answer }) => answer.logZ);
  const logZ = sums.every((sum) => sum !== undefined) ? certifiedSum([scale, ...sums]) : undefined;
  if (task === "partition") return { ...base, logZ: logZ! };
  const pauses = new Pauses();
  const marginals: { p: Float64Array; certificate: Certificate }[] = [];
  for (let variable = 0; variable < variableCount; variable++) {
    if (pauses.due()) yield;
    const left = reduction.states[variable];
    const p = spread(
      graph.cardinalities[variable],
      left,
      left.map(() => 1 / left.length),
    );
    marginals.push({ p, certificate: { exact: true } });
  }
  for (const { variables, states, answer } of parts)
    for (const [i, { p, certificate }] of answer.marginals!.entries()) {
      if (pauses.due()) yield;
      if (variables[i] >= variableCount) continue;
      const count = graph.cardinalities[variables[i]];
      marginals[variables[i]] = { p: spread(count, states[i], p), certificate: spreadCertificate(certificate, count, states[i]) };
    }
  const chains = yield* wholeChains(graph.cardinalities.slice(0, variableCount), parts);
  return { ...base, marginals, ...(logZ ? { logZ } : {}), ...(chains ? { chains } : {}) };
}

/** Combines the final chain states of all parts that have chains. The states are indexed by the graph's variables. */
function* wholeChains(cardinalities: Uint32Array, parts: readonly FoundPart[]): Generator<void, EndedChains | undefined> {
  const drawn = parts.flatMap(({ answer, ...part }) => (answer.chains ? [{ ...part, chains: answer.chains }] : []));
  if (drawn.length === 0) return undefined;
  const count = cardinalities.length;
  const least = Math.min(...drawn.map(({ chains }) => chains.states.length));
  const states = Array.from({ length: least }, () => new Int16Array(count).fill(-1));
  const variances = new Float64Array(count).fill(NaN);
  let [sweeps, kept] = [0, Infinity];
  const pauses = new Pauses();
  for (const { variables, states: left, chains } of drawn) {
    sweeps = Math.max(sweeps, chains.sweeps);
    kept = Math.min(kept, chains.kept);
    for (const [i, variable] of variables.entries()) {
      if (pauses.due(least)) yield;
      if (variable >= count) continue;
      variances[variable] = chains.variances[i];
      for (let c = 0; c < least; c++) states[c][variable] = left[i][chains.states[c][i]];
    }
  }
  return { states, variances, cardinalities, sweeps, kept };
}

/** Expands values of a variable's remaining states to all states of the variable. */
function spread(count: number, left: readonly number[], values: ArrayLike<number>, otherwise = 0): Float64Array {
  const all = new Float64Array(count).fill(otherwise);
  left.forEach((state, i) => {
    all[state] = values[i];
  });
  return all;
}

function spreadCertificate(certificate: Certificate, count: number, left: readonly number[]): Certificate {
  const all = (values: number | readonly number[]): number[] => Array.from(spread(count, left, values as readonly number[]));
  if ("lower" in certificate) return { lower: all(certificate.lower), upper: all(certificate.upper) };
  if ("mcse" in certificate) return { ...certificate, mcse: all(certificate.mcse) };
  if ("interval" in certificate) {
    const intervals = certificate.interval as readonly (readonly [number, number])[];
    const [low, high] = [all(intervals.map(([from]) => from)), all(intervals.map(([, to]) => to))];
    return { interval: low.map((from, state) => [from, high[state]] as const), level: certificate.level };
  }
  return certificate;
}

/** Parts that use the same method are mentioned once, together with their number. */
function methodOf(parts: readonly FoundPart[], impossible: boolean): string {
  if (impossible) return "zeros: no state is possible";
  const methods = new Map<string, number>();
  for (const { answer } of parts) methods.set(answer.method, (methods.get(answer.method) ?? 0) + 1);
  const said = [...methods].slice(0, 3).map(([method, count]) => (count > 1 ? `${method} (${count} such parts)` : method));
  if (methods.size > 3) said.push(`… (${parts.length} parts)`);
  return said.join("; ") || "evidence and zeros determine every variable";
}
