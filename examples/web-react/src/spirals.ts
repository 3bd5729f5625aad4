/** Points on two spirals, and a network that tells them apart. */
import { Dataset, dense, network, silu, stream } from "ergodic";

const numbers = stream(1, "spirals").at(0);

export const points = Array.from({ length: 1500 }, (_, i) => {
  const radius = 0.1 + 0.85 * numbers.uniform();
  const spiral = i % 2 === 0 ? "blue" : "gold";
  const angle = 9 * radius + (spiral === "blue" ? 0 : Math.PI) + 0.5 * numbers.normal();
  return { x: radius * Math.cos(angle), y: radius * Math.sin(angle), spiral };
});

export const data = Dataset.fromArrays({
  x: points.map(({ x, y }) => [x, y]),
  y: points.map(({ spiral }) => spiral),
  names: ["x", "y"],
});

export const classifier = network([dense(32), silu(), dense(32), silu(), dense(2)], { loss: "multinomial" });
