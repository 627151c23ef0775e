import type { Schema } from "../../../core/schema.ts";

const text: Schema = { type: "string" };
const texts: Schema = { type: "array", items: text };
const flag: Schema = { type: "boolean" };
const stages: Schema = {
  type: "array",
  items: { type: "string", enum: ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"] },
};

const groupResources: Schema = {
  type: "object",
  properties: { group: text, resources: texts, resourceNames: texts },
};

const rule: Schema = {
  type: "object",
  required: ["level"],
  properties: {
    level: { type: "string", enum: ["None", "Metadata", "Request", "RequestResponse"] },
    users: texts,
    userGroups: texts,
    verbs: texts,
    resources: { type: "array", items: groupResources },
    namespaces: texts,
    nonResourceURLs: texts,
    omitStages: stages,
    omitManagedFields: flag,
  },
};

/** audit.k8s.io/v1 Policy: a file of the API server, not an object of the API, so its OpenAPI documents do not hold it. */
export const auditPolicySchema: Schema = {
  type: "object",
  required: ["rules"],
  properties: {
    apiVersion: text,
    kind: text,
    metadata: { type: "object", additionalProperties: true },
    rules: { type: "array", items: rule },
    omitStages: stages,
    omitManagedFields: flag,
  },
};
