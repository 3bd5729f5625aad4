/**
 * A small world: probabilities equal enumeration of the rules' definitions, reasons add up, and held-out labels measure
 * calibration.
 */
import { describe, expect, it } from "vitest";
import {
  adam,
  exactLikelihood,
  fit,
  infer,
  knowledgeBase,
  query,
  relation,
  weightedRule,
} from "../../../src/entries/everything.ts";

const who = ["anna", "ben", "carl", "dora"];
const friends = [
  ["anna", "ben"],
  ["ben", "anna"],
  ["ben", "carl"],
  ["carl", "dora"],
];
const ages = { anna: 40, ben: 20, carl: 60, dora: 20 };
const WEIGHTS = { age: [0.4, -0.3], alike: 0.9, votes: 0.7 };

function world() {
  const people = relation(
    "people",
    who.map((name) => ({ name, age: ages[name as keyof typeof ages] })),
  );
  const knows = relation(
    "knows",
    friends.map(([a, b]) => ({ a, b })),
  );
  const smokes = query(
    "smokes",
    who.map((name) => ({ name, seen: name === "dora" ? true : null })),
    { key: ["name"], label: "seen" },
  );
  const healthy = query(
    "health",
    who.map((name) => ({ name })),
    { key: ["name"], states: ["bad", "fair", "good"] },
  );
  const kb = knowledgeBase([
    weightedRule({
      name: "age",
      head: smokes({ name: "p" }),
      body: [people({ name: "p", age: "y" })],
      where: ({ y }) => y < 60,
      weight: ({ y }) => (y > 30 ? "old" : "young"),
      feature: ({ y }) => y / 10,
    }),
    weightedRule({
      name: "alike",
      head: smokes({ name: "q" }),
      body: [smokes({ name: "p" }), knows({ a: "p", b: "q" })],
      weight: "alike",
    }),
    weightedRule({ name: "ill", head: healthy({ name: "p" }, "bad"), body: [smokes({ name: "p" })], weight: 1.1 }),
    weightedRule({ name: "fit", head: healthy({ name: "p" }, "good"), weight: 0.2 }),
    weightedRule({
      name: "votes",
      head: smokes.not({ name: "q" }),
      body: [smokes({ name: "p" }), knows({ a: "p", b: "q" })],
      semantics: "ratio",
      weight: "votes",
    }),
  ]);
  return { kb, smokes, healthy };
}

/** ln of the product of all factors, written explicitly. */
function exponent(smoke: Record<string, boolean>, health: Record<string, string>): number {
  let sum = 0;
  for (const name of who) {
    const age = ages[name as keyof typeof ages];
    if (age < 60 && smoke[name]) sum += (WEIGHTS.age[age > 30 ? 0 : 1] * age) / 10;
    if (!smoke[name] || health[name] === "bad") sum += 1.1;
    if (health[name] === "good") sum += 0.2;
    const voters = friends.filter(([, b]) => b === name).map(([a]) => a);
    const agreeing = voters.filter((voter) => !smoke[voter] || !smoke[name]).length;
    if (voters.length > 0) sum += WEIGHTS.votes * Math.log2(1 + agreeing);
  }
  for (const [a, b] of friends) if (!smoke[a] || smoke[b]) sum += WEIGHTS.alike;
  return sum;
}

function enumerate() {
  let total = 0;
  const smokes: Record<string, number> = {};
  const health: Record<string, number[]> = {};
  const states = ["bad", "fair", "good"];
  for (let code = 0; code < 2 ** 4 * 3 ** 4; code++) {
    const smoke = Object.fromEntries(who.map((name, k) => [name, (code >> k) % 2 === 1]));
    if (!smoke.dora) continue;
    const rest = code >> 4;
    const healthOf = Object.fromEntries(who.map((name, k) => [name, states[Math.floor(rest / 3 ** k) % 3]]));
    const p = Math.exp(exponent(smoke, healthOf));
    total += p;
    for (const name of who) {
      smokes[name] = (smokes[name] ?? 0) + (smoke[name] ? p : 0);
      health[name] ??= [0, 0, 0];
      health[name][states.indexOf(healthOf[name])] += p;
    }
  }
  return { smokes: (name: string) => smokes[name] / total, health: (name: string) => health[name].map((p) => p / total) };
}

