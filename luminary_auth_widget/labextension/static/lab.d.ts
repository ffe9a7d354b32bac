/** What these modules use of JupyterLab, and what they tell each other. Types only: no page loads this file. */

export interface Signal {
  connect(slot: (sender: any, args: any) => void): void;
}

interface Info {
  language_info: { name: string };
}

export interface Kernel {
  id: string;
  status: string;
  connectionStatus: string;
  info: Promise<Info>;
  requestKernelInfo(): Promise<{ content: Info }>;
  requestExecute(content: object, dispose: boolean): { done: Promise<{ content: any }> };
}

export interface Cell {
  model: { id: string };
}

export interface NotebookContent {
  activeCellIndex: number;
  deselectAll(): void;
  activate(): void;
  widgets: readonly Cell[];
  rendermime: any;
}

export interface Notebook {
  id: string;
  node: HTMLElement;
  content: NotebookContent;
  revealed: Promise<void>;
  sessionContext: {
    session: { kernel: Kernel | null } | null;
    kernelChanged: Signal;
    statusChanged: Signal;
    connectionStatusChanged: Signal;
    iopubMessage: Signal;
  };
}

/** JupyterLab's INotebookTracker. */
export interface Tracker {
  currentWidget: Notebook | null;
  currentChanged: Signal;
  widgetAdded: Signal;
  forEach(act: (notebook: Notebook) => void): void;
  find(test: (notebook: Notebook) => boolean): Notebook | undefined;
}

/** JupyterLab's NotebookActions, of which we use two. */
type Action = (notebook: NotebookContent, sessionContext: object) => Promise<boolean>;
export interface Actions {
  run: Action;
  runAllBelow: Action;
}

/** Translates; %1 stands for the first argument. */
export type Say = (text: string, ...args: string[]) => string;

/** What is known of the kernel of one notebook; "ready": the model of its widget. */
export type Kind = "none" | "no-kernel" | "connecting" | "asking" | "language" | "missing" | "old" | "new" | "unused" | "busy"
  | "restarting" | "disconnected" | "dead" | "failed" | "ready";

export interface Finding {
  kind: Kind;
  model?: string;
  detail?: string;
}

/** Where the widget appears when a cell fails for want of a sign-in: the setting of that name. */
export type Place = "cell" | "panel";

/** A widget that exists: its model's id, its traits (widget.py), and the kernel's clock less the page's in ms. */
export interface Known {
  model: string;
  traits: Record<string, any>;
  offset: number;
  /** What that kernel was told of the setting. */
  place: Place;
}
