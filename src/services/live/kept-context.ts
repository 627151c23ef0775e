import { setTimeout as delay } from "node:timers/promises";
import type { KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { Informer } from "../../adapters/kubernetes/informer.ts";
import type { ApiResource, ApiResources } from "../../core/api-resources.ts";
import type { Fact } from "../../core/facts.ts";
import type { KeptAnswer, KeptObjects } from "../../policies/kyverno/global-context-entry.ts";
import type { FactSource } from "../admission/facts.ts";

/** What an entry of the global context holds. */
export interface KeptContext {
  /** The same value until something changes. */
  data(): Fact;
  /** Begins, or begins again where what it is about is served only now; does not wait for an answer. */
  start(): void;
  /** Resolves when there was a first answer, or it was told why there is none. */
  readonly asked: Promise<void>;
  stop(): Promise<void>;
}

export interface KeptContextOptions {
  readonly client: KubernetesClient;
  readonly resources: () => ApiResources;
  /** Makes the calls. */
  readonly calls: FactSource;
  /** There is an answer where there was none, or none any more. */
  readonly onChange: () => void;
  readonly onTrouble: (error: Error) => void;
}

export function keptContext(source: KeptObjects | KeptAnswer, options: KeptContextOptions): KeptContext {
  return source.kind === "objects" ? new FollowedObjects(source, options) : new AskedAgain(source, options);
}

const callMilliseconds = 30_000;
const retryMilliseconds = 1000;
/** The server sends a bookmark a minute: what has not been heard of for longer than two is not taken for what is. */
const staleMilliseconds = 150_000;

class FollowedObjects implements KeptContext {
  readonly #source: KeptObjects;
  readonly #options: KeptContextOptions;
  #informer: Informer | undefined;
  #asked: Promise<void> = Promise.resolve();
  #fact: Fact | undefined;
  #wasThere = false;
  #stopped = false;

  constructor(source: KeptObjects, options: KeptContextOptions) {
    this.#source = source;
    this.#options = options;
  }

  get asked(): Promise<void> {
    return this.#asked;
  }

  data(): Fact {
    const informer = this.#informer;
    if (informer?.synced !== true || informer.silence > staleMilliseconds) return { ok: false, message: this.#unavailable() };
    this.#fact ??= { ok: true, value: [...informer.objects()] };
    return this.#fact;
  }

  start(): void {
    if (this.#stopped) return;
    const resource = this.#served();
    if (resource === undefined) void this.#forget();
    else if (this.#informer === undefined) this.#follow(resource);
  }

  stop(): Promise<void> {
    this.#stopped = true;
    return this.#forget();
  }

  #follow(resource: ApiResource): void {
    const { client, onChange, onTrouble } = this.#options;
    const { namespace } = this.#source;
    const onChanges = () => {
      this.#fact = undefined;
      if (!this.#wasThere) onChange();
      this.#wasThere = true;
    };
    this.#informer = new Informer(client, resource, { onChanges, onTrouble }, namespace === "" ? undefined : namespace);
    this.#asked = this.#informer.start().catch(onTrouble);
  }

  async #forget(): Promise<void> {
    const informer = this.#informer;
    this.#informer = undefined;
    this.#fact = undefined;
    this.#wasThere = false;
    await informer?.stop();
  }

  #served(): ApiResource | undefined {
    const { group, version, resource } = this.#source;
    return this.#options
      .resources()
      .all()
      .find((one) => one.group === group && one.version === version && one.resource === resource);
  }

  #unavailable(): string {
    const { group, version, resource } = this.#source;
    const what = `${group === "" ? "" : `${group}/`}${version} ${resource}`;
    if (this.#informer === undefined) return `the cluster serves no ${what}`;
    return this.#informer.synced ? `${what} cannot be followed any more` : `${what} have not been listed yet`;
  }
}

class AskedAgain implements KeptContext {
  readonly #source: KeptAnswer;
  readonly #options: KeptContextOptions;
  readonly #stop = new AbortController();
  readonly #first = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;
  #fact: Fact = { ok: false, message: "the call has not been answered yet" };

  constructor(source: KeptAnswer, options: KeptContextOptions) {
    this.#source = source;
    this.#options = options;
  }

  get asked(): Promise<void> {
    return this.#first.promise;
  }

  data(): Fact {
    return this.#fact;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#first.resolve();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#ask();
      this.#first.resolve();
      await this.#pause(this.#source.refreshMilliseconds);
    }
  }

  /** An answer that could not be had takes the place of the one before: what is old is not taken for what is. */
  async #ask(): Promise<void> {
    let fact = await this.#call();
    for (let attempt = 0; !fact.ok && attempt < this.#source.retries && !this.#stop.signal.aborted; attempt++) {
      await this.#pause(retryMilliseconds);
      fact = await this.#call();
    }
    if (this.#stop.signal.aborted) return;
    const had = this.#fact.ok;
    // That a call finds nothing is no value, and not known for certain to be none.
    this.#fact = fact.ok ? fact : { ok: false, message: fact.message };
    if (fact.ok !== had) this.#options.onChange();
  }

  /** The call itself may take as long as it likes: it is not waited for. */
  async #call(): Promise<Fact> {
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(callMilliseconds)]);
    const given = new Promise<Fact>((resolve) => {
      signal.addEventListener("abort", () => resolve({ ok: false, message: "the call was not answered in time" }), {
        once: true,
      });
    });
    try {
      return await Promise.race([this.#options.calls.fetch(this.#source.need, signal), given]);
    } catch (error) {
      return { ok: false, message: error instanceof Error ? error.message : String(error) };
    }
  }

  async #pause(milliseconds: number): Promise<void> {
    await delay(milliseconds, undefined, { signal: this.#stop.signal }).catch(() => {});
  }
}
