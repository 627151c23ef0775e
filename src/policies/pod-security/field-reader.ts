import { asString, isArray, isObject, type JsonObject, type JsonPath, type JsonValue } from "../../core/json.ts";

/** A field whose value is of another type than the API's. */
export interface TypeMismatch {
  readonly path: JsonPath;
  readonly expected: string;
}

/** Reads typed fields of one object; wrong types are noted and count as absent, null is absent. */
export class FieldReader {
  readonly #value: JsonObject | undefined;
  /** From the parent, or from the pod. */
  readonly #steps: JsonPath;
  readonly #mismatches: TypeMismatch[];
  readonly #parent: FieldReader | undefined;

  constructor(value: JsonObject | undefined, steps: JsonPath, mismatches: TypeMismatch[], parent?: FieldReader) {
    this.#value = value;
    this.#steps = steps;
    this.#mismatches = mismatches;
    this.#parent = parent;
  }

  /** Put together when it is asked for, which it seldom is. */
  get path(): JsonPath {
    return this.#parent === undefined ? this.#steps : [...this.#parent.path, ...this.#steps];
  }

  get present(): boolean {
    return this.#value !== undefined;
  }

  has(key: string): boolean {
    return this.#get(key) !== undefined;
  }

  /** Which of these fields are set, in this order. */
  set(keys: ReadonlySet<string>): readonly string[] {
    const found = Object.keys(this.#value ?? {}).filter((key) => keys.has(key) && this.has(key));
    return found.length < 2 ? found : [...keys].filter((key) => found.includes(key));
  }

  boolean(key: string): boolean | undefined {
    const value = this.#get(key);
    if (value === undefined || typeof value === "boolean") return value;
    return this.#mismatch(key, "a boolean");
  }

  string(key: string): string | undefined {
    const value = this.#get(key);
    if (value === undefined || typeof value === "string") return value;
    return this.#mismatch(key, "a string");
  }

  /** A text that nothing is judged by: anything else is as good as none. */
  text(key: string): string {
    return asString(this.#get(key)) ?? "";
  }

  integer(key: string): number | bigint | undefined {
    const value = this.#get(key);
    if (value === undefined || typeof value === "bigint") return value;
    if (typeof value === "number" && Number.isInteger(value)) return value;
    return this.#mismatch(key, "an integer");
  }

  strings(key: string): readonly string[] {
    return this.#items(key).flatMap((item, i) => {
      if (typeof item === "string") return [item];
      this.#mismatch(key, "a string", i);
      return [];
    });
  }

  /** As object(), undefined where there is none. */
  optional(key: string): FieldReader | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    return isObject(value) ? new FieldReader(value, [key], this.#mismatches, this) : this.#mismatch(key, "an object");
  }

  object(key: string): FieldReader {
    return this.optional(key) ?? new FieldReader(undefined, [key], this.#mismatches, this);
  }

  objects(key: string): readonly FieldReader[] {
    return this.#items(key).map((item, i) => {
      const object = isObject(item) ? item : this.#mismatch(key, "an object", i);
      return new FieldReader(object, [key, i], this.#mismatches, this);
    });
  }

  #items(key: string): readonly JsonValue[] {
    const value = this.#get(key);
    if (value === undefined || isArray(value)) return value ?? [];
    this.#mismatch(key, "an array");
    return [];
  }

  #get(key: string): JsonValue | undefined {
    const value = this.#value !== undefined && Object.hasOwn(this.#value, key) ? this.#value[key] : undefined;
    return value === null ? undefined : value;
  }

  #mismatch(key: string, expected: string, index?: number): undefined {
    this.#mismatches.push({ path: [...this.path, key, ...(index === undefined ? [] : [index])], expected });
    return undefined;
  }
}
