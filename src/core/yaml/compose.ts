import { EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE, YAMLException } from "js-yaml";
import type { JsonValue } from "../json.ts";
import { AliasBudget } from "./alias-budget.ts";
import { decodeDoubleQuoted } from "./double-quoted.ts";
import { isOldBoolean, keyText, resolvePlain, resolveTagged, type Scalar } from "./scalars.ts";

type ScalarEvent = Extract<Event, { type: typeof EVENT_ID.SCALAR }>;
type CollectionEvent = Extract<Event, { type: typeof EVENT_ID.MAPPING | typeof EVENT_ID.SEQUENCE }>;

/** Deeper documents are refused: nothing in Kubernetes nests more than some 50 levels, and readers recurse. */
export const maximumDepth = 500;

/** A document that cannot be read; `offset` counts from the start of the parsed text. */
export class YamlError extends Error {
  readonly code: "YAML_SYNTAX" | "YAML_VALUE" | "YAML_ALIASES" | "YAML_TOO_DEEP";
  readonly offset: number;

  constructor(code: YamlError["code"], message: string, offset: number) {
    super(message);
    this.code = code;
    this.offset = offset;
  }
}

/** One more value for a key that its mapping already had; the later value wins, as in Kubernetes. */
export interface DuplicateKey {
  readonly key: string;
  readonly offset: number;
}

export interface Composed {
  readonly values: readonly JsonValue[];
  readonly duplicates: readonly DuplicateKey[];
}

/** Parser events of a text. Throws `YamlError`. */
export function eventsOf(text: string): Event[] {
  try {
    return parseEvents(text, { maxDepth: maximumDepth });
  } catch (error) {
    if (error instanceof YAMLException) {
      const tooDeep = error.reason.startsWith("nesting exceeded");
      throw new YamlError(tooDeep ? "YAML_TOO_DEEP" : "YAML_SYNTAX", error.reason, error.mark?.position ?? 0);
    }
    if (error instanceof RangeError) throw new YamlError("YAML_TOO_DEEP", "the document nests too deep", 0);
    throw error;
  }
}

/** What plain words mean: `yes`, `on` and the like are booleans to Kubernetes (YAML 1.1), texts to go-yaml v3. */
export type PlainWords = "yaml-1.1" | "go-yaml-v3";

/** The documents of a text as JSON values, read as Kubernetes reads them. Throws `YamlError`. */
export function compose(text: string, words: PlainWords = "yaml-1.1"): Composed {
  const composer = new Composer(text, eventsOf(text), words);
  return { values: composer.documents(), duplicates: composer.duplicates };
}

class Composer {
  readonly duplicates: DuplicateKey[] = [];
  readonly #text: string;
  readonly #events: readonly Event[];
  readonly #words: PlainWords;
  #next = 0;
  #anchors = new Map<string, JsonValue>();
  #aliases = new AliasBudget();

  constructor(text: string, events: readonly Event[], words: PlainWords) {
    this.#text = text;
    this.#events = events;
    this.#words = words;
  }

