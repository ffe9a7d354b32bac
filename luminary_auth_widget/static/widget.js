// @ts-check
/** The page's side of the widget: it draws what the kernel decided, and sends back what the person wants. */

/**
 * @import {Attempt, Intent, RunRequest, State, Status} from "./contract.d.ts"
 * @typedef {import("@anywidget/types").AnyModel} Model
 */
/** @template T @typedef {string|number|boolean|((value: T, now: number) => unknown)} Given */
/** @template T @typedef {(drawing: Drawing<T>) => HTMLElement} Part */

const TEXT = {
  brand: "Luminary Cloud", region: "Luminary Cloud sign-in",
  waiting: "Waiting for the kernel…", busy: "The kernel is busy; this happens when the running cell ends.",
  gone: "This kernel is gone. Run the cell again to sign in.", saved: "Saved view: run this cell to sign in.",
  phases: {
    starting: "Starting…", waiting_for_browser: "Finish signing in in your browser",
    finishing: "Finishing sign-in…", checking: "Asking the server…", failed: "That did not work.",
  },
  timeLeft: "Time left", left: "% left", about: "about %", until: "until %", ended: "ended %",
  outlive: "a job started now may outlive it", timeUp: "time is up; asking the server",
  overdue: "past its expected end", over: "session over", noExpiry: "no expiry known",
  checking: "checking…", checked: "checked %", justNow: "just now", ago: "% ago",
  check: "Check", cancel: "Cancel", retry: "Try again", dismiss: "Dismiss",
  signOut: "Sign out", signOutAsk: "Sign out…", signOutOf: "Sign out of",
  here: "This kernel only", everywhere: "Everywhere", stay: "Keep me signed in",
  browser: "Sign in with browser", browserAgain: "Sign in again", browserInstead: "Sign in with browser instead",
  browserHint: "Opens a new tab. Lasts 30 days.", link: "Log-in link", openLink: "Open the log-in page ↗",
  copyLink: "Copy link", copied: "Copied", selected: "Selected: copy it now", otherAccount: "Use another account",
  cannotConnect: "Your browser ended on a page that cannot connect?", address: "Paste its address", finish: "Finish",
  key: "API key", otherKey: "Use another key", show: "Show", hide: "Hide", useKey: "Use key", getKey: "Get a key ↗",
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

/** @type {Record<State, [word: string, glyph: string, tone: string]>} */
const STATES = {
  signed_out: ["Not signed in", "○", ""], checking: ["Checking", "…", "spin"], signed_in: ["Signed in", "✓", "good"],
  unverified: ["Not verified", "?", "soon"], expired: ["Session over", "×", "bad"],
  rejected: ["The server refused this key", "×", "bad"],
};
const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
/** How long a message may go unanswered before the page looks at the kernel. */
const PATIENCE = 4 * SECOND;
/** Older traits may come from a saved notebook: then the page waits for the kernel's own word. */
const FRESH = MINUTE;
/** Kept from password managers; and the browser's own context menu (its Paste) instead of JupyterLab's. */
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
  notices: [], rescue: null,
};

// ---- Drawing: text and properties only, never markup ----

/**
 * Elements that follow a value. A property given as a function is read from every new value and written only when it
 * differs from last time, so that what the person typed, focused or unfolded stays.
 * @template T
 */
class Drawing {
  /** @type {((value: T, now: number) => void)[]} */
  steps = [];

  /** @param {Line} line */
  constructor(line) {
    this.line = line;
  }

  /** @param {T} value @param {number} now */
  draw(value, now) {
    for (const step of this.steps) step(value, now);
  }

  /** @template R @param {(value: T, now: number) => R} read @param {(next: R) => void} write */
  follow = (read, write) => {
    let last = /** @type {R|undefined} */ (undefined);
    this.steps.push((value, now) => {
      const next = read(value, now);
      if (next !== last) write((last = next));
    });
  };

