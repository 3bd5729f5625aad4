/** The writer of protocol buffers compared with a plain reader, and the nodes that a graph omits and merges. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { power } from "../../../ergodic/test/power.ts";
import { Graph } from "../../src/onnx/graph.ts";
import { Message } from "../../src/onnx/protobuf.ts";

interface Field {
  readonly field: number;
  readonly wire: number;
  readonly value: bigint | Uint8Array;
}

/** Every field of a message, read according to the encoding. */
function read(bytes: Uint8Array): Field[] {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const fields: Field[] = [];
  while (at < bytes.length) {
    const tag = Number(varint());
    const [field, wire] = [tag >> 3, tag & 7];
    if (wire === 0) fields.push({ field, wire, value: varint() });
    else {
      const length = wire === 5 ? 4 : Number(varint());
      fields.push({ field, wire, value: bytes.subarray(at, at + length) });
      at += length;
    }
  }
  expect(at).toBe(bytes.length);
  return fields;
}

const all = (fields: readonly Field[], field: number): Uint8Array[] =>
  fields.filter((one) => one.field === field).map(({ value }) => value as Uint8Array);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
/** Names of the values in a field of a graph's messages. */
const names = (graph: Uint8Array, field: number, name: number): string[] =>
  all(read(graph), field).map((one) => text(all(read(one), name)[0]));
const graphOf = (model: Uint8Array): Uint8Array => all(read(model), 7)[0];

describe("messages", () => {
  it("writes whole numbers of every size", () => {
    for (const value of [0, 1, 127, 128, 255, 300, 16383, 16384, 2 ** 31 - 1, 2 ** 31, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER])
      expect(read(new Message().integer(3, value).finish("test"))).toEqual([{ field: 3, wire: 0, value: BigInt(value) }]);
    expect([...new Message().integer(1, 300).finish("test")]).toEqual([8, 172, 2]);
  });

  it("writes nested messages that a reader reads back", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 2000 }), fc.string({ unit: "binary" }), fc.nat(), fc.float({ noNaN: true }))),
        (parts) => {
          const message = new Message();
          for (const [field, words, count, value] of parts)
            message.message(field, new Message().text(1, words).integer(2, count).float(5, value).integers(7, [count, 3]));
          const found = read(message.finish("test"));
          expect(found.map(({ field }) => field)).toEqual(parts.map(([field]) => field));
          for (const [i, [, words, count, value]] of parts.entries()) {
            const [first, second, third, packed] = read(found[i].value as Uint8Array);
            expect(first.value).toEqual(new TextEncoder().encode(words));
            expect(second.value).toBe(BigInt(count));
            const bytes = third.value as Uint8Array;
            expect(new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true)).toBe(value);
            expect(read(Uint8Array.of(8, ...(packed.value as Uint8Array).subarray(0, -1)))[0].value).toBe(BigInt(count));
          }
        },
      ),
      { numRuns: power(25, 100) },
    );
  });

  it("refuses sizes that readers refuse, before allocating memory", () => {
    const half = new Uint8Array(2 ** 30);
    const message = new Message().bytes(1, half).bytes(1, half);
    expect(() => message.finish("toOnnx")).toThrow(
      /toOnnx: the file would have 21474\d+ bytes, but ONNX files can have at most 2147483647; make the model smaller/,
    );
  });
});

describe("graphs", () => {
  it("keeps exactly the nodes and constants that an output needs, in order", () => {
    const graph = new Graph();
    const x = graph.input("x", "float32", ["batch", 2]);
    const wanted = graph.constant("float32", [1, 2], [2], "wanted");
    graph.node("Exp", [graph.node("Add", [x, graph.constant("float32", [9, 9], [2], "unused")])]);
    graph.node("Add", [graph.node("Neg", [x]), wanted], {}, "y");
    graph.output("y", "float32", ["batch", 2]);
    const bytes = graphOf(graph.toBytes({ key: "value" }, "1"));
    expect(names(bytes, 1, 4)).toEqual(["Neg", "Add"]);
    expect(names(bytes, 5, 8)).toEqual([wanted]);
    expect(names(bytes, 11, 1)).toEqual(["x"]);
    expect(names(bytes, 12, 1)).toEqual(["y"]);
  });

  it("merges constants only if type, shape and numbers are equal", () => {
    const graph = new Graph();
    const first = graph.constant("float32", [1, 2]);
    expect(graph.constant("float32", [1, 2])).toBe(first);
    const others = [
      graph.constant("float32", [1, 2], [2, 1]),
      graph.constant("float32", [1, 3]),
      graph.constant("int64", [1, 2]),
      graph.constant("float64", [1, 2]),
    ];
    expect(new Set([first, ...others]).size).toBe(5);
    // −0 and 0 are different numbers.
    expect(graph.scalar("float32", -0)).not.toBe(graph.scalar("float32", 0));
  });

  it("keeps outer values that a graph within a node uses", () => {
    const graph = new Graph();
    const inner = new Graph(graph);
    const outside = graph.node("Neg", [graph.input("x", "float32", [2])]);
    const step = inner.input("step", "float32", []);
    inner.output(
      inner.node("Add", [inner.node("Add", [outside, step]), inner.constant("float32", [5], [1], "deep")]),
      "float32",
      [2],
    );
    graph.nodes("Scan", [graph.constant("float32", [1, 2, 3])], ["y"], { body: inner, num_scan_inputs: 1 });
    graph.output("y", "float32", [3, 2]);
    const bytes = graphOf(graph.toBytes({}, "1"));
    expect(names(bytes, 1, 4)).toEqual(["Neg", "Scan"]);
    expect(names(bytes, 5, 8).some((name) => name.startsWith("deep"))).toBe(true);
  });

  it("contains the version of ONNX, the producer and the metadata", () => {
    const graph = new Graph();
    graph.node("Identity", [graph.input("x", "float32", [1])], {}, "y");
    graph.output("y", "float32", [1]);
    const fields = read(graph.toBytes({ a: "ä" }, "1.2.3"));
    expect(fields[0]).toEqual({ field: 1, wire: 0, value: 8n });
    expect([text(all(fields, 2)[0]), text(all(fields, 3)[0])]).toEqual(["ergodic", "1.2.3"]);
    expect(read(all(fields, 8)[0]).find(({ field }) => field === 2)?.value).toBe(17n);
    expect(read(all(fields, 14)[0]).map(({ value }) => text(value as Uint8Array))).toEqual(["a", "ä"]);
  });
});
