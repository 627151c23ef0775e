import { type PathToken, scanPath } from "./path-scanner.ts";

/** A member of an object. */
export interface ObjectStep {
  readonly kind: "object";
  readonly name: string;
}

/** The items of a list whose member `key` is `value`, or all of them. */
export interface ListStep {
  readonly kind: "list";
  readonly key: string;
  readonly value: string | number | bigint | undefined;
  readonly all: boolean;
}

export type PathStep = ObjectStep | ListStep;
export type MutationPath = readonly PathStep[];

export type ParsedPath = { readonly ok: true; readonly path: MutationPath } | { readonly ok: false; readonly message: string };

class PathFailure extends Error {}

const largest = 2n ** 63n - 1n;

class PathParser {
  readonly #tokens: readonly PathToken[];
  #at = 0;

  constructor(source: string) {
    this.#tokens = scanPath(source);
  }

  get #token(): PathToken {
    return this.#tokens[this.#at] ?? { type: "end", text: "", offset: 0 };
  }

  #take(type: PathToken["type"]): PathToken | undefined {
    const token = this.#token;
    if (token.type !== type) return undefined;
    this.#at++;
    return token;
  }

  #refuse(wanted: string): never {
    const { type, text, offset } = this.#token;
    const got =
      type === "end" ? "the end" : type === "error" && text !== "" ? JSON.stringify(text) : `${type} ${JSON.stringify(text)}`;
    throw new PathFailure(`expected ${wanted} at position ${offset + 1}, got ${got}`);
  }

  path(): MutationPath {
    const steps: PathStep[] = [];
    if (this.#token.type === "end") return steps;
    for (;;) {
      const name = this.#take("name") ?? this.#refuse("the name of a field");
      steps.push({ kind: "object", name: name.text });
      if (this.#take("[") !== undefined) steps.push(this.#list());
      if (this.#take("end") !== undefined) return steps;
      if (this.#take(".") === undefined) this.#refuse("'.' or the end");
    }
  }

  #list(): ListStep {
    const key = (this.#take("name") ?? this.#refuse("the key of the list")).text;
    if (this.#take(":") === undefined) this.#refuse("':' after the key");
    const step = this.#listValue(key);
    if (this.#take("]") === undefined) this.#refuse("']'");
    return step;
  }

  #listValue(key: string): ListStep {
    if (this.#take("*") !== undefined) return { kind: "list", key, value: undefined, all: true };
    const name = this.#take("name");
    if (name !== undefined) return { kind: "list", key, value: name.text, all: false };
    const digits = this.#token;
    if (this.#take("integer") === undefined) this.#refuse("a value or '*'");
    const value = BigInt(digits.text);
    if (value > largest) throw new PathFailure(`${digits.text} is too large`);
    return { kind: "list", key, value: Number.isSafeInteger(Number(value)) ? Number(value) : value, all: false };
  }
}

/** Parses a location or a sub path of a mutator; an empty one has no steps. */
export function parsePath(source: string): ParsedPath {
  try {
    return { ok: true, path: new PathParser(source).path() };
  } catch (error) {
    if (error instanceof PathFailure) return { ok: false, message: error.message };
    throw error;
  }
}

function sameStep(a: PathStep, b: PathStep): boolean {
  if (a.kind === "object") return b.kind === "object" && a.name === b.name;
  return b.kind === "list" && a.key === b.key && a.value === b.value && a.all === b.all;
}

/** Whether `short` is the beginning of `long`. */
export function isPrefix(short: MutationPath, long: MutationPath): boolean {
  return short.length <= long.length && short.every((step, i) => sameStep(step, long[i] ?? { kind: "object", name: "" }));
}

/** The path as it is written. */
export function formatPath(path: MutationPath): string {
  const quote = (name: string) => (/^[A-Za-z_-][\w-]*$/.test(name) ? name : JSON.stringify(name));
  return path
    .map((step, i) => {
      if (step.kind === "object") return `${i === 0 ? "" : "."}${quote(step.name)}`;
      const value = step.all ? "*" : typeof step.value === "string" ? quote(step.value) : String(step.value);
      return `[${quote(step.key)}: ${value}]`;
    })
    .join("");
}
