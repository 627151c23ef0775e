import { RegoObject, type Value } from "../../values/value.ts";

/** What one part of a document fails. */
interface SchemaError {
  readonly type: string;
  /** Where: names and indexes from the root. */
  readonly path: readonly string[];
  readonly description: string;
}

/** Failures of a document, and how near it came: of several alternatives that all fail the nearest is reported. */
export class SchemaResult {
  readonly #errors: SchemaError[] = [];
  score = 0;

  get isValid(): boolean {
    return this.#errors.length === 0;
  }

  fail(type: string, path: readonly string[], description: string): void {
    this.#errors.push({ type, path, description: description.replaceAll("{field}", fieldOf(path)) });
    this.score -= 2;
  }

  merge(other: SchemaResult): void {
    this.#errors.push(...other.#errors);
    this.score += other.score;
  }

  /** As json.match_schema answers. */
  toValue(): Value {
    return this.#errors.map(({ type, path, description }) => {
      const field = fieldOf(path);
      return RegoObject.of([
        ["error", `${field}: ${description}`],
        ["type", type],
        ["field", field],
        ["desc", description],
      ]);
    });
  }
}

const fieldOf = (path: readonly string[]): string => (path.length === 0 ? "(Root)" : path.join("."));

/** Checks a value; reports what it fails. */
export type Check = (value: Value, path: readonly string[], result: SchemaResult) => void;

/** The result of one check by itself. */
export function tryCheck(check: Check, value: Value, path: readonly string[]): SchemaResult {
  const result = new SchemaResult();
  check(value, path, result);
  return result;
}

/** Thrown while a schema is compiled: what is wrong with it. */
export class SchemaProblem {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}
