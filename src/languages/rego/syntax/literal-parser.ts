import type { Body, Expr, LogicalExpr, NotExpr, Place, Term, VarTerm, With } from "../ast.ts";
import { isVoidCall } from "./builtin-calls.ts";
import type { State } from "./parser-state.ts";
import { TermParser, valueName } from "./term-parser.ts";
import { Keywords, type TokenKind } from "./token.ts";

const plain = { with: [], negated: false } as const;

/** An operand of `and`, `or` or `not`. */
interface Operand {
  readonly body: Body;
  /** Written with braces. */
  readonly explicit: boolean;
  readonly at: Place;
}

/** What a `(` began: a group of operands, a mistake, or (`plain`) a term after all. */
type Group = Operand | "mistake" | "plain";

/** Parses the expressions of bodies. */
export class LiteralParser extends TermParser {
  protected parseBody(end: TokenKind): Body | undefined {
    return this.nested(() => this.parseQuery(false, end));
  }

  /** @param single stop after one expression; else they go on, on new lines or after semicolons, until `end` */
  protected parseQuery(single: boolean, end: TokenKind): Body | undefined {
    if (this.is(end)) return this.error(this.here(), "found empty body");
    const body: Expr[] = [];
    for (;;) {
      const expr = this.parseLiteral();
      if (expr === undefined) return undefined;
      body.push(expr);
      if (this.is(";")) {
        this.scan();
        continue;
      }
      if (this.is(end) || single) return body;
      if (!this.skippedNewline) {
        if (this.errors.length > 0) return undefined;
        this.#hintMissingInfix();
        return this.illegal(`expected \\n or ; or ${end}`);
      }
    }
  }

  protected parseLiteral(): Expr | undefined {
    const start = this.here();
    const expr = this.#parseLiteral();
    if (expr === undefined) return undefined;
    const at = this.extended(start);
    if (expr.kind !== "not" || expr.explicit) return { ...expr, at };
    return { ...expr, at, body: expr.body.map((inner) => ({ ...inner, at })) };
  }

