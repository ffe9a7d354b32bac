// @ts-check
/**
 * What JupyterLab is told of us: an icon with a panel, a place in the status bar, commands, a setting.
 *
 * A page without a notebook fetches no more than this; the rest comes with the first notebook, or when it is asked for.
 */

/** @import {Front} from "./front.js" */
/** @import {Notebook, Say} from "./lab.d.ts" */

const NAME = "Luminary Cloud", ID = "luminary-auth-widget:plugin", OPEN = "luminary-auth:open-panel";
/** A press of the widget's button of that intent: [command, intent, label, what the kernel must offer, why it may lack]. */
const PRESSES = [
  ["sign-in-with-browser", "sign_in_with_browser", "Sign in with browser", "browser"],
  ["load-env", "load_env", "Load .env", "load_env", "There is no .env with an API key from the notebook's folder upward."],
  ["check", "check", "Check the sign-in", "check"],
  ["sign-out", "sign_out", "Sign out…", "sign_out"],
  ["copy-diagnostics", "copy_diagnostics", "Copy diagnostics", ""],
];
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16"><g class="jp-icon3" fill="#616161">
<circle cx="8" cy="8" r="3.2"/><circle class="jp-icon3" cx="8" cy="8" r="6" fill-opacity="0" stroke="#616161" stroke-width="2.4"
 stroke-dasharray="1.3 3.412" stroke-dashoffset=".65"/></g></svg>`;

/** @param {(name: string) => Promise<any>} take */
export async function createPlugin(take) {
  const [{ INotebookTracker, NotebookActions }, { ILayoutRestorer }, { ICommandPalette, Notification }, { ISettingRegistry },
    { IStatusBar }, { ITranslator }, { LabIcon }, { Signal }, { Panel, Widget }] = await Promise.all([
    "@jupyterlab/notebook", "@jupyterlab/application", "@jupyterlab/apputils", "@jupyterlab/settingregistry",
    "@jupyterlab/statusbar", "@jupyterlab/translation", "@jupyterlab/ui-components", "@lumino/signaling", "@lumino/widgets",
  ].map(take));
  // Notebook 7 has no status bar, Voilà no notebooks, other front ends may have less.
  const optional = [INotebookTracker, ILayoutRestorer, ICommandPalette, ISettingRegistry, IStatusBar, ITranslator].filter(Boolean);

  /** @param {any} app @param {any[]} services */
  function activate(app, ...services) {
    const service = (/** @type {any} */ token) => token && services[optional.indexOf(token)];
    const tracker = service(INotebookTracker);
    if (!tracker) return;
    const words = service(ITranslator)?.load("luminary_auth_widget");
    /** @type {Say} */
    const say = (text, ...args) => words?.__(text, ...args) ?? text.replace("%1", () => args[0]);
    const icon = new LabIcon({ name: "luminary-auth:icon", svgstr: ICON });
    const open = () => app.shell.activateById(panel.id);
    /** @type {Front|undefined} */
    let front;
    // After the page itself stands: what is fetched and drawn before would be time that a person waits for JupyterLab.
    const begin = once(async () => {
      await app.restored;
      const [{ Front }, { Runner }] = await Promise.all([import("./front.js"), import("./runs.js")]);
      addStyle();
      front = new Front(tracker, open);
      front.follow(onChange(() => JSON.stringify([front?.finding.kind, front?.known?.traits.offers]),
        () => commands.forEach((name) => app.commands.notifyCommandChanged(name))));
      new Runner(tracker, NotebookActions, panel.node).begin();
      void followSetting(service(ISettingRegistry), front);
      void addStatus(service(IStatusBar), { Widget, Signal, front, open }, say);
      return front;
    });
    const sidebar = once(async () => new (await import("./panel.js")).Sidebar(panel, await begin(), say));
    const panel = createPanel(Panel, () => sidebar().catch(console.warn), icon, say);
    app.shell.add(panel, "left", { rank: 900 });
    service(ILayoutRestorer)?.add(panel, panel.id);
    const commands = addCommands(app.commands, { front: () => front, sidebar, open, icon, Notification }, say);
    for (const command of commands) service(ICommandPalette)?.addItem({ command, category: NAME });
    // A notebook that cannot be read has a kernel all the same.
    const beginAfter = (/** @type {Notebook} */ { revealed }) => void revealed.then(begin, begin).catch(console.warn);
    tracker.forEach(beginAfter);
    tracker.widgetAdded.connect((/** @type {unknown} */ _, /** @type {Notebook} */ notebook) => beginAfter(notebook));
  }

  return {
    id: ID, autoStart: true, optional, activate,
    description: "Shows the sign-in of the active notebook's kernel in the left sidebar and the status bar.",
  };
}

/** What was made the first time; a file that could not be fetched is fetched again.
 * @template T @param {() => Promise<T>} make @returns {() => Promise<T>} */
function once(make) {
  /** @type {Promise<T>|undefined} */
  let made;
  const anew = (/** @type {unknown} */ error) => {
    made = undefined;
    throw error;
  };
  return () => (made ??= make().catch(anew));
}

/** @template T @param {() => T} read @param {() => void} act @returns {() => void} acts when what is read has changed */
function onChange(read, act) {
  let last = read();
  return () => {
    const now = read();
    if (now !== last) act();
    last = now;
  };
}

function addStyle() {
  const href = new URL("style.css", import.meta.url).href;
  document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
}

/** @param {any} Panel @param {() => unknown} seen called when it is seen @param {any} icon @param {Say} say */
function createPanel(Panel, seen, icon, say) {
  class SidePanel extends Panel {
    onAfterAttach() {
      if (this.isVisible) seen();
    }

    onAfterShow() {
      seen();
    }
  }
  const panel = new SidePanel();
  panel.id = "luminary-auth-panel";
  panel.addClass("luminary-auth-panel");
  Object.assign(panel.title, { icon, caption: NAME });
  panel.node.setAttribute("role", "region");
  panel.node.setAttribute("aria-label", say("Luminary Cloud panel"));
  return panel;
}

/** @param {any} registry @param {any} parts @param {Say} say @returns {string[]} the commands' names */
function addCommands(registry, { front, sidebar, open, icon, Notification }, say) {
  // The View menu lists panels by their names, without icons.
  const inMenu = (/** @type {any} */ name, /** @type {any} */ other) => (/** @type {any} */ args) => (args.isMenu ? name : other);
  const label = inMenu(NAME, say("Show the Luminary Cloud panel"));
  registry.addCommand(OPEN, { label, icon: inMenu(undefined, icon), execute: open });
  const presses = PRESSES.map(([name, intent, label, offer, lack]) => {
    const command = `luminary-auth:${name}`;
    const isEnabled = () => {
      const offers = front()?.known?.traits.offers;
      return offers ? !offer || offers.includes(offer) : offer === "browser" && front()?.finding.kind === "unused";
    };
    const execute = async () => {
      open();
      if (!(await (await sidebar()).press(intent)))
        Notification.info(say(lack ?? "The widget does not offer “%1” now.", label), { autoClose: 5000 });
    };
    registry.addCommand(command, { label: say(label), isEnabled, execute });
    return command;
  });
  return [OPEN, ...presses];
}

/** @param {any} bar @param {any} parts @param {Say} say */
async function addStatus(bar, { Widget, Signal, front, open }, say) {
  if (!bar) return;
  const { createItem } = await import("./status.js");
  const activeStateChanged = new Signal({}), shownChanged = () => activeStateChanged.emit(undefined);
  const { node, isShown } = createItem(front, { open, shownChanged }, say);
  bar.registerStatusItem(ID, { item: new Widget({ node }), align: "left", rank: 900, isActive: isShown, activeStateChanged });
}

/** @param {any} registry @param {Front} front */
async function followSetting(registry, front) {
  // A setting that was written by hand may be none.
  const settings = await registry?.load(ID).catch(console.warn);
  const read = () => front.rescueIn(settings?.get("rescue").composite ?? front.kernels.place);
  settings?.changed.connect(read);
  read();
}
