// Repeats a test, once, if the machine and not the page was at fault: the browser crashed, or it got no memory. Any other failure fails the run,
// also if the test passes the second time.

const SHORTAGE = /Page crashed|Target crashed|ERR_INSUFFICIENT_RESOURCES/;

export default class {
  #failed = false;

  onTestEnd(test, result) {
    if (result.status === "passed" || result.status === "skipped") return;
    const isShortage = result.errors.some(({ message }) => SHORTAGE.test(message));
    if (isShortage && result.retry < test.retries) console.log(`${test.title}: repeated, as the browser was short of memory or crashed`);
    else this.#failed = true;
  }

  onEnd() {
    if (this.#failed) return { status: "failed" };
  }
}
