import type { Binding, BindingSubject, Role, RoleRef } from "./objects.ts";

/** A binding that applies to a user, and which of its subjects makes it apply. */
export interface AppliedBinding {
  readonly binding: Binding;
  readonly subject: BindingSubject;
}

interface Entry {
  readonly binding: Binding;
  /** Bindings keep the order in which they came, which is the order in which the authorizer asks them. */
  readonly order: number;
}

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
  readonly #bySubject = new Map<string, Map<string, Entry>>();
  readonly #byNamespace = new Map<string, Map<string, Entry>>();
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
    const entry = { binding, order };
    this.#bindings.set(key, entry);
    entriesAt(this.#byNamespace, binding.namespace).set(key, entry);
    for (const subject of binding.subjects) {
      const at = subjectKey(subject, binding.namespace);
      if (at !== undefined) entriesAt(this.#bySubject, at).set(key, entry);
    }
  }

  removeBinding(kind: Binding["kind"], namespace: string, name: string): void {
    const key = roleKey(kind, namespace, name);
    const entry = this.#bindings.get(key);
    if (entry === undefined) return;
    this.#bindings.delete(key);
    this.#byNamespace.get(namespace)?.delete(key);
    for (const subject of entry.binding.subjects) this.#bySubject.get(subjectKey(subject, namespace) ?? "")?.delete(key);
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
  appliedTo(user: string, groups: readonly string[], namespace: string): AppliedBinding[] {
    return this.#applied(user, groups, (at) => at === "" || at === namespace);
  }

  /** Bindings that apply to a user in any namespace. */
  appliedAnywhere(user: string, groups: readonly string[]): AppliedBinding[] {
    return this.#applied(user, groups, () => true);
  }

  #applied(user: string, groups: readonly string[], holds: (namespace: string) => boolean): AppliedBinding[] {
    const keys = new Set([`u:${user}`, ...groups.map((group) => `g:${group}`)]);
    const found = new Map<Binding, Entry>();
    for (const key of keys) {
      for (const entry of this.#bySubject.get(key)?.values() ?? []) {
        if (holds(entry.binding.namespace)) found.set(entry.binding, entry);
      }
    }
    const entries = sorted(found.values());
    const clusterWide = entries.filter((e) => e.binding.namespace === "");
    const local = entries.filter((e) => e.binding.namespace !== "");
    return [...clusterWide, ...local].flatMap(({ binding }) => {
      const subject = binding.subjects.find((s) => keys.has(subjectKey(s, binding.namespace) ?? ""));
      return subject === undefined ? [] : [{ binding, subject }];
    });
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

function entriesAt(map: Map<string, Map<string, Entry>>, key: string): Map<string, Entry> {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = new Map<string, Entry>();
  map.set(key, made);
  return made;
}

function sorted(entries: Iterable<Entry> | undefined): Entry[] {
  return [...(entries ?? [])].sort((a, b) => a.order - b.order);
}
