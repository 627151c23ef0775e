import type { ApiResources } from "../../core/api-resources.ts";
import type { Diagnostic } from "../../core/diagnostic.ts";
import { isKubernetesObject, resourceRef } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { policyName } from "../../engine/index.ts";
import { unboundRule } from "../../policies/admission-policy/binding.ts";
import type { CompiledPolicy } from "../../policies/policy.ts";
import { type PolicyMode, withModes } from "../admission/modes.ts";
import { PolicyGroups } from "../admission/policy-groups.ts";
import { compilePolicies, isCompanion, isPolicyObject } from "../policies.ts";
import { isLive, runByServer } from "./policy-informers.ts";

/** The policies of one moment; it never changes. */
export interface PolicyRevision {
  readonly number: number;
  /** As they are in force: with the modes of their rollout. */
  readonly policies: readonly CompiledPolicy[];
  readonly admission: PolicyGroups;
  /** What could not be compiled. */
  readonly diagnostics: readonly Diagnostic[];
  /** Policies whose newest text is broken: an older one that worked goes on, or none where there never was one. */
  readonly broken: readonly string[];
}

const noPolicies: PolicyRevision = { number: 0, policies: [], admission: new PolicyGroups([]), diagnostics: [], broken: [] };

/**
 * The policies in force, from several sources (files, a cluster). A change makes a new revision, taken up at once and
 * as a whole; a text that does not compile never replaces one that did.
 */
export class LivePolicies {
  readonly #sources = new Map<string, readonly SourceDocument[]>();
  readonly #listeners: ((revision: PolicyRevision) => void)[] = [];
  #modes: readonly PolicyMode[] = [];
  readonly #webhookSeconds: number | undefined;
  #resources: ApiResources;
  #current = noPolicies;
  #working = new Map<string, CompiledPolicy>();

  /** `webhookSeconds`: how long a request waits for policies that do not say it. */
  constructor(resources: ApiResources, webhookSeconds?: number) {
    this.#resources = resources;
    this.#webhookSeconds = webhookSeconds;
  }

  get current(): PolicyRevision {
    return this.#current;
  }

  onRevision(listener: (revision: PolicyRevision) => void): void {
    this.#listeners.push(listener);
  }

  /** Replaces everything that one source has. */
  setSource(name: string, documents: readonly SourceDocument[]): void {
    this.#sources.set(name, documents);
    this.#compile();
  }

  setModes(modes: readonly PolicyMode[]): void {
    this.#modes = modes;
    this.#publish(this.#current);
  }

  /** What the API server serves has changed: kinds in policies may mean something else. */
  setResources(resources: ApiResources): void {
    this.#resources = resources;
    this.#compile();
  }

  #compile(): void {
    const documents = [...this.#sources.values()].flat();
    const { set, diagnostics, broken } = compilePolicies(documents, this.#resources);
    const sound = set.policies.filter((policy) => !broken.has(policy)).map(withoutServers);
    const compiled = new Map(sound.map((policy) => [policyName(policy.id), policy]));
    const failed = [...names(documents)].filter((name) => !compiled.has(name));
    for (const name of failed) {
      const older = this.#working.get(name);
      if (older !== undefined) compiled.set(name, older);
    }
    this.#working = compiled;
    this.#publish({ diagnostics, broken: failed });
  }

  /** What is compiled, with the modes of the moment, is the next revision. */
  #publish({ diagnostics, broken }: Pick<PolicyRevision, "diagnostics" | "broken">): void {
    const policies = withModes([...this.#working.values()], this.#modes);
    const admission = new PolicyGroups(policies, this.#webhookSeconds);
    this.#current = { number: this.#current.number + 1, policies, admission, diagnostics, broken };
    for (const listener of this.#listeners) listener(this.#current);
  }
}

/** What the API server enforces itself is only looked for in what runs already, and only where it is bound. */
function withoutServers(policy: CompiledPolicy): CompiledPolicy {
  if (policy.id.group !== runByServer || !isLive(policy.origin)) return policy;
  return { ...policy, admission: false, rules: policy.rules.filter(({ name }) => name !== unboundRule) };
}

/** Of the policies among the documents. */
function names(documents: readonly SourceDocument[]): Set<string> {
  return new Set(
    documents.flatMap(({ value }) => {
      if (!isKubernetesObject(value) || !isPolicyObject(value) || isCompanion(value)) return [];
      const { group, kind, namespace, name } = resourceRef(value);
      return [policyName({ group, kind, namespace, name })];
    }),
  );
}
