/**
 * Registry of pipeline steps. A new step needs a file in this folder and an entry in the list below. The steps in
 * `features/` and `impute` are registered where they are used.
 */
import type { SourceStep, Step, Transformation } from "../rows.ts";
import { cells } from "./cells.ts";
import { columns } from "./columns.ts";
import { hash } from "./hash.ts";
import { hashedColumns } from "./hashed-columns.ts";
import { numberType } from "./number-type.ts";
import { numbers } from "./numbers.ts";
import { oneHot } from "./one-hot.ts";
import { rowShape } from "./row-shape.ts";
import type { Source } from "./source.ts";
import { standardise } from "./standardise.ts";

const sourceList: Source<SourceStep>[] = [columns, hashedColumns, numbers];

const transformationList: Transformation<Step>[] = [oneHot, cells, standardise, hash, numberType, rowShape];

export const sources: ReadonlyMap<string, Source<SourceStep>> = new Map(sourceList.map((source) => [source.kind, source]));
const known = new Map(transformationList.map((one) => [one.kind, one]));

export const transformations: ReadonlyMap<string, Transformation<Step>> = known;

/**
 * Registers a step that is not always loaded, such as a feature map. Factories of such steps call this function, and so
 * do readers of files that contain such steps.
 */
export function addTransformation<S extends Step>(one: Transformation<S>): void {
  known.set(one.kind, one as unknown as Transformation<Step>);
}
