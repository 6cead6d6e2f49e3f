// The named scripts of phones.

/** What a phone does, and the number that does it by itself, if any. */
export const SCRIPTS = {
  verifies: { text: "Answers, keys the code", number: "2125550171" },
  wrong_code: { text: "Answers, keys a wrong code three times", number: "2125550172" },
  wrong_then_right: { text: "Answers, keys a wrong code, then the right one", number: "2125550173" },
  busy: { text: "Is busy", number: "2125550174" },
  no_answer: { text: "Does not answer", number: "2125550175" },
  declines: { text: "Declines", number: "2125550176" },
  hangs_up: { text: "Answers, hangs up", number: "2125550177" },
  fails: { text: "Cannot be reached", number: "2125550178" },
  answers_silently: { text: "Answers, keys nothing" },
};

/** Says what a script does: a name, or steps. */
export function describe(script) {
  if (typeof script === "string") return SCRIPTS[script]?.text ?? script;
  return script.length === 1 ? "1 step" : `${script.length} steps`;
}
