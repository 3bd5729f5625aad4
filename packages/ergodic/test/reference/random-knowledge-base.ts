/**
 * Random rules over small relations, and their grounding by the definition: nested loops over all rows of all atoms.
 */
import fc from "fast-check";
import {
  type FactorGraph,
  type KnowledgeBase,
  knowledgeBase,
  type Query,
  query,
  type Relation,
  relation,
  type Semantics,
  type WeightedRule,
  weightedRule,
} from "../../src/entries/everything.ts";

type Tuple = readonly (number | null)[];
/** For each column a variable or a value. */
type TermPlan = string | { equals: number };
interface AtomPlan {
  /** "r" and "s" are relations, "p" and "q" unknowns. */
  of: "r" | "s" | "p" | "q";
  terms: readonly TermPlan[];
  negated: boolean;
  exists: boolean;
}
interface RulePlanned {
  body: readonly AtomPlan[];
  head: AtomPlan;
  semantics: Semantics;
  weight: "fixed" | "named" | "tied";
  feature: boolean;
  condition: boolean;
}
export interface Program {
  /** Rows of each. The `first` ones exist at the start. */
  rows: Record<AtomPlan["of"], { first: readonly Tuple[]; more: readonly Tuple[] }>;
  rules: readonly RulePlanned[];
  /** Number of rules that are added later. */
  late: number;
}

export const columns = { r: ["a", "b"], s: ["b", "c"], p: ["x"], q: ["x", "y"] } as const;
const isUnknown = (of: AtomPlan["of"]): boolean => of === "p" || of === "q";
const value = fc.nat({ max: 3 });
const cell = fc.option(value, { freq: 8 });
const term: fc.Arbitrary<TermPlan> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("u", "v", "w") },
  { weight: 1, arbitrary: value.map((equals) => ({ equals })) },
);

const atomOf = (of: AtomPlan["of"]): fc.Arbitrary<AtomPlan> =>
  fc.record({
    of: fc.constant(of),
    terms: fc.array(term, { minLength: columns[of].length, maxLength: columns[of].length }),
    negated: fc.boolean(),
    exists: fc.boolean().map((exists) => exists && isUnknown(of)),
  });
const bodyAtom = fc.constantFrom("r", "s", "p", "q", "r", "s").chain(atomOf as (of: string) => fc.Arbitrary<AtomPlan>);
const votingNames = ["linear", "ratio", "logical"];

const ruleOf = (body: readonly AtomPlan[]): fc.Arbitrary<RulePlanned> => {
  const bound = [...new Set(body.flatMap(({ terms }) => terms.filter((one) => typeof one === "string")))];
  const pick: fc.Arbitrary<TermPlan> =
    body.length === 0
      ? fc.constantFrom("u", "v")
      : bound.length > 0
        ? fc.constantFrom(...bound)
        : value.map((equals) => ({ equals }));
  const voters = body.filter(({ of, exists }) => isUnknown(of) && !exists).length;
  const names: Semantics[] = ["imply", "implyNatural", "and", "all", "or"];
  if (voters > 0) names.push("equal");
  if (voters <= 1) names.push("linear", "ratio", "logical");
  return fc
    .record({
      head: fc.constantFrom("p" as const, "q" as const).chain((of) =>
        fc.record({
          of: fc.constant(of),
          terms: fc.array(pick, { minLength: columns[of].length, maxLength: columns[of].length }),
          negated: fc.boolean(),
          exists: fc.constant(false),
        }),
      ),
      body: fc.constant(body),
      semantics: fc.constantFrom(...names),
      weight: fc.constantFrom("fixed" as const, "named" as const, "tied" as const),
      feature: fc.boolean(),
      condition: fc.boolean(),
    })
    .map((rule) => ({ ...rule, feature: rule.feature && !votingNames.includes(rule.semantics) }));
};

const rowsOf = (of: AtomPlan["of"], most: number) => {
  const tuple: fc.Arbitrary<Tuple> = fc.array(isUnknown(of) ? value : cell, {
    minLength: columns[of].length,
    maxLength: columns[of].length,
  });
  const rows = isUnknown(of)
    ? fc.uniqueArray(tuple, { minLength: Math.ceil(most / 2), maxLength: most, selector: (one) => one.join() })
    : fc.array(tuple, { minLength: Math.ceil(most / 2), maxLength: most });
  return fc.tuple(rows, fc.nat({ max: most })).map(([all, from]) => {
    const cut = Math.max(1, all.length - from);
    return { first: all.slice(0, cut), more: all.slice(cut) };
  });
};

export const programs: fc.Arbitrary<Program> = fc.record({
  rows: fc.record({ r: rowsOf("r", 10), s: rowsOf("s", 10), p: rowsOf("p", 4), q: rowsOf("q", 14) }),
  rules: fc.array(fc.array(bodyAtom, { maxLength: 3 }).chain(ruleOf), { minLength: 1, maxLength: 3 }),
  late: fc.nat({ max: 2 }),
});

type Row = Readonly<Record<string, number>>;
const at = (row: Row, name: string): number => (name in row ? row[name] : 1);
const passes = (row: Row): boolean => (3 * at(row, "u") + 5 * at(row, "v") + at(row, "w")) % 4 !== 0;
const featureOf = (row: Row): number => 1 + at(row, "u") / 2;
const tieOf = (row: Row): string => `${at(row, "u") % 2}`;

const objects = (of: AtomPlan["of"], rows: readonly Tuple[]) =>
  rows.map((row) => Object.fromEntries(columns[of].map((name, k) => [name, row[k]])));
const types = (of: AtomPlan["of"]) => Object.fromEntries(columns[of].map((name) => [name, "number" as const]));

