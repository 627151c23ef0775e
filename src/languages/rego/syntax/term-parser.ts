import type { Body, Expr, Place, RefTerm, ScalarTerm, Term, VarTerm } from "../ast.ts";
import { type NumberValue, numberProblem, parseNumber } from "../values/number.ts";
import { ParserState, type State } from "./parser-state.ts";
import type { Operator, TokenKind } from "./token.ts";

/** What was read, the last first; offsets fall. A term takes those within it out, so that only what may be read anew stays. */
export interface CachedTerm {
  readonly offset: number;
  readonly term: Term | undefined;
  readonly after: State;
  readonly before: CachedTerm | undefined;
}

/** Infix operators of one precedence each, the loosest first; all associate to the left. */
const levels: readonly ReadonlySet<TokenKind>[] = [
  new Set<Operator>(["equal", "neq", "lt", "gt", "lte", "gte"]),
  new Set<Operator>(["|"]),
  new Set<Operator>(["&"]),
  new Set<Operator>(["plus", "minus"]),
  new Set<Operator>(["mul", "div", "rem"]),
];

const operatorNames: { readonly [kind: string]: string } = { "&": "and", "|": "or" };

/** Parses terms: what has a value. */
export abstract class TermParser extends ParserState {
  protected cache: CachedTerm | undefined;

  protected abstract parseBody(end: TokenKind): Body | undefined;
  protected abstract parseLiteral(): Expr | undefined;

  /** A term with infix operators, `in` included. */
  protected parseTermInfix(): Term | undefined {
    return this.#parseIn(true);
  }

  /** As {@link parseTermInfix}, where a comma ends the term. */
  protected parseTermInList(): Term | undefined {
    return this.#parseIn(false);
  }

