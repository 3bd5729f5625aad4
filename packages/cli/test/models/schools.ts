import { type ModelContext, normal, vector } from "ergodic";

type Data = Readonly<Record<string, number[]>>;

export default function schools({ data, param, observe }: ModelContext): void {
  const { y, sigma } = data({ y: vector("J"), sigma: vector("J") });
  observe(y, normal(param("mu", normal(0, 5)), sigma));
}

export const data: Data = { y: [28, 8, -3], sigma: [15, 10, 16] };
