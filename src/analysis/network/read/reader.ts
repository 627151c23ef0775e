import type { Diagnostic } from "../../../core/diagnostic.ts";
import type { DiagnosticCode } from "../../../core/diagnostic-codes.ts";
import { isArray, isObject, type JsonObject, type JsonPath, type JsonValue, toDotted } from "../../../core/json.ts";
import { type KubernetesObject, nameOf } from "../../../core/kubernetes.ts";
import type { SourceDocument } from "../../../core/source.ts";

/** A value of a document and where it stands. */
export interface Field {
  readonly value: JsonValue | undefined;
  readonly path: JsonPath;
}

/** An object of a document and where it stands. */
export interface ObjectField extends Field {
  readonly value: JsonObject;
}

/** A member or an item. Its path is worked out when somebody asks: few do. */
class Part implements Field {
  readonly value: JsonValue | undefined;
  readonly #parent: Field;
  readonly #step: string | number;

  constructor(value: JsonValue | undefined, parent: Field, step: string | number) {
    this.value = value;
    this.#parent = parent;
    this.#step = step;
  }

  get path(): JsonPath {
    return [...this.#parent.path, this.#step];
  }
}

function isObjectField(field: Field): field is ObjectField {
  return isObject(field.value);
}

/** A value as it is written in messages. */
export function shown(value: JsonValue | undefined): string {
  return JSON.stringify(value ?? null, (_, v: unknown) => (typeof v === "bigint" ? String(v) : v));
}

/** Reads one policy object: wrong parts become positioned diagnostics. */
export class Reader {
  readonly document: SourceDocument<KubernetesObject>;
  readonly diagnostics: Diagnostic[] = [];

  constructor(document: SourceDocument<KubernetesObject>) {
    this.document = document;
  }

  /** Of an error, what holds it does not count; of a warning, it counts as the message says. */
  problem(
    path: JsonPath,
    message: string,
    code: DiagnosticCode = "NETWORK_POLICY_INVALID",
    severity: Diagnostic["severity"] = code === "NETWORK_POLICY_INVALID" ? "error" : "warning",
  ): void {
    const { value } = this.document;
    this.diagnostics.push({
      code,
      severity,
      message: `${value.kind} ${nameOf(value)}: ${toDotted(path)}: ${message}`,
      span: this.document.locate(path),
    });
  }

  /** The number of errors: whether something that was read between two looks at it is sound. */
  get errors(): number {
    return this.diagnostics.reduce((n, d) => n + (d.severity === "error" ? 1 : 0), 0);
  }

  /** Undefined where the member is absent or null. */
  at(parent: ObjectField, key: string): Field | undefined {
    const value = Object.hasOwn(parent.value, key) ? parent.value[key] : undefined;
    return value === undefined || value === null ? undefined : new Part(value, parent, key);
  }

  /** An object, an empty one where it is absent; undefined where it is something else, which is reported. */
  object(field: Field | undefined): ObjectField | undefined {
    if (field === undefined) return undefined;
    if (isObjectField(field)) return field;
    this.problem(field.path, "must be an object");
    return undefined;
  }

  /** Undefined where the list is absent; a list of the wrong shape is reported and empty. */
  list(field: Field | undefined): readonly Field[] | undefined {
    if (field === undefined) return undefined;
    if (isArray(field.value)) return field.value.map((value, i) => new Part(value, field, i));
    this.problem(field.path, "must be a list");
    return [];
  }

  text(field: Field | undefined): string | undefined {
    if (field === undefined || typeof field.value === "string") return field?.value as string | undefined;
    this.problem(field.path, "must be a string");
    return undefined;
  }

  /** A whole number; undefined where it is absent or not one, which is reported. */
  integer(field: Field | undefined, from: number, to: number): number | undefined {
    if (field === undefined) return undefined;
    const { value } = field;
    if (typeof value === "number" && Number.isInteger(value) && value >= from && value <= to) return value;
    this.problem(field.path, `${shown(value)} must be a whole number from ${from} to ${to}`);
    return undefined;
  }

  texts(field: Field | undefined): readonly string[] {
    return (this.list(field) ?? []).flatMap((item) => this.text(item) ?? []);
  }

  /** Reports members that the kind does not define; answers whether there are none. */
  onlyKnown(object: ObjectField, known: readonly string[]): boolean {
    const unknown = Object.keys(object.value).filter((key) => !known.includes(key) && object.value[key] !== null);
    for (const key of unknown) this.problem([...object.path, key], "there is no such field");
    return unknown.length === 0;
  }
}
