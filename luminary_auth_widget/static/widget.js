// @ts-check
/** Draws what the kernel decided; sends what the person wants. */

/**
 * @import {Attempt, RunRequest, State, Status} from "./contract.d.ts"
 * @import {Drawing, Health, Line, Model, Part, Props, Render, Row, WebLink} from "./drawing.d.ts"
 */

/** The page's own words. */
const TEXT = {
  brand: "Luminary Cloud", region: "Luminary Cloud sign-in",
  states: {
    signed_out: "Not signed in", checking: "Checking", signed_in: "Signed in", unverified: "Not verified",
    expired: "Session over", rejected: "The server refused this key",
  },
  waiting: "Waiting for the kernel…", busy: "The kernel is busy; this happens when the running cell ends.",
  lost: /** @type {Record<string, string>} */ ({
    gone: "This kernel is gone. Run the cell again to sign in.", saved: "Saved view: run this cell to sign in.",
    away: "This page has lost the kernel. Reload it if that outlasts the running cell.",
  }),
  phases: {
    starting: "Starting…", waiting_for_browser: "Finish signing in in your browser",
    finishing: "Finishing sign-in…", checking: "Asking the server…", failed: "That did not work.",
  },
  timeLeft: "Time left", left: "% left", about: "about %", until: "until %", ended: "ended %",
  outlive: "a job started now may outlive it", timeUp: "time is up; asking the server",
  overdue: "past its expected end", over: "session over", noExpiry: "no expiry known",
  checking: "checking…", checked: "checked %", justNow: "just now",
  check: "Check", cancel: "Cancel", retry: "Try again", dismiss: "Dismiss",
  signOut: "Sign out", signOutAsk: "Sign out…", signOutOf: "Sign out of",
  here: "This kernel only", everywhere: "Everywhere", stay: "Keep me signed in",
  browser: "Sign in with browser", browserAgain: "Sign in again", browserInstead: "Sign in with browser instead",
  browserHint: "Opens a new tab. Lasts 30 days.", link: "Log-in link", openLink: "Open the log-in page ↗",
  copyLink: "Copy link", copied: "Copied", selected: "Selected: copy it now", otherAccount: "Use another account",
  cannotConnect: "Your browser ended on a page that cannot connect?", address: "Paste its address", finish: "Finish",
  key: "API key", otherKey: "Use another key", show: "Show", hide: "Hide", useKey: "Use key", getKey: "Get a key ↗",
  newKey: "Make a new key ↗",
  emptyKey: "Paste an API key first.", remember: "Remember in .env", lasts: "Key lasts",
  lastsUntil: "Key lasts until", lastsHint: "New keys last three months unless changed.",
  lifetimes: {
    "": "I don't know", P7D: "one week", P1M: "one month", P3M: "three months", P6M: "six months", P1Y: "one year",
    date: "until a date…",
  },
  runCell: "Run this cell again", runBelow: "This and the cells below",
  ran: { "": "Run that cell again.", can: "", running: "Running…", gone: "That cell is not in this notebook." },
  env: ".env", load: "Load", details: "Details", environment: "Environment", switchTo: "Switch to this",
  inUse: "in use", useThis: "Use this one", copyDiagnostics: "Copy diagnostics",
};
/** @param {string} text @param {string} value */
const fill = (text, value) => text.replace("%", () => value);
/** @param {string} mark @param {unknown[]} parts */
const join = (mark, ...parts) => parts.filter(Boolean).join(mark);

/** @type {Record<State, [glyph: string, tone: string]>} */
const MARKS = {
  signed_out: ["○", ""], checking: ["…", "spin"], signed_in: ["✓", "good"], unverified: ["?", "soon"],
  expired: ["×", "bad"], rejected: ["×", "bad"],
};
const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
/** Until the page looks at a silent kernel. */
const PATIENCE = 4 * SECOND;
/** No password managers; the browser's own menu has Paste. */
const PRIVATE = {
  autocomplete: "off", autocapitalize: "off", spellcheck: false, "data-1p-ignore": "", "data-bwignore": "",
  "data-lpignore": "true", "data-form-type": "other",
  oncontextmenu: (/** @type {any} */ event) => event.stopPropagation(),
};
/** @type {Status} */
const BLANK = {
  now: 0, endpoint: "", state: "signed_out", title: "", subtitle: "", message: "", next_step: "", expires_at: null,
  checked_at: null, lifetime: null, expiry: "unknown", attempt: null, busy: false, offers: [], primary: "",
  key_page: null, env_file: null, remember: null, sign_out_choice: false, sources: [], environments: [], facts: [],
  notices: [], rescue: null, diagnostics: "",
};

// ---- Drawing: text and properties only, never markup ----

