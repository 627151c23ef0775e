import { isArray, isObject, type JsonObject, type JsonPath, type JsonValue } from "../../core/json.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import { withDefaults } from "../../languages/cel/schema/defaults.ts";
import { schemaViolations } from "../../languages/cel/schema/structural.ts";
import { asStructuralSchema, type StructuralSchema } from "../../languages/cel/schema/structural-schema.ts";
import { describeViolation } from "../../languages/cel/schema/violation.ts";
import type { DocumentReport } from "../kyverno/report.ts";
import type { Template } from "./template.ts";

const strings = { type: "array", items: { type: "string" } };
const glob = { type: "string", pattern: "^\\*?[-:a-z0-9]*\\*?$" };
const selector = {
  type: "object",
  properties: {
    matchLabels: { type: "object", additionalProperties: { type: "string" } },
    matchExpressions: {
      type: "array",
      items: {
        type: "object",
        required: ["key", "operator"],
        properties: { key: { type: "string" }, operator: { type: "string" }, values: strings },
      },
    },
  },
};

/** What the definitions of all constraints have in common. */
const common: JsonObject = {
  match: {
    type: "object",
    properties: {
      kinds: { type: "array", items: { type: "object", properties: { apiGroups: strings, kinds: strings } } },
      namespaces: { type: "array", items: glob },
      excludedNamespaces: { type: "array", items: glob },
      labelSelector: selector,
      namespaceSelector: selector,
      scope: { type: "string" },
      name: glob,
      source: { type: "string", enum: ["All", "Generated", "Original"] },
    },
  },
  enforcementAction: { type: "string", default: "deny" },
  scopedEnforcementActions: {
    type: "array",
    items: {
      type: "object",
      properties: {
        action: { type: "string" },
        enforcementPoints: { type: "array", items: { type: "object", properties: { name: { type: "string" } } } },
      },
    },
  },
};

function schemaFor({ parameters }: Template): StructuralSchema {
  const properties = parameters === undefined ? common : { ...common, parameters };
  return asStructuralSchema({
    type: "object",
    properties: {
      metadata: { type: "object", properties: { name: { type: "string", maxLength: 63 } } },
      spec: { type: "object", properties },
    },
  });
}

/** Where members are that no schema knows of: the API server would drop them, Gatekeeper refuses them. */
function unknownFields(value: JsonValue, schema: StructuralSchema, path: JsonPath): readonly JsonPath[] {
  if (isArray(value)) {
    const { items } = schema;
    return items === undefined ? [] : value.flatMap((item, i) => unknownFields(item, items, [...path, i]));
  }
  if (!isObject(value)) return [];
  const { properties = {}, additionalProperties } = schema;
  const isOpen = schema["x-kubernetes-preserve-unknown-fields"] === true || additionalProperties === true;
  return Object.entries(value).flatMap(([name, item]): readonly JsonPath[] => {
    const place = [...path, name];
    const inner = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (typeof inner === "object") return item === undefined ? [] : unknownFields(item, inner, place);
    return isOpen ? [] : [place];
  });
}

function parametersOf(object: KubernetesObject): JsonValue | undefined {
  const spec = object["spec"];
  return isObject(spec) ? spec["parameters"] : undefined;
}

/** The constraint with the defaults of its template's schema; what the schema refuses is reported. */
export function checkedConstraint(object: KubernetesObject, template: Template, report: DocumentReport): KubernetesObject {
  const schema = schemaFor(template);
  for (const violation of schemaViolations(object, schema)) {
    report.error("GATEKEEPER_SCHEMA", violation.path, describeViolation(violation));
  }
  const parameters = parametersOf(object);
  if (template.parameters === undefined) {
    if (parameters !== undefined)
      report.error("GATEKEEPER_CONSTRAINT", ["spec", "parameters"], "the template takes no parameters");
  } else if (parameters !== undefined) {
    for (const path of unknownFields(parameters, asStructuralSchema(template.parameters), ["spec", "parameters"])) {
      report.error("GATEKEEPER_CONSTRAINT", path, `the template has no parameter ${JSON.stringify(String(path.at(-1)))}`);
    }
  }
  const complete = withDefaults({ ...object, spec: object["spec"] ?? {} }, schema);
  return isObject(complete) ? { ...object, spec: complete["spec"] } : object;
}
