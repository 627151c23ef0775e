import { z } from "zod";

const user = z.object({ id: z.string().min(1), name: z.string().optional(), username: z.string().optional() });
const team = z.object({ id: z.string().min(1) });

/** A button of a message was pressed: https://docs.slack.dev/reference/interaction-payloads/block_actions-payload */
const blockActions = z.object({
  type: z.literal("block_actions"),
  user,
  team,
  trigger_id: z.string(),
  response_url: z.string().optional(),
  actions: z.array(z.object({ action_id: z.string(), value: z.string().optional() })).min(1),
});

/** A form was sent: https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload */
const viewSubmission = z.object({
  type: z.literal("view_submission"),
  user,
  team,
  view: z.object({
    callback_id: z.string(),
    private_metadata: z.string(),
    state: z.object({
      values: z.record(z.string(), z.record(z.string(), z.object({ value: z.string().nullish() }))),
    }),
  }),
});

export const interaction = z.discriminatedUnion("type", [blockActions, viewSubmission]);
export type BlockActions = z.infer<typeof blockActions>;
export type ViewSubmission = z.infer<typeof viewSubmission>;

/** A slash command: https://docs.slack.dev/interactivity/implementing-slash-commands */
export const slashCommand = z.object({
  command: z.string(),
  text: z.string().default(""),
  user_id: z.string().min(1),
  user_name: z.string().default(""),
  team_id: z.string().min(1),
});
