import { fields, list, map, type Shape } from "./shape.ts";
import { webhookTimeoutShape } from "./webhook-timeout.ts";

// The fields of Kyverno's custom resource definitions (kyverno.io, release 1.19), legacy ones included.

const strings = list("string");
const stringMap = map("string");

const labelSelector = fields({
  matchLabels: map("string"),
  matchExpressions: list(fields({ key: "string", operator: "string", values: strings })),
});

const subject = fields({ kind: "string", apiGroup: "string", name: "string", namespace: "string" });

const userInfo = { roles: strings, clusterRoles: strings, subjects: list(subject) };

const resourceDescription = fields({
  kinds: strings,
  name: "string",
  names: strings,
  namespaces: strings,
  annotations: stringMap,
  selector: labelSelector,
  namespaceSelector: labelSelector,
  operations: strings,
});

const resourceFilter = fields({ ...userInfo, resources: resourceDescription });

const matchShape = fields({
  any: list(resourceFilter),
  all: list(resourceFilter),
  ...userInfo,
  resources: resourceDescription,
});

const condition = fields({ key: "any", operator: "string", value: "any", message: "string" });
const anyAll = fields({ any: list(condition), all: list(condition) });
/** `{any, all}`, or the old bare list. */
const conditions: Shape = { oneOf: [anyAll, list(condition)] };

const imageRegistryCredentials = fields({ allowInsecureRegistry: "boolean", providers: strings, secrets: strings });

const contextEntry = fields({
  name: "string",
  configMap: fields({ name: "string", namespace: "string" }),
  apiCall: fields({
    urlPath: "string",
    method: "string",
    data: list(fields({ key: "string", value: "any" })),
    service: fields({
      url: "string",
      headers: list(fields({ key: "string", value: "string" })),
      caBundle: "string",
    }),
    default: "any",
    jmesPath: "string",
  }),
  imageRegistry: fields({ reference: "string", jmesPath: "string", imageRegistryCredentials }),
  variable: fields({ value: "any", jmesPath: "string", default: "any" }),
  globalReference: fields({ name: "string", jmesPath: "string" }),
});
const context = list(contextEntry);

const deny = fields({ conditions });

const validateForeach = (): Shape =>
  fields({
    list: "string",
    elementScope: "boolean",
    context,
    preconditions: anyAll,
    pattern: "any",
    anyPattern: "any",
    deny,
    foreach: list(validateForeach),
  });

const mutateForeach = (): Shape =>
  fields({
    list: "string",
    order: "string",
    context,
    preconditions: anyAll,
    patchStrategicMerge: "any",
    patchesJson6902: "string",
    foreach: list(mutateForeach),
  });

const failureActionOverride = fields({ action: "string", namespaces: strings, namespaceSelector: labelSelector });

const rekor = fields({ url: "string", pubkey: "string", ignoreTlog: "boolean" });
const ctlog = fields({ ignoreSCT: "boolean", pubkey: "string", tsaCertChain: "string" });

const attestorSet = (): Shape => fields({ count: "integer", entries: list(attestor) });

const attestor = (): Shape =>
  fields({
    keys: fields({
      publicKeys: "string",
      signatureAlgorithm: "string",
      kms: "string",
      secret: fields({ name: "string", namespace: "string" }),
      rekor,
      ctlog,
    }),
    certificates: fields({ cert: "string", certChain: "string", rekor, ctlog }),
    keyless: fields({
      rekor,
      ctlog,
      issuer: "string",
      issuerRegExp: "string",
      subject: "string",
      subjectRegExp: "string",
      roots: "string",
      additionalExtensions: stringMap,
    }),
    attestor: attestorSet,
    annotations: stringMap,
    repository: "string",
    signatureAlgorithm: "string",
  });

const verifyImages = fields({
  failureAction: "string",
  type: "string",
  image: "string",
  imageReferences: strings,
  skipImageReferences: strings,
  key: "string",
  roots: "string",
  subject: "string",
  issuer: "string",
  additionalExtensions: stringMap,
  attestors: list(attestorSet),
  attestations: list(
    fields({
      name: "string",
      predicateType: "string",
      type: "string",
      attestors: list(attestorSet),
      conditions: list(anyAll),
    }),
  ),
  annotations: stringMap,
  repository: "string",
  cosignOCI11: "boolean",
  mutateDigest: "boolean",
  verifyDigest: "boolean",
  validate: fields({ message: "string", deny }),
  required: "boolean",
  imageRegistryCredentials,
  useCache: "boolean",
});

