import { Anchor, Button, Drawer, Group, MultiSelect, Select, Stack, Table, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { Link, useLocation, useParams, useSearchParams } from "wouter";
import { count } from "../../../src/report/text.ts";
import { type FindingRow, query, shortPolicy, useAnswer } from "../api.ts";
import { useCluster, useSeveralClusters } from "../cluster.tsx";
import { PageTitle } from "../components/page-title.tsx";
import { Pages } from "../components/pages.tsx";
import { SeverityBadge, Answer as Shown, worstFirst } from "../components/state.tsx";
import { FindingDetail } from "./finding-detail.tsx";
import { type Grouping, GroupTable, groupings } from "./finding-groups.tsx";

const pageSize = 100;

/** In addresses it stands for no namespace, or no team: neither can be called that. */
const nameless = "-";
const unwritten = (name: string): string => (name === nameless ? "" : name);

export function FindingsPage() {
  const [search, setSearch] = useSearchParams();
  const { id } = useParams<{ id?: string }>();
  const [, navigate] = useLocation();
  const severity = search.getAll("severity");
  const text = search.get("text") ?? "";
  const [words] = useDebouncedValue(text, 200);
  const [namespace = [], team = []] = ["namespace", "team"].map((name) => search.getAll(name).map(unwritten));
  const cluster = useCluster();
  const by = groupings.find(({ value }) => value === search.get("group"))?.value;
  const filter = {
    text: words,
    cluster,
    namespace,
    team,
    severity,
    policy: search.getAll("policy"),
    status: search.getAll("status"),
  };
  const set = (name: string, values: readonly string[]) =>
    setSearch((before) => {
      before.delete("page");
      before.delete(name);
      for (const value of values) if (value !== "") before.append(name, value);
      return before;
    });
  const { of: _, ...filtered } = parametersOf(search);
  const back = `/findings${query(filtered)}`;
  const hrefOf = (grouping: Grouping, name: string) =>
    `/findings${query({ ...filtered, group: undefined, page: undefined, [grouping]: name === "" ? nameless : name })}`;
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
        <Select
          label="Group by"
          data={[...groupings]}
          value={by ?? null}
          placeholder="nothing"
          onChange={(value) => set("group", value === null ? [] : [value])}
          clearable
          w={180}
        />
        {["namespace", "team", "policy", "status"].some((name) => search.has(name)) && (
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
      {team.map((name) => (
        <Text key={name} size="sm">
          of {name === "" ? "no team" : `team ${name}`}
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
      {by === undefined ? (
        <FindingList filter={filter} search={search} toPage={(page) => set("page", page === 1 ? [] : [String(page)])} />
      ) : (
        <GroupTable by={by} filter={filter} hrefOf={hrefOf} />
      )}
      <Drawer
        opened={id !== undefined}
        onClose={() => navigate(back)}
        position="right"
        size="xl"
        title="Finding"
        closeButtonProps={{ "aria-label": "Close" }}
      >
        {id !== undefined && <FindingDetail id={id} />}
      </Drawer>
    </Stack>
  );
}

const statusTexts: ReadonlyMap<string, string> = new Map([
  ["fail", "failures"],
  ["warn", "warnings"],
  ["error", "what could not be checked"],
]);

interface ListProps {
  readonly filter: NonNullable<Parameters<typeof query>[0]>;
  readonly search: URLSearchParams;
  readonly toPage: (page: number) => void;
}

function FindingList({ filter, search, toPage }: ListProps) {
  const page = Math.max(1, Math.trunc(Number(search.get("page"))) || 1);
  const state = useAnswer("/api/v1/findings", { query: { ...filter, limit: pageSize, offset: (page - 1) * pageSize } });
  return (
    <Shown state={state}>
      {({ total, warnings, errors, items }) => (
        <>
          <Text c="dimmed" size="sm" aria-live="polite">
            {count(total, "finding")}: {count(total - warnings - errors, "failure")}, {count(warnings, "warning")}
            {errors > 0 && `, ${errors} could not be checked`}
          </Text>
          <FindingTable items={items} search={search} />
          <Pages label="Pages of findings" total={total} pageSize={pageSize} page={page} toPage={toPage} />
        </>
      )}
    </Shown>
  );
}

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

const parametersOf = (search: URLSearchParams) =>
  Object.fromEntries([...new Set(search.keys())].map((name) => [name, search.getAll(name)]));
