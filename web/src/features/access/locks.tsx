import { Alert, Button, Group, Modal, Stack, Table, Text, Textarea, TextInput, Title, VisuallyHidden } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { Answer, Time } from "../../components/state.tsx";
import { lock, unlock, useLocks } from "./access-api.ts";
import { ActionButton } from "./action-button.tsx";

/** Who may use no grant at all. */
export function Locks() {
  const state = useLocks();
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={3} size="h4">
          Locked people
        </Title>
        <LockButton />
      </Group>
      <Answer state={state}>
        {({ items }) =>
          items.length === 0 ? (
            <Text>Nobody is locked.</Text>
          ) : (
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Who</Table.Th>
                  <Table.Th>Why</Table.Th>
                  <Table.Th>By</Table.Th>
                  <Table.Th>Since</Table.Th>
                  <Table.Th>Until</Table.Th>
                  <Table.Th w={110}>
                    <VisuallyHidden>Actions</VisuallyHidden>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {items.map((lock) => (
                  <Table.Tr key={lock.human} style={{ wordBreak: "break-word" }}>
                    <Table.Td>{lock.human}</Table.Td>
                    <Table.Td>{lock.why}</Table.Td>
                    <Table.Td>{lock.by}</Table.Td>
                    <Table.Td>
                      <Time at={lock.at} />
                    </Table.Td>
                    <Table.Td>{lock.until === undefined ? "unlocked by hand" : <Time at={lock.until} />}</Table.Td>
                    <Table.Td>
                      <ActionButton
                        label="Unlock"
                        size="compact-sm"
                        color="#364fc7"
                        explain={`${lock.human} may ask for access and use it again. Grants that ended stay ended.`}
                        run={() => unlock(lock.human)}
                      />
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          )
        }
      </Answer>
    </Stack>
  );
}

function LockButton() {
  const [opened, setOpened] = useState(false);
  const [human, setHuman] = useState("");
  const [why, setWhy] = useState("");
  const [problem, setProblem] = useState<string>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const answer = await lock(human.trim(), why.trim());
    setProblem(answer.ok ? undefined : answer.message);
    if (answer.ok) setOpened(false);
  };
  return (
    <>
      <Button variant="default" onClick={() => setOpened(true)}>
        Lock a person
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title="Lock a person" closeButtonProps={{ "aria-label": "Close" }}>
        <form onSubmit={(event) => void submit(event)}>
          <Stack>
            <Text>All their grants end now, their streams are cut, and no new ones are given until they are unlocked.</Text>
            {problem !== undefined && (
              <Alert color="red" title="It was not done" role="alert">
                {problem}
              </Alert>
            )}
            <TextInput
              label="Who"
              description="As the directory names them, else issuer#subject."
              required
              data-autofocus
              value={human}
              onChange={(event) => setHuman(event.currentTarget.value)}
            />
            <Textarea label="Why" required value={why} onChange={(event) => setWhy(event.currentTarget.value)} />
            <Group justify="flex-end">
              <Button variant="default" onClick={() => setOpened(false)}>
                Back
              </Button>
              <Button type="submit" color="#c92a2a" disabled={human.trim() === "" || why.trim() === ""}>
                Lock
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
