// @ts-check
/** The status bar's item: the state and the time left of the notebook in front. It ticks by itself. */

/** @import {Front} from "./front.js" */
/** @import {Finding, Known, Say} from "./lab.d.ts" */

const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
/** @type {Record<string, [tone: string, words: string]>} */
const STATES = {
  signed_out: ["", "not signed in"], checking: ["", "checking…"], signed_in: ["good", "signed in"],
  unverified: ["soon", "not verified"], expired: ["bad", "session over"], rejected: ["bad", "key refused"],
};
/** In these something can be done about it in the panel; in the others there is nothing to say. */
const SILENT = ["none", "no-kernel", "language", "missing", "dead", "restarting"];

/** @param {Finding} finding @param {Known|undefined} known @param {number} now the page's, in ms @param {Say} say */
export function wordsOf({ kind }, known, now, say) {
  if (!known) return { shown: !SILENT.includes(kind), tone: "", words: "" };
  const { state, attempt, expires_at: ends, expiry } = known.traits, [tone, words] = STATES[state] ?? ["", ""];
  if (attempt && attempt !== "failed") return { shown: true, tone: "", words: say("signing in…") };
  if (!["signed_in", "unverified"].includes(state) || ends === null) return { shown: true, tone, words: say(words) };
  const left = ends - now - known.offset, doubt = state === "unverified" ? `${say(words)} · ` : "";
  if (left <= 0) return { shown: true, tone: "bad", words: doubt + say("time is up") };
  const [phase, phaseWords] = left <= DAY ? ["urgent", "ends within a day"] : left <= 7 * DAY ? ["soon", "ends soon"] : [tone, ""];
  const time = say(expiry === "about" ? "about %1 left" : "%1 left", spanText(left));
  return { shown: true, tone: doubt ? tone : phase, words: doubt + (phaseWords && `${say(phaseWords)} · `) + time };
}

// As in the widget (widget.js): by the page's language, in the variant that this browser asks for.
const PAGE = document.documentElement.lang.match(/^[a-z]{2,3}(?![a-z])/)?.[0];
// Some browsers have "en-US@posix" among theirs, which is no language.
const TAGS = [...navigator.languages.filter((tag) => /^\w\w[\w-]*$/.test(tag) && tag.startsWith(PAGE ?? "")), PAGE ?? "en"];
const MINUTES = new Intl.DateTimeFormat(TAGS, { minute: "numeric", second: "numeric", timeZone: "UTC" });
const PARTS = new Intl.ListFormat(TAGS, { style: "narrow", type: "unit" });
const [DAYS, HOURS, REST] = ["day", "hour", "minute"].map((unit) =>
  new Intl.NumberFormat(TAGS, { style: "unit", unit, unitDisplay: "narrow" }));

/** @param {number} left milliseconds */
function spanText(left) {
  const days = Math.floor(left / DAY), hours = Math.floor(left / HOUR) % 24, minutes = Math.floor(left / MINUTE) % 60;
  if (days) return PARTS.format([DAYS.format(days), HOURS.format(hours)]);
  return hours ? PARTS.format([HOURS.format(hours), REST.format(minutes)]) : MINUTES.format(left);
}

/**
 * @param {Front} front @param {{open: () => void, shownChanged: () => void}} then @param {Say} say
 * @returns {{node: HTMLElement, isShown: () => boolean}}
 */
export function createItem(front, { open, shownChanged }, say) {
  const node = document.createElement("button"), mark = document.createElement("span"), text = document.createElement("span");
  node.className = "luminary-auth-status";
  node.title = say("Show the Luminary Cloud panel");
  node.onclick = open;
  mark.textContent = "● ";
  mark.ariaHidden = "true";
  node.append(mark, text);
  let shown = false;
  const draw = () => {
    const now = wordsOf(front.finding, front.known, Date.now(), say);
    const words = ["Luminary Cloud", now.words].filter(Boolean).join(": ");
    // Written only when it differs: a text that is replaced loses its selection, and costs a layout.
    if (text.textContent !== words) text.textContent = words;
    node.dataset.tone = now.tone;
    if (now.shown !== shown) {
      shown = now.shown;
      shownChanged();
    }
  };
  front.follow(draw);
  let drawn = 0;
  setInterval(() => {
    const { traits, offset } = front.known ?? {}, left = (traits?.expires_at ?? 0) - Date.now() - (offset ?? 0);
    // The last hour is told by the second, all before by the minute.
    if (drawn !== (drawn = Math.abs(left) < HOUR ? left : Math.ceil(left / MINUTE))) draw();
  }, SECOND);
  return { node, isShown: () => shown };
}