  /**
   * @template {keyof HTMLElementTagNameMap} K
   * @param {K} tag @param {{[name: `on${string}`]: (event: any) => void, [name: string]: Given<T>}} [props]
   * @param {(Node|string)[]} children
   */
  h = (tag, props = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, given] of Object.entries(props))
      if (typeof given !== "function" || name.startsWith("on")) setProperty(node, name, given);
      else this.follow(given, (next) => setProperty(node, name, next));
    node.append(...children);
    return node;
  };

  /** @param {string} text @param {() => void} onclick @param {Record<string, Given<T>>} [props] */
  button = (text, onclick, props = {}) => this.h("button", { type: "button", onclick, ...props }, text);

  /** A button that sends an intent; JupyterLab's commands find it by that (labextension/static/panel.js).
   * @param {string} text @param {Intent} intent @param {Record<string, Given<T>>} [props] */
  tell = (text, intent, props) =>
    this.button(text, () => this.line.send(intent), { "data-intent": intent.kind, ...props });

  /**
   * Keep one child of `parent` per item: made once per key, then drawn in place.
   * @template I
   * @param {HTMLElement} parent @param {(value: T, now: number) => (I|null)[]} itemsOf
   * @param {(item: I) => string} keyOf @param {(row: Drawing<I>, first: I) => HTMLElement} make
   */
  each = (parent, itemsOf, keyOf, make) => {
    /** @type {Map<string, {row: Drawing<I>, node: HTMLElement}>} */
    const kept = new Map();
    this.steps.push((value, now) => {
      const items = itemsOf(value, now).filter((item) => item !== null), keys = items.map(keyOf);
      for (const [key, { node }] of kept) if (!keys.includes(key)) node.remove(), kept.delete(key);
      items.forEach((item, place) => {
        const row = kept.get(keys[place])?.row ?? /** @type {Drawing<I>} */ (new Drawing(this.line));
        const node = kept.get(keys[place])?.node ?? make(row, item);
        kept.set(keys[place], { row, node });
        row.draw(item, now);
        if (parent.children[place] !== node) parent.insertBefore(node, parent.children[place] ?? null);
      });
    });
    return parent;
  };
}

/** `show` hides or not, a `note` hides itself when empty; the rest are properties or attributes.
 * @param {any} node @param {string} name @param {any} value */
function setProperty(node, name, value) {
  if (name === "show") node.hidden = !value;
  else if (name === "note") node.hidden = !(node.textContent = value);
  else if (value === null) node.removeAttribute(name);
  else if (name in node) node[name] = value;
  else node.setAttribute(name, value);
}

/** A path alone is on this page's own server: a kernel on a hub may not know its name. @param {string|null} address */
function webAddress(address) {
  try {
    const { protocol, href } = new URL(address ?? "", address?.startsWith("/") ? location.href : undefined);
    return protocol === "https:" || protocol === "http:" ? href : null;
  } catch {
    return null;
  }
}

/** A link in a new tab; an address that is not of the web is shown as text.
 * @template T @param {Drawing<T>} drawing @param {(value: T) => string|null} address @param {string} label */
const webLink = ({ h }, address, label, name = "") => h("a", {
  class: name, target: "_blank", rel: "noopener noreferrer", href: (value) => webAddress(address(value)),
  note: (value) => (webAddress(address(value)) ? label : address(value) ?? ""),
});

// ---- Time ----

/** @param {number} left milliseconds */
function spanText(left) {
  const days = Math.floor(left / DAY), hours = Math.floor(left / HOUR) % 24, minutes = Math.floor(left / MINUTE) % 60;
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  if (days) return `${days} d ${two(hours)} h`;
  return hours ? `${hours} h ${two(minutes)} min` : `${minutes}:${two(Math.floor(left / SECOND) % 60)}`;
}

