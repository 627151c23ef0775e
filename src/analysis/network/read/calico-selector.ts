import type { Labels } from "../../../core/label-selector.ts";

/** A Calico selector as it is parsed. */
export type CalicoSelector =
  | { readonly kind: "all" | "global" }
  | { readonly kind: "has"; readonly label: string }
  | { readonly kind: "is" | "is-not" | "contains" | "starts-with" | "ends-with"; readonly label: string; readonly value: string }
  | { readonly kind: "in" | "not-in"; readonly label: string; readonly values: readonly string[] }
  | { readonly kind: "not"; readonly operand: CalicoSelector }
  | { readonly kind: "and" | "or"; readonly operands: readonly CalicoSelector[] };

export type ParsedSelector =
  | { readonly ok: true; readonly value: CalicoSelector }
  | { readonly ok: false; readonly message: string };

class SelectorError extends Error {}

const token = /\s*(?:(&&|\|\||==|!=|[!(){},])|"([^"]*)"|'([^']*)'|([A-Za-z0-9_./-]+))/y;

interface Token {
  readonly kind: "mark" | "text" | "word";
  readonly text: string;
}

function tokens(text: string): readonly Token[] {
  const found: Token[] = [];
  token.lastIndex = 0;
  while (text.slice(token.lastIndex).trim() !== "") {
    const at = token.lastIndex;
    const match = token.exec(text);
    if (match === null) throw new SelectorError(`unexpected ${JSON.stringify(text.slice(at).trim())}`);
    const [, mark, double, single, word] = match;
    if (mark !== undefined) found.push({ kind: "mark", text: mark });
    else if (word !== undefined) found.push({ kind: "word", text: word });
    else found.push({ kind: "text", text: double ?? single ?? "" });
  }
  return found;
}

