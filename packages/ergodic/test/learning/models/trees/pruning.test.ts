/** Cost-complexity pruning: the sequence of scikit-learn, and what `alpha` does. */
import { describe, expect, it } from "vitest";
import { Dataset, fit, forest, prunings, tree } from "../../../../src/entries/index.ts";

const rows = Array.from({ length: 60 }, (_, i) => i);
const x = rows.map((i) => [(i * 7) % 60, (i * 13) % 53, (i * 5) % 11]);
const y = rows.map((i) => 3 * Number(x[i][0] > 17) + 0.2 * x[i][1] * Number(x[i][2] > 4) + ((i * i * 31) % 101) / 23);
const weights = rows.map((i) => 1 + (i % 3));
const three = y.map((v) => (v < 4 ? "a" : v < 7 ? "b" : "c"));
const two = y.map((v) => (v > 5.5 ? "yes" : "no"));

/**
 * [alpha, leaves] of scikit-learn 1.4.2:
 * DecisionTreeRegressor(random_state=0, min_samples_leaf=3).cost_complexity_pruning_path(x, y).ccp_alphas, and leaves by
 * fitting with ccp_alpha = alpha * (1 + 1e-9). No two divisions of these data are equally good. DecisionTreeClassifier for classes; sample_weight for weights.
 */
const golden: Record<string, readonly (readonly [number, number])[]> = {
  numbers: [
    [0, 15],
    [0.0191910613016507, 14],
    [0.05043058181054344, 13],
    [0.07865154379332749, 12],
    [0.08715888618837984, 11],
    [0.09114149319949831, 8],
    [0.14068052930056696, 7],
    [0.2645897920604918, 6],
    [0.4826526780088156, 5],
    [0.7573415668977124, 4],
    [0.9363506610115576, 3],
    [4.870747104313471, 2],
    [8.080437784482076, 1],
  ],
  weighted: [
    [0, 15],
    [0.0032622558286071537, 14],
    [0.04482256401443487, 13],
    [0.047676726960476104, 12],
    [0.07288125652964966, 11],
    [0.10872361748732262, 10],
    [0.12216960729557089, 8],
    [0.12273666833062033, 7],
    [0.2150824432892249, 6],
    [0.44233621758065644, 5],
    [0.7676037138004245, 4],
    [1.0842512598227005, 3],
    [4.427905538746933, 2],
    [8.24431245366921, 1],
  ],
  "three classes": [
    [0, 10],
    [0.00555555555555556, 9],
    [0.015555555555555545, 8],
    [0.020555555555555563, 7],
    [0.027857142857142844, 6],
    [0.03258145363408524, 5],
    [0.05252525252525253, 3],
    [0.07641325536062374, 2],
    [0.19420875420875428, 1],
  ],
  "two classes": [
    [0, 9],
    [0.005555555555555546, 7],
    [0.02222222222222222, 6],
    [0.02613168724279835, 3],
    [0.03646464646464648, 2],
    [0.2090291806958473, 1],
  ],
};
const datasets: Record<string, Dataset> = {
  numbers: Dataset.fromArrays({ x, y }),
  weighted: Dataset.fromArrays({ x, y, weights }),
  "three classes": Dataset.fromArrays({ x, y: three }),
  "two classes": Dataset.fromArrays({ x, y: two }),
};

describe("prunings", () => {
  for (const [name, wanted] of Object.entries(golden)) {
    it(`are those of scikit-learn for ${name}`, async () => {
      const found = prunings(await fit(tree({ minRows: 3 }), datasets[name]));
      expect(found.map(({ leaves }) => leaves)).toEqual(wanted.map(([, leaves]) => leaves));
      found.forEach(({ alpha }, k) => {
        expect(alpha).toBeCloseTo(wanted[k][0], 9);
      });
    });

    it(`are what alpha gives for ${name}`, async () => {
      for (const { alpha, leaves } of prunings(await fit(tree({ minRows: 3 }), datasets[name]))) {
        const model = await fit(tree({ minRows: 3, alpha: alpha * (1 + 1e-9) }), datasets[name]);
        expect(model.ensemble.values.length / model.ensemble.leafWidth).toBe(leaves);
        expect(prunings(model)[0].leaves).toBe(leaves);
        // The training loss is that of the pruned tree.
        if (name === "numbers") expect(model.run.loss).toBeCloseTo(model.evaluate(datasets.numbers).rmse! ** 2 / 2, 9);
      }
    });
  }

  it("end with the mean of all rows", async () => {
    const model = await fit(tree({ alpha: 1e9 }), datasets.numbers);
    expect(Number(model.predict(x[0]).value)).toBeCloseTo(y.reduce((a, b) => a + b, 0) / y.length, 12);
  });

  it("need one tree", async () => {
    const model = await fit(forest(), datasets.numbers, { epochs: 3 });
    expect(() => prunings(model)).toThrow("was not made by tree()");
  });
});
