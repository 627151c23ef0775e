import { type CelType, isDyn, listOf, mapOf, opaqueType, sameType, typeOfType } from "./types.ts";

/**
 * What the type variables of an expression stand for. Assignments that fail leave no trace:
 * bindings are undone from a trail rather than copied.
 */
export class Substitutions {
  readonly #bindings = new Map<string, CelType>();
  readonly #trail: { readonly name: string; readonly before: CelType | undefined }[] = [];
  #fresh = 0;

  /** A new type variable. */
  fresh(): CelType {
    return { kind: "param", name: `_var${this.#fresh++}`, params: [], nullable: false, open: true };
  }

  /** Whether a value of type `from` may stand where `to` is wanted, learning what variables have to be. */
  assignable(to: CelType, from: CelType): boolean {
    const mark = this.#trail.length;
    return this.#assign(to, from) || this.#undo(mark);
  }

  assignableAll(to: readonly CelType[], from: readonly CelType[]): boolean {
    const mark = this.#trail.length;
    return this.#assignAll(to, from) || this.#undo(mark);
  }

  /** `type` with its variables replaced; free ones stay, or become `dyn`. */
  apply(type: CelType, freeToDyn: boolean, dyn: CelType): CelType {
    if (!type.open) return type;
    if (type.kind === "param") {
      const bound = this.#bindings.get(type.name);
      if (bound !== undefined) return this.apply(bound, freeToDyn, dyn);
      return freeToDyn ? dyn : type;
    }
    return rebuild(
      type,
      type.params.map((param) => this.apply(param, freeToDyn, dyn)),
    );
  }

  #bind(name: string, type: CelType): void {
    this.#trail.push({ name, before: this.#bindings.get(name) });
    this.#bindings.set(name, type);
  }

  #undo(mark: number): false {
    while (this.#trail.length > mark) {
      const step = this.#trail.pop();
      if (step === undefined) break;
      if (step.before === undefined) this.#bindings.delete(step.name);
      else this.#bindings.set(step.name, step.before);
    }
    return false;
  }

  #assignAll(a: readonly CelType[], b: readonly CelType[]): boolean {
    return a.length === b.length && a.every((type, i) => this.#assign(type, b[i] ?? type));
  }

  #assign(a: CelType, b: CelType): boolean {
    if (b.kind === "param") {
      const substitution = this.#substitutes(a, b);
      if (substitution !== undefined) return substitution;
    }
    if (a.kind === "param") return this.#substitutes(b, a) ?? false;
    if (isDyn(a) || isDyn(b) || a.kind === "error" || b.kind === "error") return true;
    if (a.kind === "null") return isNullable(b);
    if (b.kind === "null") return isNullable(a);
    switch (a.kind) {
      case "type":
        return b.kind === "type";
      case "opaque":
      case "list":
      case "map":
        return a.kind === b.kind && a.name === b.name && this.#assignAll(a.params, b.params);
      default:
        return a.kind === b.kind && a.name === b.name;
    }
  }

  /** Whether the variable may stand for `type`; undefined where it has no meaning yet and `type` mentions it. */
  #substitutes(type: CelType, variable: CelType): boolean | undefined {
    if (type.kind === "param" && type.name === variable.name) return true;
    const bound = this.#bindings.get(variable.name);
    if (bound === undefined) {
      if (this.#mentions(type, variable)) return undefined;
      this.#bind(variable.name, type);
      return true;
    }
    if (sameType(type, bound)) return true;
    if (!this.#assign(type, bound)) return false;
    const general = moreGeneral(type, bound) ? type : bound;
    if (!this.#mentions(general, variable)) this.#bind(variable.name, general);
    return true;
  }

  #mentions(type: CelType, variable: CelType): boolean {
    if (!type.open) return false;
    if (type.kind !== "param") return type.params.some((param) => this.#mentions(param, variable));
    if (type.name === variable.name) return true;
    const bound = this.#bindings.get(type.name);
    return bound !== undefined && this.#mentions(bound, variable);
  }
}

function isNullable(type: CelType): boolean {
  return type.nullable || ["null", "opaque", "struct", "any", "duration", "timestamp"].includes(type.kind);
}

/** Whether `a` says no more than `b`. */
export function moreGeneral(a: CelType, b: CelType): boolean {
  if (isDyn(a) || a.kind === "param") return true;
  if (isDyn(b) || b.kind === "param" || a.kind !== b.kind) return false;
  switch (a.kind) {
    case "type":
      return true;
    case "opaque":
    case "list":
    case "map":
      return (
        a.name === b.name && a.params.length === b.params.length && a.params.every((p, i) => moreGeneral(p, b.params[i] ?? p))
      );
    default:
      return sameType(a, b);
  }
}

/** The type with other parameters. */
function rebuild(type: CelType, params: readonly CelType[]): CelType {
  const [first, second] = params;
  if (type.kind === "list" && first !== undefined) return listOf(first);
  if (type.kind === "map" && first !== undefined && second !== undefined) return mapOf(first, second);
  return type.kind === "type" ? typeOfType(first) : opaqueType(type.name, ...params);
}

/** `types` with the variables of a declaration replaced by fresh ones, the same one for the same name. */
export function instantiate(types: readonly CelType[], substitutions: Substitutions): readonly CelType[] {
  if (!types.some((type) => type.open)) return types;
  const fresh = new Map<string, CelType>();
  const replace = (type: CelType): CelType => {
    if (!type.open) return type;
    if (type.kind !== "param") return rebuild(type, type.params.map(replace));
    const known = fresh.get(type.name) ?? substitutions.fresh();
    fresh.set(type.name, known);
    return known;
  };
  return types.map(replace);
}