/** @template T @param {Line} line */
function createDrawing(line) {
  const steps = /** @type {((value: T, now: number) => void)[]} */ ([]);
  /** @type {Drawing<T>} */
  const drawing = {
    line,
    draw(value, now) {
      for (const step of steps) step(value, now);
    },
    follow(read, write) {
      /** @type {any} */
      let last;
      steps.push((value, now) => {
        const next = read(value, now);
        if (next !== last) write((last = next));
      });
    },
    h(tag, props = {}, ...children) {
      const node = document.createElement(tag);
      for (const [name, given] of Object.entries(props))
        if (typeof given !== "function" || name.startsWith("on")) setProperty(node, name, given);
        else drawing.follow(given, (next) => setProperty(node, name, next));
      node.append(...children);
      return node;
    },
    button: (text, onclick, props) => drawing.h("button", { type: "button", onclick, ...props }, text),
    tell: (text, intent, props) =>
      drawing.button(text, () => line.send(intent), { "data-intent": intent.kind, ...props }),
    each(parent, itemsOf, keyOf, make) {
      const kept = new Map();
      steps.push((value, now) => {
        const items = itemsOf(value, now).filter((item) => item !== null), keys = items.map(keyOf);
        for (const [key, { node }] of kept) if (!keys.includes(key)) node.remove(), kept.delete(key);
        items.forEach((item, place) => {
          let one = kept.get(keys[place]);
          if (!one) {
            const row = createDrawing(line);
            kept.set(keys[place], (one = { row, node: make(row, item) }));
          }
          one.row.draw(item, now);
          if (parent.children[place] !== one.node) parent.insertBefore(one.node, parent.children[place] ?? null);
        });
      });
      return parent;
    },
  };
  return drawing;
}

/** @param {any} node @param {string} name @param {any} value */
function setProperty(node, name, value) {
  if (name === "show") node.hidden = !value;
  else if (name === "note") node.hidden = !(node.textContent = value);
  else if (value === null) node.removeAttribute(name);
  else if (name in node) node[name] = value;
  else node.setAttribute(name, value);
}

/** A hub's kernel may know the path alone. @param {string|null} address */
function webAddress(address) {
  try {
    const { protocol, href } = new URL(address ?? "", address?.startsWith("/") ? location.href : undefined);
    return protocol === "https:" || protocol === "http:" ? href : null;
  } catch {
    return null;
  }
}

/** No address of the web: shown as text. @type {WebLink} */
const webLink = ({ h }, address, label, name = "") => h("a", {
  class: name, target: "_blank", rel: "noopener noreferrer", href: (...given) => webAddress(address(...given)),
  note: (...given) => (webAddress(address(...given)) ? label : address(...given) ?? ""),
});

// ---- Time ----

const PAGE = document.documentElement.lang.match(/^[a-z]{2,3}(?![a-z])/)?.[0];
const TAGS = [...navigator.languages.filter((tag) => /^\w\w[\w-]*$/.test(tag) && tag.startsWith(PAGE ?? "")), PAGE ?? "en"];

/** Late: a first formatter takes as long as a drawing. @param {number} left milliseconds */
function spanText(left) {
  if (left < HOUR)
    return new Date(left).toLocaleTimeString(TAGS, { minute: "numeric", second: "numeric", timeZone: "UTC" });
  const say = (count = 0, unit = "") =>
    count.toLocaleString(TAGS, { style: "unit", unit, unitDisplay: "narrow" });
  const days = Math.floor(left / DAY), hours = say(Math.floor(left / HOUR) % 24, "hour");
  return new Intl.ListFormat(TAGS, { style: "narrow", type: "unit" })
    .format(days ? [say(days, "day"), hours] : [hours, say(Math.floor(left / MINUTE) % 60, "minute")]);
}

/** @param {number} age milliseconds */
function agoText(age) {
  const say = (/** @type {number} */ size, /** @type {any} */ unit) =>
    new Intl.RelativeTimeFormat(TAGS, { style: "short" }).format(-Math.floor(age / size), unit);
  return age < MINUTE ? TEXT.justNow : age < HOUR ? say(MINUTE, "minute") : age < DAY ? say(HOUR, "hour") : say(DAY, "day");
}

/** @param {Status} status */
const inUse = ({ state }) => state === "signed_in" || state === "unverified";

/** The server has said yes since. @param {Status} status @param {number} ends */
const isOverdue = ({ busy, checked_at }, ends) => !busy && (checked_at ?? 0) >= ends;

/** @param {number} left milliseconds */
const phaseOf = (left) => left <= 0 ? "bad" : left <= DAY ? "urgent" : left <= 7 * DAY ? "soon" : "plenty";

