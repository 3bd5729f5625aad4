/**
 * One column as it grows: float64 numbers (NaN = missing) or category codes (−1 = missing), its type given or inferred.
 *
 * Inference over the whole file: a column is a number until a text that is neither number nor missing turns up; then it is a category,
 * and the codes of the rows before are wrong (`mixed`), so that the reader takes it a second time with the type fixed. Texts that mean
 * "no value" among numbers alone (gaps.ts) count neither way. A column with at
 * least 9 numbers to each text is held to be numbers with a mistake in it, and refused. Levels are sorted: by value where all are
 * numbers, else by code unit.
 *
 * Memory: 8 bytes a number, 4 bytes a code, each level's text once.
 *
 * @throws DataError DATA_TYPE
 */
import type { Column, Remark } from "ergodic";
import {
  type CellPlace,
  decimalComma,
  notFinite,
  notNumber,
  roundedInteger,
  thousands,
  thousandsOrDecimals,
  unknownLevel,
} from "./column-faults.ts";
import { copied, levelOrder, textOf } from "./column-text.ts";
import { Gaps, isGap, keptRemark, missingRemark } from "./gaps.ts";
import { LevelIndex } from "./level-index.ts";
import { isNumberText, isRounded, parseNumber } from "./number.ts";
import { isReleasable, type NumbersType, release, room } from "./room.ts";

/** "number", "category", or a category's levels in their order. */
export type ColumnType = "number" | "category" | readonly string[];

export interface ColumnContext {
  readonly file: string;
  /** Texts that mean "no value", and the numbers among them. */
  readonly missing: ReadonlySet<string>;
  readonly missingNumbers: ReadonlySet<number>;
  /** Whether texts such as "N/A" are missing values in columns of numbers. */
  readonly gaps: boolean;
  readonly decimal: "." | ",";
  /** The format itself tells numbers from texts (JSON, Parquet): a text that reads like a number stays a text. */
  readonly typed: boolean;
  /** False: only type and levels are wanted. */
  readonly store: boolean;
  /** How many rows there will be, as far as can be told: columns then take their room at once, instead of copying what they hold. 0 = unknown. */
  expectedRows: number;
  /** What is taken will be given back by `release`. */
  readonly releasable: boolean;
}

const noValues = new Float64Array(0);
const noCodes = new Int32Array(0);
/** Room that a column begins with. */
const firstRows = 8;
/** By how much it grows at most: what is expected may not come. */
const mostGrowth = 16;
/** Beyond it whole numbers are rounded. */
const largest = Number.MAX_SAFE_INTEGER;

export class ColumnBuilder {
  readonly name: string;
  /** From 1. */
  readonly position: number;
  kind: "unknown" | "number" | "category" = "unknown";
  /** Rows put since the last `take`. */
  length = 0;

  readonly #context: ColumnContext;
  readonly #declared: boolean;
  readonly #levelsDeclared: boolean;
  #values = noValues;
  #codes = noCodes;
  #levels: string[] = [];
  /** By level; made with the first one, as a table may have a million columns of numbers. */
  #codeOf: Map<string, number> | undefined;
  #counts: number[] = [];
  /** Codes by the bytes of their texts; −1 = missing. Made with the first cell that comes as bytes. */
  #known: LevelIndex | undefined;
  #numberCount = 0;
  #missingCount = 0;
  #firstMissing: { line: number; text: string } | undefined;
  #gaps: Gaps | undefined;
  #firstText: { line: number; text: string } | undefined;

  constructor(name: string, position: number, type: ColumnType | undefined, context: ColumnContext) {
    this.name = name;
    this.position = position;
    this.#context = context;
    this.#declared = type !== undefined;
    this.#levelsDeclared = typeof type === "object";
    if (type !== undefined) this.kind = type === "number" ? "number" : "category";
    if (typeof type === "object") {
      for (const level of type) this.#addLevel(level);
    }
  }

  /** Nothing that comes can change the type or the levels. */
  get declared(): boolean {
    return this.#levelsDeclared || (this.#declared && this.kind === "number");
  }

