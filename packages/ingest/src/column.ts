/**
 * A growing column: float64 numbers (NaN = missing) or category codes (−1 = missing), with a given or inferred type.
 *
 * The type is inferred from the whole file. A column is numeric until a string appears that is neither a number nor a
 * missing value. It is then a category, as is a column of codes with leading zeros. The levels of earlier rows are then
 * unknown (`mixed`), so the reader reads the file again. Strings that mean "no value" only among numbers (gaps.ts) do not
 * affect the type. A column with at least 9 numbers per string is refused, because it is probably numeric and contains
 * mistakes. Levels are sorted by value if all of them are numbers, and by code unit otherwise.
 *
 * Memory: 8 bytes per number, 4 bytes per code, and each level's string once.
 *
 * @throws DataError DATA_TYPE
 */
import type { Column, Remark } from "ergodic/data";
import { type CellPlace, notFinite, notNumber, refuseMistakes, roundedInteger, unknownLevel } from "./column-faults.ts";
import { copied, levelOrder, textOf } from "./column-text.ts";
import { Gaps, isGap, keptRemark, missingRemark } from "./gaps.ts";
import { isZeroLed, isZeroLedText, LeadingZeros } from "./leading-zeros.ts";
import { LevelIndex } from "./level-index.ts";
import { isNumberText, isRounded, parseNumber, textNumber } from "./number.ts";
import { isReleasable, type NumbersType, release, room } from "./room.ts";

/** Type of a column: "number", "category", or the levels of a category in their order. */
export type ColumnType = "number" | "category" | readonly string[];

export interface ColumnContext {
  readonly file: string;
  /** Strings that mean "no value", and the numbers that are written like these strings. */
  readonly missing: ReadonlySet<string>;
  readonly missingNumbers: ReadonlySet<number>;
  /** Whether strings such as "N/A" are missing values in numeric columns. */
  readonly gaps: boolean;
  readonly decimal: "." | ",";
  /**
   * Whether the format itself distinguishes numbers from strings (JSON, Parquet). In such a format, a string that looks
   * like a number stays a string.
   */
  readonly typed: boolean;
  /** Whether values are stored. If false, only the types and levels are determined. */
  readonly store: boolean;
  /** Estimated number of rows; 0 = unknown. If it is known, columns allocate their memory only once. */
  expectedRows: number;
  /** Whether columns that were taken will be freed by `release`. */
  readonly releasable: boolean;
}

const noValues = new Float64Array(0);
const noCodes = new Int32Array(0);
/** Initial capacity of a column in rows. */
const firstRows = 8;
/** Largest growth factor. The factor is limited, because the file might contain fewer rows than expected. */
const mostGrowth = 16;
/** Largest whole number that is not rounded. */
const largest = Number.MAX_SAFE_INTEGER;

export class ColumnBuilder {
  readonly name: string;
  /** Index of the column, from 1. */
  readonly position: number;
  kind: "unknown" | "number" | "category" = "unknown";
  /** Number of rows added since the last `take`. */
  length = 0;

  readonly #context: ColumnContext;
  readonly #declared: boolean;
  readonly #levelsDeclared: boolean;
  #values = noValues;
  #codes = noCodes;
  #levels: string[] = [];
  /** Codes by level. Created with the first level, because a table can have a million numeric columns. */
  #codeOf: Map<string, number> | undefined;
  #counts: number[] = [];
  /** Codes by the bytes of their strings; −1 = missing. Created when the first cell arrives as bytes. */
  #known: LevelIndex | undefined;
  #numberCount = 0;
  readonly #zeros = new LeadingZeros();
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

  /** Whether the type and the levels are final, so that further cells cannot change them. */
  get declared(): boolean {
    return this.#levelsDeclared || (this.#declared && this.kind === "number");
  }

