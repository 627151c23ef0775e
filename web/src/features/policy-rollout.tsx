import { Alert, Button, Center, Group, Loader, Modal, SegmentedControl, Stack, Table, Text, TextInput } from "@mantine/core";
import { type FormEvent, useEffect, useState } from "react";
import { type Answer, askOnce, type Loading, type PolicyRow } from "../api.ts";
import { act } from "../session.ts";

type Previewed = Answer<"/api/v1/policies/preview">;
type Mode = PolicyRow["mode"];

const shown = 50;

/** Whom a policy would stop, and the way to its next mode. */
export function PolicyRollout({ row }: { readonly row: PolicyRow }) {
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Button variant="default" size="compact-sm" onClick={() => setOpened(true)}>
        Roll out
      </Button>
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        size="xl"
        title={row.title || row.name}
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <Steps row={row} close={() => setOpened(false)} />
      </Modal>
    </>
  );
}

function Steps({ row, close }: { readonly row: PolicyRow; readonly close: () => void }) {
  const { cluster, name: policy } = row;
  const [state, setState] = useState<Loading<Previewed>>({});
  // Everything that is there is judged for it: once, not after each change.
  useEffect(() => {
    const abort = new AbortController();
    askOnce("/api/v1/policies/preview", { query: { cluster, policy } }, abort.signal).then(
      (value) => setState({ value }),
      (error: Error) => {
        if (!abort.signal.aborted) setState({ problem: error.message });
      },
    );
    return () => abort.abort();
  }, [cluster, policy]);
  if (state.problem !== undefined)
    return (
      <Alert color="red" title="There is no preview" role="alert">
        {state.problem}
      </Alert>
    );
  if (state.value === undefined)
    return (
      <Center py="xl">
        <Loader aria-label="Loading" />
      </Center>
    );
  return (
    <Stack>
      <Preview preview={state.value.preview} />
      <Promote row={row} isClean={isClean(state.value.preview)} close={close} />
    </Stack>
  );
}

const isClean = ({ stopped, undecided }: Previewed["preview"]): boolean => stopped.length + undecided.length === 0;

function Preview({ preview }: { readonly preview: Previewed["preview"] }) {
  const { judged, stopped, undecided, notReplayed } = preview;
  return (
    <>
      <Text>
        Enforced, it would stop {stopped.length}, and let {preview.passed} pass; tried on {judged.objects} objects and{" "}
        {judged.requests + judged.recorded} requests of the last week.
        {undecided.length > 0 && ` ${undecided.length} could not be judged.`}
        {notReplayed > 0 && ` Of ${notReplayed} requests the ledger keeps no object.`}
      </Text>
      {!isClean(preview) && (
        <Table.ScrollContainer minWidth={560} mah={320}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Team</Table.Th>
                <Table.Th>What</Table.Th>
                <Table.Th>Why</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {[...stopped, ...undecided].slice(0, shown).map((one) => (
                <Table.Tr
                  key={`${one.source} ${one.rule} ${one.kind} ${one.namespace} ${one.name} ${one.message}`}
                  style={{ wordBreak: "break-word" }}
                >
                  <Table.Td>{one.team || "-"}</Table.Td>
                  <Table.Td>
                    {one.kind} {[one.namespace, one.name].filter((part) => part !== "").join("/")}
                    {one.user === "" ? "" : `, by ${one.user}`}
                  </Table.Td>
                  <Table.Td>
                    {one.status === "error" ? "could not be judged: " : ""}
                    {one.message}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {stopped.length + undecided.length > shown && <Text size="sm">and {stopped.length + undecided.length - shown} more</Text>}
    </>
  );
}

interface PromoteProps {
  readonly row: PolicyRow;
  readonly isClean: boolean;
  readonly close: () => void;
}

function Promote({ row, isClean: clean, close }: PromoteProps) {
  const [to, setTo] = useState<Mode>(row.mode);
  const [reason, setReason] = useState("");
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const needsReason = to === "enforce" && !clean;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const words = reason.trim();
    const body = { cluster: row.cluster, policy: row.name, to, ...(words === "" ? {} : { reason: words }) };
    const answer = await act("/api/v1/policies/promote", body);
    setBusy(false);
    if (answer.ok) close();
    else setProblem(answer.message);
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack gap="sm">
        <SegmentedControl
          aria-label="Mode"
          value={to}
          onChange={(value) => setTo(value)}
          data={["audit", "warn", "enforce"] satisfies Mode[]}
          style={{ alignSelf: "start" }}
        />
        <TextInput
          label="Why"
          description={needsReason ? "It stops somebody: say why it is enforced all the same." : undefined}
          required={needsReason}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {problem !== undefined && (
          <Alert color="red" title="The mode is as it was" role="alert">
            {problem}
          </Alert>
        )}
        <Group>
          <Button type="submit" loading={busy} disabled={to === row.mode || (needsReason && reason.trim() === "")}>
            Change the mode
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
