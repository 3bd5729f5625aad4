import type { Json, JsonObject } from "../contract/index.ts";
import { DataError } from "../errors/errors.ts";
import { murmur3 } from "../random/murmur3.ts";
import { mayBePacked, PACKED, pack, unpack } from "./packed.ts";
import { decode, encode, type Tensor } from "./safetensors.ts";

const [PLAIN, WITH_LISTS] = [1, 2];
/** Latest file version that this library reads. */
export const FILE_VERSION = WITH_LISTS;
/** Maximum nesting depth of a description. Functions that read a description recurse at most this deep. */
const DEEPEST = 500;

/** Names of a file format, and its error messages and codes. */
export interface FileFormat {
  /** Format name in the metadata. */
  readonly format: string;
  /** Term for the format version in errors. */
  readonly versionName: string;
  /** Error message for a file whose format is unknown. */
  readonly stranger: string;
  /** Error messages for files in the library's other formats, by format name. */
  readonly others?: Readonly<Record<string, string>>;
  /** Prefix of error codes: MODEL_FORMAT, MODEL_VERSION, MODEL_KIND. */
  readonly codes: string;
}

/**
 * A file written by this library, in the safetensors format. The file's metadata describe the contents: format,
 * version, a JSON description, and a checksum of the tensors.
 *
 * Long lists of the description are also stored as tensors (packed.ts). Files with such lists have version 2. All other
 * files have version 1, so that older readers can read them. Files without a checksum, which earlier versions wrote,
 * are accepted. The checksum is a 32-bit murmur3 hash of names, shapes and bytes, where tensors are sorted by name.
 * Tools can therefore write tensors in any order.
 *
 * @throws DataError for files of another format, and for damaged files
 */
export interface DescribedFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** Returns the description. @throws DataError unless it is a JSON object */
  describe(): JsonObject;
  /** Verifies the checksum. @throws DataError if the tensors differ from those that were written */
  verify(): void;
}

export function encodeDescribed(
  { format }: FileFormat,
  metadata: Readonly<Record<string, string>>,
  given: JsonObject,
  tensors: Readonly<Record<string, Tensor>>,
): Uint8Array {
  const { description, tensors: lists } = pack(given);
  const all = { ...tensors, ...lists };
  const version = Object.keys(lists).length > 0 ? WITH_LISTS : PLAIN;
  return encode(all, {
    format,
    version: String(version),
    ...metadata,
    description: JSON.stringify(description),
    checksum: checksumOf(all),
  });
}

export function decodeDescribed(bytes: Uint8Array, where: string, format: FileFormat): DescribedFile {
  const { tensors, metadata } = decode(bytes, where);
  const code = `${format.codes}_FORMAT`;
  const { others = {}, stranger } = format;
  if (Object.hasOwn(others, metadata.format)) throw new DataError(where, others[metadata.format], `${format.codes}_KIND`);
  if (metadata.format !== format.format) throw new DataError(where, stranger, code);
  checkVersion(metadata.version, where, format);
  const own = Object.entries(tensors).filter(([name]) => !name.startsWith(PACKED));
  return {
    metadata,
    tensors: Object.fromEntries(own),
    describe() {
      const { description } = metadata;
      const json = parsedDescription(description, where, code);
      return mayBePacked(description) ? (unpack(json, tensors, where, code) as JsonObject) : json;
    },
    verify() {
      const found = checksumOf(tensors);
      if (metadata.checksum === undefined || metadata.checksum === found) return;
      throw new DataError(
        where,
        `holds changed numbers: their checksum is ${found}, but was ${metadata.checksum.slice(0, 60)}; the file is damaged, copy it again or write it again (if you changed numbers on purpose, remove "checksum" from its metadata)`,
        code,
      );
    },
  };
}

/** Returns the checksum: "murmur3:1a2b3c4d". */
export function checksumOf(tensors: Readonly<Record<string, Tensor>>): string {
  const text = new TextEncoder();
  let hash = 0;
  for (const name of Object.keys(tensors).sort()) {
    const { shape, values } = tensors[name];
    const head = text.encode(`${name}\n${values.BYTES_PER_ELEMENT}\n${shape.join(",")}`);
    hash = murmur3(head, 0, head.length, hash);
    hash = murmur3(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 0, values.byteLength, hash);
  }
  return `murmur3:${hash.toString(16).padStart(8, "0")}`;
}

function checkVersion(given: string | undefined, where: string, { codes, versionName }: FileFormat): void {
  const version = given !== undefined && /^[0-9]{1,9}$/.test(given) ? Number(given) : 0;
  if (version > FILE_VERSION) {
    throw new DataError(
      where,
      `has ${versionName} ${version}, but this library reads up to ${FILE_VERSION}; update ergodic`,
      `${codes}_VERSION`,
    );
  }
  if (version >= 1) return;
  const shown = given === undefined ? "no version" : `version ${JSON.stringify(given.slice(0, 60))}`;
  throw new DataError(
    where,
    `has ${shown}, but a whole number from 1 is wanted; the file is damaged, write it again`,
    `${codes}_FORMAT`,
  );
}

function parsedDescription(text: string | undefined, where: string, code: string): JsonObject {
  const refuse = (what: string, cause?: unknown): DataError =>
    new DataError(
      where,
      `has a description that ${what}; the file is damaged, write it again`,
      code,
      cause ? { cause } : undefined,
    );
  let json: Json;
  try {
    json = JSON.parse(text ?? "");
  } catch (cause) {
    throw refuse("is not JSON", cause);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw refuse("is not an object");
  if (isDeep(json, DEEPEST)) throw refuse(`is nested more than ${DEEPEST} levels deep`);
  return json;
}

/** Whether the JSON is nested more deeply than this. */
function isDeep(json: Json, levels: number): boolean {
  if (typeof json !== "object" || json === null) return false;
  if (levels < 0) return true;
  if (Array.isArray(json)) return json.some((part) => isDeep(part, levels - 1));
  for (const key in json) if (isDeep(json[key], levels - 1)) return true;
  return false;
}
