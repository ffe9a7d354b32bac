/** What kernel and page say to each other (presentation.py, widget.py). Types only: no page loads this file. */

export type State = "signed_out" | "checking" | "signed_in" | "unverified" | "expired" | "rejected";
export type Phase = "starting" | "waiting_for_browser" | "finishing" | "checking" | "failed";

/** What the kernel says. Times are epoch milliseconds by its own clock. */
export interface Status {
  /** No answer: the kernel has not heard the page yet. */
  unasked?: boolean;
  now: number;
  endpoint: string;
  state: State;
  title: string;
  subtitle: string;
  message: string;
  next_step: string;
  expires_at: number | null;
  checked_at: number | null;
  expiry: string;
  lifetime: number | null;
  attempt: Attempt | null;
  busy: boolean;
  offers: string[];
  primary: string;
  key_page: string | null;
  env_file: { path: string; label: string } | null;
  remember: { label: string } | null;
  sign_out_choice: boolean;
  sources: Source[];
  environments: { id: string; name: string; in_use: boolean }[];
  facts: [label: string, value: string][];
  notices: Notice[];
  /** What support asks for, as far as the kernel knows it: no name, no secret. */
  diagnostics: string;
  rescue: Rescue | null;
}

/** A sign-in under way, or one that failed. */
export interface Attempt {
  method: string;
  phase: Phase;
  message: string;
  next_step: string;
  ends_at: number | null;
  link: string | null;
  can_retry: boolean;
}

export interface Source {
  id: string;
  title: string;
  detail: string;
  note: string;
  in_use: boolean;
  can_use: boolean;
}

export interface Notice {
  id: string;
  text: string;
  actions: { kind: string; label: string }[];
}

/** A cell that stopped for want of sign-in, by JupyterLab's id; "" where the front end sends none. */
export interface Rescue {
  cell: string;
  title: string;
  text: string;
  /** Signed in by now. */
  ready: boolean;
}

/** What the person wants. */
export interface Intent {
  kind: string;
  [name: string]: unknown;
}

/** The widget's question to labextension/static/runs.js, as an event's detail. Without `run` nothing is run. */
export interface RunRequest {
  cell: string;
  run: "" | "cell" | "below";
  /** Stays empty where nobody can run that cell. */
  answer: "" | "can" | "running" | "gone";
}
