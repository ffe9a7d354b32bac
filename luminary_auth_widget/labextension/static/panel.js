// @ts-check
/** The panel in the left sidebar: the widget of the notebook in front, or a sentence that says why there is none. */

import { Kernels, kernelOf } from "./kernels.js";

/** @import {Finding, Kind, Notebook} from "./kernels.js" */

const VIEW = "application/vnd.jupyter.widget-view+json";
const OPEN = "luminary-auth:open-panel", NAME = "Luminary Cloud";
/** How long a notebook that was just opened may take to know its widgets. */
const PATIENCE_SECONDS = 5;

/** @type {Record<Kind|"lost", string>} */
const TEXT = {
  none: "Open a notebook to sign its kernel in.",
  "no-kernel": "This notebook has no kernel. Choose one with Kernel → Change Kernel…",
  connecting: "Asking the kernel… If a cell is running, the answer comes when it ends.",
  language: "This kernel runs %. Signing in needs a Python kernel.",
  missing: "The library is not installed in this kernel's environment. Run this in a cell, then restart the kernel:",
  old: "The library in this kernel is older than this panel. Run this in a cell, then restart the kernel:",
  new: "The library in this kernel is newer than this panel. Upgrade luminary-auth-widget where JupyterLab runs, then reload this page.",
  unused: "Nothing has signed in from this notebook yet.",
  busy: "The kernel is busy. The panel comes when the running cell ends.",
  restarting: "The kernel is restarting…",
  dead: "The kernel has stopped. Start it with Kernel → Restart Kernel…",
  failed: "The kernel could not answer: %",
  lost: "This page does not know the kernel's widget. Reload the page.",
  ready: "",
};
/** @type {Partial<Record<Kind|"lost", string>>} */
const LINES = { missing: "%pip install luminary-auth-widget", old: "%pip install --upgrade luminary-auth-widget" };
/** @type {Partial<Record<Kind|"lost", string>>} */
const BUTTONS = { unused: "Start", failed: "Try again" };
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16"><g class="jp-icon3" fill="#616161">
<circle cx="8" cy="8" r="3.2"/><circle class="jp-icon3" cx="8" cy="8" r="6" fill="none" stroke="#616161" stroke-width="2.4"
 stroke-dasharray="1.3 3.412" stroke-dashoffset=".65"/></g></svg>`;

/** @param {(name: string) => Promise<any>} need */
export async function createPlugin(need) {
  const { INotebookTracker } = await need("@jupyterlab/notebook");
  const { ILayoutRestorer } = await need("@jupyterlab/application");
  const { ICommandPalette } = await need("@jupyterlab/apputils");
  const { LabIcon } = await need("@jupyterlab/ui-components");
  const { Panel } = await need("@lumino/widgets");
  return {
    id: "luminary-auth-widget:panel",
    description: "Shows the sign-in of the active notebook's kernel in the left sidebar.",
    autoStart: true,
    requires: [INotebookTracker],
    optional: [ILayoutRestorer, ICommandPalette],
    activate: (/** @type {any} */ app, /** @type {any} */ tracker, /** @type {any} */ restorer, /** @type {any} */ palette) => {
      const icon = new LabIcon({ name: "luminary-auth:icon", svgstr: ICON });
      const panel = new Panel();
      panel.id = "luminary-auth-panel";
      Object.assign(panel.title, { icon, caption: NAME });
      panel.node.setAttribute("role", "region");
      panel.node.setAttribute("aria-label", `${NAME} panel`);
      panel.node.style.cssText = "padding: 8px; overflow: auto; background: var(--jp-layout-color1)";
      new Sidebar(panel, tracker).begin();
      app.shell.add(panel, "left", { rank: 900 });
      restorer?.add(panel, panel.id);
      const label = "Show the Luminary Cloud panel";
      app.commands.addCommand(OPEN, { label, icon, execute: () => app.shell.activateById(panel.id) });
      palette?.addItem({ command: OPEN, category: NAME });
    },
  };
}

class Sidebar {
  /** @type {any} */
  view = null;
  /** The notebook and the finding that are shown. */
  shown = "";
  /** The newest drawing; what an older one waited for is void. */
  number = 0;

  /** @param {any} panel @param {any} tracker */
  constructor(panel, tracker) {
    this.panel = panel;
    this.tracker = tracker;
    this.message = document.createElement("div");
    this.message.style.cssText = "display: grid; gap: 10px; padding: 4px; color: var(--jp-ui-font-color1); overflow-wrap: anywhere";
    this.message.setAttribute("role", "status");
    panel.node.append(this.message);
    this.kernels = new Kernels((notebook) => {
      const here = this.notebook && kernelOf(this.notebook)?.id;
      if (notebook === this.notebook || (here && here === kernelOf(notebook)?.id)) this.follow();
    });
  }

  begin() {
    this.tracker.forEach((/** @type {Notebook} */ notebook) => this.kernels.watch(notebook));
    this.tracker.widgetAdded.connect((/** @type {any} */ _, /** @type {Notebook} */ notebook) => this.kernels.watch(notebook));
    this.tracker.currentChanged.connect(() => this.follow());
    this.follow();
  }

  get notebook() {
    return this.tracker.currentWidget;
  }

  follow() {
    const { notebook } = this, finding = this.kernels.of(notebook);
    const key = JSON.stringify([notebook?.id, notebook && kernelOf(notebook)?.id, finding]);
    if (key !== this.shown) {
      this.shown = key;
      void this.draw(notebook, finding);
    }
    if (notebook) void this.kernels.look(notebook);
  }

  /** @param {any} notebook @param {Finding} finding */
  async draw(notebook, finding) {
    const number = ++this.number;
    this.view?.dispose();
    this.view = null;
    this.say(finding.kind, finding.detail);
    if (!finding.model) return;
    const view = await this.find(notebook, finding.model, () => number === this.number);
    if (number !== this.number) return view?.dispose();
    this.view = view;
    if (view) this.panel.addWidget(view);
    else this.say("lost");
  }

  /**
   * Of notebooks that share a kernel, the first one that was open when the widget was made knows it.
   * @param {any} notebook @param {string} model @param {() => boolean} isNewest
   */
  async find(notebook, model, isNewest) {
    const others = [...this.sharers(notebook)], until = Date.now() + PATIENCE_SECONDS * 1000;
    while (isNewest()) {
      for (const each of [notebook, ...others]) {
        const view = await render(each.content.rendermime, model);
        if (view.widgets.length) return view;
        view.dispose();
      }
      if (Date.now() > until) break;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    return null;
  }

  /** @param {any} notebook */
  *sharers(notebook) {
    const id = kernelOf(notebook)?.id, all = /** @type {any[]} */ ([]);
    this.tracker.forEach((/** @type {any} */ each) => void all.push(each));
    for (const each of all) if (each !== notebook && kernelOf(each)?.id === id) yield each;
  }

  /** @param {Kind|"lost"} kind */
  say(kind, detail = "") {
    const line = LINES[kind], label = BUTTONS[kind];
    const parts = [element("p", TEXT[kind].replace("%", () => detail)), line && element("code", line)];
    if (label) {
      const button = element("button", label);
      button.className = "jp-mod-styled jp-mod-accept";
      button.onclick = () => void this.kernels.start(this.notebook);
      parts.push(button);
    }
    this.message.hidden = kind === "ready";
    this.message.style.display = kind === "ready" ? "none" : "grid";
    this.message.replaceChildren(...parts.filter((part) => part instanceof Node));
  }
}

/** The renderer blanks what it was given when it is disposed of: every view gets data of its own.
 * @param {any} rendermime @param {string} model_id */
async function render(rendermime, model_id) {
  const view = rendermime.createRenderer(VIEW);
  const data = { [VIEW]: { version_major: 2, version_minor: 0, model_id } };
  await view.renderModel(rendermime.createModel({ data, trusted: true }));
  return view;
}

/** @template {keyof HTMLElementTagNameMap} K @param {K} tag @param {string} text */
function element(tag, text) {
  const node = document.createElement(tag);
  node.textContent = text;
  if (tag === "p") node.style.margin = "0";
  return node;
}