/** A key's end comes near, by the person's word. @param {Status} status @param {number} now */
const isDue = (status, now) =>
  inUse(status) && status.expiry === "noted" && phaseOf((status.expires_at ?? now) - now) !== "plenty";

/** @param {Status} status @param {number} now */
function countdownOf(status, now) {
  const { state, expires_at: ends, expiry, lifetime } = status, bare = { text: "", aside: "", tone: "", share: -1 };
  if (state === "expired") return { ...bare, text: TEXT.over, tone: "bad" };
  if (!inUse(status)) return null;
  if (ends === null) return { ...bare, aside: TEXT.noExpiry };
  const date = new Date(ends).toLocaleString(TAGS, { dateStyle: "medium", timeStyle: "short" });
  const left = ends - now, tone = phaseOf(left), until = fill(TEXT.until, date);
  if (left <= 0)
    return { ...bare, text: isOverdue(status, ends) ? TEXT.overdue : TEXT.timeUp, aside: fill(TEXT.ended, date), tone };
  const text = fill(TEXT.left, spanText(left)), share = lifetime ? Math.min(1, left / lifetime) : -1;
  const aside = tone === "urgent" ? `${until} · ${TEXT.outlive}` : until;
  return { ...bare, text: expiry === "about" ? fill(TEXT.about, text) : text, aside, tone, share };
}

/** One timer serves all views. @type {Set<() => void>} */
const views = new Set();
let timer = 0;

function tick() {
  timer = setTimeout(tick, SECOND - (Date.now() % SECOND));
  for (const view of views) view();
}

// ---- The line to the kernel ----

/** Ends asked about. @type {WeakMap<object, Set<number>>} */
const askedEnds = new WeakMap();

/** No hello before: one answer reaches all views. @type {WeakMap<Model, number>} */
const greeted = new WeakMap();

/** marimo's knows no kernel. @param {Model} model */
const managerOf = ({ widget_manager: it }) => (it && ("kernel" in it || "create_view" in it) ? it : null);

/** @param {Model} model @returns {Health} */
function healthOf(model) {
  const manager = managerOf(model);
  if (!manager) return "live";
  try {
    const { kernel } = /** @type {any} */ (manager), status = kernel?.status ?? "";
    if (!kernel) return kernel === null ? "saved" : "unknown";
    if (status === "unknown") return "away";
    return /dead|terminating/.test(status) ? "gone" : /busy|restarting/.test(status) ? "busy" : "live";
  } catch {
    return "gone"; // a closed notebook's getter throws
  }
}

/** Before the kernel has answered. @param {Model} model @returns {Status|null} */
function fromTraits(model) {
  if (Math.abs(Date.now() - model.get("kernel_now")) > MINUTE) return null; // saved
  return {
    ...BLANK, state: model.get("state"), offers: model.get("offers"), expires_at: model.get("expires_at"),
    expiry: model.get("expiry"), checked_at: model.get("checked_at"), remember: { label: TEXT.remember },
  };
}

