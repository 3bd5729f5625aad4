/** Log densities for tests, compiled like kernels. Each has a plain twin that agrees bit for bit. */
import { readFile } from "node:fs/promises";
import asc from "assemblyscript/asc";
import type { LogDensity } from "../../../src/engine/contract/index.ts";
import { Arena } from "../../../src/engine/memory/arena.ts";
import type { Engine } from "../../../src/engine/memory/engine.ts";
import { exp } from "../../../src/engine/numbers/exp.ts";

const source = `
import { exp } from "./exp";

/** model: d (u32, padded to 8 bytes), mean f64[d], precision f64[d, d]. */
export function gaussian(model: usize, x: usize, g: usize): f64 {
  const d = <usize>load<u32>(model);
  const mean = model + 8, precision = mean + (d << 3);
  let value: f64 = 0;
  for (let i: usize = 0; i < d; i++) {
    let sum: f64 = 0;
    for (let j: usize = 0; j < d; j++) sum += load<f64>(precision + ((i * d + j) << 3)) * (load<f64>(x + (j << 3)) - load<f64>(mean + (j << 3)));
    store<f64>(g + (i << 3), 0 - sum);
    value -= 0.5 * sum * (load<f64>(x + (i << 3)) - load<f64>(mean + (i << 3)));
  }
  return value;
}

/** Neal's: x0 ~ N(0, 3), the others ~ N(0, exp(x0 / 2)). */
export function funnel(model: usize, x: usize, g: usize): f64 {
  const d = <usize>load<u32>(model);
  const v = load<f64>(x);
  const precision = exp(0 - v);
  let squares: f64 = 0;
  for (let i: usize = 1; i < d; i++) {
    const y = load<f64>(x + (i << 3));
    squares += y * y;
    store<f64>(g + (i << 3), 0 - y * precision);
  }
  const n = <f64>(d - 1);
  store<f64>(g, 0 - v / 9 + 0.5 * squares * precision - 0.5 * n);
  return 0 - v * v / 18 - 0.5 * squares * precision - 0.5 * n * v;
}

/** NaN below 0, elsewhere a standard normal: what a model without its constraint does. */
export function broken(model: usize, x: usize, g: usize): f64 {
  const v = load<f64>(x);
  store<f64>(g, 0 - v);
  return v < 0 ? NaN : -0.5 * v * v;
}

/** +Infinity above 1, elsewhere a standard normal. */
export function spiked(model: usize, x: usize, g: usize): f64 {
  const v = load<f64>(x);
  store<f64>(g, 0 - v);
  return v > 1 ? Infinity : -0.5 * v * v;
}

/** model: d (u32, padded to 8 bytes), shapes f64[d]. Coordinates are logs of independent gamma variables. */
export function logGamma(model: usize, x: usize, g: usize): f64 {
  const d = <usize>load<u32>(model);
  let value: f64 = 0;
  for (let i: usize = 0; i < d; i++) {
    const shape = load<f64>(model + 8 + (i << 3)), v = load<f64>(x + (i << 3)), y = exp(v);
    store<f64>(g + (i << 3), shape - y);
    value += shape * v - y;
  }
  return value;
}
`;

const exports = ["gaussian", "funnel", "broken", "spiked", "logGamma"] as const;
let bytes: Uint8Array | undefined;

async function compiled(): Promise<Uint8Array> {
  const kernels = new URL("../../../kernels/engine/numbers/", import.meta.url);
  const flags = [
    "--runtime",
    "stub",
    "--noAssert",
    "-O3",
    "--enable",
    "simd,threads",
    "--sharedMemory",
    "--maximumMemory",
    "65536",
  ];
  const { error, stderr } = await asc.main(
    ["densities.ts", "--outFile", "densities.wasm", ...flags, "--importMemory", "--importTable", "--initialMemory", "16"],
    {
      readFile: async (file) =>
        file === "densities.ts" ? source : file === "exp.ts" ? await readFile(new URL(file, kernels), "utf8") : null,
      writeFile: (file, contents) => {
        if (file.endsWith(".wasm")) bytes = contents as Uint8Array;
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(stderr.toString());
  return bytes!;
}

/** Returns ℓ(x) and writes its gradient. */
export type PlainDensity = (x: Float64Array, gradient: Float64Array) => number;

export interface TestDensity extends LogDensity {
  plain: PlainDensity;
}

async function density(
  engine: Engine,
  name: (typeof exports)[number],
  d: number,
  data: number[],
  plain: PlainDensity,
): Promise<TestDensity> {
  const { slot } = engine.link(bytes ?? (await compiled()), [...exports])[name];
  return {
    dimension: d,
    plain,
    bind: ({ purpose }) => {
      const arena = new Arena(engine.memory, purpose);
      const model = arena.take(8 + 8 * data.length);
      engine.memory.u32(model, 1)[0] = d;
      engine.memory.f64(model + 8, data.length).set(data);
      return { slot, model, dispose: () => arena.dispose() };
    },
  };
}

export function gaussian(engine: Engine, mean: number[], precision: number[][]): Promise<TestDensity> {
  const d = mean.length;
  return density(engine, "gaussian", d, [...mean, ...precision.flat()], (x, g) => {
    let value = 0;
    for (let i = 0; i < d; i++) {
      let sum = 0;
      for (let j = 0; j < d; j++) sum += precision[i][j] * (x[j] - mean[j]);
      g[i] = 0 - sum;
      value -= 0.5 * sum * (x[i] - mean[i]);
    }
    return value;
  });
}

export function funnel(engine: Engine, d: number): Promise<TestDensity> {
  return density(engine, "funnel", d, [], (x, g) => {
    const precision = exp(0 - x[0]);
    let squares = 0;
    for (let i = 1; i < d; i++) {
      squares += x[i] * x[i];
      g[i] = 0 - x[i] * precision;
    }
    g[0] = 0 - x[0] / 9 + 0.5 * squares * precision - 0.5 * (d - 1);
    return 0 - (x[0] * x[0]) / 18 - 0.5 * squares * precision - 0.5 * (d - 1) * x[0];
  });
}

/** A skewed density: logs of independent gamma variables with the given shapes. */
export function logGamma(engine: Engine, shapes: number[]): Promise<TestDensity> {
  return density(engine, "logGamma", shapes.length, shapes, (x, g) => {
    let value = 0;
    for (let i = 0; i < shapes.length; i++) {
      const y = exp(x[i]);
      g[i] = shapes[i] - y;
      value += shapes[i] * x[i] - y;
    }
    return value;
  });
}

export function broken(engine: Engine): Promise<TestDensity> {
  return density(engine, "broken", 1, [], (x, g) => {
    g[0] = 0 - x[0];
    return x[0] < 0 ? Number.NaN : -0.5 * x[0] * x[0];
  });
}

export function spiked(engine: Engine): Promise<TestDensity> {
  return density(engine, "spiked", 1, [], (x, g) => {
    g[0] = 0 - x[0];
    return x[0] > 1 ? Infinity : -0.5 * x[0] * x[0];
  });
}
