/** One labelled statement: `When: a Pod is created`. Several texts are alternatives or items, as the label says. */
export interface Statement {
  readonly label: string;
  readonly texts: readonly string[];
}

export interface RuleExplanation {
  readonly name: string;
  readonly statements: readonly Statement[];
}

/** What a policy does, in words. */
export interface PolicyExplanation {
  /** `ClusterPolicy disallow-latest-tag` */
  readonly policy: string;
  /** `file:line:column`, or the file alone. */
  readonly location: string;
  readonly statements: readonly Statement[];
  readonly rules: readonly RuleExplanation[];
}

/** A statement, or nothing where there is nothing to say. */
export function statement(label: string, ...texts: readonly string[]): readonly Statement[] {
  return texts.length === 0 ? [] : [{ label, texts }];
}

/** `a, b and c`. */
export function andList(words: readonly string[]): string {
  return wordList(words, "and");
}

/** `a, b or c`. */
export function orList(words: readonly string[]): string {
  return wordList(words, "or");
}

function wordList(words: readonly string[], last: string): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`;
}