/** @param {Model} model @param {() => void} changed */
function createLine(model, changed) {
  const health = healthOf(model), lost = TEXT.lost[health];
  /** @type {Line} */
  const line = {
    health, lost, changed, status: lost || health === "unknown" ? null : fromTraits(model),
    offset: 0, heard: Date.now(), asked: { kind: "", at: 0, due: 0 }, probing: false,

    open() {
      model.on("msg:custom", line.hear);
      model.on("comm_live_update", line.disconnected);
      line.hello();
    },
    close() {
      model.off("msg:custom", line.hear);
      model.off("comm_live_update", line.disconnected);
    },
    get now() {
      return Date.now() + line.offset;
    },
    get waiting() {
      const { kind, at } = line.asked;
      if (!kind || (kind === "hello" && line.status && Date.now() - at < PATIENCE)) return "";
      return line.health === "busy" || line.probing ? TEXT.busy : TEXT.waiting;
    },

    send(intent, buffers) {
      const { kind } = intent, now = Date.now();
      line.health = healthOf(model);
      if (kind !== "warm") line.asked = { kind, at: line.asked.kind ? line.asked.at : now, due: now + PATIENCE };
      try {
        if (kind !== "hello" || now >= (greeted.get(model) ?? 0)) model.send(intent, undefined, buffers);
        if (kind === "hello") greeted.set(model, now + SECOND);
      } catch {
        line.lose("gone"); // the comm ended with its kernel
      }
      changed();
    },
    sendSecret(intent, field, text = field.value) {
      field.value = "";
      const bytes = new TextEncoder().encode(text);
      line.send(intent, [bytes]);
      if (line.health !== "away") bytes.fill(0); // else still queued
    },
    hello() {
      line.send({ kind: "hello" });
    },
    hear(message) {
      if (message?.kind !== "status") return;
      line.status = { ...BLANK, ...message };
      line.offset = message.now - Date.now();
      line.lost = "";
      if (!message.unasked || line.asked.kind === "hello") line.asked.kind = "";
      line.heard = Date.now();
      greeted.delete(model);
      changed();
    },
    lookAnew() {
      if (!line.lost && !line.asked.kind && line.health !== "busy" && Date.now() - line.heard > SECOND) line.hello();
    },
    disconnected() {
      line.lose("gone");
      line.hello();
    },
    lose(why) {
      line.lost = TEXT.lost[why];
      line.status = null;
      line.asked.kind = "";
      greeted.delete(model);
    },

    watch() {
      const before = line.health;
      line.health = healthOf(model);
      if (TEXT.lost[line.health]) line.lose(line.health);
      else if (line.lost && line.health !== before) line.hello();
      else if (line.asked.kind) line.wait();
      else line.askAtTheEnd();
    },
    wait() {
      if (line.health === "busy") line.asked.due = Date.now() + PATIENCE;
      if (Date.now() < line.asked.due || !managerOf(model) || (line.status && line.health === "unknown")) return;
      if (line.asked.kind !== "hello") line.hello();
      else if (!line.probing) void line.probe();
    },
    async probe() {
      const { at } = line.asked;
      line.probing = true;
      await /** @type {any} */ (managerOf(model)).kernel?.requestKernelInfo?.().catch(() => {});
      line.probing = false;
      if (line.asked.kind !== "hello" || line.asked.at !== at) return;
      if (line.lost) line.asked.kind = "";
      else line.lose(line.status ? "gone" : "saved");
      changed();
    },
    askAtTheEnd() {
      const { status } = line, ends = status?.expires_at;
      if (!status || !ends || ends > line.now || !inUse(status) || isOverdue(status, ends)) return;
      const kernel = model.widget_manager ?? model, asked = askedEnds.get(kernel) ?? new Set();
      if (asked.has(ends)) return;
      askedEnds.set(kernel, asked.add(ends));
      line.send({ kind: "check" });
    },
  };
  return line;
}

// ---- Parts ----

/** @param {Status} status */
const wordOf = ({ state }) => TEXT.states[state];

/** @param {string} name @returns {(status: Status) => boolean} */
const offered = (name) => ({ offers }) => offers.includes(name);

/** @param {string} name @returns {(status: Status) => string} */
const primary = (name) => (status) => (status.primary === name ? "law-primary" : "");

/** @param {Status} status @param {number} now */
function markOf({ state, expires_at }, now) {
  const urgent = state === "signed_in" && expires_at && expires_at - now <= DAY;
  return urgent ? ["!", "soon"] : MARKS[state];
}

/** @param {Status} status @param {number} now */
function subtitleOf(status, now) {
  const { subtitle, busy, checked_at } = status;
  const checked = inUse(status) && checked_at ? fill(TEXT.checked, agoText(now - checked_at)) : "";
  return join(" · ", subtitle, busy ? TEXT.checking : checked);
}

/** @param {{message: string, next_step: string}} said */
const remarkOf = ({ message, next_step }) => join(" ", message, next_step);

/** Folds stay as they were left. @param {"details"|"cannotConnect"} name */
function wasOpen(name, open = false, /** @type {boolean|null} */ left = null) {
  try {
    if (left !== null) localStorage.setItem(`law-${name}`, String(left));
    return (localStorage.getItem(`law-${name}`) ?? String(open)) === "true";
  } catch {
    return open; // a page without storage
  }
}

/** @param {Drawing<any>} drawing @param {"details"|"cannotConnect"} name */
const summary = ({ h }, name) => h("summary", {
  onclick: ({ currentTarget }) => void wasOpen(name, false, !currentTarget.parentNode.open),
}, TEXT[name]);

/** Our labextension runs the cell. @type {Part<Status>} */
const rescuePart = ({ h, each, line }) => {
  const place = h("div");
  const ask = (cell = "", run = "") => {
    const detail = { cell, run, answer: /** @type {RunRequest["answer"]} */ ("") };
    place.dispatchEvent(new CustomEvent("luminary-auth:run", { bubbles: true, detail }));
    return detail.answer;
  };
  return each(place, ({ rescue }) => [rescue], ({ cell }) => cell, ({ h, button, tell }, { cell }) => {
    const run = (text = "", what = "", name = "") => button(text, () => {
      ask(cell, what);
      line.changed();
    }, { class: name, show: ({ ready }) => ready && ask(cell) === "can" });
    return h("div", { class: "law-part law-row law-stopped" },
      h("div", { class: ({ ready }) => (ready ? "law-choice" : "law-wide") },
        h("b", { textContent: ({ title }) => title }),
        h("p", { note: ({ text, ready }) => join(" ", text, ready && TEXT.ran[ask(cell)]) })),
      run(TEXT.runCell, "cell", "law-primary"), run(TEXT.runBelow, "below"),
      tell(TEXT.dismiss, { kind: "dismiss_rescue" }));
  });
};

