import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { parseKindSelector } from "./kind-selector.ts";

/** The annotation that says for which controllers rules are generated; `none` for none. */
export const autogenAnnotation = "pod-policies.kyverno.io/autogen-controllers";

const controllerKinds: { readonly [kind: string]: string } = {
  DaemonSet: "apps/v1/DaemonSet",
  Deployment: "apps/v1/Deployment",
  Job: "batch/v1/Job",
  ReplicaSet: "apps/v1/ReplicaSet",
  ReplicationController: "v1/ReplicationController",
  StatefulSet: "apps/v1/StatefulSet",
};
const cronJob = "CronJob";
const podControllers = [...Object.keys(controllerKinds), cronJob];
const podKinds = new Set([...podControllers, "Pod"]);

const longestRuleName = 63;

/** The name of a generated rule: `autogen-` or `autogen-cronjob-` and the rule's name, cut at 63 characters. */
export function autogenRuleName(prefix: "autogen" | "autogen-cronjob", name: string): string {
  return `${prefix}-${name}`.slice(0, longestRuleName);
}

export function isAutogenRuleName(name: string): boolean {
  return name.startsWith("autogen-");
}

const filterLists = ["any", "all"] as const;

const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);

/** The `resources` of a match or exclude block: the legacy one and those of its filters. */
function descriptions(block: JsonValue | undefined): readonly JsonValue[] {
  const filters = filterLists.flatMap((key) => listOf(member(block, key)));
  return [block, ...filters].map((b) => member(b, "resources")).filter((r) => r !== undefined);
}

const kindsOf = (description: JsonValue): readonly string[] =>
  listOf(member(description, "kinds")).filter((k) => typeof k === "string");

/** Whether one of the kinds is `kind`, with or without group and version. */
const namesKind = (kinds: readonly string[], kind: string): boolean => kinds.some((k) => parseKindSelector(k).kind === kind);

const present = (value: JsonValue | undefined): boolean => value !== undefined && value !== null;

/** Names, selectors and annotations speak of the pod itself, and a mixed list of kinds already names the controllers. */
function hindersAutogen(description: JsonValue): boolean {
  const kinds = kindsOf(description);
  return (
    (asString(member(description, "name")) ?? "") !== "" ||
    listOf(member(description, "names")).length > 0 ||
    present(member(description, "selector")) ||
    present(member(description, "annotations")) ||
    (kinds.length > 1 && namesKind(kinds, "Pod"))
  );
}

const isFilled = (value: JsonValue | undefined): boolean => isObject(value) && Object.keys(value).length > 0;

function usesJsonPatch(rule: JsonObject): boolean {
  const mutate = rule["mutate"];
  const blocks = [mutate, ...listOf(member(mutate, "foreach"))];
  return blocks.some((block) => (asString(member(block, "patchesJson6902")) ?? "") !== "");
}

/** The controllers that rules can be generated for: all, or none. One rule that hinders hinders all of its policy. */
export function supportedControllers(rules: readonly JsonObject[]): readonly string[] {
  let needed = false;
  for (const rule of rules) {
    if (isFilled(rule["generate"]) || usesJsonPatch(rule)) return [];
    for (const description of [...descriptions(rule["match"]), ...descriptions(rule["exclude"])]) {
      if (hindersAutogen(description)) return [];
      needed ||= kindsOf(description).some((k) => podKinds.has(k));
    }
  }
  return needed ? podControllers : [];
}

/** What a generated rule's fields are wrapped in and rewritten to. */
interface Target {
  readonly name: string;
  readonly kinds: readonly string[];
  /** Whether filters of other kinds than Pod take on the new kinds too. */
  readonly everyFilter: boolean;
  readonly templateKey: "template" | "jobTemplate";
}

function withKinds(block: JsonValue | undefined, target: Target, isExclude: boolean): JsonValue | undefined {
  if (!isObject(block)) return block;
  const kinds = target.kinds;
  for (const key of filterLists) {
    const filters = listOf(block[key]);
    if (filters.length === 0) continue;
    const renamed = filters.map((filter) => {
      const resources = member(filter, "resources");
      const applies = target.everyFilter || (resources !== undefined && namesKind(kindsOf(resources), "Pod"));
      return applies && isObject(filter)
        ? { ...filter, resources: { ...(isObject(resources) ? resources : {}), kinds } }
        : filter;
    });
    return { ...block, [key]: renamed };
  }
  const resources = block["resources"];
  if (isExclude && (resources === undefined || kindsOf(resources).length === 0)) return block;
  return { ...block, resources: { ...(isObject(resources) ? resources : {}), kinds } };
}

const wrap = (target: Target, value: JsonValue | undefined): JsonObject => ({ spec: { [target.templateKey]: value ?? null } });

function mutateFor(target: Target, mutate: JsonObject): JsonObject | undefined {
  const patch = mutate["patchStrategicMerge"];
  if (present(patch)) return { patchStrategicMerge: wrap(target, patch) };
  const foreach = listOf(mutate["foreach"]);
  if (foreach.length === 0) return undefined;
  return {
    foreach: foreach.map((entry) => ({
      list: member(entry, "list"),
      context: member(entry, "context"),
      preconditions: member(entry, "preconditions"),
      patchStrategicMerge: wrap(target, member(entry, "patchStrategicMerge")),
    })),
  };
}

