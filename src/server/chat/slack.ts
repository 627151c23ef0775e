import { describeAsk } from "../../access/describe-ask.ts";
import type { Person } from "../../access/person.ts";
import type { JsonObject } from "../../core/json.ts";
import type { ChatLinks, ChatUser } from "../../services/access/chat-links.ts";
import type { AccessDesk } from "../../services/access/desk.ts";
import { maySee } from "../../services/access/request-view.ts";
import type { Api } from "../api/api.ts";
import { type BlockActions, interaction, slashCommand, type ViewSubmission } from "./slack-payloads.ts";
import { replayMilliseconds, signatureProblem } from "./slack-signature.ts";
import { decisionOf, decisionView, ephemeral, resultView } from "./slack-views.ts";

export interface SlackParts {
  readonly desk: AccessDesk;
  readonly links: ChatLinks;
  readonly signingSecret: string;
  /** `views.open` of Slack's Web API; answers what is wrong, or nothing. */
  readonly openView: (trigger: string, view: JsonObject) => Promise<string | undefined>;
  /** Says something to the one who pressed a button, by the address that Slack gave for it. */
  readonly respond: (url: string, message: JsonObject) => Promise<void>;
  /** Without a slash at its end. */
  readonly consoleUrl: string;
  readonly now: () => number;
  readonly onTrouble: (error: unknown) => void;
}

const verdicts: { readonly [action: string]: "approve" | "deny" } = { "castellan.approve": "approve", "castellan.deny": "deny" };

const signed = { config: { signed: true }, schema: { hide: true } } as const;

const noSlack = { code: "NOT_FOUND", message: "this server has no Slack app" } as const;

/**
 * Where Slack sends what people press and say, while there is an app (`current`). Each message must be signed, be of the last five minutes and be the first of its
 * signature; who it is from counts only as the person who linked that Slack user after a login.
 */
export function addSlackRoutes(api: Api, current: () => SlackParts | undefined): void {
  void api.register(async (scope) => {
    // Slack's servers have no session: what they send is signed, which stands for the checks of the API.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      "application/x-www-form-urlencoded",
      { parseAs: "string", bodyLimit: 256 * 1024 },
      (_request, body, done) => {
        done(null, body);
      },
    );
    const verified = async (
      { links, now, signingSecret }: SlackParts,
      headers: { readonly [name: string]: string | readonly string[] | undefined },
      body: unknown,
    ) => {
      const one = (name: string) => (typeof headers[name] === "string" ? headers[name] : undefined);
      const text = typeof body === "string" ? body : "";
      const signature = one("x-slack-signature");
      const problem = signatureProblem(
        { timestamp: one("x-slack-request-timestamp"), signature, body: text },
        signingSecret,
        now(),
      );
      if (problem !== undefined) return { ok: false, message: `refused: ${problem}` } as const;
      const first = await links.isFirst(`slack ${signature}`, replayMilliseconds);
      return first
        ? ({ ok: true, form: new URLSearchParams(text) } as const)
        : ({ ok: false, message: "refused: it was seen before" } as const);
    };

    scope.post("/chat/slack/interactive", signed, async (request, reply) => {
      const parts = current();
      if (parts === undefined) return reply.status(404).send(noSlack);
      const message = await verified(parts, request.headers, request.body);
      if (!message.ok) return reply.status(401).send({ code: "CHAT_REFUSED", message: message.message });
      const payload = interaction.safeParse(jsonOf(message.form.get("payload") ?? ""));
      // What is none of ours, such as the button that opens a page, is acknowledged.
      if (!payload.success) return reply.status(200).send();
      if (payload.data.type === "view_submission") return reply.send(await submitted(payload.data, parts));
      // Slack wants to hear of it within three seconds, whatever comes of it.
      pressed(payload.data, parts).catch(parts.onTrouble);
      return reply.status(200).send();
    });

    scope.post("/chat/slack/command", signed, async (request, reply) => {
      const parts = current();
      if (parts === undefined) return reply.status(404).send(noSlack);
      const message = await verified(parts, request.headers, request.body);
      if (!message.ok) return reply.status(401).send({ code: "CHAT_REFUSED", message: message.message });
      const command = slashCommand.safeParse(Object.fromEntries(message.form));
      if (!command.success) return reply.status(400).send({ code: "BAD_REQUEST", message: "it is no slash command" });
      const { text, team_id: team, user_id: user, user_name: name } = command.data;
      return reply.send(ephemeral(await said(text.trim(), { chat: "slack", team, user }, name, parts)));
    });
  });
}

