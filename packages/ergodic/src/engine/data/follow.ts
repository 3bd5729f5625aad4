/**
 * Compares a dataset's pipeline steps with a model's steps. Determines whether the dataset has the model's columns,
 * which of the model's steps still have to be applied, and how to reorder the columns.
 *
 * Columns are compared by name, kind and level, as in `Pipeline.apply`. Extra columns are ignored. A level that the
 * model does not know is encoded as all zeros, or refused if the model's pipeline refuses unknown levels. An absent
 * column of a sparse row is 0. Rows without names are compared by position. The data's source, the target's name and
 * the weight column can differ. Steps that were fitted to rows (standardisation, fill values) must be the model's own
 * steps, because steps fitted to other rows would give other numbers.
 */
import { listed } from "./raw.ts";
import type { RawColumn, ReadRow, RowSource, Shape, SourceStep, Step } from "./rows.ts";
import { SparseRow } from "./rows.ts";
import type { ColumnsStep } from "./transformations/columns.ts";
import type { HashedColumnsStep } from "./transformations/hashed-columns.ts";
import { type ImputeStep, indicatorColumns } from "./transformations/impute.ts";
import type { NumbersStep } from "./transformations/numbers.ts";
import type { OneHotStep } from "./transformations/one-hot.ts";

export interface Following {
  /** Index of the first of the model's steps that still has to be applied to the rows. */
  readonly next: number;
  /**
   * For each column of the dataset, its position among the model's raw columns. The position is −1 if the model does
   * not have the column. Null if all positions are equal.
   */
  readonly places: Int32Array | null;
}

/** The steps that encode raw rows as numbers. */
interface Coding {
  readonly source: SourceStep;
  readonly impute: ImputeStep | undefined;
  /** One-hot step, which follows the source `columns`. Hashed columns have no such step. */
  readonly oneHot: OneHotStep | undefined;
  /** Number of steps. */
  readonly length: number;
}

const isType = ({ kind }: Step): boolean => kind === "numberType";

/**
 * Returns the steps that still have to be applied, or a description of the differences. `columnCount`: number of
 * columns after all steps of `own`.
 */
export function following(own: readonly Step[], wanted: readonly Step[], columnCount: number): Following | string {
  const [mine, theirs] = [codingOf(own), codingOf(wanted)];
  let places = placesOf(mine, theirs);
  const differences = [...(typeof places === "string" ? [places] : []), ...fillsDiffer(mine, theirs)];
  const [has, had] = [mine, theirs].map(({ source }) => source.offset !== undefined);
  if (has !== had)
    differences.push(has ? "it has an offset, but the model's rows had none" : "it lacks the offset that the model's rows had");
  const later = own.slice(mine.length).filter((step) => !isType(step));
  if (places !== null && typeof places !== "string" && later.length > 0) {
    if (isWhole(places, theirs)) places = Int32Array.from({ length: columnCount }, (_, j) => j);
    else
      differences.push(
        `its columns are in other positions than the model's, and went through ${steps(later)} in these positions`,
      );
  }
  let next = theirs.length;
  for (const step of later) {
    while (next < wanted.length && isType(wanted[next])) next++;
    if (next === wanted.length) {
      differences.push(`it went through ${steps([step])}, but the model's rows did not`);
      break;
    }
    if (JSON.stringify(wanted[next]) !== JSON.stringify(step)) {
      const same = wanted[next].kind === step.kind;
      differences.push(
        same
          ? `its step ${step.kind} was fitted or set differently from the model's`
          : `it went through ${steps([step])}, but the model's rows went through ${steps([wanted[next]])}`,
      );
      break;
    }
    next++;
  }
  return differences.length > 0 ? differences.join("; ") : { next, places: places as Int32Array | null };
}

/** Whether every column is at the same position as in the model. If so, only the row format differs. */
const isWhole = (places: Int32Array, wanted: Coding): boolean =>
  places.length === countOf(wanted) && places.every((place, j) => place === j);

const steps = (of: readonly Step[]): string => `the step${of.length > 1 ? "s" : ""} ${of.map(({ kind }) => kind).join(", ")}`;

