// @ts-check
/** What each notebook's kernel says of the sign-in: learnt by listening, and asked for only where nothing was heard. */

import { ask } from "./asking.js";

/** @import {Finding, Known, Notebook, Place} from "./lab.d.ts" */

/** presentation.py's number of the same name. */
export const PROTOCOL = 1;
const OURS = "luminary_auth_widget.widget.AuthWidget";
const LOST = ["dead", "terminating"], RESTARTING = ["restarting", "autorestarting"];

export class Kernels {
  /** By the kernel's id. @type {Map<string, Known>} */
  known = new Map();
  /** What the kernel has answered in place of a model. @type {Map<string, Finding>} */
  answers = new Map();
  /** The newest question to each kernel; an answer to an older one is void. @type {Map<string, number>} */
  asking = new Map();
  count = 0;
  /** Of each kernel, the process that has spoken last. @type {Map<string, string>} */
  processes = new Map();
  /** Kernels that may have begun to use the library since they were asked. @type {Set<string>} */
  stale = new Set();
  /** What kernels are to be told. @type {Place} */
  place = "cell";

  /** @param {(notebook: Notebook) => void} changed */
  constructor(changed) {
    this.changed = changed;
  }

  /** Listen to every notebook, so that a switch needs no request. @param {Notebook} notebook */
  watch(notebook) {
    const { sessionContext: context } = notebook, changed = () => this.changed(notebook);
    const changedAnew = () => (this.forget(kernelOf(notebook)?.id), changed());
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
    if (kernel.connectionStatus !== "connected")
      return { kind: kernel.connectionStatus === "disconnected" ? "disconnected" : "connecting" };
    const known = this.known.get(kernel.id), answer = this.answers.get(kernel.id);
    if (known) return known.traits.protocol === PROTOCOL ? { kind: "ready", model: known.model } : disagreement(known);
    return answer ?? { kind: kernel.status === "busy" && !this.asking.has(kernel.id) ? "busy" : "asking" };
  }

  /** @param {Notebook|null} notebook */
  knownOf(notebook) {
    return this.known.get((notebook && kernelOf(notebook)?.id) ?? "");
  }

  /** Ask a kernel that has nothing else to do, where nothing is known of it or it knows an older setting.
   * @param {Notebook} notebook */
  async look(notebook) {
    const kernel = kernelOf(notebook);
    if (!kernel || kernel.connectionStatus !== "connected" || kernel.status !== "idle" || this.asking.has(kernel.id)) return;
    const known = this.known.get(kernel.id);
    if (known ? known.place === this.place : this.answers.has(kernel.id) && !this.stale.has(kernel.id)) return;
    // Asked once, whatever comes of it.
    if (known) known.place = this.place;
    await this.ask(notebook);
  }

  /** Ask, or have that kernel `begin` to use the library, which imports it. @param {Notebook} notebook */
  async ask(notebook, begin = false) {
    const kernel = kernelOf(notebook);
    if (!kernel) return;
    const number = ++this.count, isNewest = () => this.asking.get(kernel.id) === number;
    // Other questions change nothing on the page before they are answered.
    if (begin) this.answers.delete(kernel.id);
    this.stale.delete(kernel.id);
    this.asking.set(kernel.id, number);
    this.changed(notebook);
    const answer = await ask(kernel, { place: this.place, begin }, isNewest);
    if (!isNewest()) return;
    this.asking.delete(kernel.id);
    if ("model" in answer && "traits" in answer) this.known.set(kernel.id, answer);
    else this.answers.set(kernel.id, answer);
    this.changed(notebook);
  }

  /** Learn from what the kernel tells everybody; return whether something was learnt.
   * @param {string|undefined} id @param {{header: {msg_type: string, session: string}, content: any}} message */
  hear(id, { header: { msg_type: type, session }, content }) {
    if (id === undefined) return false;
    // Restarted by another page, of which nothing else tells this one.
    const restarted = (this.processes.get(id) ?? session) !== session;
    if (restarted) this.forget(id);
    this.processes.set(id, session);
    return this.hearOf(id, type, content) || restarted;
  }

  /** @param {string} id @param {string} type @param {any} content */
  hearOf(id, type, content) {
    const known = this.known.get(id), { comm_id: model, data } = content;
    // A kernel that has loaded the library by that cell is to know the setting before the next one fails.
    if (type === "execute_input" && !known && this.place !== "cell") this.stale.add(id);
    if (type === "comm_open" && data?.state?._anywidget_id === OURS && !known)
      return !!this.known.set(id, learn({ model, traits: {}, offset: 0, place: "cell" }, data.state));
    if (!known || model !== known.model) return false;
    if (type === "comm_close") return this.forget(id), true;
    return type === "comm_msg" && data.method === "update" && !!learn(known, data.state);
  }

  /** @param {string|undefined} id */
  forget(id = "") {
    this.known.delete(id);
    this.answers.delete(id);
    this.asking.delete(id);
  }
}

/** @param {Notebook} notebook */
export const kernelOf = (notebook) => notebook.sessionContext.session?.kernel ?? null;

/** @param {Known} known @returns {Finding} */
const disagreement = ({ traits }) => ({ kind: traits.protocol > PROTOCOL ? "new" : "old" });

/** @param {Known} known @param {Record<string, any>} state */
function learn(known, state) {
  if ("kernel_now" in state) known.offset = state.kernel_now - Date.now();
  Object.assign(known.traits, state);
  return known;
}