/** @param {number} age milliseconds */
function agoText(age) {
  if (age < MINUTE) return TEXT.justNow;
  const [unit, name] = age < HOUR ? [MINUTE, "min"] : age < DAY ? [HOUR, "h"] : [DAY, "d"];
  return fill(TEXT.ago, `${Math.floor(age / Number(unit))} ${name}`);
}

/** In the page's language, in the variant that this browser asks for. @param {number} ms */
function dateText(ms) {
  const page = document.documentElement.lang.split("-")[0];
  const tags = navigator.languages.filter((tag) => !page || tag.split("-")[0] === page);
  return new Intl.DateTimeFormat(tags, { dateStyle: "medium", timeStyle: "short" }).format(ms);
}

/** @param {Status} status */
const inUse = ({ state }) => state === "signed_in" || state === "unverified";

/** The server has said yes after the expected end. @param {Status} status @param {number} ends */
const isOverdue = ({ busy, checked_at }, ends) => !busy && checked_at !== null && checked_at >= ends;

/** @param {number} left milliseconds */
const phaseOf = (left) => left <= 0 ? "bad" : left <= DAY ? "urgent" : left <= 7 * DAY ? "soon" : "plenty";

/** A bar needs the share of the lifetime that is left.
 * @param {Status} status @param {number} now */
function countdownOf(status, now) {
  const { state, expires_at: ends, expiry, lifetime } = status, bare = { text: "", aside: "", tone: "", share: -1 };
  if (state === "expired") return { ...bare, text: TEXT.over, tone: "bad" };
  if (!inUse(status)) return null;
  if (ends === null) return { ...bare, aside: TEXT.noExpiry };
  const left = ends - now, tone = phaseOf(left), date = dateText(ends), until = fill(TEXT.until, date);
  if (left <= 0)
    return { ...bare, text: isOverdue(status, ends) ? TEXT.overdue : TEXT.timeUp, aside: fill(TEXT.ended, date), tone };
  const text = fill(TEXT.left, spanText(left)), share = lifetime ? Math.min(1, left / lifetime) : -1;
  const aside = tone === "urgent" ? `${until} · ${TEXT.outlive}` : until;
  return { text: expiry === "about" ? fill(TEXT.about, text) : text, aside, tone, share };
}

/** One timer for all views of the page; it ends with the last of them. */
const clock = {
  views: /** @type {Set<() => void>} */ (new Set()),
  timer: 0,
  tick() {
    clearTimeout(clock.timer);
    clock.timer = setTimeout(clock.tick, SECOND - (Date.now() % SECOND));
    for (const view of clock.views) view();
  },
  /** @param {() => void} view */
  add(view) {
    if (!clock.views.size) document.addEventListener("visibilitychange", clock.tick);
    clock.views.add(view);
    clock.tick();
  },
  /** @param {() => void} view */
  remove(view) {
    clock.views.delete(view);
    if (clock.views.size) return;
    document.removeEventListener("visibilitychange", clock.tick);
    clearTimeout(clock.timer);
  },
};

// ---- The line to the kernel ----

/** The ends that each kernel was asked about. @type {WeakMap<object, Set<number>>} */
const askedEnds = new WeakMap();

/** Jupyter's own, which knows of its kernel or draws without one; marimo has another. @param {Model} model */
const managerOf = ({ widget_manager: manager }) =>
  manager && ("kernel" in manager || "create_view" in manager) ? manager : null;

/** A page without Jupyter's widget manager counts as live.
 * @param {Model} model @returns {"live"|"busy"|"unknown"|"gone"|"saved"} */
function healthOf(model) {
  const manager = managerOf(model);
  if (!manager) return "live";
  try {
    const { kernel } = /** @type {{kernel?: {status?: string}|null}} */ (manager), status = kernel?.status ?? "";
    if (!kernel) return kernel === null ? "saved" : "unknown";
    if (["dead", "unknown", "terminating"].includes(status)) return "gone";
    return ["busy", "restarting", "autorestarting"].includes(status) ? "busy" : "live";
  } catch {
    return "gone"; // JupyterLab's getter throws once its notebook is closed
  }
}

