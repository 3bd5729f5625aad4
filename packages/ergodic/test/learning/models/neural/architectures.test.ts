/**
 * Sizes of known networks, compared with published counts. Parameters exclude running statistics. Multiply-adds include
 * dense layers and convolutions.
 */
import { describe, expect, it } from "vitest";
import { input } from "../../../../src/engine/compiler/array/index.ts";
import * as n from "../../../../src/learning/models/neural/index.ts";

const outputs = 1000;
const IMAGENET = [224, 224, 3];

describe("published networks", () => {
  it.each([
    // Keras 3: sum of the trainable weights of keras.applications.MobileNet(alpha=…). Howard et al. 2017, table 6: 569
    // and 149 million.
    ["mobileNetV1 1.0", n.mobileNetV1({ outputs }), 4_231_976, 569e6],
    ["mobileNetV1 0.5", n.mobileNetV1({ outputs, width: 0.5 }), 1_331_592, 149e6],
    // torchvision: sum(p.numel() for p in mobilenet_v2().parameters()). Sandler et al. 2018, table 4: 300 million.
    ["mobileNetV2 1.0", n.mobileNetV2({ outputs }), 3_504_872, 300e6],
    // torchvision: the same sum for shufflenet_v2_x0_5 … x2_0. Ma et al. 2018, table 5: 41, 146, 299 and 591 million.
    ["shuffleNetV2 0.5", n.shuffleNetV2({ outputs, width: 0.5 }), 1_366_792, 41e6],
    ["shuffleNetV2 1.0", n.shuffleNetV2({ outputs }), 2_278_604, 146e6],
    ["shuffleNetV2 1.5", n.shuffleNetV2({ outputs, width: 1.5 }), 3_503_624, 299e6],
    ["shuffleNetV2 2.0", n.shuffleNetV2({ outputs, width: 2 }), 7_393_996, 591e6],
  ])("%s has the published parameter count, and multiply-adds within 2 %%", (_, network, parameters, multiplyAdds) => {
    const counted = n.countNetwork(network, IMAGENET);
    expect(counted.parameters).toBe(parameters);
    expect(counted.trained).toBe(parameters);
    expect(Math.abs(counted.multiplyAdds / multiplyAdds - 1)).toBeLessThan(0.02);
    expect(counted.outputShape).toEqual([outputs]);
  });

  it.each([
    // Zhang et al. 2018, table 1: 143, 140, 137, 133 and 137 million.
    [1, 143e6],
    [2, 140e6],
    [3, 137e6],
    [4, 133e6],
    [8, 137e6],
  ] as const)("shuffleNetV1 with %i groups has the published multiply-adds within 2 %%", (groups, multiplyAdds) => {
    const counted = n.countNetwork(n.shuffleNetV1({ outputs, groups }), IMAGENET);
    expect(Math.abs(counted.multiplyAdds / multiplyAdds - 1)).toBeLessThan(0.02);
  });

  it("counts running statistics separately", () => {
    // Two numbers per channel of the 27 batch norms.
    const channels = 32 + [32, 64, 128, 128, 256, 256, ...new Array(6).fill(512), 1024].reduce((a, b) => a + b);
    const pointwise = [64, 128, 128, 256, 256, ...new Array(6).fill(512), 1024, 1024].reduce((a, b) => a + b);
    expect(n.countNetwork(n.mobileNetV1({ outputs }), IMAGENET).states).toBe(2 * (channels + pointwise));
  });
});

const networks: Record<string, n.Layer> = {
  mlp: n.mlp([32, 16], { outputs: 10, dropout: 0.1, activation: "silu", normalised: true }),
  cnn: n.cnn({ outputs: 10 }),
  circulantNet: n.circulantNet({ outputs: 10 }),
  mobileNetV1: n.mobileNetV1({ outputs: 10, form: "small", width: 0.5 }),
  mobileNetV2: n.mobileNetV2({ outputs: 10, form: "small", width: 0.5 }),
  shuffleNetV1: n.shuffleNetV1({ outputs: 10, form: "small" }),
  shuffleNetV2: n.shuffleNetV2({ outputs: 10, form: "small", width: 0.5 }),
};

