import { PhoneNumber } from "callerid/phone";
import { type ChangeEvent, useLayoutEffect, useRef, useState } from "react";

/** A field that formats a number while somebody types, and says what is wrong as soon as no more digits can mend it. */
export function NumberField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [caret, setCaret] = useState<number>();
  const [isLeft, setIsLeft] = useState(false);
  const check = PhoneNumber.check(value);
  const isProblem = !check.ok && value !== "" && (isLeft || !check.incomplete);

  // React puts the caret at the end of a changed text.
  useLayoutEffect(() => {
    if (caret !== undefined) input.current?.setSelectionRange(caret, caret);
  }, [caret, value]);

  function change({ target }: ChangeEvent<HTMLInputElement>) {
    const { text, caret } = PhoneNumber.format(target.value, target.selectionStart ?? target.value.length);
    setIsLeft(false);
    setCaret(caret);
    onChange(text);
  }

  return (
    <label>
      Phone number{" "}
      <input ref={input} type="tel" required value={value} onChange={change} onBlur={() => setIsLeft(true)} aria-invalid={isProblem} />{" "}
      {isProblem && <output>{check.message}</output>}
    </label>
  );
}
