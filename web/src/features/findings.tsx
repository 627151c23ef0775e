import { Anchor, Button, Code, Drawer, Group, List, MultiSelect, Stack, Table, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { Link, useLocation, useParams, useSearchParams } from "wouter";
import { count } from "../../../src/report/text.ts";
import { type Answer, type FindingRow, query, shortPolicy, useAnswer } from "../api.ts";
import { useCluster, useSeveralClusters } from "../cluster.tsx";
import { DocumentTitle, PageTitle } from "../components/page-title.tsx";
import { SeverityBadge, Answer as Shown, worstFirst } from "../components/state.tsx";
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
    query: { limit, text: words, cluster, namespace, severity, policy: search.getAll("policy"), status: search.getAll("status") },
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
      <PageTitle text="Findings" />
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
        {(namespace.length > 0 || search.has("policy") || search.has("status")) && (
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
      {search.getAll("status").map((status) => (
        <Text key={status} size="sm">
          {statusTexts.get(status)}
        </Text>
      ))}
      <Shown state={state}>
        {({ total, warnings, errors, items }) => (
          <>
            <Text c="dimmed" size="sm" aria-live="polite">
              {count(total, "finding")}: {count(total - warnings - errors, "failure")}, {count(warnings, "warning")}
              {errors > 0 && `, ${errors} could not be checked`}
            </Text>
            <FindingTable items={items} search={search} />
            {total > items.length && (
              <Button variant="default" onClick={() => setLimit(Math.min(limit + pageSize, 1000))} disabled={limit >= 1000}>
                {limit >= 1000 ? "Narrow the search to see more" : `Show more of ${total}`}
              </Button>
            )}
          </>
        )}
      </Shown>
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

const statusTexts: ReadonlyMap<string, string> = new Map([
  ["fail", "failures"],
  ["warn", "warnings"],
  ["error", "what could not be checked"],
]);

function FindingTable({ items, search }: { readonly items: readonly FindingRow[]; readonly search: URLSearchParams }) {
  const areSeveral = useSeveralClusters();
  if (items.length === 0) return <Text>Nothing to see: no finding matches.</Text>;
  return (
    <div className="stacking">
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={110}>Severity</Table.Th>
            <Table.Th w={260}>Object</Table.Th>
            <Table.Th>What is wrong</Table.Th>
            <Table.Th w={230}>Policy</Table.Th>
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
                  {areSeveral ? `${row.cluster} ${row.namespace}` : row.namespace}
                </Text>
              </Table.Td>
              <Table.Td style={{ wordBreak: "break-word" }}>
                {row.status === "error" ? `Could not be checked: ${row.message}` : row.message}
              </Table.Td>
              <Table.Td style={{ wordBreak: "break-word" }}>
                <Text size="sm">{row.title || row.rule}</Text>
                <Text size="xs" c="dimmed">
                  {shortPolicy(row.policy)}
                </Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

type FindingDetail = Answer<"/api/v1/findings/{id}">;

/** Exceptions are from policies of one's own; the built-in checks stop nobody, and guardrails have approvals. */
function Exception({ finding }: { readonly finding: FindingDetail }) {
  const own = useAnswer("/api/v1/policies", { query: { cluster: finding.cluster } }).value?.items ?? [];
  const apiVersion = finding.object?.["apiVersion"];
  const isOwn = own.some(({ name }) => name === finding.policy) && !finding.policy.startsWith("castellan.dev/");
  if (!isOwn || typeof apiVersion !== "string") return null;
  const object = `${finding.kind}/${finding.namespace}/${finding.name}`;
  const { policy: exception, rule, cluster } = finding;
  return (
    <Text size="sm">
      It cannot be put right in time?{" "}
      <Anchor component={Link} href={`/access/new${query({ exception, rule, object, apiVersion, cluster })}`}>
        Ask for an exception
      </Anchor>
    </Text>
  );
}

const parametersOf = (search: URLSearchParams) =>
  Object.fromEntries([...new Set(search.keys())].map((name) => [name, search.getAll(name)]));

function Detail({ id }: { readonly id: string }) {
  const [search] = useSearchParams();
  const cluster = search.get("of") ?? undefined;
  const state = useAnswer("/api/v1/findings/{id}", { path: { id }, query: { cluster } });
  return (
    <Shown state={state}>
      {(finding) => (
        <Stack gap="sm">
          <DocumentTitle text={`${finding.kind} ${finding.name}: ${finding.title || finding.policy}`} />
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
          <Exception finding={finding} />
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
    </Shown>
  );
}