/** What may be drawn before the kernel has answered. @param {Model} model @returns {Status|null} */
function fromTraits(model) {
  const trait = (/** @type {string} */ name) => model.get(name), phase = trait("attempt");
  if (Math.abs(Date.now() - trait("kernel_now")) > FRESH) return null;
  const attempt = { method: "", phase, message: "", next_step: "", ends_at: null, link: null, can_retry: false };
  return {
    ...BLANK, state: trait("state"), offers: trait("offers"), expires_at: trait("expires_at"), expiry: trait("expiry"),
    checked_at: trait("checked_at"), attempt: phase ? attempt : null, remember: { label: TEXT.remember },
  };
}

/** What was asked, what was heard, and whether anybody is still there. */
class Line {
  /** @param {Model} model @param {() => void} changed */
  constructor(model, changed) {
    this.model = model;
    this.changed = changed;
    this.health = healthOf(model);
    this.lost = /** @type {""|"gone"|"saved"} */ (["gone", "saved"].includes(this.health) ? this.health : "");
    this.status = this.lost || this.health === "unknown" ? null : fromTraits(model);
    /** The kernel's clock less the page's, in milliseconds. */
    this.offset = 0;
    /** When the kernel last said how it stands. */
    this.heard = Date.now();
    /** To what an answer is due, since when, and when to look what keeps it. */
    this.asked = { kind: "", at: 0, due: 0 };
    /** Whether the kernel is being asked for a sign of life. */
    this.probing = false;
  }

  open() {
    this.model.on("msg:custom", this.hear);
    this.model.on("comm_live_update", this.disconnected);
    this.hello();
  }

  close() {
    this.model.off("msg:custom", this.hear);
    this.model.off("comm_live_update", this.disconnected);
  }

  get now() {
    return Date.now() + this.offset;
  }

  /** What to say while an answer is due; a hello is not worth a word at once. */
  get waiting() {
    const { kind, at } = this.asked;
    if (!kind || (kind === "hello" && this.status && Date.now() - at < PATIENCE)) return "";
    return this.health === "busy" || this.probing ? TEXT.busy : TEXT.waiting;
  }

  /** @param {Intent} intent @param {Uint8Array[]} [buffers] */
  send(intent, buffers) {
    const { kind } = intent, now = Date.now();
    this.health = healthOf(this.model);
    if (kind !== "warm") this.asked = { kind, at: this.asked.kind ? this.asked.at : now, due: now + PATIENCE };
    try {
      this.model.send(intent, undefined, buffers);
    } catch {
      this.lose("gone"); // the comm ended with its kernel
    }
    this.changed();
  }

  /** Send a field's text as a binary buffer, which no trait, log or notebook keeps; the field is emptied first.
   * @param {Intent} intent @param {HTMLInputElement} field */
  sendSecret(intent, field, text = field.value) {
    field.value = "";
    const bytes = new TextEncoder().encode(text);
    this.send(intent, [bytes]);
    bytes.fill(0);
  }

  hello() {
    this.send({ kind: "hello" });
  }

  hear = (/** @type {any} */ message) => {
    if (message?.kind !== "status") return;
    this.status = { ...BLANK, ...message };
    this.offset = message.now - Date.now();
    this.lost = this.asked.kind = "";
    this.heard = Date.now();
    this.changed();
  };

  /** Whoever turns to the widget wants to see what is there now, such as a .env that was written since. */
  lookAnew = () => {
    if (!this.lost && !this.asked.kind && Date.now() - this.heard > SECOND) this.hello();
  };

  /** JupyterLab says that the kernel restarted or went away. */
  disconnected = () => {
    this.lose("gone");
    this.hello();
  };

  /** @param {"gone"|"saved"} why */
  lose(why) {
    this.lost = why;
    this.status = null;
    this.asked.kind = "";
  }

