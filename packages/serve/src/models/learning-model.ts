import type { OutputPredictor } from "ergodic/predict";
import type { OnlineLearner } from "../learn/index.ts";
import type { InputTensor } from "../v2/input-tensor.ts";
import { servedPredictor } from "./of-file.ts";
import type { OutputTensor, RowsDescription, Served, TensorMetadata } from "./served.ts";

/** An answer, with the version of the model that computed it. */
interface LearntAnswer {
  readonly answer: unknown;
  readonly version: number;
}

/**
 * A model that learns from requests. Each batch is answered by the state that was the latest confirmed state when the
 * batch began.
 */
export class LearningModel implements Served<unknown, LearntAnswer> {
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  readonly converts: boolean;
  readonly description: RowsDescription;
  /** The caller's learner. The caller closes it. */
  readonly learner: OnlineLearner;
  #version = -1;
  #model: Served;

  constructor(learner: OnlineLearner) {
    this.learner = learner;
    this.#model = this.#latest();
    const { platform, inputs, outputs, converts, description } = this.#model;
    this.platform = platform;
    this.inputs = inputs;
    this.outputs = outputs;
    this.converts = converts;
    this.description = description!;
  }

  fromTensors(inputs: readonly InputTensor[]): unknown {
    return this.#model.fromTensors(inputs);
  }

  fromRows(rows: readonly unknown[]): unknown {
    return this.#model.fromRows!(rows);
  }

  unknownLevels(work: unknown): ReturnType<NonNullable<Served["unknownLevels"]>> {
    return this.#model.unknownLevels!(work);
  }

  rowsOf(work: unknown): number {
    return this.#model.rowsOf(work);
  }

  run(works: readonly unknown[]): ReturnType<Served<unknown, LearntAnswer>["run"]> {
    const answers = this.#latest().run(works);
    const version = this.#version;
    const withVersion = (all: readonly unknown[]): (LearntAnswer | Error)[] =>
      all.map((answer) => (answer instanceof Error ? answer : { answer, version }));
    return answers instanceof Promise ? answers.then(withVersion) : withVersion(answers as readonly unknown[]);
  }

  output({ answer }: LearntAnswer, index: number): OutputTensor {
    return this.#model.output(answer, index);
  }

  labels(index: number): readonly string[] | undefined {
    return this.#model.labels!(index);
  }

  rows({ answer }: LearntAnswer): readonly object[] {
    return this.#model.rows!(answer);
  }

  parameters({ version }: LearntAnswer): { learnt_version: number } {
    return { learnt_version: version };
  }

  get degraded(): string | undefined {
    return this.learner.stats().failure;
  }

  close(): void {}

  /** Returns the latest model. Any state can be used to read requests and write answers. */
  #latest(): Served {
    const { version, predictor } = this.learner.current();
    if (version !== this.#version) this.#model = servedPredictor(predictor as OutputPredictor, { owned: false });
    this.#version = version;
    return this.#model;
  }
}
