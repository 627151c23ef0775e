import type { Place, Rule, VarTerm } from "../ast.ts";
import type { RegoIssue, RegoIssueCode } from "../issue.ts";

/** What the stages of one compilation share. */
export class Compilation {
  readonly issues: RegoIssue[] = [];
  readonly strict: boolean;
  /** What the source calls the variables that were given unique names. */
  readonly originals = new Map<string, string>();
  #locals = 0;

  constructor(strict: boolean) {
    this.strict = strict;
  }

  fresh(at: Place): VarTerm {
    return { kind: "var", name: `__local${this.#locals++}__`, at };
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
