/** The shapes inside widget.js. Types only: no page loads this file. */

import type { AnyModel } from "@anywidget/types";
import type { Intent, Status } from "./contract.d.ts";

export type { Render } from "@anywidget/types";
export type Model = AnyModel;

/**
 * A property: as it is, or read from every new value. It is written only when it differs from last time, so that what
 * the person typed, focused or unfolded stays.
 */
export type Given<T> = string | number | boolean | ((value: T, now: number) => unknown);

/** `show` hides or not, a `note` hides itself when empty; the rest are properties or attributes. */
export type Props<T> = { [name: `on${string}`]: (event: any) => void; [name: string]: Given<T> };

/** Elements that follow a value. `now` is the kernel's clock, in ms. */
export interface Drawing<T> {
  line: Line;
  draw(value: T, now: number): void;
  /** Call `write` with what `read` gives, whenever that differs from last time. */
  follow<R>(read: (value: T, now: number) => R, write: (next: R) => void): void;
  h<K extends keyof HTMLElementTagNameMap>(tag: K, props?: Props<T>, ...children: (Node | string)[]): HTMLElementTagNameMap[K];
  button(text: string, onclick: () => void, props?: Props<T>): HTMLButtonElement;
  /** A button that sends an intent; JupyterLab's commands find it by that (labextension/static/panel.js). */
  tell(text: string, intent: Intent, props?: Props<T>): HTMLButtonElement;
  /** Keep one child of `parent` per item: made once per key, then drawn in place. */
  each<I>(
    parent: HTMLElement, itemsOf: (value: T, now: number) => (I | null)[], keyOf: (item: I) => unknown,
    make: (row: Drawing<I>, first: I) => HTMLElement,
  ): HTMLElement;
}

export type Part<T> = (drawing: Drawing<T>) => HTMLElement;

export type WebLink = <T>(
  drawing: Drawing<T>, address: (value: T, now: number) => string | null, label: string, name?: string,
) => HTMLAnchorElement;

export type Health = "live" | "busy" | "unknown" | "gone" | "saved" | "away";

/** What was asked of the kernel, what was heard, and whether anybody is still there. Times by the page's clock, in ms. */
export interface Line {
  health: Health;
  /** Why there is nothing to show. */
  lost: string | undefined;
  status: Status | null;
  /** The kernel's clock less the page's. */
  offset: number;
  /** When the kernel last said how it stands. */
  heard: number;
  /** To what an answer is due, since when, and when to look what keeps it. */
  asked: { kind: string; at: number; due: number };
  /** Whether the kernel is being asked for a sign of life. */
  probing: boolean;
  /** By the kernel's clock. */
  readonly now: number;
  /** What to say while an answer is due; a hello is not worth a word at once. */
  readonly waiting: string;
  changed(): void;
  open(): void;
  close(): void;
  send(intent: Intent, buffers?: Uint8Array[]): void;
  /** Send a field's text as a binary buffer, which no trait, log or notebook keeps; the field is emptied first. */
  sendSecret(intent: Intent, field: HTMLInputElement, text?: string): void;
  hello(): void;
  hear(message: any): void;
  /** Whoever turns to the widget wants to see what is there now, such as a .env that was written since. */
  lookAnew(): void;
  /** JupyterLab says that the kernel restarted or went away. */
  disconnected(): void;
  lose(why: Health): void;
  /** Once a second: is the kernel there, is an answer overdue, is the session's time up? */
  watch(): void;
  /** A busy kernel has all the time it needs; a quiet one is asked once more, then given up. */
  wait(): void;
  /**
   * A kernel may be busy and say that it is idle, after a word with JupyterLab's debugger: what it answers after the
   * hello that it has not answered tells.
   */
  probe(): Promise<void>;
  /** When the time is up the server is asked: once, however many views there are. */
  askAtTheEnd(): void;
}

/** A row of *Details*: a credential, an environment, or a fact, which has no intent. */
export interface Row {
  id: string;
  title: string;
  detail: string;
  note?: string;
  in_use?: boolean;
  label?: string | false;
  intent?: Intent;
}
