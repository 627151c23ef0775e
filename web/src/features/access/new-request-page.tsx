import {
  Alert,
  Button,
  Group,
  NumberInput,
  SegmentedControl,
  Select,
  Stack,
  Switch,
  Text,
  Textarea,
  TextInput,
} from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useLocation, useSearchParams } from "wouter";
import { useNow } from "../../clock.ts";
import { open } from "./access-api.ts";
import { type Draft, isInVain, OutlookNote, useOutlook, Where, wantedMilliseconds } from "./outlook.tsx";

/** A denial's deep link: `?exception=POLICY&object=kind/namespace/name`, with `rule` and `apiVersion` where they are known. */
function draftOf(search: URLSearchParams): Draft {
  const [kind = "", namespace = "", name = ""] = (search.get("object") ?? "").split("/");
  return {
    type: search.has("exception") ? "exception" : "session",
    cluster: search.get("cluster") ?? "",
    namespace: search.get("namespace") ?? namespace,
    minutes: 60,
    mode: "gateway",
    breakGlass: search.get("breakGlass") === "true",
    policy: search.get("exception") ?? "",
    rules: search.getAll("rule").join(", "),
    apiVersion: search.get("apiVersion") ?? "",
    kind,
    name,
    days: 7,
    reason: search.get("reason") ?? "",
  };
}

/** What the server is asked for. */
function wantedOf(draft: Draft, now: number): object {
  const { reason, breakGlass, namespace } = draft;
  const cluster = draft.cluster === "" ? undefined : draft.cluster;
  if (draft.type === "session") {
    const { mode } = draft;
    return { cluster, ask: { type: "session", namespace, milliseconds: wantedMilliseconds(draft), mode }, reason, breakGlass };
  }
  const { policy, rules, apiVersion, kind, name } = draft;
  const ask = {
    type: "exception",
    policy,
    rules: rules
      .split(",")
      .map((rule) => rule.trim())
      .filter((rule) => rule !== ""),
    object: { apiVersion, kind, namespace, name },
    until: now + wantedMilliseconds(draft),
  };
  return { cluster, ask, reason };
}

import { PageTitle } from "../../components/page-title.tsx";
export function NewRequestPage() {
  const [search] = useSearchParams();
  const [, navigate] = useLocation();
  const [draft, setDraft] = useState<Draft>(() => draftOf(search));
  const [state, setState] = useState<{ readonly busy: boolean; readonly problem?: string }>({ busy: false });
  const now = useNow();
  const outlook = useOutlook(draft);
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setState({ busy: true });
    const answer = await open(wantedOf(draft, now));
    if (answer.ok) navigate(`/access/requests/${answer.value.id}`);
    else setState({ busy: false, problem: answer.message });
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack maw={640}>
        <PageTitle text="New request" />
        <SegmentedControl
          aria-label="What for"
          value={draft.type}
          onChange={(type) => change({ type: type === "exception" ? "exception" : "session", breakGlass: false })}
          data={[
            { value: "session", label: "Access for a while" },
            { value: "exception", label: "Policy exception" },
          ]}
        />
        <Where draft={draft} change={change} outlook={outlook} />
        {draft.type === "session" ? <Session draft={draft} change={change} /> : <Exception draft={draft} change={change} />}
        <Textarea
          label="Why"
          description={draft.breakGlass ? "Everyone who is told of it reads this." : "Whoever decides reads this."}
          required
          value={draft.reason}
          onChange={(event) => change({ reason: event.currentTarget.value })}
          autosize
          minRows={2}
        />
        <OutlookNote draft={draft} outlook={outlook} />
        {state.problem !== undefined && (
          <Alert color="red" title="It was not asked for" role="alert">
            {state.problem}
          </Alert>
        )}
        <Group>
          <Button
            type="submit"
            loading={state.busy}
            color={draft.breakGlass ? "#c92a2a" : undefined}
            disabled={draft.reason.trim() === "" || isInVain(draft, outlook)}
          >
            {draft.breakGlass ? "Break the glass" : "Ask for it"}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface PartProps {
  readonly draft: Draft;
  readonly change: (part: Partial<Draft>) => void;
}

function Session({ draft, change }: PartProps) {
  return (
    <>
      <Text c="dimmed">
        An access rule has to offer it: the role of the rule, in one namespace, for as long as it is approved.
      </Text>
      <TextInput
        label="Namespace"
        required
        value={draft.namespace}
        onChange={(event) => change({ namespace: event.currentTarget.value })}
      />
      <NumberInput
        label="Minutes"
        required
        min={1}
        max={10_080}
        value={draft.minutes}
        onChange={(value) => change({ minutes: Number(value) })}
      />
      <Select
        label="How you will work"
        allowDeselect={false}
        value={draft.mode}
        onChange={(mode) => change({ mode: mode === "rolebinding" ? "rolebinding" : "gateway" })}
        data={[
          { value: "gateway", label: "Through the gateway" },
          { value: "rolebinding", label: "Directly, by a role binding that is removed in time" },
        ]}
      />
      <Switch
        label="Break-glass: it cannot wait for an approval"
        description="Works only where a rule allows it. It is announced at once, recorded, and reviewed afterwards."
        checked={draft.breakGlass}
        onChange={(event) => change({ breakGlass: event.currentTarget.checked })}
      />
    </>
  );
}

function Exception({ draft, change }: PartProps) {
  const text = (name: "policy" | "rules" | "apiVersion" | "kind" | "namespace" | "name") => ({
    value: draft[name],
    onChange: (event: { readonly currentTarget: { readonly value: string } }) => change({ [name]: event.currentTarget.value }),
  });
  return (
    <>
      <Text c="dimmed">One object may break one policy, until the time you name.</Text>
      <TextInput label="Policy" required {...text("policy")} />
      <TextInput label="Rules of it" description="Empty: all. Several are parted by commas." {...text("rules")} />
      <Group grow>
        <TextInput label="API version" placeholder="apps/v1" required {...text("apiVersion")} />
        <TextInput label="Kind" placeholder="Deployment" required {...text("kind")} />
      </Group>
      <Group grow>
        <TextInput label="Namespace" {...text("namespace")} />
        <TextInput label="Name" required {...text("name")} />
      </Group>
      <NumberInput
        label="Days"
        required
        min={1}
        max={400}
        value={draft.days}
        onChange={(value) => change({ days: Number(value) })}
      />
    </>
  );
}
