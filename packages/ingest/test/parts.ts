/**
 * Bytes in the notation of JSON cases: 7 is a byte, "i4 1 -2" two int32, "f8 1.5" a float64, "t ab" a text after its
 * length, "v 300" a varint, "h 00ff" bytes in hex, "r 3 1c" a byte three times, and "z 9" nine zeros.
 */
export type Part = number | string;

const sizes: Readonly<Record<string, number>> = { u2: 2, i4: 4, i8: 8, f4: 4, f8: 8 };

export function bytesOf(parts: readonly Part[]): number[] {
  return parts.flatMap((part) => {
    if (typeof part === "number") return [part];
    const [kind, ...values] = part.split(" ");
    if (kind === "h") return [...Buffer.from(values.join(""), "hex")];
    if (kind === "v") return values.flatMap((value) => varint(BigInt(value)));
    if (kind === "z") return new Array<number>(Number(values[0])).fill(0);
    if (kind === "r") return new Array<number>(Number(values[0])).fill(Number.parseInt(values[1], 16));
    if (kind === "t") return values.flatMap((text) => [...bytesOf([`i4 ${Buffer.byteLength(text)}`]), ...Buffer.from(text)]);
    return values.flatMap((value) => number(kind, value));
  });
}

function number(kind: string, value: string): number[] {
  const view = new DataView(new ArrayBuffer(8));
  if (kind === "u2") view.setUint16(0, Number(value), true);
  else if (kind === "i4") view.setInt32(0, Number(value), true);
  else if (kind === "i8") view.setBigInt64(0, BigInt(value), true);
  else if (kind === "f4") view.setFloat32(0, Number(value), true);
  else view.setFloat64(0, Number(value), true);
  return [...new Uint8Array(view.buffer, 0, sizes[kind])];
}

/** Seven bits per byte, lowest first. */
export function varint(value: bigint): number[] {
  const bytes = [];
  for (; value > 127n; value >>= 7n) bytes.push(Number(value & 127n) + 128);
  return [...bytes, Number(value)];
}

/** Applies `changes` to an object of objects. null removes a member. */
export function changed<T>(whole: T, changes: unknown): T {
  if (typeof changes !== "object" || changes === null || Array.isArray(changes)) return changes as T;
  const merged: Record<string, unknown> = { ...(whole as Record<string, unknown>) };
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) delete merged[name];
    else merged[name] = changed(merged[name], value);
  }
  return merged as T;
}
