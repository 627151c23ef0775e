import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { annotationsOf, type KubernetesObject, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import type { KubernetesSchemas } from "../../core/schema.ts";
import { autogenAnnotation, computeRules } from "../../policies/kyverno/autogen.ts";
import { parseFailureAction } from "../../policies/kyverno/enforcement.ts";
import { NotConvertible } from "./cel-text.ts";
import { type ConvertedRule, convertRule } from "./convert-rule.ts";

/** Kyverno's own CEL kinds, or those of the API server. */
export const conversionTargets = ["kyverno", "kubernetes"] as const;
export type ConversionTarget = (typeof conversionTargets)[number];

/** A rule, or one that Kyverno generates from it, with what is done about its failures. */
interface Part {
  readonly variant: "own" | "controllers" | "cronjobs";
  readonly rule: ConvertedRule;
  readonly actions: readonly string[];
}

/** What became of one rule of a policy, with the rules that Kyverno generates from it. */
export interface RuleConversion {
  /** The rule as its author named it. */
  readonly rule: string;
  /** The names of the rule and of those that are generated from it. */
  readonly names: readonly string[];
  /** For this rule alone: what it is compared with. */
  readonly objects: readonly KubernetesObject[];
  readonly assumptions: readonly string[];
}

export type PolicyConversion =
  | {
      readonly kind: "converted";
      readonly rules: readonly RuleConversion[];
      /** For the whole policy: rules about the same requests share one object. */
      readonly objects: readonly KubernetesObject[];
    }
  /** What stands in the way, by rule where it is one of them. */
  | { readonly kind: "refused"; readonly reasons: readonly string[] };

const isFilled = (value: JsonValue | undefined): boolean =>
  isArray(value) ? value.length > 0 : isObject(value) && Object.keys(value).length > 0;

/** What a whole policy says that no CEL policy can. */
function policyProblems(spec: JsonObject, target: ConversionTarget): readonly string[] {
  const problems: string[] = [];
  const refuse = (holds: boolean, text: string) => {
    if (holds) problems.push(text);
  };
  refuse(
    isFilled(spec["validationFailureActionOverrides"]),
    "validationFailureActionOverrides: the action depends on the namespace",
  );
  refuse(spec["applyRules"] === "One", "applyRules: One: the first rule that applies is the last");
  refuse(isFilled(member(spec["webhookConfiguration"], "matchConditions")), "webhookConfiguration.matchConditions");
  refuse(spec["admission"] === false && target === "kubernetes", "admission: false: the API server judges requests only");
  return problems;
}

/** Names of objects are shorter than those of policies and rules together may be. */
const longestName = 63;

function objectName(policy: string, rule: string, index: number, variant: Part["variant"]): string {
  const end = variant === "own" ? "" : `-${variant}`;
  const readable = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9.-]+/g, "-");
  const whole = readable(rule === "" ? policy : `${policy}-${rule}`) + end;
  if (whole.length <= longestName) return whole;
  const short = `-${index + 1}${end}`;
  return readable(policy).slice(0, longestName - short.length) + short;
}

interface PolicySettings {
  readonly policy: KubernetesObject;
  readonly spec: JsonObject;
  readonly target: ConversionTarget;
}

/** `Deny` or `Audit`, as the rule says, or else its policy. */
function actionsOf({ spec }: PolicySettings, rule: JsonObject): readonly string[] {
  const action =
    parseFailureAction(member(rule["validate"], "failureAction")) ??
    parseFailureAction(spec["validationFailureAction"]) ??
    "audit";
  const warns = spec["emitWarning"] === true && action !== "enforce";
  return [action === "enforce" ? "Deny" : "Audit", ...(warns ? ["Warn"] : [])];
}

const keptAnnotations = /^(?:policies\.kyverno\.io\/(?:title|category|severity|subject|description|minversion)|castellan\.dev\/)/;