const celExpression = fields({ expression: "string", message: "string", messageExpression: "string", reason: "string" });
const namedExpression = fields({ name: "string", expression: "string" });

const podSecurity = fields({
  level: "string",
  version: "string",
  exclude: list(fields({ controlName: "string", images: strings, restrictedField: "string", values: strings })),
});

const validate = fields({
  failureAction: "string",
  failureActionOverrides: list(failureActionOverride),
  allowExistingViolations: "boolean",
  message: "string",
  manifests: fields({
    attestors: list(attestorSet),
    annotationDomain: "string",
    ignoreFields: list(
      fields({
        fields: strings,
        objects: list(fields({ group: "string", version: "string", kind: "string", name: "string", namespace: "string" })),
      }),
    ),
    dryRun: fields({ enable: "boolean", namespace: "string" }),
    repository: "string",
  }),
  foreach: list(validateForeach),
  pattern: "any",
  anyPattern: "any",
  deny,
  podSecurity,
  cel: fields({
    generate: "boolean",
    expressions: list(celExpression),
    paramKind: fields({ apiVersion: "string", kind: "string" }),
    paramRef: fields({ name: "string", namespace: "string", selector: labelSelector, parameterNotFoundAction: "string" }),
    auditAnnotations: list(fields({ key: "string", valueExpression: "string" })),
    variables: list(namedExpression),
  }),
  assert: "any",
});

const resourceSpec = { apiVersion: "string", kind: "string", namespace: "string", name: "string", uid: "string" } as const;

const mutate = fields({
  mutateExistingOnPolicyUpdate: "boolean",
  targets: list(fields({ ...resourceSpec, selector: labelSelector, context, preconditions: conditions })),
  patchStrategicMerge: "any",
  patchesJson6902: "string",
  foreach: list(mutateForeach),
});

const generatePattern = {
  ...resourceSpec,
  data: "any",
  clone: fields({ namespace: "string", name: "string" }),
  cloneList: fields({ namespace: "string", kinds: strings, selector: labelSelector }),
} as const;

const generate = fields({
  generateExisting: "boolean",
  synchronize: "boolean",
  orphanDownstreamOnPolicyDelete: "boolean",
  ...generatePattern,
  foreach: list(fields({ list: "string", context, preconditions: anyAll, ...generatePattern })),
});

const imageExtractor = fields({ path: "string", value: "string", name: "string", key: "string", jmesPath: "string" });

export const ruleShape = fields({
  name: "string",
  context,
  reportProperties: stringMap,
  match: matchShape,
  exclude: matchShape,
  imageExtractors: map(list(imageExtractor)),
  preconditions: conditions,
  celPreconditions: list(namedExpression),
  mutate,
  validate,
  generate,
  verifyImages: list(verifyImages),
  skipBackgroundRequests: "boolean",
});

/** `spec` of ClusterPolicy and Policy without `rules`, which are checked one by one. */
export const policySpecShape = fields({
  rules: "any",
  applyRules: "string",
  failurePolicy: "string",
  validationFailureAction: "string",
  validationFailureActionOverrides: list(failureActionOverride),
  emitWarning: "boolean",
  admission: "boolean",
  background: "boolean",
  schemaValidation: "boolean",
  webhookTimeoutSeconds: webhookTimeoutShape,
  mutateExistingOnPolicyUpdate: "boolean",
  generateExistingOnPolicyUpdate: "boolean",
  generateExisting: "boolean",
  useServerSideApply: "boolean",
  webhookConfiguration: fields({
    failurePolicy: "string",
    timeoutSeconds: webhookTimeoutShape,
    matchConditions: list(namedExpression),
  }),
});

/** `spec` of PolicyException, kyverno.io/v2 and v2beta1. */
export const exceptionSpecShape = fields({
  background: "boolean",
  match: fields({ any: list(resourceFilter), all: list(resourceFilter) }),
  conditions: anyAll,
  exceptions: list(fields({ policyName: "string", ruleNames: strings })),
  podSecurity: list(fields({ controlName: "string", images: strings, restrictedField: "string", values: strings })),
});

/** `spec` of CleanupPolicy and ClusterCleanupPolicy. */
export const cleanupSpecShape = fields({
  context,
  match: fields({ any: list(resourceFilter), all: list(resourceFilter) }),
  exclude: fields({ any: list(resourceFilter), all: list(resourceFilter) }),
  schedule: "string",
  conditions: anyAll,
  deletionPropagationPolicy: "string",
});
