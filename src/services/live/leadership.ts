import { ApiError, type KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { asString, type JsonObject, type JsonValue, member } from "../../core/json.ts";

export interface LeadershipOptions {
  readonly client: KubernetesClient;
  readonly namespace: string;
  readonly name: string;
  /** Who we are: the pod's name, and something that a restart changes. */
  readonly identity: string;
  /** Milliseconds that pass evenly. */
  readonly ticks: () => number;
  readonly now: () => number;
  /** Told when we begin to lead, and when we no longer do. */
  readonly onChange: (leads: boolean) => void;
  readonly onTrouble: (error: unknown) => void;
  readonly times?: LeadershipTimes;
}

/** Milliseconds, as client-go's leader election names them. */
export interface LeadershipTimes {
  /** Another may take a lease that nobody has renewed for so long. */
  readonly lease: number;
  /** Who could not renew for so long leads no more; less than `lease`, so that there are never two. */
  readonly deadline: number;
  readonly retry: number;
}

const usualTimes: LeadershipTimes = { lease: 15_000, deadline: 10_000, retry: 2000 };

/**
 * Of several replicas one leads, by a Lease of `coordination.k8s.io/v1`, as client-go's leader election does it: whether a lease is still
 * held is judged by when it was last seen to change, so that no two clocks are compared.
 */
export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #times: LeadershipTimes;
  #leads = false;
  #renewed = 0;
  #seen: { readonly text: string; readonly at: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: LeadershipOptions) {
    this.#options = options;
    this.#times = options.times ?? usualTimes;
  }

  get leads(): boolean {
    return this.#leads;
  }

  /** Resolves after the first try. */
  async start(): Promise<void> {
    this.#running = this.#round();
    await this.#running;
    if (!this.#stopped) this.#timer = setTimeout(() => void this.start(), this.#times.retry);
  }

  /** Gives the lease up, so that another need not wait. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
    if (!this.#leads) return;
    this.#lead(false);
    await this.#release().catch(this.#options.onTrouble);
  }

  async #round(): Promise<void> {
    const { ticks, onTrouble } = this.#options;
    try {
      if (await this.#acquire()) {
        this.#renewed = ticks();
        this.#lead(true);
        return;
      }
      this.#lead(false);
    } catch (error) {
      // Somebody was faster, which the next look shows.
      if (!(error instanceof ApiError && error.status === 409)) onTrouble(error);
      if (ticks() - this.#renewed >= this.#times.deadline) this.#lead(false);
    }
  }

  #lead(leads: boolean): void {
    if (leads === this.#leads) return;
    this.#leads = leads;
    this.#options.onChange(leads);
  }

  /** Whether the lease is ours now. */
  async #acquire(): Promise<boolean> {
    const { client, identity, ticks } = this.#options;
    const lease = await client.get(this.#path()).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    });
    if (lease === undefined) {
      await client.send({ method: "POST", path: this.#collection(), body: this.#lease(0, undefined) });
      return true;
    }
    const spec = member(lease, "spec");
    const holder = asString(member(spec, "holderIdentity")) ?? "";
    const text = JSON.stringify(spec);
    if (this.#seen?.text !== text) this.#seen = { text, at: ticks() };
    const isHeld = holder !== "" && holder !== identity && ticks() - this.#seen.at < this.#times.lease;
    if (isHeld) return false;
    const transitions = Number(member(spec, "leaseTransitions") ?? 0) + (holder === identity ? 0 : 1);
    await this.#write(this.#lease(transitions, lease));
    return true;
  }

  /** Refused where the lease changed since it was read. */
  #write(body: JsonObject): Promise<JsonValue> {
    return this.#options.client.send({
      method: "PATCH",
      path: this.#path(),
      body,
      contentType: "application/merge-patch+json",
    });
  }

  #lease(leaseTransitions: number, before: JsonValue | undefined): JsonObject {
    const { name, namespace, identity, now } = this.#options;
    const time = `${new Date(now()).toISOString().slice(0, -1)}000Z`;
    const spec = member(before, "spec");
    const isOurs = member(spec, "holderIdentity") === identity;
    const resourceVersion = member(member(before, "metadata"), "resourceVersion");
    return {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name, namespace, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.max(1, Math.round(this.#times.lease / 1000)),
        acquireTime: isOurs ? (member(spec, "acquireTime") ?? time) : time,
        renewTime: time,
        leaseTransitions,
      },
    };
  }

  async #release(): Promise<void> {
    const lease = await this.#options.client.get(this.#path());
    if (member(member(lease, "spec"), "holderIdentity") !== this.#options.identity) return;
    const resourceVersion = member(member(lease, "metadata"), "resourceVersion") ?? null;
    await this.#write({ metadata: { resourceVersion }, spec: { holderIdentity: "", leaseDurationSeconds: 1 } });
  }

  #collection(): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${this.#options.namespace}/leases`;
  }

  #path(): string {
    return `${this.#collection()}/${this.#options.name}`;
  }
}