/** @type {Part<Status>} */
const statePart = (drawing) => {
  const { h, each, tell, line } = drawing;
  return h("div", { class: "law-part" },
    h("div", { class: "law-state" },
      h("span", {
        role: "img", "aria-label": wordOf, textContent: (status, now) => markOf(status, now)[0],
        class: (status, now) => `law-mark law-${markOf(status, now)[1]}`,
      }),
      h("div", {
        role: "heading", "aria-level": 3, tabindex: -1, textContent: (status) => status.title || wordOf(status),
      }),
      h("small", { note: subtitleOf })),
    each(h("div"), (status, now) => [countdownOf(status, now)], () => "", countdown),
    h("p", { note: remarkOf }),
    h("p", { note: () => line.waiting }),
    h("div", { class: "law-row" },
      ...browserButton(drawing), tell(TEXT.check, { kind: "check" }, { show: offered("check") }), ...signOut(drawing),
      webLink(drawing, (status, now) => (isDue(status, now) ? status.key_page : null), TEXT.newKey)));
};

/** @type {Part<any>} */
const countdown = ({ h }) => h("div", { class: ({ tone }) => `law-left law-${tone}` },
  h("time", { note: ({ text }) => text }), h("small", { note: ({ aside }) => aside }),
  h("progress", {
    "aria-label": TEXT.timeLeft, max: 1000, show: ({ share }) => share >= 0,
    value: ({ share }) => Math.round(Math.max(0, share) * 1000),
  }));

/** @param {Drawing<Status>} drawing */
function signOut({ h, button, tell, follow, line }) {
  const leave = { kind: "sign_out", everywhere: false };
  const ask = (open = true) => {
    choice.hidden = !open;
    (open ? here : first).focus();
  };
  const here = tell(TEXT.here, leave);
  const choice = h("div", { class: "law-row law-choice", role: "group", "aria-label": TEXT.signOutOf, hidden: true },
    h("small", {}, TEXT.signOutOf), here, tell(TEXT.everywhere, { ...leave, everywhere: true }),
    button(TEXT.stay, () => ask(false)));
  const first = button("", () => (line.status?.sign_out_choice ? ask() : line.send(leave)), {
    show: offered("sign_out"), textContent: (status) => (status.sign_out_choice ? TEXT.signOutAsk : TEXT.signOut),
    "data-intent": leave.kind,
  });
  follow((status) => status.sign_out_choice && status.state, () => (choice.hidden = true));
  return [first, choice];
}

/** @type {Part<Status>} */
const attemptPart = ({ h, each }) => {
  const makerOf = (/** @type {Attempt} */ { phase }) =>
    phase === "failed" ? failed : phase === "waiting_for_browser" ? waitingForBrowser : working;
  return each(h("div"), ({ attempt }) => [attempt], makerOf, (row, attempt) => makerOf(attempt)(row));
};

/** @type {Part<Attempt>} */
const working = ({ h, tell }) => h("div", { class: "law-part law-row" },
  h("span", { class: "law-mark law-spin", "aria-hidden": "true" }, "…"),
  h("span", { class: "law-wide", textContent: ({ message, phase }) => message || TEXT.phases[phase] }),
  tell(TEXT.cancel, { kind: "cancel" }));

/** @type {Part<Attempt>} */
const failed = ({ h, tell }) => h("div", { class: "law-part" },
  h("div", { class: "law-alert", role: "alert" },
    h("b", { textContent: ({ message }) => message || TEXT.phases.failed }), " ",
    h("p", { note: (attempt) => attempt.next_step })),
  h("div", { class: "law-row" },
    tell(TEXT.retry, { kind: "retry" }, { show: ({ can_retry }) => can_retry }),
    tell(TEXT.retry, { kind: "sign_in_with_browser" }, { show: ({ method }) => method === "browser" }),
    tell(TEXT.dismiss, { kind: "dismiss" })));

