/**
 * self-check: a test of the runner itself. Compares the sum of a typed array with the sum of a list of boxed numbers;
 * needs no peer, library or Python.
 */
import { randomNumbers } from "../data.mjs";

const COUNT = 200_000;

function contestant(name, sum) {
  return {
    name,
    async round() {
      const start = performance.now();
      const total = sum();
      return { value: ((performance.now() - start) * 1e6) / COUNT, loss: total };
    },
  };
}

function sumTyped(numbers) {
  let sum = 0;
  for (let i = 0; i < numbers.length; i++) sum += numbers[i];
  return sum;
}

function sumBoxed(numbers) {
  let sum = 0;
  for (const { value } of numbers) sum += value;
  return sum;
}

export default {
  name: "self-check",
  measures: "the runner itself: a sum over a typed array against one over boxed numbers",
  metric: "ns a number",
  better: "less",
  lossTolerance: 0,
  makeData() {
    const random = randomNumbers(1);
    return { typed: Float64Array.from({ length: COUNT }, () => random.uniform()) };
  },
  ours: async ({ typed }) => contestant("typed array", () => sumTyped(typed)),
  peers({ typed }) {
    const boxed = Array.from(typed, (value) => ({ value }));
    return [{ name: "boxed numbers", open: async () => contestant("boxed numbers", () => sumBoxed(boxed)) }];
  },
};
