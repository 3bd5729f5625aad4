import type { TargetColumn } from "./rows.ts";

/** The properties of a dataset that its text mentions. */
interface Described {
  readonly source: string;
  readonly rowCount: number;
  readonly columnCount: number;
  readonly format: string;
  readonly type: string;
  readonly names: readonly string[];
  readonly pipeline: { readonly target: TargetColumn };
  readonly disposed: boolean;
}

/** Largest number of listed columns or classes. */
const MOST = 8;
/** Largest number of columns whose names are looked up. Hashed columns can number millions. */
const MOST_NAMED = 1000;

/**
 * Returns a line about a dataset: `dataset "cars.csv": 392 rows × 3 columns (age, …), dense f32; target
 * mpg: numbers`. The text does not depend on the rows, so that it also describes a disposed dataset.
 */
export function datasetText(data: Described): string {
  const { source, rowCount, columnCount, format, type, pipeline, disposed } = data;
  const { name, levels } = pipeline.target;
  const columns = columnCount > MOST_NAMED ? "" : ` (${listed(data.names)})`;
  const target = levels ? `classes ${listed(levels)}` : "numbers";
  const counted = (count: number, of: string): string => `${count.toLocaleString("en")} ${of}${count === 1 ? "" : "s"}`;
  const sizes = `${counted(rowCount, "row")} × ${counted(columnCount, "column")}`;
  return `dataset ${JSON.stringify(source)}: ${sizes}${columns}, ${format} ${type}; target ${name}: ${target}${disposed ? "; disposed" : ""}`;
}

const listed = (names: readonly string[]): string =>
  names.length > MOST ? `${names.slice(0, MOST).join(", ")} and ${names.length - MOST} more` : names.join(", ");
