// @ts-check
/**
 * The module container that JupyterLab asks for plugins, as a bundler would emit it: written by hand, so that nothing
 * is built. What the plugin does stands in modules of their own; this file only hands them what JupyterLab shares.
 */
(() => {
  const NAME = "luminary-auth-widget";
  // Fetched while JupyterLab still gathers what it shares.
  const module = import(new URL("plugin.js", /** @type {HTMLScriptElement} */ (document.currentScript).src).href);
  /** @type {Record<string, Record<string, {get: () => Promise<() => any>}>>} */
  let shared = {};

  /** A package that this page has, in the one version there is; what not every front end has comes out empty.
   * @param {string} name */
  const take = async (name) => {
    const version = Object.values(shared[name] ?? {})[0];
    return version ? (await version.get())() : {};
  };

  const container = {
    /** @param {typeof shared} scope */
    init: (scope) => void (shared = scope),
    /** The one module there is, "./extension". */
    get: async () => {
      const plugin = await (await module).createPlugin(take);
      return () => ({ __esModule: true, default: plugin });
    },
  };
  const page = /** @type {{_JUPYTERLAB?: Record<string, typeof container>}} */ (window);
  (page._JUPYTERLAB ??= {})[NAME] = container;
})();
