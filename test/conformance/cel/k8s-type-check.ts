import { apiResources } from "../../../src/core/api-resources.ts";
import { isObject, type JsonObject, type JsonValue, toDotted } from "../../../src/core/json.ts";
import type { KubernetesSchemas } from "../../../src/core/schema.ts";
import { type TypeWarning, typeWarnings } from "../../../src/policies/cel/type-warnings.ts";
import { failure, type Outcome, passed } from "../corpus.ts";
import { callOf, fieldsOf, goName, listOf } from "./go-literal.ts";
import { openApiSchema } from "./go-openapi.ts";
import { builtInSchemas } from "./go-policy.ts";
import { NotData } from "./go-schema.ts";
import { structJson } from "./go-struct.ts";

/** Every kind has the schema that a test wants. */
function schemasOf(value: JsonValue | undefined): KubernetesSchemas {
  const schema = value === undefined ? undefined : openApiSchema(value);
  return { ...builtInSchemas(), schemaFor: () => schema };
}

function resource(group: string, version: string, kind: string) {
  return { group, version, kind, resource: `${kind.toLowerCase()}s`, namespaced: true, verbs: [], subresources: [] };
}

const served = [resource("apps", "v1", "Deployment"), resource("example.com", "v1alpha1", "Reproducer")];

const constraints = {
  resourceRules: [{ apiGroups: ["apps"], apiVersions: ["v1"], resources: ["deployments"] }],
};

function problem(assertion: JsonValue, warnings: readonly TypeWarning[]): string | undefined {
  const said = warnings.map(({ path, message }) => `${toDotted(path)}: ${message}`);
  const call = callOf(assertion);
  const argument = call?.args[0];
  switch (call?.name ?? goName(assertion)) {
    case "toBeEmpty":
      return warnings.length === 0 ? undefined : said.join("; ");
    case "toHaveLengthOf":
      return warnings.length === argument ? undefined : `${warnings.length} warnings`;
    case "toHaveFieldRef":
      return call?.args.every((ref, i) => said[i]?.startsWith(`${String(ref)}:`)) === true ? undefined : said.join("; ");
    case "toContain":
      return said.every((text) => text.includes(String(argument))) && said.length > 0 ? undefined : said.join("; ");
    default:
      throw new NotData("the assertion is not known");
  }
}

/** What the API server warns of when a policy does not fit its kinds. */
export function runTypeCheckRow(row: JsonObject): Outcome {
  const { Spec } = fieldsOf(row["policy"]);
  const { MatchConstraints, ...rest } = fieldsOf(Spec);
  const spec = structJson(rest);
  const match = goName(MatchConstraints) === undefined ? structJson(MatchConstraints) : constraints;
  const resources = apiResources(served, schemasOf(row["schemaToReturn"]));
  const warnings = typeWarnings({ ...(isObject(spec) ? spec : {}), matchConstraints: match }, resources);
  const [wrong] = listOf(row["assertions"]).flatMap((assertion) => problem(assertion, warnings) ?? []);
  return wrong === undefined ? passed : failure(wrong);
}
