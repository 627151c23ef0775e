import type { JsonPath } from "../json.ts";

/** Offsets of one node. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

/** Where the parts of one document stand. */
export interface Spans {
  /** The node at `path`, or its nearest existing ancestor. */
  value(path: JsonPath): Extent;
  /** The key of the member at `path`; undefined where the path ends in an index or leaves the document. */
  key(path: JsonPath): Extent | undefined;
}

type NodeKind = "scalar" | "mapping" | "sequence" | "alias" | "key" | "merge";

/** A key and its value, or an item, by their numbers in the table; no key where there is none. */
interface Child {
  readonly key: number;
  readonly value: number;
}

const none = -1;

/**
 * Where each part of one document stands. Nodes are numbered in document order and kept as columns, since a document
 * has many of them; a mapping's children are keys and values in turn.
 */
export class SpanTable implements Spans {
  readonly #kinds: readonly NodeKind[];
  readonly #starts: readonly number[];
  readonly #ends: readonly number[];
  /** The number of the first node behind the node's children. */
  readonly #after: readonly number[];
  /** Of keys: their text. Of aliases: the anchor's name. */
  readonly #names: readonly string[];
  readonly #anchors: ReadonlyMap<string, number>;

  constructor(builder: SpanTableBuilder) {
    this.#kinds = builder.kinds;
    this.#starts = builder.starts;
    this.#ends = builder.ends;
    this.#after = builder.after;
    this.#names = builder.names;
    this.#anchors = builder.anchors;
  }

  value(path: JsonPath): Extent {
    let node = 0;
    for (const step of path) {
      const child = this.#child(node, step);
      if (child === undefined) break;
      node = child.value;
    }
    return this.#extent(node);
  }

  key(path: JsonPath): Extent | undefined {
    let node = 0;
    let key = none;
    for (const step of path) {
      const child = this.#child(node, step);
      if (child === undefined) return undefined;
      node = child.value;
      key = child.key;
    }
    return key === none ? undefined : this.#extent(key);
  }

  #extent(node: number): Extent {
    return { start: this.#starts[node] ?? 0, end: this.#ends[node] ?? 0 };
  }

  #child(parent: number, step: string | number): Child | undefined {
    const node = this.#follow(parent);
    const end = this.#after[node] ?? 0;
    if (this.#kinds[node] === "sequence" && typeof step === "number") {
      let index = 0;
      for (let item = node + 1; item < end; item = this.#after[item] ?? end) {
        if (index++ === step) return { key: none, value: item };
      }
    }
    if (this.#kinds[node] !== "mapping" || typeof step === "number") return undefined;
    // Of duplicate keys, and of a key and what << merges, the last one stands.
    let found: Child | undefined;
    for (let key = node + 1; key < end; key = this.#after[key + 1] ?? end) {
      if (this.#kinds[key] === "merge") found = this.#merged(key + 1, step) ?? found;
      else if (this.#names[key] === step) found = { key, value: key + 1 };
    }
    return found;
  }

  #merged(source: number, step: string): Child | undefined {
    const node = this.#follow(source);
    if (this.#kinds[node] !== "sequence") return this.#child(node, step);
    const end = this.#after[node] ?? 0;
    for (let item = node + 1; item < end; item = this.#after[item] ?? end) {
      const found = this.#child(item, step);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #follow(node: number): number {
    return this.#kinds[node] === "alias" ? (this.#anchors.get(this.#names[node] ?? "") ?? node) : node;
  }
}

/** Takes a parser's nodes in document order. */
export class SpanTableBuilder {
  readonly kinds: NodeKind[] = [];
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  readonly after: number[] = [];
  readonly names: string[] = [];
  readonly anchors = new Map<string, number>();
  readonly #open: number[] = [];
  /** The end of the last thing that was added. */
  end = 0;

  add(kind: NodeKind, start: number, end: number, name = "", anchor = ""): void {
    const node = this.kinds.push(kind) - 1;
    this.starts.push(start);
    this.ends.push(end);
    this.after.push(node + 1);
    this.names.push(name);
    if (anchor !== "") this.anchors.set(anchor, node);
    if (kind === "mapping" || kind === "sequence") this.#open.push(node);
    this.end = end;
  }

  /** Ends the innermost open mapping or sequence: where its last child ends, unless told otherwise. */
  close(end = this.end): void {
    const node = this.#open.pop();
    if (node === undefined) return;
    this.ends[node] = end;
    this.after[node] = this.kinds.length;
    this.end = end;
  }

  build(): SpanTable {
    if (this.kinds.length === 0) this.add("scalar", 0, 0);
    return new SpanTable(this);
  }
}
