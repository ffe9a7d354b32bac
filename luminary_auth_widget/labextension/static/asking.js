// @ts-check
/**
 * Asking a kernel for its sign-in: a silent request on its main shell, which nobody's counts or history notice.
 *
 * Never through a subshell while a cell runs: even a silent request fires IPython's `post_execute`, which flushes the
 * matplotlib figure that the cell is drawing.
 */

/** @import {Finding, Kernel, Known, Place} from "./lab.d.ts" */

const REPLY = "application/vnd.luminary-auth+json", MODULE = "luminary_auth_widget.notebook";

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
    const { name } = (await kernel.info).language_info;
    if (name !== "python") return { kind: "language", detail: name };
    // By `allow_stdin` the library knows that somebody is there.
    const content = {
      code: "", silent: true, store_history: false, stop_on_error: false, allow_stdin: begin,
      user_expressions: { it: begin ? start(place) : peek(place) },
    };
    const request = async () => (await kernel.requestExecute(content, true).done).content;
    let reply = await request();
    // A cell that failed takes along what was queued behind it.
    while (reply.status === "aborted" && isWanted()) reply = await request();
    return read(reply.user_expressions?.it, place);
  } catch (error) {
    // The kernel restarted or went away meanwhile, which its status says as well.
    return { kind: "failed", detail: String(error) };
  }
}

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
