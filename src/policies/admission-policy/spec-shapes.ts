import { fields, list, map, type Shape } from "../kyverno/shape.ts";
import {
  annotationsShape,
  matchResourcesShape,
  mutationsShape,
  namedExpressions,
  validationsShape,
} from "../kyverno-cel/spec-shapes.ts";

const paramKind = fields({ apiVersion: "string", kind: "string" });
const selector = fields({
  matchLabels: map("string"),
  matchExpressions: list(fields({ key: "string", operator: "string", values: list("string") })),
});

const shared = {
  paramKind,
  matchConstraints: matchResourcesShape,
  matchConditions: namedExpressions,
  variables: namedExpressions,
  failurePolicy: "string",
} as const;

export const validatingShape: Shape = fields({
  ...shared,
  validations: validationsShape,
  auditAnnotations: annotationsShape,
});

export const mutatingShape: Shape = fields({ ...shared, mutations: mutationsShape, reinvocationPolicy: "string" });

export const bindingShape: Shape = fields({
  policyName: "string",
  paramRef: fields({ name: "string", namespace: "string", selector, parameterNotFoundAction: "string" }),
  matchResources: matchResourcesShape,
  validationActions: list("string"),
});
