// @ts-check
/**
 * Running a cell again for the widget below it, which cannot reach the notebook itself.
 *
 * The widget asks by a bubbling event. Only the notebook that shows the widget is looked at: two notebooks may hold the
 * same cell ids.
 *
 * Who can dispatch that event? Only a script in this page. An untrusted notebook brings none: JupyterLab strips its
 * HTML of scripts and handlers, and draws no widget of it. A script that does run here gains nothing by the event: it
 * may use Jupyter's server in the person's name already. Still, cells run only within moments of a press of the
 * person's, so that nothing runs by itself.
 */

/**
 * @import {RunRequest} from "../../static/contract.d.ts"
 * @typedef {{model: {id: string}}} Cell
 * @typedef {{activeCellIndex: number, deselectAll(): void, widgets: readonly Cell[]}} Notebook
 * @typedef {{node: HTMLElement, content: Notebook, sessionContext: object}} NotebookPanel
 * @typedef {{find(test: (panel: NotebookPanel) => boolean): NotebookPanel|undefined}} NotebookTracker
 * @typedef {(notebook: Notebook, sessionContext: object) => Promise<boolean>} Action
 * @typedef {{run: Action, runAllBelow: Action}} Actions  JupyterLab's NotebookActions.
 */

/** @param {(name: string) => Promise<any>} need */
export async function createPlugin(need) {
  const { INotebookTracker, NotebookActions } = await need("@jupyterlab/notebook");
  return {
    id: "luminary-auth-widget:runs",
    description: "Runs a cell that stopped for want of sign-in again, when its button in the widget is pressed.",
    autoStart: true,
    requires: [INotebookTracker],
    /** @param {unknown} _app @param {NotebookTracker} tracker */
    activate: (_app, tracker) => {
      const runner = new Runner(tracker, NotebookActions);
      document.addEventListener("luminary-auth:run", runner.hear);
    },
  };
}

class Runner {
  /** What was run here and has not ended. @type {Set<Cell>} */
  running = new Set();

  /** @param {NotebookTracker} tracker @param {Actions} actions */
  constructor(tracker, actions) {
    this.tracker = tracker;
    this.actions = actions;
  }

  hear = (/** @type {any} */ { target, detail }) => {
    const panel = this.tracker.find(({ node }) => node.contains(target));
    // Without `userActivation` a press could not be told from a script.
    if (panel && detail.cell && navigator.userActivation) detail.answer = this.answer(panel, detail);
  };

  /** @param {NotebookPanel} panel @param {RunRequest} request @returns {RunRequest["answer"]} */
  answer(panel, { cell: id, run }) {
    const cell = panel.content.widgets.find(({ model }) => model.id === id);
    if (!cell) return "gone";
    if (run && !this.running.has(cell) && navigator.userActivation.isActive) void this.run(panel, cell, run);
    return this.running.has(cell) ? "running" : "can";
  }

  /** As the notebook's menu does it. @param {NotebookPanel} panel @param {Cell} cell @param {"cell"|"below"} what */
  async run({ content, sessionContext }, cell, what) {
    this.running.add(cell);
    content.activeCellIndex = content.widgets.indexOf(cell);
    content.deselectAll();
    const action = what === "below" ? this.actions.runAllBelow : this.actions.run;
    await action(content, sessionContext).finally(() => this.running.delete(cell));
  }
}
