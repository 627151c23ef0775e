import type { AccessRequest } from "../../access/request.ts";
import { asString, type JsonObject, member } from "../../core/json.ts";
import type { ClusterWriter } from "../live/cluster-writer.ts";

const group = "rbac.authorization.k8s.io";
const kind = "RoleBinding";
export const grantLabel = "castellan.dev/grant";
const expiryAnnotation = "castellan.dev/expires";
/** All bindings are looked at so often: one that somebody made or kept by hand goes too. */
const reconcileMilliseconds = 10_000;
/** Without a look that succeeded for so long, no new binding is promised to be removed. */
const liveMilliseconds = 30_000;

export interface RoleBindingGrantsOptions {
  readonly cluster: string;
  readonly writer: Pick<ClusterWriter, "apply" | "list" | "remove" | "serves">;
  /** Milliseconds that pass evenly. */
  readonly ticks: () => number;
  readonly onTrouble: (error: Error) => void;
}

interface Binding {
  readonly namespace: string;
  readonly name: string;
}

/**
 * Sessions for people who work without the gateway: a RoleBinding for each grant, made when it begins and removed when it
 * ends. What is bound is read from the cluster, so bindings of a process that died are removed by the next.
 */
export class RoleBindingGrants {
  readonly #options: RoleBindingGrantsOptions;
  /** Bindings that are there, as this process knows it, by `namespace/name`. */
  #bound = new Map<string, Binding>();
  #looked: number | undefined;

  constructor(options: RoleBindingGrantsOptions) {
    this.#options = options;
  }

  /** Whether bindings are removed in time. */
  isLive(): boolean {
    return this.#looked !== undefined && this.#options.ticks() - this.#looked < liveMilliseconds;
  }

  /** Makes the cluster's bindings those of the grants that are live now; failures are told and tried again at the next call. */
  async follow(live: readonly AccessRequest[]): Promise<void> {
    const { ticks, onTrouble } = this.#options;
    try {
      if (this.#looked === undefined || ticks() - this.#looked >= reconcileMilliseconds) await this.#look();
      const wanted = new Map(live.flatMap((request) => this.#keyed(request)));
      for (const [key, binding] of [...this.#bound]) if (!wanted.has(key)) await this.#remove(key, binding);
      for (const [key, binding] of wanted) if (!this.#bound.has(key)) await this.#bind(key, binding);
    } catch (error) {
      onTrouble(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** The binding that a grant needs, where it needs one of this cluster. */
  #keyed(request: AccessRequest): readonly (readonly [key: string, binding: JsonObject])[] {
    const { ask, cluster } = request;
    if (cluster !== this.#options.cluster || ask.type !== "session" || ask.mode !== "rolebinding") return [];
    const binding = bindingOf(request, ask.namespace);
    return binding === undefined ? [] : [[`${ask.namespace}/${nameOf(request.id)}`, binding]];
  }

  async #look(): Promise<void> {
    const { writer, ticks } = this.#options;
    if (!writer.serves(group, kind)) throw new Error("the cluster serves no RoleBindings");
    const started = ticks();
    const objects = await writer.list(group, kind, grantLabel);
    this.#bound = new Map(objects.map((object) => keyedBinding(object)));
    this.#looked = started;
  }

  async #bind(key: string, binding: JsonObject): Promise<void> {
    if (!(await this.#options.writer.apply(binding))) throw new Error("the cluster serves no RoleBindings");
    this.#bound.set(key, keyedBinding(binding)[1]);
  }

  async #remove(key: string, { namespace, name }: Binding): Promise<void> {
    await this.#options.writer.remove(group, kind, namespace, name);
    this.#bound.delete(key);
  }
}

function keyedBinding({ metadata }: JsonObject): readonly [key: string, binding: Binding] {
  const text = (key: string) => asString(member(metadata, key)) ?? "";
  const [namespace, name] = [text("namespace"), text("name")];
  return [`${namespace}/${name}`, { namespace, name }];
}

const nameOf = (id: string): string => `castellan-grant-${id}`;

/** The binding of a session's grant, with whose it is and when it ends, for whoever looks at the cluster alone. */
function bindingOf({ id, role, grant, requester, rule }: AccessRequest, namespace: string): JsonObject | undefined {
  if (role === undefined || grant === undefined) return undefined;
  return {
    apiVersion: `${group}/v1`,
    kind,
    metadata: {
      name: nameOf(id),
      namespace,
      labels: { "app.kubernetes.io/managed-by": "castellan", [grantLabel]: id },
      annotations: {
        "castellan.dev/owner": requester.user,
        "castellan.dev/rule": rule.name,
        [expiryAnnotation]: new Date(grant.until).toISOString(),
      },
    },
    roleRef: { apiGroup: group, kind: role.kind, name: role.name },
    subjects: [{ apiGroup: group, kind: "User", name: requester.user }],
  };
}