describe("a small world", () => {
  it("computes the probabilities of enumeration", async () => {
    const { kb, smokes, healthy } = world();
    const graph = kb.ground();
    // Weights as learning would set them, by name.
    const values = Array.from({ length: graph.weightCount }, (_, id) => {
      const { name, value } = graph.weightState(id);
      return (
        { "age: old": WEIGHTS.age[0], "age: young": WEIGHTS.age[1], alike: WEIGHTS.alike, votes: WEIGHTS.votes }[name ?? ""] ??
        value
      );
    });
    graph.setWeights(values);
    const answer = await infer(graph);
    const truth = enumerate();
    for (const { key, p, certificate, label, state } of kb.beliefs(smokes, answer)) {
      expect(p).toBeCloseTo(truth.smokes(key.name), 12);
      expect(state).toBe(p > 0.5 ? "true" : "false");
      expect(certificate).toEqual({ exact: true });
      expect(label).toBe(key.name === "dora" ? "true" : undefined);
    }
    for (const { key, p, state } of kb.beliefs(healthy, answer)) {
      const wanted = truth.health(key.name);
      expect(p).toBeCloseTo(Math.max(...wanted), 12);
      expect(state).toBe(["bad", "fair", "good"][wanted.indexOf(Math.max(...wanted))]);
    }
  });

  it("explains beliefs by differences of the exponent", async () => {
    const { kb, smokes, healthy } = world();
    const graph = kb.ground();
    graph.setWeights(Array.from({ length: graph.weightCount }, (_, id) => graph.weightState(id).value || 0.5));
    const answer = await infer(graph);
    const best = (query: typeof smokes | typeof healthy) =>
      Object.fromEntries(kb.beliefs(query as typeof smokes, answer).map(({ key, p, state }) => [key.name, { p, state }]));
    const smoke = best(smokes);
    for (const name of who) {
      const reasons = kb.why(smokes, { name }, answer);
      // The sum of all pulls towards true equals the log odds of true, given the states of the others.
      const pull = reasons.reduce((sum, one) => sum + (one.state === "true" ? one.pull : -one.pull), 0);
      const at = (value: boolean): number => {
        let sum = 0;
        const holds = (other: string) => (other === name ? value : smoke[other].state === "true");
        const age = ages[name as keyof typeof ages];
        if (age < 60 && value) sum += (0.5 * age) / 10;
        if (!value || best(healthy)[name].state === "bad") sum += 1.1;
        for (const [a, b] of friends) if ((a === name || b === name) && (!holds(a) || holds(b))) sum += 0.5;
        for (const head of who) {
          const voters = friends.filter(([, b]) => b === head).map(([a]) => a);
          if (voters.length === 0 || (head !== name && !voters.includes(name))) continue;
          sum += 0.5 * Math.log2(1 + voters.filter((voter) => !holds(voter) || !holds(head)).length);
        }
        return sum;
      };
      expect(pull).toBeCloseTo(at(true) - at(false), 9);
      const sizes = reasons.map((one) => Math.abs(one.pull));
      expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    }
    const [first] = kb.why(smokes, { name: "anna" }, answer).filter(({ rule }) => rule === "age");
    expect(first).toEqual({
      rule: "age",
      state: "true",
      pull: 2,
      weight: 0.5,
      weightName: "age: old",
      feature: 4,
      row: { p: "anna", y: 40 },
    });
    expect(String(kb.why(smokes, { name: "anna" }, answer))).toContain(
      '+2.000 true  age: weight 0.500 × 4 of "age: old"; p = "anna", y = 40',
    );
  });
});

describe("reasons for rules with exists", () => {
  it("lists a factor once, by the atom that is a literal", async () => {
    const sat = [{ id: "ann" }, { id: "bob" }];
    const [good, passed] = ["good", "passed"].map((name) => query(name, sat, { key: ["id"] }));
    for (const semantics of ["equal", "ratio"] as const) {
      const kb = knowledgeBase([
        weightedRule({
          ...{ name: "able", head: passed({ id: "i" }), weight: 2, semantics },
          body: [good({ id: "i" }), passed.exists({ id: "i" })],
        }),
      ]);
      const reasons = kb.why(passed, { id: "bob" }, await infer(kb.ground()));
      expect(reasons.map(({ rule, row }) => [rule, row])).toEqual([["able", { i: "bob" }]]);
    }
  });
});

