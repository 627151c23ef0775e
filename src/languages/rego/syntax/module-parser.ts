import type { Body, Import, Module, Package, Place, RefTerm, RegoVersion, Rule, Term } from "../ast.ts";
import type { Parsed, RegoIssue } from "../issue.ts";
import { missingKeywordHint, ruleOfBody } from "./body-rule.ts";
import { RuleParser } from "./rule-parser.ts";
import { valueName } from "./term-parser.ts";
import { futureKeywordsV0, futureKeywordsV1, type Keyword, keywordsOf } from "./token.ts";
import { versionIssues } from "./version-checks.ts";

/** A statement of a source. */
export type Statement =
  | { readonly kind: "package"; readonly package: Package }
  | { readonly kind: "import"; readonly import: Import }
  | { readonly kind: "rule"; readonly rule: Rule }
  | { readonly kind: "body"; readonly body: Body; readonly at: Place };

/** Parses whole sources. */
class ModuleParser extends RuleParser {
  readonly #queryOnly: boolean;

  /** @param queryOnly rules are not looked for */
  constructor(file: string, source: string, version: RegoVersion, queryOnly: boolean) {
    super(file, source, version);
    this.#queryOnly = queryOnly;
    if (version >= 1) this.#addKeywords(futureKeywordsV0);
    if (version === 2) this.#addKeywords(futureKeywordsV1);
  }

  parseModule(): Parsed<Module> {
    const statements = this.parseStatements();
    if (this.errors.length > 0) return { ok: false, issues: this.errors };
    return this.#assemble(statements);
  }

  parseStatements(): readonly Statement[] {
    this.scan();
    const statements: Statement[] = [];
    while (!this.is("eof")) {
      const found = this.#parseStatement();
      if (found === undefined) break;
      statements.push(...found);
    }
    return statements;
  }

  get issues(): readonly RegoIssue[] {
    return this.errors;
  }

  #parseStatement(): readonly Statement[] | undefined {
    if (!this.#queryOnly && this.refuseKeywordName(false)) return undefined;
    const state = this.save();
    if (this.is("package")) {
      const parsed = this.#parsePackage();
      if (parsed !== undefined) return this.is("minus") ? this.illegal() : [{ kind: "package", package: parsed }];
      if (this.errors.length > 0) return undefined;
      this.restore(state);
    }
    if (this.is("import")) {
      const parsed = this.#parseImport();
      if (parsed !== undefined) {
        if (this.is("minus")) return this.illegal();
        this.#takeKeywords(parsed);
        return [{ kind: "import", import: parsed }];
      }
      if (this.errors.length > 0) return undefined;
      this.restore(state);
    }
    if (!this.#queryOnly) {
      const rules = this.parseRules();
      if (rules !== undefined) return rules.map((rule) => ({ kind: "rule", rule }));
      if (this.errors.length > 0) return undefined;
      this.restore(state);
    }
    const at = this.here();
    const body = this.parseQuery(true, "eof");
    return body === undefined ? undefined : [{ kind: "body", body, at }];
  }

