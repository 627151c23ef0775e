import { Alert, Button, Group, Select, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useAnswer } from "../api.ts";
import { act } from "../session.ts";

/** Begins a review of the cluster's bindings; begun again by the same name it takes up new ones. */
export function NewReview() {
  const { value } = useAnswer("/api/v1/overview");
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const clusters = value?.clusters ?? [];
  const cluster = chosen ?? clusters[0];
  const [answer, setAnswer] = useState<{ readonly text: string; readonly failed: boolean }>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const begun = await act<{ readonly added: number }>("/api/v1/reviews", { cluster, name: name.trim() });
    setAnswer(
      begun.ok
        ? { text: `${begun.value.added} bindings are to be decided.`, failed: false }
        : { text: begun.message, failed: true },
    );
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Group align="end">
        <TextInput
          label="New review"
          placeholder="2026-q4"
          required
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {clusters.length > 1 && (
          <Select label="of" data={[...clusters]} value={cluster ?? null} onChange={setChosen} allowDeselect={false} />
        )}
        <Button type="submit" disabled={name.trim() === "" || cluster === undefined}>
          Begin
        </Button>
        {answer?.failed === false && <Text role="status">{answer.text}</Text>}
      </Group>
      {answer?.failed === true && (
        <Alert color="red" title="It did not begin" role="alert" mt="sm">
          {answer.text}
        </Alert>
      )}
    </form>
  );
}
