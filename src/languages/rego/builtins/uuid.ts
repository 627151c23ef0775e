import { anyType, objectOf, stringType } from "../types/type.ts";
import { bigintNumber } from "../values/number.ts";
import { RegoObject, type Value } from "../values/value.ts";
import type { Builtin, BuiltinContext } from "./builtin.ts";
import { memoryOf } from "./memory.ts";
import { string, unary } from "./operand.ts";

const hex = (bytes: readonly number[]): string => bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** A random UUID of version 4. */
function generate(context: BuiltinContext): string {
  const bytes = Array.from({ length: 16 }, () => Math.floor(context.host.random() * 256));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return [bytes.slice(0, 4), bytes.slice(4, 6), bytes.slice(6, 8), bytes.slice(8, 10), bytes.slice(10)].map(hex).join("-");
}

const dashed = /^([\da-f]{8})-([\da-f]{4})-([\da-f]{4})-([\da-f]{4})-([\da-f]{12})$/i;

/** The bytes of a UUID: plain, `urn:uuid:`, in braces, or without dashes. */
function bytesOf(text: string): readonly number[] | undefined {
  const inner = text.length === 45 && /^urn:uuid:/i.test(text) ? text.slice(9) : text.length === 38 ? text.slice(1, -1) : text;
  const digits = inner.length === 36 ? dashed.exec(inner)?.slice(1).join("") : inner;
  if (digits === undefined || !/^[\da-f]{32}$/i.test(digits)) return undefined;
  return Array.from({ length: 16 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

const numberAt = (bytes: readonly number[], start: number, end: number): number =>
  Number.parseInt(hex(bytes.slice(start, end)), 16);

function variantOf(byte: number): string {
  if ((byte & 0xc0) === 0x80) return "RFC4122";
  if ((byte & 0xe0) === 0xc0) return "Microsoft";
  return (byte & 0xe0) === 0xe0 ? "Future" : "Reserved";
}

function macKind(byte: number): string {
  return `${(byte & 2) === 2 ? "local" : "global"}:${(byte & 1) === 1 ? "multicast" : "unicast"}`;
}

/** 100-nanosecond steps from 1582-10-15, where UUIDs count from, to 1970. */
const epoch = 122_192_928_000_000_000n;
const domains = ["Person", "Group", "Org"];

function parse(text: string): Value | undefined {
  const bytes = bytesOf(text);
  if (bytes === undefined) return undefined;
  const version = (bytes[6] ?? 0) >> 4;
  const members: [Value, Value][] = [
    ["version", version],
    ["variant", variantOf(bytes[8] ?? 0)],
  ];
  if (version === 1 || version === 2) {
    const high = BigInt(numberAt(bytes, 6, 8) & 0xfff);
    const ticks = (high << 48n) | (BigInt(numberAt(bytes, 4, 6)) << 32n) | BigInt(numberAt(bytes, 0, 4));
    members.push(
      ["time", bigintNumber((ticks - epoch) * 100n)],
      [
        "nodeid",
        bytes
          .slice(10)
          .map((byte) => hex([byte]))
          .join("-"),
      ],
      ["macvariables", macKind(bytes[10] ?? 0)],
      ["clocksequence", numberAt(bytes, 8, 10) & 0x3fff],
    );
  }
  if (version === 2) {
    const domain = bytes[9] ?? 0;
    members.push(["id", numberAt(bytes, 0, 4)], ["domain", domains[domain] ?? `Domain${domain}`]);
  }
  return RegoObject.of(members);
}

export const uuidBuiltins: readonly Builtin[] = [
  unary("uuid.rfc4122", string, stringType, (key, context) => memoryOf(context, "uuid.rfc4122", key, () => generate(context)), {
    nondeterministic: true,
  }),
  unary("uuid.parse", string, objectOf(stringType, anyType), parse),
];
