import type { Place, Rule, VarTerm } from "../ast.ts";
import type { RegoIssue, RegoIssueCode } from "../issue.ts";

/** What the stages of one compilation share. */
export class Compilation {
  readonly issues: RegoIssue[] = [];
  readonly strict: boolean;
  /** What the source calls the variables that were given unique names. */
  readonly originals = new Map<string, string>();
  readonly #taken: ReadonlySet<string>;
  #locals = 0;

  /** @param sources names in them are not given to variables that the compiler makes */
  constructor(strict: boolean, sources: readonly string[]) {
    this.strict = strict;
    this.#taken = new Set(sources.flatMap((source) => source.match(/__local\d+__/g) ?? []));
  }

  fresh(at: Place): VarTerm {
    for (;;) {
      const name = `__local${this.#locals++}__`;
      if (!this.#taken.has(name)) return { kind: "var", name, at };
    }
  }

  refuse(file: string, at: Place | undefined, message: string, code: RegoIssueCode = "rego_compile_error"): void {
    this.issues.push({ code, message, file, at });
  }
}

/** A module while it is compiled. */
export interface Unit {
  readonly file: string;
  readonly source: string;
  /** `data` and the names of the package. */
  readonly package: readonly string[];
  readonly packageAt: Place;
  /** Whether v1's stricter checks hold. */
  readonly isV1: boolean;
  rules: readonly Rule[];
}
