import { Anchor, Button, Code, Group, Modal, Select, Stack, Table, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { useSearchParams } from "wouter";
import { type RecordView, useAnswer } from "../api.ts";
import { useCluster } from "../cluster.tsx";
import { PageTitle } from "../components/page-title.tsx";
import { Answer, Time } from "../components/state.tsx";
import { YamlView } from "../components/yaml-view.tsx";

const pageSize = 100;

export function AuditPage() {
  const [search, setSearch] = useSearchParams();
  const [limit, setLimit] = useState(pageSize);
  const questions = useAnswer("/api/v1/audit/questions");
  const cluster = useCluster();
  const saved = search.get("saved") ?? undefined;
  const record = search.get("record") ?? "";
  const opened = /^\d{1,15}$/.test(record) ? Number(record) : undefined;
  const actor = search.get("actor") ?? "";
  const [who] = useDebouncedValue(actor, 200);
  const state = useAnswer("/api/v1/audit/records", {
    query: { saved, cluster, actor: who === "" ? undefined : `${who}*`, limit },
  });
  const set = (name: string, value: string) =>
    setSearch((before) => {
      if (value === "") before.delete(name);
      else before.set(name, value);
      return before;
    });
  return (
    <Stack>
      <PageTitle text="Audit" />
      <Group align="end">
        <Select
          label="Question"
          placeholder="Everything"
          data={(questions.value?.items ?? []).map(({ name, question }) => ({ value: name, label: question }))}
          value={saved ?? null}
          onChange={(value) => set("saved", value ?? "")}
          clearable
          w={420}
        />
        <TextInput
          label="Who"
          placeholder="name begins with"
          value={actor}
          onChange={(event) => set("actor", event.currentTarget.value)}
        />
      </Group>
      <Answer state={state}>
        {({ items }) => (
          <>
            <RecordTable items={items} open={(seq) => set("record", String(seq))} />
            {items.length === limit && (
              <Button variant="default" onClick={() => setLimit(Math.min(limit + pageSize, 1000))} disabled={limit >= 1000}>
                {limit >= 1000 ? "Narrow the search to see more" : "Show more"}
              </Button>
            )}
          </>
        )}
      </Answer>
      <Modal
        opened={opened !== undefined}
        onClose={() => set("record", "")}
        title={`Record ${opened ?? ""}`}
        size="xl"
        closeButtonProps={{ "aria-label": "Close" }}
      >
        {opened !== undefined && <Evidence seq={opened} />}
      </Modal>
    </Stack>
  );
}

function RecordTable({ items, open }: { readonly items: readonly RecordView[]; readonly open: (seq: number) => void }) {
  if (items.length === 0) return <Text>No record matches.</Text>;
  return (
    <Table.ScrollContainer minWidth={760}>
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={80}>Record</Table.Th>
            <Table.Th w={230}>When</Table.Th>
            <Table.Th>Who</Table.Th>
            <Table.Th>Did</Table.Th>
            <Table.Th>What</Table.Th>
            <Table.Th>Outcome</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((row) => (
            <Table.Tr key={row.seq}>
              <Table.Td>
                <Anchor component="button" onClick={() => open(row.seq)} aria-label={`Evidence of record ${row.seq}`}>
                  {row.seq}
                </Anchor>
              </Table.Td>
              <Table.Td>
                <Time at={row.at} />
              </Table.Td>
              <Table.Td style={{ wordBreak: "break-word" }}>{row.actor ?? "Castellan"}</Table.Td>
              <Table.Td>{row.verb ?? row.kind}</Table.Td>
              <Table.Td style={{ wordBreak: "break-word" }}>
                {[row.resource, row.namespace, row.name].filter((part) => part !== null).join(" / ")}
              </Table.Td>
              <Table.Td>{row.outcome}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Evidence({ seq }: { readonly seq: number }) {
  const state = useAnswer("/api/v1/audit/records/{seq}", { path: { seq } });
  return (
    <Answer state={state}>
      {(evidence) => (
        <Stack gap="sm">
          <YamlView value={JSON.parse(evidence.record)} mark={[]} label="The record" />
          <Text size="sm">
            Save this proof and check it without this server:{" "}
            <Code>castellan audit proof --check proof.json --keys ledger-keys.txt</Code>
          </Text>
          <Button
            component="a"
            variant="default"
            href={`data:application/json,${encodeURIComponent(JSON.stringify(evidence, null, 2))}`}
            download={`castellan-record-${seq}.json`}
          >
            Save the proof ({evidence.proof.length} hashes)
          </Button>
          <Code block style={{ whiteSpace: "pre-wrap", wordBreak: "break-all" }}>
            {evidence.checkpoint}
          </Code>
        </Stack>
      )}
    </Answer>
  );
}
