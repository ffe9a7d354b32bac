// @ts-check
/** The notebook in front, and what is known of its kernel: what panel, status bar and commands follow. */

import { Kernels, kernelOf } from "./kernels.js";

/** @import {Notebook, Place, Tracker} from "./lab.d.ts" */

export class Front {
  /** Called whenever something may have changed. @type {Set<() => void>} */
  followers = new Set();
  /** The cell for which the panel was opened last, by the kernel's id. @type {Map<string, string>} */
  opened = new Map();

  /** @param {Tracker} tracker @param {() => void} open opens the panel */
  constructor(tracker, open) {
    this.tracker = tracker;
    this.open = open;
    this.kernels = new Kernels((notebook) => this.concerns(notebook) && this.tell());
    const watch = (/** @type {Notebook} */ notebook) => this.kernels.watch(notebook);
    tracker.forEach(watch);
    tracker.widgetAdded.connect((_, notebook) => watch(notebook));
    tracker.currentChanged.connect(() => this.tell());
  }

  get notebook() {
    return this.tracker.currentWidget;
  }

  get finding() {
    return this.kernels.of(this.notebook);
  }

  /** The traits of a kernel that is signed in or may be, and its clock. */
  get known() {
    return this.finding.kind === "ready" ? this.kernels.knownOf(this.notebook) : undefined;
  }

  /** @param {() => void} follower */
  follow(follower) {
    this.followers.add(follower);
    follower();
  }

  /** Where the widget is to appear when a cell fails. @param {Place} place */
  rescueIn(place) {
    this.kernels.place = place;
    this.tell();
  }

  tell() {
    this.openForStoppedCell();
    for (const follower of this.followers) follower();
    if (this.notebook) void this.kernels.look(this.notebook);
  }

  /** Begin to use the library in that kernel. */
  async begin() {
    if (this.notebook) await this.kernels.ask(this.notebook, true);
  }

  /** Whether a notebook is the one in front, or shares its kernel. @param {Notebook} notebook */
  concerns(notebook) {
    const here = this.notebook && kernelOf(this.notebook)?.id;
    return notebook === this.notebook || (here && here === kernelOf(notebook)?.id);
  }

  openForStoppedCell() {
    const { known, notebook } = this, id = notebook && kernelOf(notebook)?.id;
    if (!known || !id || known.place !== "panel") return;
    const cell = known.traits.stopped_cell ?? "";
    if (cell && this.opened.get(id) !== cell) this.open();
    this.opened.set(id, cell);
  }
}
