/** What a message can be about. */
export const noticeEvents = [
  "opened",
  "break-glass",
  "approved",
  "denied",
  "cancelled",
  "lapsed",
  "expiring",
  "ended",
  "reviewed",
] as const;
export type NoticeEvent = (typeof noticeEvents)[number];

/** One message about one request, without anything of the objects it is about: those are shown after login. */
export interface Notice {
  /** The same for each attempt, so that receivers know a message that they have seen. */
  readonly id: string;
  readonly event: NoticeEvent;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** One line: who wants what. */
  readonly headline: string;
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  /** Where it is shown, after login. */
  readonly link: string;
  /** A decision is wanted: where a channel can take one, it offers to. */
  readonly wantsDecision: boolean;
  readonly request: {
    readonly id: string;
    readonly cluster: string;
    readonly phase: string;
    readonly rule: string;
    readonly requester: string;
    readonly breakGlass: boolean;
  };
  /** E-mail addresses of those it is for; channels of a whole team have their own place. */
  readonly to: readonly string[];
}

/** What came of an attempt. Problems never hold addresses or tokens, which are secrets of the channel. */
export type Delivery =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly problem: string;
      /** Another attempt may help. */
      readonly retry: boolean;
      /** The receiver asks to wait so long, milliseconds. */
      readonly after?: number | undefined;
    };

export interface NoticeChannel {
  /** Never rejects. */
  send(notice: Notice): Promise<Delivery>;
}

/**
 * Text that somebody wrote, in one line: without what would move the cursor, turn the direction of writing or be invisible,
 * and no longer than `most` characters.
 */
export function plainLine(text: string, most = 300): string {
  const line = text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/ +/g, " ")
    .trim();
  const characters = [...line];
  return characters.length <= most ? line : `${characters.slice(0, most - 1).join("")}…`;
}
