import { DataError, type Row, WorkerError } from "ergodic";
import { type UnknownLevels, unknownLevels } from "ergodic/extend";
import type { OutputPredictor } from "ergodic/predict";
import { RequestError } from "../server/request-error.ts";
import type { InputTensor, Numbers as Matrix } from "../v2/input-tensor.ts";
import { kindOf } from "../v2/json.ts";
import { inputColumns } from "./input-columns.ts";
import { joinedNumbers } from "./joined-numbers.ts";
import { withRow } from "./row-places.ts";
import type { OutputTensor, RowColumn, RowsDescription, Served, TensorMetadata } from "./served.ts";

/** Rows as numbers in the order of the columns, or rows in the form that `predict` accepts. */
type Work = {
  readonly rows: number;
  /** Number of rows before these ones, in the request that they are a part of. */
  readonly first?: number;
} & ({ readonly matrix: InputTensor } | { readonly list: readonly Row[] });
/** `width` numbers per row, as `predictInto` writes them. */
type Numbers = Float64Array;
const NONE: readonly UnknownLevels[] = [];
type Answers = (Numbers | Error)[];

/** Computes predictions, either on this thread or on another thread. */
export interface Computation {
  /** Computes `width` numbers per row, in the form in which the predictor's `predictInto` writes them. */
  numbers(rows: Matrix | readonly Row[]): Float64Array | Promise<Float64Array>;
  close(): void | Promise<void>;
}

type Output = "value" | "probabilities" | "class" | "score";

/**
 * A linear model or a network. If all columns are numbers, the model takes one tensor `input` of [rows, columns].
 * Otherwise, the model takes one tensor per column, with categories as BYTES. The output is `value` for numbers. For
 * classes, the outputs are `class` (BYTES) and `probabilities`. If the model decides by sign, they are `class` and
 * `score`.
 */
export class OutputModel implements Served<Work, Numbers> {
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  readonly converts = true;
  readonly description: RowsDescription;
  readonly #computation: Computation;
  readonly #width: number;
  readonly #classes: readonly string[] | undefined;
  readonly #columns: readonly RowColumn[];
  readonly #isMatrix: boolean;
  readonly #pipeline: OutputPredictor["pipeline"];
  readonly #given: readonly Output[];
  readonly #single: boolean;

  readonly concurrency: number;

  /** `predictor` describes the model. `concurrency`: number of batches that may be computed simultaneously. */
  constructor(predictor: OutputPredictor, computation: Computation, concurrency: number) {
    this.#computation = computation;
    this.concurrency = concurrency;
    const { kind, pipeline, classes, width, targetName } = predictor;
    this.#width = width;
    this.#classes = classes;
    this.#columns = inputColumns(pipeline);
    this.#pipeline = pipeline;
    this.#isMatrix = this.#columns.every((column) => column.kind === "number");
    this.#single = kind === "network";
    this.platform = `ergodic_${kind}`;
    this.description = { columns: this.#columns, target: targetName, ...(classes ? { classes } : {}) };
    const type = this.#single ? "FP32" : "FP64";
    this.inputs = this.#isMatrix
      ? [{ name: "input", datatype: type, shape: [-1, this.#columns.length] }]
      : this.#columns.map((column) => ({ name: column.name, datatype: column.kind === "number" ? type : "BYTES", shape: [-1] }));
    const bySign = predictor.description.link === "sign";
    this.#given = !classes ? ["value"] : [bySign ? "score" : "probabilities", "class"];
    this.outputs = this.#given.map((name) => ({
      name,
      datatype: name === "class" ? "BYTES" : type,
      shape: name === "class" || name === "value" || width === 1 ? [-1] : [-1, width],
    }));
  }

  fromTensors(inputs: readonly InputTensor[]): Work {
    const [first] = inputs;
    const rows = first.shape[0];
    checkRows(rows);
    if (this.#isMatrix) return { rows, matrix: first };
    const odd = inputs.find((tensor) => tensor.shape[0] !== rows);
    if (odd) {
      const said = `"${odd.name}" has ${odd.shape[0]} rows, but "${first.name}" has ${rows}; send equally many`;
      throw new RequestError("inputs", said, "INPUT");
    }
    const columns = inputs.map((tensor) => (tensor.datatype === "BYTES" ? tensor.texts() : numbersOf(tensor)));
    const names = inputs.map(({ name }) => name);
    const list = Array.from({ length: rows }, (_, i) => Object.fromEntries(names.map((name, j) => [name, columns[j][i]])));
    return { rows, list: list as Row[] };
  }

  fromRows(rows: readonly unknown[]): Work {
    checkRows(rows.length);
    const isList = Array.isArray(rows[0]);
    const wanted = isList ? "a list, as the first row" : "an object: values by column name";
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i];
      const fits = typeof row === "object" && row !== null && Array.isArray(row) === isList;
      if (!fits) throw new RequestError(`rows[${i}]`, `is ${kindOf(row)}, but must be ${wanted}`, "INPUT");
    }
    return { rows: rows.length, list: rows as Row[] };
  }

