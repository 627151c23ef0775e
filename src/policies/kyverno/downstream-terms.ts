import { asString, isArray, isObject, type JsonObject, member } from "../../core/json.ts";
import type { DownstreamTerms } from "../policy.ts";

/** Who asked, in match blocks. */
const ofUsers = /"(subjects|roles|clusterRoles)":/;
/** What in variables is another thing the next time: who asked, what was there before, chance and the clock. */
const ofOnce =
  /request\.(?!object\b|namespace\b|name\b|kind\b|operation\b)|serviceAccount(Name|Namespace)\b|\b(random|time_\w+)\(/;

function runsOnce(rule: JsonObject): boolean {
  const { match = null, exclude = null } = rule;
  const variables = JSON.stringify(rule).match(/\{\{.*?\}\}/g) ?? [];
  return ofUsers.test(JSON.stringify([match, exclude])) || variables.some((variable) => ofOnce.test(variable));
}

/** How a `generate` rule, or a `mutate` rule with targets, wants those objects kept; undefined for other rules. */
export function downstreamTerms(rule: JsonObject, policy: JsonObject): DownstreamTerms | undefined {
  const { generate, mutate } = rule;
  if (!isObject(generate) && !isArray(member(mutate, "targets"))) return undefined;
  const shared = {
    serverSideApply: policy["useServerSideApply"] === true,
    skipsOwnWrites: rule["skipBackgroundRequests"] !== false,
    runsOnce: runsOnce(rule),
    kinds: isObject(generate) ? new Set(generatedKinds(generate)) : undefined,
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
  const existing = member(mutate, "mutateExistingOnPolicyUpdate") ?? policy["mutateExistingOnPolicyUpdate"];
  return { ...shared, synchronize: false, existing: existing === true, orphan: false };
}

const loopsOf = (generate: JsonObject) => (isArray(generate["foreach"]) ? generate["foreach"] : [generate]);

function isClone(generate: JsonObject): boolean {
  return loopsOf(generate).some((loop) => member(loop, "clone") !== undefined || member(loop, "cloneList") !== undefined);
}

function generatedKinds(generate: JsonObject): readonly string[] {
  return loopsOf(generate).flatMap((loop) => {
    const list = member(member(loop, "cloneList"), "kinds");
    if (isArray(list)) return list.map((kind) => groupKind(asString(kind) ?? ""));
    return [groupKind(`${asString(member(loop, "apiVersion")) ?? ""}/${asString(member(loop, "kind")) ?? ""}`)];
  });
}

/** Of `Kind`, `v1/Kind` or `group/v1/Kind`. */
function groupKind(text: string): string {
  const parts = text.split("/");
  return `${parts.length > 2 ? parts[0] : ""}/${parts.at(-1)}`;
}
