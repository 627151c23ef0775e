import type { JsonObject, JsonValue } from "../../../src/core/json.ts";
import type { Random } from "./random.ts";

/** A random module, and what to evaluate it with. */
export interface RandomModule {
  readonly source: string;
  readonly input: JsonObject | undefined;
  readonly base: JsonObject;
}

type RuleKind = "complete" | "set" | "object" | "nested" | "deep" | "function" | "default" | "else";

interface Named {
  readonly name: string;
  /** Undefined: no function. */
  readonly arity: number | undefined;
}

const kinds: readonly RuleKind[] = ["complete", "set", "object", "nested", "deep", "function", "default", "else"];
const scalars = ["1", "2", "3", "0", "1.5", "-1", '"a"', '"b"', '"x"', "true", "false", "null", '""', "1e2", "10"];
const jsonScalars: readonly JsonValue[] = [1, 2, 3, 0, 1.5, -1, "a", "b", "x", true, false, null, "", 100];
const roots = ["input.a", "input.b", "input.c", "data.base.a", "data.base.b"];

/** Makes modules of rules that iterate, negate, collect and replace; most of their references lead somewhere. */
export class ModuleMaker {
  readonly #random: Random;
  readonly #named: Named[] = [];
  #variables = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  make(packageName: string): RandomModule {
    const rules: string[] = [];
    const count = 2 + this.#random.below(5);
    for (let i = 0; i < count; i++) rules.push(...this.#rules(`r${i}`));
    const { a, b, c } = { a: this.#json(4), b: this.#json(3), c: this.#json(2) };
    const input = this.#random.chance(0.9) ? { a, b, c } : undefined;
    const base = { a: this.#json(3), b: this.#json(2), x: this.#json(1) };
    const header = `package ${packageName}\n\nimport future.keywords.and\nimport future.keywords.not\nimport future.keywords.or`;
    return { source: `${header}\n\n${rules.join("\n\n")}\n`, input, base };
  }

  #json(depth: number): JsonValue {
    const random = this.#random;
    if (depth <= 0 || random.chance(0.35)) return random.pick(jsonScalars);
    if (random.chance(0.5)) return random.list(3, () => this.#json(depth - 1));
    return Object.fromEntries(random.list(3, () => [random.pick(["a", "b", "c", "x"]), this.#json(depth - 1)]));
  }

  #rules(name: string): readonly string[] {
    const kind = this.#random.pick(kinds);
    const several = kind === "default" || kind === "else" || kind === "function" ? 1 : 1 + this.#random.below(2);
    const rules: string[] = [];
    let arity: number | undefined;
    for (let i = 0; i < several; i++) {
      this.#variables = 0;
      const bound: string[] = [];
      if (kind === "function") arity = this.#functionRule(name, bound, rules);
      else rules.push(...this.#rule(name, kind, bound));
    }
    this.#named.push({ name, arity });
    return rules;
  }

  #functionRule(name: string, bound: string[], rules: string[]): number {
    const arity = 1 + this.#random.below(2);
    const args = Array.from({ length: arity }, (_, i) => (this.#random.chance(0.15) ? this.#scalar() : `a${i}`));
    bound.push(...args.filter((arg) => arg.startsWith("a")));
    rules.push(`${name}(${args.join(", ")}) := ${this.#value(bound)} if ${this.#body(bound, 2)}`);
    if (this.#random.chance(0.3)) rules.push(`default ${name}(${args.map(() => "_").join(", ")}) := ${this.#scalar()}`);
    return arity;
  }

  #rule(name: string, kind: RuleKind, bound: string[]): readonly string[] {
    const body = this.#body(bound, 3);
    const value = (): string => this.#value(bound);
    switch (kind) {
      case "set":
        return [`${name} contains ${this.#random.chance(0.2) ? `[${value()}, ${value()}]` : value()} if ${body}`];
      case "object":
        return [`${name}[${value()}] := ${value()} if ${body}`];
      case "nested": {
        const isObject = this.#random.chance(0.5);
        return [
          isObject
            ? `${name}[${value()}][${value()}] := ${value()} if ${body}`
            : `${name}[${value()}] contains ${value()} if ${body}`,
        ];
      }
      case "deep":
        return this.#deepRules(name, body, value);
      case "default":
        return [`default ${name} := ${this.#literal(1)}`, `${name} := ${value()} if ${body}`];
      case "else": {
        const other: string[] = [];
        const branch = this.#body(other, 1);
        return [`${name} := ${value()} if ${body} else := ${this.#value(other)} if ${branch} else := ${this.#scalar()}`];
      }
      default:
        return [`${name} := ${value()} if ${body}`];
    }
  }

  /** Rules of which some add to what others make. */
  #deepRules(name: string, body: string, value: () => string): readonly string[] {
    const random = this.#random;
    const heads = [
      `${name}.a[${value()}].b := ${value()}`,
      `${name}.a[${value()}][${value()}] := ${value()}`,
      `${name}.a[${value()}].c contains ${value()}`,
      `${name}.b[${value()}] contains ${value()}`,
      `${name}.c := ${value()}`,
      `${name}.a.x.b := ${this.#scalar()}`,
      `${name}.b["a"] contains ${this.#scalar()}`,
      `${name}[${value()}] := ${value()}`,
    ];
    const count = 1 + random.below(3);
    return Array.from({ length: count }, () => `${random.pick(heads)} if ${body}`);
  }

  #body(bound: string[], longest: number): string {
    const count = 1 + this.#random.below(longest);
    return `{\n\t${this.#expressions(bound, count, 2).join("\n\t")}\n}`;
  }

  #value(bound: readonly string[]): string {
    return bound.length > 0 && this.#random.chance(0.8) ? this.#random.pick(bound) : this.#literal(1);
  }

  #scalar(): string {
    return this.#random.pick(scalars);
  }

  #literal(depth: number): string {
    const random = this.#random;
    const kind = random.below(5);
    if (depth <= 0 || kind < 2) return this.#scalar();
    const items = random.list(2, () => this.#literal(depth - 1));
    if (kind === 2) return `[${items.join(", ")}]`;
    if (kind === 3) return items.length === 0 ? "set()" : `{${items.join(", ")}}`;
    return `{${items.map((item) => `${random.pick(['"a"', '"b"', '"c"', "1", "true"])}: ${item}`).join(", ")}}`;
  }

  #fresh(): string {
    return `v${this.#variables++}`;
  }

  /** @param found takes the variables that the reference binds; undefined: it may bind none */
  #reference(bound: readonly string[], found: string[] | undefined): string {
    const random = this.#random;
    const names = this.#named.filter(({ arity }) => arity === undefined).map(({ name }) => name);
    const head = random.pick([...roots, ...names, ...bound, ...bound]);
    const steps = random.list(2, () => {
      const kind = random.below(6);
      if (kind < 2) return `.${random.pick(["a", "b", "c", "x"])}`;
      if (kind === 2) return `[${random.below(3)}]`;
      if (kind === 3 && bound.length > 0) return `[${random.pick(bound)}]`;
      if (found === undefined) return `["${random.pick(["a", "b", "x"])}"]`;
      if (kind === 4) return "[_]";
      const name = this.#fresh();
      found.push(name);
      return `[${name}]`;
    });
    return head + steps.join("");
  }

