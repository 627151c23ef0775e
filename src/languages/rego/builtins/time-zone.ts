/** A time zone by its name in the IANA database. */
export interface Zone {
  /** Seconds east of UTC at a moment, given in seconds since 1970. */
  offsetAt(seconds: number): number;
  /** The abbreviation in use at a moment: `CET`, or `+03` where the zone has none. */
  nameAt(seconds: number): string;
}

export const utc: Zone = { offsetAt: () => 0, nameAt: () => "UTC" };

/** English as spoken in many places: each knows the abbreviations of its own zones. */
const locales = ["en-US", "en-GB", "en-CA", "en-AU", "en-NZ", "en-IN", "en-ZA", "en-HK"];

/** Abbreviations that no English locale has. */
const others: { readonly [zone: string]: string } = {
  "Asia/Tokyo": "JST",
  "Asia/Seoul": "KST",
  "Asia/Shanghai": "CST",
  "Asia/Manila": "PST",
  "Asia/Karachi": "PKT",
  "Asia/Jakarta": "WIB",
  "Europe/Moscow": "MSK",
  "Africa/Lagos": "WAT",
  "Africa/Nairobi": "EAT",
};

class NamedZone implements Zone {
  readonly #name: string;
  readonly #fields: Intl.DateTimeFormat;

  constructor(name: string) {
    this.#name = name;
    this.#fields = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  }

  offsetAt(seconds: number): number {
    const parts = new Map(this.#fields.formatToParts(seconds * 1000).map((part) => [part.type, Number(part.value)]));
    const at = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
    const local = Date.UTC(at("year"), at("month") - 1, at("day"), at("hour"), at("minute"), at("second"));
    return local / 1000 - seconds;
  }

  nameAt(seconds: number): string {
    for (const locale of locales) {
      const format = new Intl.DateTimeFormat(locale, { timeZone: this.#name, timeZoneName: "short" });
      const name = format.formatToParts(seconds * 1000).find((part) => part.type === "timeZoneName")?.value ?? "";
      if (/^[A-Z]{3,5}$/.test(name)) return name;
    }
    return others[this.#name] ?? numericName(this.offsetAt(seconds));
  }
}

function numericName(offset: number): string {
  const minutes = Math.trunc(Math.abs(offset) / 60);
  const two = (n: number) => String(n).padStart(2, "0");
  const rest = minutes % 60;
  return `${offset < 0 ? "-" : "+"}${two(Math.trunc(minutes / 60))}${rest === 0 ? "" : two(rest)}`;
}

const cache = new Map<string, Zone | undefined>([
  ["", utc],
  ["UTC", utc],
  // What is local to a machine would make verdicts differ between machines.
  ["Local", utc],
]);

/** Parts of names in the IANA database start with a capital letter, and the longer ones are not written in capitals. */
const spelling = /^[A-Z][A-Za-z0-9+_-]*(?:\/[A-Z](?:[A-Za-z0-9+_-]{0,2}|[A-Za-z0-9+_-]*[a-z0-9][A-Za-z0-9+_-]*))*$/;

/** Undefined: there is no such zone. */
export function zoneOf(name: string): Zone | undefined {
  if (cache.has(name)) return cache.get(name);
  const zone = spelling.test(name) ? load(name) : undefined;
  if (cache.size < 1000) cache.set(name, zone);
  return zone;
}

function load(name: string): Zone | undefined {
  try {
    return new NamedZone(name);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
