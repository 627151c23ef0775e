import type { Comparison, Node } from "./ast.ts";
import { JmesPathSyntaxError, type Token, type TokenKind, tokenize } from "./lexer.ts";

/** How tightly a token binds to what stands left of it; tokens that are not listed end an expression. */
const power: { readonly [kind in TokenKind]?: number } = {
  "|": 1,
  "||": 2,
  "&&": 3,
  "==": 5,
  "!=": 5,
  "<": 5,
  "<=": 5,
  ">": 5,
  ">=": 5,
  "[]": 9,
  "*": 20,
  "[?": 21,
  ".": 40,
  "!": 45,
  "{": 50,
  "[": 55,
  "(": 60,
};
/** A projection reaches to the right until a token that binds weaker than this. */
const projectionEnd = 10;
const maxDepth = 200;
const current: Node = { kind: "current" };

/**
 * Parses an expression (jmespath.org grammar; commas between arguments may be left out); `$name` only where bindings are
 * allowed. @throws JmesPathSyntaxError
 */
export function parse(source: string, allowBindings = false): Node {
  return new Parser(tokenize(source), allowBindings).parseAll();
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #end: Token;
  #at = 0;
  #depth = 0;
  readonly #allowBindings: boolean;

  constructor(tokens: readonly Token[], allowBindings: boolean) {
    this.#allowBindings = allowBindings;
    this.#tokens = tokens;
    this.#end = tokens.at(-1) ?? { kind: "end", text: "", value: null, offset: 0 };
  }

  parseAll(): Node {
    const node = this.#expression(0);
    if (this.#peek() !== "end") throw this.#unexpected("the end of the expression");
    return node;
  }

  #token(ahead = 0): Token {
    return this.#tokens[this.#at + ahead] ?? this.#end;
  }

  #peek(ahead = 0): TokenKind {
    return this.#token(ahead).kind;
  }

  #next(): Token {
    const token = this.#token();
    this.#at++;
    return token;
  }

  #take(kind: TokenKind): boolean {
    if (this.#peek() !== kind) return false;
    this.#at++;
    return true;
  }

  #expect(kind: TokenKind): void {
    if (!this.#take(kind)) throw this.#unexpected(`"${kind}"`);
  }

  #unexpected(wanted: string): JmesPathSyntaxError {
    const { kind, text, offset } = this.#token();
    const found = kind === "end" ? "the end" : `"${text === "" ? kind : text}"`;
    return new JmesPathSyntaxError(`expected ${wanted}, found ${found}`, offset);
  }

  #expression(minimum: number): Node {
    if (++this.#depth > maxDepth) throw new JmesPathSyntaxError("the expression nests too deeply", this.#token().offset);
    let node = this.#prefix();
    while (minimum < (power[this.#peek()] ?? 0)) node = this.#infix(node);
    this.#depth--;
    return node;
  }

  #prefix(): Node {
    const token = this.#token();
    switch (token.kind) {
      case "literal":
        this.#next();
        return { kind: "literal", value: token.value };
      case "string":
        this.#next();
        return { kind: "literal", value: token.text };
      case "identifier":
      case "quoted":
        this.#next();
        return { kind: "field", name: token.text, quoted: token.kind === "quoted", offset: token.offset };
      case "*":
        this.#next();
        return { kind: "values", left: current, right: this.#peek() === "]" ? current : this.#projected(20) };
      case "[?":
        this.#next();
        return this.#filter(current);
      case "[]":
        this.#next();
        return { kind: "projection", left: { kind: "flatten", left: current }, right: this.#projected(9) };
      case "{":
        this.#next();
        return this.#hash();
      case "[":
        this.#next();
        return this.#bracket(current);
      case "@":
        this.#next();
        return current;
      case "binding":
        if (!this.#allowBindings) throw this.#unexpected("an expression");
        this.#next();
        return { kind: "binding", name: token.text, offset: token.offset };
      case "&":
        this.#next();
        return { kind: "reference", operand: this.#expression(0), offset: token.offset };
      case "!":
        this.#next();
        return { kind: "not", operand: this.#expression(45) };
      case "(": {
        this.#next();
        const inner = this.#expression(0);
        this.#expect(")");
        return inner;
      }
      default:
        throw this.#unexpected("an expression");
    }
  }

  #infix(left: Node): Node {
    const token = this.#next();
    switch (token.kind) {
      case ".":
        if (this.#take("*")) return { kind: "values", left, right: this.#projected(40) };
        return { kind: "chain", left, right: this.#member(40) };
      case "|":
        return { kind: "pipe", left, right: this.#expression(1) };
      case "||":
        return { kind: "or", left, right: this.#expression(2) };
      case "&&":
        return { kind: "and", left, right: this.#expression(3) };
      case "(":
        return this.#call(left, token.offset);
      case "[?":
        return this.#filter(left);
      case "[]":
        return { kind: "projection", left: { kind: "flatten", left }, right: this.#projected(9) };
      case "==":
      case "!=":
      case "<":
      case "<=":
      case ">":
      case ">=":
        return this.#comparison(token.kind, left);
      case "[":
        return this.#index(left) ?? this.#star(left);
      default:
        throw new JmesPathSyntaxError(`unexpected "${token.kind}"`, token.offset);
    }
  }

  #comparison(operator: Comparison, left: Node): Node {
    return { kind: "comparison", operator, left, right: this.#expression(5) };
  }

  #call(callee: Node, offset: number): Node {
    if (callee.kind !== "field" || callee.quoted) throw new JmesPathSyntaxError("only a plain name can be called", offset);
    const args: Node[] = [];
    while (this.#peek() !== ")") {
      args.push(this.#expression(0));
      this.#take(",");
    }
    this.#expect(")");
    return { kind: "call", name: callee.name, args, offset: callee.offset };
  }

  #filter(left: Node): Node {
    const condition = this.#expression(0);
    this.#expect("]");
    const right = this.#peek() === "[]" ? current : this.#projected(21);
    return { kind: "filter", left, right, condition };
  }

  /** After `[` at the start of an expression: an index, a slice, `[*]` or a multi-select list. */
  #bracket(left: Node): Node {
    const index = this.#index(left);
    if (index !== undefined) return index;
    if (this.#peek() === "*" && this.#peek(1) === "]") return this.#star(left);
    return this.#list();
  }

  #star(left: Node): Node {
    this.#expect("*");
    this.#expect("]");
    return { kind: "projection", left, right: this.#projected(20) };
  }

  #index(left: Node): Node | undefined {
    if (this.#peek() !== "number" && this.#peek() !== ":") return undefined;
    if (this.#peek() !== ":" && this.#peek(1) !== ":") {
      const right: Node = { kind: "index", index: this.#integer() };
      this.#expect("]");
      return { kind: "chain", left, right };
    }
    const parts: [number | undefined, number | undefined, number | undefined] = [undefined, undefined, undefined];
    for (let part = 0; this.#peek() !== "]" && part < 3; ) {
      if (this.#take(":")) part++;
      else if (this.#peek() === "number") parts[part] = this.#integer();
      else throw this.#unexpected('":" or a number');
    }
    this.#expect("]");
    return { kind: "projection", left: { kind: "chain", left, right: { kind: "slice", parts } }, right: this.#projected(20) };
  }

  #integer(): number {
    const { text, offset } = this.#next();
    if (!/^-?\d+$/.test(text)) throw new JmesPathSyntaxError(`"${text}" is not a number`, offset);
    return Number(text);
  }

  #list(): Node {
    const items: Node[] = [];
    do items.push(this.#expression(0));
    while (this.#take(","));
    this.#expect("]");
    return { kind: "list", items };
  }

  #hash(): Node {
    const members: { key: string; value: Node }[] = [];
    do {
      const key = this.#token();
      if (key.kind !== "identifier" && key.kind !== "quoted") throw this.#unexpected("a key");
      this.#next();
      this.#expect(":");
      members.push({ key: key.text, value: this.#expression(0) });
    } while (this.#take(",") || !this.#take("}"));
    return { kind: "hash", members };
  }

  /** What may follow a dot. */
  #member(minimum: number): Node {
    switch (this.#peek()) {
      case "identifier":
      case "quoted":
      case "*":
        return this.#expression(minimum);
      case "[":
        this.#next();
        return this.#list();
      case "{":
        this.#next();
        return this.#hash();
      default:
        throw this.#unexpected('a name, "[" or "{"');
    }
  }

  /** The part of the expression that a projection applies to each element. */
  #projected(minimum: number): Node {
    const kind = this.#peek();
    if ((power[kind] ?? 0) < projectionEnd) return current;
    if (kind === "[" || kind === "[?") return this.#expression(minimum);
    if (this.#take(".")) return this.#member(minimum);
    throw this.#unexpected('".", "[" or the end of the projection');
  }
}
