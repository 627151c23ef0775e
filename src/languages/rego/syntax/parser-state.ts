import type { Comment, Place, RegoVersion, VarTerm } from "../ast.ts";
import type { RegoIssue } from "../issue.ts";
import { Places } from "./places.ts";
import { Scanner, type Token } from "./scanner.ts";
import { isFutureKeyword, Keywords, keywordsOf, type TokenKind } from "./token.ts";

/** All that going back to an earlier place restores. Errors and hints are replaced, never changed. */
export interface State {
  readonly token: Token;
  /** Ends of the last two tokens that were not white space. */
  readonly tokenEnd: number;
  readonly lastEnd: number;
  readonly wildcards: number;
  readonly skippedNewline: boolean;
  readonly commentsSeen: number;
  readonly errors: readonly RegoIssue[];
  readonly hints: readonly string[];
}

/** More nesting than anyone writes; deeper sources are refused before they exhaust the stack. */
const maxDepth = 300;

const displayNames: { readonly [kind: string]: string } = { "&": "and", "|": "or" };

/** The place of a parser in its source: tokens, errors, and going back. */
export class ParserState {
  protected readonly file: string;
  protected readonly source: string;
  protected readonly version: RegoVersion;
  protected readonly comments = new Map<number, Comment>();
  protected keywords: Keywords;
  /** `not { ... }` takes a body. */
  protected notBodies = false;
  readonly #scanner: Scanner;
  readonly #places: Places;
  #depth = 0;
  #state: State;

