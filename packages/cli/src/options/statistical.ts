/**
 * Reads a statistical model from a file, its data, and a sampler from its words on the command line.
 *
 * The file's default export is a model(), or a function from which a model is made. A `data` export is used if --data
 * is not given. A sampler is written as its name and its options, with the options of a nested sampler in brackets:
 * nuts:metric=dense,maxTreeDepth=12 · parallelTempering:inner=hmc(leapfrogs=10).
 *
 * @throws UsageError for a file without a model, or with a plain log density, for data that are not an object, for an
 * unknown sampler
 */
import { ErgodicError, model, type StatisticalModel } from "ergodic";
import { type ModelContext, type ModelData, type Sampler, samplerFromJson, samplerNames } from "ergodic/bayes";
import { UsageError } from "../errors.ts";
import { loadedJson, loadedModule } from "./module-file.ts";
import { parseSpec, type Spec } from "./spec.ts";

export interface ModelFile {
  readonly model: StatisticalModel;
  readonly data: ModelData;
}

/** Reads the model and its data. `between` is called after the model's file and before the data are read. */
export async function modelOfFile(path: string, dataPath: string | undefined, between: () => void): Promise<ModelFile> {
  const module = await loadedModule("<MODEL>", path);
  between();
  const { default: found } = module;
  const data = dataPath === undefined ? (module.data ?? {}) : await loadedJson(dataPath);
  if (typeof data !== "object" || data === null || Array.isArray(data))
    throw new UsageError("--data", `${dataPath ?? `${path}: data`} is not an object; give data by name: {"y": [1, 2], "N": 2}`);
  if (typeof found === "function") return { model: modelOf(path, found as ModelBody), data: data as ModelData };
  if (typeof found === "object" && found !== null && (found as { kind?: unknown }).kind === "statistical")
    return { model: found as StatisticalModel, data: data as ModelData };
  throw new UsageError(
    "<MODEL>",
    `${path}: the default export is ${typeof found}, but must be a model; write export default model(({ param, observe }) => …)`,
  );
}

type ModelBody = (context: ModelContext) => unknown;

/**
 * Makes a model from a function. A function is recognised as a plain log density if it returns a number, or fails,
 * without using the context.
 */
function modelOf(path: string, body: ModelBody): StatisticalModel {
  const watched = (context: ModelContext): void => {
    let asked = false;
    const spied = new Proxy(context, {
      get(target, key) {
        if (key in target) asked = true;
        return Reflect.get(target, key);
      },
    });
    let given: unknown;
    try {
      given = body(spied);
    } catch (error) {
      if (asked || error instanceof ErgodicError) throw error;
      throw notModel(path, error);
    }
    if (!asked && given !== undefined) throw notModel(path);
  };
  return model(watched, { name: body.name || "model" });
}

const notModel = (path: string, cause?: unknown): UsageError =>
  new UsageError(
    "<MODEL>",
    `${path}: the function does not use param or observe, as a model must; a plain log density needs the API: await sample(x => …, { dimension: 2 }); here, write export default model(({ param, observe }) => …)`,
    { cause },
  );

export function parseSampler(flag: string, text: string): Sampler {
  const spec = parseSpec(flag, text);
  if (!samplerNames().includes(spec.name))
    throw new UsageError(flag, `"${spec.name}" is not known (known: ${samplerNames().join(", ")})`);
  return samplerFromJson(jsonOf(spec));
}

type SamplerJson = Parameters<typeof samplerFromJson>[0];

function jsonOf({ name, options }: Spec): SamplerJson {
  const inner = Object.entries(options).map(([key, value]) => [key, typeof value === "object" ? jsonOf(value) : value]);
  return { algorithm: name, ...Object.fromEntries(inner) };
}
