/** Handmade draws, and a strict parser of SVG. */
import { Draws, stream } from "ergodic";

export interface Making {
  readonly chains?: number;
  readonly count?: number;
  readonly names?: readonly string[];
  readonly value?: (normal: () => number, quantity: number, chain: number, draw: number) => number;
  readonly divergent?: (chain: number, draw: number) => boolean;
  readonly energies?: boolean;
}

export function drawsOf({ chains = 2, count = 40, names = ["mu", "tau"], value, divergent, energies }: Making = {}): Draws {
  const random = stream(3, "plots").at(0);
  const of = value ?? ((normal: () => number) => normal());
  const cells = Array.from({ length: chains * count }, (_, k) => [Math.floor(k / count), k % count]);
  const fields = [...(divergent ? ["divergent"] : []), ...(energies ? ["energy"] : [])];
  return new Draws({
    chains,
    count,
    quantities: names.map((name) => ({ name, shape: [], kind: "parameter" as const })),
    values: Object.fromEntries(
      names.map((name, q) => [name, Float64Array.from(cells, ([c, i]) => of(() => random.normal(), q, c, i))]),
    ),
    fields,
    transitions: Float64Array.from(
      cells.flatMap(([c, i]) => [...(divergent ? [Number(divergent(c, i))] : []), ...(energies ? [5 + random.normal()] : [])]),
    ),
    description: {},
    report: {},
  });
}

export interface Node {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: (Node | string)[];
}

const entity = /&(amp|lt|gt|quot);/g;
const meant: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"' };

/** Parses the subset of XML that `plot` can write, and nothing else. @throws Error if it is not well-formed */
export function parse(text: string): Node {
  const root: Node = { name: "", attributes: {}, children: [] };
  const open = [root];
  const token = /<(\/?)([a-z]+)((?: [a-zA-Z][\w-]*="[^"<]*")*)(\/?)>|([^<]+)/gy;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const found = token.exec(text);
    if (!found) throw new Error(`no XML at ${at}: ${text.slice(at, at + 60)}`);
    const [, closes, name, attributes, isEmpty, content] = found;
    const decoded = (raw: string): string => {
      if (/&(?!(amp|lt|gt|quot);)/.test(raw)) throw new Error(`a bare & in ${raw}`);
      if (/(?![\t\n\r])\p{Cc}|\p{Surrogate}/u.test(raw)) throw new Error("a character that XML has not");
      return raw.replace(entity, (_, which) => meant[which]);
    };
    if (content !== undefined) open.at(-1)!.children.push(decoded(content));
    else if (closes) {
      if (open.pop()!.name !== name) throw new Error(`</${name}> closes something else`);
    } else {
      const pairs = [...attributes.matchAll(/ ([\w-]+)="([^"]*)"/g)].map(([, key, value]) => [key, decoded(value)]);
      const node: Node = { name, attributes: Object.fromEntries(pairs), children: [] };
      if (pairs.length !== Object.keys(node.attributes).length) throw new Error(`<${name}> has an attribute twice`);
      open.at(-1)!.children.push(node);
      if (!isEmpty) open.push(node);
    }
  }
  if (open.length !== 1 || root.children.length !== 1) throw new Error("it is not one element");
  return root.children[0] as Node;
}

/** Returns all elements of a name. */
export const all = (node: Node, name: string): Node[] =>
  node.children.flatMap((child) =>
    typeof child === "string" ? [] : [...(child.name === name ? [child] : []), ...all(child, name)],
  );

export const texts = (node: Node): string[] => all(node, "text").map(({ children }) => children.join(""));