function validateFor(target: Target, validate: JsonObject): JsonObject | undefined {
  const { message, failureAction, failureActionOverrides, allowExistingViolations } = validate;
  const kept = { message, failureAction, failureActionOverrides, allowExistingViolations };
  if (present(validate["pattern"])) return { ...kept, pattern: wrap(target, validate["pattern"]) };
  if (present(validate["deny"])) return { ...kept, deny: validate["deny"] };
  if (present(validate["podSecurity"])) return { ...kept, podSecurity: validate["podSecurity"] };
  if (present(validate["anyPattern"])) {
    return { ...kept, anyPattern: listOf(validate["anyPattern"]).map((pattern) => wrap(target, pattern)) };
  }
  if (listOf(validate["foreach"]).length > 0) return { ...kept, foreach: validate["foreach"] };
  return isFilled(validate["cel"]) ? validate : undefined;
}

/** The rule for the controllers, its texts not yet rewritten; undefined where Kyverno generates none. */
function generateRule(rule: JsonObject, target: Target): JsonObject | undefined {
  const { name: _name, generate: _generate, imageExtractors: _extractors, mutate, validate, ...kept } = rule;
  const generated = {
    ...kept,
    name: target.name,
    match: withKinds(rule["match"], target, false),
    exclude: withKinds(rule["exclude"], target, true),
  };
  if (isFilled(mutate) && isObject(mutate)) {
    const changed = mutateFor(target, mutate);
    if (changed !== undefined) return { ...generated, mutate: changed };
  }
  if (isFilled(validate) && isObject(validate)) {
    const changed = validateFor(target, validate);
    if (changed !== undefined) return { ...generated, validate: changed };
  }
  return listOf(rule["verifyImages"]).length > 0 ? generated : undefined;
}

/** Kyverno loses an empty `any` or `all` on the way into a generated rule: there it no longer hinders anything. */
function withoutEmptyLists(conditions: JsonValue | undefined): JsonValue | undefined {
  if (!isObject(conditions)) return conditions;
  const filled = ([, list]: readonly [string, JsonValue | undefined]) => !isArray(list) || list.length > 0;
  return Object.fromEntries(Object.entries(conditions).filter(filled));
}

/** Texts of the rule that lead to the pod now lead to the template. */
function rewriteTexts(rule: JsonObject, template: string): JsonObject {
  const isCel = present(member(rule["validate"], "cel"));
  const roots = isCel ? ["object", "oldObject"] : ["request.object", "request.oldObject"];
  const replacements = ["spec", "metadata"].flatMap((part) =>
    roots.map((root) => [`${root}.${part}`, `${root}.${template}.${part}`] as const),
  );
  const text = (s: string) => replacements.reduce((t, [from, to]) => t.replaceAll(from, to), s);
  const rewrite = (value: JsonValue | undefined): JsonValue | undefined => {
    if (typeof value === "string") return text(value);
    if (isArray(value)) return value.map((item) => rewrite(item) ?? null);
    if (isObject(value)) return rewriteObject(value);
    return value;
  };
  const rewriteObject = (value: JsonObject): JsonObject =>
    Object.fromEntries(
      Object.entries(value).map(([key, item]) => [text(key), rewrite(key === "conditions" ? withoutEmptyLists(item) : item)]),
    );
  return rewriteObject({ ...rule, preconditions: withoutEmptyLists(rule["preconditions"]) });
}

function concernsPods(rule: JsonObject): boolean {
  const excluded = descriptions(rule["exclude"]).flatMap(kindsOf);
  return namesKind(descriptions(rule["match"]).flatMap(kindsOf), "Pod") && (excluded.length === 0 || namesKind(excluded, "Pod"));
}

/** The rules generated from one rule for these controllers (kind names; `all` stands for all). */
function generateFor(rule: JsonObject, controllers: readonly string[]): readonly JsonObject[] {
  const name = asString(rule["name"]) ?? "";
  if (isAutogenRuleName(name) || !concernsPods(rule)) return [];
  const all = controllers.includes("all");
  const others = Object.keys(controllerKinds).filter((kind) => all || controllers.includes(kind));
  const template: Target = {
    name: autogenRuleName("autogen", name),
    kinds: others.map((kind) => controllerKinds[kind] ?? kind),
    everyFilter: false,
    templateKey: "template",
  };
  const inTemplate = generateRule(rule, template);
  if (inTemplate === undefined) return [];
  const generated = others.length > 0 ? [rewriteTexts(inTemplate, "spec.template")] : [];
  if (!all && !controllers.includes(cronJob)) return generated;
  const inJobTemplate = generateRule(inTemplate, {
    name: autogenRuleName("autogen-cronjob", name),
    kinds: ["batch/v1/CronJob"],
    everyFilter: true,
    templateKey: "jobTemplate",
  });
  if (inJobTemplate === undefined) return generated;
  return [...generated, rewriteTexts(inJobTemplate, "spec.jobTemplate.spec.template")];
}

export interface ComputedRule {
  readonly rule: JsonObject;
  /** Index in the policy's rules: its own, or that of the rule it was generated from. */
  readonly index: number;
}

/**
 * A policy's rules and those that Kyverno generates from them for pod controllers (`requested`: the annotation).
 * @see https://kyverno.io/docs/policy-types/cluster-policy/autogen/
 */
export function computeRules(rules: readonly JsonObject[], requested: string | undefined): readonly ComputedRule[] {
  const own = rules.map((rule, index) => ({ rule, index }));
  const supported = supportedControllers(rules);
  if (supported.length === 0) return own;
  const controllers = requested === undefined ? supported : requested.split(",");
  if (controllers.length === 1 && controllers[0] === "none") return own;
  const generated = own.flatMap(({ rule, index }) => generateFor(rule, controllers).map((one) => ({ rule: one, index })));
  if (generated.length === 0) return own;
  return [...own.filter(({ rule }) => !isAutogenRuleName(asString(rule["name"]) ?? "")), ...generated];
}
