import { type Diagnostic, failed, type Loaded, loaded } from "../../core/diagnostic.ts";
import { isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import { groupOf, type KubernetesObject, labelsOf, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import type { PolicyRule } from "./policy-rule.ts";

const rbacGroup = "rbac.authorization.k8s.io";

export interface RoleRef {
  readonly apiGroup: string;
  readonly kind: string;
  readonly name: string;
}

/** A subject as a binding names it: the API group is not checked when access is decided. */
export interface BindingSubject {
  readonly kind: string;
  readonly apiGroup: string;
  readonly name: string;
  /** Of a ServiceAccount; empty means the binding's own namespace. */
  readonly namespace: string;
}

export interface Role {
  readonly kind: "Role" | "ClusterRole";
  /** Empty for a ClusterRole. */
  readonly namespace: string;
  readonly name: string;
  readonly labels: { readonly [key: string]: string };
  readonly rules: readonly PolicyRule[];
  /** Of an aggregated ClusterRole: label selectors whose matches give the rules. */
  readonly aggregationSelectors: readonly JsonObject[] | undefined;
  readonly document: SourceDocument<KubernetesObject> | undefined;
}

export interface Binding {
  readonly kind: "RoleBinding" | "ClusterRoleBinding";
  /** Empty for a ClusterRoleBinding. */
  readonly namespace: string;
  readonly name: string;
  readonly roleRef: RoleRef;
  readonly subjects: readonly BindingSubject[];
  readonly document: SourceDocument<KubernetesObject> | undefined;
}

export function isRbacObject(object: KubernetesObject): boolean {
  return groupOf(object) === rbacGroup && /^(Cluster)?Role(Binding)?$/.test(object.kind);
}

class Reader {
  readonly diagnostics: Diagnostic[] = [];
  readonly #document: SourceDocument<KubernetesObject>;

  constructor(document: SourceDocument<KubernetesObject>) {
    this.#document = document;
  }

  malformed(path: JsonPath, expected: string): void {
    const { value } = this.#document;
    this.diagnostics.push({
      code: "RBAC_MALFORMED",
      severity: "error",
      message: `${value.kind} ${nameOf(value)}: ${path.join(".")} is not ${expected}`,
      next: "Correct the field; the API server refuses this object.",
      span: this.#document.locate(path),
    });
  }

  text(value: JsonValue | undefined, path: JsonPath): string {
    if (value === undefined || value === null) return "";
    if (typeof value === "string") return value;
    this.malformed(path, "a string");
    return "";
  }

  strings(value: JsonValue | undefined, path: JsonPath): string[] {
    return this.list(value, path).map((item, i) => this.text(item, [...path, i]));
  }

  list(value: JsonValue | undefined, path: JsonPath): readonly JsonValue[] {
    if (value === undefined || value === null) return [];
    if (isArray(value)) return value;
    this.malformed(path, "a list");
    return [];
  }

  objects(value: JsonValue | undefined, path: JsonPath): { readonly object: JsonObject; readonly path: JsonPath }[] {
    return this.list(value, path).flatMap((item, i) => {
      if (isObject(item)) return [{ object: item, path: [...path, i] }];
      this.malformed([...path, i], "an object");
      return [];
    });
  }
}

function readRule(reader: Reader, rule: JsonObject, path: JsonPath): PolicyRule {
  const strings = (key: string) => reader.strings(rule[key], [...path, key]);
  return {
    verbs: strings("verbs"),
    apiGroups: strings("apiGroups"),
    resources: strings("resources"),
    resourceNames: strings("resourceNames"),
    nonResourceURLs: strings("nonResourceURLs"),
  };
}

/** Reads a Role or ClusterRole. A malformed part is an `RBAC_MALFORMED` error, and the role is not read. */
export function readRole(document: SourceDocument<KubernetesObject>): Loaded<Role> {
  const object = document.value;
  const reader = new Reader(document);
  const aggregation = member(object["aggregationRule"], "clusterRoleSelectors");
  const role: Role = {
    kind: object.kind === "Role" ? "Role" : "ClusterRole",
    namespace: object.kind === "Role" ? namespaceOf(object) : "",
    name: nameOf(object),
    labels: labelsOf(object),
    rules: reader.objects(object["rules"], ["rules"]).map(({ object: rule, path }) => readRule(reader, rule, path)),
    aggregationSelectors: isObject(object["aggregationRule"])
      ? reader.objects(aggregation, ["aggregationRule", "clusterRoleSelectors"]).map(({ object: selector }) => selector)
      : undefined,
    document,
  };
  return reader.diagnostics.length > 0 ? failed(...reader.diagnostics) : loaded(role);
}

/** Reads a RoleBinding or ClusterRoleBinding. A malformed part is an `RBAC_MALFORMED` error, and the binding is not read. */
export function readBinding(document: SourceDocument<KubernetesObject>): Loaded<Binding> {
  const object = document.value;
  const reader = new Reader(document);
  const ref = object["roleRef"];
  if (!isObject(ref)) reader.malformed(["roleRef"], "an object");
  const refText = (key: string) => reader.text(member(ref, key), ["roleRef", key]);
  const binding: Binding = {
    kind: object.kind === "RoleBinding" ? "RoleBinding" : "ClusterRoleBinding",
    namespace: object.kind === "RoleBinding" ? namespaceOf(object) : "",
    name: nameOf(object),
    roleRef: { apiGroup: refText("apiGroup"), kind: refText("kind"), name: refText("name") },
    subjects: reader.objects(object["subjects"], ["subjects"]).map(({ object: subject, path }) => {
      const text = (key: string) => reader.text(subject[key], [...path, key]);
      return { kind: text("kind"), apiGroup: text("apiGroup"), name: text("name"), namespace: text("namespace") };
    }),
    document,
  };
  return reader.diagnostics.length > 0 ? failed(...reader.diagnostics) : loaded(binding);
}