describe("held-out labels", () => {
  const rows = Array.from({ length: 400 }, (_, i) => ({ id: i, group: i % 4, label: (i >> 2) % 10 < 1 + 2 * (i % 4) }));

  it("are not observed, and measure the calibration of probabilities", async () => {
    const group = relation("group", rows);
    const good = query("good", rows, { key: ["id"], label: "label", holdOut: ({ id }) => Number(id) >= 40 });
    const rule = weightedRule({
      head: good({ id: "i" }),
      body: [group({ id: "i", group: "g" })],
      weight: ({ g }) => Math.log((1 + 2 * g) / (9 - 2 * g)),
    });
    const kb = knowledgeBase([rule]);
    const answer = await infer(kb.ground());
    const beliefs = kb.beliefs(good, answer);
    expect(beliefs.filter(({ heldOut }) => heldOut)).toHaveLength(360);
    expect(beliefs[0]).toMatchObject({ p: 1, heldOut: false });
    const table = kb.calibration(good, answer, { bins: 5 });
    expect(table.count).toBe(360);
    expect(table.error).toBeLessThan(1e-9);
    expect(table.bins.map(({ count }) => count)).toEqual([90, 90, 90, 90, 0]);
    table.bins.slice(0, 4).forEach(({ expected, observed }, k) => {
      expect(expected).toBeCloseTo((1 + 2 * k) / 10, 9);
      expect(observed).toBeCloseTo((1 + 2 * k) / 10, 9);
    });
    expect(String(table).split("\n")).toEqual([
      "probability   count expected observed",
      "0.00–0.20      90   0.100    0.100  ██|",
      "0.20–0.40      90   0.300    0.300  ██████|",
      "0.40–0.60      90   0.500    0.500  ██████████|",
      "0.60–0.80      90   0.700    0.700  ██████████████|",
      "0.80–1.00       0",
      "360 labels, calibration error 0.000",
    ]);
  });

  it("accept probabilities: truthiness if shown, otherwise the correct answer", async () => {
    const chances = [0.8, 0.3, 1, 0, null, 0.8, true];
    const given = chances.map((label, id) => ({ id, label: label as number | null }));
    const good = query(
      "good",
      given.map(({ label, ...row }) => ({ ...row, label: label === (true as never) ? 1 : label })),
      { key: ["id"], label: "label", holdOut: ({ id }) => id === 5 },
    );
    const kb = knowledgeBase([weightedRule({ head: good({ id: "i" }), weight: "good" })]);
    const graph = kb.ground();
    const shown = given.map((_, v) => [graph.observedState(v), [...(graph.variableAt(v).truthiness ?? [])]]);
    expect(shown).toEqual([
      [-1, [1 - 0.8, 0.8]],
      [-1, [0.7, 0.3]],
      [1, []],
      [0, []],
      [-1, []],
      [-1, []],
      [1, []],
    ]);
    // With the head alone, p = σ(w), so the best weight reproduces the mean of the labels, 3.1 of 5.
    const learned = await fit(graph, { algorithm: exactLikelihood(), rule: adam({ rate: 0.1 }), epochs: 200 });
    expect(learned.weight("good")).toBeCloseTo(Math.log(3.1 / 1.9), 3);
    const answer = await infer(learned.graph);
    expect(kb.beliefs(good, answer).map(({ label, heldOut, p }) => [label, heldOut, p > 0.6 && p < 0.7])).toEqual([
      [0.8, false, true],
      [0.3, false, true],
      ["true", false, false],
      ["false", false, false],
      [undefined, false, true],
      [0.8, true, true],
      ["true", false, false],
    ]);
    expect(kb.calibration(good, answer).error).toBeCloseTo(0.8 - 0.62, 3);
    // Equal duplicate labels are accepted, in later rows too. Different labels are an error.
    const twice = query("twice", [{ id: 1, label: 0.5 }], { key: ["id"], label: "label", distinct: true });
    twice.add([{ id: 1, label: 0.5 }]);
    expect(twice.rowCount).toBe(1);
    expect(() => twice.add([{ id: 1, label: 0.6 }])).toThrow(/another label/);
    expect(() => query("none", [{ id: 1, label: 1.5 }], { key: ["id"], label: "label" })).toThrow(/it has no state 1.5/);
    const named = { key: ["id"], label: "label", states: ["low", "high"] } as const;
    expect(() => query("named", [{ id: 1, label: 0.5 }], named)).toThrow(/row 1: column "label": it has no state 0.5/);
  });

  it("are selected by key, and stay the same when rows are added", () => {
    const kept = (count: number) => {
      const good = query("good", rows.slice(0, count), { key: ["id"], label: "label", holdOut: 0.3 });
      const kb = knowledgeBase([weightedRule({ head: good({ id: "i" }), weight: 1 })]);
      kb.ground();
      return kb.beliefs(good, { marginal: () => ({ p: [1, 0], certificate: { exact: true } }) }).map(({ heldOut }) => heldOut);
    };
    const all = kept(400);
    expect(kept(100)).toEqual(all.slice(0, 100));
    // 400 draws at 0.3 leave these limits with a probability below 1e-5.
    expect(all.filter(Boolean).length).toBeGreaterThan(80);
    expect(all.filter(Boolean).length).toBeLessThan(160);
  });
});

