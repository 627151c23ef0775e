import type { Body, Expr, Head, Place, Rule, Term, VarTerm } from "../ast.ts";
import { LiteralParser } from "./literal-parser.ts";
import { rootReference, valueName } from "./term-parser.ts";
import type { TokenKind } from "./token.ts";
import { visitTerms } from "./visit.ts";

const wordFollowers: ReadonlySet<TokenKind> = new Set(["assign", "eq", "if", "contains", "("]);
const operatorFollowers: ReadonlySet<TokenKind> = new Set(["assign", "eq", "if", "contains"]);
const pathFollowers: ReadonlySet<TokenKind> = new Set(["assign", "eq", "("]);

/** What follows a keyword where it can only have been meant as the name of a rule. */
const nameFollowers: { readonly [kind: string]: ReadonlySet<TokenKind> } = {
  every: wordFollowers,
  if: wordFollowers,
  in: wordFollowers,
  some: wordFollowers,
  as: wordFollowers,
  package: pathFollowers,
  import: pathFollowers,
  not: operatorFollowers,
  and: operatorFollowers,
  or: operatorFollowers,
  contains: new Set(["if", "contains"]),
};

/** Parses rules. */
export class RuleParser extends LiteralParser {
  /** Reports a keyword that is used as the name of a rule. */
  protected refuseKeywordName(isDefault: boolean): boolean {
    const followers = nameFollowers[this.kind];
    if (followers === undefined) return false;
    const { kind } = this;
    const at = this.here();
    if (!isDefault) {
      const state = this.save();
      this.scan();
      const next = this.kind;
      this.restore(state);
      if (!followers.has(next)) return false;
    }
    this.error(at, `${kind} keyword cannot be used for rule name`);
    return true;
  }

