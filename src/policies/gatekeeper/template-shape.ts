import { fields, list, type Shape } from "../kyverno/shape.ts";

const strings = list("string");

/** `spec` of a ConstraintTemplate, v1 and v1beta1. */
export const templateShape: Shape = fields({
  crd: fields({
    spec: fields({
      names: fields({ kind: "string", shortNames: strings }),
      validation: fields({ openAPIV3Schema: "any", legacySchema: "boolean" }),
    }),
  }),
  targets: list(
    fields({
      target: "string",
      rego: "string",
      libs: strings,
      code: list(fields({ engine: "string", source: "any" })),
      operations: strings,
    }),
  ),
});

/** A source of the engine `Rego`. */
export const regoSourceShape: Shape = fields({ rego: "string", version: "string", libs: strings });

/** A source of the engine `K8sNativeValidation`. */
export const celSourceShape: Shape = fields({
  validations: list(fields({ expression: "string", message: "string", messageExpression: "string" })),
  failurePolicy: "string",
  matchCondition: list(fields({ name: "string", expression: "string" })),
  variables: list(fields({ name: "string", expression: "string" })),
  generateVAP: "boolean",
});
