import { Alert, Button, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useSearchParams } from "wouter";
import { act, type Done, useUser } from "../../session.ts";

/** Says to the code on a terminal that it is me who logs in there. A link fills the code in; only the button sends it. */
export function DevicePage() {
  const [search] = useSearchParams();
  const [code, setCode] = useState(search.get("user_code") ?? "");
  const [answer, setAnswer] = useState<Done<unknown>>();
  const [busy, setBusy] = useState(false);
  const { value } = useUser();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setAnswer(await act("/oauth/device", { user_code: code.trim() }));
    setBusy(false);
  };
  if (answer?.ok === true)
    return (
      <Alert color="green" title="The terminal is logged in" role="status" maw={560}>
        You can close this page.
      </Alert>
    );
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack maw={560}>
        <Title order={2}>Log in a terminal</Title>
        <Text>
          The terminal that shows this code will act as {value?.user.name ?? "you"}. Go on only if you have just started{" "}
          <code>castellan login</code> yourself and it shows the same code.
        </Text>
        {answer?.ok === false && (
          <Alert color="red" title="It was not accepted" role="alert">
            {answer.message}
          </Alert>
        )}
        <TextInput
          label="Code"
          placeholder="ABCD-EFGH"
          required
          autoComplete="off"
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
        />
        <Group>
          <Button type="submit" loading={busy} disabled={code.trim() === ""}>
            Log it in
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
