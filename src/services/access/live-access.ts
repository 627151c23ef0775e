import { accessRules } from "../../access/rules/access-rules.ts";
import type { OnCallService } from "../../access/rules/approver-source.ts";
import { compileDirectory, type Directory } from "../../access/rules/directory.ts";
import { directoryKind } from "../../access/rules/directory-kind.ts";
import type { AccessRules } from "../../access/rules/types.ts";
import type { KubernetesClient } from "../../adapters/kubernetes/client.ts";
import type { OnCallClient } from "../../adapters/on-call/on-call-client.ts";
import type { ApiResources } from "../../core/api-resources.ts";
import type { Diagnostic } from "../../core/diagnostic.ts";
import type { Instant } from "../../core/host.ts";
import { isOfKind } from "../../core/resource-kind.ts";
import type { SourceDocument } from "../../core/source.ts";
import { PolicyInformers } from "../live/policy-informers.ts";
import {
  accessResources,
  type CompiledAccess,
  compileAccess,
  isAccessDocument,
  nameOfDocument,
  onCallSchedules,
} from "./access-documents.ts";
import { Approvers } from "./approvers.ts";
import { Guardrails } from "./guardrails.ts";

export interface LiveAccessOptions {
  readonly onCallClients: ReadonlyMap<OnCallService, OnCallClient>;
  readonly now: () => Instant;
  /** What is wrong with the documents, after each change. */
  readonly onDiagnostics: (diagnostics: readonly Diagnostic[]) => void;
  readonly onTrouble: (error: Error) => void;
}

const emptyDirectory = (): Directory => {
  const empty = compileDirectory([]);
  if (!empty.ok) throw new Error("no directory is no contradiction");
  return empty.value;
};

/**
 * Access rules, guardrails, schedules and the directory in force, from several sources (files, a cluster). A change is taken up at
 * once and as a whole; a document that does not compile never replaces one of its name that did.
 */
export class LiveAccess {
  /** For the gateway. */
  readonly guardrails: Guardrails;
  readonly #options: LiveAccessOptions;
  readonly #approvers: Approvers;
  readonly #sources = new Map<string, readonly SourceDocument[]>();
  readonly #listeners = new Set<() => void>();
  readonly #informers: PolicyInformers[] = [];
  #working = new Map<string, readonly SourceDocument[]>();
  #compiled: CompiledAccess = compileAccess([]);
  #directory = emptyDirectory();
  #rules: AccessRules | undefined;
  #known = false;

  constructor(options: LiveAccessOptions) {
    this.#options = options;
    this.guardrails = new Guardrails([], () => this.#directory);
    this.#approvers = new Approvers({
      clients: options.onCallClients,
      wanted: () => onCallSchedules(this.#compiled.rules),
      directory: () => this.#directory,
      now: options.now,
      onChange: () => this.#publish(),
      onTrouble: options.onTrouble,
    });
  }

  /** Undefined until documents are given, and while no directory tells people apart. A new object after each change. */
  get rules(): AccessRules | undefined {
    return this.#rules;
  }

  get directory(): Directory {
    return this.#directory;
  }

  /** Told after each change; the answer ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Replaces everything that one source has; documents of other kinds are left out. */
  setSource(name: string, documents: readonly SourceDocument[]): void {
    this.#sources.set(name, documents.filter(isAccessDocument));
    this.#compile();
  }

  /** Begins to ask who is on call. Resolves after the first answers. */
  start(): Promise<void> {
    return this.#approvers.start();
  }

  /** Follows the documents in a cluster; call `follow` of the answer again when the API server serves other kinds. */
  async followCluster(
    client: KubernetesClient,
    resources: ApiResources,
  ): Promise<{ follow(resources: ApiResources): Promise<void> }> {
    const take = (documents: readonly SourceDocument[]) => this.setSource(`cluster:${client.context}`, documents);
    const informers = new PolicyInformers(client, take, this.#options.onTrouble, accessResources);
    this.#informers.push(informers);
    await informers.follow(resources);
    return informers;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#informers.map((informers) => informers.stop()));
    await this.#approvers.stop();
  }

  #compile(): void {
    const documents = [...this.#sources.values()].flat();
    const newest = compileAccess(documents);
    const broken = new Set(newest.broken);
    const kept = new Set<string>();
    const inForce = documents.flatMap((document) => {
      if (!broken.has(document)) return [document];
      const name = nameOfDocument(document);
      if (kept.has(name)) return [];
      kept.add(name);
      return this.#working.get(name) ?? [];
    });
    this.#options.onDiagnostics(newest.diagnostics);
    // Without a directory that tells people apart nothing is taken up: what was in force goes on, or nothing is.
    if (newest.directory === undefined && !inForce.some(({ value }) => isOfKind(value, directoryKind))) return;
    this.#compiled = broken.size === 0 ? newest : compileAccess(inForce);
    const works = inForce.filter((document) => !this.#compiled.broken.includes(document));
    this.#working = new Map(Map.groupBy(works, nameOfDocument));
    this.#directory = this.#compiled.directory ?? this.#directory;
    this.guardrails.replace(this.#compiled.guardrails);
    this.#known = true;
    this.#publish();
    this.#approvers.refresh().catch(this.#options.onTrouble);
  }

  #publish(): void {
    if (!this.#known) return;
    const onCall = (service: OnCallService, id: string) => this.#approvers.onCall(service, id);
    this.#rules = accessRules(this.#compiled.rules, { directory: this.#directory, schedules: this.#compiled.schedules, onCall });
    for (const listener of [...this.#listeners]) listener();
  }
}
