import { decodeBase64, decodeUtf8 } from "../utf8.ts";
/**
 * How Kubernetes reads YAML scalars: sigs.k8s.io/yaml over go-yaml v2, which resolves plain scalars mostly as YAML 1.1
 * does, without base 60, and then writes JSON.
 */

/** What a scalar says; `undefined` where JSON has no such value (infinities, not-a-number). */
export type Scalar = string | number | bigint | boolean | null | undefined;

const words: ReadonlyMap<string, Scalar> = new Map<string, Scalar>([
  ...spread(true, "y Y yes Yes YES true True TRUE on On ON"),
  ...spread(false, "n N no No NO false False FALSE off Off OFF"),
  ...spread(null, "~ null Null NULL"),
  ["", null],
  ...spread(undefined, ".nan .NaN .NAN .inf .Inf .INF +.inf +.Inf +.INF -.inf -.Inf -.INF"),
]);

/** Booleans of YAML 1.1 alone. */
export function isOldBoolean(text: string): boolean {
  return /^(?:[yYnN]|yes|Yes|YES|on|On|ON|no|No|NO|off|Off|OFF)$/.test(text);
}

function spread(value: Scalar, spellings: string): [string, Scalar][] {
  return spellings.split(" ").map((spelling) => [spelling, value]);
}

const longestWord = 5;

/** 1: may be a word of the table, 2: may be a number, 3: both. Indexed by the first character's code. */
const firstCharacter = new Uint8Array(128);
for (const c of "yYnNtTfFoO~") firstCharacter[c.charCodeAt(0)] = 1;
for (const c of "0123456789") firstCharacter[c.charCodeAt(0)] = 2;
for (const c of "+-.") firstCharacter[c.charCodeAt(0)] = 3;

/** The value of a plain scalar without a tag. */
export function resolvePlain(text: string): Scalar {
  if (text === "") return null;
  const first = text.charCodeAt(0);
  const hint = first < 128 ? firstCharacter[first] : 0;
  if (hint === 0) return text;
  if (hint !== 2 && text.length <= longestWord && words.has(text)) return words.get(text);
  return hint === 1 ? text : (resolveNumber(text) ?? text);
}

const decimal = /^[-+]?(?:0|[1-9][0-9]*)$/;
const integer = /^([-+]?)0(?:[xX]([0-9a-fA-F]+)|[oO]?([0-7]+)|[bB]([01]+))$/;
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const leadingPoint = /^\.[0-9]+(?:[eE][-+]?[0-9]+)?$/;

function resolveNumber(text: string): number | bigint | undefined {
  if (text.length < 16 && isDecimal(text)) return Number(text);
  // go-yaml drops underscores except where the text starts with a point.
  if (text.charCodeAt(0) === 46) return leadingPoint.test(text) ? finite(Number(text)) : undefined;
  const plain = text.includes("_") ? text.replaceAll("_", "") : text;
  if (decimal.test(plain)) {
    if (plain.length < 16) return Number(plain) + 0;
    return exactInteger(BigInt(plain.startsWith("+") ? plain.slice(1) : plain)) ?? finite(Number(plain));
  }
  const based = integer.exec(plain);
  if (based !== null) {
    const [, sign, hex, octal, binary] = based;
    const digits = hex !== undefined ? `0x${hex}` : octal !== undefined ? `0o${octal}` : `0b${binary}`;
    const exact = exactInteger(sign === "-" ? -BigInt(digits) : BigInt(digits));
    if (exact !== undefined) return exact;
  }
  return float.test(plain) ? finite(Number(plain)) : undefined;
}

/** Digits without a leading zero. */
function isDecimal(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 48 || code > 57) return false;
  }
  return text.charCodeAt(0) !== 48 || text.length === 1;
}

/** Go reads int64, then uint64; larger integers are read as floats. */
export function exactInteger(value: bigint): number | bigint | undefined {
  if (value < -(2n ** 63n) || value >= 2n ** 64n) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number + 0 : value;
}

/**
 * Go writes floats below 1e21 to JSON without exponent, with as few digits as tell them apart; what then looks like an
 * int64 is read as one. JavaScript prints the same digits.
 */
function finite(value: number): number | bigint | undefined {
  if (!Number.isFinite(value)) return undefined;
  if (!Number.isInteger(value) || Number.isSafeInteger(value) || Math.abs(value) >= 1e21) return value + 0;
  const digits = BigInt(String(value));
  return digits >= -(2n ** 63n) && digits < 2n ** 63n ? digits : value;
}

const standardTag = /^(?:!!|!<tag:yaml\.org,2002:)([a-z]+)>?$/;

/** The value of a scalar with an explicit tag as written; `ok: false` where the text is no such value. */
export function resolveTagged(
  tag: string,
  text: string,
): { readonly ok: true; readonly value: Scalar } | { readonly ok: false; readonly message: string } {
  const short = standardTag.exec(tag)?.[1];
  const wrong = { ok: false, message: `cannot read "${text}" as !!${short}` } as const;
  if (short === "binary") {
    const bytes = decodeBase64(text);
    return bytes === undefined ? wrong : { ok: true, value: decodeUtf8(bytes) };
  }
  const value = resolvePlain(text);
  switch (short) {
    case "int":
      return isNumber(value) && isIntegerText(text) ? { ok: true, value } : wrong;
    case "float":
      return isNumber(value) || value === undefined ? { ok: true, value } : wrong;
    case "bool":
      return typeof value === "boolean" ? { ok: true, value } : wrong;
    case "null":
      return value === null ? { ok: true, value } : wrong;
    default:
      return { ok: true, value: text };
  }
}

function isNumber(value: Scalar): boolean {
  return typeof value === "number" || typeof value === "bigint";
}

/**
 * JSON object keys are strings: how sigs.k8s.io/yaml spells a plain key that reads as another type.
 * `undefined` for keys that it refuses: null, and integers beyond int64.
 */
export function keyText(value: Scalar, text: string): string | undefined {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      return isIntegerText(text) ? String(value) : formatFloat32(value);
    case "bigint":
      if (!isIntegerText(text)) return formatFloat32(Number(value));
      return value < 2n ** 63n ? String(value) : undefined;
    case "boolean":
      return String(value);
    case "undefined":
      return text.toLowerCase().replace("+", "");
    default:
      return undefined;
  }
}

function isIntegerText(text: string): boolean {
  const plain = text.replaceAll("_", "");
  return decimal.test(plain) || integer.test(plain);
}

/** Go's FormatFloat(value, 'g', -1, 32). */
function formatFloat32(value: number): string {
  const single = Math.fround(value);
  if (!Number.isFinite(single)) return single > 0 ? ".inf" : "-.inf";
  let digits = 1;
  while (digits < 9 && Math.fround(Number(single.toPrecision(digits))) !== single) digits++;
  const [mantissa = "0", exponent = "0"] = single.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(Number(`${mantissa}e${power}`));
  return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}