  /** Once a second: is the kernel there, is an answer overdue, is the session's time up? */
  watch() {
    const before = this.health;
    this.health = healthOf(this.model);
    if (this.health === "gone" || this.health === "saved") this.lose(this.health);
    else if (this.lost && this.health !== before) this.hello();
    else if (this.asked.kind) this.wait();
    else this.askAtTheEnd();
  }

  /** A busy kernel has all the time it needs; a quiet one is asked once more, then given up. */
  wait() {
    if (this.health === "busy") this.asked.due = Date.now() + PATIENCE;
    if (Date.now() < this.asked.due || !managerOf(this.model)) return;
    if (this.asked.kind !== "hello") this.hello();
    else if (!this.probing) void this.probe();
  }

  /** A kernel may be busy and say that it is idle, after a word with JupyterLab's debugger: what it answers after the
   * hello that it has not answered tells. */
  async probe() {
    const { kernel } = /** @type {{kernel?: any}} */ (this.model.widget_manager), { at } = this.asked;
    this.probing = true;
    await Promise.resolve(kernel?.requestKernelInfo?.()).catch(() => {});
    this.probing = false;
    if (this.asked.kind !== "hello" || this.asked.at !== at) return;
    this.lose(this.lost || (this.status ? "gone" : "saved"));
    this.changed();
  }

  /** When the time is up the server is asked: once, however many views there are. */
  askAtTheEnd() {
    const { status, model } = this, ends = status?.expires_at;
    if (!status || !ends || ends > this.now || !inUse(status) || isOverdue(status, ends)) return;
    const kernel = model.widget_manager ?? model, asked = askedEnds.get(kernel) ?? new Set();
    if (asked.has(ends)) return;
    askedEnds.set(kernel, asked.add(ends));
    this.send({ kind: "check" });
  }
}

// ---- The parts of the card ----

/** @param {Status} status */
const wordOf = ({ state }) => STATES[state][0];

/** @param {string} name @returns {(status: Status) => boolean} */
const offered = (name) => ({ offers }) => offers.includes(name);

/** @param {string} name @returns {(status: Status) => string} */
const primary = (name) => (status) => (status.primary === name ? "law-primary" : "");

/** The mark and its tone; an end within a day overrules the tick. @param {Status} status @param {number} now */
function markOf({ state, expires_at }, now) {
  const urgent = state === "signed_in" && expires_at !== null && expires_at - now <= DAY;
  return urgent ? ["!", "soon"] : STATES[state].slice(1);
}

/** @param {Status} status @param {number} now */
function subtitleOf(status, now) {
  const { subtitle, busy, checked_at } = status;
  const checked = inUse(status) && checked_at !== null ? fill(TEXT.checked, agoText(now - checked_at)) : "";
  return join(" · ", subtitle, busy ? TEXT.checking : checked);
}

/** @param {{message: string, next_step: string}} said */
const remarkOf = ({ message, next_step }) => join(" ", message, next_step);

/** A stopped cell: our labextension runs it again. @type {Part<Status>} */
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
      ...browserButton(drawing), tell(TEXT.check, { kind: "check" }, { show: offered("check") }), ...signOut(drawing)));
};

/** @type {Part<NonNullable<ReturnType<typeof countdownOf>>>} */
const countdown = ({ h }) => h("div", { class: ({ tone }) => `law-left law-${tone}` },
  h("time", { note: ({ text }) => text }), h("small", { note: ({ aside }) => aside }),
  h("progress", {
    "aria-label": TEXT.timeLeft, max: 1000, show: ({ share }) => share >= 0,
    value: ({ share }) => Math.round(Math.max(0, share) * 1000),
  }));

