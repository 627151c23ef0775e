import { isArray, isObject, type JsonObject, member } from "../../core/json.ts";
import type { DownstreamTerms } from "../policy.ts";

/** What in a rule's text is another thing the next time: who asked, in match blocks and in variables, chance and the clock. */
const ofOnce =
  /"(subjects|roles|clusterRoles)":|request\.(?!object\b|oldObject\b|namespace\b|name\b|kind\b)|serviceAccount(Name|Namespace)\b|\b(random|time_\w+)\(/;

/** How a `generate` rule, or a `mutate` rule with targets, wants those objects kept; undefined for other rules. */
export function downstreamTerms(rule: JsonObject, policy: JsonObject): DownstreamTerms | undefined {
  const { generate, mutate } = rule;
  const shared = {
    serverSideApply: policy["useServerSideApply"] === true,
    skipsOwnWrites: rule["skipBackgroundRequests"] !== false,
    runsOnce: ofOnce.test(JSON.stringify(rule)),
  };
  if (isObject(generate)) {
    const existing = generate["generateExisting"] ?? policy["generateExisting"] ?? policy["generateExistingOnPolicyUpdate"];
    return {
      ...shared,
      synchronize: generate["synchronize"] === true,
      existing: existing === true,
      // Clones stay with whoever uses them, unless told otherwise.
      orphan: (generate["orphanDownstreamOnPolicyDelete"] ?? isClone(generate)) === true,
    };
  }
  if (!isArray(member(mutate, "targets"))) return undefined;
  const existing = member(mutate, "mutateExistingOnPolicyUpdate") ?? policy["mutateExistingOnPolicyUpdate"];
  return { ...shared, synchronize: false, existing: existing === true, orphan: false };
}

function isClone(generate: JsonObject): boolean {
  const loops = isArray(generate["foreach"]) ? generate["foreach"] : [generate];
  return loops.some((loop) => member(loop, "clone") !== undefined || member(loop, "cloneList") !== undefined);
}
