import { OptionError } from "../../../engine/errors/errors.ts";
import { declare } from "../../../engine/errors/options.ts";
import type { InferenceAlgorithm } from "../../parts/algorithm.ts";
import { LogTables } from "../../parts/log-tables.ts";
import { tableColumns } from "../../parts/table-columns.ts";
import { ofVariables } from "./earlier.ts";
import { GraphGibbsRun, schedules } from "./graph-gibbs-run.ts";
import { type GraphTemperingOptions, temperedOf } from "./tempered-chains.ts";

/** Options of `graphGibbs`. */
export interface GraphGibbsOptions {
  /**
   * Visiting order. "chromatic" (default): variables without a common factor are drawn simultaneously, which is exact.
   * "blocks": trees, small junction trees and variables linked by zeros are each drawn jointly. "sequential": one
   * variable after another. "random": each visit draws a random variable. "hogwild": workers race; biased.
   */
  schedule?: keyof typeof schedules;
  /** Number of independent chains. Default 4; from 2 to 256. */
  chains?: number;
  /**
   * Number of warm-up sweeps per chain. Default 200; >= 0. Chains that start `from` an earlier answer need only a tenth
   * of these sweeps, unless they are tempered.
   */
  warmup?: number;
  /** Maximum number of sweeps per chain after warm-up. Default 20000; >= 100. */
  sweeps?: number;
  /** Standard error at which the run ends. Every probability must reach this error. Default 0.003; > 0. */
  mcse?: number;
  /**
   * Parallel tempering: each chain exchanges states with copies at powers of p. Default false. With true, the powers
   * are adapted during the warm-up. Cannot be combined with "hogwild".
   */
  tempered?: boolean | GraphTemperingOptions;
}

const absent = {
  batch: "a sweep draws each variable given all of its factors",
  precision: "weights are float64; replicaGibbs() packs the states of its replicas into bits",
  replicas: "give chains: 8, or use replicaGibbs({ replicas: 128 })",
};
/**
 * Gibbs sampling over a graph: in each sweep, every variable is drawn from its distribution given all others, p(x_i |
 * x_−i) ∝ Π_f φ_f(x). Marginals are means of these conditional probabilities, not of states (Rao-Blackwell). Only
 * totals and sums of squares over batches of sweeps are stored, never states.
 *
 * The chains start differently, so that agreement between them is meaningful. One chain starts with all variables in
 * their first state, one with all variables in their last state, and the others at random. The third chain first
 * searches for a probable state.
 *
 * The certificate is { mcse, rhat, ess }. The standard error is the larger of two estimates, from batches and from the
 * chains' means. In these cases it is none and states the reason:
 *
 * - The chains disagree or are too short.
 * - The variable or a neighbour never changed in any chain.
 * - Changes of single variables might not lead to all states (parts/ergodicity.ts).
 * - Scouts (short chains from other starts) have reached states that these chains never visit (scouts.ts).
 *
 * `tempered` chains exchange states with copies at powers of p (tempered-chains.ts), for graphs with several modes.
 * During the warm-up the chains at power 1 run without exchanges, to learn which states plain chains find. Chains that
 * start `from` an earlier answer may end after 100 sweeps instead of 1000. Their variances are already known, so only
 * the agreement of their means is checked. Task: "marginals". Sources: Geman and Geman 1984; Gelfand and Smith 1990 for
 * Rao-Blackwell; Gonzalez, Low, Gretton and Guestrin 2011 for colours; Geyer 1991.
 *
 * @throws CapabilityError if a variable has more than 256 states, or if workers would race in a deterministic run
 */
export const graphGibbs = /* @__PURE__ */ declare<GraphGibbsOptions, InferenceAlgorithm>(
  {
    name: "graphGibbs",
    options: {
      schedule: Object.keys(schedules),
      chains: { low: 2, high: 256, integer: true },
      warmup: { low: 0, integer: true },
      sweeps: { low: 100, integer: true },
      mcse: { low: 0, open: true },
      tempered: "own",
    },
    absent,
  },
  (options) => {
    const { schedule = "chromatic", chains = 4, warmup = 200, sweeps = 20000, mcse = 0.003 } = options;
    const tempered = temperedOf("graphGibbs", options.tempered ?? false);
    if (tempered && schedule === "hogwild")
      throw new OptionError(
        "graphGibbs",
        'schedule is "hogwild" and tempered is given, but chains that race do not give draws that could be swapped; use "chromatic"',
        "OPTION_CONFLICT",
      );
    const numbers = { schedule, chains, warmup, sweeps, mcse };
    const given = { ...numbers, tempered };
    return {
      name: "graphGibbs",
      verb: "infer",
      tasks: ["marginals"],
      toJSON: () => ({ algorithm: "graphGibbs", ...numbers, ...(tempered ? { tempered: tempered.json } : {}) }),
      prepare: LogTables.making,
      start: (part, plan, engine) => {
        const tables = LogTables.of(part);
        const from = plan.from && !tables.zeros ? ofVariables(plan.from, part.variables, part.states) : undefined;
        const zeros = tables.zeros ? { part, tables } : undefined;
        return new GraphGibbsRun(tableColumns(tables), plan, engine, given, from, zeros);
      },
      startWhole: (columns, plan, engine) =>
        new GraphGibbsRun(columns, plan, engine, given, plan.from && ofVariables(plan.from, columns.cardinalities.keys())),
    };
  },
);
