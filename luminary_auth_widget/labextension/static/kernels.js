// @ts-check
/**
 * What each notebook's kernel says of the sign-in: learnt by listening, and asked for only where nothing was heard.
 *
 * A kernel is asked on its main shell, while it is idle. Never through a subshell while a cell runs: even a silent
 * request fires IPython's `post_execute`, which flushes the matplotlib figure that the cell is drawing.
 */

/**
 * @typedef {"none"|"no-kernel"|"connecting"|"language"|"missing"|"old"|"new"|"unused"|"busy"|"restarting"|"dead"
 *   |"failed"|"ready"} Kind
 * @typedef {{kind: Kind, model?: string, detail?: string}} Finding
 * @typedef {{model: string, traits: Record<string, any>}} Known
 * @typedef {{connect(slot: (sender: any, args: any) => void): void}} Signal
 * @typedef {{id: string, status: string, connectionStatus: string, info: Promise<any>,
 *   requestExecute(content: object, dispose: boolean): {done: Promise<{content: any}>}}} Kernel
 * @typedef {{session: {kernel: Kernel|null}|null, kernelChanged: Signal, statusChanged: Signal,
 *   connectionStatusChanged: Signal, iopubMessage: Signal}} SessionContext
 * @typedef {{sessionContext: SessionContext}} Notebook
 */

/** presentation.py's number of the same name. */
export const PROTOCOL = 1;
const OURS = "luminary_auth_widget.widget.AuthWidget";
const REPLY = "application/vnd.luminary-auth+json";
/** Imports nothing of ours: a module that is there already, else whether there is one to import. */
const PEEK = `(lambda module, find: module.side_view() if module else "unused" if find("luminary_auth_widget") else "missing")(
  __import__("sys").modules.get("luminary_auth_widget.notebook"), __import__("importlib.util").util.find_spec)`;
const START = '__import__("luminary_auth_widget.notebook", fromlist=["side_view"]).side_view(start=True)';
const LOST = ["dead", "terminating"], RESTARTING = ["restarting", "autorestarting"];

export class Kernels {
  /** By the kernel's id. @type {Map<string, Known>} */
  known = new Map();
  /** What the kernel has answered in place of a model. @type {Map<string, Finding>} */
  answers = new Map();
  /** The newest question to each kernel; an answer to an older one is void. @type {Map<string, number>} */
  asking = new Map();
  count = 0;

  /** @param {(notebook: Notebook) => void} changed */
  constructor(changed) {
    this.changed = changed;
  }

  /** Listen to every notebook, so that a switch needs no request. @param {Notebook} notebook */
  watch(notebook) {
    const { sessionContext: context } = notebook, changed = () => this.changed(notebook);
    const forget = () => this.forget(kernelOf(notebook)?.id), changedAnew = () => (forget(), changed());
    // A restart that was asked for is a change to a kernel of the same id; a crash is only a status.
    context.kernelChanged.connect((_, { oldValue }) => (this.forget(oldValue?.id), changedAnew()));
    context.statusChanged.connect((_, status) => [...LOST, ...RESTARTING].includes(status) ? changedAnew() : changed());
    // What was said meanwhile is lost.
    context.connectionStatusChanged.connect((_, status) => (status === "connected" ? changed() : changedAnew()));
    context.iopubMessage.connect((_, message) => this.hear(kernelOf(notebook)?.id, message) && changed());
  }

  /** What is known now, without a word to the kernel. @param {Notebook|null} notebook @returns {Finding} */
  of(notebook) {
    if (!notebook) return { kind: "none" };
    const kernel = kernelOf(notebook);
    if (!kernel) return { kind: "no-kernel" };
    if (RESTARTING.includes(kernel.status)) return { kind: "restarting" };
    if (LOST.includes(kernel.status)) return { kind: "dead" };
    const known = this.known.get(kernel.id);
    if (known) return known.traits.protocol === PROTOCOL ? { kind: "ready", model: known.model } : disagreement(known);
    if (this.answers.has(kernel.id)) return /** @type {Finding} */ (this.answers.get(kernel.id));
    return { kind: kernel.status === "busy" && !this.asking.has(kernel.id) ? "busy" : "connecting" };
  }

