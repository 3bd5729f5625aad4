import { assert } from "../../errors/errors.ts";
import { forEachBelow } from "../walk.ts";
import { signed, unsigned, type WasmType } from "./encoder.ts";
import type { Value } from "./lanes.ts";

export interface Node extends Value {
  readonly type: WasmType;
  readonly code: readonly number[];
  readonly args: readonly Node[];
  /** Depth of the loop whose iterations change the value, or 0 if the value never changes. */
  readonly level: number;
  /**
   * Whether repeating the node is cheaper than storing its value in a local. True for local.get and integer constants.
   */
  readonly repeated: boolean;
}

/**
 * The machine graph of one function: pure WebAssembly instructions as hash-consed nodes, and their emission.
 *
 * Building a loop body as a graph first gives common subexpression elimination, hoisting out of the loop and few locals
 * in one place. Nodes are pure. Loads read memory as it is before the body's stores, because the caller emits the
 * stores last.
 */
export class Graph {
  readonly #known = new Map<string, Node>();
  readonly #reads = new Map<number, number>();

  node(
    type: WasmType,
    code: readonly number[],
    args: readonly Value[] = [],
    flags: { level?: number; repeated?: boolean } = {},
  ): Node {
    let key = String.fromCharCode(...code);
    // Opcode bytes are at most 255, so this separator cannot occur among them.
    for (const arg of args) key += `\u0100${arg.id}`;
    const known = this.#known.get(key);
    if (known) return known;
    const nodes = args as readonly Node[];
    const level = nodes.reduce((most, a) => Math.max(most, a.level), flags.level ?? 0);
    const made: Node = { id: this.#known.size, type, code, args: nodes, level, repeated: flags.repeated === true };
    this.#known.set(key, made);
    return made;
  }

  integer(x: number): Node {
    return this.node("i32", [0x41, ...signed(x)], [], { repeated: true });
  }

  /** Returns a node that reads a local. For the same local, `level` must be the same in every call. */
  local(type: WasmType, index: number, level: number): Node {
    const before = this.#reads.get(index) ?? level;
    assert(before === level, "a local changes at two levels");
    this.#reads.set(index, level);
    return this.node(type, [0x20, ...unsigned(index)], [], { level, repeated: true });
  }
}

/** Code and locals of a function under construction. */
export class FunctionCode {
  readonly parameters: readonly WasmType[];
  readonly results: readonly WasmType[];
  readonly locals: WasmType[] = [];
  readonly code: number[] = [];
  #kept = new Map<Node, number>();

  constructor(parameters: readonly WasmType[], results: readonly WasmType[] = []) {
    this.parameters = parameters;
    this.results = results;
  }

  push(...bytes: readonly number[]): void {
    for (const byte of bytes) this.code.push(byte);
  }

  newLocal(type: WasmType): number {
    this.locals.push(type);
    return this.parameters.length + this.locals.length - 1;
  }

  get(local: number): void {
    this.push(0x20, ...unsigned(local));
  }

  set(local: number): void {
    this.push(0x21, ...unsigned(local));
  }

  /** Computes the nodes and stores each value in a local. Later calls of `emit` use these locals. */
  keep(nodes: readonly Node[]): void {
    const uses = usesBelow(nodes, this.#kept);
    for (const node of nodes) {
      if (node.repeated || this.#kept.has(node)) continue;
      this.#emit(node, uses);
      const local = this.newLocal(node.type);
      this.set(local);
      this.#kept.set(node, local);
    }
  }

  /** Pushes one value on the stack. */
  emit(node: Node): void {
    const kept = this.#kept.get(node);
    if (kept !== undefined) this.get(kept);
    else if (node.args.length === 0) this.push(...node.code);
    else this.#emit(node, usesBelow([node], this.#kept));
  }

  /**
   * Forgets stored values that change between iterations at `level` or deeper. After the loop's body, the locals of
   * these values are stale.
   */
  forget(level: number): void {
    for (const node of [...this.#kept.keys()]) if (node.level >= level) this.#kept.delete(node);
  }

  /** Emits arguments before their users, without recursion. */
  #emit(root: Node, uses: ReadonlyMap<Node, number>): void {
    const path: Node[] = [];
    const next: number[] = [];
    const enter = (node: Node): void => {
      const kept = this.#kept.get(node);
      if (kept !== undefined) this.get(kept);
      else {
        path.push(node);
        next.push(0);
      }
    };
    enter(root);
    while (path.length > 0) {
      const last = path.length - 1;
      const node = path[last];
      if (next[last] < node.args.length) {
        enter(node.args[next[last]++]);
        continue;
      }
      path.pop();
      next.pop();
      this.push(...node.code);
      if (node.repeated || (uses.get(node) ?? 0) < 2) continue;
      const local = this.newLocal(node.type);
      this.push(0x22, ...unsigned(local));
      this.#kept.set(node, local);
    }
  }
}

function usesBelow(roots: readonly Node[], kept: ReadonlyMap<Node, number>): Map<Node, number> {
  const uses = new Map<Node, number>();
  const waiting = [...roots];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    const before = uses.get(node) ?? 0;
    uses.set(node, before + 1);
    if (before === 0 && !kept.has(node)) for (const arg of node.args) waiting.push(arg);
  }
  return uses;
}

/**
 * Returns the nodes that should be computed before the loops deeper than `level`. The returned nodes are the topmost
 * nodes below the roots that such loops do not change.
 */
export function invariantsBelow(roots: readonly Node[], level = 0): Node[] {
  const found: Node[] = [];
  forEachBelow(roots, (node) => {
    if (node.level <= level && !node.repeated) found.push(node);
    return node.level > level;
  });
  return found;
}
