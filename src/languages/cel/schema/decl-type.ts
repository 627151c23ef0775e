import { encodeUtf8 } from "../../../core/utf8.ts";
import type { StructDeclaration } from "../declarations.ts";
import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  dynType,
  intType,
  listOf,
  mapOf,
  stringType,
  structType,
  timestampType,
} from "../types.ts";
import { escapeName, isKeyword } from "./escape.ts";
import { type CelSchema, isEmbedded, type Resolve, selfContained, valueSchema, withTypeAndName } from "./schema.ts";

/** The largest request an API server takes. */
const maxRequestSize = 3 * 1024 * 1024;

/** The CEL type of what a schema describes, with the bounds of its size. */
export interface DeclType {
  readonly type: CelType;
  /** Most characters, elements or entries; 0 for what has none. */
  readonly maxElements: number;
  /** Bytes of the shortest JSON text of a value. */
  readonly minSize: number;
  /** Of a map: strings. */
  readonly key?: DeclType;
  /** Of a list or map. */
  readonly element?: DeclType;
  /** Of an object, by its escaped name. */
  readonly field?: (name: string) => DeclType | undefined;
}

const maxText = maxRequestSize - 2;
const simple = (type: CelType, minSize: number, maxElements = 0): DeclType => ({ type, minSize, maxElements });

const mapKeyType = simple(stringType, 2);

/** Bounds of strings in the formats that have a type of their own. */
const formats = new Map<string, DeclType>([
  ["duration", simple(durationType, 3, 32)],
  ["date", simple(timestampType, 12, 12)],
  ["date-time", simple(timestampType, 21, 32)],
]);

function natural(value: number): number {
  return Math.max(0, value);
}

function stringDecl(schema: CelSchema): DeclType {
  const known = formats.get(schema.format ?? "");
  if (known !== undefined) return known;
  const { maxLength, enum: values = [] } = schema;
  if (schema.format === "byte") return simple(bytesType, 2, maxLength === undefined ? maxText : natural(maxLength));
  // A character may have four bytes.
  if (maxLength !== undefined) return simple(stringType, 2, natural(maxLength) * 4);
  const lengths = values.map((value) => (typeof value === "string" ? byteLength(value) : 0));
  return simple(stringType, 2, values.length > 0 ? Math.max(0, ...lengths) : maxText);
}

function byteLength(text: string): number {
  return encodeUtf8(text).length;
}

export interface SchemaTypesOptions {
  readonly resolve?: Resolve;
  /** Fields named like keywords may be written without escaping (Kubernetes 1.31). */
  readonly keywordFields?: boolean;
}

/** Types made of schemas, each when it is first asked for: schemas of Kubernetes are large and may refer to themselves. */
export class SchemaTypes {
  readonly #resolve: Resolve;
  readonly #keywordFields: boolean;
  readonly #objects = new Map<string, StructDeclaration>();

  constructor({ resolve = selfContained, keywordFields = true }: SchemaTypesOptions = {}) {
    this.#resolve = resolve;
    this.#keywordFields = keywordFields;
  }

  /** An object type that was made before. */
  struct(name: string): StructDeclaration | undefined {
    return this.#objects.get(name);
  }

  /**
   * The type of what a schema describes; undefined where expressions cannot read it.
   * @param name of the type where it is an object; what is inside is named by its path
   * @param isRoot whether it is a resource
   */
  declare(given: CelSchema, name: string, isRoot: boolean): DeclType | undefined {
    const schema = this.#resolve(given);
    if (schema["x-kubernetes-int-or-string"] === true) {
      return simple(dynType, 1, schema.maxLength === undefined ? maxText : natural(schema.maxLength) * 4);
    }
    switch (schema.type) {
      case "array":
        return this.#list(schema, name);
      case "object":
        if (valueSchema(schema) !== undefined) return this.#map(schema, name);
        return this.#object(isRoot ? withTypeAndName(schema) : schema, name);
      case "string":
        return stringDecl(schema);
      case "boolean":
        return simple(boolType, 4);
      case "number":
        return simple(doubleType, 1);
      case "integer":
        return simple(intType, 1);
      default:
        return undefined;
    }
  }

  #inner(schema: CelSchema, name: string): DeclType | undefined {
    return this.declare(schema, name, isEmbedded(this.#resolve(schema)));
  }

  #list(schema: CelSchema, name: string): DeclType | undefined {
    const element = schema.items && this.#inner(schema.items, `${name}.@idx`);
    if (element === undefined) return undefined;
    const { maxItems } = schema;
    const fitting = () => Math.trunc(maxText / (element.minSize + 1));
    return {
      type: listOf(element.type),
      minSize: 2,
      element,
      get maxElements() {
        return maxItems === undefined ? fitting() : natural(maxItems);
      },
    };
  }

  #map(schema: CelSchema, name: string): DeclType | undefined {
    const values = valueSchema(schema);
    const element = values && this.#inner(values, `${name}.@elem`);
    if (element === undefined) return undefined;
    const { maxProperties } = schema;
    const fitting = () => Math.trunc(maxText / (element.minSize + 6));
    return {
      type: mapOf(stringType, element.type),
      minSize: 2,
      key: mapKeyType,
      element,
      get maxElements() {
        return maxProperties === undefined ? fitting() : natural(maxProperties);
      },
    };
  }

  #object(schema: CelSchema, name: string): DeclType {
    const properties = new Map<string, CelSchema>();
    for (const [property, inner] of Object.entries(schema.properties ?? {})) {
      const escaped = escapeName(property);
      if (escaped !== undefined) properties.set(escaped, inner);
    }
    const fields = new Map<string, DeclType | undefined>();
    const field = (wanted: string): DeclType | undefined => {
      if (fields.has(wanted)) return fields.get(wanted);
      const inner = properties.get(wanted);
      const made = inner && this.#inner(inner, `${name}.${wanted}`);
      fields.set(wanted, made);
      return made;
    };
    const type = structType(name);
    this.#objects.set(name, {
      type,
      field: (wanted) => (field(wanted) ?? (this.#keywordFields && isKeyword(wanted) ? field(`__${wanted}__`) : undefined))?.type,
    });
    const minSize = () => this.#objectSize(schema, 0);
    return {
      type,
      maxElements: 0,
      field,
      get minSize() {
        return minSize();
      },
    };
  }

  /** `{}`, and all required members without a default. */
  #objectSize(schema: CelSchema, depth: number): number {
    let size = 2;
    for (const name of new Set(schema.required)) {
      const inner = schema.properties?.[name];
      const member = inner === undefined ? undefined : this.#memberSize(inner, depth + 1);
      if (member !== undefined && inner?.default === undefined) size += byteLength(name) + member + 4;
    }
    return size;
  }

  #memberSize(given: CelSchema, depth: number): number | undefined {
    const schema = this.#resolve(given);
    const isObject =
      schema.type === "object" && schema["x-kubernetes-int-or-string"] !== true && valueSchema(schema) === undefined;
    // A schema that requires itself has no values.
    if (isObject && !isEmbedded(schema)) return depth > 32 ? 2 : this.#objectSize(schema, depth);
    return this.#inner(schema, "")?.minSize;
  }
}
