// @ts-check
/**
 * Asking a kernel for its sign-in: a silent request on its main shell, which nobody's counts or history notice.
 *
 * Never through a subshell while a cell runs: even a silent request fires IPython's `post_execute`, which flushes the
 * matplotlib figure that the cell is drawing.
 */

/** @import {Finding, Kernel, Known, Place} from "./lab.d.ts" */

const REPLY = "application/vnd.luminary-auth+json", MODULE = "luminary_auth_widget.notebook";

/** When a question is sent again to a kernel that is idle and has not answered, in milliseconds from one to the next. */
const PATIENCE = [2000, 4000, 8000, 16000];

/** Imports nothing of ours: a module that is there already, else whether there is one to import. @param {Place} place */
const peek = (place) =>
  `(lambda module, find: module.side_view(rescue="${place}") if module else "unused" if find("luminary_auth_widget") `
  + `else "missing")(__import__("sys").modules.get("${MODULE}"), __import__("importlib.util").util.find_spec)`;

/** @param {Place} place */
const start = (place) => `__import__("${MODULE}", fromlist=["side_view"]).side_view(start=True, rescue="${place}")`;

/**
 * @param {Kernel} kernel
 * @param {{place: Place, begin?: boolean}} wish to `begin` is to import the library, and sign in with what is there
 * @param {() => boolean} isWanted whether anybody still waits for the answer
 * @returns {Promise<Known|Finding>}
 */
export async function ask(kernel, { place, begin = false }, isWanted) {
  try {
    const info = async () => (await kernel.requestKernelInfo()).content;
    const { name } = (await insist(kernel, kernel.info, info, isWanted)).language_info;
    if (name !== "python") return { kind: "language", detail: name };
    // By `allow_stdin` the library knows that somebody is there.
    const content = {
      code: "", silent: true, store_history: false, stop_on_error: false, allow_stdin: begin,
      user_expressions: { it: begin ? start(place) : peek(place) },
    };
    const request = async () => (await kernel.requestExecute(content, true).done).content;
    const answer = () => insist(kernel, request(), request, isWanted);
    let reply = await answer();
    // A cell that failed takes along what was queued behind it.
    while (reply.status === "aborted" && isWanted()) reply = await answer();
    return read(reply.user_expressions?.it, place);
  } catch (error) {
    // The kernel restarted or went away meanwhile, which its status says as well.
    return { kind: "failed", detail: String(error) };
  }
}

/**
 * Ask again where an idle kernel says nothing: ipykernel 7.0 to 7.3 may not read what arrives in the instant in which it
 * replies to something else, until more arrives (ipython/ipykernel#1554).
 *
 * @template Answer
 * @param {Kernel} kernel @param {Promise<Answer>} first @param {() => Promise<Answer>} again
 * @param {() => boolean} isWanted
 */
async function insist(kernel, first, again, isWanted) {
  const questions = [first];
  for (const patience of PATIENCE) {
    const answer = await Promise.race([...questions, pause(patience)]);
    if (answer) return answer;
    if (!isWanted()) break;
    if (kernel.status === "idle") questions.push(again());
  }
  return Promise.race(questions);
}

/** @param {number} time @returns {Promise<null>} */
const pause = (time) => new Promise((resolve) => setTimeout(resolve, time, null));

/** @param {any} result @param {Place} place @returns {Known|Finding} */
function read(result, place) {
  if (result?.status !== "ok") {
    if (result?.ename === "ModuleNotFoundError") return { kind: "missing" };
    if (["AttributeError", "TypeError"].includes(result?.ename)) return { kind: "old" };
    return { kind: "failed", detail: `${result?.ename}: ${result?.evalue}` };
  }
  const ours = result.data[REPLY];
  if (ours) return { ...ours, offset: ours.traits.kernel_now - Date.now(), place };
  return { kind: result.data["text/plain"] === "'missing'" ? "missing" : "unused" };
}