  constructor(file: string, source: string, version: RegoVersion) {
    this.file = file;
    this.source = source;
    this.version = version;
    this.keywords = new Keywords();
    this.#scanner = new Scanner(source);
    this.#places = new Places(source);
    const start = this.#scanner.start;
    this.#state = {
      token: { kind: "illegal", offset: start, end: start, text: "", errors: [] },
      tokenEnd: start,
      lastEnd: start,
      wildcards: 0,
      skippedNewline: false,
      commentsSeen: 0,
      errors: [],
      hints: [],
    };
  }

  protected get kind(): TokenKind {
    return this.#state.token.kind;
  }

  /** As `this.kind === kind`, of which the compiler would believe that it holds for good. */
  protected is(kind: TokenKind): boolean {
    return this.#state.token.kind === kind;
  }

  protected get text(): string {
    return this.#state.token.text;
  }

  protected get offset(): number {
    return this.#state.token.offset;
  }

  protected get tokenEnd(): number {
    return this.#state.tokenEnd;
  }

  protected get lastEnd(): number {
    return this.#state.lastEnd;
  }

  protected get skippedNewline(): boolean {
    return this.#state.skippedNewline;
  }

  protected get commentsSeen(): number {
    return this.#state.commentsSeen;
  }

  protected get errors(): readonly RegoIssue[] {
    return this.#state.errors;
  }

  protected save(): State {
    return this.#state;
  }

  protected restore(state: State): void {
    this.#state = state;
  }

  /** The place of the current token. */
  protected here(): Place {
    return this.#places.place(this.offset, this.tokenEnd);
  }

  protected place(offset: number, end: number): Place {
    return this.#places.place(offset, end);
  }

  /** From where `start` begins to the end of the last token. */
  protected extended(start: Place): Place {
    return { ...start, end: this.lastEnd };
  }

  protected textAt(at: Place): string {
    return this.source.slice(at.offset, at.end);
  }

  /** Takes the current token for a name. */
  protected asIdentifier(): void {
    this.#state = { ...this.#state, token: { ...this.#state.token, kind: "identifier" } };
  }

  /** The current token anew, after keywords were added. */
  protected reclassify(): void {
    if (this.kind !== "identifier" || !isFutureKeyword(this.text)) return;
    const kind = this.keywords.kindOf(this.text);
    this.#state = { ...this.#state, token: { ...this.#state.token, kind } };
  }

  protected scan(): void {
    this.#advance(true, undefined);
  }

  /** As {@link scan}, but white space is a token. */
  protected scanSpace(): void {
    this.#advance(false, undefined);
  }

  protected continueTemplate(raw: boolean): void {
    this.#advance(false, raw);
  }

  /** What follows the current token, white space included. */
  protected peekSpace(): TokenKind {
    const state = this.save();
    this.scanSpace();
    const kind = this.kind;
    this.restore(state);
    return kind;
  }

  #advance(skipSpace: boolean, rawTemplate: boolean | undefined): void {
    const before = this.#state;
    let { tokenEnd, lastEnd, skippedNewline, commentsSeen, errors, hints } = before;
    if (before.token.kind !== "whitespace") {
      lastEnd = tokenEnd;
      skippedNewline = false;
    }
    let at = before.token.end;
    let token: Token;
    for (;;) {
      if (skipSpace) {
        const from = at;
        at = this.#scanner.spaceEnd(from);
        if (at > from && this.source.slice(from, at).includes("\n")) skippedNewline = true;
      }
      token =
        rawTemplate === undefined
          ? this.#scanner.scan(at, this.keywords)
          : this.#scanner.continueTemplate(before.token.offset, rawTemplate);
      at = token.end;
      tokenEnd = token.end;
      if (token.errors.length > 0) {
        const place = this.#places.place(token.offset, token.end);
        for (const message of token.errors) {
          errors = [...errors, this.#issue(place, message, hints)];
          hints = [];
        }
        token = { ...token, kind: "illegal" };
      }
      if (token.kind === "whitespace" && token.text === "\n") skippedNewline = true;
      if (token.kind !== "comment") break;
      commentsSeen++;
      this.comments.set(token.offset, { at: this.#places.place(token.offset, token.end), text: token.text.slice(1) });
    }
    this.#state = { ...before, token, tokenEnd, lastEnd, skippedNewline, commentsSeen, errors, hints };
  }

  #issue(at: Place, message: string, hints: readonly string[]): RegoIssue {
    const hint = hints.length === 0 ? "" : ` (${hints.length === 1 ? "hint" : "hints"}: ${hints.join(", ")})`;
    return { code: "rego_parse_error", message: message + hint, file: this.file, at };
  }

  protected error(at: Place, message: string): undefined {
    const { errors, hints } = this.#state;
    this.#state = { ...this.#state, errors: [...errors, this.#issue(at, message, hints)], hints: [] };
    return undefined;
  }

  protected hint(text: string): void {
    this.#state = { ...this.#state, hints: [...this.#state.hints, text] };
  }

  protected get hinted(): boolean {
    return this.#state.hints.length > 0;
  }

  /** The current token may not stand here. */
  protected illegal(note?: string): undefined {
    if (this.kind === "illegal") return this.error(this.here(), "illegal token");
    const name = displayNames[this.kind] ?? this.kind;
    const isWord = keywordsOf(0).has(this.kind) || isFutureKeyword(this.kind);
    const what = `unexpected ${name} ${isWord ? "keyword" : "token"}`;
    return this.error(this.here(), note === undefined ? what : `${what}: ${note}`);
  }

  /** A keyword that may stand in references, as in `input.if`. */
  protected isReferenceKeyword(kind: TokenKind): boolean {
    return keywordsOf(this.version).has(kind) || this.keywords.has(kind);
  }

  /** Takes a keyword for a name where a reference begins with it. */
  protected keywordBeginsReference(): boolean {
    if (!this.isReferenceKeyword(this.kind)) return false;
    const next = this.peekSpace();
    if (next !== "." && next !== "[") return false;
    this.asIdentifier();
    return true;
  }

  /** The variable of the current token. */
  protected variable(): VarTerm {
    return { kind: "var", name: this.text === "_" ? this.wildcard() : this.text, at: this.here() };
  }

  protected wildcard(): string {
    const { wildcards } = this.#state;
    this.#state = { ...this.#state, wildcards: wildcards + 1 };
    return `$${wildcards}`;
  }

  /** Runs `parse` one level deeper. */
  protected nested<T>(parse: () => T | undefined): T | undefined {
    if (this.#depth >= maxDepth) return this.error(this.here(), "max parsing recursion depth exceeded");
    this.#depth++;
    try {
      return parse();
    } finally {
      this.#depth--;
    }
  }
}