  #parseLiteral(): Expr | undefined {
    if (this.is("{") && this.#hasLogicalKeywords()) {
      const expr = this.#parseLeadingBraces();
      if (expr !== "plain") return expr;
    }
    if (this.is("(") && this.#hasLogicalKeywords()) {
      const group = this.#parseGroup(false, "");
      if (group === "mistake") return undefined;
      if (group !== "plain") return this.#foldTail(group);
    }
    if (this.keywordBeginsReference()) return this.#parseExpression(undefined);
    const not = this.#parseNot();
    if (not !== undefined && this.notBodies && this.is("{")) {
      const expr = this.#parseNotBody(not);
      return expr === undefined ? undefined : this.#foldTail({ body: [expr], explicit: false, at: expr.at });
    }
    if (this.is("some") || this.is("every")) {
      if (not !== undefined) return this.illegal(`illegal negation of '${this.kind}'`);
      return this.is("some") ? this.#parseSome() : this.#parseEvery();
    }
    return this.#parseExpression(not);
  }

  /** Consumes `not`, and answers where it stands; `not.x` is a reference. */
  #parseNot(): Place | undefined {
    if (!this.is("not")) return undefined;
    const next = this.peekSpace();
    if (next === "." || next === "[") return undefined;
    const at = this.here();
    this.scan();
    return at;
  }

  #hasLogicalKeywords(): boolean {
    return this.keywords.has("and") || this.keywords.has("or");
  }

  /** `{ body } and ...`; braces that no operator follows are a term. */
  #parseLeadingBraces(): Expr | undefined | "plain" {
    const state = this.save();
    const cache = this.cache;
    const at = this.here();
    this.scan();
    const body = this.parseBody("}");
    if (body !== undefined) {
      this.scan();
      if (this.is("and") || this.is("or")) {
        if (this.#isAmbiguousUnion(body)) return this.#refuseUnion(at, body, "");
        return this.#withModifiers(this.#parseOr({ body, explicit: true, at }));
      }
    }
    this.restore(state);
    this.cache = cache;
    return "plain";
  }

  #parseExpression(not: Place | undefined): Expr | undefined {
    const start = this.save();
    const from = this.here();
    if (not !== undefined && this.notBodies && this.is("(")) {
      const group = this.#parseGroup(true, "not ");
      if (group === "mistake") return undefined;
      if (group !== "plain") {
        const expr = this.#notExpr(group.body, group.explicit, this.extended(not));
        return this.#foldTail({ body: [expr], explicit: false, at: expr.at });
      }
    }
    const parsed = this.#parseBare();
    if (parsed === undefined) return undefined;
    let expr: Expr = { ...parsed, at: this.extended(from) };
    let withAt: Place | undefined;
    if (this.is("with")) {
      withAt = this.here();
      const modifiers = this.#parseWith();
      if (modifiers === undefined) return undefined;
      expr = { ...expr, with: modifiers };
    }
    this.#hintMissingEvery(expr, start);
    if (not !== undefined && this.notBodies) {
      const inner: Expr = { ...expr, with: [] };
      expr = { ...this.#notExpr([inner], false, this.extended(not)), with: expr.with };
    } else if (not !== undefined) expr = { ...expr, negated: true };
    if (!this.is("and") && !this.is("or")) return expr;
    if (withAt !== undefined) return this.#refuseWith(withAt, this.kind);
    if (not === undefined && this.source[expr.at.offset] === "{") {
      if (expr.kind === "term-expr" && expr.term.kind === "object" && expr.term.members.length === 0) {
        return this.error(expr.at, "found empty body");
      }
      return this.#refuseBraces(expr.at, this.textAt(expr.at), this.kind);
    }
    return this.#withModifiers(this.#parseOr({ body: [expr], explicit: false, at: expr.at }));
  }

  #parseBare(): Expr | undefined {
    const at = this.here();
    const left = this.parseTermInfix();
    if (left === undefined) return undefined;
    if (this.is("assign") || this.is("eq")) {
      const operator = this.parseOperator();
      const right = this.parseTermInfix();
      return right === undefined ? undefined : { kind: "call-expr", operator, args: [left, right], at, ...plain };
    }
    if (left.kind === "call") return { kind: "call-expr", operator: left.operator, args: left.args, at, ...plain };
    return { kind: "term-expr", term: left, at, ...plain };
  }

  #notExpr(body: Body, explicit: boolean, at: Place): NotExpr {
    return { kind: "not", body, explicit, at, ...plain };
  }

  #parseWith(): readonly With[] | undefined {
    const modifiers: With[] = [];
    while (this.is("with")) {
      const start = this.here();
      this.scan();
      if (!this.is("identifier")) return this.illegal("expected ident");
      const target = this.parseTerm();
      if (target === undefined) return undefined;
      if (target.kind !== "ref" && target.kind !== "var") return this.illegal("expected with target path");
      if (!this.is("as")) return this.illegal("expected as keyword");
      this.scan();
      const value = this.parseTermInfix();
      if (value === undefined) return undefined;
      modifiers.push({ target, value, at: this.extended(start) });
    }
    return modifiers;
  }

  #withModifiers(expr: Expr | undefined): Expr | undefined {
    if (expr === undefined || !this.is("with")) return expr;
    const modifiers = this.#parseWith();
    return modifiers === undefined ? undefined : { ...expr, with: modifiers };
  }

  #foldTail(operand: Operand): Expr | undefined {
    if (this.is("and") || this.is("or")) return this.#withModifiers(this.#parseOr(operand));
    return this.#withModifiers(operand.body[0]);
  }

  /** The rest of `left or ...`, which `and` binds tighter than. */
  #parseOr(first: Operand): Expr | undefined {
    return this.nested(() => {
      let left: Operand | undefined = this.#parseAnd(first);
      while (left !== undefined && this.is("or")) {
        this.scan();
        const operand = this.#parseOperand("or");
        const right = operand === undefined ? undefined : this.#parseAnd(operand);
        left = right === undefined ? undefined : this.#join("or", left, right);
      }
      return left?.body[0];
    });
  }

  #parseAnd(first: Operand): Operand | undefined {
    let left: Operand | undefined = first;
    while (left !== undefined && this.is("and")) {
      this.scan();
      const right = this.#parseOperand("and");
      left = right === undefined ? undefined : this.#join("and", left, right);
    }
    return left;
  }

  #join(kind: "and" | "or", left: Operand, right: Operand): Operand {
    for (const operand of [left, right]) this.#checkVoid(operand.body, kind);
    const at = this.extended(left.at);
    const expr: LogicalExpr = {
      kind,
      left: left.body,
      right: right.body,
      explicitLeft: left.explicit,
      explicitRight: right.explicit,
      at,
      ...plain,
    };
    return { body: [expr], explicit: false, at };
  }

  /** @param operator what the operand belongs to; empty where failing is no mistake yet */
  #parseOperand(operator: "and" | "or" | ""): Operand | undefined {
    if (this.is("{")) return this.#parseBraceOperand(operator);
    const not = this.#parseNot();
    if (not !== undefined && this.notBodies && this.is("{")) {
      const expr = this.#parseNotBody(not);
      return expr === undefined ? undefined : { body: [expr], explicit: false, at: expr.at };
    }
    if (this.is("(") && this.#hasLogicalKeywords() && (not === undefined || this.notBodies)) {
      const group = this.#parseGroup(true, not === undefined ? "" : "not ");
      if (group === "mistake") return undefined;
      if (group !== "plain") {
        if (not === undefined) return group;
        const expr = this.#notExpr(group.body, group.explicit, this.extended(not));
        return { body: [expr], explicit: false, at: expr.at };
      }
    }
    const start = this.here();
    const bare = this.#parseBare();
    if (bare === undefined) return undefined;
    const at = this.extended(not ?? start);
    let expr: Expr = { ...bare, at: this.extended(start) };
    if (not !== undefined) expr = this.notBodies ? this.#notExpr([expr], false, at) : { ...expr, negated: true };
    return { body: [expr], explicit: false, at };
  }

  #parseBraceOperand(operator: "and" | "or" | ""): Operand | undefined {
    const at = this.here();
    const state = this.save();
    this.scan();
    const empty = this.is("}");
    const body = this.parseBody("}");
    if (body === undefined) {
      if (empty || operator === "") return undefined;
      return this.#retryAsValue(state, () => this.#refuseBraces(at, this.source.slice(at.offset, this.lastEnd), operator));
    }
    this.scan();
    if (this.#isAmbiguousUnion(body)) this.#refuseUnion(at, body, "");
    return { body, explicit: true, at };
  }

  /** Where braces held no body: `refuse` says so if they hold a value, else the error of the body stays. */
  #retryAsValue(state: State, refuse: (term: Term) => undefined): undefined {
    const failed = this.save();
    this.restore(state);
    const term = this.parseTermInfix();
    if (term !== undefined) return refuse(term);
    this.restore(failed);
    return undefined;
  }

  #parseNotBody(not: Place): NotExpr | undefined {
    const at = this.here();
    const state = this.save();
    this.scan();
    const empty = this.is("}");
    const body = this.parseBody("}");
    if (body === undefined) {
      if (empty) return undefined;
      return this.#retryAsValue(state, (term) => {
        const operand = this.source.slice(at.offset, this.lastEnd);
        this.hint(`write \`not (${operand})\` to negate the value, or \`not {${operand}}\` for a body holding it`);
        const name = valueName(leadingValue(term));
        return this.error(at, `\`{...}\` in an operand position must contain expression(s), got: ${name}`);
      });
    }
    this.scan();
    if (this.#isAmbiguousUnion(body)) return this.#refuseUnion(at, body, "not ");
    return this.#notExpr(body, true, this.extended(not));
  }

  /** @param isOperand the `(` stands where only an operand can */
  #parseGroup(isOperand: boolean, prefix: string): Group {
    return this.nested(() => this.#parseGroupInside(isOperand, prefix)) ?? "mistake";
  }

  #parseGroupInside(isOperand: boolean, prefix: string): Group {
    const state = this.save();
    const open = this.here();
    const giveUp = (): Group => {
      this.restore(state);
      return "plain";
    };
    const mistake = (at: Place, message: string): Group => this.error(at, message) ?? "mistake";
    this.scan();
    if (this.is(")")) return isOperand ? mistake(open, "empty parenthesized group") : giveUp();
    const operand = this.#parseOperand("");
    if (operand === undefined) return giveUp();
    const [first] = operand.body;
    if (this.is("and") || this.is("or")) {
      const expr = this.#withModifiers(this.#parseOr(operand));
      if (expr === undefined || !this.#closeGroup()) return "mistake";
      return { body: [expr], explicit: false, at: this.extended(open) };
    }
    if (this.is("with") && !operand.explicit && operand.body.length === 1) {
      const withAt = this.here();
      const expr = this.#withModifiers(first);
      if (expr === undefined) return "mistake";
      if (this.#atLogical()) return this.#refuseWith(withAt, this.kind) ?? "mistake";
      if (!this.#closeGroup()) return "mistake";
      return isOperand || this.#atLogical() ? { body: [expr], explicit: false, at: this.extended(open) } : giveUp();
    }
    if (operand.explicit) return this.#bracesInParens(operand, open, state, prefix);
    const isGroup = first !== undefined && (first.negated || first.kind === "not" || first.kind === "and" || first.kind === "or");
    if (!isGroup) return giveUp();
    return this.#closeGroup() ? { body: operand.body, explicit: false, at: this.extended(open) } : "mistake";
  }

  #atLogical(): boolean {
    return this.is("and") || this.is("or");
  }

  /** `({ ... })`: parentheses hold values only. */
  #bracesInParens(operand: Operand, open: Place, state: State, prefix: string): Group {
    const braces = this.source.slice(operand.at.offset, this.lastEnd);
    this.restore(state);
    this.scan();
    const term = this.parseTerm();
    this.restore(state);
    if (term !== undefined) return "plain";
    this.hint(`drop the parens to keep the body: \`${prefix}${braces}\``);
    return this.error(open, "`(...)` in an operand position cannot contain a body") ?? "mistake";
  }

  #closeGroup(): boolean {
    if (!this.is(")")) return this.error(this.here(), "expected ) to close parenthesized group") ?? false;
    this.scan();
    return true;
  }

  /** `{ a | b }` as a body reads like a comprehension. */
  #isAmbiguousUnion(body: Body): boolean {
    const [first] = body;
    if (first?.kind !== "call-expr" || first.operator.kind !== "var" || first.operator.name !== "or") return false;
    return this.textAt(first.operator.at) === "|" && this.source[first.at.offset] !== "(";
  }

  #refuseUnion(at: Place, body: Body, prefix: string): undefined {
    const braces = this.source.slice(at.offset, this.lastEnd);
    const [first] = body;
    let union = braces;
    if (first !== undefined) {
      const from = first.at.offset - at.offset;
      const to = first.at.end - at.offset;
      if (from > 0 && to <= braces.length) union = `${braces.slice(0, from)}(${braces.slice(from, to)})${braces.slice(to)}`;
    }
    this.hint(`write \`${prefix}(${braces})\` for the comprehension, or \`${prefix}${union}\` for the set union`);
    return this.error(
      at,
      "ambiguous `{ ... | ... }` operand: read as a body holding a set-union expression, not as a comprehension",
    );
  }

  #refuseBraces(at: Place, operand: string, operator: string): undefined {
    this.hint(`wrap the operand to keep the value: \`(${operand}) ${operator} ...\``);
    return this.error(at, `operand of \`${operator}\` cannot begin with \`{\` unless the braces hold a body`);
  }

  #refuseWith(at: Place, operator: string): undefined {
    this.hint(
      `Wrap the operand in \`(...)\` or \`{...}\` to scope, or move \`with\` after the \`${operator}\` expression to apply it to the whole expression`,
    );
    return this.error(at, `\`with\` modifier is not allowed on operand of \`${operator}\``);
  }

  #checkVoid(body: Body, operator: string): void {
    const [first] = body;
    if (first?.kind !== "call-expr" || !body.every(isVoidCall)) return;
    const name = first.operator.kind === "var" ? first.operator.name : this.textAt(first.operator.at);
    this.hint(
      `\`${name}\` produces no value and always succeeds, so the operand can never fail; move it out of the operand, or add an expression that can fail`,
    );
    this.error(first.at, `operand of \`${operator}\` cannot consist only of calls to \`${name}\``);
  }

  #parseSome(): Expr | undefined {
    const at = this.here();
    const state = this.save();
    this.scan();
    const term = this.parseTermInfix();
    if (term?.kind === "call") {
      const member = memberCall(term);
      if (member === undefined) return this.illegal("expected `x in xs` or `x, y in xs` expression");
      return this.#withModifiers({ kind: "some-in", ...member, at, ...plain });
    }
    this.restore(state);
    this.#hintMissingIn();
    const names: VarTerm[] = [];
    do {
      this.scan();
      if (!this.is("identifier")) return this.illegal("expected var");
      names.push(this.variable());
      this.scan();
    } while (this.is(","));
    return { kind: "some", names, at, ...plain };
  }

  #parseEvery(): Expr | undefined {
    const at = this.here();
    this.scan();
    const term = this.parseTermInfix();
    if (term === undefined) return undefined;
    const member = term.kind === "call" ? memberCall(term) : undefined;
    if (member === undefined) return this.illegal("expected `x[, y] in xs { ... }` expression");
    const { key, value, domain } = member;
    if (key !== undefined && key.kind !== "var") return this.illegal("expected key to be a variable");
    if (value.kind !== "var") return this.illegal("expected value to be a variable");
    if (!this.is("{")) return this.illegal("missing body");
    this.scan();
    const body = this.parseBody("}");
    if (body === undefined) return undefined;
    this.scan();
    return this.#withModifiers({ kind: "every", key, value, domain, body, at, ...plain });
  }

  /** Parses anew what follows, as if all future keywords were imported. */
  #withAllKeywords<T>(parse: () => T): T {
    const { keywords, cache } = this;
    const state = this.save();
    this.keywords = new Keywords().withAll();
    this.cache = undefined;
    const result = parse();
    this.keywords = keywords;
    this.cache = cache;
    this.restore(state);
    return result;
  }

  #hintMissingIn(): void {
    if (this.version !== 0) return;
    const found = this.#withAllKeywords(() => {
      this.scan();
      const term = this.parseTermInfix();
      return term?.kind === "call" && memberCall(term) !== undefined;
    });
    if (found) this.hint("`import future.keywords.in` for `some x in xs` expressions");
  }

  #hintMissingEvery(expr: Expr, start: State): void {
    if (this.version !== 0 || expr.kind !== "term-expr") return;
    if (expr.term.kind !== "var" || expr.term.name !== "every") return;
    const after = this.save();
    this.restore(start);
    const found = this.#withAllKeywords(() => this.#parseEvery()?.kind === "every");
    this.restore(after);
    if (found) this.hint("`import future.keywords.every` for `every x in xs { ... }` expressions");
  }

  #hintMissingInfix(): void {
    if (this.hinted) return;
    let word = "in";
    if (this.is("identifier")) word = this.text;
    else if (this.is(",")) {
      const found = this.#withAllKeywords(() => {
        this.scan();
        const term = this.parseTermInfix();
        return term?.kind === "call" && memberCall(term) !== undefined;
      });
      if (!found) return;
    } else return;
    if (!["in", "and", "or"].includes(word)) return;
    const example = word === "in" ? "x in xs" : `x ${word} y`;
    this.hint(`\`import future.keywords.${word}\` for \`${example}\` expressions`);
  }
}

/** The parts of `value in domain` and `key, value in domain`. */
function memberCall(call: Term & { kind: "call" }): { key: Term | undefined; value: Term; domain: Term } | undefined {
  const { operator, args } = call;
  if (operator.kind !== "ref" || operator.head.kind !== "var" || operator.head.name !== "internal") return undefined;
  const [a, b, c] = args;
  if (args.length === 2 && a !== undefined && b !== undefined) return { key: undefined, value: a, domain: b };
  if (a === undefined || b === undefined || c === undefined) return undefined;
  return { key: a, value: b, domain: c };
}

/** What the brace at the beginning of a term opens: infix calls begin with their left operand. */
function leadingValue(term: Term): Term {
  const [left] = term.kind === "call" ? term.args : [];
  if (term.kind !== "call" || left === undefined || term.args.length !== 2) return term;
  return left.at.offset <= term.at.offset ? leadingValue(left) : term;
}
