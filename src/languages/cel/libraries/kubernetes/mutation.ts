import type { JsonValue } from "../../../../core/json.ts";
import type { Library, StructDeclaration } from "../../declarations.ts";
import { type CelType, dynType, stringType, structType } from "../../types.ts";
import { elementAt, mapFind, mapKeys } from "../../values/containers.ts";
import { equalValues } from "../../values/equality.ts";
import { toJson } from "../../values/json.ts";
import { CelError, CelObject, type CelValue, Failure, isList, isMap, type Value } from "../../values/value.ts";
import { jsonPatchLibrary } from "./json-patch.ts";

/** The type of what an ApplyConfiguration expression gives. */
export const objectType = structType("Object");
/** The type of one operation of a JSONPatch expression. */
export const jsonPatchType = structType("JSONPatch");

/** A message as an expression wrote it down: only the fields that it sets. */
export class WrittenObject extends CelObject {
  readonly type: CelType;
  readonly fields: ReadonlyMap<string, CelValue>;

  constructor(type: CelType, fields: ReadonlyMap<string, CelValue>) {
    super();
    this.type = type;
    this.fields = fields;
  }

  override field(name: string): Value | undefined {
    return this.fields.get(name);
  }

  override get isZero(): boolean {
    return this.fields.size === 0;
  }

  equals(other: CelValue): boolean | CelError {
    if (!(other instanceof WrittenObject)) return false;
    if (other.type.name !== this.type.name || other.fields.size !== this.fields.size) return false;
    for (const [name, value] of this.fields) {
      const theirs = other.fields.get(name);
      if (theirs === undefined || equalValues(value, theirs) !== true) return false;
    }
    return true;
  }

  override toJson(): JsonValue | CelError {
    const members: [string, JsonValue][] = [];
    for (const [name, value] of this.fields) {
      const json = toJson(value);
      if (json instanceof CelError) return json;
      members.push([name, json]);
    }
    return Object.fromEntries(members);
  }
}

/** One operation, whose texts are empty where none is written. */
class WrittenPatch extends WrittenObject {
  override field(name: string): Value | undefined {
    return this.fields.get(name) ?? (name === "value" ? null : "");
  }

  override hasField(name: string): boolean {
    const value = this.fields.get(name);
    return value !== undefined && (name === "value" || value !== "");
  }
}

function createPatch(fields: ReadonlyMap<string, CelValue>): Value {
  const odd = ["op", "path", "from"].find((name) => typeof (fields.get(name) ?? "") !== "string");
  if (odd !== undefined) return new CelError(`unexpected type for JSONPatchType '${odd}' field`);
  const written = Array.from(fields).filter(([name, value]) => name === "value" || value !== "");
  return new WrittenPatch(jsonPatchType, new Map(written));
}

const create = (type: CelType) => (fields: ReadonlyMap<string, CelValue>) => new WrittenObject(type, fields);

/** `Object.spec.template`: any path of names; what its fields hold is not known. */
function objectAt(name: string): StructDeclaration | undefined {
  if (name !== "Object" && !name.startsWith("Object.")) return undefined;
  const type = structType(name);
  return { type, field: () => dynType, create: create(type) };
}

const patchFields = new Map([
  ["op", stringType],
  ["path", stringType],
  ["from", stringType],
  ["value", dynType],
]);

/** `JSONPatch{...}`, `jsonpatch.escapeKey`. */
export const mutationLibrary: Library = {
  name: "kubernetes.mutation",
  functions: jsonPatchLibrary.functions ?? [],
  structs: [{ type: jsonPatchType, field: (name) => patchFields.get(name), create: createPatch }],
};

/** Finds the types of `Object{...}` initializers. */
export const mutationTypes = objectAt;

/** Places where an initializer has another name than the field it is written into. */
export function misnamedFields(value: Value | undefined, path: string): readonly string[] {
  if (value === undefined || value instanceof Failure) return [];
  if (value instanceof WrittenObject) {
    const { type, fields } = value;
    const inner = Array.from(fields).flatMap(([name, item]) => misnamedFields(item, `${path}.${name}`));
    return type.name === path
      ? inner
      : [
          `unexpected type name ${JSON.stringify(type.name)}, expected ${JSON.stringify(path)}, which matches field name path from root Object type`,
          ...inner,
        ];
  }
  if (isList(value)) {
    return Array.from({ length: value.length }, (_, i) => elementAt(value, i)).flatMap((item) => misnamedFields(item, path));
  }
  return isMap(value) ? mapKeys(value).flatMap((key) => misnamedFields(mapFind(value, key), path)) : [];
}