  #parseIn(keyed: boolean): Term | undefined {
    const offset = this.offset;
    let left = this.#parseInfix(0);
    while (left !== undefined) {
      if (keyed && this.is(",")) {
        const call = this.#parseKeyedMember(left, offset);
        if (call !== undefined) {
          left = call;
          if (this.is("in")) continue;
          return left;
        }
      }
      this.keywordBeginsReference();
      if (!this.is("in")) return left;
      const at = this.here();
      this.scan();
      const right = this.#parseInfix(0);
      if (right === undefined) return left;
      left = this.#call(memberOperator("member_2", at), [left, right], left.at, offset);
      if (!this.is("in")) return left;
    }
    return left;
  }

  /** `key, value in domain`, the key already read. */
  #parseKeyedMember(key: Term, offset: number): Term | undefined {
    const state = this.save();
    this.scan();
    const value = this.#parseInfix(0);
    if (value !== undefined && this.is("in")) {
      const at = this.here();
      this.scan();
      const domain = this.#parseInfix(0);
      if (domain !== undefined) return this.#call(memberOperator("member_3", at), [key, value, domain], key.at, offset);
    }
    this.restore(state);
    return undefined;
  }

  #parseInfix(level: number): Term | undefined {
    const offset = this.offset;
    const operators = levels[level];
    if (operators === undefined) return this.parseTerm();
    let left = this.#parseTighter(level);
    while (left !== undefined && operators.has(this.kind)) {
      const operator = this.parseOperator();
      const right = this.#parseTighter(level);
      if (right === undefined) return left;
      left = this.#call(operator, [left, right], left.at, offset);
    }
    return left;
  }

  /** Goes straight to a term where no tighter operator follows, which is nearly always. */
  #parseTighter(level: number): Term | undefined {
    return this.#parseInfix(level + 1);
  }

  /** The current token as a function's name. */
  protected parseOperator(): VarTerm {
    const operator: VarTerm = { kind: "var", name: operatorNames[this.kind] ?? this.kind, at: this.here() };
    this.scan();
    return operator;
  }

  #call(operator: VarTerm | RefTerm, args: readonly Term[], start: Place, offset: number): Term {
    return { kind: "call", operator, args, at: { ...start, offset, end: this.lastEnd } };
  }

  protected parseTerm(): Term | undefined {
    const { offset } = this;
    for (let known = this.cache; known !== undefined && known.offset >= offset; known = known.before) {
      if (known.offset !== offset) continue;
      this.restore(known.after);
      return known.term;
    }
    const term = this.nested(() => this.#parseTerm());
    let before = this.cache;
    while (before !== undefined && before.offset >= offset) before = before.before;
    this.cache = { offset, term, after: this.save(), before };
    return term;
  }

  #parseTerm(): Term | undefined {
    this.#keywordBeginsCall();
    if (this.is("minus")) {
      const at = this.here();
      const state = this.save();
      this.scan();
      if (this.is("identifier") || this.is("contains")) return this.#negative(at);
      this.restore(state);
    }
    const head = this.#parseHead();
    return head === undefined ? undefined : this.#finish(head);
  }

  /** `-x` is `0 - x`. */
  #negative(at: Place): Term | undefined {
    const operand = this.#finish(this.variable());
    if (operand === undefined) return undefined;
    const zero: ScalarTerm = { kind: "scalar", value: 0, at };
    return this.#call({ kind: "var", name: "minus", at }, [zero, operand], at, at.offset);
  }

  /** `and(x, y)` and `or(x, y)` call functions where `and` and `or` are keywords. */
  #keywordBeginsCall(): void {
    if ((this.is("and") || this.is("or")) && this.peekSpace() === "(") this.asIdentifier();
  }

  #parseHead(): Term | undefined {
    const at = this.here();
    switch (this.kind) {
      case "null":
        return { kind: "scalar", value: null, at };
      case "true":
      case "false":
        return { kind: "scalar", value: this.is("true"), at };
      case "minus":
      case ".":
      case "number":
        return this.#parseNumber();
      case "string":
        return this.#parseString();
      case "template-string-part":
      case "template-string-end":
        return this.#parseTemplate(false);
      case "raw-template-string-part":
      case "raw-template-string-end":
        return this.#parseTemplate(true);
      case "identifier":
      case "contains":
        return this.variable();
      case "[":
        return this.#parseArray();
      case "{":
        return this.#parseSetOrObject();
      case "(":
        return this.#parseParenthesized();
      default:
        return this.illegal();
    }
  }

  #parseParenthesized(): Term | undefined {
    const offset = this.offset;
    this.scan();
    const term = this.parseTermInfix();
    if (term === undefined) return undefined;
    if (!this.is(")")) return this.error(this.here(), "non-terminated expression");
    return { ...term, at: { ...term.at, offset, end: this.tokenEnd } };
  }

  #finish(head: Term): Term | undefined {
    const offset = head.at.offset;
    this.scanSpace();
    if (this.is("(") || this.is(".") || this.is("[")) return this.parseRef(head, offset);
    if (this.is("whitespace")) this.scan();
    return rootReference(head);
  }

  #parseNumber(): Term | undefined {
    const at = this.here();
    let text = "";
    if (this.is("minus")) {
      text = "-";
      this.scan();
      if (!this.is("number") && !this.is(".")) return this.illegal("expected number");
    }
    let fraction = false;
    if (this.is(".")) {
      fraction = true;
      text += ".";
      this.scan();
      if (!this.is("number")) return this.illegal("expected number");
    }
    if (!fraction && /^0[^.eE]|^0[eE]$/.test(this.text)) return this.illegal("expected number without leading zero");
    text += this.text;
    if (numberProblem(text) !== undefined) return this.error(this.here(), "number too big");
    const value: NumberValue = parseNumber(text);
    return { kind: "scalar", value, at };
  }

  #parseString(): Term | undefined {
    const at = this.here();
    const inner = this.text.slice(1, -1);
    if (this.text.startsWith("`") || !inner.includes("\\")) return { kind: "scalar", value: inner, at };
    const value = unquote(this.text);
    return value === undefined ? this.error(at, `illegal string literal: ${this.text}`) : { kind: "scalar", value, at };
  }

  #parseTemplate(raw: boolean): Term | undefined {
    const start = this.here();
    if (this.version === 0) return this.error(start, "template strings are not supported by current capabilities");
    const parts: (ScalarTerm | Expr)[] = [];
    for (;;) {
      const literal = raw || !this.text.includes("\\") ? this.text : unquote(`"${this.text}"`);
      if (literal === undefined) return this.error(this.here(), `illegal template-string part: ${this.text}`);
      if (literal !== "") parts.push({ kind: "scalar", value: literal, at: this.here() });
      if (this.kind.endsWith("template-string-end")) break;
      const part = this.#parseTemplateExpression();
      if (part === undefined) return undefined;
      parts.push(part);
      if (!this.is("}")) return this.error(this.here(), "expected } to end template string expression");
      this.continueTemplate(raw);
    }
    return { kind: "template", raw, parts, at: { ...start, end: this.tokenEnd } };
  }

  #parseTemplateExpression(): ScalarTerm | Expr | undefined {
    const comments = this.commentsSeen;
    this.scan();
    const commented = this.commentsSeen !== comments;
    const expr = this.parseLiteral();
    if (expr === undefined) return this.error(this.here(), "invalid template-string expression");
    const refused = refusedInTemplate(expr);
    if (refused !== undefined) return this.error(expr.at, `unexpected ${refused} in template-string expression`);
    return expr.kind === "term-expr" && expr.term.kind === "scalar" && !commented && expr.with.length === 0 ? expr.term : expr;
  }

  protected parseRef(head: Term, offset: number): Term | undefined {
    return this.nested(() => this.#parseRef(head, offset));
  }

  #parseRef(head: Term, offset: number): Term | undefined {
    if (head.kind === "scalar" || head.kind === "template" || head.kind === "ref") {
      this.error(head.at, `illegal ref (head cannot be ${valueName(head)})`);
    }
    const path: Term[] = [];
    const finished = (end: number): Term => ({ kind: "ref", head, path, at: { ...head.at, offset, end } });
    for (;;) {
      switch (this.kind) {
        case ".": {
          this.scanSpace();
          if (!this.is("identifier") && !this.isReferenceKeyword(this.kind)) return this.illegal("expected identifier");
          path.push({ kind: "scalar", value: this.text, at: this.here() });
          this.scanSpace();
          break;
        }
        case "(":
          return this.#parseCallAndMore(finished(this.offset), offset);
        case "[": {
          this.scan();
          const term = this.parseTermInfix();
          if (term === undefined) return undefined;
          if (!this.is("]")) return this.illegal("expected [");
          path.push(term);
          this.scanSpace();
          break;
        }
        case "whitespace": {
          const end = this.lastEnd;
          this.scan();
          return finished(end);
        }
        default:
          return finished(this.lastEnd);
      }
    }
  }

  #parseCallAndMore(operator: Term, offset: number): Term | undefined {
    if (operator.kind !== "ref") return undefined;
    const call = this.#parseCall(operator, offset);
    if (call === undefined) return undefined;
    if (this.is("whitespace")) this.scan();
    else if (this.is(".") || this.is("[")) return this.parseRef(call, offset);
    return call;
  }

  #parseCall(reference: RefTerm, offset: number): Term | undefined {
    const { head, path } = reference;
    if (head.kind !== "var") return this.error(this.here(), `unexpected call of ${valueName(head)}`);
    const operator = path.length === 0 ? head : reference;
    this.scan();
    const args = this.is(")") ? [] : this.#parseTerms(")", []);
    if (args === undefined) return undefined;
    const at = { ...head.at, offset, end: this.tokenEnd };
    this.scanSpace();
    if (args.length === 0 && operator.kind === "var" && operator.name === "set") return { kind: "set", items: [], at };
    return { kind: "call", operator, args, at };
  }

  #parseArray(): Term | undefined {
    const start = this.here();
    const array = (items: readonly Term[]): Term => ({ kind: "array", items, at: { ...start, end: this.tokenEnd } });
    this.scan();
    if (this.is("]")) return array([]);
    const mayBeComprehension = !this.is(",");
    if (!mayBeComprehension) this.scan();
    const state = this.save();
    const head = this.parseTerm();
    if (head === undefined) return undefined;
    if (this.is("]")) return array([head]);
    if (this.is(",")) {
      this.scan();
      const items = this.#parseTerms("]", [head]);
      return items === undefined ? undefined : array(items);
    }
    if (this.is("|") && mayBeComprehension) {
      this.scan();
      const body = this.parseBody("]");
      if (body !== undefined) {
        return { kind: "array-comprehension", term: head, body, at: { ...start, end: this.tokenEnd } };
      }
      if (!this.is(",")) return undefined;
    }
    this.restore(state);
    const items = this.#parseTerms("]", []);
    return items === undefined ? undefined : array(items);
  }

  #parseSetOrObject(): Term | undefined {
    const start = this.here();
    this.scan();
    if (this.is("}")) return { kind: "object", members: [], at: { ...start, end: this.tokenEnd } };
    const mayBeComprehension = !this.is(",");
    if (!mayBeComprehension) this.scan();
    const state = this.save();
    // A single term first, so that `{a | b}` is a comprehension.
    const head = this.parseTerm();
    if (head === undefined) return undefined;
    if (this.is("}") || this.is(",") || (this.is("|") && mayBeComprehension)) {
      return this.#parseSet(start, state, head, mayBeComprehension);
    }
    if (this.is(":")) return this.#parseObject(start, head, mayBeComprehension);
    this.restore(state);
    const first = this.parseTermInList();
    if (first === undefined) return undefined;
    if (this.is("}") || this.is(",")) return this.#parseSet(start, state, first, false);
    if (this.is(":")) return this.#parseObject(start, first, mayBeComprehension);
    return this.illegal("non-terminated set");
  }

  #parseSet(start: Place, state: State, head: Term, mayBeComprehension: boolean): Term | undefined {
    let items: readonly Term[] | undefined;
    if (this.is("}")) items = [head];
    else if (this.is(",")) {
      this.scan();
      items = this.#parseTerms("}", [head]);
    } else {
      if (mayBeComprehension) {
        this.scan();
        const body = this.parseBody("}");
        if (body !== undefined) {
          return { kind: "set-comprehension", term: head, body, at: { ...start, end: this.tokenEnd } };
        }
        if (!this.is(",")) return undefined;
      }
      this.restore(state);
      items = this.#parseTerms("}", []);
    }
    return items === undefined ? undefined : { kind: "set", items, at: { ...start, end: this.tokenEnd } };
  }

  #parseObject(start: Place, key: Term, mayBeComprehension: boolean): Term | undefined {
    this.scan();
    const state = this.save();
    const value = this.parseTerm();
    if (value === undefined) return undefined;
    if (mayBeComprehension) {
      if (this.is("}") || this.is(",")) return this.#finishObject(start, key, value, true);
      if (this.is("|")) {
        const term = this.#finishObject(start, key, value, true);
        if (term !== undefined) return term;
      }
    }
    this.restore(state);
    const whole = this.parseTermInList();
    if (whole === undefined) return undefined;
    if (this.is("}") || this.is(",")) return this.#finishObject(start, key, whole, false);
    return this.illegal("non-terminated object");
  }

  #finishObject(start: Place, key: Term, value: Term, mayBeComprehension: boolean): Term | undefined {
    if (this.is("|")) {
      if (!mayBeComprehension) return this.illegal("non-terminated object");
      this.scan();
      const body = this.parseBody("}");
      if (body === undefined) return undefined;
      return { kind: "object-comprehension", key, value, body, at: { ...start, end: this.tokenEnd } };
    }
    const members: (readonly [Term, Term])[] = [[key, value]];
    if (this.is(",")) {
      this.scan();
      if (!this.#parseMembers(members)) return undefined;
    }
    return { kind: "object", members, at: { ...start, end: this.tokenEnd } };
  }

  #parseMembers(members: (readonly [Term, Term])[]): boolean {
    while (!this.is("}")) {
      const key = this.parseTermInList();
      if (key === undefined) return false;
      if (!this.is(":")) return this.illegal('expected ":"') ?? false;
      this.scan();
      const value = this.parseTermInList();
      if (value === undefined) return false;
      members.push([key, value]);
      if (this.is(",")) this.scan();
      else if (!this.is("}")) return this.illegal('expected "," or "}"') ?? false;
    }
    return true;
  }

  #parseTerms(end: ")" | "]" | "}", terms: Term[]): Term[] | undefined {
    while (!this.is(end)) {
      const term = this.parseTermInList();
      if (term === undefined) return undefined;
      terms.push(term);
      if (this.is(",")) this.scan();
      else if (!this.is(end)) return this.illegal(`expected "," or "${end}"`);
    }
    return terms;
  }
}