  /** After `package` or `import`: whether a name follows, and not the rest of a reference that begins with the word. */
  #parseName(): boolean {
    this.scanSpace();
    if (this.is(".") || this.is("[")) return false;
    if (this.is("whitespace")) this.scan();
    if (!this.is("identifier")) {
      if (!this.isReferenceKeyword(this.kind)) return this.illegal() ?? false;
      this.asIdentifier();
    }
    return true;
  }

  #parsePackage(): Package | undefined {
    const start = this.here();
    if (!this.#parseName()) return undefined;
    const term = this.parseTerm();
    if (term === undefined) return this.errors.length === 0 ? this.error(this.here(), "expected path") : undefined;
    const at = this.extended(start);
    if (term.kind === "var") return { path: [term.name], at };
    if (term.kind !== "ref") return this.illegal();
    if (term.head.kind !== "var") {
      return this.error(term.head.at, `unexpected ${valueName(term.head)} token: expecting var`);
    }
    const path = this.#strings(term.path);
    return path === undefined ? undefined : { path: [term.head.name, ...path], at };
  }

  #strings(terms: readonly Term[]): readonly string[] | undefined {
    const strings: string[] = [];
    for (const term of terms) {
      if (term.kind !== "scalar" || typeof term.value !== "string") {
        return this.error(term.at, `unexpected ${valueName(term)} token: expecting string`);
      }
      strings.push(term.value);
    }
    return strings;
  }

  #parseImport(): Import | undefined {
    const start = this.here();
    if (!this.#parseName()) return undefined;
    const path = this.#parseImportPath();
    if (path === undefined) return undefined;
    const root = path.head.kind === "var" ? path.head.name : "";
    if (!["data", "input", "future", "rego"].includes(root)) {
      this.hint("if this is unexpected, try updating OPA");
      const message = `unexpected import path, must begin with one of: {data, future, input, rego}, got: ${root}`;
      return this.error(path.at, message);
    }
    if (this.is("as")) {
      this.scan();
      if (!this.is("identifier")) return this.illegal("expected var");
      const alias = this.parseTerm();
      if (alias?.kind === "var") return { path, alias: alias.name, at: this.extended(start) };
      if (alias?.kind !== "ref") return this.illegal("expected var");
      const name = this.textAt(alias.at);
      return this.error(alias.at, `unexpected import alias, must not be a reserved name, got: ${name}`);
    }
    this.#refuseKeywordEnd(path, root);
    return { path, alias: undefined, at: this.extended(start) };
  }

  #parseImportPath(): RefTerm | undefined {
    const { keywords, cache } = this;
    this.keywords = keywords.withoutFuture();
    this.cache = undefined;
    const term = this.parseTerm();
    this.keywords = keywords;
    this.cache = cache;
    if (term?.kind === "var") return { kind: "ref", head: term, path: [], at: term.at };
    if (term?.kind !== "ref") return this.error(this.here(), "expected path");
    return this.#strings(term.path) === undefined ? undefined : term;
  }

  /** The last name of an import is what the module calls it. */
  #refuseKeywordEnd(path: RefTerm, root: string): void {
    const last = path.path.at(-1);
    if (last !== undefined && root === "future") return;
    const name = last === undefined ? root : last.kind === "scalar" ? String(last.value) : "";
    if (!keywordsOf(this.version).has(name)) return;
    this.hint("import a different path or use an alias");
    this.error((last ?? path).at, `unexpected import path, must not end with a keyword, got: ${name}`);
  }

  #addKeywords(words: readonly Keyword[]): void {
    for (const word of words) {
      this.keywords.add(word);
      if (word === "not") this.notBodies = true;
    }
  }

  #takeKeywords(taken: Import): void {
    const root = taken.path.head.kind === "var" ? taken.path.head.name : "";
    if (root === "rego") this.#takeVersion(taken);
    else if (root === "future") this.#takeFuture(taken);
    else return;
    this.reclassify();
  }

  #takeVersion(taken: Import): void {
    const path = this.textAt(taken.path.at).trim();
    const names = taken.path.path.map((step) => (step.kind === "scalar" ? step.value : undefined));
    const [version] = names;
    if (names.length !== 1 || (version !== "v1" && version !== "v2")) {
      this.error(taken.path.at, `invalid import \`${path}\`, must be one of: \`rego.v1\`, \`rego.v2\``);
    } else if (taken.alias !== undefined) this.error(taken.at, "`rego` imports cannot be aliased");
    else {
      this.#addKeywords(futureKeywordsV0);
      if (version === "v2") this.#addKeywords(futureKeywordsV1);
    }
  }

  #takeFuture(taken: Import): void {
    const [first, second] = taken.path.path.map((step) => (step.kind === "scalar" ? step.value : undefined));
    const allowed: readonly Keyword[] = [...futureKeywordsV0, ...futureKeywordsV1];
    const word = allowed.find((candidate) => candidate === second);
    if (first !== "keywords") this.error(taken.path.at, "invalid import, must be `future.keywords`");
    else if (taken.alias !== undefined) this.error(taken.at, "`future` imports cannot be aliased");
    else if (taken.path.path.length !== 2) this.#addKeywords(allowed);
    else if (word !== undefined) this.#addKeywords([word]);
    else this.error(taken.path.at, `unexpected keyword, must be one of [${allowed.toSorted().join(" ")}]`);
  }

  #assemble(statements: readonly Statement[]): Parsed<Module> {
    const issues: RegoIssue[] = [];
    const refuse = (at: Place | undefined, message: string): void => {
      issues.push({ code: "rego_parse_error", message, file: this.file, at });
    };
    const [first, ...others] = statements;
    if (first === undefined) {
      refuse(undefined, "empty module");
      return { ok: false, issues };
    }
    if (first.kind !== "package") refuse(placeOf(first), "package expected");
    const imports: Import[] = [];
    const rules: Rule[] = [];
    let version = this.version;
    for (const [i, statement] of others.entries()) {
      switch (statement.kind) {
        case "package":
          refuse(statement.package.at, "unexpected package");
          break;
        case "import":
          imports.push(statement.import);
          version = raised(version, statement.import);
          break;
        case "rule":
          rules.push(statement.rule);
          break;
        case "body": {
          const rule = ruleOfBody(statement.body);
          if (typeof rule !== "string") rules.push(rule);
          else {
            const hint = this.version === 0 && version === 0 ? missingKeywordHint(statement, others[i + 1]) : "";
            refuse(statement.body[0]?.at, rule + hint);
          }
        }
      }
    }
    if (version >= 1) issues.push(...versionIssues(rules, version, this.file));
    if (issues.length > 0 || first.kind !== "package") return { ok: false, issues };
    const comments = [...this.comments.values()].sort((a, b) => a.at.offset - b.at.offset);
    const { file, source } = this;
    return { ok: true, value: { file, source, version, package: first.package, imports, rules, comments } };
  }
}

function raised(version: RegoVersion, taken: Import): RegoVersion {
  const { head, path } = taken.path;
  const [first] = path;
  if (head.kind !== "var" || head.name !== "rego" || first?.kind !== "scalar") return version;
  if (first.value === "v2") return 2;
  return first.value === "v1" && version === 0 ? 1 : version;
}

function placeOf(statement: Statement): Place {
  switch (statement.kind) {
    case "package":
      return statement.package.at;
    case "import":
      return statement.import.at;
    case "rule":
      return statement.rule.at;
    case "body":
      return statement.at;
  }
}

/** Parses a module of the given version, which its imports may raise. */
export function parseModule(file: string, source: string, version: RegoVersion = 1): Parsed<Module> {
  return new ModuleParser(file, source, version, false).parseModule();
}

/** Parses a query: expressions on lines or after semicolons, as in a rule's body. */
export function parseQuery(source: string, version: RegoVersion = 1, imports = ""): Parsed<Body> {
  const parser = new ModuleParser("", `${imports}${source}`, version, true);
  const statements = parser.parseStatements();
  const body = statements.flatMap((statement) => (statement.kind === "body" ? statement.body : []));
  return parser.issues.length > 0 ? { ok: false, issues: parser.issues } : { ok: true, value: body };
}
