import type { JsonValue } from "../../core/json.ts";

export type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=";

/** One expression. `offset` is where it starts in the source, in UTF-16 units. */
export type Node =
  | { readonly kind: "field"; readonly name: string; readonly quoted: boolean; readonly offset: number }
  | { readonly kind: "current" }
  | { readonly kind: "binding"; readonly name: string; readonly offset: number }
  | { readonly kind: "literal"; readonly value: JsonValue }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "slice"; readonly parts: readonly [number | undefined, number | undefined, number | undefined] }
  | { readonly kind: "chain"; readonly left: Node; readonly right: Node }
  | { readonly kind: "projection"; readonly left: Node; readonly right: Node }
  | { readonly kind: "values"; readonly left: Node; readonly right: Node }
  | { readonly kind: "filter"; readonly left: Node; readonly right: Node; readonly condition: Node }
  | { readonly kind: "flatten"; readonly left: Node }
  | { readonly kind: "list"; readonly items: readonly Node[] }
  | { readonly kind: "hash"; readonly members: readonly { readonly key: string; readonly value: Node }[] }
  | { readonly kind: "comparison"; readonly operator: Comparison; readonly left: Node; readonly right: Node }
  | { readonly kind: "or"; readonly left: Node; readonly right: Node }
  | { readonly kind: "and"; readonly left: Node; readonly right: Node }
  | { readonly kind: "not"; readonly operand: Node }
  | { readonly kind: "pipe"; readonly left: Node; readonly right: Node }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Node[]; readonly offset: number }
  | { readonly kind: "reference"; readonly operand: Node; readonly offset: number };
