/** What a token is, by the name that error messages give it; `&` and `|` would share theirs with the keywords. */
export type TokenKind =
  | "illegal"
  | "eof"
  | "whitespace"
  | "identifier"
  | "comment"
  | Keyword
  | "number"
  | "string"
  | "template-string-part"
  | "template-string-end"
  | "raw-template-string-part"
  | "raw-template-string-end"
  | "["
  | "]"
  | "{"
  | "}"
  | "("
  | ")"
  | ","
  | ":"
  | "."
  | ";"
  | Operator;

/** Operators are named by the functions that they call. */
export type Operator =
  | "plus"
  | "minus"
  | "mul"
  | "div"
  | "rem"
  | "&"
  | "|"
  | "eq"
  | "equal"
  | "assign"
  | "neq"
  | "gt"
  | "lt"
  | "gte"
  | "lte";

export type Keyword = BaseKeyword | FutureKeyword | LaterKeyword;

type BaseKeyword = "package" | "import" | "as" | "default" | "else" | "not" | "some" | "with" | "null" | "true" | "false";
/** Words that v1 knows and v0 imports. */
type FutureKeyword = "in" | "every" | "contains" | "if";
/** Words that v2 knows and v1 imports; `not` gains braces. */
type LaterKeyword = "and" | "or";

const baseKeywords: readonly Keyword[] = [
  "package",
  "import",
  "as",
  "default",
  "else",
  "not",
  "some",
  "with",
  "null",
  "true",
  "false",
];

export const futureKeywordsV0: readonly Keyword[] = ["in", "every", "contains", "if"];
export const futureKeywordsV1: readonly Keyword[] = ["not", "and", "or"];
const allFuture: ReadonlySet<string> = new Set([...futureKeywordsV0, ...futureKeywordsV1]);

export function isFutureKeyword(word: string): boolean {
  return allFuture.has(word);
}

/** The words that no module of the version can use as names. */
export function keywordsOf(version: 0 | 1 | 2): ReadonlySet<string> {
  return reserved[version];
}

const reserved: readonly [ReadonlySet<string>, ReadonlySet<string>, ReadonlySet<string>] = [
  new Set(baseKeywords),
  new Set([...baseKeywords, ...futureKeywordsV0]),
  new Set([...baseKeywords, ...futureKeywordsV0, "and", "or"]),
];

/** Every word that can become a keyword. */
const words: ReadonlyMap<string, Keyword> = new Map(
  [...baseKeywords, ...futureKeywordsV0, ...futureKeywordsV1].map((word) => [word, word]),
);

/** The words that a scanner takes for keywords. */
export class Keywords {
  readonly #active: Map<string, Keyword>;

  constructor(active: Iterable<Keyword> = baseKeywords) {
    this.#active = new Map();
    for (const word of active) this.add(word);
  }

  add(word: Keyword): void {
    this.#active.set(word, word);
    // Importing `every` means importing `in`.
    if (word === "every") this.#active.set("in", "in");
  }

  kindOf(word: string): Keyword | "identifier" {
    return this.#active.get(word) ?? "identifier";
  }

  has(word: string): boolean {
    return this.#active.has(word);
  }

  /** With all future keywords, for hints. */
  withAll(): Keywords {
    return new Keywords([...this.#active.values(), ...words.values()]);
  }

  /** Without any future keyword, for the paths of imports. */
  withoutFuture(): Keywords {
    return new Keywords([...this.#active.values()].filter((word) => !allFuture.has(word)));
  }
}
