import type { Library } from "../../languages/cel/declarations.ts";
import { type Env, variable } from "../../languages/cel/env.ts";
import { authorizerType, resourceCheckType } from "../../languages/cel/libraries/kubernetes/authorizer.ts";
import { kubernetesEnvironments } from "../../languages/cel/libraries/kubernetes/environment.ts";
import { dynType } from "../../languages/cel/types.ts";
import { namespaceType, namespaceTypes, requestType, requestTypes } from "./message-types.ts";

/** The minor version of Kubernetes whose API server is followed. */
const kubernetesMinor = 36;

let base: Env | undefined;

/** What all expressions of Kubernetes share, without variables. */
export function kubernetesEnv(): Env {
  base ??= kubernetesEnvironments(kubernetesMinor, kubernetesMinor).storedExpressions;
  return base;
}

export interface AdmissionEnvOptions {
  readonly params: boolean;
  readonly authorizer: boolean;
  readonly libraries?: readonly Library[];
}

const known = new Map<string, Env>();

/** What expressions of admission policies see, but for `variables`. */
export function admissionEnv(options: AdmissionEnvOptions): Env {
  const { params, authorizer, libraries = [] } = options;
  if (libraries.length > 0) return newAdmissionEnv(options);
  const key = `${params} ${authorizer}`;
  const env = known.get(key) ?? newAdmissionEnv(options);
  known.set(key, env);
  return env;
}

function newAdmissionEnv({ params, authorizer, libraries = [] }: AdmissionEnvOptions): Env {
  return kubernetesEnv().extend({
    libraries,
    structs: [...requestTypes, ...namespaceTypes],
    variables: [
      variable("object", dynType),
      variable("oldObject", dynType),
      variable("request", requestType),
      variable("namespaceObject", namespaceType),
      ...(params ? [variable("params", dynType)] : []),
      ...(authorizer ? [variable("authorizer", authorizerType), variable("authorizer.requestResource", resourceCheckType)] : []),
    ],
  });
}

/** What match conditions of webhooks see. */
export function webhookEnv(): Env {
  return admissionEnv({ params: false, authorizer: true });
}