/** Where other kernels may follow, the first press asks what is meant. @param {Drawing<Status>} drawing */
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
  const makers = { failed, waiting_for_browser: waitingForBrowser, working };
  const kindOf = (/** @type {Attempt} */ { phase }) => (phase in makers ? phase : "working");
  return each(h("div"), ({ attempt }) => [attempt], kindOf, (row, attempt) =>
    makers[/** @type {keyof typeof makers} */ (kindOf(attempt))](row));
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
  const remember = h("input", { type: "checkbox" }), empty = h("p", { class: "law-bad", role: "alert", hidden: true });
  const use = (/** @type {any} */ event) => {
    event.preventDefault();
    setProperty(empty, "note", field.value.trim() ? "" : TEXT.emptyKey);
    if (!empty.hidden) return field.focus();
    const intent = { kind: "use_key", remember: remember.checked && !!line.status?.remember, lasts: lasts.value() };
    line.sendSecret(intent, field, take());
  };
  const typed = () => (empty.hidden = true);
  const form = h("form", { noValidate: true, onsubmit: use, onreset: lasts.reset, oninput: typed },
    h("div", { class: "law-line" },
      h("label", {}, TEXT.key, field), show, h("button", { class: primary("key") }, TEXT.useKey)),
    empty,
    h("div", { class: "law-row" },
      h("label", { show: (status) => status.remember },
        remember, h("span", { textContent: (status) => status.remember?.label ?? "" })),
      ...lasts.els, webLink(drawing, ({ key_page }) => key_page, TEXT.getKey)),
    h("small", {}, TEXT.lastsHint));
  const spare = (/** @type {Status} */ status) => inUse(status) || status.state === "checking";
  const fold = h("summary", { show: spare }, TEXT.otherKey);
  const part = h("details", { class: "law-part", show: offered("key") }, fold, form);
  follow(spare, (folds) => {
    if (folds && !field.value) form.reset();
    part.open = !folds || field.value !== "";
  });
  return part;
};

