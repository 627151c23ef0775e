import type { KubernetesTarget, Operation } from "../../core/action.ts";
import type { ApiResources } from "../../core/api-resources.ts";
import { requireFact } from "../../core/facts.ts";
import { asString, isArray, isObject, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import { type KubernetesObject, labelsOf, namespaceOf } from "../../core/kubernetes.ts";
import { compileLabelSelector, type LabelPredicate, type Labels } from "../../core/label-selector.ts";
import { latest } from "../../core/latest.ts";
import type { DocumentReport } from "../kyverno/report.ts";
import type { KindSelector, RuleContext } from "../policy.ts";
import { cohabitingGroups, equivalentResources } from "./equivalent-resources.ts";
import { resourceOf } from "./resource-name.ts";

/** The resource as a rule names it: the request's own, or another version of it that the policy wants to see instead. */
export interface MatchedResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
}

/** `matchConstraints`, or the `matchResources` of a binding, ready to be asked. */
export interface CompiledMatchResources {
  /** @throws NeedsFacts, or Error where the namespace's labels cannot be known */
  matches(context: RuleContext): boolean;
  /** As {@link matches}, with what matched; undefined where nothing did. */
  matched(context: RuleContext): MatchedResource | undefined;
  /** A superset of what can match, for the engine's index. */
  readonly selectors: readonly KindSelector[];
  /** Undefined: every operation. */
  readonly operations: ReadonlySet<Operation> | undefined;
}

interface ResourceRule {
  readonly groups: readonly string[];
  readonly versions: readonly string[];
  /** As `resource` and `subresource`, each may be `*`. */
  readonly resources: readonly { readonly resource: string; readonly subresource: string }[];
  readonly operations: ReadonlySet<Operation> | undefined;
  readonly scope: "*" | "Cluster" | "Namespaced";
  readonly names: readonly string[];
}

const strings = (value: JsonValue | undefined): readonly string[] =>
  isArray(value) ? value.filter((v) => typeof v === "string") : [];

const allOperations: readonly Operation[] = ["CREATE", "UPDATE", "DELETE", "CONNECT"];

function compileRule(spec: JsonValue): ResourceRule {
  const operations = strings(member(spec, "operations"));
  const scope = asString(member(spec, "scope"));
  return {
    groups: strings(member(spec, "apiGroups")),
    versions: strings(member(spec, "apiVersions")),
    resources: strings(member(spec, "resources")).map((text) => {
      const [resource = "", subresource = ""] = text.split("/");
      return { resource, subresource };
    }),
    // The API server wants operations; a rule that names none is about all.
    operations:
      operations.length === 0 || operations.includes("*")
        ? undefined
        : new Set(allOperations.filter((o) => operations.includes(o))),
    scope: scope === "Cluster" || scope === "Namespaced" ? scope : "*",
    names: strings(member(spec, "resourceNames")),
  };
}

const oneOf = (list: readonly string[], value: string): boolean => list.includes("*") || list.includes(value);

function scopeFits({ scope }: ResourceRule, target: KubernetesTarget, namespace: string): boolean {
  if (scope === "*") return true;
  const isNamespace = target.kind === "Namespace" && target.group === "";
  return scope === (namespace === "" || isNamespace ? "Cluster" : "Namespaced");
}

function nameFits({ names }: ResourceRule, { action, object, oldObject }: RuleContext, byPrefix: boolean): boolean {
  if (names.length === 0) return true;
  const metadata = (object ?? oldObject)?.metadata;
  const name = action.target.name || (asString(member(metadata, "name")) ?? "");
  if (name !== "" || !byPrefix) return names.includes(name);
  const generateName = asString(member(object?.metadata, "generateName")) ?? "";
  return names.some((n) => generateName.startsWith(n));
}

/** How a policy's rules are read. */
interface MatchStyle {
  /** Other versions of the resource fit, too. */
  readonly equivalent: boolean;
  /** Kyverno's: a name that is still to be made fits by its beginning. */
  readonly namesByPrefix: boolean;
}

function ruleFits(rule: ResourceRule, context: RuleContext, { namesByPrefix }: MatchStyle, as: MatchedResource): boolean {
  const { action, object, oldObject } = context;
  const { target } = action;
  if (rule.operations !== undefined && !rule.operations.has(action.operation)) return false;
  if (!oneOf(rule.groups, as.group) || !oneOf(rule.versions, as.version)) return false;
  const named = rule.resources.some(
    ({ resource, subresource }) =>
      (resource === "*" || resource === as.resource) && (subresource === "*" || subresource === target.subresource),
  );
  if (!named) return false;
  const subject = object ?? oldObject;
  const namespace = target.namespace !== "" || subject === undefined ? target.namespace : namespaceOf(subject);
  return scopeFits(rule, target, namespace) && nameFits(rule, context, namesByPrefix);
}

/** The request's own; the same for all policies. */
const requested = latest(({ action: { target }, resources }: RuleContext): MatchedResource => {
  return { group: target.group, version: target.version, resource: resourceOf(target, resources), kind: target.kind };
});

