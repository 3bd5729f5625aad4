import type { Beginning, JsonObject, Model, Plan, Prepared, SavedModel } from "../../../engine/contract/index.ts";
import { type Dataset, refuseGaps } from "../../../engine/data/dataset.ts";
import { withDenseRows } from "../../../engine/data/dense-rows.ts";
import { forEachRow } from "../../../engine/data/rows.ts";
import { checkBoolean } from "../../../engine/errors/checks.ts";
import { CapabilityError, checkKeys, checkNumber } from "../../../engine/errors/errors.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import { log } from "../../../engine/numbers/log.ts";
import { stream } from "../../../engine/random/stream.ts";
import { checkUnit } from "../../../predict/boltzmann/machine.ts";
import { type ArrayParts, ArrayProblem } from "../array-problem.ts";
import { preparedAs } from "../beginning.ts";
import { begun } from "../begun.ts";
import { layOutMachine, type MachineFacts, machineProgram } from "./programs.ts";

/** Options of `boltzmannMachine`. */
export interface BoltzmannOptions {
  /** Number of hidden units, a whole number >= 1. */
  hidden: number;
  /** Sweeps of Gibbs sampling per update, a whole number >= 1. Default 1. */
  steps?: number;
  /**
   * Whether the chains continue from update to update (persistent contrastive divergence) instead of starting at the
   * rows of each batch. Default false.
   */
  persistent?: boolean;
  /** Strength of l1‖W‖₁, >= 0. Default 0. */
  l1?: number;
  /** Strength of l2/2‖W‖², >= 0. Default 0. */
  l2?: number;
}

/** A restricted Boltzmann machine as a model for `fit`. */
export interface BoltzmannModel extends Model<Dataset> {
  /** The options, as given. */
  readonly options: Readonly<BoltzmannOptions>;
}

const where = "boltzmannMachine";
/** Standard deviation of the initial weights (Hinton 2012). */
const INITIAL_DEVIATION = 0.01;

export function boltzmannModel(options: BoltzmannOptions, beginning?: Beginning): BoltzmannModel {
  checkKeys(where, options, ["hidden", "steps", "persistent", "l1", "l2"]);
  const { hidden, steps = 1, persistent = false, l1 = 0, l2 = 0 } = options;
  checkNumber(where, "hidden", hidden, { low: 1, integer: true });
  checkNumber(where, "steps", steps, { low: 1, integer: true });
  checkBoolean(where, "persistent", persistent);
  checkNumber(where, "l1", l1, { low: 0 });
  checkNumber(where, "l2", l2, { low: 0 });
  return {
    name: where,
    options,
    toJSON: () => ({ model: where, ...(options as unknown as JsonObject) }),
    prepare: (data, { precision }) =>
      beginning?.description ? preparedAs(data, beginning.description, precision.data) : prepare(data, precision.data),
    bind: (prepared, plan, engine) => bind({ hidden, steps, persistent, l1, l2 }, prepared, plan, engine, beginning),
    save: (prepared, parameters) => save({ hidden, steps, persistent, l1, l2 }, prepared, parameters),
    startingAt: (other) => boltzmannModel(options, other),
  };
}

function prepare(data: Dataset, type: Plan["precision"]["data"]): Prepared<Dataset> {
  refuseGaps(where, data);
  const dense = withDenseRows(data);
  const dispose = (): void => {
    if (dense !== data) dense.dispose();
  };
  return { dataset: dense.as(type), dispose, [Symbol.dispose]: dispose };
}

function bind(
  { hidden, steps, persistent, l1, l2 }: Required<BoltzmannOptions>,
  data: Dataset,
  plan: Plan,
  engine: Engine,
  beginning: Beginning | undefined,
): ArrayProblem {
  refuseShared(persistent, plan);
  const logOdds = logOddsOf(data);
  // With batch: "all", persistent chains are refused by ArrayProblem.
  const chains = persistent && plan.batch !== "all" ? plan.batch : 0;
  const facts: MachineFacts = { visible: data.columnCount, hidden, steps, chains };
  const layout = layOutMachine(facts);
  const parts: ArrayParts = {
    ...{ name: where, layout, l1, l2, rates: {}, outputs: 0 },
    draws: true,
    lossUnit: 1,
    target: new Float64Array(data.rowCount),
    weights: data.weights ?? undefined,
    ...(persistent ? { batchesFor: "the number of persistent chains is the number of rows in a batch" } : {}),
    update: (batch, precision) => machineProgram(facts, batch, precision, layout),
    loss: (batch, precision) => {
      const program = machineProgram(facts, batch, precision, layout);
      return { ...program, name: "boltzmannMachine loss", outputs: program.outputs.slice(0, 1) };
    },
    start: () => {
      const all = new Float64Array(layout.count);
      const [weight, visibleBias] = layout.parameters;
      const draws = stream(plan.seed, where, "weight").at(0);
      for (let k = 0; k < weight.size; k++) all[weight.offset + k] = INITIAL_DEVIATION * draws.normal();
      all.set(logOdds, visibleBias.offset);
      // States of chains are not kept in files.
      return beginning ? begun(beginning, { ...layout, states: [] }, all) : all;
    },
  };
  return new ArrayProblem(data, plan, engine, parts);
}

/** @throws CapabilityError for replicas or racing workers with persistent chains, which have no mean */
function refuseShared(persistent: boolean, { replicas, workers }: Plan): void {
  const lanes = replicas === "shared" ? workers : replicas;
  if (!persistent || lanes === 1) return;
  throw new CapabilityError(
    where,
    `${lanes} lanes were asked for (replicas is ${JSON.stringify(replicas)}), but states of persistent chains cannot be averaged or shared; leave replicas out, or use persistent: false`,
    "PLAN_MEANING",
  );
}

/**
 * Returns the log-odds of each column's mean, with one row of ½ added so that they are finite. They are the initial
 * visible biases, and the base machine of annealed importance sampling.
 * @throws DataError for a value outside [0, 1]
 */
function logOddsOf(data: Dataset): Float64Array {
  const sums = new Float64Array(data.columnCount).fill(0.5);
  forEachRow(data.rows(), ({ values, columns, count }, row) => {
    for (let k = 0; k < count; k++) {
      const column = columns ? columns[k] : k;
      checkUnit(values[k], data.source, row, data.names[column]);
      sums[column] += values[k];
    }
  });
  return sums.map((sum) => log(sum / (data.rowCount + 1 - sum)));
}

function save(options: Required<BoltzmannOptions>, data: Dataset, parameters: Float64Array): SavedModel {
  const { columnCount: visible } = data;
  const { hidden } = options;
  const layout = layOutMachine({ visible, hidden, steps: 1, chains: 0 });
  const tensors = Object.fromEntries(
    layout.parameters.map(({ path, offset, size }) => [path, Float64Array.from(parameters.subarray(offset, offset + size))]),
  );
  return {
    kind: where,
    description: {
      model: { model: where, ...(options as unknown as JsonObject) },
      ...{ visible, hidden },
      pipeline: data.pipeline.toJSON() as JsonObject[string],
    },
    tensors: { ...tensors, base: logOddsOf(data) },
  };
}
