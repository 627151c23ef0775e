import { Anchor, Group, Stack, Table, Text, VisuallyHidden } from "@mantine/core";
import { Link } from "wouter";
import { PageTitle } from "../../components/page-title.tsx";
import { Answer, Time } from "../../components/state.tsx";
import { type RequestView, review, revoke, useRequests } from "./access-api.ts";
import { ActionButton } from "./action-button.tsx";
import { askText, Phase, personText, whoReviews } from "./wording.tsx";

/** Break-glass access, what nobody has looked at yet first. */
export function BreakGlassPage() {
  const state = useRequests({ breakGlass: true });
  return (
    <Stack>
      <PageTitle text="Break-glass" />
      <Text c="dimmed">
        Access that was taken without an approval. Those whom the rule&apos;s approvals name look at what was done, and may end
        it.
      </Text>
      <Answer state={state}>
        {({ items }) => {
          const given = items.filter((request) => request.grant !== undefined);
          return given.length === 0 ? <Text>The glass is whole: nobody has broken it.</Text> : <Taken items={given} />;
        }}
      </Answer>
    </Stack>
  );
}

function Taken({ items }: { readonly items: readonly RequestView[] }) {
  const sorted = [...items].sort(
    (a, b) => Number(a.reviewed !== undefined) - Number(b.reviewed !== undefined) || b.opened - a.opened,
  );
  return (
    <Table.ScrollContainer minWidth={760}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Who</Table.Th>
            <Table.Th>What</Table.Th>
            <Table.Th>Why</Table.Th>
            <Table.Th w={220}>When</Table.Th>
            <Table.Th w={120}>State</Table.Th>
            <Table.Th w={220}>
              <VisuallyHidden>Review</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {sorted.map((request) => (
            <Table.Tr key={request.id} style={{ wordBreak: "break-word" }}>
              <Table.Td>{personText(request.requester)}</Table.Td>
              <Table.Td>
                <Anchor inherit component={Link} href={`/access/requests/${request.id}`}>
                  {askText(request)}
                </Anchor>
              </Table.Td>
              <Table.Td>{request.reason}</Table.Td>
              <Table.Td>
                <Time at={request.opened} />
              </Table.Td>
              <Table.Td>
                <Phase request={request} />
              </Table.Td>
              <Table.Td>
                {request.reviewed !== undefined
                  ? `${personText(request.reviewed.by)}: ${request.reviewed.comment}`
                  : whoReviews(request)}
                <Group gap="xs">
                  {request.mayReview && (
                    <ActionButton
                      label="Record a review"
                      size="compact-sm"
                      color="#364fc7"
                      explain={`What ${request.requester.user} did with this access was looked at.`}
                      reason="required"
                      reasonLabel="What you found"
                      run={(comment) => review(request.id, comment)}
                    />
                  )}
                  {request.mayRevoke && (
                    <ActionButton
                      label="Revoke"
                      size="compact-sm"
                      explain={`The access of ${request.requester.user} ends now; open streams are cut within a second.`}
                      reason="required"
                      run={(why) => revoke(request.id, why)}
                    />
                  )}
                </Group>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
