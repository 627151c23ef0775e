import type { Action } from "../../../src/core/action.ts";
import { type ApiResource, apiResources } from "../../../src/core/api-resources.ts";
import { noFacts } from "../../../src/core/facts.ts";
import { isObject, type JsonObject, type JsonValue, member } from "../../../src/core/json.ts";
import { Budget } from "../../../src/policies/budget.ts";
import { compileMatchResources } from "../../../src/policies/cel/match-resources.ts";
import { DocumentReport } from "../../../src/policies/kyverno/report.ts";
import { failure, type Outcome, passed } from "../corpus.ts";
import { callOf } from "./go-literal.ts";
import { sourceDocument } from "./go-policy.ts";
import { NotData } from "./go-schema.ts";
import { structJson } from "./go-struct.ts";

function served(group: string, version: string, scale?: readonly [group: string, version: string]): ApiResource {
  const subresources =
    scale === undefined ? [] : [{ name: "scale", group: scale[0], version: scale[1], kind: "Scale", verbs: [] }];
  return { group, version, kind: "Deployment", resource: "deployments", namespaced: true, verbs: [], subresources };
}

/** What the tests' API server serves; deployments are the same in all groups. */
const resources = apiResources([
  served("extensions", "v1beta1", ["extensions", "v1beta1"]),
  served("apps", "v1", ["autoscaling", "v1"]),
  served("apps", "v1beta1", ["apps", "v1beta1"]),
  served("apps", "v1alpha1", ["apps", "v1alpha1"]),
]);

/** `gvk("apps", "v1", "Deployment")` as its arguments. */
function triple(value: JsonValue | undefined): readonly [string, string, string] {
  const [group = "", version = "", name = ""] = callOf(value)?.args.map(String) ?? [];
  return [group, version, name];
}

function actionOf(attributes: JsonValue | undefined): Action {
  const call = callOf(attributes);
  if (call?.name !== "admission.NewAttributesRecord") throw new NotData("the attributes are not known");
  const [object, , gvk, namespace, name, gvr, subresource, operation] = call.args;
  const [group, version, kind] = triple(gvk);
  const [resourceGroup, resourceVersion, resource] = triple(gvr);
  const apiVersion = group === "" ? version : `${group}/${version}`;
  const json = structJson(object);
  return {
    channel: "admission",
    actor: undefined,
    operation: structJson(operation) === "CREATE" ? "CREATE" : "UPDATE",
    dryRun: false,
    target: {
      type: "kubernetes",
      group: resourceGroup,
      version: resourceVersion,
      kind,
      resource,
      subresource: String(subresource),
      namespace: String(namespace),
      name: String(name),
    },
    object: isObject(json) ? { metadata: {}, ...json, apiVersion, kind } : undefined,
    namespaceLabels: { ns: "ns1" },
    at: 0,
  };
}

/** Whether match resources select a request, and as what; `equivalent` is Kubernetes' reading, the other one Kyverno's. */
export function runMatchRow(row: JsonObject, equivalent: boolean): Outcome {
  const criteria = structJson(row["criteria"]);
  const spec = { matchPolicy: "Exact", ...(isObject(criteria) ? criteria : {}) };
  const report = new DocumentReport(sourceDocument({ apiVersion: "v1", kind: "Policy", metadata: { name: "p" } }));
  const match = compileMatchResources(spec, ["spec"], report, { equivalent, resources });
  const action = actionOf(row["attrs"]);
  const found = match.matched({
    action,
    object: action.object,
    oldObject: undefined,
    facts: noFacts("the tests ask nobody"),
    host: { now: () => 0, random: () => 0 },
    budget: new Budget(10_000),
    resources,
  });
  // The API fills selectors in that are left out; Kubernetes' tests, which do not, select nothing by them.
  const defaulted =
    !equivalent || ["ObjectSelector", "NamespaceSelector"].every((name) => member(row["criteria"], name) !== undefined);
  const matches = found !== undefined && defaulted;
  if (matches !== (row["expectMatches"] === true)) return failure(`matches: ${matches}`);
  const wanted = row["expectMatchResource"] === undefined ? undefined : triple(row["expectMatchResource"]);
  if (found === undefined || wanted === undefined) return passed;
  const actual = [found.group, found.version, found.resource];
  return JSON.stringify(actual) === JSON.stringify(wanted) ? passed : failure(`matches as ${actual.join("/")}`);
}
