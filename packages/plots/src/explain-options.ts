/** Options that the plots of explanations share. */
import { OptionError } from "ergodic";
import { checkKeys, checkNumber } from "ergodic/extend";

/** Options of a plot of explanations. */
export interface ExplainPlotOptions {
  /** Width in pixels. Default 720; a whole number, 240 to 10,000. */
  readonly width?: number;
  /** Title above the picture. */
  readonly title?: string;
}

/** Options of a plot that lists columns. */
export interface ColumnPlotOptions extends ExplainPlotOptions {
  /** Largest number of columns to show. Default 20; a whole number, 1 to 100. */
  readonly most?: number;
  /** Index of the output to show, for several classes. Default 0. */
  readonly output?: number;
}

export function checkedOptions(
  where: string,
  options: ColumnPlotOptions,
  known: readonly string[],
  outputs = 1,
): Required<Omit<ColumnPlotOptions, "title">> & { title?: string } {
  checkKeys(where, options, ["width", "title", ...known]);
  const { width = 720, title, most = 20, output = 0 } = options;
  checkNumber(where, "width", width, { low: 240, high: 10_000, integer: true });
  checkNumber(where, "most", most, { low: 1, high: 100, integer: true });
  checkNumber(where, "output", output, { low: 0, high: outputs - 1, integer: true });
  if (title !== undefined && typeof title !== "string")
    throw new OptionError(where, 'title must be a text: write title: "…"', "OPTION_TYPE");
  return { width, most, output, ...(title === undefined ? {} : { title }) };
}

/** Shortens a name to `most` characters. */
export const shortened = (name: string, most = 24): string => (name.length > most ? `${name.slice(0, most - 1)}…` : name);

/** Formats a number with four significant digits. */
export const brief = (value: number): string => String(Number(value.toPrecision(4)));
