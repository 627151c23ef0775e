/** A span of time in nanoseconds, as Go's time.Duration: a signed 64-bit integer. */
export type Duration = bigint;

const nanosecond = 1n;
const microsecond = 1000n;
const millisecond = 1_000_000n;
export const second = 1_000_000_000n;
const minute = 60n * second;
const hour = 60n * minute;

const units: { readonly [unit: string]: bigint } = {
  ns: nanosecond,
  us: microsecond,
  "\u00b5s": microsecond,
  "\u03bcs": microsecond,
  ms: millisecond,
  s: second,
  m: minute,
  h: hour,
};

/** What people write of spans in options and labels, where a day has 24 hours. */
export const unitMilliseconds: { readonly [unit: string]: number } = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const limit = 1n << 63n;
const shape = /^[-+]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$/;
const term = /(\d*)(?:\.(\d*))?(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g;

/** Reads what Go's time.ParseDuration reads: `1h30m`, `-1.5s`, `0`. Undefined for anything else, and on overflow. */
export function parseDuration(text: string): Duration | undefined {
  if (text === "0" || text === "+0" || text === "-0") return 0n;
  // Every other duration ends in a unit; most of what is asked here is not a duration, so this comes first.
  const last = text.charCodeAt(text.length - 1);
  if ((last !== 0x73 && last !== 0x6d && last !== 0x68) || !shape.test(text)) return undefined;
  const negative = text.startsWith("-");
  let total = 0n;
  for (const [, whole = "", fraction = "", unitName = ""] of text.matchAll(term)) {
    const unit = units[unitName] ?? 1n;
    const integer = whole === "" ? 0n : BigInt(whole);
    if (integer > limit / unit) return undefined;
    let value = integer * unit;
    if (fraction !== "") value += fractionOf(fraction, unit);
    total += value;
    if (value > limit || total > limit) return undefined;
  }
  if (negative) return -total;
  return total > limit - 1n ? undefined : total;
}

/** Go multiplies fractions in float64 and drops digits that overflow; so do we, to the same nanosecond. */
function fractionOf(digits: string, unit: bigint): bigint {
  let value = 0n;
  let scale = 1;
  for (const digit of digits) {
    if (value > (limit - 1n) / 10n) break;
    const next = value * 10n + BigInt(digit);
    if (next > limit) break;
    value = next;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(value) * (Number(unit) / scale)));
}

/** The duration as Go prints it: `1h30m0s`, `1.5s`, `100ms`, `0s`. */
export function formatDuration(duration: Duration): string {
  const negative = duration < 0n;
  const size = negative ? -duration : duration;
  const sign = negative ? "-" : "";
  if (size === 0n) return "0s";
  if (size < microsecond) return `${sign}${size}ns`;
  if (size < millisecond) return `${sign}${decimal(size, 3)}\u00b5s`;
  if (size < second) return `${sign}${decimal(size, 6)}ms`;
  const hours = size / hour;
  const minutes = (size % hour) / minute;
  const seconds = `${decimal(size % minute, 9)}s`;
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

/** `value / 10^places` without trailing zeros. */
function decimal(value: bigint, places: number): string {
  const digits = value.toString().padStart(places + 1, "0");
  const fraction = digits.slice(-places).replace(/0+$/, "");
  const whole = digits.slice(0, -places);
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

/** The duration in seconds, as Go's Duration.Seconds: whole seconds plus the rest in float64. */
export function toSeconds(duration: Duration): number {
  return Number(duration / second) + Number(duration % second) / 1e9;
}

/** Cuts a float64 count of nanoseconds to a duration as Go's conversion does; out of range saturates at the minimum. */
export function durationFromNumber(nanoseconds: number): Duration {
  if (!Number.isFinite(nanoseconds) || Math.abs(nanoseconds) >= 2 ** 63) return -limit;
  return BigInt(Math.trunc(nanoseconds));
}

/** Wraps to 64 bits, as Go's integer arithmetic does. */
export function wrapDuration(value: bigint): Duration {
  return BigInt.asIntN(64, value);
}
