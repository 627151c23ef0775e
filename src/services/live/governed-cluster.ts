import { setTimeout as delay } from "node:timers/promises";
import type { KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { discover } from "../../adapters/kubernetes/discovery.ts";
import { Informer } from "../../adapters/kubernetes/informer.ts";
import { type ApiResource, type ApiResources, apiResources } from "../../core/api-resources.ts";
import type { Instant } from "../../core/host.ts";
import { asString, member } from "../../core/json.ts";
import { labelsOf } from "../../core/kubernetes.ts";
import type { Labels } from "../../core/label-selector.ts";
import type { KubernetesSchemas } from "../../core/schema.ts";
import type { SourceDocument } from "../../core/source.ts";
import { type WebhookOptions, webhookConfigurations } from "../admission/configuration.ts";
import type { LivePolicies } from "./live-policies.ts";
import { PolicyInformers } from "./policy-informers.ts";
import { PolicyStatus } from "./policy-status.ts";
import { type HeldWebhooks, type WebhookConfiguration, WebhookRegistration } from "./webhook-registration.ts";

export interface GovernedClusterOptions {
  readonly client: KubernetesClient;
  readonly policies: LivePolicies;
  readonly schemas: KubernetesSchemas;
  /** Undefined: no webhook is registered. */
  readonly webhook: WebhookOptions | undefined;
  readonly now: () => Instant;
  readonly onTrouble: (error: Error) => void;
}

/** The API server follows webhook configurations through a cache: who is told "ready" earlier sees requests pass by. */
const webhookPropagationMilliseconds = 1000;
/** How long the cluster is without webhooks at most that somebody took out; one that is as it should be stays as it is. */
const webhookRenewalMilliseconds = 15_000;

const served = { version: "v1", verbs: ["list", "watch"], subresources: [] } as const;
const namespaceResource: ApiResource = { ...served, group: "", kind: "Namespace", resource: "namespaces", namespaced: false };
const crdResource: ApiResource = {
  ...served,
  group: "apiextensions.k8s.io",
  kind: "CustomResourceDefinition",
  resource: "customresourcedefinitions",
  namespaced: false,
};

/** A live cluster under our policies: what it serves, its namespaces, its own policies, and our webhooks in it. */
export class GovernedCluster {
  readonly #options: GovernedClusterOptions;
  readonly #namespaces: Informer;
  readonly #definitions: Informer;
  readonly #informers: PolicyInformers;
  readonly #status: PolicyStatus;
  #documents: readonly SourceDocument[] = [];
  #resources: ApiResources;
  #discovered = "";
  #webhook: WebhookOptions | undefined;
  readonly #registration: WebhookRegistration | undefined;
  #held: HeldWebhooks | undefined;
  readonly #listeners: ((resources: ApiResources) => Promise<void>)[] = [];
  #registered = "";
  #registering: Promise<void> = Promise.resolve();
  /** Resolves when the API server acts upon the last registration. */
  #propagated: Promise<void> = Promise.resolve();
  #telling: Promise<void> = Promise.resolve();
  #loaded = false;
  #stopped = false;
  #rediscovery: NodeJS.Timeout | undefined;
  #renewal: NodeJS.Timeout | undefined;

  constructor(options: GovernedClusterOptions) {
    this.#options = options;
    const { client, policies, schemas, onTrouble } = options;
    this.#resources = schemas.resources();
    this.#webhook = options.webhook;
    if (options.webhook !== undefined)
      this.#registration = new WebhookRegistration({ client, owner: options.webhook.owner, now: options.now });
    this.#namespaces = new Informer(client, namespaceResource, { onChanges: () => {}, onTrouble });
    this.#definitions = new Informer(client, crdResource, { onChanges: () => this.#rediscoverSoon(), onTrouble });
    this.#status = new PolicyStatus({
      client,
      resources: () => this.#resources,
      now: options.now,
      onTrouble: (error) => onTrouble(error instanceof Error ? error : new Error(String(error))),
    });
    const take = (documents: readonly SourceDocument[]) => {
      this.#documents = documents;
      policies.setSource("cluster", documents);
    };
    this.#informers = new PolicyInformers(client, take, onTrouble);
  }

  get resources(): ApiResources {
    return this.#resources;
  }

  /** Whether all its policies are known: nothing may be judged before. */
  get isLoaded(): boolean {
    return this.#loaded;
  }

  /** Another server has the webhooks: nothing is judged here at admission. */
  get webhooksHeld(): HeldWebhooks | undefined {
    return this.#held;
  }

  /** Told after each change of what the API server serves. */
  onResources(listener: (resources: ApiResources) => Promise<void>): void {
    this.#listeners.push(listener);
  }

  /** Labels of a namespace; undefined where it is not known. */
  namespaceLabels(name: string): Labels | undefined {
    const namespace = this.#namespaces.get("", name);
    return namespace === undefined ? undefined : labelsOf(namespace);
  }

  /** Resolves when the namespaces and policies are known and the webhooks are registered; rejects with `ApiError`. */
  async start(): Promise<void> {
    await this.#discover();
    await this.#namespaces.start();
    await this.#definitions.start();
    await this.#informers.follow(this.#resources);
    this.#loaded = true;
    this.#options.policies.onRevision(() => this.#registerSoon());
    await this.#register();
    await this.#telling;
    // Somebody may have deleted them, or another server that governed the same cluster for a while took them with it.
    this.#renewal = setInterval(() => {
      this.#registered = "";
      this.#registerSoon();
    }, webhookRenewalMilliseconds).unref();
  }

  /** The webhook is reached in another way, or shows another certificate. */
  async setWebhook(webhook: WebhookOptions | undefined): Promise<void> {
    this.#webhook = webhook;
    this.#registerSoon();
    await this.#registering;
    await this.#telling;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#rediscovery);
    clearInterval(this.#renewal);
    await Promise.all([this.#namespaces.stop(), this.#definitions.stop(), this.#informers.stop()]);
    await this.#registering;
    await this.#telling;
  }

  /** Takes our webhooks out, so that the cluster does not wait for a server that is gone. */
  async unregister(): Promise<void> {
    await this.#registration?.remove(this.#configurations()).catch(this.#options.onTrouble);
  }

  /** Whether something else is served than before: then all policies are compiled anew, and what they judge is judged again. */
  async #discover(): Promise<boolean> {
    const { resources } = await discover(this.#options.client);
    const discovered = JSON.stringify(resources);
    if (discovered === this.#discovered) return false;
    this.#discovered = discovered;
    this.#resources = apiResources(resources, this.#options.schemas);
    this.#options.policies.setResources(this.#resources);
    return true;
  }

  /** A new kind is served a moment after its definition is stored. */
  #rediscoverSoon(): void {
    clearTimeout(this.#rediscovery);
    this.#rediscovery = setTimeout(() => {
      this.#rediscover().catch(this.#options.onTrouble);
    }, 1000).unref();
  }

  async #rediscover(): Promise<void> {
    if (!(await this.#discover())) return;
    await this.#informers.follow(this.#resources);
    await Promise.all(this.#listeners.map((listener) => listener(this.#resources)));
  }

  #registerSoon(): void {
    if (this.#stopped) return;
    this.#registering = this.#registering.then(() => this.#register()).catch(this.#options.onTrouble);
  }

  #configurations(): readonly WebhookConfiguration[] {
    if (this.#webhook === undefined) return [];
    return webhookConfigurations(this.#options.policies.current.admission, this.#resources, this.#webhook).map((body) => {
      const plural =
        asString(body["kind"]) === "MutatingWebhookConfiguration"
          ? "mutatingwebhookconfigurations"
          : "validatingwebhookconfigurations";
      return { path: `/apis/admissionregistration.k8s.io/v1/${plural}/${asString(member(body["metadata"], "name"))}`, body };
    });
  }

  /** What the policies need is registered first; once the API server knows, they are told to be in force. */
  async #register(): Promise<void> {
    // Together: a policy that comes later is in the next revision, whose webhooks are not registered yet.
    const revision = this.#options.policies.current;
    const documents = this.#documents;
    if (await this.#registerWebhooks()) this.#propagated = delay(webhookPropagationMilliseconds);
    // Then it is the other server that says what is in force.
    if (this.#held !== undefined) return;
    const propagated = this.#propagated;
    this.#telling = this.#telling.then(() => propagated).then(() => this.#status.write(documents, revision));
  }

  /** Whether something had to be changed. */
  async #registerWebhooks(): Promise<boolean> {
    const configurations = this.#configurations();
    const text = JSON.stringify(configurations);
    if (text === this.#registered) return false;
    const held = await this.#registration?.apply(configurations);
    this.#tellHeld(held);
    if (held !== undefined) return false;
    this.#registered = text;
    return configurations.length > 0;
  }

  #tellHeld(held: HeldWebhooks | undefined): void {
    const before = this.#held?.by;
    this.#held = held;
    if (held === undefined || held.by === before) return;
    const { client, onTrouble } = this.#options;
    const until = new Date(held.until).toISOString();
    const text = `the webhooks of ${client.context} are those of another server (${held.by}), which holds them until ${until} and renews that: nothing is judged here at admission. Stop that one, or start this one with --take-over-webhooks`;
    onTrouble(new Error(text));
  }
}