  #plain(text: string): Scalar {
    return this.#words === "go-yaml-v3" && isOldBoolean(text) ? text : resolvePlain(text);
  }

  documents(): JsonValue[] {
    const values: JsonValue[] = [];
    for (let event = this.#take(); event !== undefined; event = this.#take()) {
      if (event.type !== EVENT_ID.DOCUMENT) continue;
      this.#anchors = new Map();
      this.#aliases = new AliasBudget();
      values.push(this.#node());
    }
    return values;
  }

  #take(): Event | undefined {
    return this.#events[this.#next++];
  }

  #atEnd(): boolean {
    return this.#events[this.#next]?.type === EVENT_ID.POP;
  }

  #node(): JsonValue {
    const event = this.#take();
    this.#aliases.count();
    switch (event?.type) {
      case EVENT_ID.SCALAR:
        return this.#scalar(event);
      case EVENT_ID.MAPPING:
        return this.#collection(event, () => this.#mapping());
      case EVENT_ID.SEQUENCE:
        return this.#collection(event, () => this.#sequence());
      case EVENT_ID.ALIAS: {
        const name = this.#text.slice(event.anchorStart, event.anchorEnd);
        const value = this.#anchors.get(name);
        if (value === undefined) {
          const open = this.#aliases.isOpen(name);
          const message = open ? `anchor "${name}" holds itself` : `unknown anchor "${name}"`;
          throw new YamlError("YAML_ALIASES", message, event.anchorStart - 1);
        }
        if (!this.#aliases.expand(name)) {
          throw new YamlError("YAML_ALIASES", "the document's aliases expand beyond all measure", event.anchorStart - 1);
        }
        return value;
      }
      default:
        throw new Error("the YAML parser's events end early");
    }
  }

  #collection(event: CollectionEvent, read: () => JsonValue): JsonValue {
    if (event.anchorStart < 0) return read();
    const name = this.#text.slice(event.anchorStart, event.anchorEnd);
    this.#anchors.delete(name);
    const close = this.#aliases.open(name);
    const value = read();
    close();
    this.#anchors.set(name, value);
    return value;
  }

  #sequence(): JsonValue {
    const items: JsonValue[] = [];
    while (!this.#atEnd()) items.push(this.#node());
    this.#next++;
    return items;
  }

  #mapping(): JsonValue {
    const object: Record<string, JsonValue> = {};
    const merged = new Set<string>();
    while (!this.#atEnd()) {
      const keyEvent = this.#events[this.#next];
      if (keyEvent?.type === EVENT_ID.SCALAR && this.#isMerge(keyEvent)) {
        this.#next++;
        this.#merge(object, merged, keyEvent.valueStart);
        continue;
      }
      const key = this.#key();
      const at = keyEvent?.type === EVENT_ID.SCALAR ? this.#offsetOf(keyEvent) : 0;
      if (Object.hasOwn(object, key) && !merged.delete(key)) this.duplicates.push({ key, offset: at });
      setMember(object, key, this.#node());
    }
    this.#next++;
    return object;
  }

  #isMerge(event: ScalarEvent): boolean {
    return (
      event.valueEnd - event.valueStart === 2 &&
      event.style === SCALAR_STYLE.PLAIN &&
      event.tagStart < 0 &&
      this.#text.startsWith("<<", event.valueStart)
    );
  }

  /** go-yaml v2 merges where `<<` stands: what came before is overwritten, what comes after overwrites. */
  #merge(object: Record<string, JsonValue>, merged: Set<string>, offset: number): void {
    const isSequence = this.#events[this.#next]?.type === EVENT_ID.SEQUENCE;
    const value = this.#node();
    const sources: readonly JsonValue[] = isSequence && Array.isArray(value) ? value : [value];
    for (const source of sources.toReversed()) {
      if (typeof source !== "object" || source === null || Array.isArray(source)) {
        throw new YamlError("YAML_VALUE", "<< wants a mapping or a sequence of mappings", offset);
      }
      for (const [key, member] of Object.entries(source)) {
        if (!Object.hasOwn(object, key)) merged.add(key);
        setMember(object, key, member);
      }
    }
  }

  #key(): string {
    const event = this.#events[this.#next];
    if (event?.type === EVENT_ID.SCALAR) {
      this.#next++;
      this.#aliases.count();
      const text = scalarText(this.#text, event);
      const plain = event.style === SCALAR_STYLE.PLAIN && event.tagStart < 0 && event.anchorStart < 0;
      const value = plain ? this.#plain(text) : this.#tagged(event, text);
      const key = keyText(value, text);
      if (key !== undefined) return key;
      throw new YamlError(
        "YAML_VALUE",
        `Kubernetes takes no key like ${text === "" ? "an empty one" : text}`,
        this.#offsetOf(event),
      );
    }
    const offset = event !== undefined && "start" in event ? event.start : 0;
    const value = this.#node();
    if (typeof value === "string") return value;
    const isBraces = this.#text.startsWith("{{", offset - 1);
    const why = isBraces ? "text that begins with {{ is a mapping to YAML; quote the text" : "a key must be a scalar";
    throw new YamlError("YAML_VALUE", why, offset);
  }

  #scalar(event: ScalarEvent): JsonValue {
    const text = scalarText(this.#text, event);
    if (event.tagStart < 0 && event.anchorStart < 0) {
      if (event.style !== SCALAR_STYLE.PLAIN) return text;
      const value = this.#plain(text);
      if (value !== undefined) return value;
    }
    const value = this.#tagged(event, text);
    if (value === undefined) throw new YamlError("YAML_VALUE", `JSON has no value for ${text}`, this.#offsetOf(event));
    return value;
  }

  #tagged(event: ScalarEvent, text: string): Scalar {
    const value = this.#resolve(event, text);
    if (event.anchorStart >= 0 && value !== undefined) {
      const name = this.#text.slice(event.anchorStart, event.anchorEnd);
      this.#anchors.set(name, value);
      this.#aliases.open(name)();
    }
    return value;
  }

  #resolve(event: ScalarEvent, text: string): Scalar {
    if (event.tagStart < 0) return event.style === SCALAR_STYLE.PLAIN ? this.#plain(text) : text;
    const tag = this.#text.slice(event.tagStart, event.tagEnd);
    const resolved = resolveTagged(tag, text);
    if (!resolved.ok) throw new YamlError("YAML_VALUE", resolved.message, this.#offsetOf(event));
    return resolved.value;
  }

  #offsetOf(event: ScalarEvent): number {
    return event.valueStart >= 0 ? event.valueStart : Math.max(event.tagStart, event.anchorStart, 0);
  }
}

/** A scalar's text, before it is resolved. js-yaml loses the blank lines that follow an escaped line break. */
export function scalarText(text: string, event: ScalarEvent): string {
  const folds = event.style === SCALAR_STYLE.DOUBLE_QUOTED && !event.fast;
  const decoded = folds ? decodeDoubleQuoted(text.slice(event.valueStart, event.valueEnd)) : undefined;
  if (decoded !== undefined) return decoded;
  const value = getScalarValue(text, event);
  const isBlock = event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK;
  return isBlock ? withoutAddedBreak(text, event.valueEnd, value) : value;
}

/**
 * js-yaml ends a block scalar with a line break even where the whole text ends on its last line; go-yaml finds no
 * break there to keep.
 */
function withoutAddedBreak(text: string, valueEnd: number, decoded: string): string {
  if (valueEnd < text.length || !decoded.endsWith("\n")) return decoded;
  const lastLine = text.slice(text.lastIndexOf("\n") + 1);
  return lastLine.trim() === "" ? decoded : decoded.slice(0, -1);
}

/** Plain assignment, save for the one name that would change the object's prototype. */
export function setMember(object: Record<string, JsonValue>, key: string, value: JsonValue | undefined): void {
  if (value === undefined) return;
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else object[key] = value;
}
