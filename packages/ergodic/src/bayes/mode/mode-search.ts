import { ErgodicError } from "../../engine/errors/errors.ts";
import { worseFindings } from "../../engine/errors/worse.ts";
import type { RunSummary } from "../../engine/loop/run.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { fullDescent } from "../../engine/optimise/full.ts";
import type { Rule } from "../../engine/optimise/kinds.ts";
import type { FullObjective } from "../../engine/optimise/objective.ts";
import { stream } from "../../engine/random/stream.ts";
import type { Border } from "../approximate/border.ts";
import { scalarName } from "../draws/series.ts";
import type { FoundMode } from "./found-mode.ts";
import type { ModeOptions } from "./mode-options.ts";
import { ModeStarts, OwnAscent, RuleAscent, type Verdict } from "./mode-starts.ts";
import type { ModeTarget } from "./mode-target.ts";

const STARTS = 8;
/** Maximum number of random points, as a multiple of the number of starts. */
const TRIES = 100;

/**
 * Search for a posterior's mode (mode.ts). The objective is the density of the constrained values. `found` makes the
 * result when the search ends.
 */
export interface ModeSearch {
  readonly search: ModeStarts;
  found(u: Float64Array, run: RunSummary): FoundMode;
}

export function openSearch(
  target: ModeTarget,
  { starts = STARTS, seed = 0, deterministic = false }: ModeOptions,
  rule: Exclude<Rule, { kind: "search" }> | undefined,
  engine: Engine,
): ModeSearch {
  const objective = new ModeObjective(target);
  const said = (verdict: Verdict): string => describe(verdict, objective);
  const points = target.start ? [target.start] : objective.somewhere(seed, starts);
  const f = (u: Float64Array, gradient: Float64Array | null): number => objective.evaluate(u, gradient);
  const { borders } = objective;
  const plan = { penalty: undefined, precision: "f64", workers: 1, deterministic } as const;
  const runs = rule ? points.map((u) => fullDescent({ ...plan, rule, objective: objective.from(u) }, engine)) : [];
  const ascents = points.map((u, k) => (rule ? new RuleAscent(f, runs[k], borders) : new OwnAscent(f, u, borders)));
  const search = new ModeStarts(ascents, said, () => {
    for (const run of runs) run.dispose();
    objective.dispose();
  });
  const found = (u: Float64Array, run: RunSummary): FoundMode => {
    const gradient = new Float64Array(objective.count);
    const logDensity = -objective.evaluate(u, gradient);
    const gradientNorm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
    const verdict = search.verdict();
    const { converged, left, spread } = verdict;
    const unbounded = objective.names(verdict.unbounded);
    const ending = said(verdict);
    // If the search ran to completion, the reason is the verdict. Once the best start has converged, other starts that
    // are still running do not change the reason.
    const reason = run.reason === ending || converged ? ending : `${run.reason}; ${ending}`;
    const begun = Math.min(...points.map((point) => objective.evaluate(point, null)));
    const findings = worseFindings({ start: begun, end: -logDensity, error: 0 }, "−log density", 0);
    return { u, logDensity, gradientNorm, converged, left, spread, unbounded, reason, run: { ...run, reason, findings } };
  };
  return { search, found };
}

/** Describes why a search ended, and how closely its starts agree. */
function describe({ best, converged, left, unbounded, spread }: Verdict, objective: ModeObjective): string {
  const { count, near, lowest } = spread;
  const everywhere = spread.unbounded > 0 && !converged;
  const parts: string[] = [];
  if (converged) parts.push("converged");
  else if (!everywhere && Number.isFinite(left))
    parts.push(`not converged: the log density can still rise by about ${left.toPrecision(2)} nats`);
  else if (!everywhere) parts.push(best.ended ? "not converged: no move raises the log density further" : "not converged");
  const names = objective.names(unbounded);
  if (names.length > 0) {
    const run = names.length > 1 ? `${names.join(", ")} run to their borders` : `${names[0]} runs to its border`;
    const from = spread.unbounded < count ? `, from ${spread.unbounded} of ${count} starts` : "";
    parts.push(`unbounded: the log density grows without limit as ${run}${from}`);
  }
  if (near < count && !everywhere) {
    const below = (-best.loss - lowest).toPrecision(3);
    parts.push(`${near} of ${count} starts ended within 0.1 nats of the best, and the lowest was ${below} nats below it`);
  }
  return parts.join("; ");
}

class ModeObjective {
  readonly count: number;
  private readonly target: ModeTarget;
  /** Borders that a constrained value approaches as one unconstrained number goes to ±∞. */
  readonly borders: readonly Border[];

  constructor(target: ModeTarget) {
    this.target = target;
    this.count = target.dimension;
    this.borders = target.places.flatMap(({ transform, offset, size }) => {
      const both = transform === "interval";
      if (!both && !["positive", "lower", "upper"].includes(transform)) return [];
      const sides = both ? ([-1, 1] as const) : ([-1] as const);
      return Array.from({ length: size }, (_, i) => sides.map((side): Border => ({ at: offset + i, side }))).flat();
    });
  }

  /** Returns −log density. Returns ∞ if the density or its gradient is not finite, so that line searches turn back. */
  evaluate(u: Float64Array, gradient: Float64Array | null): number {
    const at = this.target.evaluate(u);
    if (gradient) for (let i = 0; i < gradient.length; i++) gradient[i] = -at.gradient[i];
    return Number.isFinite(at.value) && at.gradient.every(Number.isFinite) ? -at.value : Infinity;
  }

  /** Objective for a rule that begins at u. */
  from(start: Float64Array): FullObjective {
    const evaluate = (u: Float64Array, gradient: Float64Array | null): number => this.evaluate(u, gradient);
    const evaluateOnWorkers = async (u: Float64Array, gradient: Float64Array): Promise<number> => this.evaluate(u, gradient);
    return { rows: 1, count: this.count, start, evaluate, evaluateOnWorkers, dispose() {} };
  }

  /** Returns unique names of parameters as in tables of draws: `tau`, `sigma[2]`, `L[2,1]`, counted from 1. */
  names(borders: readonly Border[]): string[] {
    const named = borders.map(({ at }) => {
      const { name, offset, shape } = this.target.places.findLast((place) => place.offset <= at)!;
      return scalarName(name, shape, at - offset);
    });
    return [...new Set(named)];
  }

  somewhere(seed: number, count: number): Float64Array[] {
    const starts = stream(seed, "mode", "start");
    const tried: Float64Array[] = [];
    const found: Float64Array[] = [];
    for (let attempt = 0; attempt < TRIES * count && found.length < count; attempt++) {
      if (attempt === TRIES && found.length === 0) break;
      const draws = starts.at(attempt);
      const u = Float64Array.from({ length: this.count }, () => 4 * draws.uniform() - 2);
      tried.push(u);
      const { value, gradient } = this.target.evaluate(u);
      if (Number.isFinite(value) && gradient.every(Number.isFinite)) found.push(u);
    }
    if (found.length > 0) return found;
    const reason = this.target.explain?.(tried);
    throw new ErgodicError(
      "fit",
      `${TRIES} random points in (-2, 2) have no finite log density and gradient${reason ? `: ${reason}` : ""}; give start, or check the model's supports`,
      "SAMPLE_START",
    );
  }

  dispose(): void {
    this.target.dispose();
  }
}
