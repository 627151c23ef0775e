import { Anchor, Button, Code, Drawer, Group, List, MultiSelect, Stack, Table, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { Link, useLocation, useParams, useSearchParams } from "wouter";
import { type FindingRow, query, useAnswer } from "../api.ts";
import { useCluster } from "../cluster.tsx";
import { Answer, SeverityBadge, worstFirst } from "../components/state.tsx";
import { YamlView } from "../components/yaml-view.tsx";

const pageSize = 100;

export function FindingsPage() {
  const [search, setSearch] = useSearchParams();
  const [limit, setLimit] = useState(pageSize);
  const { id } = useParams<{ id?: string }>();
  const [, navigate] = useLocation();
  const severity = search.getAll("severity");
  const text = search.get("text") ?? "";
  const [words] = useDebouncedValue(text, 200);
  const namespace = search.getAll("namespace").map((name) => (name === "-" ? "" : name));
  const cluster = useCluster();
  const state = useAnswer("/api/v1/findings", {
    query: { limit, text: words, cluster, namespace, severity, policy: search.getAll("policy") },
  });
  const set = (name: string, values: readonly string[]) =>
    setSearch((before) => {
      before.delete(name);
      for (const value of values) if (value !== "") before.append(name, value);
      return before;
    });
  const { of: _, ...filtered } = parametersOf(search);
  const back = `/findings${query(filtered)}`;
  return (
    <Stack>
      <Title order={2}>Findings</Title>
      <Group align="end">
        <TextInput
          label="Words"
          placeholder="policy, object, message"
          value={text}
          onChange={(event) => set("text", [event.currentTarget.value])}
          w={280}
        />
        <MultiSelect
          label="Severity"
          data={[...worstFirst]}
          value={severity}
          placeholder={severity.length === 0 ? "any" : undefined}
          onChange={(values) => set("severity", values)}
          clearable
          w={280}
        />
        {(namespace.length > 0 || search.has("policy")) && (
          <Button variant="default" onClick={() => setSearch(new URLSearchParams())}>
            Show all
          </Button>
        )}
      </Group>
      {namespace.map((name) => (
        <Text key={name} size="sm">
          in {name === "" ? "no namespace" : `namespace ${name}`}
        </Text>
      ))}
      {search.getAll("policy").map((name) => (
        <Text key={name} size="sm">
          of {name}
        </Text>
      ))}
      <Answer state={state}>
        {({ total, items }) => (
          <>
            <Text c="dimmed" size="sm" aria-live="polite">
              {total} findings
            </Text>
            <FindingTable items={items} search={search} />
            {total > items.length && (
              <Button variant="default" onClick={() => setLimit(Math.min(limit + pageSize, 1000))} disabled={limit >= 1000}>
                {limit >= 1000 ? "Narrow the search to see more" : `Show more of ${total}`}
              </Button>
            )}
          </>
        )}
      </Answer>
      <Drawer
        opened={id !== undefined}
        onClose={() => navigate(back)}
        position="right"
        size="xl"
        title="Finding"
        closeButtonProps={{ "aria-label": "Close" }}
      >
        {id !== undefined && <Detail id={id} />}
      </Drawer>
    </Stack>
  );
}

function FindingTable({ items, search }: { readonly items: readonly FindingRow[]; readonly search: URLSearchParams }) {
  if (items.length === 0) return <Text>Nothing to see: no finding matches.</Text>;
  return (
    <Table.ScrollContainer minWidth={720}>
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={110}>Severity</Table.Th>
            <Table.Th w={260}>Object</Table.Th>
            <Table.Th>What is wrong</Table.Th>
            <Table.Th w={260}>Policy</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((row) => (
            <Table.Tr key={`${row.cluster} ${row.id}`}>
              <Table.Td>
                <SeverityBadge severity={row.severity} />
              </Table.Td>
              <Table.Td style={{ wordBreak: "break-word" }}>
                <Anchor component={Link} href={`/findings/${row.id}${query({ ...parametersOf(search), of: row.cluster })}`}>
                  {row.kind} {row.name}
                </Anchor>
                <Text size="xs" c="dimmed">
                  {row.cluster} {row.namespace}
                </Text>
              </Table.Td>
              <Table.Td style={{ wordBreak: "break-word" }}>
                {row.status === "error" ? `Could not be checked: ${row.message}` : row.message}
              </Table.Td>
              <Table.Td style={{ wordBreak: "break-word" }}>
                <Text size="sm">{row.title || row.rule}</Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

const parametersOf = (search: URLSearchParams) =>
  Object.fromEntries([...new Set(search.keys())].map((name) => [name, search.getAll(name)]));

function Detail({ id }: { readonly id: string }) {
  const [search] = useSearchParams();
  const cluster = search.get("of") ?? undefined;
  const state = useAnswer("/api/v1/findings/{id}", { path: { id }, query: { cluster } });
  return (
    <Answer state={state}>
      {(finding) => (
        <Stack gap="sm">
          <Group>
            <SeverityBadge severity={finding.severity} />
            <Text fw={600}>
              {finding.kind} {finding.namespace === "" ? "" : `${finding.namespace}/`}
              {finding.name}
            </Text>
          </Group>
          <Text>{finding.message}</Text>
          <List size="sm">
            <List.Item>
              <Anchor component={Link} href={`/findings${query({ policy: finding.policy, cluster })}`}>
                {finding.policy}
              </Anchor>{" "}
              rule {finding.rule}
            </List.Item>
            {finding.location !== undefined && (
              <List.Item>
                {finding.location.file}:{finding.location.line}:{finding.location.column}
              </List.Item>
            )}
            {finding.controls.length > 0 && <List.Item>Controls: {finding.controls.join(", ")}</List.Item>}
          </List>
          {finding.fix !== undefined && (
            <>
              <Title order={3} size="h6">
                How to put it right
              </Title>
              <Text size="sm">{finding.fix.description}</Text>
              {finding.fix.patch !== undefined && (
                <Code block>{finding.fix.patch.map((step) => JSON.stringify(step)).join("\n")}</Code>
              )}
              {finding.fix.object !== undefined && (
                <YamlView value={finding.fix.object} mark={[]} label="What would be applied" />
              )}
            </>
          )}
          {finding.evidence !== undefined && (
            <>
              <Title order={3} size="h6">
                Evidence
              </Title>
              <YamlView value={finding.evidence} mark={[]} label="Evidence" />
            </>
          )}
          {finding.object !== undefined && (
            <>
              <Title order={3} size="h6">
                The object
              </Title>
              <YamlView value={finding.object} mark={finding.at} label="The object" />
            </>
          )}
        </Stack>
      )}
    </Answer>
  );
}
