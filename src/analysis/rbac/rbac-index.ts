import type { Binding, BindingSubject, Role, RoleRef } from "./objects.ts";

/** A binding that applies to a user, and which of its subjects makes it apply. */
export interface AppliedBinding {
  readonly binding: Binding;
  readonly subject: BindingSubject;
}

interface Entry {
  readonly binding: Binding;
  /** Of each subject, in their order. */
  readonly keys: readonly (string | undefined)[];
  /** Bindings keep the order in which they came, which is the order in which the authorizer asks them. */
  readonly order: number;
}

/** Answers that are remembered: of as many people and namespaces as ask often. */
const mostApplied = 1000;

const roleKey = (kind: string, namespace: string, name: string) => `${kind}/${namespace}/${name}`;
const bindingKey = (binding: Pick<Binding, "kind" | "namespace" | "name">) =>
  roleKey(binding.kind, binding.namespace, binding.name);

export function serviceAccountUser(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/**
 * The user or group that a subject stands for, as an index key; undefined for one that can never match:
 * an unknown kind, or a ServiceAccount of no namespace in a ClusterRoleBinding.
 */
export function subjectKey(subject: BindingSubject, bindingNamespace: string): string | undefined {
  switch (subject.kind) {
    case "User":
      return `u:${subject.name}`;
    case "Group":
      return `g:${subject.name}`;
    case "ServiceAccount": {
      const namespace = subject.namespace === "" ? bindingNamespace : subject.namespace;
      return namespace === "" ? undefined : `u:${serviceAccountUser(namespace, subject.name)}`;
    }
    default:
      return undefined;
  }
}

/** Roles by name, bindings by subject and by namespace; every change costs what the changed object holds. */
export class RbacIndex {
  readonly #roles = new Map<string, Role>();
  readonly #bindings = new Map<string, Entry>();
  /** By subject, then by the binding's namespace: a decision looks at two of them. */
  readonly #bySubject = new Map<string, Map<string, Map<string, Entry>>>();
  readonly #byNamespace = new Map<string, Map<string, Entry>>();
  readonly #appliedTo = new Map<string, readonly AppliedBinding[]>();
  #order = 0;

  putRole(role: Role): void {
    this.#roles.set(roleKey(role.kind, role.namespace, role.name), role);
  }

  removeRole(kind: Role["kind"], namespace: string, name: string): void {
    this.#roles.delete(roleKey(kind, namespace, name));
  }

  role(kind: string, namespace: string, name: string): Role | undefined {
    return this.#roles.get(roleKey(kind, kind === "ClusterRole" ? "" : namespace, name));
  }

  putBinding(binding: Binding): void {
    const key = bindingKey(binding);
    const order = this.#bindings.get(key)?.order ?? this.#order++;
    this.removeBinding(binding.kind, binding.namespace, binding.name);
    const keys = binding.subjects.map((subject) => subjectKey(subject, binding.namespace));
    const entry = { binding, keys, order };
    this.#appliedTo.clear();
    this.#bindings.set(key, entry);
    mapAt(this.#byNamespace, binding.namespace).set(key, entry);
    for (const at of keys) {
      if (at !== undefined) mapAt(mapAt(this.#bySubject, at), binding.namespace).set(key, entry);
    }
  }

  removeBinding(kind: Binding["kind"], namespace: string, name: string): void {
    const key = roleKey(kind, namespace, name);
    const entry = this.#bindings.get(key);
    if (entry === undefined) return;
    this.#appliedTo.clear();
    this.#bindings.delete(key);
    this.#byNamespace.get(namespace)?.delete(key);
    for (const at of entry.keys) if (at !== undefined) this.#bySubject.get(at)?.get(namespace)?.delete(key);
  }

  roles(): Iterable<Role> {
    return this.#roles.values();
  }

  bindings(): Iterable<Binding> {
    return this.#bindings.values().map((entry) => entry.binding);
  }

  /** Bindings that can decide about a request in `namespace`: all ClusterRoleBindings, then its RoleBindings. */
  *bindingsFor(namespace: string): Iterable<Binding> {
    for (const { binding } of sorted(this.#byNamespace.get("")?.values())) yield binding;
    if (namespace === "") return;
    for (const { binding } of sorted(this.#byNamespace.get(namespace)?.values())) yield binding;
  }

  /** Bindings that apply to a user there, in the order in which the authorizer asks them. */
  appliedTo(user: string, groups: readonly string[], namespace: string): readonly AppliedBinding[] {
    const key = JSON.stringify([user, namespace, groups]);
    const known = this.#appliedTo.get(key);
    if (known !== undefined) return known;
    const keys = subjectKeys(user, groups);
    const clusterWide = this.#applied(keys, (spaces) => [spaces.get("")]);
    const applied =
      namespace === "" ? clusterWide : [...clusterWide, ...this.#applied(keys, (spaces) => [spaces.get(namespace)])];
    if (this.#appliedTo.size >= mostApplied) this.#appliedTo.clear();
    this.#appliedTo.set(key, applied);
    return applied;
  }

  /** Bindings that apply to a user in any namespace, cluster-wide ones first. */
  appliedAnywhere(user: string, groups: readonly string[]): AppliedBinding[] {
    const all = this.#applied(subjectKeys(user, groups), (spaces) => spaces.values());
    return [...all.filter((a) => a.binding.namespace === ""), ...all.filter((a) => a.binding.namespace !== "")];
  }

  #applied(
    keys: ReadonlySet<string>,
    choose: (spaces: ReadonlyMap<string, Map<string, Entry>>) => Iterable<Map<string, Entry> | undefined>,
  ): AppliedBinding[] {
    const lists: Map<string, Entry>[] = [];
    for (const key of keys) {
      const spaces = this.#bySubject.get(key);
      if (spaces !== undefined) for (const list of choose(spaces)) if (list !== undefined && list.size > 0) lists.push(list);
    }
    // A binding may name the user and their group; one list holds it once.
    const [only] = lists;
    const found = lists.length === 1 ? only?.values() : new Set(lists.flatMap((list) => [...list.values()]));
    const applied: AppliedBinding[] = [];
    for (const { binding, keys: own } of sorted(found)) {
      const subject = binding.subjects[own.length === 1 ? 0 : own.findIndex((key) => key !== undefined && keys.has(key))];
      if (subject !== undefined) applied.push({ binding, subject });
    }
    return applied;
  }

  /** The role a binding refers to, or why there is none, in the API server's words. */
  resolve(ref: RoleRef, bindingNamespace: string): Role | { readonly error: string } {
    switch (ref.kind) {
      case "Role":
        if (bindingNamespace === "") return { error: "must provide namespace when getting role" };
        return this.role("Role", bindingNamespace, ref.name) ?? { error: "role not found" };
      case "ClusterRole":
        return this.role("ClusterRole", "", ref.name) ?? { error: "clusterrole not found" };
      default:
        return { error: `unsupported role reference kind: ${JSON.stringify(ref.kind)}` };
    }
  }
}

function subjectKeys(user: string, groups: readonly string[]): ReadonlySet<string> {
  return new Set([`u:${user}`, ...groups.map((group) => `g:${group}`)]);
}

function mapAt<V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = new Map<string, V>();
  map.set(key, made);
  return made;
}

function sorted(entries: Iterable<Entry> | undefined): Entry[] {
  const list = [...(entries ?? [])];
  return list.some(({ order }, i) => order < (list[i - 1]?.order ?? 0)) ? list.sort((a, b) => a.order - b.order) : list;
}
