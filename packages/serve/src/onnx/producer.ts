import { closeSync, openSync, readSync, statSync } from "node:fs";

/** Number of bytes of a file that are examined. */
const HEAD = 256;

/**
 * Returns the name of the program that wrote an ONNX file. This is field 2 of the message, a string. The field is found
 * only if it is preceded by nothing but numbers and strings, which is so if all fields are in order.
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

/**
 * Returns the first bytes of a file. Returns no bytes if the path is not a file or cannot be read. Opening a FIFO would
 * wait, and for other paths onnxruntime reports why it refuses them.
 */
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