/** @type {Part<Status>} */
const keyPart = (drawing) => {
  const { h, follow, line } = drawing, { field, show, take } = keyField(drawing), lasts = keyLasts(drawing);
  const remember = h("input", { type: "checkbox" }), empty = h("p", { class: "law-bad", role: "alert", hidden: true }, TEXT.emptyKey);
  const use = (/** @type {any} */ event) => {
    event.preventDefault();
    if (!field.value.trim()) {
      empty.hidden = !!line.asked.kind || !!line.status?.attempt;
      return field.focus();
    }
    const intent = { kind: "use_key", remember: remember.checked && !!line.status?.remember, lasts: lasts.value() };
    line.sendSecret(intent, field, take());
  };
  const form = h("form", { onsubmit: use, onreset: lasts.reset, oninput: () => void (empty.hidden = true) },
    h("div", { class: "law-line" },
      h("label", {}, TEXT.key, field), show, h("button", { class: primary("key") }, TEXT.useKey)),
    empty,
    h("div", { class: "law-row" },
      h("label", { show: (status) => status.remember },
        remember, h("span", { textContent: (status) => status.remember?.label ?? "" })),
      ...lasts.els, webLink(drawing, (status, now) => (isDue(status, now) ? null : status.key_page), TEXT.getKey)),
    h("small", {}, TEXT.lastsHint));
  const spare = (/** @type {Status} */ status) => inUse(status) || status.state === "checking";
  const part = h("details", { class: "law-part", show: offered("key") },
    h("summary", { show: spare }, TEXT.otherKey), form);
  follow((status, now) => (isDue(status, now) ? status.expires_at : spare(status)), (end) => {
    if (end && !field.value) form.reset();
    part.open = end !== true || field.value !== "";
  });
  return part;
};

/** A field drops line ends; `take` keeps those of a pasted .env. @param {Drawing<Status>} drawing */
function keyField({ h, button }) {
  let pasted = "";
  const field = h("input", {
    type: "password", ...PRIVATE,
    onpaste: ({ clipboardData }) => {
      const all = (field.selectionEnd ?? 0) - (field.selectionStart ?? 0) === field.value.length;
      pasted = all ? clipboardData.getData("text") : "";
    },
    oninput: ({ inputType }) => {
      if (inputType !== "insertFromPaste") pasted = "";
    },
  });
  const show = button("", () => reveal(field.type === "password"));
  const reveal = (visible = false) => {
    field.type = visible ? "text" : "password";
    show.setAttribute("aria-pressed", String(visible));
    show.textContent = visible ? TEXT.hide : TEXT.show;
  };
  const take = () => {
    const text = pasted || field.value;
    pasted = "";
    reveal();
    return text;
  };
  reveal();
  return { field, show, take };
}

/** @param {Drawing<Status>} drawing */
function keyLasts({ h }) {
  const date = h("input", { "aria-label": TEXT.lastsUntil, hidden: true });
  const options = Object.entries(TEXT.lifetimes).map(([value, text]) => h("option", { value }, text));
  const ask = (value = "") => {
    date.type = value; // a period is no type
    date.hidden = !(date.required = value === "date");
  };
  const choice = h("select", { "aria-label": TEXT.lasts, onchange: ({ target }) => ask(target.value) }, ...options);
  return {
    els: [h("label", {}, TEXT.lasts, choice), date], reset: () => ask(),
    value: () => (choice.value === "date" ? date.value : choice.value),
  };
}

/** @type {Part<Status>} */
const envPart = ({ h, each }) => {
  const found = (/** @type {Status} */ { env_file, offers }) => [offers.includes("load_env") ? env_file : null];
  return each(h("div"), found, ({ path }) => path, ({ h, tell, line }, { path }) => h("div",
    { class: "law-part law-row" },
    h("span", { class: "law-wide" }, h("b", {}, TEXT.env), " ", h("small", { textContent: ({ label }) => label })),
    tell(TEXT.load, { kind: "load_env", path }, { class: () => primary("load_env")(line.status ?? BLANK) })));
};

/** @type {Part<Status>} */
const noticesPart = ({ h, each }) => each(h("div"), ({ notices }) => notices, ({ id }) => id, (row, { id }) =>
  row.h("div", { class: "law-part law-row" },
    row.h("span", { class: "law-wide", textContent: ({ text }) => text }),
    row.each(row.h("div", { class: "law-row" }), ({ actions }) => actions, ({ kind }) => kind, (act, { kind }) =>
      act.tell("", { kind, id }, { textContent: ({ label }) => label }))));

const HOST = JSON.parse(document.getElementById("jupyter-config-data")?.textContent || "{}");

/** @param {Status} status @returns {Row[]} */
const rowsOf = ({ sources, environments, facts }) => [
  ...sources.map((row) => ({ ...row, label: row.can_use && TEXT.useThis, intent: { kind: "use_source", id: row.id } })),
  ...environments.map(({ id, name, in_use }) => ({
    id, title: TEXT.environment, detail: name, in_use, label: TEXT.switchTo,
    intent: { kind: "use_environment", environment: id },
  })),
  ...facts.map(([title, detail]) => ({ id: title, title, detail })),
];

