import { isArray, isObject, type JsonObject, type JsonValue } from "../../../../../core/json.ts";
import { decodeBase64 } from "../../../../../core/utf8.ts";
import type { StructDeclaration } from "../../../declarations.ts";
import { bytesType, type CelType, intType, listOf, mapOf, stringType, structType } from "../../../types.ts";
import { makeInt } from "../../../values/numbers.ts";
import { Bytes, type CelError, CelObject, type CelValue, type Value } from "../../../values/value.ts";

/** What a field holds: a scalar, a map or list of texts, or another message. */
export type FieldShape = "text" | "int" | "bytes" | "texts" | "text-lists" | MessageShape;

/** A message whose fields have a value even where nobody set one. */
export interface MessageShape {
  readonly name: string;
  readonly fields: { readonly [name: string]: FieldShape };
}

const types: { readonly [shape in Extract<FieldShape, string>]: CelType } = {
  text: stringType,
  int: intType,
  bytes: bytesType,
  texts: mapOf(stringType, stringType),
  "text-lists": mapOf(stringType, listOf(stringType)),
};

/** The declarations of a message and of those in it. */
export function declarationsOf(shape: MessageShape): readonly StructDeclaration[] {
  const typeOf = (field: FieldShape) => (typeof field === "string" ? types[field] : structType(field.name));
  const field = (name: string) => {
    const found = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
    return found === undefined ? undefined : typeOf(found);
  };
  const inner = Object.values(shape.fields).flatMap((one) => (typeof one === "string" ? [] : declarationsOf(one)));
  return [{ type: structType(shape.name), field }, ...inner];
}

/** A message as JSON gives it; what is absent has the empty value of its type. */
export class Message extends CelObject {
  readonly shape: MessageShape;
  readonly json: JsonObject;
  readonly type: CelType;

  constructor(shape: MessageShape, json: JsonValue | undefined) {
    super();
    this.shape = shape;
    this.json = isObject(json) ? json : {};
    this.type = structType(shape.name);
  }

  override field(name: string): Value | undefined {
    const shape = Object.hasOwn(this.shape.fields, name) ? this.shape.fields[name] : undefined;
    return shape === undefined ? undefined : fieldValue(shape, Object.hasOwn(this.json, name) ? this.json[name] : undefined);
  }

  override hasField(name: string): boolean {
    const value = Object.hasOwn(this.json, name) ? this.json[name] : undefined;
    if (value === undefined || value === null || value === "" || value === 0) return false;
    return isObject(value) && typeof this.shape.fields[name] === "string" ? Object.keys(value).length > 0 : true;
  }

  equals(other: CelValue): boolean {
    return other instanceof Message && other.shape === this.shape && JSON.stringify(other.json) === JSON.stringify(this.json);
  }

  override toJson(): JsonValue {
    return this.json;
  }
}

function fieldValue(shape: FieldShape, json: JsonValue | undefined): Value {
  if (typeof shape !== "string") return new Message(shape, json);
  switch (shape) {
    case "text":
      return typeof json === "string" ? json : "";
    case "int":
      return makeInt(BigInt(typeof json === "number" || typeof json === "bigint" || typeof json === "string" ? json : 0));
    case "bytes":
      return new Bytes((typeof json === "string" ? decodeBase64(json) : undefined) ?? new Uint8Array());
    case "texts":
      return isObject(json) ? json : {};
    case "text-lists":
      return isObject(json) && Object.values(json).every((list) => isArray(list)) ? json : {};
  }
}

/** A response while it is put together, or when it is done. */
export class Reply extends CelObject {
  readonly type: CelType;
  readonly content: JsonObject;

  constructor(type: CelType, content: JsonObject) {
    super();
    this.type = type;
    this.content = content;
  }

  /** With one more value in the list `name`. */
  adding(name: string, value: JsonValue): Reply {
    const list = this.content[name];
    return this.with(name, [...(isArray(list) ? list : []), value]);
  }

  with(name: string, value: JsonValue): Reply {
    return new Reply(this.type, { ...this.content, [name]: value });
  }

  equals(other: CelValue): boolean | CelError {
    return other instanceof Reply && JSON.stringify(other.content) === JSON.stringify(this.content);
  }

  override toJson(): JsonValue {
    return this.content;
  }
}
