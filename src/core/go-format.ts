import { isArray, isObject, type JsonValue } from "./json.ts";

/** Reads what Go's strconv.ParseFloat(text, 64) reads; undefined where it reports an error. */
export function parseGoFloat(text: string): number | undefined {
  if (text.includes("_")) {
    // Underscores may stand between digits, and after `0x`.
    const plain = /^[-+]?0[xX]/.test(text)
      ? text.replace(/(?<=[\da-fA-FxX])_(?=[\da-fA-F])/g, "")
      : text.replace(/(?<=\d)_(?=\d)/g, "");
    return plain.includes("_") ? undefined : parseGoFloat(plain);
  }
  if (/^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$/.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : undefined;
  }
  const special = /^([-+]?)(?:(inf|infinity)|nan)$/i.exec(text);
  if (special !== null) {
    if (special[2] === undefined) return special[1] === "" ? Number.NaN : undefined;
    return special[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  const hex = /^([-+]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?[pP]([-+]?\d+)$/.exec(text);
  if (hex === null || `${hex[2]}${hex[3] ?? ""}` === "") return undefined;
  const digits = `${hex[2]}${hex[3] ?? ""}`;
  const value = Number(BigInt(`0x${digits}`)) * 2 ** (Number(hex[4]) - 4 * (hex[3] ?? "").length);
  if (!Number.isFinite(value)) return undefined;
  return hex[1] === "-" ? -value : value;
}

const maxInt64 = (1n << 63n) - 1n;

/** Reads what Go's strconv.ParseInt(text, 10, 64) reads; undefined where it reports an error. */
export function parseGoInt(text: string): bigint | undefined {
  if (!/^[-+]?\d+$/.test(text)) return undefined;
  const value = BigInt(text.startsWith("+") ? text.slice(1) : text);
  return value > maxInt64 || value < -maxInt64 - 1n ? undefined : value;
}

/** A float64 as Go's `%v` prints it: `0.5`, `100000`, `1e+06`, `1.2345675e+06`. */
export function formatGoFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const [mantissa = "", exponent = ""] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${mantissa}e${exponentText(power)}`;
}

function exponentText(power: number): string {
  return `${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** A float64 as Go's strconv.FormatFloat(value, 'E', -1, 64): `1.5E+00`. */
export function formatGoExponent(value: number): string {
  const [mantissa = "", exponent = ""] = value.toExponential().split("e");
  return `${mantissa}E${exponentText(Number(exponent))}`;
}

/**
 * A JSON value as Go's fmt `%v` prints it: `<nil>`, `[a b]`, `map[a:1 b:2]`.
 * Whole numbers print as integers, as they do where Kubernetes decoded them.
 */
export function formatGoValue(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return "<nil>";
  if (typeof value === "string") return value;
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value) : formatGoFloat(value);
  if (isArray(value)) return `[${value.map(formatGoValue).join(" ")}]`;
  if (isObject(value)) {
    const members = Object.keys(value).sort();
    return `map[${members.map((key) => `${key}:${formatGoValue(value[key])}`).join(" ")}]`;
  }
  return String(value);
}

const escapes: { readonly [char: string]: string } = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

function quoteGo(text: string): string {
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (c) => escapes[c] ?? c);
}

/** The JSON text as Go's encoding/json writes it: members sorted, `<`, `>` and `&` escaped. */
export function formatGoJson(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "string") return quoteGo(value);
  if (isArray(value)) return `[${value.map(formatGoJson).join(",")}]`;
  if (isObject(value)) {
    const members = Object.keys(value).filter((key) => value[key] !== undefined);
    return `{${members
      .sort()
      .map((key) => `${quoteGo(key)}:${formatGoJson(value[key])}`)
      .join(",")}}`;
  }
  return String(value);
}

/** A float64 as Go's strconv.FormatFloat(value, 'f', -1, 32): the fewest digits that name the nearest float32. */
export function formatGoFloat32(value: number): string {
  const nearest = Math.fround(value);
  if (!Number.isFinite(nearest)) return nearest > 0 ? "+Inf" : Number.isNaN(nearest) ? "NaN" : "-Inf";
  let digits = 1;
  while (digits < 9 && Math.fround(Number(nearest.toPrecision(digits))) !== nearest) digits++;
  const shortest = Number(nearest.toPrecision(digits));
  if (Math.abs(shortest) >= 1e21) return BigInt(shortest).toString();
  const [mantissa = "", exponent = "0"] = shortest.toExponential().split("e");
  const places = mantissa.replace(/^-?\d\.?/, "").length - Number(exponent);
  return shortest.toFixed(Math.min(100, Math.max(0, places)));
}
