import { jsonMembers } from "../../values/json.ts";
import { isNumber } from "../../values/number.ts";
import { RegoObject } from "../../values/value.ts";
import { type Command, type Constant, type Part, type Pipeline, type Template, TemplateProblem, type Word } from "./ast.ts";
import { type Datum, functions, GoFloat, GoInt, isTrue, show } from "./functions.ts";

/** Calls of named templates within each other. */
const deepest = 1000;

type Flow = "break" | "continue" | undefined;

interface Variable {
  readonly name: string;
  value: Datum;
}

/** Fills a template in. @throws TemplateProblem */
export function runTemplate(template: Template, data: RegoObject, spend: (steps: number) => void): string {
  return new Run(template, data, spend).text();
}

class Run {
  readonly #template: Template;
  readonly #data: RegoObject;
  readonly #spend: (steps: number) => void;
  #variables: Variable[] = [];
  #text = "";
  #depth = 0;

  constructor(template: Template, data: RegoObject, spend: (steps: number) => void) {
    this.#template = template;
    this.#data = data;
    this.#spend = spend;
  }

  text(): string {
    this.#variables = [{ name: "$", value: this.#data }];
    this.#parts(this.#template.parts, this.#data);
    return this.#text;
  }

  /** Variables end with the parts that they were made in. */
  #parts(parts: readonly Part[], dot: Datum): Flow {
    const known = this.#variables.length;
    for (const part of parts) {
      this.#spend(1);
      const flow = this.#part(part, dot);
      if (flow !== undefined) {
        this.#variables.length = known;
        return flow;
      }
    }
    this.#variables.length = known;
    return undefined;
  }

  #part(part: Part, dot: Datum): Flow {
    switch (part.kind) {
      case "text":
        this.#text += part.text;
        return undefined;
      case "action": {
        const value = this.#pipeline(part.pipeline, dot);
        if (part.pipeline.variables.length === 0) {
          this.#text += value === undefined || value === null ? "<no value>" : show(value);
        }
        return undefined;
      }
      case "if":
      case "with":
        return this.#condition(part.kind, part.pipeline, part.body, part.otherwise, dot);
      case "range":
        return this.#range(part.pipeline, part.body, part.otherwise, dot);
      case "template":
        this.#call(part.name, part.pipeline === undefined ? undefined : this.#pipeline(part.pipeline, dot));
        return undefined;
      case "break":
      case "continue":
        return part.kind;
    }
  }

  #condition(kind: "if" | "with", pipeline: Pipeline, body: readonly Part[], otherwise: readonly Part[], dot: Datum): Flow {
    const known = this.#variables.length;
    const value = this.#pipeline(pipeline, dot);
    const flow = isTrue(value) ? this.#parts(body, kind === "with" ? value : dot) : this.#parts(otherwise, dot);
    this.#variables.length = known;
    return flow;
  }

  #range(pipeline: Pipeline, body: readonly Part[], otherwise: readonly Part[], dot: Datum): Flow {
    const known = this.#variables.length;
    const { variables } = pipeline;
    const pairs = pairsOf(this.#pipeline({ ...pipeline, variables: [] }, dot));
    if (pairs.length === 0) this.#parts(otherwise, dot);
    for (const [key, value] of pairs) {
      const bound = variables.length > 1 ? [key, value] : [value];
      for (const [i, name] of variables.entries()) {
        if (pipeline.declares) this.#variables.push({ name, value: bound[i] });
        else this.#assign(name, bound[i]);
      }
      const flow = this.#parts(body, value);
      this.#variables.length = known;
      if (flow === "break") break;
    }
    return undefined;
  }

  #call(name: string, dot: Datum): void {
    const parts = this.#template.named.get(name);
    if (parts === undefined) throw new TemplateProblem(`template "${name}" not defined`);
    if (++this.#depth > deepest) throw new TemplateProblem("exceeded maximum template depth");
    const outer = this.#variables;
    this.#variables = [{ name: "$", value: dot }];
    this.#parts(parts, dot);
    this.#variables = outer;
    this.#depth--;
  }

  #assign(name: string, value: Datum): void {
    const variable = this.#variables.findLast((known) => known.name === name);
    if (variable === undefined) throw new TemplateProblem(`undefined variable "${name}"`);
    variable.value = value;
  }

  #pipeline({ variables, declares, commands }: Pipeline, dot: Datum): Datum {
    let value: Datum;
    for (const [i, command] of commands.entries()) value = this.#command(command, dot, i === 0 ? [] : [value]);
    for (const name of variables) {
      if (declares) this.#variables.push({ name, value });
      else this.#assign(name, value);
    }
    return value;
  }

  #command([first, ...rest]: Command, dot: Datum, piped: readonly Datum[]): Datum {
    if (first === undefined) return undefined;
    if (first.kind === "function") {
      const args = [...rest.map((word) => this.#word(word, dot)), ...piped];
      return functions.get(first.name)?.(...args);
    }
    if (rest.length > 0 || piped.length > 0) throw new TemplateProblem("can't give argument to non-function");
    return this.#word(first, dot);
  }

  #word(word: Word, dot: Datum): Datum {
    switch (word.kind) {
      case "dot":
        return dot;
      case "field":
        return fieldOf(dot, word.path);
      case "variable": {
        const variable = this.#variables.findLast(({ name }) => name === word.name);
        if (variable === undefined) throw new TemplateProblem(`undefined variable "${word.name}"`);
        return fieldOf(variable.value, word.path);
      }
      case "constant":
        return datumOf(word.value);
      case "function":
        return functions.get(word.name)?.();
      case "group":
        return fieldOf(this.#pipeline(word.pipeline, dot), word.path);
    }
  }
}

function datumOf(constant: Constant): Datum {
  switch (constant.type) {
    case "int":
      return new GoInt(constant.value);
    case "float":
      return new GoFloat(constant.value);
    case "nil":
      return null;
    default:
      return constant.value;
  }
}

/** Members that are missing have no value, and neither has what is in them. */
function fieldOf(whole: Datum, path: readonly string[]): Datum {
  let found = whole;
  for (const name of path) {
    if (found === undefined || found === null) return undefined;
    if (!(found instanceof RegoObject)) throw new TemplateProblem(`can't evaluate field ${name} in this type`);
    found = found.get(name);
  }
  return found;
}

function pairsOf(datum: Datum): readonly (readonly [Datum, Datum])[] {
  if (datum === undefined || datum === null) return [];
  if (Array.isArray(datum)) return datum.map((item, i) => [new GoInt(BigInt(i)), item]);
  if (datum instanceof RegoObject) return jsonMembers(datum);
  if (datum instanceof GoInt) {
    return Array.from({ length: Number(datum.value) }, (_, i) => [new GoInt(BigInt(i)), new GoInt(BigInt(i))]);
  }
  throw new TemplateProblem(`range can't iterate over ${typeof datum === "string" || isNumber(datum) ? show(datum) : "this"}`);
}