describe("rules whose heads are unknown", () => {
  const staff = [
    { person: "a", firm: "x", score: 1 },
    { person: "b", firm: "x", score: 0.5 },
  ];
  const colleagues = (label?: boolean) => [{ one: "a", other: "b", ...(label === undefined ? {} : { label }) }];
  const base = (options: { label?: boolean; holdOut?: number; weight?: number; where?: "head" | "body" } = {}) => {
    const { label, holdOut, weight = 2 } = options;
    const record = relation("record", staff);
    const worksAt = query("worksAt", staff, { key: ["person", "firm"] });
    const labelled = label === undefined ? {} : { label: "label" as const, ...(holdOut === undefined ? {} : { holdOut }) };
    const colleague = query("colleague", colleagues(label) as { one: string; other: string; label?: boolean }[], {
      key: ["one", "other"],
      ...labelled,
    });
    const kb = knowledgeBase([
      weightedRule({
        name: "record",
        head: worksAt({ person: "p", firm: "f" }),
        body: [record({ person: "p", firm: "f", score: "s" })],
        weight: ({ s }) => s,
      }),
      weightedRule({
        name: "same firm",
        head: colleague({ one: "p", other: "q" }),
        body: [worksAt({ person: "p", firm: "f" }), worksAt({ person: "q", firm: "f" })],
        weight,
      }),
    ]);
    return { kb, worksAt, colleague };
  };

  it("change the probabilities of their bodies by a known factor, which a finding reports", async () => {
    const { kb, worksAt } = base();
    const [{ code, serious, text, advice }] = kb.findings;
    expect([kb.findings.length, code, serious]).toEqual([1, "backward", false]);
    expect(text).toMatch(/^the rule "same firm" changes the probabilities of "worksAt", although no unknown of "colleague"/);
    expect(advice).toMatch(/infer in two stages/);
    expect(String(kb.explain())).toContain(text);
    const found = kb.beliefs(worksAt, await infer(kb.ground())).map(({ p }) => p);
    // The rule multiplies the odds of both unknowns together by (1 + e^w) / (2 e^w).
    const [a, b, both] = [Math.exp(1), Math.exp(0.5), (1 + Math.exp(2)) / (2 * Math.exp(2))];
    const total = 1 + a + b + a * b * both;
    expect(found[0]).toBeCloseTo((a + a * b * both) / total, 12);
    expect(found[1]).toBeCloseTo((b + a * b * both) / total, 12);
    expect(found[0]).toBeLessThan(a / (1 + a) - 0.05);
  });

  it("are reported only if nothing is known about the head and the rule has an effect", async () => {
    for (const label of [true, false]) expect(base({ label }).kb.findings).toEqual([]);
    expect(base({ weight: 0 }).kb.findings).toEqual([]);
    expect(base({ label: true, holdOut: 1 }).kb.findings).toHaveLength(1);
    for (const state of ["true", "false"]) {
      const { kb, colleague } = base();
      const graph = kb.ground();
      expect(kb.findings).toHaveLength(1);
      graph.observe(kb.variable(colleague, { one: "a", other: "b" }), state);
      expect(kb.findings).toEqual([]);
    }
    const decided = base();
    const whole = decided.kb.ground();
    for (const { person, firm } of staff) whole.observe(decided.kb.variable(decided.worksAt, { person, firm }), "true");
    expect(decided.kb.findings).toEqual([]);
    // Unknowns of one query that depend on each other are meant to.
    expect(world().kb.findings.map(({ text }) => text.slice(0, 14))).toEqual(['the rule "ill"']);
  });
});

