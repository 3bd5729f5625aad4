/** All steps that a pipeline knows. A new step is one file here or in `features/`, and one line below. */
import { fastfoodStep } from "../features/fastfood.ts";
import { orthogonalStep } from "../features/orthogonal.ts";
import { rffStep } from "../features/rff.ts";
import { sorfStep } from "../features/sorf.ts";
import type { SourceStep, Step, Transformation } from "../rows.ts";
import { columns } from "./columns.ts";
import { hash } from "./hash.ts";
import { hashedColumns } from "./hashed-columns.ts";
import { impute } from "./impute.ts";
import { numberType } from "./number-type.ts";
import { numbers } from "./numbers.ts";
import { oneHot } from "./one-hot.ts";
import { rowShape } from "./row-shape.ts";
import type { Source } from "./source.ts";
import { standardise } from "./standardise.ts";

const sourceList: Source<SourceStep>[] = [columns, hashedColumns, numbers];

const transformationList: Transformation<Step>[] = [
  impute,
  oneHot,
  standardise,
  hash,
  numberType,
  rowShape,
  rffStep as Transformation<Step>,
  orthogonalStep as Transformation<Step>,
  sorfStep as Transformation<Step>,
  fastfoodStep as Transformation<Step>,
];

export const sources: ReadonlyMap<string, Source<SourceStep>> = new Map(sourceList.map((source) => [source.kind, source]));
export const transformations: ReadonlyMap<string, Transformation<Step>> = new Map(
  transformationList.map((one) => [one.kind, one]),
);