  /** A rule, and those that chained bodies add to it. */
  protected parseRules(): readonly Rule[] | undefined {
    const start = this.here();
    this.keywordBeginsReference();
    const isDefault = this.is("default");
    if (isDefault) {
      this.scan();
      this.keywordBeginsReference();
    }
    if (!this.is("identifier")) {
      if (isDefault) this.refuseKeywordName(true);
      return undefined;
    }
    const parsed = this.#parseHead(isDefault);
    if (parsed === undefined) return undefined;
    if (isDefault) return this.#defaultRule(start, parsed);
    const head: Head = { ...this.#completeHead(parsed), usesIf: this.is("if") };
    const body = this.#parseRuleBody(head);
    if (body === undefined) return undefined;
    if (body === "none") {
      return [{ ...this.#rule(head.at, head, trueBody(start), undefined), generatedBody: true }];
    }
    let otherwise: Rule | undefined;
    if (this.is("else") && !this.keywordBeginsReference()) {
      if (head.ref.length > 1 && !head.ref.slice(1).every(isGround)) {
        return this.error(this.here(), "else keyword cannot be used on rules with variables in head");
      }
      if (head.key !== undefined) return this.error(this.here(), "else keyword cannot be used on multi-value rules");
      otherwise = this.#parseElse(head);
      if (otherwise === undefined) return undefined;
    }
    const rules: Rule[] = [this.#rule(this.extended(start), head, body, otherwise)];
    while (this.is("{")) {
      if (otherwise !== undefined) return this.error(this.here(), "expected else keyword");
      const at = this.here();
      this.scan();
      const next = this.parseBody("}");
      if (next === undefined) return undefined;
      this.scan();
      rules.push(this.#rule(this.extended(at), this.#withOwnWildcards({ ...head, at }), next, undefined));
    }
    return rules;
  }

  #rule(at: Place, head: Head, body: Body, otherwise: Rule | undefined): Rule {
    return { isDefault: false, head, body, generatedBody: false, otherwise, at };
  }

  #withOwnWildcards(head: Head): Head {
    const renew = (arg: Term): Term => (arg.kind === "var" && arg.name.startsWith("$") ? { ...arg, name: this.wildcard() } : arg);
    return { ...head, args: head.args.map(renew) };
  }

  #defaultRule(start: Place, head: Head): readonly Rule[] | undefined {
    const { value } = head;
    if (value === undefined || head.generatedValue) {
      return this.error(start, "illegal default rule (must have a value)");
    }
    const before = this.errors.length;
    visitTerms(value, (term) => {
      if (term.kind.endsWith("comprehension")) return false;
      if (term.kind !== "ref" && term.kind !== "var" && term.kind !== "call") return true;
      this.error(start, `illegal default rule (value cannot contain ${term.kind})`);
      return false;
    });
    const names = new Set<string>();
    for (const arg of head.args) {
      if (arg.kind !== "var") this.error(start, `illegal default rule (arguments cannot contain ${valueName(arg)})`);
      else if (names.has(arg.name)) {
        this.error(start, `illegal default rule (arguments cannot be repeated ${arg.name})`);
      } else names.add(arg.name);
    }
    if (this.errors.length > before) return undefined;
    const at = this.extended(start);
    return [{ ...this.#rule(at, head, trueBody(start), undefined), isDefault: true }];
  }

  #parseHead(isDefault: boolean): Head | undefined {
    const start = this.here();
    const name = this.variable();
    const term = this.#parseHeadReference(name);
    if (term === undefined) return this.illegal("expected rule head name");
    const place = this.#headReference(term);
    if (place === undefined) return undefined;
    const { ref, args, called } = place;
    const text = this.source.slice(start.offset, this.lastEnd).trimEnd();
    let head: Head = {
      ref,
      args,
      key: undefined,
      value: undefined,
      assign: false,
      generatedValue: false,
      usesIf: false,
      usesContains: false,
      at: start,
    };
    if (this.is("contains")) {
      if (called) {
        this.illegal(
          `the contains keyword can only be used with multi-value rule definitions (e.g., ${text} contains <VALUE> { ... })`,
        );
      }
      this.scan();
      const key = this.parseTermInfix();
      if (key === undefined) this.illegal(`expected rule key term (e.g., ${text} contains <VALUE> { ... })`);
      head = { ...head, key, usesContains: true };
      return { ...head, at: this.extended(start) };
    }
    if (this.is("eq") || this.is("assign")) {
      const assign = this.is("assign");
      this.scan();
      const value = this.parseTermInfix();
      if (value === undefined) this.illegal(expectedValue(text, assign, args.length > 0, isDefault));
      head = { ...head, assign, value };
    }
    if (head.value === undefined && (ref.length !== 2 || args.length > 0)) {
      head = { ...head, generatedValue: true, value: { kind: "scalar", value: true, at: start } };
    }
    return { ...head, at: this.extended(start) };
  }

  #parseHeadReference(name: VarTerm): Term | undefined {
    const { offset } = this;
    this.scanSpace();
    const operators: readonly TokenKind[] = [
      "plus",
      "minus",
      "mul",
      "div",
      "rem",
      "&",
      "|",
      "equal",
      "neq",
      "gt",
      "gte",
      "lt",
      "lte",
    ];
    if (operators.includes(this.kind)) this.illegal();
    else if (this.is("whitespace")) this.scan();
    if (this.is("(") || this.is(".") || this.is("[")) return this.parseRef(name, offset);
    return rootReference(name);
  }

  #headReference(term: Term): { ref: Head["ref"]; args: readonly Term[]; called: boolean } | undefined {
    if (term.kind === "var") return { ref: [term], args: [], called: false };
    if (term.kind === "call") {
      const place = this.#headReference(term.operator);
      return place === undefined ? undefined : { ...place, args: term.args, called: true };
    }
    if (term.kind !== "ref" || term.head.kind !== "var") return undefined;
    return { ref: [term.head, ...term.path], args: [], called: false };
  }

  /** `p[x]` is a set, unless `if` or a value says otherwise. */
  #completeHead(head: Head): Head {
    const [name, second, ...more] = head.ref;
    const hasIf = this.is("if");
    if (second === undefined || more.length > 0 || head.usesContains) return head;
    if (hasIf) {
      const keyed = (!isGround(second) || second.kind === "ref") && head.args.length === 0;
      const key = keyed ? second : head.key;
      if (head.value !== undefined) return { ...head, key };
      return { ...head, key, generatedValue: true, value: { kind: "scalar", value: true, at: head.at } };
    }
    if (head.args.length > 0) return head;
    return head.value === undefined ? { ...head, key: second, ref: [name] } : { ...head, key: second };
  }

