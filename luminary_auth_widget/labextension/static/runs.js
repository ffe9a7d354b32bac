// @ts-check
/**
 * Running a cell again for the widget below it, which cannot reach the notebook itself.
 *
 * The widget asks by a bubbling event. Only the notebook that shows the widget is looked at, for the panel the one in
 * front: two notebooks may hold the same cell ids.
 *
 * Who can dispatch that event? Only a script in this page. An untrusted notebook brings none: JupyterLab strips its
 * HTML of scripts and handlers, and draws no widget of it. A script that does run here gains nothing by the event: it
 * may use Jupyter's server in the person's name already. Still, cells run only within moments of a press of the
 * person's, so that nothing runs by itself.
 */

/** @import {RunRequest} from "../../static/contract.d.ts" */
/** @import {Actions, Cell, Notebook, Tracker} from "./lab.d.ts" */

export class Runner {
  /** What was run here and has not ended. @type {Set<Cell>} */
  running = new Set();

  /** @param {Tracker} tracker @param {Actions} actions @param {HTMLElement} side the panel, which follows the notebook in front */
  constructor(tracker, actions, side) {
    this.tracker = tracker;
    this.actions = actions;
    this.side = side;
  }

  begin() {
    document.addEventListener("luminary-auth:run", this.hear);
  }

  hear = (/** @type {any} */ { target, detail }) => {
    const { tracker, side } = this;
    const notebook = side.contains(target) ? tracker.currentWidget : tracker.find(({ node }) => node.contains(target));
    // Without `userActivation` a press could not be told from a script.
    if (notebook && detail.cell && navigator.userActivation) detail.answer = this.answer(notebook, detail);
  };

  /** @param {Notebook} notebook @param {RunRequest} request @returns {RunRequest["answer"]} */
  answer(notebook, { cell: id, run }) {
    const cell = notebook.content.widgets.find(({ model }) => model.id === id);
    if (!cell) return "gone";
    if (run && !this.running.has(cell) && navigator.userActivation.isActive) void this.run(notebook, cell, run);
    return this.running.has(cell) ? "running" : "can";
  }

  /** As the notebook's menu does it. @param {Notebook} notebook @param {Cell} cell @param {"cell"|"below"} what */
  async run({ content, sessionContext }, cell, what) {
    this.running.add(cell);
    content.activeCellIndex = content.widgets.indexOf(cell);
    content.deselectAll();
    content.activate(); // JupyterLab 4.2 leaves the focus where it was: on a button that goes
    const action = what === "below" ? this.actions.runAllBelow : this.actions.run;
    await action(content, sessionContext).finally(() => this.running.delete(cell));
  }
}
