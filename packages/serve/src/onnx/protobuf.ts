/**
 * Writes messages of protocol buffers. Each field has a number and a wire type: 0 for variable-length integers, 2 for
 * bytes, 5 for four bytes.
 *
 * Given bytes are kept by reference and copied once, at the end, because weights can be hundreds of megabytes.
 * Source: protobuf.dev, "Encoding".
 */
import { MemoryLimitError } from "ergodic";

const VARIANT = 0;
const BYTES = 2;
const FOUR_BYTES = 5;

/** Largest message that readers of protocol buffers accept, in bytes. */
const MOST_BYTES = 2 ** 31 - 1;

const utf8 = new TextEncoder();

export class Message {
  readonly #chunks: Uint8Array[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Writes a whole number from 0. */
  integer(field: number, value: number): this {
    this.#tag(field, VARIANT);
    return this.#varint(value);
  }

  float(field: number, value: number): this {
    this.#tag(field, FOUR_BYTES);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#append(bytes);
  }

  bytes(field: number, bytes: Uint8Array): this {
    this.#tag(field, BYTES);
    this.#varint(bytes.length);
    return this.#append(bytes);
  }

  text(field: number, text: string): this {
    return this.bytes(field, utf8.encode(text));
  }

  message(field: number, inner: Message): this {
    this.#tag(field, BYTES);
    this.#varint(inner.size);
    for (const chunk of inner.#chunks) this.#append(chunk);
    return this;
  }

  /** Writes several whole numbers in one packed field. */
  integers(field: number, values: readonly number[]): this {
    const packed = new Message();
    for (const value of values) packed.#varint(value);
    return this.message(field, packed);
  }

  /** Returns the bytes. @throws MemoryLimitError if the message is longer than readers accept */
  finish(where: string): Uint8Array {
    if (this.#size > MOST_BYTES)
      throw new MemoryLimitError(
        where,
        `the file would have ${this.#size} bytes, but ONNX files can have at most ${MOST_BYTES}; make the model smaller`,
        "MEMORY_LIMIT",
      );
    const whole = new Uint8Array(this.#size);
    let at = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    return whole;
  }

  #tag(field: number, wire: number): void {
    this.#varint(field * 8 + wire);
  }

  #varint(value: number): this {
    const bytes: number[] = [];
    let left = value;
    for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
    bytes.push(left);
    return this.#append(Uint8Array.from(bytes));
  }

  #append(bytes: Uint8Array): this {
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    return this;
  }
}
