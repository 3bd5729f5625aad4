/**
 * minimize(target, x0, { algorithm: coordinateDescent() }): minimises a user-defined target, one coordinate at a time.
 * `target` is made by coordinateTarget(), or is a plain function of x. If the target is a plain function, its slopes
 * are estimated from its values. The run ends at the algorithm's `tolerance`, or at the limits of `epochs` or `until`.
 *
 * @throws OptionError, CapabilityError when something does not fit; errors of the target's functions; the reason of an
 * aborted `signal`
 */

import type { JsonObject } from "../../engine/contract/index.ts";
import { checkNumbers, checkSignal } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber } from "../../engine/errors/errors.ts";
import { worseFindings } from "../../engine/errors/worse.ts";
import {
  type Checkpoint,
  checkpointBytes,
  fromCheckpoint,
  readCheckpointOf,
  refuseOtherValue,
} from "../../engine/loop/checkpoint.ts";
import { isNumber, KeptPart } from "../../engine/loop/kept-part.ts";
import { resolvePlan } from "../../engine/loop/plan.ts";
import { minimumNames } from "../../engine/loop/result-names.ts";
import { Run, type RunSummary } from "../../engine/loop/run.ts";
import { resolveStopping, type Until } from "../../engine/loop/stopping.ts";
import { openEngine } from "../../engine/memory/engine.ts";
import type { CoordinateTarget } from "../../engine/optimise/coordinates/coordinate-target.ts";
import {
  type CoordinateDescent,
  coordinateOptionsFrom,
  descendCoordinates,
} from "../../engine/optimise/coordinates/descend-coordinates.ts";
import { coordinateProblem } from "../../engine/optimise/coordinates/target.ts";

/** Options of `minimize` by coordinate descent. */
export interface MinimizeCoordinatesOptions {
  /** Algorithm: coordinateDescent(), with its options. */
  algorithm: CoordinateDescent;
  /** Maximum number of epochs. An epoch consists of as many moves as there are coordinates. Default 1000; > 0. */
  epochs?: number;
  /** Limits of the run: epochs, updates, seconds or tolerance, whichever is reached first. */
  until?: Until;
  /** Seed of random picks. Default 0; a whole number >= 0. */
  seed?: number;
  /** Signal that aborts the run. */
  signal?: AbortSignal;
}

/** Result of a coordinate descent. */
export interface CoordinateMinimum {
  /** Point at which the run ended. */
  x: Float64Array;
  /** F(x). */
  value: number;
  /** Reason why the run stopped. */
  reason: string;
  /** Algorithm as JSON. */
  algorithm: JsonObject;
  /** Summary of the run. */
  run: RunSummary;
}

/** Options that a resumed run can change. */
export interface CoordinateResumeOptions {
  /** Limits of the run: epochs, updates, seconds or tolerance, whichever is reached first. */
  until?: Until;
  /** Signal that aborts the run. */
  signal?: AbortSignal;
}

export type CoordinateFunction = CoordinateTarget | ((x: Float64Array) => number);

export const isCoordinateDescent = (algorithm: { name: string } | undefined): algorithm is CoordinateDescent =>
  algorithm?.name === "coordinateDescent";

export function minimizeCoordinates(
  target: CoordinateFunction,
  x0: ArrayLike<number>,
  options: MinimizeCoordinatesOptions,
): Run<CoordinateMinimum> {
  checkKeys("minimize", options, ["algorithm", "epochs", "until", "seed", "signal"]);
  const { algorithm, epochs, until, seed, signal } = options;
  checkSignal("minimize", signal);
  checkNumbers("minimize", "x0", x0);
  if (seed !== undefined) checkNumber("minimize", "seed", seed, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true });
  const stopping = resolveStopping(
    "minimize",
    { epochs: epochs ?? (until === undefined ? algorithm.defaults?.epochs : undefined), until },
    false,
  );
  return launch(target, signal, async () => ({ algorithm, x0: Array.from(x0), until: stopping.until, seed: seed ?? 0 }));
}

/** Continues from a checkpoint of such a run, bit for bit; `target` must be the same. */
export function resumeCoordinates(
  from: string | Uint8Array | Blob,
  target: CoordinateTarget,
  options: CoordinateResumeOptions = {},
): Run<CoordinateMinimum> {
  checkKeys("minimize.resume", options, ["until", "signal"]);
  checkSignal("minimize.resume", options.signal);
  return launch(target, options.signal, async () => {
    const { checkpoint, kept } = await readCheckpointOf(from, "coordinates");
    return fromCheckpoint((): Recipe => {
      const part = new KeptPart("the descent", { tensors: {}, state: kept });
      const { until } = resolveStopping("minimize.resume", { until: options.until ?? (part.object("until") as Until) }, false);
      return {
        algorithm: descendCoordinates(coordinateOptionsFrom(part.object("algorithm"))),
        x0: part.list("x0", isNumber),
        until,
        seed: part.count("seed"),
        // Checkpoints of earlier versions lack the value.
        ...(kept.value === undefined ? {} : { value: part.number("value") }),
        checkpoint,
      };
    });
  });
}

/** Everything that is needed to make a run, except the functions of the target. */
interface Recipe {
  algorithm: CoordinateDescent;
  x0: number[];
  until: Until;
  seed: number;
  /** Value of the target at x0 when the checkpoint was made. */
  value?: number;
  checkpoint?: Checkpoint;
}

function launch(
  target: CoordinateFunction,
  signal: AbortSignal | undefined,
  read: () => Promise<Recipe>,
): Run<CoordinateMinimum> {
  let json: JsonObject;
  return new Run<CoordinateMinimum>({
    resultNames: minimumNames(),
    signal,
    start: async () => {
      const { algorithm, x0, until, seed, checkpoint, ...kept } = await read();
      const problem = coordinateProblem(target, x0);
      const engine = await openEngine();
      const plan = resolvePlan("minimize", { seed }, engine.describe(), algorithm.defaults ?? {}, "f64");
      const progression = await algorithm.start(problem, plan, engine);
      const value = progression.report().objective;
      if (kept.value !== undefined) refuseOtherValue(kept.value, value, () => progression.dispose());
      json = { algorithm: algorithm.toJSON(), x0, until: until as JsonObject, seed, value };
      return {
        progression,
        stopping: { until, validateEvery: 1, patience: undefined },
        chosen: json,
        ...(checkpoint ? { resume: checkpoint } : {}),
      };
    },
    finish: (x, summary) => {
      const value = summary.report.objective;
      const findings = worseFindings({ start: Number(json.value), end: value, error: 0 }, "the value", 0);
      return { x, value, reason: summary.reason, algorithm: json.algorithm as JsonObject, run: { ...summary, findings } };
    },
    keep: (snapshot, loop) => checkpointBytes({ snapshot, loop, recipe: { coordinates: json } }),
  });
}
