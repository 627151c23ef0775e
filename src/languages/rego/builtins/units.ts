import { numberType } from "../types/type.ts";
import { floats, parseBigFloat, truncate } from "../values/big-float.ts";
import { bigintNumber, parseNumber } from "../values/number.ts";
import type { Builtin, BuiltinResult } from "./builtin.ts";
import { failure, string, unary } from "./operand.ts";
import { toLower } from "./text-case.ts";

const letters = "kmgtpe";

/** `kb` and `k` 1000, `kib` and `ki` 1024 and so on; undefined for other units. */
function byteFactor(unit: string): bigint | undefined {
  if (unit === "") return 1n;
  const [, letter = "", binary = ""] = /^([kmgtpe])(i?)b?$/.exec(unit) ?? [];
  const power = BigInt(letters.indexOf(letter) + 1);
  if (letter === "") return undefined;
  return binary === "i" ? 1024n ** power : 1000n ** power;
}

type Split = { readonly number: string; readonly unit: string } | "exponent too large";

const isDigit = (char: string): boolean => /^[0-9]$/.test(char);

/** Where the number ends and the unit begins: an `e` belongs to the number where digits or a sign follow it. */
function splitUnit(text: string): Split {
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === "e" || char === "E") {
      const next = text.charAt(at + 1);
      if (!isDigit(next) && next !== "+" && next !== "-") return { number: text.slice(0, at), unit: text.slice(at) };
      if (!isDigit(next)) at++;
      if (/^\d{7}/.test(text.slice(at + 1))) return "exponent too large";
    } else if (!isDigit(char) && char !== "." && char !== "+" && char !== "-") {
      return { number: text.slice(0, at), unit: text.slice(at) };
    }
  }
  return { number: text, unit: "" };
}

const decimal = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/;

function parseBytes(raw: string): BuiltinResult {
  const problem = (message: string) => failure(`units.parse_bytes: ${message}`);
  const text = toLower(raw).replaceAll('"', "");
  if (text.includes(" ")) return problem("spaces not allowed in resource strings");
  const split = splitUnit(text);
  if (split === "exponent too large") return problem(split);
  if (split.number === "") return problem("no byte amount provided");
  const factor = byteFactor(split.unit);
  if (factor === undefined) return problem(`byte unit ${split.unit} not recognized`);
  if (!decimal.test(split.number)) return problem("could not parse byte amount to a number");
  return bigintNumber(truncate(floats.multiply(parseBigFloat(split.number), parseBigFloat(String(factor)))));
}

/** The exact value of the float64 0.001, which is what OPA multiplies by for `m`. */
const milli = { numerator: 1152921504606847n, denominator: 1n << 60n };

function unitFactor(unit: string): { readonly numerator: bigint; readonly denominator: bigint } | undefined {
  if (unit === "m") return milli;
  const factor = /^(?:[kgtpe]|[kmgtpe]i)?$/i.test(unit) || unit === "M" ? byteFactor(unit.toLowerCase()) : undefined;
  return factor === undefined ? undefined : { numerator: factor, denominator: 1n };
}

function parseUnits(raw: string): BuiltinResult {
  const problem = (message: string) => failure(`units.parse: ${message}`);
  const text = raw.replaceAll('"', "");
  if (text.includes(" ")) return problem("spaces not allowed in resource strings");
  const split = splitUnit(text);
  if (split === "exponent too large") return problem(split);
  if (split.number === "") return problem("no amount provided");
  const unit = split.unit.slice(0, 1) + toLower(split.unit.slice(1));
  const factor = unitFactor(unit);
  if (factor === undefined) return problem(`unit ${unit} not recognized`);
  if (!decimal.test(split.number)) return problem("could not parse amount to a number");
  return product(split.number, factor.numerator, factor.denominator);
}

/** A rational number: whole, or with ten decimal places, halves rounded away from zero. */
function product(amount: string, numerator: bigint, denominator: bigint): BuiltinResult {
  const [, sign = "", whole = "", fraction = "", power = "0"] = /^([-+]?)(\d*)\.?(\d*)(?:[eE]([-+]?\d+))?$/.exec(amount) ?? [];
  const exponent = Number(power) - fraction.length;
  const top = BigInt(whole + fraction) * numerator * 10n ** BigInt(Math.max(0, exponent));
  const bottom = denominator * 10n ** BigInt(Math.max(0, -exponent));
  const negative = sign === "-" && top !== 0n;
  if (top % bottom === 0n) return bigintNumber(negative ? -top / bottom : top / bottom);
  const places = 10n ** 10n;
  const scaled = (2n * top * places + bottom) / (2n * bottom);
  const digits = String(scaled % places).padStart(10, "0");
  return parseNumber(`${negative ? "-" : ""}${scaled / places}.${digits}`);
}

export const unitBuiltins: readonly Builtin[] = [
  unary("units.parse", string, numberType, parseUnits),
  unary("units.parse_bytes", string, numberType, parseBytes),
];