/** @type {Part<Status>} */
const detailsPart = (drawing) => {
  const { h, each } = drawing;
  const diagnostics = h("pre", {
    class: "law-well", hidden: true,
    textContent: (status) => join("\n", status.diagnostics, join(" ", HOST.appName, HOST.appVersion), navigator.userAgent),
  });
  const copy = copyButton(drawing, TEXT.copyDiagnostics, diagnostics, { "data-intent": "copy_diagnostics" });
  return h("details", { class: "law-part", show: (status) => rowsOf(status).length, open: wasOpen("details") },
    summary(drawing, "details"),
    h("table", {}, each(h("tbody"), rowsOf, ({ id }) => id, ({ h, tell }, { intent }) => h("tr", {},
      h("th", { scope: "row", textContent: ({ title }) => title }),
      h("td", { colSpan: intent ? 1 : 2 },
        h("div", { textContent: ({ detail }) => detail }), h("small", { note: ({ note }) => note ?? "" })),
      ...(intent ? [h("td", {},
        h("span", { class: "law-good", show: ({ in_use }) => in_use }, TEXT.inUse),
        tell("", intent, { note: ({ label, in_use }) => (!in_use && label) || "" }))] : [])))),
    h("div", { class: "law-row" }, copy), diagnostics);
};

// ---- Browser sign-in ----

/** @param {Drawing<Status>} drawing */
function browserButton({ h, tell, line }) {
  const offer = offered("browser");
  const start = tell("", { kind: "sign_in_with_browser" }, {
    show: offer, class: primary("browser"),
    textContent: ({ state }) =>
      state === "signed_out" ? TEXT.browser : state === "rejected" ? TEXT.browserInstead : TEXT.browserAgain,
  });
  start.onpointerenter = start.onfocus = () => line.send({ kind: "warm" });
  return [start, h("small", { show: (status) => status.state === "signed_out" && offer(status) }, TEXT.browserHint)];
}

/** @type {Part<Attempt>} */
const waitingForBrowser = (drawing) => {
  const { h, tell, line } = drawing;
  const well = h("div", {
    class: "law-well", role: "group", "aria-label": TEXT.link, tabindex: 0,
    note: ({ link }) => webAddress(link) ?? link ?? "",
  });
  const another = h("input", {
    type: "checkbox", onchange: ({ target }) => line.send({ kind: "use_another_account", on: target.checked }),
  });
  return h("div", { class: "law-part" },
    h("div", { role: "heading", "aria-level": 4 }, TEXT.phases.waiting_for_browser),
    h("small", { note: ({ ends_at }, now) => (ends_at ? fill(TEXT.left, spanText(Math.max(0, ends_at - now))) : "") }),
    well,
    h("div", { class: "law-row" },
      webLink(drawing, ({ link }) => link, TEXT.openLink, "law-button law-primary"),
      copyButton(drawing, TEXT.copyLink, well), tell(TEXT.cancel, { kind: "cancel" }),
      h("label", {}, another, TEXT.otherAccount)),
    h("p", { class: "law-bad", role: "alert", note: remarkOf }),
    pasteBack(drawing));
};