  /** Number of cells without a value, with the line and the text of the first such cell. */
  get missing(): { count: number; line: number; text: string } | undefined {
    const gaps = this.kind === "category" ? undefined : this.#gaps;
    const count = this.#missingCount + (gaps?.count ?? 0);
    const [first, other] = [this.#firstMissing, gaps?.first];
    if (count === 0) return undefined;
    return { count, ...(first && !(other && other.line < first.line) ? first : other!) };
  }

  /** Remark about strings such as "N/A" in the rows since the last take. There is none if levels were declared. */
  remark(rowCount: number): Remark | undefined {
    if (this.kind !== "category") return this.#gaps && missingRemark(this.name, this.#gaps, rowCount);
    if (this.#declared || !this.#context.gaps) return undefined;
    const counts = new Map(this.#gaps?.counts);
    this.#levels.forEach((level, code) => {
      if (isGap(level)) counts.set(level, (counts.get(level) ?? 0) + this.#counts[code]);
    });
    return counts.size > 0 ? keptRemark(this.name, counts, rowCount) : undefined;
  }

  /** Remark about numbers with leading zeros, if they made the column a category. */
  codesRemark(rowCount: number): Remark | undefined {
    if (this.kind !== "category" || this.#declared || this.#firstText !== undefined || !this.hasCodes) return undefined;
    return this.#zeros.remark(this.name, rowCount);
  }

  /** Whether the numbers are codes with leading zeros. */
  get hasCodes(): boolean {
    return this.#zeros.areCodes;
  }

  /** Whether the column contained numbers before it became a category. The codes of these rows are then unknown. */
  get mixed(): boolean {
    return this.kind === "category" && !this.#declared && this.#numberCount > 0;
  }

  /**
   * Adds a string. In a format that does not distinguish numbers from strings, this is a number if it looks like one.
   */
  put(text: string, line: number): void {
    const { typed, decimal } = this.#context;
    const value = typed || this.kind === "category" ? NaN : textNumber(text, decimal);
    if (value - value === 0) {
      if (isZeroLedText(text)) this.#zeros.note(text);
      this.putNumber(value, line, () => text);
    } else this.#putText(text, line);
  }

  /**
   * Adds a finite number. `written`: its digits, if they are known. @throws DataError for a whole number that would be
   * rounded, unless the column is declared numeric
   */
  putNumber(value: number, line: number, written?: () => string | undefined): void {
    if ((value > largest || value < -largest) && written !== undefined) this.#refuseRounded(written(), line);
    if (this.kind === "category") {
      this.#numberCount++;
      this.#putText(String(value), line);
      return;
    }
    const { missingNumbers } = this.#context;
    if (missingNumbers.size > 0 && missingNumbers.has(value)) {
      this.putMissing(line, String(value));
      return;
    }
    this.kind = "number";
    this.#numberCount++;
    this.#zeros.see(value);
    this.#push(value);
  }

  /** Adds finite numbers, one per row. If none of them can mean "missing", they are copied in bulk. */
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

  /** Returns the code of a string that was added before, or undefined if it is missing or not a level. */
  codeOf(text: string): number | undefined {
    return this.kind === "category" ? this.#codeOf?.get(text) : undefined;
  }

  /** Adds the string with this code, like `put`. */
  putCode(code: number): void {
    this.#counts[code]++;
    this.#push(code);
  }

  /** Adds the cell in these bytes as a number, or otherwise as a string, which is created only if necessary. */
  putBytes(bytes: Uint8Array, start: number, end: number, line: number): void {
    if (this.kind === "category") {
      this.#putLevel(bytes, start, end, line);
      return;
    }
    const value = parseNumber(bytes, start, end, this.#context.decimal === "," ? 44 : 46);
    if (value - value !== 0) {
      this.#putText(textOf(bytes, start, end), line);
      return;
    }
    if (value > largest || value < -largest) this.#refuseRounded(textOf(bytes, start, end), line);
    if (isZeroLed(bytes, start, end)) this.#zeros.note(textOf(bytes, start, end));
    this.putNumber(value, line);
  }

  #putLevel(bytes: Uint8Array, start: number, end: number, line: number): void {
    const code = this.#known?.find(bytes, start, end);
    if (code === undefined) {
      const missing = this.#missingCount;
      const text = textOf(bytes, start, end);
      this.#putText(text, line);
      this.#known ??= new LevelIndex();
      this.#known.add(bytes, start, end, this.#missingCount > missing ? -1 : this.#codeOf!.get(text)!);
      return;
    }
    if (code < 0) this.#missingCount++;
    else this.#counts[code]++;
    this.#push(code);
  }

  #refuseRounded(text: string | undefined, line: number): void {
    if (text === undefined || !isRounded(text)) return;
    if ((this.#declared && this.kind === "number") || this.#context.missing.has(text)) return;
    throw roundedInteger(this.#at(line), text);
  }

  /** Adds a string that is not a finite number. In a category, adds any string. */
  #putText(text: string, line: number): void {
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
    if (this.#declared) throw notNumber(this.#at(line), text, this.#context);
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

  /** Returns a larger array with the same values. */
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

  /** Adds missing values for rows in which the column did not appear. */
  padTo(length: number, line: number): void {
    while (this.length < length) this.putMissing(line, "");
  }

  /** Checks an inferred type against all values that have been added. */
  settle(): void {
    const { typed } = this.#context;
    // A string in a typed format stays a string, unless the column also has numbers.
    const isTexts = typed && this.kind === "unknown" && this.#gaps !== undefined;
    const isCodes = !this.#declared && this.kind === "number" && this.hasCodes;
    if (isTexts || isCodes) this.#becomeCategory();
    if (isTexts || isCodes || this.#declared || this.kind !== "category") return;
    const { line, text } = this.#firstText!;
    refuseMistakes(this.#at(line), text, this.#levels, this.#counts, this.#numberCount, this.#context);
  }

  /** Returns the type for reading the file again, with levels in their final order. */
  type(): ColumnType {
    return this.kind === "category" ? levelOrder(this.#levels, this.#levelsDeclared).map((code) => this.#levels[code]) : "number";
  }

  /**
   * Returns the column with all rows since the last call of `take`, and starts a new column. A column without values is
   * numeric.
   */
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

  /** Keeps the totals, because the next block counts only its own strings. */
  #closeGaps(): void {
    const { missing } = this;
    this.#missingCount = missing?.count ?? 0;
    this.#firstMissing = missing && { line: missing.line, text: missing.text };
    this.#gaps = undefined;
  }

  /** Returns the added rows. The rows are copied if most of the array is unused. */
  #taken<T extends Float64Array | Int32Array>(all: T): T {
    const { length } = this;
    const part = all.length > 2 * length && !isReleasable(all) ? all.slice(0, length) : all.subarray(0, length);
    return part as T;
  }

  #at(line: number): CellPlace {
    return { file: this.#context.file, line, column: this.name, position: this.position };
  }
}
