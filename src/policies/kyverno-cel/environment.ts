import type { ApiResources } from "../../core/api-resources.ts";
import { parseApiVersion } from "../../core/kubernetes.ts";
import type { Library } from "../../languages/cel/declarations.ts";
import { type Env, variable } from "../../languages/cel/env.ts";
import { kyvernoLibraries } from "../../languages/cel/libraries/kyverno/environment.ts";
import { dynType, listOf, stringType, structType } from "../../languages/cel/types.ts";
import { lenientOrValueLibrary } from "../cel/compat.ts";
import { kubernetesEnv } from "../cel/environment.ts";
import type { CostLimits } from "../cel/expression.ts";
import { kyvernoRequestTypes, messageType, namespaceType, namespaceTypes, requestType } from "../cel/message-types.ts";

const exceptionType = structType("libs.Exception");
const exceptionStruct = messageType(
  exceptionType.name,
  new Map([
    ["allowedImages", listOf(stringType)],
    ["allowedValues", listOf(stringType)],
  ]),
);

/** Kyverno counts no costs; these only keep a policy from hanging its caller. */
export const kyvernoLimits: CostLimits = { total: 100_000_000, perCall: 100_000_000 };

/** Without further libraries, by the namespace of the policy: hundreds of policies share one. */
const known = new WeakMap<ApiResources, Map<string, Env>>();

/** What expressions of Kyverno's CEL policies see, but for `variables`; `namespace` is that of a namespaced policy. */
export function kyvernoEnv(namespace: string, resources: ApiResources, libraries: readonly Library[] = []): Env {
  if (libraries.length > 0) return newKyvernoEnv(namespace, resources, libraries);
  const environments = known.get(resources) ?? new Map<string, Env>();
  known.set(resources, environments);
  let env = environments.get(namespace);
  if (env === undefined) {
    env = newKyvernoEnv(namespace, resources, []);
    environments.set(namespace, env);
  }
  return env;
}

function newKyvernoEnv(namespace: string, resources: ApiResources, libraries: readonly Library[]): Env {
  const plurals = (apiVersion: string, kind: string) => resources.byKind(parseApiVersion(apiVersion).group, kind)?.resource;
  return kubernetesEnv().extend({
    libraries: [lenientOrValueLibrary, ...kyvernoLibraries(namespace, plurals), ...libraries],
    structs: [...kyvernoRequestTypes, ...namespaceTypes, exceptionStruct],
    variables: [
      variable("object", dynType),
      variable("oldObject", dynType),
      variable("request", requestType),
      variable("namespaceObject", namespaceType),
      variable("exceptions", exceptionType),
    ],
  });
}
