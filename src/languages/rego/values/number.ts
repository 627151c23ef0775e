/** A number that no JavaScript number stands for. `text` is the number as written, in JSON's syntax. */
export class RegoNumber {
  readonly text: string;
  #decimal: Decimal | undefined;

  constructor(text: string) {
    this.text = text;
  }

  get decimal(): Decimal {
    this.#decimal ??= parseDecimal(this.text);
    return this.#decimal;
  }

  /** Equal numbers have equal keys: the JavaScript number that equals this one, if there is one, else a normalized text. */
  get key(): number | string {
    const { negative, digits, exponent } = this.decimal;
    if (digits === 0n) return 0;
    const text = `${negative ? "-" : ""}${digits}e${exponent}`;
    const near = Number(text);
    return Number.isFinite(near) && compareDecimals(parseDecimal(String(near)), this.decimal) === 0 ? near : text;
  }
}

/** A number of Rego in either of its forms. */
export type NumberValue = number | RegoNumber;

/** Exactly `digits * 10^exponent`; digits do not end in 0. */
interface Decimal {
  readonly negative: boolean;
  readonly digits: bigint;
  readonly exponent: number;
}

const shape = /^([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d+))?$/;

function parseDecimal(text: string): Decimal {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = shape.exec(text) ?? [];
  const all = whole + fraction;
  const significant = all.replace(/0+$/, "");
  const digits = BigInt(significant === "" ? "0" : significant);
  return {
    negative: sign === "-",
    digits,
    exponent: digits === 0n ? 0 : Number(exponent) - fraction.length + all.length - significant.length,
  };
}

function compareDecimals(a: Decimal, b: Decimal): number {
  const sign = (d: Decimal) => (d.digits === 0n ? 0 : d.negative ? -1 : 1);
  if (sign(a) !== sign(b)) return sign(a) - sign(b);
  if (sign(a) === 0) return 0;
  return sign(a) * compareMagnitudes(a, b);
}

/** Where the leading digits stand at the same place, the exponents differ by no more than the digits' number. */
function compareMagnitudes(a: Decimal, b: Decimal): number {
  const place = (d: Decimal) => String(d.digits).length + d.exponent;
  const places = place(a) - place(b);
  if (places !== 0) return places;
  const low = Math.min(a.exponent, b.exponent);
  const left = a.digits * 10n ** BigInt(a.exponent - low);
  const right = b.digits * 10n ** BigInt(b.exponent - low);
  return left < right ? -1 : left > right ? 1 : 0;
}

export function isNumber(value: unknown): value is NumberValue {
  return typeof value === "number" || value instanceof RegoNumber;
}

/** Numeric order; exact whatever the size and number of digits. */
export function compareNumbers(a: NumberValue, b: NumberValue): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return compareDecimals(decimalOf(a), decimalOf(b));
}

function decimalOf(value: NumberValue): Decimal {
  return typeof value === "number" ? parseDecimal(String(value)) : value.decimal;
}

/** The number as OPA prints it. */
export function numberText(value: NumberValue): string {
  return typeof value === "number" ? String(value) : value.text;
}

/** The number that a JSON or Rego number literal means. */
export function parseNumber(text: string): NumberValue {
  const near = Number(text);
  return Number.isFinite(near) && String(near) === text ? near : new RegoNumber(text);
}

export function bigintNumber(integer: bigint): NumberValue {
  return -9007199254740992n < integer && integer < 9007199254740992n ? Number(integer) : parseNumber(String(integer));
}

/** Numbers beyond 2^100000, or nearer to zero than its inverse, are refused: `1e999999999` would not fit the memory. */
const largestPlace = 30_103;

/** What is wrong with a number in JSON's syntax, in OPA's words; undefined: nothing. */
export function numberProblem(text: string): string | undefined {
  if (!/[eE]/.test(text)) return undefined;
  const { digits, exponent } = parseDecimal(text);
  return digits !== 0n && Math.abs(String(digits).length + exponent) > largestPlace
    ? "invalid number: number too big"
    : undefined;
}

/** The integer that the number equals, in whatever form it is written; undefined where it has a fraction. */
export function integerOf(value: NumberValue): bigint | undefined {
  if (Number.isSafeInteger(value)) return BigInt(Number(value));
  const { negative, digits, exponent } = decimalOf(value);
  if (exponent < 0 || exponent > largestPlace) return undefined;
  const size = digits * 10n ** BigInt(exponent);
  return negative ? -size : size;
}

const int64 = 1n << 63n;

/** The integer of a number that is written as one (`1.0` is, `1e3` is not), in at most 19 characters, and fits 64 bits. */
export function int64Of(value: NumberValue): bigint | undefined {
  if (Number.isSafeInteger(value)) return BigInt(Number(value));
  const text = numberText(value);
  const [, written = ""] = /^([-+]?\d+)(?:\.0*)?$/.exec(text) ?? [];
  if (written === "" || text.replace(/^[-+]/, "").length > 19) return undefined;
  const integer = BigInt(written.replace("+", ""));
  return integer >= int64 || integer < -int64 ? undefined : integer;
}

/** As {@link int64Of}, for counts and indexes: beyond 2^53 the nearest JavaScript number. */
export function indexOf(value: NumberValue): number | undefined {
  if (Number.isSafeInteger(value)) return Number(value);
  const integer = int64Of(value);
  return integer === undefined ? undefined : Number(integer);
}

/** The nearest float64. */
export function floatOf(value: NumberValue): number {
  return typeof value === "number" ? value : Number(value.text);
}
