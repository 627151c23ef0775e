import { type FloatVerb, formatFloat } from "../values/go-float.ts";
import { quote } from "../values/print.ts";
import { bytesOf } from "../values/text.ts";
import { type PrintfArgument, type PrintfFlags, quoteToAscii, typeName } from "./go-printf.ts";

/** One argument under one verb, as Go's fmt writes it. */
export function formatArgument(arg: PrintfArgument, verb: string, flags: PrintfFlags): string {
  if (verb === "T") return padded(truncated(typeName(arg), flags), flags);
  const text = formatKnown(arg, verb, flags);
  if (text !== undefined) return text;
  if (arg.kind === "nil") return `%!${verb}(<nil>)`;
  if (arg.kind === "big.Int") return `%!${verb}(big.Int=${arg.value})`;
  return `%!${verb}(${typeName(arg)}=${formatKnown(arg, "v", flags) ?? ""})`;
}

function formatKnown(arg: PrintfArgument, verb: string, flags: PrintfFlags): string | undefined {
  switch (arg.kind) {
    case "int64":
      return formatInteger(arg.value, verb, flags);
    case "big.Int":
      return formatBigInteger(arg.value, verb, flags);
    case "float64":
      return formatFloatVerb(arg.value, verb, flags);
    case "string":
    case "json.Number":
      return formatString(arg.value, verb, flags);
    case "bool":
      return verb === "t" || verb === "v" ? padded(String(arg.value), flags) : undefined;
    case "nil":
      return verb === "v" ? padded("<nil>", flags) : undefined;
    case "list":
      return joined(
        arg,
        arg.items.map((item) => formatNested(item, verb, flags)),
        flags,
      );
    case "map":
      return joined(
        arg,
        arg.members.map(
          ([key, item]) => `${formatArgument({ kind: "string", value: key }, verb, flags)}:${formatNested(item, verb, flags)}`,
        ),
        flags,
      );
  }
}

/** Inside of another value the verb does not matter to what is nil. */
function formatNested(arg: PrintfArgument, verb: string, flags: PrintfFlags): string {
  if (arg.kind === "nil") return flags.sharpV ? "interface {}(nil)" : "<nil>";
  return formatArgument(arg, verb, flags);
}

function joined(arg: PrintfArgument, items: readonly string[], flags: PrintfFlags): string {
  if (flags.sharpV) return `${typeName(arg)}{${items.join(", ")}}`;
  return `${arg.kind === "map" ? "map" : ""}[${items.join(" ")}]`;
}

const runeCount = (text: string): number => Array.from(text).length;

/** Padded to the width; zeros only on the left. */
function padded(text: string, flags: PrintfFlags, zero = flags.zero): string {
  if (flags.width === undefined) return text;
  const missing = flags.width - runeCount(text);
  if (missing <= 0) return text;
  if (flags.minus) return text + " ".repeat(missing);
  return (zero ? "0" : " ").repeat(missing) + text;
}

function truncated(text: string, flags: PrintfFlags): string {
  return flags.precision === undefined ? text : Array.from(text).slice(0, flags.precision).join("");
}

const bases = new Map([
  ["v", 10],
  ["d", 10],
  ["b", 2],
  ["o", 8],
  ["O", 8],
  ["x", 16],
  ["X", 16],
]);

function formatInteger(value: bigint, verb: string, flags: PrintfFlags): string | undefined {
  const base = bases.get(verb);
  if (base !== undefined) return padded(integerText(value, base, verb, flags), flags, false);
  if (verb === "c") return padded(runeOf(value), flags);
  if (verb === "q") return padded(quoteRune(runeOf(value), flags.plus), flags);
  return verb === "U" ? padded(unicode(value, flags), flags, false) : undefined;
}

function integerText(value: bigint, base: number, verb: string, flags: PrintfFlags): string {
  const negative = value < 0n;
  // A precision of 0 prints nothing for zero, only the padding.
  if (flags.precision === 0 && value === 0n) return "";
  let digits = (negative ? -value : value).toString(base);
  if (verb === "X") digits = digits.toUpperCase();
  const signed = negative || flags.plus || flags.space;
  const zeros = flags.zero && !flags.minus && flags.width !== undefined ? flags.width - (signed ? 1 : 0) : 0;
  digits = digits.padStart(flags.precision ?? zeros, "0");
  if (flags.sharp) {
    if (base === 2) digits = `0b${digits}`;
    else if (base === 8 && !digits.startsWith("0")) digits = `0${digits}`;
    else if (base === 16) digits = (verb === "X" ? "0X" : "0x") + digits;
  }
  if (verb === "O") digits = `0o${digits}`;
  return (negative ? "-" : flags.plus ? "+" : flags.space ? " " : "") + digits;
}

function runeOf(value: bigint): string {
  const code = value >= 0n && value <= 0x10ffffn ? Number(value) : 0xfffd;
  return code >= 0xd800 && code <= 0xdfff ? "\ufffd" : String.fromCodePoint(code);
}