function codingOf(all: readonly Step[]): Coding {
  const source = all[0] as SourceStep;
  const find = <S extends Step>(kind: string): S | undefined =>
    all.slice(1, 3).find((step) => step.kind === kind) as S | undefined;
  if (source.kind !== "columns") return { source, impute: undefined, oneHot: undefined, length: 1 };
  const impute = find<ImputeStep>("impute");
  return { source, impute, oneHot: find<OneHotStep>("oneHot"), length: impute ? 3 : 2 };
}

/** Returns null if the columns are the same. */
function placesOf(own: Coding, wanted: Coding): Int32Array | string | null {
  const bare = ({ source, oneHot, impute }: Coding): string => {
    const { source: _, type: __, target: ___, weights: ____, offset: _____, ...rest } = source;
    return JSON.stringify([{ ...rest, unknown: undefined, hashed: undefined }, oneHot, impute?.indicators]);
  };
  if (bare(own) === bare(wanted)) return null;
  const hashed = [own, wanted].map(({ source }) => source.kind === "hashedColumns");
  if (hashed[0] && hashed[1]) return hashedDiffer(own.source as HashedColumnsStep, wanted.source as HashedColumnsStep);
  if (hashed[0] !== hashed[1])
    return hashed[0] ? "its columns are hashed, the model's are not" : "its columns are not hashed, the model's are";
  if ([own, wanted].some(({ source, oneHot }) => source.kind === "columns" && !oneHot))
    return "its categories and gaps are kept as they are, with other columns or levels";
  const [mine, theirs] = [own, wanted].map(namesOf);
  if (mine === null || theirs === null) return byPosition(own, wanted);
  return byName(own, mine, theirs, wanted);
}

/**
 * Describes differences between hashed columns. The order of hashed columns does not matter, because hashed values are
 * summed.
 */
function hashedDiffer(own: HashedColumnsStep, wanted: HashedColumnsStep): string | null {
  if (own.bits !== wanted.bits) return `its columns are hashed into 2^${own.bits}, the model's into 2^${wanted.bits}`;
  const keys = ({ columns }: HashedColumnsStep): Set<string> => new Set(columns.map(({ name, kind }) => `${kind} ${name}`));
  const [mine, theirs] = [keys(own), keys(wanted)];
  const only = (a: Set<string>, b: Set<string>): string[] => [...a].filter((key) => !b.has(key));
  const [more, less] = [only(mine, theirs), only(theirs, mine)];
  if (more.length + less.length === 0) return null;
  return `${less.length > 0 ? `it lacks ${listed(less)}` : ""}${more.length > 0 && less.length > 0 ? " and " : ""}${more.length > 0 ? `it has ${listed(more)} more` : ""}, which changes the hashed values`;
}

/** Returns null if columns have no names. */
function namesOf({ source, impute }: Coding): readonly RawColumn[] | null {
  const { columns } = source as ColumnsStep;
  if (source.kind === "columns") return impute ? [...columns, ...indicatorColumns(columns, impute)] : columns;
  return (source as NumbersStep).names?.map((name) => ({ name, kind: "number" as const })) ?? null;
}

const widthOf = ({ kind, levels }: { kind: string; levels?: readonly string[] }): number =>
  kind === "category" ? levels!.length : 1;
const formatOf = ({ source, oneHot }: Coding): string => oneHot?.format ?? (source as NumbersStep).format;
const countOf = (coding: Coding): number =>
  namesOf(coding)?.reduce((sum, column) => sum + widthOf(column), 0) ?? (coding.source as NumbersStep).columnCount;

function byPosition(own: Coding, wanted: Coding): Int32Array | string | null {
  const texts = [own, wanted].flatMap((coding) => (namesOf(coding) ?? []).filter(({ kind }) => kind === "category"));
  const [count, other] = [countOf(own), countOf(wanted)];
  if (texts.length > 0) return `only one of the two has column names, and ${listed(texts.map(({ name }) => name))} holds text`;
  // A hash of another length gives columns that are unrelated to the model's.
  const fixed = formatOf(own) !== "sparse" || [own, wanted].every(({ source }) => (source as NumbersStep).hashed);
  if (count !== other && fixed) return `it has ${count} columns, the model's rows had ${other}`;
  if (count === other && formatOf(own) === formatOf(wanted)) return null;
  return Int32Array.from({ length: count }, (_, j) => (j < other ? j : -1));
}