const maxDepth = 100;

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#tokens = tokens(text);
  }

  get #next(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #skips(text: string): boolean {
    const { kind, text: found } = this.#next ?? { kind: "text", text: "" };
    if (kind === "text" || found !== text) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#skips(text)) throw new SelectorError(`expected ${text} before ${this.#next?.text ?? "the end"}`);
  }

  whole(): CalicoSelector {
    if (this.#tokens.length === 0) return { kind: "all" };
    const selector = this.#or();
    if (this.#next !== undefined) throw new SelectorError(`unexpected ${this.#next.text}`);
    return selector;
  }

  #chain(mark: string, kind: "and" | "or", operand: () => CalicoSelector): CalicoSelector {
    const first = operand();
    const operands = [first];
    while (this.#skips(mark)) operands.push(operand());
    return operands.length === 1 ? first : { kind, operands };
  }

  #or(): CalicoSelector {
    if (++this.#depth > maxDepth) throw new SelectorError("nested too deeply");
    const selector = this.#chain("||", "or", () => this.#chain("&&", "and", () => this.#operand()));
    this.#depth--;
    return selector;
  }

  #operand(): CalicoSelector {
    let negations = 0;
    while (this.#skips("!")) negations++;
    const operand = this.#atom();
    return negations % 2 === 0 ? operand : { kind: "not", operand };
  }

  #atom(): CalicoSelector {
    if (this.#skips("(")) {
      const inner = this.#or();
      this.#expect(")");
      return inner;
    }
    const first = this.#next;
    if (first?.kind !== "word") throw new SelectorError(`expected a label before ${first?.text ?? "the end"}`);
    this.#at++;
    if (this.#skips("(")) return this.#call(first.text);
    return this.#comparison(first.text);
  }

  #call(name: string): CalicoSelector {
    if (name === "has") {
      const label = this.#next;
      if (label?.kind !== "word") throw new SelectorError("has() needs a label");
      this.#at++;
      this.#expect(")");
      return { kind: "has", label: label.text };
    }
    this.#expect(")");
    if (name === "all" || name === "global") return { kind: name };
    throw new SelectorError(`there is no ${name}()`);
  }

  #comparison(label: string): CalicoSelector {
    if (this.#skips("==")) return { kind: "is", label, value: this.#value() };
    if (this.#skips("!=")) return { kind: "is-not", label, value: this.#value() };
    if (this.#skips("in")) return { kind: "in", label, values: this.#values() };
    if (this.#skips("contains")) return { kind: "contains", label, value: this.#value() };
    if (this.#skips("not")) {
      this.#expect("in");
      return { kind: "not-in", label, values: this.#values() };
    }
    const kind = this.#skips("starts") ? "starts-with" : this.#skips("ends") ? "ends-with" : undefined;
    if (kind === undefined) throw new SelectorError(`expected an operator after ${label}`);
    this.#expect("with");
    return { kind, label, value: this.#value() };
  }

  #value(): string {
    const value = this.#next;
    if (value?.kind !== "text") throw new SelectorError(`expected a quoted text before ${value?.text ?? "the end"}`);
    this.#at++;
    return value.text;
  }

  #values(): readonly string[] {
    this.#expect("{");
    const values: string[] = [];
    while (!this.#skips("}")) {
      values.push(this.#value());
      if (!this.#skips(",")) {
        this.#expect("}");
        break;
      }
    }
    return values;
  }
}

/** Parses Calico's selector language; an empty text selects all. */
export function parseCalicoSelector(text: string): ParsedSelector {
  try {
    return { ok: true, value: new Parser(text).whole() };
  } catch (error) {
    if (error instanceof SelectorError) return { ok: false, message: error.message };
    throw error;
  }
}

/** Of endpoints `all()` is everything; of namespaces it is what belongs to one. */
export type SelectorTarget = "endpoints" | "namespaces";

/** Compiles to a predicate on labels. `isGlobal` says whether what carries the labels belongs to no namespace. */
export function compileCalicoSelector(
  selector: CalicoSelector,
  target: SelectorTarget = "endpoints",
): (labels: Labels, isGlobal: boolean) => boolean {
  switch (selector.kind) {
    case "all":
      return (_, isGlobal) => target === "endpoints" || !isGlobal;
    case "global":
      return (_, isGlobal) => isGlobal;
    case "has":
      return (labels) => Object.hasOwn(labels, selector.label);
    case "is":
      return (labels) => labels[selector.label] === selector.value;
    case "is-not":
      return (labels) => labels[selector.label] !== selector.value;
    case "contains":
      return (labels) => labels[selector.label]?.includes(selector.value) ?? false;
    case "starts-with":
      return (labels) => labels[selector.label]?.startsWith(selector.value) ?? false;
    case "ends-with":
      return (labels) => labels[selector.label]?.endsWith(selector.value) ?? false;
    case "in":
      return (labels) => Object.hasOwn(labels, selector.label) && selector.values.includes(labels[selector.label] ?? "");
    case "not-in":
      return (labels) => !Object.hasOwn(labels, selector.label) || !selector.values.includes(labels[selector.label] ?? "");
    case "not": {
      const operand = compileCalicoSelector(selector.operand, target);
      return (labels, isGlobal) => !operand(labels, isGlobal);
    }
    case "and": {
      const operands = selector.operands.map((operand) => compileCalicoSelector(operand, target));
      return (labels, isGlobal) => operands.every((matches) => matches(labels, isGlobal));
    }
    case "or": {
      const operands = selector.operands.map((operand) => compileCalicoSelector(operand, target));
      return (labels, isGlobal) => operands.some((matches) => matches(labels, isGlobal));
    }
  }
}

/** A label that everything selected carries with one of some values, where one can be told. */
export function hintOfCalico(
  selector: CalicoSelector,
): { readonly label: string; readonly values: readonly string[] } | undefined {
  if (selector.kind === "is") return { label: selector.label, values: [selector.value] };
  if (selector.kind === "in") return { label: selector.label, values: selector.values };
  return selector.kind === "and" ? selector.operands.map(hintOfCalico).find((h) => h !== undefined) : undefined;
}
