import { Anchor, Stack, Table, Text, VisuallyHidden } from "@mantine/core";
import { Link } from "wouter";
import { PageTitle } from "../../components/page-title.tsx";
import { Answer, Time } from "../../components/state.tsx";
import { isAdministrator, useUser } from "../../session.ts";
import { lock, type RequestView, revoke, useRequests } from "./access-api.ts";
import { ActionButton } from "./action-button.tsx";
import { Locks } from "./locks.tsx";
import { Left } from "./requests-page.tsx";
import { askText, BreakGlass, personText } from "./wording.tsx";

/** Everybody's live access, with what is left of it. */
export function GrantsPage() {
  const state = useRequests({ phase: "granted" });
  const user = useUser();
  return (
    <Stack>
      <PageTitle text="Grants" />
      <Answer state={state}>
        {({ items }) =>
          items.length === 0 ? (
            <Text>No access is granted at the moment.</Text>
          ) : (
            <GrantTable items={items} mayLock={isAdministrator(user)} />
          )
        }
      </Answer>
      {isAdministrator(user) && <Locks />}
    </Stack>
  );
}

function GrantTable({ items, mayLock }: { readonly items: readonly RequestView[]; readonly mayLock: boolean }) {
  return (
    <Table.ScrollContainer minWidth={760}>
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Who</Table.Th>
            <Table.Th>What</Table.Th>
            <Table.Th>Rule</Table.Th>
            <Table.Th w={220}>Until</Table.Th>
            <Table.Th w={110}>Left</Table.Th>
            <Table.Th w={110}>
              <VisuallyHidden>Actions</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((request) => (
            <Table.Tr key={request.id} style={{ wordBreak: "break-word" }}>
              <Table.Td>{personText(request.requester)}</Table.Td>
              <Table.Td>
                <Anchor inherit component={Link} href={`/access/requests/${request.id}`}>
                  {askText(request)}
                </Anchor>{" "}
                {request.breakGlass && <BreakGlass />}
              </Table.Td>
              <Table.Td>{request.rule.name}</Table.Td>
              <Table.Td>{request.grant !== undefined && <Time at={request.grant.until} />}</Table.Td>
              <Table.Td>
                <Left request={request} />
              </Table.Td>
              <Table.Td>
                {request.mayRevoke && (
                  <ActionButton
                    label="Revoke"
                    size="compact-sm"
                    explain={`The access of ${request.requester.user} ends now; open streams are cut within a second.`}
                    reason="required"
                    run={(why) => revoke(request.id, why)}
                  />
                )}
                {mayLock && (
                  <ActionButton
                    label="Lock the person"
                    size="compact-sm"
                    explain={`All access of ${request.requester.user} ends now, and no new one is given until they are unlocked.`}
                    reason="required"
                    run={(why) => lock(request.requester.human, why)}
                  />
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
