/** `explain`: every stage of a function and of a network as text, and refused input. */
import { describe, expect, it } from "vitest";
import { matmul, mean, square, tanh } from "../../src/engine/compiler/index.ts";
import { dense, explain, mlp, network, type RowFacts, relu } from "../../src/entries/everything.ts";

describe("explain of a function", () => {
  const stages = explain({ w: [3], x: [4, 3] } as const, ({ w, x }) => mean(square(tanh(matmul(x, w)))), { gradient: ["w"] });

  it("shows the traced function and its gradient", () => {
    expect(stages.trace).toMatch(/^x0 = input "x" \[4, 3\]$/m);
    expect(stages.trace).toMatch(/^x5 = tanh\(x4\) \[4\]$/m);
    expect(stages.trace).toMatch(/value: x8$/);
    expect(stages.gradient).toMatch(/= transpose x0 \(axes 1 0\) \[3, 4\]/);
    expect(stages.gradient).toMatch(/^out value: x8\ngradient w: x\d+$/m);
  });

  it("shows loops and kernels: one loop for element-wise work between two products", () => {
    const steps = stages.schedule.split("\n");
    expect(steps.map((step) => (step.startsWith("loop") ? "loop" : /by (\w+)$/.exec(step)?.[1]))).toEqual([
      "gemm",
      "loop",
      "loop",
      "gemm",
    ]);
    expect(stages.memory).toMatch(/v\d+@\d+.*\n\d+ bytes$/s);
    expect(stages.code).toMatch(/^\d+ bytes of WebAssembly$/);
    for (const name of ["trace", "gradient", "schedule", "memory", "code"]) expect(`\n${stages}`).toContain(`\n${name}\n  `);
  });
});

describe("explain of a network", () => {
  const model = network([dense(2), relu(), dense(1)]);
  it("shows an update: parameters by path, the loss, and gradients in their places", () => {
    const { trace, gradient } = explain(model, { rowShape: [3], outputs: 1, batch: 4 });
    expect(trace).toMatch(/input "parameter:0\.weight" \[3, 2\]/);
    expect(trace).toMatch(/z: x\d+$/);
    expect(gradient).toMatch(/^loss: x\d+$/m);
    // Parameters are aligned to multiples of 16 numbers.
    expect(gradient).toMatch(/^gradient: x\d+\ngradient\+16: x\d+\ngradient\+32: x\d+\ngradient\+48: x\d+$/m);
  });

  it("refuses other facts", () => {
    const refused = (facts: object) => () => explain(model, facts as RowFacts);
    expect(refused({})).toThrow(/rowShape is undefined, but must be the shape of a row.* \[OPTION_TYPE\]/);
    expect(refused({ rowShape: [3] })).toThrow(/outputs is undefined/);
    expect(refused({ rowShape: [3], outputs: 1, rows: 4 })).toThrow(/unknown option "rows"/);
    expect(() => explain(network(mlp([4], { outputs: 3 })), { rowShape: [3], outputs: 2 })).toThrow(/needs 2 outputs/);
  });
});
