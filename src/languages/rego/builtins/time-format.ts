import { type LayoutPart, parseLayout } from "../../../core/go-layout.ts";

const monthNames = "January February March April May June July August September October November December".split(" ");
export const dayNames = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** A moment as a calendar at some place shows it. */
export interface LocalTime {
  /** The fields of `date` in UTC are those of the local calendar. */
  readonly date: Date;
  /** 0 to 999,999,999 */
  readonly nanosecond: number;
  /** Seconds east of UTC. */
  readonly offset: number;
  readonly zoneName: () => string;
}

/** The layouts that have names in Go's time package. */
export const namedLayouts = new Map([
  ["ANSIC", "Mon Jan _2 15:04:05 2006"],
  ["UnixDate", "Mon Jan _2 15:04:05 MST 2006"],
  ["RubyDate", "Mon Jan 02 15:04:05 -0700 2006"],
  ["RFC822", "02 Jan 06 15:04 MST"],
  ["RFC822Z", "02 Jan 06 15:04 -0700"],
  ["RFC850", "Monday, 02-Jan-06 15:04:05 MST"],
  ["RFC1123", "Mon, 02 Jan 2006 15:04:05 MST"],
  ["RFC1123Z", "Mon, 02 Jan 2006 15:04:05 -0700"],
  ["RFC3339", "2006-01-02T15:04:05Z07:00"],
  ["RFC3339Nano", "2006-01-02T15:04:05.999999999Z07:00"],
]);

const padded = (value: number, width: number, fill = "0"): string => String(value).padStart(width, fill);

/** As Go's Time.Format. */
export function formatTime(time: LocalTime, layout: string): string {
  return parseLayout(layout)
    .map((part) => formatPart(time, part))
    .join("");
}

function formatPart({ date, nanosecond, offset, zoneName }: LocalTime, { kind, text }: LayoutPart): string {
  const hour = date.getUTCHours();
  const hour12 = hour % 12 === 0 ? 12 : hour % 12;
  const monthName = monthNames[date.getUTCMonth()] ?? "";
  const dayName = dayNames[date.getUTCDay()] ?? "";
  switch (kind) {
    case "text":
      return text;
    case "long-month":
      return monthName;
    case "month":
      return monthName.slice(0, 3);
    case "num-month":
      return String(date.getUTCMonth() + 1);
    case "zero-month":
      return padded(date.getUTCMonth() + 1, 2);
    case "long-weekday":
      return dayName;
    case "weekday":
      return dayName.slice(0, 3);
    case "day":
      return String(date.getUTCDate());
    case "under-day":
      return padded(date.getUTCDate(), 2, " ");
    case "zero-day":
      return padded(date.getUTCDate(), 2);
    case "under-year-day":
      return padded(yearDay(date), 3, " ");
    case "zero-year-day":
      return padded(yearDay(date), 3);
    case "hour":
      return padded(hour, 2);
    case "hour12":
      return String(hour12);
    case "zero-hour12":
      return padded(hour12, 2);
    case "minute":
      return String(date.getUTCMinutes());
    case "zero-minute":
      return padded(date.getUTCMinutes(), 2);
    case "second":
      return String(date.getUTCSeconds());
    case "zero-second":
      return padded(date.getUTCSeconds(), 2);
    case "long-year":
      return padded(date.getUTCFullYear(), 4);
    case "year":
      return padded(date.getUTCFullYear() % 100, 2);
    case "PM":
      return hour >= 12 ? "PM" : "AM";
    case "pm":
      return hour >= 12 ? "pm" : "am";
    case "zone-name":
      return zoneName();
    case "offset":
      return formatOffset(offset, text);
    case "offset-or-Z":
      return offset === 0 ? "Z" : formatOffset(offset, text);
    case "fraction":
      return text.charAt(0) + padded(nanosecond, 9).slice(0, text.length - 1);
    case "optional-fraction": {
      const digits = padded(nanosecond, 9)
        .slice(0, text.length - 1)
        .replace(/0+$/, "");
      return digits === "" ? "" : text.charAt(0) + digits;
    }
  }
}

function yearDay(date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;
}

/** `text` shows the form: `-0700`, `Z07:00:00` and the like. */
function formatOffset(offset: number, text: string): string {
  const size = Math.abs(offset);
  const form = text.slice(1);
  const fields = [Math.trunc(size / 3600), Math.trunc(size / 60) % 60, size % 60];
  const count = form.replaceAll(":", "").length / 2;
  const shown = fields.slice(0, count).map((field) => padded(field, 2));
  return (offset < 0 ? "-" : "+") + shown.join(form.includes(":") ? ":" : "");
}
