import type { RequestAttributes } from "../../../core/request-attributes.ts";
import { authorizeByRules } from "../authorize.ts";
import { serviceAccountOf } from "../identities.ts";
import type { Binding, BindingSubject, Role } from "../objects.ts";
import { emptyRule, type PolicyRule, ruleAllows } from "../policy-rule.ts";
import type { RbacIndex } from "../rbac-index.ts";
import { compactRules, compareText } from "./compact.ts";

export interface GenerateOptions {
  /** Of the objects that are made. */
  readonly name: string;
  /** Verbs that come with a verb: `watch` with `list`. */
  readonly verbExpansions: ReadonlyMap<string, readonly string[]>;
  /** More names of one resource than these become a rule without names. */
  readonly maximumNames: number;
  /** More namespaces than these become a rule for the whole cluster. */
  readonly maximumNamespaces: number;
  /** Whether names of a resource are worth writing down: those of pods change. */
  readonly isNameStable: (request: RequestAttributes) => boolean;
  /** Requests whose names are written down however many they are: without names the right is another one. */
  readonly isNameEssential?: (request: RequestAttributes) => boolean;
}

export interface GeneratedRbac {
  readonly roles: readonly Role[];
  readonly bindings: readonly Binding[];
}

/**
 * Roles and bindings of one user that allow the requests which `existing` does not. Broader requests come first, so that
 * narrower ones find themselves allowed. No wildcard is ever made.
 */
export function generateRbac(
  existing: RbacIndex,
  requests: readonly RequestAttributes[],
  subject: BindingSubject,
  options: GenerateOptions,
): GeneratedRbac {
  /** By namespace; `""` for the ClusterRole. */
  const rules = new Map<string, PolicyRule[]>();
  const widths = new Widths(requests, options);
  for (const request of [...requests].sort(broaderFirst)) {
    if (authorizeByRules(existing, request).decision === "allow" || isAllowed(rules, request)) continue;
    const wide = widths.widen(request);
    const namespace = wide.isResourceRequest ? wide.namespace : "";
    rules.set(namespace, [...(rules.get(namespace) ?? []), ruleFor(wide, options)]);
  }
  const made = [...rules].map(([namespace, list]) => objectsFor(namespace, compactRules(list), subject, options.name));
  return { roles: made.map((m) => m.role), bindings: made.map((m) => m.binding) };
}

function isAllowed(rules: ReadonlyMap<string, readonly PolicyRule[]>, request: RequestAttributes): boolean {
  const held = [...(rules.get("") ?? []), ...(request.namespace === "" ? [] : (rules.get(request.namespace) ?? []))];
  return held.some((rule) => ruleAllows(rule, request));
}

function ruleFor(request: RequestAttributes, { verbExpansions }: GenerateOptions): PolicyRule {
  if (!request.isResourceRequest) return { ...emptyRule, verbs: [request.verb], nonResourceURLs: [request.path] };
  return {
    ...emptyRule,
    verbs: [request.verb, ...(verbExpansions.get(request.verb) ?? [])],
    apiGroups: [request.apiGroup],
    resources: [request.subresource === "" ? request.resource : `${request.resource}/${request.subresource}`],
    resourceNames: request.name === "" ? [] : [request.name],
  };
}

/** Counts the names and namespaces of requests that are otherwise the same. */
class Widths {
  readonly #names = new Map<string, Set<string>>();
  readonly #namespaces = new Map<string, Set<string>>();
  readonly #options: GenerateOptions;

  constructor(requests: readonly RequestAttributes[], options: GenerateOptions) {
    this.#options = options;
    for (const request of requests) {
      if (!request.isResourceRequest) continue;
      const key = this.#key(request);
      if (request.name !== "") setAt(this.#names, key).add(request.name);
      if (request.namespace !== "") setAt(this.#namespaces, key).add(request.namespace);
    }
  }

  widen(request: RequestAttributes): RequestAttributes {
    if (!request.isResourceRequest) return request;
    const { maximumNames, maximumNamespaces, isNameStable, isNameEssential } = this.#options;
    const key = this.#key(request);
    const names = this.#names.get(key)?.size ?? 0;
    const namespaces = this.#namespaces.get(key)?.size ?? 0;
    const named = isNameEssential?.(request) === true || (names <= maximumNames && isNameStable(request));
    return {
      ...request,
      name: named ? request.name : "",
      namespace: namespaces > maximumNamespaces ? "" : request.namespace,
    };
  }

  /** What may not be widened tells requests apart. */
  #key({ verb, apiGroup, resource, subresource, namespace, name }: RequestAttributes): string {
    const { maximumNames, maximumNamespaces } = this.#options;
    const where = maximumNamespaces === Number.POSITIVE_INFINITY ? namespace : "";
    const which = maximumNames === Number.POSITIVE_INFINITY ? name : "";
    return JSON.stringify([verb, apiGroup, resource, subresource, where, which]);
  }
}

function setAt(map: Map<string, Set<string>>, key: string): Set<string> {
  const found = map.get(key) ?? new Set<string>();
  map.set(key, found);
  return found;
}

/** Paths, then resources of the whole cluster, then of namespaces; without a name before with one; list before get. */
function broaderFirst(a: RequestAttributes, b: RequestAttributes): number {
  if (a.isResourceRequest !== b.isResourceRequest) return a.isResourceRequest ? 1 : -1;
  if (!a.isResourceRequest) return compareText(a.verb, b.verb) || compareText(a.path, b.path);
  if ((a.namespace === "") !== (b.namespace === "")) return a.namespace === "" ? -1 : 1;
  if ((a.name === "") !== (b.name === "")) return a.name === "" ? -1 : 1;
  if (a.verb === "list" && b.verb === "get") return -1;
  if (a.verb === "get" && b.verb === "list") return 1;
  return (
    compareText(a.apiGroup, b.apiGroup) ||
    compareText(a.resource, b.resource) ||
    compareText(a.subresource, b.subresource) ||
    compareText(a.namespace, b.namespace) ||
    compareText(a.name, b.name) ||
    compareText(a.verb, b.verb)
  );
}

export function subjectOf(user: string): BindingSubject {
  const account = serviceAccountOf(user);
  if (account !== undefined) return { kind: "ServiceAccount", apiGroup: "", ...account };
  return { kind: "User", apiGroup: "rbac.authorization.k8s.io", name: user, namespace: "" };
}

function objectsFor(namespace: string, rules: readonly PolicyRule[], subject: BindingSubject, name: string) {
  const kind = namespace === "" ? "ClusterRole" : "Role";
  const role: Role = { kind, namespace, name, labels: {}, rules, aggregationSelectors: undefined, document: undefined };
  const binding: Binding = {
    kind: namespace === "" ? "ClusterRoleBinding" : "RoleBinding",
    namespace,
    name,
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name },
    subjects: [subject],
    document: undefined,
  };
  return { role, binding };
}
