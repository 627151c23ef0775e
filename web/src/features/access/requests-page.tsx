import { Anchor, Button, Group, Stack, Table, Text } from "@mantine/core";
import { Link, useParams } from "wouter";
import { describeDuration } from "../../../../src/access/describe-ask.ts";
import { useNow } from "../../clock.ts";
import { PageTitle } from "../../components/page-title.tsx";
import { Answer, Time } from "../../components/state.tsx";
import { cancel, type RequestView, review, revoke, useRequest, useRequests } from "./access-api.ts";
import { ActionButton } from "./action-button.tsx";
import { DecisionForm } from "./decision-form.tsx";
import { RequestDetail } from "./request-detail.tsx";
import { askText, BreakGlass, Phase } from "./wording.tsx";

/** What I asked for, newest first. */
export function MyRequestsPage() {
  const state = useRequests({ mine: true });
  return (
    <Stack>
      <Group justify="space-between">
        <PageTitle text="My requests" />
        <Button component={Link} href="/access/new">
          New request
        </Button>
      </Group>
      <Answer state={state}>
        {({ items }) =>
          items.length === 0 ? (
            <Text>You have asked for nothing yet. What kubectl is refused through the gateway becomes a request by itself.</Text>
          ) : (
            <RequestTable items={items} />
          )
        }
      </Answer>
    </Stack>
  );
}

function RequestTable({ items }: { readonly items: readonly RequestView[] }) {
  return (
    <Table.ScrollContainer minWidth={720}>
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>What</Table.Th>
            <Table.Th w={170}>State</Table.Th>
            <Table.Th>Why</Table.Th>
            <Table.Th w={220}>Asked</Table.Th>
            <Table.Th w={130}>Left</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((request) => (
            <Table.Tr key={request.id}>
              <Table.Td style={{ wordBreak: "break-word" }}>
                <Anchor inherit component={Link} href={`/access/requests/${request.id}`}>
                  {askText(request)}
                </Anchor>{" "}
                {request.breakGlass && <BreakGlass />}
              </Table.Td>
              <Table.Td>
                <Phase request={request} />
              </Table.Td>
              <Table.Td style={{ wordBreak: "break-word" }}>{request.reason}</Table.Td>
              <Table.Td>
                <Time at={request.opened} />
              </Table.Td>
              <Table.Td>
                <Left request={request} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

/** How long the decision may still come, or the grant still lives. */
export function Left({ request }: { readonly request: Pick<RequestView, "phase" | "pendingUntil" | "grant"> }) {
  const now = useNow();
  const until =
    request.phase === "pending" ? request.pendingUntil : request.phase === "granted" ? request.grant?.until : undefined;
  if (until === undefined) return null;
  return <span role="timer">{until <= now ? "over" : describeDuration(until - now)}</span>;
}

/** One request at its own address, for whoever may see it, with what they may do. */
export function RequestPage() {
  const { id = "" } = useParams<{ id: string }>();
  const state = useRequest(id);
  return (
    <Stack>
      <PageTitle text="Request" />
      <Answer state={state}>
        {(request) => (
          <RequestDetail request={request}>
            <Waiting request={request} />
            <DecisionForm key={request.id} request={request} />
            <RequestActions request={request} />
          </RequestDetail>
        )}
      </Answer>
    </Stack>
  );
}

function Waiting({ request }: { readonly request: RequestView }) {
  if (request.phase !== "pending" || request.mayDecide) return null;
  return (
    <Text role="status">
      Waits for a decision; this page shows it as soon as it is there. <Left request={request} /> left.
    </Text>
  );
}

function RequestActions({ request }: { readonly request: RequestView }) {
  return (
    <Group>
      {request.mayCancel && (
        <ActionButton
          label="Cancel the request"
          explain="Nobody needs to decide on it any more."
          run={() => cancel(request.id)}
        />
      )}
      {request.mayRevoke && request.phase === "granted" && (
        <ActionButton
          label="Revoke"
          explain={`The access of ${request.requester.user} ends now; open streams are cut within a second.`}
          reason="required"
          run={(why) => revoke(request.id, why)}
        />
      )}
      {request.mayReview && (
        <ActionButton
          label="Record a review"
          explain="What was done with this access was looked at."
          reason="required"
          reasonLabel="What you found"
          color="#364fc7"
          run={(comment) => review(request.id, comment)}
        />
      )}
    </Group>
  );
}
