import { COLLECTION_STYLE, EVENT_ID, type Event, SCALAR_STYLE } from "js-yaml";
import { eventsOf, scalarText } from "./compose.ts";
import { keyText, resolvePlain } from "./scalars.ts";
import { type SpanTable, SpanTableBuilder } from "./span-table.ts";

type ScalarEvent = Extract<Event, { type: typeof EVENT_ID.SCALAR }>;

/** Where the parts of the `index`-th document of a text that has been read before stand. */
export function yamlSpans(text: string, index: number): SpanTable {
  const events = eventsOf(text);
  let next = 0;
  for (let seen = -1; next < events.length && seen < index; next++) if (events[next]?.type === EVENT_ID.DOCUMENT) seen++;
  const builder = new SpanTableBuilder();
  // Whether a mapping is open, and if so whether its next child is a key; and whether collections are in flow style.
  const open: { readonly mapping: boolean; readonly flow: boolean; atKey: boolean }[] = [];
  for (; next < events.length; next++) {
    const event = events[next];
    const parent = open.at(-1);
    const atKey = parent?.mapping === true && parent.atKey;
    if (parent?.mapping === true && event?.type !== EVENT_ID.POP) parent.atKey = !parent.atKey;
    switch (event?.type) {
      case EVENT_ID.SCALAR: {
        const { start, end } = scalarExtent(text, event, builder.end, atKey);
        if (atKey) {
          const raw = scalarText(text, event);
          const plain = event.style === SCALAR_STYLE.PLAIN && event.tagStart < 0;
          if (plain && raw === "<<") builder.add("merge", start, end);
          else builder.add("key", start, end, (plain ? keyText(resolvePlain(raw), raw) : raw) ?? raw, anchor(text, event));
        } else builder.add("scalar", start, end, "", anchor(text, event));
        break;
      }
      case EVENT_ID.MAPPING:
      case EVENT_ID.SEQUENCE: {
        const mapping = event.type === EVENT_ID.MAPPING;
        builder.add(mapping ? "mapping" : "sequence", event.start, event.start + 1, "", anchor(text, event));
        open.push({ mapping, flow: event.style === COLLECTION_STYLE.FLOW, atKey: true });
        break;
      }
      case EVENT_ID.ALIAS:
        builder.add("alias", event.anchorStart - 1, event.anchorEnd, text.slice(event.anchorStart, event.anchorEnd));
        break;
      case EVENT_ID.POP: {
        const closed = open.pop();
        if (closed === undefined) return builder.build();
        builder.close(closed.flow ? closingBracket(text, builder.end) : builder.end);
        break;
      }
      default:
        return builder.build();
    }
  }
  return builder.build();
}

function anchor(text: string, event: { readonly anchorStart: number; readonly anchorEnd: number }): string {
  return event.anchorStart < 0 ? "" : text.slice(event.anchorStart, event.anchorEnd);
}

/** Events of scalars leave out quotes, block headers and tags; the extent has them all. */
function scalarExtent(text: string, event: ScalarEvent, before: number, isKey: boolean): { start: number; end: number } {
  if (event.valueStart < 0) {
    const at = event.tagStart < 0 ? before : event.tagStart;
    if (event.tagStart >= 0) return { start: at, end: event.tagEnd };
    // An empty value stands right after its key's colon.
    let end = before;
    while (!isKey && isSpace(text.charCodeAt(end))) end++;
    if (isKey || text.charCodeAt(end) !== 58) return { start: before, end: before };
    return { start: end + 1, end: end + 1 };
  }
  const tagged = (start: number) => (event.tagStart < 0 ? start : event.tagStart);
  switch (event.style) {
    case SCALAR_STYLE.SINGLE_QUOTED:
    case SCALAR_STYLE.DOUBLE_QUOTED:
      return { start: tagged(event.valueStart - 1), end: event.valueEnd + 1 };
    case SCALAR_STYLE.LITERAL_BLOCK:
    case SCALAR_STYLE.FOLDED_BLOCK:
      return { start: tagged(blockHeader(text, event.valueStart)), end: event.valueEnd };
    default:
      return { start: tagged(event.valueStart), end: event.valueEnd };
  }
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9 || code === 10 || code === 13;
}

/** The `|` or `>` that opens the block scalar whose content starts at `content`. */
function blockHeader(text: string, content: number): number {
  let line = text.charCodeAt(content - 2) === 13 ? content - 2 : content - 1;
  while (line > 0 && text.charCodeAt(line - 1) !== 10 && text.charCodeAt(line - 1) !== 13) line--;
  const header = /[|>][-+0-9]*[ \t]*(?:[ \t]#.*)?[\r\n]*$/.exec(text.slice(line, content));
  return header === null ? content : line + header.index;
}

/** Past the bracket that ends a flow collection, given the end of its last child. */
function closingBracket(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 35) {
      while (at < text.length && text.charCodeAt(at) !== 10 && text.charCodeAt(at) !== 13) at++;
    } else if (code === 93 || code === 125) return at + 1;
  }
  return text.length;
}
