import type { LabelPredicate } from "../../core/label-selector.ts";
import { compileResourceRules } from "../../core/resource-rule.ts";
import { compileWildcard } from "../../core/wildcard.ts";
import type { ShownAction } from "../../languages/cel/action-condition.ts";
import type { Ask } from "../request.ts";
import type { AccessRuleSpec } from "./access-rule-kind.ts";
import type { AccessRules, OfferContext } from "./types.ts";

const anyOf = (patterns: readonly string[] | undefined, ifNone: boolean): ((text: string) => boolean) => {
  if (patterns === undefined) return () => ifNone;
  const compiled = patterns.map(compileWildcard);
  return (text) => compiled.some((matches) => matches(text));
};

/** Where it takes place; a Namespace is in itself. */
function namespaceOf(ask: Ask, shown: ShownAction): string {
  const isNamespace = ask.type === "action" && shown.resource === "namespaces" && shown.group === "";
  return isNamespace ? shown.name : shown.namespace;
}

/** Whether a rule offers exceptions from a policy there. */
export function compileExceptionScope({ asks, policies, namespaces, clusters }: AccessRuleSpec): AccessRules["offersException"] {
  const offers = asks?.includes("exception") === true;
  const isPolicy = anyOf(policies, false);
  const inNamespace = anyOf(namespaces, true);
  const isCluster = anyOf(clusters, true);
  return (policy, namespace, cluster) =>
    offers && isPolicy(policy) && isCluster(cluster) && (namespace === "" ? namespaces === undefined : inNamespace(namespace));
}

/** Whether a rule is about what is asked, whoever asks. */
export function compileScope(
  spec: AccessRuleSpec,
  selector: LabelPredicate | undefined,
): (ask: Ask, shown: ShownAction, context: OfferContext) => boolean {
  const asks = new Set<string>(spec.asks ?? ["action"]);
  const verbs = new Set(spec.verbs ?? []);
  const isCluster = anyOf(spec.clusters, true);
  const isNamed = compileResourceRules(spec.resources ?? [], false);
  const inNamespace = anyOf(spec.namespaces, true);
  const isPolicy = anyOf(spec.policies, false);
  return (ask, shown, context) => {
    if (!asks.has(ask.type) || !isCluster(shown.cluster)) return false;
    const namespace = namespaceOf(ask, shown);
    if (spec.namespaces !== undefined && namespace === "") return false;
    if (namespace !== "" && !inNamespace(namespace)) return false;
    if (
      selector !== undefined &&
      (namespace === "" || context.namespaceLabels === undefined || !selector(context.namespaceLabels))
    ) {
      return false;
    }
    switch (ask.type) {
      case "action":
        return ask.action.isResourceRequest && shown.verb !== "" && (verbs.has("*") || verbs.has(shown.verb)) && isNamed(shown);
      case "session":
        return namespace !== "" && (spec.modes ?? ["gateway"]).includes(ask.mode);
      case "exception":
        return isPolicy(ask.policy);
    }
  };
}