  /** Ask a notebook's kernel, where nothing is known of it and it has nothing else to do. @param {Notebook} notebook */
  async look(notebook) {
    const kernel = kernelOf(notebook);
    if (!kernel || kernel.connectionStatus !== "connected" || kernel.status !== "idle") return;
    if (this.known.has(kernel.id) || this.answers.has(kernel.id) || this.asking.has(kernel.id)) return;
    await this.ask(notebook, kernel, PEEK);
  }

  /** Begin to use the library in that kernel; it imports it. @param {Notebook} notebook */
  async start(notebook) {
    const kernel = kernelOf(notebook);
    if (kernel) await this.ask(notebook, kernel, START);
  }

  /** @param {Notebook} notebook @param {Kernel} kernel @param {string} expression */
  async ask(notebook, kernel, expression) {
    const number = ++this.count, isNewest = () => this.asking.get(kernel.id) === number;
    this.answers.delete(kernel.id);
    this.asking.set(kernel.id, number);
    this.changed(notebook);
    const answer = await answerOf(kernel, expression, isNewest);
    if (!isNewest()) return;
    this.asking.delete(kernel.id);
    if ("model" in answer && "traits" in answer) this.known.set(kernel.id, answer);
    else this.answers.set(kernel.id, answer);
    this.changed(notebook);
  }

  /** Learn from what the kernel tells everybody; return whether something was learnt.
   * @param {string|undefined} id @param {{header: {msg_type: string}, content: any}} message */
  hear(id, { header: { msg_type: type }, content }) {
    if (id === undefined) return false;
    const known = this.known.get(id), { comm_id: model, data } = content;
    if (type === "comm_open" && data?.state?._anywidget_id === OURS && !known)
      return !!this.known.set(id, { model, traits: { ...data.state } });
    if (!known || model !== known.model) return false;
    if (type === "comm_close") return this.forget(id), true;
    if (type === "comm_msg" && data.method === "update") return !!Object.assign(known.traits, data.state);
    return false;
  }

  /** @param {string|undefined} id */
  forget(id) {
    if (id === undefined) return;
    this.known.delete(id);
    this.answers.delete(id);
    this.asking.delete(id);
  }
}

/** @param {Notebook} notebook */
export const kernelOf = (notebook) => notebook.sessionContext.session?.kernel ?? null;

/** @param {Known} known @returns {Finding} */
const disagreement = ({ traits }) => ({ kind: traits.protocol > PROTOCOL ? "new" : "old" });

/** @param {Kernel} kernel @param {string} expression @param {() => boolean} isNewest @returns {Promise<Known|Finding>} */
async function answerOf(kernel, expression, isNewest) {
  try {
    const { name } = (await kernel.info).language_info;
    if (name !== "python") return { kind: "language", detail: name };
    // A cell that failed takes along what was queued behind it: asked once more.
    let reply = await request(kernel, expression);
    while (reply.status === "aborted" && isNewest()) reply = await request(kernel, expression);
    return read(reply.user_expressions?.it);
  } catch (error) {
    // The kernel restarted or went away meanwhile, which its status says as well.
    return { kind: "failed", detail: String(error) };
  }
}

/** @param {Kernel} kernel @param {string} expression */
async function request(kernel, expression) {
  const future = kernel.requestExecute({
    code: "", silent: true, store_history: false, stop_on_error: false, user_expressions: { it: expression },
    // By this the library knows that somebody is there.
    allow_stdin: expression === START,
  }, true);
  return (await future.done).content;
}

/** @param {any} result @returns {Known|Finding} */
function read(result) {
  if (result?.status !== "ok") {
    if (result?.ename === "ModuleNotFoundError") return { kind: "missing" };
    if (["AttributeError", "TypeError"].includes(result?.ename)) return { kind: "old" };
    return { kind: "failed", detail: `${result?.ename}: ${result?.evalue}` };
  }
  const ours = result.data[REPLY];
  if (ours) return { model: ours.model, traits: ours.traits };
  return { kind: result.data["text/plain"] === "'missing'" ? "missing" : "unused" };
}
