// @ts-check
/** What the panel shows: the widget of the notebook in front, or a sentence that says why there is none. */

import { kernelOf } from "./kernels.js";

/** @import {Front} from "./front.js" */
/** @import {Finding, Kind, Notebook, Say} from "./lab.d.ts" */

const VIEW = "application/vnd.jupyter.widget-view+json";
/** How long a notebook that was just opened may take to know its widgets, and a widget to draw its buttons. */
const PATIENCE = { view: 5000, button: 4000 }; // milliseconds

/** @type {Record<Kind|"lost", string>} */
const TEXT = {
  none: "Open a notebook to sign its kernel in.",
  "no-kernel": "This notebook has no kernel. Choose one with Kernel → Change Kernel…",
  connecting: "Connecting to the kernel…",
  asking: "Asking the kernel… If a cell is running, the answer comes when it ends.",
  language: "This kernel runs %1. Signing in needs a Python kernel.",
  missing: "The library is not installed in this kernel's environment. Run this in a cell, then restart the kernel:",
  old: "The library in this kernel is older than this panel. Run this in a cell, then restart the kernel:",
  new: "The library in this kernel is newer than this panel. Upgrade luminary-auth-widget where JupyterLab runs, then reload this page.",
  unused: "Nothing has signed in from this notebook yet.",
  busy: "The kernel is busy. The panel comes when the running cell ends.",
  restarting: "The kernel is restarting…",
  disconnected: "This page has lost the kernel. Connect with Kernel → Reconnect to Kernel.",
  dead: "The kernel has stopped. Start a new one with Kernel → Change Kernel…",
  failed: "The kernel could not answer: %1",
  lost: "This page does not know the kernel's widget. Reload the page.",
  ready: "",
};
/** @type {Partial<Record<Kind|"lost", string>>} */
const LINES = { missing: "%pip install luminary-auth-widget", old: "%pip install --upgrade luminary-auth-widget" };
/** @type {Partial<Record<Kind|"lost", string>>} */
const BUTTONS = { unused: "Start", failed: "Try again" };

export class Sidebar {
  /** @type {any} */
  view = null;
  /** The notebook and the finding that are shown. */
  shown = "";
  /** The newest drawing; what an older one waited for is void. */
  number = 0;

  /** @param {any} panel @param {Front} front @param {Say} say */
  constructor(panel, front, say) {
    this.panel = panel;
    this.front = front;
    this.say = say;
    this.message = element("div", "", "luminary-auth-message");
    this.message.setAttribute("role", "status");
    panel.node.append(this.message);
    panel.node.tabIndex = -1;
    front.follow(() => this.follow());
  }

  follow() {
    const { notebook, finding } = this.front;
    const key = JSON.stringify([notebook?.id, notebook && kernelOf(notebook)?.id, finding]);
    if (key === this.shown) return;
    this.shown = key;
    void this.draw(notebook, finding);
  }

  /** @param {Notebook|null} notebook @param {Finding} finding */
  async draw(notebook, finding) {
    const number = ++this.number, held = this.panel.node.contains(document.activeElement);
    this.view?.dispose();
    this.view = null;
    this.tell(finding.kind, finding.detail);
    if (held) this.panel.node.focus();
    if (!notebook || !finding.model) return;
    const view = await this.find(notebook, finding.model, () => number === this.number);
    if (number !== this.number) return view?.dispose();
    this.view = view;
    if (view) this.panel.addWidget(view);
    else {
      this.tell("lost");
      this.shown = ""; // it may come yet
    }
    await this.passFocus();
  }

  /** What had the focus may be gone with what was shown before: the panel keeps it until the widget can take it. */
  async passFocus() {
    const { node } = this.panel, until = Date.now() + PATIENCE.button;
    for (; this.view && document.activeElement === node && Date.now() < until; await pause()) {
      /** @type {HTMLElement[]} */
      const landings = [...this.view.node.querySelectorAll("[tabindex='-1']")];
      landings.find((each) => each.checkVisibility())?.focus();
    }
  }

  /**
   * Of notebooks that share a kernel, the first one that was open when the widget was made knows it.
   * @param {Notebook} notebook @param {string} model @param {() => boolean} isNewest
   */
  async find(notebook, model, isNewest) {
    const others = /** @type {Notebook[]} */ ([]), until = Date.now() + PATIENCE.view;
    this.front.tracker.forEach((each) => void (each !== notebook && this.front.concerns(each) && others.push(each)));
    while (isNewest()) {
      for (const each of [notebook, ...others]) {
        const view = await render(each.content.rendermime, model);
        if (view.widgets.length) return view;
        view.dispose();
      }
      if (Date.now() > until) break;
      await pause();
    }
    return null;
  }

  /** Press the widget's button of that intent, as a person would; return whether there was one. @param {string} intent */
  async press(intent) {
    let until = Date.now() + PATIENCE.button;
    for (; Date.now() < until; await pause()) {
      if (this.front.finding.kind === "unused") {
        await this.front.begin();
        until = Date.now() + PATIENCE.button;
      }
      // By the focus the widget looks anew at what it can offer.
      if (!this.panel.node.contains(document.activeElement)) this.view?.node.querySelector("[role=heading]")?.focus();
      /** @type {HTMLElement[]} */
      const buttons = [...(this.view?.node.querySelectorAll(`[data-intent="${intent}"]`) ?? [])];
      const button = buttons.find((each) => !each.closest("[hidden]"));
      if (button) {
        button.closest("details")?.setAttribute("open", "");
        button.focus();
        button.click();
        return true;
      }
    }
    return false;
  }

  /** @param {Kind|"lost"} kind */
  tell(kind, detail = "") {
    const line = LINES[kind], label = BUTTONS[kind];
    const parts = [element("p", this.say(TEXT[kind], detail)), line && element("code", line)];
    if (label) {
      const button = element("button", this.say(label), "jp-mod-styled jp-mod-accept");
      button.onclick = () => void this.front.begin();
      parts.push(button);
    }
    this.message.hidden = kind === "ready";
    this.message.replaceChildren(...parts.filter((part) => part instanceof Node));
  }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 100));

/** The renderer blanks what it was given when it is disposed of: every view gets data of its own.
 * @param {any} rendermime @param {string} model_id */
async function render(rendermime, model_id) {
  const view = rendermime.createRenderer(VIEW);
  const data = { [VIEW]: { version_major: 2, version_minor: 0, model_id } };
  await view.renderModel(rendermime.createModel({ data, trusted: true }));
  return view;
}

/** @template {keyof HTMLElementTagNameMap} K @param {K} tag @param {string} text */
function element(tag, text, className = "") {
  return Object.assign(document.createElement(tag), { textContent: text, className });
}
