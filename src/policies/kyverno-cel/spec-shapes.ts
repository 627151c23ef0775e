import { fields, list, map, type Shape } from "../kyverno/shape.ts";
import { webhookTimeoutShape } from "../kyverno/webhook-timeout.ts";

const strings = list("string");
const enabled = fields({ enabled: "boolean" });

const selector = fields({
  matchLabels: map("string"),
  matchExpressions: list(fields({ key: "string", operator: "string", values: strings })),
});

const rule = fields({
  apiGroups: strings,
  apiVersions: strings,
  operations: strings,
  resources: strings,
  resourceNames: strings,
  scope: "string",
});

const matchFields = {
  resourceRules: list(rule),
  excludeResourceRules: list(rule),
  namespaceSelector: selector,
  objectSelector: selector,
  matchPolicy: "string",
} as const;

export const matchResourcesShape = fields(matchFields);
export const namedExpressions = list(fields({ name: "string", expression: "string" }));
export const annotationsShape = list(fields({ key: "string", valueExpression: "string" }));
export const validationsShape = list(
  fields({ expression: "string", message: "string", messageExpression: "string", reason: "string" }),
);
export const mutationsShape = list(
  fields({
    patchType: "string",
    applyConfiguration: fields({ expression: "string" }),
    jsonPatch: fields({ expression: "string" }),
  }),
);

const podControllers = fields({ controllers: strings });

const shared = {
  matchConstraints: matchResourcesShape,
  matchConditions: namedExpressions,
  variables: namedExpressions,
  failurePolicy: "string",
  auditAnnotations: annotationsShape,
  webhookConfiguration: fields({ timeoutSeconds: webhookTimeoutShape }),
} as const;

export const validatingPolicyShape: Shape = fields({
  ...shared,
  validations: validationsShape,
  validationActions: strings,
  autogen: fields({ podControllers, validatingAdmissionPolicy: enabled }),
  evaluation: fields({ mode: "string", admission: enabled, background: enabled }),
});

export const mutatingPolicyShape: Shape = fields({
  ...shared,
  mutations: mutationsShape,
  targetMatchConstraints: fields({ ...matchFields, expression: "string" }),
  targetMatchConditions: namedExpressions,
  reinvocationPolicy: "string",
  autogen: fields({ podControllers, mutatingAdmissionPolicy: enabled }),
  evaluation: fields({
    mode: "string",
    admission: enabled,
    background: enabled,
    mutateExisting: enabled,
    skipBackgroundRequests: "boolean",
    useServerSideApply: "boolean",
  }),
});

export const generatingPolicyShape: Shape = fields({
  ...shared,
  generate: list(fields({ expression: "string", template: fields({ value: "string", interpolate: "string" }) })),
  useServerSideApply: "boolean",
  evaluation: fields({
    admission: enabled,
    generateExisting: enabled,
    synchronize: enabled,
    orphanDownstreamOnPolicyDelete: enabled,
    skipBackgroundRequests: "boolean",
  }),
});

export const deletingPolicyShape: Shape = fields({
  matchConstraints: matchResourcesShape,
  conditions: namedExpressions,
  variables: namedExpressions,
  schedule: "string",
  deletionPropagationPolicy: "string",
});

export const exceptionShape: Shape = fields({
  policyRefs: list(fields({ name: "string", kind: "string" })),
  matchConditions: namedExpressions,
  images: strings,
  allowedValues: strings,
  reportResult: "string",
  expiresAt: "string",
  properties: map("string"),
  evaluationMode: "string",
});

const textOrExpression = fields({ value: "string", expression: "string" });
const cosign = fields({
  key: fields({ data: "string", kms: "string", hashAlgorithm: "string", expression: "string" }),
  keyless: fields({
    identities: list(
      fields({
        issuer: "string",
        subject: "string",
        issuerRegExp: "string",
        subjectRegExp: "string",
        subjectExpression: "string",
      }),
    ),
    roots: "string",
    additionalExtensions: map("string"),
  }),
  certificate: fields({ cert: textOrExpression, certChain: textOrExpression }),
  source: fields({ repository: "string", PullSecrets: list(fields({ name: "string" })), tagPrefix: "string" }),
  ctlog: fields({
    url: "string",
    rekorPubKey: "string",
    ctLogPubKey: "string",
    tsaCertChain: "string",
    insecureIgnoreTlog: "boolean",
    insecureIgnoreSCT: "boolean",
  }),
  tuf: fields({ root: fields({ path: "string", data: "string" }), mirror: "string" }),
  annotations: map("string"),
  trustedRoot: textOrExpression,
});
const artifactType = fields({ type: "string" });

export const imageValidatingPolicyShape: Shape = fields({
  ...shared,
  validations: validationsShape,
  validationActions: strings,
  validationConfigurations: fields({ mutateDigest: "boolean", verifyDigest: "boolean", required: "boolean" }),
  matchImageReferences: list(fields({ glob: "string", expression: "string" })),
  credentials: fields({ allowInsecureRegistry: "boolean", providers: strings, secrets: strings }),
  images: namedExpressions,
  attestors: list(fields({ name: "string", cosign, notary: fields({ certs: textOrExpression, tsaCerts: textOrExpression }) })),
  attestations: list(fields({ name: "string", intoto: artifactType, referrer: artifactType })),
  autogen: fields({ podControllers }),
  evaluation: fields({ mode: "string", admission: enabled, background: enabled }),
});
