import { Badge, Text } from "@mantine/core";
import { describeAsk } from "../../../../src/access/describe-ask.ts";
import type { AccessRequest, ApprovalSlot } from "../../../../src/access/request.ts";

/** What is asked for, in one line; the words are those of the command line and of chats. */
export const askText = ({ ask, rule }: Pick<AccessRequest, "ask" | "rule">): string => describeAsk(ask, rule.name);

export const personText = ({ displayName, user }: AccessRequest["requester"]): string =>
  displayName === undefined || displayName === user ? user : `${displayName} (${user})`;

/** Who is waited for; the rule says it, and a rule that names nobody leaves it so. */
export const whoReviews = ({ reviewers = [] }: Pick<AccessRequest, "reviewers">): string =>
  `by ${reviewers.map(({ name }) => name).join(", ") || "nobody: the rule names none"}`;

/** Who may agree: as the rule names them, with the people whom that is where they are known. */
export function slotText({ name, approvers }: Pick<ApprovalSlot, "name" | "approvers">, requester: string): string {
  const { groups, humans } = approvers;
  const words = name.replace("manager-of(requester)", requester === "you" ? "your manager" : `the manager of ${requester}`);
  if (groups.length + humans.length === 0) return `${words}, who is nobody at the moment`;
  const unnamed = humans.filter((human) => !name.includes(human)).map((human) => human.replace(/^.*#/, ""));
  return unnamed.length === 0 ? words : `${words} (${unnamed.join(", ")})`;
}

/** White on these is above the contrast that WCAG AA asks for. */
const phaseColours: { readonly [phase in AccessRequest["phase"]]: string } = {
  pending: "#1864ab",
  granted: "#237032",
  denied: "#c92a2a",
  cancelled: "#495057",
  lapsed: "#495057",
  ended: "#495057",
};

export function Phase({ request }: { readonly request: Pick<AccessRequest, "phase" | "ended"> }) {
  const why = request.phase === "ended" ? request.ended?.why : undefined;
  return (
    <>
      <Badge color={phaseColours[request.phase]} variant="filled" radius="sm">
        {request.phase}
      </Badge>
      {why !== undefined && (
        <Text size="xs" c="dimmed">
          {why}
        </Text>
      )}
    </>
  );
}

export function BreakGlass() {
  return (
    <Badge color="#c92a2a" variant="filled" radius="sm">
      break-glass
    </Badge>
  );
}
