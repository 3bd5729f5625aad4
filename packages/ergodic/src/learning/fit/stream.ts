import type { PredictionKind } from "../../engine/contract/index.ts";
import { checkSignal } from "../../engine/errors/checks.ts";
import { trainedNames } from "../../engine/loop/result-names.ts";
import { Run } from "../../engine/loop/run.ts";
import { later } from "../../engine/threads/later.ts";
import type { NetworkPredictor } from "../../predict/network.ts";
import type { LinearModel } from "../models/linear/linear.ts";
import type { NetworkModel } from "../models/neural/network.ts";
import type { Fitted, Trained } from "./launch.ts";
import type { Blocks, StreamOptions } from "./stream-types.ts";

type FittedNetwork<K extends PredictionKind> = NetworkPredictor<K> & Trained;

function begin<K extends PredictionKind>(model: LinearModel<K>, blocks: Blocks, options?: StreamOptions): Run<Fitted<K>>;
function begin<K extends PredictionKind>(model: NetworkModel<K>, blocks: Blocks, options?: StreamOptions): Run<FittedNetwork<K>>;
function begin(model: unknown, blocks: Blocks, options: StreamOptions = {}): Run<object> {
  return run(options?.signal, ({ begun }) => begun(model, blocks, options)) as Run<never>;
}

/**
 * `fit.stream.resume(checkpoint, blocks)`: continues a stream from its checkpoint, bit for bit. `blocks`: the same
 * blocks from the start; rows that were already learnt are skipped.
 */
function resume<P extends Fitted | FittedNetwork<PredictionKind> = Fitted>(
  checkpoint: string | Uint8Array | Blob,
  blocks: Blocks,
  options: Pick<StreamOptions, "until" | "signal"> = {},
): Run<P> {
  return run(options?.signal, ({ resumed }) => resumed(checkpoint, blocks, options)) as Run<object> as Run<P>;
}

type Streaming = typeof import("../online/streaming.ts");
type Learning = Awaited<ReturnType<Streaming["begun"]>>;

function run(signal: AbortSignal | undefined, make: (streaming: Streaming) => Promise<Learning>): Run<object> {
  checkSignal("fit.stream", signal);
  let learning: Learning;
  return new Run<object>({
    resultNames: trainedNames(),
    signal,
    // Updates that failed have been rolled back.
    survivesFailure: true,
    start: async () => {
      learning = await make(await later(() => import("../online/streaming.ts")));
      return learning.started;
    },
    finish: (_, summary) => learning.finish(summary),
    keep: (snapshot, loop) => learning.keep(snapshot, loop),
  });
}

/**
 * Trains a linear model or a network on blocks of rows that arrive one after another. Each row is used once, in order.
 * Streams suit data that do not fit into memory or never end.
 *
 * Each row is predicted before it is learnt. `tick.loss` is the mean loss since the last tick. At the end of a block,
 * `tick.validation` has the loss of the block's rows, and their accuracy or their rmse and mae. `run.report` and ticks
 * contain the number of `rows` and `blocks` so far.
 * The updates are the same as in `fit` with schedule: "ordered" and deterministic: true, except that the last batch of
 * a block can be smaller. The encoding of rows (levels, means and scales of standardised columns, imputed values) is
 * learnt from the first block alone. Rows of weight 0 change nothing. Only one block is in memory at a time.
 * A run ends after the last block, at a limit of `until`, on `stop()`, or when its signal aborts. `checkpoint()` saves
 * it, and `fit.stream.resume(checkpoint, blocks)` continues.
 *
 * @throws DataError for blocks that do not match the first one, or if there are no rows; CapabilityError, OptionError
 *
 * @example
 * ```ts
 * const model = await fit.stream(linear(), blocks("big.csv"), { table: { target: "income" } });   // blocks() of the ingest package
 * const run = fit.stream(linear(), source, { rule: adagrad({ rate: 0.1 }) });                     // any (async) iterable of datasets or tables
 * for await (const tick of run) console.log(tick.rows, tick.validation?.loss);
 * ```
 */
export const stream = Object.assign(begin, { resume });
