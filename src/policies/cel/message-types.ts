import type { StructDeclaration } from "../../languages/cel/declarations.ts";
import {
  boolType,
  type CelType,
  dynType,
  intType,
  listOf,
  mapOf,
  stringType,
  structType,
  timestampType,
} from "../../languages/cel/types.ts";

/** A message type whose values come from outside only. */
export function messageType(name: string, fields: ReadonlyMap<string, CelType>): StructDeclaration {
  return { type: structType(name), field: (field) => fields.get(field) };
}

const fields = (entries: { readonly [name: string]: CelType }) => new Map(Object.entries(entries));
const strings = listOf(stringType);
const texts = mapOf(stringType, stringType);

const kind = messageType("kubernetes.GroupVersionKind", fields({ group: stringType, version: stringType, kind: stringType }));
const resource = messageType(
  "kubernetes.GroupVersionResource",
  fields({ group: stringType, version: stringType, resource: stringType }),
);
const userInfo = messageType(
  "kubernetes.UserInfo",
  fields({ username: stringType, uid: stringType, groups: strings, extra: mapOf(stringType, strings) }),
);

const requestFields = {
  kind: kind.type,
  resource: resource.type,
  subResource: stringType,
  requestKind: kind.type,
  requestResource: resource.type,
  requestSubResource: stringType,
  name: stringType,
  namespace: stringType,
  operation: stringType,
  userInfo: userInfo.type,
  dryRun: boolType,
  options: dynType,
} as const;

export const requestType = structType("kubernetes.AdmissionRequest");

/** `request` as the API server declares it. */
export const requestTypes: readonly StructDeclaration[] = [
  messageType(requestType.name, fields(requestFields)),
  kind,
  resource,
  userInfo,
];

/** `request` as Kyverno declares it: with both objects. */
export const kyvernoRequestTypes: readonly StructDeclaration[] = [
  messageType(requestType.name, fields({ ...requestFields, object: dynType, oldObject: dynType })),
  kind,
  resource,
  userInfo,
];

const namespaceSpec = messageType("kubernetes.NamespaceSpec", fields({ finalizers: strings }));
const namespaceCondition = messageType(
  "kubernetes.NamespaceCondition",
  fields({
    status: stringType,
    type: stringType,
    lastTransitionTime: timestampType,
    message: stringType,
    reason: stringType,
  }),
);
const namespaceStatus = messageType(
  "kubernetes.NamespaceStatus",
  fields({ conditions: listOf(namespaceCondition.type), phase: stringType }),
);
const namespaceMetadata = messageType(
  "kubernetes.NamespaceMetadata",
  fields({
    name: stringType,
    generateName: stringType,
    namespace: stringType,
    labels: texts,
    annotations: texts,
    UID: stringType,
    creationTimestamp: timestampType,
    deletionGracePeriodSeconds: intType,
    deletionTimestamp: timestampType,
    generation: intType,
    resourceVersion: stringType,
    finalizers: strings,
  }),
);

export const namespaceType = structType("kubernetes.Namespace");

/** `namespaceObject`: only the fields that the API server shows. */
export const namespaceTypes: readonly StructDeclaration[] = [
  messageType(
    namespaceType.name,
    fields({ metadata: namespaceMetadata.type, spec: namespaceSpec.type, status: namespaceStatus.type }),
  ),
  namespaceMetadata,
  namespaceSpec,
  namespaceStatus,
  namespaceCondition,
];