/** The first rule that fits the resource itself, then the first that fits another version of it. */
function firstFit(rules: readonly ResourceRule[], context: RuleContext, style: MatchStyle): MatchedResource | undefined {
  const own = requested(context);
  if (rules.some((rule) => ruleFits(rule, context, style, own))) return own;
  if (!style.equivalent) return undefined;
  const others = equivalentResources(own, context.action.target.subresource, context.resources);
  for (const rule of rules) {
    // A resource that nobody described may be served in any version that a rule names.
    const candidates = others ?? rule.versions.map((version) => ({ ...own, version }));
    const found = candidates.find((other) => ruleFits(rule, context, style, other));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Kinds that a rule may select, where its resources are known; every kind of its groups otherwise. */
function selectorsOf(rule: ResourceRule, resources: ApiResources): readonly KindSelector[] {
  return rule.resources.flatMap(({ resource, subresource }) =>
    new Set(rule.groups.flatMap((group) => cohabitingGroups(group, resource)))
      .values()
      .map((group) => {
        const named = resource !== "*" && group !== "*" && subresource === "";
        const kind = named ? resources.byResource(group, resource)?.kind : undefined;
        return { group, version: "*", kind: kind ?? "*", subresource };
      })
      .toArray(),
  );
}

const everything: KindSelector = { group: "*", version: "*", kind: "*", subresource: "*" };

function compileSelector(spec: JsonValue | undefined, path: JsonPath, report: DocumentReport): LabelPredicate | undefined {
  if (!isObject(spec)) return undefined;
  const filled = [member(spec, "matchLabels"), member(spec, "matchExpressions")].some(
    (part) => (isArray(part) && part.length > 0) || (isObject(part) && Object.keys(part).length > 0),
  );
  if (!filled) return undefined;
  const compiled = compileLabelSelector(spec);
  if (compiled.ok) return compiled.matches;
  for (const problem of compiled.problems) report.error("KYV_BAD_SELECTOR", [...path, ...problem.path], problem.message);
  return () => false;
}

/** Labels of the namespace an action is in; of the object itself where that is a namespace. */
function namespaceLabels(context: RuleContext, namespace: string): Labels {
  const { action, object, facts } = context;
  const { target } = action;
  const isNamespace = target.kind === "Namespace" && target.group === "" && target.subresource === "";
  if (isNamespace && object !== undefined) return labelsOf(object);
  if (action.namespaceLabels !== undefined) return { "kubernetes.io/metadata.name": namespace, ...action.namespaceLabels };
  const value = requireFact(facts, { kind: "namespace", name: namespace });
  return { "kubernetes.io/metadata.name": namespace, ...labelsOf(asNamespace(value)) };
}

const asNamespace = (value: JsonValue): KubernetesObject =>
  isObject(value) ? { ...value, apiVersion: "v1", kind: "Namespace" } : { apiVersion: "v1", kind: "Namespace" };

function namespaceFits(selects: LabelPredicate, context: RuleContext): boolean {
  const { action, object, oldObject } = context;
  const { target } = action;
  const isNamespace = target.kind === "Namespace" && target.group === "";
  const subject = object ?? oldObject;
  const ofObject = subject === undefined ? "" : namespaceOf(subject);
  const namespace = isNamespace ? target.name : target.namespace || ofObject;
  // Objects in no namespace are never exempted.
  return namespace === "" || selects(namespaceLabels(context, namespace));
}

export interface MatchResourcesOptions {
  /** Rules name all versions of a resource, unless the policy says `matchPolicy: Exact`. */
  readonly equivalent: boolean;
  readonly resources: ApiResources;
}

/** Compiles resource rules, excluded ones, and the selectors beside them; absent ones match everything. */
export function compileMatchResources(
  spec: JsonValue | undefined,
  path: JsonPath,
  report: DocumentReport,
  { equivalent, resources }: MatchResourcesOptions,
): CompiledMatchResources {
  const rulesOf = (key: string) => {
    const list = member(spec, key);
    return isArray(list) ? list.map(compileRule) : [];
  };
  const included = rulesOf("resourceRules");
  const excluded = rulesOf("excludeResourceRules");
  const style = { equivalent: equivalent && member(spec, "matchPolicy") !== "Exact", namesByPrefix: !equivalent };
  const inNamespace = compileSelector(member(spec, "namespaceSelector"), [...path, "namespaceSelector"], report);
  const hasLabels = compileSelector(member(spec, "objectSelector"), [...path, "objectSelector"], report);
  const operations = included.some((rule) => rule.operations === undefined) || included.length === 0;
  const matched = (context: RuleContext): MatchedResource | undefined => {
    if (context.action.payload !== undefined) return undefined;
    const found = included.length === 0 ? requested(context) : firstFit(included, context, style);
    if (found === undefined || (excluded.length > 0 && firstFit(excluded, context, style) !== undefined)) return undefined;
    const { object, oldObject } = context;
    if (hasLabels !== undefined && ![object, oldObject].some((o) => o !== undefined && hasLabels(labelsOf(o)))) return undefined;
    return inNamespace === undefined || namespaceFits(inNamespace, context) ? found : undefined;
  };
  return {
    selectors: included.length === 0 ? [everything] : included.flatMap((rule) => selectorsOf(rule, resources)),
    operations: operations ? undefined : new Set(included.flatMap((rule) => [...(rule.operations ?? [])])),
    matches: (context) => matched(context) !== undefined,
    matched,
  };
}
