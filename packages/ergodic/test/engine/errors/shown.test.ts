/** Values in error messages: class names that do not depend on bundlers, and short texts for everything else. */
import { describe, expect, it } from "vitest";
import { factoryName, shown, typeNameOf } from "../../../src/engine/errors/shown.ts";
import {
  DataError,
  Dataset,
  FactorGraph,
  factorGraph,
  fit,
  infer,
  knowledgeBase,
  Pipeline,
  query,
  weightedRule,
} from "../../../src/entries/everything.ts";

/** Calls `within` while the class has another name, as in a bundle. */
async function renamed<T>(made: { name: string }, within: () => T | Promise<T>): Promise<T> {
  const { name } = made;
  Object.defineProperty(made, "name", { value: "t2", configurable: true });
  try {
    expect(made.name).toBe("t2");
    return await within();
  } finally {
    Object.defineProperty(made, "name", { value: name, configurable: true });
  }
}

async function answerAndBase() {
  const one = query("one", [{ id: 1 }], { key: ["id"] });
  const rule = weightedRule({ head: one({ id: "i" }), weight: 1 });
  const kb = knowledgeBase([rule]);
  const answer = await infer(kb.ground());
  return { answer, kb, rule, atom: one({ id: "i" }), reasons: kb.why(one, { id: 1 }, answer), facts: one.facts };
}

describe("the class of a value", () => {
  it("is named as in the documents, even if a bundler has renamed it", async () => {
    const { answer, kb, rule, atom, reasons, facts } = await answerAndBase();
    const values = { Answer: answer, KnowledgeBase: kb, WeightedRule: rule, Atom: atom, Unknowns: facts };
    const more = { FactorGraph: factorGraph(), GroundingPlan: kb.explain(), FactColumn: facts.columns[0] };
    for (const [name, value] of Object.entries({ ...values, ...more }))
      await renamed(value.constructor, () => {
        expect(shown(value)).toBe(`of type ${name}`);
        expect(typeNameOf(value)).toBe(name);
      });
    expect(shown(reasons)).toBe("an array of 1");
    await renamed(reasons.constructor, () => expect(typeNameOf(reasons)).toBe("Reasons"));
    const error = new DataError("here", "no", "X");
    await renamed(DataError, () => expect(shown(error)).toBe("of type DataError"));
  });

  it("appears in errors of functions that were given something else", async () => {
    const { answer } = await answerAndBase();
    await renamed(answer.constructor, async () => {
      await expect(fit(factorGraph(), { rule: answer as never })).rejects.toThrow(
        /^fit: rule is of type Answer, but must be a rule/,
      );
      expect(() => knowledgeBase([answer as never])).toThrow(/of type Answer was given, but must be a rule/);
    });
    expect(() => knowledgeBase([FactorGraph as never])).toThrow(/a list of rules/);
  });

  it("is its own name in subclasses of the library, and that of the library's class in a user's subclass", async () => {
    class Mine extends FactorGraph {}
    expect(factoryName(Mine)).toBe("FactorGraph");
    expect(typeNameOf(Object.create(Mine.prototype))).toBe("FactorGraph");
    await renamed(Pipeline, () => expect(typeNameOf(Object.create(Pipeline.prototype))).toBe("Pipeline"));
  });

  it("is named if the class itself is given", async () => {
    await renamed(Dataset, () => expect(shown(Dataset)).toBe("the function Dataset, not called"));
  });

  it("is the constructor's name for other classes, and nothing strange makes the text fail or grow", () => {
    class Own {}
    const stating = (typeName: unknown) => Object.assign(class Stating {}, { typeName });
    const [Stated, Empty, Long] = [7, "", "x".repeat(1e6)].map(stating);
    expect(shown(new Own())).toBe("of type Own");
    expect(shown(new Stated())).toBe("of type Stating");
    expect(shown(new Empty())).toBe("of type Stating");
    expect(shown(new Long())).toBe(`of type ${"x".repeat(60)}`);
    expect(shown(new (class {})())).toBe("an object of nothing");
    expect(shown(new Map())).toBe("of type Map");
    expect(shown(new Float32Array(2))).toBe("of type Float32Array");
    expect(shown(new TypeError("no"))).toBe("of type TypeError");
    expect(shown(Object.assign(new Error("no"), { name: 3 }))).toBe("of type Error");
    expect(shown({ a: 1, constructor: undefined })).toBe("an object of a, constructor");
    expect(shown({ a: 1, constructor: null })).toBe("an object of a, constructor");
    expect(shown({ a: 1, constructor: "Answer" })).toBe("an object of a, constructor");
    expect(shown(Object.create(null))).toBe("an object of nothing");
    expect(shown({})).toBe("an object of nothing");
    expect(shown(() => 1)).toBe("the function make, not called");
  });
});