/** The knowledge base before grounding, with its later additions. */
export function built(program: Program, whole: boolean): { kb: KnowledgeBase; later: () => void } {
  const start = (of: AtomPlan["of"]) =>
    objects(of, whole ? [...program.rows[of].first, ...program.rows[of].more] : program.rows[of].first);
  const relations: Record<string, Relation> = {};
  const queries: Record<string, Query> = {};
  for (const of of ["r", "s"] as const) relations[of] = relation(of, start(of), types(of)) as unknown as Relation;
  for (const of of ["p", "q"] as const)
    queries[of] = query(of, start(of), { key: [...columns[of]], types: types(of) }) as unknown as Query;
  const atom = ({ of, terms, negated, exists }: AtomPlan) => {
    const bindings = Object.fromEntries(columns[of].map((name, k) => [name, terms[k]]));
    if (!isUnknown(of)) return relations[of](bindings);
    return exists ? queries[of].exists(bindings) : negated ? queries[of].not(bindings) : queries[of](bindings);
  };
  const rules = program.rules.map(({ body, head, semantics, weight, feature, condition }, k): WeightedRule => {
    const given = {
      name: `rule ${k}`,
      head: atom(head),
      body: body.map(atom),
      semantics,
      weight: weight === "fixed" ? 0.5 : weight === "named" ? "shared" : tieOf,
      ...(feature ? { feature: featureOf } : {}),
      ...(condition ? { where: passes } : {}),
    };
    return weightedRule(given as unknown as Parameters<typeof weightedRule>[0]);
  });
  const early = whole ? rules.length : Math.max(0, rules.length - program.late);
  const later = () => {
    for (const of of ["r", "s"] as const)
      if (program.rows[of].more.length > 0) relations[of].add(objects(of, program.rows[of].more) as never);
    for (const of of ["p", "q"] as const)
      if (program.rows[of].more.length > 0) queries[of].add(objects(of, program.rows[of].more));
    kb.add(...rules.slice(early));
  };
  const kb = knowledgeBase(rules.slice(0, early), { names: true });
  return { kb, later };
}

/** Factors by function, literals and weight, with the sum of their features, because the exponent is linear in them. */
export type Exponent = Map<string, number>;

function add(to: Exponent, function_: string, body: readonly string[], head: string, weight: string, feature: number): void {
  const key = `${function_}(${[...body].sort().join(" ")} > ${head}) ${weight}`;
  const sum = (to.get(key) ?? 0) + feature;
  if (Math.abs(sum) < 1e-12) to.delete(key);
  else to.set(key, sum);
}

const literal = (name: string, state: number): string => `${name}=${state}`;

export function exponentOf(graph: FactorGraph): Exponent {
  const found: Exponent = new Map();
  for (let i = 0; i < graph.factorCount; i++) {
    const { kind, variables, states, weight, feature } = graph.factorAt(i);
    const literals = variables.map((variable, k) => literal(graph.variableName(variable), states[k]));
    const { name, value } = graph.weightState(weight!);
    add(found, kind, literals.slice(0, -1), literals.at(-1)!, name ?? String(value), feature!);
  }
  return found;
}

/** Grounding by the definition. Undefined if an unknown occurs twice in a grounding. */
export function expected({ rows, rules }: Program): Exponent | undefined {
  const all = (of: AtomPlan["of"]) => [...rows[of].first, ...rows[of].more];
  const found: Exponent = new Map();
  const title = ({ of }: AtomPlan, tuple: Tuple): string => `${of}(${tuple.join(", ")})`;
  for (const [number, rule] of rules.entries()) {
    const atoms = [...rule.body, rule.head];
    const voting = votingNames.includes(rule.semantics);
    const ballots = new Map<string, { head: string; weight: string; voters: Set<string>; count: number }>();
    let twice = false;
    const visit = (k: number, row: Row, tuples: readonly Tuple[]): void => {
      if (k < atoms.length) {
        for (const tuple of all(atoms[k].of)) {
          let next: Row | undefined = row;
          atoms[k].terms.forEach((term, column) => {
            const cell = tuple[column];
            if (next === undefined) return;
            if (typeof term === "object") next = cell === term.equals ? next : undefined;
            else if (cell === null) next = undefined;
            else if (next[term] === undefined) next = { ...next, [term]: cell };
            else if (next[term] !== cell) next = undefined;
          });
          if (next) visit(k + 1, next, [...tuples, tuple]);
        }
        return;
      }
      if (rule.condition && !passes(row)) return;
      const unknowns = atoms.flatMap((atom, i) =>
        isUnknown(atom.of) && !atom.exists ? [{ atom, name: title(atom, tuples[i]) }] : [],
      );
      if (new Set(unknowns.map(({ name }) => name)).size < unknowns.length) twice = true;
      const literals = unknowns.map(({ atom, name }) => literal(name, atom.negated ? 0 : 1));
      const head = literals.at(-1)!;
      const weight = rule.weight === "fixed" ? "0.5" : rule.weight === "named" ? "shared" : `rule ${number}: ${tieOf(row)}`;
      if (!voting) {
        add(found, rule.semantics, literals.slice(0, -1), head, weight, rule.feature ? featureOf(row) : 1);
        return;
      }
      const key = `${head} ${weight}`;
      const votes = ballots.get(key) ?? { head, weight, voters: new Set<string>(), count: 0 };
      ballots.set(key, votes);
      votes.count++;
      for (const one of literals.slice(0, -1)) votes.voters.add(one);
    };
    visit(0, {}, []);
    if (twice) return undefined;
    for (const { head, weight, voters, count } of ballots.values()) {
      const strength = rule.semantics === "linear" ? count : rule.semantics === "ratio" ? Math.log2(1 + count) : 1;
      add(found, rule.semantics, [...voters], head, weight, voters.size > 0 ? 1 : strength);
    }
  }
  return found;
}
