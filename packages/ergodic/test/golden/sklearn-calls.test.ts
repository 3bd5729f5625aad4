/**
 * Compares results with calls of scikit-learn 1.4.2 that docs/from-scikit-learn.md names and that no other golden test
 * covers: stochastic updates step by step, pipelines with StandardScaler, and PolynomialFeatures. Only this test
 * notices that the order of rows, the schedules of rates, the scaling of columns or the products differ from
 * scikit-learn's.
 *
 * The values were printed by Python:
 *
 *   X = np.array([[i % 5, 7 * i % 11, i * i % 7] for i in range(40)], float)
 *   y = np.array([2 * a - 0.5 * b + 3 * i % 4 for i, (a, b, c) in enumerate(X)])
 *   k = np.array([int(a - b / 3 + i % 3 > 1.5) for i, (a, b, c) in enumerate(X)])
 *   fixed = dict(alpha=0.01, shuffle=False, max_iter=3, tol=None)
 */
import { describe, expect, test } from "vitest";
import {
  averaging,
  chain,
  Dataset,
  type EquationRule,
  fit,
  inverseTimeDecay,
  linear,
  optimalRate,
  products,
  sgd,
} from "../../src/entries/everything.ts";

const n = 40;
const x = Array.from({ length: n }, (_, i) => [i % 5, (7 * i) % 11, (i * i) % 7]);
const numbers = Dataset.fromArrays({ x, y: x.map(([a, b], i) => 2 * a - 0.5 * b + ((3 * i) % 4)), type: "f64" });
const classes = Dataset.fromArrays({ x, y: x.map(([a, b], i) => (a - b / 3 + (i % 3) > 1.5 ? "yes" : "no")), type: "f64" });

interface Trace {
  call: string;
  loss: "logistic" | "hinge" | "squared";
  rule: EquationRule;
  /** Coefficients, then the intercept. */
  values: number[];
}

const traces: Trace[] = [
  {
    call: "SGDClassifier(loss='log_loss', learning_rate='constant', eta0=0.01, **fixed).fit(X, k)",
    loss: "logistic",
    rule: sgd({ rate: 0.01 }),
    values: [0.40830338862388604, -0.28490516039680686, -0.0077155681613063866, -0.005832506366036194],
  },
  {
    call: "SGDClassifier(loss='log_loss', learning_rate='constant', eta0=0.01, average=True, **fixed).fit(X, k)",
    loss: "logistic",
    rule: chain(sgd({ rate: 0.01 }), averaging()),
    values: [0.21404943618702918, -0.19282307032264379, -0.004561498340717061, -0.007489352037507808],
  },
  {
    call: "SGDClassifier(loss='hinge', learning_rate='optimal', **fixed).fit(X, k)",
    loss: "hinge",
    rule: sgd({ rate: optimalRate({ alpha: 0.01 }) }),
    values: [11.286473655279806, -5.975191935148132, -3.3195510750822956, -3.5874445142664184],
  },
  {
    call: "SGDRegressor(learning_rate='invscaling', eta0=0.01, power_t=0.25, **fixed).fit(X, y)",
    loss: "squared",
    rule: sgd({ rate: inverseTimeDecay({ rate: 0.01, decay: 1, power: 0.25 }) }),
    values: [1.4790206831257575, -0.30513355264913733, 0.5176095569962886, 0.2717220043463283],
  },
];

describe("120 updates", () => {
  test.each(traces.map((trace) => [trace.call, trace] as const))("%s", async (_, { loss, rule, values }) => {
    const model = await fit(linear({ loss, l2: 0.01, standardise: false }), loss === "squared" ? numbers : classes, {
      rule,
      schedule: "ordered",
      epochs: 3,
      precision: "f64",
    });
    // The sums are reordered, so the last digits differ.
    const found = [...model.weights, ...model.intercept];
    const distances = found.map((value, i) => Math.abs(value - values[i]));
    expect(Math.max(...distances)).toBeLessThan(1e-11);
  });
});

describe("predictions of pipelines", () => {
  test("make_pipeline(StandardScaler(), Ridge(alpha=0.5)).fit(X, y).predict([[1, 2, 3]])", async () => {
    const model = await fit(linear({ standardise: true, l2: 0.5 / n }), numbers);
    expect(model.predict([1, 2, 3]).value).toBeCloseTo(2.603756388639313, 9);
  });

  test("make_pipeline(StandardScaler(), LogisticRegression(C=0.8, tol=1e-10)).fit(X, k).predict_proba([[1, 2, 3]])", async () => {
    const model = await fit(linear({ standardise: true, l2: 1 / (n * 0.8) }), classes);
    expect(model.predict([1, 2, 3]).probabilities!.yes).toBeCloseTo(0.2917206408448044, 6);
  });

  test("make_pipeline(PolynomialFeatures(2), Ridge(alpha=0.5)).fit(X, y).predict([[1, 2, 3]])", async () => {
    const model = await fit(linear({ standardise: false, l2: 0.5 / n }), numbers.map(products({ degree: 2 })));
    expect(model.predict([1, 2, 3]).value).toBeCloseTo(2.505370466508472, 9);
  });
});
