import type { FactorPredictor, Row } from "ergodic";
import type { UnknownLevels } from "ergodic/extend";
import type { Pair } from "ergodic/predict";
import { RequestError } from "../server/request-error.ts";
import type { InputTensor } from "../v2/input-tensor.ts";
import { joinedNumbers } from "./joined-numbers.ts";
import type { OutputTensor, RowsDescription, Served, TensorMetadata } from "./served.ts";

/**
 * A factorisation of ratings. The model takes users and items by name (as BYTES, or in rows under the names of the
 * training columns), and returns the value of each pair.
 */
export class PairModel implements Served<readonly Pair[], Float64Array> {
  readonly platform = "ergodic_factorisation";
  readonly inputs: readonly TensorMetadata[] = [
    { name: "user", datatype: "BYTES", shape: [-1] },
    { name: "item", datatype: "BYTES", shape: [-1] },
  ];
  readonly outputs: readonly TensorMetadata[] = [{ name: "value", datatype: "FP64", shape: [-1] }];
  readonly converts = true;
  readonly description: RowsDescription;
  readonly #predictor: FactorPredictor;

  constructor(predictor: FactorPredictor) {
    this.#predictor = predictor;
    const { user, item } = predictor.columns;
    const column = (name: string) => ({ name, kind: "category" as const });
    this.description = { columns: [column(user), column(item)], target: predictor.task };
  }

  fromTensors([users, items]: readonly InputTensor[]): readonly Pair[] {
    if (users.count !== items.count)
      throw new RequestError(
        "inputs",
        `"user" has ${users.count} rows, but "item" has ${items.count}; send equally many`,
        "INPUT",
      );
    const names = items.texts();
    return checked(users.texts().map((user, i) => ({ user, item: names[i] })));
  }

  fromRows(rows: readonly unknown[]): readonly Pair[] {
    return checked(rows.map((row, i) => this.#predictor.pairOf(row as Row, "rows", i)));
  }

  /**
   * Returns users and items without a rating in training. The names of known users and items are not listed, because
   * they can be names of people.
   */
  unknownLevels(pairs: readonly Pair[]): readonly UnknownLevels[] {
    return (["user", "item"] as const).flatMap((role) => {
      const isUnknown = (pair: Pair): boolean => !this.#predictor.isKnown(role, pair[role]);
      const unknown = pairs.filter(isUnknown);
      const levels = [...new Set(unknown.map((pair) => String(pair[role])))];
      const column = this.#predictor.columns[role];
      return unknown.length === 0 ? [] : [{ column, rows: unknown.length, first: pairs.findIndex(isUnknown), levels, known: [] }];
    });
  }

  rowsOf(pairs: readonly Pair[]): number {
    return pairs.length;
  }

  part(pairs: readonly Pair[], from: number, to: number): readonly Pair[] {
    return pairs.slice(from, to);
  }

  joined(answers: readonly Float64Array[]): Float64Array {
    return joinedNumbers(answers);
  }

  run(works: readonly (readonly Pair[])[]): Float64Array[] {
    return works.map((pairs) => Float64Array.from(pairs, ({ user, item }) => this.#predictor.valueFor(user, item)));
  }

  output(values: Float64Array): OutputTensor {
    return { shape: [values.length], elements: values };
  }

  rows(values: Float64Array): object[] {
    return Array.from(values, (value) => ({ value }));
  }

  close(): void {}
}

function checked(pairs: readonly Pair[]): readonly Pair[] {
  if (pairs.length === 0) throw new RequestError("inputs", "there are no rows; send at least one", "INPUT");
  return pairs;
}
