import { Anchor, Stack, Table, Text, VisuallyHidden } from "@mantine/core";
import { Link } from "wouter";
import { PageTitle } from "../../components/page-title.tsx";
import { Answer, Time } from "../../components/state.tsx";
import { type DeadLetter, sendAgain, useDeadLetters } from "./access-api.ts";
import { ActionButton } from "./action-button.tsx";

/** Messages that reached nobody. */
export function DeadLettersPage() {
  const state = useDeadLetters();
  return (
    <Stack>
      <PageTitle text="Notifications that were not delivered" />
      <Text c="dimmed">Each was tried again and again before it was put here. They stay until somebody sends them again.</Text>
      <Answer state={state}>
        {({ items }) => (items.length === 0 ? <Text>There are none.</Text> : <Letters items={items} />)}
      </Answer>
    </Stack>
  );
}

function Letters({ items }: { readonly items: readonly DeadLetter[] }) {
  return (
    <Table.ScrollContainer minWidth={760}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>To</Table.Th>
            <Table.Th>About</Table.Th>
            <Table.Th>Problem</Table.Th>
            <Table.Th w={220}>Since</Table.Th>
            <Table.Th w={90}>Attempts</Table.Th>
            <Table.Th w={130}>
              <VisuallyHidden>Actions</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((letter) => (
            <Table.Tr key={letter.id} style={{ wordBreak: "break-word" }}>
              <Table.Td>{letter.target}</Table.Td>
              <Table.Td>
                {letter.event}:{" "}
                <Anchor inherit component={Link} href={`/access/requests/${letter.request}`}>
                  {letter.request}
                </Anchor>
              </Table.Td>
              <Table.Td>{letter.problem}</Table.Td>
              <Table.Td>
                <Time at={letter.created} />
              </Table.Td>
              <Table.Td>{letter.attempts}</Table.Td>
              <Table.Td>
                <ActionButton
                  label="Send again"
                  size="compact-sm"
                  color="#364fc7"
                  explain={`It goes to ${letter.target} once more, with as many attempts as a new one.`}
                  run={() => sendAgain(letter.id)}
                />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
