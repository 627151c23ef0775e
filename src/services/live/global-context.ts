import { setTimeout as delay } from "node:timers/promises";
import type { KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { Informer } from "../../adapters/kubernetes/informer.ts";
import type { ApiResource, ApiResources } from "../../core/api-resources.ts";
import { writeExactJson } from "../../core/exact-json.ts";
import type { Fact, GlobalContextNeed } from "../../core/facts.ts";
import type { Host } from "../../core/host.ts";
import { declaredPart, type KubernetesObject } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { type JmesPathProgram, NotFound } from "../../languages/jmespath/index.ts";
import {
  type GlobalContextEntry,
  globalContextKind,
  type KeptAnswer,
  type KeptObjects,
  readGlobalContextEntry,
} from "../../policies/kyverno/global-context-entry.ts";
import type { FactSource } from "../admission/facts.ts";
import { PolicyInformers } from "./policy-informers.ts";

export interface GlobalContextOptions {
  readonly client: KubernetesClient;
  readonly resources: () => ApiResources;
  /** Makes the calls of entries. */
  readonly calls: FactSource;
  readonly host: Host;
  /** There are other entries than before. */
  readonly onChange: () => void;
  readonly onTrouble: (error: Error) => void;
}

/** What an entry holds. */
interface Kept {
  /** The same value until something changes. */
  data(): Fact;
  /** Whether it began now; resolves when there is a first value, or why there is none. */
  start(): Promise<boolean>;
  stop(): Promise<void>;
}

interface Held {
  /** The object as it was written. */
  readonly written: string;
  readonly projections: GlobalContextEntry["projections"];
  readonly kept: Kept;
  readonly projected: Map<string, { readonly of: Fact; readonly fact: Fact }>;
}

const callMilliseconds = 30_000;

/** Holds what the GlobalContextEntries of a cluster speak of: objects are followed, calls made again at their times. */
export class GlobalContext {
  readonly #options: GlobalContextOptions;
  readonly #documents: PolicyInformers;
  #held = new Map<string, Held>();
  /** Changes of the entries, one after the other. */
  #changing: Promise<void> = Promise.resolve();

  constructor(options: GlobalContextOptions) {
    this.#options = options;
    this.#documents = new PolicyInformers(
      options.client,
      (documents) => {
        this.#changing = this.#changing.then(() => this.#take(documents)).catch(options.onTrouble);
      },
      options.onTrouble,
      (resources) => {
        const kind = resources.byKind(globalContextKind.group, globalContextKind.kind);
        return kind === undefined ? [] : [kind];
      },
    );
  }

  /** Resolves when all entries have been asked for once; again after a change of what is served. */
  async follow(resources: ApiResources): Promise<void> {
    await this.#documents.follow(resources);
    await this.#changing;
    // What they speak of may be served only now.
    const began = await Promise.all([...this.#held.values()].map(({ kept }) => kept.start()));
    if (began.includes(true)) this.#options.onChange();
  }

  async stop(): Promise<void> {
    await this.#documents.stop();
    await this.#changing;
    await Promise.all([...this.#held.values()].map(({ kept }) => kept.stop()));
    this.#held.clear();
  }

  get({ name, projection }: GlobalContextNeed): Fact {
    const held = this.#held.get(name);
    if (held === undefined) return { ok: false, message: `there is no global context entry ${name}` };
    const data = held.kept.data();
    if (projection === undefined || !data.ok) return data;
    const known = held.projected.get(projection);
    if (known?.of === data) return known.fact;
    const program = held.projections.get(projection);
    if (program === undefined) return { ok: false, message: `global context entry ${name} has no projection ${projection}` };
    const fact = project(program, data, this.#options.host, `${name}.${projection}`);
    held.projected.set(projection, { of: data, fact });
    return fact;
  }

  async #take(documents: readonly SourceDocument<KubernetesObject>[]): Promise<void> {
    const before = this.#held;
    const now = new Map<string, Held>();
    const fresh: Kept[] = [];
    for (const document of documents) {
      const read = readGlobalContextEntry(document);
      if (!read.ok) {
        for (const { message } of read.diagnostics) this.#options.onTrouble(new Error(message));
        continue;
      }
      const { name, source, projections } = read.value;
      const written = writeExactJson(declaredPart(document.value));
      const known = before.get(name);
      if (known?.written === written) {
        now.set(name, known);
        continue;
      }
      const kept = source.kind === "objects" ? new FollowedObjects(source, this.#options) : new AskedAgain(source, this.#options);
      now.set(name, { written, projections, kept, projected: new Map() });
      fresh.push(kept);
    }
    this.#held = now;
    const gone = [...before.values()].filter((held) => !new Set(now.values()).has(held));
    await Promise.all([...gone.map(({ kept }) => kept.stop()), ...fresh.map((kept) => kept.start())]);
    if (gone.length + fresh.length > 0) this.#options.onChange();
  }
}

function project(program: JmesPathProgram, data: Fact & { readonly ok: true }, host: Host, what: string): Fact {
  try {
    const value = program(data.value, host);
    return { ok: true, value: value instanceof NotFound ? null : value };
  } catch (error) {
    return { ok: false, message: `global context entry ${what}: ${error instanceof Error ? error.message : String(error)}` };
  }
}

class FollowedObjects implements Kept {
  readonly #source: KeptObjects;
  readonly #options: GlobalContextOptions;
  #informer: Informer | undefined;
  #fact: Fact | undefined;

  constructor(source: KeptObjects, options: GlobalContextOptions) {
    this.#source = source;
    this.#options = options;
  }

  data(): Fact {
    if (this.#informer?.synced !== true) return { ok: false, message: this.#unavailable() };
    this.#fact ??= { ok: true, value: [...this.#informer.objects()] };
    return this.#fact;
  }

  async start(): Promise<boolean> {
    const resource = this.#informer === undefined ? this.#served() : undefined;
    if (resource === undefined) return false;
    const { client, onTrouble } = this.#options;
    const onChanges = () => {
      this.#fact = undefined;
    };
    const { namespace } = this.#source;
    this.#informer = new Informer(client, resource, { onChanges, onTrouble }, namespace === "" ? undefined : namespace);
    await this.#informer.start().catch(onTrouble);
    return true;
  }

  async stop(): Promise<void> {
    await this.#informer?.stop();
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
    return this.#informer === undefined ? `the cluster serves no ${what}` : `${what} have not been listed yet`;
  }
}

class AskedAgain implements Kept {
  readonly #source: KeptAnswer;
  readonly #options: GlobalContextOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #fact: Fact = { ok: false, message: "the call has not been answered yet" };

  constructor(source: KeptAnswer, options: GlobalContextOptions) {
    this.#source = source;
    this.#options = options;
  }

  data(): Fact {
    return this.#fact;
  }

  async start(): Promise<boolean> {
    if (this.#running !== undefined) return false;
    await this.#ask();
    this.#running = this.#run();
    return true;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await delay(this.#source.refreshMilliseconds, undefined, { signal }).catch(() => {});
      if (!signal.aborted) await this.#ask();
    }
  }

  /** An answer that could not be had takes the place of the one before: what is old is not taken for what is. */
  async #ask(): Promise<void> {
    const { need, retries } = this.#source;
    for (let attempt = 0; attempt <= retries; attempt++) {
      try {
        this.#fact = await this.#options.calls.fetch(need, AbortSignal.timeout(callMilliseconds));
      } catch (error) {
        this.#fact = { ok: false, message: error instanceof Error ? error.message : String(error) };
      }
      if (this.#fact.ok || this.#stop.signal.aborted) return;
    }
  }
}
