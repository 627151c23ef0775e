import { type Expr, type MapEntry, operators, type ParsedExpression, type StructField } from "./ast.ts";
import type { CelIssue, Checked } from "./issue.ts";
import { type Token, tokenize } from "./lexer.ts";
import { literalOf } from "./literal-tokens.ts";
import { type Macro, MacroBuilder, MacroError, macroKey } from "./macro.ts";
import { expecting, mismatch } from "./syntax-messages.ts";
import { nullType } from "./types.ts";
import { codePointCount } from "./values/text.ts";

/** What the parser of an environment knows beyond the grammar. */
export interface Syntax {
  /** Of the macros, so that most calls are known to be none. */
  readonly macroNames: ReadonlySet<string>;
  readonly macros: ReadonlyMap<string, Macro>;
  /** `.?`, `[?]`, `{?k: v}`, `[?x]` */
  readonly optional: boolean;
  /** Back-quoted field names. */
  readonly quotedFields: boolean;
}

const maxCodePoints = 100_000;
const maxDepth = 250;

/** Left binding power and function of the binary operators; `||` and `&&` are chains of their own. */
const binary = new Map<string, readonly [power: number, name: string]>([
  ["==", [3, operators.equals]],
  ["!=", [3, operators.notEquals]],
  ["<", [3, operators.less]],
  ["<=", [3, operators.lessEquals]],
  [">", [3, operators.greater]],
  [">=", [3, operators.greaterEquals]],
  ["in", [3, operators.in]],
  ["+", [4, operators.add]],
  ["-", [4, operators.subtract]],
  ["*", [5, operators.multiply]],
  ["/", [5, operators.divide]],
  ["%", [5, operators.modulo]],
]);

const reserved = new Set(
  "as break const continue else for function if import let loop package namespace return var void while".split(" "),
);

/** Thrown inside this file to give up at the first error that the grammar cannot step over. */
class SyntaxFailure {
  readonly issue: CelIssue;

  constructor(issue: CelIssue) {
    this.issue = issue;
  }
}

/** Reads an expression: syntax and macros only, no names are resolved. */
export function parse(source: string, syntax: Syntax): Checked<ParsedExpression> {
  const size = source.length > maxCodePoints ? codePointCount(source) : 0;
  if (size > maxCodePoints) {
    const message = `expression code point size exceeds limit: size: ${size}, limit ${maxCodePoints}`;
    return { ok: false, issues: [{ code: "CEL_LIMIT", message, offset: -1, length: 0 }] };
  }
  const { tokens, issues } = tokenize(source);
  const parser = new Parser(tokens, syntax, [...issues]);
  try {
    const root = parser.start();
    if (parser.issues.length > 0) return { ok: false, issues: parser.issues };
    return { ok: true, value: { source, root, offsets: parser.offsets } };
  } catch (failure) {
    if (!(failure instanceof SyntaxFailure)) throw failure;
    return { ok: false, issues: [...parser.issues, failure.issue] };
  }
}

