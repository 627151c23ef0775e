import { decodeUtf8 } from "../utf8.ts";

/** One element of the Distinguished Encoding Rules (X.690). */
export interface DerElement {
  /** The identifier octet: class, constructed bit and tag number below 31. */
  readonly tag: number;
  readonly content: Uint8Array;
  /** Identifier, length and content. */
  readonly raw: Uint8Array;
}

export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Thrown for bytes that are not what they should be. */
class DerError extends Error {}

function readAt(bytes: Uint8Array, start: number): DerElement {
  const tag = bytes[start];
  const first = bytes[start + 1];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) throw new DerError("malformed element");
  let length = first;
  let offset = start + 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new DerError("malformed length");
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + (bytes[offset++] ?? 0);
  }
  if (offset + length > bytes.length) throw new DerError("truncated element");
  return { tag, content: bytes.subarray(offset, offset + length), raw: bytes.subarray(start, offset + length) };
}

/** The elements that follow each other in `bytes`. @throws DerError */
export function readElements(bytes: Uint8Array): readonly DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = readAt(bytes, at);
    elements.push(element);
    at += element.raw.length;
  }
  return elements;
}

/** Reads the elements of a sequence one after the other. */
export class DerReader {
  readonly #elements: readonly DerElement[];
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#elements = readElements(bytes);
  }

  /** The next element, which must be there, and be a `tag` where one is given. @throws DerError */
  next(tag?: number): DerElement {
    const element = this.#elements[this.#at++];
    if (element === undefined || (tag !== undefined && element.tag !== tag)) throw new DerError("unexpected element");
    return element;
  }

  /** The next element if it is a `tag`. */
  optional(tag: number): DerElement | undefined {
    const element = this.#elements[this.#at];
    if (element?.tag !== tag) return undefined;
    this.#at++;
    return element;
  }
}

/** A signed integer of any size. */
export function readInteger({ content }: DerElement): bigint {
  let value = 0n;
  for (const byte of content) value = value * 256n + BigInt(byte);
  return (content[0] ?? 0) >= 0x80 ? value - (1n << BigInt(8 * content.length)) : value;
}

/** The bytes of a bit string, its unused bits included. */
export function readBits({ content }: DerElement): Uint8Array {
  return content.subarray(1);
}

/** The numbers of an object identifier. */
export function readOid({ content }: DerElement): readonly number[] {
  const numbers: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (numbers.length === 0) {
      const top = Math.min(Math.floor(value / 40), 2);
      numbers.push(top, value - 40 * top);
    } else numbers.push(value);
    value = 0;
  }
  return numbers;
}

const bmpString = 0x1e;

/** The text of any string type. */
export function readText({ tag, content }: DerElement): string {
  if (tag !== bmpString) return decodeUtf8(content);
  let text = "";
  for (let i = 0; i + 1 < content.length; i += 2) text += String.fromCharCode((content[i] ?? 0) * 256 + (content[i + 1] ?? 0));
  return text;
}

/** A time as RFC 3339 with second precision, in UTC. */
export function readTime(element: DerElement): string {
  const text = decodeUtf8(element.content);
  const short = element.tag === derTag.utcTime;
  const match = /^(\d{2,4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (match === null) throw new DerError("malformed time");
  const [, first = "", month, day, hour, minute, second] = match;
  const year = short ? `${Number(first) >= 50 ? "19" : "20"}${first}` : first;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
}