  #term(bound: readonly string[], depth: number, found: string[] | undefined): string {
    const random = this.#random;
    const inner = (): string => this.#term(bound, depth - 1, found);
    const kind = random.below(12);
    if (kind < 3 && bound.length > 0) return random.pick(bound);
    if (kind < 5) return this.#reference(bound, found);
    if (kind < 7 || depth <= 0) return this.#scalar();
    if (kind === 7) return `[${inner()}, ${inner()}]`;
    if (kind === 8) return `{"a": ${inner()}}`;
    if (kind === 9) return `{${inner()}}`;
    return kind === 10 ? this.#call(bound, found) : this.#comprehension(bound, depth - 1);
  }

  #call(bound: readonly string[], found: string[] | undefined): string {
    const random = this.#random;
    const argument = (): string => this.#reference(bound, found);
    const functions = this.#named.filter(({ arity }) => arity !== undefined);
    if (functions.length > 0 && random.chance(0.4)) {
      const { name, arity = 1 } = random.pick(functions);
      return `${name}(${Array.from({ length: arity }, argument).join(", ")})`;
    }
    const calls: readonly (() => string)[] = [
      () => `count(${argument()})`,
      () => `sprintf("%v", [${argument()}])`,
      () => `object.get(${argument()}, ${this.#scalar()}, ${this.#scalar()})`,
      () => `type_name(${argument()})`,
      () => `array.concat(${argument()}, ${argument()})`,
      () => `json.marshal(${argument()})`,
      () => `sort(${argument()})`,
      () => `(${argument()} ${random.pick(["+", "-", "*", "|", "&"])} ${argument()})`,
      () => `$"<{${this.#reference(bound, undefined)}}> {${this.#scalar()}}"`,
      () => `union({${argument()}, ${argument()}})`,
      () => `object.union(${argument()}, ${argument()})`,
      () => `is_string(${argument()})`,
    ];
    return random.pick(calls)();
  }

  #comprehension(bound: readonly string[], depth: number): string {
    const random = this.#random;
    const own = [...bound];
    const body = this.#expressions(own, 1 + random.below(2), depth).join("; ");
    const head = (): string => (own.length > 0 ? random.pick(own) : this.#scalar());
    return random.pick([`[${head()} | ${body}]`, `{${head()} | ${body}}`, `{${head()}: ${head()} | ${body}}`]);
  }

  #expressions(bound: string[], count: number, depth: number): readonly string[] {
    return Array.from({ length: count }, () => this.#expression(bound, depth));
  }

  #expression(bound: string[], depth: number): string {
    const random = this.#random;
    const found: string[] = [];
    const declare = (): string => {
      const name = this.#fresh();
      found.push(name);
      return name;
    };
    const term = (): string => this.#term(bound, depth, found);
    const makers: readonly (() => string)[] = [
      () => `${declare()} := ${term()}`,
      () => `${declare()} := ${term()}`,
      () => `some ${declare()} in ${this.#reference(bound, undefined)}`,
      () => `some ${declare()}, ${declare()} in ${this.#reference(bound, undefined)}`,
      () => `${term()} ${random.pick(["==", "!=", "<", "<=", ">", ">="])} ${term()}`,
      () => this.#reference(bound, found),
      () => `not ${this.#reference(bound, undefined)}`,
      () => `not ${this.#term(bound, depth - 1, undefined)} ${random.pick(["==", "<"])} ${this.#reference(bound, undefined)}`,
      () => this.#every(bound, depth),
      () => `${declare()} = ${term()}`,
      () => `[${declare()}, ${declare()}] = ${this.#reference(bound, found)}`,
      () => `{"a": ${declare()}} = ${this.#reference(bound, found)}`,
      () => `${this.#term(bound, depth, undefined)} in ${this.#reference(bound, undefined)}`,
      () => this.#replaced(bound, declare()),
      () => this.#logical(bound, depth),
      () => `not { ${this.#expressions([...bound], 1 + random.below(2), depth - 1).join("; ")} }`,
      () => `walk(${this.#reference(bound, undefined)}, [${declare()}, ${declare()}])`,
      () => this.#declared(bound, declare(), declare()),
      () => `[${declare()}, ${this.#scalar()}] = [${this.#term(bound, 0, found)}, ${declare()}]`,
      () => `{"a": ${declare()}, "b": ${this.#scalar()}} = {"a": ${this.#term(bound, 1, found)}, "b": ${declare()}}`,
      () =>
        `${declare()} := ${this.#reference(bound, undefined)} with count as ${random.pick(["3", "type_name", "data.base.b"])}`,
    ];
    const text = random.pick(makers)();
    bound.push(...found);
    return text;
  }

  /** `and` and `or` of operands with and without braces. */
  #logical(bound: readonly string[], depth: number): string {
    const random = this.#random;
    const operand = (): string => {
      if (random.chance(0.3)) return `{ ${this.#expressions([...bound], 1 + random.below(2), depth - 1).join("; ")} }`;
      const reference = this.#reference(bound, undefined);
      return random.pick([reference, `not ${reference}`, `${reference} == ${this.#scalar()}`, `(${reference} or ${reference})`]);
    };
    return `${operand()} ${random.pick(["and", "or"])} ${operand()}${random.chance(0.3) ? ` or ${operand()}` : ""}`;
  }

  /** Variables that are declared first. */
  #declared(bound: readonly string[], key: string, value: string): string {
    return `some ${key}, ${value}; ${value} = ${this.#reference(bound, undefined)}[${key}]`;
  }

  #every(bound: readonly string[], depth: number): string {
    const name = this.#fresh();
    const body = this.#expression([...bound, name], depth - 1);
    return `every ${name} in ${this.#reference(bound, undefined)} { ${body}; ${name} != ${this.#scalar()} }`;
  }

  #replaced(bound: readonly string[], name: string): string {
    const target = this.#random.pick(["input", "input.a", "data.base", "data.base.a", "input.x.y"]);
    return `${name} := ${this.#reference(bound, undefined)} with ${target} as ${this.#term(bound, 1, undefined)}`;
  }
}