/** A hidden field. A field drops line ends: `take` gives what was pasted as it was, which may be a whole .env.
 * @param {Drawing<Status>} drawing */
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
  const date = h("input", { type: "date", "aria-label": TEXT.lastsUntil, hidden: true });
  const options = Object.entries(TEXT.lifetimes).map(([value, text]) => h("option", { value }, text));
  const choose = (/** @type {any} */ { target }) => (date.hidden = target.value !== "date");
  const choice = h("select", { "aria-label": TEXT.lasts, onchange: choose }, ...options);
  return {
    els: [h("label", {}, TEXT.lasts, choice), date], reset: () => (date.hidden = true),
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

/** What support asks for: no name, no secret. @param {Status} status */
const diagnosticsOf = (status) => join("\n",
  join(" · ", wordOf(status), status.subtitle, status.endpoint), remarkOf(status),
  ...status.sources.map(({ title, detail, note }) => join(" · ", title, detail, note)),
  ...status.facts.map((fact) => join(": ", ...fact)), navigator.userAgent);

/** @type {Part<Status>} */
const detailsPart = ({ h, each, button }) => {
  const diagnostics = h("pre", { class: "law-well", hidden: true, textContent: diagnosticsOf });
  const copy = copyButton(button, TEXT.copyDiagnostics, diagnostics, { "data-intent": "copy_diagnostics" });
  return h("details", { class: "law-part", show: ({ sources, facts }) => sources.length + facts.length },
    h("summary", {}, TEXT.details),
    h("table", {},
      each(h("tbody"), ({ sources }) => sources, ({ id }) => id, (row, { id }) => row.h("tr", {},
        row.h("th", { scope: "row", textContent: ({ title }) => title }),
        row.h("td", {},
          row.h("div", { textContent: ({ detail }) => detail }), row.h("small", { note: ({ note }) => note })),
        row.h("td", {},
          row.h("span", { class: "law-good", show: (source) => source.in_use }, TEXT.inUse),
          row.tell(TEXT.useThis, { kind: "use_source", id }, { show: (source) => source.can_use && !source.in_use })))),
      each(h("tbody"), ({ environments }) => environments, ({ id }) => id, (row, { id }) => row.h("tr", {},
        row.h("th", { scope: "row" }, TEXT.environment), row.h("td", { textContent: ({ name }) => name }),
        row.h("td", {},
          row.h("span", { class: "law-good", show: ({ in_use }) => in_use }, TEXT.inUse),
          row.tell(TEXT.switchTo, { kind: "use_environment", environment: id }, { show: ({ in_use }) => !in_use })))),
      each(h("tbody"), ({ facts }) => facts, ([label]) => label, (row, [label]) => row.h("tr", {},
        row.h("th", { scope: "row" }, label), row.h("td", { colSpan: 2, textContent: ([, value]) => value })))),
    h("div", { class: "law-row" }, copy), diagnostics);
};

// ---- Signing in with the browser ----

/** @param {Drawing<Status>} drawing */
function browserButton({ h, tell, line }) {
  const warm = () => line.send({ kind: "warm" }), offer = offered("browser");
  const start = tell("", { kind: "sign_in_with_browser" }, {
    show: offer, class: primary("browser"),
    textContent: ({ state }) =>
      state === "signed_out" ? TEXT.browser : state === "rejected" ? TEXT.browserInstead : TEXT.browserAgain,
  });
  start.onpointerenter = start.onfocus = warm;
  return [start, h("small", { show: (status) => status.state === "signed_out" && offer(status) }, TEXT.browserHint)];
}

/** @type {Part<Attempt>} */
const waitingForBrowser = (drawing) => {
  const { h, button, tell, line } = drawing;
  const well = h("div", {
    class: "law-well", role: "group", "aria-label": TEXT.link, tabindex: 0,
    note: ({ link }) => webAddress(link) ?? link ?? "",
  });
  const copy = copyButton(button, TEXT.copyLink, well);
  const another = h("input", {
    type: "checkbox", onchange: ({ target }) => line.send({ kind: "use_another_account", on: target.checked }),
  });
  return h("div", { class: "law-part" },
    h("div", { role: "heading", "aria-level": 4 }, TEXT.phases.waiting_for_browser),
    h("small", { note: ({ ends_at }, now) => (ends_at ? fill(TEXT.left, spanText(Math.max(0, ends_at - now))) : "") }),
    well,
    h("div", { class: "law-row" },
      webLink(drawing, ({ link }) => link, TEXT.openLink, "law-button law-primary"), copy,
      tell(TEXT.cancel, { kind: "cancel" }), h("label", {}, another, TEXT.otherAccount)),
    h("p", { class: "law-bad", role: "alert", note: remarkOf }),
    pasteBack(drawing));
};

/** For a kernel on another machine: the address on which the browser ended, pasted. @type {Part<Attempt>} */
const pasteBack = ({ h, line }) => {
  const address = h("input", { type: "text", placeholder: "http://127.0.0.1:10001/callback?code=…", ...PRIVATE });
  const finish = (/** @type {any} */ event) => {
    event.preventDefault();
    if (address.value.trim()) line.sendSecret({ kind: "paste_callback" }, address);
    else address.focus();
  };
  return h("details", { open: !["localhost", "127.0.0.1", "[::1]"].includes(location.hostname) },
    h("summary", {}, TEXT.cannotConnect),
    h("form", { class: "law-line", onsubmit: finish },
      h("label", {}, TEXT.address, address), h("button", {}, TEXT.finish)));
};

/** A button that shows a text, and copies it.
 * @param {Drawing<any>["button"]} button @param {string} label @param {HTMLElement} node @param {Record<string, string>} [props] */
function copyButton(button, label, node, props) {
  const copy = button(label, async () => {
    node.hidden = false;
    copy.textContent = await copyText(node);
  }, props);
  return copy;
}

/** Where the page has no clipboard (plain http) the text is selected instead. @param {HTMLElement} node */
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
  const drawing = /** @type {Drawing<Status>} */ (new Drawing(line)), { h, follow } = drawing;
  const key = keyPart(drawing);
  const body = h("div", { show: () => line.status }, rescuePart(drawing), statePart(drawing), attemptPart(drawing),
    noticesPart(drawing), key, envPart(drawing), detailsPart(drawing));
  const sentence = h("p", { class: "law-part", tabindex: -1, note: () => sentenceOf(line) });
  const live = h("div", { class: "law-live", role: "status", "aria-live": "polite" });
  const root = h("section",
    { class: "law", "aria-label": TEXT.region, onkeydown: keepKeys, onpointerenter: line.lookAnew },
    h("header", {}, h("b", {}, TEXT.brand), h("span", { textContent: ({ endpoint }) => endpoint })),
    body, sentence, live);
  let begun = false; // a change is said once; the first thing drawn is none
  const saying = (/** @type {Status} */ { state, attempt, rescue }) =>
    line.lost || (line.status ? join(" ", state, attempt?.phase, rescue?.title) : "");
  root.addEventListener("focusin", ({ relatedTarget }) => root.contains(/** @type {Node|null} */ (relatedTarget)) || line.lookAnew());
  follow(saying, (key) => {
    if (begun) live.textContent = announcementOf(line);
    begun ||= key !== "";
  });
  let refused = false;
  follow(({ attempt }) => attempt?.phase === "failed" && attempt.method === "api_key", (now) => (refused = now));
  /** Focus that was in the card stays: on the field of a refused key, on its control, or else on the heading. */
  const draw = () => {
    const focused = focusIn(root), before = refused;
    drawing.draw(line.status ?? BLANK, line.now);
    const rest = focusIn(root), field = refused && !before ? key.querySelector("input") : null;
    if (!focused || (rest && isShown(rest) && !field)) return;
    const heading = body.querySelector("[role=heading]"), landings = [field, focused, heading, sentence];
    /** @type {HTMLElement|undefined} */ (landings.find((one) => one && isShown(one)))?.focus();
  };
  return { root, draw };
}