  /** Cells without a value, and the first of them. */
  get missing(): { count: number; line: number; text: string } | undefined {
    const gaps = this.kind === "category" ? undefined : this.#gaps;
    const count = this.#missingCount + (gaps?.count ?? 0);
    const [first, other] = [this.#firstMissing, gaps?.first];
    if (count === 0) return undefined;
    return { count, ...(first && !(other && other.line < first.line) ? first : other!) };
  }

  /** What there is to say of texts such as "N/A" in the rows since the last take; nothing where the levels were given. */
  remark(rowCount: number): Remark | undefined {
    if (this.kind !== "category") return this.#gaps && missingRemark(this.name, this.#gaps, rowCount);
    if (this.#declared || !this.#context.gaps) return undefined;
    const counts = new Map(this.#gaps?.counts);
    this.#levels.forEach((level, code) => {
      if (isGap(level)) counts.set(level, (counts.get(level) ?? 0) + this.#counts[code]);
    });
    return counts.size > 0 ? keptRemark(this.name, counts, rowCount) : undefined;
  }

  /** Numbers were seen before the column turned out to be a category: their codes are unknown. */
  get mixed(): boolean {
    return this.kind === "category" && !this.#declared && this.#numberCount > 0;
  }

  /** A finite number. */
  putNumber(value: number, line: number): void {
    if (this.kind === "category") {
      this.#numberCount++;
      this.putText(String(value), line);
      return;
    }
    const { missingNumbers } = this.#context;
    if (missingNumbers.size > 0 && missingNumbers.has(value)) {
      this.putMissing(line, String(value));
      return;
    }
    this.kind = "number";
    this.#numberCount++;
    this.#push(value);
  }

  /** Finite numbers of as many rows, `putNumber` of each: at once where none of them can be missing. */
  putNumbers(values: Float64Array, line: number): void {
    if (this.kind === "category" || this.#context.missingNumbers.size > 0) {
      for (let i = 0; i < values.length; i++) this.putNumber(values[i], line + i);
      return;
    }
    this.kind = "number";
    this.#numberCount += values.length;
    const from = this.length;
    this.length += values.length;
    if (!this.#context.store) return;
    while (this.length > this.#values.length) this.#values = this.#grown(Float64Array, this.#values);
    this.#values.set(values, from);
  }

  /** What `putCode` takes for a text that was put before: undefined where it is missing, or the column not one of texts. */
  codeOf(text: string): number | undefined {
    return this.kind === "category" ? this.#codeOf?.get(text) : undefined;
  }

  /** `putText` of the text of this code. */
  putCode(code: number): void {
    this.#counts[code]++;
    this.#push(code);
  }

  /** A cell as it lies in an encoded file: `putNumber` where it is a number, else `putText`, without a string where none is needed. */
  putBytes(bytes: Uint8Array, start: number, end: number, line: number): void {
    if (this.kind === "category") {
      this.#putLevel(bytes, start, end, line);
      return;
    }
    const value = parseNumber(bytes, start, end, this.#context.decimal === "," ? 44 : 46);
    if (value - value !== 0) {
      this.putText(textOf(bytes, start, end), line);
      return;
    }
    if (value > largest || value < -largest) {
      const text = textOf(bytes, start, end);
      if (isRounded(text)) this.refuseRounded(text, line);
    }
    this.putNumber(value, line);
  }

  #putLevel(bytes: Uint8Array, start: number, end: number, line: number): void {
    const code = this.#known?.find(bytes, start, end);
    if (code === undefined) {
      const missing = this.#missingCount;
      const text = textOf(bytes, start, end);
      this.putText(text, line);
      this.#known ??= new LevelIndex();
      this.#known.add(bytes, start, end, this.#missingCount > missing ? -1 : this.#codeOf!.get(text)!);
      return;
    }
    if (code < 0) this.#missingCount++;
    else this.#counts[code]++;
    this.#push(code);
  }

  /** A whole number that would be rounded: refused, unless the column is declared to hold numbers. @throws DataError */
  refuseRounded(text: string, line: number): void {
    if ((this.#declared && this.kind === "number") || this.#context.missing.has(text)) return;
    throw roundedInteger(this.#at(line), text);
  }

  /** A text that is not a finite number, or any text of a category. */
  putText(text: string, line: number): void {
    if (this.kind === "category") {
      const code = this.#codeOf?.get(text);
      if (code !== undefined) {
        this.#counts[code]++;
        this.#push(code);
        return;
      }
    }
    if (this.#context.missing.has(text)) {
      this.putMissing(line, text);
      return;
    }
    if (this.kind !== "category") {
      if (this.#declared && isNumberText(text, this.#context.decimal) && Number.isFinite(Number(text))) {
        this.putNumber(Number(text), line);
        return;
      }
      if (this.#context.gaps && isGap(text)) {
        this.#gaps ??= new Gaps();
        this.#gaps.put(text, line, this.kind === "unknown" && this.#context.store ? this.length : undefined);
        this.#push(NaN);
        return;
      }
      this.#turnToCategory(text, line);
    }
    if (this.#levelsDeclared) throw unknownLevel(this.#at(line), text, this.#levels);
    this.#firstText ??= { line, text: copied(text) };
    this.#counts[this.#addLevel(copied(text))]++;
    this.#push(this.#levels.length - 1);
  }

  putMissing(line: number, text: string): void {
    this.#missingCount++;
    this.#firstMissing ??= { line, text: copied(text) };
    this.#push(this.kind === "category" ? -1 : NaN);
  }

  #turnToCategory(text: string, line: number): void {
    const { decimal } = this.#context;
    const infinite =
      /^[+-]?inf(inity)?$/i.test(text) || (isNumberText(text, decimal) && !Number.isFinite(Number(text.replace(",", "."))));
    if (infinite) {
      throw notFinite(this.#at(line), text);
    }
    if (this.#declared) throw this.#notNumber(text, line);
    this.#firstText = { line, text: copied(text) };
    this.#becomeCategory();
  }

  #becomeCategory(): void {
    this.kind = "category";
    release(this.#values);
    this.#values = noValues;
    if (this.#context.store) this.#codes = room(Int32Array, Math.max(firstRows, this.length), this.#context.releasable).fill(-1);
    if (this.#numberCount > 0 || this.#gaps === undefined) return;
    for (const [text, count] of this.#gaps.counts) {
      const code = this.#addLevel(text);
      this.#counts[code] = count;
      for (const row of this.#gaps.rows?.get(text) ?? []) this.#codes[row] = code;
    }
    this.#gaps = undefined;
  }

  #push(value: number): void {
    const at = this.length++;
    if (!this.#context.store) return;
    if (this.kind === "category") {
      if (at >= this.#codes.length) {
        this.#codes = this.#grown(Int32Array, this.#codes);
      }
      this.#codes[at] = value;
    } else {
      if (at >= this.#values.length) {
        this.#values = this.#grown(Float64Array, this.#values);
      }
      this.#values[at] = value;
    }
  }

  /** With room for more rows, where there is none left. */
  #grown<T extends Float64Array | Int32Array>(Type: NumbersType<T>, old: T): T {
    const { expectedRows, releasable } = this.#context;
    const { length } = old;
    const rows = Math.max(firstRows, 2 * length, Math.min(expectedRows, mostGrowth * length));
    const grown = room(Type, rows, releasable);
    grown.set(old);
    release(old);
    return grown;
  }

  #addLevel(level: string): number {
    const code = this.#levels.push(level) - 1;
    this.#codeOf ??= new Map();
    this.#codeOf.set(level, code);
    this.#counts.push(0);
    return code;
  }

  /** Fills up rows in which the column did not appear. */
  padTo(length: number, line: number): void {
    while (this.length < length) this.putMissing(line, "");
  }

  /** Checks an inferred type against everything seen. */
  settle(): void {
    const { decimal, typed } = this.#context;
    // What the format has as a text is one, where no number says otherwise.
    const isTexts = typed && this.kind === "unknown" && this.#gaps !== undefined;
    if (isTexts) this.#becomeCategory();
    if (isTexts || this.#declared || this.kind !== "category") return;
    let numbers = this.#numberCount;
    let texts = 0;
    let commas = 0;
    this.#levels.forEach((level, code) => {
      if (this.#context.gaps && isGap(level)) return;
      if (!typed && isNumberText(level, decimal)) numbers += this.#counts[code];
      else texts += this.#counts[code];
      if (!typed && decimal === "." && isNumberText(level, ",") && level.includes(",")) commas += this.#counts[code];
    });
    const { line, text } = this.#firstText!;
    if (commas > 0 && commas === texts) {
      if (this.#levels.every((level) => !level.includes(",") || thousands.test(level)))
        throw thousandsOrDecimals(this.#at(line), text);
      throw decimalComma(this.#at(line), text);
    }
    if (numbers >= 9 * texts) throw this.#notNumber(text, line, numbers);
  }

  /** The type for another reading, levels in their final order. */
  type(): ColumnType {
    return this.kind === "category" ? levelOrder(this.#levels, this.#levelsDeclared).map((code) => this.#levels[code]) : "number";
  }

  /** The column of all rows put since the last take; the next one begins. A column of missing values alone is one of numbers. */
  take(): Column {
    const { name, length } = this;
    if (this.kind !== "category") {
      const values = this.#taken(this.#values);
      this.length = 0;
      this.#closeGaps();
      this.#values = noValues;
      return { name, kind: "number", values };
    }
    const codes = this.#taken(this.#codes);
    this.length = 0;
    this.#codes = noCodes;
    const order = levelOrder(this.#levels, this.#levelsDeclared);
    const levels = order.map((code) => this.#levels[code]);
    if (!this.#levelsDeclared) {
      const final = new Int32Array(order.length);
      order.forEach((code, at) => {
        final[code] = at;
      });
      for (let i = 0; i < length; i++) codes[i] = codes[i] < 0 ? -1 : final[codes[i]];
    }
    return { name, kind: "category", codes, levels };
  }

  /** The next block counts its own. */
  #closeGaps(): void {
    const { missing } = this;
    this.#missingCount = missing?.count ?? 0;
    this.#firstMissing = missing && { line: missing.line, text: missing.text };
    this.#gaps = undefined;
  }

  /** The rows that were put, without the room behind them where that is most of it. */
  #taken<T extends Float64Array | Int32Array>(all: T): T {
    const { length } = this;
    const part = all.length > 2 * length && !isReleasable(all) ? all.slice(0, length) : all.subarray(0, length);
    return part as T;
  }

  #at(line: number): CellPlace {
    return { file: this.#context.file, line, column: this.name, position: this.position };
  }

  #notNumber(text: string, line: number, numbers?: number): Error {
    const { typed, decimal } = this.#context;
    return notNumber(this.#at(line), text, { typed, decimal, numbers });
  }
}