/** Precedence climbing over the token list. */
class Parser {
  readonly offsets: number[] = [0];
  readonly issues: CelIssue[];
  readonly #tokens: readonly Token[];
  readonly #syntax: Syntax;
  readonly #end: Token;
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], syntax: Syntax, issues: CelIssue[]) {
    this.#tokens = tokens;
    this.#syntax = syntax;
    this.issues = issues;
    this.#end = tokens.at(-1) ?? { kind: "end", text: "<EOF>", offset: 0 };
  }

  start(): Expr {
    const root = this.#expression();
    const rest = this.#peek();
    if (rest.kind !== "end") this.#fail(rest, mismatch(rest, expecting.afterExpression));
    return root;
  }

  #peek(ahead = 0): Token {
    return this.#tokens[this.#next + ahead] ?? this.#end;
  }

  #take(): Token {
    const token = this.#peek();
    this.#next++;
    return token;
  }

  #is(text: string): boolean {
    const token = this.#peek();
    return token.text === text && (token.kind === "operator" || token.kind === "keyword");
  }

  #accept(text: string): Token | undefined {
    return this.#is(text) ? this.#take() : undefined;
  }

  #expect(text: string): Token {
    const token = this.#accept(text);
    if (token !== undefined) return token;
    const found = this.#peek();
    return this.#fail(found, mismatch(found, text === ")" ? expecting.closeParenthesis : `'${text}'`));
  }

  #fail(token: Token, message: string): never {
    const length = token.kind === "end" ? 1 : token.text.length;
    throw new SyntaxFailure({ code: "CEL_SYNTAX", message, offset: token.offset, length });
  }

  /** Notes an error after which parsing can go on. */
  #report(token: Token, message: string): void {
    this.issues.push({ code: "CEL_SYNTAX", message, offset: token.offset, length: token.text.length });
  }

  #id(token: Token): number {
    this.offsets.push(token.offset);
    return this.offsets.length - 1;
  }

  #deeper(levels: number): void {
    this.#depth += levels;
    if (this.#depth > maxDepth) {
      const message = `expression recursion limit exceeded: ${maxDepth}`;
      throw new SyntaxFailure({ code: "CEL_LIMIT", message, offset: -1, length: 0 });
    }
  }

  #expression(): Expr {
    this.#deeper(1);
    const value = this.#conditional();
    this.#depth--;
    return value;
  }

  #conditional(): Expr {
    const condition = this.#either();
    const question = this.#accept("?");
    if (question === undefined) return condition;
    const id = this.#id(question);
    const whenTrue = this.#either();
    this.#expect(":");
    return this.#call(id, operators.conditional, undefined, [condition, whenTrue, this.#expression()]);
  }

  #either(): Expr {
    const term = this.#both();
    if (!this.#is("||")) return term;
    return this.#chain("||", operators.or, term, () => this.#both());
  }

  #both(): Expr {
    const term = this.#relation(3);
    if (!this.#is("&&")) return term;
    return this.#chain("&&", operators.and, term, () => this.#relation(3));
  }

  /** A chain of `||` or `&&`, balanced so that a long chain is no deep tree; cel-go does the same, and costs depend on it. */
  #chain(text: "||" | "&&", name: string, start: Expr, operand: () => Expr): Expr {
    const terms = [start];
    const ids: number[] = [];
    for (let op = this.#accept(text); op !== undefined; op = this.#accept(text)) {
      terms.push(operand());
      ids.push(this.#id(op));
    }
    return balance(name, terms, ids, 0, ids.length - 1);
  }

  #relation(minPower: number): Expr {
    let left = this.#unary();
    let chained = 0;
    for (;;) {
      const token = this.#peek();
      const operator = token.kind === "operator" || token.kind === "keyword" ? binary.get(token.text) : undefined;
      if (operator === undefined || operator[0] < minPower) break;
      this.#take();
      this.#deeper(1);
      chained++;
      const id = this.#id(token);
      left = this.#call(id, operator[1], undefined, [left, this.#relation(operator[0] + 1)]);
    }
    this.#depth -= chained;
    return left;
  }

  #unary(): Expr {
    const token = this.#peek();
    if (this.#is("!") || (this.#is("-") && !isNumber(this.#peek(1)))) {
      let count = 0;
      while (this.#accept(token.text) !== undefined) count++;
      const id = this.#id(token);
      const operand = this.#member();
      return count % 2 === 0
        ? operand
        : this.#call(id, token.text === "!" ? operators.not : operators.negate, undefined, [operand]);
    }
    return this.#member();
  }

  #member(): Expr {
    const parenthesized = this.#is("(");
    let expr = this.#primary();
    // Only a bare chain of names can be the type of a message: `a.b.C{...}`.
    let name = expr.kind === "ident" && !parenthesized ? expr.name : undefined;
    let chained = 0;
    for (;;) {
      const token = this.#peek();
      if (name !== undefined && this.#is("{")) {
        expr = this.#struct(name);
        name = undefined;
      } else if (this.#is(".")) {
        const select = this.#selection(expr, this.#take());
        name = name !== undefined && select.kind === "select" && !select.test ? `${name}.${select.field}` : undefined;
        expr = select;
      } else if (this.#is("[")) {
        name = undefined;
        expr = this.#index(expr, this.#take());
      } else break;
      this.#deeper(1);
      chained++;
      if (token.kind === "end") break;
    }
    this.#depth -= chained;
    return expr;
  }

  #selection(operand: Expr, dot: Token): Expr {
    const optional = this.#accept("?");
    const token = this.#peek();
    if (token.kind !== "ident" && token.kind !== "quoted-ident") {
      this.#fail(token, mismatch(token, token.kind === "keyword" ? "IDENTIFIER" : expecting.field));
    }
    this.#take();
    if (optional === undefined && token.kind === "ident" && this.#is("(")) {
      const open = this.#take();
      const id = this.#id(open);
      return this.#call(id, token.text, operand, this.#arguments());
    }
    const field = this.#fieldName(token);
    if (optional === undefined) return { kind: "select", id: this.#id(dot), operand, field, test: false };
    if (!this.#syntax.optional) this.#report(dot, "unsupported syntax '.?'");
    const id = this.#id(dot);
    const name: Expr = { ...literalOf(field), id: this.#id(token) };
    return { kind: "call", id, function: operators.optionalSelect, target: undefined, args: [operand, name] };
  }

  #fieldName(token: Token): string {
    if (token.kind !== "quoted-ident") return token.text;
    if (!this.#syntax.quotedFields) this.#report(token, "unsupported syntax: '`'");
    return token.text.slice(1, -1);
  }

  #index(target: Expr, open: Token): Expr {
    const optional = this.#accept("?");
    if (optional !== undefined && !this.#syntax.optional) this.#report(open, "unsupported syntax '[?'");
    const id = this.#id(open);
    const index = this.#expression();
    this.#expect("]");
    return this.#call(id, optional === undefined ? operators.index : operators.optionalIndex, undefined, [target, index]);
  }

  #arguments(): readonly Expr[] {
    const args: Expr[] = [];
    if (this.#accept(")") !== undefined) return args;
    do args.push(this.#expression());
    while (this.#accept(",") !== undefined);
    this.#expect(")");
    return args;
  }

  #primary(): Expr {
    const token = this.#peek();
    if (token.kind === "operator") {
      if (token.text === "(") return this.#parenthesized();
      if (token.text === "[") return this.#list(this.#take());
      if (token.text === "{") return this.#map(this.#take());
      if (token.text === "." && this.#peek(1).kind === "ident") return this.#name(this.#take());
      if (token.text === "-" && isNumber(this.#peek(1))) return this.#literal(this.#take(), this.#take());
    }
    if (token.kind === "ident") return this.#name(undefined);
    if (token.kind === "operator" || token.kind === "end" || token.kind === "quoted-ident" || token.text === "in") {
      this.#fail(token, mismatch(token, expecting.expression));
    }
    return this.#literal(undefined, this.#take());
  }

  #parenthesized(): Expr {
    this.#take();
    const inner = this.#expression();
    this.#expect(")");
    return inner;
  }

  #name(dot: Token | undefined): Expr {
    const token = this.#take();
    const name = `${dot === undefined ? "" : "."}${token.text}`;
    const isMessage = this.#is("{") || (this.#is(".") && this.#isTypeName());
    if (reserved.has(token.text) && !isMessage) this.#report(token, `reserved identifier: ${token.text}`);
    const open = this.#accept("(");
    if (open === undefined) return { kind: "ident", id: this.#id(token), name };
    const id = this.#id(open);
    return this.#call(id, name, undefined, this.#arguments());
  }

  /** Whether a chain of names that ends in `{` begins here. */
  #isTypeName(): boolean {
    let ahead = 0;
    while (this.#peek(ahead).text === "." && this.#peek(ahead + 1).kind === "ident") ahead += 2;
    return ahead > 0 && this.#peek(ahead).text === "{";
  }

  #literal(minus: Token | undefined, token: Token): Expr {
    const literal = literalOf(token, minus !== undefined);
    const start = minus ?? token;
    if (typeof literal !== "string") return { ...literal, id: this.#id(start) };
    this.#report(start, literal);
    return { ...literalOf("<<error>>"), id: this.#id(start) };
  }

  #optionalMark(): boolean {
    const mark = this.#accept("?");
    if (mark !== undefined && !this.#syntax.optional) this.#report(mark, "unsupported syntax '?'");
    return mark !== undefined;
  }

  #list(open: Token): Expr {
    const id = this.#id(open);
    const elements: Expr[] = [];
    const optional = new Set<number>();
    this.#items("]", () => {
      if (this.#optionalMark()) optional.add(elements.length);
      elements.push(this.#expression());
    });
    return { kind: "list", id, elements, optional };
  }

  /** Comma-separated items up to `close`; one trailing comma is allowed. */
  #items(close: string, item: () => void): void {
    const ends = () => this.#is(close) || this.#is(",");
    if (ends()) this.#accept(",");
    else {
      do item();
      while (this.#accept(",") !== undefined && !ends());
    }
    this.#expect(close);
  }

  #map(open: Token): Expr {
    const id = this.#id(open);
    const entries: MapEntry[] = [];
    this.#items("}", () => {
      const optional = this.#optionalMark();
      const key = this.#expression();
      const colon = this.#expect(":");
      entries.push({ id: this.#id(colon), key, value: this.#expression(), optional });
    });
    return { kind: "map", id, entries };
  }

  #struct(typeName: string): Expr {
    const id = this.#id(this.#take());
    const fields: StructField[] = [];
    this.#items("}", () => {
      const optional = this.#optionalMark();
      const token = this.#peek();
      if (token.kind !== "ident" && token.kind !== "quoted-ident") this.#fail(token, mismatch(token, expecting.structField));
      this.#take();
      const colon = this.#expect(":");
      fields.push({ id: this.#id(colon), name: this.#fieldName(token), value: this.#expression(), optional });
    });
    return { kind: "struct", id, typeName, fields };
  }

  /** A call, or what a macro makes of it. */
  #call(id: number, name: string, target: Expr | undefined, args: readonly Expr[]): Expr {
    const call: Expr = { kind: "call", id, function: name, target, args };
    if (!this.#syntax.macroNames.has(name)) return call;
    const receiver = target !== undefined;
    const macro =
      this.#syntax.macros.get(macroKey(name, args.length, receiver)) ?? this.#syntax.macros.get(macroKey(name, "any", receiver));
    if (macro === undefined) return call;
    const offset = this.offsets[id] ?? 0;
    const build = new MacroBuilder((copied) => this.offsets.push((copied && this.offsets[copied.id]) ?? offset) - 1);
    const expanded = macro.expand(build, target ?? call, args);
    if (!(expanded instanceof MacroError)) return expanded ?? call;
    const at = this.offsets[expanded.exprId] ?? offset;
    this.issues.push({ code: "CEL_SYNTAX", message: expanded.message, offset: at, length: 1 });
    // As in cel-go nothing stands for the refused call, so that a macro around it refuses too.
    return { kind: "literal", id: this.offsets.push(at) - 1, value: null, type: nullType };
  }
}

function isNumber(token: Token): boolean {
  return token.kind === "int" || token.kind === "float";
}

function balance(name: string, terms: readonly Expr[], ids: readonly number[], low: number, high: number): Expr {
  const middle = Math.floor((low + high + 1) / 2);
  const left = middle === low ? terms[middle] : balance(name, terms, ids, low, middle - 1);
  const right = middle === high ? terms[middle + 1] : balance(name, terms, ids, middle + 1, high);
  if (left === undefined || right === undefined) throw new Error("a chain has one term more than operators");
  return { kind: "call", id: ids[middle] ?? 0, function: name, target: undefined, args: [left, right] };
}