/** What stands in place of everything else. @param {Line} line */
const sentenceOf = ({ lost, status, waiting }) => (lost ? TEXT[lost] : status ? "" : waiting || TEXT.waiting);

/** What a screen reader hears of a change; a failed attempt speaks through its own alert. @param {Line} line */
function announcementOf(line) {
  const { status } = line, attempt = status?.attempt;
  if (!status) return sentenceOf(line);
  if (attempt) return attempt.phase === "failed" ? "" : attempt.message || TEXT.phases[attempt.phase];
  const word = wordOf(status), { title, rescue } = status;
  return join(" · ", join(": ", word, title !== word && title), rescue?.title);
}

/** @param {Element|null} root */
function focusIn(root) {
  const active = /** @type {Document|ShadowRoot|undefined} */ (root?.getRootNode())?.activeElement;
  return active && root?.contains(active) ? active : null;
}

/** @param {Element} node */
const isShown = (node) => node.isConnected && (node.checkVisibility?.() ?? node.getClientRects().length > 0);

/**
 * Notebooks take plain keys for commands (`b` inserts a cell, Shift+Enter and Ctrl+Enter run one): those stay here.
 * Other keys with Ctrl, Meta or Alt pass, so that Ctrl+S still saves.
 * @param {any} event
 */
function keepKeys(event) {
  const modified = event.ctrlKey || event.metaKey || event.altKey;
  if (modified && event.key !== "Enter") return;
  if (modified) event.preventDefault();
  event.stopPropagation();
}

/** @type {import("@anywidget/types").Render} */
function render({ model, el }) {
  const line = new Line(model, () => card.draw()), card = createCard(line);
  const view = () => {
    line.watch();
    card.draw();
  };
  el.append(card.root);
  line.open();
  clock.add(view);
  return () => {
    clock.remove(view);
    line.close();
    card.root.remove();
  };
}

export default { render };
