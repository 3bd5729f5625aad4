import type { UnknownLevels } from "ergodic/extend";
import type { Datatype, Elements } from "../v2/datatypes.ts";
import type { InputTensor } from "../v2/input-tensor.ts";
import type { Joining } from "./joining.ts";

/** A tensor that a model takes or gives; -1: any size. */
export interface TensorMetadata {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

/** A tensor of an answer. */
export interface OutputTensor {
  readonly shape: readonly number[];
  readonly elements: Elements;
}

/** A column of rows by name. */
export interface RowColumn {
  readonly name: string;
  readonly kind: "number" | "category";
  /** Of a category: what it may be. */
  readonly levels?: readonly string[];
}

/** What rows by column name are made of, and what comes back for one. */
export interface RowsDescription {
  readonly columns: readonly RowColumn[];
  /** What is predicted. */
  readonly target: string;
  /** Its classes, in the order of probabilities; none for numbers. */
  readonly classes?: readonly string[];
}

/**
 * A model as the server sees it: what it takes and gives, and how a batch of requests is answered. One implementation a kind of model.
 *
 * `Work`: what a request asks of it, read and checked; `Answer`: what comes back. A request is read (`fromTensors`, `fromRows`), waits in the queue, runs
 * with others (`run`), and its answer is written (`output`, `rows`).
 */
export interface Served<Work = unknown, Answer = unknown> {
  /** "ergodic_linear", "onnxruntime_onnx" … */
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  /** Whether numbers of any type do where inputs are of numbers. */
  readonly converts: boolean;
  /** Batches that may be computed at once. Default 1. */
  readonly concurrency?: number;
  /** Of foreign models: whether requests are put together, and why. */
  readonly joining?: Joining;
  /** Of models that take rows by name. */
  readonly description?: RowsDescription;
  /** `inputs`: in the order of the model's, with the types and shapes that they must have. @throws RequestError, DataError */
  fromTensors(inputs: readonly InputTensor[]): Work;
  /** @throws RequestError, DataError */
  fromRows?(rows: readonly unknown[]): Work;
  /** Levels of categories that the model does not know, and takes for none at all. */
  unknownLevels?(work: Work): readonly UnknownLevels[];
  /** Rows of a request, as batches count them; at least 1. */
  rowsOf(work: Work): number;
  /** Answers, in the order of the requests; in the place of one that cannot be answered the error that says why. */
  run(works: readonly Work[]): readonly (Answer | Error)[] | Promise<readonly (Answer | Error)[]>;
  /** The output of that index. */
  output(answer: Answer, index: number): OutputTensor;
  /** One object a row: its value, and probabilities where the model has them. */
  rows?(answer: Answer): readonly object[];
  /** Further parameters of an answer, besides those of its batch. */
  parameters?(answer: Answer): Readonly<Record<string, number>>;
  /** Why it is not as it should be, though it answers; undefined: all is well. */
  readonly degraded?: string | undefined;
  /** Computes what the first request would wait for. @throws where the model cannot predict */
  warmUp?(): Promise<void>;
  /** Called when no request is left. */
  close(): void | Promise<void>;
}
