import { Alert, Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { describeDuration } from "../../../../src/access/describe-ask.ts";
import { type Offer, useOffer } from "./access-api.ts";
import { slotText } from "./wording.tsx";

/** A request while it is written. */
export interface Draft {
  readonly type: "session" | "exception";
  /** Empty: the only one. */
  readonly cluster: string;
  readonly namespace: string;
  readonly minutes: number;
  readonly mode: "gateway" | "rolebinding";
  readonly breakGlass: boolean;
  readonly policy: string;
  readonly rules: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly days: number;
  readonly reason: string;
}

interface WhereProps {
  readonly draft: Draft;
  readonly change: (part: Pick<Draft, "cluster">) => void;
  readonly outlook: Outlook;
}

type Outlook = ReturnType<typeof useOutlook>;

const isBegun = ({ namespace, type, policy }: Draft): boolean => namespace !== "" && (type === "session" || policy !== "");

/** The server has said that asking would be in vain. What it has not said is worth a try. */
export const isInVain = (draft: Draft, { value }: Outlook): boolean =>
  value !== undefined && isBegun(draft) && (value.offer === undefined || value.offer.verdict === "reject");

/** How long it is wanted, milliseconds. */
export const wantedMilliseconds = ({ type, minutes, days }: Draft): number =>
  type === "session" ? minutes * 60_000 : days * 86_400_000;

/** What the server says would come of it; asked again when typing pauses. */
export function useOutlook(draft: Draft) {
  const { type, cluster, namespace, breakGlass, policy, apiVersion, kind, name } = draft;
  const session = { type, cluster, namespace, breakGlass, milliseconds: Math.max(1000, wantedMilliseconds(draft)) };
  const [asked] = useDebouncedValue(
    JSON.stringify(type === "session" ? session : { ...session, policy, apiVersion, kind, name }),
    300,
  );
  return useOffer(JSON.parse(asked));
}

/** Asked only where there are several. */
export function Where({ draft, change, outlook }: WhereProps) {
  const clusters = outlook.value?.clusters ?? [];
  if (clusters.length < 2) return null;
  return (
    <Select
      label="Cluster"
      required
      allowDeselect={false}
      data={[...clusters]}
      value={draft.cluster || null}
      onChange={(cluster) => change({ cluster: cluster ?? "" })}
    />
  );
}

/** Who will be asked, before anybody is. */
export function OutlookNote({
  draft,
  outlook: { value: outlook, problem },
}: {
  readonly draft: Draft;
  readonly outlook: Outlook;
}) {
  if (problem !== undefined)
    return (
      <Alert color="yellow" title="What would come of it is not known" role="status">
        {problem}
      </Alert>
    );
  if (outlook === undefined || !isBegun(draft)) return null;
  const { offer } = outlook;
  if (offer === undefined)
    return (
      <Alert color="yellow" title="No rule offers this to you" role="status">
        {draft.breakGlass ? "Without break-glass there may be one." : "Look at the namespace and what you ask for."}
      </Alert>
    );
  return (
    <Alert color={offer.verdict === "reject" ? "red" : "blue"} title={`By the rule ${offer.rule}`} role="status">
      {outlookText(offer, draft)}
    </Alert>
  );
}

function outlookText({ verdict, because, slots, grantMilliseconds, role }: Offer, draft: Draft): string {
  if (verdict === "reject") return `It would be refused: ${because}`;
  const what = draft.type === "exception" ? "The exception" : role === undefined ? "Access" : `${role.kind} ${role.name}`;
  const agree = slots.map((slot) => `${slot.count === 1 ? "" : `${slot.count} of `}${slotText(slot, "you")}`).join(", and ");
  const who = verdict === "approve" ? "the rule itself approves at once" : `must be approved by ${agree}`;
  const most = grantMilliseconds < wantedMilliseconds(draft) ? ", which is the longest" : "";
  return `${what}, for ${describeDuration(grantMilliseconds)}${most}; ${who}.`;
}