/** For a remote kernel. @type {Part<Attempt>} */
const pasteBack = (drawing) => {
  const { h, line } = drawing;
  const address = h("input", { type: "text", placeholder: "http://127.0.0.1:10001/callback?code=…", ...PRIVATE });
  const finish = (/** @type {any} */ event) => {
    event.preventDefault();
    if (address.value.trim()) line.sendSecret({ kind: "paste_callback" }, address);
    else address.focus();
  };
  const elsewhere = !["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
  return h("details", { open: wasOpen("cannotConnect", elsewhere) },
    summary(drawing, "cannotConnect"),
    h("form", { class: "law-line", onsubmit: finish },
      h("label", {}, TEXT.address, address), h("button", {}, TEXT.finish)));
};

/** @param {Drawing<any>} drawing @param {string} label @param {HTMLElement} node @param {Props<any>} [props] */
function copyButton({ button, follow }, label, node, props) {
  const copy = button(label, async () => {
    node.hidden = false;
    copy.textContent = await copyText(node);
  }, { "aria-live": "polite", ...props });
  follow(() => node.textContent, () => (copy.textContent = label));
  return copy;
}

/** Plain http has no clipboard. @param {HTMLElement} node */
async function copyText(node) {
  try {
    await navigator.clipboard.writeText(node.textContent ?? "");
    return TEXT.copied;
  } catch {
    getSelection()?.selectAllChildren(node);
    return TEXT.selected;
  }
}

// ---- The card ----

/** @param {Line} line */
function createCard(line) {
  const drawing = /** @type {Drawing<Status>} */ (createDrawing(line)), { h, follow } = drawing;
  const key = keyPart(drawing);
  const body = h("div", { show: () => line.status }, rescuePart(drawing), statePart(drawing), attemptPart(drawing),
    noticesPart(drawing), key, envPart(drawing), detailsPart(drawing));
  const sentence = h("p", { class: "law-part", tabindex: -1, note: () => sentenceOf(line) });
  const live = h("div", { class: "law-live", role: "status" });
  const root = h("section",
    { class: "law", "aria-label": TEXT.region, onkeydown: keepKeys, onpointerenter: line.lookAnew },
    h("header", {}, h("b", {}, TEXT.brand), h("span", { textContent: ({ endpoint }) => endpoint })),
    body, sentence, live);
  let begun = false, said = [""]; // what comes first is no news
  root.addEventListener("focusin", (/** @type {any} */ { relatedTarget }) => root.contains(relatedTarget) || line.lookAnew());
  follow(() => join("\n", ...phrasesOf(line)), (text) => {
    const phrases = text.split("\n"), news = phrases.filter((one) => !said.includes(one));
    if (begun) live.textContent = news.length ? join(" · ", ...new Set([phrases[0], ...news])) : "";
    begun ||= !!text;
    said = phrases;
  });
  let field = /** @type {any} */ (null);
  follow(({ attempt }) => attempt?.phase === "failed" && attempt.method === "api_key",
    (refused) => (field = refused && key.querySelector("input")));
  const draw = () => {
    const focused = focusIn(root);
    field = null;
    drawing.draw(line.status ?? BLANK, line.now);
    const rest = focusIn(root);
    if (!focused || (rest?.checkVisibility() && !field)) return;
    const heading = body.querySelector("[role=heading]"), landings = [field, focused, heading, sentence];
    /** @type {any} */ (landings.find((one) => one?.checkVisibility()))?.focus();
  };
  return { root, draw };
}

/** @param {Line} line */
const sentenceOf = ({ lost, status, waiting }) => lost || (status ? "" : waiting || TEXT.waiting);

/** @param {Status} status @param {number} now */
function nearingOf(status, now) {
  const countdown = inUse(status) ? countdownOf(status, now) : null;
  return countdown?.text && countdown.tone !== "plenty" ? countdown : null;
}

/** Said aloud once new; a failure has its own alert. @param {Line} line */
function phrasesOf(line) {
  const { status, now, waiting } = line;
  if (!status) return [line.lost];
  const word = wordOf(status), { attempt, title, rescue, notices } = status;
  return [
    attempt ? attempt.phase !== "failed" && (attempt.message || TEXT.phases[attempt.phase])
      : title.startsWith(word) ? title : join(": ", word, title),
    nearingOf(status, now)?.aside, rescue?.title, remarkOf(status), waiting === TEXT.busy && waiting,
    ...notices.map(({ text }) => text),
  ];
}

/** @param {any} root @returns {Element|null} */
function focusIn(root) {
  const active = root.getRootNode().activeElement;
  return root.contains(active) ? active : null;
}

/** The minute, where seconds change nothing. @param {Line} line */
function beatOf({ status, asked, now }) {
  const { expires_at, attempt, rescue } = status ?? BLANK, left = (expires_at ?? 0) - now;
  return !status || attempt || rescue || asked.kind || Math.abs(left) < HOUR ? now : Math.ceil(left / MINUTE);
}

/** Commands of notebooks: plain keys, Enter, Ctrl+A, Z; Ctrl+S saves. @param {any} event */
function keepKeys(event) {
  const modified = event.ctrlKey || event.metaKey || event.altKey;
  if (modified && /^[^ayz]$/i.test(event.key)) return;
  if (modified && event.key === "Enter") event.preventDefault();
  event.stopPropagation();
}

/** @type {Render} */
function render({ model, el }) {
  const line = createLine(model, () => card.draw()), card = createCard(line);
  let seen = true, drawn = 0;
  const view = () => {
    line.watch();
    if (seen && drawn !== (drawn = beatOf(line))) card.draw();
  };
  const sight = new IntersectionObserver((all) => {
    seen = all[all.length - 1].isIntersecting;
    view();
  });
  el.append(card.root);
  line.open();
  sight.observe(card.root);
  document.addEventListener("visibilitychange", view);
  views.add(view);
  if (views.size > 1) view();
  else tick();
  return () => {
    sight.disconnect();
    document.removeEventListener("visibilitychange", view);
    views.delete(view);
    if (!views.size) clearTimeout(timer);
    line.close();
    card.root.remove();
  };
}

export default { render };
