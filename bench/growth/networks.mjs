/** Networks and compiled functions. */
import { dense as denseLayer, fit, network, relu } from "ergodic";
import { add, compileFunction, mul, sin, sum } from "ergodic/compiler";
import { dense } from "./problems.mjs";

/** One epoch of a network with `depth` hidden layers of `width` units, on rows of 32 numbers. */
function epoch({ depth, width, rowCount }) {
  const data = dense(rowCount, 32);
  const hidden = Array.from({ length: depth }, () => [denseLayer(width), relu()]).flat();
  return () => fit(network([...hidden, denseLayer(1)], { loss: "squared" }), data, { batch: 64, epochs: 1, seed: 1 });
}

export const networkFamilies = {
  "network, depth": {
    grows: "layers",
    theory: 1,
    sizes: [4, 16, 64, 128],
    open: (depth) => epoch({ depth, width: 32, rowCount: 2000 }),
  },
  "network, width": {
    grows: "width",
    theory: 2,
    sizes: [64, 256, 1024, 2048],
    open: (width) => epoch({ depth: 2, width, rowCount: 1000 }),
  },
  "network, rows": {
    grows: "rows",
    theory: 1,
    sizes: [10_000, 30_000, 100_000, 300_000],
    open: (rowCount) => epoch({ depth: 2, width: 64, rowCount }),
  },
  "compile, chain": {
    grows: "operations",
    theory: 1,
    sizes: [100, 300, 1000, 3000],
    open: (count) => () =>
      compileFunction(
        { x: [100] },
        ({ x }) => {
          let y = x;
          for (let i = 0; i < count; i++) y = sin(add(y, i / count));
          return sum(y);
        },
        { gradient: ["x"] },
      ),
  },
  "compile, terms": {
    grows: "terms",
    theory: 1,
    sizes: [100, 300, 1000, 3000],
    open: (count) => () =>
      compileFunction(
        { x: [10] },
        ({ x }) => {
          let total = sum(x);
          for (let i = 0; i < count; i++) total = add(total, sum(mul(x, i / count)));
          return total;
        },
        { gradient: ["x"] },
      ),
  },
};