async function said(text: string, user: ChatUser, name: string, parts: SlackParts): Promise<string> {
  const { links, consoleUrl } = parts;
  if (text === "link") {
    const code = await links.begin(user, name);
    return `Log in and confirm within ten minutes that this Slack user is you: ${consoleUrl}/access/link?code=${code} (for you alone: give it to nobody)`;
  }
  if (text === "whoami") {
    const linked = await linkedPerson(user, parts);
    return linked.ok ? `You decide as ${linked.person.user}.` : linked.says;
  }
  return "Say `/castellan link` to link this Slack user to your login, `/castellan whoami` to see whom it is linked to.";
}

type LinkedPerson = { readonly ok: true; readonly person: Person } | { readonly ok: false; readonly says: string };

/** As whom a chat user decides, or what to tell them. */
async function linkedPerson(user: ChatUser, { desk, links, consoleUrl }: SlackParts): Promise<LinkedPerson> {
  const linked = await links.personOf(user);
  if (linked.ok && desk.isLocked(linked.person.human))
    return { ok: false, says: "Access is locked for you: ask an administrator of Castellan." };
  if (linked.ok) return linked;
  const says =
    linked.why === "unknown"
      ? "Castellan does not know who you are: say `/castellan link` first."
      : `Your login is too long ago: open ${consoleUrl} and log in, then press again.`;
  return { ok: false, says };
}

async function pressed({ actions, user, team, trigger_id, response_url }: BlockActions, parts: SlackParts): Promise<void> {
  const [action] = actions;
  const verdict = verdicts[action?.action_id ?? ""];
  const id = action?.value;
  if (verdict === undefined || id === undefined) return;
  const tell = async (text: string) => {
    if (response_url !== undefined) await parts.respond(response_url, { ...ephemeral(text), replace_original: false });
  };
  const linked = await linkedPerson({ chat: "slack", team: team.id, user: user.id }, parts);
  if (!linked.ok) return tell(linked.says);
  const request = await parts.desk.get(id);
  const decidable = await parts.desk.list({ decidableBy: linked.person, limit: 1000 });
  const viewer = { person: linked.person, isAuditor: false, isAdministrator: false };
  if (request === undefined || (!decidable.some((one) => one.id === id) && !maySee(request, viewer)))
    return tell("There is no such request, or it is not yours to see.");
  if (request.phase !== "pending") return tell(`The request is ${request.phase} already.`);
  const what = describeAsk(request.ask, request.rule.name);
  const problem = await parts.openView(trigger_id, decisionView({ request: id, verdict }, what, request.requester.user));
  if (problem !== undefined)
    await tell(`Slack could not show the form (${problem}). Decide at ${parts.consoleUrl}/access/requests/${id}`);
}

async function submitted({ view, user, team }: ViewSubmission, parts: SlackParts): Promise<JsonObject> {
  const decision = decisionOf(view);
  const update = (text: string): JsonObject => ({ response_action: "update", view: resultView(text) });
  if (decision === undefined) return update("Castellan does not know this form.");
  const linked = await linkedPerson({ chat: "slack", team: team.id, user: user.id }, parts);
  if (!linked.ok) return update(linked.says);
  const { request, verdict, comment } = decision;
  const decided = await parts.desk.decide(request, linked.person, verdict, comment, "slack");
  if (!decided.ok) return update(decided.message);
  const { phase } = decided.value;
  return update(phase === "pending" ? "Noted: others must agree, too." : `The request is ${phase}.`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
