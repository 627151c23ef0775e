import { isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";

interface Controller {
  readonly group: string;
  readonly resource: string;
  readonly template: "defaults" | "cronjobs";
}

const controllers: { readonly [name: string]: Controller } = {
  daemonsets: { group: "apps", resource: "daemonsets", template: "defaults" },
  deployments: { group: "apps", resource: "deployments", template: "defaults" },
  replicasets: { group: "apps", resource: "replicasets", template: "defaults" },
  statefulsets: { group: "apps", resource: "statefulsets", template: "defaults" },
  jobs: { group: "batch", resource: "jobs", template: "defaults" },
  cronjobs: { group: "batch", resource: "cronjobs", template: "cronjobs" },
};

/** Where the pod is in a controller. */
const templates = { defaults: "spec.template", cronjobs: "spec.jobTemplate.spec.template" } as const;
export type AutogenTemplate = keyof typeof templates;

const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);
const isFilled = (value: JsonValue | undefined): boolean =>
  isArray(value) ? value.length > 0 : isObject(value) && Object.keys(value).length > 0;

const isOnly = (value: JsonValue | undefined, wanted: string): boolean => {
  const [only, second] = listOf(value);
  return only === wanted && second === undefined;
};

/** Policies that are about pods, all of them, are also about what makes pods. */
function concernsPods(match: JsonValue | undefined): boolean {
  const selector = member(match, "objectSelector");
  if (isFilled(member(selector, "matchLabels")) || isFilled(member(selector, "matchExpressions"))) return false;
  if (isFilled(member(match, "excludeResourceRules"))) return false;
  const rules = listOf(member(match, "resourceRules"));
  const [rule] = rules;
  if (rule === undefined || rules.length !== 1 || isFilled(member(rule, "resourceNames"))) return false;
  return (
    isOnly(member(rule, "apiGroups"), "") &&
    isOnly(member(rule, "apiVersions"), "v1") &&
    isOnly(member(rule, "resources"), "pods")
  );
}

/** `object.metadata.namespace` is the controller's own. */
function rewriteText(text: string, template: AutogenTemplate): string {
  return text.replace(
    /(object|oldObject)\.(?:(spec)|(metadata)(?!\.namespace(?![A-Za-z0-9_])))/g,
    (_, root: string, spec: string | undefined, metadata: string | undefined) =>
      `${root}.${templates[template]}.${spec ?? metadata ?? ""}`,
  );
}

/** A part of a policy with its texts leading to the pod in a controller. */
function rewriteTexts(value: JsonValue, template: AutogenTemplate): JsonValue {
  if (typeof value === "string") return rewriteText(value, template);
  if (isArray(value)) return value.map((item) => rewriteTexts(item, template));
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(([key, item]) => [
    rewriteText(key, template),
    item === undefined ? undefined : rewriteTexts(item, template),
  ]);
  return Object.fromEntries(members);
}

export interface GeneratedSpec {
  readonly template: AutogenTemplate;
  readonly spec: JsonObject;
}

export interface Autogen {
  readonly specs: readonly GeneratedSpec[];
  /** Controllers that were asked for and that are no built-in kinds. */
  readonly unknown: readonly string[];
}

function matchFor(chosen: readonly Controller[], match: JsonValue | undefined): JsonObject {
  const [rule] = listOf(member(match, "resourceRules"));
  const groups = [...new Set(chosen.map((c) => c.group))];
  const selector = member(match, "namespaceSelector");
  return {
    resourceRules: groups.map((group) => ({
      apiGroups: [group],
      apiVersions: ["v1"],
      operations: member(rule, "operations") ?? [],
      resources: chosen.filter((c) => c.group === group).map((c) => c.resource),
    })),
    ...(selector === undefined ? {} : { namespaceSelector: selector }),
  };
}

/**
 * The specs that Kyverno makes of a policy about pods for the kinds that make pods; `rewrite` changes what is not a text
 * of an expression.
 */
export function autogenSpecs(spec: JsonObject, rewrite = rewriteTexts): Autogen {
  if (!concernsPods(spec["matchConstraints"])) return { specs: [], unknown: [] };
  const wanted = member(member(spec["autogen"], "podControllers"), "controllers");
  const names = isArray(wanted) ? wanted.filter((name) => typeof name === "string") : Object.keys(controllers);
  const specs = (["cronjobs", "defaults"] as const).flatMap((template): GeneratedSpec[] => {
    const chosen = names.flatMap((name) => (Object.hasOwn(controllers, name) ? [controllers[name]] : []));
    const here = chosen.filter((c) => c !== undefined).filter((c) => c.template === template);
    if (here.length === 0) return [];
    const rewritten = rewrite(spec, template);
    return isObject(rewritten)
      ? [{ template, spec: { ...rewritten, matchConstraints: matchFor(here, spec["matchConstraints"]) } }]
      : [];
  });
  return { specs, unknown: names.filter((name) => !Object.hasOwn(controllers, name)) };
}
