import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../../core/json.ts";
import { readYaml } from "../../../core/yaml/read-yaml.ts";
import type { Comment, Module, Place, Rule, Term } from "../ast.ts";
import type { RegoIssue } from "../issue.ts";
import { parseQuery } from "../syntax/module-parser.ts";

type Scope = "rule" | "document" | "package" | "subpackages";

/** A METADATA block, as `rego.metadata` shows it. */
export interface Annotations {
  readonly scope: Scope;
  readonly at: Place;
  /** The rule below it; undefined: the package. */
  readonly rule: Rule | undefined;
  /** `scope`, `title`, `description` ... */
  readonly content: JsonObject;
}

/** The METADATA blocks of a module, and what is wrong with them. */
export function annotationsOf(module: Module): { annotations: readonly Annotations[]; issues: readonly RegoIssue[] } {
  const annotations: Annotations[] = [];
  const issues: RegoIssue[] = [];
  for (const block of metadataBlocks(module.comments)) {
    const [first] = block;
    if (first === undefined) continue;
    const text = block.slice(1).map((comment) => comment.text.replace(/^ /, ""));
    const result = readBlock(module, first.at, text.join("\n"));
    if (typeof result !== "string") annotations.push(result);
    else issues.push({ code: "rego_parse_error", message: result, file: module.file, at: first.at });
  }
  return { annotations, issues };
}

const isHead = (comment: Comment): boolean => comment.at.column === 1 && comment.text.trimStart().startsWith("METADATA");

/** Comments from `# METADATA` on, on lines that follow one another. */
function metadataBlocks(comments: readonly Comment[]): readonly (readonly Comment[])[] {
  const blocks: Comment[][] = [];
  let open: Comment[] | undefined;
  for (const [i, comment] of comments.entries()) {
    const previous = comments[i - 1];
    const follows = comment.at.column === 1 && previous !== undefined && previous.at.line + 1 === comment.at.line;
    if (isHead(comment)) {
      open = [comment];
      blocks.push(open);
    } else if (open !== undefined && follows) open.push(comment);
    else open = undefined;
  }
  return blocks;
}

function readBlock(module: Module, at: Place, text: string): Annotations | string {
  if (text.trim() === "") return "expected METADATA block, found whitespace";
  const loaded = readYaml(text, "go-yaml-v3");
  if (!loaded.ok) return `yaml: ${loaded.diagnostics[0]?.message ?? "invalid"}`;
  if (!isObject(loaded.value)) return "yaml: METADATA is no mapping";
  const raw = loaded.value;
  const statement = statementBelow(module, at.line);
  const entrypoint = member(raw, "entrypoint") === true;
  const scope = asString(member(raw, "scope")) ?? defaultScope(statement, entrypoint);
  if (scope !== "rule" && scope !== "document" && scope !== "package" && scope !== "subpackages") {
    return `invalid annotation scope '${scope}'. Use one of 'rule', 'document', 'package', or 'subpackages'`;
  }
  const rule = statement?.kind === "rule" ? statement.rule : undefined;
  const needsRule = scope === "rule" || scope === "document";
  if (needsRule !== (rule !== undefined) || statement === undefined || statement.kind === "import") {
    const have = statement === undefined ? "" : ` (have ${statement.kind})`;
    return `annotation scope '${scope}' must be applied to ${needsRule ? "rule" : "package"}${have}`;
  }
  if (entrypoint && scope !== "document" && scope !== "package") {
    return `annotation entrypoint applied to non-document or package scope '${scope}'`;
  }
  const content = contentOf(raw, scope, entrypoint);
  return typeof content === "string" ? content : { scope, at, rule, content };
}

type Statement =
  | { readonly kind: "package"; readonly line: number }
  | { readonly kind: "import"; readonly line: number }
  | { readonly kind: "rule"; readonly line: number; readonly rule: Rule };

