import { List, Stack, Text } from "@mantine/core";
import type { AccessRequest } from "../../../../src/access/request.ts";
import { Time } from "../../components/state.tsx";
import { personText, slotText } from "./wording.tsx";

function filledBy({ approvals }: AccessRequest, slot: string): string {
  const people = approvals.filter(({ verdict, fills }) => verdict === "approve" && fills?.includes(slot) === true);
  return people.length === 0 ? "" : ` (agreed: ${people.map(({ by }) => personText(by)).join(", ")})`;
}

/** Who has to agree, who did, and who refused. */
export function Slots({ request }: { readonly request: AccessRequest }) {
  const { slots, approvals } = request;
  return (
    <Stack gap="xs">
      {slots.length === 0 && <Text size="sm">The rule {request.rule.name} decides by itself.</Text>}
      {slots.length > 0 && (
        <List size="sm" aria-label="Who has to agree">
          {slots.map((slot) => (
            <List.Item key={slot.name}>
              {slotText(slot, request.requester.user)}: {slot.count === 1 ? "one person" : `${slot.count} different people`}
              {filledBy(request, slot.name)}
            </List.Item>
          ))}
        </List>
      )}
      {approvals.length === 0 && slots.length > 0 && <Text size="sm">Nobody has answered yet.</Text>}
      {approvals.map((approval) => (
        <Text size="sm" key={`${approval.by.issuer} ${approval.by.subject} ${approval.at}`}>
          <Text span fw={600} c={approval.verdict === "approve" ? "var(--castellan-good)" : "var(--castellan-bad)"}>
            {approval.verdict === "approve" ? "✓ approved" : "✗ denied"}
          </Text>{" "}
          by {personText(approval.by)} at <Time at={approval.at} />
          {approval.channel === "console" ? "" : ` (${approval.channel})`}
          {approval.comment === "" ? "" : `: ${approval.comment}`}
        </Text>
      ))}
    </Stack>
  );
}
