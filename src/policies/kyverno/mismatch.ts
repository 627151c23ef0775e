import { formatGoValue } from "../../core/go-format.ts";
import { isArray, type JsonValue } from "../../core/json.ts";

/**
 * Why a value does not follow a pattern. Texts are made when asked for: most mismatches only steer the evaluation.
 * `path` is the place as Kyverno writes it, `/spec/containers/0/image/`; empty where Kyverno reports an execution error.
 */
export interface Mismatch {
  readonly path: string;
  /** The pattern does not apply here, so nothing has been violated. */
  readonly skip: boolean;
  /** Comes from an anchor of this very map, not from inside one of its values. */
  readonly direct: boolean;
  /** A negation anchor found its key. */
  readonly negation: boolean;
  text(): string;
}

/** A value that does not match a scalar pattern. */
export class ValueMismatch implements Mismatch {
  readonly skip = false;
  readonly direct = false;
  readonly negation = false;
  readonly path: string;
  readonly #value: JsonValue | undefined;
  readonly #pattern: JsonValue;

  constructor(path: string, value: JsonValue | undefined, pattern: JsonValue) {
    this.path = path;
    this.#value = value;
    this.#pattern = pattern;
  }

  text(): string {
    return `resource value '${formatGoValue(this.#value)}' does not match '${formatGoValue(this.#pattern)}' at path ${this.path}`;
  }
}

/** A value of another shape than its pattern, or a pattern that cannot be used. */
export class ShapeMismatch implements Mismatch {
  readonly skip = false;
  readonly direct = false;
  readonly negation = false;
  readonly path: string;
  readonly #text: string;

  constructor(path: string, text: string) {
    this.path = path;
    this.#text = text;
  }

  text(): string {
    return this.#text;
  }
}

const anchorTexts = {
  condition: "conditional anchor mismatch",
  global: "global anchor mismatch",
  negation: "negation anchor matched in resource",
} as const;

/** An anchor that did not hold. */
export class AnchorMismatch implements Mismatch {
  readonly direct = true;
  readonly path: string;
  readonly skip: boolean;
  readonly negation: boolean;
  readonly #kind: keyof typeof anchorTexts;
  readonly #cause: Mismatch | string;

  constructor(kind: keyof typeof anchorTexts, path: string, cause: Mismatch | string) {
    this.#kind = kind;
    this.path = path;
    this.skip = kind !== "negation";
    this.negation = kind === "negation";
    this.#cause = cause;
  }

  text(): string {
    const cause = typeof this.#cause === "string" ? this.#cause : this.#cause.text();
    return `${anchorTexts[this.#kind]}: ${cause}`;
  }
}

/** Everything at this place was skipped. */
export class Skipped implements Mismatch {
  readonly skip = true;
  readonly direct = false;
  readonly negation = false;
  readonly path: string;
  readonly #causes: readonly Mismatch[];

  constructor(path: string, causes: readonly Mismatch[]) {
    this.path = path;
    this.#causes = causes;
  }

  text(): string {
    return this.#causes.map((cause) => cause.text()).join("; ");
  }
}

/** The name that Go gives to the type of a decoded JSON value. */
export function goTypeName(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return "<nil>";
  if (isArray(value)) return "[]interface {}";
  switch (typeof value) {
    case "number":
      return Number.isInteger(value) ? "int64" : "float64";
    case "bigint":
      return "int64";
    case "boolean":
      return "bool";
    case "string":
      return "string";
    default:
      return "map[string]interface {}";
  }
}
