import { type Person, personKey } from "../../access/person.ts";
import type { RequestedAction } from "../../access/requested-action.ts";
import { ApiError, type KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { Informer, type ObjectChange } from "../../adapters/kubernetes/informer.ts";
import { authorizeByRules } from "../../analysis/rbac/authorize.ts";
import { effectiveGroups } from "../../analysis/rbac/identities.ts";
import { type Binding, type Role, readBinding, readRole } from "../../analysis/rbac/objects.ts";
import { RbacIndex } from "../../analysis/rbac/rbac-index.ts";
import type { ApiResource } from "../../core/api-resources.ts";
import { asString, type JsonObject, member } from "../../core/json.ts";
import { type KubernetesObject, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import type { RequestAttributes } from "../../core/request-attributes.ts";

export interface StandingRightsOptions {
  /** With the gateway's own credentials: lists RBAC objects, creates SubjectAccessReviews. */
  readonly client: KubernetesClient;
  readonly trouble: (error: unknown) => void;
}

/** Undefined: the roles do not say yes, and nobody else could be asked. */
export type StandingCoverage =
  | { readonly covered: true; readonly by: "roles" | "server" }
  | { readonly covered: false | undefined; readonly reason: string };

const rbac = "rbac.authorization.k8s.io";
const kinds = ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"] as const;
/** An answer of the server is believed so long: who was given a right need not wait longer, nor be let in longer. */
const believedMilliseconds = 1000;
const mostBelieved = 10_000;
/** A GET by WebSocket runs a command: from 1.35 on the server wants `create` as well, here on every version. */
const needsCreate = new Set(["pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "services/proxy", "nodes/proxy"]);

/**
 * Whether somebody's standing rights cover a call. The roles and bindings of the cluster are held in an index that follows them; where
 * it says no, the API server is asked, which may have other authorizers. A yes is never the last word: the API server decides again.
 */
export class StandingRights {
  readonly #options: StandingRightsOptions;
  readonly #index = new RbacIndex();
  readonly #informers: readonly Informer[];
  readonly #believed = new Map<string, { readonly until: number; readonly answer: Promise<StandingCoverage> }>();
  readonly #listeners = new Set<() => void>();
  #revision = 0;

  constructor(options: StandingRightsOptions) {
    this.#options = options;
    this.#informers = kinds.map(
      (kind) =>
        new Informer(options.client, resourceOf(kind), {
          onChanges: (changes) => this.#take(changes),
          onTrouble: options.trouble,
        }),
    );
  }

  /** Resolves when the roles and bindings are known, or where they may not be listed: then the server is asked about each call. */
  async start(): Promise<void> {
    await Promise.all(this.#informers.map((informer) => informer.start().catch(this.#options.trouble)));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#informers.map((informer) => informer.stop()));
  }

  /** Told after each change of roles or bindings; the answer ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  covers(person: Person, action: RequestedAction): StandingCoverage | Promise<StandingCoverage> {
    const questions = attributesOf(person, action);
    const open = questions.filter((question) => authorizeByRules(this.#index, question).decision !== "allow");
    if (open.length === 0) return { covered: true, by: "roles" };
    return this.#byServer(person, open);
  }

  #byServer(person: Person, questions: readonly RequestAttributes[]): Promise<StandingCoverage> {
    const about = questions.map((q) => [q.verb, q.apiGroup, q.resource, q.subresource, q.namespace, q.name, q.path]);
    const key = JSON.stringify([this.#revision, personKey(person), person.user, person.groups, about]);
    const now = performance.now();
    const known = this.#believed.get(key);
    if (known !== undefined && known.until > now) return known.answer;
    if (this.#believed.size >= mostBelieved) this.#believed.clear();
    const answer = this.#askAll(person, questions);
    this.#believed.set(key, { until: now + believedMilliseconds, answer });
    return answer;
  }

  async #askAll(person: Person, questions: readonly RequestAttributes[]): Promise<StandingCoverage> {
    for (const question of questions) {
      const answer = await this.#ask(person, question);
      if (answer.covered !== true) return answer;
    }
    return { covered: true, by: "server" };
  }

  async #ask(person: Person, question: RequestAttributes): Promise<StandingCoverage> {
    const { verb, apiGroup: group, resource, subresource, namespace, name, path } = question;
    const attributes = question.isResourceRequest
      ? { resourceAttributes: { verb, group, resource, subresource, namespace, name } }
      : { nonResourceAttributes: { verb, path } };
    const extra: JsonObject = Object.fromEntries(Object.entries(person.extra ?? {}).map(([key, values]) => [key, [...values]]));
    const { user, uid } = person;
    const spec: JsonObject = { user, groups: [...question.groups], ...(uid === undefined ? {} : { uid }), extra, ...attributes };
    try {
      const review = await this.#options.client.send({
        method: "POST",
        path: "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        body: { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec },
      });
      const status = member(review, "status");
      if (member(status, "allowed") === true) return { covered: true, by: "server" };
      return { covered: false, reason: asString(member(status, "reason")) ?? "" };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return { covered: undefined, reason: error.message };
    }
  }

  #take(changes: readonly ObjectChange[]): void {
    for (const { type, object } of changes) {
      if (type === "deleted") this.#remove(object);
      else this.#put(object);
    }
    this.#revision++;
    this.#believed.clear();
    for (const listener of this.#listeners) listener();
  }

  #put(object: KubernetesObject): void {
    const document = { file: "", index: 0, value: object, locate: () => undefined, locateKey: () => undefined };
    const read = object.kind.endsWith("Binding") ? readBinding(document) : readRole(document);
    // The server would not have stored it; without it the index says less, and the server is asked.
    if (!read.ok) this.#remove(object);
    else if ("roleRef" in read.value) this.#index.putBinding(light(read.value));
    else this.#index.putRole(light(read.value));
  }

  #remove(object: KubernetesObject): void {
    const [namespace, name] = [namespaceOf(object), nameOf(object)];
    if (object.kind === "Role" || object.kind === "ClusterRole") this.#index.removeRole(object.kind, namespace, name);
    else if (object.kind === "RoleBinding" || object.kind === "ClusterRoleBinding")
      this.#index.removeBinding(object.kind, namespace, name);
  }
}

/** The objects themselves are held elsewhere. */
const light = <T extends Role | Binding>(value: T): T => ({ ...value, document: undefined });

/** Every question that must be answered by yes. */
function attributesOf(person: Person, action: RequestedAction): readonly RequestAttributes[] {
  const { isResourceRequest, path, namespace, apiGroup, resource, subresource, name } = action;
  const runs = isResourceRequest && apiGroup === "" && needsCreate.has(`${resource}/${subresource}`);
  // The verbs of proxies and of sessions in pods are ours; roles speak of what the server sees.
  const verb = action.verb === "proxy" || runs ? verbOf(action.http.method) : action.verb;
  const groups = effectiveGroups(person.user, person.groups);
  const asked = { user: person.user, groups, verb, isResourceRequest, path, namespace, apiGroup, resource, subresource, name };
  return runs && verb !== "create" ? [asked, { ...asked, verb: "create" }] : [asked];
}

const verbs: { readonly [method: string]: string } = { POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" };
const verbOf = (method: string): string => verbs[method] ?? "get";

function resourceOf(kind: (typeof kinds)[number]): ApiResource {
  return {
    group: rbac,
    version: "v1",
    kind,
    resource: `${kind.toLowerCase()}s`,
    namespaced: !kind.startsWith("Cluster"),
    verbs: ["list", "watch"],
    subresources: [],
  };
}
