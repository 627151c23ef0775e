import { isArray, isObject, type JsonValue } from "../../core/json.ts";
import { remembered } from "../../core/remembered.ts";
import { joinPath } from "../../core/slash-path.ts";

/** What stands before the parenthesis of a pattern's key: `(k)`, `<(k)`, `X(k)`, `+(k)`, `=(k)`, `^(k)`. */
type AnchorKind = "condition" | "global" | "negation" | "add" | "equality" | "existence";

export interface Anchor {
  readonly kind: AnchorKind;
  /** The key without the anchor. */
  readonly key: string;
}

const kinds: { readonly [modifier: string]: AnchorKind } = {
  "": "condition",
  "<": "global",
  X: "negation",
  "+": "add",
  "=": "equality",
  "^": "existence",
};
const modifiers: { readonly [kind in AnchorKind]: string } = {
  condition: "",
  global: "<",
  negation: "X",
  add: "+",
  equality: "=",
  existence: "^",
};
const shape = /^([+<=X^])?\((.+)\)$/;

/** Undefined for a key without an anchor. */
export function parseAnchor(text: string): Anchor | undefined {
  return text.includes("(") ? knownAnchor(text) : undefined;
}

/** Policies have few anchors, which are met with every object. */
const knownAnchor = remembered(2000, readAnchor);

function readAnchor(text: string): Anchor | undefined {
  const parts = shape.exec(text.trim());
  const key = parts?.[2];
  const kind = kinds[parts?.[1] ?? ""];
  return key === undefined || kind === undefined ? undefined : { kind, key };
}

export function formatAnchor({ kind, key }: Anchor): string {
  return key === "" ? "" : `${modifiers[kind]}(${key})`;
}

/** `/spec/=(containers)/0/(name)` without the anchors: `/spec/containers/0/name`. */
export function removeAnchors(path: string): string {
  const absolute = path.startsWith("/");
  const parts = path.split("/").map((part) => parseAnchor(part)?.key ?? part);
  const joined = joinPath(...parts);
  return absolute ? `/${joined.replace(/^\//, "")}` : joined;
}

/** Anchors that are evaluated before the other members of an object. */
export function comesFirst(anchor: Anchor | undefined): boolean {
  return anchor !== undefined && anchor.kind !== "global" && anchor.kind !== "add";
}

/** Whether any key at any depth of a pattern carries an anchor other than `+()`. */
export function hasNestedAnchor(pattern: JsonValue | undefined): boolean {
  if (isArray(pattern)) return pattern.some(hasNestedAnchor);
  if (!isObject(pattern)) return false;
  return Object.keys(pattern).some((key) => {
    const anchor = parseAnchor(key);
    return (anchor !== undefined && anchor.kind !== "add") || hasNestedAnchor(pattern[key]);
  });
}