function metadataOf({ policy }: PolicySettings, name: string): JsonObject {
  const annotations = Object.fromEntries(Object.entries(annotationsOf(policy)).filter(([key]) => keptAnnotations.test(key)));
  const namespace = policy.kind === "Policy" ? namespaceOf(policy) || "default" : "";
  return {
    name,
    ...(namespace === "" ? {} : { namespace }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

const listed = (field: string, list: readonly JsonValue[]): JsonObject => (list.length === 0 ? {} : { [field]: list });

function sharedSpec({ spec }: PolicySettings, rule: ConvertedRule): JsonObject {
  const failurePolicy = member(spec["webhookConfiguration"], "failurePolicy") ?? spec["failurePolicy"];
  return {
    ...(failurePolicy === "Ignore" ? { failurePolicy } : {}),
    matchConstraints: { resourceRules: rule.match.resourceRules },
    ...listed("matchConditions", rule.conditions),
    ...listed("variables", rule.variables),
    ...listed("auditAnnotations", rule.auditAnnotations),
    ...listed("validations", rule.validations),
    ...listed("mutations", rule.mutations),
  };
}

const isMutation = (rule: ConvertedRule): boolean => rule.mutations.length > 0;

function validatingPolicy(
  settings: PolicySettings,
  name: string,
  rule: ConvertedRule,
  actions: readonly string[],
): KubernetesObject {
  const { spec, policy } = settings;
  if (rule.params !== undefined)
    throw new NotConvertible("validate.cel has parameters, which only the API server's own kind has");
  const timeout = member(spec["webhookConfiguration"], "timeoutSeconds") ?? spec["webhookTimeoutSeconds"];
  const evaluation = {
    ...(spec["background"] === false ? { background: { enabled: false } } : {}),
    ...(spec["admission"] === false ? { admission: { enabled: false } } : {}),
  };
  return {
    apiVersion: "policies.kyverno.io/v1",
    kind: `${policy.kind === "Policy" ? "Namespaced" : ""}${isMutation(rule) ? "Mutating" : "Validating"}Policy`,
    metadata: metadataOf(settings, name),
    spec: {
      ...(isMutation(rule) ? {} : { validationActions: actions }),
      ...(timeout === undefined ? {} : { webhookConfiguration: { timeoutSeconds: timeout } }),
      ...(Object.keys(evaluation).length === 0 ? {} : { evaluation }),
      // Rules for controllers are policies of their own: they keep what Kyverno's generated ones would leave out.
      autogen: { podControllers: { controllers: [] } },
      ...sharedSpec(settings, rule),
    },
  };
}

/** The API server takes messages of one line only. */
function onOneLine(validation: JsonObject): JsonObject {
  const message = asString(validation["message"]);
  return message === undefined ? validation : { ...validation, message: message.trim().replaceAll(/\s*\n\s*/g, " ") };
}

function admissionPolicy(
  settings: PolicySettings,
  name: string,
  rule: ConvertedRule,
  actions: readonly string[],
): readonly KubernetesObject[] {
  const { policy } = settings;
  if (policy.kind === "Policy") throw new NotConvertible("a Policy of one namespace has no like in the API server");
  const metadata = metadataOf(settings, name);
  const kind = isMutation(rule) ? "Mutating" : "Validating";
  return [
    {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: `${kind}AdmissionPolicy`,
      metadata,
      spec: {
        ...sharedSpec(settings, { ...rule, validations: rule.validations.map(onOneLine) }),
        ...(isMutation(rule) ? { reinvocationPolicy: "Never" } : {}),
        ...(rule.params === undefined ? {} : { paramKind: rule.params.paramKind }),
      },
    },
    {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: `${kind}AdmissionPolicyBinding`,
      metadata: { name },
      spec: {
        policyName: name,
        ...(isMutation(rule) ? {} : { validationActions: actions }),
        ...(rule.params === undefined ? {} : { paramRef: rule.params.paramRef }),
      },
    },
  ];
}

function render(settings: PolicySettings, name: string, { rule, actions }: Part): readonly KubernetesObject[] {
  return settings.target === "kyverno"
    ? [validatingPolicy(settings, name, rule, actions)]
    : admissionPolicy(settings, name, rule, actions);
}

/** Rules that are about the same requests, under the same conditions, as one. */
function mergedParts(parts: readonly Part[]): readonly Part[] {
  const key = ({ variant, rule, actions }: Part, index: number) => {
    const own =
      isMutation(rule) || rule.variables.length > 0 || rule.auditAnnotations.length > 0 || rule.params !== undefined ? index : -1;
    return JSON.stringify([variant, rule.match.resourceRules, rule.conditions, actions, own]);
  };
  const groups = Map.groupBy(
    parts.map((part, index) => ({ part, key: key(part, index) })),
    (keyed) => keyed.key,
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const validations = group.flatMap(({ part }) => part.rule.validations);
    return [{ ...first.part, rule: { ...first.part.rule, validations } }];
  });
}

/** Objects for all parts; named by their rules only where one object is not enough. */
function renderAll(settings: PolicySettings, parts: readonly Part[]): readonly KubernetesObject[] {
  const merged = mergedParts(parts);
  const counts = Map.groupBy(merged, (part) => part.variant);
  const isAlone = [...counts.values()].every((group) => group.length === 1);
  return merged.flatMap((part, i) => {
    const own = part.rule.name.replace(/^autogen-(?:cronjob-)?/, "");
    return render(settings, objectName(nameOf(settings.policy), isAlone ? "" : own, i, part.variant), part);
  });
}

function variantOf(rule: string, own: string): Part["variant"] {
  if (rule === own) return "own";
  return rule.startsWith("autogen-cronjob-") ? "cronjobs" : "controllers";
}

/** Converts a ClusterPolicy or Policy of kyverno.io: every rule, or none. */
export function convertPolicy(policy: KubernetesObject, target: ConversionTarget, schemas: KubernetesSchemas): PolicyConversion {
  const raw = policy["spec"];
  const spec = isObject(raw) ? raw : {};
  const settings: PolicySettings = { policy, spec, target };
  const own = (isArray(spec["rules"]) ? spec["rules"] : []).filter(isObject);
  const reasons = [...policyProblems(spec, target)];
  const computed = computeRules(own, annotationsOf(policy)[autogenAnnotation]);
  const all: Part[] = [];
  const rules = own.map((written, index): RuleConversion => {
    const ruleName = asString(written["name"]) ?? "";
    const variants = computed.filter((one) => one.index === index);
    const parts = variants.flatMap(({ rule }): Part[] => {
      const name = asString(rule["name"]) ?? "";
      try {
        const actions = actionsOf(settings, rule);
        const converted = convertRule(rule, actions.includes("Deny"), schemas);
        const part = { variant: variantOf(name, ruleName), rule: converted, actions };
        render(settings, name, part);
        return [part];
      } catch (error) {
        if (!(error instanceof NotConvertible)) throw error;
        reasons.push(`rule ${ruleName}: ${error.message}`);
        return [];
      }
    });
    all.push(...parts);
    return {
      rule: ruleName,
      names: variants.map(({ rule }) => asString(rule["name"]) ?? ""),
      objects: parts.flatMap((part) => render(settings, objectName("proof", "", 0, part.variant), part)),
      assumptions: [...new Set(parts.flatMap((part) => part.rule.match.assumptions))],
    };
  });
  if (own.length === 0) reasons.push("the policy has no rules");
  if (reasons.length > 0) return { kind: "refused", reasons: [...new Set(reasons)] };
  return { kind: "converted", rules, objects: renderAll(settings, all) };
}
