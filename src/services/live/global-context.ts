import { setTimeout as delay } from "node:timers/promises";
import type { ApiResources } from "../../core/api-resources.ts";
import { writeExactJson } from "../../core/exact-json.ts";
import type { Fact, GlobalContextNeed } from "../../core/facts.ts";
import type { Host } from "../../core/host.ts";
import { member } from "../../core/json.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { type JmesPathProgram, NotFound } from "../../languages/jmespath/index.ts";
import {
  type GlobalContextEntry,
  globalContextKind,
  readGlobalContextEntry,
} from "../../policies/kyverno/global-context-entry.ts";
import { type KeptContext, type KeptContextOptions, keptContext } from "./kept-context.ts";
import { PolicyInformers } from "./policy-informers.ts";

export interface GlobalContextOptions extends KeptContextOptions {
  readonly host: Host;
}

interface Held {
  /** Where it comes from, as it was written. */
  readonly source: string;
  readonly projections: GlobalContextEntry["projections"];
  readonly kept: KeptContext;
  readonly projected: Map<string, { readonly of: Fact; readonly fact: Fact }>;
}

/** So long the first answers are waited for; who answers later is taken up then. Twice that is less than reviews wait for us. */
const firstMilliseconds = 2000;

/** Holds what the GlobalContextEntries of a cluster speak of: objects are followed, calls made again at their times. */
export class GlobalContext {
  readonly #options: GlobalContextOptions;
  readonly #documents: PolicyInformers;
  readonly #stop = new AbortController();
  #held = new Map<string, Held>();
  #isLoaded = false;
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

  /** Whether the entries that were there at the start have been asked for. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Resolves when all entries have been asked for once, or took too long; again after a change of what is served. */
  async follow(resources: ApiResources): Promise<void> {
    await this.#documents.follow(resources);
    await this.#changing;
    if (this.#stop.signal.aborted) return;
    await this.#begin([...this.#held.values()].map(({ kept }) => kept));
    this.#isLoaded = true;
  }

  /** What is held stays as it is for whoever still asks. */
  async stop(): Promise<void> {
    this.#stop.abort();
    const ended = [...this.#held.values()].map(({ kept }) => kept.stop());
    await Promise.all([this.#documents.stop(), this.#changing, ...ended]);
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
    if (this.#stop.signal.aborted) return;
    const before = this.#held;
    const now = new Map<string, Held>();
    const fresh: KeptContext[] = [];
    for (const document of documents) {
      const read = readGlobalContextEntry(document);
      if (!read.ok) {
        for (const { message } of read.diagnostics) this.#options.onTrouble(new Error(message));
        continue;
      }
      const { name, projections } = read.value;
      const source = sourceText(document.value);
      const known = before.get(name);
      const same = known?.source === source ? known.kept : undefined;
      const kept = same ?? keptContext(read.value.source, this.#options);
      if (same === undefined) fresh.push(kept);
      now.set(name, { source, projections, kept, projected: new Map() });
    }
    // What takes the place of another is there first.
    await this.#begin(fresh);
    this.#held = now;
    const left = new Set([...now.values()].map(({ kept }) => kept));
    const ended = this.#stop.signal.aborted
      ? fresh
      : [...before.values()].map(({ kept }) => kept).filter((kept) => !left.has(kept));
    await Promise.all(ended.map((kept) => kept.stop()));
    this.#options.onChange();
  }

  async #begin(all: readonly KeptContext[]): Promise<void> {
    for (const kept of all) kept.start();
    const waited = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, waited.signal]);
    const asked = Promise.all(all.map((kept) => kept.asked));
    await Promise.race([asked, delay(firstMilliseconds, undefined, { signal }).catch(() => {})]);
    waited.abort();
  }
}

/** What decides where the data comes from, and not what is made of it. */
function sourceText({ spec }: KubernetesObject): string {
  const part = (key: string) => member(spec, key) ?? null;
  return writeExactJson({ kubernetesResource: part("kubernetesResource"), apiCall: part("apiCall") });
}

/** The reason of a failure may quote the data, and stays here. */
function project(program: JmesPathProgram, data: Fact & { readonly ok: true }, host: Host, what: string): Fact {
  try {
    const value = program(data.value, host);
    return { ok: true, value: value instanceof NotFound ? null : value };
  } catch {
    return { ok: false, message: `global context entry ${what}: the projection cannot be made of what the entry holds` };
  }
}
