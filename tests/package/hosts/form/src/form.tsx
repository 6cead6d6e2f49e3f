// A form that validates a number: it formats and checks while somebody types, shows the code, and waits for the result.

import { type CallerIdClient, FriendlyName, type ValidationRequest, isRestException } from "callerid";
import { type FormEvent, useState } from "react";
import { NumberField } from "./number-field";
import { useValidation } from "./use-validation";

export function ValidationForm({ client }: { client: CallerIdClient }) {
  const [number, setNumber] = useState("");
  const [name, setName] = useState("");
  const [request, setRequest] = useState<ValidationRequest>();
  const [problem, setProblem] = useState("");
  const { callerId, error } = useValidation(client, request);
  const nameCheck = FriendlyName.check(name);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setProblem("");
    setRequest(undefined);
    try {
      setRequest(await client.create({ phoneNumber: number, friendlyName: name }));
      setNumber("");
      setName("");
    } catch (error) {
      const isKnown = isRestException(error) && error.code === 21450;
      setProblem(isKnown ? "That number is validated already." : error instanceof Error ? error.message : String(error));
    }
  }

  return (
    <form onSubmit={submit}>
      <NumberField value={number} onChange={setNumber} />
      <label>
        Name <input value={name} onChange={(event) => setName(event.target.value)} />
      </label>
      {nameCheck.ok || <p role="alert">{nameCheck.message}</p>}
      <button disabled={!nameCheck.ok}>Validate</button>
      {problem && <p role="alert">{problem}</p>}
      {request && !callerId && !error && <p role="status">Key {request.validationCode} when your phone rings.</p>}
      {callerId && <p role="status">{callerId.friendlyName} is validated.</p>}
      {error && <p role="alert">{error.message}</p>}
    </form>
  );
}
