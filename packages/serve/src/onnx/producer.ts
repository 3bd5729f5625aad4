import { closeSync, openSync, readSync, statSync } from "node:fs";

/** Bytes of a file that are looked at. */
const HEAD = 256;

/**
 * The program that wrote an ONNX file: field 2 of the message, a text. It is found where only numbers and texts stand before it, as in all files that exporters write in the order
 * of the fields.
 */
export function producerOf(model: string | Uint8Array): string | undefined {
  const bytes = typeof model === "string" ? headOf(model) : model.subarray(0, HEAD);
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * scale;
      if (byte < 128) break;
    }
    return value;
  };
  while (at < bytes.length) {
    const tag = varint();
    if (tag % 8 === 0) varint();
    else if (tag % 8 === 2) {
      const length = varint();
      if (tag === 2 * 8 + 2 && at + length <= bytes.length)
        return Buffer.from(bytes.subarray(at, at + length)).toString() || undefined;
      at += length;
    } else return undefined;
  }
  return undefined;
}

/** Nothing of what is not a file, or cannot be read: to open a FIFO would wait, and onnxruntime says why it does not take it. */
function headOf(path: string): Uint8Array {
  const bytes = new Uint8Array(HEAD);
  let file: number | undefined;
  try {
    if (!statSync(path).isFile()) return new Uint8Array(0);
    file = openSync(path, "r");
    return bytes.subarray(0, readSync(file, bytes, 0, HEAD, 0));
  } catch {
    return new Uint8Array(0);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
