// A JupyterLab extension in the form that JupyterLab loads (a module federation container), written by hand: it needs no
// more of the page than two shared packages, hence no build.
(() => {
  'use strict';

  const POLL_MS = 15 * 1000; // Between two questions whether a notice stands.
  const PRESENCE_MS = 60 * 1000; // Between two words to the session that a person types or clicks here.

  let shared;

  // The page may offer several versions of a package; the one in use is the loaded one.
  async function load(name) {
    const versions = Object.values(shared[name]);
    const inUse = versions.find((version) => version.loaded) ?? versions[versions.length - 1];
    return (await inUse.get())();
  }

  function plugin({ Notification }, { ServerConnection }) {
    const settings = ServerConnection.makeSettings();

    async function ask(page, method = 'GET') {
      const init = method === 'POST' ? { method, body: '{}' } : { method };
      const response = await ServerConnection.makeRequest(`${settings.baseUrl}mlinfn/${page}`, init, settings);
      if (!response.ok) {
        throw new ServerConnection.ResponseError(response);
      }
      return response.status === 204 ? null : (await response.json()).notice;
    }

    let shown = null; // What the page shows: id of the session's notice, id of JupyterLab's notification.

    function show(notice) {
      if (shown && shown.notice !== notice?.id) {
        Notification.dismiss(shown.notification);
        shown = null;
      }
      if (notice && !shown) {
        const keep = { label: 'Keep it', displayType: 'accent', callback: () => void ask('keep', 'POST').then(show) };
        const actions = notice.can_be_kept ? [keep] : [];
        shown = { notice: notice.id, notification: Notification.warning(notice.text, { autoClose: false, actions }) };
      }
    }

    async function poll() {
      try {
        show(await ask('notice'));
      } catch (error) {
        // JupyterLab itself tells when its server is away; a notice that stood stays until somebody knows better.
        console.debug('mlinfn-notice', error);
      }
      setTimeout(poll, POLL_MS);
    }

    let told = -Infinity;

    function tellPresence() {
      if (performance.now() - told < PRESENCE_MS) {
        return;
      }
      told = performance.now();
      ask('presence', 'POST').catch((error) => console.debug('mlinfn-notice', error));
    }

    return {
      id: 'mlinfn-notice:plugin',
      description: 'Shows notices of the session.',
      autoStart: true,
      activate: () => {
        for (const event of ['keydown', 'pointerdown', 'wheel']) {
          document.addEventListener(event, tellPresence, { capture: true, passive: true });
        }
        void poll();
      }
    };
  }

  async function extension() {
    const [apputils, services] = await Promise.all([load('@jupyterlab/apputils'), load('@jupyterlab/services')]);
    return { __esModule: true, default: plugin(apputils, services) };
  }

  window._JUPYTERLAB = window._JUPYTERLAB ?? {};
  window._JUPYTERLAB['mlinfn-notice'] = {
    init: (scope) => {
      shared = scope;
    },
    get: async (module) => {
      if (module !== './extension') {
        throw new Error(`mlinfn-notice has no module ${module}`);
      }
      const loaded = await extension();
      return () => loaded;
    }
  };
})();
