import type { UnknownLevels } from "ergodic/extend";
import type { Datatype, Elements } from "../v2/datatypes.ts";
import type { InputTensor } from "../v2/input-tensor.ts";
import type { Joining } from "./joining.ts";

/** An input or output tensor of a model. −1 in the shape means any size. */
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
  /** Known levels of a category. */
  readonly levels?: readonly string[];
}

/** Columns of rows by name, and the predicted value. */
export interface RowsDescription {
  readonly columns: readonly RowColumn[];
  /** Name of the target. */
  readonly target: string;
  /** Class names in the order of the probabilities. Absent for numeric targets. */
  readonly classes?: readonly string[];
}

/**
 * The server's interface to a model: its inputs and outputs, and how it answers a batch of requests. Each kind of model
 * has its own implementation of this interface.
 *
 * `Work`: a request after reading and checking; `Answer`: its result. A request is first read (`fromTensors`,
 * `fromRows`). It then waits in the queue and runs together with others (`run`). Finally, its answer is written
 * (`output`, `rows`).
 */
export interface Served<Work = unknown, Answer = unknown> {
  /** Name of the platform: "ergodic_linear", "onnxruntime_onnx" … */
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  /** Whether numeric inputs accept numbers of any numeric type. */
  readonly converts: boolean;
  /** Number of batches that can be computed simultaneously. Default 1. */
  readonly concurrency?: number;
  /** For foreign models: whether requests are joined, and the reason. */
  readonly joining?: Joining;
  /** Description of the rows, for models that take rows by name. */
  readonly description?: RowsDescription;
  /**
   * Reads a request. `inputs` are in the model's order, with the required types and shapes. @throws RequestError,
   * DataError
   */
  fromTensors(inputs: readonly InputTensor[]): Work;
  /** Reads a request of rows by name. @throws RequestError, DataError */
  fromRows?(rows: readonly unknown[]): Work;
  /** Returns category levels that the model does not know. The model treats them as missing. */
  unknownLevels?(work: Work): readonly UnknownLevels[];
  /** Returns the number of rows of a request, at least 1. */
  rowsOf(work: Work): number;
  /**
   * Returns the rows from `from` to `to` of a request, so that a large request does not block others. Undefined if the
   * request cannot be split.
   */
  part?(work: Work, from: number, to: number): Work | undefined;
  /** Joins the answers to the parts of a request, in their order. */
  joined?(answers: readonly Answer[]): Answer;
  /** Returns the answers in the order of the requests. If a request cannot be answered, its answer is an error. */
  run(works: readonly Work[]): readonly (Answer | Error)[] | Promise<readonly (Answer | Error)[]>;
  /** Returns the output with this index. */
  output(answer: Answer, index: number): OutputTensor;
  /** Returns the class names of an output with one number per row and class. */
  labels?(index: number): readonly string[] | undefined;
  /** Returns one object per row: its value, and probabilities if the model has them. */
  rows?(answer: Answer): readonly object[];
  /** Returns parameters of an answer in addition to those of its batch. */
  parameters?(answer: Answer): Readonly<Record<string, number>>;
  /** Reason why the model works in a degraded state. Undefined if it does not. */
  readonly degraded?: string | undefined;
  /** Prepares the model, so that the first request does not need to wait for it. @throws if the model cannot predict */
  warmUp?(): Promise<void>;
  /** Frees the model. Called when no request is left. */
  close(): void | Promise<void>;
}
