import { isArray, isObject, type JsonObject, type JsonValue, jsonEquals } from "../../../core/json.ts";
import { formatPath, type ListStep, type MutationPath, type PathStep } from "./path.ts";
import type { PathTests } from "./path-tests.ts";

/** A mutation that does not fit the object. */
export class ChangeFailure extends Error {}

/** What is put at the end of a path. */
export interface Setter {
  /** @param before undefined: there is nothing yet. The answer undefined: nothing is put there. @throws ChangeFailure */
  set(before: JsonValue | undefined): JsonValue | undefined;
  /** What takes the place of a list's item; undefined: the setter has none. @throws ChangeFailure */
  readonly item?: (() => JsonObject) | undefined;
}

interface Changed {
  readonly mutated: boolean;
  readonly value: JsonValue;
}

const describe = (value: JsonValue | undefined): string =>
  isArray(value) ? "a list" : isObject(value) ? "an object" : JSON.stringify(value ?? null);

class Change {
  readonly #path: MutationPath;
  readonly #tests: PathTests;
  readonly #setter: Setter;

  constructor(path: MutationPath, tests: PathTests, setter: Setter) {
    this.#path = path;
    this.#tests = tests;
    this.#setter = setter;
  }

  at(value: JsonValue, depth: number): Changed {
    const step = this.#path[depth];
    if (step === undefined) throw new ChangeFailure("the location is empty");
    return step.kind === "object" ? this.#member(value, step.name, depth) : this.#list(value, step, depth);
  }

  #place(depth: number): string {
    return formatPath(this.#path.slice(0, depth));
  }

  #member(value: JsonValue, name: string, depth: number): Changed {
    if (!isObject(value)) throw new ChangeFailure(`${this.#place(depth)} must be an object, but is ${describe(value)}`);
    const before = Object.hasOwn(value, name) ? value[name] : undefined;
    if (!this.#tests.allows(depth, before !== undefined)) return { mutated: false, value };
    if (depth === this.#path.length - 1) {
      const after = this.#setter.set(before);
      return { mutated: true, value: after === undefined ? value : { ...value, [name]: after } };
    }
    const inner = this.at(before ?? this.#missing(depth), depth + 1);
    return inner.mutated ? { mutated: true, value: { ...value, [name]: inner.value } } : { mutated: false, value };
  }

  #list(value: JsonValue, step: ListStep, depth: number): Changed {
    if (!isArray(value)) throw new ChangeFailure(`${this.#place(depth)} must be a list, but is ${describe(value)}`);
    if (depth === this.#path.length - 1) return this.#item(value, step, depth);
    const unchanged: Changed = { mutated: false, value };
    if (step.all && !this.#tests.allows(depth, true)) return unchanged;
    const items = [...value];
    let found = step.all;
    let mutated = false;
    for (const [i, item] of value.entries()) {
      if (!step.all && !isKeyed(item, step)) continue;
      if (!step.all && !this.#tests.allows(depth, true)) return unchanged;
      found = true;
      const inner = this.at(item, depth + 1);
      items[i] = inner.value;
      mutated ||= inner.mutated;
    }
    if (found) return mutated ? { mutated, value: items } : unchanged;
    if (!this.#tests.allows(depth, false)) return unchanged;
    const inner = this.at(this.#missing(depth), depth + 1);
    return inner.mutated ? { mutated: true, value: [...items, inner.value] } : unchanged;
  }

  /** The last step is an item of a list. */
  #item(value: readonly JsonValue[], step: ListStep, depth: number): Changed {
    const { item } = this.#setter;
    if (item === undefined) throw new ChangeFailure("the location must not end with an item of a list");
    if (step.all) throw new ChangeFailure("the location must not end with [...: *]");
    const fresh = item();
    const at = value.findIndex((one) => {
      if (!isObject(one)) throw new ChangeFailure(`an item of ${this.#place(depth)} must be an object, but is ${describe(one)}`);
      return isKeyed(one, step);
    });
    if (!this.#tests.allows(depth, at >= 0)) return { mutated: false, value };
    if (at < 0) return { mutated: true, value: [...value, fresh] };
    if (!isKeyed(fresh, step)) throw new ChangeFailure(`the key ${step.key} of the item must not change`);
    return { mutated: true, value: value.with(at, fresh) };
  }

  /** What stands where nothing does yet. */
  #missing(depth: number): JsonValue {
    const step: PathStep | undefined = this.#path[depth];
    const isList = this.#path[depth + 1]?.kind === "list";
    if (step?.kind !== "list") return isList ? [] : {};
    if (isList) throw new ChangeFailure(`${this.#place(depth + 1)}: a list cannot be the item of a list`);
    if (step.value === undefined) throw new ChangeFailure(`${this.#place(depth + 1)}: the key has no value`);
    return { [step.key]: step.value };
  }
}

function isKeyed(item: JsonValue, { key, value }: ListStep): boolean {
  return isObject(item) && Object.hasOwn(item, key) && value !== undefined && jsonEquals(item[key], value);
}

/** Changes a value at the end of a path. `mutated`: something was put there, be it what there was. @throws ChangeFailure */
export function change(value: JsonObject, path: MutationPath, tests: PathTests, setter: Setter): Changed {
  return new Change(path, tests, setter).at(value, 0);
}
