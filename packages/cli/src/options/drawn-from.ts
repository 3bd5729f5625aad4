/**
 * The model that produced a set of draws. `sample` records the file or formula of its model and the file of its data,
 * relative to its output folder. --model and --data specify them for other draws, or if files were moved.
 *
 * @throws UsageError if neither gives the model; DataError [FILE_READ] if the file no longer exists; errors of
 * `withModel`
 */
import { existsSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import type { Command } from "commander";
import { DataError, Draws } from "ergodic";
import { withModel } from "ergodic/bayes";
import { folderOfDraws, readDraws } from "../draws-files.ts";
import { UsageError } from "../errors.ts";
import type { Place } from "../outputs.ts";
import { counted } from "../report/numbers.ts";
import { collected } from "./collected.ts";
import { type FormulaWords, modelOfFormula } from "./formula.ts";
import { blamingFile } from "./module-file.ts";
import { modelOfFile } from "./statistical.ts";

export interface DrawnFrom {
  /** File of the model. */
  readonly model?: string | undefined;
  /** File with the data. The model's file can export the data instead. */
  readonly data?: string | undefined;
}

/** Adds --model and --data. `several`: whether they can be given once for all draws or once for each. */
export function addDrawnFrom(command: Command, several = false): Command {
  const each = several ? "; with several DIR, give it once for all, or repeat it for each" : "";
  const [model, data] = [
    `file of the model from which the draws were made${each}; default: the file that sample recorded`,
    `JSON file with the data of that model, by name${each}; default: the file that sample recorded`,
  ];
  if (!several) return command.option("--model <file>", model).option("--data <file>", data);
  return command.option("--model <file>", model, collected).option("--data <file>", data, collected);
}

/** Adds the record that `sample` writes. Its paths are relative, so that draws and model can be moved together. */
export function noting(draws: Draws, folder: string, { model, data, formula, family, levels }: DrawnFrom & FormulaWords): Draws {
  const from = (file: string | undefined): string | null =>
    file === undefined ? null : relative(resolve(folder), resolve(file)).split(sep).join("/");
  const words = { formula: formula ?? null, family: family ?? null, levels: [...(levels ?? [])] };
  const files = { model: from(model), data: from(data), ...(formula === undefined ? {} : words) };
  const { content } = draws;
  return new Draws({ ...content, description: { ...content.description, files } });
}

/** Reads draws with their model. `look` receives the files of the model and its data before they are read. */
export async function readDrawn(
  path: string,
  given: DrawnFrom,
  look: (inputs: readonly Place[]) => Promise<void> = async () => {},
): Promise<Draws> {
  const draws = await readDraws(path);
  const noted = (draws.description.files ?? {}) as Readonly<Record<string, unknown>>;
  const folder = await folderOfDraws(path);
  const placed = (file: unknown, flag: string): string | undefined => {
    if (typeof file !== "string") return undefined;
    const found = isAbsolute(file) ? file : join(folder, file);
    if (existsSync(found)) return found;
    throw new DataError(path, `was drawn from ${found}, which is no longer there; give it with ${flag} FILE`, "FILE_READ");
  };
  const data = given.data ?? placed(noted.data, "--data");
  const isFormula = given.model === undefined && typeof noted.formula === "string";
  const model = given.model ?? (isFormula ? undefined : placed(noted.model, "--model"));
  await look([
    { flag: "--model", path: model },
    { flag: "--data", path: data },
  ]);
  if (isFormula) {
    const { remarks: _, ...made } = await modelOfFormula({ ...wordsOf(noted), data });
    return withModel(draws, made);
  }
  if (model === undefined)
    throw new UsageError("--model", `${path} does not say what model it was drawn from; give its file: --model FILE`);
  return blamingFile(model, async () => withModel(draws, await modelOfFile(model, data, () => {})));
}

/** Reads the formula options from a file with unchecked content. */
function wordsOf({ formula, family, levels }: Readonly<Record<string, unknown>>): FormulaWords {
  return {
    formula: formula as string,
    ...(typeof family === "string" ? { family } : {}),
    ...(Array.isArray(levels) ? { levels: levels.map(String) } : {}),
  };
}

/** Returns entry i of a list that has either one value for all folders of draws or one value per folder. */
export function oneOfEach(flag: string, list: readonly string[] | undefined, count: number, i: number): string | undefined {
  if (list === undefined || list.length === 1) return list?.[0];
  if (list.length === count) return list[i];
  throw new UsageError(
    flag,
    `was given ${list.length} times for ${counted(count, "folder")} of draws; give it once, or once for each`,
  );
}

/**
 * Refuses files of models and data in place of draws. They follow --model or --data if the option was given once with
 * several files.
 */
export function refuseOtherThanDraws(
  paths: readonly string[],
  given: Record<"model" | "data", readonly string[] | undefined>,
): void {
  for (const [name, ending] of [
    ["model", /\.[cm]?[jt]s$/i],
    ["data", /(?<!(^|[/\\])draws)\.json$/i],
  ] as const) {
    const other = paths.find((path) => ending.test(path));
    if (other === undefined) continue;
    const all = [...(given[name] ?? []), other].map((file) => `--${name} ${file}`);
    throw new UsageError(`--${name}`, `${other} is given in place of draws; repeat the option for each file: ${all.join(" ")}`);
  }
}
