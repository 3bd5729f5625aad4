import { type ModelContext, normal, vector } from "ergodic";

export default function unboundedScale({ data, param, observe }: ModelContext): void {
  observe(data({ y: vector("N") }).y, normal(0, param("sigma", "real")));
}

export const data = { y: [1, -2, 0.5] };
