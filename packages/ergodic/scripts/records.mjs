// Defines how kernels/*/records.mjs describe the records that TypeScript and kernels share. A record is a list of
// fields in address order, so that no offset is written by hand. Padding is explicit, except that an f64 begins at a
// multiple of 8 bytes and that a record with an f64 ends at one.

/** @typedef {{ name?: string, bytes: number, align: number, suffix?: string, comment?: string, record?: string, isRest?: boolean }} Field */
/** @typedef {{ kind: "record", name: string, comment: string, fields: Field[] } | { kind: "numbers", comment: string, values: Record<string, number> }} Item */
/** @typedef {{ name: string, value: number, comment?: string }} Constant */

/** @param {number} bytes */
const number =
  (bytes, align = bytes, suffix = "") =>
  /** @param {string} name @param {string} [comment] @returns {Field} */
  (name, comment) => ({ name, bytes, align, suffix, comment });

export const u32 = number(4);
/** Named like u32: a kernel's `load` decides which of the two it reads. */
export const i32 = number(4);
export const f64 = number(8, 8, "_F64");
/** An f64 at a multiple of 4 bytes, which kernels can read, but a Float64Array cannot. */
export const packedF64 = number(8, 4, "_F64");
/** @param {string} name @param {number} count @param {string} [comment] @returns {Field} */
export const bytes = (name, count, comment) => ({ name, bytes: count, align: 1, comment });
/** Unused bytes. @param {number} count @returns {Field} */
export const pad = (count) => ({ bytes: count, align: 1 });
/** Another record of the same file within this one. @param {string} name @param {string} record @param {string} [comment] @returns {Field} */
export const part = (name, record, comment) => ({ name, bytes: 0, align: 1, comment, record });
/** The fields of another record come first, under its own name. @param {string} record @returns {Field} */
export const after = (record) => ({ bytes: 0, align: 1, record });
/**
 * Lists of varying length follow, so the record has no fixed size. @param {string} name @param {string} [comment]
 * @returns {Field}
 */
export const rest = (name, comment) => ({ name, bytes: 0, align: 1, comment, isRest: true });

/** @param {string} name @param {string} comment @param {Field[]} fields @returns {Item} */
export const record = (name, comment, fields) => ({ kind: "record", name, comment, fields });
/** @param {string} comment @param {Record<string, number>} values @returns {Item} */
export const numbers = (comment, values) => ({ kind: "numbers", comment, values });
/** Consecutive numbers from 0. @param {string} name @param {string} comment @param {string[]} names @returns {Item} */
export const enumeration = (name, comment, names) =>
  numbers(comment, Object.fromEntries(names.map((one, i) => [`${name}_${one}`, i])));

/** @param {number} at @param {number} align */
const aligned = (at, align) => Math.ceil(at / align) * align;

/** Computes the places of a record's fields. @param {Item & { kind: "record" }} item @param {readonly Item[]} items */
function placed({ name, fields }, items) {
  /** @type {Constant[]} */
  const constants = [];
  let [at, widest, isOpen] = [0, 4, false];
  for (const field of fields) {
    if (isOpen) throw new Error(`records: ${name} has fields behind its rest`);
    let { bytes, align } = field;
    if (field.record !== undefined) {
      const inner = items.find((item) => item.kind === "record" && item.name === field.record);
      if (inner?.kind !== "record") throw new Error(`records: ${name} refers to ${field.record}, which is not in the same file`);
      const size = placed(inner, items);
      [bytes, align] = [size.bytes, size.align];
    }
    at = aligned(at, align);
    widest = Math.max(widest, align);
    if (field.name) constants.push({ name: `${name}_${field.name}${field.suffix ?? ""}`, value: at, comment: field.comment });
    at += bytes;
    isOpen = field.isRest === true;
  }
  const size = aligned(at, widest);
  if (!isOpen) constants.push({ name: `${name}_BYTES`, value: size });
  return { constants, bytes: size, align: widest };
}

/**
 * Returns groups of constants, each with its comment. @param {readonly Item[]} items @returns {{ comment: string,
 * constants: Constant[] }[]}
 */
export function constantsOf(items) {
  const groups = items.map((item) =>
    item.kind === "record"
      ? { comment: item.comment, constants: placed(item, items).constants }
      : { comment: item.comment, constants: Object.entries(item.values).map(([name, value]) => ({ name, value })) },
  );
  const names = groups.flatMap(({ constants }) => constants.map(({ name }) => name));
  for (const [i, name] of names.entries()) if (names.indexOf(name) !== i) throw new Error(`records: ${name} is there twice`);
  return groups;
}
