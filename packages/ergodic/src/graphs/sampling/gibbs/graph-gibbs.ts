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
   * The order of visits: "chromatic" (default): variables that share no factor at the same time, exact; "blocks": trees, small junction trees and variables
   * that zeros link each at once, from their joint distribution; "sequential": one after another; "random": each drawn at random; "hogwild": workers race, biased.
   */
  schedule?: keyof typeof schedules;
  /** Independent chains. Default 4; from 2 to 256. */
  chains?: number;
  /** Sweeps of each chain before anything is kept, ten times as many as where chains begin `from` an earlier answer, untempered. Default 200; >= 0. */
  warmup?: number;
  /** Sweeps of each chain that are kept, at most. Default 20000; >= 100. */
  sweeps?: number;
  /** It ends once the standard error of every probability is at most this. Default 0.003; > 0. */
  mcse?: number;
  /** Parallel tempering: copies of each chain at powers of p, which trade states. Default false; true: powers are found while it warms up. Not with "hogwild". */
  tempered?: boolean | GraphTemperingOptions;
}

const absent = {
  batch: "a sweep draws each variable given all of its factors",
  precision: "weights are float64; replicaGibbs() packs the states of its replicas into bits",
  replicas: "give chains: 8, or take replicaGibbs({ replicas: 128 })",
};
/**
 * Gibbs sampling over a graph: sweep after sweep each variable is drawn from its distribution given all others, p(x_i | x_−i) ∝ Π_f φ_f(x). Marginals
 * are means of these conditional probabilities (Rao-Blackwell), not of states. What of each is kept is a total and a sum of squares over batches of
 * sweeps, never states.
 *
 * One chain begins with all variables in their first state, one with all in their last, the others at random, and a third one searches for a probable
 * state first: where all end up alike, this is not for having begun alike. The certificate is { mcse, rhat, ess }: the standard error from batches or
 * from the chains' means, the larger one; or none, and why: the chains disagree or are too short, the variable or a neighbour never changed in any of
 * them, changes of single variables may not reach all states (parts/ergodicity.ts), or scouts, short chains from other starts, are in states that
 * these chains never visit (scouts.ts). `tempered` chains trade states with copies at powers of p
 * (tempered-chains.ts), for graphs with several modes; while they warm up they do as others, so that it is known what these find. Chains that begin `from` an
 * earlier answer may end after 100 sweeps instead of 1000: their variances are known from before, and only whether their means agree with these is
 * asked. Task: "marginals". Sources: Geman and Geman 1984; Gelfand and Smith 1990 for Rao-Blackwell; Gonzalez, Low, Gretton and Guestrin 2011 for
 * colours; Geyer 1991.
 *
 * @throws CapabilityError for variables of more than 256 states, and for workers that would race in a deterministic run
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
        'schedule is "hogwild" and tempered is given, but states of chains that race are no draws to be traded; take "chromatic"',
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
