import { toSeconds } from "../../../core/duration.ts";
import { elementAt, mapFind, mapKeys } from "./containers.ts";
import { formatTimestamp } from "./time.ts";
import { typeOf } from "./type-of.ts";
import {
  Bytes,
  CelError,
  Double,
  Duration,
  Failure,
  isList,
  isMap,
  Optional,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from "./value.ts";

function special(value: number, infinity: string): string | undefined {
  if (Number.isNaN(value)) return "NaN";
  if (Number.isFinite(value)) return undefined;
  return value < 0 ? `-${infinity}` : `+${infinity}`;
}

/** The shortest decimal digits that give `value` back, and the power of ten of the first. */
function shortest(value: number): { readonly sign: string; readonly digits: string; readonly exponent: number } {
  const [mantissa = "", exponent = "0"] = Math.abs(value).toExponential().split("e");
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  return { sign, digits: mantissa.replace(".", ""), exponent: Number(exponent) };
}

/** As Go's strconv.FormatFloat(value, 'f', -1, 64): never an exponent. */
export function formatDecimal(value: number): string {
  const named = special(value, "Inf");
  if (named !== undefined) return named;
  const { sign, digits, exponent } = shortest(value);
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const padded = digits.padEnd(exponent + 1, "0");
  const fraction = padded.slice(exponent + 1);
  return `${sign}${padded.slice(0, exponent + 1)}${fraction === "" ? "" : `.${fraction}`}`;
}

/** As Go's `%g` and `%v`: with an exponent below 1e-4 and from 1e6 on. */
export function formatDouble(value: number): string {
  const named = special(value, "Inf");
  if (named !== undefined) return named;
  const { sign, digits, exponent } = shortest(value);
  if (exponent >= -4 && exponent < 6) return formatDecimal(value);
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
  const power = `${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  return `${sign}${digits.charAt(0)}${fraction}e${power}`;
}

/** A duration as CEL prints it: seconds in decimal, `1.5s`. */
export function formatSeconds(duration: Duration): string {
  return `${formatDecimal(toSeconds(duration.ns))}s`;
}

/** A value as error messages show it. */
export function displayValue(value: Value): string {
  if (value === null) return "null";
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value) : formatDouble(value);
  if (typeof value !== "object") return String(value);
  if (value instanceof CelError) return value.message;
  if (value instanceof Failure) return "unknown";
  if (value instanceof Double) return formatDouble(value.value);
  if (value instanceof Uint) return value.value.toString();
  if (value instanceof TypeValue) return value.of.name;
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatSeconds(value);
  if (value instanceof Bytes) return `[${Array.from(value.data).join(" ")}]`;
  if (value instanceof Optional) return value.value === undefined ? "optional.none()" : `optional(${displayValue(value.value)})`;
  if (isList(value)) return `[${Array.from({ length: value.length }, (_, i) => displayValue(elementAt(value, i))).join(", ")}]`;
  if (isMap(value)) {
    const map = value;
    const entries = mapKeys(map).map((key) => `${displayValue(key)}: ${displayValue(mapFind(map, key) ?? null)}`);
    return `{${entries.join(", ")}}`;
  }
  return typeOf(value).name;
}
