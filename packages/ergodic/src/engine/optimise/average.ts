import type { Engine } from "../memory/engine.ts";

type View = Float32Array | Float64Array | Int16Array;

/**
 * Averages replicas: replaces array number a of every replica by the mean over replicas. `viewsOf` is called only after
 * the last allocation, because an allocation invalidates views.
 */
export function averageReplicas(
  count: number,
  viewsOf: (replica: number) => readonly View[],
  engine: Engine,
  deterministic: boolean,
): void {
  const average = engine.kernel("average", deterministic);
  const { memory } = engine;
  const pointers = memory.allocate(count * 4, "averaging replicas");
  try {
    const copies = Array.from({ length: count }, (_, c) => viewsOf(c));
    copies[0].forEach(({ length, BYTES_PER_ELEMENT }, a) => {
      memory.u32(pointers.pointer, count).set(copies.map((views) => views[a].byteOffset));
      average(pointers.pointer, count, length, BYTES_PER_ELEMENT);
    });
  } finally {
    pointers.dispose();
  }
}
