import type { Algorithm, Model, Plan, Problem } from "../../engine/contract/index.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import type { Finding } from "../../engine/errors/finding.ts";
import { type Compared, meanOfBlocks, worseFindings } from "../../engine/errors/worse.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { SampledObjective } from "../descent/sampled-objective.ts";
import { givenLoss } from "./kinds/from-datasets.ts";

/** Parts of a training run, with its initial parameters if these are known. */
export interface Began {
  readonly problem: Problem;
  readonly plan: Plan;
  readonly engine: Engine;
  readonly algorithm: Algorithm;
  start?: Float64Array;
  /** Whether the run started from an earlier model. */
  isBegun?: boolean;
}

/** Number of row blocks and rows per block for the comparison of start and end. Larger data are sampled at random. */
const [BLOCKS, BLOCK_ROWS] = [16, 256];
/**
 * Tolerated relative increase of the loss if the run started from an earlier model. With a constant rate, a run ends
 * near the optimum, not exactly at it.
 */
const CONTINUED_SHARE = 0.1;
const LOSS = "the training loss, penalties included,";

/** Returns a note if a numeric target was read as classes although no loss asked for classes. */
export function readAsClasses<D>(given: D, prepared: D, model: Model<D>): Finding[] {
  const [{ target }, meant] = [given as unknown as Dataset, prepared as unknown as Dataset];
  if (target?.kind !== "number" || meant.target.kind !== "category" || givenLoss(model as never) !== undefined) return [];
  return [
    {
      code: "classes",
      serious: false,
      note: true,
      text: `the target "${target.name}" holds only ${meant.target.levels!.join(" and ")}, so it was read as two classes`,
      advice: 'to predict it as a number, give the model loss: "squared"',
    },
  ];
}

/**
 * Returns a finding if the training objective of descent is worse at the end than at the start. Other algorithms accept
 * no step that increases the objective.
 */
export function worseThanStart(began: Began, end: Float64Array): Finding[] {
  const { problem, algorithm, start, isBegun } = began;
  const { rowCount, lossUnit = 1 } = problem;
  if (!problem.rowGradient || !start || algorithm.name !== "gradientDescent") return [];
  const rows = Math.min(BLOCKS * BLOCK_ROWS, rowCount);
  const loss = lossOf(began, rows, rowCount);
  try {
    const at = (point: Float64Array): number => lossUnit * loss.at(point);
    const share = isBegun ? CONTINUED_SHARE : undefined;
    if (rows === rowCount) return worseFindings({ start: at(start), end: at(end), error: 0 }, LOSS, share);
    return worseFindings(compared(loss, start, end, BLOCK_ROWS, lossUnit), LOSS, share);
  } finally {
    loss.dispose();
  }
}

/**
 * Returns the same finding for a stream. The loss is measured on the stream's last rows, which are still in memory and
 * serve as a sample.
 */
export function worseThanStreamStart(
  began: Omit<Began, "algorithm">,
  { start, end, held }: { readonly start: Float64Array; readonly end: Float64Array; readonly held: number },
): Finding[] {
  const size = Math.floor(held / BLOCKS);
  if (size < 1) return [];
  const loss = lossOf(began, size * BLOCKS, size * BLOCKS);
  try {
    return worseFindings(
      compared(loss, start, end, size, began.problem.lossUnit ?? 1),
      `on the last ${size * BLOCKS} rows ${LOSS}`,
    );
  } finally {
    loss.dispose();
  }
}

const lossOf = ({ problem, plan, engine }: Omit<Began, "algorithm">, count: number, rowCount: number): SampledObjective =>
  new SampledObjective({ problem, target: problem.rowGradient!, plan }, engine, count, rowCount);

function compared(loss: SampledObjective, start: Float64Array, end: Float64Array, size: number, unit: number): Compared {
  const blocks = (point: Float64Array): number[] =>
    loss.blocks(point, size).map(({ mean }) => unit * (mean + loss.penaltyAt(point)));
  return meanOfBlocks(blocks(start), blocks(end));
}

/** Number of rows that are classified first, as a quick test. */
const FIRST_ROWS = 1000;

/** Returns a finding if every training row is classified correctly and the loss therefore has no minimum. */
export function separable<D>(problem: Problem, prepared: D, measure: (rows: D) => Record<string, number>): Finding[] {
  // At a loss of 0, `endless` depends only on the loss function and the penalties.
  if (problem.endless?.(0) === undefined) return [];
  const data = prepared as unknown as Dataset;
  const first = data.select(Array.from({ length: Math.min(FIRST_ROWS, data.rowCount) }, (_, row) => row));
  const { accuracy } = measure(first as unknown as D);
  first.dispose();
  if (accuracy < 1 || measure(prepared).accuracy < 1) return [];
  return [
    {
      code: "separable",
      serious: true,
      text: "every training row is classified correctly, and the loss falls without limit as the weights grow: no weights are the best, and their size depends on when the run ended",
      advice: "give the model l2, for instance linear({ l2: 0.001 })",
    },
  ];
}
