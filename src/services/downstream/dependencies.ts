import type { Fact, Need } from "../../core/facts.ts";
import { groupOf, type KubernetesObject, nameOf, namespaceOf, parseApiVersion } from "../../core/kubernetes.ts";
import type { FactSource } from "../admission/facts.ts";

/** A rule, run for a trigger. */
export interface Dependent {
  readonly key: string;
  /** UID. */
  readonly trigger: string;
}

/** What the rules looked up when they last ran for a trigger: when that changes, they run again. */
export class Dependencies {
  readonly #pluralOf: (group: string, kind: string) => string | undefined;
  readonly #needs = new Map<string, Dependent & { readonly needs: Map<string, Need> }>();

  /** Paths of the API name kinds by their plurals. */
  constructor(pluralOf: (group: string, kind: string) => string | undefined) {
    this.#pluralOf = pluralOf;
  }

  /** Makes sources that note what they are asked, all of them for one run. */
  watching(key: string, trigger: string): (source: FactSource) => FactSource {
    const needs = new Map<string, Need>();
    this.#needs.set(`${key} ${trigger}`, { key, trigger, needs });
    return (source) => ({
      known: (need) => source.known(need),
      fetch: (need, signal): Promise<Fact> => {
        needs.set(JSON.stringify(need), need);
        return source.fetch(need, signal);
      },
    });
  }

  *of(object: KubernetesObject): Iterable<Dependent> {
    const plural = this.#pluralOf(groupOf(object), object.kind);
    for (const { key, trigger, needs } of this.#needs.values()) {
      for (const need of needs.values()) {
        if (!isAbout(need, object, plural)) continue;
        yield { key, trigger };
        break;
      }
    }
  }

  /** For which triggers a rule has run. */
  triggersOf(key: string): readonly string[] {
    return [...this.#needs.values()].filter((dependent) => dependent.key === key).map(({ trigger }) => trigger);
  }

  /** The rule is gone. */
  forget(key: string): void {
    for (const [text, dependent] of this.#needs) if (dependent.key === key) this.#needs.delete(text);
  }

  forgetTrigger(uid: string): void {
    for (const [text, dependent] of this.#needs) if (dependent.trigger === uid) this.#needs.delete(text);
  }
}

function isAbout(need: Need, object: KubernetesObject, plural: string | undefined): boolean {
  const group = groupOf(object);
  switch (need.kind) {
    case "objects":
      return (
        need.objectKind === object.kind &&
        (need.apiVersion.startsWith("*") || parseApiVersion(need.apiVersion).group === group) &&
        (need.namespace === "" || need.namespace === namespaceOf(object)) &&
        (need.name === "" || need.name === nameOf(object))
      );
    case "config-map":
      return object.kind === "ConfigMap" && need.namespace === namespaceOf(object) && need.name === nameOf(object);
    case "namespace":
      return object.kind === "Namespace" && group === "" && need.name === nameOf(object);
    case "api-call":
      return need.method === "GET" && isBelow(need.path, group, plural, object);
    default:
      return false;
  }
}

/** Whether a path of the API names the object, or a list that it may be in. */
function isBelow(path: string, group: string, plural: string | undefined, object: KubernetesObject): boolean {
  const [plain = ""] = path.split("?");
  const [, named = "", rest = ""] = /^\/api(?:s\/([^/]+))?\/[^/]+\/(.*)$/.exec(plain) ?? [];
  const [, namespace, below = rest] = /^namespaces\/([^/]+)\/(.+)$/.exec(rest) ?? [];
  const [collection, name] = below.split("/");
  return (
    named === group &&
    (namespace === undefined || namespace === namespaceOf(object)) &&
    collection === plural &&
    (name === undefined || name === nameOf(object))
  );
}
