/** One element of a Go time layout: a part of the reference time `Mon Jan 2 15:04:05 MST 2006`, or plain text. */
export type LayoutPart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: LayoutElement; readonly text: string };

export type LayoutElement =
  | "long-month"
  | "month"
  | "num-month"
  | "zero-month"
  | "long-weekday"
  | "weekday"
  | "day"
  | "under-day"
  | "zero-day"
  | "under-year-day"
  | "zero-year-day"
  | "hour"
  | "hour12"
  | "zero-hour12"
  | "minute"
  | "zero-minute"
  | "second"
  | "zero-second"
  | "long-year"
  | "year"
  | "PM"
  | "pm"
  | "zone-name"
  | "offset"
  | "offset-or-Z"
  | "fraction"
  | "optional-fraction";

/** Longer texts stand before the shorter ones that they begin with. */
const elements: readonly (readonly [string, LayoutElement])[] = [
  ["January", "long-month"],
  ["Jan", "month"],
  ["Monday", "long-weekday"],
  ["Mon", "weekday"],
  ["MST", "zone-name"],
  ["01", "zero-month"],
  ["02", "zero-day"],
  ["03", "zero-hour12"],
  ["04", "zero-minute"],
  ["05", "zero-second"],
  ["06", "year"],
  ["002", "zero-year-day"],
  ["15", "hour"],
  ["1", "num-month"],
  ["2006", "long-year"],
  ["2", "day"],
  ["_2", "under-day"],
  ["__2", "under-year-day"],
  ["3", "hour12"],
  ["4", "minute"],
  ["5", "second"],
  ["PM", "PM"],
  ["pm", "pm"],
  ["-070000", "offset"],
  ["-07:00:00", "offset"],
  ["-0700", "offset"],
  ["-07:00", "offset"],
  ["-07", "offset"],
  ["Z070000", "offset-or-Z"],
  ["Z07:00:00", "offset-or-Z"],
  ["Z0700", "offset-or-Z"],
  ["Z07:00", "offset-or-Z"],
  ["Z07", "offset-or-Z"],
];
const fraction = /[.,](?:0+|9+)(?![0-9])/y;

/** Splits a layout as Go's time package does. */
export function parseLayout(layout: string): readonly LayoutPart[] {
  const parts: LayoutPart[] = [];
  let text = "";
  for (let at = 0; at < layout.length; ) {
    const part = elementAt(layout, at);
    if (part === undefined) {
      text += layout.charAt(at++);
      continue;
    }
    if (text !== "") parts.push({ kind: "text", text });
    text = "";
    parts.push(part);
    at += part.text.length;
  }
  if (text !== "") parts.push({ kind: "text", text });
  return parts;
}

function elementAt(layout: string, at: number): LayoutPart | undefined {
  fraction.lastIndex = at;
  const digits = fraction.exec(layout)?.[0];
  if (digits !== undefined) return { kind: digits.charAt(1) === "0" ? "fraction" : "optional-fraction", text: digits };
  // `_2006` is an underscore before a year.
  if (layout.startsWith("_2006", at)) return undefined;
  const found = elements.find(([text]) => layout.startsWith(text, at));
  if (found === undefined) return undefined;
  const [text, kind] = found;
  // `Monkey` holds no weekday.
  const isWord = (kind === "month" || kind === "weekday") && /^[a-z]/.test(layout.slice(at + text.length));
  return isWord ? undefined : { kind, text };
}
