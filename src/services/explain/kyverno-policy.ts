import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { annotationsOf, type KubernetesObject, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import { formatSpan, type SourceDocument } from "../../core/source.ts";
import { autogenAnnotation, computeRules, isAutogenRuleName } from "../../policies/kyverno/autogen.ts";
import { andList, orList, type PolicyExplanation, type RuleExplanation, type Statement, statement } from "./explanation.ts";
import { conditionTexts, expressionText } from "./kyverno-conditions.ts";
import { matchWords } from "./kyverno-match.ts";
import { actionStatements } from "./kyverno-rule.ts";

/** A Kyverno ClusterPolicy or Policy in words. */
export function explainKyvernoPolicy(document: SourceDocument<KubernetesObject>): PolicyExplanation {
  const { value } = document;
  const spec = isObject(value["spec"]) ? value["spec"] : {};
  const annotations = annotationsOf(value);
  const span = document.locate([]);
  const rules = isArray(spec["rules"]) ? spec["rules"].filter(isObject) : [];
  const computed = computeRules(rules, annotations[autogenAnnotation]);
  const controllersOf = (index: number) =>
    computed
      .filter((c) => c.index === index && isAutogenRuleName(asString(c.rule["name"]) ?? ""))
      .flatMap((c) => controllerKinds(c.rule["match"]));
  return {
    policy: `${value.kind} ${[namespaceOf(value), nameOf(value)].filter(Boolean).join("/")}`,
    location: span === undefined ? document.file : formatSpan(span),
    statements: [
      ...statement(
        "About",
        ...["policies.kyverno.io/title", "policies.kyverno.io/category"].flatMap((a) => annotations[a] ?? []),
      ),
      ...statement("Severity", annotations["policies.kyverno.io/severity"] ?? "medium (not set)"),
      ...policyStatements(value.kind, spec),
    ],
    rules: rules.map((rule, i) => explainRule(rule, controllersOf(i))),
  };
}

/** Kinds of a generated rule, without group and version. */
function controllerKinds(match: JsonValue | undefined): readonly string[] {
  const filters = ["any", "all"].flatMap((key) => {
    const list = member(match, key);
    return isArray(list) ? list : [];
  });
  const kinds = [match, ...filters].map((f) => member(member(f, "resources"), "kinds")).filter(isArray);
  return [...new Set(kinds.flat().map((k) => String(k).split("/").at(-1) ?? ""))];
}

function policyStatements(kind: string, spec: JsonObject): readonly Statement[] {
  const where = kind === "Policy" ? "its own namespace only" : "the whole cluster";
  const background = spec["background"] === false ? "" : "existing objects in background scans";
  const admission = spec["admission"] === false ? "" : "new and changed objects at admission";
  const overrides = spec["validationFailureActionOverrides"];
  return [
    ...statement("Applies to", `${where}: ${andList([admission, background].filter((s) => s !== ""))}`),
    ...statement("On failure", failureWords(asString(spec["validationFailureAction"]))),
    ...(isArray(overrides) ? statement("Except", ...overrides.map(overrideWords)) : []),
    ...(spec["applyRules"] === "One" ? statement("Stops", "after the first rule that applies") : []),
  ];
}

function failureWords(action: string | undefined): string {
  if (action === undefined) return "reported only (Audit, the default), unless a rule says otherwise";
  return action.toLowerCase() === "enforce" ? "the request is refused (Enforce)" : "reported only (Audit)";
}

function overrideWords(override: JsonValue): string {
  const namespaces = member(override, "namespaces");
  const where =
    isArray(namespaces) && namespaces.length > 0 ? `in namespace ${orList(namespaces.map(String))}` : "in selected namespaces";
  return `${where}: ${failureWords(asString(member(override, "action")))}`;
}

function explainRule(rule: JsonObject, controllers: readonly string[]): RuleExplanation {
  const validate = rule["validate"];
  const action = asString(member(validate, "failureAction"));
  const context = rule["context"];
  return {
    name: asString(rule["name"]) ?? "",
    statements: [
      ...statement("Matches", ...matchWords(rule["match"])),
      ...(controllers.length > 0 ? statement("And, generated,", `the pod templates of ${andList(controllers)}`) : []),
      ...statement("But not", ...matchWords(rule["exclude"])),
      ...(isArray(context) ? statement("Looks up", ...context.map(contextWords)) : []),
      ...statement("Only where", ...conditionTexts(rule["preconditions"])),
      ...actionStatements(rule),
      ...(action === undefined ? [] : statement("On failure", failureWords(action))),
    ],
  };
}

function contextWords(entry: JsonValue): string {
  const name = asString(member(entry, "name")) ?? "";
  const from = (key: string, part: string) => expressionText(member(member(entry, key), part));
  if (member(entry, "configMap") !== undefined)
    return `${name}: the config map ${from("configMap", "namespace")} ${from("configMap", "name")}`;
  if (member(entry, "apiCall") !== undefined) {
    const path = member(member(entry, "apiCall"), "urlPath");
    return `${name}: the API server's answer to ${path === undefined ? `a call of ${expressionText(member(member(member(entry, "apiCall"), "service"), "url"))}` : expressionText(path)}`;
  }
  if (member(entry, "imageRegistry") !== undefined)
    return `${name}: the registry's data of ${from("imageRegistry", "reference")}`;
  if (member(entry, "globalReference") !== undefined)
    return `${name}: the global context entry ${from("globalReference", "name")}`;
  const variable = member(entry, "variable");
  const path = member(variable, "jmesPath");
  return `${name}: ${path === undefined ? expressionText(member(variable, "value")) : `\`${String(path).trim()}\``}`;
}