describe.each(Object.entries(networks))("%s for small images", (_, network) => {
  it.each([[[28, 28, 1]], [[8, 8, 1]], [[32, 32, 3]]])("accepts %j", (shape) => {
    expect(n.countNetwork(network, shape).outputShape).toEqual([10]);
    const traced = n.traceNetwork(network, input("x", [4, ...shape]), { training: true });
    expect(traced.output.shape).toEqual([4, 10]);
    expect(traced.states.every(({ next }) => next !== undefined)).toBe(true);
  });

  it("survives JSON", () => {
    const again = n.layerFromJson(JSON.parse(JSON.stringify(network.toJSON())));
    const x = input("x", [2, 8, 8, 1]);
    expect(n.traceNetwork(again, x, { training: true }).output).toBe(n.traceNetwork(network, x, { training: true }).output);
  });
});

describe.each([
  ["mobileNetV1", n.mobileNetV1],
  ["mobileNetV2", n.mobileNetV2],
  ["shuffleNetV1", n.shuffleNetV1],
  ["shuffleNetV2", n.shuffleNetV2],
] as const)("%s without a form", (_, make) => {
  it.each([
    ["small", [28, 28, 1]],
    ["small", [63, 64, 1]],
    ["small", [64, 63, 1]],
    ["published", [64, 64, 3]],
  ] as const)("is %s for %j, under the same paths", (form, shape) => {
    const x = input("x", [2, ...shape]);
    const given = n.traceNetwork(make({ outputs: 3, form }), x, { training: true });
    const chosen = make({ outputs: 3 });
    expect(n.traceNetwork(chosen, x, { training: true }).output).toBe(given.output);
    const again = n.layerFromJson(JSON.parse(JSON.stringify(chosen.toJSON())));
    expect(n.traceNetwork(again, x, { training: true }).output).toBe(given.output);
    const within = n.sequential([n.noise(0.1), chosen]);
    expect(n.countNetwork(within, shape)).toEqual(n.countNetwork(make({ outputs: 3, form }), shape));
  });
});

it("a network without outputs returns features", () => {
  expect(n.countNetwork(n.mobileNetV1({ form: "small" }), [8, 8, 1]).outputShape).toEqual([256]);
  expect(n.countNetwork(n.mlp([7]), [8, 8, 1]).outputShape).toEqual([7]);
});

it("counts frozen parameters, but not as trained", () => {
  const network = n.sequential([n.frozen(n.dense(4)), n.dense(2)]);
  expect(n.countNetwork(network, [3])).toEqual({
    parameters: 16 + 10,
    trained: 10,
    states: 0,
    multiplyAdds: 12 + 8,
    outputShape: [2],
  });
});

it("circulant blocks divide the number of parameters", () => {
  const plain = n.countNetwork(n.dense(64, { bias: false }), [128]);
  const circulant = n.countNetwork(n.circulantDense(64, { block: 16, bias: false }), [128]);
  expect(circulant.parameters).toBe(plain.parameters / 16);
  expect(circulant.multiplyAdds).toBeLessThan(plain.multiplyAdds / 2);
});

it.each([
  [() => n.mobileNetV1({ width: 0 }), /mobileNetV1: width is 0.*\[OPTION_RANGE\]/],
  [() => n.mobileNetV2({ form: "tiny" as never }), /mobileNetV2: form is "tiny".*\[OPTION_RANGE\]/],
  [() => n.shuffleNetV1({ groups: 5 as never }), /shuffleNetV1: groups is 5, but must be one of 1, 2, 3, 4, 8 \[OPTION_RANGE\]/],
  [() => n.shuffleNetV2({ width: 3 as never }), /shuffleNetV2: width is 3, but must be one of 0.5, 1, 1.5, 2 \[OPTION_RANGE\]/],
  [() => n.mlp(64 as never), /mlp: hidden is 64, but the hidden widths must be a list; write mlp\(\[64\]\).*\[OPTION_RANGE\]/],
  [() => n.cnn({ dropout: -1 }), /cnn: dropout is -1.*\[OPTION_RANGE\]/],
  [() => n.cnn({ widths: 3 } as never), /cnn: unknown option "widths".*\[OPTION_UNKNOWN\]/],
])("reports errors immediately: %s", (make, message) => expect(make).toThrow(message));
