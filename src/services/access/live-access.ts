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
import { accessResources, isAccessDocument, onCallSchedules } from "./access-documents.ts";
import { AccessScope } from "./access-scope.ts";
import { Approvers } from "./approvers.ts";
import { Guardrails } from "./guardrails.ts";

export interface LiveAccessOptions {
  readonly onCallClients: ReadonlyMap<OnCallService, OnCallClient>;
  readonly now: () => Instant;
  /** What is wrong with the documents, after each change. */
  readonly onDiagnostics: (diagnostics: readonly Diagnostic[]) => void;
  readonly onTrouble: (error: Error) => void;
}

interface Source {
  readonly documents: readonly SourceDocument[];
  /** Whose documents these are; undefined: they hold everywhere. */
  readonly cluster: string | undefined;
}

const emptyDirectory = (): Directory => {
  const empty = compileDirectory([]);
  if (!empty.ok) throw new Error("no directory is no contradiction");
  return empty.value;
};

const isDirectory = ({ value }: SourceDocument): boolean => isOfKind(value, directoryKind);

/**
 * Access rules, guardrails, schedules and the directory in force, from several sources (files, clusters). A change is taken up at
 * once and as a whole. What a cluster holds counts for that cluster alone: who may write into one is given nothing in another.
 */
export class LiveAccess {
  /** For the gateway. */
  readonly guardrails: Guardrails;
  readonly #options: LiveAccessOptions;
  readonly #approvers: Approvers;
  readonly #sources = new Map<string, Source>();
  readonly #everywhere = new AccessScope();
  readonly #clusters = new Map<string, AccessScope>();
  readonly #listeners = new Set<() => void>();
  readonly #informers: PolicyInformers[] = [];
  #directory = emptyDirectory();
  #rules: AccessRules | undefined;
  #known = false;

  constructor(options: LiveAccessOptions) {
    this.#options = options;
    this.guardrails = new Guardrails(
      (cluster) => this.#scopeOf(cluster).compiled.guardrails,
      () => this.#directory,
    );
    this.#approvers = new Approvers({
      clients: options.onCallClients,
      wanted: () => this.#scopes().flatMap(({ compiled }) => onCallSchedules(compiled.rules)),
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

  /** Replaces everything that one source has, for one cluster or for all; documents of other kinds are left out. */
  setSource(name: string, documents: readonly SourceDocument[], cluster?: string): void {
    this.#sources.set(name, { documents: documents.filter(isAccessDocument), cluster });
    this.#compile();
  }

  /** Begins to ask who is on call. Resolves after the first answers. */
  start(): Promise<void> {
    return this.#approvers.start();
  }

  /**
   * Follows the documents in a cluster, for that cluster; call `follow` of the answer again when the API server serves other kinds.
   * People are taken from the first cluster alone.
   */
  async followCluster(
    client: KubernetesClient,
    resources: ApiResources,
    cluster: string = client.context,
  ): Promise<{ follow(resources: ApiResources): Promise<void> }> {
    const take = (documents: readonly SourceDocument[]) => this.setSource(`cluster:${cluster}`, documents, cluster);
    const informers = new PolicyInformers(client, take, this.#options.onTrouble, accessResources);
    this.#informers.push(informers);
    await informers.follow(resources);
    return informers;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#informers.map((informers) => informers.stop()));
    await this.#approvers.stop();
  }

  #scopeOf(cluster: string | undefined): AccessScope {
    return this.#clusters.get(cluster ?? "") ?? this.#everywhere;
  }

  #scopes(): readonly AccessScope[] {
    return [this.#everywhere, ...this.#clusters.values()];
  }

  #compile(): void {
    const sources = [...this.#sources.values()];
    const of = (...clusters: readonly (string | undefined)[]) =>
      sources.filter(({ cluster }) => clusters.includes(cluster)).flatMap(({ documents }) => documents);
    const clusters = [...new Set(sources.flatMap(({ cluster }) => cluster ?? []))];
    const [home] = clusters;
    const people = compileDirectory(of(undefined, home).filter(isDirectory));
    const problems: Diagnostic[] = [...people.diagnostics];
    const rest = (documents: readonly SourceDocument[]) => documents.filter((document) => !isDirectory(document));
    problems.push(...this.#everywhere.take(rest(of(undefined))));
    for (const cluster of clusters) {
      const scope = this.#clusters.get(cluster) ?? new AccessScope();
      this.#clusters.set(cluster, scope);
      // Those that hold everywhere come first, so that no cluster replaces one of them.
      problems.push(...scope.take(rest([...of(undefined), ...of(cluster)])));
    }
    this.#options.onDiagnostics(distinct(problems));
    if (people.ok) this.#directory = people.value;
    // While nobody can be told from anybody nothing is asked for; a directory that worked goes on.
    this.#known ||= people.ok;
    this.guardrails.changed();
    this.#publish();
    this.#approvers.refresh().catch(this.#options.onTrouble);
  }

  #publish(): void {
    if (!this.#known) return;
    const onCall = (service: OnCallService, id: string) => this.#approvers.onCall(service, id);
    const rulesOf = ({ compiled }: AccessScope) =>
      accessRules(compiled.rules, { directory: this.#directory, schedules: compiled.schedules, onCall });
    const everywhere = rulesOf(this.#everywhere);
    const own = new Map([...this.#clusters].map(([cluster, scope]) => [cluster, rulesOf(scope)]));
    const of = (cluster: string | undefined) => own.get(cluster ?? "") ?? everywhere;
    this.#rules = {
      offers: (person, ask, context) =>
        of(ask.type === "action" ? ask.action.cluster : context.cluster).offers(person, ask, context),
      offersException: (policy, namespace, cluster) => of(cluster).offersException(policy, namespace, cluster),
    };
    for (const listener of [...this.#listeners]) listener();
  }
}

/** What holds everywhere is compiled with each cluster. */
function distinct(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const identity = ({ code, message, span }: Diagnostic) => `${code} ${message} ${span?.file} ${span?.start.offset}`;
  return [...new Map(diagnostics.map((one) => [identity(one), one])).values()];
}
