import { ApiError, type KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { asString, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { groupOf, isKubernetesObject, type KubernetesObject, labelsOf, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import { accountName, madeBy, webhookKinds } from "./account-objects.ts";

/** What becomes of one object. `foreign`: there is one of that name which is not ours. */
export interface AccountChange {
  readonly action: "create" | "update" | "keep" | "foreign";
  readonly object: KubernetesObject;
}

type Client = Pick<KubernetesClient, "get" | "send">;

/** What making the account would do now. Throws `ApiError`. */
export async function accountChanges(client: Client, objects: readonly KubernetesObject[]): Promise<readonly AccountChange[]> {
  return Promise.all(
    objects.map(async (object): Promise<AccountChange> => {
      const live = await liveObject(client, object);
      if (live === undefined) return { action: "create", object };
      // Whoever's they are: what is in them is what policies need, and servers settle among each other whose it is.
      if (webhookKinds.includes(object.kind)) return { action: "keep", object };
      if (isOurs(live)) return { action: "update", object };
      return { action: object.kind === "Namespace" ? "keep" : "foreign", object };
    }),
  );
}

/** Makes one change. Throws `ApiError`. */
export async function makeAccountChange(client: Client, { action, object }: AccountChange): Promise<void> {
  if (action === "keep" || action === "foreign") return;
  await client.send({
    method: "PATCH",
    path: `${pathOf(object)}?fieldManager=castellan-cluster-add&force=true`,
    body: object,
    contentType: "application/apply-patch+yaml",
  });
}

/** A token of the account that ends after so many seconds, or sooner where the API server bounds that. Throws `ApiError`. */
export async function requestToken(
  client: Pick<KubernetesClient, "send">,
  namespace: string,
  expirationSeconds: number,
): Promise<string> {
  const answer = await client.send({
    method: "POST",
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${accountName}/token`,
    body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds } },
  });
  const token = asString(member(member(answer, "status"), "token"));
  if (token === undefined) throw new ApiError(0, "", "the API server made no token");
  return token;
}

/** What of these is there and ours, in the order of removing: first what calls us, then rights, then the account. Throws `ApiError`. */
export async function ownObjects(client: Client, objects: readonly KubernetesObject[]): Promise<readonly KubernetesObject[]> {
  const live = await Promise.all(objects.map((object) => liveObject(client, object)));
  return live.flatMap((object) => (object !== undefined && isOurs(object) ? [object] : [])).toReversed();
}

/** Removes an object as it was seen; one that is gone is no failure. Throws `ApiError`. */
export async function removeObject(client: Client, object: KubernetesObject): Promise<void> {
  const uid = asString(member(object.metadata, "uid"));
  const body: JsonObject = { apiVersion: "v1", kind: "DeleteOptions", ...(uid === undefined ? {} : { preconditions: { uid } }) };
  await client.send({ method: "DELETE", path: pathOf(object), body }).catch((error: unknown) => {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
  });
}

async function liveObject(client: Client, object: KubernetesObject): Promise<KubernetesObject | undefined> {
  let live: JsonValue;
  try {
    live = await client.get(pathOf(object));
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
  return isKubernetesObject(live) ? live : undefined;
}

export function isOurs(object: KubernetesObject): boolean {
  return Object.entries(madeBy).every(([label, value]) => labelsOf(object)[label] === value);
}

/** All kinds of ours have the usual plural. */
function pathOf(object: KubernetesObject): string {
  const group = groupOf(object);
  const root = group === "" ? "/api/v1" : `/apis/${group}/v1`;
  const namespaced = ["ServiceAccount", "Role", "RoleBinding"].includes(object.kind);
  const scope = namespaced ? `/namespaces/${encodeURIComponent(namespaceOf(object))}` : "";
  return `${root}${scope}/${object.kind.toLowerCase()}s/${encodeURIComponent(nameOf(object))}`;
}
