import { Alert, Anchor, Badge, Button, Center, Group, Loader, Modal, Stack, Table, Text, TextInput } from "@mantine/core";
import { lazy, Suspense } from "react";
import { Link, useLocation, useParams, useSearchParams } from "wouter";
import { describeDuration } from "../../../../src/access/describe-ask.ts";
import { PageTitle } from "../../components/page-title.tsx";
import { Answer, Time } from "../../components/state.tsx";
import { type RecordingRow, recordingFile, useRecording, useRecordings } from "./access-api.ts";

const Player = lazy(() => import("./player.tsx").then(({ Player }) => ({ default: Player })));

/** What was done in exec and attach, found by who, where and what. */
export function RecordingsPage() {
  const [search, setSearch] = useSearchParams();
  const text = search.get("text") ?? "";
  const state = useRecordings();
  const { id } = useParams<{ id?: string }>();
  const [, navigate] = useLocation();
  const back = () => navigate(`/access/recordings${text === "" ? "" : `?${search}`}`);
  return (
    <Stack>
      <PageTitle text="Recordings" />
      <TextInput
        label="Words"
        placeholder="who, pod, namespace, command"
        maw={420}
        value={text}
        onChange={(event) => setSearch(event.currentTarget.value === "" ? {} : { text: event.currentTarget.value })}
      />
      <Answer state={state}>
        {({ items }) => {
          const words = text.toLowerCase().split(/\s+/);
          const found = items.filter((row) => words.every((word) => searchText(row).includes(word)));
          if (items.length === 0)
            return <Text>Nothing is recorded yet. Shells, copies and port-forwards through the gateway appear here.</Text>;
          return found.length === 0 ? <Text>No recording matches.</Text> : <RecordingTable items={found} />;
        }}
      </Answer>
      <Modal opened={id !== undefined} onClose={back} size="80%" title="Recording" closeButtonProps={{ "aria-label": "Close" }}>
        {id !== undefined && <Recording id={id} />}
      </Modal>
    </Stack>
  );
}

const searchText = (row: RecordingRow): string => `${row.user} ${whereText(row)} ${commandText(row)} ${row.kind}`.toLowerCase();
const whereText = ({ namespace, pod, container }: RecordingRow): string =>
  [namespace, pod, container].filter((part) => part !== undefined && part !== "").join("/");
const commandText = ({ command }: RecordingRow): string => command.join(" ");

function RecordingTable({ items }: { readonly items: readonly RecordingRow[] }) {
  const [search] = useSearchParams();
  return (
    <Table.ScrollContainer minWidth={820}>
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Who</Table.Th>
            <Table.Th>Where</Table.Th>
            <Table.Th>Command</Table.Th>
            <Table.Th w={220}>When</Table.Th>
            <Table.Th w={100}>Length</Table.Th>
            <Table.Th w={110}>Request</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((row) => (
            <Table.Tr key={row.id} style={{ wordBreak: "break-word" }}>
              <Table.Td>{row.user}</Table.Td>
              <Table.Td>
                <Anchor inherit component={Link} href={`/access/recordings/${row.id}${search.size === 0 ? "" : `?${search}`}`}>
                  {whereText(row)}
                </Anchor>
              </Table.Td>
              <Table.Td>
                <code>{commandText(row)}</code> {row.kind === "exec" ? "" : `(${row.kind})`}
              </Table.Td>
              <Table.Td>
                <Time at={row.started} />
              </Table.Td>
              <Table.Td>{row.ended === undefined ? "still open" : describeDuration(row.ended - row.started)}</Table.Td>
              <Table.Td>
                {row.request !== undefined && (
                  <Anchor inherit component={Link} href={`/access/requests/${row.request}`}>
                    Request
                  </Anchor>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

/** Where nothing can be compared, as while a session goes on, nothing is said to be changed. */
const verdictOf = ({ verified }: { readonly verified?: boolean }) =>
  verified === undefined ? "not proven" : verified ? "as the ledger says" : "was changed";
const verdictColours = { "not proven": "#495057", "as the ledger says": "#237032", "was changed": "#c92a2a" } as const;

function Recording({ id }: { readonly id: string }) {
  const state = useRecording(id);
  return (
    <Answer state={state}>
      {(row) => (
        <Stack>
          <Group justify="space-between">
            <Text>
              {row.user} in {whereText(row)}: <code>{commandText(row)}</code>, <Time at={row.started} />
            </Text>
            <Group gap="xs">
              <Badge color={verdictColours[verdictOf(row)]} radius="sm">
                {verdictOf(row)}
              </Badge>
              <Button component="a" variant="default" size="compact-sm" href={recordingFile(id)} download={`${id}.cast`}>
                Download
              </Button>
            </Group>
          </Group>
          {row.problem !== undefined && (
            <Alert color={row.verified === false ? "red" : "gray"} title="Not proven to be what was shown">
              {row.problem}
            </Alert>
          )}
          <Suspense
            fallback={
              <Center py="xl">
                <Loader aria-label="Loading the player" />
              </Center>
            }
          >
            <Player url={recordingFile(id)} label={`Terminal of ${row.user}`} />
          </Suspense>
        </Stack>
      )}
    </Answer>
  );
}
