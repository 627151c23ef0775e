/** What a CEL type is made of; `param` is a type variable, `error` the type of what did not check. */
export type CelKind =
  | "any"
  | "bool"
  | "bytes"
  | "double"
  | "duration"
  | "dyn"
  | "error"
  | "int"
  | "list"
  | "map"
  | "null"
  | "opaque"
  | "param"
  | "string"
  | "struct"
  | "timestamp"
  | "type"
  | "uint";

export interface CelType {
  readonly kind: CelKind;
  /** The name at run time: `list`, `google.protobuf.Timestamp`, `kubernetes.URL`. */
  readonly name: string;
  readonly params: readonly CelType[];
  /** A wrapper type: `null` is a value of it too. */
  readonly nullable: boolean;
  /** Whether a type variable occurs in it. */
  readonly open: boolean;
}

/** A type whose values have the TypeScript type `T`; `T` exists at compile time only. */
export interface CelTypeOf<T> extends CelType {
  readonly "~value"?: T;
}

function simple<T>(kind: CelKind, name: string = kind): CelTypeOf<T> {
  return { kind, name, params: [], nullable: false, open: false };
}

export const anyType = simple<unknown>("any", "google.protobuf.Any");
export const boolType = simple<boolean>("bool");
export const errorType = simple<unknown>("error");
export const doubleType = simple<number>("double");
export const nullType = simple<null>("null", "null_type");
export const stringType = simple<string>("string");

/** Types that {@link import("./values/value.ts")} gives a value class. */
export const bytesType: CelType = simple("bytes");
export const durationType: CelType = simple("duration", "google.protobuf.Duration");
export const dynType: CelType = simple("dyn");
export const intType: CelType = simple("int");
export const timestampType: CelType = simple("timestamp", "google.protobuf.Timestamp");
export const uintType: CelType = simple("uint");

function composite(kind: CelKind, name: string, params: readonly CelType[]): CelType {
  return { kind, name, params, nullable: false, open: params.some((p) => p.open) };
}

export function listOf(element: CelType): CelType {
  return composite("list", "list", [element]);
}

export function mapOf(key: CelType, value: CelType): CelType {
  return composite("map", "map", [key, value]);
}

export function optionalOf(value: CelType): CelType {
  return composite("opaque", "optional_type", [value]);
}

/** The type of a type value; without `of`, of any. */
export function typeOfType(of?: CelType): CelType {
  return composite("type", "type", of === undefined ? [] : [of]);
}

export function opaqueType(name: string, ...params: readonly CelType[]): CelType {
  return composite("opaque", name, params);
}

export function structType(name: string): CelType {
  return simple("struct", name);
}

/** A type variable of a declaration. */
export function typeParam(name: string): CelType {
  return { kind: "param", name, params: [], nullable: false, open: true };
}

/** The wrapper of a primitive type. */
export function nullableOf(type: CelType): CelType {
  return { ...type, nullable: true };
}

export const listType = listOf(dynType);
export const mapType = mapOf(dynType, dynType);
export const typeType = typeOfType();
export const optionalType = opaqueType("optional_type");

export function isOptionalType(type: CelType): boolean {
  return type.kind === "opaque" && type.name === "optional_type";
}

/** Neither says anything about the value. */
export function isDyn(type: CelType): boolean {
  return type.kind === "dyn" || type.kind === "any";
}

export function sameType(a: CelType, b: CelType): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || a.name !== b.name || a.params.length !== b.params.length) return false;
  return a.params.every((param, i) => {
    const other = b.params[i];
    return other !== undefined && sameType(param, other);
  });
}

/** Equal but for the names of type variables. */
export function equivalentType(a: CelType, b: CelType): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || a.params.length !== b.params.length) return false;
  if (a.kind !== "param" && a.name !== b.name) return false;
  return a.params.every((param, i) => {
    const other = b.params[i];
    return other !== undefined && equivalentType(param, other);
  });
}

const shortNames: Partial<Record<CelKind, string>> = {
  any: "any",
  duration: "duration",
  error: "!error!",
  null: "null",
  timestamp: "timestamp",
};

/** The type as the type checker's messages name it: `list(int)`, `map(string, dyn)`, `wrapper(string)`. */
export function formatType(type: CelType): string {
  const short = shortNames[type.kind];
  if (short !== undefined) return short;
  if (type.params.length > 0) return `${type.name}(${type.params.map(formatType).join(", ")})`;
  return type.nullable ? `wrapper(${type.name})` : type.name;
}

/** The argument types as the checker's messages show a call: `(int, string)`, `list(string).()`. */
export function formatSignature(args: readonly CelType[], member: boolean): string {
  const [target, ...rest] = args;
  return member && target !== undefined
    ? `${formatType(target)}.(${rest.map(formatType).join(", ")})`
    : `(${args.map(formatType).join(", ")})`;
}
