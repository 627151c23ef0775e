import { quoteGo } from "../../../core/go-quote.ts";
import { formatArgument } from "./go-printf-verbs.ts";

/** What Go's fmt gets from OPA: an int64 or a big.Int, a float64, a text; templates hand on JSON as well. */
export type PrintfArgument =
  | { readonly kind: "int64" | "big.Int"; readonly value: bigint }
  | { readonly kind: "float64"; readonly value: number }
  | { readonly kind: "string" | "json.Number"; readonly value: string }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "nil" }
  | { readonly kind: "list"; readonly items: readonly PrintfArgument[] }
  | { readonly kind: "map"; readonly members: readonly (readonly [string, PrintfArgument])[] };

/** The flags, width and precision of one verb. */
export interface PrintfFlags {
  plus: boolean;
  minus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  /** `%+v`, `%#v`: the flags mean something else there. */
  plusV: boolean;
  sharpV: boolean;
  width: number | undefined;
  precision: number | undefined;
}

const noFlags = (): PrintfFlags => ({
  plus: false,
  minus: false,
  sharp: false,
  space: false,
  zero: false,
  plusV: false,
  sharpV: false,
  width: undefined,
  precision: undefined,
});

/** Widths and precisions from here on are taken for mistakes. */
const tooLarge = 1_000_000;
const flagNames = new Map<string, "plus" | "minus" | "sharp" | "space" | "zero">([
  ["+", "plus"],
  ["-", "minus"],
  ["#", "sharp"],
  [" ", "space"],
  ["0", "zero"],
]);

/** Go's fmt.Sprintf. Nothing fails: what does not fit is written as `%!d(string=a)`, `%!s(MISSING)` and so on. */
export function sprintf(format: string, args: readonly PrintfArgument[]): string {
  return new Printf(format, args).run();
}

class Printf {
  readonly #format: string;
  readonly #args: readonly PrintfArgument[];
  #at = 0;
  #next = 0;
  #text = "";
  #afterIndex = false;
  #reordered = false;
  #goodIndex = true;

  constructor(format: string, args: readonly PrintfArgument[]) {
    this.#format = format;
    this.#args = args;
  }

  run(): string {
    for (;;) {
      const percent = this.#format.indexOf("%", this.#at);
      if (percent < 0) break;
      this.#text += this.#format.slice(this.#at, percent);
      this.#at = percent + 1;
      this.#goodIndex = true;
      this.#afterIndex = false;
      if (!this.#verb()) return this.#text + this.#extra();
    }
    return this.#text + this.#format.slice(this.#at) + this.#extra();
  }

  /** False at the end of the format. */
  #verb(): boolean {
    const flags = this.#flags();
    this.#index();
    this.#width(flags);
    if (this.#format.charAt(this.#at) === "." && this.#at + 1 < this.#format.length) this.#precision(flags);
    if (!this.#afterIndex) this.#index();
    const verb = String.fromCodePoint(this.#format.codePointAt(this.#at) ?? 0);
    if (this.#at >= this.#format.length) {
      this.#text += "%!(NOVERB)";
      return false;
    }
    this.#at += verb.length;
    const arg = this.#args[this.#next];
    if (verb === "%") this.#text += "%";
    else if (!this.#goodIndex) this.#text += `%!${verb}(BADINDEX)`;
    else if (arg === undefined) this.#text += `%!${verb}(MISSING)`;
    else {
      this.#text += formatArgument(arg, verb, verb === "v" ? forValues(flags) : flags);
      this.#next++;
    }
    return true;
  }

  #flags(): PrintfFlags {
    const flags = noFlags();
    for (;;) {
      const name = flagNames.get(this.#format.charAt(this.#at));
      if (name === undefined) return flags;
      flags[name] = true;
      this.#at++;
    }
  }

  #width(flags: PrintfFlags): void {
    if (this.#format.charAt(this.#at) === "*") {
      this.#at++;
      const width = this.#intArgument();
      if (width === undefined) this.#text += "%!(BADWIDTH)";
      flags.width = width === undefined ? undefined : Math.abs(width);
      if (width !== undefined && width < 0) {
        flags.minus = true;
        flags.zero = false;
      }
      this.#afterIndex = false;
      return;
    }
    flags.width = this.#number();
    if (this.#afterIndex && flags.width !== undefined) this.#goodIndex = false;
  }

  #precision(flags: PrintfFlags): void {
    this.#at++;
    if (this.#afterIndex) this.#goodIndex = false;
    this.#index();
    if (this.#format.charAt(this.#at) !== "*") {
      flags.precision = this.#number() ?? 0;
      return;
    }
    this.#at++;
    const precision = this.#intArgument();
    flags.precision = precision === undefined || precision < 0 ? undefined : precision;
    if (flags.precision === undefined) this.#text += "%!(BADPREC)";
    this.#afterIndex = false;
  }

  /** `[3]`: the argument to go on with. */
  #index(): void {
    this.#afterIndex = false;
    if (this.#format.charAt(this.#at) !== "[") return;
    this.#reordered = true;
    const close = this.#format.indexOf("]", this.#at + 1);
    const inside = this.#format.slice(this.#at + 1, close);
    const index = /^\d{1,7}$/.test(inside) ? Number(inside) - 1 : undefined;
    const readable = close > 0 && index !== undefined;
    this.#at = close < 0 ? this.#at + 1 : close + 1;
    this.#afterIndex = readable;
    if (readable && index >= 0 && index < this.#args.length) this.#next = index;
    else this.#goodIndex = false;
  }

  #number(): number | undefined {
    const digits = /^\d+/.exec(this.#format.slice(this.#at, this.#at + 20))?.[0];
    if (digits === undefined) return undefined;
    this.#at += digits.length;
    return Number(digits) > tooLarge ? undefined : Number(digits);
  }

  #intArgument(): number | undefined {
    const arg = this.#args[this.#next];
    if (arg === undefined) return undefined;
    this.#next++;
    return arg.kind === "int64" && arg.value <= tooLarge && arg.value >= -tooLarge ? Number(arg.value) : undefined;
  }

  /** Arguments that no verb asked for; not looked for where the format names arguments by index. */
  #extra(): string {
    if (this.#reordered || this.#next >= this.#args.length) return "";
    const rest = this.#args
      .slice(this.#next)
      .map((arg) => (arg.kind === "nil" ? "<nil>" : `${typeName(arg)}=${formatArgument(arg, "v", noFlags())}`));
    return `%!(EXTRA ${rest.join(", ")})`;
  }
}

function forValues(flags: PrintfFlags): PrintfFlags {
  return { ...flags, plus: false, plusV: flags.plus, sharp: false, sharpV: flags.sharp };
}

/** The type of the argument as Go's reflection names it. */
export function typeName({ kind }: PrintfArgument): string {
  return typeNames[kind] ?? kind;
}

const typeNames: { readonly [kind in PrintfArgument["kind"]]?: string } = {
  "big.Int": "*big.Int",
  nil: "<nil>",
  list: "[]interface {}",
  map: "map[string]interface {}",
};

/** A text in quotes with only ASCII characters, as Go's strconv.QuoteToASCII. */
export function quoteToAscii(text: string): string {
  return quoteGo(text).replace(/[^\x20-\x7e]/gu, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
  });
}
