import type { AddressSet } from "../address-set.ts";
import type { NamespaceScope, PodSelector } from "../rule.ts";
import { AddressIndex } from "./address-bounds.ts";
import { type ClusterEndpoint, classify, type EndpointClass, type Surroundings } from "./endpoint-class.ts";

/** Endpoints folded to classes, and where to look for those that a selector may mean. */
export class EndpointIndex {
  readonly classes: EndpointClass[] = [];
  readonly #around: Surroundings;
  readonly #byKey = new Map<string, EndpointClass>();
  readonly #byEndpoint = new Map<string, EndpointClass>();
  /** Pods not on the host's network. */
  readonly #byNamespace = new Map<string, EndpointClass[]>();
  readonly #byLabel = new Map<string, EndpointClass[]>();
  readonly #others: EndpointClass[] = [];
  readonly #scopes = new Map<string, readonly string[]>();
  #addresses: AddressIndex | undefined;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** The class of an endpoint, and whether nobody was in it before. */
  add(endpoint: ClusterEndpoint): { readonly cls: EndpointClass; readonly isNew: boolean } {
    const { key, make } = classify(endpoint, this.#around);
    const known = this.#byKey.get(key);
    const cls = known ?? make(this.classes.length);
    cls.members.add(endpoint);
    this.#byEndpoint.set(endpoint.id, cls);
    if (known === undefined) this.#enter(key, cls);
    return { cls, isNew: known === undefined };
  }

  #enter(key: string, cls: EndpointClass): void {
    this.classes.push(cls);
    this.#byKey.set(key, cls);
    this.#addresses = undefined;
    if (cls.kind !== "pod") {
      this.#others.push(cls);
      return;
    }
    const { namespace, labels } = cls.facts;
    if (!this.#byNamespace.has(namespace)) this.#scopes.clear();
    append(this.#byNamespace, namespace, cls);
    for (const label of Object.keys(labels)) append(this.#byLabel, `${label}=${labels[label]}`, cls);
  }

  remove(endpoint: ClusterEndpoint): void {
    const cls = this.#byEndpoint.get(endpoint.id);
    cls?.members.delete(endpoint);
    this.#byEndpoint.delete(endpoint.id);
  }

  /**
   * Facts of a namespace changed: nobody joins its old classes any more. Their endpoints have to be removed first, and
   * added again.
   */
  leaveNamespace(namespace: string): void {
    for (const cls of this.#byNamespace.get(namespace) ?? []) this.#byKey.delete(cls.key);
    for (const cls of this.#others) if (cls.facts.namespace === namespace) this.#byKey.delete(cls.key);
    this.#scopes.clear();
  }

  classOf(endpoint: ClusterEndpoint): EndpointClass | undefined {
    return this.#byEndpoint.get(endpoint.id);
  }

  /** Nodes, host pods and the API server. */
  get others(): readonly EndpointClass[] {
    return this.#others;
  }

  inScope(scope: NamespaceScope, cls: EndpointClass): boolean {
    switch (scope.kind) {
      case "all":
        return true;
      case "one":
        return cls.facts.namespace === scope.name;
      case "matching":
        return scope.matches(cls.facts.namespaceLabels);
    }
  }

  /** Whether the selector means pods of this class. */
  selects(selector: PodSelector, cls: EndpointClass): boolean {
    return cls.kind === "pod" && this.inScope(selector.namespaces, cls) && selector.matches(cls.facts);
  }

  /** Every class that the selector means; looks at no more classes than its namespaces or its rarest label hold. */
  select(selector: PodSelector): EndpointClass[] {
    const byLabel = this.#hinted(selector);
    const { namespaces } = selector;
    if (namespaces.kind === "one") {
      const inNamespace = this.#byNamespace.get(namespaces.name) ?? [];
      return (byLabel !== undefined && byLabel.length < inNamespace.length ? byLabel : inNamespace).filter((cls) =>
        this.selects(selector, cls),
      );
    }
    if (byLabel !== undefined) return byLabel.filter((cls) => this.selects(selector, cls));
    const names = namespaces.kind === "all" ? [...this.#byNamespace.keys()] : this.#namespacesOf(namespaces);
    return names.flatMap((name) => (this.#byNamespace.get(name) ?? []).filter((cls) => selector.matches(cls.facts)));
  }

  #hinted({ hint }: PodSelector): readonly EndpointClass[] | undefined {
    if (hint === undefined) return undefined;
    const [only, second] = hint.values;
    if (second === undefined) return this.#byLabel.get(`${hint.label}=${only}`) ?? [];
    return hint.values.flatMap((value) => this.#byLabel.get(`${hint.label}=${value}`) ?? []);
  }

  #namespacesOf(scope: Extract<NamespaceScope, { kind: "matching" }>): readonly string[] {
    const known = this.#scopes.get(scope.key);
    if (known !== undefined) return known;
    const names = [...this.#byNamespace.keys()].filter((name) => scope.matches(this.#around.namespaceLabels(name)));
    this.#scopes.set(scope.key, names);
    return names;
  }

  /** Classes with a known address in the set. */
  atAddresses(set: AddressSet, found: (id: number) => void): void {
    this.#addresses ??= new AddressIndex(this.classes);
    this.#addresses.within(set, found);
  }
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