describe("rules with weights to learn", () => {
  const rows = [
    { id: 1, group: "a", label: true },
    { id: 2, group: "b", label: null },
  ];
  const base = (holdOut?: number) => {
    const [known, unknown] = ["known", "unknown"].map((name) =>
      query(name, rows, {
        key: ["id"],
        ...(name === "known" ? { label: "label" as const } : {}),
        ...(holdOut ? { holdOut } : {}),
      }),
    );
    return { known, unknown, group: relation("group", rows) };
  };
  const codes = (kb: ReturnType<typeof knowledgeBase>): string[] => kb.findings.map(({ code, text }) => `${code} ${text}`);

  it("are reported with their weight if nothing is known about the head, and by fit if no evidence depends on it", async () => {
    const { known, unknown } = base();
    const kb = knowledgeBase([
      weightedRule({ name: "first", head: known({ id: "i" }), weight: "of known" }),
      weightedRule({ name: "second", head: unknown({ id: "i" }), weight: "of unknown" }),
    ]);
    const [finding] = kb.findings;
    expect(kb.findings).toHaveLength(1);
    expect(finding).toEqual({
      code: "unlabelled",
      serious: false,
      text: 'the weight "of unknown" of the rule "second" would be learned, although no unknown of "unknown" is observed or has a label that is not held out, so that no example shows whether the rule is right',
      advice: 'give "unknown" labels, or give the rule a number as its weight',
    });
    expect(String(kb.explain())).toContain(finding.text);
    const { findings } = await fit(kb.ground(), { epochs: 3, l2: 0.1 });
    expect(findings.map(({ code, text }) => [code, /depend on (.*?):/.exec(text)?.[1]])).toEqual([
      ["unlabelled", 'the weight "of unknown"'],
    ]);
    // Connected with labels, the weight changes the likelihood, but there is still no example.
    kb.add(weightedRule({ name: "third", head: known({ id: "i" }), body: [unknown({ id: "i" })], weight: 1 }));
    kb.add(weightedRule({ name: "fourth", head: unknown({ id: "i" }), weight: 3 }));
    expect(kb.findings).toEqual([finding]);
    expect((await fit(kb.ground(), { epochs: 3, l2: 0.1 })).findings).toEqual([]);
    kb.ground().observe(kb.variable(unknown, { id: 2 }), "false");
    expect(kb.findings).toEqual([]);
  });

  it("are reported if all labels are held out, but not if another rule learns the weight from labels", () => {
    const rule = (head: ReturnType<typeof base>["known"], name: string) =>
      weightedRule({ name, head: head({ id: "i" }), weight: "shared" });
    const { known, unknown } = base();
    expect(codes(knowledgeBase([rule(known, "first"), rule(unknown, "second")]))).toEqual([]);
    expect(codes(knowledgeBase([rule(unknown, "second")]))).toHaveLength(1);
    const out = base(1);
    expect(codes(knowledgeBase([rule(out.known, "first"), rule(out.unknown, "second")]))).toHaveLength(2);
  });

  it("are found for functions once they were called, and only if they returned names", () => {
    const { unknown, group } = base();
    const kb = (weight: (row: { g: string }) => string | number) =>
      knowledgeBase([
        weightedRule({ name: "by", head: unknown({ id: "i" }), body: [group({ id: "i", group: "g" })], weight }),
        weightedRule({ name: "by group", head: unknown({ id: "i" }), weight: 1 }),
      ]);
    const named = kb(({ g }) => g);
    expect(codes(named)).toEqual([]);
    expect(named.explain().findings.map(({ code }) => code)).toEqual(["unlabelled"]);
    // explain() changes nothing.
    expect(codes(named)).toEqual([]);
    named.ground();
    expect(codes(named)).toEqual([expect.stringMatching(/^unlabelled the weights of the rule "by" would be learned/)]);
    const fixed = kb(({ g }) => (g === "a" ? 1 : 2));
    fixed.ground();
    expect(codes(fixed)).toEqual([]);
  });
});

it("probabilities without a guarantee give reasons and calibration a caveat", async () => {
  const rows = [1, 2, 3, 4].map((day) => ({ day, rain: day % 2 === 0 }));
  const rain = query("rain", rows, { key: ["day"], label: "rain", holdOut: ({ day }) => Number(day) > 2 });
  const kb = knowledgeBase([weightedRule({ name: "often", head: rain({ day: "d" }), weight: 1 })]);
  const exact = await infer(kb.ground());
  const unsure = {
    marginal: (variable: number) => ({
      p: exact.marginal(variable).p,
      certificate: variable === 3 ? { none: "the chains disagree" } : exact.marginal(variable).certificate,
    }),
  };
  const said = "1 of 2 probabilities have no guarantee (the chains disagree), so this can be wrong";
  expect(kb.calibration(rain, exact).caveat).toBeUndefined();
  expect(kb.calibration(rain, unsure).caveat).toBe(said);
  expect(String(kb.calibration(rain, unsure))).toMatch(/calibration error 0\.\d+\n1 of 2 probabilities have no guarantee/);
  expect(Object.keys(kb.why(rain, { day: 4 }, exact))).not.toContain("caveat");
  expect(String(kb.why(rain, { day: 4 }, unsure))).toMatch(/\n1 of 1 probabilities have no guarantee \(the chains disagree\)/);
  expect(String(kb.why(rain, { day: 3 }, unsure))).not.toMatch(/guarantee/);
});
