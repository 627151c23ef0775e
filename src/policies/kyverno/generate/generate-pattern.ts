import type { ObjectsNeed } from "../../../core/facts.ts";
import { requireFact } from "../../../core/facts.ts";
import { asString, isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../../../core/json.ts";
import { isKubernetesObject, type KubernetesObject, nameOf, namespaceOf } from "../../../core/kubernetes.ts";
import type { DocumentReport } from "../report.ts";
import type { RuleScope, RuleSource } from "../rule-types.ts";
import { compileTemplate } from "../variables.ts";
import { generatedLabels, sourceLabels, withLabels } from "./generated-labels.ts";

/** Objects that a pattern asks for. @throws NeedsFacts; VariableError; Error when a source cannot be had */
export type Generator = (scope: RuleScope, trigger: KubernetesObject) => readonly KubernetesObject[];

const sources = ["data", "clone", "cloneList"] as const;
const patternFields = ["apiVersion", "kind", "namespace", "name", ...sources] as const;

interface Target {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Compiles what `generate` or one of its loops creates; undefined where it is wrong (which is reported). */
export function compilePattern(spec: JsonValue, path: JsonPath, rule: RuleSource, report: DocumentReport): Generator | undefined {
  const given = sources.filter((field) => isFilled(member(spec, field)));
  if (given.length > 1) report.error("KYV_BAD_RULE", path, `only one of ${sources.join(", ")} is allowed`);
  // Without a source an object of that name is created with nothing in it.
  const source = given[0] ?? "data";
  if (source !== "cloneList") {
    for (const field of ["apiVersion", "kind", "name"]) {
      if (!isFilled(member(spec, field))) report.error("KYV_BAD_RULE", path, `needs ${field}`);
    }
  }
  const fields = patternFields.map((field) => [field, member(spec, field)] as const).filter(([, value]) => value !== undefined);
  const template = compileTemplate(Object.fromEntries(fields));
  report.adopt(template.diagnostics, path);
  if (!template.ok) return undefined;
  return (scope, trigger) => {
    const pattern = template.value.substitute(scope);
    requireOwnNamespace(pattern, rule.policy.namespace);
    return generate(source, pattern, scope).map((object) => finish(object, rule, trigger));
  };
}

/** A policy of one namespace makes nothing elsewhere, and takes nothing from there. */
function requireOwnNamespace(pattern: JsonValue, own: string): void {
  if (own === "") return;
  const places = [pattern, member(pattern, "clone"), member(pattern, "cloneList")].filter((place) => place !== undefined);
  const other = places.map((place) => asString(member(place, "namespace")) ?? "").find((namespace) => namespace !== own);
  if (other !== undefined) throw new Error(`a Policy generates in its own namespace (${own}) only, not in "${other}"`);
}

function isFilled(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === "") return false;
  return !isObject(value) || Object.values(value).some((v) => v !== undefined && v !== null && v !== "");
}

function finish(object: JsonObject, rule: RuleSource, trigger: KubernetesObject): KubernetesObject {
  const labelled = withLabels(object, generatedLabels(rule.policy, rule.name, trigger));
  if (isKubernetesObject(labelled)) return labelled;
  throw new Error("the generated object has no apiVersion or no kind");
}

function generate(source: (typeof sources)[number], pattern: JsonValue, scope: RuleScope): readonly JsonObject[] {
  const text = (field: string) => asString(member(pattern, field)) ?? "";
  const target: Target = {
    apiVersion: text("apiVersion"),
    kind: text("kind"),
    namespace: text("namespace"),
    name: text("name"),
  };
  switch (source) {
    case "data":
      return [fromData(member(pattern, "data") ?? {}, target)];
    case "clone": {
      const from = member(pattern, "clone");
      const namespace = asString(member(from, "namespace")) ?? "";
      const name = asString(member(from, "name")) ?? "";
      // An object that would be cloned onto itself is left alone.
      if (namespace === target.namespace && name === target.name) return [];
      const [original] = liveObjects({ ...target, namespace, name }, undefined, scope);
      if (original === undefined) {
        throw new Error(`source resource ${target.apiVersion}/${target.kind}/${namespace}/${name} not found`);
      }
      return [cloneOf(original, target)];
    }
    case "cloneList":
      return fromList(member(pattern, "cloneList") ?? null, target.namespace, scope);
  }
}

function fromData(data: JsonValue, target: Target): JsonObject {
  if (!isObject(data)) throw new Error("data must be an object");
  return placed(data, target);
}

/** The content under the name and namespace of the target. */
function placed(content: JsonObject, { apiVersion, kind, namespace, name }: Target): JsonObject {
  const given = member(content, "metadata");
  const { namespace: _, ...metadata } = isObject(given) ? given : {};
  return {
    ...content,
    apiVersion,
    kind: asString(content["kind"]) ?? kind,
    metadata: { ...metadata, name, ...(namespace === "" ? {} : { namespace }) },
  };
}

function cloneOf(source: KubernetesObject, target: Target): JsonObject {
  const { uid: _u, selfLink: _s, creationTimestamp: _c, managedFields: _m, resourceVersion: _r, ...kept } = source.metadata ?? {};
  const { ownerReferences: _, ...strange } = kept;
  const metadata = namespaceOf(source) === target.namespace ? kept : strange;
  return withLabels(placed({ ...source, metadata }, target), sourceLabels(source));
}

function fromList(list: JsonValue, namespace: string, scope: RuleScope): readonly JsonObject[] {
  const kinds = member(list, "kinds");
  const from = asString(member(list, "namespace")) ?? "";
  const selector = member(list, "selector");
  const clones: JsonObject[] = [];
  for (const entry of isArray(kinds) ? kinds : []) {
    const wanted = { ...parseCloneKind(asString(entry) ?? ""), namespace: from, name: "" };
    for (const source of liveObjects(wanted, isObject(selector) ? selector : undefined, scope)) {
      if (namespaceOf(source) === namespace) continue;
      clones.push(cloneOf(source, { apiVersion: source.apiVersion, kind: source.kind, namespace, name: nameOf(source) }));
    }
  }
  return clones;
}

/** `Kind`, `v1/Kind` or `group/v1/Kind`. */
function parseCloneKind(text: string): { readonly apiVersion: string; readonly kind: string } {
  const slash = text.lastIndexOf("/");
  return { apiVersion: slash < 0 ? "*/*" : text.slice(0, slash), kind: text.slice(slash + 1) };
}

function liveObjects(target: Target, selector: JsonObject | undefined, scope: RuleScope): readonly KubernetesObject[] {
  const { kind: objectKind, ...where } = target;
  const need: ObjectsNeed = {
    kind: "objects",
    objectKind,
    subresource: "",
    ...where,
    ...(selector === undefined ? {} : { selector }),
  };
  const found = requireFact(scope.context.facts, need);
  return isArray(found) ? found.filter(isKubernetesObject) : [];
}
