import { asString, isArray, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import { compileExternalEntry } from "./context-external.ts";
import { reasonOf } from "./outcome.ts";
import { compileQuery, type QuerySource, search } from "./query.ts";
import type { DocumentReport } from "./report.ts";
import type { PolicySource, RuleScope, ScopeExtension } from "./rule-types.ts";
import { mergeInto } from "./scope.ts";
import { compileTemplate, type Template } from "./variables.ts";

/** Computes an entry's value in the scope of the entries before it. @throws NeedsFacts, Error with the reason */
export type EntryValue = (scope: RuleScope) => JsonValue;

/** Where an entry stands. */
export interface EntryContext {
  readonly name: string;
  readonly path: JsonPath;
  readonly policy: PolicySource;
  readonly report: DocumentReport;
}

/** Compiles a field that may hold variables; undefined where it is absent or wrong (which is reported). */
export function compileField(value: JsonValue | undefined, path: JsonPath, report: DocumentReport): Template | undefined {
  if (value === undefined || value === null) return undefined;
  const compiled = compileTemplate(value);
  report.adopt(compiled.diagnostics, path);
  return compiled.ok ? compiled.value : undefined;
}

const shown = (value: JsonValue): string => (typeof value === "string" ? value : JSON.stringify(value));

/** A `variable` that is a value, its default standing in where the expression finds nothing in it. */
function givenValue(value: Template, query: QuerySource | undefined, scope: RuleScope, fallback: JsonValue): JsonValue {
  const data = value.substitute(scope);
  if (query === undefined) return data;
  const { text, program } = query(scope);
  try {
    return search(program, data, scope);
  } catch (error) {
    const reason = reasonOf(error);
    if (fallback !== null) return fallback;
    throw new Error(`failed to apply jmespath ${text} to variable ${shown(data)}: ${reason}`);
  }
}

/** A `variable` that is an expression over the scope itself. */
function lookedUp(query: QuerySource, scope: RuleScope, fallback: JsonValue): JsonValue {
  const { text, program } = query(scope);
  try {
    return search(program, scope.root, scope) ?? fallback;
  } catch (error) {
    const reason = reasonOf(error);
    if (fallback !== null) return fallback;
    throw new Error(`failed to apply jmespath ${text} to variable null: ${reason}`);
  }
}

function compileVariableEntry(spec: JsonValue, { name, path, report }: EntryContext): EntryValue {
  const text = asString(member(spec, "jmesPath")) ?? "";
  const query = text === "" ? undefined : compileQuery(text, [...path, "jmesPath"], report);
  const value = compileField(member(spec, "value"), [...path, "value"], report);
  const fallback = compileField(member(spec, "default"), [...path, "default"], report);
  return (scope) => {
    const standIn = fallback?.substitute(scope) ?? null;
    let found = standIn;
    if (value !== undefined) found = givenValue(value, query, scope, standIn);
    else if (query !== undefined) found = lookedUp(query, scope, standIn);
    if (found === null) throw new Error(`failed to add context entry for variable ${name} since it evaluated to nil`);
    return found;
  };
}

/** Adds one entry to a scope; an external one is merged into what already has its name. */
function addEntry(name: string, isVariable: boolean, value: EntryValue): ScopeExtension {
  return (scope) =>
    scope.withLazy(name, () => {
      const previous = Object.hasOwn(scope.root, name) ? scope.root[name] : undefined;
      if (isVariable) return value(scope);
      try {
        return mergeInto(previous, value(scope));
      } catch (error) {
        reasonOf(error);
        // A value given by hand stands in for data that cannot be had.
        if (previous !== undefined) return previous;
        throw error;
      }
    });
}

function compileEntry(spec: JsonValue, context: EntryContext): ScopeExtension | undefined {
  const { name, path, report } = context;
  const variable = member(spec, "variable");
  if (variable !== undefined && variable !== null) {
    return addEntry(name, true, compileVariableEntry(variable, { ...context, path: [...path, "variable"] }));
  }
  const external = compileExternalEntry(spec, context);
  if (external !== undefined) return addEntry(name, false, external);
  report.error("KYV_BAD_RULE", path, "a context entry needs one of variable, configMap, apiCall, imageRegistry, globalReference");
  return undefined;
}

/**
 * Compiles a `context` list to an extension of scopes. Entries are computed when a variable first reads them; each sees
 * the ones before it, also an earlier one of its own name.
 */
export function compileContext(
  spec: JsonValue | undefined,
  path: JsonPath,
  policy: PolicySource,
  report: DocumentReport,
): ScopeExtension {
  const extensions: ScopeExtension[] = [];
  for (const [i, entry] of (isArray(spec) ? spec : []).entries()) {
    const name = asString(member(entry, "name")) ?? "";
    if (name === "") report.error("KYV_BAD_RULE", [...path, i], "a context entry needs a name");
    const extend = compileEntry(entry, { name, path: [...path, i], policy, report });
    if (extend !== undefined) extensions.push(extend);
  }
  if (extensions.length === 0) return (scope) => scope;
  return (scope) => extensions.reduce((extended, extend) => extend(extended), scope);
}
