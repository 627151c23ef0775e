import { cutDigits, type Digits, decimalDigits, roundsUp } from "./decimal-digits.ts";

/** `mantissa * 2^exponent` of a finite float64. */
function partsOf(value: number): { readonly mantissa: bigint; readonly exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(value));
  const bits = view.getBigUint64(0);
  const fraction = bits & 0xfffffffffffffn;
  const biased = Number(bits >> 52n);
  return biased === 0 ? { mantissa: fraction, exponent: -1074 } : { mantissa: fraction | (1n << 52n), exponent: biased - 1075 };
}

/** The digits of a float64: all, the fewest that tell it apart, or rounded to a number of them (ties to even). */
function digitsOf(value: number, count: (exact: Digits) => number | undefined): Digits {
  if (value === 0) return { digits: "", point: 0 };
  const { mantissa, exponent } = partsOf(value);
  const exact = decimalDigits(mantissa, exponent);
  const wanted = count(exact);
  if (wanted === undefined) {
    const [, whole = "", fraction = "", power = "0"] = /^(\d)(?:\.(\d+))?e([-+]\d+)$/.exec(Math.abs(value).toExponential()) ?? [];
    return { digits: (whole + fraction).replace(/0+$/, ""), point: Number(power) + 1 };
  }
  if (wanted >= exact.digits.length) return exact;
  if (wanted < 0) return { digits: "", point: exact.point };
  if (wanted === 0) {
    const up = exact.digits > "5";
    return up ? { digits: "1", point: exact.point + 1 } : { digits: "", point: exact.point };
  }
  return cutDigits(exact, wanted, roundsUp(exact.digits, wanted));
}

const power = (exponent: number): string => `${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;

function scientific({ digits, point }: Digits, precision: number, letter: string): string {
  const first = digits === "" ? "0" : digits.charAt(0);
  const fraction = digits.slice(1, precision + 1).padEnd(precision, "0");
  const exponent = digits === "" ? 0 : point - 1;
  return `${first}${precision > 0 ? `.${fraction}` : ""}${letter}${power(exponent)}`;
}

function positional({ digits, point }: Digits, precision: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, "0") : "0";
  const fraction = point >= 0 ? digits.slice(point) : "0".repeat(-point) + digits;
  return digits === ""
    ? `0${precision > 0 ? `.${"0".repeat(precision)}` : ""}`
    : `${whole}${precision > 0 ? `.${fraction.slice(0, precision).padEnd(precision, "0")}` : ""}`;
}

export type FloatVerb = "e" | "E" | "f" | "g" | "G" | "b" | "x" | "X";

/** A finite float64 as Go's strconv.FormatFloat(value, verb, precision, 64); `precision` undefined: as short as possible. */
export function formatFloat(value: number, verb: FloatVerb, precision: number | undefined): string {
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  return sign + magnitude(value, verb, precision);
}

function magnitude(value: number, verb: FloatVerb, precision: number | undefined): string {
  switch (verb) {
    case "e":
    case "E": {
      const found = digitsOf(value, () => (precision === undefined ? undefined : precision + 1));
      return scientific(found, precision ?? Math.max(0, found.digits.length - 1), verb);
    }
    case "f": {
      const found = digitsOf(value, (exact) => (precision === undefined ? undefined : exact.point + precision));
      return positional(found, precision ?? Math.max(0, found.digits.length - found.point));
    }
    case "g":
    case "G":
      return general(value, verb === "g" ? "e" : "E", precision);
    case "b": {
      const { mantissa, exponent } = partsOf(value);
      return `${mantissa}p${exponent < 0 ? "-" : "+"}${Math.abs(exponent)}`;
    }
    case "x":
      return hexadecimal(value, precision);
    case "X":
      return hexadecimal(value, precision).toUpperCase();
  }
}

function general(value: number, letter: string, precision: number | undefined): string {
  const wanted = precision === 0 ? 1 : precision;
  const found = digitsOf(value, () => wanted);
  const count = Math.max(1, found.digits.length);
  const point = found.digits === "" ? 1 : found.point;
  // `%e` from an exponent on that the precision no longer covers; where none is asked for, from a million on.
  const bound = wanted === undefined ? 6 : wanted > count && count >= point ? count : wanted;
  const exponent = point - 1;
  if (exponent < -4 || exponent >= bound) return scientific(found, count - 1, letter);
  return positional(found, Math.max(0, count - point));
}

/** `0x1.8p+00`. */
function hexadecimal(value: number, precision: number | undefined): string {
  if (value === 0) return `0x0${precision === undefined || precision === 0 ? "" : `.${"0".repeat(precision)}`}p+00`;
  const { mantissa, exponent } = partsOf(value);
  const bits = mantissa.toString(2).length;
  let shifted = mantissa << BigInt(53 - bits);
  let place = exponent + bits - 1;
  if (precision !== undefined && precision < 13) {
    const drop = BigInt(52 - precision * 4);
    const kept = shifted >> drop;
    const rest = shifted - (kept << drop);
    const half = 1n << (drop - 1n);
    shifted = (rest > half || (rest === half && (kept & 1n) === 1n) ? kept + 1n : kept) << drop;
    if (shifted >> 53n !== 0n) {
      shifted >>= 1n;
      place++;
    }
  }
  const all = (shifted & 0xfffffffffffffn).toString(16).padStart(13, "0");
  const fraction = precision === undefined ? all.replace(/0+$/, "") : all.slice(0, precision).padEnd(precision, "0");
  return `0x1${fraction === "" ? "" : `.${fraction}`}p${power(place)}`;
}
