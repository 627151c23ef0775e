import type { JsonObject } from "../../core/json.ts";

const decisionCallback = "castellan.decision";
const commentBlock = "comment";
const commentInput = "text";

export interface DecisionForm {
  readonly request: string;
  readonly verdict: "approve" | "deny";
}

const plain = (text: string): JsonObject => ({ type: "plain_text", text, emoji: false });

/** The form that asks for a comment before a decision is taken. */
export function decisionView({ request, verdict }: DecisionForm, what: string, who: string): JsonObject {
  return {
    type: "modal",
    callback_id: decisionCallback,
    private_metadata: JSON.stringify({ request, verdict }),
    title: plain(verdict === "approve" ? "Approve" : "Deny"),
    submit: plain(verdict === "approve" ? "Approve" : "Deny"),
    close: plain("Back"),
    blocks: [
      { type: "section", text: plain(`${who}: ${what}`.slice(0, 2900)) },
      {
        type: "input",
        block_id: commentBlock,
        // A refusal that does not say why helps nobody.
        optional: verdict === "approve",
        label: plain("Comment"),
        element: { type: "plain_text_input", action_id: commentInput, multiline: true, max_length: 2000 },
      },
    ],
  };
}

/** What a form that came back says; undefined: it is none of ours. */
export function decisionOf(view: {
  readonly callback_id: string;
  readonly private_metadata: string;
  readonly state: {
    readonly values: { readonly [block: string]: { readonly [input: string]: { readonly value?: string | null | undefined } } };
  };
}): (DecisionForm & { readonly comment: string }) | undefined {
  if (view.callback_id !== decisionCallback) return undefined;
  const [, request, verdict] = /^\{"request":"([\w.-]+)","verdict":"(approve|deny)"\}$/.exec(view.private_metadata) ?? [];
  if (request === undefined || (verdict !== "approve" && verdict !== "deny")) return undefined;
  return { request, verdict, comment: view.state.values[commentBlock]?.[commentInput]?.value?.trim() ?? "" };
}

/** The form's place says what became of it. */
export function resultView(text: string): JsonObject {
  return { type: "modal", title: plain("Castellan"), close: plain("Done"), blocks: [{ type: "section", text: plain(text) }] };
}

/** Seen by one person only. */
export const ephemeral = (text: string): JsonObject => ({ response_type: "ephemeral", text });
