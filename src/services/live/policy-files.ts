import { type LoadedState, WatchedPaths } from "../../adapters/files/watched-paths.ts";
import type { Ledger } from "../../adapters/store/ledger.ts";
import type { Diagnostic } from "../../core/diagnostic.ts";
import type { Instant } from "../../core/host.ts";
import { isKubernetesObject, resourceRef } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { policyName } from "../../engine/index.ts";

export interface PolicyFilesOptions {
  readonly ledger: Ledger;
  /** Where the policies are in force. */
  readonly clusters: readonly string[];
  readonly now: () => Instant;
  readonly onChange: (documents: readonly SourceDocument[]) => void;
  readonly onDiagnostics: (diagnostics: readonly Diagnostic[]) => void;
  readonly onTrouble: (error: unknown) => void;
}

/** Policies from files or a Git checkout, as they change. Files of which one cannot be read never replace those that could. */
export class PolicyFiles {
  readonly #options: PolicyFilesOptions;
  readonly #given: readonly string[];
  readonly #paths: WatchedPaths;
  #documents: readonly SourceDocument[] = [];

  constructor(paths: readonly string[], options: PolicyFilesOptions) {
    this.#options = options;
    this.#given = paths;
    this.#paths = new WatchedPaths(paths, {
      rego: true,
      onChange: (state) => this.#take(state),
      onTrouble: options.onTrouble,
    });
  }

  /** What is there now; changes are told from then on. */
  async start(): Promise<readonly SourceDocument[]> {
    const { documents, diagnostics } = await this.#paths.start(this.#given);
    this.#options.onDiagnostics(diagnostics);
    this.#documents = documents;
    return documents;
  }

  stop(): Promise<void> {
    return this.#paths.stop();
  }

  #take({ documents, diagnostics, commit }: LoadedState): void {
    const { onChange, onDiagnostics, onTrouble } = this.#options;
    onDiagnostics(diagnostics);
    const isSound = !diagnostics.some(({ severity }) => severity === "error");
    this.#record(isSound, documents, commit).catch(onTrouble);
    if (!isSound) {
      onTrouble(new Error("the policy files cannot all be read: the policies from before stay in force until they can"));
      return;
    }
    this.#documents = documents;
    onChange(documents);
  }

  async #record(isSound: boolean, documents: readonly SourceDocument[], commit: string | undefined): Promise<void> {
    const { ledger, clusters, now } = this.#options;
    const [before, after] = [texts(this.#documents), texts(documents)];
    const data = {
      source: [...this.#given],
      ...(commit === undefined ? {} : { commit }),
      added: [...after.keys()].filter((name) => !before.has(name)),
      changed: [...after].filter(([name, text]) => before.has(name) && before.get(name) !== text).map(([name]) => name),
      removed: [...before.keys()].filter((name) => !after.has(name)),
    };
    const outcome = isSound ? "loaded" : "refused";
    await ledger.append(clusters.map((cluster) => ({ kind: "policy.changed", at: now(), cluster, outcome, data })));
  }
}

/** By name. */
function texts(documents: readonly SourceDocument[]): ReadonlyMap<string, string> {
  return new Map(
    documents.flatMap(({ value }) => {
      if (!isKubernetesObject(value)) return [];
      const { group, kind, namespace, name } = resourceRef(value);
      return [[policyName({ group, kind, namespace, name }), JSON.stringify(value)] as const];
    }),
  );
}
