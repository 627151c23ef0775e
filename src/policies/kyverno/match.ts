import type { Operation, Subject } from "../../core/action.ts";
import { asString, isArray, isObject, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import { annotationsOf, type KubernetesObject, labelsOf, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import { compileLabelSelector, type LabelPredicate, type Labels } from "../../core/label-selector.ts";
import { compileWildcard, matchWildcard } from "../../core/wildcard.ts";
import type { KindSelector } from "../policy.ts";
import { parseKindSelector } from "./kind-selector.ts";
import type { DocumentReport } from "./report.ts";
import { compileSubjects } from "./subjects.ts";

/** What match and exclude blocks look at. */
export interface MatchInput {
  readonly object: KubernetesObject;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly subresource: string;
  readonly operation: Operation;
  readonly actor: Subject | undefined;
  /** Throws NeedsFacts when they are not known yet. */
  namespaceLabels(): Labels;
}

export type MatchPredicate = (input: MatchInput) => boolean;

/**
 * Where a block stands decides what an absent part means:
 * `match` drops conditions on the user when the user is not known, `exclude` does not;
 * `exception` and `cleanup` ignore operations, and a namespaceSelector does not apply to Namespace objects there.
 */
export type MatchRole = "match" | "exclude" | "exception" | "cleanup";

/** One entry of `any` or `all`, or a legacy block. */
interface Filter {
  readonly matches: MatchPredicate;
  /** Undefined: no kinds are named, so all are meant. */
  readonly kinds: readonly KindSelector[] | undefined;
  readonly operations: readonly Operation[] | undefined;
}

const strings = (value: JsonValue | undefined): readonly string[] =>
  isArray(value) ? value.filter((v) => typeof v === "string") : [];

const generatedName = (object: KubernetesObject): string =>
  nameOf(object) || (asString(member(object.metadata, "generateName")) ?? "");

/** Most blocks have one condition, which needs no list of its own. */
function anyOf(predicates: readonly MatchPredicate[]): MatchPredicate {
  const [only, second] = predicates;
  return only !== undefined && second === undefined ? only : (input) => predicates.some((matches) => matches(input));
}

function allOf(predicates: readonly MatchPredicate[]): MatchPredicate {
  const [only, second] = predicates;
  return only !== undefined && second === undefined ? only : (input) => predicates.every((matches) => matches(input));
}

function compileKinds(kinds: readonly KindSelector[], ephemeralContainers: boolean): MatchPredicate {
  const compiled = kinds.map((selector): MatchPredicate => {
    const kind = compileWildcard(selector.kind);
    const group = compileWildcard(selector.group);
    const version = compileWildcard(selector.version);
    const subresource = compileWildcard(selector.subresource);
    return (input) =>
      kind(input.kind) &&
      group(input.group) &&
      version(input.version) &&
      (subresource(input.subresource) || (ephemeralContainers && isEphemeralContainers(input)));
  });
  return anyOf(compiled);
}

const isEphemeralContainers = ({ group, kind, subresource }: MatchInput): boolean =>
  kind === "Pod" && group === "" && subresource === "ephemeralcontainers";

function compileNamespaces(patterns: readonly string[]): MatchPredicate {
  const compiled = patterns.map(compileWildcard);
  return ({ object }) => {
    const namespace = object.kind === "Namespace" ? nameOf(object) : namespaceOf(object);
    return compiled.some((matches) => matches(namespace));
  };
}

function compileAnnotations(expected: readonly (readonly [string, string])[]): MatchPredicate {
  return ({ object }) => {
    const actual = Object.entries(annotationsOf(object));
    return expected.every(([key, value]) => actual.some(([k, v]) => matchWildcard(key, k) && matchWildcard(value, v)));
  };
}

function compileNamespaceSelector(selects: LabelPredicate, role: MatchRole): MatchPredicate {
  const forNamespaces = role === "exception" || role === "cleanup";
  return (input) => (input.object.kind === "Namespace" ? forNamespaces : selects(input.namespaceLabels()));
}

/** A selector the API server would refuse selects nothing; that is reported. */
function compileSelector(selector: JsonValue, path: JsonPath, report: DocumentReport): LabelPredicate {
  const compiled = compileLabelSelector(selector, { wildcards: true });
  if (compiled.ok) return compiled.matches;
  for (const problem of compiled.problems) report.error("KYV_BAD_SELECTOR", [...path, ...problem.path], problem.message);
  return () => false;
}

function compileResources(resources: JsonValue | undefined, path: JsonPath, role: MatchRole, report: DocumentReport) {
  const checks: MatchPredicate[] = [];
  const kinds = strings(member(resources, "kinds")).map(parseKindSelector);
  const operations = strings(member(resources, "operations"));
  if (operations.length > 0 && (role === "match" || role === "exclude")) {
    checks.push(({ operation }) => operations.includes(operation));
  }
  if (kinds.length > 0) checks.push(compileKinds(kinds, role !== "cleanup"));
  const name = asString(member(resources, "name")) ?? "";
  if (name !== "") checks.push(({ object }) => matchWildcard(name, generatedName(object)));
  const names = strings(member(resources, "names"));
  if (names.length > 0) checks.push(({ object }) => names.some((n) => matchWildcard(n, generatedName(object))));
  const namespaces = strings(member(resources, "namespaces"));
  if (namespaces.length > 0) checks.push(compileNamespaces(namespaces));
  const annotations = member(resources, "annotations");
  if (isObject(annotations) && Object.keys(annotations).length > 0) {
    checks.push(compileAnnotations(Object.entries(annotations).map(([k, v]) => [k, String(v)])));
  }
  const selector = member(resources, "selector");
  if (selector !== undefined && selector !== null) {
    const selects = compileSelector(selector, [...path, "selector"], report);
    checks.push(({ object }) => selects(labelsOf(object)));
  }
  const namespaceSelector = member(resources, "namespaceSelector");
  if (namespaceSelector !== undefined && namespaceSelector !== null) {
    const selects = compileSelector(namespaceSelector, [...path, "namespaceSelector"], report);
    checks.push(compileNamespaceSelector(selects, role));
  }
  return { checks, kinds, operations };
}

function compileUser(block: JsonValue, path: JsonPath, report: DocumentReport): MatchPredicate[] {
  const checks: MatchPredicate[] = [];
  const roles = new Set(strings(member(block, "roles")));
  if (roles.size > 0) checks.push(({ actor }) => actor?.roles?.some((r) => roles.has(r)) ?? false);
  const clusterRoles = new Set(strings(member(block, "clusterRoles")));
  if (clusterRoles.size > 0) checks.push(({ actor }) => actor?.clusterRoles?.some((r) => clusterRoles.has(r)) ?? false);
  const subjects = member(block, "subjects");
  if (isArray(subjects) && subjects.length > 0) {
    const matches = compileSubjects(subjects, [...path, "subjects"], report);
    checks.push(({ actor }) => actor !== undefined && matches(actor));
  }
  return checks;
}

const isOperation = (text: string): text is Operation =>
  text === "CREATE" || text === "UPDATE" || text === "DELETE" || text === "CONNECT";

function compileFilter(block: JsonValue, path: JsonPath, role: MatchRole, report: DocumentReport): Filter {
  const resources = member(block, "resources");
  const { checks, kinds, operations } = compileResources(resources, [...path, "resources"], role, report);
  const user = compileUser(block, path, report);
  const matchesResource = allOf(checks);
  const ignoresUnknownUser = role === "match";
  let matches: MatchPredicate;
  if (checks.length + user.length === 0) matches = () => false;
  else if (user.length === 0) matches = matchesResource;
  else {
    matches = (input) => {
      // Without a user an otherwise empty block matches nothing, rather than everything.
      if (ignoresUnknownUser && input.actor === undefined) return checks.length > 0 && matchesResource(input);
      return matchesResource(input) && user.every((check) => check(input));
    };
  }
  return {
    matches,
    kinds: kinds.length > 0 ? kinds : undefined,
    operations: operations.length > 0 ? operations.filter(isOperation) : undefined,
  };
}

export interface CompiledMatch {
  readonly matches: MatchPredicate;
  /** A superset of what can match, for the engine's index. */
  readonly selectors: readonly KindSelector[];
  /** Undefined: every operation. */
  readonly operations: ReadonlySet<Operation> | undefined;
}

const everything: KindSelector = { group: "*", version: "*", kind: "*", subresource: "*" };

/** What at least one of the filters can match; of filters that must all match, each alone is such a superset. */
function indexSelectors(filters: readonly Filter[]): readonly KindSelector[] {
  if (filters.some((f) => f.kinds === undefined)) return [everything];
  const kinds = filters.flatMap((f) => f.kinds ?? []);
  const pods = kinds.filter((k) => k.subresource === "" && matchWildcard(k.kind, "Pod"));
  return [...kinds, ...pods.map((k) => ({ ...k, subresource: "ephemeralcontainers" }))];
}

function indexOperations(filters: readonly Filter[]): ReadonlySet<Operation> | undefined {
  if (filters.some((f) => f.operations === undefined)) return undefined;
  return new Set(filters.flatMap((f) => f.operations ?? []));
}

/** The entries of a list field; none for anything else. */
function entries(block: JsonValue | undefined, key: string): readonly JsonValue[] {
  const value = member(block, key);
  return isArray(value) ? value : [];
}

/** Compiles a `match`, `exclude`, exception or cleanup block: `any`, else `all`, else the legacy bare form. */
export function compileMatchBlock(
  block: JsonValue | undefined,
  path: JsonPath,
  role: MatchRole,
  report: DocumentReport,
): CompiledMatch {
  const any = entries(block, "any").map((b, i) => compileFilter(b, [...path, "any", i], role, report));
  const all = entries(block, "all").map((b, i) => compileFilter(b, [...path, "all", i], role, report));
  if (any.length > 0) {
    if (all.length > 0) report.error("KYV_BAD_MATCH", path, "any and all cannot be used together");
    return { matches: anyOf(any.map((f) => f.matches)), selectors: indexSelectors(any), operations: indexOperations(any) };
  }
  if (all.length > 0) {
    const matches = allOf(all.map((f) => f.matches));
    const narrowed = all.filter((f) => f.kinds !== undefined).slice(0, 1);
    const limited = all.filter((f) => f.operations !== undefined).slice(0, 1);
    return {
      matches,
      selectors: narrowed.length > 0 ? indexSelectors(narrowed) : [everything],
      operations: limited.length > 0 ? indexOperations(limited) : undefined,
    };
  }
  const legacy = compileFilter(isObject(block) ? block : {}, path, role, report);
  return { matches: legacy.matches, selectors: indexSelectors([legacy]), operations: indexOperations([legacy]) };
}

const isEmptyBlock = (block: JsonValue | undefined): boolean =>
  !isObject(block) || Object.values(block).every((v) => v === null || v === undefined || (isArray(v) && v.length === 0));

/** Compiles `match` and `exclude` of a rule, or of a cleanup policy, whose own namespace is `namespace`. */
export function compileMatch(
  rule: { readonly match?: JsonValue | undefined; readonly exclude?: JsonValue | undefined },
  namespace: string,
  path: JsonPath,
  report: DocumentReport,
  role: "rule" | "cleanup" = "rule",
): CompiledMatch {
  const included = compileMatchBlock(rule.match, [...path, "match"], role === "rule" ? "match" : role, report);
  const checks: MatchPredicate[] = [];
  if (namespace !== "") checks.push(({ object }) => namespaceOf(object) === namespace);
  checks.push(included.matches);
  if (!isEmptyBlock(rule.exclude)) {
    const excluded = compileMatchBlock(rule.exclude, [...path, "exclude"], role === "rule" ? "exclude" : role, report);
    checks.push((input) => !excluded.matches(input));
  }
  return { ...included, matches: allOf(checks) };
}
