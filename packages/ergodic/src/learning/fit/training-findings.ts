import type { Algorithm, Plan, Problem } from "../../engine/contract/index.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import type { Finding } from "../../engine/errors/finding.ts";
import { type Compared, meanOfBlocks, worseFindings } from "../../engine/errors/worse.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { TrialLoss } from "../descent/trial-loss.ts";

/** What a run of training was made of, and where it began, if that is known. */
export interface Began {
  readonly problem: Problem;
  readonly plan: Plan;
  readonly engine: Engine;
  readonly algorithm: Algorithm;
  start?: Float64Array;
  /** It began at an earlier model. */
  isBegun?: boolean;
}

/** Blocks of rows, and rows in each, by which the start and the end are compared: drawn at random from more rows, or all of them. */
const [BLOCKS, BLOCK_ROWS] = [16, 256];
/** Share of the loss by which a run that begins at an earlier model may end above it: with a constant rate it ends near the optimum, not at it. */
const CONTINUED_SHARE = 0.1;
const LOSS = "the training loss, penalties included,";

/** A finding if the training objective of descent is worse at the end than at the start. Other algorithms accept no step that raises it. */
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

/** The same of rows that come once: on the last ones, which the problem still holds in front. Of others there may be in the stream they are a sample. */
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

const lossOf = ({ problem, plan, engine }: Omit<Began, "algorithm">, count: number, rowCount: number): TrialLoss =>
  new TrialLoss({ problem, target: problem.rowGradient!, plan }, engine, count, rowCount);

function compared(loss: TrialLoss, start: Float64Array, end: Float64Array, size: number, unit: number): Compared {
  const blocks = (point: Float64Array): number[] =>
    loss.blocks(point, size).map(({ mean }) => unit * (mean + loss.penaltyAt(point)));
  return meanOfBlocks(blocks(start), blocks(end));
}

/** Rows that are classified before all others are. */
const FIRST_ROWS = 1000;

/** A finding if every training row is classified rightly by a model whose loss then has no minimum. */
export function separable<D>(problem: Problem, prepared: D, measure: (rows: D) => Record<string, number>): Finding[] {
  // What it says of a loss of 0 depends on the loss function and the penalties alone.
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
      text: "every training row is classified rightly, and the loss falls without end as the weights grow: no weights are the best, and how large these are depends on when the run ended",
      advice: "give the model l2, for instance linear({ l2: 0.001 })",
    },
  ];
}
