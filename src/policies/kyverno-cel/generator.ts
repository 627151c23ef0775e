import type { ApiResources } from "../../core/api-resources.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { groupOf, isKubernetesObject, type KubernetesObject, namespaceOf } from "../../core/kubernetes.ts";
import type { Library } from "../../languages/cel/declarations.ts";
import { ContextValue, outsideOverload, textOf } from "../../languages/cel/libraries/kyverno/context-value.ts";
import { anyType, boolType, type CelTypeOf, listOf, mapOf, opaqueType, stringType } from "../../languages/cel/types.ts";
import { toJson } from "../../languages/cel/values/json.ts";
import { CelError, type CelValue, type Value } from "../../languages/cel/values/value.ts";

const generatorType: CelTypeOf<Generator> = opaqueType("generator.Context");
const objectsType = listOf(mapOf(stringType, anyType));

/** What servers write into objects; a new one starts without it. */
const writtenByServer = new Set(["uid", "selfLink", "creationTimestamp", "managedFields", "resourceVersion", "namespace"]);

function placed(item: KubernetesObject, namespace: string): KubernetesObject {
  const source = namespaceOf(item);
  const metadata = Object.entries(item.metadata ?? {}).filter(([name]) => !writtenByServer.has(name));
  // An owner in another namespace would be taken for gone, and the object with it.
  const kept = source !== "" && source !== namespace ? metadata.filter(([name]) => name !== "ownerReferences") : metadata;
  return { ...item, metadata: { ...Object.fromEntries(kept), ...(namespace === "" ? {} : { namespace }) } };
}

/** The objects of a list, or the one object. */
function itemsOf(value: JsonObject): readonly JsonValue[] {
  const { items } = value;
  return isArray(items) ? items : [value];
}

/** The value of `generator`: collects what one evaluation generates. */
export class Generator extends ContextValue {
  readonly objects: KubernetesObject[] = [];
  readonly #resources: ApiResources;
  readonly #policyNamespace: string;

  constructor(resources: ApiResources, policyNamespace: string) {
    super(generatorType);
    this.#resources = resources;
    this.#policyNamespace = policyNamespace;
  }

  /** Objects of a template: each says in which namespace it is. @throws Error with the reason */
  applyTemplate(objects: readonly JsonObject[]): void {
    for (const object of objects) {
      const named = asString(member(object["metadata"], "namespace")) ?? "";
      const own = this.#policyNamespace;
      if (own !== "" && named !== "" && named !== own) {
        throw new Error(
          `cross-namespace generation denied: a policy in namespace "${own}" cannot generate resources into namespace "${named}"`,
        );
      }
      const applied = this.apply(named || own, [object]);
      if (applied instanceof CelError) throw new Error(applied.message);
    }
  }

  apply(namespace: string, list: CelValue | undefined): Value {
    const json = toJson(list ?? []);
    if (json instanceof CelError) return json;
    for (const value of isArray(json) ? json : []) {
      if (!isObject(value)) return new CelError("failed to generate resources: there is no object to generate");
      for (const item of itemsOf(value)) {
        if (!isKubernetesObject(item)) return new CelError("failed to generate resources: an object needs apiVersion and kind");
        const scoped = this.#resources.byKind(groupOf(item), item.kind)?.namespaced !== false;
        if (!scoped && this.#policyNamespace !== "") {
          const what = `${item.apiVersion}/${item.kind}`;
          return new CelError(
            `failed to generate resources: cross-scope generation denied: a policy scoped to namespace "${namespace}" cannot generate cluster-scoped resource ${what}`,
          );
        }
        this.objects.push(placed(item, scoped ? namespace : ""));
      }
    }
    return true;
  }
}

/** `generator.apply`; a policy of one namespace generates there only. */
export function generatorLibrary(namespace: string): Library {
  const args = namespace === "" ? [generatorType, stringType, objectsType] : [generatorType, objectsType];
  const call = ([self, ...rest]: readonly CelValue[]): Value => {
    if (!(self instanceof Generator)) return new CelError("no such overload");
    return namespace === "" ? self.apply(textOf(rest[0]), rest[1]) : self.apply(namespace, rest[0]);
  };
  return {
    name: `kyverno.generator/${namespace}`,
    variables: [{ name: "generator", type: generatorType }],
    functions: [
      { name: "Apply", overloads: [outsideOverload("generator_apply_pascal", args, boolType, call)] },
      { name: "apply", overloads: [outsideOverload("generator_apply_camel", args, boolType, call)] },
    ],
  };
}
