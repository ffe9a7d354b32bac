// @ts-check
/**
 * The module container that JupyterLab asks for plugins, as a bundler would emit it: written by hand, so that nothing
 * is built. What the plugins do stands in modules of their own; this file only hands them what JupyterLab shares.
 */
(() => {
  const NAME = "luminary-auth-widget";
  const here = /** @type {HTMLScriptElement} */ (document.currentScript).src;
  /** @type {Record<string, Record<string, {get: () => Promise<() => any>}>>} */
  let shared = {};

  /** Of JupyterLab's own packages a page has one version each. @param {string} name */
  const need = async (name) => {
    const version = Object.values(shared[name] ?? {})[0];
    if (!version) throw new Error(`${NAME}: this page does not share ${name}.`);
    return (await version.get())();
  };

  const container = {
    /** @param {typeof shared} scope */
    init: (scope) => void (shared = scope),
    /** The one module there is, "./extension". */
    get: async () => {
      const modules = await Promise.all(["runs.js", "panel.js"].map((name) => import(new URL(name, here).href)));
      const plugins = await Promise.all(modules.map(({ createPlugin }) => createPlugin(need)));
      return () => ({ __esModule: true, default: plugins });
    },
  };
  const page = /** @type {{_JUPYTERLAB?: Record<string, typeof container>}} */ (window);
  (page._JUPYTERLAB ??= {})[NAME] = container;
})();
