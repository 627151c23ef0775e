import type { Need } from "../../../core/facts.ts";
import type { JsonObject, JsonValue } from "../../../core/json.ts";
import {
  bytesType,
  type CelType,
  doubleType,
  durationType,
  listType,
  mapType,
  optionalType,
  timestampType,
  typeType,
  uintType,
} from "../types.ts";

/**
 * Values at run time are plain JSON wherever JSON has them, so that objects need no copy:
 * - int: a safe integer `number`, or `bigint` outside ±(2^53 - 1);
 * - double: a `number` that is no safe integer, else a {@link Double};
 * - list: an array or a {@link CelList}; map: a plain object or a {@link CelMap}.
 */
export type CelValue = null | boolean | string | Int | Boxed | readonly CelValue[] | JsonObject;

export type Int = number | bigint;

/** What an evaluation step gives: a value, or why there is none. */
export type Value = CelValue | Failure;

/** What is no plain JSON: one check keeps it apart from objects whose members are data. */
export abstract class NotJson {}

/** Values that JSON does not have. */
export abstract class Boxed extends NotJson {
  abstract get type(): CelType;

  /** What `size()` and the cost model count; undefined for what has no size. */
  get size(): number | undefined {
    return undefined;
  }

  /** Whether `optional.ofNonZeroValue` takes it for empty. */
  get isZero(): boolean {
    return false;
  }
}

/** Why there is no value. */
export abstract class Failure extends NotJson {
  /** Where the failure began: the id of an expression, -1 while unknown. */
  exprId = -1;
}

/** An evaluation error; logical operators absorb it. */
export class CelError extends Failure {
  readonly message: string;

  constructor(message: string) {
    super();
    this.message = message;
  }
}

/** Outside data is missing: the expression has to be evaluated again with it. Logical operators absorb it, and it outranks errors. */
export class Unknown extends Failure {
  readonly needs: readonly Need[];

  constructor(needs: readonly Need[]) {
    super();
    this.needs = needs;
  }
}

/** A double that is a whole number, which a bare `number` would not tell from an int. */
export class Double extends Boxed {
  readonly value: number;

  constructor(value: number) {
    super();
    this.value = value;
  }

  get type(): CelType {
    return doubleType;
  }

  override get isZero(): boolean {
    return this.value === 0;
  }
}

/** An unsigned 64-bit integer. */
export class Uint extends Boxed {
  readonly value: bigint;

  constructor(value: bigint) {
    super();
    this.value = value;
  }

  get type(): CelType {
    return uintType;
  }

  override get isZero(): boolean {
    return this.value === 0n;
  }
}

export class Bytes extends Boxed {
  readonly data: Uint8Array;

  constructor(data: Uint8Array) {
    super();
    this.data = data;
  }

  get type(): CelType {
    return bytesType;
  }

  override get size(): number {
    return this.data.length;
  }

  override get isZero(): boolean {
    return this.data.length === 0;
  }
}

/** A moment in nanoseconds since 1970 UTC; `offset` (seconds east of UTC) counts only when it is printed. */
export class Timestamp extends Boxed {
  readonly ns: bigint;
  readonly offset: number;

  constructor(ns: bigint, offset = 0) {
    super();
    this.ns = ns;
    this.offset = offset;
  }

  get type(): CelType {
    return timestampType;
  }

  /** The first moment of the year 1. */
  override get isZero(): boolean {
    return this.ns === -62_135_596_800_000_000_000n;
  }
}

export class Duration extends Boxed {
  /** Nanoseconds. */
  readonly ns: bigint;

  constructor(ns: bigint) {
    super();
    this.ns = ns;
  }

  get type(): CelType {
    return durationType;
  }

  override get isZero(): boolean {
    return this.ns === 0n;
  }
}

/** A type as a value: what `type(x)` gives. */
export class TypeValue extends Boxed {
  readonly of: CelType;

  constructor(of: CelType) {
    super();
    this.of = of;
  }

  get type(): CelType {
    return typeType;
  }
}

export class Optional extends Boxed {
  static readonly none = new Optional(undefined);
  /** Undefined: no value. */
  readonly value: CelValue | undefined;

  constructor(value: CelValue | undefined) {
    super();
    this.value = value;
  }

  get type(): CelType {
    return optionalType;
  }
}

/** A list that is no plain array. */
export abstract class CelList extends Boxed {
  abstract get length(): number;
  /** The element at `index`, which is in range; a failure where it has no sound value. */
  abstract at(index: number): Value;
  abstract concat(other: CelValue): Value;

  /** Undefined: one element after the other, as for any list. */
  contains(_item: CelValue): boolean | CelError | undefined {
    return undefined;
  }

  /** Undefined: element by element, as for any list. */
  equals(_other: CelValue): boolean | CelError | undefined {
    return undefined;
  }

  get type(): CelType {
    return listType;
  }

  override get size(): number {
    return this.length;
  }

  override get isZero(): boolean {
    return this.length === 0;
  }
}

/** A map that is no plain JSON object. */
export abstract class CelMap extends Boxed {
  /** The value at `key`; undefined where there is none. */
  abstract find(key: CelValue): Value | undefined;
  abstract keys(): readonly CelValue[];

  /** Undefined: entry by entry, as for any map. */
  equals(_other: CelValue): boolean | CelError | undefined {
    return undefined;
  }

  get type(): CelType {
    return mapType;
  }

  override get isZero(): boolean {
    return this.size === 0;
  }
}

/** A value with named fields that only its own functions read: URLs, quantities, authorizers. */
export abstract class CelObject extends Boxed {
  /** Equality with a value that is neither null nor a failure. */
  abstract equals(other: CelValue): boolean | CelError;

  /** What an access path through an optional finds in it. */
  get inside(): Value {
    return this;
  }

  toJson(): JsonValue | CelError {
    return new CelError(`type conversion error from '${this.type.name}' to JSON`);
  }

  /** The field of a message; undefined where the type has no such field. */
  field(_name: string): Value | undefined {
    return undefined;
  }

  hasField(name: string): boolean {
    return this.field(name) !== undefined;
  }
}

export function isList(value: Value): value is CelList | readonly CelValue[] {
  return Array.isArray(value) || value instanceof CelList;
}

export function isPlainObject(value: Value): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof NotJson);
}

export function isMap(value: Value): value is CelMap | JsonObject {
  return value instanceof CelMap || isPlainObject(value);
}

/** The error of an operator or function that does not take its argument. */
export function noSuchOverload(of?: string): CelError {
  return new CelError(of === undefined ? "no such overload" : `no such overload: ${of}`);
}
