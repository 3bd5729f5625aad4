/**
 * Reads models of trees that other libraries saved. The content decides what a file is, not its name. Readers are
 * loaded when a file of their format is read.
 */

import type { SavedModel } from "../engine/contract/index.ts";
import { DataError } from "../engine/errors/errors.ts";
import { later } from "../engine/threads/later.ts";

const [BRACE, SPACES] = [0x7b, new Set([0x20, 0x09, 0x0a, 0x0d])];

/**
 * Returns the model of an XGBoost file (JSON or UBJSON), of a LightGBM text file or of an ONNX file of trees; undefined
 * if the bytes are none of them.
 *
 * @throws DataError for damaged files, models that cannot be represented, and other ONNX files
 */
export async function foreignModel(bytes: Uint8Array, where: string): Promise<SavedModel | undefined> {
  if (isUbjson(bytes)) {
    const { readUbjson } = await later(() => import("./trees/formats/ubjson.ts"));
    const { xgboostModel } = await later(() => import("./trees/formats/xgboost.ts"));
    return xgboostModel(readUbjson(bytes, { where, library: "XGBoost" }), where);
  }
  if (isJson(bytes)) return jsonModel(bytes, where);
  if (isLightgbm(bytes)) {
    const { lightgbmModel } = await later(() => import("./trees/formats/lightgbm.ts"));
    return lightgbmModel(new TextDecoder().decode(bytes), where);
  }
  if (isOnnx(bytes)) {
    const { onnxModel } = await later(() => import("./trees/formats/onnx.ts"));
    return onnxModel(bytes, where);
  }
  return undefined;
}

async function jsonModel(bytes: Uint8Array, where: string): Promise<SavedModel | undefined> {
  const { parseLoose } = await later(() => import("./trees/formats/loose-json.ts"));
  const { isXgboost, xgboostModel } = await later(() => import("./trees/formats/xgboost.ts"));
  let json: unknown;
  try {
    json = parseLoose(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new DataError(where, "begins like JSON, but is not JSON; the file is damaged, write it again", "MODEL_FORMAT", {
      cause,
    });
  }
  if (isXgboost(json)) return xgboostModel(json, where);
  throw new DataError(
    where,
    'is JSON, but not a model: XGBoost models have the key "learner"; save the model by save_model("model.json")',
    "MODEL_FORMAT",
  );
}

/** Whether the bytes begin with an object of UBJSON whose first key has a length. A safetensors file has "{" at byte 8. */
function isUbjson(bytes: Uint8Array): boolean {
  return bytes[0] === BRACE && bytes[8] !== BRACE && "iUIlL".includes(String.fromCharCode(bytes[1]));
}

function isJson(bytes: Uint8Array): boolean {
  return bytes.find((byte) => !SPACES.has(byte)) === BRACE && bytes[8] !== undefined && bytes[7] > 0;
}

/** Whether the first line is "tree". */
function isLightgbm(bytes: Uint8Array): boolean {
  return bytes[7] > 0 && /^tree\r?\n/.test(String.fromCharCode(...bytes.subarray(0, 6)));
}

/**
 * Whether the bytes begin like an ONNX file: with its version, followed by the producer's name, the graph or the imported
 * operators.
 */
function isOnnx(bytes: Uint8Array): boolean {
  return bytes[0] === 8 && bytes[7] > 0 && [0x12, 0x3a, 0x42].includes(bytes[2]);
}
