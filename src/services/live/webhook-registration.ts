import { ApiError, type KubernetesClient } from "../../adapters/kubernetes/client.ts";
import type { Instant } from "../../core/host.ts";
import { asString, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";

/** Who registers webhooks: all replicas of a server are one. */
export interface WebhookOwner {
  /** The same for all replicas and after a restart. */
  readonly id: string;
  /** Which server that is, for people. */
  readonly name: string;
  /** Takes the webhooks of another server once, at the first registration. */
  readonly takesOver: boolean;
}

/** Another server has the webhooks of a cluster. */
export interface HeldWebhooks {
  readonly by: string;
  readonly until: Instant;
}

export interface WebhookRegistrationOptions {
  readonly client: KubernetesClient;
  readonly owner: WebhookOwner;
  readonly now: () => Instant;
}

/** A configuration as it is to be, and where it is. */
export interface WebhookConfiguration {
  readonly path: string;
  readonly body: JsonObject;
}

const instanceAnnotation = "castellan.dev/instance";
const holderAnnotation = "castellan.dev/held-by";
const untilAnnotation = "castellan.dev/held-until";
const minute = 60_000;
/** A server that is killed holds its webhooks for 10 to 15 minutes more; replicas write the same, so times are of a grid. */
const grid = 5 * minute;
const holding = 3 * grid;
/** Replicas write at the same moment. */
const attempts = 5;

/**
 * Registers webhooks as their owner. Of two servers that govern one cluster by different policies each would overwrite the other's
 * webhooks, and nobody would be told: so who comes second leaves them alone until the first one lets go, or somebody decides.
 */
export class WebhookRegistration {
  readonly #options: WebhookRegistrationOptions;
  #mayTakeOver: boolean;

  constructor(options: WebhookRegistrationOptions) {
    this.#options = options;
    this.#mayTakeOver = options.owner.takesOver;
  }

  /** Brings the configurations into the cluster; answers who else has them, then nothing is changed. Rejects with `ApiError`. */
  async apply(configurations: readonly WebhookConfiguration[]): Promise<HeldWebhooks | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#apply(configurations);
      } catch (error) {
        if (!(error instanceof ApiError && error.status === 409) || attempt === attempts) throw error;
      }
    }
  }

  /** Takes out what is ours; who may not delete it empties it. Rejects with `ApiError`. */
  async remove(configurations: readonly WebhookConfiguration[]): Promise<void> {
    const { client, owner } = this.#options;
    for (const { path } of configurations) {
      const live = await this.#live(path);
      const instance = annotation(live, instanceAnnotation);
      if (live === undefined || (instance !== undefined && instance !== owner.id)) continue;
      const resourceVersion = member(member(live, "metadata"), "resourceVersion") ?? null;
      const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions: { resourceVersion } };
      await client.send({ method: "DELETE", path, body }).catch((error: unknown) => {
        if (error instanceof ApiError && error.status === 403) return this.#empty(path, resourceVersion);
        // Gone, or somebody else's by now.
        if (!(error instanceof ApiError && (error.status === 404 || error.status === 409))) throw error;
        return undefined;
      });
    }
  }

  /** A configuration that we may write by its name alone was made by who installed us. */
  async #empty(path: string, resourceVersion: JsonValue): Promise<void> {
    const annotations = { [instanceAnnotation]: null, [holderAnnotation]: null, [untilAnnotation]: null };
    const body = { metadata: { resourceVersion, annotations }, webhooks: [] };
    await this.#options.client
      .send({ method: "PATCH", path, body, contentType: "application/merge-patch+json" })
      .catch((error: unknown) => {
        if (!(error instanceof ApiError && (error.status === 404 || error.status === 409))) throw error;
      });
  }

  async #apply(configurations: readonly WebhookConfiguration[]): Promise<HeldWebhooks | undefined> {
    const { client, owner, now } = this.#options;
    const live = await Promise.all(configurations.map(({ path }) => this.#live(path)));
    const held = this.#mayTakeOver ? undefined : live.flatMap((one) => this.#holder(one) ?? [])[0];
    if (held !== undefined) return held;
    const annotations = {
      [instanceAnnotation]: owner.id,
      [holderAnnotation]: owner.name,
      [untilAnnotation]: new Date(Math.floor(now() / grid) * grid + holding).toISOString(),
    };
    for (const [index, { path, body }] of configurations.entries()) {
      const seen = member(member(live[index], "metadata"), "resourceVersion");
      const metadata = member(body, "metadata");
      // Server-side apply, so that a rule that somebody took out comes back and nothing of theirs is lost.
      await client.send({
        method: "PATCH",
        path: `${path}?fieldManager=castellan&force=true`,
        body: {
          ...body,
          metadata: {
            ...(isObject(metadata) ? metadata : {}),
            annotations,
            ...(seen === undefined ? {} : { resourceVersion: seen }),
          },
        },
        contentType: "application/apply-patch+yaml",
      });
    }
    this.#mayTakeOver = false;
    return undefined;
  }

  /** Undefined: nobody has it, or we do. */
  #holder(live: JsonValue | undefined): HeldWebhooks | undefined {
    const { owner, now } = this.#options;
    const instance = annotation(live, instanceAnnotation);
    const until = Date.parse(annotation(live, untilAnnotation) ?? "");
    if (instance === undefined || instance === owner.id || !(until > now())) return undefined;
    return { by: annotation(live, holderAnnotation) ?? instance, until };
  }

  #live(path: string): Promise<JsonValue | undefined> {
    return this.#options.client.get(path).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    });
  }
}

const annotation = (object: JsonValue | undefined, name: string): string | undefined =>
  asString(member(member(member(object, "metadata"), "annotations"), name));