function byName(own: Coding, mine: readonly RawColumn[], theirs: readonly RawColumn[], wanted: Coding): Int32Array | string {
  const at = new Map<string, { column: RawColumn; place: number }>();
  let width = 0;
  for (const column of theirs) {
    at.set(column.name, { column, place: width });
    width += widthOf(column);
  }
  const refuses = (wanted.source as ColumnsStep).unknown === "refuse";
  const places: number[] = [];
  const differences: string[] = [];
  for (const column of mine) {
    const found = at.get(column.name);
    at.delete(column.name);
    if (found && found.column.kind !== column.kind)
      differences.push(`its column "${column.name}" holds ${contents(column)}, the model's ${contents(found.column)}`);
    if (column.kind === "number") places.push(found ? found.place : -1);
    else {
      const known = found?.column.kind === "category" ? found.column.levels : [];
      const strangers = found && refuses ? column.levels.filter((level) => !known.includes(level)) : [];
      if (strangers.length > 0)
        differences.push(`its column "${column.name}" has ${listed(strangers)}, which the model does not know`);
      const index = new Map(known.map((level, k) => [level, k]));
      for (const level of column.levels) places.push(found && index.has(level) ? found.place + index.get(level)! : -1);
    }
  }
  // Rows without missing cells do not need the indicator columns.
  const { columns, kind } = wanted.source as ColumnsStep;
  if (kind === "columns" && wanted.impute) for (const { name } of indicatorColumns(columns, wanted.impute)) at.delete(name);
  const sparse = own.source.kind === "numbers" && formatOf(own) === "sparse";
  if (at.size > 0 && (!sparse || at.size === theirs.length))
    differences.unshift(
      `it lacks the column${at.size > 1 ? "s" : ""} ${listed([...at.keys()])}; it has ${listed(mine.map(({ name }) => name))}`,
    );
  return differences.length > 0 ? differences.join("; ") : Int32Array.from(places);
}

const contents = ({ kind }: RawColumn): string => (kind === "category" ? "text" : "numbers");

/**
 * Finds missing cells that were filled with values computed from the dataset itself. The fill value of a column without
 * missing cells does not matter.
 */
function fillsDiffer(own: Coding, wanted: Coding): string[] {
  const theirs = fillsOf(wanted);
  const other = [...fillsOf(own)].filter(([name, { missing, fill }]) => missing > 0 && theirs.get(name)?.fill !== fill);
  if (other.length === 0) return [];
  return [`gaps in ${listed(other.map(([name]) => name))} were filled from its own values, not with the model's`];
}

function fillsOf({ impute, source }: Coding): Map<string, { missing: number; fill: number | string | null }> {
  if (!impute) return new Map();
  const { fills, missing } = impute;
  const fill = (column: RawColumn, j: number): number | string | null => {
    const at = fills[j];
    return column.kind === "category" && at !== null ? column.levels[at] : at;
  };
  return new Map(
    (source as ColumnsStep).columns.map((column, j) => [column.name, { missing: missing[j], fill: fill(column, j) }]),
  );
}

/** Returns `rows` with each column moved to its position. `shape`: the model's shape after its encoding steps. */
export function placed(rows: RowSource, places: Int32Array, shape: Shape): RowSource {
  return { rowCount: rows.rowCount, shape, open: shape.format === "dense" ? denseRows : sparseRows };

  function denseRows(): ReadRow {
    const read = rows.open();
    const out = { count: shape.columnCount, columns: null, values: new Float64Array(shape.columnCount) };
    return (i) => {
      const { count, columns, values } = read(i);
      out.values.fill(0);
      for (let k = 0; k < count; k++) {
        const place = places[columns ? columns[k] : k];
        if (place >= 0) out.values[place] = values[k];
      }
      return out;
    };
  }

  function sparseRows(): ReadRow {
    const read = rows.open();
    const out = new SparseRow();
    return (i) => {
      const { count, columns, values } = read(i);
      const entries: [number, number][] = [];
      for (let k = 0; k < count; k++) {
        const place = places[columns ? columns[k] : k];
        if (place >= 0 && values[k] !== 0) entries.push([place, values[k]]);
      }
      out.count = 0;
      for (const [place, value] of entries.sort((a, b) => a[0] - b[0])) out.push(place, value);
      return out;
    };
  }
}