  unknownLevels(work: Work): readonly UnknownLevels[] {
    if (this.#isMatrix || "matrix" in work) return NONE;
    try {
      return unknownLevels(this.#pipeline, work.list);
    } catch (error) {
      // Computing the prediction of an unreadable row throws an error, which names the first fault.
      if (error instanceof DataError) return NONE;
      throw error;
    }
  }

  rowsOf({ rows }: Work): number {
    return rows;
  }

  part(work: Work, from: number, to: number): Work {
    const place = { rows: to - from, first: from };
    return "matrix" in work ? { ...place, matrix: work.matrix.rows(from, to) } : { ...place, list: work.list.slice(from, to) };
  }

  joined(answers: readonly Numbers[]): Numbers {
    return joinedNumbers(answers);
  }

  run(works: readonly Work[]): Answers | Promise<Answers> {
    try {
      const answers = this.#together(works);
      return answers instanceof Promise ? answers.catch((error) => this.#apart(works, error)) : answers;
    } catch (error) {
      return this.#apart(works, error as Error);
    }
  }

  /** If the model takes a matrix of numbers, computes a row of zeros. */
  async warmUp(): Promise<void> {
    if (this.#isMatrix) await Promise.all(Array.from({ length: this.concurrency }, () => this.#zeros()));
  }

  async #zeros(): Promise<void> {
    try {
      await this.#computation.numbers(new Float64Array(this.#columns.length));
    } catch (error) {
      // If zeros are refused, this says nothing about other rows.
      if (!(error instanceof DataError)) throw error;
    }
  }

  output(numbers: Numbers, index: number): OutputTensor {
    const width = this.#width;
    const rows = numbers.length / width;
    const name = this.#given[index];
    if (name === "class") return { shape: [rows], elements: Array.from({ length: rows }, (_, i) => this.#classOf(numbers, i)) };
    const elements = this.#single ? new Float32Array(numbers) : numbers;
    return { shape: width === 1 ? [rows] : [rows, width], elements };
  }

  labels(index: number): readonly string[] | undefined {
    return this.#given[index] === "probabilities" ? this.#classes : undefined;
  }

  rows(numbers: Numbers): object[] {
    const width = this.#width;
    const classes = this.#classes;
    return Array.from({ length: numbers.length / width }, (_, i) => {
      if (!classes) return { value: numbers[i] };
      const value = this.#classOf(numbers, i);
      if (this.#given[0] === "score") return { value };
      return { value, probabilities: Object.fromEntries(classes.map((name, k) => [name, numbers[i * width + k]])) };
    });
  }

  close(): void | Promise<void> {
    return this.#computation.close();
  }

  /** Computes all requests together. Does not return a promise if the computation is on this thread. */
  #together(works: readonly Work[]): Answers | Promise<Answers> {
    const isMatrix = "matrix" in works[0];
    if (works.some((work) => "matrix" in work !== isMatrix)) return this.#byForm(works);
    const numbers = this.#computation.numbers(isMatrix ? this.#matrixOf(works) : listOf(works));
    return numbers instanceof Promise ? numbers.then((all) => this.#split(works, all)) : this.#split(works, numbers);
  }

  async #byForm(works: readonly Work[]): Promise<Answers> {
    const answers = new Array<Numbers | Error>(works.length);
    for (const isMatrix of [true, false]) {
      const places = [...works.keys()].filter((i) => "matrix" in works[i] === isMatrix);
      const some = await this.run(places.map((i) => works[i]));
      for (const [k, i] of places.entries()) answers[i] = some[k];
    }
    return answers;
  }

  /** If the computation of a batch fails, retries each request alone, so that only the request with bad rows fails. */
  #apart(works: readonly Work[], error: Error): Answers | Promise<Answers> {
    // The fault is not in a row. If the request were retried, it would end the next thread as well.
    if (error instanceof WorkerError) throw error;
    if (works.length === 1) return [withRow(error, works[0].first ?? 0)];
    return Promise.all(works.map(async (work) => (await this.run([work]))[0]));
  }

  #split(works: readonly Work[], numbers: Numbers): Numbers[] {
    let at = 0;
    return works.map(({ rows }) => numbers.subarray(at, (at += rows * this.#width)));
  }

  #matrixOf(works: readonly Work[]): Matrix {
    const size = this.#columns.length * works.reduce((sum, work) => sum + work.rows, 0);
    const isSingle = works.every((work) => "matrix" in work && work.matrix.datatype === "FP32");
    const matrix = isSingle ? new Float32Array(size) : new Float64Array(size);
    let at = 0;
    for (const work of works) {
      if (!("matrix" in work)) continue;
      work.matrix.numbersInto(matrix, at);
      at += work.matrix.count;
    }
    return matrix;
  }

  #classOf(numbers: Numbers, row: number): string {
    const width = this.#width;
    const classes = this.#classes as readonly string[];
    const at = row * width;
    if (width === 1) return classes[Number(numbers[at] > 0)];
    let best = 0;
    for (let k = 1; k < width; k++) if (numbers[at + k] > numbers[at + best]) best = k;
    return classes[best];
  }
}

function listOf(works: readonly Work[]): readonly Row[] {
  if (works.length === 1 && "list" in works[0]) return works[0].list;
  return works.flatMap((work) => ("list" in work ? work.list : []));
}

function numbersOf(tensor: InputTensor): Float64Array {
  const values = new Float64Array(tensor.count);
  tensor.numbersInto(values, 0);
  return values;
}

function checkRows(rows: number): void {
  if (rows === 0) throw new RequestError("inputs", "there are no rows; send at least one", "INPUT");
}