function quoteRune(char: string, ascii: boolean): string {
  if (char === "'") return "'\\''";
  if (char === '"') return "'\"'";
  return `'${(ascii ? quoteToAscii(char) : quote(char)).slice(1, -1)}'`;
}

function unicode(value: bigint, flags: PrintfFlags): string {
  const unsigned = BigInt.asUintN(64, value);
  const code = unsigned
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(4, flags.precision ?? 0), "0");
  const char = unsigned <= 0x10ffffn ? String.fromCodePoint(Number(unsigned)) : "";
  const shown = flags.sharp && char !== "" && quote(char) === `"${char}"` ? ` '${char}'` : "";
  return `U+${code}${shown}`;
}

/** math/big formats its integers itself, by slightly different rules. */
function formatBigInteger(value: bigint, verb: string, flags: PrintfFlags): string | undefined {
  const base = verb === "s" ? 10 : bases.get(verb);
  if (base === undefined) return undefined;
  const negative = value < 0n;
  const sign = negative ? "-" : flags.plus || flags.plusV ? "+" : flags.space ? " " : "";
  const prefixes: { readonly [verb: string]: string } = { b: "0b", o: "0", x: "0x", X: "0X" };
  const prefix = verb === "O" ? "0o" : flags.sharp || flags.sharpV ? (prefixes[verb] ?? "") : "";
  let digits = (negative ? -value : value).toString(base);
  if (verb === "X") digits = digits.toUpperCase();
  if (value === 0n && flags.precision === 0) return "";
  digits = digits.padStart(flags.precision ?? 0, "0");
  const missing = (flags.width ?? 0) - sign.length - prefix.length - digits.length;
  if (missing <= 0) return sign + prefix + digits;
  if (flags.minus) return sign + prefix + digits + " ".repeat(missing);
  if (flags.zero && flags.precision === undefined) return sign + prefix + "0".repeat(missing) + digits;
  return " ".repeat(missing) + sign + prefix + digits;
}

const floatVerbs = new Map<string, readonly [verb: FloatVerb, precision: number | undefined]>([
  ["v", ["g", undefined]],
  ["b", ["b", undefined]],
  ["g", ["g", undefined]],
  ["G", ["G", undefined]],
  ["x", ["x", undefined]],
  ["X", ["X", undefined]],
  ["f", ["f", 6]],
  ["F", ["f", 6]],
  ["e", ["e", 6]],
  ["E", ["E", 6]],
]);

function formatFloatVerb(value: number, verb: string, flags: PrintfFlags): string | undefined {
  const known = floatVerbs.get(verb);
  if (known === undefined) return undefined;
  const [letter, usual] = known;
  const precision = flags.precision ?? usual;
  let text = formatFloat(value, letter, precision);
  const negative = text.startsWith("-");
  if (negative) text = text.slice(1);
  if (flags.sharp && letter !== "b") text = withPoint(text, letter, precision);
  const sign = negative ? "-" : flags.plus ? "+" : flags.space ? " " : "";
  const missing = (flags.width ?? 0) - sign.length - text.length;
  if (sign !== "" && flags.zero && !flags.minus && missing > 0) return sign + "0".repeat(missing) + text;
  return padded(sign + text, flags);
}

/** `#` keeps the decimal point, and for `%g` the zeros behind it. */
function withPoint(text: string, letter: FloatVerb, precision: number | undefined): string {
  const split = letter === "x" || letter === "X" ? /^([^pP]*)(.*)$/ : /^([^eE]*)(.*)$/;
  const [, number = "", tail = ""] = split.exec(text) ?? [];
  const counted = letter === "g" || letter === "G" || letter === "x" ? (precision ?? 6) : 0;
  const significant = number.replace(".", "").replace(/^0+/, "").length;
  const zero = number === "0" ? 1 : 0;
  const dotted = number.includes(".") ? number : `${number}.`;
  return dotted + "0".repeat(Math.max(0, counted - significant - zero)) + tail;
}

function formatString(value: string, verb: string, flags: PrintfFlags): string | undefined {
  switch (verb) {
    case "v":
      return flags.sharpV ? quoted(value, flags) : padded(truncated(value, flags), flags);
    case "s":
      return padded(truncated(value, flags), flags);
    case "q":
      return quoted(value, flags);
    case "x":
      return hexadecimal(value, flags);
    case "X":
      return hexadecimal(value, flags).toUpperCase();
    default:
      return undefined;
  }
}

function quoted(value: string, flags: PrintfFlags): string {
  const text = truncated(value, flags);
  const plain = text.isWellFormed() && !/[\p{Cc}`\ufeff]/u.test(text.replaceAll("\t", ""));
  if (flags.sharp && plain) return padded(`\`${text}\``, flags);
  return padded(flags.plus ? quoteToAscii(text) : quote(text), flags);
}

function hexadecimal(value: string, flags: PrintfFlags): string {
  const all = bytesOf(value);
  const bytes = flags.precision === undefined ? all : all.slice(0, flags.precision);
  if (bytes.length === 0) return padded("", flags);
  const pairs = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  const lead = flags.sharp ? "0x" : "";
  return padded(lead + pairs.join(flags.space ? ` ${lead}` : ""), flags);
}
