import { isArray, isObject, type JsonObject, type JsonPath, type JsonValue } from "../../core/json.ts";
import type { KubernetesSchemas, Schema } from "../../core/schema.ts";
import { parseAnchor } from "../../policies/kyverno/anchor.ts";
import { isMemberName, NotConvertible, optionalMember, quoted } from "./cel-text.ts";

interface Place {
  readonly path: JsonPath;
  readonly schema: Schema | undefined;
}

/** A member as it is written: its name, and whether it is only set where there is none. */
interface Member {
  readonly name: string;
  readonly onlyMissing: boolean;
  readonly value: JsonValue;
}

function membersOf(patch: JsonObject): readonly Member[] {
  return Object.entries(patch).map(([key, value]) => {
    const anchor = parseAnchor(key);
    if (anchor !== undefined && anchor.kind !== "add") throw new NotConvertible(`the anchor of ${key} in a patch has no like`);
    if (key.startsWith("$") || key.includes("{{")) throw new NotConvertible(`the key ${key} of a patch has no like`);
    return { name: anchor?.key ?? key, onlyMissing: anchor !== undefined, value: value ?? null };
  });
}

const hasAnchors = (value: JsonValue): boolean =>
  isArray(value)
    ? value.some(hasAnchors)
    : isObject(value) &&
      Object.entries(value).some(([key, inner]) => parseAnchor(key) !== undefined || hasAnchors(inner ?? null));

function scalar(value: JsonValue): string {
  if (typeof value === "string") {
    if (value.includes("{{") || value.includes("$(")) throw new NotConvertible(`the patch value ${value} holds a variable`);
    return quoted(value);
  }
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return String(value);
  throw new NotConvertible(`the patch value ${JSON.stringify(value)} has no like`);
}

/** Whether what stands there is an optional: the object as it is, step by step. */
function present(path: JsonPath): string {
  const [first = "", ...rest] = path.map(String);
  const start = optionalMember("object", first);
  return `${rest.reduce((at, step) => optionalMember(at, step), start)}.hasValue()`;
}

class MergePatch {
  readonly #schemas: KubernetesSchemas;

  constructor(schemas: KubernetesSchemas) {
    this.#schemas = schemas;
  }

  value(value: JsonValue, place: Place): string {
    if (isArray(value)) throw new NotConvertible(`the list at ${place.path.join(".")} of a patch has no like`);
    if (!isObject(value)) return scalar(value);
    if (place.schema?.["x-kubernetes-map-type"] === "atomic") {
      throw new NotConvertible(`${place.path.join(".")} can only be replaced as a whole, which apply configurations may not do`);
    }
    const isMap = place.schema?.additionalProperties !== undefined && place.schema.properties === undefined;
    const members = membersOf(value);
    if (members.length === 0) throw new NotConvertible("a part of a patch is empty");
    if (isMap) {
      const entries = members.map((member) => this.#entry(member, place, quoted(member.name)));
      return `{${entries.join(", ")}}`;
    }
    if (place.schema === undefined) throw new NotConvertible(`the shape of ${place.path.join(".") || "the object"} is not known`);
    const bad = members.find(({ name }) => !isMemberName(name));
    if (bad !== undefined) throw new NotConvertible(`the field ${bad.name} of a patch is no identifier`);
    const fields = members.map((member) => this.#entry(member, place, member.name));
    return `${["Object", ...place.path].join(".")}{${fields.join(", ")}}`;
  }

  #entry({ name, onlyMissing, value }: Member, place: Place, written: string): string {
    const path = [...place.path, name];
    const schema = place.schema === undefined ? undefined : this.#schemas.child(place.schema, name);
    const inner = this.value(value, { path, schema });
    if (!onlyMissing) return `${written}: ${inner}`;
    if (hasAnchors(value)) throw new NotConvertible(`anchors stand inside of the anchor of ${name}`);
    return `?${written}: ${present(path)} ? optional.none() : optional.of(${inner})`;
  }
}

/** A `patchStrategicMerge` of maps and scalars as the expression of an apply configuration. @throws NotConvertible */
export function mergePatchToCel(patch: JsonValue, schema: Schema | undefined, schemas: KubernetesSchemas): string {
  return new MergePatch(schemas).value(patch, { path: [], schema });
}
