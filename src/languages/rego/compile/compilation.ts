import type { Place, Rule, VarTerm } from "../ast.ts";
import type { RegoIssue, RegoIssueCode } from "../issue.ts";

/** What the stages of one compilation share. */
export class Compilation {
  readonly issues: RegoIssue[] = [];
  /** Something is wrong that keeps later stages from making sense of the modules. */
  failed = false;
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
    this.failed = true;
  }

  /** As {@link refuse}, for what later stages can live with. */
  object(file: string, at: Place | undefined, message: string): void {
    this.issues.push({ code: "rego_compile_error", message, file, at });
  }

  /** All issues in the order of their places. */
  sorted(): readonly RegoIssue[] {
    const place = (issue: RegoIssue): number => issue.at?.offset ?? -1;
    return this.issues.toSorted(
      (a, b) =>
        (a.file < b.file ? -1 : a.file > b.file ? 1 : place(a) - place(b)) ||
        (a.message < b.message ? -1 : a.message > b.message ? 1 : 0),
    );
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
