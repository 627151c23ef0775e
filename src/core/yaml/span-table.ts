import type { JsonPath } from "../json.ts";

/** Offsets of one node. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

type NodeKind = "scalar" | "mapping" | "sequence" | "alias" | "key" | "merge";

interface SpanNode extends Extent {
  readonly kind: NodeKind;
  end: number;
  /** Of keys: their text. Of aliases: the anchor's name. */
  readonly name: string;
  /** Children in order; a mapping's are keys and values in turn. */
  readonly children: SpanNode[];
}

/** Where each part of one document stands. */
export class SpanTable {
  readonly #root: SpanNode;
  readonly #anchors: ReadonlyMap<string, SpanNode>;

  constructor(root: SpanNode, anchors: ReadonlyMap<string, SpanNode>) {
    this.#root = root;
    this.#anchors = anchors;
  }

  /** The node at `path`, or its nearest existing ancestor. */
  value(path: JsonPath): Extent {
    let node = this.#root;
    for (const step of path) {
      const child = this.#child(node, step)?.value;
      if (child === undefined) break;
      node = child;
    }
    return node;
  }

  /** The key of the member at `path`; undefined where the path ends in an index or leaves the document. */
  key(path: JsonPath): Extent | undefined {
    let node = this.#root;
    let key: SpanNode | undefined;
    for (const step of path) {
      const child = this.#child(node, step);
      if (child === undefined) return undefined;
      node = child.value;
      key = child.key;
    }
    return key;
  }

  #child(parent: SpanNode, step: string | number): { readonly key?: SpanNode; readonly value: SpanNode } | undefined {
    const node = this.#follow(parent);
    if (typeof step === "number") {
      const value = node.kind === "sequence" ? node.children[step] : undefined;
      return value === undefined ? undefined : { value };
    }
    if (node.kind !== "mapping") return undefined;
    // From the end: of duplicate keys, and of a key and what << merges, the last one stands.
    for (let at = node.children.length - 2; at >= 0; at -= 2) {
      const key = node.children[at];
      const value = node.children[at + 1];
      if (key === undefined || value === undefined) continue;
      if (key.kind === "merge") {
        const merged = this.#merged(value, step);
        if (merged !== undefined) return merged;
      } else if (key.name === step) return { key, value };
    }
    return undefined;
  }

  #merged(source: SpanNode, step: string): { readonly key?: SpanNode; readonly value: SpanNode } | undefined {
    const node = this.#follow(source);
    if (node.kind !== "sequence") return this.#child(node, step);
    for (const item of node.children) {
      const found = this.#child(item, step);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #follow(node: SpanNode): SpanNode {
    return node.kind === "alias" ? (this.#anchors.get(node.name) ?? node) : node;
  }
}

/** Takes a parser's nodes in document order. */
export class SpanTableBuilder {
  readonly #anchors = new Map<string, SpanNode>();
  readonly #open: SpanNode[] = [];
  #root: SpanNode | undefined;
  /** The end of the last thing that was added. */
  end = 0;

  add(kind: NodeKind, start: number, end: number, name = "", anchor = ""): void {
    const node: SpanNode = { kind, start, end, name, children: [] };
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#root ??= node;
    else parent.children.push(node);
    if (anchor !== "") this.#anchors.set(anchor, node);
    if (kind === "mapping" || kind === "sequence") this.#open.push(node);
    this.end = end;
  }

  /** Ends the innermost open mapping or sequence: where its last child ends, unless told otherwise. */
  close(end = this.end): void {
    const node = this.#open.pop();
    if (node !== undefined) node.end = end;
    this.end = end;
  }

  build(): SpanTable {
    return new SpanTable(this.#root ?? { kind: "scalar", start: 0, end: 0, name: "", children: [] }, this.#anchors);
  }
}
