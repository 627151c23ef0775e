/** `label="value"` of a selector. */
export interface LabelMatcher {
  readonly label: string;
  readonly operator: "=" | "!=" | "=~" | "!~";
  readonly value: string;
}

/** One selector of series in a PromQL expression. */
export interface VectorSelector {
  readonly metric: string;
  readonly matchers: readonly LabelMatcher[];
  /** Another part of the expression may give series without it: beside `or`, right of `unless`, or inside `absent`. */
  readonly optional: boolean;
}

interface Token {
  readonly type: "word" | "string" | "symbol";
  readonly text: string;
}

// Durations and numbers are taken as symbols: nothing is asked of them.
const lexeme =
  /\s+|#[^\n]*|\[[^\]]*\]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|[a-zA-Z_:][a-zA-Z0-9_:]*|0x[0-9a-fA-F]+|[0-9][0-9a-zA-Z.]*|=~|!~|!=|==|<=|>=|[-+*/%^=<>(){}[\],@.:$]/y;

const words = new Set(
  "by without on ignoring group_left group_right offset bool and or unless inf nan start end atan2".split(" "),
);
/** Their parentheses hold label names. */
const labelLists = new Set(["by", "without", "on", "ignoring", "group_left", "group_right"]);

/** The selectors of an expression, in order; undefined where it is no PromQL. */
export function vectorSelectors(expression: string): readonly VectorSelector[] | undefined {
  const tokens = tokensOf(expression);
  if (tokens === undefined) return undefined;
  const hasOr = tokens.some(({ type, text }) => type === "word" && text.toLowerCase() === "or");
  const found: VectorSelector[] = [];
  const absentUntil: number[] = [];
  let depth = 0;
  let afterUnless: number | undefined;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (token === undefined) break;
    const next = tokens[i + 1];
    if (token.type === "symbol") {
      if (token.text === "(") depth++;
      if (token.text === ")") {
        depth--;
        if (absentUntil.at(-1) === depth) absentUntil.pop();
        if (afterUnless !== undefined && depth < afterUnless) afterUnless = undefined;
      }
      if (token.text !== "{") continue;
    }
    const word = token.type === "word" ? token.text.toLowerCase() : "";
    if (labelLists.has(word) && next?.text === "(") {
      i = closing(tokens, i + 1);
      continue;
    }
    if (word === "unless") afterUnless = depth;
    if (word !== "" && words.has(word)) continue;
    if (word !== "" && next?.text === "(") {
      if (word === "absent" || word === "absent_over_time") absentUntil.push(depth);
      continue;
    }
    // An aggregation may name its labels before what it aggregates.
    if (word !== "" && (next?.text === "by" || next?.text === "without")) continue;
    if (token.type === "string") continue;
    const braces = token.text === "{" ? i : next?.text === "{" && next.type === "symbol" ? i + 1 : undefined;
    const end = braces === undefined ? i : closing(tokens, braces);
    if (end === tokens.length) return undefined;
    const inside = braces === undefined ? [] : matchersOf(tokens.slice(braces + 1, end));
    if (inside === undefined) return undefined;
    const metric = token.type === "word" ? token.text : (inside.find(isName)?.value ?? "");
    const optional = hasOr || afterUnless !== undefined || absentUntil.length > 0;
    found.push({ metric, matchers: inside.filter((matcher) => matcher.label !== "__name__"), optional });
    i = end;
  }
  return depth === 0 ? found : undefined;
}

const isName = ({ label, operator }: LabelMatcher) => label === "__name__" && operator === "=";

function tokensOf(text: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  lexeme.lastIndex = 0;
  while (lexeme.lastIndex < text.length) {
    const match = lexeme.exec(text)?.[0];
    if (match === undefined) return undefined;
    if (/^[\s#]/.test(match)) continue;
    if (/^["'`]/.test(match)) tokens.push({ type: "string", text: unquoted(match) });
    else tokens.push({ type: /^[a-zA-Z_:]/.test(match) && match !== ":" ? "word" : "symbol", text: match });
  }
  return tokens;
}

const escapes: { readonly [char: string]: string } = { n: "\n", t: "\t", r: "\r" };

function unquoted(text: string): string {
  const inside = text.slice(1, -1);
  return text.startsWith("`") ? inside : inside.replace(/\\(.)/gs, (_, char: string) => escapes[char] ?? char);
}

/** The index of the bracket that closes the one at `open`; the end where none does. */
function closing(tokens: readonly Token[], open: number): number {
  const [from, to] = tokens[open]?.text === "{" ? ["{", "}"] : ["(", ")"];
  for (let i = open, depth = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (token?.type !== "symbol") continue;
    if (token.text === from) depth++;
    if (token.text === to && --depth === 0) return i;
  }
  return tokens.length;
}

function matchersOf(tokens: readonly Token[]): readonly LabelMatcher[] | undefined {
  const matchers: LabelMatcher[] = [];
  for (let i = 0; i < tokens.length; ) {
    const [label, operator, value] = [tokens[i], tokens[i + 1], tokens[i + 2]];
    if (label === undefined) return undefined;
    // A quoted name alone is the metric's (Prometheus 3).
    if (label.type === "string" && (operator === undefined || operator.text === ",")) {
      matchers.push({ label: "__name__", operator: "=", value: label.text });
      i += 2;
      continue;
    }
    const sign = (["=", "!=", "=~", "!~"] as const).find((known) => known === operator?.text);
    if (sign === undefined || value?.type !== "string") return undefined;
    matchers.push({ label: label.text, operator: sign, value: value.text });
    i += tokens[i + 3]?.text === "," ? 4 : 3;
  }
  return matchers;
}