/** `input` and `data` alone are references. */
export function rootReference(term: Term): Term {
  return term.kind === "var" && (term.name === "input" || term.name === "data")
    ? { kind: "ref", head: term, path: [], at: term.at }
    : term;
}

/** What kind of value a term has, as error messages say it. */
export function valueName(term: Term): string {
  switch (term.kind) {
    case "scalar":
      return term.value === null ? "null" : typeof term.value === "object" ? "number" : typeof term.value;
    case "array-comprehension":
      return "arraycomprehension";
    case "set-comprehension":
      return "setcomprehension";
    case "object-comprehension":
      return "objectcomprehension";
    case "template":
      return "templatestring";
    default:
      return term.kind;
  }
}

function memberOperator(name: "member_2" | "member_3", at: Place): RefTerm {
  return { kind: "ref", head: { kind: "var", name: "internal", at }, path: [{ kind: "scalar", value: name, at }], at };
}

function unquote(literal: string): string | undefined {
  try {
    const value: unknown = JSON.parse(literal);
    return typeof value === "string" ? value.toWellFormed() : undefined;
  } catch {
    return undefined;
  }
}

function refusedInTemplate(expr: Expr): string | undefined {
  if (expr.negated) return "negation ('not')";
  if (expr.kind === "call-expr" && expr.operator.kind === "var") {
    if (expr.operator.name === "eq") return "unification ('=')";
    if (expr.operator.name === "assign") return "assignment (':=')";
  }
  if (expr.kind === "every") return "'every'";
  return expr.kind === "some" || expr.kind === "some-in" ? "'some'" : undefined;
}