function statementBelow(module: Module, line: number): Statement | undefined {
  const statements: Statement[] = [
    { kind: "package", line: module.package.at.line },
    ...module.imports.map((taken): Statement => ({ kind: "import", line: taken.at.line })),
    ...module.rules.map((rule): Statement => ({ kind: "rule", line: rule.at.line, rule })),
  ];
  return statements.filter((s) => s.line > line).sort((a, b) => a.line - b.line)[0];
}

function defaultScope(statement: Statement | undefined, entrypoint: boolean): string {
  if (statement?.kind === "rule") return entrypoint ? "document" : "rule";
  return statement?.kind ?? "";
}

function contentOf(raw: JsonObject, scope: Scope, entrypoint: boolean): JsonObject | string {
  const content: Record<string, JsonValue> = { scope };
  for (const name of ["title", "description"]) {
    const text = member(raw, name);
    if (text !== undefined && text !== null && text !== "") content[name] = String(text);
  }
  if (entrypoint) content["entrypoint"] = true;
  const lists: readonly (readonly [string, (item: JsonValue) => JsonValue | Error])[] = [
    ["organizations", (item) => String(item)],
    ["related_resources", relatedResource],
    ["authors", author],
    ["schemas", schema],
  ];
  for (const [name, read] of lists) {
    const items = member(raw, name);
    if (!isArray(items) || items.length === 0) continue;
    const values: JsonValue[] = [];
    for (const item of items) {
      const value = read(item);
      if (value instanceof Error) return value.message;
      values.push(value);
    }
    content[name] = values;
  }
  for (const name of ["custom", "labels"]) {
    const object = member(raw, name);
    if (isObject(object) && Object.keys(object).length > 0) content[name] = object;
  }
  return content;
}

function relatedResource(item: JsonValue): JsonValue | Error {
  if (typeof item === "string") {
    return item === "" ? new Error("invalid related-resource definition : ref URL may not be empty string") : { ref: item };
  }
  const ref = asString(member(item, "ref"))?.trim() ?? "";
  if (ref === "") return new Error("invalid related-resource definition: 'ref' value required in object");
  const description = asString(member(item, "description"))?.trim() ?? "";
  return description === "" ? { ref } : { ref, description };
}

/** `Name <mail>`, or an object of both. */
function author(item: JsonValue): JsonValue | Error {
  const person = (name: string, email: string): JsonValue => ({
    ...(name === "" ? {} : { name }),
    ...(email === "" ? {} : { email }),
  });
  if (typeof item !== "string") {
    const name = asString(member(item, "name"))?.trim() ?? "";
    const email = asString(member(item, "email"))?.trim() ?? "";
    if (name !== "" || email !== "") return person(name, email);
    return new Error("invalid author definition: 'name' and/or 'email' values required in object");
  }
  const words = item.split(/\s+/).filter((word) => word !== "");
  const last = words.at(-1);
  if (last === undefined) return new Error(`invalid author definition ${item}: author is an empty string`);
  const email = /^<(.*)>$/.exec(last)?.[1] ?? "";
  return person((email === "" ? words : words.slice(0, -1)).join(" "), email);
}

/** `path: schema`, both references, or a schema as an object. */
function schema(item: JsonValue): JsonValue | Error {
  const [pair] = isObject(item) ? Object.entries(item) : [];
  if (pair === undefined) return new Error("invalid document reference");
  const [name, definition] = pair;
  const path = referencePath(name);
  if (path === undefined) return new Error("invalid document reference");
  if (isObject(definition)) return { path, definition };
  const reference = typeof definition === "string" ? referencePath(definition) : undefined;
  if (reference?.[0] !== "schema") return new Error("invalid schema reference");
  return { path, schema: reference };
}

function referencePath(text: string): readonly JsonValue[] | undefined {
  const parsed = parseQuery(text);
  const [expr] = parsed.ok ? parsed.value : [];
  const term: Term | undefined = expr?.kind === "term-expr" ? expr.term : undefined;
  if (term?.kind === "var") return [term.name];
  if (term?.kind !== "ref" || term.head.kind !== "var") return undefined;
  return [term.head.name, ...term.path.map((step) => (step.kind === "scalar" ? String(step.value) : ""))];
}