  /** `none`: the head alone is a rule. */
  #parseRuleBody(head: Head): Body | "none" | undefined {
    if (this.is("if")) {
      this.scan();
      const state = this.save();
      const braces = this.is("{");
      const expr = this.parseLiteral();
      const isSet = braces && expr?.kind === "term-expr" && expr.term.kind === "set";
      if (expr !== undefined && !isSet) return [expr];
      if (!braces) return undefined;
      this.restore(state);
    } else if (!this.is("{")) return head.usesContains ? "none" : undefined;
    this.scan();
    const body = this.parseBody("}");
    if (body === undefined) return undefined;
    this.scan();
    return body;
  }

  #parseElse(head: Head): Rule | undefined {
    const start = this.here();
    let own: Head = { ...this.#withOwnWildcards(head), at: start, generatedValue: false };
    this.scan();
    if (this.is("{") || this.is("if")) {
      own = { ...own, generatedValue: true, value: { kind: "scalar", value: true, at: start } };
    } else if (this.is("assign") || this.is("eq")) {
      const assign = this.is("assign");
      this.scan();
      const value = this.parseTermInfix();
      if (value === undefined) return undefined;
      own = { ...own, assign, value, at: this.extended(start) };
    } else return this.illegal("expected else value term or rule body");
    const usesIf = this.is("if");
    if (!usesIf && !this.is("{")) {
      return { ...this.#rule(this.extended(start), own, trueBody(start), undefined), generatedBody: true };
    }
    own = { ...own, usesIf: own.usesIf || usesIf };
    if (usesIf) this.scan();
    const body = this.#parseElseBody();
    if (body === undefined) return undefined;
    let otherwise: Rule | undefined;
    if (this.is("else")) {
      otherwise = this.#parseElse(head);
      if (otherwise === undefined) return undefined;
    }
    return this.#rule(this.extended(start), own, body, otherwise);
  }

  #parseElseBody(): Body | undefined {
    if (this.is("eof")) return this.illegal("rule body expected");
    if (!this.is("{")) {
      const expr = this.parseLiteral();
      return expr === undefined ? undefined : [expr];
    }
    this.scan();
    const body = this.parseBody("}");
    if (body !== undefined) this.scan();
    return body;
  }
}

function expectedValue(name: string, assign: boolean, isFunction: boolean, isDefault: boolean): string {
  if (!assign) return `expected rule value term (e.g., ${name} = <VALUE> { ... })`;
  if (isFunction) return `expected function value term (e.g., ${name}(...) := <VALUE> { ... })`;
  if (isDefault) return `expected default rule value term (e.g., default ${name} := <VALUE>)`;
  return `expected rule value term (e.g., ${name} := <VALUE> { ... })`;
}

/** The body `true` of rules without one. */
export function trueBody(at: Place): readonly [Expr] {
  const term: Term = { kind: "scalar", value: true, at };
  return [{ kind: "term-expr", term, with: [], negated: false, generated: true, at }];
}

/** Whether a term holds no variable (the heads of references apart). */
export function isGround(term: Term): boolean {
  let ground = true;
  visitTerms(term, (inner) => {
    if (inner.kind === "var") ground = false;
    if (inner.kind !== "ref") return ground;
    // What begins a reference is a name, not a variable to be found.
    for (const step of inner.path) if (!isGround(step)) ground = false;
    return false;
  });
  return ground;
}
