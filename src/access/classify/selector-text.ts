import { isLabelKey, isLabelValue } from "../../core/label-selector.ts";

/** One condition of a label or field selector written as text. */
export interface SelectorRequirement {
  readonly key: string;
  readonly operator: "=" | "==" | "!=" | "in" | "notin" | "exists" | "!" | ">" | "<";
  readonly values: readonly string[];
}

export type ParsedSelector =
  | { readonly ok: true; readonly requirements: readonly SelectorRequirement[] }
  | { readonly ok: false; readonly message: string };

const failed = (message: string): ParsedSelector => ({ ok: false, message });

/** Splits at unescaped commas. */
function fieldTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === ",") {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  return [...terms, text.slice(start)];
}

function unescapeFieldValue(value: string): string | undefined {
  let out = "";
  for (let i = 0; i < value.length; i++) {
    const c = value[i];
    if (c === "\\") {
      const next = value[++i];
      if (next !== "\\" && next !== "," && next !== "=") return undefined;
      out += next;
    } else if (c === "," || c === "=") return undefined;
    else out += c;
  }
  return out;
}

/** Parses `metadata.name=a,status.phase!=Running` as k8s.io/apimachinery fields.ParseSelector; terms come sorted. */
export function parseFieldSelector(text: string): ParsedSelector {
  const requirements: SelectorRequirement[] = [];
  for (const term of fieldTerms(text).sort()) {
    if (term === "") continue;
    const split = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
    if (split === null) return failed(`invalid selector: '${text}'; can't understand '${term}'`);
    const value = unescapeFieldValue(split[3] ?? "");
    if (value === undefined) return failed(`invalid selector: '${text}'; bad escape in '${term}'`);
    requirements.push({ key: split[1] ?? "", operator: split[2] === "!=" ? "!=" : "=", values: [value] });
  }
  return { ok: true, requirements };
}

/** Blanks as the API server knows them; others are parts of words, which they spoil. */
const token = /[ \t\r\n]*(?:(\(|\)|,|!=|!|==|=|>|<)|([^ \t\r\n(),!=<>]+))/y;

interface Token {
  /** The symbol, `word`, or `end`. */
  readonly kind: string;
  readonly text: string;
}

function labelTokens(text: string): Token[] {
  const tokens: Token[] = [];
  token.lastIndex = 0;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    tokens.push(match[1] === undefined ? { kind: "word", text: match[2] ?? "" } : { kind: match[1], text: match[1] });
  }
  return [...tokens, { kind: "end", text: "" }];
}

function isInt64(text: string): boolean {
  return /^[+-]?\d+$/.test(text) && BigInt.asIntN(64, BigInt(text.replace("+", ""))) === BigInt(text.replace("+", ""));
}

class LabelParser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = labelTokens(text);
  }

  peek(): Token {
    return this.#tokens[this.#at] ?? { kind: "end", text: "" };
  }

  take(): Token {
    const next = this.peek();
    this.#at++;
    return next;
  }

  requirement(): SelectorRequirement | string {
    const negated = this.peek().kind === "!";
    if (negated) this.take();
    const key = this.take();
    if (key.kind !== "word") return `found '${key.text}', expected: identifier`;
    if (!isLabelKey(key.text)) return `key: Invalid value: ${JSON.stringify(key.text)}`;
    if (negated) return { key: key.text, operator: "!", values: [] };
    if (this.peek().kind === "end" || this.peek().kind === ",") return { key: key.text, operator: "exists", values: [] };
    return this.comparison(key.text);
  }

  comparison(key: string): SelectorRequirement | string {
    const operator = this.take();
    switch (operator.kind === "word" ? operator.text : operator.kind) {
      case "in":
      case "notin": {
        const values = this.valueSet();
        if (typeof values === "string") return values;
        if (values.length === 0) return "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty";
        return this.checked(key, operator.text === "in" ? "in" : "notin", values);
      }
      case "=":
      case "==":
      case "!=":
        return this.checked(key, operator.kind === "!=" ? "!=" : operator.kind === "==" ? "==" : "=", [this.exactValue()]);
      case ">":
      case "<": {
        const value = this.exactValue();
        if (!isInt64(value)) return `values[0][${key}]: Invalid value: ${JSON.stringify(value)}: must be an integer`;
        return this.checked(key, operator.kind === ">" ? ">" : "<", [value]);
      }
      default:
        return `found '${operator.text}', expected: in, notin, =, ==, !=, gt, lt`;
    }
  }

  exactValue(): string {
    return this.peek().kind === "word" ? this.take().text : "";
  }

  /** `(a, b)`; members are sorted and distinct, as the API server's set is. */
  valueSet(): string[] | string {
    if (this.take().kind !== "(") return "expected: '('";
    const values: string[] = [];
    if (this.peek().kind === ")") {
      this.take();
      return values;
    }
    for (;;) {
      values.push(this.exactValue());
      const next = this.take();
      if (next.kind === ")") return [...new Set(values)].sort();
      if (next.kind !== ",") return `found '${next.text}', expected: ',' or ')'`;
    }
  }

  checked(key: string, operator: SelectorRequirement["operator"], values: readonly string[]): SelectorRequirement | string {
    const bad = values.find((value) => !isLabelValue(value));
    return bad === undefined ? { key, operator, values } : `values[${key}]: Invalid value: ${JSON.stringify(bad)}`;
  }
}

/** Parses `a=b,c notin (d),!e` as k8s.io/apimachinery labels.Parse; requirements come sorted by key. */
export function parseLabelSelector(text: string): ParsedSelector {
  const parser = new LabelParser(text);
  const requirements: SelectorRequirement[] = [];
  if (parser.peek().kind === "end") return { ok: true, requirements };
  for (;;) {
    const requirement = parser.requirement();
    if (typeof requirement === "string") return failed(`unable to parse requirement: ${requirement}`);
    requirements.push(requirement);
    const next = parser.take();
    if (next.kind === "end") break;
    if (next.kind !== ",") return failed(`found '${next.text}', expected: ',' or 'end of string'`);
  }
  return { ok: true, requirements: requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)) };
}
